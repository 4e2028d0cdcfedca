//! Plays worlds until one breaks a promise, and says how to see it again: the seed, what happened until
//! then, and the rule. Without arguments a thousand seeds on memory.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program: an assumption that fails is a test that fails"
)]

mod again;
mod audit;
mod compiler;
mod dice;
mod facts;
mod journeys;
mod look;
mod people;
mod receiver;
mod stores;
mod world;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use wayfare_event::Timestamp;
use wayfare_runtime::clock;

use stores::Kind;
use world::{Failure, Tally};

const USAGE: &str = "\
usage: sim [--seeds N | --seconds S] [--seed X] [--store memory|local]
  --seeds N    plays so many worlds, 1000 unless written
  --seconds S  plays for so long
  --seed X     plays this one alone; with one of the above, from this one on
  --store      memory, or local: a directory, with torn writes";

/// What is to be played.
struct Wanted {
    first: u64,
    seeds: u64,
    until: Option<Timestamp>,
    kind: Kind,
}

fn wanted(mut arguments: impl Iterator<Item = String>) -> Option<Wanted> {
    let (mut first, mut seeds, mut seconds, mut kind) = (None, None, None, Kind::Memory);
    while let Some(flag) = arguments.next() {
        let value = arguments.next()?;
        match flag.as_str() {
            "--seed" => first = Some(value.parse().ok()?),
            "--seeds" => seeds = Some(value.parse().ok()?),
            "--seconds" => seconds = Some(value.parse::<i64>().ok()?),
            "--store" => kind = Kind::named(&value)?,
            _ => return None,
        }
    }
    let until = seconds.map(|it| clock::now().saturating_add_micros(it * facts::SECOND));
    let unless_written = match (first, until) {
        (_, Some(_)) => u64::MAX,
        (Some(_), None) => 1,
        (None, None) => 1_000,
    };
    Some(Wanted {
        first: first.unwrap_or_default(),
        seeds: seeds.unwrap_or(unless_written),
        until,
        kind,
    })
}

/// What all workers found.
#[derive(Default)]
struct Found {
    played: u64,
    tally: Tally,
    /// The failure with the smallest seed.
    failed: Option<(u64, Failure)>,
}

fn main() -> ExitCode {
    let Some(wanted) = wanted(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let found = Mutex::new(Found::default());
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let is_late = wanted.until.is_some_and(|until| clock::now() > until);
            if place >= wanted.seeds || is_late || stop.load(Ordering::Relaxed) {
                return;
            }
            let seed = wanted.first + place;
            let played = world::play(seed, wanted.kind);
            let mut found = found.lock().unwrap();
            found.played += 1;
            match played {
                Ok(tally) => world::add(&mut found.tally, tally),
                Err(failure) => {
                    stop.store(true, Ordering::Relaxed);
                    if found.failed.as_ref().is_none_or(|(other, _)| seed < *other) {
                        found.failed = Some((seed, failure));
                    }
                }
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    tell(&wanted, found.into_inner().unwrap())
}

fn tell(wanted: &Wanted, found: Found) -> ExitCode {
    let store = wanted.kind.as_str();
    let Some((seed, failure)) = found.failed else {
        println!("{} worlds on {store}, every promise kept", found.played);
        for (what, count) in &found.tally {
            println!("{count:>9} {what}");
        }
        return ExitCode::SUCCESS;
    };
    println!("{failure}");
    println!("rule: {}", failure.broken.rule);
    println!(
        "seed {seed} on {store} broke a promise, after {} worlds",
        found.played
    );
    println!(
        "again: cargo run --release -p wayfare-tests --example sim -- --seed {seed} --store {store}"
    );
    ExitCode::FAILURE
}
