//! What is no mistake, but deserves a second look? Read from the file itself, where every word has its
//! place.

use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{Kind, Node};

/// Every warning about a journey that is otherwise sound.
pub(crate) fn advice(root: &Node) -> Vec<Diagnostic> {
    let blocks = root.entry("blocks").map(|entry| entry.value.entries());
    let blocks = blocks.unwrap_or_default().iter();
    let webhooks = blocks.filter_map(|block| block.value.entry("webhook"));
    webhooks
        .filter_map(|entry| repeated(&entry.value))
        .collect()
}

/// A POST makes something each time it arrives, unless the receiver knows copies.
fn repeated(webhook: &Node) -> Option<Diagnostic> {
    let value = |key: &str| webhook.entry(key).map(|entry| &entry.value);
    let is = |node: &Node, word: &str| matches!(&node.kind, Kind::Text(text) if text == word);
    let mode = value("delivery").filter(|node| is(node, "at_least_once"))?;
    let method = value("method").filter(|node| is(node, "POST"))?;
    let message = "a POST whose answer is lost is sent again, and may be done twice";
    Some(
        Diagnostic::new(Code::RepeatedPost, mode.span, message)
            .related(method.span, "what is repeated")
            .hint(
                "make sure the receiver knows copies by their `Idempotency-Key`, \
                 or take `at_most_once`, or PUT",
            ),
    )
}
