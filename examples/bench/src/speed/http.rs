//! How many single events a second over HTTP, at 64 connections, against a server that only logs
//! and forwards? The load generator and that server are other people's programs, named by flags.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::ROUNDS;
use crate::measure::{Spread, now};
use crate::project::{Project, directory};
use crate::say;

/// Seconds of load in one measurement.
const SECONDS: &str = "5";
/// Connections that send.
const CONNECTIONS: &str = "64";
/// Ids of one measurement begin this far behind those of the one before.
const IDS: u32 = 10_000_000;

/// Measures both in turn and prints them.
pub(super) fn measure(
    wayfare: &Path,
    (floor, loadgen): (&Path, &Path),
    scratch: &Path,
) -> anyhow::Result<()> {
    let sink = loadgen.with_file_name("sink");
    let port = free_port()?;
    let _sink = Server(start(Command::new(&sink).arg(port.to_string()), &sink)?);
    listening(port)?;
    let load = Load {
        loadgen,
        sink: format!("127.0.0.1:{port}"),
    };
    let project = Project::upgrades(scratch)?;
    let (mut engine, mut yardstick) = (Vec::new(), Vec::new());
    let mut lost = 0.0;
    for round in 0..ROUNDS {
        let first = round * 2 * IDS;
        yardstick.push(against_floor(floor, &load, (first, scratch))?.accepted);
        let order = (first + IDS, scratch);
        let answered = against_wayfare(wayfare, (&load, &project), order)?;
        engine.push(answered.accepted);
        lost += answered.lost;
    }
    let (engine, yardstick) = (Spread::of(engine), Spread::of(yardstick));
    say(&format!(
        "http         {engine} single events a second, {lost:.0} webhooks lost"
    ))?;
    say(&format!("floor        {yardstick} single events a second"))?;
    say(&format!(
        "http / floor {:>9.2}",
        engine.median / yardstick.median
    ))
}

/// The load generator, and the sink it compares with.
struct Load<'a> {
    loadgen: &'a Path,
    sink: String,
}

/// What the load generator says of a measurement.
struct Answered {
    accepted: f64,
    lost: f64,
}

impl Load<'_> {
    fn on(&self, url: &str, first: u32) -> anyhow::Result<Answered> {
        let output = Command::new(self.loadgen)
            .args(["w1", "--url", url, "--sink", &self.sink])
            .args(["--secs", SECONDS, "--conns", CONNECTIONS])
            .args(["--from", &first.to_string()])
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start `{}`", self.loadgen.display()))?;
        let said: serde_json::Value = serde_json::from_slice(&output.stdout)
            .context("the load generator prints one line of JSON")?;
        let number = |name: &str| {
            let number = said.get(name).and_then(serde_json::Value::as_f64);
            number.with_context(|| format!("the load generator does not say `{name}`"))
        };
        ensure!(number("acked")? > 0.0, "`{url}` accepted nothing: {said}");
        Ok(Answered {
            accepted: number("acked_s")?,
            lost: number("lost")?,
        })
    }
}

fn against_floor(
    floor: &Path,
    load: &Load<'_>,
    (first, scratch): (u32, &Path),
) -> anyhow::Result<Answered> {
    let directory = directory(scratch)?;
    let port = free_port()?;
    let mut command = Command::new(floor);
    command
        .arg(port.to_string())
        .env("FLOOR_SINK", format!("http://{}/hook", load.sink))
        .env("FLOOR_WAL", directory.path().join("log"));
    let _server = Server(start(&mut command, floor)?);
    listening(port)?;
    load.on(&format!("http://127.0.0.1:{port}/track"), first)
}

fn against_wayfare(
    wayfare: &Path,
    (load, project): (&Load<'_>, &Project),
    (first, scratch): (u32, &Path),
) -> anyhow::Result<Answered> {
    let state = directory(scratch)?;
    let mut command = Command::new(wayfare);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--receiver", &load.sink])
        .arg("--journeys")
        .arg(project.journeys())
        .arg("--state")
        .arg(state.path())
        .stderr(Stdio::piped());
    let mut server = Server(start(&mut command, wayfare)?);
    let stderr = server.0.stderr.take().context("stderr was asked for")?;
    let mut lines = BufReader::new(stderr).lines();
    let address = loop {
        match lines.next() {
            Some(line) => {
                if let Some(address) = line?.strip_prefix("listening on ") {
                    break address.to_owned();
                }
            }
            None => bail!("`wayfare serve` ended before it listened"),
        }
    };
    // Whatever else it says is read, so that it never waits for a reader.
    let rest = std::thread::spawn(move || lines.count());
    let answered = load.on(&format!("{address}/v1/track"), first);
    drop(server);
    if rest.join().is_err() {
        bail!("the thread that reads stderr failed");
    }
    answered
}

/// A process that is killed when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn start(command: &mut Command, path: &Path) -> anyhow::Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start `{}`", path.display()))
}

/// Waits until somebody listens on a port.
fn listening(port: u16) -> anyhow::Result<()> {
    let patience = now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(
            patience.elapsed() < START_MAX,
            "nobody listens on port {port} after {START_MAX:?}"
        );
        std::thread::yield_now();
    }
    Ok(())
}

/// How long a server may take to listen.
const START_MAX: Duration = Duration::from_secs(10);

/// A port nobody listens on.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
