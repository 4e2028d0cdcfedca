//! Does a state directory keep what it said it keeps, whatever happens to the process and its files?

mod anew;
mod crash;
mod forget;
mod looking;
mod redact;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use wayfare_event::Timestamp;
use wayfare_executor::Change;

use super::state::State;
use super::*;
use crate::log::LogError;
use crate::sample::{Dump, at, commit, dump, live, message, person, remove, seen, trait_set};

/// Writes behind after every batch.
const EAGER: Limits = Limits { rows: 1, ..LAZY };
/// Never writes behind.
const LAZY: Limits = Limits {
    rows: usize::MAX,
    log_bytes: usize::MAX,
    segment_bytes: 256 * 1024,
    messages_per_day: 1000,
};

const OPTIONS: Options = Options {
    cache_mb: 1,
    dry: false,
    new_id_key: [7; 32],
    history_us: i64::MAX,
};

fn open(directory: &Path, limits: Limits) -> (LocalStore, Opened) {
    LocalStore::open_limited(directory, &OPTIONS, limits).unwrap()
}

/// What a directory holds, opened once more.
fn reopened(directory: &Path) -> (Dump, Opened) {
    let (mut store, opened) = open(directory, LAZY);
    (dump(&mut store), opened)
}

/// Where the zeros at the end of a segment begin.
fn used(path: &Path) -> u64 {
    let bytes = std::fs::read(path).unwrap();
    let chunks = bytes.chunks(4096).rposition(|chunk| chunk != [0; 4096]);
    let used = &bytes[..bytes.len().min(chunks.map_or(0, |last| last + 1) * 4096)];
    let last = used.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |last| last as u64 + 1)
}

/// Copies a state directory as a kill would leave it, but for most of the zeros at the end of a
/// segment: a frame may end with some.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else if from.ends_with("log") {
            let bytes = std::fs::read(&path).unwrap();
            let end = usize::try_from(used(&path)).unwrap() + 64;
            std::fs::write(target, &bytes[..bytes.len().min(end)]).unwrap();
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}

/// The only segment of a directory's log.
fn segment(directory: &Path) -> PathBuf {
    let mut entries = std::fs::read_dir(directory.join("log")).unwrap();
    entries.next().unwrap().unwrap().path()
}

#[test]
fn a_closed_store_opens_as_it_was_without_replay() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, opened) = open(directory.path(), LAZY);
    assert_eq!(opened, Opened::default());
    live(&mut store, 50);
    let before = dump(&mut store);
    store.close().unwrap();
    let (after, opened) = reopened(directory.path());
    assert_eq!(after, before);
    assert_eq!(opened, Opened::default());
}

#[test]
fn a_dropped_store_is_recovered_from_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), LAZY);
    live(&mut store, 50);
    let before = dump(&mut store);
    drop(store);
    let (after, opened) = reopened(directory.path());
    assert_eq!(after, before);
    assert_eq!(opened.replayed, 50);
}

#[test]
fn what_holds_for_a_journey_adds_up_when_it_is_recovered() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), LAZY);
    for second in 0..2 {
        let entry = Change::EntryCounted {
            journey: "welcome".into(),
            at: at(second),
            per_us: 3_600_000_000,
        };
        commit(&mut store, at(second), vec![entry]).unwrap();
    }
    let before = dump(&mut store);
    let entries = |(_, row): &(Key, Row)| {
        let Row::Control(control) = row else {
            return None;
        };
        control.window.map(|window| window.entries)
    };
    assert_eq!(before.rows.iter().find_map(entries), Some(2));
    drop(store);
    assert_eq!(reopened(directory.path()).0, before);
}

#[test]
fn a_killed_store_is_recovered_from_state_and_log() {
    for limits in [
        EAGER,
        LAZY,
        Limits { rows: 30, ..LAZY },
        Limits {
            log_bytes: 9000,
            ..LAZY
        },
    ] {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, _) = open(directory.path(), limits);
        for round in 0..4 {
            live(&mut store, 13);
            let before = dump(&mut store);
            let killed = tempfile::tempdir().unwrap();
            copy(directory.path(), killed.path());
            let (after, opened) = reopened(killed.path());
            assert_eq!(after, before, "{limits:?}, round {round}");
            assert_eq!(opened.torn, None);
        }
    }
}

