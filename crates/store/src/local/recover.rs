//! What did the log say after the state was written? Its changes are applied, never decided again.
//! A state that cannot be used is put aside and made anew, from the newest checkpoint that can be
//! read and the log behind it, else from the whole log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayfare_executor::{Key, Row, Snapshot};

use super::behind::{self, Rows};
use super::checkpoint::{self, Checkpoint, ReadError};
use super::kept::Kept;
use super::rows::{Limits, LiveRows};
use super::state::{OpenError, Pieces, State};
use crate::log::segment;
use crate::position::Position;
use crate::stored::decode_batch;
use crate::{Batch, LoggedInput, StoreError, step};

/// What a state was made anew from.
#[derive(Debug, Default)]
pub(super) struct Base {
    /// What it covers.
    pub(super) position: Position,
    /// The checkpoint; none when it begins with the log.
    pub(super) checkpoint: Option<PathBuf>,
    /// Checkpoints that could not be read.
    pub(super) unreadable: Vec<PathBuf>,
}

/// How much memory may be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) rows_bytes: usize,
    pub(super) sled_bytes: u64,
}

/// The rows of a directory, and how they were come by.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) rows: LiveRows,
    pub(super) position: Position,
    /// Where a state went that could not be used.
    pub(super) aside: Option<PathBuf>,
    /// The checkpoint they were made anew from.
    pub(super) checkpoint: Option<PathBuf>,
    /// Checkpoints that could not be read, in their new places.
    pub(super) unreadable: Vec<PathBuf>,
}

/// The first frame of the log of a state directory; 1 without a log.
pub(super) fn log_begins(directory: &Path) -> Result<u64, StoreError> {
    let starts = segment::starts(&directory.join("log"))?;
    Ok(starts.first().copied().unwrap_or(1))
}

/// Opens the rows of a directory, made anew when they are damaged or gone.
pub(super) fn open_rows(
    directory: &Path,
    memory: Memory,
    limits: Limits,
) -> Result<Found, StoreError> {
    let path = directory.join("state");
    match try_open(directory, memory, limits) {
        Ok(found) => Ok(found),
        Err(OpenError::Other(error)) => Err(error),
        Err(OpenError::Damaged(_)) => {
            let aside = put_aside(&path)?;
            match try_open(directory, memory, limits) {
                Ok(found) => Ok(Found {
                    aside: Some(aside),
                    ..found
                }),
                Err(OpenError::Damaged(problem)) => Err(StoreError::state(&path, &problem)),
                Err(OpenError::Other(error)) => Err(error),
            }
        }
    }
}

fn try_open(directory: &Path, memory: Memory, limits: Limits) -> Result<Found, OpenError> {
    let begins = log_begins(directory)?;
    let state = State::open(&directory.join("state"), memory.sled_bytes)?;
    let mut base = Base {
        position: state.position()?,
        ..Base::default()
    };
    if base.position.frame == 0 {
        base = make_anew(directory, &state, begins)?;
    } else if base.position.frame.saturating_add(1) < begins {
        let problem = "it ends before the log begins";
        return Err(OpenError::Damaged(problem.to_owned()));
    }
    let mut unreadable = Vec::new();
    for path in &base.unreadable {
        unreadable.push(checkpoint::put_aside(path)?);
    }
    let (kept, aside) = Kept::open(directory)?;
    unreadable.extend(aside);
    let position = base.position.clone();
    Ok(Found {
        rows: LiveRows::new(directory, (state, position), (kept, memory), limits)?,
        position: base.position,
        aside: None,
        checkpoint: base.checkpoint,
        unreadable,
    })
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        if let StoreError::State { problem, .. } = error {
            Self::Damaged(problem)
        } else {
            Self::Other(error)
        }
    }
}

/// Moves a state away; its new place.
fn put_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let mut number: u32 = 1;
    let mut aside = path.with_extension(format!("damaged-{number}"));
    while aside.exists() {
        number = number.saturating_add(1);
        aside = path.with_extension(format!("damaged-{number}"));
    }
    std::fs::rename(path, &aside).map_err(StoreError::io("put aside", path))?;
    Ok(aside)
}

/// Fills a state that covers nothing. A kill on the way leaves it covering nothing.
fn make_anew(directory: &Path, state: &State, begins: u64) -> Result<Base, StoreError> {
    state.clear()?;
    let mut pieces = Pieces::new();
    let base = restore(directory, begins, &mut |rows| {
        let rows = rows
            .into_iter()
            .map(|(key, row)| (key, Some(row)))
            .collect();
        behind::put(state, &rows, None, &mut pieces).map(drop)
    })?;
    if base.checkpoint.is_some() {
        state.sync()?;
        step::done(directory, "a state has its rows");
        behind::put(state, &Rows::new(), Some(&base.position), &mut pieces)?;
        state.sync()?;
        step::done(directory, "a state is made anew");
    }
    Ok(base)
}

/// Hands over the rows of the newest checkpoint that can be read and that the log, which begins
/// with a frame, goes on from; no rows when the whole log is there instead.
pub(super) fn restore(
    directory: &Path,
    begins: u64,
    take: &mut dyn FnMut(Vec<(Key, Row)>) -> Result<(), StoreError>,
) -> Result<Base, StoreError> {
    let newest_first = checkpoint::list(directory)?.into_iter().rev().collect();
    restore_first(directory, (begins, newest_first), take)
}

