//! Is everything ever written still read? The files in `tests/golden` are kept as they are for ever;
//! a new form gets new files.

use std::path::PathBuf;

use super::*;
use crate::sample::{at, entries, rows};
use crate::{Cursor, Entry, LoggedInput, RowKind};

/// The bytes kept for a stored form. When there are none, or others than are written today, those
/// written today are laid beside them: look at them, and take them only if the form is new.
pub(crate) fn golden(name: &str, written: &[u8]) -> Vec<u8> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let path = directory.join(format!("{name}.v1.bin"));
    let kept = std::fs::read(&path).unwrap_or_default();
    if kept != written {
        let new = path.with_extension("bin.new");
        std::fs::write(&new, written).unwrap();
        panic!("`{}` is not what `{}` holds", new.display(), path.display());
    }
    kept
}

#[test]
fn every_row_is_read_and_written_as_the_first_time() {
    for ((name, row), kind) in rows().into_iter().zip([
        RowKind::Person,
        RowKind::Account,
        RowKind::Guard,
        RowKind::Message,
        RowKind::Decision,
        RowKind::Delivery,
        RowKind::Version,
        RowKind::Queued,
        RowKind::Sweep,
        RowKind::Control,
    ]) {
        let (version, bytes) = encode_row(&row);
        assert_eq!(version, 1);
        let kept = golden(name, &bytes);
        assert_eq!(decode_row(kind, 1, &kept).unwrap(), row, "{name}");
    }
}

#[test]
fn a_frame_is_read_and_written_as_the_first_time() {
    let entries = entries();
    let cursor = Cursor {
        file: "events.ndjson".into(),
        offset: 4096,
    };
    let kept = golden("frame", &encode_batch(&entries, Some(&cursor)));
    let batch = decode_batch(&kept).unwrap();
    assert_eq!(batch.entries, entries);
    assert_eq!(batch.cursor, Some(cursor));
}

#[test]
fn a_redacted_frame_is_read_and_written_as_the_first_time() {
    let entry = Entry {
        seq: 7,
        at: at(3),
        input: LoggedInput::Redacted,
        changes: Vec::new(),
    };
    let entries = vec![entry];
    let kept = golden("redacted", &encode_batch(&entries, None));
    assert_eq!(decode_batch(&kept).unwrap().entries, entries);
}

#[test]
fn another_form_is_refused_with_its_number() {
    let error = decode_row(RowKind::Guard, 9, &[0]).unwrap_err();
    assert!(error.to_string().contains("form 9"), "{error}");
    let error = decode_batch(&[9, 0]).unwrap_err();
    assert!(error.to_string().contains("form 9"), "{error}");
    assert!(decode_batch(&[]).is_err());
    assert!(decode_batch(&[1, 0xc1]).is_err());
}
