//! What does a TC string say of our categories? `context.tcf` is what `__tcfapi` gives, of which
//! `tcString` and `eventStatus` are read. Not here: the string's bits ([`TcString`]).

mod string;

use jiff::ToSpan as _;
use wayfare_event::{ConsentAction, Timestamp, Value};

pub use string::{TcString, TcStringError};

use super::{Dialect, Heard, Said, Tense, Why, plain};
use crate::Config;

const PLACE: &str = "context.tcf.tcString";
/// A choice is asked for again after 13 months at the latest (D29).
const MONTHS_MAX: i32 = 13;
/// The first policy whose strings still hold (D28).
const POLICY_MIN: u8 = 4;
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// What holds by the TC string that comes with an event. What cannot be read changes nothing.
pub(super) fn observed(config: &Config, value: &Value, heard: &mut Heard) {
    let Value::Map(data) = value else {
        if *value != Value::Null {
            heard.unheard(Dialect::Tcf, "context.tcf", Why::Malformed);
        }
        return;
    };
    let text = match data.get("tcString") {
        None | Some(Value::Null) => return,
        Some(Value::Text(text)) => text,
        Some(Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_)) => {
            return heard.unheard(Dialect::Tcf, PLACE, Why::Malformed);
        }
    };
    // While the dialogue is open the string is what it proposes, or an earlier one.
    if data.get("eventStatus").and_then(Value::as_text) == Some("cmpuishown") {
        return heard.unheard(Dialect::Tcf, PLACE, Why::NotChosenYet);
    }
    match TcString::parse(text) {
        Err(TcStringError::Unsupported(_)) => heard.unheard(Dialect::Tcf, PLACE, Why::Unsupported),
        Err(TcStringError::NotBase64Url | TcStringError::Truncated) => {
            heard.unheard(Dialect::Tcf, PLACE, Why::Malformed);
        }
        Ok(string) if string.policy_version < POLICY_MIN => {
            heard.unheard(Dialect::Tcf, PLACE, Why::OldPolicy);
        }
        Ok(string) => read(config, &string, heard),
    }
}

fn read(config: &Config, string: &TcString, heard: &mut Heard) {
    let day = Timestamp::from_micros(string.last_updated.as_micros().div_euclid(DAY_US) * DAY_US);
    for (name, category) in config.categories() {
        let purposes = &category.hears.purposes;
        if purposes.is_empty() {
            continue;
        }
        let vendor = config.dialects().tcf_vendor;
        let permits = |purpose: &u8| vendor.is_some_and(|it| string.permits(*purpose, it));
        let action = if purposes.iter().all(permits) {
            ConsentAction::Accept
        } else {
            ConsentAction::Decline
        };
        // Only the day is known: a yes counts from its beginning and a no until its end, so that at
        // a tie the stricter wins.
        let (at, valid_until) = match action {
            ConsentAction::Accept => (day, Some(ends(day))),
            ConsentAction::Decline => (day.saturating_add_micros(DAY_US - 1), None),
        };
        let mut statement = plain(Dialect::Tcf, name, action);
        statement.valid_until = valid_until;
        heard.said.push(Said {
            statement,
            dialect: Dialect::Tcf,
            tense: Tense::Holds,
            at: Some(at),
        });
    }
}

/// Thirteen months after a day; at once, for a day that no calendar has.
fn ends(day: Timestamp) -> Timestamp {
    let later = jiff::Timestamp::from_microsecond(day.as_micros())
        .ok()
        .map(|at| jiff::tz::Offset::UTC.to_datetime(at))
        .and_then(|at| at.checked_add(MONTHS_MAX.months()).ok())
        .and_then(|at| jiff::tz::Offset::UTC.to_timestamp(at).ok());
    later.map_or(day, |at| Timestamp::from_micros(at.as_microsecond()))
}
