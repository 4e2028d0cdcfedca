//! What does a block say?

mod wait;

use super::fields::Problems;
use super::{check_name, webhook};
use crate::definition::{Arm, Block, BlockKind, Split, SplitArm, Text, Tree};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{Entry, Kind, Node};

/// The kinds of blocks.
const KINDS: [&str; 6] = ["decide", "split", "wait", "update", "webhook", "exit"];

pub(super) fn blocks(node: &Node, problems: &mut Problems) -> Vec<Block> {
    let Kind::Map(entries) = &node.kind else {
        problems.wrong_shape(node, "a mapping of blocks");
        return Vec::new();
    };
    if entries.is_empty() {
        problems.wrong_shape(node, "at least one block");
    }
    let read = |entry: &Entry| {
        let key = Text {
            value: entry.key.clone(),
            span: entry.key_span,
        };
        let words = "lower-case letters, digits and `_`";
        check_name(&key, is_key_character, words, problems);
        block(key, &entry.value, problems)
    };
    entries.iter().filter_map(read).collect()
}

const fn is_key_character(character: char) -> bool {
    matches!(character, 'a'..='z' | '0'..='9' | '_')
}

fn block(key: Text, node: &Node, problems: &mut Problems) -> Option<Block> {
    let mut fields = problems.fields(node, "a block")?;
    let found: Vec<&Entry> = KINDS.iter().filter_map(|kind| fields.entry(kind)).collect();
    let is_split = found.iter().any(|entry| entry.key == "split");
    let salt = if is_split {
        fields.text("salt", problems)
    } else {
        None
    };
    let then = fields.maybe_text("then", problems);
    let mut kinds = found.into_iter();
    let (found, second) = (kinds.next(), kinds.next());
    let span = found.map_or(key.span, |entry| entry.key_span);
    let kind = match (found, second) {
        (Some(entry), None) => kind(entry, salt, problems),
        (None, _) => {
            let kinds = KINDS.map(|kind| format!("`{kind}`")).join(", ");
            let message = format!("block `{}` does nothing: it has one of {kinds}", key.value);
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

fn kind(entry: &Entry, salt: Option<Text>, problems: &mut Problems) -> Option<BlockKind> {
    let node = &entry.value;
    match entry.key.as_str() {
        "decide" => arms(node, problems).map(BlockKind::Decide),
        "split" => split_arms(node, problems).map(|arms| BlockKind::Split(Split { arms, salt })),
        "wait" => wait::wait(node, problems),
        "update" => update(node, problems),
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

fn split_arms(node: &Node, problems: &mut Problems) -> Option<Vec<SplitArm>> {
    let Kind::List(items) = &node.kind else {
        problems.wrong_shape(node, "a list of arms, each `arm:`, `weight:` and `then:`");
        return None;
    };
    if items.is_empty() {
        problems.wrong_shape(node, "at least one arm");
        return None;
    }
    let arms: Vec<Option<SplitArm>> = items.iter().map(|item| split_arm(item, problems)).collect();
    arms.into_iter().collect()
}

fn split_arm(node: &Node, problems: &mut Problems) -> Option<SplitArm> {
    let mut fields = problems.fields(node, "an arm of a split")?;
    let name = fields.need_text("arm", problems);
    if let Some(name) = &name {
        let words = "lower-case letters, digits and `_`";
        check_name(name, is_key_character, words, problems);
    }
    let weight = fields
        .need("weight", problems)
        .and_then(|node| problems.whole(node));
    let then = fields.need_text("then", problems);
    let holdout = fields.flag("holdout", problems);
    fields.finish(problems);
    Some(SplitArm {
        name: name?,
        weight: weight?,
        then: then?,
        holdout,
    })
}

/// `profile:` and the traits it writes.
fn update(node: &Node, problems: &mut Problems) -> Option<BlockKind> {
    let mut fields = problems.fields(node, "an update")?;
    let profile = fields.need("profile", problems);
    fields.finish(problems);
    let profile = profile?;
    let Kind::Map(entries) = &profile.kind else {
        problems.wrong_shape(profile, "a mapping of traits to values");
        return None;
    };
    if entries.is_empty() {
        problems.wrong_shape(profile, "at least one trait");
        return None;
    }
    let writes: Vec<Option<(Text, Tree)>> = entries
        .iter()
        .map(|entry| {
            let name = Text {
                value: entry.key.clone(),
                span: entry.key_span,
            };
            webhook::tree(&entry.value, problems).map(|value| (name, value))
        })
        .collect();
    writes
        .into_iter()
        .collect::<Option<_>>()
        .map(BlockKind::Update)
}
