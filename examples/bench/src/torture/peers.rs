//! How many second copies does a kill make, beside other engines? The load of
//! their runs: single events at a rate, one in ten owing a webhook, a receiver that answers after
//! 300 ms, 14 seconds, a kill in the middle and a start at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, ensure};

use super::Torture;
use super::audit::{audit, copies};
use super::evidence::{Evidence, Kind};
use super::feed::Feeders;
use super::ledger;
use super::pace::{Pace, pause};
use super::process::{Ended, Program, free_address};
use super::receiver::{Behaviour, Manner, Receiver};
use super::wrong_clock::WrongClock;
use super::{project, report};
use crate::chance::Chance;
use crate::say;

/// How long the load lasts.
const LOAD: Duration = Duration::from_secs(14);
/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(60);
/// How long nothing must come for the wire to count as quiet.
const QUIET: Duration = Duration::from_millis(1_500);

/// Runs both promises and prints what came of each.
pub(super) fn compare(torture: &Torture, scratch: &Path) -> anyhow::Result<bool> {
    let kills = torture.kills;
    say(&format!(
        "{} events a second for {} s, one in ten owes a webhook, the receiver answers after 300 ms, \
         {kills} kills; seed {}",
        torture.rate,
        LOAD.as_secs(),
        torture.seed
    ))?;
    say(
        "promise        acknowledged  requests  second copies  unknown  lost  listens after  last late",
    )?;
    let mut stands = true;
    for kind in [Kind::Lead, Kind::Invoice] {
        stands &= run(torture, (kind, &scratch.join(kind.journey())))?;
    }
    Ok(stands)
}

fn run(torture: &Torture, (kind, scratch): (Kind, &Path)) -> anyhow::Result<bool> {
    std::fs::create_dir(scratch)?;
    let mut chance = Chance(torture.seed);
    let pace = Pace::begin();
    let manner = Manner::Always(Behaviour::Slow);
    let (receiver, ports) = Receiver::listen(pace, (&[kind], manner), &mut chance)?;
    let program = Program {
        binary: torture.wayfare.clone(),
        journeys: project::write(scratch, &ports, "10s")?,
        state: scratch.join("state"),
        shift: scratch.join("shift"),
        address: free_address()?,
    };
    let clock = WrongClock::of(program.shift.clone())?;
    let mut evidence = Evidence::default();
    let load = under_load(torture, (kind, &program), (pace, &receiver), &mut evidence)?;
    drop(clock);
    report::take(receiver.close(), &mut evidence);
    ledger::read(&program, &mut evidence)?;
    let offences = audit(&evidence);
    let copies = copies(&evidence);
    let second = copies.once + copies.at_least_once;
    let unknown = evidence.deliveries.values();
    let unknown = unknown.filter(|it| it.state == "unknown").count();
    let decided = evidence.decisions.values().filter_map(|it| it.event);
    let decided: std::collections::BTreeSet<u64> = decided.collect();
    let acknowledged = evidence.acknowledged.keys();
    let lost = acknowledged
        .filter(|event| !decided.contains(event))
        .count();
    let promise = if kind.is_at_most_once() {
        "at most once "
    } else {
        "at least once"
    };
    say(&format!(
        "{promise}  {:>12}  {:>8}  {second:>13}  {unknown:>7}  {lost:>4}  {:>10} ms  {:>7.1} s",
        evidence.acknowledged.len(),
        evidence.requests.len(),
        load.listens_ms,
        report::late(&evidence, load.restart_ms).0,
    ))?;
    for offence in offences.iter().take(5) {
        say(&format!("FAILED {:?}: {}", offence.rule, offence.words))?;
    }
    Ok(offences.is_empty())
}

/// What was done under load.
struct Load {
    /// The longest that a start took until the server listened, in milliseconds.
    listens_ms: u128,
    /// When the last start was, in milliseconds of the run.
    restart_ms: u64,
}

/// Puts the server under load and kills it at even distances, each time started at once.
fn under_load(
    torture: &Torture,
    (kind, program): (Kind, &Program),
    (pace, receiver): (Pace, &Arc<Receiver>),
    evidence: &mut Evidence,
) -> anyhow::Result<Load> {
    let mut server = program.start(None)?;
    let mut load = Load {
        listens_ms: 0,
        restart_ms: 0,
    };
    ensure!(server.listening(START_MAX)?.is_ok(), "it does not start");
    let address = (program.address, pace);
    let steadily = Some((kind, torture.rate));
    let mut chance = Chance(torture.seed);
    let feeders = Feeders::begin(steadily, address, receiver.clone(), &mut chance);
    for _ in 0..torture.kills {
        pause(LOAD / (torture.kills + 1));
        server.kill()?;
        load.restart_ms = pace.ms();
        server = program.start(None)?;
        match server.listening(START_MAX)? {
            Ok(took) => load.listens_ms = load.listens_ms.max(took.as_millis()),
            Err(Ended { status, told }) => bail!("it ended with {status}: {told}"),
        }
    }
    pause(LOAD / (torture.kills + 1));
    feeders.into(evidence)?;
    loop {
        let before = receiver.record().requests.len();
        pause(QUIET);
        if receiver.record().requests.len() == before {
            break;
        }
    }
    server.stop()?;
    let open = ledger::open(program)?;
    ensure!(open.is_none(), "there is still {open:?}");
    Ok(load)
}
