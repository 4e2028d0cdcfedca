//! When does a journey start at a date of the profile: once per date, before or after it, wherever
//! the date moves?

use crate::events::{login, tell, track};
use crate::world::World;

/// A journey that starts at `trialEndsAt`.
fn journey(offset: &str) -> String {
    format!(
        "
journey: trial
description: A trial ends.
trigger: {{ date: profile.trialEndsAt{offset} }}
entry: {{ again: always, lateness: 2h }}
blocks:
  over: {{ exit: over }}
"
    )
}

const ENTERED: [&str; 2] = ["trial entered", "trial exit: over"];

fn ends(user: &str, time: &str) -> String {
    tell(user, "trialEndsAt", &format!(r#""2026-01-26T{time}:00Z""#))
}

#[test]
fn a_date_starts_its_journey_once() {
    let mut world = World::new(&[&journey("")]);
    assert_eq!(world.hear(0, &ends("u", "12:00")), [""; 0]);
    assert_eq!(world.wait(119), [""; 0]);
    assert_eq!(world.wait(120), ENTERED);
    // Told again, it is the same date.
    assert_eq!(world.hear(121, &ends("u", "12:00")), [""; 0]);
    assert_eq!(world.wait(10_000), [""; 0]);
    assert_eq!(world.decisions.len(), 1);
}

#[test]
fn an_offset_is_before_the_date_or_after_it() {
    let check = |offset: &str, at: i64| {
        let mut world = World::new(&[&journey(&format!(", offset: {offset}"))]);
        world.hear(0, &ends("u", "12:00"));
        assert_eq!(world.wait(at - 1), [""; 0], "{offset}");
        assert_eq!(world.wait(at), ENTERED, "{offset}");
    };
    check("-90m", 30);
    check("30m", 150);
}

#[test]
fn what_is_planned_follows_the_date() {
    let mut world = World::new(&[&journey("")]);
    world.hear(0, &ends("u", "12:00"));
    // Later, earlier, and the first time again.
    world.hear(1, &ends("u", "14:00"));
    assert_eq!(world.wait(130), [""; 0]);
    world.hear(131, &ends("u", "13:00"));
    assert_eq!(world.wait(180), ENTERED);
    assert_eq!(world.wait(300), [""; 0]);
    // Away.
    world.hear(301, &ends("u", "16:00"));
    world.hear(302, &tell("u", "trialEndsAt", "null"));
    assert_eq!(world.wait(1_000), [""; 0]);
    // What cannot be read is no date.
    world.hear(1_001, &tell("u", "trialEndsAt", r#""soon""#));
    assert_eq!(world.wait(10_000), [""; 0]);
}

#[test]
fn a_date_that_comes_back_does_not_start_twice() {
    let mut world = World::new(&[&journey("")]);
    world.hear(0, &ends("u", "12:00"));
    assert_eq!(world.wait(120), ENTERED);
    world.hear(121, &ends("u", "15:00"));
    world.hear(122, &ends("u", "12:00"));
    assert_eq!(world.wait(123), ["trial refused: once"]);
    assert_eq!(world.wait(1_000), [""; 0]);
}

#[test]
fn a_past_date_starts_within_lateness_and_is_refused_once_beyond_it() {
    let mut world = World::new(&[&journey("")]);
    assert_eq!(world.hear(120, &ends("u", "10:00")), [""; 0]);
    assert_eq!(world.wait(120), ENTERED);
    let refused = ["trial refused: late"];
    assert_eq!(world.hear(121, &ends("v", "10:00")), refused);
    assert_eq!(world.hear(122, &ends("v", "10:00")), [""; 0]);
    assert_eq!(world.hear(123, &tell("v", "plan", "1")), [""; 0]);
    assert_eq!(world.wait(1_000), [""; 0]);
    // Another long past date is refused for itself.
    assert_eq!(world.hear(1_001, &ends("v", "09:00")), refused);
}

#[test]
fn a_timer_that_fires_too_late_is_refused() {
    let mut world = World::new(&[&journey("")]);
    world.hear(0, &ends("u", "12:00"));
    let told = world.hear(241, &track("userId u", "Came", ""));
    assert_eq!(told, ["trial refused: late"]);
    assert_eq!(world.wait(1_000), [""; 0]);
}

#[test]
fn a_date_of_somebody_unknown_is_theirs_after_login() {
    let mut world = World::new(&[&journey("")]);
    let anonymous =
        r#"{"type":"identify","anonymousId":"a","traits":{"trialEndsAt":"2026-01-26T12:00:00Z"}}"#;
    world.hear(0, anonymous);
    world.hear(1, &login("a", "u"));
    assert_eq!(world.wait(120), ENTERED);
    assert_eq!(world.decisions[0].owner.value.as_ref(), "u");
    assert_eq!(world.wait(1_000), [""; 0]);
}

#[test]
fn two_who_become_one_have_one_date() {
    let anonymous = |time: &str| {
        format!(
            r#"{{"type":"identify","anonymousId":"a","traits":{{"trialEndsAt":"2026-01-26T{time}:00Z"}}}}"#
        )
    };
    // Not only a login makes one of two.
    let both = r#"{"type":"track","anonymousId":"a","userId":"u","event":"Looked"}"#;
    for merge in [login("a", "u").as_str(), both] {
        let mut world = World::new(&[&journey("")]);
        world.hear(0, &anonymous("12:00"));
        world.hear(1, &ends("u", "12:00"));
        world.hear(2, merge);
        assert_eq!(world.wait(1_000), ENTERED, "{merge}");

        // Of two dates the one told last stands.
        let mut world = World::new(&[&journey("")]);
        world.hear(0, &ends("u", "12:00"));
        world.hear(1, &anonymous("13:00"));
        world.hear(2, merge);
        assert_eq!(world.wait(179), [""; 0], "{merge}");
        assert_eq!(world.wait(1_000), ENTERED, "{merge}");
    }
    // After one had its turn, the merge gives no other.
    let mut world = World::new(&[&journey("")]);
    world.hear(0, &anonymous("12:00"));
    assert_eq!(world.wait(121), ENTERED);
    world.hear(122, both);
    world.hear(123, &ends("u", "12:00"));
    assert_eq!(world.wait(1_000), [""; 0]);
}

#[test]
fn a_date_that_only_both_together_have_is_planned() {
    let journey = "
journey: trial
description: A trial ends, if there is one.
trigger: { date: 'profile.onTrial == true ? profile.trialEndsAt : null' }
entry: { again: always }
blocks:
  over: { exit: over }
";
    let mut world = World::new(&[journey]);
    world.hear(
        0,
        r#"{"type":"identify","anonymousId":"a","traits":{"onTrial":true}}"#,
    );
    world.hear(1, &ends("u", "12:00"));
    world.hear(2, &login("a", "u"));
    assert_eq!(world.wait(1_000), ENTERED);
}

#[test]
fn a_journey_that_is_published_later_plans_everybody() {
    let mut world = World::new(&[]);
    for user in 0..10 {
        world.hear(0, &ends(&format!("u{user}"), "12:00"));
    }
    world.hear(0, &tell("nobody", "plan", "1"));
    world.publish(&[&journey("")]);
    assert_eq!(world.wait(1), [""; 0]);
    assert_eq!(world.sweep(1), [""; 0]);
    // The sweep is over, and remembered.
    assert!(world.sweeps()[0].1.over.is_some());
    assert_eq!(world.sweep(2), [""; 0]);
    let told = world.wait(1_000);
    assert_eq!(told.iter().filter(|it| **it == ENTERED[0]).count(), 10);
    assert_eq!(world.decisions.len(), 10);
}

#[test]
fn an_edited_offset_moves_what_is_planned_and_repeats_nothing() {
    let mut world = World::new(&[&journey("")]);
    world.hear(0, &ends("early", "11:00"));
    world.hear(0, &ends("late", "13:00"));
    assert_eq!(world.wait(60), ENTERED);
    world.publish(&[&journey(", offset: 30m")]);
    world.sweep(61);
    assert_eq!(world.wait(209), [""; 0]);
    assert_eq!(world.wait(1_000), ENTERED);
    assert_eq!(world.decisions.len(), 2);
}

#[test]
fn a_journey_that_starts_at_no_date_any_more_lets_dates_go() {
    let mut world = World::new(&[&journey("")]);
    world.hear(0, &ends("u", "12:00"));
    let by_event = journey("").replace("date: profile.trialEndsAt", "event: Came");
    world.publish(&[&by_event]);
    let told = world.hear(200, &track("userId u", "Looked", ""));
    assert_eq!(told, [""; 0]);
    assert_eq!(world.wait(1_000), [""; 0]);
}

#[test]
fn a_journey_that_is_gone_starts_at_no_date() {
    let mut world = World::new(&[&journey("")]);
    world.hear(0, &ends("u", "12:00"));
    world.publish(&[]);
    assert_eq!(world.wait(1_000), [""; 0]);
    assert_eq!(world.hear(1_001, &track("userId u", "Came", "")), [""; 0]);
}

#[test]
fn a_condition_is_judged_when_the_date_has_come() {
    let paying = journey(", where: profile.plan != \"free\"");
    let mut world = World::new(&[&paying]);
    world.hear(0, &ends("u", "12:00"));
    world.hear(0, &ends("v", "12:00"));
    world.hear(60, &tell("v", "plan", r#""free""#));
    let told = world.wait(1_000);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(
        told.contains(&"trial refused: condition".into()),
        "{told:?}"
    );
}

#[test]
fn a_date_that_an_event_makes_is_planned_at_once() {
    let date = "'last(\"Order Completed\")'";
    let journey = journey(", offset: 1h").replace("profile.trialEndsAt", date);
    let mut world = World::new(&[&journey]);
    assert_eq!(
        world.hear(0, &track("userId u1", "Order Completed", "")),
        [""; 0]
    );
    assert_eq!(world.wait(59), [""; 0]);
    assert_eq!(world.wait(60).len(), 2);
}
