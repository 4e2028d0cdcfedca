//! Are schedules, queued inputs and every kind of block played, and counted as covered?

use crate::{answer, scratch};

const WEEKLY: &str = r#"journey: weekly
description: Look after trials, every Monday.
trigger: { schedule: { cron: "0 9 * * 1", zone: UTC }, where: profile.plan == "trial" }
blocks:
  half:
    split:
      - { arm: left, weight: 1, then: mark }
      - { arm: right, weight: 1, then: mark }
  mark:
    update: { profile: { nudged: true } }
    then: noon
  noon:
    wait: { until: "12:00", zone: UTC }
    then: trial_end
  trial_end:
    wait: { until: profile.trialEndsAt, offset: -1d, missing: done }
    then: done
  done: { exit: done }
"#;

const NUDGED: &str = r#"journey: nudged
description: Hear of whoever was nudged.
trigger: { trait: nudged, to: true }
blocks:
  heard: { exit: heard }
"#;

/// The first Monday of this February is the second.
const CASES: &str = r#"journey: weekly
with: [nudged]
tests:
  - name: a trial with a date waits for the day before
    events:
      - { at: "2026-01-31T10:00:00Z", type: identify, userId: u1, traits: { plan: trial, trialEndsAt: "2026-02-05T00:00:00Z" } }
    advance: 6d
    expect: []
    decisions:
      - { at: "2026-02-02T09:00:00Z", journey: nudged, outcome: exit }
      - { at: "2026-02-04T00:00:00Z", journey: weekly, block: done }
"#;

const NO_DATE: &str = r#"
  - name: a trial without a date is done at noon
    events:
      - { at: "2026-01-31T10:00:00Z", type: identify, userId: USER, traits: { plan: trial } }
    advance: 6d
    expect: []
    decisions:
      - { at: "2026-02-02T09:00:00Z", journey: nudged }
      - { at: "2026-02-02T12:00:00Z", journey: weekly }
"#;

/// What a run of these cases prints.
fn tried(cases: &str) -> String {
    let directory = scratch::directory(&[
        ("journeys/weekly.yaml", WEEKLY),
        ("journeys/nudged.yaml", NUDGED),
        ("journeys/weekly.test.yaml", cases),
    ]);
    let (status, out, err) = answer(directory.path(), &[]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    out
}

#[test]
fn a_schedule_comes_round_and_what_it_queues_has_its_turn() {
    let out = tried(CASES);
    assert!(out.contains("1 passed, 0 failed"), "{out}");
    assert!(
        out.contains("weekly  5 of 5 blocks, 2 of 4 arms\n"),
        "{out}"
    );
    assert!(
        out.contains("no test takes `no date` of block `trial_end`"),
        "{out}"
    );
}

#[test]
fn arms_of_a_split_are_covered_one_by_one() {
    let users = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"];
    let cases = users.map(|user| {
        NO_DATE
            .replace("USER", user)
            .replace("a trial without", &format!("a trial of {user} without"))
    });
    let out = tried(&format!("{CASES}{}", cases.concat()));
    assert!(
        out.contains("weekly  5 of 5 blocks, 4 of 4 arms\n"),
        "{out}"
    );
    assert!(!out.contains("J0910"), "{out}");
}
