//! What do RudderStack's lists say? `context.consentManagement` has the ids of what is allowed and of
//! what is denied. Whether a destination needs all or any of its categories (`resolutionStrategy`)
//! says nothing about the person.

use wayfare_event::{ConsentAction, Value};

use super::segment::stricter;
use super::{Dialect, Heard, Why};
use crate::Config;

const PLACE: &str = "context.consentManagement";

/// What holds by the lists that come with an event. Where any of it has another shape, all of it says
/// nothing (D17, K-06): a refusal may be what cannot be read.
pub(super) fn observed(config: &Config, value: &Value, heard: &mut Heard) {
    let lists = match value {
        Value::Null => return,
        Value::Map(map) => [
            (ids(map.get("deniedConsentIds")), ConsentAction::Decline),
            (ids(map.get("allowedConsentIds")), ConsentAction::Accept),
        ],
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            return heard.unheard(Dialect::RudderStack, PLACE, Why::Malformed);
        }
    };
    let mut named = Vec::new();
    let mut unknown = Vec::new();
    for (list, action) in lists {
        let Some(list) = list else {
            return heard.unheard(Dialect::RudderStack, PLACE, Why::Malformed);
        };
        for id in list {
            let Value::Text(id) = id else {
                return heard.unheard(Dialect::RudderStack, PLACE, Why::Malformed);
            };
            match config.called(id) {
                Some(category) => named.push((category, action)),
                None => unknown.push(id),
            }
        }
    }
    for id in unknown {
        heard.unheard(Dialect::RudderStack, id, Why::UnknownCategory);
    }
    for (category, action) in stricter(named) {
        heard.holds(Dialect::RudderStack, category, action);
    }
}

/// A list, empty where there is none; nothing where it has another shape.
fn ids(value: Option<&Value>) -> Option<&[Value]> {
    match value {
        None | Some(Value::Null) => Some(&[]),
        Some(Value::List(ids)) => Some(ids),
        Some(Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_)) => None,
    }
}
