//! What does a block say?

use super::fields::{Fields, Problems};
use super::{check_name, heard, webhook};
use crate::definition::{Arm, Block, BlockKind, Text, WaitFor, WaitItem};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{Kind, Node};

const KINDS: &str = "`decide`, `wait`, `webhook` and `exit`";

pub(super) fn blocks(node: &Node, problems: &mut Problems) -> Vec<Block> {
    let Kind::Map(entries) = &node.kind else {
        problems.wrong_shape(node, "a mapping of blocks");
        return Vec::new();
    };
    if entries.is_empty() {
        problems.wrong_shape(node, "at least one block");
    }
    let read = |entry: &crate::yaml::Entry| {
        let key = Text {
            value: entry.key.clone(),
            span: entry.key_span,
        };
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_');
        check_name(
            &key,
            allowed,
            "lower-case letters, digits and `_`",
            problems,
        );
        block(key, &entry.value, problems)
    };
    entries.iter().filter_map(read).collect()
}

fn block(key: Text, node: &Node, problems: &mut Problems) -> Option<Block> {
    let mut fields = problems.fields(node, "a block")?;
    let decide = fields.entry("decide");
    let wait = fields.entry("wait");
    let send = fields.entry("webhook");
    let exit = fields.entry("exit");
    let then = fields.maybe_text("then", problems);
    let mut kinds = [decide, wait, send, exit].into_iter().flatten();
    let (found, second) = (kinds.next(), kinds.next());
    let span = found.map_or(key.span, |entry| entry.key_span);
    let kind = match (found, second) {
        (Some(entry), None) => kind(entry, problems),
        (None, _) => {
            let message = format!("block `{}` does nothing: it has one of {KINDS}", key.value);
            problems.push(Diagnostic::new(Code::BlockKind, key.span, message));
            None
        }
        (Some(first), Some(second)) => {
            let message = format!("a block has one kind, this one has `{}` too", second.key);
            problems.push(
                Diagnostic::new(Code::BlockKind, second.key_span, message)
                    .related(first.key_span, "its first kind")
                    .hint("make two blocks of it, one naming the other in `then:`"),
            );
            None
        }
    };
    fields.finish(problems);
    Some(Block {
        key,
        kind: kind?,
        then: then?,
        span,
    })
}

fn kind(entry: &crate::yaml::Entry, problems: &mut Problems) -> Option<BlockKind> {
    let node = &entry.value;
    match entry.key.as_str() {
        "decide" => arms(node, problems).map(BlockKind::Decide),
        "wait" => wait(node, problems),
        "webhook" => webhook::webhook(entry, problems)
            .map(Box::new)
            .map(BlockKind::Webhook),
        _ => problems.text(node).map(BlockKind::Exit),
    }
}

fn arms(node: &Node, problems: &mut Problems) -> Option<Vec<Arm>> {
    let Kind::List(items) = &node.kind else {
        problems.wrong_shape(node, "a list of `when:`/`then:` arms with a last `else:`");
        return None;
    };
    let arms: Vec<Option<Arm>> = items.iter().map(|item| arm(item, problems)).collect();
    // Nobody knows whether a last arm that cannot be read is the `else:`.
    let ends = arms.last().is_none_or(Option::is_some);
    ends.then(|| arms.into_iter().flatten().collect())
}

fn arm(node: &Node, problems: &mut Problems) -> Option<Arm> {
    let mut fields = problems.fields(node, "an arm")?;
    let when = fields.maybe_text("when", problems);
    let then = fields.maybe_text("then", problems);
    let otherwise = fields.maybe_text("else", problems);
    let span = fields.place();
    fields.finish(problems);
    match (when?, then?, otherwise?) {
        (Some(when), Some(then), None) => Some(Arm {
            when: Some(when),
            then,
            span,
        }),
        (None, None, Some(then)) => Some(Arm {
            when: None,
            then,
            span,
        }),
        _ => {
            let message = "an arm is `when:` with `then:`, or `else:` alone";
            problems.push(Diagnostic::new(Code::MissingKey, span, message));
            None
        }
    }
}

fn wait(node: &Node, problems: &mut Problems) -> Option<BlockKind> {
    if !matches!(node.kind, Kind::Map(_)) {
        return problems.text(node).map(BlockKind::Pause);
    }
    let mut fields = problems.fields(node, "a wait")?;
    let items = fields
        .need("for", problems)
        .and_then(|node| items(node, problems));
    let timeout = fields.maybe_text("timeout", problems);
    fields.finish(problems);
    Some(BlockKind::Wait(WaitFor {
        items: items?,
        timeout: timeout?,
    }))
}

fn items(node: &Node, problems: &mut Problems) -> Option<Vec<WaitItem>> {
    let Kind::List(items) = &node.kind else {
        problems.wrong_shape(node, "a list of what is waited for");
        return None;
    };
    if items.is_empty() {
        problems.wrong_shape(node, "at least one thing to wait for");
    }
    Some(
        items
            .iter()
            .filter_map(|item| self::item(item, problems))
            .collect(),
    )
}

fn item(node: &Node, problems: &mut Problems) -> Option<WaitItem> {
    let mut fields: Fields<'_> = problems.fields(node, "a thing to wait for")?;
    let on = heard(&mut fields, problems);
    let name = fields.text("as", problems);
    let then = fields.need_text("then", problems);
    fields.finish(problems);
    Some(WaitItem {
        on: on?,
        name,
        then: then?,
    })
}
