//! Does `wayfare test` play cases as its page says, and tell what is not as they say so that their
//! author finds it? The real program, offline.

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

mod blocks;
mod formats;
mod mismatch;
mod paths;
mod time;
mod watch;

#[path = "../at_work/scratch.rs"]
mod scratch;

use std::path::Path;
use std::process::{Command, Stdio};

/// A journey with a wait, a choice, two arms that lead to one block, and two webhooks.
const JOURNEY: &str = r#"journey: order-care
description: Look after an order.
trigger: { event: Order Placed, where: properties.total > 10 }
entry: { again: once, key: properties.orderId }
blocks:
  size:
    decide:
      - { when: properties.total > 100, then: settle }
      - { else: late }
  settle:
    wait:
      for:
        - { event: Order Paid, then: paid }
        - { event: Order Cancelled, then: late }
      timeout: 2h
    then: late
  paid:
    webhook:
      method: POST
      url: https://shop.example.com/paid/{entry.key}
      consent: { basis: contract, because: the order is one }
      delivery: at_least_once
      payload: { order: "{entry.key}", total: "{properties.total}" }
  late:
    exit: too late
"#;

/// A case that passes.
const CASE: &str = r#"journey: order-care
tests:
  - name: a paid order is told
    events:
      - at: "2026-01-26T11:00:00Z"
        type: track
        userId: u1
        event: Order Placed
        properties: { orderId: o1, total: 120.50 }
      - { at: "+1h", type: track, userId: u1, event: Order Paid, properties: { orderId: o1 } }
    expect:
      - at: "+1h"
        block: paid
        method: POST
        url: https://shop.example.com/paid/o1
        payload: { order: o1, total: 120.50 }
"#;

/// `wayfare test` in a directory, with nothing set that its answers depend on.
fn wayfare(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        command.env_remove(format!("WAYFARE_{name}"));
    }
    command.current_dir(directory).arg("test").args(arguments);
    command.stdin(Stdio::null());
    command
}

/// Exit status, stdout and stderr.
fn answer(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = wayfare(directory, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap();
    (status, text(output.stdout), text(output.stderr))
}

/// Runs this test file beside the journey: exit status and stdout.
fn tried(test: &str) -> (i32, String) {
    let directory = scratch::directory(&[
        ("journeys/order-care.yaml", JOURNEY),
        ("journeys/order-care.test.yaml", test),
    ]);
    let (status, out, err) = answer(directory.path(), &[]);
    assert_eq!(err, "");
    (status, out)
}

/// The case, with one part of it replaced.
fn edited(part: &str, replacement: &str) -> String {
    assert_eq!(CASE.matches(part).count(), 1, "{part}");
    CASE.replace(part, replacement)
}

/// A case with something else in place of the requests it expects.
fn ending(case: &str, end: &str) -> String {
    let (before, _) = case.split_once("    expect:").unwrap();
    format!("{before}{end}")
}

#[test]
fn the_shipped_journeys_pass_their_tests_which_cover_everything() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (status, out, err) = answer(&root, &["journeys"]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let expected = "
ab-offer               5 of 5 blocks, 3 of 3 arms
billing-alarm          1 of 1 blocks, 0 of 0 arms
cart-recovery          3 of 3 blocks, 2 of 2 arms
cart-recovery-restart  3 of 3 blocks, 4 of 4 arms
churn-risk             6 of 6 blocks, 3 of 3 arms
consent-revocation     1 of 1 blocks, 0 of 0 arms
dunning                5 of 5 blocks, 4 of 4 arms
onboarding             9 of 9 blocks, 9 of 9 arms
plan-upgrade           3 of 3 blocks, 2 of 2 arms
renewal-reminder       2 of 2 blocks, 0 of 0 arms
review-request         5 of 5 blocks, 2 of 2 arms
seat-limit             4 of 4 blocks, 2 of 2 arms
signup-lead            1 of 1 blocks, 0 of 0 arms
trial-ending           3 of 3 blocks, 2 of 2 arms
win-back               3 of 3 blocks, 2 of 2 arms

60 passed, 0 failed
";
    assert!(out.ends_with(expected), "{out}");
}
