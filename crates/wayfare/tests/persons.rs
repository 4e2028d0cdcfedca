//! Can an operator say who is who, to a server and to a state directory, and nobody else?

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
#[expect(dead_code, reason = "other tests give more orders")]
#[path = "at_work/server.rs"]
mod server;

use program::{Answer, parse};
use scratch::directory;
use serde_json::{Value, json};
use server::{OPS, Server, WALL, held, wayfare};
use tempfile::TempDir;

const NUDGE: &str = r#"
journey: nudge
description: Write to visitors.
trigger: { event: Visited, where: properties.n > 0 }
entry: { again: always }
blocks:
  end: { exit: seen }
"#;

/// One may say who is who, the other gives orders about journeys; a browser and a server send.
const TOKENS: &str = "
server:
  keys:
    - { id: web, kind: browser, key: { env: WEB_KEY } }
    - { id: shop, kind: server, key: { env: OPS_TOKEN } }
  admin:
    - { id: ops, token: { env: OPS_TOKEN }, scopes: [read, admin] }
    - { id: wall, token: { env: WALL_TOKEN }, scopes: [read, operate] }
";

const JSON: &str = "Content-Type: application/json";
const WEB: &str = "Authorization: Basic azE6";
const REASON: [&str; 2] = ["--reason", "signed up twice"];

fn house() -> TempDir {
    directory(&[("nudge.yaml", NUDGE), ("wayfare.yaml", TOKENS)])
}

fn identify(server: &Server<'_>, key: &str, user: &str, traits: &Value) {
    let event = json!({ "userId": user, "traits": traits });
    let (head, _) = server.send("POST /v1/identify", &[key], &event.to_string());
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}

/// The profile behind an identifier in a state directory that nobody uses.
fn profile(directory: &TempDir, identifier: &str) -> Value {
    let answer = held(
        directory.path(),
        &["profile", identifier, "--journeys", "."],
    );
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    parse(&answer.out)
}

fn names(profile: &Value) -> Vec<String> {
    let all = profile["identifiers"].as_array().unwrap().iter();
    all.map(|it| {
        let word = |key: &str| it[key].as_str().unwrap();
        format!("{}:{}", word("namespace"), word("value"))
    })
    .collect()
}

/// An order to the state directory.
fn order(directory: &TempDir, arguments: &[&str]) -> Answer {
    let mut command = wayfare(directory.path());
    command.args(arguments).args(REASON);
    command.args(["--by", "ann", "--journeys", ".", "--state", "state"]);
    Answer::of(command)
}

#[test]
fn persons_are_merged_by_command_and_told_apart_and_the_audit_follows() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    for user in ["a", "b"] {
        let email = format!("{user}@x.example");
        identify(&server, WEB, user, &json!({ "email": email }));
    }
    let merge = ["merge", "user_id:a", "email:B@x.example"];
    let admin = ["--token-env", "OPS_TOKEN"];
    let said = server.said(&[&merge[..], &REASON, &admin].concat());
    let one = "`user_id:a` and `email:b@x.example` are one person from now on, known by the latter's \
               id\n";
    assert_eq!(said, one);
    let again = server.command(&[&merge[..], &REASON, &admin].concat());
    assert_eq!(again.status, 1);
    assert!(
        again.err.contains("are one person already"),
        "{}",
        again.err
    );
    server.stop();

    let merged = profile(&directory, "user_id:a");
    let all = [
        "user_id:b",
        "user_id:a",
        "email:a@x.example",
        "email:b@x.example",
    ];
    assert_eq!(names(&merged), all);
    let told = order(
        &directory,
        &["detach", "user_id:a", "user_id:b", "--format", "json"],
    );
    let line = parse(&told.out);
    let words = ["order", "identifier", "from", "by", "reason"].map(|key| line[key].clone());
    assert_eq!(
        words,
        ["detach", "user_id:a", "user_id:b", "ann", REASON[1]]
    );
    let apart = profile(&directory, "email:a@x.example");
    assert_eq!(names(&apart), ["user_id:a", "email:a@x.example"]);
    // Either has the id it had.
    assert!(
        merged["formerIds"]
            .as_array()
            .unwrap()
            .contains(&apart["profileId"])
    );
    assert_eq!(
        profile(&directory, "user_id:b")["profileId"],
        merged["profileId"]
    );
    let audit = held(directory.path(), &["verify", "--journeys", "."]);
    assert_eq!(audit.status, 0, "{}{}", audit.out, audit.err);
}

#[test]
fn what_cannot_be_ordered_of_persons_is_refused_with_why() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    identify(&server, WEB, "a", &json!({ "email": "a@x.example" }));
    identify(&server, WEB, "b", &json!({}));
    server.stop();
    let check = |arguments: &[&str], why: &str| {
        let answer = order(&directory, arguments);
        assert_eq!(
            (answer.status, answer.out.as_str()),
            (1, ""),
            "{arguments:?}"
        );
        assert!(answer.err.contains(why), "{}", answer.err);
    };
    check(&["merge", "a", "user_id:b"], "`a` is no identifier");
    check(
        &["merge", "user_id:z", "user_id:b"],
        "nobody is known as `user_id:z`",
    );
    check(
        &["merge", "user_id:null", "user_id:b"],
        "`user_id:null` names nobody",
    );
    check(
        &["detach", "email:a@x.example", "user_id:b"],
        "identifier `email:a@x.example` is not in the profile of `user_id:b`",
    );
    check(
        &["detach", "user_id:a", "user_id:a"],
        "is who the profile of",
    );
    check(&["unblock", "email:a@x.example"], "is not blocked");
}

