//! Do requests carry the signatures their block says, and nobody sees what made them?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "at_work/program.rs"]
#[expect(dead_code, reason = "other tests start what is shipped")]
mod program;
#[path = "at_work/scratch.rs"]
mod scratch;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use program::Answer;
use scratch::{Running, directory};

const NEW: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const JOURNEY: &str = "\
journey: hook
description: Tell the receiver about a signup.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  send:
    webhook:
      method: POST
      url: http://127.0.0.1:PORT/signups
      consent: { basis: contract, because: it is a test }
      sign: [{ env: SIGN_NEW }, { env: SIGN_OLD }]
      payload: { title: \"{event.name}\" }
";
const EVENT: &str = r#"{"type":"track","userId":"u","event":"Signup Completed"}"#;

/// `wayfare receive` with a key, and where it listens.
struct Listening {
    running: Running,
    port: String,
}

impl Listening {
    fn with_key(key: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
        command.args(["receive", "--listen", "127.0.0.1:0", "--secret-env", "KEY"]);
        command.env("KEY", key).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut told = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        stderr.read_line(&mut told).unwrap();
        let (_, port) = told.trim().rsplit_once(':').unwrap();
        let port = port.to_owned();
        Self {
            running: Running(child),
            port,
        }
    }

    /// The next request.
    fn received(&mut self) -> serde_json::Value {
        let mut line = String::new();
        let stdout = self.running.0.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        program::parse(&line)
    }
}

/// One signup is told to whoever listens on a port.
fn run(port: &str, keys: [&str; 2], more: &[&str]) -> Answer {
    let configuration = format!(
        "webhooks:\n  allow_networks: [127.0.0.0/8]\n  allow_http: [127.0.0.1]\n  allow_ports: [{port}]\n"
    );
    let project = directory(&[
        ("journeys/hook.yaml", &JOURNEY.replace("PORT", port)),
        ("journeys/wayfare.yaml", &configuration),
        ("events.ndjson", EVENT),
    ]);
    let arguments = [&["--events", "events.ndjson", "--state", "state"][..], more].concat();
    let mut command = program::run(project.path(), &arguments);
    command.env("SIGN_NEW", keys[0]).env("SIGN_OLD", keys[1]);
    command.env("WAYFARE_LOG", "trace");
    let answer = Answer::of(command);
    let state = bytes(&project.path().join("state"));
    let mut keys = keys.into_iter().filter(|key| !key.is_empty());
    let is_there = |text: &str| state.windows(text.len()).any(|it| it == text.as_bytes());
    // What stands there can be found, so what is not found does not stand there.
    assert!(answer.status != 0 || is_there("Signup Completed"));
    assert!(keys.all(|key| !is_there(key) && !answer.err.contains(key)));
    answer
}

/// Everything that stands in the files of a directory.
fn bytes(directory: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let inside = entries.map(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return bytes(&path);
        }
        std::fs::read(path).unwrap()
    });
    inside.flatten().collect()
}

#[test]
fn while_a_key_is_changed_receivers_with_the_new_and_with_the_old_one_verify() {
    for key in [NEW, OLD] {
        let mut receiver = Listening::with_key(key);
        let answer = run(&receiver.port, [NEW, OLD], &[]);
        assert_eq!(answer.status, 0, "{}", answer.err);
        assert_eq!(
            answer.of_kind("delivery").pop().unwrap()["state"],
            "delivered"
        );
        let received = receiver.received();
        assert_eq!(received["signature"], "verified", "{received}");
        let header = received["headers"]["webhook-signature"].as_str().unwrap();
        assert_eq!(header.split(' ').count(), 2);
        for text in [&answer.out, &answer.err] {
            assert!(!text.contains(header) && !text.contains(key), "{text}");
        }
    }
}

#[test]
fn a_receiver_that_knows_another_key_refuses() {
    let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let mut receiver = Listening::with_key(other);
    let answer = run(&receiver.port, [NEW, OLD], &[]);
    let last = answer.of_kind("delivery").pop().unwrap();
    assert_eq!(
        (&last["state"], &last["status"]),
        (&"rejected".into(), &401.into())
    );
    assert_eq!(receiver.received()["signature"], "wrong");
}

#[test]
fn a_rehearsal_signs_with_stand_ins_and_its_receiver_verifies_them() {
    let answer = run("9", ["", ""], &["--receiver", "builtin"]);
    assert_eq!(answer.status, 0, "{}", answer.err);
    let came = "receiver    1 requests, 0 of them second copies, 1 verified";
    assert!(answer.err.contains(came), "{}", answer.err);
    let request = &answer.of_kind("decision")[0]["request"];
    let shown = &request["headers"]["webhook-signature"];
    assert_eq!(shown, "v1,[redacted] v1,[redacted]");
}

#[test]
fn what_is_no_key_is_refused_before_anything_is_sent() {
    let answer = run("9", [NEW, "hunter2"], &[]);
    assert_eq!(answer.status, 1);
    let expected = "journey `hook`: secret `{env: SIGN_OLD}` is no signing key";
    assert!(answer.err.contains(expected), "{}", answer.err);
    assert!(!answer.err.contains("hunter2") && answer.out.is_empty());
}
