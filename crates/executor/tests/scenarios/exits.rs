//! Who leaves, and in which order does what follows from one input happen?

use crate::events::{tell, track};
use crate::world::World;

/// A journey with an exit rule and a wait of three hours.
fn journey(exit: &str, entry: &str) -> String {
    format!(
        "
journey: j
description: Leave on the way.
trigger: {{ event: Came }}
entry: {{ again: always, lateness: 1h{entry} }}
exit:
  - {exit}
blocks:
  three: {{ wait: 3h, then: over }}
  over: {{ exit: over }}
"
    )
}

#[test]
fn an_event_ends_a_walk_in_the_middle_of_a_wait() {
    let check = |exit: &str, heard: &str, leaves: bool| {
        let mut world = World::new(&[&journey(exit, "")]);
        world.hear(0, &track("userId u", "Came", ""));
        let told = world.hear(120, heard);
        let is_older = told == ["j refused: before_entry"];
        let expected: &[&str] = if leaves { &["j exit: gone"] } else { &[] };
        assert!(told == expected || is_older, "{exit}: {heard}: {told:?}");
        assert_eq!(is_older, heard.contains("09:59:59"));
        assert_eq!(world.wait(1_000).is_empty(), leaves);
    };
    let went = |more: &str| track("userId u", "Went", more);
    let on = "{ event: Went, where: properties.far == true, reason: gone }";
    check(on, &went(r#","properties":{"far":true}"#), true);
    check(on, &went(r#","properties":{"far":false}"#), false);
    let plain = "{ event: Went, reason: gone }";
    check(plain, &track("userId v", "Went", ""), false);
    // A late event still does; one older than the trigger does not.
    check(plain, &went(r#","timestamp":"2026-01-26T10:00:00Z""#), true);
    check(plain, &went(r#","historical":true"#), true);
    check(
        plain,
        &went(r#","timestamp":"2026-01-26T09:59:59Z""#),
        false,
    );
    let page = "{ event: { type: page, name: Bye }, reason: gone }";
    check(page, r#"{"type":"page","userId":"u","name":"Bye"}"#, true);
    check(page, &track("userId u", "Bye", ""), false);
}

#[test]
fn a_condition_ends_a_walk_whatever_makes_it_true() {
    let rule = "{ when: profile.done == true || count(\"Went\") > 1, reason: gone }";
    let mut world = World::new(&[&journey(rule, "")]);
    world.hear(0, &track("userId u", "Came", ""));
    assert_eq!(world.hear(1, &track("userId u", "Went", "")), [""; 0]);
    assert_eq!(
        world.hear(2, &track("userId u", "Went", "")),
        ["j exit: gone"]
    );
    // True before, it ends a walk at its first block.
    let told = world.hear(3, &track("userId u", "Came", ""));
    assert_eq!(told, ["j entered", "j exit: gone"]);
    // A late write and a write by a login are writes.
    let mut world = World::new(&[&journey(rule, "")]);
    world.hear(0, &track("userId u", "Came", ""));
    world.hear(
        1,
        r#"{"type":"identify","anonymousId":"a","traits":{"done":true}}"#,
    );
    let both = r#"{"type":"track","anonymousId":"a","userId":"u","event":"Looked"}"#;
    assert_eq!(world.hear(2, both), ["j exit: gone"]);
}

#[test]
fn exits_hear_their_own_key_unless_they_hear_any() {
    let check = |any: &str, expected: &[&str]| {
        let rule = format!("{{ event: Went{any}, reason: gone }}");
        let mut world = World::new(&[&journey(&rule, ", key: properties.k")]);
        let with = |name: &str, key: &str| {
            track(
                "userId u",
                name,
                &format!(r#","properties":{{"k":"{key}"}}"#),
            )
        };
        world.hear(0, &with("Came", "1"));
        world.hear(0, &with("Came", "2"));
        assert_eq!(world.hear(1, &with("Went", "2")), expected, "{any}");
    };
    check("", &["j exit: gone"]);
    check(", any_key: true", &["j exit: gone"; 2]);
}

#[test]
fn who_left_by_an_event_does_not_enter_by_it() {
    let rule = "{ event: Came, reason: gone }";
    let mut world = World::new(&[&journey(rule, "")]);
    let came = track("userId u", "Came", "");
    assert_eq!(world.hear(0, &came), ["j entered"]);
    assert_eq!(world.hear(1, &came), ["j exit: gone"]);
    assert_eq!(world.hear(2, &came), ["j entered"]);
}

#[test]
fn one_input_is_timers_writes_exits_waits_entries_and_what_was_queued() {
    let journey = |name: &str, blocks: &str, more: &str| {
        format!(
            "journey: {name}\ndescription: It is a test.\ntrigger: {{ event: Begin }}\n\
             entry: {{ again: once }}\n{more}blocks:\n{blocks}"
        )
    };
    let timer = journey(
        "a-timer",
        "  ten: { wait: 10m, then: write }\n  \
         write: { update: { profile: { ticked: true } }, then: over }\n  over: { exit: over }\n",
        "",
    );
    let exits = journey(
        "b-exits",
        "  day: { wait: 1d, then: over }\n  over: { exit: over }\n",
        "exit:\n  - { when: profile.told == true && profile.ticked == true, reason: gone }\n",
    );
    let waits = journey(
        "c-waits",
        "  for: { wait: { for: [{ when: profile.told == true, then: write }], timeout: 1d }, then: over }\n  \
         write: { update: { profile: { waited: true } }, then: over }\n  over: { exit: over }\n",
        "",
    );
    let enters = "
journey: d-enters
description: Enter by the event.
trigger: { event: { type: identify } }
blocks:
  over: { exit: over }
";
    let ticked = "
journey: e-ticked
description: Start on what the timer wrote.
trigger: { trait: ticked }
blocks:
  over: { exit: over }
";
    let waited = ticked
        .replace("e-ticked", "a-waited")
        .replace("ticked", "waited");
    let mut world = World::new(&[&timer, &exits, &waits, enters, ticked, &waited]);
    let begun = world.hear(0, &track("userId u", "Begin", ""));
    assert_eq!(
        begun,
        ["a-timer entered", "b-exits entered", "c-waits entered"]
    );
    let told = world.hear(20, &tell("u", "told", "true"));
    let expected = [
        // The timer is an input of its own, with what it queues.
        "a-timer exit: over",
        "e-ticked entered",
        "e-ticked exit: over",
        "b-exits exit: gone",
        "c-waits exit: over",
        "d-enters entered",
        "d-enters exit: over",
        "a-waited entered",
        "a-waited exit: over",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_a_timer_queues_comes_before_the_next_timer() {
    let journey = |name: &str, wait: &str| {
        format!(
            "
journey: {name}
description: Count.
trigger: {{ event: Begin }}
blocks:
  some: {{ wait: {wait}, then: write }}
  write: {{ update: {{ profile: {{ n: '{{(profile.n ?? 0) + 1}}' }} }}, then: which }}
  which:
    decide:
      - {{ when: profile.n == 1, then: first }}
      - else: second
  first: {{ exit: first }}
  second: {{ exit: second }}
"
        )
    };
    let mut world = World::new(&[&journey("z", "5m"), &journey("a", "6m")]);
    world.hear(0, &track("userId u", "Begin", ""));
    let told = world.hear(20, &track("userId u", "Looked", ""));
    assert_eq!(told, ["z exit: first", "a exit: second"]);
}
