//! Does the real program reach a service on its own machine when `wayfare.yaml` lets it, with the
//! secret it was given, and only then? Not itself, and not by way of a proxy.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "../at_work/program.rs"]
mod program;
#[path = "../at_work/receiver.rs"]
mod receiver;
mod tls;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use program::{Answer, shipped};
use serde_json::Value;
use tempfile::TempDir;

const SECRET: &str = "correct-horse-battery";

/// A project whose one webhook goes to a port of this machine.
fn project(port: u16, allow_networks: &str) -> TempDir {
    let url = format!("http://localhost:{port}/leads");
    project_of(&url, port, allow_networks)
}

/// A project whose one webhook goes to this URL.
fn project_of(url: &str, port: u16, allow_networks: &str) -> TempDir {
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
      url: {url}
      consent: {{ basis: contract, because: it is a test }}
      auth: {{ bearer: {{ env: LEADS_TOKEN }} }}
      payload: {{ email: '{{profile.email}}' }}
"
    );
    let config = format!(
        "\
webhooks:
  allow_networks: {allow_networks}
  allow_http: [localhost, 127.0.0.1]
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
    // No network: the checker knows already. Another network: known when the name is looked up.
    let answer = Answer::of(signup(&project(address.port(), "[]")));
    assert_eq!(answer.status, 1, "{}", answer.err);
    let words = "`localhost` is a local name, list the network it leads to under";
    assert!(answer.err.contains(words), "{}", answer.err);
    let answer = Answer::of(signup(&project(address.port(), "[10.0.0.0/8]")));
    assert_eq!(ended(&answer), ("withheld".into(), "policy".into()));
    // Had anything been sent, it would be in front of this.
    probe(address);
    assert_eq!(receiver::next(&inbox).line, "GET /probe");
}

#[test]
fn an_origin_from_the_environment_is_judged_before_anything_is_sent() {
    let url = "{ base: { env: CRM }, path: /leads }";
    let check = |origin: &str, words: &str| {
        let project = project_of(url, 8443, "[]");
        let mut run = signup(&project);
        run.env("CRM", origin);
        let answer = Answer::of(run);
        assert_eq!(answer.status, 1, "{}", answer.err);
        let said = format!("journey `lead`, base `CRM`: {words}");
        assert!(answer.err.contains(&said), "{}", answer.err);
        assert_eq!(answer.out, "");
    };
    check("http://crm.example.com", "plain http to `crm.example.com`");
    check("https://10.0.0.1/v2/", "`10.0.0.1` is on a private network");
    check(
        "https://2130706433:8443",
        "`127.0.0.1` is this machine itself",
    );
    check("https://crm.internal", "`crm.internal` is a local name");
    check("crm.example.com", "a url starts with `https://` and a host");
    check("https://ops:pw@crm.example.com", "a url holds no user name");
    check(
        "https://crm.example.com/../v2",
        "`.` and `..` lead to another path",
    );
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    let (address, inbox) = receiver::listen();
    let (proxy, proxied) = receiver::listen();
    let project = project(address.port(), "[127.0.0.0/8, '::1']");
    let mut run = signup(&project);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        let at = format!("http://{proxy}");
        run.env(name, &at).env(name.to_ascii_lowercase(), &at);
    }
    run.env("NO_PROXY", "").env("no_proxy", "");
    let run = run.spawn().unwrap();
    let request = receiver::next(&inbox);
    request.answer(200);
    assert_eq!(request.line, "POST /leads");
    assert_eq!(
        ended(&Answer::after(run)),
        ("delivered".into(), Value::Null)
    );
    probe(proxy);
    assert_eq!(receiver::next(&proxied).line, "GET /probe");
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A server that is killed when it goes out of scope.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// `wayfare serve` until it says where it listens.
fn serve(project: &TempDir, port: u16) -> Server {
    let listen = format!("127.0.0.1:{port}");
    let mut serve = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE", "LISTEN"] {
        serve.env_remove(format!("WAYFARE_{name}"));
    }
    serve.current_dir(project.path());
    serve.args(["serve", "--journeys", ".", "--listen", &listen]);
    serve
        .env("LEADS_TOKEN", SECRET)
        .env("SELF", format!("http://{listen}"));
    serve
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = serve.spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut said = said.map(Result::unwrap);
    assert!(said.any(|line| line.starts_with("listening on ")));
    // What it says later is not read, and must not stop it.
    std::thread::spawn(move || said.for_each(drop));
    Server(child)
}

#[test]
fn a_server_sends_nothing_to_itself() {
    let port = free_port();
    let url = "{ base: { env: SELF }, path: /v1/track }";
    let project = project_of(url, port, "[127.0.0.0/8]");
    let mut server = serve(&project, port);
    let out = BufReader::new(server.0.stdout.take().unwrap()).lines();

    let event = r#"{"userId":"u1","event":"Signup Completed","context":{"traits":{"email":"a@b.example"}}}"#;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = event.len();
    let request =
        format!("POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{event}");
    stream.write_all(request.as_bytes()).unwrap();

    let lines = out.map(|line| program::parse(&line.unwrap()));
    let mut deliveries = lines.filter(|line| line["kind"] == "delivery");
    let last = deliveries.find(|line| line["state"] == "withheld").unwrap();
    assert_eq!(last["reason"], "policy");
    let words = format!("`127.0.0.1:{port}` is where Wayfare itself listens");
    assert!(last["note"].as_str().unwrap().starts_with(&words), "{last}");
}
