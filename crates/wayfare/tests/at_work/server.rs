//! What does a server at work say to operators? A process of its own, spoken to by command and over HTTP.

use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{ChildStderr, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Answer, parse};
use crate::scratch::Running;

/// The token that gives orders.
pub(crate) const OPS: &str = "0ps-t0ken";
/// The key that seals links to unsubscribe.
pub(crate) const LINK_KEY: &str = "an-example-key-of-32-bytes-000001";
/// The token that looks.
pub(crate) const WALL: &str = "wa11-t0ken";

/// The program in a directory, with nothing set that its answers depend on.
pub(crate) fn wayfare(directory: &Path) -> Command {
    let mut wayfare = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in [
        "LOG",
        "JOURNEYS",
        "CONFIG",
        "STATE",
        "LISTEN",
        "ADMIN_TOKEN",
    ] {
        wayfare.env_remove(format!("WAYFARE_{name}"));
    }
    wayfare.env("WEB_KEY", "k1").env("BROWSER_KEY", "k2");
    wayfare.env("LINK_KEY", LINK_KEY).env("NO_COLOR", "1");
    wayfare.env("OPS_TOKEN", OPS).env("WALL_TOKEN", WALL);
    wayfare.current_dir(directory).stdin(Stdio::null());
    wayfare.stdout(Stdio::piped()).stderr(Stdio::piped());
    wayfare
}

/// What a command that looks at a state directory prints.
pub(crate) fn held(directory: &Path, arguments: &[&str]) -> Answer {
    let mut wayfare = wayfare(directory);
    wayfare.args(arguments).args(["--state", "state"]);
    Answer::of(wayfare)
}

/// A server at work, killed when the test is over.
pub(crate) struct Server<'a> {
    pub(crate) running: Running,
    directory: &'a Path,
    address: SocketAddr,
    /// What it tells people.
    pub(crate) told: Lines<BufReader<ChildStderr>>,
    /// What it decides.
    pub(crate) lines: Lines<BufReader<ChildStdout>>,
}

impl<'a> Server<'a> {
    /// Starts on a free port of this address; requests go to a receiver.
    pub(crate) fn start(directory: &'a TempDir, host: &str, receiver: &str) -> Self {
        let directory = directory.path();
        let mut wayfare = wayfare(directory);
        wayfare.args(["serve", "--journeys", ".", "--state", "state"]);
        wayfare.args(["--listen", &format!("{host}:0"), "--receiver", receiver]);
        let mut running = Running(wayfare.spawn().unwrap());
        let mut told = BufReader::new(running.0.stderr.take().unwrap()).lines();
        let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
        let begins = |line: &std::io::Result<String>| {
            let line = line.as_ref().unwrap();
            line.strip_prefix("listening on http://").is_some()
        };
        let line = told.find(begins).unwrap().unwrap();
        let address = line.rsplit('/').next().unwrap();
        let port = address.parse::<SocketAddr>().unwrap().port();
        Self {
            running,
            directory,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            told,
            lines,
        }
    }

    /// Gives an order or looks, by command.
    pub(crate) fn command(&self, arguments: &[&str]) -> Answer {
        let mut wayfare = wayfare(self.directory);
        wayfare.args(arguments);
        wayfare.args(["--server", &format!("http://{}", self.address)]);
        Answer::of(wayfare)
    }

    /// What a command that succeeds says.
    pub(crate) fn said(&self, arguments: &[&str]) -> String {
        let answer = self.command(arguments);
        assert_eq!((answer.status, answer.err.as_str()), (0, ""));
        answer.out
    }

    /// Sends a request; head and body of the answer.
    pub(crate) fn send(&self, line: &str, headers: &[&str], body: &str) -> (String, Value) {
        let (head, body) = self.text(line, headers, body);
        (head, parse(&body))
    }

    /// Sends a request; head and body of the answer, which is for people.
    pub(crate) fn text(&self, line: &str, headers: &[&str], body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        let mut head =
            format!("{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n");
        if !headers.iter().any(|it| it.starts_with("Host:")) {
            head.push_str("Host: localhost\r\n");
        }
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        stream
            .write_all(format!("{head}\r\n{body}").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    /// The status and the code of an answer.
    pub(crate) fn code(&self, line: &str, headers: &[&str], body: &str) -> (u16, String) {
        let (head, body) = self.send(line, headers, body);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        if status != 200 {
            assert!(head.contains("application/problem+json"), "{head}");
        }
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    }

    /// Somebody visits.
    pub(crate) fn visit(&self, person: u32, waits: bool) {
        let event = json!({
            "userId": format!("u{person}"),
            "event": "Visited",
            "properties": { "n": person, "late": waits },
        });
        let (head, _) = self.send(
            "POST /v1/track",
            &["Authorization: Basic azE6"],
            &event.to_string(),
        );
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }

    /// The next line of this kind that it prints.
    pub(crate) fn line(&mut self, kind: &str) -> Value {
        let lines = self.lines.by_ref().map(|line| parse(&line.unwrap()));
        let mut of_kind = lines.filter(|line| line["kind"] == kind);
        of_kind.next().unwrap()
    }

    /// Waits until a delivery comes to a state; its id.
    pub(crate) fn delivery(&mut self, state: &str) -> String {
        loop {
            let line = self.line("delivery");
            if line["state"] == state {
                return line["deliveryId"].as_str().unwrap().to_owned();
            }
        }
    }

    /// Stops as it is asked to.
    pub(crate) fn stop(mut self) {
        let pid = self.running.0.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert!(self.running.0.wait().unwrap().success());
    }
}
