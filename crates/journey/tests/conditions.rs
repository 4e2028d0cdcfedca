//! What do conditions mean where engines differ? One line of `conditions.jsonl` for each question.
//! Not there: how long a trait has had a value (C-08) and what a written null does to a trait
//! (C-09), which are no questions to an expression.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken fixture should fail its test"
)]

use wayfare_event::{Map, Timestamp, Value};
use wayfare_journey::expression::{Expression, Names, Scope, Seen};

fn text<'a>(row: &'a Value, key: &str) -> Option<&'a str> {
    row.get(key).and_then(Value::as_text)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    match value.get(key) {
        Some(Value::List(items)) => items,
        other => panic!("{key}: {other:?}"),
    }
}

fn check(case: &str, row: &Value) {
    let source = text(row, "when").unwrap();
    let read = Expression::parse(source, &Names::default());
    if row.get("refused") == Some(&Value::Bool(true)) {
        assert!(read.is_err(), "{case}: {source}");
        return;
    }
    let expression = read.unwrap_or_else(|error| panic!("{case}: {source}: {error}"));
    let empty = Map::new();
    let profile = row.get("profile").and_then(Value::as_map).unwrap();
    let now: Timestamp = text(row, "now")
        .unwrap_or("2026-01-26T10:00:00Z")
        .parse()
        .unwrap();
    let seen = |name: &str| {
        let at = text(row.get("seen")?, name)?.parse().unwrap();
        Some(Seen {
            count: 1,
            first: at,
            last: at,
        })
    };
    let scope = Scope {
        event: None,
        trigger: None,
        change: None,
        delivery: None,
        profile,
        account: None,
        journey: &empty,
        entry: None,
        named: &[],
        choice: &|_| "unknown",
        seen: &seen,
        now,
    };
    match (row.get("value"), row.get("holds")) {
        (Some(value), None) => {
            assert_eq!(&*expression.value(&scope), value, "{case}: {row}");
        }
        (None, Some(Value::Bool(holds))) => {
            assert_eq!(expression.holds(&scope), *holds, "{case}: {row}");
        }
        other => panic!("{case}: {other:?}"),
    }
}

#[test]
fn conditions_mean_what_the_cases_say() {
    let mut rows = 0;
    for line in include_str!("conditions.jsonl").lines() {
        let case = Value::parse(line).unwrap();
        for row in list(&case, "rows") {
            check(text(&case, "case").unwrap(), row);
            rows += 1;
        }
    }
    assert_eq!(rows, 39);
}
