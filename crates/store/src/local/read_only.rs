//! What is in a state directory that must not be touched, or cannot be: on a full disk, on a disk
//! that is read only? The newest checkpoint and the log behind it say it; both are read into memory,
//! and nothing is written. sled is left alone: it cannot be opened without writing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayfare_event::Timestamp;
use wayfare_executor::{Key, Row};

use super::lock::Lock;
use super::recover::{self, Replay};
use super::{Opened, erasure, history, meta};
use crate::log::Past;
use crate::position::Position;
use crate::{Batch, Entry, Head, MemoryStore, Origin, Redaction, RowKind, Store, StoreError};

/// A state directory, for looking inside. Nobody changes it meanwhile; others may look, too.
#[derive(Debug)]
pub struct ReadOnly {
    rows: MemoryStore,
    past: Past,
    path: PathBuf,
    /// Released last.
    _lock: Option<Lock>,
}

impl ReadOnly {
    /// Reads what is in `directory`, of a dry run or a real one, and changes nothing.
    ///
    /// # Errors
    ///
    /// When a process uses it, it is no state directory, or its checkpoints and its log cannot be
    /// read.
    pub fn open(directory: &Path) -> Result<(Self, Opened), StoreError> {
        let lock = Lock::share(directory)?;
        let meta = meta::read(directory)?;
        let memory = MemoryStore::new(meta.id_key).without_history();
        let mut rows = if meta.dry { memory.dry() } else { memory };
        let begins = recover::log_begins(directory)?;
        let base = recover::restore(directory, begins, &mut |taken| {
            let taken = taken.into_iter().map(|(key, row)| (key, Some(row)));
            rows.commit(&Batch {
                rows: taken.collect(),
                ..Batch::default()
            })
        })?;
        rows.bring_to(&base.position);
        let (past, torn, replayed) = replay(directory, &base.position, &mut rows)?;
        let opened = Opened {
            torn,
            replayed: replayed.inputs,
            frames: replayed.frames,
            damaged: None,
            checkpoint: base.checkpoint,
            unreadable: base.unreadable,
        };
        let store = Self {
            rows,
            past,
            path: directory.to_path_buf(),
            _lock: lock,
        };
        Ok((store, opened))
    }

    /// What stood before the history: nothing, or what the oldest checkpoint says that the log goes
    /// on from without a gap. The rows a store is opened with come from the newest: between the two
    /// lies what can be checked.
    ///
    /// # Errors
    ///
    /// When no checkpoint can be read that the log goes on from.
    pub fn origin(&self) -> Result<Origin, StoreError> {
        let begins = recover::log_begins(&self.path)?;
        let whole = erasure::read(&self.path)?.rewritten.saturating_add(1);
        if begins.max(whole) <= 1 {
            return Ok(Origin::BLANK);
        }
        let mut rows = Vec::new();
        let base = recover::restore_oldest(&self.path, begins.max(whole), &mut |taken| {
            rows.extend(taken);
            Ok(())
        })?;
        let next_seq = base.position.next_seq;
        Ok(Origin {
            next_seq,
            whole_from: if whole > begins { next_seq } else { 1 },
            rows,
        })
    }
}

type Read = (Past, Option<crate::log::TornTail>, recover::Replayed);

/// Brings rows from a position to the end of the log.
fn replay(
    directory: &Path,
    position: &Position,
    rows: &mut MemoryStore,
) -> Result<Read, StoreError> {
    let mut replay = Replay::new(directory, position);
    let first = replay.first();
    let (past, torn) = Past::open(&directory.join("log"), first, &mut |frame, payload| {
        replay.frame((frame, payload), &mut |_, _, batch| {
            let changed = recover::apply(&batch, &mut |key| {
                let loaded = rows.load(std::slice::from_ref(key))?;
                Ok(loaded.into_iter().next().flatten())
            })?;
            rows.commit(&Batch {
                rows: changed,
                ..batch
            })
        });
    })?;
    let replayed = replay.end(past.next_sequence())?;
    Ok((past, torn, replayed))
}

impl Store for ReadOnly {
    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.rows.load(keys)
    }

    fn commit(&mut self, _batch: &Batch) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly {
            path: self.path.clone(),
        })
    }

    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError> {
        self.rows.scan(kind, visit)
    }

    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.rows.page(kind, after, limit)
    }

    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        history::visit(&self.past, from_seq, visit)
    }

    fn history_part(
        &mut self,
        from_seq: u64,
        visit: &mut dyn FnMut(&Entry),
    ) -> Result<Option<u64>, StoreError> {
        history::visit_part(&self.past, from_seq, visit)
    }

    fn redact(&mut self, _seqs: &BTreeSet<u64>) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly {
            path: self.path.clone(),
        })
    }

    fn redact_on(&mut self) -> Result<Redaction, StoreError> {
        Err(StoreError::ReadOnly {
            path: self.path.clone(),
        })
    }

    fn beginning(&mut self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        let oldest = history::oldest(&self.past)?;
        Ok(oldest.map(|entry| (entry.seq, entry.at)))
    }

    fn head(&self) -> &Head {
        self.rows.head()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
