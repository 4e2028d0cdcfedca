//! In which version does somebody go on when a journey is edited?

use crate::events::track;
use crate::world::{World, minute};

/// A journey of one wait and one exit.
fn journey(block: &str, wait: &str, reason: &str, more: &str) -> String {
    format!(
        "
journey: j
description: Wait and leave.
trigger: {{ event: Came }}
{more}
blocks:
  {block}: {{ wait: {wait}, then: over }}
  over: {{ exit: {reason} }}
"
    )
}

fn inside(journey: &str) -> World {
    let mut world = World::new(&[journey]);
    world.hear(0, &track("userId u", "Came", ""));
    world
}

#[test]
fn without_migrate_everybody_finishes_on_their_version() {
    let mut world = inside(&journey("hour", "1h", "old", ""));
    world.publish(&[&journey("hour", "2h", "new", "")]);
    world.hear(1, &track("userId v", "Came", ""));
    assert_eq!(world.wait(60), ["j exit: old"]);
    assert_eq!(world.wait(121), ["j exit: new"]);
}

#[test]
fn equal_names_stand_for_themselves_and_a_timer_keeps_its_instant() {
    let mut world = inside(&journey("hour", "1h", "old", ""));
    world.publish(&[&journey("hour", "2h", "new", "migrate: { from: any }")]);
    assert_eq!(world.live()[0].1.due, Some(minute(60)));
    assert_eq!(world.wait(60), ["moved to hour", "j exit: new"]);
    let newest = world.decisions[0].version;
    world.hear(61, &track("userId u", "Came", ""));
    assert_eq!(world.live()[0].1.version, newest);
}

#[test]
fn a_map_names_the_block_to_go_on_in() {
    let map = "migrate: { from: any, map: { hour: two } }";
    let mut world = inside(&journey("hour", "1h", "old", ""));
    world.publish(&[&journey("two", "2h", "new", map)]);
    // An input of the profile translates it as well as its timer.
    let told = world.hear(30, &track("userId u", "Looked", ""));
    assert_eq!(told, ["moved to two"]);
    assert_eq!(world.hear(31, &track("userId u", "Looked", "")), [""; 0]);
    assert_eq!(world.wait(59), [""; 0]);
    assert_eq!(world.wait(60), ["j exit: new"]);
}

#[test]
fn only_the_versions_that_are_listed_are_taken_over() {
    let first = journey("hour", "1h", "first", "");
    let mut world = inside(&first);
    let version = world.live()[0].1.version;
    let second = journey("hour", "1h", "second", "");
    world.publish(&[&second]);
    world.hear(1, &track("userId v", "Came", ""));
    let listed = format!("migrate: {{ from: [{version}] }}");
    world.publish(&[&journey("hour", "1h", "third", &listed)]);
    let told = world.wait(100);
    assert_eq!(told, ["moved to hour", "j exit: third", "j exit: second"]);
}

#[test]
fn a_wait_hears_by_the_rules_of_the_version_it_is_in() {
    let waits = |event: &str, more: &str| {
        format!(
            "
journey: j
description: Wait for something.
trigger: {{ event: Came }}
{more}
exit:
  - {{ event: Bye{event}, reason: bye }}
blocks:
  some: {{ wait: {{ for: [{{ event: {event}, then: heard }}], timeout: 1d }}, then: over }}
  heard: {{ exit: heard }}
  over: {{ exit: over }}
"
        )
    };
    let went = track("userId u", "Went", "");
    let left = track("userId u", "Left", "");
    let mut world = inside(&waits("Went", ""));
    world.publish(&[&waits("Left", "migrate: { from: any }")]);
    assert_eq!(world.hear(1, &went), ["moved to some"]);
    assert_eq!(world.hear(2, &left), ["j exit: heard"]);

    let mut world = inside(&waits("Went", ""));
    world.publish(&[&waits("Left", "migrate: { from: any }")]);
    let told = world.hear(1, &track("userId u", "ByeLeft", ""));
    assert_eq!(told, ["moved to some", "j exit: bye"]);
}

#[test]
fn a_block_that_waits_no_more_begins_when_its_timer_comes() {
    let mut world = inside(&journey("hour", "1h", "old", ""));
    let map = "migrate: { from: any, map: { hour: over } }";
    world.publish(&[&journey("two", "2h", "new", map)]);
    assert_eq!(
        world.hear(1, &track("userId u", "Looked", "")),
        ["moved to over"]
    );
    assert_eq!(world.wait(59), [""; 0]);
    assert_eq!(world.wait(60), ["j exit: new"]);
}

#[test]
fn a_journey_that_is_gone_takes_nobody_and_drains() {
    let mut world = inside(&journey("hour", "1h", "old", ""));
    world.publish(&[]);
    assert_eq!(world.hear(1, &track("userId v", "Came", "")), [""; 0]);
    assert_eq!(world.wait(60), ["j exit: old"]);
    assert!(world.live().is_empty());
}

#[test]
fn a_life_that_is_shorter_in_the_new_version_ends_at_the_timer() {
    let mut world = inside(&journey("hour", "3h", "old", ""));
    let short = journey("hour", "1h", "new", "migrate: { from: any }\nlife: 2h");
    world.publish(&[&short]);
    assert_eq!(world.wait(180), ["moved to hour", "j exit: life_over"]);
}

#[test]
fn a_walk_with_a_key_hears_in_a_version_without_one() {
    let journey = |more: &str| {
        format!(
            "
journey: j
description: Wait for something.
trigger: {{ event: Came }}
{more}
blocks:
  some: {{ wait: {{ for: [{{ event: Went, then: heard }}], timeout: 1d }}, then: over }}
  heard: {{ exit: heard }}
  over: {{ exit: over }}
"
        )
    };
    let mut world = World::new(&[&journey("entry: { key: properties.k }")]);
    world.hear(
        0,
        &track("userId u", "Came", r#","properties":{"k":"one"}"#),
    );
    world.publish(&[&journey("migrate: { from: any }")]);
    let told = world.hear(1, &track("userId u", "Went", ""));
    assert_eq!(told, ["moved to some", "j exit: heard"]);
}
