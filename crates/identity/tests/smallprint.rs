//! Do ties, places, windows and neighbours fall as SP 14 and SP 15 say?
#![expect(clippy::unwrap_used, reason = "a broken fixture should fail its test")]

use wayfare_event::{Event, IdKey, Identifier, Timestamp};
use wayfare_identity::{
    Config, Links, Partition, Standing, Trust, attribute, extract, link, resolve,
};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Hears `(time, user, anonymous id, e-mail)`; an empty text is left out.
fn heard(events: &[(i64, &str, &str, &str)]) -> Partition {
    let config = Config::default();
    let mut links = Links::new();
    for (at_us, user, browser, email) in events {
        let json = serde_json::json!({ "type": "identify", "userId": user,
            "anonymousId": browser, "traits": { "email": email } });
        let event = Event::parse(&json.to_string(), None).unwrap();
        let named = extract(&config, &event).unwrap();
        for change in link(
            &config,
            &links,
            &named,
            Trust::Verified,
            Timestamp::from_micros(*at_us),
        ) {
            links.apply(&change);
        }
    }
    resolve(&config, &IdKey::STATELESS, &links)
}

fn standing(partition: &Partition, namespace: &str, value: &str) -> Standing {
    let identifier = Identifier::new(namespace, value);
    partition.profile_of(&identifier).unwrap().standing
}

fn addresses(user: &str, at_us: i64) -> [(i64, &str, &str, &'static str); 6] {
    [
        "a@x.example",
        "b@x.example",
        "c@x.example",
        "d@x.example",
        "e@x.example",
        "f@x.example",
    ]
    .map(|email| (at_us, user, "", email))
}

#[test]
fn ties_keep_the_greater_value() {
    let partition = heard(&addresses("u", 1));
    assert_eq!(
        standing(&partition, "email", "a@x.example"),
        Standing::Evicted
    );
    assert_eq!(
        standing(&partition, "email", "f@x.example"),
        Standing::Anchored
    );
}

#[test]
fn a_contested_identifier_uses_a_place() {
    let mut events = addresses("u", 1).to_vec();
    events.push((1, "v", "", "f@x.example"));
    let partition = heard(&events);
    assert_eq!(
        standing(&partition, "email", "f@x.example"),
        Standing::Contested
    );
    assert_eq!(
        standing(&partition, "email", "a@x.example"),
        Standing::Evicted
    );
}

#[test]
fn neighbours_of_an_evicted_identifier_join_its_anchor() {
    let mut events = addresses("u", 1).to_vec();
    events.push((2, "", "w", "a@x.example"));
    let partition = heard(&events);
    assert_eq!(
        standing(&partition, "email", "a@x.example"),
        Standing::Evicted
    );
    assert_eq!(
        standing(&partition, "anonymous_id", "w"),
        Standing::Anchored
    );
}

#[test]
fn the_window_counts_back_from_the_newest_claim() {
    let browsers: Vec<String> = (10..31).map(|number| format!("w{number}")).collect();
    let within = |old_us: i64| {
        let mut events: Vec<_> = browsers
            .iter()
            .map(|it| (8 * DAY_US, "u", it.as_str(), ""))
            .collect();
        events[0].0 = old_us;
        standing(&heard(&events), "anonymous_id", "w10")
    };
    assert_eq!(within(DAY_US), Standing::Evicted);
    assert_eq!(within(DAY_US - 1), Standing::Anchored);
}

#[test]
fn known_takes_an_anchor_or_an_uncontested_address() {
    let shared = "home@x.example";
    let partition = heard(&[
        (1, "u", "", shared),
        (1, "v", "", shared),
        (1, "", "w1", ""),
        (1, "", "w2", "own@x.example"),
    ]);
    let check = |namespace: &str, value: &str, known: bool| {
        let profile = partition
            .profile_of(&Identifier::new(namespace, value))
            .unwrap();
        assert_eq!(profile.known, known, "{value}");
    };
    check("user_id", "u", true);
    check("email", shared, false);
    check("anonymous_id", "w1", false);
    check("anonymous_id", "w2", true);
}

#[test]
fn an_event_goes_to_its_best_identifier_that_is_somebodys() {
    let mut events = addresses("u", 1).to_vec();
    events.extend([
        (1, "u", "shared", ""),
        (1, "v", "shared", "free@x.example"),
        (1, "", "lone", ""),
    ]);
    let partition = heard(&events);
    let check = |names: &[(&str, &str)], expected: (&str, &str)| {
        let names: Vec<_> = names
            .iter()
            .map(|(space, value)| Identifier::new(space, value))
            .collect();
        let expected = partition.profile_of(&Identifier::new(expected.0, expected.1));
        assert_eq!(
            attribute(&Config::default(), &partition, &names),
            expected,
            "{names:?}"
        );
    };
    let (evicted, held) = (("email", "a@x.example"), ("email", "b@x.example"));
    let (shared, lone) = (("anonymous_id", "shared"), ("anonymous_id", "lone"));
    check(&[evicted, ("user_id", "v")], ("user_id", "v"));
    check(&[evicted, lone], lone);
    check(&[("email", "free@x.example"), held], ("user_id", "u"));
    check(&[shared, evicted], evicted);
    check(&[shared], shared);
}
