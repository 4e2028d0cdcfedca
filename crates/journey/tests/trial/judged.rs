//! Is what came of a case compared as its author means it?

use wayfare_journey::trial::Seen;

use crate::{expecting, map};

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
