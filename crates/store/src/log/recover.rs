//! Where does the log end? Every frame that is not covered elsewhere is read and checked; a torn
//! tail is cut, damage is not.
//!
//! Only the last frame can be torn: a frame is appended after the one before it was synced. So what
//! is no frame is a torn tail exactly when nothing whole and newer follows it.

use std::fs::OpenOptions;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::frame::{self, FRAME_HEADER_BYTES, Found};
use super::{LogError, read, segment};

/// A frame that a kill or a power cut left half written. It was never acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// In which file.
    pub path: PathBuf,
    /// Where it began; a log open for appending has blanked it out from here.
    pub offset: u64,
    /// What was wrong with it.
    pub reason: &'static str,
}

/// Where to go on.
#[derive(Debug)]
pub(super) struct End {
    /// The last segment and the byte after its last frame; none in an empty log.
    pub(super) position: Option<(PathBuf, u64)>,
    pub(super) next_sequence: u64,
    pub(super) torn: Option<TornTail>,
}

/// What becomes of a torn tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// It is blanked out, in a segment of so many bytes.
    Cut { segment_bytes: u64 },
    /// Nothing is changed.
    Stays,
}

/// Finds the end. Segments wholly before `from` are trusted: only their headers are read.
pub(super) fn recover(
    directory: &Path,
    from: u64,
    tail: Tail,
    replay: &mut dyn FnMut(u64, &[u8]),
) -> Result<End, LogError> {
    let segments = segment::list(directory)?;
    let mut end = End {
        position: None,
        next_sequence: segments.first().map_or(1, |(first, _)| *first),
        torn: None,
    };
    let mut trusted = true;
    for (index, (first, path)) in segments.iter().enumerate() {
        let next = segments.get(index + 1).map(|(next, _)| *next);
        if next.is_some_and(|next| next <= from) {
            segment::check_header(path, *first)?;
            continue;
        }
        if trusted {
            end.next_sequence = *first;
            trusted = false;
        }
        let bytes = std::fs::read(path).map_err(LogError::io("read", path))?;
        if !segment::header_is(&bytes, *first) {
            return Err(segment::wrong_header(path));
        }
        if *first != end.next_sequence {
            return Err(read::missing(path));
        }
        let segment = Segment {
            path,
            bytes: &bytes,
            last: next.is_none(),
        };
        segment.read(from, tail, &mut end, replay)?;
    }
    Ok(end)
}

/// A segment in memory.
struct Segment<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    last: bool,
}

impl Segment<'_> {
    /// Moves the end to the end of this segment.
    fn read(
        &self,
        from: u64,
        tail: Tail,
        end: &mut End,
        replay: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<(), LogError> {
        let mut offset = segment::HEADER_BYTES;
        let damaged = |offset: u64, reason| LogError::Damaged {
            path: self.path.to_path_buf(),
            offset,
            reason,
        };
        let (rest, reason) = loop {
            let rest = usize::try_from(offset).ok();
            let rest = rest.and_then(|at| self.bytes.get(at..)).unwrap_or_default();
            match frame::decode(rest) {
                Found::Frame {
                    sequence,
                    payload,
                    length,
                } if sequence == end.next_sequence => {
                    if sequence >= from {
                        replay(sequence, payload);
                    }
                    end.next_sequence += 1;
                    offset += length as u64;
                }
                Found::Frame { .. } => return Err(damaged(offset, "a frame is out of order")),
                Found::Blank => break (rest, None),
                Found::Broken(reason) => break (rest, Some(reason)),
            }
        };
        let rest = written(rest);
        // A disk may keep a later page of a frame and lose the first one.
        let headless = self.last && !rest.is_empty();
        let reason = reason.or_else(|| headless.then_some("the beginning of the frame is missing"));
        if holds_newer(rest, end.next_sequence) || (reason.is_some() && !self.last) {
            return Err(damaged(offset, reason.unwrap_or("frames are missing here")));
        }
        if let Some(reason) = reason {
            if let Tail::Cut { segment_bytes } = tail {
                let written = self.bytes.len() as u64;
                blank(self.path, offset..written, segment_bytes)?;
            }
            end.torn = Some(TornTail {
                path: self.path.to_path_buf(),
                offset,
                reason,
            });
        }
        end.position = Some((self.path.to_path_buf(), offset));
        Ok(())
    }
}

/// Zeros to compare with: much quicker than byte by byte.
const ZEROS: [u8; 4096] = [0; 4096];

/// These bytes without the zeros at their end, but for a few; empty when there are only zeros.
fn written(bytes: &[u8]) -> &[u8] {
    let blank = bytes
        .rchunks(ZEROS.len())
        .take_while(|chunk| ZEROS.starts_with(chunk))
        .map(<[u8]>::len)
        .sum();
    let written = bytes.len().saturating_sub(blank);
    bytes.get(..written).unwrap_or_default()
}

/// Whether a whole frame newer than `sequence` begins anywhere in these bytes.
fn holds_newer(bytes: &[u8], sequence: u64) -> bool {
    bytes
        .windows(FRAME_HEADER_BYTES)
        .enumerate()
        .any(|(at, header)| {
            let candidate = header.get(8..16).and_then(|bytes| bytes.try_into().ok());
            candidate.map(u64::from_le_bytes).is_some_and(|found| {
                let near = found > sequence && found - sequence <= bytes.len() as u64;
                near && matches!(
                    frame::decode(bytes.get(at..).unwrap_or_default()),
                    Found::Frame { .. }
                )
            })
        })
}

/// Writes zeros in place of what was written, so that the next frame is followed by nothing.
fn blank(path: &Path, torn: Range<u64>, segment_bytes: u64) -> Result<(), LogError> {
    let failed = || LogError::io("cut the torn tail of", path);
    let file = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(failed())?;
    let length = torn.end.saturating_sub(torn.start);
    let zeros = vec![0; usize::try_from(length).unwrap_or_default()];
    file.write_all_at(&zeros, torn.start).map_err(failed())?;
    file.set_len(segment_bytes.max(torn.end))
        .map_err(failed())?;
    file.sync_all().map_err(failed())
}
