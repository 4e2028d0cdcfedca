//! What may an operator order of a delivery, and what follows? Sending again, knowing better, a pause
//! of one block.

use wayfare_event::DeliveryId;
use wayfare_executor::delivery::{Outcome, State, UnknownReason};
use wayfare_executor::{Action, Place};

use crate::events::{tell, track};
use crate::world::World;

const LETTERS: &str = r#"
journey: letters
description: Write to somebody who accepts letters.
trigger: { event: Asked, where: properties.kind != null }
entry: { again: always }
blocks:
  which:
    decide:
      - { when: properties.kind == "card", then: card }
      - { else: letter }
  letter:
    webhook:
      method: POST
      url: https://mail.example.com/letters
      consent: marketing
      delivery: at_least_once
      payload: { to: "{profile.email}" }
  card:
    webhook:
      method: POST
      url: https://mail.example.com/cards
      consent: marketing
      payload: { to: "{profile.email}" }
"#;

/// What starts when a letter arrives, or is to be sent once more.
const FOLLOWS: &str = r#"
journey: follows
description: Note what becomes of letters.
trigger: { delivery: { journey: letters, block: letter, state: delivered } }
entry: { again: always }
blocks:
  noted: { exit: noted }
"#;

const CRASH: Outcome = Outcome::Unknown(UnknownReason::Crash);

fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after_s: None,
    }
}

fn says(action: &str) -> String {
    format!(
        r#"{{"type":"consent","userId":"u","email":"a@example.com","category":"marketing","action":"{action}"}}"#
    )
}

