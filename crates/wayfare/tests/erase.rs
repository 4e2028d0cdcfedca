//! Can somebody be erased and exported by command, of a directory and of a server, and does `verify` agree?

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[expect(dead_code, reason = "other tests start what is shipped")]
#[path = "at_work/program.rs"]
mod program;
#[expect(dead_code, reason = "other tests look at what arrives")]
#[path = "at_work/receiver.rs"]
mod receiver;
#[path = "at_work/scratch.rs"]
mod scratch;
#[expect(dead_code, reason = "other tests give other orders")]
#[path = "at_work/server.rs"]
mod server;

use std::path::Path;

use program::{Answer, parse};
use scratch::directory;
use serde_json::{Value, json};
use server::{OPS, Server, WALL, wayfare};
use tempfile::TempDir;

/// Whoever visits is written to after half an hour, once for each number.
const NUDGE: &str = r#"
journey: nudge
description: Write to visitors.
trigger: { event: Visited, where: properties.n > 0 }
entry: { again: always, key: properties.n }
blocks:
  pause: { wait: 30m, then: write }
  write:
    webhook:
      method: POST
      url: https://mail.example.com/nudges
      consent: { basis: contract, because: it is a test }
      payload: { n: "{trigger.properties.n}" }
"#;

const GOODBYE: &str = r#"
journey: goodbye
description: Tell others that somebody is erased.
trigger: { event: Goodbye, where: properties.n > 0 }
entry: { again: once }
blocks:
  tell:
    webhook:
      method: POST
      url: https://shop.example.com/erasures
      consent: { basis: contract, because: it is a test }
      identity: any
      payload: { who: "{profile.email}" }
"#;

const TOKENS: &str = "
server:
  keys: [{ id: web, kind: server, key: { env: WEB_KEY } }]
  admin:
    - { id: ops, token: { env: OPS_TOKEN }, scopes: [read, operate] }
    - { id: privacy, token: { env: WALL_TOKEN }, scopes: [admin] }
";

fn house() -> TempDir {
    directory(&[("nudge.yaml", NUDGE), ("goodbye.yaml", GOODBYE)])
}

/// The program in the directory, on its state.
fn on(directory: &Path, arguments: &[&str]) -> Answer {
    let mut wayfare = wayfare(directory);
    wayfare.args(arguments).args(["--journeys", "."]);
    wayfare.args(["--state", "state"]);
    Answer::of(wayfare)
}

fn said(directory: &Path, arguments: &[&str]) -> String {
    let more = ["--reason", "request 17", "--clock", "events"];
    let answer = on(directory, &[arguments, &more].concat());
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    answer.out
}

fn export(directory: &Path, identifier: &str) -> Value {
    let answer = on(directory, &["export", identifier]);
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    parse(&answer.out)
}

fn verified(directory: &Path) {
    let mut wayfare = wayfare(directory);
    let answer = Answer::of({
        wayfare.args(["verify", "--state", "state"]);
        wayfare
    });
    assert_eq!(answer.status, 0, "{}", answer.out);
}

/// Plays events by their own time; nothing waits beyond them but what `advance` lets pass.
fn play(directory: &Path, advance: &str, events: &[String]) -> Answer {
    // A file of its own: a known one is gone on with.
    let files = std::fs::read_dir(directory).unwrap().count();
    let file = format!("events-{files}.ndjson");
    std::fs::write(directory.join(&file), events.join("\n")).unwrap();
    let answer = on(
        directory,
        &[
            "run",
            "--clock",
            "events",
            "--advance",
            advance,
            "--receiver",
            "builtin",
            "--events",
            &file,
        ],
    );
    assert_eq!(answer.status, 0, "{}", answer.err);
    answer
}

fn identify(minute: u32) -> String {
    format!(
        r#"{{"type":"identify","messageId":"i{minute}","timestamp":"2026-01-26T10:{minute:02}:00Z","userId":"u1","anonymousId":"w1","traits":{{"email":"ada@example.com"}}}}"#
    )
}

fn visit(minute: u32, field: &str) -> String {
    format!(
        r#"{{"type":"track","messageId":"v{minute}","timestamp":"2026-01-26T10:{minute:02}:00Z",{field},"event":"Visited","properties":{{"n":{minute}}}}}"#
    )
}

