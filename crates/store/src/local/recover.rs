//! What did the log say after the state was written? Its changes are applied, never decided again.
//! A state that cannot be used is put aside and made anew from the whole log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayfare_executor::{Key, Row, Snapshot};

use super::rows::{Limits, LiveRows};
use super::state::{OpenError, Position, State};
use crate::log::{Log, TornTail};
use crate::stored::decode_batch;
use crate::{Batch, Head, StoreError};

/// How much memory may be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) rows_bytes: usize,
    pub(super) sled_bytes: u64,
}

/// Opens the state in `path`, put aside and begun anew when it is damaged; then where it went.
pub(super) fn open_state(
    path: &Path,
    memory: Memory,
    limits: Limits,
) -> Result<(LiveRows, Position, Option<PathBuf>), StoreError> {
    match try_open(path, memory, limits) {
        Ok((rows, position)) => Ok((rows, position, None)),
        Err(OpenError::Other(error)) => Err(error),
        Err(OpenError::Damaged(_)) => {
            let aside = put_aside(path)?;
            match try_open(path, memory, limits) {
                Ok((rows, position)) => Ok((rows, position, Some(aside))),
                Err(OpenError::Damaged(problem)) => Err(StoreError::state(path, &problem)),
                Err(OpenError::Other(error)) => Err(error),
            }
        }
    }
}

fn try_open(
    path: &Path,
    memory: Memory,
    limits: Limits,
) -> Result<(LiveRows, Position), OpenError> {
    let state = State::open(path, memory.sled_bytes)?;
    let position = state.position()?;
    let rows = LiveRows::new(state, position.clone(), memory.rows_bytes, limits)?;
    Ok((rows, position))
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

/// What was in the log.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) log: Log,
    pub(super) torn: Option<TornTail>,
    /// Inputs whose changes were applied.
    pub(super) replayed: u64,
}

/// Opens the log and brings rows and head from `position` to its end.
pub(super) fn open_log(
    directory: &Path,
    position: &Position,
    rows: &mut LiveRows,
    head: &mut Head,
) -> Result<Recovered, StoreError> {
    let path = directory.join("log");
    let first = position.frame.saturating_add(1);
    let mut expected = first;
    let mut replayed = Ok(0);
    let (log, torn) = Log::open(&path, first, &mut |frame, payload| {
        let Ok(before) = replayed else {
            return;
        };
        let inputs = if frame == expected {
            replay(&path, rows, head, (frame, payload))
        } else {
            Err(apart(
                directory,
                format!("the log begins at frame {frame}, the state needs {expected}"),
            ))
        };
        replayed = inputs.map(|inputs| before + inputs);
        expected = frame.saturating_add(1);
    })?;
    let replayed = replayed?;
    let next = log.next_sequence();
    if next < first {
        let problem = format!("the next frame of the log is {next}, the state needs {first}");
        return Err(apart(directory, problem));
    }
    Ok(Recovered {
        log,
        torn,
        replayed,
    })
}

fn apart(directory: &Path, problem: String) -> StoreError {
    StoreError::Apart {
        path: directory.to_path_buf(),
        problem,
    }
}

/// Applies what a frame says; how many inputs that was.
fn replay(
    path: &Path,
    rows: &mut LiveRows,
    head: &mut Head,
    (frame, payload): (u64, &[u8]),
) -> Result<u64, StoreError> {
    let batch = decode_batch(payload).map_err(|error| StoreError::Unreadable {
        path: path.to_path_buf(),
        frame,
        problem: error.to_string(),
    })?;
    let changed = apply(rows, &batch)?;
    head.advance(&batch.entries, batch.cursor.as_ref());
    rows.put(changed, Position::of(frame, head), payload.len());
    rows.write_behind();
    rows.check()?;
    Ok(batch.entries.len() as u64)
}

/// What stands under the keys a batch touches, after it.
fn apply(rows: &mut LiveRows, batch: &Batch) -> Result<Vec<(Key, Option<Row>)>, StoreError> {
    let mut snapshot = Snapshot::new();
    let mut touched = BTreeSet::new();
    for change in batch.entries.iter().flat_map(|entry| &entry.changes) {
        for key in change.touches() {
            if !snapshot.is_loaded(&key) {
                snapshot.put(key.clone(), rows.load(&key)?);
            }
            touched.insert(key);
        }
        change.apply(&mut snapshot);
    }
    let after = touched.into_iter().map(|key| {
        let row = snapshot.row(&key);
        (key, row)
    });
    Ok(after.collect())
}
