//! What do the commands that look inside a state directory show, also when it is out of order? Not
//! here: what `explain` and `profile` print, which the docs run.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/scratch.rs"]
mod scratch;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use program::{Answer, parse, shipped};
use scratch::{Running, directory};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory with the state after the sample events; the last cart still waits.
fn played() -> TempDir {
    let directory = directory(&[]);
    let arguments = [
        "--clock",
        "events",
        "--receiver",
        "builtin",
        "--state",
        "state",
    ];
    let mut run = program::run(directory.path(), &arguments);
    run.arg("--journeys").arg(shipped("journeys"));
    run.arg("--events")
        .arg(shipped("journeys/sample-events.ndjson"));
    let answer = Answer::of(run);
    assert_eq!(answer.status, 0, "{}", answer.err);
    assert_eq!(answer.of_kind("decision").len(), 5, "{}", answer.out);
    directory
}

/// A command that looks into the state of a directory.
fn look(directory: &Path, command: &str, format: &str) -> Answer {
    let mut wayfare = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        wayfare.env_remove(format!("WAYFARE_{name}"));
    }
    wayfare.current_dir(directory).stdin(Stdio::null());
    wayfare.args([command, "--state", "state", "--format", format]);
    wayfare.stdout(Stdio::piped()).stderr(Stdio::piped());
    Answer::of(wayfare)
}

/// What it prints, line by line; nothing went wrong.
fn lines(directory: &Path, command: &str, format: &str) -> Vec<String> {
    let answer = look(directory, command, format);
    assert_eq!((answer.status, answer.err.as_str()), (0, ""), "{command}");
    answer.out.lines().map(str::to_owned).collect()
}

/// A line without the id it begins with, which is another one in every state directory.
fn without_id<'a>(line: &'a str, prefix: &str) -> &'a str {
    let (id, rest) = line.split_once("  ").unwrap();
    let digits = id.strip_prefix(prefix).unwrap();
    assert_eq!(digits.len(), 32, "{line}");
    rest
}

#[test]
fn the_cart_that_waits_is_shown_with_what_it_waits_for() {
    let state = played();
    let text = lines(state.path(), "instances", "text");
    let [line] = text.as_slice() else {
        panic!("one cart waits, not {text:?}");
    };
    assert_eq!(
        without_id(line, "ins_"),
        "cart-recovery/bought_in_time  since 2026-01-26T11:50:00Z  until 2026-01-26T12:20:00Z"
    );
    let found = lines(state.path(), "instances", "json");
    let [found] = found.as_slice() else {
        panic!("one cart waits, not {found:?}");
    };
    let found = parse(found);
    assert!(line.starts_with(found["instanceId"].as_str().unwrap()));
    for (key, expected) in [
        ("journey", json!("cart-recovery")),
        ("block", json!("bought_in_time")),
        ("key", json!("s-3")),
        ("entered", json!("2026-01-26T11:50:00Z")),
        ("arrived", json!("2026-01-26T11:50:00Z")),
        ("due", json!("2026-01-26T12:20:00Z")),
    ] {
        assert_eq!(found[key], expected, "{key}");
    }
}

#[test]
fn both_people_are_listed_with_who_they_are_and_what_they_agreed_to() {
    let state = played();
    let profiles = lines(state.path(), "profiles", "json");
    let mut found: Vec<Value> = profiles
        .iter()
        .map(|line| {
            let profile = parse(line);
            let marketing = &profile["consent"]["marketing"]["action"];
            let walks = profile["instances"].as_array().unwrap().len();
            let identifiers = profile["identifiers"].as_array().unwrap();
            let values: Vec<&Value> = identifiers.iter().map(|it| &it["value"]).collect();
            json!([values, marketing, walks])
        })
        .collect();
    found.sort_by_key(Value::to_string);
    let expected = [
        json!([["user-1", "user@example.com", "anon-1"], "decline", 1]),
        json!([["user-2", "kim@example.com", "anon-2"], "accept", 0]),
    ];
    assert_eq!(found, expected);
    // For people too a profile is one line of JSON.
    assert_eq!(lines(state.path(), "profiles", "text"), profiles);
}

#[test]
fn deliveries_are_listed_in_the_order_they_were_decided() {
    let state = played();
    let text = lines(state.path(), "deliveries", "text");
    let found: Vec<&str> = text.iter().map(|line| without_id(line, "whd_")).collect();
    let expected = [
        "delivered   1 attempts  signup-lead/create_lead  POST https://api.crm.example.com/leads",
        "delivered   1 attempts  plan-upgrade/sync_billing  PUT https://billing.example.com/accounts/acc_a9213fbb892",
        "delivered   1 attempts  cart-recovery/remind  POST https://mail.example.com/reminders",
        "delivered   1 attempts  consent-revocation/unsubscribe  DELETE https://email.example.com/subscribers/user%40example.com",
    ];
    assert_eq!(found, expected);
    let ids = lines(state.path(), "deliveries", "json");
    let ids = ids.iter().map(|line| parse(line)["deliveryId"].clone());
    let shown = text.iter().map(|line| line.split(' ').next().unwrap());
    assert!(ids.eq(shown), "{text:?}");
}

