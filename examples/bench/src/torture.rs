//! What stands when the server is killed at any moment under load, in front of a receiver that
//! stalls, resets and lies? Everything that was acknowledged, once. Not here: how fast it is (`speed`).

mod audit;
mod evidence;
mod feed;
mod ledger;
mod lives;
mod pace;
mod peers;
mod process;
mod project;
mod receiver;
mod report;
mod wrong_clock;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use self::evidence::{Evidence, Kind};
use self::feed::Feeders;
use self::lives::Torturer;
use self::pace::Pace;
use self::process::{Program, SmallDisk, free_address};
use self::receiver::{Manner, Receiver};
use self::wrong_clock::WrongClock;
use crate::chance::Chance;
use crate::project::directory;
use crate::say;

/// How long one attempt may take.
const TIMEOUT: &str = "1s";
/// The disk of a run that fills one, in MiB: the state and its log, which keeps everything.
const DISK_MIB: u64 = 6_144;

/// The arguments of `wayfare-bench torture`.
#[derive(Debug, Args)]
pub(crate) struct Torture {
    /// The release binary.
    #[arg(long)]
    wayfare: PathBuf,
    /// Where directories for the run are made.
    #[arg(long, default_value = "target/bench")]
    scratch: PathBuf,
    /// How often the server is killed.
    #[arg(long, default_value_t = 25)]
    kills: u32,
    /// What everything is drawn from. The same seed draws the same lives, not the same interleaving.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The longest life of a server, in milliseconds.
    #[arg(long, default_value_t = 1_500)]
    life: u64,
    /// Keep the state on a disk in memory that is filled now and then. Mounting one needs root.
    #[arg(long)]
    small_disk: bool,
    /// Instead: a receiver that answers after 300 ms, and how many second copies a kill makes.
    #[arg(long)]
    peers: bool,
    /// With `--peers`: events a second, of which one in ten owes a webhook.
    #[arg(long, default_value_t = 600)]
    rate: u32,
    /// Keep the directory of the run, with its state, for looking at.
    #[arg(long)]
    keep: bool,
}

/// Tortures the server; whether everything stands.
pub(crate) fn torture(torture: &Torture) -> anyhow::Result<bool> {
    let scratch = directory(&torture.scratch)?;
    let stands = if torture.peers {
        peers::compare(torture, scratch.path())?
    } else {
        under_fire(torture, scratch.path())?
    };
    if torture.keep || !stands {
        let kept = scratch.keep();
        say(&format!("kept in    {}", kept.display()))?;
    }
    Ok(stands)
}

fn under_fire(torture: &Torture, scratch: &Path) -> anyhow::Result<bool> {
    let mut chance = Chance(torture.seed);
    let pace = Pace::begin();
    let manner = (&Kind::ALL[..], Manner::Unkind);
    let (receiver, ports) = Receiver::listen(pace, manner, &mut chance)?;
    let disk = small_disk(torture, scratch)?;
    let program = Program {
        binary: torture.wayfare.clone(),
        journeys: project::write(scratch, &ports, TIMEOUT)?,
        state: scratch.join("disk").join("state"),
        shift: scratch.join("shift"),
        address: free_address()?,
    };
    let mut torturer = Torturer {
        program: &program,
        receiver: &receiver,
        pace,
        chance: chance.split(1),
        clock: WrongClock::of(program.shift.clone())?,
        disk: disk.as_ref(),
        life_max: Duration::from_millis(torture.life),
    };
    let server = (program.address, pace);
    let feeders = Feeders::begin(None, server, receiver.clone(), &mut chance);
    let done = torturer.torture(torture.kills)?;
    report::done(&done, torturer.clock.moves, torture.seed)?;

    let mut evidence = Evidence {
        noticed: done.noticed,
        ..Evidence::default()
    };
    feeders.stop();
    let (restart_ms, server) = torturer.peace()?;
    let sent = feeders.sent();
    feeders.into(&mut evidence)?;
    torturer.until_done(server)?;
    let record = receiver.close();
    report::wire(&record.treated)?;
    report::take(record, &mut evidence);
    ledger::read(&program, &mut evidence)?;
    report::evidence(&evidence, sent)?;
    let (seconds, late) = report::late(&evidence, restart_ms);
    say(&format!(
        "late       {late} webhooks owed before the last start, the last {seconds:.1} s after it"
    ))?;
    verified(&program, &mut evidence)?;
    judge(evidence)
}

/// The disk that is filled, if one is asked for; without one the state is on the disk of the rest.
fn small_disk(torture: &Torture, scratch: &Path) -> anyhow::Result<Option<SmallDisk>> {
    let at = scratch.join("disk");
    if !torture.small_disk {
        std::fs::create_dir(&at)?;
        return Ok(None);
    }
    let disk = SmallDisk::mount(&at, DISK_MIB);
    if disk.is_none() {
        say(
            "disk       none may be mounted here, so none is filled; files are limited all the same",
        )?;
    }
    Ok(disk)
}

/// Asks the program itself, where it can say.
fn verified(program: &Program, evidence: &mut Evidence) -> anyhow::Result<()> {
    match program.verify()? {
        None => say("verify     this binary has no such command"),
        Some(Ok(())) => say("verify     passes"),
        Some(Err(said)) => {
            evidence.noticed.push(format!("`wayfare verify`: {said}"));
            say("verify     fails")
        }
    }
}

/// Audits the evidence, and the audit.
fn judge(evidence: Evidence) -> anyhow::Result<bool> {
    let offences = audit::audit(&evidence);
    let stands = report::verdict(&offences)?;
    let (told, missed) = audit::doctor(evidence);
    if missed.is_empty() {
        say(&format!(
            "ok     {} lies told to the audit, and all of them found",
            told.len()
        ))?;
    } else {
        say(&format!("FAILED the audit does not see {missed:?}"))?;
    }
    Ok(stands && missed.is_empty())
}
