//! Do the known cases resolve as they should, in whatever order their events arrive?
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken fixture should fail its test"
)]

use std::collections::BTreeSet;

use serde_json::Value;
use wayfare_event::{Event, IdKey, Identifier, Timestamp};
use wayfare_identity::{Config, Links, Named, Region, Trust, attribute, extract, link, resolve};

type Profiles = BTreeSet<BTreeSet<String>>;

fn cases() -> Vec<Value> {
    let lines = include_str!("cases.jsonl").lines();
    lines.map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn config(region: Option<&str>) -> Config {
    let rules = Config::default().namespaces().to_vec();
    let region = region.map(|name| Region::named(name).unwrap());
    Config::new(rules, ["qa@example.com".to_owned()], region).unwrap()
}

fn read(item: &Value) -> (Named, Timestamp) {
    let text = |key: &str| item[key].as_str();
    let kind = if text("k") == Some("alias") {
        "alias"
    } else {
        "identify"
    };
    let mut event = serde_json::json!({
        "type": kind,
        "userId": item["u"],
        "anonymousId": item["a"],
        "previousId": item["prev"],
        "traits": { "email": item["e"], "phone": item["p"] },
    });
    if let Some(device) = text("d") {
        event["context"] = serde_json::json!({ "device": { "type": "ios", "id": device } });
    }
    let event = Event::parse(&event.to_string(), None).unwrap();
    let at = Timestamp::from_micros(item["t"].as_i64().unwrap());
    (extract(&config(text("region")), &event).unwrap(), at)
}

fn short(identifier: &Identifier) -> String {
    let letter = identifier.namespace.as_str().chars().next().unwrap();
    format!("{letter}:{}", identifier.value)
}

fn set(list: &Value) -> BTreeSet<String> {
    let items = list.as_array().unwrap().iter();
    items.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The final profiles, and those each event was attributed to when it arrived.
fn play(events: &[&(Named, Timestamp)]) -> (Profiles, Vec<BTreeSet<String>>) {
    let config = config(None);
    let mut links = Links::new();
    let mut attributed = Vec::new();
    for (named, at) in events {
        for change in link(&config, &links, named, Trust::Verified, *at) {
            links.apply(&change);
        }
        let partition = resolve(&config, &IdKey::STATELESS, &links);
        let profile = attribute(&config, &partition, named.identifiers()).unwrap();
        attributed.push(profile.identifiers.iter().map(short).collect());
    }
    let partition = resolve(&config, &IdKey::STATELESS, &links);
    let profiles = partition.profiles();
    let sets = profiles.map(|it| it.identifiers.iter().map(short).collect());
    (sets.collect(), attributed)
}

/// All orders of up to six events.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for order in orders(last) {
        for place in 0..count {
            let mut longer = order.clone();
            longer.insert(place, last);
            all.push(longer);
        }
    }
    all
}

#[test]
fn every_case_resolves_as_told_in_every_order() {
    for case in cases() {
        let id = &case["id"];
        let events: Vec<_> = case["in"].as_array().unwrap().iter().map(read).collect();
        let expected: Profiles = case["profiles"]
            .as_array()
            .unwrap()
            .iter()
            .map(set)
            .collect();
        for order in orders(events.len()) {
            let arrived: Vec<_> = order.iter().map(|place| &events[*place]).collect();
            assert_eq!(play(&arrived).0, expected, "{id} in the order {order:?}");
        }
    }
}

#[test]
fn every_case_attributes_its_events_as_told() {
    for case in cases() {
        let events: Vec<_> = case["in"].as_array().unwrap().iter().map(read).collect();
        let Some(expected) = case["attr"].as_array() else {
            continue;
        };
        let expected: Vec<_> = expected.iter().map(set).collect();
        assert_eq!(
            play(&events.iter().collect::<Vec<_>>()).1,
            expected,
            "{}",
            case["id"]
        );
    }
}
