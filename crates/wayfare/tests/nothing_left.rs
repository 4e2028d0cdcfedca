//! Is nothing left of somebody erased, in any file of the state directory, and everything of everybody
//! else? Their values are searched as bytes, after runs, in servers at work, and after kills.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[expect(dead_code, reason = "other tests start what is shipped")]
#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/scratch.rs"]
mod scratch;
#[expect(dead_code, reason = "other tests give other orders")]
#[path = "at_work/server.rs"]
mod server;

use std::path::Path;

use program::{Answer, parse};
use scratch::directory;
use serde_json::{Value, json};
use server::{Server, WALL, held, wayfare};
use tempfile::TempDir;

/// Tells about people as they come, with their values in URL and body; and waits for them.
const GREET: &str = r#"
journey: greet
description: Write to visitors.
trigger: { event: Visited, where: properties.n >= 0 }
entry: { again: always, key: properties.n }
blocks:
  write:
    webhook:
      method: POST
      url: https://mail.example.com/{properties.secret}
      consent: { basis: contract, because: it is a test }
      identity: any
      payload: { to: "{profile.email}", secret: "{properties.secret}" }
"#;

const WAIT: &str = r#"
journey: wait
description: Write to visitors later.
trigger: { event: Visited, where: properties.n >= 0 }
entry: { again: always, key: properties.secret }
blocks:
  pause: { wait: 30d, then: done }
  done: { exit: done }
"#;

const CONFIG: &str = "
consent:
  categories:
    ads: { class: consent, binding: profile }
server:
  keys: [{ id: web, kind: server, key: { env: WEB_KEY } }]
  admin: [{ id: privacy, token: { env: WALL_TOKEN }, scopes: [admin] }]
";

/// What names somebody or is told of them, recognisable; `letters` is theirs.
fn values(letters: &str, phone: &str) -> Vec<String> {
    let mut values = vec![
        format!("user-{letters}"),
        format!("browser-{letters}"),
        format!("mail-{letters}@example.com"),
        format!("mail-{letters}%40example.com"),
        format!("trait \\\"{letters}"),
        format!("trait-{letters}"),
        format!("notice-{letters}"),
        format!("property {letters}/"),
        format!("property%20{letters}%2F"),
        format!("city-{letters}"),
    ];
    values.push(phone.to_owned());
    values
}

const ANN: (&str, &str) = ("annqx", "+4915112345671");
const BOB: (&str, &str) = ("bobzk", "+4915112345672");

/// What somebody does, in the order of the minutes.
fn events((letters, phone): (&str, &str), minute: u32) -> Vec<Value> {
    let user = format!("user-{letters}");
    let browser = format!("browser-{letters}");
    let email = format!("mail-{letters}@example.com");
    let at = |more: u32| format!("2026-01-26T10:{:02}:00Z", minute + more);
    // A second copy is known by it, so it says nothing of anybody.
    let who = usize::from(letters == BOB.0);
    let id = |more: u32| format!("{who}-{minute}-{more}");
    let city = format!("city-{letters}");
    let secret = format!("property {letters}/");
    vec![
        json!({ "type": "track", "messageId": id(0), "timestamp": at(0), "anonymousId": browser,
            "event": "Visited", "properties": { "n": minute, "secret": secret } }),
        json!({ "type": "identify", "messageId": id(1), "timestamp": at(1), "userId": user,
            "anonymousId": browser, "traits": { "email": email, "phone": phone,
            "city": city, "quoted": format!("trait \"{letters}"), "trait": format!("trait-{letters}") } }),
        json!({ "type": "consent", "messageId": id(2), "timestamp": at(2), "userId": user,
            "category": "ads", "action": "accept", "notice": format!("notice-{letters}") }),
        json!({ "type": "track", "messageId": id(3), "timestamp": at(3), "userId": user,
            "event": "Visited", "properties": { "n": minute + 3, "secret": secret,
            "link": format!("https://example.com/?m=mail-{letters}%40example.com&s=property%20{letters}%2F") } }),
    ]
}