#[test]
fn a_recovered_store_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), EAGER);
    let (mut expected, _) = open(other.path(), LAZY);
    live(&mut expected, 60);
    for _ in 0..3 {
        live(&mut store, 20);
        drop(store);
        (store, _) = open(directory.path(), EAGER);
    }
    assert_eq!(dump(&mut store), dump(&mut expected));
}

#[test]
fn a_torn_tail_gives_the_rows_of_the_batch_before() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), LAZY);
    live(&mut store, 4);
    let before = dump(&mut store);
    let killed = tempfile::tempdir().unwrap();
    copy(directory.path(), killed.path());
    let start = used(&segment(killed.path()));
    live(&mut store, 1);
    let after = dump(&mut store);
    drop(store);
    let whole = tempfile::tempdir().unwrap();
    copy(directory.path(), whole.path());
    for cut in (0..).step_by(7) {
        let torn = tempfile::tempdir().unwrap();
        copy(whole.path(), torn.path());
        let file = OpenOptions::new().write(true).open(segment(torn.path()));
        let file = file.unwrap();
        if start + cut >= used(&segment(torn.path())) {
            assert_eq!(reopened(torn.path()).0, after);
            break;
        }
        file.set_len(start + cut).unwrap();
        let (found, opened) = reopened(torn.path());
        assert_eq!(found, before, "{cut} bytes were written");
        assert_eq!(opened.torn.is_some(), cut > 0, "{cut} bytes were written");
        assert_eq!(opened.replayed, 4);
    }
}

#[test]
fn a_removed_row_leaves_the_state_with_all_its_pieces() {
    for limits in [EAGER, LAZY] {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, _) = open(directory.path(), limits);
        live(&mut store, 20);
        let large = vec![trait_set(1, "text", &"x".repeat(60_000), 21)];
        commit(&mut store, at(21), large).unwrap();
        let mut whole = dump(&mut store);
        store.close().unwrap();
        let (mut store, _) = open(directory.path(), limits);
        let gone = [
            Key::Person(person(1)),
            Key::Message(message(3)),
            Key::Account("a1".into()),
            Key::Account("never there".into()),
        ];
        remove(&mut store, &gone);
        whole.rows.retain(|(key, _)| !gone.contains(key));
        assert_eq!(dump(&mut store).rows, whole.rows, "{limits:?}");
        store.close().unwrap();
        let (after, opened) = reopened(directory.path());
        assert_eq!(after.rows, whole.rows, "{limits:?}");
        assert_eq!(opened.replayed, 0);
        let state = State::open(&directory.path().join("state"), 1 << 20).unwrap();
        assert!(state.pieces().unwrap().is_empty());
    }
}

#[test]
fn pages_see_what_is_written_being_written_and_not_written_yet() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), Limits { rows: 40, ..LAZY });
    for number in 0..300 {
        let changes = vec![trait_set(number, "plan", "pro", number)];
        commit(&mut store, at(0), changes).unwrap();
        if number % 3 == 2 {
            remove(&mut store, &[Key::Person(person(number / 2))]);
        }
        let mut expected = Vec::new();
        let mut after = None;
        loop {
            let page = store.page(RowKind::Person, after.as_ref(), 16).unwrap();
            after = page.last().cloned();
            if after.is_none() {
                break;
            }
            expected.extend(page);
        }
        let mut scanned = Vec::new();
        let mut visit = |key: &Key, _: &Row| scanned.push(key.clone());
        store.scan(RowKind::Person, &mut visit).unwrap();
        assert_eq!(expected, scanned, "after {number}");
    }
}

