//! When does a block stop sending by itself? After many failures in a row, a day of nothing else, or
//! when its one URL is gone.

use wayfare_event::DeliveryId;
use wayfare_executor::delivery::{NotSentReason, Outcome, UnknownReason};
use wayfare_executor::{Action, Place};

use crate::events::track;
use crate::world::World;

const JOURNEY: &str = "
journey: j
description: Say that somebody came.
trigger: { event: Came, where: properties.n != 0 }
entry: { again: always }
blocks:
  send:
    webhook:
      method: POST
      url: https://x.example.com/came
      consent: { basis: contract, because: it is a test }
      payload: { n: '{properties.n}' }
";

const GONE: u16 = 410;

const fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after_s: None,
    }
}

/// Somebody comes, and the one attempt ends like this.
fn comes(world: &mut World, at: i64, outcome: Outcome) -> Vec<String> {
    let user = world.decisions.len() % 20;
    let came = track(
        &format!("userId u{user}"),
        "Came",
        r#","properties":{"n":1}"#,
    );
    world.hear(at, &came);
    let id: DeliveryId = world.owed();
    world.ready(at, id);
    let told = world.finished(at, id, (1, outcome));
    told.into_iter().filter(|it| !it.contains('{')).collect()
}

const NOTHING: [&str; 0] = [];

fn fail(world: &mut World, at: i64, times: u32) -> Vec<String> {
    let mut told = Vec::new();
    for _ in 0..times {
        told.extend(comes(world, at, answered(500)));
    }
    told
}

#[test]
fn a_hundred_failures_in_a_row_pause_the_block() {
    let mut world = World::new(&[JOURNEY]);
    assert_eq!(fail(&mut world, 0, 99), NOTHING);
    assert_eq!(
        fail(&mut world, 1, 1),
        ["send paused: 100 deliveries failed in a row"]
    );
    // The journey goes on, and what it owes waits.
    world.hear(2, &track("userId v", "Came", r#","properties":{"n":1}"#));
    let id = world.owed();
    assert_eq!(world.ready(2, id), NOTHING);
}

#[test]
fn one_that_arrives_ends_the_count() {
    let mut world = World::new(&[JOURNEY]);
    assert_eq!(fail(&mut world, 0, 99), NOTHING);
    assert_eq!(comes(&mut world, 1, answered(200)), NOTHING);
    assert_eq!(fail(&mut world, 2, 99), NOTHING);
    assert_eq!(fail(&mut world, 3, 1).len(), 1);
}

#[test]
fn a_day_of_nothing_but_failures_pauses_the_block() {
    let mut world = World::new(&[JOURNEY]);
    let day = 24 * 60;
    assert_eq!(fail(&mut world, 0, 1), NOTHING);
    assert_eq!(fail(&mut world, day - 1, 1), NOTHING);
    assert_eq!(
        fail(&mut world, day, 1),
        ["send paused: nothing arrived for 24 hours, every delivery failed"]
    );
    // Whatever arrived within the day begins a new one.
    let mut world = World::new(&[JOURNEY]);
    fail(&mut world, 0, 1);
    comes(&mut world, day / 2, answered(204));
    assert_eq!(fail(&mut world, day, 1), NOTHING);
}

#[test]
fn a_url_that_is_gone_pauses_a_block_only_where_it_is_the_same_for_everybody() {
    let check = |journey: &str, expected: &[&str]| {
        let mut world = World::new(&[journey]);
        assert_eq!(comes(&mut world, 0, answered(GONE)), expected);
    };
    check(
        JOURNEY,
        &["send paused: the receiver says that its URL is gone (410)"],
    );
    check(
        &JOURNEY.replace("/came", "/people/{profile.profileId}"),
        &[],
    );
    check(&JOURNEY.replace("/came", "/came?n={properties.n}"), &[]);
    // Another status says nothing about the block by itself.
    let mut world = World::new(&[JOURNEY]);
    assert_eq!(comes(&mut world, 0, answered(404)), NOTHING);
}

#[test]
fn what_is_unknown_neither_counts_nor_ends_the_count() {
    let mut world = World::new(&[JOURNEY]);
    let unknown = Outcome::Unknown(UnknownReason::Timeout);
    assert_eq!(fail(&mut world, 0, 99), NOTHING);
    for _ in 0..3 {
        comes(&mut world, 1, unknown);
    }
    assert_eq!(fail(&mut world, 1, 1).len(), 1);
    let mut world = World::new(&[JOURNEY]);
    for _ in 0..120 {
        let told = comes(&mut world, 0, unknown);
        assert!(told.iter().all(|it| !it.contains("paused")), "{told:?}");
    }
}

#[test]
fn what_could_not_be_sent_until_its_window_ended_failed() {
    let mut world = World::new(&[JOURNEY]);
    fail(&mut world, 0, 99);
    world.hear(1, &track("userId v", "Came", r#","properties":{"n":1}"#));
    let id = world.owed();
    world.ready(1, id);
    world.finished(1, id, (1, Outcome::NotSent(NotSentReason::Refused)));
    let told = world.ready(20, id);
    assert_eq!(
        told,
        [
            "Expired(Window)",
            "send paused: 100 deliveries failed in a row"
        ]
    );
}

#[test]
fn a_block_that_is_resumed_begins_a_new_count() {
    let mut world = World::new(&[JOURNEY]);
    fail(&mut world, 0, 100);
    let told = world.order(1, Action::Resume(Place::parse("j/send")));
    assert_eq!(told, ["send resumed"]);
    assert_eq!(fail(&mut world, 2, 99), NOTHING);
    assert_eq!(fail(&mut world, 3, 1).len(), 1);
}
