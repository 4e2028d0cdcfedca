//! What does the engine cost? Each part against a yardstick measured in the same run, because only
//! the ratio means something on another machine. `docs/performance.md` says how to read it.

mod http;
mod limit;
mod memory;
mod play;
mod stages;
mod stream;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use clap::Args;

use self::stream::Stream;
use crate::measure::{Spread, rate, timed};
use crate::project::directory;
use crate::say;
use crate::wayfare::Wayfare;

pub(crate) use memory::{Memory, memory};
pub(crate) use stages::{Stages, stages};

/// Rounds of each measurement, in turn with its yardstick.
const ROUNDS: u32 = 5;

/// The arguments of `wayfare-bench speed`.
#[derive(Debug, Args)]
pub(crate) struct Speed {
    /// The release binary.
    #[arg(long)]
    wayfare: PathBuf,
    /// The shop's stream, as `.ci/shop-stream` writes it; without it, a generated one.
    #[arg(long)]
    events: Option<PathBuf>,
    /// Where directories for the run are made: its disk is the one that is measured.
    #[arg(long, default_value = "target/bench")]
    scratch: PathBuf,
    /// A server that only logs and forwards: the yardstick over HTTP.
    #[arg(long, requires = "loadgen")]
    floor: Option<PathBuf>,
    /// The load generator; its sink stands beside it.
    #[arg(long, requires = "floor")]
    loadgen: Option<PathBuf>,
}

/// Measures everything and prints it.
pub(crate) fn measure(speed: &Speed) -> anyhow::Result<()> {
    let stream = Stream::of(&speed.scratch, speed.events.as_deref())?;
    say(&format!("stream       {stream}"))?;
    from_a_file(speed, &stream)?;
    if let (Some(floor), Some(loadgen)) = (&speed.floor, &speed.loadgen) {
        http::measure(&speed.wayfare, (floor, loadgen), &speed.scratch)?;
    }
    stages::print(&stream, &speed.scratch)?;
    // In a process of its own: what this one held and let go would count.
    let status = Command::new(std::env::current_exe()?)
        .args(["memory", "--scratch"])
        .arg(&speed.scratch)
        .status()
        .context("cannot start the part that measures memory")?;
    ensure!(status.success(), "the part that measures memory failed");
    Ok(())
}

/// `run` from a file into durable state, in turn with the limit.
fn from_a_file(speed: &Speed, stream: &Stream) -> anyhow::Result<()> {
    let wayfare = Wayfare {
        path: &speed.wayfare,
        journeys: stream.journeys(),
    };
    let (mut runs, mut limits) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let took = limit::once(stream, &speed.scratch)?;
        limits.push(rate(stream.count(), took));
        let state = directory(&speed.scratch)?;
        let took = run(&wayfare, stream.path(), state.path())?;
        runs.push(rate(stream.count(), took));
    }
    let (run, limit) = (Spread::of(runs), Spread::of(limits));
    say(&format!("run          {run} events a second"))?;
    say(&format!("limit        {limit} events a second"))?;
    say(&format!("run / limit  {:>9.2}", run.median / limit.median))
}

fn run(wayfare: &Wayfare<'_>, events: &Path, state: &Path) -> anyhow::Result<std::time::Duration> {
    let running = wayfare.run(Some(events), state)?;
    let (printed, took) = timed(|| running.finish());
    printed?;
    Ok(took)
}
