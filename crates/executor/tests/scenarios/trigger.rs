//! What starts a journey: which events, which changes of a trait, which deliveries?

use wayfare_executor::delivery::Outcome;

use crate::events::{login, tell, track};
use crate::world::World;

/// A journey that ends at once; what is told of it is who entered.
fn journey(trigger: &str) -> String {
    format!(
        "journey: j\ndescription: It is a test.\ntrigger: {trigger}\n\
         entry: {{ again: always, lateness: 1h }}\nblocks:\n  over: {{ exit: over }}\n"
    )
}

const ENTERED: [&str; 2] = ["j entered", "j exit: over"];

#[test]
fn events_of_every_kind_start_by_kind_and_name() {
    let check = |event: &str, heard: &str, is_heard: bool| {
        let mut world = World::new(&[&journey(&format!("{{ event: {event} }}"))]);
        let told = world.hear(0, heard);
        let expected: &[&str] = if is_heard { &ENTERED } else { &[] };
        assert_eq!(told, expected, "{event}: {heard}");
    };
    let page = r#"{"type":"page","userId":"u","name":"Pricing"}"#;
    let screen = r#"{"type":"screen","userId":"u","name":"Pricing"}"#;
    let group = r#"{"type":"group","userId":"u","groupId":"g"}"#;
    check("[Ordered, Paid]", &track("userId u", "Paid", ""), true);
    check("[Ordered, Paid]", &track("userId u", "Looked", ""), false);
    check("Pricing", page, false);
    check("{ type: page, name: Pricing }", page, true);
    check("{ type: page, name: Prices }", page, false);
    check("{ type: page }", page, true);
    check("{ type: screen, name: Pricing }", screen, true);
    check("{ type: page, name: Pricing }", screen, false);
    check("{ type: identify }", &tell("u", "plan", "1"), true);
    check("{ type: group }", group, true);
    check("{ type: identify }", group, false);
    check("[Paid, { type: page }]", page, true);
}

