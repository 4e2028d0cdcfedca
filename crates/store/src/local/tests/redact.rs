//! Is nothing left of what was erased, anywhere, and everything of the rest, wherever a kill falls?

use std::collections::BTreeSet;

use tempfile::TempDir;
use wayfare_event::Identifier;
use wayfare_executor::Trust;
use wayfare_executor::record::{QueueId, Queued};

use super::crash::watch;
use super::forget::{SMALL, THREE_DAYS, a_day};
use super::*;
use crate::sample::rows;
use crate::{LoggedInput, MemoryStore};

/// What somebody erased is known by. No eight bytes of it stand anywhere else.
const SECRET: &str = "QzWx7#ada.lovelace@9hJ!secret.invalid~Kp4v";

fn secret() -> Identifier {
    Identifier::new("email", SECRET)
}

/// Where eight bytes of the secret in a row stand below a directory: the names of the files.
fn leaks(directory: &Path) -> BTreeSet<String> {
    let parts: BTreeSet<&[u8]> = SECRET.as_bytes().windows(8).collect();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let below = leaks(&path).into_iter();
            found.extend(below.map(|file| format!("{name}/{file}")));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            if bytes
                .windows(8)
                .any(|window| window[0] != 0 && parts.contains(window))
            {
                found.insert(name);
            }
        }
    }
    found
}

/// Something waits for its turn that is owned by whoever is erased.
fn queued(seq: u64) -> Change {
    let whole = rows().into_iter().find_map(|(_, row)| {
        let Row::Queued(queued) = row else {
            return None;
        };
        Some(queued)
    });
    let input = Queued {
        owner: secret(),
        ..(*whole.unwrap()).clone()
    };
    Change::Queued {
        id: QueueId { seq, place: 0 },
        input: std::sync::Arc::new(input),
    }
}

/// Commits an input whose text and changes say the secret, and small and large rows with it.
fn tell(store: &mut LocalStore) -> u64 {
    let seq = store.head().next_seq;
    let moment = store.head().last_at.saturating_add_micros(1_000_000);
    let changes = vec![
        trait_set(1, "text", &SECRET.repeat(400), seq),
        trait_set(2, "text", SECRET, seq),
        queued(seq),
    ];
    let entry = Entry {
        seq,
        at: moment,
        input: LoggedInput::Event {
            source: "test".into(),
            text: format!("{{\"email\":\"{SECRET}\"}}").into(),
            trust: Trust::Verified,
        },
        changes,
    };
    let batch = crate::sample::batch(store, vec![entry]);
    store.commit(&batch).unwrap();
    seq
}

/// Commits that no row says the secret any more.
fn untell(store: &mut LocalStore, told: &BTreeSet<u64>) {
    let seq = store.head().next_seq;
    let moment = store.head().last_at;
    let mut changes = vec![
        trait_set(1, "text", "gone", seq),
        trait_set(2, "text", "gone", seq),
    ];
    let gone = told.iter().map(|seq| {
        Change::Dequeued(QueueId {
            seq: *seq,
            place: 0,
        })
    });
    changes.extend(gone);
    commit(store, moment, changes).unwrap();
}

/// A life of days in which the secret is told now and then, and taken back at the end.
fn told(store: &mut LocalStore) -> BTreeSet<u64> {
    let mut seqs = BTreeSet::new();
    for day in 0..5 {
        a_day(store, day);
        if day != 2 {
            seqs.insert(tell(store));
        }
    }
    a_day(store, 5);
    seqs.insert(tell(store));
    untell(store, &seqs);
    seqs
}

/// Keeps all history.
fn open_all(directory: &Path) -> LocalStore {
    LocalStore::open_limited(directory, &OPTIONS, SMALL)
        .unwrap()
        .0
}

/// What is held once these inputs are redacted.
fn without(mut dump: Dump, seqs: &BTreeSet<u64>) -> Dump {
    for entry in &mut dump.history {
        if seqs.contains(&entry.seq) {
            entry.input = LoggedInput::Redacted;
            entry.changes.clear();
        }
    }
    dump
}

