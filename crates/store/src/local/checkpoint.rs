//! What is a state made anew from, without all of the log? Files with every row and the position
//! they cover, of which the two newest are kept. Not here: when one is due (`kept`), and how a
//! block stands on disk (`stored`).
//!
//! A checkpoint is written under another name, synced, renamed, and the directory synced; only then
//! do older ones go. One that has its name is whole, unless the disk loses what it was given.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use wayfare_executor::{Key, Row};

use super::meta::sync_directory;
use super::state::State;
use crate::log::frame::{self, Found};
use crate::log::read;
use crate::position::Position;
use crate::stored::checkpoint::{self as stored, Block};
use crate::{StoreError, step};

/// Where checkpoints are, in a state directory.
const DIRECTORY: &str = "checkpoints";
/// What one is called, behind the number of the last frame it covers.
const EXTENSION: &str = "checkpoint";
/// What an unfinished one is called.
const UNFINISHED: &str = "next.tmp";
/// What one is called that could not be read.
const DAMAGED: &str = "damaged";
/// How many are kept.
pub(super) const KEPT: usize = 2;
/// What the file starts with.
const MAGIC: [u8; 8] = *b"wayfchk1";
/// Bytes of rows that share a frame.
const BLOCK_BYTES: usize = 256 * 1024;

/// A checkpoint, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checkpoint {
    /// The last frame of the log it covers.
    pub(super) frame: u64,
    pub(super) path: PathBuf,
}

/// Why a checkpoint could not be read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// It is damaged, or of an unknown form.
    Unreadable,
    /// What came of its rows failed.
    Other(StoreError),
}

/// The checkpoints of a state directory, the oldest first.
pub(super) fn list(directory: &Path) -> Result<Vec<Checkpoint>, StoreError> {
    let directory = directory.join(DIRECTORY);
    let failed = || StoreError::io("read", &directory);
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed()(error)),
    };
    let mut checkpoints = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed())?.path();
        checkpoints.extend(frame(&path).map(|frame| Checkpoint { frame, path }));
    }
    checkpoints.sort();
    Ok(checkpoints)
}

/// The last frame that a checkpoint covers, by its name; nothing for another file.
fn frame(path: &Path) -> Option<u64> {
    let stem = path
        .extension()
        .filter(|extension| *extension == EXTENSION)
        .and_then(|_| path.file_stem()?.to_str());
    stem?.parse().ok()
}

/// Writes what a state holds, which is what `position` says; its size. Older checkpoints than the
/// two newest go.
pub(super) fn write(
    directory: &Path,
    position: &Position,
    state: &State,
) -> Result<u64, StoreError> {
    let checkpoints = directory.join(DIRECTORY);
    if !checkpoints.exists() {
        std::fs::create_dir(&checkpoints).map_err(StoreError::io("make", &checkpoints))?;
        sync_directory(directory)?;
    }
    let unfinished = checkpoints.join(UNFINISHED);
    let written = fill(directory, &unfinished, position, state);
    if written.is_err() {
        // A disk that is full has better use for the room.
        drop(std::fs::remove_file(&unfinished));
    }
    let bytes = written?;
    let path = path(directory, position.frame);
    std::fs::rename(&unfinished, &path).map_err(StoreError::io("name", &path))?;
    step::done(directory, "a checkpoint is named");
    sync_directory(&checkpoints)?;
    prune(directory)?;
    Ok(bytes)
}

/// Writes a checkpoint into a file and makes that durable; its size.
fn fill(
    directory: &Path,
    path: &Path,
    position: &Position,
    state: &State,
) -> Result<u64, StoreError> {
    let file = File::create(path).map_err(StoreError::io("make", path))?;
    step::done(directory, "a checkpoint is begun");
    let mut writer = Writer {
        file,
        path,
        frames: 0,
        bytes: 0,
    };
    writer.put(&MAGIC)?;
    writer.frame(&stored::start(position))?;
    let mut rows: u64 = 0;
    let mut block = stored::Rows::new();
    state.visit(position, &mut |key, row| {
        block.push(key, row);
        rows = rows.saturating_add(1);
        if block.bytes() >= BLOCK_BYTES {
            let full = std::mem::replace(&mut block, stored::Rows::new());
            writer.frame(full.payload())?;
        }
        Ok(())
    })?;
    writer.frame(block.payload())?;
    step::done(directory, "a checkpoint has its rows");
    writer.frame(&stored::end(rows))?;
    let synced = writer.file.sync_all();
    synced.map_err(StoreError::io("sync", path))?;
    step::done(directory, "a checkpoint is synced");
    Ok(writer.bytes)
}

/// Deletes all checkpoints but the newest.
fn prune(directory: &Path) -> Result<(), StoreError> {
    let checkpoints = list(directory)?;
    let old = checkpoints.len().saturating_sub(KEPT);
    for checkpoint in checkpoints.iter().take(old) {
        let path = &checkpoint.path;
        std::fs::remove_file(path).map_err(StoreError::io("delete", path))?;
        step::done(directory, "an old checkpoint is deleted");
    }
    Ok(())
}

