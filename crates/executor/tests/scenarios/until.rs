//! Until when does somebody wait: a time of day where they live, a date, or the first of several
//! things?

use crate::events::{tell, track};
use crate::world::{World, minute};

/// A journey that waits; the story begins on Monday, the 26th of January 2026, at 10:00 in UTC.
fn journey(wait: &str) -> String {
    format!(
        "
journey: w
description: Wait.
trigger: {{ event: Came }}
entry: {{ again: always }}
blocks:
  until: {{ wait: {wait}, then: over }}
  over: {{ exit: over }}
  none: {{ exit: no date }}
"
    )
}

const DAY: i64 = 24 * 60;

/// Minutes that somebody waits who comes then; nothing for at once.
fn waits(world: &mut World, at: i64) -> Option<i64> {
    let told = world.hear(at, &track("userId u", "Came", ""));
    let live = world.live();
    let Some((_, instance)) = live.first() else {
        assert_eq!(told, ["w entered", "w exit: over"]);
        return None;
    };
    let due = instance.due.unwrap();
    let minutes = due.micros_since(minute(at)) / 60_000_000;
    assert_eq!(world.wait(at + minutes - 1), [""; 0]);
    assert_eq!(world.wait(at + minutes), ["w exit: over"]);
    Some(minutes)
}

#[test]
fn a_time_of_day_is_the_next_one_in_its_zone() {
    let check = |wait: &str, zone: &str, at: i64, expected: Option<i64>| {
        let journey =
            journey(&format!("{{ until: {wait} }}")).replace("  none: { exit: no date }\n", "");
        let mut world = World::new(&[&journey]);
        if !zone.is_empty() {
            world.hear(0, &tell("u", "timezone", &format!("\"{zone}\"")));
        }
        assert_eq!(waits(&mut world, at), expected, "{wait} {zone} {at}");
    };
    let utc = "\"11:00\", zone: UTC";
    check(utc, "", 0, Some(60));
    check(utc, "", 59, Some(1));
    // Exactly on time.
    check(utc, "", 60, None);
    check(utc, "", 61, Some(DAY - 1));
    check("\"11:00\", zone: Europe/Berlin", "", 0, None);
    check("\"11:30\", zone: Europe/Berlin", "", 0, Some(30));
    let own = "\"11:30\", zone: profile.timezone, zone_default: Europe/Berlin";
    check(own, "", 0, Some(30));
    check(own, "Asia/Kolkata", 0, Some(20 * 60));
    check(own, "Nowhere/Land", 0, Some(30));
    // Grace, to its end.
    check("\"09:30\", zone: UTC, grace: 30m", "", 0, None);
    check("\"09:29\", zone: UTC, grace: 30m", "", 0, Some(DAY - 31));
    // Days of the week.
    check("\"11:00\", zone: UTC, days: [tue]", "", 0, Some(DAY + 60));
    check(
        "\"09:00\", zone: UTC, days: [mon-fri]",
        "",
        0,
        Some(DAY - 60),
    );
    check(
        "\"09:00\", zone: UTC, days: [sat, sun]",
        "",
        0,
        Some(5 * DAY - 60),
    );
    check(
        "\"09:00\", zone: UTC, days: [mon]",
        "",
        0,
        Some(7 * DAY - 60),
    );
}

#[test]
fn the_zone_is_where_somebody_lives_on_arrival() {
    let own = journey("{ until: \"11:30\", zone: profile.timezone, zone_default: UTC }");
    let own = own.replace("  none: { exit: no date }\n", "");
    let mut world = World::new(&[&own]);
    world.hear(0, &tell("u", "timezone", "\"Europe/Berlin\""));
    world.hear(1, &track("userId u", "Came", ""));
    world.hear(2, &tell("u", "timezone", "\"UTC\""));
    assert_eq!(world.wait(29), [""; 0]);
    assert_eq!(world.wait(30), ["w exit: over"]);
}

