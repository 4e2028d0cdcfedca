//! Is a state made anew as it was, from whatever is left?

use super::*;
use crate::local::checkpoint::{self, Checkpoint};
use crate::sample::{guard, rows};
use crate::stored::tests::golden;

/// A directory with two checkpoints and some log behind them, and what it holds.
fn with_checkpoints(directory: &Path) -> (Dump, [Checkpoint; 2]) {
    let (mut store, _) = open(directory, EAGER);
    for inputs in [10, 15] {
        live(&mut store, inputs);
        store.checkpoint().unwrap();
    }
    live(&mut store, 5);
    let before = dump(&mut store);
    store.close().unwrap();
    let kept = checkpoint::list(directory).unwrap();
    (before, kept.try_into().unwrap())
}

fn without_state(directory: &Path) {
    std::fs::remove_dir_all(directory.join("state")).unwrap();
}

fn damage(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(b"no", file.metadata().unwrap().len() / 2)
        .unwrap();
}

#[test]
fn a_checkpoint_is_written_as_the_first_time() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), LAZY);
    let keys = [
        Key::Person(person(1)),
        Key::Account("a1".into()),
        Key::Guard {
            owner: person(1),
            journey: "welcome".into(),
            key: "cart-9".into(),
        },
        Key::Message(message(1)),
        Key::Decision(wayfare_event::DecisionId::from_bytes([5; 16])),
        Key::Delivery(wayfare_event::DeliveryId::from_bytes([5; 16])),
        Key::Version("welcome".into(), crate::sample::VERSION),
    ];
    let batch = Batch {
        entries: crate::sample::entries().into_iter().take(1).collect(),
        rows: keys
            .into_iter()
            .zip(rows().into_iter().map(|(_, row)| Some(row)))
            .collect(),
        cursor: Some(Cursor {
            file: "events.ndjson".into(),
            offset: 4096,
        }),
    };
    store.commit(&batch).unwrap();
    store.checkpoint().unwrap();
    let [written] = &checkpoint::list(directory.path()).unwrap()[..] else {
        panic!("one checkpoint is written");
    };
    let kept = golden("checkpoint", &std::fs::read(&written.path).unwrap());
    std::fs::write(&written.path, kept).unwrap();
    let mut found = Vec::new();
    let position = checkpoint::rows(&written.path, &mut |rows| {
        found.extend(rows.into_iter().map(|(key, row)| (key, Some(row))));
        Ok(())
    });
    assert_eq!(position.unwrap(), Position::of(1, &store.head));
    found.sort_by(|left, right| left.0.cmp(&right.0));
    assert_eq!(found, batch.rows);
}

#[test]
fn a_state_that_is_gone_is_made_anew_from_the_newest_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let (before, [_, newest]) = with_checkpoints(directory.path());
    without_state(directory.path());
    let (after, opened) = reopened(directory.path());
    assert_eq!(after, before);
    assert_eq!((opened.replayed, opened.frames), (5, 5));
    assert_eq!(opened.checkpoint, Some(newest.path));
    assert_eq!(opened.damaged, None);
    let (after, opened) = reopened(directory.path());
    assert_eq!(after, before);
    assert_eq!(opened.checkpoint, None);
}

#[test]
fn a_damaged_state_is_put_aside_and_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (before, _) = with_checkpoints(directory.path());
    let config = directory.path().join("state/conf");
    std::fs::write(config, "no such configuration").unwrap();
    let (after, opened) = reopened(directory.path());
    assert_eq!(after, before);
    assert_eq!(opened.replayed, 5);
    let aside = directory.path().join("state.damaged-1");
    assert!(aside.is_dir());
    assert_eq!(opened.damaged, Some(aside));
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before_and_that_to_the_log() {
    for (damaged, replayed) in [(1, 20), (2, 30)] {
        let directory = tempfile::tempdir().unwrap();
        let (before, mut kept) = with_checkpoints(directory.path());
        without_state(directory.path());
        kept.reverse();
        for checkpoint in kept.iter().take(damaged) {
            damage(&checkpoint.path);
        }
        let (after, opened) = reopened(directory.path());
        assert_eq!(after, before);
        assert_eq!(opened.replayed, replayed);
        assert_eq!(opened.unreadable.len(), damaged);
        for (aside, checkpoint) in opened.unreadable.iter().zip(&kept) {
            assert!(aside.exists() && !checkpoint.path.exists());
        }
    }
}

