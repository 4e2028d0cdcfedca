//! What do Segment's preferences say? `categoryPreferences` is an object of categories, each `true` or
//! `false`, in `context.consent`: of the event that tells a decision, and of any other, as what holds.

use std::sync::Arc;

use wayfare_event::{ConsentAction, Event, Map, Rejection, RejectionCode, Value};

use super::{Dialect, Heard, Said, Tense, Why, plain};
use crate::Config;

/// The event that tells a decision.
pub(super) const UPDATED: &str = "Segment Consent Preference Updated";

const FIELD: &str = "categoryPreferences";

/// A decision for each category that is named (D07, D10). Without the object, or with a value that is
/// neither `true` nor `false`, the event is refused (D09).
pub(super) fn updated(config: &Config, event: &Event, heard: &mut Heard) -> Result<(), Rejection> {
    let consent = event.context.get("consent").and_then(Value::as_map);
    let preferences = consent.and_then(|it| it.get(FIELD)).and_then(Value::as_map);
    let refused = |message: String| Rejection::new(RejectionCode::InvalidConsent, message);
    let Some(preferences) = preferences else {
        let message =
            format!("`{UPDATED}` has its decisions in `context.consent.{FIELD}`, an object");
        return Err(refused(message));
    };
    let mut names = preferences.iter();
    if let Some((name, _)) = names.find(|(_, value)| !matches!(value, Value::Bool(_))) {
        let message = format!("`context.consent.{FIELD}.{name}` must be true or false");
        return Err(refused(message));
    }
    read(config, preferences, Tense::Decided, heard);
    Ok(())
}

/// What holds by the preferences that come with an event (D06, D08, D11).
pub(super) fn observed(config: &Config, consent: &Value, heard: &mut Heard) {
    let preferences = match consent {
        Value::Map(consent) => consent.get(FIELD),
        Value::Null => None,
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => Some(consent),
    };
    match preferences {
        None | Some(Value::Null) => {}
        Some(Value::Map(preferences)) => read(config, preferences, Tense::Holds, heard),
        Some(Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_)) => {
            heard.unheard(Dialect::Segment, "context.consent", Why::Malformed);
        }
    }
}

fn read(config: &Config, preferences: &Map, tense: Tense, heard: &mut Heard) {
    let mut named: Vec<(&Arc<str>, ConsentAction)> = Vec::new();
    for (name, value) in preferences.iter() {
        let Some(category) = config.called(name) else {
            heard.unheard(Dialect::Segment, name, Why::UnknownCategory);
            continue;
        };
        match value {
            Value::Bool(true) => named.push((category, ConsentAction::Accept)),
            Value::Bool(false) => named.push((category, ConsentAction::Decline)),
            Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                heard.unheard(Dialect::Segment, name, Why::Malformed);
            }
        }
    }
    // Preferences that name nothing refuse everything (D07); others leave alone what they do not
    // name, unless configured as Segment has it (D10, K-03).
    if preferences.is_empty() || config.dialects().segment_missing_is_false {
        for category in config.refusable() {
            if !named.iter().any(|(it, _)| *it == category) {
                named.push((category, ConsentAction::Decline));
            }
        }
    }
    for (category, action) in stricter(named) {
        heard.said.push(Said {
            statement: plain(Dialect::Segment, category, action),
            dialect: Dialect::Segment,
            tense,
            at: None,
        });
    }
}

/// Each category once: where two of its names differ, it is refused.
pub(super) fn stricter(named: Vec<(&Arc<str>, ConsentAction)>) -> Vec<(&Arc<str>, ConsentAction)> {
    let mut once: Vec<(&Arc<str>, ConsentAction)> = Vec::with_capacity(named.len());
    for (category, action) in named {
        match once.iter_mut().find(|(it, _)| *it == category) {
            None => once.push((category, action)),
            Some((_, held)) if action == ConsentAction::Decline => *held = action,
            Some(_) => {}
        }
    }
    once
}
