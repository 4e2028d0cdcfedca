//! What happens in a shop, at random from a seed? Journeys that use every kind of block and end in
//! every way, events of people who merge, consent and come late, and receivers of every temper.

use std::sync::Arc;

use wayfare_event::Timestamp;
use wayfare_executor::delivery::{NotSentReason, Outcome, UnknownReason};
use wayfare_executor::{Action, Operator, Place};
use wayfare_journey::{Graph, Known, compile};

const PEOPLE: u64 = 12;
/// Messages whose ids are used again now and then.
const MESSAGES: u64 = 4_000;

/// Marsaglia's xorshift64: the same numbers on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        let count = u64::try_from(of.len()).unwrap();
        of[usize::try_from(self.below(count)).unwrap()]
    }
}

/// One walk per person and session, a wait for an event or a time, consent asked.
const CART: &str = r#"
journey: cart
description: Remind somebody of a cart.
trigger: { event: add_to_cart }
entry: { again: once, key: properties.session }
blocks:
  bought_in_time:
    wait: { for: [{ event: purchase, then: bought }], timeout: 30m }
    then: remind
  remind:
    webhook:
      method: POST
      url: https://mail.example.com/reminders
      consent: marketing
      identity: any
      payload: { session: "{entry.key}", at: "{now}", id: "{profile.profileId}" }
  bought: { exit: bought }
"#;

/// Several waits, an exit rule, a named event, `at_least_once`; an edit takes those inside over.
const CARE: &str = r#"
journey: care
description: Look after a cart in two steps.
trigger: { event: add_to_cart }
entry: { again: 90m }
migrate: { from: any }
exit:
  - { event: purchase, reason: bought }
blocks:
  first: { wait: PAUSE, then: second }
  second:
    wait:
      for:
        - { event: add_to_cart, as: more, then: tell }
      timeout: 40m
    then: quiet
  tell:
    webhook:
      method: PUT
      url: https://care.example.com/people/{profileId}
      consent: { basis: contract, because: it is a test }
      identity: any
      delivery: at_least_once
      payload: { first: "{trigger.properties.session}", then: "{more.properties.session}" }
  quiet: { exit: quiet }
"#;

/// Ends unresolved, declined, without a value it needs, or in a request; `once`, so that merges of
/// two who are inside end one of them.
const LEAD: &str = r#"
journey: lead
description: Create a lead.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  settle: { wait: 10m, then: who }
  who:
    decide:
      - when: count("purchase") >= 2
        then: create
      - else: create
  create:
    webhook:
      method: POST
      url: https://crm.example.com/leads/{profile.plan}
      consent: { basis: contract, because: it is a test }
      when: profile.plan != "free"
      payload: { email: "{profile.email}" }
"#;

/// Enforcement, started by consent.
const REVOKE: &str = r#"
journey: revoke
description: Take an address off the lists.
trigger:
  consent: { category: marketing, action: decline }
entry: { again: always }
blocks:
  unsubscribe:
    webhook:
      method: DELETE
      url: https://email.example.com/subscribers/{email}
      consent: { category: marketing, action: decline }
      payload: none
"#;

/// Starts when a trait changes, writes what `BACK` and `TRIAL` start from, splits, and waits for a time
/// of day and a date; so many may enter and no more.
const GROW: &str = r#"
journey: grow
description: Follow a plan that changes.
trigger: { trait: plan, where: change.current != null }
entry: { again: always, limit: 6/h }
blocks:
  count:
    update: { profile: { changes: "{(profile.changes ?? 0) + 1}", endsAt: "{now}" } }
    then: part
  part:
    split:
      - { arm: tell, weight: 1, then: tell }
      - { arm: hold, weight: 1, then: tell, holdout: true }
      - { arm: wait, weight: 2, then: noon }
  noon:
    wait: { until: "12:00", zone: profile.zone, zone_default: Europe/Berlin, grace: 2h }
    then: ended
  ended: { wait: { until: profile.endsAt, offset: 2h, missing: none }, then: none }
  tell:
    webhook:
      method: POST
      url: https://grow.example.com/plans
      consent: { basis: contract, because: it is a test }
      identity: any
      payload: { was: "{change.previous}", is: "{change.current}", n: "{profile.changes}" }
  none: { exit: none }
"#;

/// Goes round with `GROW` until no hop is left.
const BACK: &str = r#"
journey: back
description: Change the plan back.
trigger: { trait: changes, where: change.current % 11 != 0 }
entry: { again: always }
blocks:
  write: { update: { profile: { plan: "plan {profile.changes}" } }, then: over }
  over: { exit: changed back }
"#;

const TRIAL: &str = r#"
journey: trial
description: Something ends.
trigger: { date: profile.endsAt, offset: 30m }
entry: { again: always }
blocks:
  over: { exit: ended }
"#;

const ROUND: &str = r#"
journey: round
description: Look at everybody three times an hour.
trigger: { schedule: { cron: "*/20 * * * *" }, where: profile.plan != null }
entry: { again: 50m, lateness: 1h }
exit:
  - { when: profile.changes > 40, reason: restless }
