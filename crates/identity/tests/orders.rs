//! Do merges, detaches, public keys and crowds come to what the text says (2.1.3 to 2.1.5)?
#![expect(clippy::unwrap_used, reason = "a broken fixture should fail its test")]

use wayfare_event::{Event, IdKey, Identifier, Timestamp};
use wayfare_identity::{
    Config, EdgeKind, LinkChange, LinkLimit, Links, Trust, detach, extract, link, merge, resolve,
    unblock,
};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Links as events and orders make them.
struct Told(Config, Links);

impl Told {
    fn new() -> Self {
        Self(Config::default(), Links::new())
    }

    fn event(&mut self, at_us: i64, trust: Trust, json: &serde_json::Value) {
        let event = Event::parse(&json.to_string(), None).unwrap();
        let named = extract(&self.0, &event).unwrap();
        let at = Timestamp::from_micros(at_us);
        let changes = link(&self.0, &self.1, &named, trust, at);
        changes.iter().for_each(|change| self.1.apply(change));
    }

    fn login(&mut self, at_us: i64, user: &str, browser: &str) {
        let json = serde_json::json!({ "type": "page", "userId": user, "anonymousId": browser });
        self.event(at_us, Trust::Verified, &json);
    }

    fn ordered(&mut self, changes: &[LinkChange]) {
        changes.iter().for_each(|change| self.1.apply(change));
    }

    fn merge(&mut self, at_us: i64, from: &str, into: &str) -> Vec<LinkChange> {
        let pair = (&user(from), &user(into));
        let changes = merge(&self.0, &self.1, pair, Timestamp::from_micros(at_us));
        self.ordered(&changes);
        changes
    }

    fn detach(&mut self, at_us: i64, identifier: &Identifier, from: &str) -> Vec<LinkChange> {
        let pair = (identifier, &user(from));
        let changes = detach(&self.0, &self.1, pair, Timestamp::from_micros(at_us));
        self.ordered(&changes);
        changes
    }

    fn lead(&self, identifier: &Identifier) -> Identifier {
        let partition = resolve(&self.0, &IdKey::STATELESS, &self.1);
        let profile = partition.profile_of(identifier).unwrap();
        profile.identifiers.first().unwrap().clone()
    }
}

fn user(value: &str) -> Identifier {
    Identifier::new("user_id", value)
}

fn browser(value: &str) -> Identifier {
    Identifier::new("anonymous_id", value)
}

#[test]
fn a_detach_undoes_what_was_told_by_then_though_it_was_told_of_later() {
    let mut told = Told::new();
    told.login(9, "u", "w");
    told.detach(5, &browser("w"), "u");
    assert_eq!(told.lead(&browser("w")), browser("w"));
    told.login(9, "u", "w");
    assert_eq!(told.lead(&browser("w")), browser("w"));
    told.login(10, "u", "w");
    assert_eq!(told.lead(&browser("w")), user("u"));
}

#[test]
fn a_detach_takes_an_identifier_from_every_anchor_of_the_person() {
    let mut told = Told::new();
    told.login(1, "a", "w");
    told.login(1, "b", "w");
    told.merge(2, "a", "b");
    assert_eq!(told.lead(&browser("w")), user("b"));
    assert_eq!(told.detach(3, &browser("w"), "b").len(), 2);
    assert_eq!(told.lead(&browser("w")), browser("w"));
}

#[test]
fn a_detach_counts_for_the_user_it_names_though_only_others_of_the_person_claim() {
    for named in ["a", "b"] {
        let mut told = Told::new();
        told.login(2, "a", "w");
        told.merge(3, "a", "b");
        told.detach(4, &browser("w"), named);
        assert_eq!(told.lead(&browser("w")), browser("w"), "{named}");
        told.login(1, named, "w");
        assert_eq!(told.lead(&browser("w")), browser("w"), "{named}");
        told.login(5, named, "w");
        assert_eq!(told.lead(&browser("w")), user("b"), "{named}");
    }
}

