//! Is every decision taken exactly once when the process is killed at any moment, over and over?
//! The history of a killed run is compared with that of a run that nobody disturbed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/scratch.rs"]
mod scratch;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use program::{Answer, parse, shipped};
use scratch::{Running, directory};
use tempfile::TempDir;
use wayfare_event::DecisionId;
use wayfare_executor::Change;
use wayfare_executor::record::Decision;
use wayfare_store::{ReadOnly, Store};

const EVENTS: u64 = 3_000;
const PEOPLE: u64 = 40;
/// Results that are read before the process is killed, at most; some thousands are printed in all.
const RESULTS_BEFORE_KILL_MAX: u64 = 120;
/// Times the process is killed, at least: fewer, and the test shows little.
const KILLS_MIN: u64 = 4;
/// Times the process is killed, at most.
const KILLS_MAX: u64 = 40;

/// Walks that pass several waits, beside one for each session.
const CARE: &str = r#"
journey: care
description: Look after a cart in two steps.
trigger: { event: add_to_cart }
entry: { again: 90m }
exit:
  - { event: purchase, reason: bought }
blocks:
  first: { wait: 20m, then: second }
  second:
    wait:
      for:
        - { event: add_to_cart, as: more, then: tell }
      timeout: 40m
    then: quiet
  tell:
    webhook:
      method: PUT
      url: https://care.example.com/people/{profileId}
      consent: { basis: contract, because: it is a test }
      identity: any
      payload: { first: "{event.properties.session_id}", then: "{more.properties.session_id}" }
  quiet: { exit: quiet }
"#;

/// Marsaglia's xorshift64: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Whether every event says what its second copy is known by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MessageIds {
    All,
    Most,
}