/// Every file below a directory and what is in it.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn looking_inside_works_where_nothing_can_be_written_and_changes_nothing() {
    let state = played();
    let deliveries = lines(state.path(), "deliveries", "json");
    let delivery = parse(deliveries.first().unwrap())["deliveryId"].clone();
    let before = files(state.path());
    let limited = |limit: &str, arguments: &str| {
        let program = env!("CARGO_BIN_EXE_wayfare");
        let line = format!("{limit}exec {program} {arguments} --state state");
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(state.path());
        shell.stdin(Stdio::null());
        shell.stdout(Stdio::piped()).stderr(Stdio::piped());
        Answer::of(shell)
    };
    let explain = format!("explain --decision {}", delivery.as_str().unwrap());
    for arguments in [
        "profiles",
        "profile email:kim@example.com",
        "instances",
        "deliveries",
        &explain,
    ] {
        let free = limited("", arguments);
        let full = limited("ulimit -f 0; ", arguments);
        assert_eq!((full.status, full.err.as_str()), (0, ""), "{arguments}");
        assert!(!full.out.is_empty(), "{arguments}");
        assert_eq!(full.out, free.out, "{arguments}");
    }
    assert!(files(state.path()) == before);
}

#[test]
fn a_state_that_is_made_anew_is_told_and_whole() {
    let state = played();
    let profiles = lines(state.path(), "profiles", "text");
    let again = |expected: &[&str]| {
        let arguments = ["--clock", "events", "--receiver", "builtin"];
        let mut run = program::run(state.path(), &arguments);
        run.args(["--state", "state", "--events", "/dev/null"]);
        run.arg("--journeys").arg(shipped("journeys"));
        let answer = Answer::of(run);
        assert_eq!(answer.status, 0, "{}", answer.err);
        for part in expected {
            assert!(answer.err.contains(part), "`{part}` in {}", answer.err);
        }
        assert_eq!(lines(state.path(), "profiles", "text"), profiles);
    };
    let path = |name: &str| state.path().join("state").join(name);
    std::fs::write(path("state/conf"), "no such configuration").unwrap();
    again(&[
        "was put aside aside=state/state.damaged-1",
        "made anew from a checkpoint and the frames of the log behind it",
    ]);
    std::fs::remove_dir_all(path("state")).unwrap();
    for entry in std::fs::read_dir(path("checkpoints")).unwrap() {
        std::fs::write(entry.unwrap().path(), "no checkpoint").unwrap();
    }
    let answer = look(state.path(), "profiles", "text");
    assert!(answer.out.lines().eq(profiles.iter()), "{}", answer.out);
    assert!(
        answer.err.contains("a checkpoint cannot be read"),
        "{}",
        answer.err
    );
    again(&["a checkpoint could not be read; nothing relies on it any more"]);
}

#[test]
fn a_directory_that_holds_no_state_is_named_and_left_empty() {
    let empty = directory(&[]);
    std::fs::create_dir(empty.path().join("state")).unwrap();
    let answer = look(empty.path(), "profiles", "text");
    assert_eq!(answer.status, 1, "{}", answer.err);
    let named = "no state directory `state`";
    assert!(answer.err.contains(named), "{}", answer.err);
    assert!(files(empty.path()).is_empty());
}

#[test]
fn a_state_that_is_in_use_is_not_opened_and_its_user_is_named() {
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
    assert_eq!(parse(&line)["kind"], "rejected_event");
    let process = format!("`state` is in use by process {}", running.0.id());
    for command in ["profiles", "instances", "deliveries"] {
        let answer = look(directory.path(), command, "text");
        assert_eq!((answer.status, answer.out.as_str()), (2, ""), "{command}");
        assert!(answer.err.contains(&process), "{}", answer.err);
    }
}

#[test]
fn namespaces_that_would_change_what_is_linked_are_refused() {
    let state = played();
    let run = |namespaces: &[&str]| {
        let config = state.path().join("wayfare.yaml");
        let listed: Vec<String> = namespaces
            .iter()
            .map(|it| format!("    - {it}\n"))
            .collect();
        let text = format!("identity:\n  namespaces:\n{}", listed.concat());
        std::fs::write(&config, text).unwrap();
        let arguments = [
            "--clock",
            "events",
            "--receiver",
            "builtin",
            "--state",
            "state",
        ];
        let mut run = program::run(state.path(), &arguments);
        run.arg("--journeys")
            .arg(shipped("journeys"))
            .arg("--config")
            .arg(&config);
        run.arg("--events")
            .arg(shipped("journeys/sample-events.ndjson"));
        Answer::of(run)
    };
    let shipped = [
        "{ name: user_id, class: anchor }",
        "{ name: email, class: address, limit: 5 }",
        "{ name: phone, class: address, limit: 5 }",
        "{ name: device_id, class: device, limit: 5 }",
        "{ name: anonymous_id, class: session, limit: 20, window: 7d }",
    ];
    let mut fewer = shipped;
    fewer[1] = "{ name: email, class: address, limit: 3 }";
    let refused = run(&fewer);
    assert_eq!(refused.status, 1, "{}", refused.err);
    for words in [
        "namespace 2 is `email address 3 -` and was `email address 5 -`",
        "Add namespaces at the end only",
    ] {
        assert!(refused.err.contains(words), "{}", refused.err);
    }
    let more = [&shipped[..], &["{ name: crm, class: device, limit: 5 }"]].concat();
    assert_eq!(run(&more).status, 0);
    // What was added counts from then on.
    let without = run(&shipped);
    assert_eq!(without.status, 1, "{}", without.err);
    let words = "namespace 6 was `crm device 5 -` and is not listed any more";
    assert!(without.err.contains(words), "{}", without.err);
}
