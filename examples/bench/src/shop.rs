//! Does the shop's stream come to exactly the expected totals? As it is, with every event doubled,
//! and with the process killed until it is through. Not here: how fast that is (`speed`).

mod killed;
mod ledger;
mod verdict;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;

use self::ledger::Ledger;
use self::verdict::Verdict;
use crate::project::{Project, directory};
use crate::say;
use crate::wayfare::Wayfare;

/// Events in the stream.
const ROWS: usize = 31_106;
/// Kills that a killed run must go through.
const KILLS_MIN: u32 = 20;

/// The arguments of `wayfare-bench shop`.
#[derive(Debug, Args)]
pub(crate) struct Shop {
    /// The release binary.
    #[arg(long)]
    wayfare: PathBuf,
    /// The stream, as `.ci/shop-stream` writes it.
    #[arg(long)]
    events: PathBuf,
    /// Where directories for the run are made.
    #[arg(long, default_value = "target/bench")]
    scratch: PathBuf,
    /// What the kills are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Plays the stream in every way; whether each came to the totals.
pub(crate) fn prove(shop: &Shop) -> anyhow::Result<bool> {
    let text = std::fs::read_to_string(&shop.events)
        .with_context(|| format!("cannot read `{}`", shop.events.display()))?;
    let rows: Vec<&str> = text.lines().collect();
    ensure!(
        rows.len() == ROWS,
        "`{}` has {} rows, the stream has {ROWS}; make it with `.ci/shop-stream`",
        shop.events.display(),
        rows.len()
    );
    let project = Project::cart_recovery(&shop.scratch)?;
    let wayfare = Wayfare {
        path: &shop.wayfare,
        journeys: project.journeys(),
    };
    let doubled = rows.iter().flat_map(|row| [*row, *row]);
    let again = rows.iter().chain(rows.iter()).copied();
    let seed = shop.seed;
    let mut verdict = Verdict::default();
    verdict.on(
        "the stream as it is",
        &whole(&wayfare, &shop.scratch, &shop.events)?,
        "",
    )?;
    for (name, events) in [
        ("each event twice in a row", file(shop, &mut { doubled })?),
        (
            "the stream, then all of it again",
            file(shop, &mut { again })?,
        ),
    ] {
        let ledger = whole(&wayfare, &shop.scratch, events.path())?;
        verdict.on(name, &ledger, "")?;
    }
    let (ledger, kills) = killed::file(&wayfare, (&shop.scratch, &shop.events), seed)?;
    let note = format!("{kills} kills at random times, seed {seed}");
    verdict.kills(kills, KILLS_MIN);
    verdict.on("killed, the file gone on with", &ledger, &note)?;
    let (ledger, kills) = killed::stream(&wayfare, (&shop.scratch, &rows), seed)?;
    let note = format!("{kills} kills at random rows, seed {seed}");
    verdict.kills(kills, KILLS_MIN);
    verdict.on("killed, the stream told from its start", &ledger, &note)?;
    say(&verdict.closing())?;
    Ok(verdict.is_good())
}

/// One run from the beginning to the end.
fn whole(wayfare: &Wayfare<'_>, scratch: &Path, events: &Path) -> anyhow::Result<Ledger> {
    let state = directory(scratch)?;
    let printed = wayfare.run(Some(events), state.path())?.finish()?;
    let mut ledger = Ledger::default();
    ledger.printed(&printed)?;
    ledger.read(state.path())?;
    ledger.all_printed();
    Ok(ledger)
}

/// A file of these rows.
fn file(
    shop: &Shop,
    rows: &mut dyn Iterator<Item = &str>,
) -> anyhow::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new_in(&shop.scratch)?;
    let mut text = String::new();
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    Ok(file)
}
