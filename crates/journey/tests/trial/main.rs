//! Is every mistake in a test file told where it stands, and is what came of a case compared as its
//! author means it?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

mod judged;
mod mistakes;

use std::sync::Arc;

use wayfare_event::{Map, Value};
use wayfare_journey::trial::{self, Answer, Case, Suite};
use wayfare_journey::{Graph, Known, compile};

const JOURNEY: &str = include_str!("../../../../journeys/plan-upgrade.yaml");
const OTHER: &str = include_str!("../../../../journeys/consent-revocation.yaml");

const SUITE: &str = r#"
journey: plan-upgrade
with: [consent-revocation]
tests:
  - name: one
    events:
      - { at: "2026-01-26T11:00:00Z", type: identify, userId: u1 }
      - { at: "+2m", type: track, userId: u1, event: Plan Upgraded, properties: { count: 1.10 } }
    advance: 3d
    respond: [503, timeout, reset, refuse, 200]
    expect:
      - at: "+2m"
        block: sync_billing
        method: PUT
        url: https://billing.example.com/accounts/acc_1
        headers: { X-Source: wayfare }
        payload: { a: [1, { $any: true }], b: { $matches: "^x" }, c: null }
    decisions:
      - { block: unsubscribe, journey: consent-revocation, outcome: webhook }
    refused: []
    never: [not_paid]
"#;

fn graphs() -> Vec<Graph> {
    let categories: [Arc<str>; 1] = ["marketing".into()];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    let graph = |file| compile(file, &known).unwrap().graph;
    vec![graph(OTHER), graph(JOURNEY)]
}

fn suite(text: &str) -> Suite {
    trial::read(text, &graphs()).unwrap()
}

/// The one case of a file with this `expect:`.
fn expecting(expect: &str) -> Case {
    let (before, _) = SUITE.split_once("    expect:\n").unwrap();
    suite(&format!("{before}    expect: {expect}\n"))
        .cases
        .remove(0)
}

fn map(json: &str) -> Map {
    Value::parse(json).unwrap().as_map().unwrap().clone()
}

#[test]
fn a_suite_says_what_the_file_says() {
    let suite = suite(SUITE);
    assert_eq!(&*suite.journey, "plan-upgrade");
    assert_eq!(&*suite.with[0], "consent-revocation");
    let case = &suite.cases[0];
    let times: Vec<String> = case.events.iter().map(|it| it.at.to_string()).collect();
    assert_eq!(times, ["2026-01-26T11:00:00Z", "2026-01-26T11:02:00Z"]);
    assert_eq!(
        &*case.events[1].text,
        r#"{"type":"track","userId":"u1","event":"Plan Upgraded","properties":{"count":1.10},"messageId":"event-2","timestamp":"2026-01-26T11:02:00Z"}"#
    );
    assert_eq!(case.advance_us, 3 * 86_400 * 1_000_000);
    assert_eq!(case.answers[0], Answer::Status(503));
    assert_eq!(case.answers.len(), 5);
    assert_eq!(case.requests.len(), 1);
    assert_eq!(case.requests[0].parts.len(), 6);
    assert_eq!(case.decisions.as_ref().unwrap().len(), 1);
    assert!(case.refusals.as_ref().unwrap().is_empty());
}

#[test]
fn what_an_event_says_of_itself_stays() {
    let check = |event: &str, id: &str, time: Option<&str>| {
        let text = SUITE.replace("type: identify, userId: u1 }", event);
        let event = &suite(&text).cases[0].events[0].event;
        assert_eq!(event.message_id.as_deref(), Some(id));
        let found = event.timestamp.map(|time| time.to_string());
        assert_eq!(found.as_deref(), time);
    };
    let at = Some("2026-01-26T11:00:00Z");
    check("type: page, userId: u, messageId: m }", "m", at);
    check(
        "type: page, userId: u, timestamp: \"2026-01-01T00:00:00Z\" }",
        "event-1",
        Some("2026-01-01T00:00:00Z"),
    );
    check(
        "type: page, userId: u, originalTimestamp: \"2026-01-01T00:00:00Z\" }",
        "event-1",
        None,
    );
    // What the SDKs send beside it is taken and not read.
    check(
        "type: page, userId: u, integrations: {}, receivedAt: x }",
        "event-1",
        at,
    );
}
