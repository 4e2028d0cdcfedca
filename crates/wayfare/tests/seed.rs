//! Are the three requests of the document that this began with sent exactly as it shows them? Only
//! the derived `profileId` differs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/receiver.rs"]
mod receiver;

use std::path::Path;

use base64::Engine as _;
use program::{Answer, shipped};

/// A live example of the document.
struct Example {
    journey: &'static str,
    method: &'static str,
    url: &'static str,
    /// Exactly as it stands there.
    payload: &'static str,
    authorization: fn() -> String,
}

const EXAMPLES: [Example; 3] = [
    Example {
        journey: "signup-lead",
        method: "POST",
        url: "https://api.crm.example.com/leads",
        payload: r#"{
  "eventTitle": "Signup Completed",
  "timestamp": "2026-01-26T10:12:45Z",
  "profile": {
    "profileId": "usr_12ab45c99d77",
    "email": "user@example.com",
    "firstName": "Alex",
    "plan": "free"
  }
}"#,
        authorization: || "Bearer stand-in-for-env-CRM_TOKEN".to_owned(),
    },
    Example {
        journey: "plan-upgrade",
        method: "PUT",
        // `{accountId}` of the payload.
        url: "https://billing.example.com/accounts/acc_a9213fbb892",
        payload: r#"{
  "eventTitle": "Plan Upgraded",
  "timestamp": "2026-01-26T11:02:19Z",
  "account": {
    "accountId": "acc_a9213fbb892",
    "previousPlan": "starter",
    "currentPlan": "pro"
  },
  "profile": {
    "profileId": "usr_12ab45c99d77",
    "email": "user@example.com"
  }
}"#,
        authorization: || "Bearer stand-in-for-env-BILLING_TOKEN".to_owned(),
    },
    Example {
        journey: "consent-revocation",
        method: "DELETE",
        // `{email}` of the payload, as a path segment carries it.
        url: "https://email.example.com/subscribers/user%40example.com",
        payload: r#"{
  "eventTitle": "Consent Revoked",
  "timestamp": "2026-01-26T11:45:10Z",
  "profile": {
    "email": "user@example.com"
  },
  "consent": {
    "category": "marketing",
    "action": "decline"
  }
}"#,
        authorization: || {
            let pair = "wayfare:stand-in-for-env-EMAIL_PASSWORD";
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            format!("Basic {encoded}")
        },
    },
];

/// The payload as it is sent: without the layout, and with the profile's id.
fn body(example: &Example, profile: &str) -> String {
    let lines = example.payload.lines().map(|line| line.trim_start());
    let packed: String = lines.map(|line| line.replacen("\": ", "\":", 1)).collect();
    packed.replace("usr_12ab45c99d77", profile)
}

const ARGUMENTS: [&str; 4] = [
    "--events",
    "journeys/sample-events.ndjson",
    "--clock",
    "events",
];

fn root() -> std::path::PathBuf {
    shipped("")
}

fn decision(answer: &Answer, journey: &str) -> serde_json::Value {
    let mut decisions = answer.of_kind("decision").into_iter();
    let mut found = decisions.by_ref().filter(|it| it["journey"] == journey);
    let decision = found.next().unwrap();
    assert!(found.next().is_none(), "one outcome, one request");
    decision
}

fn dry(directory: &Path) -> Answer {
    let answer = Answer::of(program::run(
        directory,
        &[&ARGUMENTS[..], &["--dry-run"]].concat(),
    ));
    assert_eq!(answer.status, 0, "{}", answer.err);
    answer
}

#[test]
fn a_dry_run_prints_the_requests_of_the_document() {
    let answer = dry(&root());
    for example in &EXAMPLES {
        let decision = decision(&answer, example.journey);
        let request = &decision["request"];
        assert_eq!(decision["outcome"], "webhook");
        assert_eq!(request["method"], example.method);
        assert_eq!(request["url"], example.url);
        let profile = decision["profileId"].as_str().unwrap();
        let id = decision["decisionId"].as_str().unwrap();
        let printed = answer.out.lines().find(|line| line.contains(id)).unwrap();
        let body = format!("\"body\":{}}}}}", body(example, profile));
        assert!(printed.ends_with(&body), "{printed}\n{body}");
    }
}

#[test]
fn a_dry_run_shows_no_secret_not_even_a_stand_in() {
    let answer = dry(&root());
    for example in &EXAMPLES {
        let decision = decision(&answer, example.journey);
        let shown = &decision["request"]["headers"]["Authorization"];
        let scheme = (example.authorization)();
        let scheme = scheme.split(' ').next().unwrap();
        assert_eq!(*shown, format!("{scheme} [redacted]"));
    }
    assert!(!answer.out.contains("stand-in"), "{}", answer.out);
}

#[test]
fn a_receiver_gets_the_requests_of_the_document_byte_for_byte() {
    let (address, inbox) = receiver::listen();
    let receiver = address.to_string();
    let arguments = [&ARGUMENTS[..], &["--receiver", &receiver]].concat();
    let running = program::run(&root(), &arguments).spawn().unwrap();
    let mut arrived = Vec::new();
    // The three, and the reminder of the cart.
    for _ in 0..4 {
        let request = receiver::next(&inbox);
        request.answer(if request.line.starts_with("DELETE") {
            204
        } else {
            200
        });
        arrived.push(request);
    }
    let answer = Answer::after(running);
    assert_eq!(answer.status, 0, "{}", answer.err);
    for example in &EXAMPLES {
        let decision = decision(&answer, example.journey);
        let profile = decision["profileId"].as_str().unwrap();
        let delivery = decision["deliveryId"].as_str().unwrap();
        let (host, path) = example
            .url
            .strip_prefix("https://")
            .unwrap()
            .split_once('/')
            .unwrap();
        let mut own = arrived
            .iter()
            .filter(|it| it.header("webhook-id") == delivery);
        let request = own.next().unwrap();
        assert!(own.next().is_none(), "{delivery} came twice");
        assert_eq!(request.line, format!("{} /{path}", example.method));
        assert_eq!(request.header("host"), host);
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("idempotency-key"), format!("\"{delivery}\""));
        assert_eq!(request.header("authorization"), (example.authorization)());
        assert_eq!(request.body, body(example, profile));
        let mut deliveries = answer.of_kind("delivery").into_iter();
        let last = deliveries.rfind(|it| it["deliveryId"] == delivery).unwrap();
        assert_eq!(last["state"], "delivered");
        assert_eq!(last["attempt"], 1);
    }
}

#[test]
fn the_builtin_receiver_gets_each_request_once() {
    let arguments = [
        &ARGUMENTS[..],
        &["--advance", "1h", "--receiver", "builtin"],
    ]
    .concat();
    let answer = Answer::of(program::run(&root(), &arguments));
    assert_eq!(answer.status, 0, "{}", answer.err);
    let told = "receiver    4 requests, 0 of them second copies";
    assert!(answer.err.contains(told), "{}", answer.err);
    assert!(answer.err.contains("deliveries  4: delivered 4"));
}
