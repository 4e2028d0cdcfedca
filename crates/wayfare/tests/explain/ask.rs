//! How is something played, ordered and asked about? In a directory of its own, through the program.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use wayfare_executor::{Action, Catalog, Key, Operator, Row, Sending};
use wayfare_runtime::{Engine, config};
use wayfare_store::local::Options;
use wayfare_store::{LocalStore, ReadOnly, RowKind, Store as _};

use crate::program::{self, Answer};
use crate::receiver;

/// The program on the directory's state.
pub(crate) fn wayfare(directory: &Path, arguments: &[&str]) -> Answer {
    let mut wayfare = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        wayfare.env_remove(format!("WAYFARE_{name}"));
    }
    wayfare.env_remove("USER").env("NO_COLOR", "1");
    wayfare.current_dir(directory).stdin(Stdio::null());
    wayfare.args(arguments).args(["--state", "state"]);
    wayfare.stdout(Stdio::piped()).stderr(Stdio::piped());
    Answer::of(wayfare)
}

/// Plays events, each written as its time of day and the rest of its JSON.
pub(crate) fn play(directory: &Path, advance: &str, events: &[(&str, &str)]) {
    let lines: Vec<String> = events
        .iter()
        .enumerate()
        .map(|(number, (time, rest))| {
            format!(
                r#"{{"messageId":"{advance}-{number}","timestamp":"2026-01-26T{time}Z",{rest}}}"#
            )
        })
        .collect();
    let arguments = ["--clock", "events", "--receiver", "builtin"];
    let mut run = program::run(directory, &arguments);
    run.args(["--journeys", ".", "--state", "state", "--advance", advance]);
    let mut running = run.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(lines.join("\n").as_bytes()).unwrap();
    drop(stdin);
    let answer = Answer::after(running);
    assert_eq!(answer.status, 0, "{}", answer.err);
}

/// A directory with a journey in it, gone when the test is.
pub(crate) fn directory(journey: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("j.yaml"), journey).unwrap();
    directory
}

/// A directory with the journey and what came of the events in it.
pub(crate) fn played(journey: &str, events: &[(&str, &str)]) -> TempDir {
    let directory = directory(journey);
    play(directory.path(), "1m", events);
    directory
}

/// The answer about a person in the journey `j`: ids, which are others in every directory, are
/// written without their digits.
pub(crate) fn why(directory: &Path, profile: &str) -> String {
    let answer = wayfare(
        directory,
        &["explain", "--profile", profile, "--journey", "j"],
    );
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    plain(&answer.out)
}

/// A text without the digits of ids and versions.
pub(crate) fn plain(text: &str) -> String {
    let is_id = |word: &str| {
        let word = word.trim_end_matches([',', ':']);
        let id = word.split_once('_').map_or(word, |(_, digits)| digits);
        id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let cut = |word: &str| {
        if !is_id(word) {
            return word.to_owned();
        }
        let end = word.trim_start_matches(|it: char| it.is_ascii_alphanumeric() || it == '_');
        let prefix = word.split_once('_').map_or("", |(prefix, _)| prefix);
        format!("{prefix}_…{end}")
    };
    let lines = text.lines().map(|line| {
        let words: Vec<String> = line.split(' ').map(cut).collect();
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Plays one event; the requests that come of it are answered so.
pub(crate) fn answered(directory: &Path, began: &str, statuses: &[u16]) {
    let (address, inbox) = receiver::listen();
    let arguments = ["--clock", "events", "--journeys", ".", "--state", "state"];
    let mut run = program::run(directory, &arguments);
    run.arg("--receiver").arg(address.to_string());
    let mut running = run.stdin(Stdio::piped()).spawn().unwrap();
    let line = format!(r#"{{"messageId":"m","timestamp":"2026-01-26T10:00:00Z",{began}}}"#);
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(line.as_bytes()).unwrap();
    drop(stdin);
    for status in statuses {
        let request = receiver::next(&inbox);
        assert_eq!(request.line, "POST /leads");
        request.answer(*status);
    }
    let answer = Answer::after(running);
    assert_eq!(answer.status, 0, "{}", answer.err);
}

/// Orders the one delivery of a state sent again, as an operator does.
pub(crate) fn resend(state: &Path) {
    let mut id = None;
    let (mut looking, _) = ReadOnly::open(state).unwrap();
    let mut keep = |key: &Key, _: &Row| {
        if let Key::Delivery(found) = key {
            id = Some(*found);
        }
    };
    looking.scan(RowKind::Delivery, &mut keep).unwrap();
    drop(looking);
    let options = Options {
        cache_mb: 16,
        dry: false,
        new_id_key: [0; 32],
        history_us: i64::MAX,
    };
    let (store, _) = LocalStore::open(state, &options).unwrap();
    let settings = config::read("{}").unwrap();
    let (identity, consent) = (settings.identity.clone(), settings.consent.clone());
    let key = store.head().id_key;
    let catalog = Catalog::new(identity, consent, key, Sending::Owed);
    let compile = |source: &str| settings.compile(source);
    let mut engine = Engine::reopen(catalog, Box::new(store), &compile).unwrap();
    let order = Operator {
        by: "ann".into(),
        reason: "they were down".into(),
        action: Action::Resend(id.unwrap()),
    };
    engine.order(engine.at(), order).unwrap();
    engine.commit().unwrap();
    engine.close().unwrap();
}
