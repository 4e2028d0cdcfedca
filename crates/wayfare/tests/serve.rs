//! Does the HTTP API take events as it says, and keep what it acknowledged through a kill?

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "at_work/receiver.rs"]
mod receiver;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Lines, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

fn journeys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../journeys")
}

fn wayfare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A server that is killed when it goes out of scope.
struct Server {
    child: Child,
    address: SocketAddr,
    /// What it tells people from now on.
    told: Lines<BufReader<ChildStderr>>,
}

impl Server {
    /// Starts on any port with these arguments; the address is the one it prints.
    fn start(arguments: &[&str]) -> Self {
        Self::of(wayfare(), arguments)
    }

    /// Starts this program.
    fn of(mut program: Command, arguments: &[&str]) -> Self {
        for name in ["LOG", "JOURNEYS", "CONFIG", "STATE", "LISTEN"] {
            program.env_remove(format!("WAYFARE_{name}"));
        }
        let mut child = program
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env("CRM_KEY", "key-1")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut server = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            told,
        };
        let line = server.hear("listening on http://");
        server.address = line.parse().unwrap();
        server
    }

    /// Waits for a line that begins like this; the rest of it.
    fn hear(&mut self, beginning: &str) -> String {
        let mut said = Vec::new();
        for line in self.told.by_ref() {
            let line = line.unwrap();
            if let Some(rest) = line.strip_prefix(beginning) {
                return rest.to_owned();
            }
            said.push(line);
        }
        panic!("the server never said `{beginning}`: {said:?}");
    }

    /// Asks it to stop.
    fn terminate(&self) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(told.success());
    }

    fn with_state(state: &Path, receiver: &str) -> Self {
        Self::start(&Self::arguments(state, receiver))
    }

    fn arguments<'a>(state: &'a Path, receiver: &'a str) -> [&'a str; 6] {
        let journeys = concat!(env!("CARGO_MANIFEST_DIR"), "/../../journeys");
        let state = state.to_str().unwrap();
        [
            "--journeys",
            journeys,
            "--state",
            state,
            "--receiver",
            receiver,
        ]
    }

    /// Posts something; status and body of the answer.
    fn post(&self, path: &str, headers: &str, body: &[u8]) -> (u16, String) {
        self.send(&format!("POST {path}"), headers, body)
    }

    /// Sends a request; status and body of the answer.
    fn send(&self, line: &str, headers: &str, body: &[u8]) -> (u16, String) {
        let Ok(mut stream) = TcpStream::connect(self.address) else {
            return (0, "it is gone".to_owned());
        };
        let head = format!(
            "{line} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        // A server that has heard enough may close before it has read everything.
        let _refused_early = stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body));
        let mut answer = String::new();
        let _reset = stream.read_to_string(&mut answer);
        let status = answer.split(' ').nth(1).unwrap_or("0").parse().unwrap();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, body.to_owned())
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _waited = self.child.wait();
    }
}

