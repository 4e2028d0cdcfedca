//! What do expressions and placeholders read here? One fixed world, with values that are welcome and
//! one with values that would do harm.

use std::sync::Arc;

use wayfare_event::{Map, Timestamp, Value};
use wayfare_journey::expression::{Changes, Names, Scope, Seen};

/// What a profile holds when nobody means harm. Each key is in `HOSTILE` too.
const PLAIN: &str = r#"{"profileId":"usr_1","email":"a@b.example","firstName":"Ada","plan":"pro",
    "visits":7,"balance":0.1,"big":9007199254740993,"price":1.10,"flag":true,"nothing":null,
    "empty":"","tags":["vip","beta"],"home":{"city":"Berlin"},"orders":[{"total":5},{"total":50}],
    "endsAt":"2026-02-01T00:00:00Z","path":"a","query":"b","host":"c","line":"d"}"#;

/// The same keys, filled by somebody who means harm.
const HOSTILE: &str = r#"{"profileId":"../..","email":"@evil.example/","firstName":"{profile.plan}",
    "plan":"..","visits":1e999,"balance":-0,"big":99999999999999999999998,"price":1e-400,
    "flag":"true","nothing":null,"empty":"\u0000","tags":["/","?","\ud83d\ude00"],
    "home":{"city":"\\..\\","":{"":[]}},"orders":[null,{"total":"5"}],"endsAt":"9999-12-31",
    "path":"/../?#&=;%2e%2e%2f","query":"x&admin=1#y","host":"//evil.example:1@","line":"a\r\nX: y"}"#;

const EVENT: &str = r#"{"name":"Order Completed","type":"track","timestamp":"2026-01-26T10:00:00Z",
    "messageId":"m1","properties":{"total":120.50,"items":[{"sku":"a"}],"odd key":1},"context":{}}"#;

/// Which values the profile has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Plain,
    Hostile,
}

/// What may be named: everything an event's journey has, and one `as:`.
pub(super) fn names() -> Names {
    Names {
        event: true,
        trigger: true,
        change: Changes::Trait,
        delivery: true,
        named: vec!["order".into()],
        categories: vec!["marketing".into(), "product".into()],
        ..Names::default()
    }
}

/// Calls `run` where these values are there.
pub(super) fn with<T>(profile: Profile, run: impl FnOnce(&Scope<'_>) -> T) -> T {
    let profile = map(match profile {
        Profile::Plain => PLAIN,
        Profile::Hostile => HOSTILE,
    });
    let event = map(EVENT);
    let change = map(r#"{"previous":"starter","current":"pro"}"#);
    let journey = map(r#"{"id":"j","title":"J","version":"0"}"#);
    let entry = map(r#"{"key":"usr_1","at":"2026-01-26T10:00:00Z"}"#);
    let named: [(Arc<str>, Map); 1] = [("order".into(), event.clone())];
    run(&Scope {
        event: Some(&event),
        trigger: Some(&event),
        change: Some(&change),
        delivery: None,
        profile: &profile,
        account: None,
        journey: &journey,
        entry: Some(&entry),
        named: &named,
        may_ask: &|category| category.len() > 3,
        choice: &|category| match category {
            "marketing" => "accept",
            _ => "unknown",
        },
        seen: &|name| {
            let seen = Seen {
                count: 3,
                first: Timestamp::EPOCH,
                last: Timestamp::from_micros(1_767_225_600_000_000),
            };
            (!name.is_empty()).then_some(seen)
        },
        now: Timestamp::from_micros(1_769_421_605_000_000),
    })
}

fn map(text: &str) -> Map {
    match Value::parse(text) {
        Ok(Value::Map(map)) => map,
        other => panic!("{text} is read as {other:?}"),
    }
}
