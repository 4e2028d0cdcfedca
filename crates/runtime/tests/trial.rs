//! What can whoever loads a project ask about its tests, as a checker does?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::path::Path;

use wayfare_runtime::config::{self, Problem};
use wayfare_runtime::trial::{self, Tally};

const JOURNEY: &str = "\
journey: ID
description: Greet somebody.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  paying:
    decide:
      - { when: properties.plan == \"paid\", then: paid }
      - { else: free }
  paid: { exit: paid }
  free: { exit: free }
";

const TEST: &str = "\
journey: greet
tests:
  - name: somebody who pays is left alone
    events:
      - { at: \"2026-01-26T11:00:00Z\", type: track, userId: u, event: Signup Completed, properties: { plan: paid } }
    expect: []
    decisions: [{ block: paid, outcome: exit }]
";

fn write(directory: &Path, name: &str, text: &str) {
    std::fs::write(directory.join(name), text).unwrap();
}

/// Every problem's code and underlined text.
fn told(problems: &[Problem]) -> Vec<(&str, &str)> {
    let mut told = Vec::new();
    for problem in problems {
        for diagnostic in &problem.diagnostics {
            let part = problem.source.get(diagnostic.span.range()).unwrap();
            told.push((diagnostic.code.as_str(), part));
        }
    }
    told
}

#[test]
fn a_checker_learns_what_is_broken_untested_and_not_covered() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    write(path, "greet.yaml", &JOURNEY.replace("ID", "greet"));
    write(path, "other.yaml", &JOURNEY.replace("ID", "other"));
    write(path, "greet.test.yaml", TEST);
    let project = config::load_directory(path, None).unwrap();
    let run = || -> Tally {
        let files = config::tests_in(path).unwrap();
        trial::run(&project, &files, "").unwrap()
    };

    let tally = run();
    let names: Vec<_> = tally
        .cases
        .iter()
        .map(|it| (it.passed(), it.line))
        .collect();
    assert_eq!(names, [(true, 3)]);
    assert_eq!(tally.untested, ["other".into()]);
    assert!(tally.broken.is_empty());
    let uncovered = tally.uncovered(&project);
    let expected = [("J0910", "paying"), ("J0910", "free")];
    assert_eq!(told(&uncovered), expected);

    write(path, "more.test.yaml", "journey: gret\ntests: []\n");
    let tally = run();
    let expected = [("J0701", "gret"), ("J0104", "[]")];
    assert_eq!(told(&tally.broken), expected);
    assert_eq!(tally.untested, []);
}
