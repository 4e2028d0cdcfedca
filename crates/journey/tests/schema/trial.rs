//! Does the schema of test files agree with what reads them?

use serde_json::Value;
use wayfare_journey::diagnostic::Diagnostic;
use wayfare_journey::{Graph, Known, compile, trial};

use super::{agreement, schema};

const TESTED: &str = r#"
journey: greet
description: Greet somebody.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  calm: { wait: 1h, then: tell }
  tell:
    webhook:
      method: POST
      url: https://mail.example.com/signups
      consent: { basis: contract, because: the contract asks for it }
      payload: { id: "{profile.profileId}" }
"#;

const EVERYTHING: &str = r#"
journey: greet
with: [part]
tests:
  - name: everything that can be said
    events:
      - at: "2026-01-26T11:00:00Z"
        type: identify
        messageId: m1
        userId: u1
        anonymousId: a1
        traits: { email: kim@example.com }
        context: { ip: 192.0.2.1 }
        historical: false
      - at: "+1m"
        type: consent
        email: kim@example.com
        phone: null
        category: marketing
        action: accept
        channel: email
        validFrom: "2026-01-26T11:00:00Z"
        validUntil: "2027-01-26T11:00:00Z"
        source: form
        method: double_opt_in
        notice: v1
        regulation: gdpr
      - { at: "+2m", type: group, userId: u1, groupId: g1, sentAt: "2026-01-26T11:02:00Z", originalTimestamp: "2026-01-26T11:02:00Z" }
      - { at: "+2m", type: page, userId: u1, name: Pricing, timestamp: "2026-01-26T11:00:00Z" }
      - { at: "+2m", type: alias, userId: u1, previousId: u0 }
      - { at: "+3m", type: track, userId: u1, event: Signup Completed, properties: { a: 1 } }
    advance: 3d
    respond: [503, timeout, 200]
    expect:
      - at: "+3m"
        journey: greet
        block: tell
        method: POST
        url: { $matches: "^https" }
        payload: { id: { $any: true } }
        headers: { X-Source: wayfare }
        profile: { $any: true }
        key: null
    decisions:
      - { at: "+3m", journey: greet, block: tell, outcome: webhook, reason: none, profile: usr_1, key: k }
    refused:
      - { at: "+3m", journey: greet, reason: condition, messageId: m1, leaf: "a == 1", value: "2" }
    never: [calm]
"#;

fn test_schema() -> Value {
    serde_json::from_str(wayfare_journey::schema::TEST).unwrap()
}

fn read(text: &str) -> Vec<Diagnostic> {
    let graph = |text: &str| -> Graph { compile(text, &Known::default()).unwrap().graph };
    let graphs = [
        graph(TESTED),
        graph(&TESTED.replace("journey: greet", "journey: part")),
    ];
    trial::read(text, &graphs).err().unwrap_or_default()
}

#[test]
fn schema_and_reader_of_tests_know_the_same_keys_and_words() {
    agreement::check(&test_schema(), &[EVERYTHING], &read);
}

#[test]
fn the_tests_of_the_shipped_journeys_validate() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../journeys");
    let schema = test_schema();
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.to_str().unwrap().ends_with(".test.yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let problems = schema::problems(&schema, &schema, &schema::json(&text));
            assert_eq!(problems, Vec::<String>::new(), "{}", path.display());
            count += 1;
        }
    }
    assert!(count > 0);
}
