//! Does the log give back what was written, and nothing else, whatever happened to its file? Frames
//! are looked for by a second reader too, which knows only the picture in the log's `frame.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use wayfare_store::log::{FRAME_PAYLOAD_BYTES_MAX, Log, LogError, Past, TornTail};

/// What a segment starts with, and the number of its first frame behind it.
const MAGIC: &[u8; 8] = b"wayflog1";
/// Bytes of a segment before its first frame.
const HEAD_BYTES: usize = 16;
/// Bytes of a frame before its payload.
const HEADER_BYTES: usize = 17;
/// Bytes of the segments that are written here.
const SEGMENT_BYTES: u64 = 4096;

type Frames = Vec<(u64, Vec<u8>)>;

/// Reads the bytes as what follows the header of a segment, and as an account of payloads that are
/// written, and of damage that is done to them.
pub(super) fn read(bytes: &[u8]) {
    looks_like(bytes);
    if let Some((account, payloads)) = bytes.split_first_chunk() {
        damaged(*account, payloads);
    }
}

/// The first segment of a log.
fn first(directory: &tempfile::TempDir) -> PathBuf {
    directory.path().join("00000000000000000001.log")
}

/// In memory where that can be had: nothing here depends on a disk.
fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a directory can be made")
}

/// What is in a log is what a second reader finds in its only segment.
fn looks_like(bytes: &[u8]) {
    let directory = directory();
    let segment = [MAGIC, 1_u64.to_le_bytes().as_slice(), bytes].concat();
    fs::write(first(&directory), &segment).expect("a segment can be written");
    let (found, end) = open(&directory);
    assert_eq!(found, frames(bytes), "another reader finds other frames");
    if let Err(LogError::Damaged { offset, .. }) = &end {
        assert!(*offset <= segment.len() as u64);
    }
    let left = fs::read(first(&directory)).ok();
    assert_eq!(left.as_ref(), Some(&segment), "looking changed it");
    if let Ok(torn) = end {
        goes_on(&directory, &found, torn.is_some());
    }
}

/// The frames that a log has, and how reading it ended.
fn open(directory: &tempfile::TempDir) -> (Frames, Result<Option<TornTail>, LogError>) {
    let mut found = Frames::new();
    let mut keep = |sequence: u64, payload: &[u8]| found.push((sequence, payload.to_vec()));
    let end = Past::open(directory.path(), 1, &mut keep).map(|(_, torn)| torn);
    (found, end)
}

/// The frames at the start of these bytes, in order.
fn frames(mut rest: &[u8]) -> Frames {
    let mut found = Frames::new();
    while let Some((sequence, payload, next)) = frame(rest) {
        if sequence != found.len() as u64 + 1 {
            break;
        }
        found.push((sequence, payload.to_vec()));
        rest = next;
    }
    found
}

/// The frame these bytes begin with, by the picture of one: its number, its payload, what follows.
fn frame(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (header, after) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let [l0, l1, l2, l3, c0, c1, c2, c3, s @ .., version] = *header;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    let (payload, next) = after.split_at_checked(length)?;
    let sum = crc32c::crc32c_append(crc32c::crc32c(header.split_at(8).1), payload);
    let is_whole = sum == u32::from_le_bytes([c0, c1, c2, c3]) && version == 1;
    let is_frame = is_whole && (1..=FRAME_PAYLOAD_BYTES_MAX).contains(&length);
    is_frame.then_some((u64::from_le_bytes(s), payload, next))
}

/// Opened for appending, a log has the same frames, and the next one behind them.
fn goes_on(directory: &tempfile::TempDir, before: &Frames, is_torn: bool) {
    let (mut log, torn) = Log::open(directory.path(), SEGMENT_BYTES, 1, &mut |_, _| ())
        .expect("a log that can be read can be gone on with");
    assert_eq!(torn.is_some(), is_torn);
    let next = log.append(b"next").expect("a frame can be appended");
    log.sync().expect("a frame can be synced");
    drop(log);
    let (found, end) = open(directory);
    let expected = before.iter().cloned().chain([(next, b"next".to_vec())]);
    assert_eq!(found, expected.collect::<Frames>());
    assert_eq!(next, before.len() as u64 + 1);
    assert!(matches!(end, Ok(None)), "{end:?}");
}

/// Writes payloads, does damage at one place, and looks at what is left.
fn damaged(account: [u8; 4], payloads: &[u8]) {
    let directory = directory();
    let [size, kind, at @ ..] = account;
    let payloads: Frames = payloads
        .chunks(usize::from(size).max(1))
        .take(8)
        .zip(1..)
        .map(|(payload, sequence)| (sequence, payload.to_vec()))
        .collect();
    let (segment, ends) = written(&directory, &payloads);
    let place = usize::from(u16::from_le_bytes(at)) % segment.len();
    let mut left = segment.clone();
    let is_flip = match kind % 3 {
        0 => {
            left.truncate(place);
            false
        }
        1 => {
            left.iter_mut().skip(place).for_each(|byte| *byte = 0);
            false
        }
        _ => {
            let bit = 1 << (kind / 3 % 8);
            left.iter_mut()
                .skip(place)
                .take(1)
                .for_each(|it| *it ^= bit);
            true
        }
    };
    fs::write(first(&directory), &left).expect("a segment can be written");
    let (found, end) = open(&directory);
    assert!(
        payloads.starts_with(&found),
        "something that was not written"
    );
    let before = ends.iter().filter(|end| **end <= place).count();
    let is_header = left.get(..HEAD_BYTES) != segment.get(..HEAD_BYTES);
    let lost = payloads.len() - found.len();
    match end {
        // Only what may have been half written when a process died is cut off.
        Ok(_) => assert!(!is_header && found.len() >= before && (lost <= 1 || !is_flip)),
        // A payload that holds a frame looks like a later one, and nothing that may be one is cut off.
        Err(LogError::Damaged { .. }) => {
            let mut places = 0..left.len();
            let later = |at| frame(left.split_at(at).1).filter(|it| it.0 > found.len() as u64);
            let is_inside = places.any(|at| later(at).is_some());
            assert!(is_header || (found.len() >= before && (is_flip || is_inside)));
        }
        Err(other) => panic!("{other}"),
    }
}

/// A segment of these frames as the log writes it, and where each frame ends in it.
fn written(directory: &tempfile::TempDir, payloads: &Frames) -> (Vec<u8>, Vec<usize>) {
    let (mut log, _) = Log::open(directory.path(), SEGMENT_BYTES, 1, &mut |_, _| ())
        .expect("an empty directory can be opened");
    let mut end = HEAD_BYTES;
    let mut ends = Vec::new();
    for (sequence, payload) in payloads {
        let appended = log.append(payload).expect("a frame can be appended");
        assert_eq!(appended, *sequence);
        end += HEADER_BYTES + payload.len();
        ends.push(end);
    }
    log.sync().expect("a frame can be synced");
    let mut segment = fs::read(first(directory)).expect("a segment can be read");
    segment.truncate(end);
    (segment, ends)
}