#[test]
fn without_checkpoint_and_the_beginning_of_the_log_the_error_names_what_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let (_, kept) = with_checkpoints(directory.path());
    without_state(directory.path());
    for checkpoint in &kept {
        damage(&checkpoint.path);
    }
    let first = segment(directory.path());
    let mut bytes = std::fs::read(&first).unwrap();
    bytes[8] = 11;
    std::fs::remove_file(&first).unwrap();
    let later = directory.path().join("log/00000000000000000011.log");
    std::fs::write(later, &bytes[..16]).unwrap();
    let error = LocalStore::open(directory.path(), &OPTIONS).unwrap_err();
    let text = error.to_string();
    for part in [
        "begins at frame 11",
        ".checkpoint` is damaged",
        "from a backup",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_state_that_went_back_behind_the_log_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let (before, _) = with_checkpoints(directory.path());
    let older = tempfile::tempdir().unwrap();
    let (mut store, _) = open(older.path(), EAGER);
    live(&mut store, 2);
    store.close().unwrap();
    without_state(directory.path());
    copy(&older.path().join("state"), &directory.path().join("state"));
    // The log begins where the older checkpoint ends.
    let first = segment(directory.path());
    let log = Past::open(&directory.path().join("log"), 1, &mut |_, _| ());
    let mut bytes = b"wayflog1".to_vec();
    bytes.extend_from_slice(&11_u64.to_le_bytes());
    log.unwrap()
        .0
        .read(11, &mut |frame, payload| {
            bytes.extend(crate::log::frame::encode(frame, payload).unwrap());
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    std::fs::remove_file(&first).unwrap();
    std::fs::write(first.with_file_name("00000000000000000011.log"), bytes).unwrap();
    let (after, opened) = reopened(directory.path());
    assert_eq!((after.head, after.rows), (before.head, before.rows));
    assert_eq!(opened.replayed, 5);
    assert!(opened.damaged.is_some());
}

#[test]
fn a_checkpoint_of_a_longer_log_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    with_checkpoints(directory.path());
    let other = tempfile::tempdir().unwrap();
    let (mut store, _) = open(other.path(), EAGER);
    live(&mut store, 2);
    store.close().unwrap();
    for part in ["log", "state"] {
        std::fs::remove_dir_all(directory.path().join(part)).unwrap();
        copy(&other.path().join(part), &directory.path().join(part));
    }
    let error = LocalStore::open(directory.path(), &OPTIONS).unwrap_err();
    assert!(matches!(error, StoreError::Apart { .. }), "{error}");
}

#[test]
fn no_changed_byte_and_no_cut_of_a_checkpoint_goes_unnoticed() {
    let directory = tempfile::tempdir().unwrap();
    let (_, [_, newest]) = with_checkpoints(directory.path());
    let whole = std::fs::read(&newest.path).unwrap();
    let is_read = || checkpoint::rows(&newest.path, &mut |_| Ok(())).is_ok();
    assert!(is_read());
    for place in (0..whole.len()).step_by(61) {
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        std::fs::write(&newest.path, changed).unwrap();
        assert!(!is_read(), "byte {place}");
        std::fs::write(&newest.path, &whole[..place]).unwrap();
        assert!(!is_read(), "cut at {place}");
    }
    let more = [&whole[..], &[0]].concat();
    std::fs::write(&newest.path, more).unwrap();
    assert!(is_read(), "a byte behind the end is no frame");
}

#[test]
fn a_removed_row_stays_removed_in_a_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), LAZY);
    live(&mut store, 20);
    store.checkpoint().unwrap();
    let gone = [Key::Person(person(1)), Key::Message(message(3))];
    remove(&mut store, &gone);
    store.checkpoint().unwrap();
    let before = dump(&mut store);
    store.close().unwrap();
    without_state(directory.path());
    let (after, opened) = reopened(directory.path());
    assert_eq!(after, before);
    assert_eq!(opened.replayed, 0);
    assert!(after.rows.iter().all(|(key, _)| !gone.contains(key)));
}

#[test]
fn a_checkpoint_is_written_once_a_day_and_two_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), EAGER);
    let mut written = BTreeSet::new();
    for hours in 0..100 {
        let moment = at(hours * 3600);
        let changes = vec![seen(u64::try_from(hours).unwrap(), moment)];
        commit(&mut store, moment, changes).unwrap();
        store.rows.flush().unwrap();
        let kept = checkpoint::list(directory.path()).unwrap();
        assert!((1..=2).contains(&kept.len()));
        written.extend(kept.into_iter().map(|checkpoint| checkpoint.frame));
    }
    assert_eq!(written.into_iter().collect::<Vec<_>>(), [1, 25, 49, 73, 97]);
}

#[test]
fn what_a_state_half_made_anew_holds_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let (before, _) = with_checkpoints(directory.path());
    without_state(directory.path());
    let state = State::open(&directory.path().join("state"), 1 << 20).unwrap();
    let row = guard(1);
    let stray = Key::Account("stray".into());
    let mut pieces = state.pieces().unwrap();
    state
        .put_rows(&[(&stray, Some(&row))], None, &mut pieces)
        .unwrap();
    state.put_messages(0, &[(message(999), at(0))]).unwrap();
    state.sync().unwrap();
    drop(state);
    assert_eq!(reopened(directory.path()).0, before);
}