#[test]
fn every_request_is_answered_with_what_became_of_it() {
    let state = TempDir::new().unwrap();
    let server = Server::with_state(state.path(), "builtin");
    let check = |path: &str, body: &str, status: u16, words: &str| {
        let (found, text) = server.post(path, "", body.as_bytes());
        assert_eq!(found, status, "{path} {body}: {text}");
        assert!(text.contains(words), "{path} {body}: {text}");
    };
    assert_eq!(server.send("GET /healthz", "", b""), (200, "ok\n".into()));
    for (path, body) in [
        ("identify", r#"{"userId":"u1","traits":{"plan":"free"}}"#),
        (
            "t",
            r#"{"userId":"u1","event":"Signup Completed","messageId":"m1"}"#,
        ),
        ("page", r#"{"userId":"u1","name":"Pricing"}"#),
        ("screen", r#"{"userId":"u1","name":"Home"}"#),
        ("group", r#"{"userId":"u1","groupId":"a1"}"#),
        ("alias", r#"{"userId":"u1","previousId":"anon-1"}"#),
        (
            "consent",
            r#"{"email":"a@b.example","category":"marketing","action":"accept"}"#,
        ),
    ] {
        check(&format!("/v1/{path}"), body, 200, r#""success":true"#);
    }
    check("/v1/track", r#"{"event":"x"}"#, 400, "no_identifier");
    check("/v1/group", r#"{"groupId":"g"}"#, 400, "no_profile");
    check("/v1/track", r#"{"userId":"u1"}"#, 400, "no_event_name");
    check("/v1/track", "nonsense", 400, "invalid_json");
    check("/v1/track", "[]", 400, "invalid_json");
    check(
        "/v1/consent",
        r#"{"userId":"u","category":"nope","action":"accept"}"#,
        400,
        "invalid_consent",
    );
    check("/v1/nowhere", "{}", 404, "not_found");
    let batch = r#"{"batch":[{"type":"track","userId":"u2","event":"x"},{"type":"banana"},{"type":"track","event":"y"}]}"#;
    check("/v1/batch", batch, 200, r#""index":1"#);
    check("/v1/batch", batch, 200, r#""index":2"#);
    check("/v1/batch", r#"{"batch":[]}"#, 400, "invalid_field");
    let large = format!(
        r#"{{"userId":"u1","event":"x","pad":"{}"}}"#,
        "x".repeat(40_000)
    );
    check("/v1/track", &large, 413, "too_large");
}

#[test]
fn a_body_may_be_packed_but_not_without_bound() {
    let pack = |text: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    };
    let state = TempDir::new().unwrap();
    let server = Server::with_state(state.path(), "builtin");
    let gzip = "Content-Encoding: gzip\r\n";
    let event = pack(br#"{"userId":"u1","event":"x"}"#);
    assert_eq!(server.post("/v1/track", gzip, &event).0, 200);
    let bomb = pack(&vec![b' '; 64 * 1024 * 1024]);
    assert_eq!(server.post("/v1/batch", gzip, &bomb).0, 413);
    assert_eq!(server.post("/v1/track", gzip, b"not packed").0, 400);
    let (status, _) = server.post("/v1/track", "Content-Encoding: br\r\n", b"{}");
    assert_eq!(status, 415);
}

#[test]
fn with_write_keys_only_their_holders_may_send() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("wayfare.yaml");
    let text = "server: { keys: [{ id: crm, kind: server, key: { env: CRM_KEY } }] }\n";
    std::fs::write(&file, text).unwrap();
    let server = Server::start(&[
        "--journeys",
        journeys().to_str().unwrap(),
        "--config",
        file.to_str().unwrap(),
        "--state",
        directory.path().join("state").to_str().unwrap(),
        "--receiver",
        "builtin",
    ]);
    let event = br#"{"userId":"u1","event":"x"}"#;
    assert_eq!(server.post("/v1/track", "", event).0, 401);
    // key-1: and key-2: in base64.
    let right = "Authorization: Basic a2V5LTE6\r\n";
    let wrong = "Authorization: Basic a2V5LTI6\r\n";
    assert_eq!(server.post("/v1/track", right, event).0, 200);
    assert_eq!(server.post("/v1/track", wrong, event).0, 401);
    let in_body = br#"{"writeKey":"key-1","userId":"u1","event":"x"}"#;
    assert_eq!(server.post("/v1/track", "", in_body).0, 200);
    assert_eq!(server.post("/v1/track?writeKey=key-1", "", event).0, 200);
    // The key of a body is not kept with its event.
    let mut kept = Vec::new();
    for segment in std::fs::read_dir(directory.path().join("state/log")).unwrap() {
        kept.extend(std::fs::read(segment.unwrap().path()).unwrap());
    }
    let kept = String::from_utf8_lossy(&kept);
    assert!(kept.contains("u1") && !kept.contains("key-1"));
}

#[test]
fn what_cannot_be_served_says_why() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let check = |listen: &str, code: i32, words: &str| {
        let state = TempDir::new().unwrap();
        let output = wayfare()
            .args([
                "serve",
                "--receiver",
                "builtin",
                "--listen",
                listen,
                "--journeys",
            ])
            .arg(journeys())
            .arg("--state")
            .arg(state.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    };
    check(&address, 2, "is the port taken? `--listen` names another");
    check("0.0.0.0:0", 1, "no write keys are configured");
}

#[test]
fn a_stop_that_is_asked_for_ends_cleanly() {
    let state = TempDir::new().unwrap();
    let mut server = Server::with_state(state.path(), "builtin");
    let event = br#"{"userId":"u1","event":"Signup Completed"}"#;
    assert_eq!(server.post("/v1/track", "", event).0, 200);
    server.terminate();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_request_on_the_wire_is_waited_for_when_a_stop_is_asked_for() {
    let state = TempDir::new().unwrap();
    let (address, inbox) = receiver::listen();
    let mut server = Server::with_state(state.path(), &address.to_string());
    let event = br#"{"userId":"u1","event":"Signup Completed"}"#;
    assert_eq!(server.post("/v1/track", "", event).0, 200);
    let request = receiver::next(&inbox);
    assert_eq!(request.line, "POST /leads");
    assert!(request.body.contains("Signup Completed"), "{request:?}");
    server.terminate();
    server.hear("stopping: ");
    request.answer(200);
    assert_eq!(server.child.wait().unwrap().code(), Some(0));

    let mut deliveries = wayfare();
    deliveries.args(["deliveries", "--format", "json", "--state"]);
    let output = deliveries.arg(state.path()).stdout(Stdio::piped()).output();
    let found: serde_json::Value = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    assert_eq!(found["deliveryId"], request.header("webhook-id"));
    let came = (&found["state"], &found["status"]);
    assert_eq!(came, (&"delivered".into(), &200.into()));
    assert!(inbox.try_recv().is_err(), "it came twice");
}

#[test]
fn clients_that_stall_do_not_hold_up_a_stop() {
    /// Longer than a stop waits for its clients, shorter than any other patience with them.
    const PATIENCE: Duration = Duration::from_secs(20);
    let state = TempDir::new().unwrap();
    let mut server = Server::with_state(state.path(), "builtin");
    let half = "POST /v1/track HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{\"userId\":";
    let stalled = ["", "POST /v1/track HTTP/1.1\r\nHo", half].map(|sent| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    });
    let event = br#"{"userId":"u1","event":"Signup Completed"}"#;
    assert_eq!(server.post("/v1/track", "", event).0, 200);
    server.terminate();
    server.hear("stopping: ");
    for mut stream in stalled {
        let heard = stream.read(&mut [0; 1]);
        let is_over = match &heard {
            Ok(bytes) => *bytes == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        assert!(is_over, "{heard:?}");
    }
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

/// How often each delivery's id arrived.
type Seen = Arc<Mutex<BTreeMap<String, u32>>>;

/// A receiver that counts how often each delivery's id arrives, answering 200 to all.
fn recorder() -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(BTreeMap::new()));
    let counted = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let counted = counted.clone();
            std::thread::spawn(move || record(&stream, &counted));
        }
    });
    (address, seen)
}

fn record(stream: &TcpStream, counted: &Mutex<BTreeMap<String, u32>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        // A server that was killed between connecting and sending has sent nothing.
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("webhook-id: ") {
            id = value.to_owned();
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    *counted.lock().unwrap().entry(id).or_insert(0) += 1;
    let mut answer = stream;
    answer
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .ok()
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_sent_twice_when_the_process_is_killed() {
    const PEOPLE: usize = 60;
    let state = TempDir::new().unwrap();
    let (receiver, seen) = recorder();
    let receiver = receiver.to_string();
    let mut server = Server::with_state(state.path(), &receiver);
    for person in 0..PEOPLE {
        let event = format!(
            r#"{{"userId":"u{person}","event":"Signup Completed","messageId":"m{person}"}}"#
        );
        let (status, body) = server.post("/v1/track", "", event.as_bytes());
        assert_eq!(status, 200, "{body}");
        // Killed right after an answer, every seventh time.
        if person % 7 == 3 {
            server.kill();
            server = Server::with_state(state.path(), &receiver);
        }
    }
    server.kill();
    assert_each_is_sent_once(state.path(), &receiver, (&seen, PEOPLE));
}

#[test]
fn a_server_whose_disk_is_full_acknowledges_nothing_more_and_loses_nothing_it_did() {
    /// More people than the limit has room for.
    const PEOPLE: usize = 400;
    let state = TempDir::new().unwrap();
    let (receiver, seen) = recorder();
    let receiver = receiver.to_string();
    // The log has its first segment before files may grow no more; 6,000 blocks of 512 bytes or,
    // in some shells, of 1,024.
    Server::with_state(state.path(), &receiver).kill();
    let mut command = Command::new("sh");
    let script = r#"ulimit -f 6000; exec "$0" "$@""#;
    command.args(["-c", script, env!("CARGO_BIN_EXE_wayfare")]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut server = Server::of(command, &Server::arguments(state.path(), &receiver));
    let pad = "x".repeat(30_000);
    let post = |server: &Server, person: usize| {
        let event = format!(
            r#"{{"userId":"u{person}","event":"Signup Completed","messageId":"m{person}","pad":"{pad}"}}"#
        );
        server.post("/v1/track", "", event.as_bytes()).0
    };
    let taken = (0..PEOPLE).find(|person| post(&server, *person) != 200);
    let taken = taken.expect("files grew beyond the limit");
    assert!(taken > 0);
    let said = server.hear("error: cannot append to `");
    assert!(
        said.contains("/log/00000000000000000001.log`: File too large"),
        "{said}"
    );
    let advice = "files may not grow that large here: raise the limit and start again; ";
    assert_eq!(
        server.hear(advice),
        "what was acknowledged is kept, and nothing after it was taken"
    );
    assert_eq!(server.child.wait().unwrap().code(), Some(2));

    // The limit is lifted: what was acknowledged is there, and nothing else.
    assert_each_is_sent_once(state.path(), &receiver, (&seen, taken));
    // Everything is sent again: what was acknowledged is known.
    let server = Server::with_state(state.path(), &receiver);
    for person in 0..PEOPLE {
        assert_eq!(post(&server, person), 200);
    }
    server.kill();
    assert_each_is_sent_once(state.path(), &receiver, (&seen, PEOPLE));
}

/// What so many people were owed was sent once, or cannot be known, and nothing else was.
fn assert_each_is_sent_once(state: &Path, receiver: &str, (seen, people): (&Seen, usize)) {
    // An empty input ends when every delivery is final.
    let run = |command: &str| {
        let mut wayfare = wayfare();
        wayfare
            .stdout(Stdio::piped())
            .arg(command)
            .arg("--journeys");
        wayfare.arg(journeys()).arg("--state").arg(state);
        if command == "run" {
            wayfare.args(["--receiver", receiver]);
        } else {
            wayfare.args(["--format", "json"]);
        }
        let output = wayfare.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    run("run");
    let deliveries = run("deliveries");
    let in_state = |state: &str| -> Vec<String> {
        let state = format!(r#""state":"{state}""#);
        let lines = deliveries.lines().filter(|line| line.contains(&state));
        lines
            .filter_map(|line| line.split_once(r#""deliveryId":""#))
            .filter_map(|(_, rest)| rest.split('"').next())
            .map(str::to_owned)
            .collect()
    };
    let (delivered, unknown) = (in_state("delivered"), in_state("unknown"));
    assert_eq!(delivered.len() + unknown.len(), people, "{deliveries}");
    let seen = seen.lock().unwrap();
    assert!(seen.values().all(|copies| *copies == 1), "{seen:?}");
    for id in &delivered {
        assert!(
            seen.contains_key(id),
            "{id} counts as delivered and never arrived"
        );
    }
    let owed: Vec<&String> = delivered.iter().chain(&unknown).collect();
    assert!(seen.keys().all(|id| owed.contains(&id)), "{seen:?}");
}
