//! Does the clock of the events move to each instant first, and does a run by it end?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::net::SocketAddr;
use std::sync::Arc;

use wayfare_event::IdKey;
use wayfare_executor::{Catalog, Place, Sending};
use wayfare_runtime::config;
use wayfare_runtime::{Advance, Driver, Engine, Outbound, Output, Submission};
use wayfare_store::MemoryStore;
use wayfare_webhook::{Client, Secrets};

/// Plays the events; what came of them, with the time of day.
async fn play(journeys: &[&str], events: &[String], advance: Advance) -> (Vec<String>, Engine) {
    let settings = config::read("{}").unwrap();
    let compiled = |journey: &&str| settings.compile(journey).unwrap().graph;
    let graphs = journeys.iter().map(compiled).collect();
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        IdKey::STATELESS,
        Sending::Owed,
    );
    let store = Box::new(MemoryStore::new(IdKey::STATELESS));
    let engine = Engine::open(catalog, store, graphs, &|source| settings.compile(source)).unwrap();
    let secrets = Arc::new(Secrets::stand_ins());
    // Nothing that is sent here is ever released.
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let outbound = Outbound {
        client: Client::to_receiver(nowhere, settings.webhooks, secrets.clone()),
        secrets,
        hosts: settings.hosts,
    };
    let mut told = Vec::new();
    let mut tell = |output: Output, _: Option<String>| told.extend(words(&output));
    let (driver, inbox) = Driver::new(engine, outbound, &mut tell);
    for (line, event) in (1..).zip(events) {
        let submission = Submission::line(event, "test".into(), line, None);
        inbox.send(submission).await.unwrap();
    }
    drop(inbox);
    let engine = driver.play(advance).await.unwrap();
    (told, engine)
}

fn words(output: &Output) -> Option<String> {
    match output {
        Output::Decision(decision) => {
            let reason = decision.reason.as_deref();
            let reason = reason.unwrap_or(decision.outcome.as_str());
            Some(format!(
                "{} {}: {reason}",
                decision.at, decision.owner.value
            ))
        }
        Output::Refused(refusal) => Some(format!("{} {}", refusal.at, refusal.code.as_str())),
        Output::Control { at, paused, .. } => {
            let what = if paused.is_some() {
                "paused"
            } else {
                "resumed"
            };
            Some(format!("{at} {what}"))
        }
        Output::Delivery { .. } | Output::Rejected { .. } | Output::Trace { .. } => None,
    }
}

