//! What does a stop end, and what does it leave? And what is left out when a pause ends without what
//! came due meanwhile?

use wayfare_executor::delivery::{Outcome, WithheldReason};
use wayfare_executor::{Action, Place};

use crate::events::{tell, track};
use crate::world::World;

const JOURNEY: &str = "
journey: j
description: Wait twice, then send.
trigger: { event: Came, where: properties.n != 0 }
entry: { again: always }
blocks:
  half: { wait: 30m, then: order }
  order: { wait: { for: [{ event: Ordered, then: send }], timeout: 2h }, then: send }
  send:
    webhook:
      method: POST
      url: https://x.example.com/
      consent: { basis: contract, because: it is a test }
      payload: { n: '{properties.n}' }
";

const OTHER: &str = "
journey: k
description: Wait.
trigger: { event: Came, where: properties.n != 0 }
blocks:
  half: { wait: 30m, then: over }
  over: { exit: over }
";

fn came(user: &str) -> String {
    track(
        &format!("userId {user}"),
        "Came",
        r#","properties":{"n":1}"#,
    )
}

fn stop(world: &mut World, at: i64, place: &str) -> Vec<String> {
    world.order(at, Action::Stop(Place::parse(place)))
}

fn skip(world: &mut World, at: i64, place: &str) -> Vec<String> {
    world.order(at, Action::SkipOverdue(Place::parse(place)))
}

const fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after_s: None,
    }
}

const NOTHING: [&str; 0] = [];
const ENDED: &str = "j stopped: stopped by ops: it is a test";
const WITHHELD: &str = "Withheld(Operator) by order";

#[test]
fn a_stop_ends_everybody_inside_and_nobody_elsewhere() {
    let mut world = World::new(&[JOURNEY, OTHER]);
    for user in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
        world.hear(0, &came(user));
    }
    assert_eq!(stop(&mut world, 1, "j"), ["j paused", "j stops"]);
    assert_eq!(world.sweep(1), [ENDED; 9]);
    assert!(world.sweeps().is_empty());
    let left = world.live().into_iter();
    assert!(left.clone().count() == 9 && left.into_iter().all(|(_, it)| &*it.journey == "k"));
    // Nobody enters until it goes on.
    let again = ["j refused: paused", "k refused: inside"];
    assert_eq!(world.hear(2, &came("a")), again);
    world.resume(3, "j");
    assert_eq!(world.hear(4, &came("a"))[0], "j entered");
    assert_eq!(world.hear(5, &tell("a", "x", "1")), NOTHING);
}

#[test]
fn what_is_owed_does_not_leave_and_what_is_on_the_wire_ends_as_it_ends() {
    let mut world =
        World::new(&[&JOURNEY.replace("payload", "delivery: at_least_once\n      payload")]);
    let mut owed = Vec::new();
    for user in ["a", "b", "c"] {
        world.hear(0, &came(user));
    }
    world.wait(30);
    for user in ["a", "b", "c"] {
        world.hear(30, &track(&format!("userId {user}"), "Ordered", ""));
        owed.push(world.owed());
    }
    let [planned, armed, repeated] = owed[..] else {
        panic!("{owed:?}")
    };
    world.ready(31, armed);
    world.ready(31, repeated);
    stop(&mut world, 32, "j");
    assert_eq!(world.sweep(32), [WITHHELD]);
    let order = world.delivery(planned).orders[0].clone();
    assert_eq!((&*order.by, &*order.reason), ("ops", "it is a test"));
    let told = world.finished(33, armed, (1, answered(200)));
    assert_eq!(told, ["Delivered { status: Some(200) }"]);
    let told = world.finished(33, repeated, (1, answered(500)));
    assert_eq!(told[1..], [WITHHELD]);
    world.resume(34, "j");
    for id in [planned, repeated] {
        assert_eq!(world.ready(35, id), NOTHING);
        let state = world.delivery(id).state;
        let expected = WithheldReason::Operator.as_str();
        assert_eq!(state.told().1, Some(expected));
    }
}

#[test]
fn a_stop_at_a_block_ends_who_is_there() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("a"));
    world.wait(30);
    world.hear(31, &came("b"));
    assert_eq!(
        stop(&mut world, 32, "j/order"),
        ["j paused", "j/order stops"]
    );
    assert_eq!(world.sweep(32), [ENDED]);
    assert_eq!(world.decisions.last().unwrap().block.as_ref(), "order");
    // Who comes there afterwards goes on.
    world.resume(33, "j");
    world.wait(61);
    let told = world.hear(62, &track("userId b", "Ordered", ""));
    assert_eq!(told, ["j webhook"]);
}

