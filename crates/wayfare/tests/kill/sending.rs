//! What does a receiver see of a run that is killed while its requests are on the wire, over and over?
//! Never a second copy; and where nobody can know, the state says so.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use serde_json::Value;

use crate::program::{self, Answer, parse};
use crate::scratch::Running;
use crate::shop::{self, Dice, MessageIds, decided, project, stream};

/// Requests that arrive before the process is killed, at most; some hundred arrive in all.
const REQUESTS_BEFORE_KILL_MAX: u64 = 8;
/// Times the process is killed, at least: fewer, and the test shows little.
const KILLS_MIN: u64 = 8;
/// How long anything that must come may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the test hears of.
enum Heard {
    /// A request arrived. It is answered with 200 when the test says so, else never.
    Request { id: String, answer: Sender<()> },
    /// A run is over, killed or not.
    Ended,
}

/// Listens on a free port; a connection that ends before its request does has brought nothing.
fn listen(hearing: Sender<Heard>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let hearing = hearing.clone();
            std::thread::spawn(move || take(&stream.unwrap(), &hearing));
        }
    });
    address
}

fn take(stream: &TcpStream, hearing: &Sender<Heard>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => id = value.to_owned(),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let (answer, answered) = mpsc::channel();
    hearing.send(Heard::Request { id, answer }).ok()?;
    answered.recv().ok()?;
    let mut stream = stream;
    let text = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    stream.write_all(text).ok()
}

/// What arrived, over all runs.
#[derive(Default)]
struct Arrived {
    /// How often each delivery did.
    copies: BTreeMap<String, u32>,
    answered: BTreeSet<String>,
}

/// Runs until so many requests have arrived, then kills, before the last one is answered or right
/// after; whether it came to its end instead.
fn run_and_kill(
    mut command: Command,
    (hearing, hear): (&Sender<Heard>, &Receiver<Heard>),
    (requests, dice, arrived): (u64, &mut Dice, &mut Arrived),
) -> bool {
    command.stderr(Stdio::null());
    let mut running = Running(command.spawn().unwrap());
    let mut out = running.0.stdout.take().unwrap();
    let ended = hearing.clone();
    std::thread::spawn(move || {
        let mut printed = Vec::new();
        let _until_it_ends = out.read_to_end(&mut printed);
        // The test may be over.
        let _unheard = ended.send(Heard::Ended);
    });
    let mut came = 0;
    while let Heard::Request { id, answer } = hear.recv_timeout(PATIENCE).unwrap() {
        *arrived.copies.entry(id.clone()).or_default() += 1;
        came += 1;
        let is_last = came >= requests;
        if is_last && dice.below(2) == 0 {
            running.0.kill().unwrap();
            continue;
        }
        if answer.send(()).is_ok() {
            arrived.answered.insert(id);
        }
        if is_last {
            running.0.kill().unwrap();
        }
    }
    running.0.wait().unwrap().success()
}

/// Every delivery in a state directory, by id.
fn deliveries(project: &Path, state: &str) -> BTreeMap<String, Value> {
    let mut command = program::run(project, &[]);
    let program = command.get_program().to_owned();
    command = Command::new(program);
    command.args(["deliveries", "--format", "json", "--state", state]);
    command.current_dir(project).stdout(Stdio::piped());
    let answer = Answer::of(command);
    assert_eq!(answer.status, 0);
    let lines = answer.out.lines().map(parse);
    let by_id = lines.map(|it| (it["deliveryId"].as_str().unwrap().to_owned(), it));
    by_id.collect()
}

fn check(seed: u64, clock: &[&str], lines: &[String]) {
    let mut dice = Dice(seed);
    let project = project(lines, &["--receiver", "builtin"]);
    let play = |state: &str, receiver: &str| {
        let arguments = ["--events", "events.ndjson", "--receiver", receiver];
        shop::run(project.path(), state, &[&arguments[..], clock].concat())
    };
    let (hearing, hear) = mpsc::channel();
    let receiver = listen(hearing.clone()).to_string();
    let mut arrived = Arrived::default();
    let mut kills = 0;
    loop {
        let requests = 1 + dice.below(REQUESTS_BEFORE_KILL_MAX);
        let command = play("killed", &receiver);
        let until = (requests, &mut dice, &mut arrived);
        if run_and_kill(command, (&hearing, &hear), until) {
            break;
        }
        kills += 1;
    }
    assert!(kills >= KILLS_MIN, "seed {seed:#x}: {kills} kills");

    let whole = Answer::of(play("whole", "builtin"));
    assert_eq!(whole.status, 0, "{}", whole.err);
    let decided = |state: &str| {
        let state = project.path().join(state);
        let decisions = decided(&state).into_values();
        let by_id = decisions.map(|it| (it.id, (it.journey, it.block, it.outcome, it.reason)));
        by_id.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(decided("killed"), decided("whole"), "seed {seed:#x}");

    let found = deliveries(project.path(), "killed");
    let expected = deliveries(project.path(), "whole");
    assert!(found.keys().eq(expected.keys()), "seed {seed:#x}");
    for (id, copies) in &arrived.copies {
        assert!(
            found.contains_key(id),
            "seed {seed:#x}: {id} is owed by nobody"
        );
        assert_eq!(*copies, 1, "seed {seed:#x}: {id} arrived {copies} times");
    }
    let mut unknown = 0;
    for (id, delivery) in &found {
        let place = format!("seed {seed:#x}: {delivery}");
        match delivery["state"].as_str().unwrap() {
            "delivered" => assert!(arrived.answered.contains(id), "{place}"),
            "unknown" => {
                assert_eq!(delivery["reason"], "crash", "{place}");
                unknown += 1;
            }
            _ => unreachable!("{place}"),
        }
    }
    assert!(unknown > 0, "seed {seed:#x}: nothing was on the wire");
}

#[test]
fn a_run_by_the_events_clock_that_is_killed_sends_nothing_twice() {
    const SEED: u64 = 0x5EED_0004;
    let lines = stream(&mut Dice(SEED), (500, MessageIds::All));
    check(SEED, &["--clock", "events", "--wait-timers"], &lines);
}

#[test]
fn a_run_by_the_wall_clock_that_is_killed_sends_nothing_twice() {
    const SEED: u64 = 0x5EED_0005;
    let lines = stream(&mut Dice(SEED), (2_000, MessageIds::All));
    // What has no time of its own happens when it comes, and several things at once: only what
    // known people do is decided the same in every order of time.
    let known = |line: &String| {
        let (said, _) = line.rsplit_once(r#","timestamp""#)?;
        let said = said.replace(r#""anonymousId":"a"#, r#""userId":"u"#);
        let kinds = [r#""type":"track""#, r#""type":"group""#];
        let is_one = kinds.iter().any(|kind| said.contains(kind));
        is_one.then(|| format!("{said}}}"))
    };
    let lines: Vec<String> = lines.iter().filter_map(known).collect();
    check(SEED, &["--clock", "wall"], &lines);
}