/// Deletes the checkpoints before a frame, and those that were put aside. Meanwhile newer ones may be
/// written, and with them older ones go: an unfinished one is no older than the newest.
pub(super) fn prune_before(directory: &Path, first: u64) -> Result<(), StoreError> {
    let directory = directory.join(DIRECTORY);
    let failed = || StoreError::io("read", &directory);
    for entry in std::fs::read_dir(&directory).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let stays = frame(&path).is_some_and(|frame| frame >= first) || path.ends_with(UNFINISHED);
        if stays {
            continue;
        }
        match std::fs::remove_file(&path) {
            Ok(()) => step::done(&directory, "a checkpoint that says too much is deleted"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::io("delete", &path)(error)),
        }
    }
    sync_directory(&directory)
}

struct Writer<'a> {
    file: File,
    path: &'a Path,
    frames: u64,
    bytes: u64,
}

impl Writer<'_> {
    fn frame(&mut self, payload: &[u8]) -> Result<(), StoreError> {
        self.frames = self.frames.saturating_add(1);
        let frame = frame::encode(self.frames, payload)?;
        self.put(&frame)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let written = self.file.write_all(bytes);
        written.map_err(StoreError::io("write", self.path))
    }
}

/// Puts a checkpoint that could not be read aside, so that nothing relies on it; its new place.
pub(super) fn put_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let aside = path.with_extension(DAMAGED);
    std::fs::rename(path, &aside).map_err(StoreError::io("put aside", path))?;
    Ok(aside)
}

/// Reads the checkpoint of a frame to its end.
pub(super) fn check(directory: &Path, frame: u64) -> Result<(), StoreError> {
    let path = path(directory, frame);
    match rows(&path, &mut |_| Ok(())) {
        Ok(_) => Ok(()),
        Err(ReadError::Other(error)) => Err(error),
        Err(ReadError::Unreadable) => Err(StoreError::Unsound { path }),
    }
}

/// Where the checkpoint of a frame is.
fn path(directory: &Path, frame: u64) -> PathBuf {
    directory
        .join(DIRECTORY)
        .join(format!("{frame:020}.{EXTENSION}"))
}

/// What a checkpoint covers; its rows are not read.
pub(super) fn position(path: &Path) -> Result<Position, ReadError> {
    let mut position = Err(ReadError::Unreadable);
    blocks(path, &mut |block| {
        if let Block::Start(start) = block {
            position = Ok(start);
        }
        // What follows is of no interest here.
        Err(ReadError::Unreadable)
    })
    .or(position)
}

/// Hands the rows of a checkpoint to `take` and gives what it covers, once all of it was read.
pub(super) fn rows(
    path: &Path,
    take: &mut dyn FnMut(Vec<(Key, Row)>) -> Result<(), StoreError>,
) -> Result<Position, ReadError> {
    let mut count: u64 = 0;
    blocks(path, &mut |block| match block {
        Block::Start(_) => Ok(()),
        Block::Rows(rows) => {
            count = count.saturating_add(rows.len() as u64);
            take(rows).map_err(ReadError::Other)
        }
        Block::End(expected) if expected == count => Ok(()),
        Block::End(_) => Err(ReadError::Unreadable),
    })
}

/// Hands every block to `visit`: a start, rows, and an end. Gives what is covered.
fn blocks(
    path: &Path,
    visit: &mut dyn FnMut(Block) -> Result<(), ReadError>,
) -> Result<Position, ReadError> {
    let unreadable = |_| ReadError::Unreadable;
    let mut file = File::open(path).map_err(unreadable)?;
    let mut magic = MAGIC;
    file.read_exact(&mut magic).map_err(unreadable)?;
    if magic != MAGIC {
        return Err(ReadError::Unreadable);
    }
    let mut offset = MAGIC.len() as u64;
    let mut bytes = Vec::new();
    let mut covered = None;
    let mut ended = false;
    for number in 1.. {
        if !read::fill(&file, offset, &mut bytes).map_err(unreadable)? {
            break;
        }
        let Found::Frame {
            sequence,
            payload,
            length,
        } = frame::decode(&bytes)
        else {
            return Err(ReadError::Unreadable);
        };
        let block = stored::decode(payload).map_err(|_| ReadError::Unreadable)?;
        let in_order = (number == 1) == matches!(block, Block::Start(_));
        if sequence != number || !in_order || ended {
            return Err(ReadError::Unreadable);
        }
        match &block {
            Block::Start(position) => covered = Some(position.clone()),
            Block::Rows(_) => {}
            Block::End(_) => ended = true,
        }
        visit(block)?;
        offset = offset.saturating_add(length as u64);
    }
    covered.filter(|_| ended).ok_or(ReadError::Unreadable)
}
