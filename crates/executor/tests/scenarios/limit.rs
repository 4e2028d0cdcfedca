//! What does a journey do that lets in too many, or that somebody pauses: what holds, what goes on?

use wayfare_executor::delivery::Outcome;

use crate::events::{tell, track};
use crate::world::World;

const JOURNEY: &str = "
journey: j
description: Let in two an hour.
trigger: { event: Came, where: properties.n != 0 }
entry: { again: always, limit: 2/h }
exit:
  - { event: Left, reason: left }
blocks:
  half: { wait: 30m, then: send }
  send:
    webhook:
      method: POST
      url: https://x.example.com/
      consent: { basis: contract, because: it is a test }
      payload: { n: '{properties.n}' }
";

fn came(user: &str) -> String {
    track(
        &format!("userId {user}"),
        "Came",
        r#","properties":{"n":1}"#,
    )
}

#[test]
fn one_too_many_pauses_the_journey_and_the_next_are_refused() {
    let mut world = World::new(&[JOURNEY]);
    assert_eq!(world.hear(0, &came("a")), ["j entered"]);
    assert_eq!(world.hear(1, &came("b")), ["j entered"]);
    let told = world.hear(2, &came("c"));
    assert_eq!(told, ["j paused", "j refused: entry_limit"]);
    assert_eq!(world.hear(3, &came("d")), ["j refused: paused"]);
    // Who is refused for another reason does not count.
    let none = track("userId e", "Came", r#","properties":{"n":0}"#);
    assert_eq!(world.hear(4, &none), ["j refused: condition"]);
}

#[test]
fn what_is_due_in_a_paused_journey_holds_and_exits_still_apply() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("b"));
    world.hear(1, &came("a"));
    world.hear(2, &came("c"));
    assert_eq!(world.wait(100), [""; 0]);
    assert_eq!(world.hear(101, &tell("a", "x", "1")), [""; 0]);
    assert_eq!(world.live().len(), 2);
    assert_eq!(
        world.hear(102, &track("userId b", "Left", "")),
        ["j exit: left"]
    );
    assert_eq!(world.resume(103, "j"), ["j resumed"]);
    assert_eq!(world.wait(103), ["j webhook"]);
    assert_eq!(world.hear(104, &came("c")), ["j entered"]);
}

#[test]
fn what_held_goes_on_in_due_order() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("z"));
    world.hear(1, &came("a"));
    world.pause(2, "j");
    assert_eq!(world.wait(100), [""; 0]);
    world.resume(101, "j");
    assert_eq!(world.wait(101), ["j webhook"; 2]);
    let order: Vec<_> = world.decisions.iter().map(|it| &*it.owner.value).collect();
    assert_eq!(order, ["z", "a"]);
}

#[test]
fn a_delivery_of_a_paused_journey_does_not_leave() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("a"));
    assert_eq!(world.wait(30), ["j webhook"]);
    let id = world.owed();
    world.pause(31, "j");
    assert_eq!(world.ready(32, id), [""; 0]);
    world.resume(33, "j");
    assert_eq!(world.ready(34, id).len(), 1);
    // An attempt that was on the wire ends as it ends.
    world.pause(35, "j");
    let answered = Outcome::Answered {
        status: 200,
        retry_after_s: None,
    };
    assert_eq!(world.finished(36, id, (1, answered)).len(), 1);
}

#[test]
fn the_window_opens_again_after_its_time() {
    let mut world = World::new(&[JOURNEY]);
    world.hear(0, &came("a"));
    world.hear(59, &came("b"));
    assert_eq!(world.hear(60, &came("c")), ["j entered"]);
    world.hear(61, &came("d"));
    assert_eq!(world.hear(119, &came("e"))[0], "j paused");
}

#[test]
fn who_resumes_a_journey_opens_its_window() {
    let mut world = World::new(&[JOURNEY]);
    for user in ["a", "b", "c"] {
        world.hear(0, &came(user));
    }
    world.resume(1, "j");
    assert_eq!(world.hear(2, &came("c")), ["j entered"]);
    assert_eq!(world.hear(3, &came("d")), ["j entered"]);
    assert_eq!(world.hear(4, &came("e"))[0], "j paused");
}

#[test]
fn one_paused_journey_holds_up_no_other() {
    let other = JOURNEY.replace("journey: j", "journey: k");
    let mut world = World::new(&[JOURNEY, &other]);
    assert_eq!(world.hear(0, &came("a")), ["j entered", "k entered"]);
    world.pause(1, "j");
    let told = world.hear(30, &came("a"));
    assert_eq!(told, ["k webhook", "j refused: paused", "k entered"]);
}

#[test]
fn a_date_and_a_life_hold_in_a_paused_journey() {
    let trial = "
journey: trial
description: A trial ends.
trigger: { date: profile.endsAt }
entry: { lateness: 2h }
life: 2h
blocks:
  hour: { wait: { for: [{ event: Went, then: over }], timeout: 90m }, then: over }
  over: { exit: over }
";
    let ends = |user: &str| tell(user, "endsAt", r#""2026-01-26T11:00:00Z""#);
    let mut world = World::new(&[trial]);
    world.hear(0, &ends("u"));
    assert_eq!(world.wait(60), ["trial entered"]);
    world.hear(61, &ends("v"));
    world.hear(61, &ends("w"));
    world.pause(61, "trial");
    assert_eq!(world.wait(170), [""; 0]);
    assert_eq!(world.hear(170, &track("userId v", "Looked", "")), [""; 0]);
    world.resume(170, "trial");
    assert_eq!(
        world.wait(170),
        ["trial entered", "trial entered", "trial exit: over"]
    );
    // Held beyond its life, a walk ends with it; held beyond its lateness, a date is refused.
    world.hear(171, &tell("x", "endsAt", r#""2026-01-26T13:00:00Z""#));
    world.pause(172, "trial");
    world.resume(500, "trial");
    let told = world.wait(500);
    assert_eq!(
        told,
        [
            "trial refused: late",
            "trial exit: life_over",
            "trial exit: life_over"
        ]
    );
}

#[test]
fn who_keeps_too_much_does_not_count() {
    let journey = JOURNEY.replace("n: '{properties.n}'", "n: '{properties.text}'");
    let mut world = World::new(&[&journey]);
    let large = format!(r#","properties":{{"n":1,"text":"{}"}}"#, "x".repeat(5_000));
    for _ in 0..3 {
        let told = world.hear(0, &track("userId u", "Came", &large));
        assert_eq!(told, ["j refused: too_large"]);
    }
    assert_eq!(world.hear(1, &came("a")), ["j entered"]);
}

#[test]
fn a_wait_that_is_over_in_a_paused_journey_hears_nothing_more() {
    let mut world = World::new(&["
journey: j
description: Wait for an order.
trigger: { event: Came }
blocks:
  order: { wait: { for: [{ event: Ordered, then: ordered }], timeout: 1h }, then: over }
  ordered: { exit: ordered }
  over: { exit: over }
"]);
    world.hear(0, &came("a"));
    world.pause(1, "j");
    assert_eq!(world.wait(100), [""; 0]);
    assert_eq!(world.hear(101, &track("userId a", "Ordered", "")), [""; 0]);
    world.resume(102, "j");
    assert_eq!(world.wait(102), ["j exit: over"]);
}
