//! What stands under a key now? What changed since the state was written is in memory, what is
//! wanted often too, the rest in the state. Not here: the log.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use wayfare_event::{MessageHash, Timestamp};
use wayfare_executor::{Key, Row};

use super::behind::{Behind, Done, Job, Progress, Rows};
use super::cache::Cache;
use super::kept::Kept;
use super::messages::Messages;
use super::recover::Memory;
use super::state::State;
use crate::position::Position;
use crate::retention::{day, oldest_day};
use crate::{RowKind, StoreError};

/// When changed rows are written behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Changed rows that are worth a write.
    pub(super) rows: usize,
    /// Bytes of the log that are worth a write: recovery reads no more than about twice that.
    pub(super) log_bytes: usize,
    /// Bytes of a segment of the log.
    pub(super) segment_bytes: u64,
    /// Messages of one day whose hashes are held in memory.
    pub(super) messages_per_day: usize,
}

/// Whether the state is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Renewing {
    No,
    /// By the next job.
    Next,
    /// By the job under way.
    Now,
}

/// Times the limit that changed rows may reach while the state is being written.
const LAG_MAX: usize = 4;
/// How long a change waits at most to be written behind, by the clock of who asks (SP 35).
const WAIT_US_MAX: i64 = 30 * 1_000_000;
/// Rows read at once by a scan.
const SCAN_ROWS: usize = 256;

/// The rows of a state directory.
#[derive(Debug)]
pub(super) struct LiveRows {
    state: Arc<State>,
    behind: Behind,
    limits: Limits,
    /// Changed since the last write.
    changed: Rows,
    /// Being written.
    writing: Option<Arc<Rows>>,
    cache: Cache,
    messages: Messages,
    /// What `changed` brings the state to.
    position: Position,
    /// Bytes of the log that `changed` covers.
    log_bytes: usize,
    /// Since when something was seen to wait.
    waiting: Option<Timestamp>,
    /// What `writing` brings the state to.
    sent: Position,
    /// The last frame that is durable in the state.
    durable: u64,
    kept: Kept,
    /// Whether the log will want a spare segment.
    wants_spare: bool,
    /// The last frame that the state covered when it was written anew.
    renewed: Option<u64>,
    renewing: Renewing,
    /// Why it could not be; told once.
    not_renewed: Option<StoreError>,
    /// A write failed; the error is told once.
    failed: Option<StoreError>,
}

impl LiveRows {
    pub(super) fn new(
        directory: &Path,
        (state, position): (State, Position),
        (kept, memory): (Kept, Memory),
        limits: Limits,
    ) -> Result<Self, StoreError> {
        let pieces = state.pieces()?;
        let messages = messages(&state, &position, limits)?;
        let state = Arc::new(state);
        let behind = Behind::start(directory, (state.clone(), pieces), memory.sled_bytes)
            .map_err(StoreError::io("start a thread for", "the state".as_ref()))?;
        Ok(Self {
            state,
            behind,
            limits,
            changed: Rows::new(),
            writing: None,
            cache: Cache::new(memory.rows_bytes),
            messages,
            durable: position.frame,
            sent: position.clone(),
            position,
            log_bytes: 0,
            waiting: None,
            kept,
            wants_spare: false,
            renewed: None,
            renewing: Renewing::No,
            not_renewed: None,
            failed: None,
        })
    }

    pub(super) fn load(&mut self, key: &Key) -> Result<Option<Row>, StoreError> {
        let writing = self.writing.as_ref();
        let changed = self
            .changed
            .get(key)
            .or_else(|| writing.and_then(|rows| rows.get(key)));
        if let Some(row) = changed {
            return Ok(row.clone().filter(|row| self.fresh(row)));
        }
        if let Key::Message(message) = key {
            return self.message(*message);
        }
        if let Some(held) = self.cache.get(key) {
            return Ok(held.row);
        }
        let (row, bytes) = match self.state.get(key)? {
            Some((row, bytes)) => (Some(row), bytes),
            None => (None, 0),
        };
        self.cache.put(key.clone(), row.clone(), bytes);
        Ok(row)
    }

    /// Takes the rows of a frame of the log, `bytes` long, that brings the state to `position`.
    pub(super) fn put(
        &mut self,
        rows: impl IntoIterator<Item = (Key, Option<Row>)>,
        position: Position,
        bytes: usize,
    ) {
        for (key, row) in rows {
            if let (Key::Message(message), Some(Row::Message(at))) = (&key, &row) {
                self.messages.add(day(*at), *message);
            }
            self.changed.insert(key, row);
        }
        self.messages.forget_before(oldest_day(position.last_at));
        self.position = position;
        self.log_bytes = self.log_bytes.saturating_add(bytes);
        self.kept.grew(bytes as u64);
    }

