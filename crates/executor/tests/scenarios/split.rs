//! Which arm does somebody take at a split, and who stays in it? What does a holdout owe?

use std::fmt::Write as _;

use wayfare_executor::record::DecisionOutcome;

use crate::events::{login, tell, track};
use crate::world::World;

/// A journey that splits; `more` stands beside its arms, `entry` in its entry.
fn journey(arms: &[(&str, u32)], more: &str, entry: &str) -> String {
    let mut text = format!(
        "
journey: test
description: Split.
trigger: {{ event: Came }}
entry: {{ again: always{entry} }}
blocks:
  parts:
    split:
"
    );
    for (arm, weight) in arms {
        writeln!(
            text,
            "      - {{ arm: {arm}, weight: {weight}, then: {arm} }}"
        )
        .unwrap();
    }
    writeln!(text, "{more}").unwrap();
    for (arm, _) in arms {
        writeln!(text, "  {arm}: {{ exit: in {arm} }}").unwrap();
    }
    text
}

/// SP 38, written down again from its words.
fn place(salt: &str, subject: &str, sum: u64) -> u64 {
    let mut bytes = Vec::new();
    for field in ["wayfare.split.v1", salt, subject] {
        bytes.extend(u32::try_from(field.len()).unwrap().to_le_bytes());
        bytes.extend(field.as_bytes());
    }
    let hash = blake3::hash(&bytes);
    let first: [u8; 8] = hash.as_bytes()[..8].try_into().unwrap();
    u64::from_be_bytes(first) % sum
}

fn arm<'a>(arms: &[(&'a str, u32)], salt: &str, subject: &str) -> &'a str {
    let sum = arms.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut rest = place(salt, subject, sum);
    for (arm, weight) in arms {
        if rest < u64::from(*weight) {
            return arm;
        }
        rest -= u64::from(*weight);
    }
    unreachable!("the place is below the sum")
}

const ARMS: [(&str, u32); 3] = [("a", 70), ("b", 25), ("c", 5)];

#[test]
fn the_place_of_a_subject_is_a_hash() {
    let vectors = [
        ("welcome/variant", "u1", 100, 93),
        ("welcome/variant", "u2", 100, 2),
        ("another salt", "ü", 10_000, 2_813),
    ];
    let places = vectors.map(|(salt, subject, sum, _)| place(salt, subject, sum));
    assert_eq!(places, vectors.map(|(.., place)| place));
}

#[test]
fn the_arm_is_the_hash_of_salt_and_anchor() {
    let mut own = World::new(&[&journey(&ARMS, "    salt: mine", "")]);
    let mut plain = World::new(&[&journey(&ARMS, "", "")]);
    let mut taken = std::collections::BTreeSet::new();
    for user in 0..100 {
        let user = format!("user {user}");
        let came = track(&format!("userId {user}"), "Came", "");
        let plain = &plain.hear(0, &came)[1];
        let expected = arm(&ARMS, "test/parts", &user);
        assert_eq!(*plain, format!("test exit: in {expected}"), "{user}");
        let own = &own.hear(0, &came)[1];
        let expected = arm(&ARMS, "mine", &user);
        assert_eq!(*own, format!("test exit: in {expected}"), "{user}");
        taken.insert(expected);
    }
    assert_eq!(taken.len(), 3);
}

