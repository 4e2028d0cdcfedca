//! Do the cases that others wrote down come out as `docs/conformance.md` says? Each is a test of a
//! journey under `journeys/`, whose name begins with the case's id, or a line of the conditions of
//! `wayfare-journey`. Each is also played with an engine that is killed and sources that send again,
//! which must make no difference.
#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

mod player;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayfare_event::Value;
use wayfare_journey::trial::{self as cases, Suite};
use wayfare_runtime::config::{self, Project};
use wayfare_runtime::trial;

use player::Mishap;

const CONDITIONS: &str = include_str!("../../../journey/tests/conditions.jsonl");
const TOLD: &str = include_str!("../../../../docs/conformance.md");
const DECIDED: &str = include_str!("../../../../docs/decisions/014-conformance-choices.md");
/// Cases on which their sources differ.
const CHOICES: [&str; 5] = ["C-01", "C-03", "C-09", "J-04", "J-10"];
/// Cases about who somebody was and what they allowed, that a journey shows.
const OF_PEOPLE: [&str; 11] = [
    "J01", "J02", "J03", "J04", "J05", "J06", "I-12", "I-13", "K-07", "D01", "D02",
];

fn journeys() -> (Project, Vec<PathBuf>) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/journeys");
    let project = config::load_directory(&directory, None).unwrap();
    assert!(project.warnings.is_empty(), "{:?}", project.warnings);
    (project, config::tests_in(&directory).unwrap())
}

fn suites(project: &Project, files: &[PathBuf]) -> Vec<Suite> {
    let read = |path: &PathBuf| {
        let source = std::fs::read_to_string(path).unwrap();
        cases::read(&source, &project.graphs).unwrap()
    };
    files.iter().map(read).collect()
}

/// The id of the case that a test is named for.
fn id(name: &str) -> &str {
    name.split_once(": ").unwrap().0
}

#[test]
fn every_case_comes_out_as_written() {
    let (project, files) = journeys();
    let tally = trial::run(&project, &files, "").unwrap();
    assert!(tally.broken.is_empty(), "{:#?}", tally.broken);
    let failed = tally.cases.iter().filter(|case| !case.passed());
    let failed: Vec<String> = failed
        .map(|case| {
            let mismatches = case.mismatches.iter().map(ToString::to_string);
            let lines: Vec<String> = mismatches.chain(case.story.iter().cloned()).collect();
            format!("{}\n{}", case.name, lines.join("\n"))
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn makes_no_difference(mishap: Mishap) {
    let (project, files) = journeys();
    let mut faults = Vec::new();
    for suite in suites(&project, &files) {
        for case in &suite.cases {
            let seen = player::play(&project, &suite, case, mishap);
            let mismatches = case.judge(&seen);
            faults.extend(mismatches.iter().map(|it| format!("{}\n{it}", case.name)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn a_kill_after_every_event_makes_no_difference() {
    makes_no_difference(Mishap::Killed);
}

#[test]
fn a_copy_of_every_event_in_one_batch_makes_no_difference() {
    makes_no_difference(Mishap::Doubled);
}

#[test]
fn a_copy_of_every_event_after_a_kill_makes_no_difference() {
    makes_no_difference(Mishap::SentAgain);
}

#[test]
fn every_case_is_run_and_told_and_what_sources_differ_on_is_decided() {
    let (project, files) = journeys();
    let mut run = BTreeSet::new();
    for suite in suites(&project, &files) {
        for case in &suite.cases {
            run.insert(id(&case.name).to_owned());
        }
    }
    for line in CONDITIONS.lines() {
        let line = Value::parse(line).unwrap();
        let case = line.get("case").and_then(Value::as_text).unwrap();
        if case.starts_with("C-") {
            run.insert(case.to_owned());
        }
    }
    let all = ["J", "C"].map(|kind| (1..=10).map(move |number| format!("{kind}-{number:02}")));
    let of_people = OF_PEOPLE.map(str::to_owned);
    let all: BTreeSet<String> = all.into_iter().flatten().chain(of_people).collect();
    assert_eq!(run, all);

    let rows = TOLD.lines().filter_map(|line| line.strip_prefix("| "));
    let told = rows.filter_map(|row| row.split_once(" | ").map(|(id, _)| id.to_owned()));
    let told: Vec<String> = told.filter(|told| all.contains(told)).collect();
    assert_eq!(told.len(), all.len());
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), all);
    for choice in CHOICES {
        let begins = format!("**{choice}");
        assert!(DECIDED.contains(&begins), "{choice} is not decided");
    }
}
