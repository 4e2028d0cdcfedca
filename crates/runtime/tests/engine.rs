//! Does the engine keep its promises where ids, people and channels meet in unlucky ways?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::sync::Arc;

use wayfare_event::{Event, IdKey, Timestamp};
use wayfare_executor::delivery::Outcome;
use wayfare_executor::{Catalog, Happened, Row, Sending};
use wayfare_journey::{Graph, Known, compile};
use wayfare_runtime::{Engine, Output};
use wayfare_store::{MemoryStore, RowKind};

fn graphs(journeys: &[String]) -> Vec<Graph> {
    let consent = wayfare_consent::Config::default();
    let categories: Vec<Arc<str>> = consent.names().cloned().collect();
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    let graph = |journey: &String| compile(journey, &known).unwrap().graph;
    journeys.iter().map(graph).collect()
}

fn engine(journeys: &[String]) -> Engine {
    let (identity, consent) = (
        wayfare_identity::Config::default(),
        wayfare_consent::Config::default(),
    );
    let catalog = Catalog::new(identity, consent, IdKey::STATELESS, Sending::Owed);
    let store = Box::new(MemoryStore::new(IdKey::STATELESS));
    Engine::open(catalog, store, graphs(journeys), &|_| {
        panic!("nothing is stored")
    })
    .unwrap()
}

fn minute(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-01-26T10:00:00Z".parse().unwrap();
    start.saturating_add_micros(minutes * 60_000_000)
}

/// Hears an event at a minute; what came of it, in words.
fn hear(engine: &mut Engine, at: i64, source: &str, json: &str) -> Vec<String> {
    let event = Event::parse(json, None).unwrap();
    let catalog = engine.catalog();
    let happened = Happened::new(catalog, event, source.into(), minute(at)).unwrap();
    engine.event(minute(at), happened, json.into()).unwrap();
    told(engine)
}

fn told(engine: &mut Engine) -> Vec<String> {
    let words = |output: Output| match output {
        Output::Decision(decision) => match decision.reason {
            Some(reason) => format!("{}: {reason}", decision.outcome.as_str()),
            None => decision.outcome.as_str().to_owned(),
        },
        Output::Delivery { delivery, .. } => delivery.state.as_str().to_owned(),
        Output::Refused(refusal) => format!("refused {}", refusal.code.as_str()),
        Output::Control { paused, .. } => match paused {
            Some(_) => "paused".to_owned(),
            None => "resumed".to_owned(),
        },
        Output::Rejected { .. } | Output::Trace { .. } => String::new(),
    };
    engine.commit().unwrap().into_iter().map(words).collect()
}

const SEND: &str = r#"
journey: NAME
description: Send what was seen.
trigger: { event: Visited, where: properties.n > 0 }
entry: { again: AGAIN }
blocks:
  greet:
    webhook:
      method: POST
      url: https://mail.example.com/greetings
      consent: { basis: contract, because: it is a test }
      identity: any
      payload: { n: "{trigger.properties.n}" }
"#;

fn seen(n: u32) -> String {
    format!(
        r#"{{"type":"track","userId":"u","messageId":"1","event":"Visited","properties":{{"n":{n}}}}}"#
    )
}

/// Delivers everything that is due.
fn deliver(engine: &mut Engine, at: i64) -> usize {
    let due = engine.take_due(minute(at)).unwrap();
    let answered = Outcome::Answered {
        status: 200,
        retry_after_s: None,
    };
    for delivery in &due {
        assert!(engine.ready(minute(at), delivery.id).unwrap());
        engine
            .finished(minute(at), delivery.id, (1, answered))
            .unwrap();
    }
    assert!(
        told(engine)
            .iter()
            .all(|it| it == "armed" || it == "delivered")
    );
    due.len()
}

#[test]
fn one_message_id_from_two_sources_is_two_decisions() {
    let journey = SEND.replace("NAME", "greet").replace("AGAIN", "always");
    let mut engine = engine(&[journey]);
    assert_eq!(hear(&mut engine, 0, "web", &seen(1)), ["webhook"]);
    assert_eq!(deliver(&mut engine, 0), 1);
    assert_eq!(hear(&mut engine, 1, "server", &seen(2)), ["webhook"]);
    assert_eq!(deliver(&mut engine, 1), 1);
}