#[test]
fn the_subject_is_the_key_else_the_anchor_else_the_profile() {
    let mut keyed = World::new(&[&journey(&ARMS, "", ", key: properties.k")]);
    for key in 0..50 {
        let came = track(
            "userId u",
            "Came",
            &format!(r#","properties":{{"k":{key}}}"#),
        );
        let expected = arm(&ARMS, "test/parts", &key.to_string());
        assert_eq!(
            keyed.hear(0, &came)[1],
            format!("test exit: in {expected}"),
            "{key}"
        );
    }
    let mut unknown = World::new(&[&journey(&ARMS, "", "")]);
    for browser in 0..50 {
        let came = track(&format!("anonymousId b{browser}"), "Came", "");
        let told = unknown.hear(0, &came);
        let profile = unknown.decisions.last().unwrap().profile.to_string();
        let expected = arm(&ARMS, "test/parts", &profile);
        assert_eq!(told[1], format!("test exit: in {expected}"), "{browser}");
    }
}

/// A journey that comes to its split again and again.
fn around(a: u32, b: u32) -> String {
    format!(
        "
journey: around
description: Split every hour.
trigger: {{ event: Came }}
migrate: {{ from: any }}
blocks:
  parts:
    split:
      - {{ arm: a, weight: {a}, then: hour_a }}
      - {{ arm: b, weight: {b}, then: hour_b }}
  hour_a: {{ wait: {{ for: [{{ event: Where, then: in_a }}], timeout: 1h }}, then: parts }}
  hour_b: {{ wait: {{ for: [{{ event: Where, then: in_b }}], timeout: 1h }}, then: parts }}
  in_a: {{ exit: in a }}
  in_b: {{ exit: in b }}
"
    )
}

#[test]
fn an_arm_is_kept_through_visits_edits_logins_and_merges() {
    let mut world = World::new(&[&around(1, 10_000)]);
    for browser in 0..20 {
        world.hear(0, &track(&format!("anonymousId b{browser}"), "Came", ""));
    }
    let arms = |world: &World| -> Vec<_> {
        let live = world.live();
        live.iter()
            .map(|(_, it)| it.arms["parts"].clone())
            .collect()
    };
    assert!(arms(&world).iter().all(|arm| &**arm == "b"));
    world.publish(&[&around(10_000, 1)]);
    assert_eq!(world.wait(200), ["moved to hour_b"; 20]);
    for user in 0..20 {
        world.hear(201, &login(&format!("b{user}"), &format!("u{user}")));
    }
    world.wait(400);
    assert!(arms(&world).iter().all(|arm| &**arm == "b"));
    for user in 0..20 {
        let told = world.hear(401, &track(&format!("userId u{user}"), "Where", ""));
        assert_eq!(told, ["around exit: in b"]);
    }
    // Who comes anew is split anew.
    world.hear(402, &track("userId u", "Came", ""));
    assert_eq!(&*arms(&world)[0], "a");
}

#[test]
fn an_arm_is_kept_when_its_block_has_another_name() {
    let mut world = World::new(&[&around(1, 10_000)]);
    for user in 0..20 {
        world.hear(0, &track(&format!("userId u{user}"), "Came", ""));
    }
    let renamed = around(10_000, 1)
        .replace("  parts:", "  halves:")
        .replace("then: parts", "then: halves")
        .replace("{ from: any }", "{ from: any, map: { parts: halves } }");
    world.publish(&[&renamed]);
    world.wait(200);
    let live = world.live();
    assert!(live.iter().all(|(_, it)| &*it.arms["halves"] == "b"));
    assert!(live.iter().all(|(_, it)| !it.arms.contains_key("parts")));
}

const HOLDOUT: &str = r#"
journey: h
description: Write to all but some.
trigger: { event: Came, where: properties.n != 0 }
entry: { again: always }
blocks:
  parts:
    split:
      - { arm: all, weight: 1, then: send }
      - { arm: none, weight: 9999, then: send, holdout: true }
  send:
    webhook:
      method: POST
      url: https://x.example.com/{profile.plan}
      consent: marketing
      payload: { to: "{profile.email}" }
"#;

#[test]
fn a_holdout_is_judged_and_rendered_and_owes_nothing() {
    let subject = "u";
    assert!(place("h/parts", subject, 10_000) >= 1);
    let mut world = World::new(&[HOLDOUT]);
    let came = track("userId u", "Came", "");
    world.hear(0, &tell("u", "email", r#""u@example.com""#));
    let told = world.hear(1, &came);
    assert!(told[1].starts_with("h suppressed"), "{told:?}");
    let accepts = r#"{"type":"consent","userId":"u","email":"u@example.com","category":"marketing","action":"accept"}"#;
    world.hear(2, accepts);
    let told = world.hear(3, &came);
    assert!(told[1].starts_with("h render_failed"), "{told:?}");
    world.hear(4, &tell("u", "plan", r#""pro""#));
    assert_eq!(world.hear(5, &came), ["h entered", "h holdout"]);
    let decision = world.decisions.last().unwrap();
    assert_eq!(decision.outcome, DecisionOutcome::Holdout);
    let request = decision.request.as_ref().unwrap();
    assert_eq!(request.url, "https://x.example.com/pro");
    assert!(decision.terms.is_none());
    assert_eq!(world.ready(6, world.owed()), [""; 0]);
}
