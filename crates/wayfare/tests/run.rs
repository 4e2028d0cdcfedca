//! Does `wayfare run` do its job on the real program: in order, again, on bad input, and against a
//! receiver that does not answer as one would like?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/receiver.rs"]
mod receiver;
#[path = "at_work/scratch.rs"]
mod scratch;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Stdio};

use program::{Answer, parse, shipped};
use scratch::{Running, directory};
use serde_json::Value;
use tempfile::TempDir;

/// Insists on being heard, of whoever signs up.
const HOOK: &str = r#"
journey: hook
description: Tell of a signup until it is heard.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  send:
    webhook:
      method: PUT
      url: https://hook.example.com/people/{profileId}
      consent: { basis: contract, because: it is a test }
      delivery: at_least_once
      payload: { title: "{event.name}" }
"#;

/// Sends only to those who accept marketing.
const LETTER: &str = r#"
journey: letter
description: Write to whoever signs up.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  send:
    webhook:
      method: POST
      url: https://mail.example.com/letters
      consent: marketing
      payload: { to: "{profile.email}" }
"#;

fn sample() -> String {
    std::fs::read_to_string(shipped("journeys/sample-events.ndjson")).unwrap()
}

/// A directory with the shipped journeys and these events.
fn project(events: &str) -> TempDir {
    let project = directory(&[("events.ndjson", events)]);
    for name in [
        "cart-recovery",
        "consent-revocation",
        "plan-upgrade",
        "signup-lead",
    ] {
        let file = format!("journeys/{name}.yaml");
        std::fs::create_dir_all(project.path().join("journeys")).unwrap();
        std::fs::copy(shipped(&file), project.path().join(&file)).unwrap();
    }
    project
}

/// Plays `events.ndjson` in virtual time, sending nothing.
fn dry(directory: &Path, more: &[&str]) -> Answer {
    let arguments = [
        "--events",
        "events.ndjson",
        "--clock",
        "events",
        "--dry-run",
    ];
    Answer::of(program::run(directory, &[&arguments[..], more].concat()))
}

/// Words of stderr that a user is meant to read, all there.
fn assert_told(answer: &Answer, words: &[&str]) {
    for word in words {
        assert!(answer.err.contains(word), "no `{word}` in: {}", answer.err);
    }
}

#[test]
fn two_dry_runs_print_the_same_bytes() {
    let project = project(&sample());
    let first = dry(project.path(), &["--advance", "1h", "--trace"]);
    let second = dry(project.path(), &["--advance", "1h", "--trace"]);
    assert_eq!((first.status, &first.out), (0, &second.out));
    assert_eq!(first.err, second.err);
    assert_eq!(first.of_kind("decision").len(), 6);
}

#[test]
fn an_event_that_comes_twice_changes_nothing() {
    let twice: String = sample()
        .lines()
        .map(|line| format!("{line}\n{line}\n"))
        .collect();
    let later = format!("{0}{0}", sample());
    let expected = dry(project(&sample()).path(), &["--advance", "1h"]);
    let told = "28 taken, 15 of them second copies, 0 lines rejected";
    for events in [twice, later] {
        let answer = dry(project(&events).path(), &["--advance", "1h"]);
        assert_eq!((answer.status, &answer.out), (0, &expected.out));
        assert_told(&answer, &[told]);
    }
}

#[test]
fn the_summary_counts_what_was_printed() {
    let answer = dry(project(&sample()).path(), &["--advance", "1h"]);
    let expected = "\
events      14 taken, 1 of them second copies, 0 lines rejected
decisions   6: exit 1, suppressed 1, webhook 4
deliveries  0
refused     1: condition 1
waiting     0
";
    assert_eq!((answer.status, answer.err.as_str()), (0, expected));
}

#[test]
fn a_trace_says_why_in_order() {
    let answer = dry(project(&sample()).path(), &["--trace"]);
    let traces = answer.of_kind("trace");
    let notes = |of: &Value| -> Vec<String> {
        let notes = of["notes"].as_array().unwrap().iter();
        notes
            .map(|note| note["note"].as_str().unwrap().to_owned())
            .collect()
    };
    let upgrade = traces.iter().find(|it| it["at"] == "2026-01-26T11:02:19Z");
    let upgrade = upgrade.unwrap();
    assert_eq!(
        notes(upgrade),
        [
            "attributed",
            "judged",
            "entered",
            "arrived",
            "judged",
            "chose",
            "arrived"
        ]
    );
    let judged = &upgrade["notes"][1];
    assert_eq!(judged["holds"], true);
    assert_eq!(
        judged["condition"],
        "properties.currentPlan != properties.previousPlan"
    );
    let copies = traces.iter().filter(|it| notes(it) == ["duplicate"]);
    assert_eq!(copies.count(), 1);
}

