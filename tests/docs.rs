//! Are the docs true? Commands marked in them run and print what stands there, journeys compile,
//! real output fits its schema, the links lead somewhere. The pages of the checker's codes are
//! compared with the binary beside it.
//!
//! A comment before a fence says what is done with it: `<!-- run -->` (or `<!-- run: 1 -->` for
//! another exit status) runs a shell block, `<!-- prints -->` looks for each line of a block in the
//! output of the last one run (`…` stands for anything; a drawing must be all of it),
//! `<!-- send -->` sends each `curl` line to a server of its own. `<!-- beside -->` starts a command
//! that listens and goes on beside the rest of its page, on a port that is free, and `<!-- beside
//! prints -->` looks at what it printed. In a command `dec_…` is the last decision that was
//! suppressed and kept in a state directory.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

mod page;
mod schema;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use serde_json::Value;
use wayfare_journey::Known;

use page::{Marker, Page};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// The binary of the profile these tests were built with, as new as its sources.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let own = std::env::current_exe().unwrap();
        let profile = own.parent().unwrap().parent().unwrap();
        let binary = profile.join("wayfare");
        let built = std::fs::metadata(&binary).and_then(|it| it.modified());
        if built.map_or(true, |built| built < newest(&root().join("crates"))) {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--quiet", "--package", "wayfare", "--target-dir"]);
            cargo.arg(profile.parent().unwrap()).current_dir(root());
            if profile.ends_with("release") {
                cargo.arg("--release");
            }
            assert!(cargo.status().unwrap().success(), "wayfare does not build");
        }
        binary
    })
}

/// When the newest source file below a directory was written, tests apart.
fn newest(directory: &Path) -> SystemTime {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let times = paths.map(|path| match path.extension() {
        _ if path.is_dir() && !path.ends_with("tests") => newest(&path),
        Some(extension) if extension == "rs" => {
            let metadata = std::fs::metadata(&path).unwrap();
            metadata.modified().unwrap()
        }
        Some(_) | None => SystemTime::UNIX_EPOCH,
    });
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A directory with the shipped journeys in it, as a reader has it.
fn checkout() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let journeys = directory.path().join("journeys");
    std::fs::create_dir(&journeys).unwrap();
    for entry in std::fs::read_dir(root().join("journeys")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), journeys.join(entry.file_name())).unwrap();
    }
    directory
}

/// A shell with the binary in its path, about to run these commands.
fn shell(directory: &Path, commands: &str) -> Command {
    let places = binary().parent().unwrap().display();
    let script = format!("set -e\nPATH='{places}':\"$PATH\"\n{commands}");
    let mut shell = Command::new("sh");
    for name in ["STATE", "JOURNEYS", "CONFIG", "LISTEN", "LOG"] {
        shell.env_remove(format!("WAYFARE_{name}"));
    }
    shell
        .args(["-c", &script])
        .current_dir(directory)
        .stdin(Stdio::null());
    shell
}

fn run(directory: &Path, commands: &str) -> Output {
    shell(directory, commands).output().unwrap()
}

/// What a command printed, results first.
fn printed(output: &Output) -> String {
    let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    texts.concat()
}

/// Whether the parts between `…` stand in a line, in order.
fn matches(line: &str, wanted: &str) -> bool {
    let mut rest = Some(line);
    for part in wanted.split('…') {
        rest = rest.and_then(|rest| rest.split_once(part).map(|(_, rest)| rest));
    }
    rest.is_some()
}

/// The last decision among these lines that was suppressed.
fn suppressed(lines: &str) -> Option<String> {
    let values = lines
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let mut decisions = values.filter(|value: &Value| value["outcome"] == "suppressed");
    let last = decisions.next_back()?;
    last["decisionId"].as_str().map(str::to_owned)
}

/// Each wanted line stands in what was printed.
fn assert_printed(place: &str, wanted: &str, printed: &str) {
    for wanted in wanted.lines().map(str::trim) {
        let found = printed.lines().any(|line| matches(line, wanted));
        assert!(found, "{place}: `{wanted}` is not in\n{printed}");
    }
}

/// A command that listens, beside others; killed when it is let go.
struct Beside {
    process: Child,
    /// Where the docs say it listens, and where it does.
    addresses: (String, String),
}

