//! What can be ordered of a state directory, and is everything recorded with who and why?

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

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use program::{Answer, parse};
use serde_json::{Value, json};
use tempfile::TempDir;

const NUDGE: &str = r#"
journey: nudge
description: Write to visitors.
trigger: { event: Visited, where: properties.n > 0 }
entry: { again: always }
blocks:
  pause: { wait: 30m, then: write }
  write:
    webhook:
      method: POST
      url: https://mail.example.com/nudges
      consent: { basis: contract, because: it is a test }
      payload: { n: "{trigger.properties.n}" }
"#;

fn visit(minute: u32, person: u32) -> String {
    format!(
        r#"{{"type":"track","messageId":"m{minute}","timestamp":"2026-01-26T10:{minute:02}:00Z","userId":"u{person}","event":"Visited","properties":{{"n":{person}}}}}"#
    )
}

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

/// An order by ann, at the state's own time.
fn order(directory: &Path, arguments: &[&str]) -> Answer {
    let more = ["--reason", "a wrong price", "--by", "ann"];
    let arguments = [arguments, &more, &["--clock", "events"]].concat();
    wayfare(directory, &arguments)
}

/// What an order that is carried out says.
fn said(directory: &Path, arguments: &[&str]) -> String {
    let answer = order(directory, arguments);
    // What is paused is warned of too.
    assert_eq!(answer.status, 0, "{}", answer.err);
    answer.out
}

/// Why an order is not carried out.
fn refused(directory: &Path, arguments: &[&str]) -> String {
    let answer = order(directory, arguments);
    assert_eq!((answer.status, answer.out.as_str()), (1, ""));
    answer.err
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

fn house() -> TempDir {
    directory(&[("nudge.yaml", NUDGE)])
}

fn states(answer: &Answer) -> Vec<Value> {
    let lines = answer.of_kind("delivery").into_iter();
    lines.map(|line| line["state"].clone()).collect()
}

/// A delivery whose one attempt came to this: answered so, or not at all.
fn delivered(answer: Option<u16>) -> (TempDir, String) {
    let directory = house();
    let (address, inbox) = receiver::listen();
    let answering = std::thread::spawn(move || {
        let arrived = receiver::next(&inbox);
        // Without an answer the connection ends.
        answer.into_iter().for_each(|status| arrived.answer(status));
    });
    let run = play(
        directory.path(),
        ("1h", &address.to_string()),
        &[visit(0, 1)],
    );
    answering.join().unwrap();
    let last = run.of_kind("delivery").pop().unwrap();
    let id = last["deliveryId"].as_str().unwrap().to_owned();
    (directory, id)
}

#[test]
fn a_stop_ends_everybody_inside_and_says_how_many() {
    let directory = house();
    let directory = directory.path();
    play(directory, ("1m", "builtin"), &[visit(0, 1), visit(1, 2)]);
    let told = said(directory, &["stop", "nudge"]);
    assert_eq!(
        told,
        "journey `nudge` is stopped: 2 walks ended, 0 requests held back; journey `nudge` stays \
         paused until `wayfare resume nudge`\n"
    );
    let listed = wayfare(directory, &["journeys"]).out;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].ends_with("nobody inside"), "{listed}");
    let paused = "  paused since 2026-01-26T10:01:00Z by ann: a wrong price";
    assert_eq!(lines[1..], [paused]);
    let nobody = play(directory, ("1h", "builtin"), &[visit(3, 3)]);
    assert_eq!(nobody.of_kind("refused")[0]["reason"], "paused");
    said(directory, &["resume", "nudge"]);
    let again = play(directory, ("1h", "builtin"), &[visit(59, 4)]);
    assert_eq!(states(&again).last().unwrap(), "delivered");
}

#[test]
fn the_decision_of_a_stop_says_who_and_why() {
    let directory = house();
    let directory = directory.path();
    play(directory, ("1m", "builtin"), &[visit(0, 1)]);
    let inside = wayfare(directory, &["instances", "--format", "json"]).out;
    let instance = parse(&inside)["instanceId"].as_str().unwrap().to_owned();
    let told = said(directory, &["stop", "nudge/pause", "--format", "json"]);
    let expected = json!({
        "kind": "order", "at": "2026-01-26T10:00:00Z", "order": "stop",
        "journey": "nudge", "block": "pause",
        "by": "ann", "reason": "a wrong price", "ended": 1, "withheld": 0,
    });
    assert_eq!(parse(&told), expected);
    let explained = wayfare(directory, &["explain", "--decision", &instance]);
    let outcome = "outcome     stopped: stopped by ann: a wrong price";
    assert!(explained.out.contains(outcome), "{}", explained.out);
}

