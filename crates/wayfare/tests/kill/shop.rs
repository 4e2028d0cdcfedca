//! What is played, over and over? A shop's stream from a seed, a project that plays it, and what its
//! state directory says was decided.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use wayfare_event::DecisionId;
use wayfare_executor::Change;
use wayfare_executor::record::Decision;
use wayfare_store::{ReadOnly, Store};

use crate::program::{self, Answer, shipped};
use crate::scratch::directory;

const PEOPLE: u64 = 40;

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
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Whether every event says what its second copy is known by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageIds {
    All,
    Most,
}

/// A shop's day: carts and purchases of people who are anonymous at first, change their minds about
/// marketing, and now and then arrive late or twice.
pub(crate) fn stream(dice: &mut Dice, (events, ids): (u64, MessageIds)) -> Vec<String> {
    let mut at_s = 0;
    let mut lines: Vec<String> = Vec::new();
    for number in 0..events {
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
pub(crate) fn project(events: &[String], sending: &[&str]) -> TempDir {
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
    let fresh = [&["--clock", "events", "--state", "fresh"], sending].concat();
    assert_eq!(Answer::of(program::run(project.path(), &fresh)).status, 0);
    project
}

/// A run over a state directory that begins as a copy of the fresh one.
pub(crate) fn run(project: &Path, state: &str, arguments: &[&str]) -> Command {
    copy(&project.join("fresh"), &project.join(state));
    program::run(project, &[&["--state", state], arguments].concat())
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

/// Every decision in the history of a state directory. None stands there twice, and an audit finds
/// nothing broken.
pub(crate) fn decided(state: &Path) -> BTreeMap<DecisionId, Decision> {
    let (mut store, _) = ReadOnly::open(state).unwrap();
    let origin = store.origin().unwrap();
    let audited = wayfare_runtime::audit::audit(&mut store, origin).unwrap();
    assert_eq!((audited.broken, audited.breaches), (0, Vec::new()));
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
