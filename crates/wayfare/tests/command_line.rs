//! Does the real program do what its help says? The commands that need no engine.

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

const TYPO: &str = "\
journey: greet
description: Greet somebody.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  pause: { wait: 1h, then: gret }
  greet: { exit: done }
";

const DRAWN: &str = "\
error[J0401]: no block is called `gret`
 --> greet.yaml:6:28
  |
6 |   pause: { wait: 1h, then: gret }
  |                            ^^^^
  |
  = help: did you mean `greet`?

1 error, 0 warnings in 1 file
";

/// The program, in a directory, with nothing set that its answers depend on.
fn wayfare(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        command.env_remove(format!("WAYFARE_{name}"));
    }
    command.current_dir(directory).args(arguments);
    command
}

/// Exit status, stdout and stderr.
fn answer(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = wayfare(directory, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap();
    (status, text(output.stdout), text(output.stderr))
}

fn shipped() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

#[test]
fn the_shipped_journeys_pass_the_check() {
    let (status, out, _) = answer(shipped(), &["check", "--ignore-secrets"]);
    assert_eq!((status, out.as_str()), (0, "15 journeys, no problems\n"));
}

#[test]
fn a_typo_is_shown_where_it_stands_with_what_to_do() {
    let directory = directory(&[("greet.yaml", TYPO)]);
    let (status, out, _) = answer(directory.path(), &["check", "."]);
    assert_eq!(status, 1);
    assert_eq!(out.replace("./greet", "greet"), DRAWN);
}

#[test]
fn problems_are_told_to_programs_too() {
    let config = "state: { direcotry: x }\n";
    let directory = directory(&[("greet.yaml", TYPO), ("wayfare.yaml", config)]);
    let (status, out, _) = answer(directory.path(), &["check", ".", "--format", "json"]);
    assert_eq!(status, 1);
    let problems: serde_json::Value = serde_json::from_str(&out).unwrap();
    let told: Vec<_> = problems["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["code"].as_str().unwrap(), it["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("J0201", 1), ("J0401", 6)]);
}

/// Mistakes that `docs/journey-file.md` says have no way to be made.
#[test]
fn shared_destinations_and_a_choice_of_methods_are_refused() {
    let sends = TYPO.replace("gret }", "greet }").replace(
        "exit: done",
        "webhook: { method: POST, url: 'https://a.example/b', consent: essential, payload: { a: b } }",
    );
    let check = |text: &str, code: &str, line: u64| {
        let directory = directory(&[("greet.yaml", text)]);
        let (status, out, _) = answer(directory.path(), &["check", ".", "--format", "json"]);
        let problems: serde_json::Value = serde_json::from_str(&out).unwrap();
        let expected = i32::from(!code.is_empty());
        assert_eq!(status, expected, "{out}");
        let problem = &problems["diagnostics"][0];
        assert_eq!(problem["code"].as_str().unwrap_or_default(), code, "{out}");
        assert_eq!(problem["line"].as_u64().unwrap_or_default(), line, "{out}");
    };
    check(&sends, "", 0);
    let destinations = "destinations: { crm: { url: 'https://a.example/b' } }\n";
    check(&format!("{sends}{destinations}"), "J0201", 8);
    check(
        &sends.replace("method: POST", "method: [POST, PUT]"),
        "J0104",
        7,
    );
}

#[test]
fn what_was_typed_wrong_ends_with_status_1_and_says_what_is_there() {
    let empty = directory(&[]);
    let check = |directory: &Path, arguments: &[&str], words: &str| {
        let (status, out, err) = answer(directory, arguments);
        assert_eq!((status, out.as_str()), (1, ""), "{arguments:?}");
        assert!(err.contains(words), "{err}");
    };
    check(empty.path(), &["chek"], "'check'");
    check(empty.path(), &["check"], "`journeys` does not exist");
    check(empty.path(), &["check", "."], "has no journeys in it");
    check(
        shipped(),
        &["check", "--config", "no.yaml"],
        "`no.yaml` does not exist",
    );
    check(shipped(), &["graph", "upgrade"], "plan-upgrade");
    check(
        empty.path(),
        &["receive", "--status", "99"],
        "`99` is not a status",
    );
    check(empty.path(), &["completions", "nosh"], "bash");
}