#[test]
fn what_came_due_in_a_pause_can_be_left_out() {
    let directory = house();
    let directory = directory.path();
    play(directory, ("1m", "builtin"), &[visit(0, 1), visit(19, 2)]);
    said(directory, &["pause", "nudge"]);
    // Time goes on with somebody who comes meanwhile.
    let held = play(directory, ("1m", "builtin"), &[visit(40, 3)]);
    assert_eq!(held.of_kind("decision").len(), 0);
    let told = said(directory, &["resume", "nudge", "--skip-overdue"]);
    assert_eq!(
        told,
        "journey `nudge` goes on without what was overdue: 1 walk ended, 0 requests held back\n"
    );
    let sent = play(directory, ("1h", "builtin"), &[]);
    let bodies: Vec<_> = sent
        .of_kind("decision")
        .iter()
        .map(|line| line["request"]["body"].clone())
        .collect();
    assert_eq!(bodies, [json!({ "n": 2 })]);
}

#[test]
fn everything_is_paused_and_goes_on_at_once() {
    let other = NUDGE.replace("nudge", "other");
    let directory = directory(&[("nudge.yaml", NUDGE), ("other.yaml", &other)]);
    let directory = directory.path();
    play(directory, ("1m", "builtin"), &[visit(0, 1)]);
    said(directory, &["pause", "other"]);
    let told = said(directory, &["pause", "--all", "--format", "json"]);
    let orders: Vec<_> = told.lines().map(parse).collect();
    assert_eq!(orders.len(), 1, "{told}");
    assert_eq!(orders[0]["journey"], "nudge");
    let none = refused(directory, &["pause", "--all"]);
    assert_eq!(
        none,
        "error: no journey is there that is not paused already\n"
    );
    let told = said(directory, &["resume", "--all"]);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert_eq!(
        refused(directory, &["resume", "--all"]),
        "error: no journey is paused\n"
    );
    // One or all, and never both.
    for place in [&["pause"][..], &["pause", "nudge", "--all"]] {
        assert_eq!(order(directory, place).status, 1);
    }
}

#[test]
fn a_webhook_block_is_paused_by_itself() {
    let directory = house();
    let directory = directory.path();
    play(directory, ("1m", "builtin"), &[visit(0, 1)]);
    let told = said(directory, &["pause", "nudge/write"]);
    assert_eq!(
        told,
        "block `nudge/write` is paused: nothing leaves from it, and what it owes waits\n"
    );
    let held = play(directory, ("1h", "builtin"), &[]);
    assert_eq!(
        (held.of_kind("decision").len(), states(&held).len()),
        (1, 0)
    );
    let listed = wayfare(directory, &["journeys"]).out;
    let line = "  block write paused since 2026-01-26T10:00:00Z by ann: a wrong price\n";
    assert!(listed.ends_with(line), "{listed}");
    let hint = refused(directory, &["resume", "nudge"]);
    assert_eq!(
        hint,
        "error: journey `nudge` is not paused; block `nudge/write` is: `wayfare resume nudge/write`\n"
    );
    said(directory, &["resume", "nudge/write"]);
    let sent = play(directory, ("1m", "builtin"), &[]);
    assert_eq!(states(&sent), ["armed", "delivered"]);
}

#[test]
fn what_is_named_wrongly_is_told_with_what_there_is() {
    let directory = house();
    let directory = directory.path();
    play(directory, ("1m", "builtin"), &[visit(0, 1)]);
    let check = |arguments: &[&str], expected: &str| {
        let told = refused(directory, arguments);
        assert_eq!(told, format!("error: {expected}\n"));
    };
    check(
        &["stop", "nudg"],
        "no journey `nudg` is in this state directory; did you mean `nudge`?",
    );
    check(
        &["pause", "nudge/wrte"],
        "journey `nudge` has no block `wrte`; did you mean `write`?",
    );
    check(
        &["stop", "nudge/elsewhere"],
        "journey `nudge` has no block `elsewhere`; it has `pause`, `write`",
    );
    check(
        &["pause", "nudge/pause"],
        "block `nudge/pause` is no webhook block, and only those can be paused by themselves; pause \
         the whole journey `nudge`, or one of `write`",
    );
    check(
        &["resend", "whd_1"],
        "`whd_1` is no delivery: an id is `whd_` and 32 hex digits; `wayfare deliveries` lists them",
    );
    let nobody = format!("whd_{}", "0".repeat(32));
    check(
        &["resolve", &nobody, "--as", "delivered"],
        &format!(
            "no delivery `{nobody}` is in this state directory; `wayfare deliveries` lists those \
             there are"
        ),
    );
}