fn looked(who: &str, at: &str) -> String {
    format!(r#"{{"type":"track","userId":"{who}","event":"Looked","timestamp":"2026-01-{at}Z"}}"#)
}

const DAILY: &str = "
journey: daily
description: Look at everybody at noon.
trigger: { schedule: { cron: '0 12 * * *' } }
entry: { again: always }
blocks:
  hour: { wait: 1h, then: over }
  over: { exit: seen }
";

const DAY_US: i64 = 86_400_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_begins_with_the_first_event() {
    let events = [looked("a", "26T10:00:00"), looked("b", "27T12:00:00")];
    let (told, _) = play(&[DAILY], &events, Advance::By(DAY_US)).await;
    let expected = [
        "2026-01-26T13:00:00Z a: seen",
        // Who comes at noon comes after noon's turn.
        "2026-01-27T13:00:00Z a: seen",
    ];
    assert_eq!(told, expected);
    let (told, engine) = play(&[DAILY], &[], Advance::By(3 * DAY_US)).await;
    assert_eq!(told, [""; 0]);
    assert_eq!(engine.next_sweep(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_people_than_a_page_are_each_started_once() {
    let name = |person: usize| format!("u{person:04}");
    let events: Vec<String> = (0..700)
        .map(|person| looked(&name(person), "26T10:00:00"))
        .collect();
    let (mut told, _) = play(&[DAILY], &events, Advance::By(DAY_US / 4)).await;
    told.sort();
    let seen = (0..700).map(|person| format!("2026-01-26T13:00:00Z {}: seen", name(person)));
    assert!(told.iter().cloned().eq(seen), "{} were seen", told.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_to_the_end_ends_with_a_schedule() {
    let events = [looked("a", "26T10:00:00"), looked("b", "26T12:30:00")];
    let (told, engine) = play(&[DAILY], &events, Advance::ToTheEnd).await;
    assert_eq!(told, ["2026-01-26T13:00:00Z a: seen"]);
    assert_eq!(engine.waiting(), 0);
    let (told, _) = play(&[DAILY], &[], Advance::ToTheEnd).await;
    assert_eq!(told, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_come_before_the_sweep_of_their_instant() {
    let marks = "
journey: marks
description: Mark who looked.
trigger: { event: Looked }
blocks:
  two: { wait: 2h, then: mark }
  mark: { update: { profile: { marked: true } }, then: over }
  over: { exit: marked }
";
    let wanted = DAILY.replace("} }", "}, where: profile.marked == true }");
    let wanted = wanted.replace("hour: { wait: 1h, then: over }\n  ", "");
    let events = [looked("a", "26T10:00:00"), looked("b", "26T10:00:01")];
    let (told, _) = play(&[marks, &wanted], &events, Advance::By(DAY_US / 2)).await;
    let expected = [
        "2026-01-26T12:00:00Z a: marked",
        "2026-01-26T12:00:00Z a: seen",
        "2026-01-26T12:00:01Z b: marked",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_ends_while_a_paused_journey_holds_what_it_owes() {
    let limited = "
journey: limited
description: Write to everybody at noon, and not to too many.
trigger: { schedule: { cron: '0 12 * * *' } }
entry: { again: always, limit: 2/d }
blocks:
  send:
    webhook:
      method: POST
      url: https://x.example.com/
      consent: { basis: contract, because: it is a test }
      payload: {}
";
    let events = ["a", "b", "c", "d"].map(|who| looked(who, "26T10:00:00"));
    for advance in [Advance::By(DAY_US / 2), Advance::By(DAY_US)] {
        let (told, engine) = play(&[limited], &events, advance).await;
        let expected = [
            "2026-01-26T12:00:00Z a: webhook",
            "2026-01-26T12:00:00Z b: webhook",
            "2026-01-26T12:00:00Z paused",
            "2026-01-26T12:00:00Z entry_limit",
            "2026-01-26T12:00:00Z paused",
        ];
        assert_eq!(told, expected);
        let limited = Place::whole("limited".into());
        assert!(engine.paused(&limited).is_some());
        assert_eq!(engine.open_deliveries(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_on_the_way_keeps_its_instant() {
    let waits = "
journey: waits
description: Wait.
trigger: { event: Looked }
entry: { again: once }
blocks:
  hour: { wait: 1h, then: over }
  over: { exit: over }
";
    let trial = "
journey: trial
description: A trial ends.
trigger: { date: profile.endsAt, offset: -30m }
blocks:
  over: { exit: ended }
";
    let ends = r#"{"type":"identify","userId":"a","timestamp":"2026-01-26T10:00:00Z","traits":{"endsAt":"2026-01-26T11:00:00Z"}}"#;
    let events = [
        ends.to_owned(),
        looked("a", "26T10:15:00"),
        looked("b", "26T18:00:00"),
    ];
    let (told, _) = play(&[waits, trial], &events, Advance::ToTheEnd).await;
    let expected = [
        "2026-01-26T10:30:00Z a: ended",
        "2026-01-26T11:15:00Z a: over",
        "2026-01-26T19:00:00Z b: over",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_to_the_end_ends_with_dates_that_move_themselves() {
    let renewal = "
journey: renewal
description: Move the date on when it has come.
trigger: { date: profile.renewsAt }
entry: { again: always }
blocks:
  move:
    update:
      profile: { renewsAt: '{timestamp(profile.renewsAt) + duration(\"30d\")}' }
    then: over
  over: { exit: renewed }
";
    let told = r#"{"type":"identify","userId":"a","timestamp":"2026-01-26T10:00:00Z",
        "traits":{"renewsAt":"2026-02-01"}}"#;
    let (told, engine) = play(&[renewal], &[told.to_owned()], Advance::ToTheEnd).await;
    // The date that was known when the input ended has its turn, the one it moves to has not.
    assert_eq!(told, ["2026-02-01T00:00:00Z a: renewed"]);
    assert_eq!(engine.next_timer(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_leaves_nothing_in_the_queue() {
    let marks = "
journey: marks
description: Mark everybody at noon, four times over.
trigger: { schedule: { cron: '0 12 * * *' } }
entry: { again: always }
blocks:
  a: { update: { profile: { a: 1 } }, then: b }
  b: { update: { profile: { b: 1 } }, then: c }
  c: { update: { profile: { c: 1 } }, then: d }
  d: { update: { profile: { d: 1 } }, then: over }
  over: { exit: marked }
";
    // With what each of them queues, more than follows one input at once.
    let people = (0..250).map(|person| looked(&format!("u{person}"), "26T10:00:00"));
    let people: Vec<String> = people.collect();
    let (told, engine) = play(&[marks], &people, Advance::By(DAY_US / 4)).await;
    assert_eq!(told.len(), 250);
    assert!(!engine.has_queued());
}