impl Beside {
    /// Starts `… --listen HOST:PORT …` on a free port.
    fn start(directory: &Path, command: &str) -> Self {
        let listen = command.split_once("--listen ").unwrap().1;
        let written = listen.split_whitespace().next().unwrap();
        let (host, _) = written.rsplit_once(':').unwrap();
        let command = command.replace(written, &format!("{host}:0"));
        let mut shell = shell(directory, &format!("exec {command}"));
        shell.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = shell.spawn().unwrap();
        let address = listening(&mut process);
        Self {
            process,
            addresses: (written.to_owned(), address),
        }
    }

    /// Ends it; what it printed.
    fn end(&mut self) -> String {
        self.process.kill().unwrap();
        let mut printed = String::new();
        let mut out = self.process.stdout.take().unwrap();
        out.read_to_string(&mut printed).unwrap();
        printed
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // One that ended by itself needs no end.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

/// Where a process says that it listens.
fn listening(process: &mut Child) -> String {
    let told = BufReader::new(process.stderr.take().unwrap()).lines();
    let address = told.map(Result::unwrap).find_map(|line| {
        let address = line.strip_prefix("listening on http://")?;
        Some(address.to_owned())
    });
    address.unwrap()
}

#[test]
fn commands_in_the_docs_run_and_print_what_stands_there() {
    let (mut count, mut beside_count) = (0, 0);
    for page in Page::all() {
        let directory = checkout();
        let (mut kept, mut last) = (String::new(), String::new());
        let mut beside: Option<Beside> = None;
        for fence in page.fences() {
            let place = format!("{} line {}", page.path.display(), fence.line);
            match fence.marker {
                Some(Marker::Run { status }) => {
                    let mut commands = fence.text.replace("cargo run --release --", "wayfare");
                    if commands.contains("dec_…") {
                        commands = commands.replace("dec_…", &suppressed(&kept).unwrap());
                    }
                    if let Some(Beside { addresses, .. }) = &beside {
                        commands = commands.replace(&addresses.0, &addresses.1);
                    }
                    let output = run(directory.path(), &commands);
                    last = printed(&output);
                    assert_eq!(output.status.code(), Some(status), "{place}:\n{last}");
                    if commands.contains("--state") {
                        kept.push_str(&last);
                    }
                    count += 1;
                }
                Some(Marker::Prints) if fence.language == "mermaid" => {
                    assert_eq!(last, fence.text, "{place}");
                }
                Some(Marker::Prints) => assert_printed(&place, &fence.text, &last),
                Some(Marker::Beside) => {
                    beside = Some(Beside::start(directory.path(), fence.text.trim()));
                }
                Some(Marker::BesidePrints) => {
                    let printed = beside.take().unwrap().end();
                    assert_printed(&place, &fence.text, &printed);
                    beside_count += 1;
                }
                Some(Marker::Send) | None => {}
            }
        }
    }
    assert!(count >= 6, "only {count} commands are marked");
    assert!(beside_count > 0, "nothing is started beside");
}

/// A server of a checkout's own, killed when it is let go.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(directory: &Path) -> Self {
        let mut command = Command::new(binary());
        let args = "serve --receiver builtin --state served --listen 127.0.0.1:0";
        command.args(args.split(' ')).current_dir(directory);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let address = listening(&mut process);
        Self { process, address }
    }