#[test]
fn what_may_not_have_arrived_is_sent_again_with_the_same_id_and_bytes() {
    let (directory, id) = delivered(None);
    let directory = directory.path();
    let unknown = wayfare(directory, &["deliveries", "--in", "unknown"]);
    assert!(unknown.out.starts_with(&id), "{}", unknown.out);
    let told = said(directory, &["resend", &id]);
    assert_eq!(
        told,
        format!(
            "delivery `{id}` is planned again: the next run sends the same bytes, if consent allows it\n"
        )
    );
    let (address, inbox) = receiver::listen();
    let answering = std::thread::spawn(move || {
        let arrived = receiver::next(&inbox);
        arrived.answer(200);
        assert_eq!(arrived.line, "POST /nudges");
        (
            arrived.header("webhook-id").to_owned(),
            arrived.body.clone(),
        )
    });
    let sent = play(directory, ("1m", &address.to_string()), &[]);
    assert_eq!(states(&sent), ["armed", "delivered"]);
    let (sent_id, body) = answering.join().unwrap();
    assert_eq!(
        (sent_id.as_str(), body.as_str()),
        (id.as_str(), r#"{"n":1}"#)
    );
    let again = refused(directory, &["resend", &id]);
    assert_eq!(
        again,
        format!(
            "error: delivery `{id}` is delivered (200), and only what is unknown, rejected or expired \
             is sent again: the receiver has it\n"
        )
    );
}

#[test]
fn who_ordered_what_of_a_delivery_is_shown() {
    let (directory, id) = delivered(None);
    let directory = directory.path();
    let told = said(directory, &["resolve", &id, "--as", "delivered"]);
    assert_eq!(told, format!("delivery `{id}` counts as delivered\n"));
    let line = parse(&wayfare(directory, &["deliveries", "--format", "json"]).out);
    let orders = json!([{
        "at": "2026-01-26T10:30:00Z", "by": "ann", "reason": "a wrong price", "state": "delivered",
    }]);
    assert_eq!(line["orders"], orders);
    let explained = wayfare(directory, &["explain", "--decision", &id]).out;
    let last = "  ann said that it was delivered: a wrong price\n";
    assert!(explained.ends_with(last), "{explained}");
    let again = refused(directory, &["resolve", &id, "--as", "delivered"]);
    let why = "is delivered (resolved), and only what is unknown can be resolved\n";
    assert!(again.ends_with(why), "{again}");
}

#[test]
fn what_was_rejected_is_not_resolved_but_can_be_sent_again() {
    let (directory, id) = delivered(Some(400));
    let directory = directory.path();
    let told = refused(directory, &["resolve", &id, "--as", "delivered"]);
    let hint = "is rejected (400), and only what is unknown can be resolved; it can be sent again: \
                `wayfare resend`\n";
    assert!(told.ends_with(hint), "{told}");
    said(directory, &["resend", &id]);
}

#[test]
fn an_address_is_suppressed_and_is_so_no_more() {
    const LETTER: &str = r#"
journey: letter
description: Write to visitors.
trigger: { event: Visited, where: properties.n > 0 }
entry: { again: always }
blocks:
  write:
    webhook:
      method: POST
      url: https://mail.example.com/letters
      consent: { basis: contract, because: it is a test, address: profile.email }
      payload: { to: "{profile.email}" }
"#;
    let directory = directory(&[("letter.yaml", LETTER)]);
    let directory = directory.path();
    let anna = r#"{"type":"identify","messageId":"a","timestamp":"2026-01-26T10:00:00Z","userId":"u1","traits":{"email":"anna@example.com"}}"#;
    play(directory, ("1m", "builtin"), &[anna.to_owned()]);
    let decision = |minute| {
        let answer = play(directory, ("1m", "builtin"), &[visit(minute, 1)]);
        let decision = answer.of_kind("decision").remove(0);
        assert_eq!(decision["consent"]["address"], "anna@example.com");
        (decision["outcome"].clone(), decision["reason"].clone())
    };
    assert_eq!(decision(1), (json!("webhook"), Value::Null));
    let bounced = ["suppress", " Anna@example.com", "--because", "bounce"];
    assert_eq!(
        said(directory, &bounced),
        "`anna@example.com` is suppressed (bounce): nothing goes to it, whatever is said from now \
         on\n"
    );
    assert_eq!(decision(5), (json!("suppressed"), json!("suppressed")));
    let again = refused(directory, &bounced);
    assert!(
        again.starts_with("error: nothing goes to `anna@example.com` already, since 2026-01-26T"),
        "{again}"
    );
    assert!(again.ends_with("(bounce: a wrong price)\n"), "{again}");
    let lifted = ["unsuppress", "email:anna@example.com", "--format", "json"];
    let lifted = parse(&said(directory, &lifted));
    let words = ["kind", "order", "address", "by"].map(|key| lifted[key].clone());
    assert_eq!(words, ["order", "unsuppress", "anna@example.com", "ann"]);
    assert_eq!(decision(9), (json!("webhook"), Value::Null));
    let not = refused(directory, &["unsuppress", "anna@example.com"]);
    assert_eq!(not, "error: `anna@example.com` is not suppressed\n");
    let nothing = refused(directory, &["unsuppress", "anna"]);
    assert!(
        nothing.starts_with("error: `anna` is no address: "),
        "{nothing}"
    );
}
