//! Who is let in, how often, and who is not?

use crate::events::{shop, track};
use crate::world::World;

fn journey(entry: &str) -> String {
    format!(
        r"
journey: care
description: Look after somebody for ten minutes.
trigger: {{ event: Came }}
entry: {entry}
blocks:
  pause: {{ wait: 10m, then: over }}
  over: {{ exit: over }}
"
    )
}

#[test]
fn each_form_of_again_lets_in_as_often_as_it_says() {
    // The person comes at minutes 0, 5, 15, and 35; the walk takes ten.
    let check = |again: &str, expected: [&str; 4]| {
        let mut world = World::new(&[&journey(&format!("{{ again: {again} }}"))]);
        let told = [0, 5, 15, 35].map(|at| {
            world.wait(at);
            world.hear(at, &track("userId u", "Came", "")).join(", ")
        });
        let expected = expected.map(|word| format!("care {word}"));
        assert_eq!(told, expected, "{again}");
    };
    let entered = "entered";
    check(
        "once",
        [entered, "refused: once", "refused: once", "refused: once"],
    );
    check("after_exit", [entered, "refused: inside", entered, entered]);
    check(
        "20m",
        [entered, "refused: inside", "refused: too_soon", entered],
    );
    check("15m", [entered, "refused: inside", entered, entered]);
    check("always", [entered; 4]);
}

#[test]
fn entry_is_counted_for_each_person_and_key() {
    let mut world = World::new(&[&journey("{ again: once, key: properties.session }")]);
    let mut came = |who: &str, session: &str| {
        let told = world.hear(0, &shop(who, "Came", session));
        told.join(", ")
    };
    assert_eq!(came("userId u1", "a"), "care entered");
    assert_eq!(came("userId u1", "b"), "care entered");
    assert_eq!(came("userId u2", "a"), "care entered");
    assert_eq!(came("userId u1", "a"), "care refused: once");
}

#[test]
fn a_key_is_a_text_or_a_number_of_limited_length() {
    let check = |key: &str, expected: &str| {
        let mut world = World::new(&[&journey("{ again: once, key: properties.session }")]);
        let properties = format!(r#","properties":{{"session":{key}}}"#);
        let told = world.hear(0, &track("userId u", "Came", &properties));
        assert_eq!(told, [format!("care {expected}")], "{key}");
        let key = world.live().first().and_then(|(_, it)| it.key.clone());
        assert_eq!(key.is_some(), expected == "entered");
    };
    check(r#""s-1""#, "entered");
    check("900", "entered");
    check(&format!("\"{}\"", "x".repeat(150)), "entered");
    check(&format!("\"{}\"", "x".repeat(151)), "refused: no_key");
    for none in ["null", "true", "[1]", "{}", r#""""#] {
        check(none, "refused: no_key");
    }
    let mut world = World::new(&[&journey("{ again: once, key: properties.session }")]);
    let told = world.hear(0, &track("userId u", "Came", ""));
    assert_eq!(told, ["care refused: no_key"]);
}

#[test]
fn at_most_25_walks_of_one_person_are_live_in_a_journey() {
    for entry in [
        "{ again: always }",
        "{ again: once, key: properties.session }",
    ] {
        let mut world = World::new(&[&journey(entry)]);
        for session in 0..25 {
            let came = shop("userId u", "Came", &session.to_string());
            assert_eq!(world.hear(0, &came), ["care entered"]);
        }
        let came = shop("userId u", "Came", "one more");
        assert_eq!(world.hear(0, &came), ["care refused: too_many"]);
        // Another person has room, and so has this one when walks have ended.
        assert_eq!(
            world.hear(0, &shop("userId v", "Came", "1")),
            ["care entered"]
        );
        world.wait(10);
        assert_eq!(world.hear(10, &came), ["care entered"]);
    }
}

#[test]
fn late_and_historical_events_start_nothing() {
    let check = |more: &str, expected: &str| {
        let mut world = World::new(&[&journey("{ again: once, lateness: 1h }")]);
        let told = world.hear(120, &track("userId u", "Came", more));
        assert_eq!(told, [format!("care {expected}")], "{more}");
    };
    check(r#","timestamp":"2026-01-26T11:00:00Z""#, "entered");
    check(r#","timestamp":"2026-01-26T10:59:59Z""#, "refused: late");
    check(r#","historical":true"#, "refused: historical");
}

#[test]
fn a_condition_that_does_not_hold_is_recorded_with_its_leaf() {
    let journey = journey("{ again: once }").replace(
        "trigger: { event: Came }",
        "trigger: { event: Came, where: properties.visits > 1 && properties.session == \"a\" }",
    );
    let mut world = World::new(&[&journey]);
    let came = |visits: u32| {
        track(
            "userId u",
            "Came",
            &format!(r#","properties":{{"visits":{visits},"session":"a"}}"#),
        )
    };
    assert_eq!(world.hear(0, &came(1)), ["care refused: condition"]);
    assert_eq!(world.hear(0, &came(2)), ["care entered"]);
    assert_eq!(world.hear(0, &track("userId u", "Left", "")), [""; 0]);
}

#[test]
fn a_second_copy_changes_nothing() {
    let mut world = World::new(&[&journey("{ again: always }")]);
    let came = |who: &str| track(who, "Came", r#","messageId":"m1""#);
    assert_eq!(world.hear(0, &came("userId u")), ["care entered"]);
    let before = world.everything();
    assert_eq!(world.hear(1, &came("userId u")), [""; 0]);
    // Also when its timers are due, and under another name.
    assert_eq!(world.hear(60, &came("userId u")), [""; 0]);
    assert_eq!(world.hear(60, &came("userId v")), [""; 0]);
    assert_eq!(world.everything(), before);
    // Without a message id it is another event.
    assert_eq!(
        world.hear(60, &track("userId v", "Came", "")),
        ["care entered"]
    );
}

#[test]
fn the_event_that_ends_a_walk_does_not_start_the_next() {
    let journey = journey("{ again: after_exit }").replace(
        "blocks:",
        "exit:\n  - { event: Came, reason: came again }\nblocks:",
    );
    let mut world = World::new(&[&journey]);
    let came = track("userId u", "Came", "");
    assert_eq!(world.hear(0, &came), ["care entered"]);
    assert_eq!(world.hear(1, &came), ["care exit: came again"]);
    assert_eq!(world.hear(2, &came), ["care entered"]);
}