/// A shop's day: carts and purchases of people who are anonymous at first, change their minds about
/// marketing, and now and then arrive late or twice.
fn stream(dice: &mut Dice, ids: MessageIds) -> Vec<String> {
    let mut at_s = 0;
    let mut lines: Vec<String> = Vec::new();
    for number in 0..EVENTS {
        at_s += dice.below(60);
        let late_s = if dice.below(20) == 0 {
            dice.below(600)
        } else {
            0
        };
        let told_s = at_s - late_s.min(at_s);
        let (hours, minutes, seconds) = (told_s / 3600, told_s / 60 % 60, told_s % 60);
        let day = 1 + hours / 24;
        let hours = hours % 24;
        let time = format!("2026-01-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z");
        let person = dice.below(PEOPLE);
        let session = format!("s-{person}-{}", at_s / 3600);
        let email = format!("p{person}@example.com");
        let who = match dice.below(3) {
            0 => format!(r#""userId":"u{person}""#),
            _ => format!(r#""anonymousId":"a{person}""#),
        };
        let track = |name: &str| {
            format!(
                r#""type":"track",{who},"event":"{name}","properties":{{"session_id":"{session}","currentPlan":"pro"}}"#
            )
        };
        let said = match dice.below(20) {
            0 => format!(
                r#""type":"identify","anonymousId":"a{person}","userId":"u{person}","traits":{{"email":"{email}"}}"#
            ),
            word @ (1 | 2) => {
                let action = if word == 1 { "accept" } else { "decline" };
                format!(
                    r#""type":"consent","email":"{email}","category":"marketing","action":"{action}""#
                )
            }
            3 => track("Signup Completed"),
            4 => track("Plan Upgraded"),
            5 => format!(
                r#""type":"group","userId":"u{person}","groupId":"acc-{}""#,
                person / 4
            ),
            6..=8 => track("purchase"),
            _ => track("add_to_cart"),
        };
        let id = match ids {
            MessageIds::Most if dice.below(10) == 0 => String::new(),
            MessageIds::All | MessageIds::Most => format!(r#""messageId":"m{number}","#),
        };
        lines.push(format!(r#"{{{id}{said},"timestamp":"{time}"}}"#));
        if dice.below(25) == 0 && !id.is_empty() {
            let earlier = usize::try_from(dice.below(number + 1)).unwrap();
            lines.extend(lines.get(earlier).cloned());
        }
    }
    lines
}

/// A directory with the journeys, the events, and a state directory in which nothing has happened:
/// copies of it share the key that ids are derived with.
fn project(events: &[String]) -> TempDir {
    let events = events.join("\n") + "\n";
    let project = directory(&[("events.ndjson", &events), ("journeys/care.yaml", CARE)]);
    for name in [
        "cart-recovery",
        "consent-revocation",
        "plan-upgrade",
        "signup-lead",
    ] {
        let file = format!("journeys/{name}.yaml");
        std::fs::copy(shipped(&file), project.path().join(&file)).unwrap();
    }
    let fresh = ["--clock", "events", "--dry-run", "--state", "fresh"];
    assert_eq!(Answer::of(program::run(project.path(), &fresh)).status, 0);
    project
}

/// A run over a copy of the fresh state.
fn run(project: &Path, state: &str, events: &str) -> Command {
    copy(&project.join("fresh"), &project.join(state));
    program::run(
        project,
        &[
            "--events",
            events,
            "--clock",
            "events",
            "--dry-run",
            "--wait-timers",
            "--state",
            state,
        ],
    )
}

/// Copies a directory, unless it is there.
fn copy(from: &Path, to: &Path) {
    if to.exists() {
        return;
    }
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

/// Every decision in the history of a state directory. None stands there twice.
fn decided(state: &Path) -> BTreeMap<DecisionId, Decision> {
    let (mut store, _) = ReadOnly::open(state).unwrap();
    let mut found = BTreeMap::new();
    store
        .history(1, &mut |entry| {
            for change in &entry.changes {
                if let Change::Decided(decision) = change {
                    let twice = found.insert(decision.id, (**decision).clone());
                    assert_eq!(twice, None, "{} is decided twice", decision.id);
                }
            }
        })
        .unwrap();
    found
}

/// The lines about decisions, by decision; each is printed at most once by one run.
type Printed = BTreeMap<DecisionId, String>;

fn note(printed: &mut Printed, line: &str) {
    let told = parse(line);
    if told["kind"] == "decision" {
        let id = told["decisionId"].as_str().unwrap().parse().unwrap();
        let before = printed.insert(id, line.to_owned());
        assert!(before.is_none(), "printed twice: {line}");
    }
}

/// Runs until so many results were read, then kills; whether it came to its end instead. `fed` goes
/// to its stdin. What it printed until it died is noted.
fn run_and_kill(
    mut command: Command,
    fed: Option<&[String]>,
    (results, printed): (u64, &mut Printed),
) -> bool {
    command.stdin(Stdio::piped()).stderr(Stdio::null());
    let mut running = Running(command.spawn().unwrap());
    let mut stdin = running.0.stdin.take().unwrap();
    let mut out = BufReader::new(running.0.stdout.take().unwrap());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut lines = fed.unwrap_or_default().iter();
            // A process that was killed takes no more.
            lines.all(|line| writeln!(stdin, "{line}").is_ok())
        });
        let mut read = 0;
        loop {
            if read == results {
                running.0.kill().unwrap();
            }
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            // Its last line may be half.
            let Some(whole) = line.strip_suffix('\n') else {
                break;
            };
            note(printed, whole);
            read += 1;
        }
    });
    running.0.wait().unwrap().success()
}

/// Kills runs again and again until one comes to its end; how many were killed.
fn kill_until_done(mut run: impl FnMut(u64) -> bool, dice: &mut Dice) -> u64 {
    for kills in 0..KILLS_MAX {
        if run(dice.below(RESULTS_BEFORE_KILL_MAX)) {
            return kills;
        }
    }
    assert!(run(u64::MAX), "it comes to its end when nobody kills it");
    KILLS_MAX
}

/// The undisturbed run: what it decided, and printed.
fn undisturbed(project: &Path) -> (BTreeMap<DecisionId, Decision>, Printed) {
    let answer = Answer::of(run(project, "whole", "events.ndjson"));
    assert_eq!(answer.status, 0, "{}", answer.err);
    let mut printed = Printed::new();
    for line in answer.out.lines() {
        note(&mut printed, line);
    }
    let decided = decided(&project.join("whole"));
    assert_eq!(answer.of_kind("decision").len(), decided.len());
    assert!(printed.keys().eq(decided.keys()));
    (decided, printed)
}

/// Runs that were killed decided what the undisturbed one did, and printed nothing else.
fn compare(project: &Path, killed: &Printed) {
    let (expected, lines) = undisturbed(project);
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    for decision in expected.values() {
        *outcomes.entry(decision.outcome.as_str()).or_default() += 1;
    }
    for outcome in ["webhook", "suppressed", "exit", "merged"] {
        assert!(outcomes.contains_key(outcome), "{outcomes:?}");
    }
    for (id, line) in killed {
        assert_eq!(lines.get(id), Some(line));
    }
    let found = decided(&project.join("killed"));
    for (id, decision) in &expected {
        assert_eq!(found.get(id), Some(decision));
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn a_file_played_by_runs_that_are_killed_gives_each_decision_once() {
    let mut dice = Dice(0x5EED_0001);
    let project = project(&stream(&mut dice, MessageIds::Most));
    let mut printed = Printed::new();
    let go_on = |results| {
        let command = run(project.path(), "killed", "events.ndjson");
        run_and_kill(command, None, (results, &mut printed))
    };
    let kills = kill_until_done(go_on, &mut dice);
    assert!(kills >= KILLS_MIN, "{kills}");
    compare(project.path(), &printed);
}

#[test]
fn a_stream_sent_again_after_each_kill_gives_each_decision_once() {
    let mut dice = Dice(0x5EED_0002);
    let lines = stream(&mut dice, MessageIds::All);
    let project = project(&lines);
    let mut printed = Printed::new();
    let send_again = |results| {
        let command = run(project.path(), "killed", "-");
        run_and_kill(command, Some(&lines), (results, &mut printed))
    };
    let kills = kill_until_done(send_again, &mut dice);
    assert!(kills >= KILLS_MIN, "{kills}");
    compare(project.path(), &printed);
}
