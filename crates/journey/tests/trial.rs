//! Is every mistake in a test file told where it stands, and is what came of a case compared as its
//! author means it?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::sync::Arc;

use wayfare_event::{Map, Value};
use wayfare_journey::diagnostic::Code;
use wayfare_journey::trial::{self, Answer, Case, Seen, Suite};
use wayfare_journey::{Graph, Known, compile};

const JOURNEY: &str = include_str!("../../../journeys/plan-upgrade.yaml");
const OTHER: &str = include_str!("../../../journeys/consent-revocation.yaml");

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

/// An edit of the file, the code it makes, what is underlined, and words of the message or hint.
type Row = (
    (&'static str, &'static str),
    Code,
    &'static str,
    &'static str,
);

const MISTAKES: [Row; 28] = [
    (
        ("journey: plan-upgrade", "journey: plan-upgrad"),
        Code::UnknownTested,
        "plan-upgrad",
        "did you mean `plan-upgrade`?",
    ),
    (
        ("with: [consent-revocation]", "with: [nothing]"),
        Code::UnknownTested,
        "nothing",
        "there are: consent-revocation, plan-upgrade",
    ),
    (
        ("with: [consent-revocation]\n", ""),
        Code::UnknownTestBlock,
        "unsubscribe",
        "its blocks are paid_plan, sync_billing, not_paid",
    ),
    (
        ("with: [consent-revocation]\n", ""),
        Code::UnknownTested,
        "consent-revocation",
        "name it under `with:`",
    ),
    (
        ("block: sync_billing", "block: sync_biling"),
        Code::UnknownTestBlock,
        "sync_biling",
        "did you mean `sync_billing`?",
    ),
    (
        ("never: [not_paid]", "never: [unsubscribe]"),
        Code::UnknownTestBlock,
        "unsubscribe",
        "`plan-upgrade` has no block",
    ),
    (
        ("advance:", "advnace:"),
        Code::UnknownKey,
        "advnace",
        "did you mean `advance`?",
    ),
    (
        ("method: PUT", "metod: PUT"),
        Code::UnknownKey,
        "metod",
        "did you mean `method`?",
    ),
    (
        ("properties: {", "propertis: {"),
        Code::UnknownKey,
        "propertis",
        "did you mean `properties`?",
    ),
    (
        ("    expect:\n", "    expct:\n"),
        Code::MissingKey,
        "name",
        "`expect: []`",
    ),
    (
        ("at: \"2026-01-26T11:00:00Z\", ", ""),
        Code::MissingKey,
        "type",
        "when it comes in",
    ),
    (
        ("advance: 3d", "advance: 3 days"),
        Code::InvalidDuration,
        "3 days",
        "`36h`",
    ),
    (
        ("at: \"2026-01-26T11:00:00Z\"", "at: noon"),
        Code::TestTime,
        "noon",
        "\"+2m\" after the first event",
    ),
    (
        ("at: \"2026-01-26T11:00:00Z\"", "at: \"+1m\""),
        Code::TestTime,
        "\"+1m\"",
        "a whole time",
    ),
    (
        ("at: \"+2m\", type", "at: \"2026-01-26T10:59:59Z\", type"),
        Code::TestTime,
        "\"2026-01-26T10:59:59Z\"",
        "a `timestamp:` of its own",
    ),
    (
        ("- at: \"+2m\"", "- at: \"+2 minutes\""),
        Code::TestTime,
        "\"+2 minutes\"",
        "\"+90s\"",
    ),
    (
        ("$any: true", "$any: false"),
        Code::Matcher,
        "false",
        "{$any: true}",
    ),
    (
        ("$any: true", "$any: true, b: 1"),
        Code::Matcher,
        "$any",
        "one key",
    ),
    (
        ("$any: true", "$ayn: true"),
        Code::Matcher,
        "$ayn",
        "did you mean `$any`?",
    ),
    (
        ("$matches: \"^x\"", "$matches: \"(x\""),
        Code::Matcher,
        "\"(x\"",
        "unclosed group",
    ),
    (
        ("$matches: \"^x\"", "$matches: 7"),
        Code::Matcher,
        "7",
        "as text",
    ),
    (
        ("type: track, ", "type: trak, "),
        Code::TestEvent,
        "{ at: \"+2m\", type: trak, userId: u1, event: Plan Upgraded, properties: { count: 1.10 } }",
        "`trak`",
    ),
    (
        (
            "    never: [not_paid]\n",
            "    never: [not_paid]\n  - { name: one, events: [{ at: \"2026-01-26\", type: page, userId: u }], expect: [] }\n",
        ),
        Code::DuplicateTest,
        "one",
        "say what this one shows",
    ),
    (
        ("[503, timeout, reset, refuse, 200]", "[99]"),
        Code::InvalidValue,
        "99",
        "from 200 to 599",
    ),
    (
        ("[503, timeout, reset, refuse, 200]", "[slow]"),
        Code::InvalidValue,
        "slow",
        "`timeout`",
    ),
    (
        ("method: PUT", "method: PATCH"),
        Code::InvalidValue,
        "PATCH",
        "POST, PUT, DELETE",
    ),
    (
        ("refused: []", "refused: none"),
        Code::WrongShape,
        "none",
        "`[]` means that none may come",
    ),
    (
        ("never: [not_paid]", "never: not_paid"),
        Code::WrongShape,
        "not_paid",
        "a list of blocks",
    ),
];

