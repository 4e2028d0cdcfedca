//! Plays worlds until one breaks a promise, and says how to see it again.
//!
//! `sim [--seeds N | --seconds S] [--seed X] [--store memory|local]`

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    clippy::exit,
    reason = "a test program: an assumption that fails is a test that fails"
)]

mod again;
mod audit;
mod dice;
mod facts;
mod journeys;
mod look;
mod people;
mod receiver;
mod stores;
mod world;

fn main() {
    let mut seeds = 0..1000u64;
    let mut kind = stores::Kind::Memory;
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().unwrap();
        match flag.as_str() {
            "--seeds" => seeds = 0..value.parse().unwrap(),
            "--seed" => {
                let seed = value.parse().unwrap();
                seeds = seed..seed + 1;
            }
            "--store" if value == "local" => kind = stores::Kind::Local,
            _ => {}
        }
    }
    let mut all = world::Tally::new();
    for seed in seeds {
        match world::play(seed, kind) {
            Ok(tally) => {
                for (what, count) in tally {
                    *all.entry(what).or_default() += count;
                }
            }
            Err(failure) => {
                println!("{}", failure.trail.join("\n"));
                println!(
                    "seed {seed} step {}: {}: {}",
                    failure.step, failure.broken.rule, failure.broken.what
                );
                std::process::exit(1);
            }
        }
    }
    println!("{all:#?}");
}
