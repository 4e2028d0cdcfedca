//! Does `wayfare plan` say what an edit does, to the people inside and to what is sent? Over a state
//! that a real run made, and over files of events.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[expect(dead_code, reason = "other tests start what is shipped")]
#[path = "../at_work/program.rs"]
mod program;

mod edits;

use std::path::Path;
use std::process::{Command, Stdio};

use program::{Answer, parse};
use serde_json::json;
use tempfile::TempDir;

const LEAD: &str = r#"journey: lead
description: Tell the CRM of signups that look serious.
trigger: { event: Signed Up, where: properties.score > 10 }
entry: { again: once }
blocks:
  send:
    webhook:
      method: POST
      url: https://crm.example.com/leads
      consent: { basis: contract, because: it is a test }
      payload: { plan: "{properties.plan}", score: "{properties.score}" }
"#;

const NUDGE: &str = r#"journey: nudge
description: Write about a cart that is not bought.
trigger: { event: Cart Filled, where: properties.total > 0 }
entry: { again: once, key: properties.cart }
exit:
  - { event: Bought, reason: bought }
blocks:
  settle: { wait: 1h, then: write }
  write:
    webhook:
      method: POST
      url: https://mail.example.com/nudges/{entry.key}
      consent: { basis: contract, because: it is a test }
      payload: { total: "{trigger.properties.total}" }
"#;

/// The third cart is bought, the second one still waits when the events end.
const EVENTS: &str = r#"{"type":"track","messageId":"m1","timestamp":"2026-01-26T10:00:00Z","userId":"u1","event":"Signed Up","properties":{"score":50,"plan":"pro"}}
{"type":"track","messageId":"m2","timestamp":"2026-01-26T10:01:00Z","userId":"u2","event":"Signed Up","properties":{"score":20,"plan":"free"}}
{"type":"track","timestamp":"2026-01-26T10:02:00Z","userId":"u1","event":"Cart Filled","properties":{"cart":"c1","total":7}}
{"type":"track","messageId":"m4","timestamp":"2026-01-26T11:05:00Z","userId":"u2","event":"Cart Filled","properties":{"cart":"c2","total":9}}
{"type":"track","messageId":"m5","timestamp":"2026-01-26T11:06:00Z","userId":"u1","event":"Cart Filled","properties":{"cart":"c3","total":5}}
{"type":"track","messageId":"m6","timestamp":"2026-01-26T11:20:00Z","userId":"u1","event":"Bought","properties":{"cart":"c3"}}
{"type":"track","messageId":"m7","timestamp":"2026-01-26T11:21:00Z","userId":"u2","event":"Cart Filled","properties":{"cart":"c4","total":0}}
"#;

const DAILY: &str = r#"journey: daily
description: Report everybody at eleven.
trigger:
  schedule: { cron: "0 11 * * *", zone: UTC }
entry: { again: 1d }
blocks:
  report:
    webhook:
      method: PUT
      url: https://crm.example.com/people/{profileId}
      consent: { basis: contract, because: it is a test }
      payload: { id: "{profile.profileId}" }
"#;

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

/// A directory with the journeys, the events, and the state after a real run over them.
fn played() -> TempDir {
    let directory = directory(&[
        ("journeys/lead.yaml", LEAD),
        ("journeys/nudge.yaml", NUDGE),
        ("events.ndjson", EVENTS),
    ]);
    let arguments = ["--clock", "events", "--receiver", "builtin"];
    let mut run = program::run(directory.path(), &arguments);
    run.args(["--events", "events.ndjson", "--state", "state"]);
    let answer = Answer::of(run);
    assert_eq!(answer.status, 0, "{}", answer.err);
    directory
}

/// `wayfare plan` in a directory.
fn plan(directory: &Path, arguments: &[&str]) -> Answer {
    let mut wayfare = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        wayfare.env_remove(format!("WAYFARE_{name}"));
    }
    wayfare.current_dir(directory).stdin(Stdio::null());
    wayfare.arg("plan").args(arguments);
    wayfare.stdout(Stdio::piped()).stderr(Stdio::piped());
    Answer::of(wayfare)
}

