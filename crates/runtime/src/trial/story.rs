//! How does a case read, step by step? A line for everything the engine noted or told, in order.

use std::collections::BTreeSet;

use wayfare_event::{Map, Value};
use wayfare_webhook::Secrets;

use crate::engine::Output;
use crate::report;

/// What a line tells of a note, in this order; the rest is in the output of `wayfare run --trace`.
const OF_A_NOTE: [&str; 9] = [
    "instanceId",
    "profileId",
    "journey",
    "block",
    "arm",
    "condition",
    "holds",
    "leaf",
    "value",
];
/// What a line tells of a decision, a delivery or a refusal, in this order.
const OF_THE_REST: [&str; 11] = [
    "instanceId",
    "journey",
    "block",
    "outcome",
    "state",
    "attempt",
    "status",
    "reason",
    "leaf",
    "value",
    "due",
];
/// Characters of an id that tell it from others in one case: its prefix and eight digits.
const ID_CHARACTERS: usize = 12;

/// Of what there is only one in a case: it need not be named.
#[derive(Clone, Copy)]
struct One {
    instance: bool,
    journey: bool,
}

/// The lines.
pub(super) fn lines(outputs: &[Output], secrets: &Secrets) -> Vec<String> {
    let mut said = Vec::new();
    for output in outputs {
        let map = report::line(output, None, secrets);
        let at = map.get("at").map(shown).unwrap_or_default();
        if let Some(Value::List(notes)) = map.get("notes") {
            let notes = notes.iter().filter_map(Value::as_map);
            said.extend(notes.map(|note| (at.clone(), note.clone())));
        } else {
            said.push((at, map));
        }
    }
    let is_one = |name| {
        let values = said.iter().filter_map(|(_, map)| map.get(name));
        values.map(shown).collect::<BTreeSet<_>>().len() < 2
    };
    let one = One {
        instance: is_one("instanceId"),
        journey: is_one("journey"),
    };
    said.iter().map(|(at, map)| line(at, map, one)).collect()
}

/// `2026-01-26T11:02:00Z  arrived  block: paid_plan`.
fn line(at: &str, map: &Map, one: One) -> String {
    let (word, told) = match map.get("note") {
        Some(word) => (word, &OF_A_NOTE[..]),
        None => (map.get("kind").unwrap_or(&Value::Null), &OF_THE_REST[..]),
    };
    let is_whole = map.get("leaf").is_some() && map.get("leaf") == map.get("condition");
    let is_told = |name: &&&str| match **name {
        "instanceId" => !one.instance,
        "journey" => !one.journey || map.get("note").is_some(),
        // Most conditions have no parts.
        "leaf" => !is_whole,
        _ => true,
    };
    let parts = told.iter().filter(is_told).filter_map(|name| {
        let value = shown(map.get(name)?);
        let is_long = matches!(*name, "instanceId" | "profileId");
        let value = if is_long {
            value.chars().take(ID_CHARACTERS).collect()
        } else {
            value
        };
        Some(format!("{name}: {value}"))
    });
    let parts: Vec<String> = parts.collect();
    format!("{at}  {:<10}  {}", shown(word), parts.join(", "))
}

fn shown(value: &Value) -> String {
    value
        .as_text()
        .map_or_else(|| value.to_string(), str::to_owned)
}
