//! How is nothing left in sled of what is gone? sled keeps in its file what was replaced until it
//! needs the room. So all rows go into a new one, which takes the old one's place. Not here: making a
//! state anew from a checkpoint (`recover`).

use std::path::Path;

use super::behind::{self, Rows};
use super::meta::sync_directory;
use super::state::{OpenError, Pieces, State};
use crate::position::Position;
use crate::{StoreError, step};

/// The state, in a state directory.
const STATE: &str = "state";
/// A new one, until it is whole.
const UNFINISHED: &str = "state.anew";
/// The one before, until it is deleted.
const REPLACED: &str = "state.old";
/// What one is called that was put aside because it was damaged, before its number.
const DAMAGED: &str = "state.damaged-";
/// Rows written at once.
const ROWS_PER_BATCH: usize = 1024;

/// Puts a new state in the place of `old`, which is what `position` says, and opens it. The old one
/// is still there under another name, for whoever reads it. On failure it has its place again; a kill
/// may leave none, and then it is made anew from the checkpoint.
pub(super) fn make(
    directory: &Path,
    (old, position): (&State, &Position),
    sled_bytes: u64,
) -> Result<(State, Pieces), StoreError> {
    let [state, unfinished, replaced] =
        [STATE, UNFINISHED, REPLACED].map(|name| directory.join(name));
    delete(&unfinished)?;
    delete(&replaced)?;
    let pieces = fill(&unfinished, (old, position), sled_bytes)?;
    step::done(directory, "a new state has its rows");
    rename(&state, &replaced)?;
    step::done(directory, "the old state is moved away");
    let opened = rename(&unfinished, &state)
        .and_then(|()| sync_directory(directory))
        .and_then(|()| State::open(&state, sled_bytes).map_err(|error| told(&state, error)));
    match opened {
        Ok(opened) => {
            step::done(directory, "the new state is in its place");
            Ok((opened, pieces))
        }
        Err(error) => {
            // What cannot be opened is no state; what is read meanwhile has its name back.
            delete(&state)?;
            rename(&replaced, &state)?;
            Err(error)
        }
    }
}

/// Writes the rows of a state into a new one.
fn fill(
    path: &Path,
    (old, position): (&State, &Position),
    sled_bytes: u64,
) -> Result<Pieces, StoreError> {
    let new = State::open(path, sled_bytes).map_err(|error| told(path, error))?;
    let mut pieces = Pieces::new();
    let mut rows = Rows::new();
    old.visit(position, &mut |key, row| {
        rows.insert(key.clone(), Some(row.clone()));
        if rows.len() >= ROWS_PER_BATCH {
            behind::put(&new, &std::mem::take(&mut rows), None, &mut pieces)?;
        }
        Ok(())
    })?;
    behind::put(&new, &rows, None, &mut pieces)?;
    new.sync()?;
    behind::put(&new, &Rows::new(), Some(position), &mut pieces)?;
    new.sync()?;
    Ok(pieces)
}

/// Deletes the states of a directory that are not used any more, damaged ones too.
pub(super) fn clear(directory: &Path) -> Result<(), StoreError> {
    let failed = || StoreError::io("read", directory);
    for entry in std::fs::read_dir(directory).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        if [UNFINISHED, REPLACED].contains(&name) || name.starts_with(DAMAGED) {
            delete(&path)?;
            step::done(directory, "a state that is not used is deleted");
        }
    }
    sync_directory(directory)
}

fn told(path: &Path, error: OpenError) -> StoreError {
    match error {
        OpenError::Damaged(problem) => StoreError::state(path, &problem),
        OpenError::Other(error) => error,
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    std::fs::rename(from, to).map_err(StoreError::io("name", to))
}

/// Deletes a directory, if it is there.
fn delete(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("delete", path)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