/// Text without the ids of profiles and versions, which are hashes.
fn plain(text: &str) -> String {
    let is_hex = |word: &str| word.len() >= 8 && word.bytes().all(|it| it.is_ascii_hexdigit());
    let mut plain = String::new();
    let mut word = String::new();
    for letter in text.chars().chain([' ']) {
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
            continue;
        }
        plain.push_str(if is_hex(&word) { "…" } else { &word });
        plain.push(letter);
        word.clear();
    }
    plain.pop();
    plain
}

const PLAYED: &str = "played 7 events from 2026-01-26T10:00:00Z to 2026-01-26T11:21:00Z\n";

#[test]
fn an_edit_is_told_by_what_it_does() {
    let played = played();
    for case in edits::cases() {
        let edited = played.path().join("edited");
        std::fs::create_dir(&edited).unwrap();
        for (name, text) in &case.files {
            std::fs::write(edited.join(name), text).unwrap();
        }
        let answer = plan(played.path(), &["edited", "--state", "state", "--check"]);
        std::fs::remove_dir_all(&edited).unwrap();
        let said = plain(&answer.out);
        assert_eq!(answer.err, "", "{}", case.edit);
        assert_eq!(
            said.replace(PLAYED, ""),
            case.says.trim_start(),
            "{}",
            case.edit
        );
        assert!(said.contains(PLAYED), "{}: {said}", case.edit);
        assert_eq!(answer.status, case.status, "{}", case.edit);
    }
}

#[test]
fn without_check_the_status_says_only_that_the_plan_could_be_made() {
    let played = played();
    std::fs::remove_file(played.path().join("journeys/nudge.yaml")).unwrap();
    assert_eq!(plan(played.path(), &["--state", "state"]).status, 0);
}

#[test]
fn a_plan_changes_nothing_and_is_the_same_again() {
    let played = played();
    let path = played.path().join("journeys/lead.yaml");
    std::fs::write(path, LEAD.replace("> 10", "> 30")).unwrap();
    let first = plan(played.path(), &["--state", "state"]);
    let again = plan(played.path(), &["--state", "state"]);
    assert_eq!(first.out, again.out);
    assert!(first.out.contains("1 stop"), "{}", first.out);
}

#[test]
fn programs_are_told_the_same_with_keys() {
    let played = played();
    let path = played.path().join("journeys/nudge.yaml");
    let edited = NUDGE.replace("settle: { wait: 1h", "rest: { wait: 2h");
    std::fs::write(
        path,
        edited + "migrate: { from: any, map: { settle: rest } }\n",
    )
    .unwrap();
    let answer = plan(played.path(), &["--state", "state", "--format", "json"]);
    let mut found = parse(&answer.out);
    let nudge = &mut found["journeys"][1];
    let versions = [nudge["before"].take(), nudge["after"].take()];
    assert!(
        versions
            .iter()
            .all(|it| it.as_str().is_some_and(|it| it.len() == 32))
    );
    assert_eq!(nudge["inside"][0]["version"].take(), versions[0]);
    let profile = nudge["examples"][0]["profileId"].take();
    assert!(profile.as_str().unwrap().starts_with("usr_"));
    nudge["examples"].as_array_mut().unwrap().truncate(1);
    let expected = json!({
        "journey": "nudge",
        "edit": "changed",
        "before": null,
        "after": null,
        "inside": [{
            "version": null, "block": "settle", "count": 1,
            "then": "move", "to": "rest", "why": null,
        }],
        "requests": [{
            "block": "write", "before": 2, "after": 2, "starts": 0, "stops": 0, "changes": 2,
        }],
        "examples": [{
            "what": "changes", "block": "write", "profileId": null, "key": "c1",
            "at": "2026-01-26T11:02:00Z",
            "first": {
                "of": "time",
                "before": "2026-01-26T11:02:00Z",
                "after": "2026-01-26T12:02:00Z",
            },
        }],
    });
    assert_eq!(*nudge, expected);
    assert_eq!(found["journeys"][0]["edit"], "unchanged");
    let expected = json!({
        "events": 7, "rejected": 0,
        "first": "2026-01-26T10:00:00Z", "last": "2026-01-26T11:21:00Z", "begins": null,
    });
    assert_eq!(found["history"], expected);
    assert_eq!(
        (&found["changes"], &found["refused"]),
        (&json!(true), &json!([]))
    );
}

