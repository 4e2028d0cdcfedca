//! What stands in the log? Frames are read one by one while the log is open for appending.

use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::frame::{self, FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX, Found};
use super::{LogError, segment};

/// Hands the frames of one segment to `visit`, each with its sequence number: from `from` on and
/// before `end`. The segment's first frame is `first`.
pub(super) fn segment(
    path: &Path,
    first: u64,
    wanted: std::ops::Range<u64>,
    visit: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, LogError> {
    let file = File::open(path).map_err(LogError::io("open", path))?;
    let mut offset = segment::HEADER_BYTES;
    let mut bytes = Vec::new();
    for sequence in first..wanted.end {
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
            }
            Found::Frame { .. } => return Err(damaged("a frame is out of order")),
            Found::Blank => break,
            Found::Broken(reason) => return Err(damaged(reason)),
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Reads what should be one frame; false at the end of the file.
fn fill(file: &File, offset: u64, bytes: &mut Vec<u8>) -> std::io::Result<bool> {
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