#[test]
fn nothing_is_left_of_what_was_erased_and_everything_else_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_all(directory.path());
    let mut seqs = told(&mut store);
    // Rows that stand under what is erased, and are gone.
    let seq = store.head().next_seq;
    let moment = store.head().last_at;
    let key = [Key::Account(SECRET.into()), Key::Person(secret())];
    let joined = Change::TraitSet {
        owner: secret(),
        name: "plan".into(),
        value: "x".repeat(20_000).as_str().into(),
        told: wayfare_executor::record::Told { at: moment, seq },
        once: false,
    };
    let account = Change::AccountTraitSet {
        account: SECRET.into(),
        name: "seats".into(),
        value: 7.into(),
        told: wayfare_executor::record::Told { at: moment, seq },
    };
    commit(&mut store, moment, vec![joined, account]).unwrap();
    seqs.insert(seq);
    store.checkpoint().unwrap();
    remove(&mut store, &key);
    store.rows.flush().unwrap();
    // What was put aside, and a segment that is on its way to be used again.
    let log = directory.path().join("log");
    let told = leaks(&log);
    for (name, file) in ["retired", "spare.tmp"].into_iter().zip(told) {
        std::fs::copy(log.join(file), log.join(name)).unwrap();
    }
    copy(
        &directory.path().join("state"),
        &directory.path().join("state.damaged-1"),
    );
    let checkpoints = directory.path().join("checkpoints");
    std::fs::write(checkpoints.join("5.damaged"), SECRET).unwrap();
    let before = leaks(directory.path());
    for part in ["log/0", "log/retired", "state/db", "checkpoints/"] {
        let is_part = |name: &String| name.starts_with(part);
        assert!(before.iter().any(is_part), "{part}: {before:?}");
    }
    let expected = without(dump(&mut store), &seqs);
    store.redact(&seqs).unwrap();
    store.redact_fully().unwrap();
    assert_eq!(leaks(directory.path()), BTreeSet::new());
    assert_eq!(dump(&mut store), expected);
    assert_eq!(store.redact_on().unwrap(), Redaction::Done);
    store.close().unwrap();
    assert_eq!(leaks(directory.path()), BTreeSet::new());
    let (after, opened) = reopened(directory.path());
    assert_eq!(after, expected);
    assert_eq!((opened.replayed, opened.damaged), (0, None));
    std::fs::remove_dir_all(directory.path().join("state")).unwrap();
    let (after, opened) = reopened(directory.path());
    assert_eq!(after, expected);
    assert!(opened.checkpoint.is_some());
    assert_eq!(leaks(directory.path()), BTreeSet::new());
}

/// Opens a copy of a directory in three ways, goes on with the erasure, and looks for what is left.
fn check(step: &str, copied: &TempDir, (expected, seqs): (&Dump, &BTreeSet<u64>)) {
    let redacted = without(expected.clone(), seqs);
    let looked = tempfile::tempdir().unwrap();
    copy(copied.path(), looked.path());
    let mut looking = ReadOnly::open(looked.path()).unwrap().0;
    let found = dump(&mut looking);
    assert_eq!(found.rows, expected.rows, "{step}");
    assert_eq!(without(found, seqs).history, redacted.history, "{step}");
    looking.origin().unwrap();
    drop(looking);
    let stateless = tempfile::tempdir().unwrap();
    copy(copied.path(), stateless.path());
    drop(std::fs::remove_dir_all(stateless.path().join("state")));
    for directory in [copied.path(), stateless.path()] {
        let mut store = open_all(directory);
        assert_eq!(dump(&mut store).rows, expected.rows, "{step}");
        if step == "an erasure is done" {
            assert_eq!(store.redact_on().unwrap(), Redaction::Done);
        }
        store.redact_fully().unwrap();
        assert_eq!(leaks(directory), BTreeSet::new(), "{step}");
        assert_eq!(dump(&mut store), redacted, "{step}");
        live(&mut store, 7);
        let gone_on = dump(&mut store);
        drop(store);
        assert_eq!(dump(&mut open_all(directory)), gone_on, "{step}");
    }
}