#[test]
fn every_mistake_is_told_where_it_stands_with_what_to_do() {
    let graphs = graphs();
    for ((line, replacement), code, underlined, words) in MISTAKES {
        assert_eq!(SUITE.matches(line).count(), 1, "{line}");
        let text = SUITE.replace(line, replacement);
        let problems = trial::read(&text, &graphs).unwrap_err();
        let found = problems.iter().any(|problem| {
            let said = format!(
                "{}; {}",
                problem.message,
                problem.hint.as_deref().unwrap_or("")
            );
            problem.code == code
                && text.get(problem.span.range()) == Some(underlined)
                && said.contains(words)
        });
        assert!(found, "{replacement}: {problems:#?}");
    }
    let of_tests = |code: &&Code| code.as_str().starts_with("J07");
    for code in Code::ALL.iter().filter(of_tests) {
        assert!(MISTAKES.iter().any(|(_, made, ..)| made == code), "{code}");
    }
}

#[test]
fn a_file_that_ends_anywhere_is_told_and_nothing_else_happens() {
    let graphs = graphs();
    for end in 0..SUITE.len() {
        let text = SUITE.get(..end).unwrap();
        if let Err(problems) = trial::read(text, &graphs) {
            let ends = problems.iter().map(|problem| problem.span.end);
            assert!(ends.max().unwrap() <= end, "{text}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_order() {
    let text = SUITE
        .replace("journey: plan-upgrade", "journey: plan")
        .replace("advance: 3d", "advance: x")
        .replace("$any: true", "$any: 1");
    let problems = trial::read(&text, &graphs()).unwrap_err();
    let codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    let expected = [Code::UnknownTested, Code::InvalidDuration, Code::Matcher];
    assert_eq!(codes, expected);
}

/// A payload as it is written, the rest of a request that came, and what is told of it.
const PAYLOADS: [(&str, &str, &[&str]); 14] = [
    ("{ a: 1, b: [x] }", r#","payload":{"b":["x"],"a":1}"#, &[]),
    ("none", "", &[]),
    (
        "none",
        r#","payload":{}"#,
        &["payload", "expected  nothing", "actual    {}"],
    ),
    ("{ $any: true }", r#","payload":{"a":1}"#, &[]),
    (
        "{ $any: true }",
        "",
        &["payload", "expected  anything", "actual    nothing"],
    ),
    ("{ a: { $any: true } }", r#","payload":{"a":null}"#, &[]),
    (
        "{ $set: { a: 1 }, $add: x, $ip: true }",
        r#","payload":{"$set":{"a":1},"$add":"x","$ip":true}"#,
        &[],
    ),
    (
        "{ a: { $matches: '^x' } }",
        r#","payload":{"a":7}"#,
        &[
            "payload.a",
            "expected  a text that matches ^x",
            "actual    7",
        ],
    ),
    ("{ a: { $matches: '^x' } }", r#","payload":{"a":"xy"}"#, &[]),
    (
        "{ a: 1.1 }",
        r#","payload":{"a":1.10}"#,
        &["payload.a", "expected  1.1", "actual    1.10"],
    ),
    (
        "{ a: '1' }",
        r#","payload":{"a":1}"#,
        &["payload.a", r#"expected  "1""#, "actual    1"],
    ),
    (
        "{ a: { b: 1 } }",
        r#","payload":{"a":{"b":1,"odd key":2},"c":3}"#,
        &[
            "payload.a[\"odd key\"]",
            "expected  nothing",
            "actual    2",
            "payload.c",
            "expected  nothing",
            "actual    3",
        ],
    ),
    (
        "[1, 2]",
        r#","payload":[1,3,4]"#,
        &[
            "payload[1]",
            "expected  2",
            "actual    3",
            "payload[2]",
            "expected  nothing",
            "actual    4",
        ],
    ),
    (
        "{ a: null }",
        r#","payload":{}"#,
        &["payload.a", "expected  null", "actual    nothing"],
    ),
];

#[test]
fn a_payload_is_exact_but_for_its_matchers() {
    for (pattern, payload, expected) in PAYLOADS {
        let case = expecting(&format!("[{{ payload: {pattern} }}]"));
        let seen = Seen {
            requests: vec![map(&format!(r#"{{"block":"b"{payload}}}"#))],
            ..Seen::default()
        };
        let told: Vec<String> = case.judge(&seen).iter().map(ToString::to_string).collect();
        let lines: Vec<&str> = told
            .iter()
            .flat_map(|it| it.lines().skip(1).map(str::trim))
            .collect();
        assert_eq!(lines, expected, "{pattern} and {payload}");
    }
}

#[test]
fn one_that_is_missing_or_too_many_is_told_as_that() {
    let check = |expected: &[&str], came: &[&str], told: &[&str]| {
        let listed: Vec<String> = expected
            .iter()
            .map(|url| format!("{{ url: {url} }}"))
            .collect();
        let case = expecting(&format!("[{}]", listed.join(", ")));
        let request = |url: &&str| map(&format!(r#"{{"url":"{url}","headers":{{"a":"b"}}}}"#));
        let seen = Seen {
            requests: came.iter().map(request).collect(),
            ..Seen::default()
        };
        let found: Vec<String> = case.judge(&seen).iter().map(ToString::to_string).collect();
        assert_eq!(found, told, "{expected:?} {came:?}");
    };
    check(&["a", "b"], &["a", "b"], &[]);
    check(&[], &[], &[]);
    check(
        &[],
        &["a"],
        &["request 1 came and is not expected\n  url       a"],
    );
    check(&["a"], &[], &["request 1 did not come\n  url       a"]);
    check(
        &["a", "b", "c"],
        &["a", "c"],
        &["request 2 did not come\n  url       b"],
    );
    check(
        &["a", "c"],
        &["a", "b", "c"],
        &["request 2 came and is not expected\n  url       b"],
    );
    check(
        &["a", "a"],
        &["a"],
        &["request 2 did not come\n  url       a"],
    );
    check(
        &["a", "b"],
        &["b", "a"],
        &[
            "request 1 is not as expected\n  url\n    expected  \"a\"\n    actual    \"b\"",
            "request 2 is not as expected\n  url\n    expected  \"b\"\n    actual    \"a\"",
        ],
    );
}

#[test]
fn headers_are_looked_for_whatever_their_case() {
    let case = expecting("[{ headers: { X-Source: wayfare, x-other: { $any: true } } }]");
    let seen = |headers: &str| Seen {
        requests: vec![map(&format!(r#"{{"headers":{headers}}}"#))],
        ..Seen::default()
    };
    let all = seen(r#"{"x-source":"wayfare","x-other":"1","more":"2"}"#);
    assert_eq!(case.judge(&all), []);
    let told = case.judge(&seen(r#"{"x-source":"Wayfare"}"#));
    assert_eq!(
        told[0].to_string(),
        "request 1 is not as expected\n  headers[\"x-source\"]\n    expected  \"wayfare\"\n    \
         actual    \"Wayfare\"\n  headers[\"x-other\"]\n    expected  anything\n    actual    nothing"
    );
}
