//! Does consent come in by every way that HTTP has: signals of browsers, imports, links with which
//! somebody unsubscribes (D33, D34, E18, K-08)?

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

use program::{Answer, parse};
use scratch::directory;
use serde_json::{Value, json};
use server::{Server, held, wayfare};
use tempfile::TempDir;

const HEAR: &str = r#"
journey: hear
description: Hear who unsubscribes.
trigger: { consent: { category: marketing, action: decline } }
entry: { again: always }
blocks: { heard: { exit: heard } }
"#;

const CONFIG: &str = "
consent:
  categories:
    ads: { class: consent, binding: profile, aliases: [C0004], gpc: true }
server:
  keys:
    - { id: crm, kind: server, key: { env: WEB_KEY } }
    - { id: web, kind: browser, key: { env: BROWSER_KEY } }
  admin:
    - { id: ops, token: { env: OPS_TOKEN }, scopes: [read, operate, admin] }
    - { id: wall, token: { env: WALL_TOKEN }, scopes: [read] }
  unsubscribe: { key: { env: LINK_KEY } }
";

const CRM: &str = "Authorization: Basic azE6";
const WEB: &str = "Authorization: Basic azI6";

fn house() -> TempDir {
    directory(&[("hear.yaml", HEAR), ("wayfare.yaml", CONFIG)])
}

/// The address belongs to somebody: a profile shows the choices of the address it has.
fn know_ada(server: &Server<'_>) {
    let ada = json!({"userId": "ada", "traits": {"email": "ada@example.com"}}).to_string();
    assert_eq!(server.code("POST /v1/identify", &[CRM], &ada).0, 200);
}

/// What is known of somebody, once the server has stopped.
fn profile(directory: &TempDir, identifier: &str) -> Value {
    let answer = held(
        directory.path(),
        &["profile", identifier, "--journeys", "."],
    );
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    parse(&answer.out)
}

fn choice(directory: &TempDir, identifier: &str, category: &str) -> String {
    let profile = profile(directory, identifier);
    profile["consent"][category]["action"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What `unsubscribe-link` prints, without its origin.
fn link(directory: &TempDir, arguments: &[&str]) -> Answer {
    let mut wayfare = wayfare(directory.path());
    wayfare
        .args(["unsubscribe-link", "--journeys", "."])
        .args(arguments);
    wayfare.args(["--base-url", "https://e.example.com/"]);
    Answer::of(wayfare)
}

#[test]
fn a_signal_counts_when_it_is_exactly_one_line_of_one() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    let rows: [(&str, &[&str], bool); 8] = [
        ("one", &["Sec-GPC: 1"], true),
        ("zero", &["Sec-GPC: 0"], false),
        ("word", &["Sec-GPC: true"], false),
        ("spaces", &["sec-gpc:  1 "], true),
        ("twice", &["Sec-GPC: 1", "Sec-GPC: 1"], true),
        ("both", &["Sec-GPC: 0", "Sec-GPC: 1"], true),
        ("more", &["Sec-GPC: 1; x=y"], false),
        ("none", &[], false),
    ];
    for (id, lines, _) in rows {
        let event =
            json!({"anonymousId": format!("d-{id}"), "traits": {"plan": "free"}}).to_string();
        let headers = [&[WEB], lines].concat();
        assert_eq!(server.code("POST /v1/identify", &headers, &event).0, 200);
    }
    let batch = json!({"context": {"locale": "de"}, "batch": [
        {"type": "page", "anonymousId": "batched", "context": {"ip": "::1"}},
        {"type": "page", "anonymousId": "bare", "context": null},
    ]});
    let (_, answer) = server.send("POST /v1/batch", &[WEB, "Sec-GPC: 1"], &batch.to_string());
    assert_eq!(answer, json!({"success": true}));
    server.stop();
    for (id, _, refuses) in rows {
        let expected = if refuses { "decline" } else { "unknown" };
        let id = format!("anonymous_id:d-{id}");
        assert_eq!(choice(&directory, &id, "ads"), expected, "{id}");
        assert_eq!(choice(&directory, &id, "analytics"), "unknown", "{id}");
    }
    for id in ["anonymous_id:batched", "anonymous_id:bare"] {
        assert_eq!(choice(&directory, id, "ads"), "decline", "{id}");
    }
}

#[test]
fn history_is_sent_with_an_admin_token_and_a_server_key() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    know_ada(&server);
    let import = |key: Option<&str>| {
        let mut event = json!({
            "type": "consent", "email": "ada@example.com", "category": "marketing",
            "action": "accept", "source": "import", "timestamp": "2024-05-01T00:00:00Z",
            "historical": true,
        });
        if let Some(key) = key {
            event["writeKey"] = key.into();
        }
        event
    };
    let check = |headers: &[&str], key: Option<&str>, expected: (u16, &str)| {
        let (status, code) = server.code("POST /v1/consent", headers, &import(key).to_string());
        assert_eq!((status, code.as_str()), expected, "{headers:?} {key:?}");
    };
    let ops = "Authorization: Bearer 0ps-t0ken";
    check(&[CRM], None, (403, "forbidden"));
    check(&[WEB], None, (403, "forbidden"));
    check(
        &["Authorization: Bearer wa11-t0ken"],
        Some("k1"),
        (403, "forbidden"),
    );
    check(&[ops], None, (401, "unauthorized"));
    check(&[ops], Some("k2"), (403, "forbidden"));
    check(&[ops], Some("k1"), (200, ""));
    let mut dated = import(None);
    dated["historical"] = false.into();
    let (status, answer) = server.code("POST /v1/consent", &[CRM], &dated.to_string());
    assert_eq!((status, answer.as_str()), (400, "invalid_consent"));
    let batch = json!({"writeKey": "k1", "batch": [import(None)]}).to_string();
    let (_, answer) = server.send("POST /v1/batch", &[], &batch);
    assert_eq!(answer["rejected"][0]["code"], "forbidden");
    server.stop();
    assert_eq!(
        choice(&directory, "email:ada@example.com", "marketing"),
        "accept"
    );
}

