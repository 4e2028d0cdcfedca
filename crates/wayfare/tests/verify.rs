//! Does `wayfare verify` say of a state directory what is broken in it, and nothing else? What it finds
//! is `wayfare-runtime`'s tests'; here is how it is told.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/scratch.rs"]
mod scratch;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use program::{Answer, parse, shipped};
use scratch::{Running, directory};
use tempfile::TempDir;
use wayfare_executor::{Change, Key};
use wayfare_store::local::Options;
use wayfare_store::{Batch, Entry, LocalStore, LoggedInput, ReadOnly, Store};

/// A directory with the state after the sample events.
fn played(sending: &[&str]) -> TempDir {
    let directory = directory(&[]);
    let arguments = [&["--clock", "events", "--state", "state"], sending].concat();
    let mut run = program::run(directory.path(), &arguments);
    run.arg("--journeys").arg(shipped("journeys"));
    run.arg("--events")
        .arg(shipped("journeys/sample-events.ndjson"));
    let answer = Answer::of(run);
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert_eq!(answer.of_kind("decision").len(), 5, "{}", answer.out);
    directory
}

fn verify(directory: &Path, arguments: &[&str]) -> Answer {
    let mut wayfare = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        wayfare.env_remove(format!("WAYFARE_{name}"));
    }
    wayfare.current_dir(directory).stdin(Stdio::null());
    wayfare.args(["verify", "--state", "state"]).args(arguments);
    wayfare.stdout(Stdio::piped()).stderr(Stdio::piped());
    Answer::of(wayfare)
}

/// Whether a line begins so, whatever it counts.
fn told(answer: &Answer, expected: &[&str]) {
    assert_eq!(answer.err, "");
    let lines: Vec<&str> = answer.out.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{}", answer.out);
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
}

#[test]
fn a_sound_state_is_told_with_its_counts() {
    let state = played(&["--receiver", "builtin"]);
    let answer = verify(state.path(), &[]);
    assert_eq!(answer.status, 0);
    let expected = [
        "history     inputs 1 to ",
        "rows        ",
        "decisions   5: exit 1, webhook 4",
        "deliveries  4: delivered 4",
        "inside      1",
        "verified    nothing is broken",
    ];
    told(&answer, &expected);
    let found = parse(&verify(state.path(), &["--format", "json"]).out);
    assert_eq!(found["broken"], 0);
    assert_eq!(found["decisions"]["webhook"], 4);
    assert_eq!(found["breaches"], serde_json::json!([]));
}

#[test]
fn a_dry_state_is_told_to_owe_nothing() {
    let answer = verify(played(&["--dry-run"]).path(), &[]);
    assert_eq!(answer.status, 0, "{}", answer.out);
    let line = "deliveries  none: the state of a dry run";
    assert!(answer.out.lines().any(|it| it == line), "{}", answer.out);
}

/// Writes another input with a decision that was taken, and takes a row of the ledger away.
fn tamper(state: &Path) {
    let (mut looking, _) = ReadOnly::open(state).unwrap();
    let mut decided = Vec::new();
    let mut keep = |entry: &Entry| {
        let changes = entry.changes.iter();
        decided.extend(changes.filter_map(|change| {
            if let Change::Decided(decision) = change {
                Some(decision.clone())
            } else {
                None
            }
        }));
    };
    looking.history(1, &mut keep).unwrap();
    let head = looking.head().clone();
    drop(looking);
    let options = Options {
        cache_mb: 16,
        dry: false,
        new_id_key: [0; 32],
        history_us: i64::MAX,
    };
    let (mut store, _) = LocalStore::open(state, &options).unwrap();
    let (first, last) = (decided.first().unwrap(), decided.last().unwrap());
    let entry = Entry {
        seq: head.next_seq,
        at: head.last_at,
        input: LoggedInput::Withdrawn("none".into()),
        changes: vec![Change::Decided(first.clone())],
    };
    let batch = Batch {
        entries: vec![entry],
        rows: vec![(Key::Decision(last.id), None)],
        cursor: None,
    };
    store.commit(&batch).unwrap();
    store.checkpoint().unwrap();
    store.close().unwrap();
}

#[test]
fn what_was_redacted_is_told_and_is_no_breach() {
    let state = played(&["--receiver", "builtin"]);
    let options = Options {
        cache_mb: 16,
        dry: false,
        new_id_key: [0; 32],
        history_us: i64::MAX,
    };
    let (mut store, _) = LocalStore::open(&state.path().join("state"), &options).unwrap();
    let next = store.head().next_seq;
    store.redact(&(2..6).collect()).unwrap();
    store.redact_fully().unwrap();
    store.close().unwrap();
    let answer = verify(state.path(), &[]);
    assert_eq!(answer.status, 0, "{}", answer.out);
    let gap = format!(
        "            4 inputs are redacted by an erasure and cannot be checked; what follows from input {next} on is"
    );
    let expected = [
        "history     inputs 1 to ",
        &gap,
        "rows        ",
        "decisions   5: exit 1, webhook 4",
        "deliveries  4: delivered 4",
        "inside      1",
        "verified    nothing is broken",
    ];
    told(&answer, &expected);
    let found = parse(&verify(state.path(), &["--format", "json"]).out);
    assert_eq!(
        (&found["redacted"], &found["judgedFrom"]),
        (&4.into(), &next.into())
    );
}

#[test]
fn what_is_broken_is_told_line_by_line_and_in_the_status() {
    let state = played(&["--receiver", "builtin"]);
    tamper(&state.path().join("state"));
    let answer = verify(state.path(), &[]);
    assert_eq!(answer.status, 1);
    let broken: Vec<&str> = answer
        .out
        .lines()
        .filter_map(|line| line.strip_prefix("broken      "))
        .collect();
    let is_told = |rule: &str, why: &str| {
        let mut lines = broken.iter();
        lines.any(|line| line.starts_with(rule) && line.ends_with(why))
    };
    for (rule, why) in [
        ("decision: input ", " already"),
        ("ledger: input ", "a decision without its row in the ledger"),
        ("state: dec_", "a row that follows from the history is gone"),
        ("counts: instances: ", " are inside"),
    ] {
        assert!(is_told(rule, why), "{rule}…{why}: {}", answer.out);
    }
    let last = format!("{} breaches", broken.len() - 1);
    assert_eq!(broken.last(), Some(&last.as_str()));
    let found = parse(&verify(state.path(), &["--format", "json"]).out);
    assert_eq!(found["broken"], broken.len() - 1);
    assert_eq!(found["breaches"][0]["rule"], "decision");
}

#[test]
fn a_state_that_cannot_be_read_is_no_breach() {
    let empty = directory(&[]);
    let answer = verify(empty.path(), &[]);
    assert_eq!((answer.status, answer.out.as_str()), (1, ""));
    let named = "no state directory `state`";
    assert!(answer.err.contains(named), "{}", answer.err);

    let directory = directory(&[]);
    let arguments = ["--receiver", "builtin", "--state", "state", "--journeys"];
    let mut run = program::run(directory.path(), &arguments);
    run.arg(shipped("journeys")).stdin(Stdio::piped());
    let mut running = Running(run.spawn().unwrap());
    let mut events = running.0.stdin.take().unwrap();
    events.write_all(b"no event\n").unwrap();
    // What it prints shows that it has the state; it waits for more input then.
    let mut printed = BufReader::new(running.0.stdout.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    let answer = verify(directory.path(), &[]);
    assert_eq!((answer.status, answer.out.as_str()), (2, ""));
    let process = format!("`state` is in use by process {}", running.0.id());
    assert!(answer.err.contains(&process), "{}", answer.err);
}