#[test]
fn a_message_that_is_forgotten_does_not_reopen_what_it_decided() {
    let days = |days: i64| days * 24 * 60;
    let journey = SEND.replace("NAME", "greet").replace("AGAIN", "always");
    let mut engine = engine(&[journey]);
    assert_eq!(hear(&mut engine, 0, "web", &seen(1)), ["webhook"]);
    assert_eq!(deliver(&mut engine, 0), 1);
    hear(
        &mut engine,
        days(9),
        "web",
        r#"{"type":"page","userId":"z","messageId":"2"}"#,
    );
    assert_eq!(
        hear(&mut engine, days(9), "web", &seen(1)),
        ["refused once"]
    );
    assert_eq!(deliver(&mut engine, days(9)), 0);
}

#[test]
fn any_number_of_journeys_hears_one_event() {
    let journeys: Vec<String> = (0..100)
        .map(|n| {
            SEND.replace("NAME", &format!("j{n}"))
                .replace("AGAIN", "once")
        })
        .collect();
    let mut engine = engine(&journeys);
    assert_eq!(hear(&mut engine, 0, "web", &seen(1)).len(), 100);
}

#[test]
fn people_may_hang_together_in_long_chains() {
    let mut engine = engine(&[]);
    for n in 0..80 {
        for browser in [n, n + 1] {
            let event = format!(
                r#"{{"type":"track","anonymousId":"a{browser}","event":"X","context":{{"traits":{{"email":"e{n}@x.example"}}}}}}"#
            );
            assert_eq!(hear(&mut engine, 0, "web", &event), [""; 0]);
        }
    }
}

