//! What may be told, at random: events with both trusts, aliases, merges, detaches, and crowds.

use proptest::prelude::*;
use wayfare_event::{Event, Identifier, Timestamp};
use wayfare_identity::{
    Config, EdgeKind, LinkChange, Links, Named, Trust, extract, link, reach, unblock,
};

use super::reference;

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// One thing told, and when.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at_us: i64,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Event(Trust, Named),
    Merge(Identifier, Identifier),
    Detach(Identifier, Identifier),
    Unblock(Identifier),
}

/// The shipped configuration with limits so small that random events pass them.
pub(crate) fn config() -> Config {
    let mut rules = Config::default().namespaces().to_vec();
    for rule in &mut rules {
        rule.limit = rule.limit.map(|_| 2);
        rule.window_us = rule.window_us.map(|_| 3);
    }
    Config::new(rules, [], None).unwrap()
}

pub(crate) fn user(value: &str) -> Identifier {
    Identifier::new("user_id", value)
}

/// Few enough values that most events meet others; former ids are users, browsers or neither.
fn event() -> impl Strategy<Value = (Trust, Named)> {
    let pick =
        |values: &'static [&'static str]| proptest::option::of(proptest::sample::select(values));
    let names = (
        pick(&["u1", "u2", "u3", "w1"]),
        pick(&["w1", "w2", "w3", "w4", "u1"]),
        pick(&["a@x.example", "b@x.example", "c@x.example", "d@x.example"]),
        pick(&["+4930111111", "+4930222222"]),
        pick(&["w1", "w2", "u1", "u2", "u3"]),
    );
    let event = (names, trust()).prop_filter_map("names nobody", |(names, trust)| {
        let (user, browser, email, phone, former) = names;
        let json = serde_json::json!({
            "type": if former.is_some() { "alias" } else { "identify" },
            "userId": user,
            "anonymousId": browser,
            "previousId": former,
            "context": { "traits": { "email": email, "phone": phone } },
        });
        let event = Event::parse(&json.to_string(), None).unwrap();
        Some((trust, extract(&config(), &event).ok()?))
    });
    event.boxed()
}

fn trust() -> impl Strategy<Value = Trust> {
    prop_oneof![3 => Just(Trust::Verified), 1 => Just(Trust::Unverified)]
}

fn anchor() -> impl Strategy<Value = Identifier> {
    proptest::sample::select(&["u1", "u2", "u3", "w1"][..]).prop_map(user)
}

fn other() -> impl Strategy<Value = Identifier> {
    let values = [
        ("anonymous_id", "w1"),
        ("anonymous_id", "w2"),
        ("email", "a@x.example"),
        ("email", "b@x.example"),
        ("phone", "+4930111111"),
    ];
    proptest::sample::select(values.to_vec())
        .prop_map(|(namespace, value)| Identifier::new(namespace, value))
}

/// Anything but what the breaker does, which depends on order.
pub(crate) fn told() -> impl Strategy<Value = Told> {
    let what = prop_oneof![
        12 => event().prop_map(|(trust, named)| What::Event(trust, named)),
        2 => (anchor(), anchor()).prop_map(|(from, into)| What::Merge(from, into)),
        2 => (other(), anchor()).prop_map(|(it, from)| What::Detach(it, from)),
        1 => (anchor(), anchor())
            .prop_filter("one", |(it, from)| it != from)
            .prop_map(|(it, from)| What::Detach(it, from)),
    ];
    (what, 0..8_i64).prop_map(|(what, at_us)| Told { at_us, what })
}

/// Eight users at one browser within a day, or an address; somebody may have been there long before.
fn crowd() -> impl Strategy<Value = Vec<Told>> {
    let whose = (other(), trust(), any::<bool>(), 0..8_i64);
    whose.prop_map(|(identifier, trust, is_old, at_us)| {
        let claim = |(place, at_us): (usize, i64)| {
            let named = saying(Some(&format!("crowd-{place}")), &[&identifier]);
            let what = What::Event(trust, named);
            Told { at_us, what }
        };
        let before = is_old.then_some((8, at_us - 2 * DAY_US));
        let crowd = (0..8).map(|place| (place, at_us));
        before.into_iter().chain(crowd).map(claim).collect()
    })
}

