//! Does the real program reach a service on its own machine when `wayfare.yaml` lets it, with the
//! secret it was given, and only then?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/receiver.rs"]
mod receiver;

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use program::{Answer, shipped};
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "correct-horse-battery";

/// A project whose one webhook goes to a port of this machine.
fn project(port: u16, allow_networks: &str) -> TempDir {
    let journey = format!(
        "\
journey: lead
description: Create a lead in a service on this machine.
trigger: {{ event: Signup Completed }}
entry: {{ again: once }}
blocks:
  create:
    webhook:
      method: POST
      url: http://localhost:{port}/leads
      consent: {{ basis: contract, because: it is a test }}
      auth: {{ bearer: {{ env: LEADS_TOKEN }} }}
      payload: {{ email: '{{profile.email}}' }}
"
    );
    let config = format!(
        "\
webhooks:
  allow_networks: {allow_networks}
  allow_http: [localhost]
  allow_ports: [{port}]
"
    );
    let project = tempfile::tempdir().unwrap();
    std::fs::write(project.path().join("lead.yaml"), journey).unwrap();
    std::fs::write(project.path().join("wayfare.yaml"), config).unwrap();
    project
}

/// A real run over the sample events: one of them is a signup.
fn signup(project: &TempDir) -> Command {
    let mut run = program::run(project.path(), &["--journeys", ".", "--clock", "events"]);
    run.arg("--events")
        .arg(shipped("journeys/sample-events.ndjson"));
    run.env("LEADS_TOKEN", SECRET);
    run
}

/// State and reason of the delivery's last line.
fn ended(answer: &Answer) -> (Value, Value) {
    assert_eq!(answer.status, 0, "{}", answer.err);
    let deliveries = answer.of_kind("delivery");
    let last = deliveries.last().unwrap();
    (last["state"].clone(), last["reason"].clone())
}

/// Sends a request of the test's own.
fn probe(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /probe HTTP/1.1\r\n\r\n").unwrap();
}

#[test]
fn a_service_on_this_machine_is_reached_where_that_is_allowed() {
    let (address, inbox) = receiver::listen();
    let project = project(address.port(), "[127.0.0.0/8, '::1']");
    let run = signup(&project).spawn().unwrap();
    let request = receiver::next(&inbox);
    request.answer(200);
    assert_eq!(request.line, "POST /leads");
    assert_eq!(request.header("authorization"), format!("Bearer {SECRET}"));
    let host = format!("localhost:{}", address.port());
    assert_eq!(request.header("host"), host);
    assert_eq!(request.body, r#"{"email":"user@example.com"}"#);

    let answer = Answer::after(run);
    assert_eq!(ended(&answer), ("delivered".into(), Value::Null));
    for said in [&answer.out, &answer.err] {
        assert!(!said.contains(SECRET), "the secret was printed: {said}");
    }
    assert!(inbox.try_recv().is_err(), "it came twice");
}

#[test]
fn a_service_on_this_machine_is_not_reached_where_that_is_not_allowed() {
    let (address, inbox) = receiver::listen();
    let project = project(address.port(), "[]");
    let answer = Answer::of(signup(&project));
    assert_eq!(ended(&answer), ("withheld".into(), "policy".into()));
    // Had anything been sent, it would be in front of this.
    probe(address);
    assert_eq!(receiver::next(&inbox).line, "GET /probe");
}
