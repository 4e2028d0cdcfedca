//! Are the promises kept in every world? A few worlds, each from its seed, and every seed that was ever
//! found to break one (`seeds.txt`). `just sim` plays as many as you like, `docs/testing.md` says more.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test target: an assumption that fails is a test that fails"
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

use std::path::Path;

use stores::Kind;
use world::Tally;

/// Worlds played on each store.
const SEEDS_MEMORY: u64 = 60;
const SEEDS_LOCAL: u64 = 6;

fn sources() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sim")
}

fn play(seed: u64, kind: Kind) -> Tally {
    world::play(seed, kind).unwrap_or_else(|failure| {
        panic!(
            "seed {seed} on {}, step {}: {}: {}\n{}",
            kind.as_str(),
            failure.step,
            failure.broken.rule,
            failure.broken.what,
            failure.trail.join("\n"),
        )
    })
}

#[test]
fn every_promise_is_kept_in_memory() {
    for seed in 0..SEEDS_MEMORY {
        play(seed, Kind::Memory);
    }
}

#[test]
fn every_promise_is_kept_in_a_directory() {
    for seed in 0..SEEDS_LOCAL {
        play(seed, Kind::Local);
    }
}

#[test]
fn the_auditor_shares_no_code_with_the_engine() {
    let files = [
        "audit.rs",
        "audit/people.rs",
        "audit/story.rs",
        "audit/walks.rs",
        "facts.rs",
    ];
    for file in files {
        let text = std::fs::read_to_string(sources().join(file)).unwrap();
        assert!(
            !text.contains("wayfare"),
            "{file} names a crate of the engine"
        );
    }
}
