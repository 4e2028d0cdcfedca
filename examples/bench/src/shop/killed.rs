//! How is a run killed until it is through? At random times while it reads a file it goes on with,
//! and at random rows of a stream that is told from its start each time.

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{bail, ensure};

use super::KILLS_MIN;
use super::ledger::Ledger;
use crate::chance::Chance;
use crate::measure::timed;
use crate::project::directory;
use crate::wayfare::Wayfare;

/// Rows that a stream moves on by between two kills, at most, as a part of all.
const STEP_PARTS: u64 = 15;
/// The longest a run that reads a file may live, as a part of what the whole takes.
const LIFE_PARTS: u32 = 8;
/// Lives after which the longest one may be longer.
const LIVES_OF_A_LENGTH: u32 = 24;
/// Starts after which something is wrong: a run must get on.
const STARTS_MAX: u32 = 1000;
/// Tries at being killed often enough; each halves the longest life.
const TRIES_MAX: u32 = 4;

/// Reads a file, killed at random times and started again with the same state. How many kills.
pub(super) fn file(
    wayfare: &Wayfare<'_>,
    (scratch, events): (&Path, &Path),
    seed: u64,
) -> anyhow::Result<(Ledger, u32)> {
    let mut life = how_long(wayfare, scratch, events)? / LIFE_PARTS;
    let mut tried = lives(wayfare, (scratch, events), (seed, life))?;
    for _ in 1..TRIES_MAX {
        if tried.1 >= KILLS_MIN {
            break;
        }
        life /= 2;
        tried = lives(wayfare, (scratch, events), (seed, life))?;
    }
    Ok(tried)
}

/// How long a run takes that nobody kills.
fn how_long(wayfare: &Wayfare<'_>, scratch: &Path, events: &Path) -> anyhow::Result<Duration> {
    let state = directory(scratch)?;
    let running = wayfare.run(Some(events), state.path())?;
    let (printed, took) = timed(|| running.finish());
    printed?;
    Ok(took)
}

/// Starts again and again, each killed within a life at most this long.
fn lives(
    wayfare: &Wayfare<'_>,
    (scratch, events): (&Path, &Path),
    (seed, life): (u64, Duration),
) -> anyhow::Result<(Ledger, u32)> {
    let state = directory(scratch)?;
    let mut chance = Chance(seed);
    let mut ledger = Ledger::default();
    for kills in 0..STARTS_MAX {
        let running = wayfare.run(Some(events), state.path())?;
        // A life that is over before the log is read again gets nowhere: lives grow in the end.
        let life = life.saturating_mul(1 + kills / LIVES_OF_A_LENGTH);
        let printed = running.kill_after(chance.up_to(life))?;
        ledger.printed(&printed)?;
        if !printed.killed {
            ledger.read(state.path())?;
            return Ok((ledger, kills));
        }
    }
    bail!("the run was started {STARTS_MAX} times and does not come to its end")
}

/// Is told rows, killed behind a random one and told all of them again, as a sender does that had no
/// answer. How many kills.
pub(super) fn stream(
    wayfare: &Wayfare<'_>,
    (scratch, rows): (&Path, &[&str]),
    seed: u64,
) -> anyhow::Result<(Ledger, u32)> {
    let state = directory(scratch)?;
    let mut chance = Chance(seed);
    let mut ledger = Ledger::default();
    let mut kills = 0;
    let step_max = u64::try_from(rows.len())? / STEP_PARTS;
    let mut until = usize::try_from(chance.below(step_max))?;
    while until < rows.len() {
        let mut running = wayfare.run(None, state.path())?;
        let mut stdin = BufWriter::new(running.stdin()?);
        for row in rows.iter().take(until) {
            writeln!(stdin, "{row}")?;
        }
        stdin.flush()?;
        let printed = running.kill()?;
        drop(stdin);
        ledger.printed(&printed)?;
        ensure!(printed.killed, "a run ended while its input was open");
        kills += 1;
        until += usize::try_from(chance.below(step_max))?;
    }
    let mut running = wayfare.run(None, state.path())?;
    let mut stdin = BufWriter::new(running.stdin()?);
    for row in rows {
        writeln!(stdin, "{row}")?;
    }
    stdin.flush()?;
    drop(stdin);
    ledger.printed(&running.finish()?)?;
    ledger.read(state.path())?;
    Ok((ledger, kills))
}