#[test]
fn a_trait_starts_when_it_becomes_another_value() {
    let check = |more: &str, values: &[&str], expected: &[bool]| {
        let mut world = World::new(&[&journey(&format!("{{ trait: plan{more} }}"))]);
        for (value, is_started) in values.iter().zip(expected) {
            let told = world.hear(0, &tell("u", "plan", value));
            assert_eq!(told == ENTERED, *is_started, "{more} {value}: {told:?}");
        }
    };
    let plans = [r#""pro""#, r#""pro""#, r#""team""#, "null", r#""pro""#];
    check("", &plans, &[true, false, true, true, true]);
    check(", to: pro", &plans, &[true, false, false, false, true]);
    check(", from: pro", &plans, &[false, false, true, false, false]);
    check(
        ", from: pro, to: team",
        &plans,
        &[false, false, true, false, false],
    );
    // From nothing is from null.
    check(", from: null", &plans, &[true, false, false, false, true]);
    // A number written in another way is the same number; text is never one.
    check("", &["1", "1.0", r#""1""#], &[true, false, true]);
    check(", to: 2", &["2.0", r#""2""#], &[true, false]);
}

#[test]
fn other_traits_and_other_events_start_nothing() {
    let mut world = World::new(&[&journey("{ trait: plan }")]);
    assert_eq!(world.hear(0, &tell("u", "seats", "3")), [""; 0]);
    assert_eq!(world.hear(0, &track("userId u", "plan", "")), [""; 0]);
    let group = r#"{"type":"group","userId":"u","groupId":"g","traits":{"plan":"pro"}}"#;
    assert_eq!(world.hear(0, group), [""; 0]);
}

#[test]
fn a_condition_on_a_change_sees_what_was_and_what_is() {
    let grows = journey("{ trait: seats, where: change.current > (change.previous ?? 0) + 1 }");
    let mut world = World::new(&[&grows]);
    assert_eq!(world.hear(0, &tell("u", "seats", "2")), ENTERED);
    assert_eq!(
        world.hear(0, &tell("u", "seats", "3")),
        ["j refused: condition"]
    );
    assert_eq!(world.hear(0, &tell("u", "seats", "5")), ENTERED);
    assert_eq!(
        world.hear(0, &tell("u", "seats", "1")),
        ["j refused: condition"]
    );
}

#[test]
fn blocks_see_the_change_that_started_them() {
    let journey = "
journey: j
description: Look at a change.
trigger: { trait: plan }
entry: { again: always }
blocks:
  hour: { wait: 1h, then: which }
  which:
    decide:
      - { when: 'change.previous == \"a\" && change.current == \"b\"', then: seen }
      - else: other
  seen: { exit: seen }
  other: { exit: other }
";
    let mut world = World::new(&[journey]);
    world.hear(0, &tell("u", "plan", r#""a""#));
    world.hear(1, &tell("u", "plan", r#""b""#));
    world.hear(2, &tell("u", "plan", r#""c""#));
    assert_eq!(
        world.wait(70),
        ["j exit: other", "j exit: seen", "j exit: other"]
    );
}

#[test]
fn a_change_may_be_the_key() {
    let per_plan = journey("{ trait: plan }").replace("always,", "once, key: change.current,");
    let mut world = World::new(&[&per_plan]);
    assert_eq!(world.hear(0, &tell("u", "plan", r#""a""#)), ENTERED);
    assert_eq!(world.hear(1, &tell("u", "plan", r#""b""#)), ENTERED);
    assert_eq!(
        world.hear(2, &tell("u", "plan", r#""a""#)),
        ["j refused: once"]
    );
    assert_eq!(
        world.hear(3, &tell("u", "plan", "null")),
        ["j refused: no_key"]
    );
}

#[test]
fn several_traits_of_one_event_start_by_journey() {
    let journeys = [
        journey("{ trait: plan }").replace("journey: j", "journey: b"),
        journey("{ trait: seats }").replace("journey: j", "journey: c"),
        journey("{ event: { type: identify } }").replace("journey: j", "journey: a"),
    ];
    let journeys: Vec<&str> = journeys.iter().map(String::as_str).collect();
    let mut world = World::new(&journeys);
    let both = r#"{"type":"identify","userId":"u","traits":{"seats":1,"plan":"pro"}}"#;
    let told = world.hear(0, both);
    let entered: Vec<&str> = told
        .iter()
        .filter_map(|it| it.strip_suffix(" entered"))
        .collect();
    assert_eq!(entered, ["a", "b", "c"]);
}

fn joins(user: &str, plan: &str) -> String {
    format!(r#"{{"type":"group","userId":"{user}","groupId":"g","traits":{{"plan":"{plan}"}}}}"#)
}

#[test]
fn a_trait_of_an_account_starts_only_whose_event_changed_it() {
    let mut world = World::new(&[&journey("{ trait: account.plan, to: pro }")]);
    assert_eq!(world.hear(0, &joins("a", "free")), [""; 0]);
    assert_eq!(world.hear(1, &joins("b", "pro")), ENTERED);
    // For the colleague it is no change any more.
    assert_eq!(world.hear(2, &joins("a", "pro")), [""; 0]);
    // A profile's own trait of that name is another one.
    assert_eq!(world.hear(3, &tell("a", "plan", r#""free""#)), [""; 0]);
    assert_eq!(world.hear(3, &tell("a", "plan", r#""pro""#)), [""; 0]);
    assert_eq!(world.decisions.len(), 1);
}

#[test]
fn what_a_merge_brings_is_no_change() {
    let mut world = World::new(&[&journey("{ trait: plan }")]);
    let anonymous = r#"{"type":"identify","anonymousId":"a","traits":{"plan":"pro"}}"#;
    assert_eq!(world.hear(0, anonymous), ENTERED);
    world.hear(1, &track("userId u", "Looked", ""));
    assert_eq!(
        world.hear(2, &login("a", "u")),
        ["j refused: merged_history"]
    );
    // What the merge brought is what it was.
    assert_eq!(world.hear(3, &tell("u", "plan", r#""pro""#)), [""; 0]);
    assert_eq!(world.hear(4, &tell("u", "plan", r#""free""#)), ENTERED);
}

#[test]
fn a_change_that_is_late_or_history_is_refused_and_stands() {
    let mut world = World::new(&[&journey("{ trait: plan }")]);
    let told = |plan: &str, more: &str| {
        let event = tell("u", "plan", &format!(r#""{plan}""#));
        let body = event.strip_suffix('}').unwrap();
        format!("{body}{more}}}")
    };
    let late = r#","timestamp":"2026-01-26T09:59:59Z""#;
    assert_eq!(world.hear(60, &told("a", late)), ["j refused: late"]);
    let history = r#","historical":true"#;
    assert_eq!(
        world.hear(61, &told("b", history)),
        ["j refused: historical"]
    );
    assert_eq!(world.hear(62, &told("b", "")), [""; 0]);
    // Older than what is known, it changes nothing.
    assert_eq!(world.hear(63, &told("c", late)), [""; 0]);
}

const LETTER: &str = r#"
journey: letter
description: Write to somebody.
trigger: { event: Asked, where: properties.n != 0 }
entry: { again: always }
blocks:
  which:
    decide:
      - { when: properties.n == 1, then: first }
      - else: second
  first:
    webhook: &CALL
      method: POST
      url: https://mail.example.com/first
      consent: { basis: contract, because: it is a test }
      payload: {}
  second:
    webhook:
      method: POST
      url: https://mail.example.com/second
      consent: { basis: contract, because: it is a test }
      payload: {}
"#;

const fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after_s: None,
    }
}

/// Asks for a letter, and it is answered; what came of the answer.
fn answer(world: &mut World, at: i64, n: u32, status: u16) -> Vec<String> {
    let more = format!(r#","properties":{{"n":{n}}}"#);
    world.hear(at, &track("userId u", "Asked", &more));
    let id = world.owed();
    world.ready(at, id);
    let mut told = world.finished(at, id, (1, answered(status)));
    told.remove(0);
    told
}

#[test]
fn a_delivery_starts_by_its_block_and_its_state() {
    let letter = LETTER.replace(" &CALL", "");
    let check = |of: &str, answers: &[(u32, u16, bool)]| {
        let on = journey(&format!("{{ delivery: {{ {of} }} }}"));
        let mut world = World::new(&[&letter, &on]);
        for (at, (n, status, is_started)) in answers.iter().enumerate() {
            let told = answer(&mut world, i64::try_from(at).unwrap(), *n, *status);
            assert_eq!(told == ENTERED, *is_started, "{of} {n} {status}: {told:?}");
        }
    };
    let any = [(1, 200, true), (2, 204, true), (1, 400, false)];
    check("journey: letter, state: delivered", &any);
    let first = [(1, 200, true), (2, 200, false)];
    check("journey: letter, block: first, state: delivered", &first);
    let rejected = [(1, 200, false), (2, 400, true)];
    check("journey: letter, state: rejected", &rejected);
}

#[test]
fn what_became_of_a_delivery_is_in_scope() {
    let letter = LETTER.replace(" &CALL", "");
    let on = journey(
        "{ delivery: { journey: letter, state: rejected }, \
         where: 'delivery.block == \"second\" && delivery.state == \"rejected\" \
         && delivery.status == 422 && delivery.id.startsWith(\"whd_\")' }",
    );
    let mut world = World::new(&[&letter, &on]);
    assert_eq!(answer(&mut world, 0, 2, 422), ENTERED);
    assert_eq!(answer(&mut world, 1, 2, 400), ["j refused: condition"]);
    assert_eq!(answer(&mut world, 2, 1, 422), ["j refused: condition"]);
}

#[test]
fn a_delivery_that_may_not_leave_starts_with_its_reason() {
    let letter = LETTER.replace(" &CALL", "");
    let letter = letter.replace(
        "consent: { basis: contract, because: it is a test }",
        "consent: marketing",
    );
    let on = journey(
        "{ delivery: { journey: letter, state: withheld }, \
         where: 'delivery.reason == \"consent\" && delivery.status == null' }",
    );
    let mut world = World::new(&[&letter, &on]);
    let says = |action: &str| {
        format!(
            r#"{{"type":"consent","userId":"u","email":"u@example.com","category":"marketing","action":"{action}"}}"#
        )
    };
    world.hear(0, &tell("u", "email", r#""u@example.com""#));
    world.hear(0, &says("accept"));
    let told = world.hear(1, &track("userId u", "Asked", r#","properties":{"n":1}"#));
    assert_eq!(told[1], "letter webhook");
    let id = world.owed();
    world.hear(2, &says("decline"));
    let told = world.ready(3, id);
    assert_eq!(told[1..], ENTERED);
}

#[test]
fn a_journey_on_its_own_deliveries_stops_at_the_ninth_hop() {
    let echo = "
journey: echo
description: Answer every answer.
trigger: { delivery: { journey: echo, state: delivered }, where: delivery.status == 200 }
entry: { again: always }
blocks:
  shout: { webhook: { method: POST, url: 'https://x.example.com/', consent: { basis: contract, because: it is a test }, payload: {} } }
";
    let letter = LETTER
        .replace(" &CALL", "")
        .replace("journey: letter", "journey: echo-start");
    let first = echo.replace("journey: echo,", "journey: echo-start,");
    let first = first.replace("journey: echo\n", "journey: echo-first\n");
    let both = echo.replace("journey: echo\n", "journey: echo-second\n");
    let second = both.replace("journey: echo,", "journey: echo-first,");
    let mut world = World::new(&[&letter, &first, &second]);
    assert_eq!(
        answer(&mut world, 0, 1, 200),
        ["echo-first entered", "echo-first webhook"]
    );
    let id = world.owed();
    world.ready(0, id);
    let told = world.finished(0, id, (1, answered(200)));
    assert_eq!(told[1..], ["echo-second entered", "echo-second webhook"]);

    // A circle: each of two journeys starts on the other's deliveries.
    let left = echo
        .replace("journey: echo\n", "journey: left\n")
        .replace("journey: echo,", "journey: right,");
    let right = echo
        .replace("journey: echo\n", "journey: right\n")
        .replace("journey: echo,", "journey: left,");
    let begin = left.replace(
        "{ delivery: { journey: right, state: delivered }, where: delivery.status == 200 }",
        "{ event: Asked, where: properties.n == 1 }",
    );
    let mut world = World::new(&[&begin]);
    world.hear(0, &track("userId u", "Asked", r#","properties":{"n":1}"#));
    world.publish(&[&left, &right]);
    for hop in 1..=8 {
        let id = world.owed();
        world.ready(hop, id);
        let told = world.finished(hop, id, (1, answered(200)));
        assert_eq!(told.len(), 3, "{hop}: {told:?}");
        assert!(told[2].ends_with(" webhook"), "{hop}: {told:?}");
    }
    let id = world.owed();
    world.ready(9, id);
    let told = world.finished(9, id, (1, answered(200)));
    assert_eq!(told[1..], ["left refused: hop_limit"]);
    assert_eq!(world.refusals[0].leaf.as_deref(), Some("shout"));
    assert_eq!(world.decisions.len(), 9);
    // What is known of the person is still there.
    assert_eq!(world.hear(10, &tell("u", "plan", "1")), [""; 0]);
}
