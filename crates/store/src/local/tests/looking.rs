//! Does looking inside see everything and change nothing?

use super::*;

/// Every file below a directory and what is in it.
fn files(directory: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn looking_sees_what_was_committed_and_changes_nothing() {
    for limits in [EAGER, LAZY, Limits { rows: 30, ..LAZY }] {
        let directory = tempfile::tempdir().unwrap();
        let (mut store, _) = open(directory.path(), limits);
        live(&mut store, 33);
        let expected = dump(&mut store);
        drop(store);
        let before = files(directory.path());
        let mut looking = ReadOnly::open(directory.path()).unwrap().0;
        assert_eq!(dump(&mut looking), expected, "{limits:?}");
        assert_eq!(looking.beginning().unwrap(), Some((1, at(1))));
        let error = commit(&mut looking, at(99), vec![seen(99, at(99))]).unwrap_err();
        assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
        Box::new(looking).close().unwrap();
        assert!(files(directory.path()) == before, "{limits:?}");
    }
}

#[test]
fn a_torn_tail_stays_where_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (mut store, _) = open(directory.path(), LAZY);
    live(&mut store, 4);
    let expected = dump(&mut store);
    let killed = tempfile::tempdir().unwrap();
    copy(directory.path(), killed.path());
    let path = segment(killed.path());
    let length = used(&path);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"half a frame", length).unwrap();
    let before = files(killed.path());
    let (mut looking, opened) = ReadOnly::open(killed.path()).unwrap();
    assert_eq!(opened.torn.map(|torn| torn.offset), Some(length));
    assert_eq!(dump(&mut looking), expected);
    assert!(files(killed.path()) == before);
}

#[test]
fn many_may_look_and_nobody_may_change_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = open(directory.path(), LAZY);
    let error = ReadOnly::open(directory.path()).unwrap_err();
    let own = Some(std::process::id());
    assert!(
        matches!(error, StoreError::InUse { pid, .. } if pid == own),
        "{error}"
    );
    drop(store);
    let first = ReadOnly::open(directory.path()).unwrap();
    let second = ReadOnly::open(directory.path()).unwrap();
    let error = LocalStore::open(directory.path(), &OPTIONS).unwrap_err();
    assert!(
        matches!(error, StoreError::InUse { pid: None, .. }),
        "{error}"
    );
    drop((first, second));
    open(directory.path(), LAZY);
}

#[test]
fn a_directory_that_holds_no_state_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let error = ReadOnly::open(directory.path()).unwrap_err();
    assert!(matches!(error, StoreError::Meta { .. }), "{error}");
    assert!(files(directory.path()).is_empty());
}