#[test]
fn a_detach_of_an_anchor_undoes_only_the_merges_that_lead_to_the_other() {
    let chain = || {
        let mut told = Told::new();
        told.merge(1, "a", "b");
        told.merge(1, "b", "c");
        told.merge(1, "c", "d");
        told
    };
    let check = |anchor: &str, from: &str, expected: [&str; 4]| {
        let mut told = chain();
        told.detach(2, &user(anchor), from);
        let leads = ["a", "b", "c", "d"].map(|it| told.lead(&user(it)));
        assert_eq!(leads, expected.map(user), "{anchor} from {from}");
    };
    check("b", "d", ["b", "b", "d", "d"]);
    check("b", "a", ["a", "d", "d", "d"]);
    check("d", "a", ["c", "c", "c", "d"]);
    check("b", "b", ["d", "d", "d", "d"]);
}

#[test]
fn an_alias_of_another_known_user_is_void() {
    let mut told = Told::new();
    told.login(1, "known", "w1");
    for trust in [Trust::Verified, Trust::Unverified] {
        for (former, is_void) in [("known", true), ("w2", false)] {
            let json = serde_json::json!({ "type": "alias", "userId": "u", "previousId": former });
            let named = extract(&told.0, &Event::parse(&json.to_string(), None).unwrap()).unwrap();
            let changes = link(&told.0, &told.1, &named, trust, Timestamp::from_micros(2));
            let found = changes
                .iter()
                .any(|it| wayfare_identity::is_void(&told.1, it));
            assert_eq!(found, is_void, "{former}");
        }
    }
    // A login names it as a browser.
    let claim = LinkChange::Linked {
        ends: [user("u"), browser("known")],
        kind: EdgeKind::Claim,
        at: Timestamp::from_micros(2),
    };
    assert!(!wayfare_identity::is_void(&told.1, &claim));
}

#[test]
fn a_merge_after_a_detach_counts_at_the_same_instant() {
    let mut told = Told::new();
    told.merge(1, "a", "b");
    told.detach(1, &user("a"), "b");
    assert_eq!(told.lead(&user("a")), user("a"));
    told.merge(1, "a", "b");
    assert_eq!(told.lead(&user("a")), user("b"));
}

#[test]
fn a_person_is_at_most_a_hundred_users() {
    let mut told = Told::new();
    for place in 1..=100 {
        let changes = told.merge(1, &format!("u{place}"), "u0");
        let limit = match changes.first() {
            Some(LinkChange::Refused { limit, .. }) => Some(*limit),
            _ => None,
        };
        let expected = (place == 100).then_some(LinkLimit::Joins);
        assert_eq!(limit, expected, "{place}");
    }
    assert_eq!(told.lead(&user("u99")), user("u0"));
}

#[test]
fn limits_count_over_all_anchors_of_a_person() {
    let mut told = Told::new();
    for (place, email) in ["a", "b", "c", "d", "e", "f"].iter().enumerate() {
        let anchor = if place < 3 { "u" } else { "v" };
        let json = serde_json::json!({ "type": "identify", "userId": anchor,
            "traits": { "email": format!("{email}@x.example") } });
        told.event(i64::try_from(place).unwrap(), Trust::Verified, &json);
    }
    let first = Identifier::new("email", "a@x.example");
    assert_eq!(told.lead(&first), user("u"));
    told.merge(9, "u", "v");
    assert_eq!(told.lead(&first), first);
}

#[test]
fn a_claim_that_does_not_count_takes_no_place() {
    let claim = |trust| {
        let mut told = Told::new();
        let says = |user: &str, email: &str| serde_json::json!({ "type": "identify", "userId": user, "traits": { "email": email } });
        for email in ["a", "b", "c", "d", "e"] {
            told.event(
                1,
                Trust::Verified,
                &says("u", &format!("{email}@x.example")),
            );
        }
        told.event(1, Trust::Verified, &says("v", "f@x.example"));
        told.event(2, trust, &says("u", "f@x.example"));
        told.lead(&Identifier::new("email", "a@x.example"))
    };
    assert_eq!(claim(Trust::Unverified), user("u"));
    let evicted = Identifier::new("email", "a@x.example");
    assert_eq!(claim(Trust::Verified), evicted);
}