#[test]
fn a_stop_of_a_webhook_block_holds_back_what_it_owes() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("a"));
    world.wait(150);
    let id = world.owed();
    world.hear(150, &came("b"));
    stop(&mut world, 151, "j/send");
    assert_eq!(world.sweep(151), [WITHHELD]);
    assert_eq!(world.live().len(), 1);
    assert!(world.delivery(id).state.is_final());
}

#[test]
fn a_stop_meets_whom_it_has_not_reached_before_anything_else_happens_to_them() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("a"));
    world.wait(30);
    stop(&mut world, 31, "j");
    let told = world.hear(32, &track("userId a", "Ordered", ""));
    assert_eq!(told, [ENDED, "j refused: paused"][..1]);
    assert_eq!(world.sweep(33), NOTHING);
}

#[test]
fn a_journey_stays_paused_until_its_stop_has_gone_through_everybody() {
    let mut world = World::new(&[JOURNEY]);
    for user in ["a", "b", "c", "d", "e", "f"] {
        world.hear(0, &came(user));
    }
    stop(&mut world, 1, "j");
    assert_eq!(world.one_page(1), [ENDED; 4]);
    assert_eq!(world.resume(2, "j"), NOTHING);
    assert_eq!(skip(&mut world, 2, "j"), NOTHING);
    assert_eq!(world.sweep(3), [ENDED; 2]);
    assert_eq!(world.resume(4, "j"), ["j resumed"]);
}

#[test]
fn a_journey_whose_file_is_gone_can_be_stopped() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("a"));
    world.publish(&[OTHER]);
    stop(&mut world, 1, "j");
    assert_eq!(world.sweep(1), [ENDED]);
}

#[test]
fn what_came_due_in_a_pause_can_be_skipped_and_the_rest_goes_on() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("a"));
    world.wait(150);
    let owed = world.owed();
    world.hear(150, &came("b"));
    world.hear(170, &came("c"));
    world.pause(171, "j");
    assert_eq!(skip(&mut world, 190, "j"), ["j stops"]);
    let overdue = "j stopped: overdue, skipped by ops: it is a test";
    assert_eq!(world.sweep(190), [WITHHELD, overdue, "j resumed"]);
    assert!(world.delivery(owed).state.is_final());
    let left: Vec<_> = world.live().into_iter().map(|(it, _)| it).collect();
    assert_eq!(left.iter().map(|it| &*it.value).collect::<Vec<_>>(), ["c"]);
    // It waits as it would have waited.
    assert_eq!(world.wait(319), NOTHING);
    assert_eq!(world.wait(320), ["j webhook"]);
    // What is not paused has nothing to skip.
    assert_eq!(skip(&mut world, 321, "j"), NOTHING);
}

#[test]
fn what_a_paused_block_owes_can_be_skipped_alone() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("a"));
    world.wait(150);
    let owed = world.owed();
    world.hear(150, &came("b"));
    let send = Place::parse("j/send");
    world.order(151, Action::Pause(send));
    skip(&mut world, 190, "j/send");
    assert_eq!(world.sweep(190), [WITHHELD, "send resumed"]);
    assert!(world.delivery(owed).state.is_final());
    assert_eq!(world.live().len(), 1);
}

#[test]
fn a_date_that_came_in_a_pause_can_be_skipped_too() {
    let mut world = World::new(&["
journey: trial
description: A trial ends.
trigger: { date: profile.endsAt }
blocks:
  over: { exit: over }
"]);
    world.hear(0, &tell("u", "endsAt", r#""2026-01-26T11:00:00Z""#));
    world.hear(0, &tell("v", "endsAt", r#""2026-01-26T12:00:00Z""#));
    world.pause(1, "trial");
    skip(&mut world, 90, "trial");
    let told = world.sweep(90);
    assert_eq!(told, ["trial refused: paused", "trial resumed"]);
    assert_eq!(world.wait(200), ["trial entered", "trial exit: over"]);
    assert_eq!(&*world.decisions[0].owner.value, "v");
}

#[test]
fn an_order_that_ends_nothing_ends_nothing_later() {
    let mut world = World::new(&[JOURNEY]);
    stop(&mut world, 0, "j");
    assert_eq!(world.sweep(0), NOTHING);
    world.resume(1, "j");
    world.hear(2, &came("a"));
    assert_eq!(world.wait(160), ["j webhook"]);
}
