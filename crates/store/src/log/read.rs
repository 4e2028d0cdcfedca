//! What stands in the log? Frames are read one by one, also while the log is open for appending.

use std::fs::File;
use std::ops::{ControlFlow, Range};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::frame::{self, FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX, Found};
use super::recover::{self, Tail, TornTail};
use super::{LogError, segment};

/// What a log holds, for reading only.
#[derive(Debug)]
pub struct Past {
    pub(super) directory: PathBuf,
    pub(super) next_sequence: u64,
}

impl Past {
    /// Opens the log in `directory` without changing anything, and hands every frame from the
    /// sequence number `from` on to `replay`, in order. A torn tail is reported and stays.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read, or a frame before the tail is damaged.
    pub fn open(
        directory: &Path,
        from: u64,
        replay: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<(Self, Option<TornTail>), LogError> {
        let end = recover::recover(directory, from, Tail::Stays, replay)?;
        let past = Self {
            directory: directory.to_path_buf(),
            next_sequence: end.next_sequence,
        };
        Ok((past, end.torn))
    }

    /// The directory of the log.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The sequence number the next frame will have.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Hands every frame from the sequence number `from` on to `visit`, in order, until it breaks.
    ///
    /// # Errors
    ///
    /// When a segment cannot be read, a frame is damaged, or frames are missing.
    pub fn read(
        &self,
        from: u64,
        visit: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), LogError> {
        let segments = segment::list(&self.directory)?;
        let later = segments.partition_point(|(first, _)| *first <= from);
        let mut expected = None;
        for (first, path) in segments.iter().skip(later.saturating_sub(1)) {
            if expected.is_some_and(|expected| expected != *first) {
                return Err(missing(path));
            }
            match segment(path, *first, from..self.next_sequence, visit)? {
                ControlFlow::Continue(next) => expected = Some(next),
                ControlFlow::Break(()) => return Ok(()),
            }
        }
        Ok(())
    }

    /// The sequence number of the first frame of each segment, in order.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    pub fn segment_starts(&self) -> Result<Vec<u64>, LogError> {
        segment::starts(&self.directory)
    }
}

/// That frames should stand before this segment and do not.
pub(super) fn missing(path: &Path) -> LogError {
    LogError::Damaged {
        path: path.to_path_buf(),
        offset: 0,
        reason: "frames are missing before this segment",
    }
}

/// Hands the frames of one segment to `visit`, each with its sequence number: those that are
/// wanted. The segment's first frame is `first`; gives the sequence number after its last.
pub(super) fn segment(
    path: &Path,
    first: u64,
    wanted: Range<u64>,
    visit: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> Result<ControlFlow<(), u64>, LogError> {
    let file = File::open(path).map_err(LogError::io("open", path))?;
    let mut offset = segment::HEADER_BYTES;
    let mut bytes = Vec::new();
    let mut sequence = first;
    while sequence < wanted.end {
        let damaged = |reason| LogError::Damaged {
            path: path.to_path_buf(),
            offset,
            reason,
        };
        if !fill(&file, offset, &mut bytes).map_err(LogError::io("read", path))? {
            break;
        }
        match frame::decode(&bytes) {
            Found::Frame {
                sequence: found,
                payload,
                length,
            } if found == sequence => {
                if sequence >= wanted.start && visit(sequence, payload).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                offset += length as u64;
                sequence += 1;
            }
            Found::Frame { .. } => return Err(damaged("a frame is out of order")),
            Found::Blank => break,
            Found::Broken(reason) => return Err(damaged(reason)),
        }
    }
    Ok(ControlFlow::Continue(sequence))
}

/// Reads what should be one frame; false at the end of the file.
pub(crate) fn fill(file: &File, offset: u64, bytes: &mut Vec<u8>) -> std::io::Result<bool> {
    let mut header = [0; FRAME_HEADER_BYTES];
    if let Err(error) = file.read_exact_at(&mut header, offset) {
        let ended = error.kind() == std::io::ErrorKind::UnexpectedEof;
        return if ended { Ok(false) } else { Err(error) };
    }
    let [l0, l1, l2, l3, ..] = header;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    bytes.clear();
    bytes.extend_from_slice(&header);
    bytes.resize(FRAME_HEADER_BYTES + length.min(FRAME_PAYLOAD_BYTES_MAX), 0);
    if let Some(payload) = bytes.get_mut(FRAME_HEADER_BYTES..) {
        file.read_exact_at(payload, offset + FRAME_HEADER_BYTES as u64)?;
    }
    Ok(true)
}
