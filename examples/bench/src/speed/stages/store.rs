//! Which part of the store takes how long? Two stores that do what the one inside them does and
//! look at the clock before and after.

use std::collections::BTreeSet;
use std::ops::AddAssign as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tempfile::TempDir;
use wayfare_event::Timestamp;
use wayfare_executor::{Key, Row};
use wayfare_store::log::{Log, SEGMENT_BYTES};
use wayfare_store::{Batch, Cursor, Entry, Head, Redaction, RowKind, Store, StoreError};

use crate::measure::timed;

/// What was spent, shared with the store that spends it.
#[derive(Clone, Debug, Default)]
pub(super) struct Cost(Arc<Mutex<Read>>);

/// What was spent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Read {
    /// Loading rows.
    pub(super) load: Duration,
    /// Encoding batches for the log.
    pub(super) encode: Duration,
    /// Appending them.
    pub(super) append: Duration,
    /// Syncing the log.
    pub(super) sync: Duration,
}

impl Cost {
    /// What was spent so far.
    pub(super) fn read(&self) -> Read {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add<T>(&self, part: fn(&mut Read) -> &mut Duration, work: impl FnOnce() -> T) -> T {
        let (made, took) = timed(work);
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        part(&mut read).add_assign(took);
        made
    }
}

/// A store whose loads are clocked.
pub(super) struct Clocked {
    inside: Box<dyn Store>,
    cost: Cost,
    /// Gone after the store is.
    _directory: TempDir,
}

impl Clocked {
    /// Clocks a store that is kept in a directory.
    pub(super) fn new(inside: Box<dyn Store>, directory: TempDir, cost: Cost) -> Self {
        Self {
            inside,
            cost,
            _directory: directory,
        }
    }
}

impl Store for Clocked {
    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        let inside = &mut self.inside;
        self.cost.add(|read| &mut read.load, || inside.load(keys))
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.inside.commit(batch)
    }

    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError> {
        self.inside.scan(kind, visit)
    }

    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.inside.page(kind, after, limit)
    }

    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        self.inside.history(from_seq, visit)
    }

    fn redact(&mut self, seqs: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.inside.redact(seqs)
    }

    fn redact_on(&mut self) -> Result<Redaction, StoreError> {
        self.inside.redact_on()
    }

    fn redact_fully(&mut self) -> Result<(), StoreError> {
        self.inside.redact_fully()
    }

    fn beginning(&mut self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        self.inside.beginning()
    }

    fn head(&self) -> &Head {
        self.inside.head()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        self.inside.close()
    }
}

/// A store that writes its batches to a log, step by step as the local store does.
pub(super) struct Staged {
    inside: Box<dyn Store>,
    log: Log,
    cost: Cost,
}

/// A frame as the local store writes it.
#[derive(Serialize)]
struct Written<'a> {
    entries: &'a [Entry],
    cursor: Option<&'a Cursor>,
}

impl Staged {
    /// Rows inside, the log in a directory.
    pub(super) fn open(inside: Box<dyn Store>, log: &Path, cost: Cost) -> anyhow::Result<Self> {
        let (log, _) = Log::open(log, SEGMENT_BYTES, 1, &mut |_, _| ())?;
        Ok(Self { inside, log, cost })
    }
}

impl Store for Staged {
    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.inside.load(keys)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let written = Written {
            entries: &batch.entries,
            cursor: batch.cursor.as_ref(),
        };
        let encode = || {
            let mut bytes = Vec::new();
            rmp_serde::encode::write_named(&mut bytes, &written)
                .expect("stored types have only text keys and known lengths");
            bytes
        };
        let bytes = self.cost.add(|read| &mut read.encode, encode);
        let log = &mut self.log;
        self.cost
            .add(|read| &mut read.append, || log.append(&bytes))?;
        self.cost.add(|read| &mut read.sync, || log.sync())?;
        self.inside.commit(batch)
    }

    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError> {
        self.inside.scan(kind, visit)
    }

    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.inside.page(kind, after, limit)
    }

    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        self.inside.history(from_seq, visit)
    }

    fn redact(&mut self, seqs: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.inside.redact(seqs)
    }

    fn redact_on(&mut self) -> Result<Redaction, StoreError> {
        self.inside.redact_on()
    }

    fn redact_fully(&mut self) -> Result<(), StoreError> {
        self.inside.redact_fully()
    }

    fn beginning(&mut self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        self.inside.beginning()
    }

    fn head(&self) -> &Head {
        self.inside.head()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        self.inside.close()
    }
}
