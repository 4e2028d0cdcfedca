//! Do the shipped journeys send the requests of the document they come from? Method, URL, keys,
//! order, types and values; only the `profileId` is one of our own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken fixture should fail its test"
)]

use std::sync::Arc;

use wayfare_event::{Map, Value};
use wayfare_journey::definition::Method;
use wayfare_journey::expression::Scope;
use wayfare_journey::{Block, Graph, Known, Rendered, compile};

const PROFILE_ID: &str = "usr_12ab45c99d77";

/// What was there when the decision fell.
#[derive(Default)]
struct Sample {
    now: &'static str,
    event: &'static str,
    change: &'static str,
    profile: &'static str,
    account: &'static str,
    entry: &'static str,
}

fn map(json: &str) -> Option<Map> {
    match Value::parse(json) {
        Ok(Value::Map(map)) => Some(map),
        Ok(_) => panic!("{json}"),
        Err(_) => None,
    }
}

fn graph(file: &str) -> Graph {
    let categories: [Arc<str>; 1] = ["marketing".into()];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    compile(file, &known).unwrap().graph
}

fn rendered(file: &str, block: &str, sample: &Sample) -> Rendered {
    let graph = graph(file);
    let Block::Webhook(webhook) = graph.block(graph.find(block).unwrap()) else {
        panic!("{block} is no webhook")
    };
    let mut profile = map(sample.profile).unwrap();
    profile.insert("profileId", Value::from(PROFILE_ID));
    let mut journey = Map::new();
    journey.insert("id", Value::from(&**graph.id()));
    journey.insert("title", Value::from(graph.title()));
    let (event, change) = (map(sample.event), map(sample.change));
    let (account, entry) = (map(sample.account), map(sample.entry));
    let scope = Scope {
        event: event.as_ref(),
        trigger: event.as_ref(),
        change: change.as_ref(),
        delivery: None,
        profile: &profile,
        account: account.as_ref(),
        journey: &journey,
        entry: entry.as_ref(),
        named: &[],
        choice: &|_| "unknown",
        may_ask: &|_| true,
        seen: &|_| None,
        now: sample.now.parse().unwrap(),
    };
    webhook.render(&scope).unwrap()
}

fn check((file, block): (&str, &str), sample: &Sample, expected: (Method, &str, &str)) {
    let request = rendered(file, block, sample);
    let (method, url, body) = expected;
    assert_eq!((request.method, &*request.url), (method, url));
    // Parsed and written again: the layout of the expected text goes, its order and digits stay.
    let body = Value::parse(body).unwrap().to_string();
    assert_eq!(request.body.unwrap().to_string(), body);
    assert_eq!(request.base, None);
}

#[test]
fn a_signup_creates_a_lead() {
    let sample = Sample {
        now: "2026-01-26T10:12:45Z",
        event: r#"{"name":"Signup Completed","type":"track","properties":{}}"#,
        profile: r#"{"plan":"free","firstName":"Alex","email":"user@example.com"}"#,
        ..Sample::default()
    };
    let body = r#"{
      "eventTitle": "Signup Completed",
      "timestamp": "2026-01-26T10:12:45Z",
      "profile": {
        "profileId": "usr_12ab45c99d77",
        "email": "user@example.com",
        "firstName": "Alex",
        "plan": "free"
      }
    }"#;
    let file = include_str!("../../../journeys/signup-lead.yaml");
    let url = "https://api.crm.example.com/leads";
    check((file, "create_lead"), &sample, (Method::Post, url, body));
}

#[test]
fn an_upgrade_reaches_the_account_that_was_upgraded() {
    let sample = Sample {
        now: "2026-01-26T11:02:19Z",
        event: r#"{"name":"Plan Upgraded","type":"track",
            "properties":{"currentPlan":"pro","previousPlan":"starter"}}"#,
        profile: r#"{"email":"user@example.com","plan":"free"}"#,
        account: r#"{"accountId":"acc_a9213fbb892"}"#,
        ..Sample::default()
    };
    let body = r#"{
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
    }"#;
    let file = include_str!("../../../journeys/plan-upgrade.yaml");
    let url = "https://billing.example.com/accounts/acc_a9213fbb892";
    check((file, "sync_billing"), &sample, (Method::Put, url, body));
}

#[test]
fn a_revocation_takes_the_address_off_the_list() {
    let sample = Sample {
        now: "2026-01-26T11:45:10Z",
        change: r#"{"category":"marketing","action":"decline","previous":"accept",
            "address":"user@example.com"}"#,
        profile: r#"{"email":"other@example.com"}"#,
        ..Sample::default()
    };
    let body = r#"{
      "eventTitle": "Consent Revoked",
      "timestamp": "2026-01-26T11:45:10Z",
      "profile": {
        "email": "user@example.com"
      },
      "consent": {
        "category": "marketing",
        "action": "decline"
      }
    }"#;
    let file = include_str!("../../../journeys/consent-revocation.yaml");
    let url = "https://email.example.com/subscribers/user%40example.com";
    check((file, "unsubscribe"), &sample, (Method::Delete, url, body));
}

#[test]
fn a_cart_is_named_by_its_session() {
    let sample = Sample {
        now: "2026-01-26T10:30:00.250Z",
        event: r#"{"name":"add_to_cart","type":"track","properties":{}}"#,
        profile: "{}",
        entry: r#"{"key":"s-7","at":"2026-01-26T10:00:00Z"}"#,
        ..Sample::default()
    };
    let body = r#"{
      "eventTitle": "Cart Abandoned",
      "timestamp": "2026-01-26T10:30:00.250Z",
      "session": "s-7",
      "profile": { "profileId": "usr_12ab45c99d77" }
    }"#;
    let file = include_str!("../../../journeys/cart-recovery.yaml");
    let url = "https://mail.example.com/reminders";
    check((file, "remind"), &sample, (Method::Post, url, body));
}
