//! What does a payload say when values are there, missing, null or empty, and what does a failure
//! say? URLs, headers and what a profile may hold are the data files of `templates`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken fixture should fail its test"
)]

use std::sync::Arc;

use wayfare_event::{Map, Timestamp, Value};
use wayfare_journey::expression::Scope;
use wayfare_journey::{Block, Known, RenderError, Rendered, Unfit, compile};

const PROFILE: &str = r#"{"profileId":"usr_1","email":"a@b.example","firstName":"Ada",
    "empty":"","nothing":null,"flag":true,"big":99999999999999999999998,"price":1.10,
    "tags":["a","b"],"home":{"city":"Paris"},"line":"a\r\nX: y","accent":"é","braces":"{profile.email}",
    "long":"LONG","quote":"say \"hi\"\n"}"#;
const EVENT: &str = r#"{"name":"Order Placed","type":"track","timestamp":"2026-01-26T10:00:00Z",
    "messageId":"m1","properties":{"total":120.50},"context":{}}"#;

fn map(text: &str) -> Map {
    match Value::parse(text) {
        Ok(Value::Map(map)) => map,
        other => panic!("{other:?}"),
    }
}

/// The request of a journey whose webhook has these lines.
fn rendered(lines: &str) -> Result<Rendered, RenderError> {
    let text = format!(
        "journey: j\ndescription: d\ntrigger: {{ event: Order Placed }}\nentry: {{ again: once }}\n\
         blocks:\n  send:\n    webhook:\n      method: POST\n      \
         consent: {{ basis: contract, because: b }}\n{lines}"
    );
    let categories: [Arc<str>; 0] = [];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    let graph = compile(&text, &known)
        .unwrap_or_else(|problems| panic!("{text}\n{problems:?}"))
        .graph;
    let Block::Webhook(webhook) = graph.block(graph.start()) else {
        panic!("a webhook")
    };
    let profile = PROFILE.replace("LONG", &"x".repeat(5_000));
    let (event, profile) = (map(EVENT), map(&profile));
    let journey = map(r#"{"id":"j","title":"Title","version":"0"}"#);
    webhook.render(&Scope {
        event: Some(&event),
        trigger: Some(&event),
        change: None,
        delivery: None,
        profile: &profile,
        account: None,
        journey: &journey,
        entry: None,
        named: &[],
        choice: &|_| "unknown",
        may_ask: &|_| true,
        seen: &|_| None,
        now: "2026-01-26T10:00:05Z".parse::<Timestamp>().unwrap(),
    })
}

const URL: &str = "      url: https://x.example/a\n";

fn body(payload: &str) -> Result<String, RenderError> {
    let lines = format!("{URL}      payload: {payload}\n");
    rendered(&lines).map(|request| request.body.unwrap().to_string())
}

fn header(value: &str) -> Result<String, RenderError> {
    let lines = format!("{URL}      payload: {{}}\n      headers: {{ X-A: {value} }}\n");
    rendered(&lines).map(|request| request.headers[0].1.clone())
}

fn url(url: &str) -> Result<String, RenderError> {
    rendered(&format!("      url: {url}\n      payload: {{}}\n")).map(|request| request.url)
}

fn unfit<T: std::fmt::Debug>(result: Result<T, RenderError>) -> Unfit {
    result.unwrap_err().found
}

#[test]
fn a_value_that_is_the_whole_of_a_place_keeps_its_type() {
    let check = |payload: &str, expected: &str| {
        assert_eq!(body(payload).as_deref(), Ok(expected), "{payload}");
    };
    check("{ a: \"{profile.email}\" }", r#"{"a":"a@b.example"}"#);
    check("{ a: \"{profile.flag}\" }", r#"{"a":true}"#);
    check(
        "{ a: \"{profile.big}\" }",
        r#"{"a":99999999999999999999998}"#,
    );
    check(
        "{ a: \"{profile.price}\", b: 1.10 }",
        r#"{"a":1.10,"b":1.10}"#,
    );
    check("{ a: \"{profile.tags}\" }", r#"{"a":["a","b"]}"#);
    check("{ a: \"{profile.home}\" }", r#"{"a":{"city":"Paris"}}"#);
    check("\"{profile.tags}\"", r#"["a","b"]"#);
    check("{ a: \"{now}\" }", r#"{"a":"2026-01-26T10:00:05Z"}"#);
    check(
        "{ a: \"{now + duration('1.5s')}\" }",
        r#"{"a":"2026-01-26T10:00:06.500Z"}"#,
    );
    check("{ a: \"{profile.price * 2}\" }", r#"{"a":2.2}"#);
    check("{ a: \"{-1.10}\", b: -1.10 }", r#"{"a":-1.10,"b":-1.10}"#);
    check("{ a: \"{profile.price > 1}\" }", r#"{"a":true}"#);
    check("{ a: \"{['x', profile.flag]}\" }", r#"{"a":["x",true]}"#);
    check("{ a: \" {profile.flag}\" }", r#"{"a":" true"}"#);
    check(
        "{ a: \"{profile.flag}{profile.flag}\" }",
        r#"{"a":"truetrue"}"#,
    );
    check("{ a: \"{ profile.flag }\" }", r#"{"a":true}"#);
    check(
        "{ a: \"{event.timestamp}\" }",
        r#"{"a":"2026-01-26T10:00:00Z"}"#,
    );
    check(
        "{ z: 1, a: 2, m: true, n: null }",
        r#"{"z":1,"a":2,"m":true,"n":null}"#,
    );
}

#[test]
fn a_whole_value_that_is_absent_is_left_out_and_null_and_empty_stay() {
    let check = |payload: &str, expected: &str| {
        assert_eq!(body(payload).as_deref(), Ok(expected), "{payload}");
    };
    check("{ a: \"{profile.gone}\", b: 1 }", r#"{"b":1}"#);
    check("{ a: \"{profile.nothing}\" }", r#"{"a":null}"#);
    check("{ a: \"{profile.empty}\" }", r#"{"a":""}"#);
    check("[ \"{profile.gone}\", 1 ]", "[null,1]");
    check(
        "[ \"{profile.nothing}\", \"{profile.empty}\" ]",
        r#"[null,""]"#,
    );
    check("{ a: { b: \"{profile.gone}\" } }", r#"{"a":{}}"#);
    check("{ a: [ { b: \"{profile.gone}\" } ] }", r#"{"a":[{}]}"#);
    check("{ \"{{a}}\": 1 }", r#"{"{a}":1}"#);
    check("{ a: \"{profile.gone ?? 'x'}\" }", r#"{"a":"x"}"#);
    // Only a bare path can be absent; everything else has a value.
    check("{ a: \"{profile.gone ?? profile.gone}\" }", r#"{"a":null}"#);
    check("{ a: \"{(profile.gone)}\" }", "{}");
    check("{ a: \"{profile.gone + 1}\" }", r#"{"a":null}"#);
    check(
        "{ a: \"{profile.home.street}\", b: \"{profile.flag.x}\" }",
        "{}",
    );
    check("{ a: \"{properties.gone}\", b: \"{account.tier}\" }", "{}");
    check("[ \"{profile.gone}\" ]", "[null]");
    check("\"{profile.gone}\"", "null");
}

#[test]
fn inside_a_longer_text_what_is_missing_fails_and_empty_is_empty() {
    let check = |text: &str, expected: &str| {
        let payload = format!("{{ a: {text} }}");
        let expected = format!(r#"{{"a":{expected}}}"#);
        assert_eq!(body(&payload), Ok(expected), "{text}");
    };
    check("\"Hi {profile.firstName}\"", "\"Hi Ada\"");
    check(
        "\"{profile.price} and {profile.flag}\"",
        "\"1.10 and true\"",
    );
    check("\"<{profile.empty}>\"", "\"<>\"");
    check("\"{profile.empty}{profile.empty}\"", "\"\"");
    check("\"Hi {profile.gone ?? 'you'}\"", "\"Hi you\"");
    check("\"{{profile.email}}\"", "\"{profile.email}\"");
    check("\"at {now}\"", "\"at 2026-01-26T10:00:05Z\"");
    let fails = |text: &str, found: Unfit| {
        assert_eq!(unfit(body(&format!("{{ a: {text} }}"))), found, "{text}");
    };
    fails("\"Hi {profile.gone}\"", Unfit::Absent);
    fails("\"Hi {profile.nothing}\"", Unfit::Null);
    fails("\"Hi {profile.gone ?? null}\"", Unfit::Null);
    fails("\"Hi {profile.gone + 1}\"", Unfit::Null);
    fails("\"Hi {last('Never')}\"", Unfit::Null);
    fails("\"Hi {profile.tags}\"", Unfit::Composite);
    fails("\"Hi {profile.home}\"", Unfit::Composite);
}

#[test]
fn a_failure_says_where_what_and_why() {
    let check = |result: Result<String, RenderError>, expected: &str| {
        assert_eq!(result.unwrap_err().to_string(), expected);
    };
    check(
        body("{ a: { b: \"Hi {profile.gone}\" } }"),
        "`{profile.gone}` in `payload.a.b` is absent",
    );
    check(
        header("\"{profile.empty}\""),
        "`{profile.empty}` in header `X-A` is empty",
    );
    check(
        url("https://x.example/{nothing}"),
        "`{profile.nothing}` in the url is null",
    );
}
