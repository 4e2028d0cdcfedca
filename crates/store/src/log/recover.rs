//! Where does the log end? Every frame is read and checked; a torn tail is cut, damage is not.
//!
//! Only the last frame can be torn: a frame is appended after the one before it was synced. So what
//! is no frame is a torn tail exactly when nothing whole and newer follows it.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::frame::{self, FRAME_HEADER_BYTES, Found};
use super::{LogError, segment};

/// A frame that a kill or a power cut left half written. It was never acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// In which file.
    pub path: PathBuf,
    /// Where it began; it was blanked out from here.
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

pub(super) fn recover(
    directory: &Path,
    from: u64,
    replay: &mut dyn FnMut(u64, &[u8]),
) -> Result<End, LogError> {
    let segments = segment::list(directory)?;
    let mut end = End {
        position: None,
        next_sequence: segments.first().map_or(1, |(first, _)| *first),
        torn: None,
    };
    for (index, (first, path)) in segments.iter().enumerate() {
        let bytes = std::fs::read(path).map_err(LogError::io("read", path))?;
        let damaged = |offset: u64, reason| LogError::Damaged {
            path: path.clone(),
            offset,
            reason,
        };
        if !segment::header_is(&bytes, *first) {
            return Err(damaged(0, "this is not the segment its name says"));
        }
        if *first != end.next_sequence {
            return Err(damaged(0, "frames are missing before this segment"));
        }
        let mut offset = segment::HEADER_BYTES;
        let last = index + 1 == segments.len();
        loop {
            let rest = usize::try_from(offset).ok().and_then(|at| bytes.get(at..));
            let rest = rest.unwrap_or_default();
            let reason = match frame::decode(rest) {
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
                    continue;
                }
                Found::Frame { .. } => return Err(damaged(offset, "a frame is out of order")),
                Found::Blank => None,
                Found::Broken(reason) => Some(reason),
            };
            if holds_newer(rest, end.next_sequence) || (reason.is_some() && !last) {
                return Err(damaged(offset, reason.unwrap_or("frames are missing here")));
            }
            if let Some(reason) = reason {
                blank(path, offset, bytes.len() as u64)?;
                end.torn = Some(TornTail {
                    path: path.clone(),
                    offset,
                    reason,
                });
            }
            break;
        }
        end.position = Some((path.clone(), offset));
    }
    Ok(end)
}

/// Zeros to compare with: much quicker than byte by byte.
const ZEROS: [u8; 4096] = [0; 4096];

/// Whether a whole frame newer than `sequence` begins anywhere in these bytes.
fn holds_newer(bytes: &[u8], sequence: u64) -> bool {
    let blank = bytes
        .rchunks(ZEROS.len())
        .take_while(|chunk| ZEROS.starts_with(chunk))
        .map(<[u8]>::len)
        .sum();
    let written = bytes.len().saturating_sub(blank);
    let bytes = bytes.get(..written).unwrap_or_default();
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

/// Writes zeros from `offset` on, so that the next frame is followed by nothing.
fn blank(path: &Path, offset: u64, length: u64) -> Result<(), LogError> {
    let failed = || LogError::io("cut the torn tail of", path);
    let file = OpenOptions::new()
        .write(true)
        .open(path)
        .map_err(failed())?;
    let zeros = vec![0; usize::try_from(length.saturating_sub(offset)).unwrap_or_default()];
    file.write_all_at(&zeros, offset).map_err(failed())?;
    file.set_len(segment::SEGMENT_BYTES.max(length))
        .map_err(failed())?;
    file.sync_all().map_err(failed())
}
