//! Do the known cases resolve as they should, in whatever order their events arrive?
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken fixture should fail its test"
)]

use std::collections::BTreeSet;

use serde_json::Value;
use wayfare_event::{Event, IdKey, Identifier, Timestamp};
use wayfare_identity::{
    Config, EdgeKind, LinkChange, Links, Named, Region, Trust, attribute, extract, link, resolve,
};

type Profiles = BTreeSet<BTreeSet<String>>;

fn cases() -> Vec<Value> {
    let files = [
        include_str!("cases.jsonl"),
        include_str!("partitions.jsonl"),
    ];
    let lines = files.into_iter().flat_map(str::lines);
    lines.map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn config(region: Option<&str>) -> Config {
    let rules = Config::default().namespaces().to_vec();
    let region = region.map(|name| Region::named(name).unwrap());
    Config::new(rules, ["qa@example.com".to_owned()], region).unwrap()
}

/// What one line of a case tells.
enum Told {
    Event(Trust, Named),
    Merge(Identifier, Identifier),
    Detach(Identifier, Identifier),
}

fn read(item: &Value) -> (Told, Timestamp) {
    let text = |key: &str| item[key].as_str();
    let at = Timestamp::from_micros(item["t"].as_i64().unwrap());
    let user = |key: &str| Identifier::new("user_id", text(key).unwrap());
    let kind = match text("k") {
        Some("admin_merge") => return (Told::Merge(user("from"), user("u")), at),
        Some("detach") => {
            let browser = text("a").map(|it| Identifier::new("anonymous_id", it));
            let identifier = browser.unwrap_or_else(|| user("v"));
            return (Told::Detach(identifier, user("u")), at);
        }
        Some("alias") => "alias",
        Some(_) | None => "identify",
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
    let named = extract(&config(text("region")), &event).unwrap();
    let is_public = item["x"].as_bool() == Some(true);
    let trust = if is_public {
        Trust::Unverified
    } else {
        Trust::Verified
    };
    (Told::Event(trust, named), at)
}

fn short(identifier: &Identifier) -> String {
    let letter = identifier.namespace.as_str().chars().next().unwrap();
    format!("{letter}:{}", identifier.value)
}

fn set(list: &Value) -> BTreeSet<String> {
    let items = list.as_array().unwrap().iter();
    items.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The links, and the profiles each event was attributed to when it arrived.
fn play(events: &[&(Told, Timestamp)]) -> (Links, Vec<BTreeSet<String>>) {
    let config = config(None);
    let mut links = Links::new();
    let mut attributed = Vec::new();
    for (told, at) in events {
        let linked = |left: &Identifier, right: &Identifier, kind| {
            vec![LinkChange::Linked {
                ends: [left.clone(), right.clone()],
                kind,
                at: *at,
            }]
        };
        let changes = match told {
            Told::Event(trust, named) => link(&config, &links, named, *trust, *at),
            Told::Merge(from, into) => linked(from, into, EdgeKind::Same),
            Told::Detach(identifier, from) => linked(from, identifier, EdgeKind::Detached),
        };
        changes.iter().for_each(|change| links.apply(change));
        if let Told::Event(_, named) = told {
            let partition = resolve(&config, &IdKey::STATELESS, &links);
            let profile = attribute(&config, &partition, named.identifiers()).unwrap();
            attributed.push(profile.identifiers.iter().map(short).collect());
        }
    }
    (links, attributed)
}

fn profiles(links: &Links) -> Profiles {
    let partition = resolve(&config(None), &IdKey::STATELESS, links);
    let profiles = partition.profiles();
    let sets = profiles.map(|it| it.identifiers.iter().map(short).collect());
    sets.collect()
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
        // A crowd is judged in the order in which it comes.
        let orders = if case["in_order"].as_bool() == Some(true) {
            vec![(0..events.len()).collect()]
        } else {
            orders(events.len())
        };
        for order in orders {
            let arrived: Vec<_> = order.iter().map(|place| &events[*place]).collect();
            let links = play(&arrived).0;
            assert_eq!(profiles(&links), expected, "{id} in the order {order:?}");
            for lead in case["leads"].as_array().into_iter().flatten() {
                let partition = resolve(&config(None), &IdKey::STATELESS, &links);
                let mut profiles = partition.profiles();
                let is_lead =
                    profiles.any(|it| short(&it.identifiers[0]) == lead.as_str().unwrap());
                assert!(is_lead, "{id} in the order {order:?}");
            }
            let blocked = links.nodes().filter(|node| node.blocked().is_some());
            let blocked: BTreeSet<String> = blocked.map(|it| short(it.identifier())).collect();
            let named = case["blocked"].as_array().into_iter().flatten();
            let named: BTreeSet<String> = named.map(|it| it.as_str().unwrap().to_owned()).collect();
            assert_eq!(blocked, named, "{id}");
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