#[test]
fn what_waited_for_thirty_seconds_is_written_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), LAZY);
    let covered = |store: &LocalStore| {
        let killed = tempfile::tempdir().unwrap();
        copy(directory.path(), killed.path());
        let seq = store.head().next_seq - 1;
        seq - reopened(killed.path()).1.replayed
    };
    assert!(!store.idle(at(1000)).unwrap(), "nothing waits");
    live(&mut store, 3);
    // The clock of who asks counts, not the time of the inputs.
    for second in [1000, 1015, 1029] {
        assert!(store.idle(at(second)).unwrap());
    }
    assert_eq!(covered(&store), 0);
    assert!(store.idle(at(1030)).unwrap());
    store.rows.check().unwrap();
    drop(dump(&mut store));
    assert_eq!(covered(&store), 3);
    assert!(!store.idle(at(1031)).unwrap(), "everything is written");
    live(&mut store, 2);
    assert!(store.idle(at(1500)).unwrap(), "it waits from now on");
    drop(dump(&mut store));
    assert_eq!(covered(&store), 3);
    assert!(store.idle(at(1530)).unwrap());
    drop(dump(&mut store));
    assert_eq!(covered(&store), 5);
}

#[test]
fn damage_anywhere_in_the_state_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), EAGER);
    live(&mut store, 40);
    let before = dump(&mut store);
    store.close().unwrap();
    let length = std::fs::metadata(directory.path().join("state/db"));
    let length = length.unwrap().len();
    for part in 0..8 {
        let damaged = tempfile::tempdir().unwrap();
        copy(directory.path(), damaged.path());
        let file = OpenOptions::new()
            .write(true)
            .open(damaged.path().join("state/db"))
            .unwrap();
        file.write_all_at(&[0xa5; 512], length * part / 8).unwrap();
        match LocalStore::open_limited(damaged.path(), &OPTIONS, LAZY) {
            Ok((mut store, _)) => assert_eq!(dump(&mut store), before, "part {part}"),
            Err(StoreError::State { .. }) => {}
            Err(error) => panic!("part {part}: {error}"),
        }
    }
}

#[test]
fn a_log_that_is_older_than_the_state_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), LAZY);
    live(&mut store, 5);
    store.close().unwrap();
    std::fs::remove_file(segment(directory.path())).unwrap();
    let error = LocalStore::open(directory.path(), &OPTIONS).unwrap_err();
    assert!(matches!(error, StoreError::Apart { .. }), "{error}");
}

#[test]
fn a_directory_in_use_names_its_holder() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = open(directory.path(), LAZY);
    let error = LocalStore::open(directory.path(), &OPTIONS).unwrap_err();
    let own = Some(std::process::id());
    assert!(
        matches!(error, StoreError::InUse { pid, .. } if pid == own),
        "{error}"
    );
    drop(store);
    open(directory.path(), LAZY);
}

#[test]
fn a_dry_state_and_a_real_one_do_not_mix() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path(), LAZY));
    let dry = Options {
        dry: true,
        ..OPTIONS
    };
    let error = LocalStore::open(directory.path(), &dry).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("the state of a real run, and this is a dry run"),
        "{text}"
    );
}

#[test]
fn the_id_key_is_drawn_once() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path(), LAZY));
    let other = Options {
        new_id_key: [9; 32],
        ..OPTIONS
    };
    let (store, _) = LocalStore::open(directory.path(), &other).unwrap();
    assert_eq!(store.head().id_key, IdKey::new([7; 32]));
    drop(store);
    std::fs::remove_file(directory.path().join("meta")).unwrap();
    let error = LocalStore::open(directory.path(), &other).unwrap_err();
    assert!(matches!(error, StoreError::Meta { .. }), "{error}");
}

#[test]
fn after_a_refused_write_nothing_is_taken_and_everything_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), EAGER);
    live(&mut store, 10);
    let before = dump(&mut store);
    store.log.refuse_writes();
    let changes = || vec![seen(99, at(99))];
    let error = commit(&mut store, at(99), changes()).unwrap_err();
    assert!(
        matches!(error, StoreError::Log(LogError::Io { .. })),
        "{error}"
    );
    let error = commit(&mut store, at(99), changes()).unwrap_err();
    assert!(matches!(error, StoreError::Stopped), "{error}");
    assert_eq!(dump(&mut store), before);
    store.close().unwrap();
    assert_eq!(reopened(directory.path()).0, before);
}

