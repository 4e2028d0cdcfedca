//! Does a template say what its author means, whatever a profile holds? The rules are rows of the
//! data files beside this one: what stands in URLs, headers and bodies, and what the checker refuses.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use url::Url;
use wayfare_event::{Map, Timestamp, Value};
use wayfare_journey::diagnostic::Diagnostic;
use wayfare_journey::expression::Scope;
use wayfare_journey::{Block, Compiled, Known, RenderError, Rendered, Unfit, compile};

const URLS: &str = include_str!("urls.txt");
const BODIES: &str = include_str!("bodies.txt");
const HEADERS: &str = include_str!("headers.txt");
const REFUSED: &str = include_str!("refused.txt");
const PROFILE: &str = include_str!("profile.json");

/// The rules: `T1` to this one.
const RULES: usize = 27;

/// The rows of a data file: an id and its columns; lines that begin with `#` are remarks.
fn rows<const COLUMNS: usize>(file: &'static str) -> Vec<(&'static str, [&'static str; COLUMNS])> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut columns = line.split(" | ");
            let id = columns.next().unwrap();
            let columns: Vec<&str> = columns.collect();
            (id, columns.try_into().unwrap_or_else(|_| panic!("{line}")))
        })
        .collect()
}

fn map(text: &str) -> Map {
    match Value::parse(text) {
        Ok(Value::Map(map)) => map,
        other => panic!("{other:?}"),
    }
}

/// A journey whose webhook has these lines; a URL and a payload where they give none.
fn compiled(lines: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let others = ["method: POST", "url: https://x.example/a", "payload: {}"];
    let key = lines.split(':').next();
    let others = others.into_iter().filter(|it| it.split(':').next() != key);
    let webhook: String = others.map(|it| format!("      {it}\n")).collect();
    let text = format!(
        "journey: j\ndescription: d\ntrigger: {{ event: A }}\nentry: {{ again: once }}\nblocks:\n  \
         send:\n    webhook:\n      consent: {{ basis: contract, because: b }}\n{webhook}      {lines}\n"
    );
    let categories: [Arc<str>; 0] = [];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    compile(&text, &known)
}

/// The request of such a journey for this profile.
fn rendered(lines: &str, profile: &Map) -> Result<Rendered, RenderError> {
    let compiled = compiled(lines).unwrap_or_else(|problems| panic!("{lines}\n{problems:?}"));
    let Block::Webhook(webhook) = compiled.graph.block(compiled.graph.start()) else {
        panic!("a webhook")
    };
    let journey = map(r#"{"id":"j","title":"Title","version":"0"}"#);
    webhook.render(&Scope {
        event: None,
        trigger: None,
        change: None,
        delivery: None,
        profile,
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

/// What a row expects of a place: a text, or after a `!` why it is not rendered.
fn expect(id: &str, row: &str, found: Result<String, Unfit>, expected: &str) {
    match expected.strip_prefix('!') {
        Some(unfit) => assert_eq!(format!("{:?}", found.unwrap_err()), unfit, "{id} {row}"),
        None => assert_eq!(found.as_deref(), Ok(expected), "{id} {row}"),
    }
}

/// A profile whose trait `v` is this value; nothing stands there for `absent`.
fn profile_with(value: &str) -> Map {
    match value {
        "absent" => Map::new(),
        value => map(&format!("{{\"v\":{value}}}")),
    }
}

#[test]
fn what_stands_in_a_url() {
    for (id, [template, value, expected]) in rows(URLS) {
        let lines = format!("url: \"https://x.example:8443/{template}\"");
        let url = rendered(&lines, &profile_with(value)).map(|request| request.url);
        if let Ok(url) = &url {
            // What a parser makes of it is what was written, and as deep as the template.
            let parsed = Url::parse(url).unwrap();
            assert_eq!(parsed.as_str(), url, "{id} {value}");
            assert_eq!(parsed.host_str(), Some("x.example"), "{id} {value}");
            assert_eq!(parsed.port(), Some(8443), "{id} {value}");
            let path = template.split('?').next().unwrap();
            let depth = path.split('/').count();
            assert_eq!(
                parsed.path_segments().unwrap().count(),
                depth,
                "{id} {value}"
            );
        }
        let rest = url.map_err(|error| error.found);
        let rest = rest.map(|url| url.replace("https://x.example:8443/", ""));
        expect(id, value, rest, expected);
    }
}

#[test]
fn what_stands_in_a_header() {
    for (id, [template, value, expected]) in rows(HEADERS) {
        let lines = format!("headers: {{ X-A: \"{template}\" }}");
        let found = rendered(&lines, &profile_with(value));
        let found = found.map(|request| request.headers[0].1.clone());
        expect(id, value, found.map_err(|error| error.found), expected);
    }
}

#[test]
fn what_stands_in_a_body() {
    let profile = map(PROFILE);
    for (id, [template, expected]) in rows(BODIES) {
        let body = rendered(&format!("payload: {template}"), &profile);
        let body = body.map(|request| request.body.unwrap().to_string());
        if let Ok(body) = &body {
            assert!(Value::parse(body).is_ok(), "{id} {body}");
        }
        expect(id, template, body.map_err(|error| error.found), expected);
    }
}

#[test]
fn what_the_checker_refuses_it_says_what_to_do_about() {
    for (id, [code, lines]) in rows(REFUSED) {
        let problems = compiled(lines).map(drop).unwrap_err();
        let [problem] = problems.as_slice() else {
            panic!("{id} {lines}: {problems:?}")
        };
        assert_eq!(problem.code.to_string(), code, "{id} {lines}: {problem:?}");
        assert!(problem.hint.is_some(), "{id} {lines}: {problem:?}");
    }
}

#[test]
fn values_and_requests_have_largest_sizes() {
    let long = |bytes: usize| profile_with(&format!("\"{}\"", "x".repeat(bytes)));
    let check = |lines: &str, fits: usize| {
        assert!(rendered(lines, &long(fits)).is_ok(), "T3 {lines}");
        let error = rendered(lines, &long(fits + 1)).unwrap_err();
        assert_eq!(error.found, Unfit::TooLarge, "T3 {lines}");
    };
    check("url: https://x.example/{v}", 256);
    let start = "https://x.example/a?q=";
    check(&format!("url: {start}{{v}}"), 2_048 - start.len());
    check("headers: { X-A: \"{profile.v}\" }", 4_096);
    check(
        "headers: { X-A: \"key {profile.v}\" }",
        4_096 - "key ".len(),
    );
    let quotes = r#"{"a":""}"#.len();
    check("payload: { a: \"{profile.v}\" }", 256 * 1_024 - quotes);
}

#[test]
fn every_rule_has_a_case() {
    let ids = |file: &'static str| file.lines().filter_map(|line| line.split(" | ").next());
    let files = [URLS, HEADERS, BODIES, REFUSED];
    let found: BTreeSet<&str> = files.into_iter().flat_map(ids).collect();
    for rule in 1..=RULES {
        let id = format!("T{rule}");
        // Sizes are above.
        assert!(rule == 3 || found.contains(id.as_str()), "{id}");
    }
}