#[test]
fn only_who_may_say_who_is_who_does_and_no_write_key() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    let ops = format!("Authorization: Bearer {OPS}");
    let wall = format!("Authorization: Bearer {WALL}");
    identify(&server, WEB, "a", &json!({}));
    identify(&server, WEB, "b", &json!({}));
    let check = |path: &str, token: &str, body: &str, expected: (u16, &str)| {
        let line = format!("POST /api/{path}");
        let found = server.code(&line, &[JSON, token], body);
        assert_eq!(found, (expected.0, expected.1.to_owned()), "{line} {body}");
    };
    let merge = r#"{"from":"user_id:a","into":"user_id:b","reason":"r"}"#;
    // X07
    check("merge", WEB, merge, (403, "forbidden"));
    check("merge", &wall, merge, (403, "forbidden"));
    for body in [
        r#"{"reason":"r"}"#,
        r#"{"from":"user_id:a","reason":"r"}"#,
        r#"{"from":"user_id:a","into":"user_id:b","identifier":"user_id:a","reason":"r"}"#,
        r#"{"from":7,"into":"user_id:b","reason":"r"}"#,
    ] {
        check("merge", &ops, body, (400, "invalid_field"));
    }
    let nobody = merge.replace("user_id:a", "user_id:z");
    check("merge", &ops, &nobody, (404, "not_found"));
    check("merge", &ops, merge, (200, ""));
    check("merge", &ops, merge, (409, "refused"));
    let detach = r#"{"identifier":"user_id:a","from":"user_id:b","reason":"r"}"#;
    check("detach", &ops, detach, (200, ""));
    check(
        "unblock",
        &ops,
        r#"{"identifier":"user_id:a","reason":"r"}"#,
        (409, "refused"),
    );
    check("pause", &wall, merge, (400, "invalid_field"));
}

#[test]
fn what_a_browser_says_of_an_address_yields_to_a_server_and_a_crowds_is_blocked() {
    let directory = house();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    // `0ps-t0ken:` in base 64
    let shop = "Authorization: Basic MHBzLXQwa2VuOg==";
    identify(&server, WEB, "mallory", &json!({ "email": "v@v.example" }));
    identify(&server, shop, "victim", &json!({ "email": "v@v.example" }));
    identify(&server, WEB, "mallory", &json!({ "email": "v@v.example" }));
    for user in 0..8 {
        let user = format!("u{user}");
        identify(
            &server,
            shop,
            &user,
            &json!({ "email": "desk@shop.example" }),
        );
    }
    server.stop();
    let victim = ["user_id:victim", "email:v@v.example"];
    assert_eq!(names(&profile(&directory, "email:v@v.example")), victim);
    let desk = profile(&directory, "email:desk@shop.example");
    assert!(desk["identifiers"][0]["blocked"].is_string(), "{desk}");
    let told = order(&directory, &["unblock", "email:desk@shop.example"]);
    assert_eq!(
        told.out,
        "`email:desk@shop.example` names whom its links say again\n"
    );
    let desk = profile(&directory, "email:desk@shop.example");
    assert_eq!(desk["identifiers"][0]["contested"], true, "{desk}");
    let audit = held(directory.path(), &["verify", "--journeys", "."]);
    assert_eq!(audit.status, 0, "{}{}", audit.out, audit.err);
}

#[test]
fn what_names_nobody_or_joins_nobody_is_warned_of_once_a_minute_and_a_block_at_once() {
    let directory = house();
    let page = |user: &str, browser: &str, time: &str| {
        format!(
            r#"{{"type":"page","userId":"{user}","anonymousId":"{browser}","timestamp":"2026-01-26T{time}Z"}}"#
        )
    };
    let junk = [
        ("undefined", "10:00:00"),
        ("null", "10:00:01"),
        ("-1", "10:00:59"),
        ("guest", "11:00:00"),
    ];
    let mut events: Vec<String> = junk.map(|(user, time)| page(user, "w1", time)).into();
    events.extend((0..9).map(|user| page(&format!("u{user}"), "kiosk", "12:00:00")));
    let alias = |former: &str, time: &str| {
        format!(
            r#"{{"type":"alias","userId":"u0","previousId":"{former}","timestamp":"2026-01-26T{time}Z"}}"#
        )
    };
    let former = [
        ("u1", "13:00:00"),
        ("u2", "13:00:01"),
        ("w9", "13:00:02"),
        ("u3", "13:01:00"),
    ];
    events.extend(former.map(|(former, time)| alias(former, time)));
    let events = events.join("\n");
    std::fs::write(directory.path().join("events"), events).unwrap();
    let arguments = "--journeys . --events events --clock events --dry-run";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let ran = Answer::of(program::run(directory.path(), &arguments));
    assert_eq!(ran.status, 0, "{}", ran.err);
    let warned: Vec<&str> = ran.err.lines().filter(|it| it.contains("WARN")).collect();
    let [first, second, blocked, void, others] = warned[..] else {
        panic!("{}", ran.err)
    };
    for (line, count) in [(first, "count=1"), (second, "count=3")] {
        let tells = ["names nobody", "field=\"userId\"", count];
        assert!(tells.iter().all(|it| line.contains(it)), "{line}");
    }
    let tells = [
        "`wayfare unblock`",
        "namespace=\"anonymous_id\"",
        "profile=usr_",
    ];
    assert!(tells.iter().all(|it| blocked.contains(it)), "{blocked}");
    assert!(!blocked.contains("kiosk"), "{blocked}");
    for (line, count) in [(void, "count=1"), (others, "count=2")] {
        let tells = ["code=\"prev_is_known_user\"", "joins nobody", count];
        assert!(tells.iter().all(|it| line.contains(it)), "{line}");
    }
}
