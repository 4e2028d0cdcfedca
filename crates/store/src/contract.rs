//! What does every store keep to? One suite, run for each.

use std::collections::BTreeSet;
use std::path::Path;

use wayfare_event::{IdKey, Timestamp};
use wayfare_executor::{Key, Row};

use crate::local::{LocalStore, Options};
use crate::sample::{
    VERSION, at, batch, commit, dump, entries, guard, live, message, person, remove, seen,
};
use crate::{Batch, Cursor, LoggedInput, MemoryStore, Redaction, RowKind, Store};

/// Runs `test` on a new store of each kind.
fn check(test: fn(&mut dyn Store)) {
    test(&mut MemoryStore::new(IdKey::STATELESS));
    let directory = tempfile::tempdir().unwrap();
    test(&mut local(directory.path()));
}

fn local(directory: &Path) -> LocalStore {
    let options = Options {
        cache_mb: 16,
        dry: false,
        new_id_key: *IdKey::STATELESS.as_bytes(),
        history_us: i64::MAX,
    };
    LocalStore::open(directory, &options).unwrap().0
}

fn load(store: &mut dyn Store, key: &Key) -> Option<Row> {
    let rows = store.load(std::slice::from_ref(key)).unwrap();
    assert_eq!(rows.len(), 1);
    rows.into_iter().next().flatten()
}

#[test]
fn a_new_store_knows_nothing() {
    check(|store| {
        assert_eq!(store.head().next_seq, 1);
        assert_eq!(store.head().last_at, Timestamp::EPOCH);
        assert_eq!(store.head().cursor, None);
        assert_eq!(store.head().id_key, IdKey::STATELESS);
        let found = dump(store);
        assert_eq!((found.rows, found.history), (vec![], vec![]));
        assert_eq!(load(store, &Key::Person(person(1))), None);
    });
}

#[test]
fn what_was_committed_is_loaded_in_the_order_asked() {
    check(|store| {
        let account = |name: &str| Key::Account(name.into());
        let [a, b] = [1, 2].map(guard);
        store
            .commit(&Batch {
                rows: vec![
                    (account("b"), Some(b.clone())),
                    (account("a"), Some(a.clone())),
                ],
                ..Batch::default()
            })
            .unwrap();
        let asked = ["a", "missing", "b", "a"].map(account);
        let expected = [Some(a.clone()), None, Some(b), Some(a)];
        assert_eq!(store.load(&asked).unwrap(), expected);
    });
}

#[test]
fn a_later_row_replaces_an_earlier_one() {
    check(|store| {
        let key = Key::Version("welcome".into(), VERSION);
        for source in ["first", "second"] {
            let row = Row::Version(source.into());
            let rows = vec![(key.clone(), Some(row.clone()))];
            store
                .commit(&Batch {
                    rows,
                    ..Batch::default()
                })
                .unwrap();
            assert_eq!(load(store, &key), Some(row));
        }
        assert_eq!(dump(store).rows.len(), 1);
    });
}

#[test]
fn the_head_follows_the_batches() {
    check(|store| {
        let entries = entries();
        let whole = batch(store, entries.clone());
        store.commit(&whole).unwrap();
        assert_eq!(store.head().next_seq, entries.len() as u64 + 1);
        assert_eq!(store.head().last_at, at(3));
        assert_eq!(store.head().cursor, whole.cursor);
        let cursor = Some(Cursor {
            file: "other".into(),
            offset: 7,
        });
        store
            .commit(&Batch {
                cursor: cursor.clone(),
                ..Batch::default()
            })
            .unwrap();
        store.commit(&Batch::default()).unwrap();
        assert_eq!(store.head().cursor, cursor);
        assert_eq!(store.head().next_seq, entries.len() as u64 + 1);
    });
}

#[test]
fn the_history_is_visited_from_any_entry_on() {
    check(|store| {
        let entries = entries();
        for entries in entries.chunks(2) {
            let batch = batch(store, entries.to_vec());
            store.commit(&batch).unwrap();
        }
        for from in 0..entries.len() as u64 + 3 {
            let mut visited = Vec::new();
            store
                .history(from, &mut |entry| visited.push(entry.clone()))
                .unwrap();
            let expected = entries.iter().filter(|entry| entry.seq >= from);
            assert_eq!(visited, expected.cloned().collect::<Vec<_>>(), "{from}");
        }
    });
}

#[test]
fn parts_of_the_history_have_every_entry_once() {
    check(|store| {
        live(store, 30);
        let expected = dump(store).history;
        for from in [0, 1, 7, 30, 31] {
            let mut visited = Vec::new();
            let mut next = Some(from);
            while let Some(part) = next {
                next = store
                    .history_part(part, &mut |entry| visited.push(entry.clone()))
                    .unwrap();
                assert!(next.is_none_or(|next| next > part));
            }
            let behind = expected.iter().filter(|entry| entry.seq >= from);
            assert_eq!(visited, behind.cloned().collect::<Vec<_>>(), "{from}");
        }
    });
}