/// Two users that may be one person claim an address, a third one claims a browser, and somebody
/// without a name comes with both.
fn two_names() -> impl Strategy<Value = Vec<Told>> {
    let merge = proptest::option::weighted(0.8, any::<bool>());
    (other(), trust(), merge, 0..4_usize, 0..8_i64).prop_flat_map(
        |(shared, trust, merge, place, at_us)| {
            let told = |what| Told { at_us, what };
            let event = |user: Option<&str>, named: &[&Identifier]| {
                told(What::Event(trust, saying(user, named)))
            };
            let browser = Identifier::new("anonymous_id", "w3");
            let last = event(None, &[&shared, &browser]);
            let mut others = vec![
                event(Some("u1"), &[&shared]),
                event(Some("u2"), &[&shared]),
                event(Some("u3"), &[&browser]),
            ];
            if let Some(is_first) = merge {
                let (from, into) = if is_first { ("u1", "u2") } else { ("u2", "u1") };
                others.push(told(What::Merge(user(from), user(into))));
            }
            let place = place.min(others.len());
            Just(others).prop_shuffle().prop_map(move |mut told| {
                told.insert(place, last.clone());
                told.push(last.clone());
                told
            })
        },
    )
}

/// What an event names that says no more than these.
pub(crate) fn saying(user: Option<&str>, named: &[&Identifier]) -> Named {
    let mut json = serde_json::json!({ "type": "identify", "userId": user });
    for identifier in named {
        let value = &*identifier.value;
        match identifier.namespace.as_str() {
            "anonymous_id" => json["anonymousId"] = value.into(),
            namespace => json["context"]["traits"][namespace] = value.into(),
        }
    }
    let event = Event::parse(&json.to_string(), None).unwrap();
    extract(&config(), &event).unwrap()
}

/// A stream that means the same in every order.
pub(crate) fn stream() -> impl Strategy<Value = Vec<Told>> {
    proptest::collection::vec(told(), 1..14)
}

/// A stream of everything.
pub(crate) fn with_crowds() -> impl Strategy<Value = Vec<Told>> {
    let unblock = (other(), 0..8_i64).prop_map(|(identifier, at_us)| {
        let what = What::Unblock(identifier);
        vec![Told { at_us, what }]
    });
    let part = prop_oneof![
        12 => told().prop_map(|told| vec![told]),
        1 => crowd(),
        1 => two_names(),
        1 => unblock,
    ];
    proptest::collection::vec(part, 1..14).prop_map(|parts| parts.concat())
}

/// What one thing told changes.
pub(crate) fn changes(links: &Links, told: &Told) -> Vec<LinkChange> {
    let at = Timestamp::from_micros(told.at_us);
    let linked = |left: &Identifier, right: &Identifier, kind| {
        vec![LinkChange::Linked {
            ends: [left.clone(), right.clone()],
            kind,
            at,
        }]
    };
    match &told.what {
        What::Event(trust, named) => link(&config(), links, named, *trust, at),
        What::Merge(from, into) if from == into => Vec::new(),
        What::Merge(from, into) => linked(from, into, EdgeKind::Same),
        What::Detach(identifier, from) => linked(from, identifier, EdgeKind::Detached),
        What::Unblock(identifier) => unblock(links, identifier),
    }
}

pub(crate) fn hear(links: &mut Links, told: &Told) {
    for change in changes(links, told) {
        links.apply(&change);
    }
}

/// Whom it is about.
pub(crate) fn names(told: &Told) -> Vec<Identifier> {
    match &told.what {
        What::Event(_, named) => named.identifiers().to_vec(),
        What::Merge(left, right) | What::Detach(left, right) => vec![left.clone(), right.clone()],
        What::Unblock(identifier) => vec![identifier.clone()],
    }
}

/// What a shell does that keeps `stored`: asks, loads and asks again, also for what follows.
pub(crate) fn load(stored: &Links, told: &Told) -> Links {
    let mut loaded = Links::new();
    loop {
        let asked: Vec<Named> = match &told.what {
            What::Event(_, named) => vec![named.clone()],
            What::Merge(..) | What::Detach(..) | What::Unblock(_) => {
                names(told).into_iter().map(Named::just).collect()
            }
        };
        let ask = |links: &Links| -> Vec<Identifier> {
            let missing = asked.iter().flat_map(|it| reach(&config(), links, it));
            missing.collect()
        };
        let mut missing = ask(&loaded);
        if missing.is_empty() {
            let mut after = loaded.clone();
            hear(&mut after, told);
            missing = ask(&after);
        }
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

/// The same, as the reference keeps it.
pub(crate) fn asserted(told: &Told) -> reference::Told {
    let kind = match &told.what {
        What::Event(trust, named) => reference::Kind::Observe {
            trust: *trust,
            identifiers: named.identifiers().to_vec(),
            alias: named.previous().cloned(),
        },
        What::Merge(from, into) => reference::Kind::Merge {
            from: from.clone(),
            into: into.clone(),
        },
        What::Detach(identifier, anchor) => reference::Kind::Detach {
            identifier: identifier.clone(),
            anchor: anchor.clone(),
        },
        What::Unblock(identifier) => reference::Kind::Unblock(identifier.clone()),
    };
    reference::Told {
        at_us: told.at_us,
        kind,
    }
}