#[test]
fn a_link_unsubscribes_when_it_is_posted_to_and_only_then() {
    let directory = house();
    let mut server = Server::start(&directory, "127.0.0.1", "builtin");
    know_ada(&server);
    let made = link(
        &directory,
        &["--category", "marketing", "--email", "Ada@Example.com"],
    );
    assert_eq!((made.status, made.err.as_str()), (0, ""));
    let path = made
        .out
        .trim()
        .strip_prefix("https://e.example.com")
        .unwrap();

    let (head, page) = server.text(&format!("GET {path}"), &[], "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    for header in [
        "content-security-policy: default-src 'none'; form-action 'self'; frame-ancestors 'none'",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "content-type: text/html; charset=utf-8",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    for words in [
        "<form method=\"post\">",
        "ada@example.com",
        "<b>marketing</b>",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let (head, _) = server.text(&format!("HEAD {path}"), &[], "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");

    let (head, page) = server.text(&format!("POST {path}"), &[], "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(page.contains("You are unsubscribed."), "{page}");
    assert_eq!(server.line("decision")["journey"], "hear");
    let form = "Content-Type: application/x-www-form-urlencoded";
    let one_click = "List-Unsubscribe=One-Click";
    let (head, _) = server.text(&format!("POST {path}"), &[form], one_click);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    // Who comes back may leave again by the same link.
    let back = json!({"email": "ada@example.com", "category": "marketing", "action": "accept"});
    assert_eq!(
        server.code("POST /v1/consent", &[CRM], &back.to_string()).0,
        200
    );
    let (head, _) = server.text(&format!("POST {path}"), &[form], one_click);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(server.line("decision")["reason"], "heard");
    server.stop();
    assert_eq!(
        choice(&directory, "email:ada@example.com", "marketing"),
        "decline"
    );
}

#[test]
fn what_a_key_did_not_seal_is_not_there() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    let made = link(
        &directory,
        &["--category", "marketing", "--email", "ada@example.com"],
    );
    let path = made
        .out
        .trim()
        .strip_prefix("https://e.example.com")
        .unwrap();
    let (right, _) = path.rsplit_once('.').unwrap();
    let nowhere = server.send("POST /nowhere", &[], "");
    for wrong in [
        "/unsubscribe/x".to_owned(),
        "/unsubscribe/".to_owned(),
        right.to_owned(),
        format!("{right}."),
        format!("{path}A"),
        path.replace("/unsubscribe/", "/unsubscribe/A"),
    ] {
        for method in ["GET", "POST"] {
            let (head, body) = server.send(&format!("{method} {wrong}"), &[], "");
            assert!(head.starts_with("HTTP/1.1 404"), "{wrong}: {head}");
            assert_eq!(body, nowhere.1, "{wrong}");
        }
    }
    let large = "x".repeat(20_000);
    let (status, code) = server.code(&format!("POST {path}"), &[], &large);
    assert_eq!((status, code.as_str()), (413, "too_large"));
    server.stop();
}

/// The page comes before the POST, so that a GET alone declines nothing.
#[test]
fn looking_at_a_link_changes_nothing() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    know_ada(&server);
    let back = json!({"email": "ada@example.com", "category": "marketing", "action": "accept"});
    assert_eq!(
        server.code("POST /v1/consent", &[CRM], &back.to_string()).0,
        200
    );
    let made = link(
        &directory,
        &["--category", "marketing", "--email", "ada@example.com"],
    );
    let path = made
        .out
        .trim()
        .strip_prefix("https://e.example.com")
        .unwrap();
    for _ in 0..3 {
        let (head, _) = server.text(&format!("GET {path}"), &[], "");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }
    server.stop();
    assert_eq!(
        choice(&directory, "email:ada@example.com", "marketing"),
        "accept"
    );
}

#[test]
fn a_link_that_would_say_nothing_is_not_made() {
    let directory = house();
    let check = |arguments: &[&str], words: &str| {
        let answer = link(&directory, arguments);
        assert_eq!(
            (answer.status, answer.out.as_str()),
            (1, ""),
            "{arguments:?}"
        );
        assert!(answer.err.contains(words), "{}", answer.err);
    };
    let email = ["--email", "ada@example.com"];
    check(
        &[&["--category", "news"], &email[..]].concat(),
        "no category `news`",
    );
    check(
        &["--category", "marketing", "--email", "ada"],
        "`ada` is no email",
    );
    check(
        &["--category", "marketing", "--phone", "+15005550006"],
        "the kind `email`",
    );
    check(&["--category", "marketing"], "--email");
    let bare = directory_without_key();
    let answer = link(&bare, &[&["--category", "marketing"], &email[..]].concat());
    assert_eq!(answer.status, 1);
    assert!(
        answer.err.contains("server: { unsubscribe:"),
        "{}",
        answer.err
    );
    let server = Server::start(&bare, "127.0.0.1", "builtin");
    assert_eq!(server.code("POST /unsubscribe/a.b", &[], "").0, 404);
    server.stop();
}

fn directory_without_key() -> TempDir {
    directory(&[("hear.yaml", HEAR)])
}
