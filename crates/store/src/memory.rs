//! What keeps state for as long as the process lives? Tests, embedding, and runs without a state
//! directory. Not here: anything durable.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use wayfare_event::{IdKey, MessageHash, Timestamp};
use wayfare_executor::{Key, Row};

use crate::position::Position;
use crate::retention::{day, oldest_day};
use crate::{Batch, Entry, Head, LoggedInput, Redaction, RowKind, Store, StoreError};

/// Rows and history in memory.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    head: Head,
    rows: BTreeMap<Key, Row>,
    /// Messages by the day they were seen, so that old days go at once.
    days: BTreeMap<i64, BTreeMap<MessageHash, Timestamp>>,
    history: Vec<Entry>,
    keeps_history: bool,
}

impl MemoryStore {
    /// An empty store of an installation with this key.
    #[must_use]
    pub const fn new(id_key: IdKey) -> Self {
        Self {
            head: Head::new(id_key, false),
            rows: BTreeMap::new(),
            days: BTreeMap::new(),
            history: Vec::new(),
            keeps_history: true,
        }
    }

    /// Marks the state as that of a dry run (SP 5).
    #[must_use]
    pub const fn dry(mut self) -> Self {
        self.head.dry = true;
        self
    }

    /// Keeps rows only: [`Store::history`] visits nothing.
    #[must_use]
    pub const fn without_history(mut self) -> Self {
        self.keeps_history = false;
        self
    }

    /// Goes on from a position.
    pub(crate) fn bring_to(&mut self, position: &Position) {
        position.bring(&mut self.head);
    }

    fn get(&self, key: &Key) -> Option<Row> {
        let Key::Message(message) = key else {
            return self.rows.get(key).cloned();
        };
        let seen = self.days.values().rev().find_map(|day| day.get(message));
        seen.map(|at| Row::Message(*at))
    }

    fn put(&mut self, key: &Key, row: Option<&Row>) {
        match (key, row) {
            (Key::Message(message), Some(Row::Message(at))) => {
                let seen = self.days.entry(day(*at)).or_default();
                seen.insert(*message, *at);
            }
            (Key::Message(message), _) => {
                for day in self.days.values_mut() {
                    day.remove(message);
                }
            }
            (key, Some(row)) => {
                self.rows.insert(key.clone(), row.clone());
            }
            (key, None) => {
                self.rows.remove(key);
            }
        }
    }
}

impl Store for MemoryStore {
    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        Ok(keys.iter().map(|key| self.get(key)).collect())
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        for (key, row) in &batch.rows {
            self.put(key, row.as_ref());
        }
        if self.keeps_history {
            self.history.extend(batch.entries.iter().cloned());
        }
        self.head.advance(&batch.entries, batch.cursor.as_ref());
        self.days = self.days.split_off(&oldest_day(self.head.last_at));
        Ok(())
    }

    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError> {
        if kind == RowKind::Message {
            let seen: BTreeMap<_, _> = self.days.values().flatten().collect();
            for (message, at) in seen {
                visit(&Key::Message(*message), &Row::Message(*at));
            }
            return Ok(());
        }
        for (key, row) in &self.rows {
            if RowKind::of(key) == kind {
                visit(key, row);
            }
        }
        Ok(())
    }

    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        if kind == RowKind::Message {
            let seen: BTreeSet<_> = self.days.values().flat_map(BTreeMap::keys).collect();
            let keys = seen.into_iter().map(|message| Key::Message(*message));
            let behind = keys.filter(|key| after.is_none_or(|after| after < key));
            return Ok(behind.take(limit).collect());
        }
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self
            .rows
            .range((from, Bound::Unbounded))
            .map(|(key, _)| key);
        let keys = behind.filter(|key| RowKind::of(key) == kind);
        Ok(keys.take(limit).cloned().collect())
    }

    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        let first = self.history.partition_point(|entry| entry.seq < from_seq);
        self.history.iter().skip(first).for_each(visit);
        Ok(())
    }

    fn redact(&mut self, seqs: &BTreeSet<u64>) -> Result<(), StoreError> {
        for entry in &mut self.history {
            if seqs.contains(&entry.seq) {
                entry.input = LoggedInput::Redacted;
                entry.changes = Vec::new();
            }
        }
        Ok(())
    }

    fn redact_on(&mut self) -> Result<Redaction, StoreError> {
        Ok(Redaction::Done)
    }

    fn beginning(&mut self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        Ok(self.history.first().map(|entry| (entry.seq, entry.at)))
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
