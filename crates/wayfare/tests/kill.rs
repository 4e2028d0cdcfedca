//! Is every decision taken exactly once when the process is killed at any moment, over and over, or
//! its disk is full? What it decided and sent is compared with a run that nobody disturbed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "kill/disk.rs"]
mod disk;
#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/scratch.rs"]
mod scratch;
#[path = "kill/sending.rs"]
mod sending;
#[path = "kill/shop.rs"]
mod shop;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use program::{Answer, parse};
use scratch::Running;
use wayfare_event::DecisionId;
use wayfare_executor::record::Decision;

use shop::{Dice, MessageIds, decided, project, stream};

const EVENTS: u64 = 3_000;
/// Results that are read before the process is killed, at most; some thousands are printed in all.
const RESULTS_BEFORE_KILL_MAX: u64 = 120;
/// Times the process is killed, at least: fewer, and the test shows little.
const KILLS_MIN: u64 = 4;
/// Times the process is killed, at most.
const KILLS_MAX: u64 = 40;

/// A run over a state that begins empty, sending nothing.
fn run(project: &Path, state: &str, events: &str) -> Command {
    let play = ["--clock", "events", "--dry-run", "--wait-timers"];
    let arguments = [&["--events", events], &play[..]].concat();
    shop::run(project, state, &arguments)
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
    let project = project(
        &stream(&mut dice, (EVENTS, MessageIds::Most)),
        &["--dry-run"],
    );
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
    let lines = stream(&mut dice, (EVENTS, MessageIds::All));
    let project = project(&lines, &["--dry-run"]);
    let mut printed = Printed::new();
    let send_again = |results| {
        let command = run(project.path(), "killed", "-");
        run_and_kill(command, Some(&lines), (results, &mut printed))
    };
    let kills = kill_until_done(send_again, &mut dice);
    assert!(kills >= KILLS_MIN, "{kills}");
    compare(project.path(), &printed);
}
