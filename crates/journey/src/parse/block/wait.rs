//! What does a wait say? A duration, a time of day, a date, or the first of several things.

use super::super::fields::{Fields, Problems};
use super::super::trigger::heard;
use crate::definition::{BlockKind, Days, Text, UntilDate, UntilTime, WaitFor, WaitItem};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{Kind, Node};

pub(super) fn wait(node: &Node, problems: &mut Problems) -> Option<BlockKind> {
    if !matches!(node.kind, Kind::Map(_)) {
        return problems.text(node).map(BlockKind::Pause);
    }
    let mut fields = problems.fields(node, "a wait")?;
    match (fields.entry("for"), fields.entry("until")) {
        (Some(entry), None) => {
            let items = items(&entry.value, problems);
            let timeout = fields.maybe_text("timeout", problems);
            fields.finish(problems);
            Some(BlockKind::Wait(WaitFor {
                items: items?,
                timeout: timeout?,
            }))
        }
        (None, Some(entry)) => {
            let until = problems.text(&entry.value);
            match until {
                Some(time) if is_time(&time.value) => until_time(time, fields, problems),
                Some(date) => until_date(date, fields, problems),
                None => None,
            }
        }
        (first, second) => {
            let place = first
                .and(second)
                .map_or_else(|| fields.place(), |it| it.key_span);
            let message = "a wait is a duration, or has one of `for:` and `until:`";
            problems.push(Diagnostic::new(Code::MissingKey, place, message));
            None
        }
    }
}

/// Whether a text is meant as a time of day: digits and colons, nothing else.
fn is_time(text: &str) -> bool {
    text.contains(':') && text.chars().all(|c| c.is_ascii_digit() || c == ':')
}

fn until_time(time: Text, mut fields: Fields<'_>, problems: &mut Problems) -> Option<BlockKind> {
    let zone = fields.maybe_text("zone", problems);
    let zone_default = fields.maybe_text("zone_default", problems);
    let days = fields.get("days").map(|node| {
        let items = problems.texts(node, "a day or a range of days")?;
        let span = node.span;
        Some(Days { items, span })
    });
    let grace = fields.maybe_text("grace", problems);
    fields.finish(problems);
    Some(BlockKind::UntilTime(UntilTime {
        span: time.span,
        time,
        zone: zone?,
        zone_default: zone_default?,
        days: match days {
            None => None,
            Some(days) => Some(days?),
        },
        grace: grace?,
    }))
}

fn until_date(date: Text, mut fields: Fields<'_>, problems: &mut Problems) -> Option<BlockKind> {
    let offset = fields.maybe_text("offset", problems);
    let missing = fields.maybe_text("missing", problems);
    fields.finish(problems);
    Some(BlockKind::UntilDate(UntilDate {
        span: date.span,
        date,
        offset: offset?,
        missing: missing?,
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
