//! What becomes of the one request a decision owes, attempt by attempt?

use wayfare_event::DeliveryId;
use wayfare_executor::delivery::{NotSentReason, Outcome, UnknownReason};

use crate::events::track;
use crate::world::World;

const LETTER: &str = r#"
journey: letter
description: Write to somebody who accepts letters.
trigger: { event: Asked, where: properties.really != false }
entry: { again: always }
blocks:
  write:
    webhook:
      method: POST
      url: https://mail.example.com/letters
      consent: marketing
      delivery: at_most_once
      payload: { to: "{profile.email}" }
"#;

const NO_RETRY: Option<u32> = None;

const fn answered(status: u16, retry_after_s: Option<u32>) -> Outcome {
    Outcome::Answered {
        status,
        retry_after_s,
    }
}

fn says(action: &str) -> String {
    format!(
        r#"{{"type":"consent","userId":"u","email":"a@example.com","category":"marketing","action":"{action}"}}"#
    )
}

/// A letter is owed; nothing was attempted.
fn owed(mode: &str) -> (World, DeliveryId) {
    let mut world = World::new(&[&LETTER.replace("at_most_once", mode)]);
    world.hear(
        0,
        r#"{"type":"identify","userId":"u","traits":{"email":"a@example.com"}}"#,
    );
    world.hear(0, &says("accept"));
    let told = world.hear(0, &track("userId u", "Asked", ""));
    assert_eq!(told, ["letter entered", "letter webhook"]);
    let id = world.owed();
    (world, id)
}

/// The first word of each line: the states a delivery came to.
fn states(told: &[String]) -> Vec<&str> {
    let words = told.iter().map(|line| line.split([' ', '(']).next());
    words.map(Option::unwrap).collect()
}

#[test]
fn one_attempt_that_is_answered_delivers() {
    let (mut world, id) = owed("at_most_once");
    assert_eq!(states(&world.ready(0, id)), ["Armed"]);
    // While it is on the wire nothing else leaves.
    assert_eq!(world.ready(0, id), [""; 0]);
    let told = world.finished(0, id, (1, answered(200, NO_RETRY)));
    assert_eq!(told, ["Delivered { status: Some(200) }"]);
    assert_eq!(world.ready(1, id), [""; 0]);
    let again = world.finished(1, id, (1, answered(500, NO_RETRY)));
    assert_eq!(again, [""; 0]);
}

#[test]
fn a_withdrawal_withholds_the_next_attempt() {
    let (mut world, id) = owed("at_most_once");
    world.ready(0, id);
    // It comes while the first is on the wire, which it cannot call back.
    assert_eq!(world.hear(1, &says("decline")), [""; 0]);
    let told = world.finished(1, id, (1, answered(429, NO_RETRY)));
    assert_eq!(states(&told), ["Planned"]);
    assert_eq!(world.ready(2, id), ["Withheld(Consent)"]);
    // Nothing brings it back, also not a second thought.
    world.hear(3, &says("accept"));
    assert_eq!(world.ready(3, id), [""; 0]);
}

#[test]
fn a_withdrawal_before_the_first_attempt_withholds_it() {
    let (mut world, id) = owed("at_least_once");
    world.hear(1, &says("decline"));
    assert_eq!(world.ready(1, id), ["Withheld(Consent)"]);
}

#[test]
fn a_second_thought_before_the_attempt_lets_it_leave() {
    let (mut world, id) = owed("at_most_once");
    world.hear(1, &says("decline"));
    world.hear(2, &says("accept"));
    assert_eq!(states(&world.ready(2, id)), ["Armed"]);
}

#[test]
fn the_address_asked_about_is_the_one_of_the_decision() {
    let (mut world, id) = owed("at_most_once");
    // The person moves to an address that nobody may write to.
    world.hear(
        1,
        r#"{"type":"identify","userId":"u","traits":{"email":"b@example.com"}}"#,
    );
    world.hear(
        1,
        r#"{"type":"consent","userId":"u","email":"b@example.com","category":"marketing","action":"decline"}"#,
    );
    assert_eq!(states(&world.ready(1, id)), ["Armed"]);
}

