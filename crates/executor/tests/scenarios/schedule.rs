//! Whom does a schedule start: each profile once per instant, whoever meets its condition then?

use crate::events::{login, tell, track};
use crate::world::World;

/// A journey that starts at these times.
fn journey(cron: &str, more: &str) -> String {
    format!(
        "
journey: digest
description: Write to everybody who wants to hear.
trigger: {{ schedule: {{ cron: '{cron}' }}{more} }}
entry: {{ again: always, lateness: 2h }}
blocks:
  over: {{ exit: over }}
"
    )
}

const HOURLY: &str = "0 * * * *";
const ENTERED: [&str; 2] = ["digest entered", "digest exit: over"];

fn entered(told: &[String]) -> usize {
    told.iter().filter(|it| **it == ENTERED[0]).count()
}

/// A world in which `people` are known and the schedule's first instant too.
fn world(journey: &str, people: usize) -> World {
    let mut world = World::new(&[journey]);
    for person in 0..people {
        world.hear(1, &tell(&format!("u{person}"), "wants", "true"));
    }
    assert_eq!(world.sweep(2), [""; 0]);
    world
}

#[test]
fn everybody_is_started_once_at_each_instant() {
    let mut world = world(&journey(HOURLY, ""), 10);
    assert_eq!(world.sweep(59), [""; 0]);
    for hour in 1..4 {
        let told = world.sweep(60 * hour);
        assert_eq!(entered(&told), 10, "{told:?}");
        assert_eq!(world.sweep(60 * hour + 1), [""; 0]);
    }
    assert_eq!(world.decisions.len(), 30);
}

#[test]
fn the_condition_picks_and_is_judged_again_at_each_turn() {
    let wanted = journey(
        HOURLY,
        ", where: profile.wants == true && profile.seen != true",
    );
    let mut world = world(&wanted, 3);
    world.hear(3, &tell("u1", "wants", "false"));
    world.hear(3, &track("anonymousId a", "Looked", ""));
    assert_eq!(entered(&world.sweep(60)), 2);
    assert!(world.refusals.is_empty());

    // A timer that is due for somebody has its turn before the schedule.
    let marks = "
journey: marks
description: Note that somebody was seen.
trigger: { event: Seen }
entry: { again: once }
blocks:
  soon: { wait: 10m, then: note }
  note: { update: { profile: { seen: true } }, then: over }
  over: { exit: over }
";
    world.publish(&[&wanted, marks]);
    world.sweep(61);
    world.hear(109, &track("userId u0", "Seen", ""));
    let told = world.sweep(120);
    assert_eq!(
        told,
        [
            "marks exit: over",
            "digest refused: condition",
            ENTERED[0],
            ENTERED[1]
        ]
    );
}