#[test]
fn without_a_state_a_file_of_events_and_two_directories_do() {
    let directory = directory(&[
        ("old/lead.yaml", LEAD),
        ("new/lead.yaml", &LEAD.replace("> 10", "> 30")),
        ("events.ndjson", &format!("no event\n{EVENTS}{EVENTS}")),
    ]);
    let over = ["new", "--events", "events.ndjson", "--old", "old"];
    let answer = plan(directory.path(), &over);
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    let lines: Vec<&str> = answer.out.lines().collect();
    assert_eq!(lines[2], "  send           2      1      0     1       0");
    // What comes a second time changes nothing but where ids are made of places.
    let played =
        "played 8 events from 2026-01-26T10:00:00Z to 2026-01-26T11:21:00Z, 1 line rejected";
    assert!(lines.contains(&played), "{}", answer.out);
    let alone = plan(directory.path(), &over[..3]);
    let lines: Vec<&str> = alone.out.lines().collect();
    assert_eq!(plain(lines[0]), "lead: new, version …");
    assert_eq!(lines[2], "  send           0      1      1     0       0");
}

#[test]
fn a_walk_whose_id_is_made_of_its_place_is_known_again_at_its_instant() {
    let waits = |journey: &str, wait: &str, then: &str| {
        format!(
            "journey: {journey}\ndescription: Wait.\ntrigger: {{ event: Signed Up }}\n\
             blocks:\n  pause: {{ wait: {wait}, then: last }}\n{then}"
        )
    };
    let won =
        "  last: { update: { profile: { stage: won } }, then: over }\n  over: { exit: over }\n";
    let won = waits("won", "1h", won);
    let told = DAILY.replace("daily", "told").replace(
        "  schedule: { cron: \"0 11 * * *\", zone: UTC }",
        "  trait: stage",
    );
    // Its timers come between the events and the update, so that what follows is numbered anew.
    let more = waits("more", "30m", "  last: { exit: over }\n");
    let directory = directory(&[
        ("old/won.yaml", &won),
        ("old/told.yaml", &told),
        ("new/won.yaml", &won),
        ("new/told.yaml", &told),
        ("new/more.yaml", &more),
        ("events.ndjson", EVENTS),
    ]);
    let over = [
        "new",
        "--events",
        "events.ndjson",
        "--old",
        "old",
        "--check",
    ];
    let answer = plan(directory.path(), &over);
    assert_eq!(answer.err, "");
    assert!(
        answer.out.contains("nothing changes for anybody"),
        "{}",
        answer.out
    );
    assert_eq!(answer.status, 0);
    let alone = plan(directory.path(), &over[..3]);
    assert!(alone.out.contains("2 requests start"), "{}", alone.out);
}

#[test]
fn what_cannot_be_planned_says_what_to_do() {
    let played = played();
    for (arguments, expected) in [
        (&["--state", "nowhere"][..], "no state directory `nowhere`"),
        (&["--old", "journeys"][..], "--events"),
        (
            &["--events", "nowhere"][..],
            "cannot read the events in `nowhere`",
        ),
        (
            &["nowhere", "--state", "state"][..],
            "`nowhere` does not exist",
        ),
    ] {
        let answer = plan(played.path(), arguments);
        assert_eq!(
            (answer.status, answer.out.as_str()),
            (1, ""),
            "{arguments:?}"
        );
        assert!(
            answer.err.contains(expected),
            "{arguments:?}: {}",
            answer.err
        );
    }
}
