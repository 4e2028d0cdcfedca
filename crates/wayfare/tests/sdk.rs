//! Does an existing SDK find here what it is used to (the cases E06 to E19 that concern HTTP)?

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[expect(dead_code, reason = "other tests start what is shipped")]
#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/scratch.rs"]
mod scratch;
#[expect(dead_code, reason = "other tests look at deliveries")]
#[path = "at_work/server.rs"]
mod server;

use program::parse;
use scratch::directory;
use serde_json::{Value, json};
use server::{Server, held};
use tempfile::TempDir;

const CONFIG: &str = "server: { keys: [{ id: web, kind: browser, key: { env: WEB_KEY } }] }\n";
const KEY: &str = "Authorization: Basic azE6";

/// Whoever viewed something is told where, and when it happened.
const VIEW: &str = r#"
journey: view
description: Tell what was viewed.
trigger: { event: Viewed }
entry: { again: once }
blocks:
  tell:
    webhook:
      method: POST
      url: https://crm.example.com/views
      consent: { basis: contract, because: it is a test }
      identity: any
      payload:
        at: "{trigger.timestamp}"
        ip: "{trigger.context.ip}"
        locale: "{trigger.context.locale}"
"#;

fn house() -> TempDir {
    directory(&[("view.yaml", VIEW), ("wayfare.yaml", CONFIG)])
}

/// Statuses and codes of single events.
#[test]
fn single_events_are_answered_as_the_cases_have_it() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    let check =
        |id: &str, (path, headers): (&str, &[&str]), event: Value, expected: (u16, &str)| {
            let (status, code) =
                server.code(&format!("POST /v1/{path}"), headers, &event.to_string());
            assert_eq!((status, code.as_str()), expected, "{id}");
        };
    let plain = ["Content-Type: text/plain"];
    let letter = json!({"writeKey": "k1", "userId": "u", "event": "x"});
    check("E08", ("t", &plain), letter, (200, ""));
    let event = || json!({"userId": "u", "event": "x"});
    // `k1` without a colon, and `k1:""`.
    check(
        "E09",
        ("track", &["Authorization: Basic azE="]),
        event(),
        (200, ""),
    );
    check(
        "E09",
        ("track", &["Authorization: Basic azE6IiI="]),
        event(),
        (200, ""),
    );
    let nameless = json!({"userId": "u"});
    check("E10", ("track", &[KEY]), nameless, (400, "no_event_name"));
    let blank = json!({"userId": "  ", "event": "x"});
    check("E11", ("track", &[KEY]), blank, (400, "no_identifier"));
    let long = json!({"userId": "u", "event": "x", "messageId": "m".repeat(101)});
    check("E13", ("track", &[KEY]), long, (400, "too_long"));
    let traits: serde_json::Map<String, Value> =
        (0..301).map(|n| (format!("t{n}"), n.into())).collect();
    let many = json!({"userId": "u", "traits": traits});
    check("E15", ("identify", &[KEY]), many, (400, "too_many_traits"));
    server.stop();
}

#[test]
fn a_batch_is_answered_item_by_item() {
    let directory = house();
    let mut server = Server::start(&directory, "127.0.0.1", "builtin");
    let day = |time: &str| format!("2020-01-26T{time}Z");
    let batch = json!({
        "sentAt": day("10:00:05"),
        "context": {"ip": "A"},
        "batch": [
            {"type": "track", "userId": "u", "event": "Viewed", "timestamp": day("10:00:00"),
             "context": {"ip": "B", "locale": "de"}},
            {"type": "track", "userId": "u"},
            {"type": "track", "userId": "u", "event": "x", "pad": "x".repeat(33 * 1024)},
        ],
    });
    let (_, answer) = server.send("POST /v1/batch", &[KEY], &batch.to_string());
    let rejected = answer["rejected"].as_array().unwrap().iter();
    let rejected: Vec<(u64, &str)> = rejected
        .map(|it| (it["index"].as_u64().unwrap(), it["code"].as_str().unwrap()))
        .collect();
    // E10 and E19.
    assert_eq!(rejected, [(1, "no_event_name"), (2, "too_large")]);
    let decision = server.line("decision");
    let body = &decision["request"]["body"];
    // E07.
    assert_eq!((&body["ip"], &body["locale"]), (&json!("B"), &json!("de")));
    // E06: sent by a clock that is years behind, five seconds after it happened.
    let at = body["at"].as_str().unwrap();
    assert!(!at.starts_with("2020"), "{at}");
    server.stop();
}

#[test]
fn what_names_nobody_by_its_kind_names_nobody() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    let context = json!({
        // E16: an id without its encoding; E17: an advertising id.
        "externalIds": [{"id": "x-1", "type": "user_id", "collection": "users"}],
        "device": {"type": "ios", "id": "d-1", "advertisingId": "ad-1", "adTrackingEnabled": false},
    });
    let event = json!({"userId": "u", "traits": {"plan": null, "city": ""}, "context": context});
    assert_eq!(
        server
            .code("POST /v1/identify", &[KEY], &event.to_string())
            .0,
        200
    );
    server.stop();
    let answer = held(directory.path(), &["profile", "user_id:u"]);
    let profile = parse(&answer.out);
    let identifiers = profile["identifiers"].as_array().unwrap().iter();
    let values: Vec<&str> = identifiers
        .map(|it| it["value"].as_str().unwrap())
        .collect();
    assert_eq!(values, ["u", "d-1"]);
    // E14: without a value there is none, and an empty text is one.
    assert_eq!(profile["traits"]["plan"], Value::Null);
    assert_eq!(profile["traits"]["city"], "");
}
