//! Does the log keep what it said it keeps, whatever is cut, flipped or torn?

use super::*;
use std::fs::OpenOptions;
use std::ops::ControlFlow;

type Frames = Vec<(u64, Vec<u8>)>;

fn open(directory: &Path) -> (Log, Frames, Option<TornTail>) {
    open_of(directory, SEGMENT_BYTES)
}

fn open_of(directory: &Path, segment_bytes: u64) -> (Log, Frames, Option<TornTail>) {
    let mut frames = Vec::new();
    let mut keep = |sequence, payload: &[u8]| frames.push((sequence, payload.to_vec()));
    let (log, torn) = Log::open(directory, segment_bytes, 1, &mut keep).unwrap();
    (log, frames, torn)
}

/// A log of three frames, closed; the path of its segment and the offset of its last frame.
fn three_frames(directory: &Path) -> (PathBuf, u64) {
    let (mut log, frames, _) = open(directory);
    assert!(frames.is_empty());
    log.append(b"one").unwrap();
    log.append(b"two").unwrap();
    let last = log.offset;
    log.append(b"three").unwrap();
    log.sync().unwrap();
    (log.segment_path.clone(), last)
}

fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, offset).unwrap();
}

#[test]
fn what_was_appended_is_replayed_in_order_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    three_frames(directory.path());
    let (mut log, frames, torn) = open(directory.path());
    let expected = [
        (1, b"one".to_vec()),
        (2, b"two".to_vec()),
        (3, b"three".to_vec()),
    ];
    assert_eq!((frames.as_slice(), torn), (&expected[..], None));
    assert_eq!(log.append(b"four").unwrap(), 4);
}

#[test]
fn replay_starts_where_it_is_told() {
    let directory = tempfile::tempdir().unwrap();
    three_frames(directory.path());
    let mut seen = Vec::new();
    Log::open(directory.path(), SEGMENT_BYTES, 3, &mut |sequence, _| {
        seen.push(sequence);
    })
    .unwrap();
    assert_eq!(seen, [3]);
}

#[test]
fn a_torn_tail_is_cut_and_reported_and_its_place_is_used_again() {
    for torn_bytes in [1, 5, 9, 20] {
        let directory = tempfile::tempdir().unwrap();
        let (path, last) = three_frames(directory.path());
        overwrite(&path, last + torn_bytes, &[0; 32]);
        let (mut log, frames, torn) = open(directory.path());
        assert_eq!(frames.len(), 2, "{torn_bytes} bytes were written");
        assert_eq!(torn.unwrap().offset, last);
        assert_eq!(log.append(b"again").unwrap(), 3);
        log.sync().unwrap();
        let (_, frames, torn) = open(directory.path());
        assert_eq!(frames.last(), Some(&(3, b"again".to_vec())));
        assert_eq!(torn, None);
    }
}

#[test]
fn a_torn_tail_that_lost_its_beginning_is_cut_and_reported() {
    let directory = tempfile::tempdir().unwrap();
    let (path, last) = three_frames(directory.path());
    overwrite(&path, last, &[0; 40]);
    overwrite(&path, last + 4096, b"a later page");
    let (_, frames, torn) = open(directory.path());
    assert_eq!((frames.len(), torn.unwrap().offset), (2, last));
    let (_, frames, torn) = open(directory.path());
    assert_eq!((frames.len(), torn), (2, None));
}

#[test]
fn damage_before_the_tail_is_an_error_that_says_where() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = three_frames(directory.path());
    overwrite(&path, segment::HEADER_BYTES + 18, b"X");
    let error = Log::open(directory.path(), SEGMENT_BYTES, 1, &mut |_, _| ()).unwrap_err();
    assert!(matches!(error, LogError::Damaged { offset, .. } if offset == segment::HEADER_BYTES));
    assert!(
        error.to_string().contains("restore the state directory"),
        "{error}"
    );
}

#[test]
fn a_frame_blanked_out_before_the_tail_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (path, last) = three_frames(directory.path());
    let start = segment::HEADER_BYTES;
    overwrite(
        &path,
        start,
        &vec![0; usize::try_from(last - start).unwrap()],
    );
    assert!(matches!(
        Log::open(directory.path(), SEGMENT_BYTES, 1, &mut |_, _| ()).unwrap_err(),
        LogError::Damaged { .. }
    ));
}

#[test]
fn a_full_segment_is_followed_by_another() {
    let directory = tempfile::tempdir().unwrap();
    let (mut log, ..) = open(directory.path());
    let payload = vec![7; FRAME_PAYLOAD_BYTES_MAX];
    for sequence in 1..=3 {
        assert_eq!(log.append(&payload).unwrap(), sequence);
    }
    log.sync().unwrap();
    assert_eq!(segment::list(directory.path()).unwrap().len(), 3);
    let mut seen = Vec::new();
    Log::open(
        directory.path(),
        SEGMENT_BYTES,
        1,
        &mut |sequence, payload| {
            seen.push((sequence, payload.len()));
        },
    )
    .unwrap();
    assert_eq!(
        seen,
        [1, 2, 3].map(|sequence| (sequence, FRAME_PAYLOAD_BYTES_MAX))
    );
}

