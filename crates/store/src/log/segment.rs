//! How does a segment come to be? Filled with zeros and synced before it is used, so that a sync of
//! a frame has no metadata to write; named by the first sequence number it holds.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::LogError;

/// Bytes of one segment file.
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes at the start of a segment that say what it is.
pub(super) const HEADER_BYTES: u64 = 16;
/// What a segment starts with; the rest of the header is the first sequence number.
const MAGIC: [u8; 8] = *b"wayflog1";
/// What an unfinished segment is called until it is whole.
const UNFINISHED: &str = "next.tmp";

/// Makes the segment whose first frame will be `first`, and gives its path.
pub(super) fn create(directory: &Path, first: u64) -> Result<PathBuf, LogError> {
    let unfinished = directory.join(UNFINISHED);
    let mut file = File::create(&unfinished).map_err(LogError::io("make", &unfinished))?;
    fill(&mut file, first).map_err(LogError::io("fill", &unfinished))?;
    let path = directory.join(format!("{first:020}.log"));
    std::fs::rename(&unfinished, &path).map_err(LogError::io("name", &path))?;
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(LogError::io("sync", directory))?;
    Ok(path)
}

fn fill(file: &mut File, first: u64) -> std::io::Result<()> {
    let zeros = vec![0; 1024 * 1024];
    file.write_all(&MAGIC)?;
    file.write_all(&first.to_le_bytes())?;
    let mut left = SEGMENT_BYTES - HEADER_BYTES;
    while left > 0 {
        let piece = zeros
            .get(..usize::try_from(left).unwrap_or(usize::MAX))
            .unwrap_or(&zeros);
        file.write_all(piece)?;
        left -= piece.len() as u64;
    }
    file.sync_all()
}

/// Opens a segment for appending.
pub(super) fn open(path: &Path) -> Result<File, LogError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(LogError::io("open", path))
}

/// The segments of a directory, by their first sequence numbers.
pub(super) fn list(directory: &Path) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let failed = || LogError::io("read", directory);
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let first = path
            .extension()
            .filter(|extension| *extension == "log")
            .and_then(|_| {
                let stem = path.file_stem()?.to_str()?;
                stem.parse::<u64>().ok()
            });
        segments.extend(first.map(|first| (first, path)));
    }
    segments.sort();
    Ok(segments)
}

/// Whether these are the first bytes of the segment that starts with `first`.
pub(super) fn header_is(bytes: &[u8], first: u64) -> bool {
    bytes.get(..8) == Some(&MAGIC[..]) && bytes.get(8..16) == Some(&first.to_le_bytes()[..])
}
