//! What does `types:` declare of traits and properties? Not here: checking journeys against it.

use std::collections::BTreeMap;

use wayfare_journey::fields::Problems;
use wayfare_journey::yaml::Node;

use super::parts::entries;

const WORDS: [(&str, ValueType); 6] = [
    ("text", ValueType::Text),
    ("number", ValueType::Number),
    ("boolean", ValueType::Boolean),
    ("time", ValueType::Time),
    ("list", ValueType::List),
    ("object", ValueType::Object),
];

/// What traits and properties are declared to be; what is not declared is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Types {
    /// Traits of profiles.
    pub profile: BTreeMap<String, ValueType>,
    /// Traits of accounts.
    pub account: BTreeMap<String, ValueType>,
    /// Properties of events, by the event's name.
    pub events: BTreeMap<String, BTreeMap<String, ValueType>>,
}

/// What a value is declared to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueType {
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An instant, as RFC 3339 text.
    Time,
    /// A list.
    List,
    /// An object.
    Object,
}

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
            let word = problems.word(&entry.value, &WORDS)?;
            Some((entry.key.clone(), word))
        })
        .collect()
}
