//! Can an operator look into a server at work and give it orders, and nobody else?

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[expect(dead_code, reason = "other tests start what is shipped")]
#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/receiver.rs"]
mod receiver;
#[path = "at_work/scratch.rs"]
mod scratch;
#[path = "at_work/server.rs"]
mod server;

use std::collections::BTreeSet;

use program::{Answer, parse};
use scratch::directory;
use serde_json::json;
use server::{OPS, Server, WALL, held, wayfare};
use tempfile::TempDir;

/// Whoever visits is written to, at once or after half an hour.
const NUDGE: &str = r#"
journey: nudge
description: Write to visitors.
trigger: { event: Visited, where: properties.n > 0 }
entry: { again: always }
blocks:
  late: { decide: [{ when: trigger.properties.late == true, then: pause }, { else: write }] }
  pause: { wait: 30m, then: write }
  write:
    webhook:
      method: POST
      url: https://mail.example.com/nudges
      consent: { basis: contract, because: it is a test }
      payload: { n: "{trigger.properties.n}" }
"#;

const TOKENS: &str = "
server:
  keys: [{ id: web, kind: server, key: { env: WEB_KEY } }]
  admin:
    - { id: ops, token: { env: OPS_TOKEN }, scopes: [read, operate] }
    - { id: wall, token: { env: WALL_TOKEN }, scopes: [read] }
";

const JSON: &str = "Content-Type: application/json";

fn house() -> TempDir {
    directory(&[("nudge.yaml", NUDGE)])
}

#[test]
fn a_running_server_is_paused_and_goes_on_by_command() {
    let directory = house();
    let (address, inbox) = receiver::listen();
    let mut server = Server::start(&directory, "127.0.0.1", &address.to_string());
    let reason = ["--reason", "a wrong price"];
    let said = server.said(&[&["pause", "nudge"], &reason[..]].concat());
    let paused = "journey `nudge` is paused: nobody enters, and what waits in it waits on\n";
    assert_eq!(said, paused);
    let line = server.line("journey");
    assert_eq!(
        (&line["state"], &line["by"]),
        (&json!("paused"), &json!("loopback"))
    );
    server.visit(1, false);
    assert_eq!(server.line("refused")["reason"], "paused");

    let listed = server.said(&["journeys"]);
    assert!(listed.contains(" by loopback: a wrong price\n"), "{listed}");
    let here = held(directory.path(), &["journeys"]);
    assert_eq!((here.status, here.out.as_str()), (2, ""));
    assert!(here.err.contains("--server"), "{}", here.err);
    let again = server.command(&[&["pause", "nudge"], &reason[..]].concat());
    assert_eq!((again.status, again.out.as_str()), (1, ""));
    let already = "error: journey `nudge` is paused already; `wayfare journeys` says why\n";
    assert_eq!(again.err, already);

    let resumed = server.said(&[
        "resume",
        "--all",
        "--reason",
        "it is right",
        "--format",
        "json",
    ]);
    let resumed = parse(&resumed);
    let words = ["kind", "order", "journey", "by", "reason"].map(|key| resumed[key].clone());
    assert_eq!(
        words,
        ["order", "resume", "nudge", "loopback", "it is right"]
    );
    server.visit(2, false);
    let request = receiver::next(&inbox);
    assert_eq!(request.body, r#"{"n":2}"#);
    request.answer(200);
    server.delivery("delivered");
}

#[test]
fn an_address_is_suppressed_at_a_running_server() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    let reason = ["--reason", "they complained"];
    let suppress = ["suppress", "a+b@example.com", "--because", "complaint"];
    let said = server.said(&[&suppress, &reason[..]].concat());
    assert_eq!(
        said,
        "`a+b@example.com` is suppressed (complaint): only what the service needs goes to it, \
         whatever is said from now on\n"
    );
    let said = server.said(&[&["unsuppress", "a+b@example.com"], &reason[..]].concat());
    let lifted = "`a+b@example.com` is suppressed no more: what was said decides again\n";
    assert_eq!(said, lifted);
}

