//! What does the real program do when its machine's clock is wrong, and is then set right? Time does
//! not go back, and nothing stands still.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[expect(dead_code, reason = "other tests start what is shipped")]
#[path = "at_work/program.rs"]
mod program;

use std::path::Path;

use program::Answer;
use tempfile::TempDir;

const LETTER: &str = "
journey: letter
description: Write to whoever asks for it, where marketing is allowed.
trigger: { event: Asked, where: properties.number > 0 }
entry: { again: always }
blocks:
  send:
    webhook:
      method: POST
      url: https://mail.example.com/letters
      consent: marketing
      payload: { number: \"{properties.number}\" }
";

const ADA: &str = r#"{"messageId":"1","type":"identify","userId":"ada","traits":{"email":"ada@example.com"}}
{"messageId":"2","type":"consent","userId":"ada","email":"ada@example.com","category":"marketing","action":"accept"}
{"messageId":"3","type":"track","userId":"ada","event":"Asked","properties":{"number":1}}
"#;

fn project() -> TempDir {
    let project = tempfile::tempdir().unwrap();
    std::fs::create_dir(project.path().join("journeys")).unwrap();
    std::fs::write(project.path().join("journeys/letter.yaml"), LETTER).unwrap();
    std::fs::write(project.path().join("ada.ndjson"), ADA).unwrap();
    project
}

/// Plays a file by a clock that is wrong by so many milliseconds.
fn play(project: &Path, events: &str, shift_ms: &str) -> Answer {
    std::fs::write(project.join("shift"), shift_ms).unwrap();
    let arguments = ["--events", events, "--state", "state"];
    let mut command = program::run(project, &arguments);
    command.args(["--receiver", "builtin"]);
    command.env("WAYFARE_CLOCK_SHIFT", "shift");
    let answer = Answer::of(command);
    assert_eq!(answer.status, 0, "{}", answer.err);
    answer
}

/// When the last delivery was answered.
fn delivered(answer: &Answer) -> String {
    let deliveries = answer.of_kind("delivery");
    let last = deliveries.last().unwrap();
    assert_eq!(last["state"], "delivered", "{last}");
    last["at"].as_str().unwrap().to_owned()
}

#[test]
fn the_clock_is_as_wrong_as_it_is_told() {
    let project = project();
    let words = "the clock is as wrong as this file says";
    let years_ahead = play(project.path(), "ada.ndjson", "3155760000000");
    assert!(years_ahead.err.contains(words), "{}", years_ahead.err);
    let ahead = delivered(&years_ahead);
    let project = self::project();
    let right = delivered(&play(project.path(), "ada.ndjson", "0"));
    let year = |at: &str| at.split('-').next().unwrap().parse::<i64>().unwrap();
    assert!(
        (99..=101).contains(&(year(&ahead) - year(&right))),
        "{ahead}, {right}"
    );
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let project = project();
    let ahead = delivered(&play(project.path(), "ada.ndjson", "3600000"));
    let again = ADA.lines().last().unwrap().replace(r#""3""#, r#""4""#);
    std::fs::write(project.path().join("again.ndjson"), again).unwrap();
    // It ends when everything is delivered: an hour later, were that waited for.
    let right = delivered(&play(project.path(), "again.ndjson", "0"));
    assert!(right >= ahead, "{right} is before {ahead}");
}

#[test]
fn who_declines_after_the_clock_was_set_back_is_heard() {
    let project = project();
    play(project.path(), "ada.ndjson", "3600000");
    let later = r#"{"messageId":"4","type":"consent","userId":"ada","email":"ada@example.com","category":"marketing","action":"decline"}
{"messageId":"5","type":"track","userId":"ada","event":"Asked","properties":{"number":2}}
"#;
    std::fs::write(project.path().join("later.ndjson"), later).unwrap();
    let answer = play(project.path(), "later.ndjson", "0");
    let decisions = answer.of_kind("decision");
    assert_eq!(decisions.len(), 1, "{}", answer.out);
    assert_eq!(decisions[0]["outcome"], "suppressed", "{}", answer.out);
}
