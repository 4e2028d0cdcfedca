//! What happens in a case? Events as they are sent to Wayfare, and when each comes in.

use std::sync::Arc;

use wayfare_event::{Event, Timestamp, Value};

use super::{some, time};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::parse::fields::Problems;
use crate::trial::{Given, pattern};
use crate::yaml::{Entry, Kind, Node};

/// When an event comes in.
const AT: &str = "at";
/// What an event may say that Wayfare reads.
const FIELDS: [&str; 27] = [
    "type",
    "event",
    "name",
    "messageId",
    "userId",
    "anonymousId",
    "previousId",
    "groupId",
    "properties",
    "traits",
    "context",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "historical",
    "category",
    "action",
    "email",
    "phone",
    "channel",
    "validFrom",
    "validUntil",
    "source",
    "method",
    "notice",
    "regulation",
    AT,
];

/// The events of a case, in the order they come in.
pub(super) fn events(node: &Node, problems: &mut Problems) -> Vec<Given> {
    let items = some(node, "a list of events, one at least", problems);
    let mut events: Vec<Given> = Vec::new();
    let mut times = Times::default();
    for (place, item) in items.iter().enumerate() {
        events.extend(event(item, place + 1, &mut times, problems));
    }
    events
}

/// The times of the events so far.
#[derive(Default)]
struct Times {
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

fn event(node: &Node, place: usize, times: &mut Times, problems: &mut Problems) -> Option<Given> {
    let Kind::Map(entries) = &node.kind else {
        problems.wrong_shape(node, "a mapping for an event");
        return None;
    };
    for entry in entries {
        check_name(entry, problems);
    }
    let Some(written) = node.entry(AT) else {
        let message = "an event of a test needs `at:`, when it comes in";
        let place = entries.first().map_or(node.span, |entry| entry.key_span);
        problems.push(Diagnostic::new(Code::MissingKey, place, message));
        return None;
    };
    let written = problems.text(&written.value)?;
    let at = time(&written, times.first, problems)?;
    if let Some(last) = times.last.filter(|last| *last > at) {
        let message = format!("`{}` is before the event above, at {last}", written.value);
        problems.push(
            Diagnostic::new(Code::TestTime, written.span, message)
                .hint("events stand in the order they come in; one that comes late has a `timestamp:` of its own"),
        );
        return None;
    }
    times.first.get_or_insert(at);
    times.last = Some(at);
    let mut map = pattern::map(entries);
    let is_there = |key: &str| map.get(key).is_some_and(|value| *value != Value::Null);
    let (has_id, has_time) = (is_there("messageId"), is_there("timestamp"));
    if !has_id {
        map.insert("messageId", format!("event-{place}").as_str().into());
    }
    if !has_time && !is_time_there(entries) {
        map.insert("timestamp", at.to_string().as_str().into());
    }
    let map: wayfare_event::Map = map
        .iter()
        .filter(|(name, _)| &***name != AT)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let text: Arc<str> = map.to_string().into();
    match Event::parse(&text, None) {
        Ok(event) => Some(Given {
            at,
            event: Box::new(event),
            text,
            span: node.span,
        }),
        Err(rejection) => {
            let message = format!("this event is rejected: {rejection}");
            problems.push(Diagnostic::new(Code::TestEvent, node.span, message));
            None
        }
    }
}

/// Whether an event says when it happened in the words of another SDK.
fn is_time_there(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.key == "originalTimestamp")
}

/// Fields that Wayfare does not read are taken, as the SDKs send them, but not those that are almost
/// one that it reads.
fn check_name(entry: &Entry, problems: &mut Problems) {
    if FIELDS.contains(&entry.key.as_str()) {
        return;
    }
    if let Some(name) = nearest(&entry.key, FIELDS) {
        let message = format!("an event has no field `{}`", entry.key);
        problems.push(
            Diagnostic::new(Code::UnknownKey, entry.key_span, message)
                .hint(format!("did you mean `{name}`?")),
        );
    }
}
