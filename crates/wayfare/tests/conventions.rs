//! Does the real program keep what `docs/operations.md` says of every command: exit statuses, where
//! the configuration comes from, what is logged, and when there are colours?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "at_work/scratch.rs"]
mod scratch;

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use scratch::{Running, directory};

const GREET: &str = "\
journey: greet
description: Greet somebody.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  greet:
    webhook:
      method: POST
      url: https://mail.example.com/greetings
      consent: newsletter
      auth: { bearer: { env: GREET_TOKEN } }
      payload: { to: '{profile.email}' }
";

/// Without it, nobody knows what `newsletter` is.
const CONFIG: &str = "\
consent: { categories: { newsletter: { class: consent, binding: profile } } }
";

const SIGNUP: &str = "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Signup Completed\"}\n";

/// The program in a directory, with nothing of the machine's environment but these variables.
fn wayfare(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    command.env_clear().envs(variables.iter().copied());
    command.current_dir(directory).args(arguments);
    command.stdin(Stdio::null());
    command
}

/// Exit status, stdout and stderr.
fn answer(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap();
    (status, text(output.stdout), text(output.stderr))
}

#[test]
fn every_exit_status_means_what_is_written() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let project = directory(&[
        ("good/greet.yaml", GREET),
        ("good/wayfare.yaml", CONFIG),
        ("typo/greet.yaml", &GREET.replace("entry:", "entri:")),
        ("typo/wayfare.yaml", CONFIG),
        ("unconfigured/greet.yaml", GREET),
        (
            "misconfigured/greet.yaml",
            &GREET.replace("newsletter", "marketing"),
        ),
        ("misconfigured/wayfare.yaml", "state: { direcotry: x }\n"),
        ("events.ndjson", &format!("{SIGNUP}no event\n")),
        ("file", ""),
    ]);
    let check = |line: &str, status: i32, words: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        let (found, out, err) = answer(wayfare(project.path(), &arguments, &[]));
        assert_eq!(found, status, "{line}: {out}{err}");
        assert!(format!("{out}{err}").contains(words), "{line}: {out}{err}");
    };
    let dry = "run --journeys good --events events.ndjson --dry-run";
    check("--help", 0, "Usage");
    check("check --ignore-secrets good", 0, "no problems");
    check(&format!("{dry} --state state"), 0, "1 lines rejected");

    check("", 1, "Usage");
    check("chek", 1, "'check'");
    check("run --advance", 1, "--advance");
    check("run --advance 1h --journeys good", 1, "`--clock events`");
    check("check typo", 1, "entri");
    check("check unconfigured", 1, "newsletter");
    check("check misconfigured", 1, "direcotry");
    check("check nowhere", 1, "`nowhere` does not exist");
    check("run --journeys typo --dry-run", 1, "entri");
    check("run --journeys good", 1, "GREET_TOKEN");
    check("serve --journeys good --state served", 1, "GREET_TOKEN");
    check(&format!("{dry} --strict"), 1, "rejected_event");
    check("run --journeys good --dry-run --events none", 1, "`none`");
    let unknown = "--state real --journeys good";
    let real = "run --journeys good --receiver builtin --events file";
    check(&format!("{real} --state real"), 0, "0 taken");
    check(
        &format!("profile email:a@b.example {unknown}"),
        1,
        "nobody is known",
    );
    let id = "dec_00000000000000000000000000000000";
    check(&format!("explain --decision {id} {unknown}"), 1, id);

    check(&format!("{dry} --state file"), 2, "`file`");
    check(&format!("{dry} --state real"), 2, "real run");
    check(&format!("receive --listen {taken}"), 2, &taken);
    let serve = "serve --journeys good --receiver builtin --state real --listen";
    check(&format!("{serve} {taken}"), 2, &taken);
}