#[test]
fn a_delivery_that_is_unknown_is_sent_again_as_it_was_or_known_to_have_arrived() {
    let directory = house();
    let (address, inbox) = receiver::listen();
    let mut server = Server::start(&directory, "127.0.0.1", &address.to_string());
    server.visit(1, false);
    let first = receiver::next(&inbox);
    assert_eq!(first.line, "POST /nudges");
    let (id, body) = (first.header("webhook-id").to_owned(), first.body.clone());
    // It took the request and hung up.
    drop(first);
    assert_eq!(server.delivery("unknown"), id);

    let unknown = server.said(&["deliveries", "--in", "unknown"]);
    let expected = "  unknown     1 attempts  nudge/write  POST https://mail.example.com/nudges\n";
    assert_eq!(unknown, format!("{id}{expected}"));
    let reason = ["--reason", "it is not in their log"];
    let said = server.said(&[&["resend", &id], &reason[..]].concat());
    let leaves = "is planned again: the same bytes leave now, if consent allows it\n";
    assert_eq!(said, format!("delivery `{id}` {leaves}"));
    let second = receiver::next(&inbox);
    assert_eq!(
        (second.header("webhook-id"), &second.body),
        (id.as_str(), &body)
    );
    drop(second);
    assert_eq!(server.delivery("unknown"), id);

    let resolve = [
        "resolve",
        &id,
        "--as",
        "delivered",
        "--reason",
        "they have it",
    ];
    assert_eq!(
        server.said(&resolve),
        format!("delivery `{id}` counts as delivered\n")
    );
    let again = server.command(&resolve);
    assert_eq!(again.status, 1, "{}", again.out);
    let (_, found) = server.send(&format!("GET /api/deliveries/{id}"), &[], "");
    assert_eq!(found["state"], "delivered");
    let orders = found["orders"].as_array().unwrap().iter();
    let orders: Vec<_> = orders
        .map(|it| (&it["state"], &it["by"], &it["reason"]))
        .collect();
    let by = &json!("loopback");
    let expected = [
        (&json!("planned"), by, &json!("it is not in their log")),
        (&json!("delivered"), by, &json!("they have it")),
    ];
    assert_eq!(orders, expected);
    assert!(inbox.try_recv().is_err(), "it was sent once more");
}

#[test]
fn a_server_shows_what_its_state_directory_shows_page_by_page() {
    let directory = house();
    let mut server = Server::start(&directory, "127.0.0.1", "builtin");
    for person in 1..=3 {
        server.visit(person, false);
        server.delivery("delivered");
    }
    server.visit(4, true);
    let mut ids = BTreeSet::new();
    let mut after = String::new();
    for _ in 0..3 {
        let path = format!("GET /api/deliveries?limit=1&state=delivered{after}");
        let (_, page) = server.send(&path, &[], "");
        let found = page["deliveries"].as_array().unwrap();
        assert_eq!(found.len(), 1, "{page}");
        ids.insert(found[0]["deliveryId"].to_string());
        after = format!("&after={}", page["next"].as_str().unwrap());
    }
    assert_eq!(ids.len(), 3, "{ids:?}");
    let (_, page) = server.send(&format!("GET /api/deliveries?limit=1{after}"), &[], "");
    assert_eq!(page, json!({ "deliveries": [] }));

    let looks: [&[&str]; 4] = [
        &["deliveries"],
        &["deliveries", "--format", "json"],
        &["journeys"],
        &["journeys", "--format", "json"],
    ];
    let shown = looks.map(|look| server.said(look));
    server.stop();
    assert_eq!(shown, looks.map(|look| held(directory.path(), look).out));
    assert!(shown[2].contains("1 inside: pause 1"), "{}", shown[2]);
}

