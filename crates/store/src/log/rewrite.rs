//! How is a frame of the past replaced? Its segment is written anew under another name, synced, and
//! takes the old one's name. Not here: what stands in a frame.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use super::segment::{self, REWRITTEN};
use super::{LogError, frame, read};
use crate::step;

/// Says what stands in place of a frame: nothing when it stays as it is. Breaking leaves everything
/// as it is.
pub(crate) type Replace<'a> = dyn FnMut(u64, &[u8]) -> ControlFlow<(), Option<Vec<u8>>> + 'a;

/// A segment written anew that has no name yet.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub(super) file: File,
    /// The byte after its last frame.
    pub(super) end: u64,
    path: PathBuf,
}

/// Writes the segment at `path`, which holds these frames, once more, with zeros up to `bytes` where
/// it is appended to. Nothing when `replace` breaks.
pub(super) fn write(
    path: &Path,
    frames: Range<u64>,
    bytes: Option<u64>,
    replace: &mut Replace<'_>,
) -> Result<Option<Rewritten>, LogError> {
    let unfinished = path.with_file_name(REWRITTEN);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&unfinished)
        .map_err(LogError::io("make", &unfinished))?;
    let written = fill((path, file), frames, bytes, replace);
    if !matches!(written, Ok(Some(_))) {
        // A disk that is full has better use for the room.
        drop(std::fs::remove_file(&unfinished));
    }
    let written = written?.map(|(file, end)| Rewritten {
        file,
        end,
        path: unfinished,
    });
    Ok(written)
}

fn fill(
    (path, mut file): (&Path, File),
    frames: Range<u64>,
    bytes: Option<u64>,
    replace: &mut Replace<'_>,
) -> Result<Option<(File, u64)>, LogError> {
    let mut end: u64 = 0;
    let mut put = |bytes: &[u8]| {
        end = end.saturating_add(bytes.len() as u64);
        file.write_all(bytes).map_err(LogError::io("rewrite", path))
    };
    let (first, until) = (frames.start, frames.end);
    let mut written = put(&segment::header(first));
    let read = read::segment(path, first, frames, &mut |sequence, payload| {
        if written.is_err() {
            return ControlFlow::Break(());
        }
        let replaced = replace(sequence, payload)?;
        let frame = frame::encode(sequence, replaced.as_deref().unwrap_or(payload));
        written = frame.and_then(|frame| put(&frame));
        ControlFlow::Continue(())
    })?;
    written?;
    match read {
        ControlFlow::Break(()) => return Ok(None),
        ControlFlow::Continue(next) if next == until => {}
        ControlFlow::Continue(_) => return Err(ends_early(path, end)),
    }
    let zeros = bytes.unwrap_or(0).saturating_sub(end);
    segment::fill(&mut file, &[], zeros).map_err(LogError::io("rewrite", path))?;
    step::done(path, "a segment is rewritten");
    Ok(Some((file, end)))
}

/// That frames should stand at the end of a segment and do not.
fn ends_early(path: &Path, offset: u64) -> LogError {
    LogError::Damaged {
        path: path.to_path_buf(),
        offset,
        reason: "frames are missing here",
    }
}

impl Rewritten {
    /// Gives it the name of the one it stands for.
    pub(super) fn name(&self, path: &Path) -> Result<(), LogError> {
        std::fs::rename(&self.path, path).map_err(LogError::io("name", path))?;
        step::done(path, "a rewritten segment is named");
        Ok(())
    }
}