#[test]
fn a_file_goes_on_where_it_was_left() {
    let events = sample();
    let lines: Vec<&str> = events.lines().collect();
    let (first, rest) = lines.split_at(9);
    let project = project(&(first.join("\n") + "\n"));
    let state = ["--state", "state"];
    let decided = |answer: &Answer| answer.of_kind("decision").len();

    let answer = dry(project.path(), &state);
    assert_eq!((answer.status, decided(&answer)), (0, 2));
    let again = dry(project.path(), &state);
    assert_eq!((again.status, again.out.as_str()), (0, ""));
    assert_told(&again, &["going on with `events.ndjson`", "0 taken"]);

    let path = project.path().join("events.ndjson");
    let mut file = std::fs::File::options().append(true).open(path).unwrap();
    writeln!(file, "{}", rest.join("\n")).unwrap();
    let answer = dry(project.path(), &[&state[..], &["--wait-timers"]].concat());
    assert_eq!((answer.status, decided(&answer)), (0, 4));
    assert_told(
        &answer,
        &["5 taken, 0 of them second copies", "waiting     0"],
    );
}

#[test]
fn the_clock_goes_on_from_the_last_event_however_often_it_is_asked_to() {
    let cart = |minute: u32, session: &str| {
        format!(
            r#"{{"type":"track","userId":"u","event":"add_to_cart","timestamp":"2026-01-26T11:{minute}:00Z","properties":{{"session_id":"{session}"}}}}"#
        )
    };
    let project = project(&format!("{}\n{}\n", cart(10, "s1"), cart(25, "s2")));
    let run = ["--state", "state", "--advance", "20m"];
    // The first cart's half hour ends 15 minutes after the last event, the second's 30.
    let first = dry(project.path(), &run);
    assert_eq!(first.of_kind("decision").len(), 1, "{}", first.out);
    for _ in 0..2 {
        let again = dry(project.path(), &run);
        assert_eq!(again.of_kind("decision").len(), 0, "{}", again.out);
    }
}