#[test]
fn a_journey_is_drawn_in_two_languages() {
    let check = |format: &str, words: &[&str]| {
        let (status, out, err) = answer(shipped(), &["graph", "plan-upgrade", "--format", format]);
        assert_eq!((status, err.as_str()), (0, ""));
        for word in words {
            assert!(out.contains(word), "{out}");
        }
    };
    check(
        "mermaid",
        &[
            "flowchart TD\n",
            "b_sync_billing[[",
            "start --> b_paid_plan",
        ],
    );
    check("dot", &["digraph \"plan-upgrade\"", "sync_billing"]);
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (status, out, _) = answer(shipped(), &["completions", shell]);
        assert_eq!(status, 0);
        for command in commands() {
            assert!(out.contains(&command), "{shell} has no {command}");
        }
    }
}

/// The commands that the help lists, but for `help` itself.
fn commands() -> Vec<String> {
    let (status, out, _) = answer(shipped(), &["--help"]);
    assert_eq!(status, 0);
    let list = out.split_once("Commands:\n").unwrap().1;
    let lines = list.lines().take_while(|line| !line.is_empty());
    // A description that does not fit goes on further right.
    let names = lines.filter_map(|line| line.strip_prefix("  "));
    names
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .filter(|command| command != "help")
        .collect()
}

#[test]
fn every_command_has_help_with_an_example() {
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");
    let listed = commands.iter().map(|command| vec![&**command, "--help"]);
    for arguments in [vec!["--help"]].into_iter().chain(listed) {
        let (status, out, _) = answer(shipped(), &arguments);
        assert_eq!(status, 0, "{arguments:?}");
        for word in ["Usage: wayfare", "Example"] {
            assert!(out.contains(word), "{arguments:?} without `{word}`: {out}");
        }
    }
}

/// A program that is ended when the test is.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _is_over = self.0.kill().and_then(|()| self.0.wait()).is_ok();
    }
}

/// Sends a request and gives the first line of the answer.
fn send(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

#[test]
fn a_receiver_prints_what_arrives_and_answers_as_told() {
    let arguments = ["receive", "--listen", "127.0.0.1:0", "--status", "503,200"];
    let mut command = wayfare(shipped(), &arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut told = BufReader::new(running.0.stderr.take().unwrap());
    let mut printed = BufReader::new(running.0.stdout.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap();

    let request = "PUT /accounts/7?x=1 HTTP/1.1\r\nHost: billing.example.com\r\n\
                   Webhook-Id: whd_1\r\nContent-Length: 15\r\nConnection: close\r\n\r\n\
                   {\"plan\":\n 1.50}";
    assert_eq!(send(address, request), "HTTP/1.1 503 Service Unavailable");
    assert_eq!(send(address, request), "HTTP/1.1 200 OK");
    for (copies, status) in [(1, 503), (2, 200)] {
        let mut line = String::new();
        printed.read_line(&mut line).unwrap();
        assert!(line.contains("\"body\":{\"plan\":1.50}"), "{line}");
        let received: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(received["method"], "PUT");
        assert_eq!(received["path"], "/accounts/7?x=1");
        assert_eq!(received["host"], "billing.example.com");
        assert_eq!(received["headers"]["webhook-id"], "whd_1");
        assert_eq!(received["webhookId"], "whd_1");
        assert_eq!(
            (received["copies"].as_u64(), received["status"].as_u64()),
            (Some(copies), Some(status))
        );
    }
}

#[test]
fn a_receiver_without_its_port_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, out, err) = answer(shipped(), &["receive", "--listen", &address]);
    assert_eq!((status, out.as_str()), (2, ""));
    let words = format!("cannot listen on {address}; is the port taken? `--listen` names another");
    assert!(err.contains(&words), "{err}");
}

#[test]
fn files_that_may_not_grow_are_named_and_nothing_counts_as_taken() {
    let project = directory(&[
        ("greet.yaml", &TYPO.replace("gret }", "greet }")),
        (
            "events.ndjson",
            "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Signup Completed\"}\n",
        ),
    ]);
    let program = env!("CARGO_BIN_EXE_wayfare");
    let run = format!(
        "exec {program} run --journeys . --events events.ndjson --clock events --advance 2h --dry-run --state state"
    );
    let limited = |limit: &str| {
        let output = Command::new("sh")
            .args(["-c", &format!("{limit}{run}")])
            .current_dir(project.path())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (status, out, said) = limited("ulimit -f 1000; ");
    assert_eq!((status, out.as_str()), (Some(2), ""), "{said}");
    assert!(said.contains("cannot fill `state/log/next.tmp`"), "{said}");
    assert!(said.contains("raise the limit and start again"), "{said}");
    let (status, out, said) = limited("");
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(out.matches(r#""outcome":"exit""#).count(), 1, "{out}");
}
