//! A receiver that runs: started as its user starts it, asked over the wire, and killed.

use std::fs::OpenOptions;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::sign::Request;

/// How long an answer may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Rust,
    Python,
    Node,
}

/// The receivers that are tried: those in Python and Node with the feature `interpreted` only, since
/// a machine with Rust has their interpreters or not. `.ci/receivers` tries all.
pub(crate) fn all() -> impl Iterator<Item = Language> {
    let interpreted = [Language::Python, Language::Node];
    let interpreted = interpreted
        .into_iter()
        .filter(|_| cfg!(feature = "interpreted"));
    std::iter::once(Language::Rust).chain(interpreted)
}

/// Where the examples are.
pub(crate) fn examples() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap().to_path_buf()
}

impl Language {
    /// The program and what its words begin with.
    fn words(self) -> Vec<String> {
        let example = |path: &str| examples().join(path).to_str().unwrap().to_owned();
        match self {
            Self::Rust => vec![env!("CARGO_BIN_EXE_wayfare-example-receiver").to_owned()],
            Self::Python => vec![
                "python3".to_owned(),
                "-B".to_owned(),
                example("receiver-python/receiver.py"),
            ],
            Self::Node => vec!["node".to_owned(), example("receiver-node/receiver.mjs")],
        }
    }

    /// The command that starts it, its store in this directory.
    pub(crate) fn command(self, secrets: &str, directory: &Path) -> Command {
        let words = self.words();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("0").arg(store(directory));
        command.env("WEBHOOK_SECRETS", secrets);
        command
    }

    /// The bodies that had their effect, in order.
    pub(crate) fn effects(self, directory: &Path) -> Vec<String> {
        let store = store(directory);
        if self == Self::Python {
            let script = "import json, sqlite3, sys\n\
                for row in sqlite3.connect(sys.argv[1]).execute('SELECT body FROM received ORDER BY number'):\n\
                \x20   print(json.dumps({'body': row[0]}))";
            let mut python = Command::new("python3");
            python.args(["-c", script]).arg(store);
            return bodies(&String::from_utf8(output(&mut python).stdout).unwrap());
        }
        bodies(&std::fs::read_to_string(store).unwrap())
    }
}

/// The file a receiver keeps its effects in.
pub(crate) fn store(directory: &Path) -> PathBuf {
    directory.join("received")
}

fn bodies(lines: &str) -> Vec<String> {
    let lines = lines
        .lines()
        .map(|line| -> Value { serde_json::from_str(line).unwrap() });
    lines
        .map(|line| line["body"].as_str().unwrap().to_owned())
        .collect()
}

/// What came of a command that ends by itself.
fn output(command: &mut Command) -> std::process::Output {
    let program = command.get_program().to_owned();
    let output = command.output();
    output.unwrap_or_else(|error| panic!("these tests need {program:?} on the PATH: {error}"))
}

/// What a receiver says that must not start.
pub(crate) fn said_instead_of_starting(mut command: Command) -> String {
    let program = command.get_program().to_owned();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command
        .spawn()
        .unwrap_or_else(|error| panic!("these tests need {program:?} on the PATH: {error}"));
    let mut line = String::new();
    let mut stdout = BufReader::new(process.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    if !line.is_empty() {
        process.kill().unwrap();
    }
    let output = process.wait_with_output().unwrap();
    assert_eq!(line, "", "{program:?} has started");
    assert!(!output.status.success(), "{program:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// What a receiver answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
}

/// A receiver that runs until this is dropped.
pub(crate) struct Running {
    process: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Running {
    pub(crate) fn start(language: Language, secrets: &[&str], directory: &Path) -> Self {
        Self::of(language.command(&secrets.join(" "), directory), directory)
    }

    /// Starts a command that becomes a receiver.
    pub(crate) fn of(mut command: Command, directory: &Path) -> Self {
        let log = directory.join("log");
        let stderr = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&log)
            .unwrap();
        command.stdout(Stdio::piped()).stderr(stderr);
        let program = command.get_program().to_owned();
        let mut process = command
            .spawn()
            .unwrap_or_else(|error| panic!("these tests need {program:?} on the PATH: {error}"));
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on http://");
        let address = address.and_then(|it| it.strip_suffix("/webhook\n"));
        let said = || std::fs::read_to_string(&log).unwrap();
        let address = address.unwrap_or_else(|| panic!("{program:?} printed {line:?}: {}", said()));
        let address = address.parse().unwrap();
        Self {
            process,
            address,
            log,
        }
    }

    /// What it answers. A fault is one of the connection.
    pub(crate) fn ask(&self, request: &Request) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
        let length = request.body.len().to_string();
        let own = [
            ("Host", "localhost"),
            ("Connection", "close"),
            ("Content-Length", &length),
        ];
        let given = request
            .headers
            .iter()
            .map(|(name, value)| (&**name, &**value));
        for (name, value) in own.into_iter().chain(given) {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.push_str("\r\n");
        stream.write_all(text.as_bytes())?;
        stream.write_all(&request.body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
        let headers = answer.lines().filter_map(|line| line.split_once(": "));
        let mut headers = headers.filter(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        Ok(Answer {
            status: status.ok_or_else(|| io::Error::other(format!("{answer:?}")))?,
            retry_after: headers.next().map(|(_, value)| value.to_owned()),
        })
    }

    /// The status it answers with.
    pub(crate) fn status(&self, request: &Request) -> u16 {
        self.ask(request).unwrap().status
    }

    /// What it has said to its operator so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Running {
    /// As the power goes: no receiver hears of it.
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