#[test]
fn what_is_redacted_leaves_its_place_and_everything_else() {
    check(|store| {
        live(store, 30);
        let mut expected = dump(store);
        let seqs = BTreeSet::from([1, 7, 8, 30]);
        store.redact(&seqs).unwrap();
        store.redact_fully().unwrap();
        for entry in &mut expected.history {
            if seqs.contains(&entry.seq) {
                entry.input = LoggedInput::Redacted;
                entry.changes.clear();
            }
        }
        assert_eq!(dump(store), expected);
        assert_eq!(store.beginning().unwrap(), Some((1, at(1))));
        assert_eq!(store.redact_on().unwrap(), Redaction::Done);
        live(store, 3);
        assert_eq!(dump(store).history.len(), 33);
    });
}

#[test]
fn the_history_begins_with_the_oldest_entry() {
    check(|store| {
        assert_eq!(store.beginning().unwrap(), None);
        live(store, 3);
        assert_eq!(store.beginning().unwrap(), Some((1, at(1))));
    });
}

#[test]
fn a_scan_visits_one_kind_in_the_order_of_its_keys() {
    check(|store| {
        live(store, 60);
        let mut all = 0;
        for kind in RowKind::ALL {
            let mut keys = Vec::new();
            store
                .scan(kind, &mut |key, row| {
                    assert_eq!(RowKind::of(key), kind);
                    keys.push((key.clone(), row.clone()));
                })
                .unwrap();
            assert!(!keys.is_empty(), "{kind:?}");
            assert!(
                keys.is_sorted_by(|left, right| left.0 < right.0),
                "{kind:?}"
            );
            for (key, row) in &keys {
                assert_eq!(load(store, key).as_ref(), Some(row));
            }
            all += keys.len();
        }
        assert_eq!(all, dump(store).rows.len());
    });
}

fn keys(store: &mut dyn Store, kind: RowKind) -> Vec<Key> {
    let mut keys = Vec::new();
    store
        .scan(kind, &mut |key, _| keys.push(key.clone()))
        .unwrap();
    keys
}

#[test]
fn a_removed_row_is_gone_and_may_come_back() {
    check(|store| {
        live(store, 30);
        for kind in RowKind::ALL {
            let before = keys(store, kind);
            let gone = before[before.len() / 2].clone();
            let row = load(store, &gone);
            remove(store, std::slice::from_ref(&gone));
            assert_eq!(load(store, &gone), None, "{kind:?}");
            let left: Vec<Key> = before.iter().filter(|key| **key != gone).cloned().collect();
            assert_eq!(keys(store, kind), left);
            assert_eq!(store.page(kind, None, 100).unwrap(), left);
            let rows = vec![(gone, row)];
            store
                .commit(&Batch {
                    rows,
                    ..Batch::default()
                })
                .unwrap();
            assert_eq!(keys(store, kind), before);
        }
    });
}

#[test]
fn pages_have_every_key_once_and_in_order() {
    check(|store| {
        live(store, 60);
        for kind in RowKind::ALL {
            let expected = keys(store, kind);
            for limit in [1, 2, 7, 1000] {
                let mut paged: Vec<Key> = Vec::new();
                loop {
                    let page = store.page(kind, paged.last(), limit).unwrap();
                    assert!(page.len() <= limit);
                    if page.is_empty() {
                        break;
                    }
                    paged.extend(page);
                }
                assert_eq!(paged, expected, "{kind:?}, {limit} at a time");
            }
            assert_eq!(store.page(kind, None, 0).unwrap(), []);
        }
    });
}

#[test]
fn a_message_is_known_until_its_day_is_forgotten() {
    check(|store| {
        let day = |days: i64| at(days * 86_400);
        let known = |store: &mut dyn Store, number| {
            let row = load(store, &Key::Message(message(number)));
            row.is_some()
        };
        commit(store, day(0), vec![seen(1, day(0))]).unwrap();
        commit(store, day(7), vec![seen(2, day(7))]).unwrap();
        assert!(known(store, 1) && known(store, 2) && !known(store, 3));
        commit(store, day(8), vec![seen(3, day(8))]).unwrap();
        assert!(!known(store, 1) && known(store, 2) && known(store, 3));
        let mut messages = Vec::new();
        store
            .scan(RowKind::Message, &mut |key, _| messages.push(key.clone()))
            .unwrap();
        let mut expected = [message(2), message(3)].map(Key::Message);
        expected.sort();
        assert_eq!(messages, expected);
    });
}

#[test]
fn both_stores_say_the_same_after_the_same_life() {
    let directory = tempfile::tempdir().unwrap();
    let mut memory = MemoryStore::new(IdKey::STATELESS);
    let mut local = local(directory.path());
    live(&mut memory, 100);
    live(&mut local, 100);
    assert_eq!(dump(&mut memory), dump(&mut local));
}

#[test]
fn memory_keeps_no_history_when_it_need_not() {
    let mut store = MemoryStore::new(IdKey::STATELESS).without_history().dry();
    live(&mut store, 5);
    assert_eq!(dump(&mut store).history, []);
    assert!(store.head().dry);
    assert_eq!(store.head().next_seq, 6);
}