/// Everybody is there once: ada under three names, and somebody else.
fn played() -> TempDir {
    let directory = house();
    let events = [
        visit(1, r#""anonymousId":"w1""#),
        identify(2),
        visit(3, r#""userId":"u1""#),
        visit(4, r#""userId":"u2""#),
        visit(32, r#""userId":"u1""#),
    ];
    play(directory.path(), "5m", &events);
    directory
}

#[test]
fn t20_an_export_has_everything_of_every_id_a_person_ever_had() {
    let directory = played();
    let whole = export(directory.path(), "email:ADA@example.com");
    let names = whole["identifiers"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|it| it["identifier"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["user_id:u1", "email:ada@example.com", "anonymous_id:w1"]
    );
    assert_eq!(whole["formerIds"].as_array().unwrap().len(), 2);
    assert_eq!(whole["traits"][0]["value"], "ada@example.com");
    let count = |part: &str| whole[part].as_array().unwrap().len();
    let parts = ["events", "decisions", "deliveries", "instances"].map(count);
    assert_eq!(parts, [4, 2, 2, 1]);
    let delivery = &whole["deliveries"][0];
    assert!(delivery["request"]["body"]["n"].is_number());
    let moves = delivery["moves"].as_array().unwrap().iter();
    let moves: Vec<&Value> = moves.map(|it| &it["state"]).collect();
    assert_eq!(moves, ["armed", "delivered"]);
    // What was one's before they were known is told with the rest.
    let anonymous = whole["events"][0]["event"]["anonymousId"].clone();
    assert_eq!(anonymous, "w1");
    // A former id and an anonymous one lead to the same.
    let former = whole["formerIds"][0].as_str().unwrap();
    assert_eq!(export(directory.path(), former), whole);
    assert_eq!(export(directory.path(), "anonymous_id:w1"), whole);
}

#[test]
fn somebody_is_erased_and_nothing_but_that_is_told_of_them() {
    let directory = played();
    let here = directory.path();
    assert_eq!(
        said(here, &["erase", "email:Ada@example.com"]),
        "`email:ada@example.com` is deleted, and nothing is heard of it any more: 1 walk ended, \
         0 requests held back; history, checkpoints and state \
         tell of nobody by it any more\n"
    );
    verified(here);
    for name in ["user_id:u1", "anonymous_id:w1", "email:ada@example.com"] {
        let told = export(here, name);
        let at = json!("2026-01-26T10:34:00Z");
        let expected =
            json!({ "erased": at, "suppressed": true, "complete": at, "historyComplete": true });
        assert_eq!(told, expected, "{name}");
    }
    let listed = on(here, &["profiles"]);
    assert!(!listed.out.contains("ada") && listed.out.contains("u2"));
    // What they do later is not heard, and counted as such.
    let later = [visit(40, r#""userId":"u1""#), visit(41, r#""userId":"u2""#)];
    let answer = play(here, "0s", &later);
    let counted =
        "events      2 taken, 0 of them second copies, 0 lines rejected, 1 of somebody erased";
    assert!(answer.err.contains(counted), "{}", answer.err);
    verified(here);
    let refused = on(
        here,
        &[
            "erase",
            "user_id:u1",
            "--mode",
            "delete",
            "--reason",
            "again",
        ],
    );
    assert_eq!(refused.status, 1);
    assert!(
        refused.err.contains("nothing is known of `user_id:u1`"),
        "{}",
        refused.err
    );
    assert_eq!(
        said(here, &["readmit", "user_id:u1"]),
        "`user_id:u1` may come back\n"
    );
    let again = on(here, &["readmit", "user_id:u1", "--reason", "again"]);
    assert_eq!((again.status, again.out.as_str()), (1, ""));
    play(here, "0s", &[visit(45, r#""userId":"u1""#)]);
    assert_eq!(
        export(here, "user_id:u1")["events"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    verified(here);
}

#[test]
fn an_erasure_goes_through_a_journey_first_and_survives_a_restart() {
    let directory = played();
    let here = directory.path();
    let line = parse(&said(
        here,
        &[
            "erase",
            "user_id:u1",
            "--through",
            "goodbye",
            "--format",
            "json",
        ],
    ));
    assert_eq!(line["through"], "goodbye");
    let walk = line["instanceId"].as_str().unwrap().to_owned();
    assert_eq!(
        export(here, "user_id:u1")["erasing"]["through"],
        walk.as_str()
    );
    let refused = on(
        here,
        &[
            "erase",
            "user_id:u1",
            "--through",
            "goodbye",
            "--reason",
            "again",
        ],
    );
    assert_eq!(refused.status, 1);
    // The request leaves with the next run, with what it needs.
    let answer = play(here, "0s", &[visit(50, r#""userId":"u1""#)]);
    assert!(answer.out.contains("\"delivered\""), "{}", answer.out);
    assert!(export(here, "user_id:u1")["erased"].is_string());
    verified(here);
}

#[test]
fn nobody_enters_by_order_where_nobody_may() {
    let directory = played();
    let here = directory.path();
    let entered = said(here, &["enter", "goodbye", "user_id:u2"]);
    assert!(
        entered.starts_with("`user_id:u2` is let into journey `goodbye`, walk `ins_"),
        "{entered}"
    );
    let check = |arguments: &[&str], expected: &str| {
        let more = ["--reason", "by hand", "--clock", "events"];
        let answer = on(here, &[arguments, &more].concat());
        assert_eq!((answer.status, answer.out.as_str()), (1, ""));
        assert!(answer.err.contains(expected), "{}", answer.err);
    };
    check(
        &["enter", "goodbye", "user_id:u2"],
        "journey `goodbye` did not take them: once",
    );
    check(
        &["enter", "goodby", "user_id:u2"],
        "did you mean `goodbye`?",
    );
    check(&["enter", "goodbye", "user_id:u9"], "nothing is known of");
    check(&["enter", "goodbye", "u2"], "`u2` names nobody");
    check(
        &["erase", "user_id:u2", "--through", "goodbye"],
        "nothing is erased: journey `goodbye` did not take them: once",
    );
    verified(here);
}

#[test]
fn e20_a_server_answers_a_suppressed_event_like_any_other_and_keeps_nothing() {
    let directory = directory(&[("nudge.yaml", NUDGE), ("wayfare.yaml", TOKENS)]);
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    let privacy = format!("Authorization: Bearer {WALL}");
    let ops = format!("Authorization: Bearer {OPS}");
    let json_type = "Content-Type: application/json";
    server.visit(1, true);
    let erase = r#"{"identifier":"user_id:u1","reason":"request 17"}"#;
    assert_eq!(
        server.code("POST /api/erase", &[&ops, json_type], erase),
        (403, "forbidden".to_owned())
    );
    let export = "GET /api/export?identifier=user_id:u1&history=true";
    assert_eq!(server.code(export, &[&ops], "").0, 403);
    let (_, whole) = server.send(export, &[&privacy], "");
    assert_eq!(whole["events"].as_array().unwrap().len(), 1);
    let (head, told) = server.send("POST /api/erase", &[&privacy, json_type], erase);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(told["orders"][0]["by"], "privacy");
    // It is answered as it was before, and leaves nothing.
    server.visit(1, false);
    let (_, whole) = server.send(export, &[&privacy], "");
    assert_eq!(whole["suppressed"], true);
    assert_eq!(
        server.code(
            "POST /api/erase",
            &[&privacy, json_type],
            r#"{"reason":"r"}"#
        ),
        (400, "invalid_field".to_owned())
    );
    let pause = r#"{"identifier":"user_id:u1","reason":"r"}"#;
    assert_eq!(
        server.code("POST /api/pause", &[&ops, json_type], pause),
        (400, "invalid_field".to_owned())
    );
    let readmit = r#"{"identifier":"user_id:u1","reason":"they are back"}"#;
    let (head, _) = server.send("POST /api/readmit", &[&privacy, json_type], readmit);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    server.visit(1, false);
    let (_, whole) = server.send(export, &[&privacy], "");
    assert!(whole["profileId"].is_string(), "{whole}");
}