    /// Sends what a `curl URL -d 'BODY'` line sends; the whole answer.
    fn send(&self, curl: &str) -> String {
        let line = curl.strip_prefix("curl http://127.0.0.1:8080").unwrap();
        let (path, body) = line.split_once(" -d '").unwrap();
        let body = body.strip_suffix('\'').unwrap();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!("POST {path} HTTP/1.1\r\nHost: docs\r\nConnection: close\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that ended by itself needs no end.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

#[test]
fn what_the_docs_send_is_taken_and_survives_a_kill() {
    let directory = checkout();
    let server = Server::start(directory.path());
    let mut sent = 0;
    for fence in Page::all().iter().flat_map(Page::fences) {
        if fence.marker == Some(Marker::Send) {
            for curl in fence.text.lines() {
                let answer = server.send(curl);
                assert!(answer.starts_with("HTTP/1.1 200 "), "{curl}:\n{answer}");
                assert!(answer.ends_with("{\"success\":true}"), "{curl}:\n{answer}");
                sent += 1;
            }
        }
    }
    assert!(sent > 0);
    drop(server);
    let output = run(
        directory.path(),
        "wayfare profile email:ada@example.com --state served",
    );
    assert!(output.status.success(), "{}", printed(&output));
}

/// The name and the text of a test file, or of a part of a shipped journey, that a fence holds:
/// `# journeys/NAME` is its first line.
fn named_file(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.strip_prefix("# journeys/")?.split_once('\n')?;
    Some((first, rest))
}

/// A journey that reads nothing.
const QUIET: &str = "\
journey: quiet
description: Do nothing.
trigger: { event: Something Happened }
blocks: { done: { exit: done } }
";

#[test]
fn yaml_in_the_docs_is_a_journey_or_a_configuration_that_checks_or_a_test_that_passes() {
    let consent = wayfare_consent::Config::default();
    let categories: Vec<Arc<str>> = consent.names().cloned().collect();
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    let schema_of = |kind: &str| -> Value {
        let output = run(&root(), &format!("wayfare schema --of {kind}"));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (journeys, configuration) = (schema_of("journey"), schema_of("config"));
    let mut count = 0;
    for page in Page::all() {
        let fences = page.fences().into_iter();
        for fence in fences.filter(|fence| fence.language == "yaml") {
            let place = format!("{} line {}", page.path.display(), fence.line);
            count += 1;
            if let Some((name, text)) = named_file(&fence.text) {
                if !name.ends_with(".test.yaml") {
                    let shipped = std::fs::read_to_string(root().join("journeys").join(name));
                    assert!(shipped.unwrap().contains(text), "{place}");
                    continue;
                }
                let directory = checkout();
                std::fs::write(directory.path().join("journeys").join(name), text).unwrap();
                let output = run(directory.path(), &format!("wayfare test journeys/{name}"));
                assert!(output.status.success(), "{place}:\n{}", printed(&output));
                continue;
            }
            let is_configuration = fence.text.starts_with("# wayfare.yaml\n");
            let schema = if is_configuration {
                &configuration
            } else {
                &journeys
            };
            let problems = schema::problems(schema, schema, &schema::json(&fence.text));
            assert_eq!(problems, Vec::<String>::new(), "{place}");
            if is_configuration {
                // A page may declare types: the journey beside it reads none.
                let directory = tempfile::tempdir().unwrap();
                let path = |name| directory.path().join(name);
                std::fs::write(path("wayfare.yaml"), fence.text).unwrap();
                std::fs::write(path("quiet.yaml"), QUIET).unwrap();
                let output = run(directory.path(), "wayfare check .");
                assert!(output.status.success(), "{place}:\n{}", printed(&output));
            } else {
                let compiled = wayfare_journey::compile(&fence.text, &known);
                let warnings = compiled.map(|compiled| compiled.warnings);
                assert_eq!(warnings, Ok(Vec::new()), "{place}");
            }
        }
    }
    assert!(count > 0);
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn real_output_fits_the_schema() {
    let text = std::fs::read_to_string(root().join("docs/output.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let directory = checkout();
    let play = "wayfare run --clock events --advance 1h --events";
    let sample = "journeys/sample-events.ndjson";
    let bad = "printf 'no event\\n{\"type\":\"track\"}\\n'";
    let commands = format!(
        "{play} {sample} --receiver builtin --state .wayfare --trace
         {play} {sample} --dry-run --trace
         {play} {sample} --receiver {}
         {bad} | wayfare run --dry-run",
        nobody()
    );
    let output = run(directory.path(), &commands);
    assert!(output.status.success(), "{}", printed(&output));
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut kinds = std::collections::BTreeSet::new();
    let mut states = std::collections::BTreeSet::new();
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let kind = value["kind"].as_str().unwrap().to_owned();
        let problems = schema::problems(&schema, &schema["$defs"][&kind], &value);
        assert!(problems.is_empty(), "{line}\n{}", problems.join("\n"));
        assert_eq!(
            schema::problems(&schema, &schema, &value),
            Vec::<String>::new()
        );
        states.extend(value["state"].as_str().map(str::to_owned));
        kinds.insert(kind);
    }
    let expected = ["decision", "delivery", "refused", "rejected_event", "trace"];
    assert!(kinds.iter().eq(expected), "{kinds:?}");
    let expected = ["armed", "delivered", "expired", "planned"];
    assert!(states.iter().eq(expected), "{states:?}");
}

#[test]
fn links_in_the_docs_lead_somewhere() {
    for page in Page::all() {
        let beside = root().join(&page.path).parent().unwrap().to_path_buf();
        for link in page.text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            let file = target.split('#').next().unwrap();
            let is_elsewhere = target.starts_with("http") || target.starts_with('#');
            let exists = is_elsewhere || beside.join(file).exists();
            assert!(exists, "{}: `{target}` is not there", page.path.display());
        }
    }
}
