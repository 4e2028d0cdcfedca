//! What does `wayfare try` send, whom does it refuse, and is nothing owed by it?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[expect(dead_code, reason = "other tests start what is shipped")]
#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/receiver.rs"]
mod receiver;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use program::{Answer, parse};
use receiver::Arrived;
use tempfile::TempDir;

/// The program at work on the directory's state, as one who gives orders or looks.
fn wayfare(directory: &Path, arguments: &[&str]) -> Answer {
    let mut wayfare = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        wayfare.env_remove(format!("WAYFARE_{name}"));
    }
    wayfare.env_remove("USER").env("NO_COLOR", "1");
    wayfare.current_dir(directory).stdin(Stdio::null());
    wayfare.args(arguments).args(["--state", "state"]);
    wayfare.stdout(Stdio::piped()).stderr(Stdio::piped());
    Answer::of(wayfare)
}

/// Feeds events, then lets some time pass; requests go to a receiver.
fn play(directory: &Path, (advance, receiver): (&str, &str), events: &[String]) -> Answer {
    let arguments = ["--clock", "events", "--receiver", receiver];
    let mut run = program::run(directory, &arguments);
    run.args(["--journeys", ".", "--state", "state", "--advance", advance]);
    let mut running = run.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(events.join("\n").as_bytes()).unwrap();
    drop(stdin);
    let answer = Answer::after(running);
    assert_eq!(answer.status, 0, "{}", answer.err);
    answer
}

/// A directory with journeys, and what belongs to them.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// Who is listening for what is tried, and answers it.
fn answering(status: u16) -> (SocketAddr, mpsc::Receiver<Arrived>) {
    let (address, inbox) = receiver::listen();
    let (heard, tried) = mpsc::channel();
    std::thread::spawn(move || {
        let arrived = receiver::next(&inbox);
        arrived.answer(status);
        heard.send(arrived).unwrap();
    });
    (address, tried)
}

const LETTER: &str = r#"
journey: letter
description: Write to customers.
trigger: { event: Asked, where: properties.n > 0 }
blocks:
  write:
    webhook:
      method: PUT
      url: https://mail.example.com/people/{email}?from=us
      consent: marketing
      sign: { env: LETTER_KEY }
      headers: { X-Kind: "{properties.kind ?? 'none'}" }
      payload: { n: "{properties.n}", name: "{profile.name}" }
"#;

const ADA: &str = r#"{"type":"identify","timestamp":"2026-01-26T10:00:00Z","userId":"u1","traits":{"email":"ada@example.com","name":"Ada"}}"#;
const ACCEPTS: &str = r#"{"type":"consent","timestamp":"2026-01-26T10:01:00Z","userId":"u1","email":"ada@example.com","category":"marketing","action":"accept"}"#;
const ASKED: &str = r#"{"type":"track","userId":"u1","event":"Asked","properties":{"n":7}}"#;

/// Ada is known; she accepts letters, or has said nothing.
fn letters(events: &[&str]) -> TempDir {
    let directory = directory(&[("letter.yaml", LETTER), ("asked.json", ASKED)]);
    let events: Vec<String> = events.iter().map(ToString::to_string).collect();
    play(directory.path(), ("1m", "builtin"), &events);
    directory
}

/// A try, with what it is signed with there.
fn try_out(directory: &Path, arguments: &[&str]) -> Answer {
    let mut wayfare = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        wayfare.env_remove(format!("WAYFARE_{name}"));
    }
    wayfare.env_remove("USER").env("NO_COLOR", "1");
    wayfare.env("LETTER_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    wayfare.current_dir(directory).stdin(Stdio::null());
    wayfare.args(["try", "letter/write", "--profile"]);
    wayfare.args(arguments).args(["--state", "state"]);
    wayfare.args(["--by", "ann", "--clock", "events"]);
    wayfare.stdout(Stdio::piped()).stderr(Stdio::piped());
    Answer::of(wayfare)
}