#[test]
fn every_timer_of_a_person_fires_before_their_next_event() {
    let wait = |n: usize| {
        format!(
            "journey: w{n}\ndescription: Wait.\ntrigger: {{ event: Visited }}\n\
             entry: {{ again: once, key: properties.k }}\nblocks:\n  \
             hour: {{ wait: 1h, then: over }}\n  over: {{ exit: over }}\n"
        )
    };
    let journeys: Vec<String> = (0..4).map(wait).collect();
    let mut engine = engine(&journeys);
    for key in 0..24 {
        let event = format!(
            r#"{{"type":"track","userId":"u","event":"Visited","properties":{{"k":"{key}"}}}}"#
        );
        hear(&mut engine, 0, "web", &event);
    }
    assert_eq!(engine.waiting(), 96);
    let over = hear(&mut engine, 120, "web", r#"{"type":"page","userId":"u"}"#);
    assert_eq!((over.len(), engine.waiting()), (96, 0));
}

const ONCE: &str = r#"
journey: greet
description: Greet everybody once.
trigger: { event: Visited }
entry: { again: once }
blocks:
  hour: { wait: 10h, then: greet }
  greet:
    webhook:
      method: POST
      url: https://mail.example.com/greetings
      consent: { basis: contract, because: it is a test }
      identity: IDENTITY
      payload: { to: "{profile.profileId}" }
"#;

fn named(kind: &str, field: &str, who: &str) -> String {
    format!(r#"{{"type":"{kind}","{field}":"{who}","event":"Visited"}}"#)
}

fn login(browser: &str, user: &str) -> String {
    format!(r#"{{"type":"identify","anonymousId":"{browser}","userId":"{user}"}}"#)
}

#[test]
fn a_second_merge_spares_the_walk_that_stayed() {
    let mut engine = engine(&[ONCE.replace("IDENTITY", "any")]);
    hear(&mut engine, 0, "w", &named("track", "userId", "u1"));
    hear(&mut engine, 1, "w", &named("track", "anonymousId", "a1"));
    assert_eq!(hear(&mut engine, 2, "w", &login("a1", "u1")), ["merged"]);
    hear(&mut engine, 3, "w", &named("page", "anonymousId", "a2"));
    assert_eq!(hear(&mut engine, 4, "w", &login("a2", "u1")), [""; 0]);
    engine.fire(minute(1_000), 100).unwrap();
    assert_eq!(told(&mut engine), ["webhook"]);
}

#[test]
fn a_browser_that_turns_out_to_be_shared_brings_nobody_in_again() {
    let mut engine = engine(&[ONCE.replace("IDENTITY", "any")]);
    hear(&mut engine, 0, "w", &named("track", "anonymousId", "a1"));
    hear(&mut engine, 2, "w", &login("a1", "u1"));
    engine.fire(minute(1_000), 100).unwrap();
    assert_eq!(told(&mut engine), ["webhook"]);
    hear(&mut engine, 1_002, "w", &login("a1", "u2"));
    let again = hear(&mut engine, 1_003, "w", &named("track", "userId", "u1"));
    assert_eq!(again, ["refused once"]);
}

#[test]
fn a_walk_stays_with_its_person_when_their_browser_is_shared() {
    let mut engine = engine(&[ONCE.replace("IDENTITY", "known")]);
    hear(&mut engine, 0, "w", &named("track", "anonymousId", "a1"));
    hear(&mut engine, 2, "w", &login("a1", "u1"));
    hear(&mut engine, 3, "w", &login("a1", "u2"));
    engine.fire(minute(1_000), 100).unwrap();
    assert_eq!(told(&mut engine), ["webhook"]);
}

const TEXT: &str = r#"
journey: text
description: Send a text.
trigger: TRIGGER
entry: { again: always }
blocks:
  text:
    webhook:
      method: POST
      url: https://sms.example.com/texts
      consent: sms_marketing
      payload: { to: "{profile.phone}" }
"#;
const PERSON: &str =
    r#"{"type":"identify","userId":"u","traits":{"email":"a@x.example","phone":"+4930123456"}}"#;

fn say(category: &str, action: &str, more: &str) -> String {
    format!(
        r#"{{"type":"consent","userId":"u","category":"{category}","action":"{action}"{more}}}"#
    )
}

const EMAIL: &str = r#","email":"a@x.example""#;
const PHONE: &str = r#","phone":"+4930123456""#;

#[test]
fn a_category_is_asked_about_an_address_of_its_own_channel() {
    let on_accept = "{ consent: { category: marketing, action: accept } }";
    let mut engine = engine(&[TEXT.replace("TRIGGER", on_accept)]);
    hear(&mut engine, 0, "w", PERSON);
    hear(&mut engine, 1, "w", &say("sms_marketing", "accept", ""));
    hear(&mut engine, 2, "w", &say("sms_marketing", "decline", PHONE));
    let told = hear(&mut engine, 3, "w", &say("marketing", "accept", EMAIL));
    assert_eq!(told, ["suppressed: declined"]);
}

#[test]
fn what_is_said_with_two_addresses_is_about_the_one_of_the_channel() {
    let on_visit = "{ event: Visited, where: properties.n != 0 }";
    for said in [
        say("sms_marketing", "decline", &format!("{EMAIL}{PHONE}")),
        say("sms_marketing", "decline", EMAIL),
    ] {
        let mut engine = engine(&[TEXT.replace("TRIGGER", on_visit)]);
        hear(&mut engine, 0, "w", PERSON);
        hear(&mut engine, 1, "w", &say("sms_marketing", "accept", PHONE));
        hear(&mut engine, 2, "w", &said);
        let told = hear(&mut engine, 3, "w", &named("track", "userId", "u"));
        assert_eq!(told, ["suppressed: declined"], "{said}");
    }
}

#[test]
fn what_is_kept_of_a_person_and_an_account_is_bounded() {
    let mut engine = engine(&[]);
    for n in 0..400 {
        hear(&mut engine, n, "w", &say("marketing", "accept", ""));
        let joins = format!(r#"{{"type":"group","userId":"u","groupId":"g{n}"}}"#);
        let told = hear(&mut engine, n, "w", &joins);
        assert_eq!(told.len(), usize::from(n >= 300), "{n}: {told:?}");
        let writes =
            format!(r#"{{"type":"group","userId":"v","groupId":"g","traits":{{"t{n}":1}}}}"#);
        let told = hear(&mut engine, n, "w", &writes);
        assert_eq!(told.len(), usize::from(n >= 300), "{n}: {told:?}");
    }
    let mut kept = Vec::new();
    let count = &mut |_: &_, row: &Row| {
        if let Row::Person(person) = row {
            kept.push((person.record.consent.len(), person.record.accounts.len()));
        }
    };
    engine.store().scan(RowKind::Person, count).unwrap();
    kept.sort_unstable();
    assert_eq!(kept, [(0, 1), (1, 300)]);
}