#[test]
fn a_stdout_that_is_closed_is_a_failure_of_the_environment() {
    let project = directory(&[
        ("journeys/greet.yaml", GREET),
        ("journeys/wayfare.yaml", CONFIG),
        ("events.ndjson", SIGNUP),
    ]);
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    for arguments in [
        &[
            "run",
            "--events",
            "events.ndjson",
            "--dry-run",
            "--state",
            "kept",
        ][..],
        &["check"],
        &["graph", "greet"],
    ] {
        let mut command = wayfare(project.path(), arguments, &[]);
        command.stdout(closed());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {output:?}");
    }
    // What was decided is kept all the same.
    let again = ["run", "--events", "-", "--dry-run", "--state", "kept"];
    let mut command = wayfare(project.path(), &again, &[]);
    command.stdin(File::open(project.path().join("events.ndjson")).unwrap());
    let (status, out, err) = answer(command);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains(r#""reason":"once""#), "{out}");
}

#[test]
fn journeys_and_configuration_are_where_the_flag_says_else_the_variable() {
    let project = directory(&[
        ("there/greet.yaml", GREET),
        ("elsewhere.yaml", CONFIG),
        ("wrong.yaml", "state: { direcotry: x }\n"),
    ]);
    let check = |arguments: &[&str], variables: &[(&str, &str)], words: &str| {
        let variables = [variables, &[("GREET_TOKEN", "there")]].concat();
        let (_, out, err) = answer(wayfare(project.path(), arguments, &variables));
        assert!(
            out.contains(words),
            "{arguments:?} {variables:?}: {out}{err}"
        );
    };
    let (fine, unknown, wrong) = ("no problems", "newsletter", "direcotry");
    let there = ("WAYFARE_JOURNEYS", "there");
    let config = |path| ("WAYFARE_CONFIG", path);
    check(&["check", "there"], &[], unknown);
    check(&["check", "there", "--config", "elsewhere.yaml"], &[], fine);
    check(&["check", "there", "--config", "wrong.yaml"], &[], wrong);
    check(&["check", "there"], &[config("elsewhere.yaml")], fine);
    check(&["check", "there"], &[config("wrong.yaml")], wrong);
    let both = &[config("wrong.yaml"), there];
    check(
        &["check", "there", "--config", "elsewhere.yaml"],
        both,
        fine,
    );
    check(&["check"], &[there, config("elsewhere.yaml")], fine);
    let drawn = ["graph", "greet", "--config", "elsewhere.yaml"];
    check(&drawn, &[there], "flowchart TD");
}

#[test]
fn the_log_says_what_was_asked_for_on_stderr_only() {
    let project = directory(&[
        ("journeys/greet.yaml", GREET),
        ("journeys/wayfare.yaml", CONFIG),
        ("events.ndjson", SIGNUP),
    ]);
    let run = [
        "run",
        "--events",
        "events.ndjson",
        "--clock",
        "events",
        "--dry-run",
    ];
    let check = |log: &[&str], variables: &[(&str, &str)], is_told: bool| {
        let arguments = [&run[..], log].concat();
        let (status, out, err) = answer(wayfare(project.path(), &arguments, variables));
        assert_eq!(status, 0, "{err}");
        let told = err.contains("a batch is durable");
        assert_eq!(told, is_told, "{log:?} {variables:?}: {err}");
        assert!(out.lines().all(|line| line.starts_with('{')), "{out}");
    };
    let debug = [("WAYFARE_LOG", "wayfare_runtime=debug")];
    check(&[], &[], false);
    check(&["--log", "info"], &[], false);
    check(&["--log", "debug"], &[], true);
    check(&["--log", "wayfare_runtime=debug"], &[], true);
    check(&["--log", "wayfare_webhook=debug"], &[], false);
    check(&[], &debug, true);
    check(&["--log", "warn"], &debug, false);

    let wrong = wayfare(project.path(), &["check", "--log", "a=b=c"], &[]);
    let (status, _, err) = answer(wrong);
    assert_eq!(status, 1, "{err}");
    assert!(
        err.contains("`--log a=b=c` is no filter such as `info`"),
        "{err}"
    );
}

/// Everything a command writes to a terminal.
fn on_a_terminal(mut command: Command) -> String {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let path = Path::new(OsStr::from_bytes(name.as_bytes()));
    let terminal = File::options().read(true).write(true).open(path).unwrap();
    command.stdout(terminal.try_clone().unwrap());
    command.stderr(terminal);
    let mut running = Running(command.spawn().unwrap());
    // The command holds the terminal's other ends: with them, it goes.
    drop(command);
    let mut written = Vec::new();
    let mut controller = File::from(controller);
    // A terminal that nobody holds any more is an error to read from, on Linux.
    let _hung_up = controller.read_to_end(&mut written);
    running.0.wait().unwrap();
    String::from_utf8(written).unwrap()
}

#[test]
fn colours_are_for_terminals_that_did_not_say_no() {
    let project = directory(&[("journeys/greet.yaml", GREET)]);
    for arguments in [&["check"][..], &["run", "--dry-run"]] {
        let check = |variables: &[(&str, &str)], is_coloured: bool| {
            let command = wayfare(project.path(), arguments, variables);
            let written = on_a_terminal(command);
            assert!(written.contains("newsletter"), "{written}");
            let found = written.contains('\u{1b}');
            assert_eq!(found, is_coloured, "{arguments:?} {variables:?}: {written}");
        };
        check(&[], true);
        check(&[("NO_COLOR", "")], true);
        check(&[("NO_COLOR", "1")], false);
        check(&[("NO_COLOR", "0")], false);
        let (_, out, err) = answer(wayfare(project.path(), arguments, &[]));
        assert!(!format!("{out}{err}").contains('\u{1b}'), "{out}{err}");
    }
}