/// Hands over the rows of the oldest checkpoint that can be read and that the log, which begins
/// with a frame, goes on from; no rows when the whole log is there instead.
pub(super) fn restore_oldest(
    directory: &Path,
    begins: u64,
    take: &mut dyn FnMut(Vec<(Key, Row)>) -> Result<(), StoreError>,
) -> Result<Base, StoreError> {
    restore_first(directory, (begins, checkpoint::list(directory)?), take)
}

/// Hands over the rows of the first of these checkpoints that can be read and that the log goes on
/// from.
fn restore_first(
    directory: &Path,
    (begins, checkpoints): (u64, Vec<Checkpoint>),
    take: &mut dyn FnMut(Vec<(Key, Row)>) -> Result<(), StoreError>,
) -> Result<Base, StoreError> {
    let mut base = Base::default();
    base.position.next_seq = 1;
    let fits = |found: &Checkpoint| found.frame.saturating_add(1) >= begins;
    for found in checkpoints.into_iter().filter(fits) {
        // Read once to the end before anything is taken from it.
        match checkpoint::rows(&found.path, &mut |_| Ok(())) {
            Err(ReadError::Unreadable) => base.unreadable.push(found.path),
            Err(ReadError::Other(error)) => return Err(error),
            Ok(_) => {
                return match checkpoint::rows(&found.path, take) {
                    Ok(position) => Ok(Base {
                        position,
                        checkpoint: Some(found.path),
                        ..base
                    }),
                    Err(ReadError::Other(error)) => Err(error),
                    Err(ReadError::Unreadable) => Err(lost(directory, begins, vec![found.path])),
                };
            }
        }
    }
    if begins > 1 {
        return Err(lost(directory, begins, base.unreadable));
    }
    Ok(base)
}

fn lost(directory: &Path, begins: u64, unreadable: Vec<PathBuf>) -> StoreError {
    StoreError::Lost {
        path: directory.to_path_buf(),
        begins,
        unreadable,
    }
}

/// What was read of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Replayed {
    pub(super) frames: u64,
    /// Inputs whose changes were applied.
    pub(super) inputs: u64,
}

/// Reads the log from the end of a position on, frame by frame.
pub(super) struct Replay<'a> {
    directory: &'a Path,
    first: u64,
    expected: u64,
    read: Result<Replayed, StoreError>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(directory: &'a Path, position: &Position) -> Self {
        let first = position.frame.saturating_add(1);
        Self {
            directory,
            first,
            expected: first,
            read: Ok(Replayed::default()),
        }
    }

    /// The first frame that is wanted.
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// Hands what a frame says to `take`, with its number and its bytes; nothing after an error.
    pub(super) fn frame(
        &mut self,
        (frame, payload): (u64, &[u8]),
        take: &mut dyn FnMut(u64, usize, Batch) -> Result<(), StoreError>,
    ) {
        let Ok(before) = self.read else {
            return;
        };
        let inputs = if frame == self.expected {
            self.decode(frame, payload).and_then(|batch| {
                self.applies(&batch)?;
                let inputs = batch.entries.len() as u64;
                take(frame, payload.len(), batch).map(|()| inputs)
            })
        } else {
            let expected = self.expected;
            let problem = format!("the log begins at frame {frame}, the state needs {expected}");
            Err(self.apart(problem))
        };
        self.read = inputs.map(|inputs| Replayed {
            frames: before.frames.saturating_add(1),
            inputs: before.inputs.saturating_add(inputs),
        });
        self.expected = frame.saturating_add(1);
    }

    /// What was read of a log whose next frame is `next`.
    pub(super) fn end(self, next: u64) -> Result<Replayed, StoreError> {
        let first = self.first;
        let problem = format!("the next frame of the log is {next}, the state needs {first}");
        let apart = self.apart(problem);
        let read = self.read?;
        if next < first { Err(apart) } else { Ok(read) }
    }

    fn decode(&self, frame: u64, payload: &[u8]) -> Result<Batch, StoreError> {
        decode_batch(payload).map_err(|error| StoreError::Unreadable {
            path: self.directory.join("log"),
            frame,
            problem: error.to_string(),
        })
    }

    /// What was redacted cannot be applied: the state must be newer.
    fn applies(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut entries = batch.entries.iter();
        let redacted = entries.find(|entry| matches!(entry.input, LoggedInput::Redacted));
        redacted.map_or(Ok(()), |entry| {
            Err(StoreError::Redacted {
                path: self.directory.to_path_buf(),
                seq: entry.seq,
            })
        })
    }

    fn apart(&self, problem: String) -> StoreError {
        StoreError::Apart {
            path: self.directory.to_path_buf(),
            problem,
        }
    }
}

/// What stands under the keys a batch touches, after it.
pub(super) fn apply(
    batch: &Batch,
    load: &mut dyn FnMut(&Key) -> Result<Option<Row>, StoreError>,
) -> Result<Vec<(Key, Option<Row>)>, StoreError> {
    let mut snapshot = Snapshot::new();
    let mut touched = BTreeSet::new();
    for change in batch.entries.iter().flat_map(|entry| &entry.changes) {
        for key in change.touches() {
            if touched.insert(key.clone()) {
                let row = load(&key)?;
                snapshot.put(key, row);
            }
        }
        change.apply(&mut snapshot);
    }
    let after = touched.into_iter().map(|key| {
        let row = snapshot.row(&key);
        (key, row)
    });
    Ok(after.collect())
}