#[test]
fn events_come_over_stdin_too() {
    let project = project("");
    let mut command = program::run(project.path(), &["--clock", "events", "--dry-run"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The last line has no end.
    stdin.write_all(sample().trim_end().as_bytes()).unwrap();
    drop(stdin);
    let answer = Answer::after(child);
    let of_file = dry(self::project(&sample()).path(), &[]);
    assert_eq!((answer.status, answer.out), (0, of_file.out));
}

#[test]
fn a_bad_line_is_named_and_the_rest_goes_on() {
    let signup = |user: &str| {
        format!(
            r#"{{"type":"track","userId":"{user}","event":"Signup Completed","timestamp":"2026-01-26T10:00:00Z"}}"#
        )
        .into_bytes()
    };
    let text = |text: &str| text.as_bytes().to_vec();
    let long = format!(
        r#"{{"type":"track","userId":"u","event":"{}"}}"#,
        "n".repeat(201)
    );
    let megabyte = format!(
        r#"{{"type":"track","userId":"u","event":"e","properties":{{"x":"{}"}}}}"#,
        "x".repeat(1024 * 1024)
    );
    let cases: [(Vec<u8>, &str); 9] = [
        (text("{\"type\":\"track\","), "invalid_json"),
        (text("[1,2]"), "invalid_json"),
        (text(r#"{"type":"track","event":"e"}"#), "no_identifier"),
        (
            text(r#"{"type":"track","userId":"null","event":"e"}"#),
            "no_identifier",
        ),
        (text(&long), "too_long"),
        (
            b"{\"type\":\"track\",\"userId\":\"\xff\"}".to_vec(),
            "invalid_json",
        ),
        (text(&megabyte), "too_large"),
        (
            text(r#"{"type":"consent","userId":"u","category":"marketng","action":"accept"}"#),
            "invalid_consent",
        ),
        (text(r#"{"type":"trak","userId":"u"}"#), "unknown_type"),
    ];
    let mut events = [signup("before"), b"\n\n".to_vec()].concat();
    for (line, _) in &cases {
        events.extend_from_slice(line);
        events.push(b'\n');
    }
    events.extend(signup("after"));
    let project = directory(&[("journeys/hook.yaml", HOOK)]);
    std::fs::write(project.path().join("events.ndjson"), events).unwrap();

    let answer = dry(project.path(), &[]);
    let rejected = answer.of_kind("rejected_event");
    let found: Vec<(u64, &str)> = rejected
        .iter()
        .map(|it| (it["line"].as_u64().unwrap(), it["code"].as_str().unwrap()))
        .collect();
    // The blank line counts: an editor shows it too.
    let expected: Vec<(u64, &str)> = (3..).zip(cases.iter().map(|(_, code)| *code)).collect();
    assert_eq!(found, expected);
    assert_eq!(answer.of_kind("decision").len(), 2);
    assert_eq!(answer.status, 0);
    assert_told(&answer, &["2 taken", "9 lines rejected"]);
    let named = rejected.iter().find(|it| it["code"] == "invalid_consent");
    let message = named.unwrap()["message"].as_str().unwrap();
    assert!(
        message.contains("`marketng`") && message.contains("marketing"),
        "{message}"
    );

    assert_eq!(dry(project.path(), &["--strict"]).status, 1);
    assert_eq!(
        dry(self::project(&sample()).path(), &["--strict"]).status,
        0
    );
}

#[test]
fn a_journey_with_a_typo_is_shown_and_nothing_runs() {
    let typo = HOOK.replace("trigger:", "triger:");
    let project = directory(&[("journeys/hook.yaml", &typo), ("events.ndjson", "")]);
    let answer = dry(project.path(), &["--state", "state"]);
    assert_eq!((answer.status, answer.out.as_str()), (1, ""));
    assert_told(&answer, &["error[J", "hook.yaml:4:1", "`trigger`"]);
    assert!(!project.path().join("state").exists());
}

#[test]
fn missing_files_and_secrets_are_named() {
    let project = project("");
    let answer = Answer::of(program::run(project.path(), &["--events", "evnts.ndjson"]));
    assert_eq!(answer.status, 1);
    assert_told(&answer, &["`evnts.ndjson`"]);

    let answer = Answer::of(program::run(project.path(), &[]));
    assert_eq!((answer.status, answer.out.as_str()), (1, ""));
    let names = [
        "CRM_TOKEN",
        "BILLING_TOKEN",
        "EMAIL_PASSWORD",
        "MAIL_API_KEY",
    ];
    assert_told(&answer, &names);
    assert_told(&answer, &["`signup-lead`", "--dry-run"]);
}

/// A run that is fed line by line and heard line by line.
struct Live {
    running: Running,
    stdin: ChildStdin,
    results: Lines<BufReader<ChildStdout>>,
}

impl Live {
    fn start(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = program::run(directory, arguments);
        command.stdin(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running(command.spawn().unwrap());
        let stdin = running.0.stdin.take().unwrap();
        let results = BufReader::new(running.0.stdout.take().unwrap()).lines();
        Self {
            running,
            stdin,
            results,
        }
    }

    fn write(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").unwrap();
    }

    /// Reads on until a result is like this.
    fn read_until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        let lines = self.results.by_ref().map(|line| parse(&line.unwrap()));
        lines.into_iter().find(is_it).unwrap()
    }
}

#[test]
fn a_state_directory_in_use_names_its_holder() {
    let project = project(&sample());
    let mut holder = Live::start(project.path(), &["--dry-run", "--state", "state"]);
    // Once it has answered it holds the directory.
    holder.write("no event");
    holder.read_until(|it| it["kind"] == "rejected_event");
    let pid = format!("process {}", holder.running.0.id());
    let answer = dry(project.path(), &["--state", "state"]);
    assert_eq!((answer.status, answer.out.as_str()), (2, ""));
    assert_told(&answer, &["`state` is in use", &pid]);

    drop(holder);
    assert_eq!(dry(project.path(), &["--state", "state"]).status, 0);
}

#[test]
fn the_state_of_a_dry_run_is_not_taken_for_a_real_one() {
    let project = project(&sample());
    let real = |state| {
        let arguments = ["--events", "events.ndjson", "--clock", "events"];
        let more = ["--receiver", "builtin", "--state", state];
        Answer::of(program::run(project.path(), &[arguments, more].concat()))
    };
    assert_eq!(dry(project.path(), &["--state", "dry"]).status, 0);
    let answer = real("dry");
    assert_eq!((answer.status, answer.out.as_str()), (2, ""));
    assert_told(
        &answer,
        &["`dry` holds the state of a dry run", "another directory"],
    );

    assert_eq!(real("real").status, 0);
    let answer = dry(project.path(), &["--state", "real"]);
    assert_eq!(answer.status, 2);
    assert_told(&answer, &["`real` holds the state of a real run"]);
}

/// `second state attempt status`, as the deliveries of a run moved; seconds rounded to what the
/// schedule says.
fn moves(answer: &Answer) -> String {
    let mut moves = String::new();
    for it in answer.of_kind("delivery") {
        let (state, status) = (it["state"].as_str().unwrap(), it["status"].as_u64());
        let status = status.map_or(String::new(), |status| format!(" {status}"));
        let at = it["at"].as_str().unwrap();
        let second: f64 = at.get(17..).unwrap().trim_end_matches('Z').parse().unwrap();
        let scheduled = [0.0, 1.0, 6.0]
            .iter()
            .find(|it| (second - **it).abs() <= **it / 5.0);
        let scheduled = scheduled.unwrap();
        writeln!(moves, "{scheduled} {state} {}{status}", it["attempt"]).unwrap();
    }
    moves
}

#[test]
fn a_receiver_that_comes_to_itself_is_asked_again_after_virtual_time() {
    let signup = r#"{"type":"track","userId":"u","event":"Signup Completed","timestamp":"2026-01-26T10:00:00Z"}"#;
    let project = directory(&[("journeys/hook.yaml", HOOK), ("events.ndjson", signup)]);
    let (address, inbox) = receiver::listen();
    let receiver = address.to_string();
    let arguments = [
        "--events",
        "events.ndjson",
        "--clock",
        "events",
        "--receiver",
    ];
    let arguments = [&arguments[..], &[&receiver]].concat();
    let running = program::run(project.path(), &arguments).spawn().unwrap();
    let mut arrived = Vec::new();
    for status in [503, 503, 200] {
        let request = receiver::next(&inbox);
        request.answer(status);
        arrived.push(request);
    }
    let answer = Answer::after(running);
    let expected = "\
0 armed 1
0 planned 1 503
1 armed 2
1 planned 2 503
6 armed 3
6 delivered 3 200
";
    assert_eq!((answer.status, moves(&answer).as_str()), (0, expected));
    let [first, others @ ..] = &arrived[..] else {
        unreachable!("three came");
    };
    for other in others {
        assert_eq!(other.header("webhook-id"), first.header("webhook-id"));
        assert_eq!((&other.line, &other.body), (&first.line, &first.body));
    }
    assert_eq!(first.body, r#"{"title":"Signup Completed"}"#);
    assert_told(&answer, &["deliveries  1: delivered 1"]);
}

#[test]
fn withdrawn_consent_withholds_the_next_attempt() {
    let project = directory(&[("journeys/letter.yaml", LETTER)]);
    let (address, inbox) = receiver::listen();
    let receiver = address.to_string();
    let mut live = Live::start(project.path(), &["--trace", "--receiver", &receiver]);
    let consent = |action: &str, id: &str| {
        format!(
            r#"{{"type":"consent","messageId":"{id}","userId":"u","email":"u@example.com","category":"marketing","action":"{action}"}}"#
        )
    };
    live.write(r#"{"type":"identify","userId":"u","traits":{"email":"u@example.com"}}"#);
    live.write(&consent("accept", "yes"));
    live.write(r#"{"type":"track","userId":"u","event":"Signup Completed"}"#);
    let request = receiver::next(&inbox);
    live.read_until(|it| it["state"] == "armed");
    live.write(&consent("decline", "no"));
    // It is taken, while the first attempt is on the wire.
    live.read_until(|it| it["kind"] == "trace" && it["notes"][0]["note"] == "attributed");
    request.answer(429);
    let planned = live.read_until(|it| it["kind"] == "delivery");
    assert_eq!(
        (&planned["state"], planned["status"].as_u64()),
        (&"planned".into(), Some(429))
    );
    let ended = live.read_until(|it| it["kind"] == "delivery");
    assert_eq!(ended["state"], "withheld");
    assert_eq!(ended["reason"], "consent");
    let Live {
        mut running,
        stdin,
        results,
    } = live;
    drop(stdin);
    assert_eq!(results.map(Result::unwrap).count(), 0);
    assert!(running.0.wait().unwrap().success());
    assert!(
        inbox.try_recv().is_err(),
        "nothing left after the withdrawal"
    );
}