blocks:
  some: { wait: { for: [{ when: profile.changes > 20, then: over }], timeout: 1h }, then: over }
  over: { exit: seen }
"#;

/// Starts when a reminder was delivered or was not.
const ANSWER: &str = r#"
journey: answer
description: Note what became of a reminder.
trigger: { delivery: { journey: cart, block: remind, state: STATE } }
entry: { again: always }
blocks:
  note: { update: { profile: { zone: Asia/Kolkata, answer: "{delivery.status}" } }, then: over }
  over: { exit: noted }
"#;

/// The journeys that somebody pauses now and then.
const PAUSED: [&str; 4] = ["cart", "grow", "trial", "round"];

pub(crate) fn compiled(journey: &str) -> Graph {
    let consent = wayfare_consent::Config::default();
    let categories: Vec<Arc<str>> = consent.names().cloned().collect();
    let known = Known {
        categories: &categories,
        ..Known::default()
    };
    compile(journey, &known).unwrap().graph
}

/// The journeys, in their first version or with one that was changed since.
pub(crate) fn journeys(is_changed: bool) -> Vec<Graph> {
    let care = CARE.replace("PAUSE", if is_changed { "25m" } else { "20m" });
    let delivered = ANSWER.replace("STATE", "delivered");
    let rejected = ANSWER.replace("STATE", "rejected");
    let rejected = rejected.replace("journey: answer", "journey: answer-no");
    let round = ROUND.replace("*/20", if is_changed { "*/15" } else { "*/20" });
    let journeys = [
        CART, &care, LEAD, REVOKE, GROW, BACK, TRIAL, &round, &delivered, &rejected,
    ];
    journeys.map(compiled).into()
}

/// The next event, told at or before `at`.
pub(crate) fn event(dice: &mut Dice, at: Timestamp) -> String {
    let late_s = if dice.below(15) == 0 {
        i64::try_from(dice.below(3_600)).unwrap()
    } else {
        0
    };
    let told = at.saturating_add_micros(-late_s * 1_000_000);
    let person = dice.below(PEOPLE);
    let session = format!("s-{person}-{}", dice.below(4));
    let who = match dice.below(4) {
        0 => format!(r#""userId":"u{person}""#),
        1 => format!(r#""userId":"u{person}","anonymousId":"a{person}""#),
        _ => format!(r#""anonymousId":"a{person}""#),
    };
    let email = format!("p{}@example.com", person / 2);
    let plan = dice.one_of(&["free", "pro"]);
    let track = |name: &str| {
        format!(r#""type":"track",{who},"event":"{name}","properties":{{"session":"{session}"}}"#)
    };
    let said = match dice.below(16) {
        0 => format!(
            r#""type":"identify","anonymousId":"a{person}","userId":"u{person}","traits":{{"email":"{email}"}}"#
        ),
        1 => format!(r#""type":"identify","userId":"u{person}","traits":{{"plan":"{plan}"}}"#),
        2 => format!(r#""type":"alias","userId":"u{person}","previousId":"a{person}""#),
        3 | 4 => {
            let action = dice.one_of(&["accept", "decline"]);
            format!(
                r#""type":"consent","email":"{email}","category":"marketing","action":"{action}""#
            )
        }
        5 => format!(
            r#""type":"group","userId":"u{person}","groupId":"g{}","traits":{{"seats":{person}}}"#,
            person / 3
        ),
        6 | 7 => track("Signup Completed"),
        8 | 9 => track("purchase"),
        10 => format!(r#""type":"page",{who},"name":"Pricing""#),
        _ => track("add_to_cart"),
    };
    let id = match dice.below(10) {
        0 => String::new(),
        _ => format!(r#""messageId":"m{}","#, dice.below(MESSAGES)),
    };
    format!(r#"{{{id}{said},"timestamp":"{told}"}}"#)
}

/// Somebody pauses a journey, stops it, or lets one go on, with what is overdue or without.
pub(crate) fn order(dice: &mut Dice) -> Operator {
    let journey = dice.one_of(&PAUSED).into();
    let action = match dice.below(12) {
        0..=2 => Action::Pause(Place::whole(journey)),
        3 => Action::Stop(Place::whole(journey)),
        4 => Action::SkipOverdue(Place::whole(journey)),
        _ => Action::Resume(Place::whole(journey)),
    };
    Operator {
        by: "ops".into(),
        reason: "it is a test".into(),
        action,
    }
}

/// How an attempt ends.
pub(crate) fn outcome(dice: &mut Dice) -> Outcome {
    let answered = |status, asks: bool| Outcome::Answered {
        status,
        retry_after_s: asks.then_some(1),
    };
    dice.one_of(&[
        answered(200, false),
        answered(200, false),
        answered(404, false),
        answered(429, false),
        answered(500, false),
        answered(503, true),
        Outcome::NotSent(NotSentReason::Dns),
        Outcome::Unknown(UnknownReason::Timeout),
    ])
}
