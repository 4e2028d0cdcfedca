//! Which value of a trait does a profile show, and since when is there a profile, in whatever order it
//! was told? The cases T… and I-… are
//! those of the conformance suite, W… are our own.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wayfare_event::{Map, Value};
use wayfare_executor::view::Profile;

use crate::world::{World, minute};

const CASES: &str = include_str!("traits.jsonl");

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item.get(field).unwrap().as_text().unwrap()
}

fn list<'a>(item: &'a Value, field: &str) -> &'a [Value] {
    match item.get(field) {
        Some(Value::List(items)) => items,
        other => panic!("{field}: {other:?}"),
    }
}

fn number(item: &Value, field: &str) -> i64 {
    item.get(field).unwrap().to_string().parse().unwrap()
}

/// One line of a case as an event.
fn event(item: &Value) -> String {
    let (field, value) = text(item, "who").split_once(' ').unwrap();
    let mut traits = item.get("set").unwrap().as_map().unwrap().clone();
    if let Some(once) = item.get("once") {
        traits.insert("$set_once", once.clone());
    }
    let also = item.get("and").and_then(Value::as_text);
    let also = also.map_or_else(String::new, |it| format!(r#","anonymousId":"{it}""#));
    let at = minute(number(item, "t"));
    let traits = Value::from(traits);
    format!(
        r#"{{"type":"identify","{field}":"{value}"{also},"timestamp":"{at}","traits":{traits}}}"#
    )
}

fn sorted(traits: &Map) -> BTreeMap<String, Value> {
    let traits = traits.iter();
    let traits = traits.filter(|(name, _)| &***name != "profileId");
    traits
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect()
}

/// The user's profile once all this was heard.
fn profile(events: &[String]) -> Profile {
    let mut world = World::new(&[]);
    for event in events {
        world.hear(60, event);
    }
    let is_user = |it: &Profile| it.identifiers.iter().any(|it| &*it.value == "u1");
    world.profiles().into_iter().find(is_user).unwrap()
}

/// What it shows.
fn shown(events: &[String]) -> BTreeMap<String, Value> {
    sorted(&profile(events).traits)
}

fn orders(events: &[String]) -> Vec<Vec<String>> {
    let Some((last, others)) = events.split_last() else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for order in orders(others) {
        for place in 0..=order.len() {
            let mut longer = order.clone();
            longer.insert(place, last.clone());
            all.push(longer);
        }
    }
    all
}

#[test]
fn every_case_shows_what_it_should_in_whatever_order_it_is_told() {
    let mut count = 0;
    for line in CASES.lines() {
        let case = Value::parse(line).unwrap();
        let name = text(&case, "case");
        let expected = sorted(case.get("traits").unwrap().as_map().unwrap());
        let events: Vec<String> = list(&case, "in").iter().map(event).collect();
        let orders = if case.get("in_order").is_some() {
            vec![events]
        } else {
            orders(&events)
        };
        let first = list(&case, "in").iter().map(|it| number(it, "t")).min();
        for order in orders {
            let profile = profile(&order);
            assert_eq!(sorted(&profile.traits), expected, "{name} as {order:?}");
            assert_eq!(profile.created, first.map(minute), "{name} as {order:?}");
        }
        count += 1;
    }
    assert!(count >= 12, "only {count} cases");
}

#[test]
fn what_fills_a_gap_starts_a_journey_and_what_finds_none_does_not() {
    const CHANGED: &str = r"
journey: changed
description: Notes a plan.
trigger: { trait: plan }
blocks:
  noted: { exit: noted }
";
    let once = |plan: &str| {
        format!(
            r#"{{"type":"identify","userId":"u1","traits":{{"$set_once":{{"plan":"{plan}"}}}}}}"#
        )
    };
    let mut world = World::new(&[CHANGED]);
    let entered = ["changed entered", "changed exit: noted"];
    assert_eq!(world.hear(1, &once("trial")), entered);
    assert_eq!(world.hear(2, &once("pro")), [""; 0]);
    let change = world.decisions[0].id;
    assert_eq!(world.decisions.len(), 1, "{change}");
}

#[test]
fn what_only_fills_gaps_is_an_object() {
    let line = r#"{"type":"identify","userId":"u1","traits":{"$set_once":"ad"}}"#;
    let rejection = wayfare_event::Event::parse(line, None).unwrap_err();
    assert_eq!(
        rejection.to_string(),
        "`$set_once` must be an object, found \"ad\""
    );
}

/// A write of somebody at a time: of a browser or its user, kept or only filling a gap.
fn write() -> impl Strategy<Value = String> {
    let who = prop_oneof![
        Just("userId u1"),
        Just("anonymousId a1"),
        Just("anonymousId a2")
    ];
    let value = prop_oneof![Just("null"), Just("\"x\""), Just("\"y\""), Just("7")];
    (who, value, 0..5_i64, any::<bool>()).prop_map(|(who, value, t, once)| {
        let told = format!(r#"{{"plan":{value}}}"#);
        let (set, once) = if once {
            ("{}".to_owned(), format!(r#","once":{told}"#))
        } else {
            (told, String::new())
        };
        let item = format!(r#"{{"t":{t},"who":"{who}","set":{set}{once}}}"#);
        event(&Value::parse(&item).unwrap())
    })
}

proptest! {
    /// Invariant 7 of 2.1.10: what traits are after merges does not depend on when the merges were,
    /// nor on hearing them twice. Writes keep their order, since of two at one time the later stays.
    #[test]
    fn invariant_7_traits_do_not_depend_on_the_order_of_merges(
        writes in proptest::collection::vec(write(), 1..8),
        places in (0..9_usize, 0..9_usize),
    ) {
        let login = |browser: &str| {
            let item = format!(r#"{{"t":9,"who":"userId u1","and":"{browser}","set":{{}}}}"#);
            event(&Value::parse(&item).unwrap())
        };
        let mut last = writes.clone();
        last.extend([login("a1"), login("a2")]);
        let mut between = writes;
        between.insert(places.0.min(between.len()), login("a1"));
        between.insert(places.1.min(between.len()), login("a2"));
        between.push(login("a1"));
        prop_assert_eq!(shown(&last), shown(&between));
    }
}
