//! Are journeys listed, paused and resumed, and is nothing lost meanwhile?

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

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use program::{Answer, parse};
use scratch::{Running, directory};
use serde_json::json;
use tempfile::TempDir;

/// At most one enters in an hour, and each waits half an hour before the request.
const LIMITED: &str = r#"
journey: nudge
description: Write to visitors.
trigger: { event: Visited, where: properties.n > 0 }
entry: { again: always, limit: 1/h }
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

/// Feeds events, then lets some time pass.
fn play(directory: &Path, advance: &str, events: &[String]) -> Answer {
    let arguments = ["--clock", "events", "--receiver", "builtin"];
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

/// Three visits within minutes: the first one enters, the second pauses the journey.
fn limited() -> TempDir {
    let directory = directory(&[("nudge.yaml", LIMITED)]);
    let answer = play(
        directory.path(),
        "5m",
        &[visit(0, 1), visit(1, 2), visit(2, 3)],
    );
    let paused = answer.of_kind("journey");
    assert_eq!(paused.len(), 1, "{}", answer.out);
    assert_eq!(paused[0]["state"], "paused");
    let refused = answer.of_kind("refused").into_iter();
    let reasons: Vec<_> = refused.map(|line| line["reason"].clone()).collect();
    assert_eq!(reasons, ["entry_limit", "paused"]);
    directory
}

#[test]
fn a_journey_that_paused_itself_is_shown_with_its_reason_and_who_waits_in_it() {
    let directory = limited();
    let text = wayfare(directory.path(), &["journeys"]);
    assert_eq!((text.status, text.err.as_str()), (0, ""));
    let found = wayfare(directory.path(), &["journeys", "--format", "json"]);
    let found = parse(&found.out);
    let version = found["version"].as_str().unwrap();
    let expected = format!(
        "nudge  version {}, 1 inside: pause 1\n  \
         paused since 2026-01-26T10:01:00Z by entry limit: more than 1 entries in 1h\n",
        version.split_at(8).0
    );
    assert_eq!(text.out, expected);
    let expected = json!({
        "journey": "nudge",
        "version": version,
        "blocks": { "pause": 1 },
        "earlier": [],
        "paused": {
            "since": "2026-01-26T10:01:00Z",
            "by": "entry limit",
            "reason": "more than 1 entries in 1h",
        },
        "pausedBlocks": {},
        "sweeps": [],
    });
    assert_eq!(found, expected);
}

#[test]
fn what_was_held_while_paused_is_sent_after_it_goes_on() {
    let directory = limited();
    // Half an hour is over long since, and the journey holds what is due.
    let held = play(directory.path(), "1h", &[]);
    assert_eq!(held.out, "");
    assert!(held.err.contains("waiting     1"), "{}", held.err);
    let resumed = wayfare(
        directory.path(),
        &[
            "resume",
            "nudge",
            "--reason",
            "it was a sale",
            "--by",
            "ann",
        ],
    );
    assert_eq!((resumed.status, resumed.err.as_str()), (0, ""));
    assert_eq!(
        resumed.out,
        "journey `nudge` goes on: what is due in it is sent by the next run\n"
    );
    let sent = play(directory.path(), "1h", &[]);
    assert_eq!(sent.of_kind("decision").len(), 1, "{}", sent.out);
    let last = sent.of_kind("delivery").pop().unwrap();
    assert_eq!(last["state"], "delivered");
    assert!(sent.err.contains("waiting     0"), "{}", sent.err);
    let again = wayfare(directory.path(), &["resume", "nudge", "--reason", "again"]);
    assert_eq!((again.status, again.out.as_str()), (1, ""));
    assert_eq!(again.err, "error: journey `nudge` is not paused\n");
}

#[test]
fn a_pause_holds_entries_and_waits_and_says_who_ordered_it() {
    let directory = directory(&[("nudge.yaml", LIMITED)]);
    play(directory.path(), "1m", &[visit(0, 1)]);
    let order = |what: &str| {
        let reason = ["nudge", "--reason", "a wrong price", "--by", "ann"];
        let arguments = [&[what], &reason[..], &["--clock", "events"]].concat();
        wayfare(directory.path(), &arguments)
    };
    let paused = order("pause");
    assert_eq!(paused.status, 0, "{}", paused.err);
    assert_eq!(
        paused.out,
        "journey `nudge` is paused: nobody enters, and what waits in it waits on\n"
    );
    let listed = wayfare(directory.path(), &["journeys"]);
    let since = "\n  paused since 2026-01-26T10:00:00Z by ann: a wrong price\n";
    assert!(listed.out.ends_with(since), "{}", listed.out);
    let again = order("pause");
    assert_eq!(again.status, 1);
    assert!(again.err.contains("is paused already"), "{}", again.err);
    let held = play(directory.path(), "1h", &[visit(2, 2)]);
    assert_eq!(held.of_kind("decision").len(), 0, "{}", held.out);
    assert_eq!(held.of_kind("refused")[0]["reason"], "paused");
    assert_eq!(order("resume").status, 0);
    let sent = play(directory.path(), "1h", &[]);
    assert_eq!(sent.of_kind("decision").len(), 1, "{}", sent.out);
}

#[test]
fn a_run_with_a_held_delivery_ends_and_the_delivery_leaves_once_resumed() {
    let directory = directory(&[("nudge.yaml", LIMITED)]);
    // Nobody listens there, so the delivery waits for its next attempt when the run is stopped.
    let mut run = program::run(directory.path(), &["--receiver", "127.0.0.1:9"]);
    run.args(["--journeys", ".", "--state", "state"]);
    let journey = LIMITED.replace("pause: { wait: 30m, then: write }\n  ", "");
    std::fs::write(directory.path().join("nudge.yaml"), &journey).unwrap();
    let mut running = Running(run.stdin(Stdio::piped()).spawn().unwrap());
    let event = r#"{"type":"track","userId":"u1","event":"Visited","properties":{"n":1}}"#;
    let mut events = running.0.stdin.take().unwrap();
    writeln!(events, "{event}").unwrap();
    let printed = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let mut lines = printed.map(|line| parse(&line.unwrap()));
    assert!(lines.any(|line| line["state"] == "planned"));
    drop(running);
    let order = |what: &str| {
        let answer = wayfare(directory.path(), &[what, "nudge", "--reason", "a test"]);
        assert_eq!(answer.status, 0, "{}", answer.err);
    };
    let finish = || {
        let arguments = [
            "--receiver",
            "builtin",
            "--state",
            "state",
            "--journeys",
            ".",
        ];
        let answer = Answer::of(program::run(directory.path(), &arguments));
        assert_eq!(answer.status, 0, "{}", answer.err);
        answer.of_kind("delivery")
    };
    order("pause");
    let expected: [serde_json::Value; 0] = [];
    assert_eq!(finish(), expected);
    order("resume");
    assert_eq!(finish().pop().unwrap()["state"], "delivered");
}

#[test]
fn a_journey_that_is_not_there_is_named_with_the_nearest_one() {
    let directory = limited();
    let answer = wayfare(directory.path(), &["pause", "nudg", "--reason", "a typo"]);
    assert_eq!(answer.status, 1);
    assert_eq!(
        answer.err,
        "error: no journey `nudg` is in this state directory; did you mean `nudge`?\n"
    );
}

#[test]
fn an_order_publishes_nothing() {
    let directory = limited();
    let before = wayfare(directory.path(), &["journeys"]);
    let edited = LIMITED.replace("30m", "45m");
    std::fs::write(directory.path().join("nudge.yaml"), edited).unwrap();
    let order = ["resume", "nudge", "--reason", "go on", "--journeys", "."];
    assert_eq!(wayfare(directory.path(), &order).status, 0);
    let after = wayfare(directory.path(), &["journeys"]);
    let first = |answer: &Answer| answer.out.lines().next().unwrap().to_owned();
    assert_eq!(first(&after), first(&before));
}

#[test]
fn a_state_in_use_is_left_alone_and_its_user_is_named() {
    let directory = directory(&[("nudge.yaml", LIMITED)]);
    let arguments = [
        "--receiver",
        "builtin",
        "--state",
        "state",
        "--journeys",
        ".",
    ];
    let mut run = program::run(directory.path(), &arguments);
    let mut running = Running(run.stdin(Stdio::piped()).spawn().unwrap());
    let mut events = running.0.stdin.take().unwrap();
    events.write_all(b"no event\n").unwrap();
    let mut printed = BufReader::new(running.0.stdout.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    let answer = wayfare(directory.path(), &["pause", "nudge", "--reason", "a test"]);
    assert_eq!((answer.status, answer.out.as_str()), (2, ""));
    let process = format!("`state` is in use by process {}", running.0.id());
    assert!(answer.err.contains(&process), "{}", answer.err);
    assert!(answer.err.contains("--server"), "{}", answer.err);
}

#[test]
fn who_is_inside_an_earlier_version_and_whose_file_is_gone_is_told() {
    let directory = directory(&[("nudge.yaml", LIMITED), ("other.yaml", "")]);
    let other = LIMITED.replace("nudge", "other");
    std::fs::write(directory.path().join("other.yaml"), other).unwrap();
    play(directory.path(), "1m", &[visit(0, 1)]);
    std::fs::remove_file(directory.path().join("other.yaml")).unwrap();
    let edited = LIMITED.replace("30m", "45m").replace("1/h", "9/h");
    std::fs::write(directory.path().join("nudge.yaml"), edited).unwrap();
    play(directory.path(), "1m", &[visit(2, 2)]);
    let listed = wayfare(directory.path(), &["journeys"]).out;
    let words: Vec<Vec<&str>> = listed
        .lines()
        .map(|line| line.split(' ').collect())
        .collect();
    let said: Vec<String> = words
        .iter()
        .map(|words| {
            let is_version = |word: &&&str| word.len() == 9 && word.ends_with(',');
            let version = words.iter().find(is_version);
            let line = words.join(" ");
            version.map_or_else(|| line.clone(), |version| line.replace(version, "…,"))
        })
        .collect();
    let expected = [
        "nudge  version …, 1 inside: pause 1",
        "  earlier version …, 1 inside: pause 1",
        "other  its file is gone",
        "  earlier version …, 1 inside: pause 1",
    ];
    assert_eq!(said, expected);
}

#[test]
fn what_was_in_force_before_may_be_so_again() {
    let directory = directory(&[("nudge.yaml", LIMITED), ("other.yaml", "")]);
    let other = LIMITED.replace("nudge", "other");
    let path = directory.path().join("other.yaml");
    let edited = other.replace("30m", "45m");
    let mut seen = Vec::new();
    for file in [
        Some(&other),
        Some(&edited),
        Some(&other),
        None,
        Some(&other),
    ] {
        match file {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        play(directory.path(), "1m", &[]);
        let listed = wayfare(directory.path(), &["journeys"]).out;
        seen.push(listed.lines().last().unwrap().to_owned());
    }
    assert_ne!(seen[0], seen[1]);
    assert_eq!(seen[2], seen[0]);
    assert_eq!(seen[3], "other  its file is gone");
    assert_eq!(seen[4], seen[0]);
}