/// Whether users at one browser, each at its time, end up with it blocked.
fn blocks(trust: Trust, times_us: &[i64]) -> bool {
    let mut told = Told::new();
    for (place, at_us) in times_us.iter().enumerate() {
        let json = serde_json::json!({ "type": "page", "userId": format!("u{place}"),
            "anonymousId": "w" });
        told.event(*at_us, trust, &json);
    }
    told.1.is_blocked(&browser("w"))
}

#[test]
fn eight_persons_within_a_day_are_a_crowd() {
    let within = |last_us: i64| [0, 1, 2, 3, 4, 5, 6, last_us];
    for trust in [Trust::Verified, Trust::Unverified] {
        assert!(!blocks(trust, &[0, 1, 2, 3, 4, 5, 6]));
        assert!(blocks(trust, &within(DAY_US)));
        assert!(!blocks(trust, &within(DAY_US + 1)));
    }
}

#[test]
fn a_claim_that_is_not_kept_makes_a_crowd_with_those_that_are() {
    let later = |older: &[i64]| {
        let today = (0..8).map(|place| 9 * DAY_US + place);
        older.iter().copied().chain(today).collect::<Vec<i64>>()
    };
    for trust in [Trust::Verified, Trust::Unverified] {
        assert!(blocks(trust, &later(&[0])));
        assert!(!blocks(trust, &later(&[0])[..8]));
        // Late ones count as those in time do.
        assert!(blocks(trust, &[9 * DAY_US, 0, 1, 2, 3, 4, 5, 6, DAY_US]));
        assert!(!blocks(
            trust,
            &[9 * DAY_US, 0, 1, 2, 3, 4, 5, 6, DAY_US + 1]
        ));
        // Of the persons today all but six are forgotten.
        assert!(!blocks(trust, &later(&[0, 1])));
    }
}

#[test]
fn whoever_is_let_go_is_blocked_by_new_persons_of_that_day_only() {
    let again = |user: &str, at_us: i64| {
        let mut told = Told::new();
        told.merge(0, "u8", "u0");
        for place in 0..8 {
            told.login(place, &format!("u{place}"), "w");
        }
        let changes = unblock(&told.1, &browser("w"));
        assert_eq!(changes.len(), 1);
        told.ordered(&changes);
        told.login(at_us, user, "w");
        told.1.is_blocked(&browser("w"))
    };
    assert!(again("u9", 9));
    assert!(!again("u9", 9 * DAY_US));
    // Nobody new.
    assert!(!again("u3", 9));
    assert!(!again("u8", 9));
}

#[test]
fn users_who_are_one_person_are_no_crowd_and_neither_is_what_anybody_says_of_the_known() {
    let mut told = Told::new();
    told.merge(1, "u1", "u0");
    for place in 0..8 {
        told.login(2, &format!("u{place}"), "w");
    }
    assert!(!told.1.is_blocked(&browser("w")));

    let mut told = Told::new();
    let says = |user: &str| {
        serde_json::json!({ "type": "identify", "userId": user,
            "traits": { "email": "v@v.example" } })
    };
    told.event(1, Trust::Verified, &says("victim"));
    for place in 0..20 {
        told.event(2, Trust::Unverified, &says(&format!("u{place}")));
    }
    let address = Identifier::new("email", "v@v.example");
    assert!(!told.1.is_blocked(&address));
    assert_eq!(told.lead(&address), user("victim"));
    // They have not used up the places of those whose word counts.
    told.event(3, Trust::Verified, &says("other"));
    assert_eq!(told.lead(&address), address);
}