fn house() -> TempDir {
    directory(&[
        ("greet.yaml", GREET),
        ("wait.yaml", WAIT),
        ("wayfare.yaml", CONFIG),
    ])
}

/// Plays events by their own time.
fn play(here: &Path, events: &[Value]) -> Answer {
    let files = std::fs::read_dir(here).unwrap().count();
    let file = format!("events-{files}.ndjson");
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    std::fs::write(here.join(&file), lines.join("\n")).unwrap();
    let mut run = wayfare(here);
    run.args(["run", "--journeys", ".", "--state", "state"]);
    run.args([
        "--clock",
        "events",
        "--receiver",
        "builtin",
        "--events",
        &file,
    ]);
    let answer = Answer::of(run);
    assert_eq!(answer.status, 0, "{}", answer.err);
    answer
}

fn on(here: &Path, arguments: &[&str]) -> Answer {
    let mut command = wayfare(here);
    command.args(arguments);
    command.args(["--journeys", ".", "--state", "state"]);
    let answer = Answer::of(command);
    assert_eq!(answer.status, 0, "{}{}", answer.out, answer.err);
    answer
}

/// Every file below a directory, as far as it is text.
fn files(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            // One that is gone meanwhile holds nothing. Most of a segment is empty.
            let written = bytes
                .chunks(4096)
                .filter(|it| **it != [0; 4096][..it.len()]);
            let written: Vec<u8> = written.flatten().copied().collect();
            let text = String::from_utf8_lossy(&written).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
    found
}

/// Which of the values are in which files.
fn found(here: &Path, (letters, phone): (&str, &str)) -> Vec<(String, String)> {
    let files = files(&here.join("state"));
    let mut found = Vec::new();
    for value in values(letters, phone) {
        for (name, _) in files.iter().filter(|(_, text)| text.contains(&value)) {
            found.push((value.clone(), name.clone()));
        }
    }
    found
}

fn has_all(here: &Path, who: (&str, &str)) {
    let found = found(here, who);
    for value in values(who.0, who.1) {
        let is_there = found.iter().any(|(it, _)| *it == value);
        assert!(is_there, "`{value}` is in no file");
    }
}

fn has_none(here: &Path, who: (&str, &str)) {
    assert_eq!(found(here, who), [], "something is left");
}

fn verified(here: &Path) {
    let answer = held(here, &["verify"]);
    assert_eq!(answer.status, 0, "{}", answer.out);
}

fn counted(answer: &Answer, expected: &str) {
    let is_there = answer.err.contains(expected);
    assert!(is_there, "{expected} is not in {}", answer.err);
}

#[test]
fn nothing_is_left_of_whoever_was_erased_and_everything_of_others() {
    for mode in ["both", "delete"] {
        let directory = house();
        let here = directory.path();
        let all = [events(ANN, 1), events(BOB, 10)].concat();
        play(here, &all);
        has_all(here, ANN);
        has_all(here, BOB);
        let erase = ["erase", "phone:+4915112345671", "--mode", mode];
        let why = ["--reason", "user-annqx asked", "--clock", "events"];
        let told = on(here, &[&erase[..], &why[..]].concat()).out;
        let end = "history, checkpoints and state tell of nobody by it any more\n";
        assert!(told.ends_with(end), "{told}");
        has_none(here, ANN);
        has_all(here, BOB);
        verified(here);
        let told = parse(&on(here, &["export", "user_id:user-annqx"]).out);
        assert_eq!(told.get("historyComplete"), Some(&json!(true)), "{told}");
        // What happened before is a second copy when it comes again; without an id, it is not heard.
        let answer = play(here, &all);
        counted(&answer, "8 taken, 8 of them second copies");
        let mut again = events(ANN, 1);
        for event in &mut again {
            event.as_object_mut().unwrap().remove("messageId");
        }
        let answer = play(here, &again);
        counted(&answer, "4 of somebody erased");
        has_none(here, ANN);
        let answer = play(here, &events(BOB, 30));
        counted(&answer, "4 taken, 0 of them second copies");
        verified(here);
        // Whoever comes back, where they may, keeps what is theirs since.
        let answer = play(here, &events(ANN, 40));
        if mode == "both" {
            counted(&answer, "4 of somebody erased");
            has_none(here, ANN);
        } else {
            counted(&answer, "4 taken, 0 of them second copies");
            has_all(here, ANN);
        }
        let explain = ["explain", "--profile", "user_id:user-bobzk"];
        on(here, &[&explain[..], &["--journey", "greet"]].concat());
        on(here, &["profiles"]);
        let plan = held(here, &["plan", "."]);
        assert_eq!(plan.status, 0, "{}{}", plan.out, plan.err);
        has_all(here, BOB);
        verified(here);
    }
}

