//! What does a file say of who starts, enters and leaves?

use wayfare_event::{ConsentAction, EventKind};

use super::fields::{Fields, Problems};
use crate::definition::{Entry, EventName, Exit, Heard, Trigger, TriggerOn};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::{self, Kind, Node};

/// The keys a trigger is told by; it has one of them.
const KINDS: [&str; 6] = ["event", "consent", "trait", "schedule", "date", "delivery"];

pub(super) fn trigger(node: &Node, problems: &mut Problems) -> Option<Trigger> {
    let mut fields = problems.fields(node, "a trigger")?;
    let found: Vec<&yaml::Entry> = KINDS.iter().filter_map(|kind| fields.entry(kind)).collect();
    let condition = fields.text("where", problems);
    let span = fields.place();
    let on = if let [only] = found.as_slice() {
        on(only, &mut fields, problems)
    } else {
        let message = format!("a trigger has one of {}", KINDS.map(quoted).join(", "));
        let place = found.get(1).map_or(span, |second| second.key_span);
        problems.push(Diagnostic::new(Code::MissingKey, place, message));
        None
    };
    fields.finish(problems);
    Some(Trigger {
        on: on?,
        condition,
        span,
    })
}

fn quoted(key: &str) -> String {
    format!("`{key}:`")
}

/// What a trigger hears; some kinds have keys beside them.
fn on(entry: &yaml::Entry, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<TriggerOn> {
    let node = &entry.value;
    match entry.key.as_str() {
        "event" => event_names(node, problems).map(TriggerOn::Events),
        "consent" => consent_change(node, problems),
        "trait" => {
            let name = problems.text(node);
            let from = fields.get("from").map(|node| problems.scalar(node));
            let to = fields.get("to").map(|node| problems.scalar(node));
            Some(TriggerOn::Trait {
                name: name?,
                from: from.flatten(),
                to: to.flatten(),
            })
        }
        "schedule" => {
            let mut fields = problems.fields(node, "a schedule")?;
            let cron = fields.need_text("cron", problems);
            let zone = fields.text("zone", problems);
            fields.finish(problems);
            Some(TriggerOn::Schedule { cron: cron?, zone })
        }
        "date" => {
            let date = problems.text(node);
            let offset = fields.text("offset", problems);
            Some(TriggerOn::Date {
                date: date?,
                offset,
            })
        }
        _ => {
            let mut fields = problems.fields(node, "a delivery trigger")?;
            let journey = fields.need_text("journey", problems);
            let block = fields.text("block", problems);
            let state = fields.need_text("state", problems);
            fields.finish(problems);
            Some(TriggerOn::Delivery {
                journey: journey?,
                block,
                state: state?,
            })
        }
    }
}

fn consent_change(node: &Node, problems: &mut Problems) -> Option<TriggerOn> {
    let mut fields = problems.fields(node, "a consent trigger")?;
    let category = fields.need_text("category", problems);
    let words = [
        ("accept", ConsentAction::Accept),
        ("decline", ConsentAction::Decline),
    ];
    let action = fields
        .need("action", problems)
        .and_then(|node| problems.word(node, &words));
    fields.finish(problems);
    Some(TriggerOn::Consent {
        category: category?,
        action: action?,
    })
}

fn event_names(node: &Node, problems: &mut Problems) -> Option<Vec<EventName>> {
    let Kind::List(items) = &node.kind else {
        return Some(vec![event_name(node, problems)?]);
    };
    if items.is_empty() {
        problems.wrong_shape(node, "at least one event");
        return None;
    }
    items
        .iter()
        .map(|item| event_name(item, problems))
        .collect()
}

/// `Order Completed`, or `{type: page, name: Pricing}`.
fn event_name(node: &Node, problems: &mut Problems) -> Option<EventName> {
    if !matches!(node.kind, Kind::Map(_)) {
        let name = problems.text(node)?;
        if name.value.trim().is_empty() {
            problems.wrong_shape(node, "an event's name");
            return None;
        }
        return Some(EventName {
            kind: EventKind::Track,
            name: Some(name.value),
            span: node.span,
        });
    }
    let mut fields = problems.fields(node, "an event")?;
    let kinds = [
        ("track", EventKind::Track),
        ("page", EventKind::Page),
        ("screen", EventKind::Screen),
        ("identify", EventKind::Identify),
        ("group", EventKind::Group),
    ];
    let kind = fields
        .need("type", problems)
        .and_then(|node| problems.word(node, &kinds));
    let name = fields.text("name", problems).map(|name| name.value);
    fields.finish(problems);
    let kind = kind?;
    if kind == EventKind::Track && name.is_none() {
        let message = "a track event is named: `event: Order Completed`";
        problems.push(Diagnostic::new(Code::MissingKey, node.span, message));
        return None;
    }
    Some(EventName {
        kind,
        name,
        span: node.span,
    })
}

pub(super) fn entry(node: &Node, problems: &mut Problems) -> Entry {
    let Some(mut fields) = problems.fields(node, "`entry`") else {
        return Entry::default();
    };
    let entry = Entry {
        again: fields.text("again", problems),
        key: fields.text("key", problems),
        lateness: fields.text("lateness", problems),
        limit: fields.text("limit", problems),
    };
    fields.finish(problems);
    entry
}

pub(super) fn exits(node: &Node, problems: &mut Problems) -> Vec<Exit> {
    let Kind::List(items) = &node.kind else {
        problems.wrong_shape(node, "a list of exits");
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| exit(item, problems))
        .collect()
}

fn exit(node: &Node, problems: &mut Problems) -> Option<Exit> {
    let mut fields = problems.fields(node, "an exit")?;
    let span = fields.place();
    let on = heard(&mut fields, problems);
    let reason = fields.text("reason", problems);
    fields.finish(problems);
    Some(Exit {
        on: on?,
        reason,
        span,
    })
}

/// `event:` with `where:`, or `when:`, in a wait or an exit.
pub(super) fn heard(fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Heard> {
    let event = fields.get("event");
    let when = fields.maybe_text("when", problems);
    let condition = fields.maybe_text("where", problems);
    let any_key = fields.get("any_key");
    let condition = condition?;
    match (event, when?) {
        (Some(event), None) => Some(Heard::Event {
            event: event_name(event, problems)?,
            condition,
            any_key: any_key
                .and_then(|node| problems.word(node, &[("true", true), ("false", false)]))
                .unwrap_or_default(),
        }),
        (None, Some(when)) if condition.is_none() && any_key.is_none() => Some(Heard::When(when)),
        _ => {
            let message = "one of `event:` (with `where:`, `any_key:`) and `when:` stands here";
            problems.push(Diagnostic::new(Code::MissingKey, fields.place(), message));
            None
        }
    }
}