#[test]
fn a_row_of_any_size_is_kept_and_leaves_nothing_behind_when_it_shrinks() {
    let directory = tempfile::tempdir().unwrap();
    for (seq, bytes) in (1..).zip([10, 7_100, 7_165, 7_200, 60_000, 20_000, 10]) {
        let (mut store, _) = open(directory.path(), EAGER);
        let changes = vec![trait_set(1, "text", &"x".repeat(bytes), seq)];
        commit(&mut store, at(0), changes).unwrap();
        let before = dump(&mut store);
        store.close().unwrap();
        let (store, opened) = open(directory.path(), LAZY);
        assert_eq!(opened.replayed, 0);
        drop(store);
        assert_eq!(reopened(directory.path()).0, before, "{bytes} bytes");
    }
    let state = State::open(&directory.path().join("state"), 1 << 20).unwrap();
    assert!(state.pieces().unwrap().is_empty());
}

#[test]
fn messages_of_old_days_leave_the_state() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), EAGER);
    let day = |days: i64| at(days * 86_400);
    for days in 0..20 {
        let changes = vec![seen(u64::try_from(days).unwrap(), day(days))];
        commit(&mut store, day(days), changes).unwrap();
    }
    store.close().unwrap();
    let state = State::open(&directory.path().join("state"), 1 << 20).unwrap();
    assert_eq!(state.days().unwrap().len(), 8);
    drop(state);
    let (mut store, _) = open(directory.path(), LAZY);
    let keys: Vec<Key> = (0..25)
        .map(|number| Key::Message(message(number)))
        .collect();
    let known = store.load(&keys).unwrap();
    let known: Vec<usize> = (0..25).filter(|number| known[*number].is_some()).collect();
    assert_eq!(known, (12..20).collect::<Vec<_>>());
}

#[test]
fn more_messages_than_memory_holds_are_known_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let few = Limits {
        messages_per_day: 10,
        ..EAGER
    };
    let all: Vec<Key> = (0..40)
        .map(|number| Key::Message(message(number)))
        .collect();
    let check = |store: &mut LocalStore| {
        let known = store.load(&all).unwrap();
        assert!(known.iter().all(Option::is_some));
        let new = Key::Message(message(99));
        assert_eq!(store.load(&[new]).unwrap(), [None]);
    };
    let (mut store, _) = open(directory.path(), few);
    for number in 0..40 {
        commit(&mut store, at(0), vec![seen(number, at(0))]).unwrap();
    }
    check(&mut store);
    store.close().unwrap();
    check(&mut open(directory.path(), few).0);
}

#[test]
fn rows_beyond_the_cache_are_read_from_the_state() {
    let directory = tempfile::tempdir().unwrap();
    let tiny = Options {
        cache_mb: 0,
        ..OPTIONS
    };
    let (mut store, _) = LocalStore::open_limited(directory.path(), &tiny, EAGER).unwrap();
    for number in 0..300 {
        let changes = vec![trait_set(number, "plan", &number.to_string(), number)];
        commit(&mut store, at(0), changes).unwrap();
    }
    let keys: Vec<Key> = (0..300).map(|number| Key::Person(person(number))).collect();
    let rows = store.load(&keys).unwrap();
    assert!(rows.iter().all(Option::is_some));
    assert_eq!(dump(&mut store).rows.len(), 300);
}

#[test]
fn a_batch_too_large_for_one_frame_takes_more() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), LAZY);
    let text: std::sync::Arc<str> = "x".repeat(FRAME_PAYLOAD_BYTES_MAX / 3).into();
    let entry = |seq| Entry {
        seq,
        at: Timestamp::EPOCH,
        input: crate::LoggedInput::Event {
            source: "test".into(),
            text: text.clone(),
            trust: wayfare_executor::Trust::Verified,
        },
        changes: vec![seen(seq, at(0))],
    };
    let batch = crate::sample::batch(&mut store, (1..=5).map(entry).collect());
    store.commit(&batch).unwrap();
    let before = dump(&mut store);
    drop(store);
    let (after, opened) = reopened(directory.path());
    assert!(after == before);
    assert_eq!(opened.replayed, 5);
}
