//! Does history end where it may, and not before?

use super::*;
use crate::local::checkpoint;

const DAY: i64 = 86_400;

/// Small segments, written behind after every batch.
pub(super) const SMALL: Limits = Limits {
    segment_bytes: 4096,
    ..EAGER
};

pub(super) const THREE_DAYS: Options = Options {
    history_us: 3 * DAY * 1_000_000,
    ..OPTIONS
};

/// Commits ten inputs of a day, which fill more than a segment.
pub(super) fn a_day(store: &mut LocalStore, day: i64) {
    for hour in 0..10 {
        let seq = store.head().next_seq;
        let moment = at(day * DAY + hour * 3600);
        let text = format!("{seq} {}", "x".repeat(600));
        let changes = vec![seen(seq, moment), trait_set(seq % 7, "text", &text, seq)];
        commit(store, moment, changes).unwrap();
        store.rows.flush().unwrap();
        store.forget_old();
    }
}

pub(super) fn open_small(directory: &Path) -> LocalStore {
    LocalStore::open_limited(directory, &THREE_DAYS, SMALL)
        .unwrap()
        .0
}

fn files(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory.join("log")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn history_that_is_old_enough_leaves_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_small(directory.path());
    for day in 0..12 {
        a_day(&mut store, day);
        let (first, moment) = store.beginning().unwrap().unwrap();
        let keep_from = store
            .head()
            .last_at
            .saturating_add_micros(-THREE_DAYS.history_us);
        assert!(moment <= keep_from || first == 1, "day {day}");
        if day > 5 {
            let kept = keep_from.saturating_add_micros(-2 * DAY * 1_000_000);
            assert!(moment > kept, "day {day}: history begins at {moment}");
            assert!(files(directory.path()).len() < 40);
        }
    }
    let before = dump(&mut store);
    let (first, _) = store.beginning().unwrap().unwrap();
    assert_eq!(before.history.first().map(|entry| entry.seq), Some(first));
    assert_eq!(before.history.len() as u64, store.head().next_seq - first);
    store.close().unwrap();
    let mut store = open_small(directory.path());
    assert_eq!(dump(&mut store), before);
    drop(store);
    std::fs::remove_dir_all(directory.path().join("state")).unwrap();
    let mut store = open_small(directory.path());
    assert_eq!(dump(&mut store), before);
}

#[test]
fn the_log_keeps_what_the_older_checkpoint_needs() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_small(directory.path());
    for day in 0..9 {
        a_day(&mut store, day);
        let before = dump(&mut store);
        let damaged = tempfile::tempdir().unwrap();
        copy(directory.path(), damaged.path());
        std::fs::remove_dir_all(damaged.path().join("state")).unwrap();
        let kept = checkpoint::list(damaged.path()).unwrap();
        let newest = &kept.last().unwrap().path;
        let length = std::fs::metadata(newest).unwrap().len();
        let file = OpenOptions::new().write(true).open(newest).unwrap();
        file.set_len(length - 9).unwrap();
        let (after, opened) = reopened(damaged.path());
        assert_eq!(after, before, "day {day}");
        assert_eq!(opened.unreadable.len(), 1);
    }
}

#[test]
fn what_stood_before_a_shortened_history_leads_with_it_to_the_rows_there_are() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_small(directory.path());
    for day in 0..9 {
        a_day(&mut store, day);
    }
    let expected = dump(&mut store);
    drop(store);
    let mut looking = ReadOnly::open(directory.path()).unwrap().0;
    let origin = looking.origin().unwrap();
    let (first, _) = looking.beginning().unwrap().unwrap();
    assert!(first > 1, "the history is shortened");
    assert!(origin.next_seq >= first, "{} and {first}", origin.next_seq);
    let mut rows = crate::MemoryStore::new(looking.head().id_key).without_history();
    let rows_of = |rows: Vec<(Key, Option<Row>)>| Batch {
        rows,
        ..Batch::default()
    };
    let before = origin.rows.into_iter().map(|(key, row)| (key, Some(row)));
    rows.commit(&rows_of(before.collect())).unwrap();
    let mut entries = Vec::new();
    let mut keep = |entry: &Entry| entries.push(entry.clone());
    looking.history(origin.next_seq, &mut keep).unwrap();
    assert_eq!(
        entries.first().map(|entry| entry.seq),
        Some(origin.next_seq)
    );
    let batch = Batch {
        entries,
        ..Batch::default()
    };
    let changed = recover::apply(&batch, &mut |key| {
        let loaded = rows.load(std::slice::from_ref(key))?;
        Ok(loaded.into_iter().next().flatten())
    });
    rows.commit(&Batch {
        rows: changed.unwrap(),
        ..batch
    })
    .unwrap();
    assert_eq!(dump(&mut rows).rows, expected.rows);
}

#[test]
fn with_one_checkpoint_nothing_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits {
        segment_bytes: 4096,
        ..LAZY
    };
    let (mut store, _) = LocalStore::open_limited(directory.path(), &THREE_DAYS, limits).unwrap();
    for day in 0..10 {
        for number in 0..10 {
            let moment = at(day * DAY + number);
            let text = "x".repeat(600);
            commit(&mut store, moment, vec![trait_set(1, "text", &text, 1)]).unwrap();
        }
    }
    store.checkpoint().unwrap();
    assert_eq!(store.beginning().unwrap(), Some((1, at(0))));
    commit(&mut store, at(10 * DAY), vec![seen(1, at(10 * DAY))]).unwrap();
    store.checkpoint().unwrap();
    assert_eq!(
        store.beginning().unwrap().map(|begins| begins.0 > 60),
        Some(true)
    );
}

#[test]
fn segments_are_used_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_small(directory.path());
    let mut reused = 0;
    let (seen, steps) = std::sync::mpsc::channel();
    let told = Box::new(move |step| seen.send(step).unwrap());
    crate::step::watch(directory.path(), told);
    for day in 0..10 {
        a_day(&mut store, day);
        let steps: Vec<_> = steps.try_iter().collect();
        let count = |wanted| steps.iter().filter(|step| **step == wanted).count();
        reused += count("a retired segment is taken");
        if day > 6 {
            assert_eq!(count("a new segment is filled"), 0, "day {day}");
        }
    }
    assert!(reused > 2, "{reused} segments were used again");
    let before = dump(&mut store);
    drop(store);
    let mut store = open_small(directory.path());
    assert_eq!(dump(&mut store), before);
}