#[test]
fn a_crash_while_armed_is_unknown_and_a_late_result_lifts_it() {
    let crash = Outcome::Unknown(UnknownReason::Crash);
    let check = |late: Outcome, expected: &[&str]| {
        let (mut world, id) = owed("at_most_once");
        world.ready(0, id);
        assert_eq!(world.finished(0, id, (1, crash)), ["Unknown(Crash)"]);
        // What is unknown is not sent again.
        assert_eq!(world.ready(1, id), [""; 0]);
        let told = world.finished(1, id, (1, late));
        assert_eq!(states(&told), expected, "{late:?}");
    };
    check(answered(200, NO_RETRY), &["Delivered"]);
    check(answered(400, NO_RETRY), &["Rejected"]);
    check(answered(429, NO_RETRY), &["Planned"]);
    check(Outcome::NotSent(NotSentReason::Refused), &["Planned"]);
    check(Outcome::Unknown(UnknownReason::Timeout), &[]);
}

#[test]
fn a_crash_while_armed_is_repeated_where_that_is_promised() {
    let (mut world, id) = owed("at_least_once");
    world.ready(0, id);
    let crash = Outcome::Unknown(UnknownReason::Crash);
    assert_eq!(states(&world.finished(0, id, (1, crash))), ["Planned"]);
    assert_eq!(states(&world.ready(1, id)), ["Armed"]);
    // What the first has to say is too late: another is on the wire.
    let late = world.finished(1, id, (1, answered(200, NO_RETRY)));
    assert_eq!(late, [""; 0]);
    let told = world.finished(1, id, (2, answered(200, NO_RETRY)));
    assert_eq!(states(&told), ["Delivered"]);
}

#[test]
fn what_may_have_arrived_is_remembered_whatever_comes_of_it() {
    let timeout = Outcome::Unknown(UnknownReason::Timeout);
    let (mut world, id) = owed("at_least_once");
    world.ready(0, id);
    assert!(!world.delivery(id).in_doubt);
    assert_eq!(states(&world.finished(0, id, (1, timeout))), ["Planned"]);
    world.hear(1, &says("decline"));
    assert_eq!(world.ready(1, id), ["Withheld(Consent)"]);
    assert!(world.delivery(id).in_doubt);
}

#[test]
fn attempts_end_with_their_window() {
    let (mut world, id) = owed("at_least_once");
    world.ready(0, id);
    let told = world.finished(0, id, (1, answered(503, NO_RETRY)));
    assert_eq!(states(&told), ["Planned"]);
    // Nobody was there to send it for fifteen minutes.
    assert_eq!(world.ready(16, id), ["Expired(Window)"]);
}

#[test]
fn a_request_that_waits_a_day_for_its_first_attempt_expires() {
    let (mut world, id) = owed("at_most_once");
    assert_eq!(world.ready(24 * 60 + 1, id), ["Expired(Queue)"]);
}

#[test]
fn every_attempt_sends_the_bytes_of_the_decision() {
    let (mut world, id) = owed("at_least_once");
    let before = world.delivery(id).request.clone();
    world.hear(
        1,
        r#"{"type":"identify","userId":"u","traits":{"email":"b@example.com"}}"#,
    );
    for attempt in 1..=3 {
        world.ready(1, id);
        assert_eq!(world.delivery(id).attempts, attempt);
        world.finished(1, id, (attempt, answered(500, NO_RETRY)));
        assert_eq!(world.delivery(id).request, before);
    }
    assert_eq!(before.body.as_deref(), Some(r#"{"to":"a@example.com"}"#));
}

#[test]
fn a_second_copy_of_the_event_owes_nothing_more() {
    let (mut world, _) = owed("at_most_once");
    let asked = track("userId u", "Asked", r#","messageId":"m""#);
    world.hear(1, &asked);
    let before = world.everything();
    assert_eq!(world.hear(1, &asked), [""; 0]);
    assert_eq!(world.everything(), before);
    assert_eq!(world.decisions.len(), 2);
}