#[test]
fn a_kill_at_any_step_of_an_erasure_keeps_the_promise_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_all(directory.path());
    let seqs = told(&mut store);
    let expected = dump(&mut store);
    let copies = watch(directory.path());
    store.redact(&seqs).unwrap();
    store.redact_fully().unwrap();
    drop(store);
    let copies = std::mem::take(&mut *copies.lock().unwrap());
    let mut tried = BTreeSet::new();
    for (step, copied) in &copies {
        // The first rewritten segment stands for the others.
        if tried.insert(*step) || *step == "a rewritten segment is named" {
            check(step, copied, (&expected, &seqs));
        }
    }
    for step in [
        "an erasure is promised",
        "the state is written",
        "a checkpoint is begun",
        "a checkpoint is named",
        "a new state has its rows",
        "the old state is moved away",
        "the new state is in its place",
        "a checkpoint that says too much is deleted",
        "the rows are redacted",
        "a segment is rewritten",
        "a rewritten segment is named",
        "a state that is not used is deleted",
        "an erasure is done",
    ] {
        assert!(tried.contains(step), "`{step}` was never met: {tried:?}");
    }
}

#[test]
fn a_store_goes_on_while_an_erasure_is_under_way() {
    for limits in [SMALL, EAGER, LAZY] {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, _) = open(directory.path(), limits);
        let mut memory = MemoryStore::new(store.head().id_key);
        let mut both = |store: &mut LocalStore, inputs| {
            live(store, inputs);
            live(&mut memory, inputs);
        };
        both(&mut store, 40);
        let seqs = BTreeSet::from([1, 2, 3, 17, 29, 40]);
        store.redact(&seqs).unwrap();
        let mut rounds = 0;
        while store.redact_on().unwrap() != Redaction::Done {
            both(&mut store, 1);
            rounds += 1;
        }
        assert!(rounds > 2, "{rounds}");
        both(&mut store, 10);
        let expected = without(dump(&mut memory), &seqs);
        assert_eq!(dump(&mut store), expected, "{limits:?}");
        drop(store);
        assert_eq!(reopened(directory.path()).0, expected, "{limits:?}");
    }
}

#[test]
fn a_checkpoint_under_way_when_an_erasure_begins_is_not_enough() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), EAGER);
    let mut redacted = BTreeSet::new();
    for round in 0..10_u8 {
        // The first write of a day brings a checkpoint, and is under way when the second comes.
        let moment = at(i64::from(round) * 86_400);
        for number in [0, 1] {
            let message = u64::from(round) * 2 + number;
            commit(&mut store, moment, vec![seen(message, moment)]).unwrap();
            redacted.insert(store.head().next_seq - 1);
        }
        store.redact(&redacted).unwrap();
        store.redact_fully().unwrap();
        let history = dump(&mut store).history;
        assert!(history.iter().all(|entry| entry.changes.is_empty()));
    }
}

#[test]
fn a_promise_is_made_wider_and_kept_by_whoever_opens_next() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_all(directory.path());
    live(&mut store, 20);
    store.redact(&BTreeSet::from([3, 4])).unwrap();
    live(&mut store, 20);
    store.redact(&BTreeSet::from([4, 25])).unwrap();
    let expected = without(dump(&mut store), &BTreeSet::from([3, 4, 25]));
    drop(store);
    let mut store = open_all(directory.path());
    assert_ne!(dump(&mut store), expected);
    store.redact_fully().unwrap();
    assert_eq!(dump(&mut store), expected);
    store.redact(&BTreeSet::from([7])).unwrap();
    store.redact_fully().unwrap();
    let expected = without(expected, &BTreeSet::from([7]));
    assert_eq!(dump(&mut store), expected);
}

