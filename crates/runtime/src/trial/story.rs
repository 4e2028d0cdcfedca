//! How does a case read, step by step? A line for everything the engine noted or told, in order.

use wayfare_event::{Map, Value};
use wayfare_webhook::Secrets;

use crate::engine::Output;
use crate::report;

/// What a line tells, in this order; the rest is in the output of `wayfare run`.
const TOLD: [&str; 16] = [
    "profileId",
    "journey",
    "instanceId",
    "block",
    "arm",
    "condition",
    "holds",
    "outcome",
    "state",
    "attempt",
    "status",
    "messageId",
    "reason",
    "leaf",
    "value",
    "due",
];
/// Ids that are shortened.
const SHORTENED: [&str; 2] = ["profileId", "instanceId"];
/// Characters of an id that tell it from others in one case: its prefix and eight digits.
const ID_CHARACTERS: usize = 12;

pub(super) fn lines(outputs: &[Output], secrets: &Secrets) -> Vec<String> {
    let mut lines = Vec::new();
    for output in outputs {
        let map = report::line(output, None, secrets);
        let at = map.get("at").map(shown).unwrap_or_default();
        if let Some(Value::List(notes)) = map.get("notes") {
            let notes = notes.iter().filter_map(Value::as_map);
            lines.extend(notes.map(|note| line(&at, "note", note)));
        } else {
            lines.push(line(&at, "kind", &map));
        }
    }
    lines
}

/// `2026-01-26T11:02:00Z  arrived  block: paid_plan`.
fn line(at: &str, word: &str, map: &Map) -> String {
    let parts = TOLD.iter().filter_map(|name| {
        let value = shown(map.get(name)?);
        let value = if SHORTENED.contains(name) {
            value.chars().take(ID_CHARACTERS).collect()
        } else {
            value
        };
        Some(format!("{name}: {value}"))
    });
    let word = map.get(word).map(shown).unwrap_or_default();
    let parts: Vec<String> = parts.collect();
    format!("{at}  {word:<10}  {}", parts.join(", "))
}

fn shown(value: &Value) -> String {
    value
        .as_text()
        .map_or_else(|| value.to_string(), str::to_owned)
}
