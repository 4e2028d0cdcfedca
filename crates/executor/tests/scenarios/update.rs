//! What does an `update` block do: who sees what it writes, when, and what starts because of it?

use crate::events::{tell, track};
use crate::world::World;

/// A journey that writes and then asks.
fn writes(values: &str, asks: &str) -> String {
    format!(
        "
journey: w
description: Write and ask.
trigger: {{ event: Came }}
entry: {{ again: always }}
blocks:
  write: {{ update: {{ profile: {values} }}, then: ask }}
  ask:
    decide:
      - {{ when: '{asks}', then: yes_ }}
      - else: no_
  yes_: {{ exit: holds }}
  no_: {{ exit: does not }}
"
    )
}

#[test]
fn what_is_written_is_seen_from_the_next_block_on() {
    let check = |before: &str, values: &str, asks: &str| {
        let mut world = World::new(&[&writes(values, asks)]);
        world.hear(0, &tell("u", "n", before));
        let told = world.hear(0, &track("userId u", "Came", r#","properties":{"a":1}"#));
        assert_eq!(told, ["w entered", "w exit: holds"], "{values}: {asks}");
    };
    check(
        "null",
        "{ stage: customer }",
        "profile.stage == \"customer\"",
    );
    // The arithmetic of the language's own example.
    check("null", "{ n: '{(profile.n ?? 0) + 1}' }", "profile.n == 1");
    check("41", "{ n: '{(profile.n ?? 0) + 1}' }", "profile.n == 42");
    check("1", "{ n: '{properties.a}' }", "profile.n == 1");
    // All values are those of before the block.
    check(
        "1",
        "{ m: '{profile.n}', n: 2 }",
        "profile.m == 1 && profile.n == 2",
    );
    // A path that leads nowhere leaves the trait out, null is written.
    check("7", "{ n: '{profile.nothing}' }", "profile.n == 7");
    check("7", "{ n: null }", "profile.n == null");
    check("7", "{ n: '{profile.nothing + 1}' }", "profile.n == null");
}

#[test]
fn what_is_written_stands_for_everybody_else_in_the_same_step() {
    let mut world = World::new(&[
        &writes("{ n: '{(profile.n ?? 0) + 1}' }", "profile.n == 1"),
        "
journey: z
description: Enter after the writer, before its write has its turn.
trigger: { event: Came }
entry: { again: always }
blocks:
  ask: { wait: { for: [{ when: profile.n == 1, then: seen }], timeout: 1h }, then: never }
  seen: { exit: seen }
  never: { exit: never }
",
    ]);
    let told = world.hear(0, &track("userId u", "Came", ""));
    assert_eq!(
        told,
        ["w entered", "w exit: holds", "z entered", "z exit: seen"]
    );
    let told = world.hear(1, &track("userId u", "Came", ""));
    assert_eq!(told[..2], ["w entered", "w exit: does not"]);
}

#[test]
fn a_request_sees_what_was_written_in_its_body_its_consent_and_its_place() {
    let journey = r#"
journey: send
description: Give an address and write to it.
trigger: { event: Came, where: properties.to != null }
entry: { again: always }
blocks:
  write: { update: { profile: { email: "{properties.to}", stage: new } }, then: send }
  send:
    webhook:
      method: POST
      url: https://mail.example.com/{email}
      consent: marketing
      when: profile.stage == "new"
      payload: { to: "{profile.email}" }
"#;
    let mut world = World::new(&[journey]);
    let accepts =
        r#"{"type":"consent","email":"new@example.com","category":"marketing","action":"accept"}"#;
    world.hear(0, &tell("u", "email", r#""old@example.com""#));
    world.hear(0, accepts);
    let came = |to: &str| {
        track(
            "userId u",
            "Came",
            &format!(r#","properties":{{"to":"{to}"}}"#),
        )
    };
    assert_eq!(world.hear(1, &came("new@example.com"))[1], "send webhook");
    let request = world.decisions[0].request.as_ref().unwrap();
    assert_eq!(request.url, "https://mail.example.com/new%40example.com");
    assert_eq!(request.body.as_deref(), Some(r#"{"to":"new@example.com"}"#));
    let told = world.hear(2, &came("other@example.com"));
    assert!(told[1].starts_with("send suppressed"), "{told:?}");
}

#[test]
fn an_exit_rule_sees_what_was_written_on_the_way() {
    let journey = "
journey: w
description: Write and be gone.
trigger: { event: Came }
entry: { again: always }
exit:
  - { when: profile.stage == \"done\", reason: done }
blocks:
  write: { update: { profile: { stage: done } }, then: hour }
  hour: { wait: 1h, then: over }
  over: { exit: over }
";
    let mut world = World::new(&[journey]);
    let told = world.hear(0, &track("userId u", "Came", ""));
    assert_eq!(told, ["w entered", "w exit: done"]);
    assert_eq!(&*world.decisions[0].block, "hour");
}

/// A journey that starts when one trait changes and writes another.
fn chain(name: &str, from: &str, to: &str) -> String {
    format!(
        "
journey: {name}
description: Pass it on.
trigger: {{ trait: {from} }}
entry: {{ again: always }}
blocks:
  write: {{ update: {{ profile: {{ {to}: \"{{change.current + 1}}\" }} }}, then: over }}
  over: {{ exit: over }}
"
    )
}

#[test]
fn what_is_written_starts_journeys_breadth_first() {
    // `a` starts two; what those start comes after both.
    let journeys = [
        chain("a1", "a", "b"),
        chain("a2", "a", "c"),
        chain("b1", "b", "d"),
        chain("c1", "c", "e"),
    ];
    let journeys: Vec<&str> = journeys.iter().map(String::as_str).collect();
    let mut world = World::new(&journeys);
    let told = world.hear(0, &tell("u", "a", "1"));
    let entered: Vec<&str> = told
        .iter()
        .filter_map(|it| it.strip_suffix(" entered"))
        .collect();
    assert_eq!(entered, ["a1", "a2", "b1", "c1"]);
    assert!(world.live().is_empty());
}

#[test]
fn writes_that_lead_to_writes_stop_at_the_ninth() {
    let there = chain("there", "a", "b");
    let back = chain("back", "b", "a");
    let mut world = World::new(&[&there, &back]);
    let told = world.hear(0, &tell("u", "a", "0"));
    let entered = told.iter().filter(|it| it.ends_with(" entered")).count();
    assert_eq!(entered, 9, "{told:?}");
    assert_eq!(told.last().unwrap(), "there exit: over");
    let refused: Vec<_> = told.iter().filter(|it| it.contains("refused")).collect();
    assert_eq!(refused, ["there refused: hop_limit"]);
    // Another event begins anew.
    let told = world.hear(1, &tell("u", "a", "100"));
    assert_eq!(told.iter().filter(|it| it.ends_with(" entered")).count(), 9);
}

#[test]
fn a_profile_without_room_refuses_the_write_and_the_walk_goes_on() {
    let mut world = World::new(&[&writes("{ one_more: 1 }", "true == true")]);
    let traits: Vec<String> = (0..300).map(|n| format!(r#""t{n}":{n}"#)).collect();
    let full = format!(
        r#"{{"type":"identify","userId":"u","traits":{{{}}}}}"#,
        traits.join(",")
    );
    world.hear(0, &full);
    let told = world.hear(1, &track("userId u", "Came", ""));
    assert_eq!(
        told,
        ["w entered", "w exit: holds", " refused: profile_full"]
    );
    assert_eq!(world.refusals[0].leaf.as_deref(), Some("one_more"));
}

#[test]
fn a_value_that_cannot_be_rendered_ends_the_walk() {
    let journey = writes("{ name: 'is {profile.nobody}' }", "true == true");
    let mut world = World::new(&[&journey]);
    let told = world.hear(0, &track("userId u", "Came", ""));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].starts_with("w render_failed: "), "{told:?}");
    assert_eq!(&*world.decisions[0].block, "write");
}

#[test]
fn an_earlier_event_that_comes_later_does_not_undo_a_write() {
    let mut world = World::new(&[&writes("{ n: 2 }", "profile.n == 2")]);
    world.hear(10, &track("userId u", "Came", ""));
    let before =
        r#"{"type":"identify","userId":"u","timestamp":"2026-01-26T10:05:00Z","traits":{"n":1}}"#;
    world.hear(11, before);
    let told = world.hear(12, &track("userId u", "Came", ""));
    assert_eq!(told, ["w entered", "w exit: holds"]);
}