#[test]
fn a_try_sends_one_marked_request_and_owes_nothing() {
    let directory = letters(&[ADA, ACCEPTS]);
    let directory = directory.path();
    let (address, tried) = answering(200);
    let to = format!("http://{address}");
    let answer = try_out(
        directory,
        &["user_id:u1", "--event", "asked.json", "--to", &to],
    );
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    let arrived = receiver::next(&tried);
    assert_eq!(arrived.line, "PUT /people/ada%40example.com?from=us");
    assert_eq!(arrived.body, r#"{"n":7,"name":"Ada"}"#);
    assert_eq!(arrived.header("wayfare-try"), "1");
    assert_eq!(arrived.header("host"), "mail.example.com");
    assert_eq!(arrived.header("x-kind"), "none");
    assert!(arrived.header("webhook-signature").starts_with("v1,"));
    let id = arrived.header("webhook-id").to_owned();
    assert!(answer.out.contains(&format!("webhook-id: {id}")));
    assert!(answer.out.ends_with("outcome     answered 200\n"));
    // Nothing is owed, and the next run sends nothing.
    let looked = wayfare(directory, &["deliveries"]);
    assert_eq!(looked.out, "");
    let run = play(directory, ("1h", "builtin"), &[]);
    assert_eq!(run.out, "");
    // Another one has another id.
    let (address, tried) = answering(500);
    let to = format!("http://{address}");
    let answer = try_out(
        directory,
        &[
            "u1",
            "--event",
            "asked.json",
            "--to",
            &to,
            "--format",
            "json",
        ],
    );
    assert_eq!(answer.status, 1, "{}", answer.err);
    assert_ne!(receiver::next(&tried).header("webhook-id"), id);
    let line = parse(&answer.out);
    assert_eq!(line["outcome"], "answered");
    assert_eq!(line["status"], 500);
    let signature = &line["request"]["headers"]["webhook-signature"];
    assert_eq!(signature, "v1,[redacted]");
}

#[test]
fn what_consent_does_not_allow_is_tried_on_this_machine_only() {
    let directory = letters(&[ADA]);
    let directory = directory.path();
    let refused = try_out(
        directory,
        &["email:ada@example.com", "--event", "asked.json"],
    );
    assert_eq!(refused.status, 1);
    assert_eq!(
        refused.err,
        "error: nothing was sent: consent is not there (silent): the block would end as \
         `suppressed`; `--to` an address of this machine sends it all the same\n"
    );
    let consent = "consent     marketing for ada@example.com: refused, silent\n";
    assert!(refused.out.contains(consent), "{}", refused.out);
    let (address, tried) = answering(204);
    let to = format!("http://{address}");
    let sent = try_out(directory, &["u1", "--event", "asked.json", "--to", &to]);
    assert_eq!((sent.status, sent.err.as_str()), (0, ""));
    assert_eq!(receiver::next(&tried).header("wayfare-try"), "1");
}

#[test]
fn a_dry_try_prints_the_request_and_says_what_the_event_lacks() {
    let directory = letters(&[ADA, ACCEPTS]);
    let directory = directory.path();
    let dry = try_out(directory, &["u1", "--dry-run"]);
    assert_eq!((dry.status, dry.err.as_str()), (0, ""));
    let lines: Vec<&str> = dry.out.lines().collect();
    assert!(
        lines.contains(&"absent      `properties.kind`, `properties.n`"),
        "{}",
        dry.out
    );
    assert_eq!(lines.last(), Some(&r#"body        {"name":"Ada"}"#));
    // Where the request cannot be without it, it says how to give it.
    let needed = LETTER.replace("?? 'none'", "");
    std::fs::write(directory.join("letter.yaml"), needed).unwrap();
    let failed = try_out(directory, &["u1", "--journeys", "."]);
    assert_eq!(failed.status, 1);
    assert!(
        failed.err.contains("give one with `--event FILE`"),
        "{}",
        failed.err
    );
}

#[test]
fn whom_or_what_a_try_names_wrongly_is_told() {
    let directory = letters(&[ADA]);
    let directory = directory.path();
    let nobody = try_out(directory, &["u9"]);
    assert_eq!(
        (nobody.status, nobody.err.as_str()),
        (1, "error: nobody is known as `u9`\n")
    );
    let check = |block: &str, expected: &str| {
        let arguments = ["try", block, "--profile", "u1"];
        let answer = wayfare(directory, &arguments);
        assert_eq!((answer.status, answer.out.as_str()), (1, ""));
        assert_eq!(answer.err, format!("error: {expected}\n"));
    };
    check(
        "letter",
        "`letter` is no webhook block; those of journey `letter` are `write`",
    );
    check(
        "leter/write",
        "no journey `leter` is in this state directory; did you mean `letter`?",
    );
}