#[test]
fn a_date_is_waited_for_and_a_past_one_passes() {
    let check = |offset: &str, date: &str, expected: &str, minutes: i64| {
        let until = format!("{{ until: profile.endsAt{offset}, missing: none }}");
        let mut world = World::new(&[&journey(&until)]);
        if !date.is_empty() {
            world.hear(0, &tell("u", "endsAt", date));
        }
        let mut told = world.hear(0, &track("userId u", "Came", ""));
        let at_once = told.len() == 2;
        assert_eq!(at_once, minutes == 0, "{offset} {date}");
        assert_eq!(world.wait(minutes - 1), [""; 0], "{offset} {date}");
        told.extend(world.wait(minutes));
        assert_eq!(told[1], format!("w exit: {expected}"), "{offset} {date}");
    };
    let noon = r#""2026-01-26T12:00:00Z""#;
    check("", noon, "over", 120);
    check(", offset: -90m", noon, "over", 30);
    check(", offset: 1d", noon, "over", 120 + DAY);
    check(", offset: -2h", noon, "over", 0);
    check(", offset: -3d", noon, "over", 0);
    check("", r#""2026-01-27""#, "over", 14 * 60);
    check("", r#""2025-01-01""#, "over", 0);
    check("", "", "no date", 0);
    check("", "null", "no date", 0);
    check("", r#""tomorrow""#, "no date", 0);
    check("", "20260127", "no date", 0);
}

const FOR: &str = "
journey: f
description: Wait for the first of several things.
trigger: { event: Came }
entry: { again: always }
blocks:
  first: { wait: 10m, then: any }
  any:
    wait:
      for:
        - { event: Ordered, where: properties.n > 1, as: order, then: ordered }
        - { when: profile.plan == \"paid\", then: paid }
        - { event: Ordered, then: small }
      timeout: 1h
    then: nothing
  ordered:
    decide:
      - { when: order.properties.n == 3, then: three }
      - else: more
  paid: { exit: paid }
  small: { exit: small }
  three: { exit: three }
  more: { exit: more }
  nothing: { exit: nothing }
";

fn ordered(n: u32) -> String {
    track(
        "userId u",
        "Ordered",
        &format!(r#","properties":{{"n":{n}}}"#),
    )
}

#[test]
fn a_wait_ends_with_the_first_thing_that_happens() {
    let check = |before: &[&str], at: i64, heard: &str, expected: &str| {
        let mut world = World::new(&[FOR]);
        world.hear(0, &track("userId u", "Came", ""));
        for event in before {
            world.hear(5, event);
        }
        let mut told = world.wait(10);
        told.extend(world.hear(at, heard));
        told.extend(world.wait(1_000));
        assert_eq!(
            told,
            [format!("f exit: {expected}")],
            "{before:?} {at} {heard}"
        );
    };
    let pays = tell("u", "plan", "\"paid\"");
    let looked = track("userId u", "Looked", "");
    check(&[], 20, &ordered(3), "three");
    check(&[], 20, &ordered(2), "more");
    check(&[], 20, &ordered(1), "small");
    check(&[], 20, &pays, "paid");
    check(&[], 20, &looked, "nothing");
    // True on arrival it passes at once; what was heard before arrival is not.
    check(&[&pays], 20, &looked, "paid");
    check(&[&ordered(3)], 20, &looked, "nothing");
    // At the timeout the timer is first.
    check(&[], 69, &ordered(3), "three");
    check(&[], 70, &ordered(3), "nothing");
}

#[test]
fn a_wait_may_compare_an_event_with_the_trigger() {
    let same = "
journey: s
description: Wait for an order of the same shop.
trigger: { event: Came }
blocks:
  some:
    wait:
      for: [{ event: Ordered, where: properties.shop == trigger.properties.shop, then: same }]
      timeout: 1d
    then: none
  same: { exit: same }
  none: { exit: none }
";
    let at = |name: &str, shop: &str| {
        track(
            "userId u",
            name,
            &format!(r#","properties":{{"shop":"{shop}"}}"#),
        )
    };
    let mut world = World::new(&[same]);
    world.hear(0, &at("Came", "a"));
    assert_eq!(world.hear(1, &at("Ordered", "b")), [""; 0]);
    assert_eq!(world.hear(2, &at("Ordered", "a")), ["s exit: same"]);
}

#[test]
fn an_event_wakes_an_instance_once() {
    let twice = "
journey: t
description: Wait twice for the same.
trigger: { event: Came }
blocks:
  one: { wait: { for: [{ event: Went, then: two }], timeout: 1h }, then: none }
  two: { wait: { for: [{ event: Went, then: both }], timeout: 1h }, then: none }
  both: { exit: both }
  none: { exit: none }
";
    let mut world = World::new(&[twice]);
    let went = track("userId u", "Went", "");
    world.hear(0, &track("userId u", "Came", ""));
    assert_eq!(world.hear(1, &went), [""; 0]);
    assert_eq!(world.hear(2, &went), ["t exit: both"]);
}

const QUIET: &str = "
journey: q
description: Wait until somebody is quiet for an hour.
trigger: { event: Moved }
LIMITS
blocks:
  quiet:
    wait:
      for:
        - { event: Moved, then: quiet }
      timeout: 1h
    then: rest
  rest: { exit: at rest }
";

#[test]
fn a_repeated_event_restarts_a_wait() {
    let mut world = World::new(&[&QUIET.replace("LIMITS\n", "")]);
    let moved = track("userId u", "Moved", "");
    world.hear(0, &moved);
    assert_eq!(world.hear(59, &moved), [""; 0]);
    assert_eq!(world.hear(118, &moved), [""; 0]);
    assert_eq!(world.wait(177), [""; 0]);
    assert_eq!(world.wait(178), ["q exit: at rest"]);
    assert_eq!(world.decisions.len(), 1);
}

#[test]
fn a_visit_too_many_ends_with_limit_where_it_stood() {
    let mut world = World::new(&[&QUIET.replace("LIMITS", "visits: 3")]);
    let moved = track("userId u", "Moved", "");
    world.hear(0, &moved);
    assert_eq!(world.hear(1, &moved), [""; 0]);
    assert_eq!(world.hear(2, &moved), [""; 0]);
    assert_eq!(world.hear(3, &moved), ["q exit: limit"]);

    // The last block visited is named, not the one that would have been too many (SP 40).
    let between = "
journey: q
description: Go back and forth.
trigger: { event: Moved }
visits: 2
blocks:
  there: { wait: 1h, then: back }
  back: { wait: 1h, then: there }
";
    let between = format!("{between}  over: {{ exit: over }}\n").replace(
        "back: { wait: 1h, then: there }",
        "back: { wait: { for: [{ event: Stopped, then: over }], timeout: 1h }, then: there }",
    );
    let mut world = World::new(&[&between]);
    world.hear(0, &moved);
    assert_eq!(world.wait(239), [""; 0]);
    assert_eq!(world.wait(240), ["q exit: limit"]);
    assert_eq!(&*world.decisions[0].block, "back");
}

#[test]
fn a_life_ends_in_the_middle_of_a_wait() {
    let mut world = World::new(&[&QUIET.replace("LIMITS", "life: 90m")]);
    let moved = track("userId u", "Moved", "");
    world.hear(0, &moved);
    world.hear(50, &moved);
    assert_eq!(world.wait(89), [""; 0]);
    assert_eq!(world.wait(90), ["q exit: life_over"]);
    assert_eq!(world.decisions[0].at, minute(90));

    // An event at that instant comes after it.
    let mut world = World::new(&[&QUIET.replace("LIMITS", "life: 90m")]);
    world.hear(0, &moved);
    world.hear(50, &moved);
    assert_eq!(world.hear(90, &moved), ["q exit: life_over", "q entered"]);
}