#[test]
fn a_missing_segment_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (mut log, ..) = open(directory.path());
    let payload = vec![7; FRAME_PAYLOAD_BYTES_MAX];
    for _ in 0..3 {
        log.append(&payload).unwrap();
    }
    let segments = segment::list(directory.path()).unwrap();
    std::fs::remove_file(&segments[1].1).unwrap();
    let error = Log::open(directory.path(), SEGMENT_BYTES, 1, &mut |_, _| ()).unwrap_err();
    assert!(error.to_string().contains("frames are missing"), "{error}");
}

#[test]
fn a_segment_that_was_never_finished_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("next.tmp"), b"half").unwrap();
    let (mut log, frames, _) = open(directory.path());
    assert!(frames.is_empty());
    assert_eq!(log.append(b"one").unwrap(), 1);
}

#[test]
fn frames_are_read_while_the_log_is_open() {
    let directory = tempfile::tempdir().unwrap();
    let (mut log, ..) = open(directory.path());
    log.append(b"one").unwrap();
    log.append(&vec![7; FRAME_PAYLOAD_BYTES_MAX]).unwrap();
    log.append(&vec![8; FRAME_PAYLOAD_BYTES_MAX]).unwrap();
    log.append(b"four").unwrap();
    assert_eq!(log.past().segment_starts().unwrap(), [1, 3]);
    let read = |from, until| {
        let mut seen = Vec::new();
        log.past()
            .read(from, &mut |sequence, payload| {
                seen.push((sequence, payload.len()));
                if sequence == until {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .unwrap();
        seen
    };
    let large = FRAME_PAYLOAD_BYTES_MAX;
    assert_eq!(read(1, 9), [(1, 3), (2, large), (3, large), (4, 4)]);
    assert_eq!(read(2, 3), [(2, large), (3, large)]);
    assert_eq!(read(4, 9), [(4, 4)]);
    assert_eq!(read(5, 9), []);
}

/// Bytes of a segment that has room for one frame of 3,000 bytes.
const SMALL: u64 = 4096;

/// A log of three segments, with one frame each, and their paths.
fn three_segments(directory: &Path) -> Vec<PathBuf> {
    let (mut log, ..) = open_of(directory, SMALL);
    for _ in 0..3 {
        log.append(&vec![7; 3000]).unwrap();
    }
    log.sync().unwrap();
    let segments = segment::list(directory).unwrap();
    segments.into_iter().map(|(_, path)| path).collect()
}

#[test]
fn segments_before_the_frame_that_is_wanted_are_not_read_but_for_their_headers() {
    let directory = tempfile::tempdir().unwrap();
    let paths = three_segments(directory.path());
    overwrite(&paths[0], segment::HEADER_BYTES + 100, b"X");
    let open_from = |from| {
        let mut seen = Vec::new();
        let opened = Log::open(directory.path(), SMALL, from, &mut |sequence, _| {
            seen.push(sequence);
        });
        opened.map(|(log, _)| (log.past().next_sequence(), seen))
    };
    assert_eq!(open_from(2).unwrap(), (4, vec![2, 3]));
    assert_eq!(open_from(4).unwrap(), (4, vec![]));
    // Whoever wants the history reads it and is told.
    assert!(open_from(1).is_err());
    let (past, _) = Past::open(directory.path(), 4, &mut |_, _| ()).unwrap();
    let read = past.read(1, &mut |_, _| ControlFlow::Continue(()));
    assert!(matches!(read, Err(LogError::Damaged { .. })));
    overwrite(&paths[0], 9, b"X");
    let error = open_from(4).unwrap_err();
    assert!(
        error.to_string().contains("not the segment its name says"),
        "{error}"
    );
}

#[test]
fn a_gap_in_the_history_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let paths = three_segments(directory.path());
    std::fs::remove_file(&paths[1]).unwrap();
    let (past, _) = Past::open(directory.path(), 4, &mut |_, _| ()).unwrap();
    let error = past
        .read(1, &mut |_, _| ControlFlow::Continue(()))
        .unwrap_err();
    assert!(error.to_string().contains("frames are missing"), "{error}");
}

#[test]
fn the_oldest_segment_is_forgotten_and_the_one_in_use_is_not() {
    let directory = tempfile::tempdir().unwrap();
    three_segments(directory.path());
    let (mut log, ..) = open_of(directory.path(), SMALL);
    for expected in [vec![2, 3], vec![3], vec![3]] {
        log.forget_oldest().unwrap();
        assert_eq!(log.past().segment_starts().unwrap(), expected);
    }
    assert_eq!(log.append(b"four").unwrap(), 4);
    log.sync().unwrap();
    drop(log);
    let (_, frames, torn) = open_of(directory.path(), SMALL);
    assert_eq!((frames.len(), torn), (2, None));
}

#[test]
fn a_spare_segment_made_of_an_old_one_is_blank() {
    let directory = tempfile::tempdir().unwrap();
    three_segments(directory.path());
    let (mut log, ..) = open_of(directory.path(), SMALL);
    log.forget_oldest().unwrap();
    segment::prepare(directory.path(), SMALL).unwrap();
    let spare = std::fs::read(directory.path().join("spare")).unwrap();
    assert_eq!(spare.len() as u64, SMALL);
    assert!(spare.iter().all(|byte| *byte == 0));
    log.append(&vec![7; 3000]).unwrap();
    log.sync().unwrap();
    assert!(!directory.path().join("spare").exists());
    let (log, frames, _) = open_of(directory.path(), SMALL);
    assert_eq!((frames.len(), log.past().next_sequence()), (3, 5));
}