#[test]
fn a_state_older_than_what_was_redacted_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_all(directory.path());
    live(&mut store, 10);
    store.rows.flush().unwrap();
    let older = tempfile::tempdir().unwrap();
    copy(directory.path(), older.path());
    live(&mut store, 10);
    store.redact(&BTreeSet::from([15])).unwrap();
    store.redact_fully().unwrap();
    drop(store);
    std::fs::remove_dir_all(directory.path().join("state")).unwrap();
    let restored = tempfile::tempdir().unwrap();
    copy(directory.path(), restored.path());
    copy(&older.path().join("state"), &restored.path().join("state"));
    std::fs::remove_dir_all(directory.path().join("checkpoints")).unwrap();
    for path in [directory.path(), restored.path()] {
        let error = LocalStore::open(path, &OPTIONS).unwrap_err();
        assert!(
            matches!(error, StoreError::Redacted { seq: 15, .. }),
            "{error}"
        );
        let text = error.to_string();
        assert!(text.contains("input 15 was redacted"), "{text}");
    }
}

#[test]
fn what_can_be_checked_begins_behind_what_was_redacted() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_all(directory.path());
    live(&mut store, 20);
    store.redact(&BTreeSet::from([5, 18])).unwrap();
    store.redact_fully().unwrap();
    live(&mut store, 5);
    let expected = dump(&mut store);
    drop(store);
    let looking = ReadOnly::open(directory.path()).unwrap().0;
    let origin = looking.origin().unwrap();
    assert_eq!((origin.next_seq, origin.whole_from), (21, 21));
    let history = expected.history.into_iter();
    let batch = Batch {
        entries: history.filter(|entry| entry.seq >= 21).collect(),
        ..Batch::default()
    };
    let mut rows: std::collections::BTreeMap<Key, Row> = origin.rows.into_iter().collect();
    let changed = recover::apply(&batch, &mut |key| Ok(rows.get(key).cloned()));
    for (key, row) in changed.unwrap() {
        match row {
            Some(row) => rows.insert(key, row),
            None => rows.remove(&key),
        };
    }
    let mut kept = expected.rows;
    kept.sort_by(|left, right| left.0.cmp(&right.0));
    assert_eq!(rows.into_iter().collect::<Vec<_>>(), kept);
}

#[test]
fn an_erasure_that_failed_is_tried_again_and_the_store_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = open_all(directory.path());
    let seqs = told(&mut store);
    store.redact(&seqs).unwrap();
    let in_the_way = [
        directory.path().join("state.anew"),
        directory.path().join("log/rewritten.tmp"),
    ];
    std::fs::write(&in_the_way[0], "no directory").unwrap();
    std::fs::create_dir(&in_the_way[1]).unwrap();
    store.redact_fully().unwrap_err();
    live(&mut store, 3);
    std::fs::remove_file(&in_the_way[0]).unwrap();
    store.redact_fully().unwrap_err();
    live(&mut store, 3);
    std::fs::remove_dir(&in_the_way[1]).unwrap();
    let expected = without(dump(&mut store), &seqs);
    store.redact_fully().unwrap();
    assert_eq!(dump(&mut store), expected);
    assert_eq!(leaks(directory.path()), BTreeSet::new());
    drop(store);
    assert_eq!(reopened(directory.path()).0, expected);
}

#[test]
fn old_history_is_forgotten_while_an_erasure_is_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let open = || LocalStore::open_limited(directory.path(), &THREE_DAYS, SMALL).unwrap();
    let (mut store, _) = open();
    let mut seqs = told(&mut store);
    let (begins, _) = store.beginning().unwrap().unwrap();
    assert!(begins > 1);
    seqs.insert(1);
    store.redact(&seqs).unwrap();
    for day in 6..14 {
        a_day(&mut store, day);
        store.redact_on().unwrap();
    }
    store.redact_fully().unwrap();
    let expected = dump(&mut store);
    assert!(expected.history[0].seq > begins);
    assert_eq!(leaks(directory.path()), BTreeSet::new());
    drop(store);
    assert_eq!(dump(&mut open().0), expected);
}
