//! What does `types:` declare of traits and properties? Not here: what the types mean, and
//! checking journeys against them (`wayfare-journey`).

use std::collections::BTreeMap;

use wayfare_journey::fields::Problems;
use wayfare_journey::yaml::Node;
use wayfare_journey::{Types, ValueType};

use super::parts::entries;

pub(super) fn types(node: &Node, problems: &mut Problems) -> Types {
    let mut types = Types::default();
    let Some(mut fields) = problems.fields(node, "`types`") else {
        return types;
    };
    if let Some(node) = fields.get("profile") {
        types.profile = declared(node, problems);
    }
    if let Some(node) = fields.get("account") {
        types.account = declared(node, problems);
    }
    if let Some(node) = fields.get("events") {
        for entry in entries(node, "a mapping of events", problems) {
            let properties = declared(&entry.value, problems);
            types.events.insert(entry.key.clone(), properties);
        }
    }
    fields.finish(problems);
    types
}

fn declared(node: &Node, problems: &mut Problems) -> BTreeMap<String, ValueType> {
    entries(node, "a mapping of types, such as `plan: text`", problems)
        .iter()
        .filter_map(|entry| {
            let word = problems.word(&entry.value, &ValueType::ALL)?;
            Some((entry.key.clone(), word))
        })
        .collect()
}
