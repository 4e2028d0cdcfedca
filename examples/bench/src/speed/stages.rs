//! What does one event cost, stage by stage? Each stage over the whole stream in this process, on
//! one thread, so that the parts can be added up; `run` does some of them side by side.

mod alone;
mod store;

use std::path::{Path, PathBuf};

use clap::Args;
use wayfare_event::IdKey;
use wayfare_store::local::Options;
use wayfare_store::{LocalStore, MemoryStore, Store};

use self::store::{Clocked, Cost, Staged};
use super::play;
use super::stream::Stream;
use crate::measure::{each_ns, timed};
use crate::project::directory;
use crate::say;

/// The arguments of `wayfare-bench stages`.
#[derive(Debug, Args)]
pub(crate) struct Stages {
    /// The shop's stream; without it, a generated one.
    #[arg(long)]
    events: Option<PathBuf>,
    /// Where directories for the run are made.
    #[arg(long, default_value = "target/bench")]
    scratch: PathBuf,
}

/// Measures the stages alone and prints them.
pub(crate) fn stages(stages: &Stages) -> anyhow::Result<()> {
    let stream = Stream::of(&stages.scratch, stages.events.as_deref())?;
    say(&format!("stream       {stream}"))?;
    print(&stream, &stages.scratch)
}

/// Measures the stages and prints them, in nanoseconds an event.
pub(super) fn print(stream: &Stream, scratch: &Path) -> anyhow::Result<()> {
    let (mut engine, cost) = over_a_directory(stream, scratch)?;
    let spent = play::play(&mut engine, stream.lines())?;
    let (closed, close) = timed(|| engine.close());
    closed?;
    let local = cost.read();
    let staged = staged(stream, scratch)?;
    let alone = alone::play(stream)?;
    let commit_known = staged.encode + staged.append + staged.sync;
    let lines = [
        (
            "parse",
            spent.parse,
            "bytes to an event, on the reader's thread in `run`",
        ),
        ("name", spent.name, "whom it names"),
        ("load", local.load, "rows from memory or the state"),
        ("step", alone.step, "deciding, alone over rows in memory"),
        (
            "apply",
            alone.apply,
            "changes onto rows, alone over rows in memory",
        ),
        (
            "keep",
            spent
                .decide
                .saturating_sub(local.load + alone.step + alone.apply),
            "what else the engine does for an input",
        ),
        ("encode", staged.encode, "the batch for the log"),
        ("append", staged.append, "checksum and write"),
        ("sync", staged.sync, "until the disk has it"),
        (
            "state",
            spent.commit.saturating_sub(commit_known),
            "rows handed to the state, and waiting for it",
        ),
        ("print", spent.print, "what came of it, as lines"),
        ("close", close, "what is left is written to the state"),
    ];
    say("stage            ns an event")?;
    for (stage, took, what) in lines {
        let each = each_ns(stream.count(), took);
        say(&format!("  {stage:<10} {each:>9.0}       {what}"))?;
    }
    let writer = spent.name + spent.decide + spent.commit + spent.print;
    let each = each_ns(stream.count(), writer);
    say(&format!(
        "  writer     {each:>9.0}       all on the one writer's thread: name to print"
    ))
}

/// An engine over a state directory, whose store is clocked.
fn over_a_directory(
    stream: &Stream,
    scratch: &Path,
) -> anyhow::Result<(wayfare_runtime::Engine, Cost)> {
    let directory = directory(scratch)?;
    let options = Options {
        cache_mb: 512,
        dry: true,
        new_id_key: [7; 32],
        history_us: i64::MAX,
    };
    let (local, _) = LocalStore::open(directory.path(), &options)?;
    let cost = Cost::default();
    let clocked = Clocked::new(Box::new(local), directory, cost.clone());
    let engine = play::engine(stream.journeys(), Box::new(clocked))?;
    Ok((engine, cost))
}

/// What the parts of a commit take.
fn staged(stream: &Stream, scratch: &Path) -> anyhow::Result<store::Read> {
    let directory = directory(scratch)?;
    let memory: Box<dyn Store> = Box::new(
        MemoryStore::new(IdKey::new([7; 32]))
            .without_history()
            .dry(),
    );
    let cost = Cost::default();
    let staged = Staged::open(memory, directory.path(), cost.clone())?;
    let mut engine = play::engine(stream.journeys(), Box::new(staged))?;
    play::play(&mut engine, stream.lines())?;
    Ok(cost.read())
}