    /// Notes whether the log will want a spare segment.
    pub(super) const fn want_spare(&mut self, wanted: bool) {
        self.wants_spare = wanted;
    }

    /// When rows are written behind.
    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }

    /// The checkpoints.
    pub(super) const fn kept(&mut self) -> &mut Kept {
        &mut self.kept
    }

    /// The last frame that neither the state nor a checkpoint needs any more.
    pub(super) fn covered(&self) -> u64 {
        self.durable.min(self.kept.covered())
    }

    /// Writes behind what has waited for long at `now`; whether something waits or is being
    /// written.
    pub(super) fn idle(&mut self, now: Timestamp) -> bool {
        self.look();
        if self.log_bytes > 0 {
            let since = *self.waiting.get_or_insert(now);
            let waited = now.micros_since(since) >= WAIT_US_MAX;
            if waited && self.writing.is_none() && self.failed.is_none() {
                self.send();
            }
        }
        self.log_bytes > 0 || self.writing.is_some()
    }

    /// Writes behind when there is enough to write; waits only when too much has gathered. A
    /// failure is told by the next [`Self::check`].
    pub(super) fn write_behind(&mut self) {
        let much = |times: usize| {
            self.changed.len() >= self.limits.rows.saturating_mul(times)
                || self.log_bytes >= self.limits.log_bytes.saturating_mul(times)
        };
        if !much(1) || self.failed.is_some() {
            return;
        }
        if much(LAG_MAX) {
            self.settle();
        } else {
            self.look();
        }
        if self.writing.is_none() && self.failed.is_none() {
            self.send();
        }
    }

    /// Has a checkpoint and the state written anew, so that nothing is left in them of what is gone
    /// by a frame; whether that is done.
    pub(super) fn renew(&mut self, frame: u64) -> Result<bool, StoreError> {
        self.check()?;
        if let Some(error) = self.not_renewed.take() {
            return Err(error);
        }
        let is_done = self.renewed.is_some_and(|renewed| renewed >= frame);
        if !is_done && self.renewing == Renewing::No {
            self.renewing = Renewing::Next;
            self.kept.want();
        }
        if self.renewing == Renewing::Next && self.writing.is_none() {
            self.send();
        }
        Ok(is_done)
    }

    /// Whether the state can be written.
    pub(super) fn check(&mut self) -> Result<(), StoreError> {
        self.look();
        self.failed.take().map_or(Ok(()), |error| {
            self.failed = Some(StoreError::Stopped);
            Err(error)
        })
    }

    /// Writes everything and waits until it is durable.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        self.settle();
        self.check()?;
        if self.log_bytes > 0 || self.kept.is_wanted() {
            self.send();
            self.settle();
        }
        self.check()
    }

    /// A failure that the next [`Self::check`] tells.
    pub(super) fn fail(&mut self, error: StoreError) {
        self.failed = Some(error);
    }

    /// Visits every row of a kind, in the order of the keys.
    pub(super) fn scan(
        &mut self,
        kind: RowKind,
        visit: &mut dyn FnMut(&Key, &Row),
    ) -> Result<(), StoreError> {
        // Rows that are being written could be met half written.
        self.settle();
        let writing = self.writing.clone().unwrap_or_default();
        let mut newer: BTreeMap<&Key, Option<&Row>> = BTreeMap::new();
        for (key, row) in writing.iter().chain(&self.changed) {
            if RowKind::of(key) == kind {
                newer.insert(key, row.as_ref().filter(|row| self.fresh(row)));
            }
        }
        let mut newer = newer.into_iter().peekable();
        let mut last = None;
        loop {
            let rows = self.stored_after(kind, last.as_ref(), SCAN_ROWS)?;
            for (key, row) in &rows {
                while let Some((changed, row)) = newer.next_if(|(changed, _)| *changed < key) {
                    row.inspect(|row| visit(changed, row));
                }
                let replaced = newer.next_if(|(changed, _)| *changed == key);
                let row = replaced.map_or(Some(row), |(_, row)| row);
                row.inspect(|row| visit(key, row));
            }
            match rows.into_iter().next_back() {
                Some((key, _)) => last = Some(key),
                None => break,
            }
        }
        for (key, row) in newer {
            row.inspect(|row| visit(key, row));
        }
        Ok(())
    }

    /// The first keys of a kind behind one, in order, at most `limit`.
    pub(super) fn page(
        &self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        let mut page = Vec::new();
        let mut after = after.cloned();
        while page.len() < limit {
            let stored = self.stored_keys_after(kind, after.as_ref(), limit)?;
            // Beyond the last key read, the state may have others.
            let end = stored.last().filter(|_| stored.len() >= limit).cloned();
            let mut merged: BTreeMap<Key, bool> =
                stored.into_iter().map(|key| (key, true)).collect();
            for rows in self.writing.as_deref().into_iter().chain([&self.changed]) {
                let from = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
                let until = end.as_ref().map_or(Bound::Unbounded, Bound::Included);
                for (key, row) in rows.range((from, until)) {
                    if RowKind::of(key) == kind {
                        let stands = row.as_ref().is_some_and(|row| self.fresh(row));
                        merged.insert(key.clone(), stands);
                    }
                }
            }
            page.extend(merged.into_iter().filter(|it| it.1).map(|it| it.0));
            after = end;
            if after.is_none() {
                break;
            }
        }
        page.truncate(limit);
        Ok(page)
    }

    fn stored_keys_after(
        &self,
        kind: RowKind,
        after: Option<&Key>,
        count: usize,
    ) -> Result<Vec<Key>, StoreError> {
        if kind != RowKind::Message {
            return self.state.keys_after(kind, after, count);
        }
        let rows = self.stored_after(kind, after, count)?;
        Ok(rows.into_iter().map(|(key, _)| key).collect())
    }

    fn stored_after(
        &self,
        kind: RowKind,
        after: Option<&Key>,
        count: usize,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        if kind != RowKind::Message {
            return self.state.rows_after(kind, after, count);
        }
        let after = match after {
            Some(Key::Message(message)) => Some(*message),
            Some(_) | None => None,
        };
        let mut merged = BTreeMap::new();
        for day in self.state.days()? {
            if day >= oldest_day(self.position.last_at) {
                merged.extend(self.state.messages_after(day, after, count)?);
            }
        }
        let first = merged.into_iter().take(count);
        Ok(first
            .map(|(message, row)| (Key::Message(message), row))
            .collect())
    }

    fn message(&self, message: MessageHash) -> Result<Option<Row>, StoreError> {
        for day in self.messages.days(message) {
            if let Some(row) = self.state.message(day, message)? {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Whether a row is not a message that is forgotten.
    fn fresh(&self, row: &Row) -> bool {
        match row {
            Row::Message(at) => day(*at) >= oldest_day(self.position.last_at),
            Row::Person(_)
            | Row::Account(_)
            | Row::Guard(_)
            | Row::Decision(_)
            | Row::Delivery(_)
            | Row::Version(_)
            | Row::Queued(_)
            | Row::Sweep(_)
            | Row::Control(_)
            | Row::Erased(_) => true,
        }
    }

    fn send(&mut self) {
        let anew = self.renewing == Renewing::Next;
        if anew {
            self.renewing = Renewing::Now;
        }
        let rows = Arc::new(std::mem::take(&mut self.changed));
        self.log_bytes = 0;
        self.waiting = None;
        self.behind.send(Job {
            rows: rows.clone(),
            position: self.position.clone(),
            // One that was under way when this was asked for may be too old.
            checkpoint: anew || self.kept.is_due(&self.position),
            anew,
            spare_bytes: self.wants_spare.then_some(self.limits.segment_bytes),
        });
        self.sent = self.position.clone();
        self.writing = Some(rows);
    }

    fn look(&mut self) {
        if self.writing.is_some() && self.failed.is_none() {
            match self.behind.look() {
                Ok(Progress::Durable(done)) => self.done(done),
                Ok(Progress::Writing) => {}
                Err(error) => self.failed = Some(error),
            }
        }
    }

    /// Waits for what is being written.
    pub(super) fn settle(&mut self) {
        if self.writing.is_some() && self.failed.is_none() {
            match self.behind.wait() {
                Ok(done) => self.done(done),
                Err(error) => self.failed = Some(error),
            }
        }
    }

    fn done(&mut self, done: Done) {
        self.writing = None;
        self.durable = self.sent.frame;
        if let Some(bytes) = done.checkpoint {
            self.kept.written(&self.sent, bytes);
        }
        if done.anew.is_some() {
            self.renewing = Renewing::No;
        }
        match done.anew {
            Some(Ok(state)) => {
                self.state = state;
                self.renewed = Some(self.sent.frame);
            }
            Some(Err(error)) => self.not_renewed = Some(error),
            None => {}
        }
        for (key, row, bytes) in done.written {
            self.cache.put(key, row, bytes);
        }
    }
}

/// The messages of the days that are kept.
fn messages(state: &State, position: &Position, limits: Limits) -> Result<Messages, StoreError> {
    let mut messages = Messages::new(limits.messages_per_day);
    for day in state.days()? {
        let mut last = None;
        let mut holds_more = day >= oldest_day(position.last_at);
        while holds_more {
            let seen = state.messages_after(day, last, SCAN_ROWS)?;
            holds_more = !seen.is_empty();
            for (message, _) in seen {
                holds_more &= messages.add(day, message);
                last = Some(message);
            }
        }
    }
    Ok(messages)
}