fn asks(world: &mut World, at: i64, kind: &str) -> DeliveryId {
    let more = format!(r#","properties":{{"kind":"{kind}"}}"#);
    world.hear(at, &track("userId u", "Asked", &more));
    world.owed()
}

/// A letter or a card is owed.
fn owed(kind: &str) -> (World, DeliveryId) {
    let mut world = World::new(&[LETTERS, FOLLOWS]);
    world.hear(0, &tell("u", "email", r#""a@example.com""#));
    world.hear(0, &says("accept"));
    let id = asks(&mut world, 0, kind);
    (world, id)
}

/// One that came to a state by an attempt that ended like this.
fn ended(kind: &str, outcome: Outcome) -> (World, DeliveryId) {
    let (mut world, id) = owed(kind);
    world.ready(0, id);
    world.finished(0, id, (1, outcome));
    (world, id)
}

/// The states a delivery came to, in one word each.
fn words(told: &[String]) -> Vec<&str> {
    let words = told.iter().map(|line| line.split([' ', '(']).next());
    words.map(Option::unwrap).collect()
}

#[test]
fn what_did_not_arrive_or_may_not_have_is_sent_again_with_the_same_bytes() {
    let check = |(mut world, id): (World, DeliveryId), state: &str| {
        let before = world.delivery(id);
        assert_eq!(before.state.as_str(), state);
        let told = world.order(60, Action::Resend(id));
        assert_eq!(words(&told), ["Planned"], "{state}: {told:?}");
        assert!(told[0].ends_with("by order"));
        let planned = world.delivery(id);
        assert_eq!((planned.id, &planned.request), (id, &before.request));
        // Its attempts go on being numbered, so that a late result is told from this one's.
        assert_eq!(words(&world.ready(60, id)), ["Armed"]);
        assert_eq!(world.delivery(id).attempts, before.attempts + 1);
    };
    check(ended("card", CRASH), "unknown");
    check(ended("card", answered(400)), "rejected");
    let (mut world, id) = owed("card");
    world.ready(25 * 60, id);
    check((world, id), "expired");
}

#[test]
fn what_arrived_is_under_way_or_may_not_leave_is_not_sent_again() {
    let check = |(mut world, id): (World, DeliveryId), state: &str| {
        assert_eq!(world.delivery(id).state.as_str(), state);
        let before = world.everything();
        assert_eq!(world.order(1, Action::Resend(id)), [""; 0], "{state}");
        assert_eq!(world.everything(), before, "{state}");
    };
    check(owed("card"), "planned");
    check(ended("card", answered(200)), "delivered");
    let (mut world, id) = owed("card");
    world.ready(0, id);
    check((world, id), "armed");
    let (mut world, id) = owed("card");
    world.hear(0, &says("decline"));
    world.ready(0, id);
    check((world, id), "withheld");
}

#[test]
fn who_declined_meanwhile_is_not_sent_what_is_ordered_again() {
    let (mut world, id) = ended("card", CRASH);
    world.hear(1, &says("decline"));
    world.order(2, Action::Resend(id));
    assert_eq!(world.ready(2, id), ["Withheld(Consent)"]);
}

#[test]
fn attempts_and_window_begin_anew_with_the_order() {
    let (mut world, id) = ended("letter", answered(500));
    let mut told = Vec::new();
    for attempt in 2..=8 {
        world.ready(1, id);
        told = world.finished(1, id, (attempt, answered(500)));
    }
    assert_eq!(words(&told), ["Rejected"]);
    // An hour is four windows.
    world.order(60, Action::Resend(id));
    for attempt in 9..=15 {
        assert_eq!(words(&world.ready(61, id)), ["Armed"]);
        let told = world.finished(61, id, (attempt, answered(500)));
        assert_eq!(words(&told), ["Planned"], "attempt {attempt}");
    }
    assert_eq!(words(&world.ready(62, id)), ["Armed"]);
    let told = world.finished(62, id, (16, answered(500)));
    assert_eq!(words(&told), ["Rejected"]);
}

#[test]
fn a_late_result_of_an_attempt_before_the_order_is_told_from_the_new_one() {
    let (mut world, id) = ended("card", CRASH);
    world.order(1, Action::Resend(id));
    world.ready(2, id);
    assert_eq!(world.finished(2, id, (1, answered(400))), [""; 0]);
    let told = world.finished(3, id, (2, answered(200)));
    assert_eq!(words(&told), ["Delivered"]);
    // Before it leaves again, what the first attempt says late still counts.
    let (mut world, id) = ended("card", CRASH);
    world.order(1, Action::Resend(id));
    let told = world.finished(2, id, (1, answered(200)));
    assert_eq!(words(&told), ["Delivered"]);
    assert_eq!(world.ready(3, id), [""; 0]);
}

#[test]
fn only_what_is_unknown_is_resolved() {
    let check = |(mut world, id): (World, DeliveryId), expected: &[&str]| {
        let told = world.order(1, Action::Resolve(id));
        assert_eq!(words(&told), expected);
    };
    check(ended("card", CRASH), &["Delivered"]);
    check(ended("card", answered(400)), &[]);
    check(ended("card", answered(200)), &[]);
    check(owed("card"), &[]);
    let nobody = (World::new(&[LETTERS]), DeliveryId::from_bytes([1; 16]));
    check(nobody, &[]);
}

#[test]
fn who_ordered_what_and_why_is_kept_with_the_delivery() {
    let (mut world, id) = ended("card", CRASH);
    world.order(1, Action::Resend(id));
    world.ready(2, id);
    world.finished(2, id, (2, CRASH));
    world.order(3, Action::Resolve(id));
    let orders = world.delivery(id).orders.clone();
    let said: Vec<_> = orders
        .iter()
        .map(|it| (&*it.by, &*it.reason, it.state.as_str()))
        .collect();
    let (by, why) = ("ops", "it is a test");
    assert_eq!(said, [(by, why, "planned"), (by, why, "delivered")]);
}

#[test]
fn what_an_order_brings_about_starts_journeys_like_anything_else() {
    // One that insists is repeated until its attempts end.
    let (mut world, id) = ended("letter", CRASH);
    for attempt in 2..=8 {
        world.ready(1, id);
        world.finished(1, id, (attempt, CRASH));
    }
    let told = world.order(2, Action::Resolve(id));
    assert_eq!(
        told,
        [
            "Delivered { status: None } by order",
            "follows entered",
            "follows exit: noted"
        ]
    );
}

#[test]
fn a_pause_of_a_block_holds_its_deliveries_and_no_others() {
    let (mut world, card) = owed("card");
    let place = Place::parse("letters/card");
    let told = world.order(0, Action::Pause(place.clone()));
    assert_eq!(told, ["card paused: it is a test"]);
    let letter = asks(&mut world, 1, "letter");
    assert_eq!(world.ready(1, card), [""; 0]);
    assert_eq!(words(&world.ready(1, letter)), ["Armed"]);
    // Who comes to the block is decided on all the same, and what is owed waits.
    let second = asks(&mut world, 2, "card");
    assert_ne!(second, letter);
    assert_eq!(world.ready(2, second), [""; 0]);
    assert_eq!(world.order(3, Action::Resume(place)), ["card resumed"]);
    assert_eq!(words(&world.ready(3, card)), ["Armed"]);
}

#[test]
fn a_pause_is_no_part_of_the_window_and_a_day_of_it_is_too_long() {
    let minutes = |waited: i64, expected: &[&str]| {
        let (mut world, id) = ended("letter", answered(500));
        let place = Place::parse("letters/letter");
        world.order(1, Action::Pause(place.clone()));
        world.order(waited, Action::Resume(place));
        let told = world.ready_after(waited + 1, id, waited - 1);
        assert_eq!(told.len(), 1);
        let state = world.delivery(id).state;
        let expired = matches!(state, State::Expired(_));
        let word = if expired { state.told().1 } else { None };
        assert_eq!(
            (words(&told), word),
            (expected[..1].to_vec(), expected.get(1).copied())
        );
    };
    minutes(120, &["Armed"]);
    minutes(24 * 60, &["Armed"]);
    minutes(24 * 60 + 2, &["Expired", "queued"]);
}