#[test]
fn several_identifiers_of_one_person_count_once() {
    let mut world = world(&journey(HOURLY, ""), 0);
    for browser in ["a1", "a2", "a3", "z1", "z2"] {
        world.hear(3, &login(browser, "u"));
    }
    world.hear(3, &tell("u", "email", r#""u@example.com""#));
    world.hear(3, &track("anonymousId other", "Looked", ""));
    assert_eq!(entered(&world.sweep(60)), 2);
}

#[test]
fn somebody_who_logs_in_between_two_pages_is_not_started_again() {
    let mut world = world(&journey(HOURLY, ""), 0);
    for browser in ["a1", "a2", "a3", "a4", "a5"] {
        world.hear(3, &track(&format!("anonymousId {browser}"), "Looked", ""));
    }
    world.hear(3, &track("userId u", "Looked", ""));
    assert_eq!(entered(&world.one_page(61)), 4);
    world.hear(62, &login("a1", "u"));
    let told = world.sweep(63);
    assert_eq!(entered(&told), 1, "{told:?}");
    assert!(told.contains(&"digest refused: once".into()), "{told:?}");
}

#[test]
fn of_several_missed_instants_the_last_one_counts() {
    let mut missed = world(&journey(HOURLY, ""), 2);
    let told = missed.sweep(60 * 5 + 30);
    assert_eq!(entered(&told), 2);
    assert_eq!(missed.decisions.len(), 2);
    assert_eq!(entered(&missed.sweep(60 * 6)), 2);

    // Later than `lateness` there is none.
    let mut late = world(&journey("0 11 * * *", ""), 2);
    assert_eq!(late.sweep(60 + 121), [""; 0]);
    assert!(late.refusals.is_empty());
    assert_eq!(entered(&late.sweep(60 + 24 * 60)), 2);
    let mut in_time = world(&journey("0 11 * * *", ""), 2);
    assert_eq!(entered(&in_time.sweep(60 + 120)), 2);
}

#[test]
fn missed_years_cost_nothing() {
    let mut world = World::new(&[&journey("* * * * *", "")]);
    world.hear(1, &tell("u", "wants", "true"));
    let year = 365 * 24 * 60;
    assert_eq!(entered(&world.sweep(1)), 1);
    assert_eq!(entered(&world.sweep(30 * year)), 1);
}

#[test]
fn a_journey_that_is_gone_has_no_schedule() {
    let mut world = world(&journey(HOURLY, ""), 6);
    assert_eq!(entered(&world.one_page(60)), 4);
    world.publish(&[]);
    assert_eq!(world.sweep(61), [""; 0]);
    assert!(world.sweeps().is_empty());
}

#[test]
fn an_edited_schedule_counts_from_then_on() {
    let mut world = world(&journey(HOURLY, ""), 1);
    world.publish(&[&journey("30 * * * *", "")]);
    world.sweep(3);
    assert_eq!(entered(&world.sweep(30)), 1);
    assert_eq!(world.sweep(60), [""; 0]);
    assert_eq!(entered(&world.sweep(90)), 1);
}

#[test]
fn an_edit_elsewhere_neither_repeats_nor_loses_an_instant() {
    let mut world = world(&journey(HOURLY, ""), 1);
    assert_eq!(entered(&world.sweep(60)), 1);
    world.publish(&[&journey(HOURLY, ", where: profile.wants == true")]);
    assert_eq!(world.sweep(60), [""; 0]);
    assert_eq!(world.sweep(61), [""; 0]);
    // Due before the edit came.
    let again = journey(HOURLY, ", where: profile.wants != false");
    world.hear(119, &track("userId u0", "Looked", ""));
    world.publish(&[&again]);
    assert_eq!(entered(&world.sweep(125)), 1);
}

#[test]
fn a_schedule_is_told_in_its_zone() {
    let berlin = journey("0 12 * * *", "").replace("' }", "', zone: Europe/Berlin }");
    let mut world = world(&berlin, 1);
    assert_eq!(world.sweep(59), [""; 0]);
    assert_eq!(entered(&world.sweep(60)), 1);
}

#[test]
fn a_paused_journey_refuses_and_keeps_its_schedule() {
    let mut world = world(&journey(HOURLY, ""), 2);
    world.pause(3, "digest");
    assert_eq!(world.sweep(60), ["digest refused: paused"; 2]);
    world.resume(61, "digest");
    assert_eq!(entered(&world.sweep(120)), 2);
}

#[test]
fn a_journey_that_starts_at_a_date_for_a_while_has_its_schedule_again() {
    let scheduled = journey(HOURLY, "");
    let dated = scheduled.replace("schedule: { cron: '0 * * * *' }", "date: profile.endsAt");
    let mut world = world(&scheduled, 2);
    world.publish(&[&dated]);
    assert_eq!(world.sweep(90), [""; 0]);
    world.publish(&[&scheduled.replace("lateness: 2h", "lateness: 3h")]);
    assert_eq!(world.sweep(91), [""; 0]);
    assert_eq!(entered(&world.sweep(120)), 2);
    assert_eq!(entered(&world.sweep(180)), 2);
}
