//! Does what must hold for any events hold for random ones?
#![expect(clippy::unwrap_used, reason = "a broken fixture should fail its test")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wayfare_event::{Event, IdKey, Identifier, ProfileId, Timestamp};
use wayfare_identity::{
    Config, Links, Named, Node, Partition, Standing, Trust, attribute, extract, link, reach,
    resolve,
};

type Told = (Named, Timestamp);

/// The shipped configuration with limits so small that random events pass them.
fn config() -> Config {
    let mut rules = Config::default().namespaces().to_vec();
    for rule in &mut rules {
        rule.limit = rule.limit.map(|_| 2);
        rule.window_us = rule.window_us.map(|_| 3);
    }
    Config::new(rules, [], None).unwrap()
}

/// Few enough values that most events meet others; former ids are users, browsers or neither.
fn told() -> impl Strategy<Value = Told> {
    let pick =
        |values: &'static [&'static str]| proptest::option::of(proptest::sample::select(values));
    let names = (
        pick(&["u1", "u2", "u3", "w1"]),
        pick(&["w1", "w2", "w3", "w4", "u1"]),
        pick(&["a@x.example", "b@x.example", "c@x.example", "d@x.example"]),
        pick(&["+4930111111", "+4930222222"]),
        pick(&["w1", "w2", "u1", "u2", "u3"]),
    );
    let event = (names, 0..8_i64).prop_filter_map("names nobody", |(names, at_us)| {
        let (user, browser, email, phone, former) = names;
        let json = serde_json::json!({
            "type": if former.is_some() { "alias" } else { "identify" },
            "userId": user,
            "anonymousId": browser,
            "previousId": former,
            "context": { "traits": { "email": email, "phone": phone } },
        });
        let event = Event::parse(&json.to_string(), None).unwrap();
        let named = extract(&config(), &event).ok()?;
        Some((named, Timestamp::from_micros(at_us)))
    });
    event.boxed()
}

fn stream() -> impl Strategy<Value = Vec<Told>> {
    proptest::collection::vec(told(), 1..14)
}

fn hear(links: &mut Links, (named, at): &Told) {
    for change in link(&config(), links, named, Trust::Verified, *at) {
        links.apply(&change);
    }
}

fn links_of(events: &[Told]) -> Links {
    let mut links = Links::new();
    events.iter().for_each(|event| hear(&mut links, event));
    links
}

fn partition(links: &Links) -> Partition {
    resolve(&config(), &IdKey::STATELESS, links)
}

/// What a shell does that keeps `stored`: asks, loads and asks again.
fn load(stored: &Links, named: &Named) -> Links {
    let mut loaded = Links::new();
    loop {
        let missing = reach(&config(), &loaded, named);
        if missing.is_empty() {
            return loaded;
        }
        for identifier in missing {
            match stored.node(&identifier) {
                Some(node) => loaded.put(node.clone()),
                None => loaded.put_absent(identifier),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn profiles_do_not_depend_on_order(
        (events, shuffled) in stream().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle()))
    ) {
        prop_assert_eq!(partition(&links_of(&events)), partition(&links_of(&shuffled)));
    }

    #[test]
    fn hearing_everything_twice_changes_nothing(events in stream()) {
        let twice = [events.clone(), events.clone()].concat();
        prop_assert_eq!(links_of(&events), links_of(&twice));
    }

    #[test]
    fn every_identifier_is_in_exactly_one_profile_with_at_most_one_anchor(events in stream()) {
        let links = links_of(&events);
        let partition = partition(&links);
        let listed: Vec<&Identifier> =
            partition.profiles().flat_map(|profile| &profile.identifiers).collect();
        let all: BTreeSet<&Identifier> = links.nodes().map(Node::identifier).collect();
        prop_assert_eq!(listed.len(), all.len());
        prop_assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), all);
        let ids: BTreeSet<ProfileId> = partition.profiles().map(|profile| profile.id).collect();
        prop_assert_eq!(ids.len(), partition.profiles().count());
        for profile in partition.profiles() {
            let anchors = profile.identifiers.iter().filter(|it| it.namespace.as_str() == "user_id");
            let expected = usize::from(profile.standing == Standing::Anchored);
            prop_assert_eq!(anchors.count(), expected);
        }
    }

    #[test]
    fn the_id_of_an_anchored_profile_depends_on_its_anchor_only(events in stream()) {
        for profile in partition(&links_of(&events)).profiles() {
            if let Some(anchor) = profile.anchor() {
                let value: &str = &anchor.value;
                let expected = ProfileId::derive(&IdKey::STATELESS, 1, "user_id", value);
                prop_assert_eq!(profile.id, expected);
            }
        }
    }

    #[test]
    fn loading_what_is_reached_is_as_good_as_loading_everything(
        events in stream(), next in told()
    ) {
        let mut all = links_of(&events);
        let mut loaded = load(&all, &next.0);
        let before = (partition(&all), partition(&loaded));
        hear(&mut all, &next);
        hear(&mut loaded, &next);
        let after = (partition(&all), partition(&loaded));
        let names = next.0.identifiers();
        prop_assert_eq!(
            attribute(&config(), &after.0, names),
            attribute(&config(), &after.1, names)
        );
        for (whole, part) in [before, after] {
            for name in names {
                prop_assert_eq!(whole.profile_of(name), part.profile_of(name));
            }
        }
    }

    #[test]
    fn resolving_what_is_stored_event_by_event_is_resolving_everything(events in stream()) {
        let mut stored = Links::new();
        for event in &events {
            let mut loaded = load(&stored, &event.0);
            hear(&mut loaded, event);
            loaded.nodes().for_each(|node| stored.put(node.clone()));
        }
        let stored: BTreeMap<_, _> = stored.nodes().map(|it| (it.identifier().clone(), it.clone())).collect();
        let whole: BTreeMap<_, _> =
            links_of(&events).nodes().map(|it| (it.identifier().clone(), it.clone())).collect();
        prop_assert_eq!(stored, whole);
    }
}
