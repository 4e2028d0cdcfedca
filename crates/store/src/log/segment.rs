//! How does a segment come to be, and go? Filled with zeros and synced before it is used, so that a
//! sync of a frame has no metadata to write; named by the first sequence number it holds. A spare
//! one is filled in advance, from an old one where there is one.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::LogError;
use crate::step;

/// Bytes of one segment file.
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes at the start of a segment that say what it is.
pub(super) const HEADER_BYTES: u64 = 16;
/// What a segment starts with; the rest of the header is the first sequence number.
const MAGIC: [u8; 8] = *b"wayflog1";
/// What an unfinished segment is called until it is whole.
const UNFINISHED: &str = "next.tmp";
/// What a segment is called that is filled with zeros and waits to be used.
const SPARE: &str = "spare";
/// What it is called until it is filled.
const UNFILLED: &str = "spare.tmp";
/// What a segment is called that left the log, until it becomes a spare one. Only who appends to the
/// log makes it, and only who fills spare segments takes it: they need not wait for each other.
const RETIRED: &str = "retired";
/// What a segment is called that is written anew.
pub(super) const REWRITTEN: &str = "rewritten.tmp";

/// Makes the segment whose first frame will be `first`, of the spare one or anew, and gives its
/// path.
pub(super) fn create(directory: &Path, first: u64, bytes: u64) -> Result<PathBuf, LogError> {
    let spare = directory.join(SPARE);
    let source = match OpenOptions::new().write(true).open(&spare) {
        Ok(file) => {
            file.write_all_at(&header(first), 0)
                .and_then(|()| file.sync_all())
                .map_err(LogError::io("write", &spare))?;
            step::done(directory, "the spare segment has a header");
            spare
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let unfinished = directory.join(UNFINISHED);
            let mut file = File::create(&unfinished).map_err(LogError::io("make", &unfinished))?;
            fill(&mut file, &header(first), bytes).map_err(LogError::io("fill", &unfinished))?;
            step::done(directory, "a new segment is filled");
            unfinished
        }
        Err(error) => return Err(LogError::io("open", &spare)(error)),
    };
    let path = directory.join(format!("{first:020}.log"));
    std::fs::rename(&source, &path).map_err(LogError::io("name", &path))?;
    step::done(directory, "a segment is named");
    sync(directory)?;
    Ok(path)
}

/// Fills a spare segment with zeros, unless one waits already; of a retired one, if there is one.
pub(crate) fn prepare(directory: &Path, bytes: u64) -> Result<(), LogError> {
    let spare = directory.join(SPARE);
    if spare.exists() {
        return Ok(());
    }
    let unfilled = directory.join(UNFILLED);
    match std::fs::rename(directory.join(RETIRED), &unfilled) {
        Ok(()) => step::done(directory, "a retired segment is taken"),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(LogError::io("name", &unfilled)(error)),
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&unfilled)
        .map_err(LogError::io("make", &unfilled))?;
    let filled = fill(&mut file, &[], bytes).and_then(|()| {
        step::done(directory, "a spare segment is filled");
        file.set_len(bytes).and_then(|()| file.sync_all())
    });
    if let Err(error) = filled {
        // A disk that is full has better use for the room.
        drop(std::fs::remove_file(&unfilled));
        return Err(LogError::io("fill", &unfilled)(error));
    }
    std::fs::rename(&unfilled, &spare).map_err(LogError::io("name", &spare))?;
    step::done(directory, "a spare segment is named");
    sync(directory)
}

/// Takes a segment out of the log: the next spare one is made of it, or it goes.
pub(super) fn retire(directory: &Path, path: &Path) -> Result<(), LogError> {
    let retired = directory.join(RETIRED);
    if retired.exists() {
        std::fs::remove_file(path).map_err(LogError::io("delete", path))?;
        step::done(directory, "an old segment is deleted");
    } else {
        std::fs::rename(path, &retired).map_err(LogError::io("name", &retired))?;
        step::done(directory, "an old segment is retired");
    }
    // One after the other: what is left never has a gap.
    sync(directory)
}

/// Deletes what left the log and was not blanked out, and what was never finished. A spare segment that
/// is being filled meanwhile is lost and made anew when it is needed: what is retired goes first, so
/// that nothing comes by unseen.
pub(super) fn clear(directory: &Path) -> Result<(), LogError> {
    for name in [RETIRED, UNFILLED, UNFINISHED, REWRITTEN] {
        let path = directory.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => step::done(directory, "a segment that left the log is deleted"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(LogError::io("delete", &path)(error)),
        }
    }
    sync(directory)
}

pub(super) fn header(first: u64) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&first.to_le_bytes());
    header
}

/// Writes a header and zeros behind it, `bytes` in all, from the start of a file.
pub(super) fn fill(file: &mut File, header: &[u8], bytes: u64) -> std::io::Result<()> {
    let zeros = vec![0; 1024 * 1024];
    file.write_all(header)?;
    let mut left = bytes.saturating_sub(header.len() as u64);
    while left > 0 {
        let piece = zeros
            .get(..usize::try_from(left).unwrap_or(usize::MAX))
            .unwrap_or(&zeros);
        file.write_all(piece)?;
        left -= piece.len() as u64;
    }
    file.sync_all()
}

pub(super) fn sync(directory: &Path) -> Result<(), LogError> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(LogError::io("sync", directory))
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

/// The sequence number of the first frame of each segment, in order; none where there is no log.
pub(crate) fn starts(directory: &Path) -> Result<Vec<u64>, LogError> {
    if !directory.exists() {
        return Ok(Vec::new());
    }
    let segments = list(directory)?;
    Ok(segments.into_iter().map(|(first, _)| first).collect())
}

/// Whether these are the first bytes of the segment that starts with `first`.
pub(super) fn header_is(bytes: &[u8], first: u64) -> bool {
    bytes.starts_with(&header(first))
}

/// Whether a file is the segment that starts with `first`; the rest of it is not read.
pub(super) fn check_header(path: &Path, first: u64) -> Result<(), LogError> {
    let mut bytes = header(0);
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut bytes, 0));
    match read {
        Ok(()) if header_is(&bytes, first) => Ok(()),
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
            Err(LogError::io("read", path)(error))
        }
        Ok(()) | Err(_) => Err(wrong_header(path)),
    }
}

pub(super) fn wrong_header(path: &Path) -> LogError {
    LogError::Damaged {
        path: path.to_path_buf(),
        offset: 0,
        reason: "this is not the segment its name says",
    }
}