#[test]
fn everybody_inside_ends_when_a_running_server_is_told_to_stop_a_journey() {
    let directory = house();
    let mut server = Server::start(&directory, "127.0.0.1", "builtin");
    for person in 1..=3 {
        server.visit(person, true);
    }
    let said = server.said(&["stop", "nudge", "--reason", "the sale is over"]);
    let stopped = "journey `nudge` is stopped, one after another from now on; \
                   journey `nudge` stays paused until `wayfare resume nudge`\n";
    assert_eq!(said, stopped);
    for _ in 1..=3 {
        assert_eq!(server.line("decision")["outcome"], "stopped");
    }
    server.visit(4, true);
    assert_eq!(server.line("refused")["reason"], "paused");
    let listed = server.said(&["journeys"]);
    assert!(listed.contains(", nobody inside\n"), "{listed}");
}

#[test]
fn an_order_is_durable_before_its_answer() {
    let directory = house();
    let mut server = Server::start(&directory, "127.0.0.1", "builtin");
    let path = "POST /api/journeys/nudge/blocks/write/pause";
    let (head, answer) = server.send(path, &[JSON], r#"{"reason":"a test"}"#);
    server.running.0.kill().unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(answer["orders"][0]["block"], "write");
    drop(server);
    let listed = held(directory.path(), &["journeys", "--format", "json"]);
    let paused = &parse(&listed.out)["pausedBlocks"]["write"];
    let words = (&paused["by"], &paused["reason"]);
    assert_eq!(
        words,
        (&json!("loopback"), &json!("a test")),
        "{}",
        listed.err
    );
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    let listed = server.said(&["journeys"]);
    assert!(listed.contains("block write paused since "), "{listed}");
}

#[test]
fn a_token_is_asked_for_and_does_what_its_scopes_say() {
    let directory = directory(&[("nudge.yaml", NUDGE), ("wayfare.yaml", TOKENS)]);
    let mut server = Server::start(&directory, "127.0.0.1", "builtin");
    let wrong = "Authorization: Bearer guess";
    let ops = format!("Authorization: Bearer {OPS}");
    let wall = format!("Authorization: Bearer {WALL}");
    let (look, pause) = ("GET /api/journeys", "POST /api/pause");
    let check = |line, token: Option<&str>, expected: (u16, &str)| {
        let headers: Vec<&str> = [JSON].into_iter().chain(token).collect();
        let found = server.code(line, &headers, r#"{"reason":"a test"}"#);
        assert_eq!(
            found,
            (expected.0, expected.1.to_owned()),
            "{line} {token:?}"
        );
    };
    for line in [
        look,
        pause,
        "GET /api/deliveries",
        "GET /api/deliveries/whd_1",
    ] {
        check(line, None, (401, "unauthorized"));
        check(line, Some(wrong), (401, "unauthorized"));
        // What sends events gives no orders.
        check(line, Some("Authorization: Basic azE6"), (403, "forbidden"));
    }
    check(look, Some(&wall), (200, ""));
    check(pause, Some(&wall), (403, "forbidden"));
    check(pause, Some(&ops), (200, ""));
    let (head, _) = server.send(look, &[], "");
    assert!(head.contains("\r\nwww-authenticate: Bearer\r\n"), "{head}");

    assert_eq!(server.line("journey")["by"], "ops");
    let unasked = server.command(&["journeys"]);
    assert_eq!((unasked.status, unasked.out.as_str()), (1, ""));
    assert!(
        unasked.err.contains("`WAYFARE_ADMIN_TOKEN`"),
        "{}",
        unasked.err
    );
    let resume = ["resume", "nudge", "--reason", "a test", "--token-env"];
    let refused = server.command(&[&resume[..], &["WALL_TOKEN"]].concat());
    assert_eq!(refused.status, 1, "{}", refused.out);
    assert!(
        refused.err.contains("no scope `operate`"),
        "{}",
        refused.err
    );
    server.said(&[&resume[..], &["OPS_TOKEN"]].concat());
    server.running.0.kill().unwrap();
    let told = server.told.by_ref().chain(server.lines.by_ref());
    let told: Vec<String> = told.map(Result::unwrap).collect();
    assert!(!told.concat().contains("t0ken"), "{told:?}");
}

#[test]
fn beyond_loopback_nobody_is_answered_without_tokens() {
    let keys = TOKENS.split("  admin:").next().unwrap();
    let directory = directory(&[("nudge.yaml", NUDGE), ("wayfare.yaml", keys)]);
    let server = Server::start(&directory, "0.0.0.0", "builtin");
    let refused = server.command(&["pause", "nudge", "--reason", "a test"]);
    assert_eq!((refused.status, refused.out.as_str()), (1, ""));
    assert!(
        refused.err.contains("server: {admin: [...]}"),
        "{}",
        refused.err
    );
    let found = server.code("GET /api/journeys", &[], "");
    assert_eq!(found, (403, "forbidden".to_owned()));
    server.visit(1, false);
}

#[test]
fn what_is_not_understood_is_refused_with_a_code() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    let reason = r#"{"reason":"a test"}"#;
    let check = |line: &str, headers: &[&str], body: &str, expected: (u16, &str)| {
        let found = server.code(line, headers, body);
        assert_eq!(found, (expected.0, expected.1.to_owned()), "{line} {body}");
    };
    let post = |path: &str, body: &str, expected| {
        check(&format!("POST /api/{path}"), &[JSON], body, expected);
    };
    post("journeys/nudge/resume", reason, (409, "refused"));
    post("journeys/nugde/pause", reason, (404, "not_found"));
    post(
        "journeys/nudge/blocks/pause/pause",
        reason,
        (409, "refused"),
    );
    post("deliveries/whd_1/resend", reason, (404, "not_found"));
    post("journeys/nudge/pause", "{}", (400, "invalid_field"));
    post("journeys/nudge/pause", "", (400, "invalid_json"));
    post("stop", reason, (404, "not_found"));
    post("deliveries/whd_1/resolve", reason, (400, "invalid_field"));
    let invalid = (400, "invalid_field");
    post("addresses/a%40example.com/suppress", reason, invalid);
    post(
        "addresses/a%40example.com/unsuppress",
        reason,
        (409, "refused"),
    );
    post("addresses/anna/unsuppress", reason, (404, "not_found"));
    let bounced = r#"{"reason":"a test","because":"bounce"}"#;
    post("addresses/a%40example.com/unsuppress", bounced, invalid);
    let skip = r#"{"reason":"a test","skip_overdue":true}"#;
    post("pause", skip, (400, "invalid_field"));
    let long = format!(r#"{{"reason":"{}"}}"#, "r".repeat(20_000));
    post("pause", &long, (413, "too_large"));
    // What a page of another origin can send, or under another name.
    let media = (415, "unsupported_media_type");
    check(
        "POST /api/pause",
        &["Content-Type: text/plain"],
        reason,
        media,
    );
    check("POST /api/pause", &[], reason, media);
    let elsewhere = ["Host: rebound.example", JSON];
    check("POST /api/pause", &elsewhere, reason, (403, "forbidden"));
    check("GET /api/pause", &[], "", (405, "method_not_allowed"));
    check("GET /api/nothing", &[], "", (404, "not_found"));
    let invalid = (400, "invalid_parameter");
    for query in [
        "state=lost",
        "limit=0",
        "limit=1001",
        "limit=x",
        "since=now",
    ] {
        check(&format!("GET /api/deliveries?{query}"), &[], "", invalid);
    }
    check("GET /api/deliveries?after=1", &[], "", (404, "not_found"));
    let listed = server.said(&["journeys"]);
    assert!(!listed.contains("paused"), "{listed}");
}

#[test]
fn a_server_that_does_not_answer_is_the_environments_fault() {
    let directory = house();
    let ask = |server: &str| {
        let mut wayfare = wayfare(directory.path());
        wayfare.args(["pause", "nudge", "--reason", "a test", "--server", server]);
        Answer::of(wayfare)
    };
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let unheard = ask(&format!("http://{address}"));
    assert_eq!(unheard.status, 2, "{}", unheard.err);
    assert!(unheard.err.contains("no answer from"), "{}", unheard.err);
    for nonsense in ["shop", "ftp://127.0.0.1", "http://ops:secret@127.0.0.1"] {
        let answer = ask(nonsense);
        assert_eq!(answer.status, 1, "{}", answer.err);
    }
}
