//! When does a wait end, where clocks change? One line of `time.jsonl` for each vector, as the wait
//! an author would write for it. A vector that no wait is written for says so with `not_offered`,
//! and `docs/decisions/012-time-vectors.md` says why.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken fixture should fail its test"
)]

use std::collections::BTreeSet;

use wayfare_event::{Timestamp, Value};
use wayfare_journey::calendar::{Weekdays, Zone, next_local};
use wayfare_journey::cron::Cron;
use wayfare_journey::duration;

const VECTORS: &str = include_str!("time.jsonl");
const DECISION: &str = include_str!("../../../docs/decisions/012-time-vectors.md");

fn text<'a>(vector: &'a Value, key: &str) -> Option<&'a str> {
    vector.get(key).and_then(Value::as_text)
}

fn instant(vector: &Value, key: &str) -> Timestamp {
    text(vector, key).unwrap().parse().unwrap()
}

fn zone(vector: &Value) -> Zone {
    let name = text(vector, "zone").unwrap();
    Zone::find(name).unwrap_or_else(|| panic!("{name}"))
}

fn micros(written: Option<&str>) -> i64 {
    written.map_or(0, |written| duration::parse(written).unwrap())
}

/// When the wait of a vector ends.
fn ends(vector: &Value) -> Timestamp {
    let arrived = instant(vector, "arrived");
    let Some(until) = text(vector, "until") else {
        return arrived.saturating_add_micros(micros(text(vector, "wait")));
    };
    let days = match vector.get("days") {
        Some(Value::List(days)) => Weekdays::parse(days.iter().filter_map(Value::as_text)).unwrap(),
        None => Weekdays::ALL,
        other => panic!("{other:?}"),
    };
    let grace = micros(text(vector, "grace"));
    next_local(arrived, until.parse().unwrap(), days, grace, &zone(vector))
}

#[test]
fn every_vector_is_kept_or_its_reason_is_written_down() {
    let mut ids = BTreeSet::new();
    for line in VECTORS.lines() {
        let vector = Value::parse(line).unwrap();
        let id = text(&vector, "id").unwrap().to_owned();
        let expected = instant(&vector, "expect");
        if vector.get("not_offered").is_none() {
            assert_eq!(ends(&vector), expected, "{vector}");
        } else {
            let ours = instant(&vector, "ours");
            assert_ne!(ours, expected, "{id} is offered");
            assert_eq!(ends(&vector), ours, "{vector}");
            assert!(DECISION.contains(&id), "{id} has no reason");
        }
        assert!(ids.insert(id), "{vector}");
    }
    let all = [("TW", 17), ("TN", 13), ("TQ", 14), ("TS", 17)];
    let all = all.into_iter().flat_map(|(kind, count)| {
        let numbers = 1..=count;
        numbers.map(move |number| format!("{kind}-{number:02}"))
    });
    assert_eq!(ids, all.collect());
}

#[test]
fn a_daily_schedule_comes_round_at_the_next_such_local_time() {
    let vectors = VECTORS.lines().map(|line| Value::parse(line).unwrap());
    let next = vectors.filter(|vector| text(vector, "id").unwrap().starts_with("TN"));
    let mut rows = 0;
    for vector in next {
        let (hour, minute) = text(&vector, "until").unwrap().split_once(':').unwrap();
        let cron = Cron::parse(&format!("{minute} {hour} * * *")).unwrap();
        let comes = cron.next_after(instant(&vector, "arrived"), &zone(&vector));
        assert_eq!(comes, Some(instant(&vector, "expect")), "{vector}");
        rows += 1;
    }
    assert_eq!(rows, 13);
}