#[test]
fn nothing_is_left_of_whoever_nobody_knew_but_the_order() {
    let directory = house();
    let here = directory.path();
    play(here, &events(BOB, 10));
    let erase = ["erase", "email:mail-annqx@example.com"];
    let why = [
        "--reason",
        "mail-annqx@example.com asked",
        "--clock",
        "events",
    ];
    on(here, &[&erase[..], &why[..]].concat());
    has_none(here, ANN);
    has_all(here, BOB);
    verified(here);
}

/// Sends what somebody does.
fn send(server: &Server<'_>, who: (&str, &str)) {
    for event in events(who, 1) {
        let kind = event.get("type").and_then(Value::as_str).unwrap();
        let line = format!("POST /v1/{kind}");
        let (head, _) = server.send(&line, &["Authorization: Basic azE6"], &event.to_string());
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }
}

fn exported(server: &Server<'_>) -> Value {
    let privacy = format!("Authorization: Bearer {WALL}");
    let export = "GET /api/export?identifier=user_id:user-annqx";
    server.send(export, &[&privacy], "").1
}

/// Orders the erasure; what is answered.
fn erase(server: &Server<'_>) -> Value {
    let privacy = format!("Authorization: Bearer {WALL}");
    let headers = [&*privacy, "Content-Type: application/json"];
    let body = r#"{"identifier":"user_id:user-annqx","reason":"browser-annqx asked"}"#;
    let (head, told) = server.send("POST /api/erase", &headers, body);
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    told
}

fn wait_for_the_history(server: &Server<'_>) {
    while exported(server).get("historyComplete") != Some(&json!(true)) {}
}

#[test]
fn a_server_at_work_leaves_nothing_of_whoever_is_erased() {
    let directory = house();
    let here = directory.path();
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    send(&server, ANN);
    send(&server, BOB);
    has_all(here, ANN);
    let told = erase(&server);
    let order = told.pointer("/orders/0/historyComplete");
    assert!(order.is_some_and(Value::is_boolean), "{told}");
    wait_for_the_history(&server);
    has_none(here, ANN);
    has_all(here, BOB);
    // It goes on.
    send(&server, ANN);
    send(&server, BOB);
    has_none(here, ANN);
    server.stop();
    has_none(here, ANN);
    has_all(here, BOB);
    verified(here);
}

#[test]
fn a_server_that_is_killed_in_the_middle_of_it_goes_on_where_it_was() {
    let directory = house();
    let here = directory.path();
    {
        let server = Server::start(&directory, "127.0.0.1", "builtin");
        send(&server, ANN);
        send(&server, BOB);
        erase(&server);
        // Dropping it kills it.
    }
    for looks in 0..4 {
        let server = Server::start(&directory, "127.0.0.1", "builtin");
        for _ in 0..looks {
            exported(&server);
        }
    }
    let server = Server::start(&directory, "127.0.0.1", "builtin");
    wait_for_the_history(&server);
    has_none(here, ANN);
    has_all(here, BOB);
    server.stop();
    verified(here);
}
