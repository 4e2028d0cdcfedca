//! How does somebody go through a journey: what wakes a wait, what ends a walk, and in which order?

use std::fmt::Write as _;

use crate::events::{shop, track};
use crate::world::World;

const CART: &str = r#"
journey: cart
description: Remind somebody of a cart.
trigger: { event: add_to_cart }
entry: { again: always, key: properties.session, lateness: 1h }
exit:
  - { event: leave, reason: left }
blocks:
  bought_in_time:
    wait:
      for:
        - { event: purchase, then: bought }
      timeout: 30m
    then: remind
  remind: { exit: reminded }
  bought: { exit: bought }
"#;

#[test]
fn a_wait_hears_events_with_the_key_of_its_walk() {
    let check = |entered: &str, bought: &str, is_heard: bool| {
        let mut world = World::new(&[CART]);
        let with = |name: &str, session: &str| {
            track(
                "userId u",
                name,
                &format!(r#","properties":{{"session":{session}}}"#),
            )
        };
        world.hear(0, &with("add_to_cart", entered));
        let told = world.hear(1, &with("purchase", bought));
        assert_eq!(
            told == ["cart exit: bought"],
            is_heard,
            "{entered} {bought}"
        );
        assert_eq!(world.live().is_empty(), is_heard);
    };
    check(r#""s1""#, r#""s1""#, true);
    check(r#""s1""#, r#""s2""#, false);
    check(r#""s1""#, r#""S1""#, false);
    check(r#""s1""#, "null", false);
    check("900", r#""900""#, true);
    check(r#""900""#, "900", true);
    check("900", "900.0", false);
}

#[test]
fn a_rule_for_any_key_hears_every_key() {
    let any = CART.replace(
        "{ event: purchase, then",
        "{ event: purchase, any_key: true, then",
    );
    let mut world = World::new(&[&any]);
    world.hear(0, &shop("userId u", "add_to_cart", "s1"));
    world.hear(0, &shop("userId u", "add_to_cart", "s2"));
    let told = world.hear(1, &shop("userId u", "purchase", "s3"));
    assert_eq!(told, ["cart exit: bought"; 2]);
}

#[test]
fn a_wait_lasts_strictly_less_than_its_timeout() {
    let mut world = World::new(&[CART]);
    let purchase = shop("userId u", "purchase", "s");
    world.hear(0, &shop("userId u", "add_to_cart", "s"));
    assert_eq!(world.wait(29), [""; 0]);
    // The timer that is due at the same instant comes first.
    assert_eq!(world.hear(30, &purchase), ["cart exit: reminded"]);

    world.hear(40, &shop("userId u", "add_to_cart", "s"));
    assert_eq!(world.hear(69, &purchase), ["cart exit: bought"]);
    assert_eq!(world.wait(100), [""; 0]);
}

#[test]
fn an_exit_rule_beats_a_wait_for_the_same_event() {
    let both = CART.replace("event: leave", "event: purchase");
    let mut world = World::new(&[&both]);
    world.hear(0, &shop("userId u", "add_to_cart", "s"));
    let told = world.hear(1, &shop("userId u", "purchase", "s"));
    assert_eq!(told, ["cart exit: left"]);
    assert_eq!(&*world.decisions[0].block, "bought_in_time");
    assert_eq!(world.wait(100), [""; 0]);
}

#[test]
fn a_late_event_wakes_no_wait_but_an_exit_rule_hears_it() {
    let told = |name: &str, more: &str| {
        let waits_long = CART.replace("timeout: 30m", "timeout: 3d");
        let mut world = World::new(&[&waits_long]);
        world.hear(0, &shop("userId u", "add_to_cart", "s"));
        let more = format!(r#","properties":{{"session":"s"}}{more}"#);
        let told = world.hear(180, &track("userId u", name, &more));
        told.join(", ")
    };
    let late = r#","timestamp":"2026-01-26T11:30:00Z""#;
    let in_time = r#","timestamp":"2026-01-26T12:30:00Z""#;
    let historical = r#","historical":true"#;
    let before_the_trigger = r#","timestamp":"2026-01-26T09:59:59Z""#;
    assert_eq!(told("purchase", in_time), "cart exit: bought");
    assert_eq!(told("purchase", late), "cart refused: late");
    assert_eq!(told("purchase", historical), "cart refused: historical");
    assert_eq!(
        told("purchase", before_the_trigger),
        "cart refused: before_entry"
    );
    assert_eq!(told("leave", late), "cart exit: left");
    assert_eq!(
        told("leave", before_the_trigger),
        "cart refused: before_entry"
    );
}

#[test]
fn walks_are_woken_in_the_order_they_entered() {
    let any = CART.replace(
        "{ event: purchase, then",
        "{ event: purchase, any_key: true, then",
    );
    let mut world = World::new(&[&any]);
    for (at, session) in [(0, "c"), (1, "a"), (2, "b")] {
        world.hear(at, &shop("userId u", "add_to_cart", session));
    }
    world.hear(3, &shop("userId u", "purchase", "x"));
    let keys: Vec<_> = world.decisions.iter().map(|it| it.key.clone()).collect();
    assert_eq!(keys, [Some("c".into()), Some("a".into()), Some("b".into())]);
}

#[test]
fn due_timers_of_a_person_fire_in_order_before_the_event() {
    let mut world = World::new(&[CART]);
    world.hear(0, &shop("userId u", "add_to_cart", "b"));
    world.hear(1, &shop("userId u", "add_to_cart", "a"));
    world.hear(50, &shop("userId u", "add_to_cart", "c"));
    // Everything before happened at the time of the event that brought it on.
    let told = world.hear(90, &shop("userId u", "purchase", "c"));
    assert_eq!(told, ["cart exit: reminded"]);
    let keys: Vec<_> = world.decisions.iter().map(|it| it.key.clone()).collect();
    assert_eq!(keys, [Some("b".into()), Some("a".into()), Some("c".into())]);
}

const PLAN: &str = r#"
journey: plan
description: Ask who has which plan.
trigger: { event: Asked }
entry: { again: always }
blocks:
  which:
    decide:
      - { when: profile.plan == "pro", then: pro }
      - else: free
  pro: { exit: pro }
  free: { exit: free }
"#;

#[test]
fn an_identify_and_a_track_are_seen_in_their_order() {
    let mut world = World::new(&[PLAN]);
    let plan =
        |plan: &str| format!(r#"{{"type":"identify","userId":"u","traits":{{"plan":"{plan}"}}}}"#);
    let asked = track("userId u", "Asked", "");
    let mut ask = |event: &str| {
        world.hear(0, event);
        world.hear(0, &asked).last().unwrap().clone()
    };
    assert_eq!(ask(&plan("pro")), "plan exit: pro");
    assert_eq!(ask(&plan("free")), "plan exit: free");
    assert_eq!(ask(&asked), "plan exit: free");
    assert_eq!(ask(&plan("pro")), "plan exit: pro");
}

#[test]
fn what_was_told_later_stands_whatever_arrives_last() {
    let mut world = World::new(&[PLAN]);
    let plan = |plan: &str, time: &str| {
        format!(
            r#"{{"type":"identify","userId":"u","timestamp":"2026-01-26T{time}:00Z","traits":{{"plan":"{plan}"}}}}"#
        )
    };
    world.hear(10, &plan("pro", "10:05"));
    world.hear(11, &plan("free", "10:04"));
    let told = world.hear(12, &track("userId u", "Asked", ""));
    assert_eq!(told, ["plan entered", "plan exit: pro"]);
}

#[test]
fn a_condition_that_comes_true_wakes_a_wait_and_one_that_is_true_ends_it_on_arrival() {
    let paid = r#"
journey: paid
description: Wait until somebody has paid.
trigger: { event: Ordered }
entry: { again: always }
blocks:
  wait_for_it:
    wait:
      for:
        - { when: profile.paid == true, then: thank }
      timeout: 3d
    then: remind
  thank: { exit: thanked }
  remind: { exit: reminded }
"#;
    let mut world = World::new(&[paid]);
    let ordered = track("userId u", "Ordered", "");
    assert_eq!(world.hear(0, &ordered), ["paid entered"]);
    assert_eq!(world.hear(1, &track("userId u", "Looked", "")), [""; 0]);
    let pays = r#"{"type":"identify","userId":"u","traits":{"paid":true}}"#;
    assert_eq!(world.hear(2, pays), ["paid exit: thanked"]);
    assert_eq!(
        world.hear(3, &ordered),
        ["paid entered", "paid exit: thanked"]
    );
}

#[test]
fn a_step_passes_at_most_100_blocks() {
    let check = |blocks: usize, expected: &str, at: &str| {
        let mut journey = String::from(
            "journey: long\ndescription: Decide and decide.\ntrigger: { event: Came }\n\
             entry: { again: once }\nblocks:\n",
        );
        for block in 1..blocks {
            let next = block + 1;
            writeln!(
                journey,
                "  b{block}: {{ decide: [{{ when: profile.way == {block}, then: b{blocks} }}, \
                 {{ else: b{next} }}] }}"
            )
            .unwrap();
        }
        writeln!(journey, "  b{blocks}: {{ exit: arrived }}").unwrap();
        let mut world = World::new(&[&journey]);
        let told = world.hear(0, &track("userId u", "Came", ""));
        assert_eq!(told, ["long entered", expected], "{blocks}");
        assert_eq!(&*world.decisions[0].block, at);
    };
    check(100, "long exit: arrived", "b100");
    // The last block visited is named, not the one that would have been too many.
    check(101, "long exit: limit", "b100");
    check(120, "long exit: limit", "b100");
}

#[test]
fn a_block_is_visited_at_most_1000_times() {
    let restless = r#"
journey: restless
description: Wait until somebody is quiet for an hour.
trigger: { event: Moved }
entry: { again: once }
blocks:
  quiet:
    wait:
      for:
        - { event: Moved, then: quiet }
      timeout: 1h
    then: rest
  rest: { exit: at rest }
"#;
    let mut world = World::new(&[restless]);
    let moved = track("userId u", "Moved", "");
    for visit in 0..1_000 {
        let told = world.hear(visit, &moved);
        assert!(told.len() <= 1, "{visit}: {told:?}");
        assert_eq!(world.live().len(), 1);
    }
    assert_eq!(world.hear(1_000, &moved), ["restless exit: limit"]);
}

#[test]
fn an_event_that_ended_a_wait_is_known_by_its_name_ahead() {
    let named = r#"
journey: named
description: Compare two events.
trigger: { event: First }
entry: { again: always }
blocks:
  second:
    wait:
      for:
        - { event: Second, as: second, then: same }
      timeout: 1h
    then: none
  same:
    decide:
      - { when: second.properties.n == event.properties.n, then: equal }
      - else: different
  equal: { exit: equal }
  different: { exit: different }
  none: { exit: none }
"#;
    let check = |number: u32, expected: &str| {
        let mut world = World::new(&[named]);
        let told = |name: &str, number: u32| {
            let more = format!(r#","properties":{{"n":{number}}}"#);
            track("userId u", name, &more)
        };
        world.hear(0, &told("First", 1));
        assert_eq!(world.hear(1, &told("Second", number)), [expected]);
    };
    check(1, "named exit: equal");
    check(2, "named exit: different");
}
