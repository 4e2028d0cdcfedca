//! Is nothing lost, wherever a kill falls? At every step that changes the files of a directory a copy
//! of it is taken, as a kill there would leave it, and opened.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::forget::{THREE_DAYS, a_day, open_small};
use super::*;
use crate::step;

pub(super) type Copies = Arc<Mutex<Vec<(&'static str, TempDir)>>>;

/// Copies a directory after each of its steps.
pub(super) fn watch(directory: &Path) -> Copies {
    let copies = Copies::default();
    let (kept, from) = (copies.clone(), directory.to_path_buf());
    let take = move |step| {
        let to = tempfile::tempdir().unwrap();
        copy(&from, to.path());
        kept.lock().unwrap().push((step, to));
    };
    step::watch(directory, Box::new(take));
    copies
}

/// What a copy holds: opened as it is, without its state, and for looking.
fn check(step: &str, copy_at: &Path, expected: &Dump) {
    let looked = tempfile::tempdir().unwrap();
    copy(copy_at, looked.path());
    let mut store = ReadOnly::open(looked.path()).unwrap().0;
    assert_rows(&dump(&mut store), expected, step);
    let stateless = tempfile::tempdir().unwrap();
    copy(copy_at, stateless.path());
    std::fs::remove_dir_all(stateless.path().join("state")).unwrap();
    assert_rows(&dump(&mut open_small(stateless.path())), expected, step);
    assert_rows(&dump(&mut open_small(copy_at)), expected, step);
}

/// What was opened goes on, until the log has forgotten what it had.
fn check_going_on(step: &str, copy_at: &Path) {
    let mut store = open_small(copy_at);
    let day = store.head().last_at.micros_since(at(0)) / 86_400_000_000;
    for day in day + 1..day + 4 {
        a_day(&mut store, day);
    }
    let before = dump(&mut store);
    drop(store);
    assert_eq!(dump(&mut open_small(copy_at)), before, "{step}, gone on");
}

/// The rows and the head are those expected; the history may begin earlier or later.
fn assert_rows(found: &Dump, expected: &Dump, step: &str) {
    assert_eq!(found.head, expected.head, "{step}");
    assert_eq!(found.rows, expected.rows, "{step}");
    let shared = found.history.len().min(expected.history.len());
    let last = |dump: &Dump| dump.history[dump.history.len() - shared..].to_vec();
    assert_eq!(last(found), last(expected), "{step}");
    assert!(shared > 0, "{step}");
}

#[test]
fn a_kill_at_any_step_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_small(directory.path());
    for day in 0..7 {
        a_day(&mut store, day);
    }
    let copies = watch(directory.path());
    // Each kind of step is tried twice.
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    for hour in 0..60 {
        let seq = store.head().next_seq;
        let moment = at(7 * 86_400 + hour * 3600);
        let text = format!("{seq} {}", "y".repeat(900));
        let changes = vec![seen(seq, moment), trait_set(seq % 7, "text", &text, seq)];
        // A segment begins before the frame that needs it is written.
        let before = dump(&mut store);
        commit(&mut store, moment, changes).unwrap();
        store.rows.flush().unwrap();
        store.forget_old();
        let after = dump(&mut store);
        let copies = std::mem::take(&mut *copies.lock().unwrap());
        for (step, copied) in copies {
            let times = tried.entry(step).or_default();
            *times += 1;
            if *times <= 2 {
                let has_frame = !matches!(
                    step,
                    "the spare segment has a header"
                        | "a new segment is filled"
                        | "a segment is named"
                );
                let expected = if has_frame { &after } else { &before };
                check(step, copied.path(), expected);
                if *times == 1 {
                    check_going_on(step, copied.path());
                }
            }
        }
    }
    for step in [
        "the state is written",
        "a checkpoint is begun",
        "a checkpoint has its rows",
        "a checkpoint is synced",
        "a checkpoint is named",
        "an old checkpoint is deleted",
        "an old segment is retired",
        "a retired segment is taken",
        "an old segment is deleted",
        "a spare segment is filled",
        "a spare segment is named",
        "the spare segment has a header",
        "a segment is named",
    ] {
        assert!(
            tried.contains_key(step),
            "`{step}` was never met: {tried:?}"
        );
    }
}

#[test]
fn a_kill_while_the_state_is_made_anew_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_small(directory.path());
    for day in 0..7 {
        a_day(&mut store, day);
    }
    let before = dump(&mut store);
    store.close().unwrap();
    std::fs::remove_dir_all(directory.path().join("state")).unwrap();
    let copies = watch(directory.path());
    drop(LocalStore::open_limited(directory.path(), &THREE_DAYS, LAZY).unwrap());
    let copies = std::mem::take(&mut *copies.lock().unwrap());
    let steps: Vec<_> = copies.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, ["a state has its rows", "a state is made anew"]);
    for (step, copied) in &copies {
        assert_rows(&dump(&mut open_small(copied.path())), &before, step);
    }
}
