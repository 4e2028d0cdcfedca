//! Are the promises kept in every world? A few worlds, each from its seed, and every seed that was ever
//! found to break one (`seeds.txt`). `just sim` plays as many as you like, `docs/testing.md` says more.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
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

use std::path::{Path, PathBuf};

use stores::Kind;
use world::Tally;

/// Worlds played on each store.
const SEEDS_MEMORY: u64 = 100;
const SEEDS_LOCAL: u64 = 5;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sim")
}

fn play(seeds: impl Iterator<Item = u64>, kind: Kind) -> Tally {
    let mut all = Tally::new();
    for seed in seeds {
        match world::play(seed, kind) {
            Ok(tally) => world::add(&mut all, tally),
            Err(failure) => panic!("seed {seed} on {}\n{failure}", kind.as_str()),
        }
    }
    all
}

#[test]
fn every_promise_is_kept_in_memory() {
    let all = play(0..SEEDS_MEMORY, Kind::Memory);
    let expected = [
        "decision declined",
        "decision erased",
        "decision exit",
        "decision holdout",
        "decision merged",
        "decision render_failed",
        "decision stopped",
        "decision suppressed",
        "decision unresolved",
        "decision webhook",
        "delivery delivered",
        "delivery expired",
        "delivery planned",
        "delivery rejected",
        "delivery unknown",
        "delivery withheld",
        "dropped",
        "order erase both",
        "order erase delete",
        "order erase suppress",
        "order erase through",
        "order detach",
        "order enter",
        "order merge",
        "order readmit",
        "order skip overdue",
        "order suppress",
        "order unsuppress",
    ];
    for what in expected {
        assert!(all.contains_key(what), "there was no {what}");
    }
    for way in 1..=receiver::WAYS {
        let way = format!("way {way:02}");
        assert!(all.contains_key(&way), "no receiver behaved in {way}");
    }
}

#[test]
fn every_promise_is_kept_in_a_directory() {
    play(0..SEEDS_LOCAL, Kind::Local);
}

#[test]
fn seeds_that_broke_a_promise_break_none_any_more() {
    let text = std::fs::read_to_string(sources().join("seeds.txt")).unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let kind = words.next().and_then(Kind::named);
        let seed = words.next().and_then(|it| it.parse().ok());
        let (Some(kind), Some(seed), Some(_)) = (kind, seed, words.next()) else {
            panic!("`{line}` is not a store, a seed and what it found");
        };
        play(std::iter::once(seed), kind);
    }
}

#[test]
fn the_auditor_shares_no_code_with_the_engine() {
    let directory = std::fs::read_dir(sources().join("audit")).unwrap();
    let parts = directory.map(|entry| entry.unwrap().path());
    let whole = ["audit.rs", "facts.rs"].map(|file| sources().join(file));
    for file in parts.chain(whole) {
        let text = std::fs::read_to_string(&file).unwrap();
        let is_own = !text.contains("wayfare_");
        assert!(is_own, "{} names a crate of the engine", file.display());
        for line in text.lines().filter(|line| line.starts_with("use crate::")) {
            let is_plain = line.starts_with("use crate::facts::");
            assert!(is_plain, "{}: `{line}`", file.display());
        }
    }
}

/// What a patch takes out of a file and leaves around it, hunk by hunk.
fn hunks(patch: &str) -> Vec<(String, Vec<String>)> {
    let (mut hunks, mut file) = (Vec::new(), String::new());
    for line in patch.lines() {
        if let Some(path) = line.strip_prefix("+++ b/") {
            path.clone_into(&mut file);
        } else if line.starts_with("@@") {
            hunks.push((file.clone(), Vec::new()));
        } else if let Some(kept) = line.strip_prefix([' ', '-'])
            && !line.starts_with("--- ")
            && let Some((_, lines)) = hunks.last_mut()
        {
            lines.push(kept.to_owned());
        }
    }
    hunks
}

#[test]
fn every_deliberate_fault_fits_the_sources_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut count = 0;
    for entry in std::fs::read_dir(sources().join("faults")).unwrap() {
        let path = entry.unwrap().path();
        let patch = std::fs::read_to_string(&path).unwrap();
        let hunks = hunks(&patch);
        assert!(!hunks.is_empty(), "{} changes nothing", path.display());
        for (file, expected) in hunks {
            let text = std::fs::read_to_string(root.join(&file)).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            let fits = lines.windows(expected.len()).any(|it| it == expected);
            assert!(
                fits,
                "{} does not fit {file} any more: write it anew",
                path.display()
            );
        }
        count += 1;
    }
    assert!(count >= 38, "{count} faults");
}
