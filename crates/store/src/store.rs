//! What can be asked of whatever keeps the state? Not here: how it is kept (`memory`, `local`), or
//! how a row follows from a change (`wayfare_executor`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{DeliveryId, IdKey, Identifier, Timestamp};
use wayfare_executor::delivery::Outcome;
use wayfare_executor::record::{QueueId, SweepId};
use wayfare_executor::{Change, Key, Operator, Row, TimerOf, Trust};
use wayfare_journey::Version;

use crate::StoreError;

/// Keeps rows and the history they follow from. One writer; a batch is there whole or not at all.
pub trait Store: Send {
    /// What stands under each key, in the order of the keys.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read.
    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError>;

    /// Makes a batch durable: on return it survives a kill and a power cut.
    ///
    /// # Errors
    ///
    /// When it could not be written. Then the store takes no more batches, and whether this one
    /// is durable is known when the store is opened again. Loading still works.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Visits every row of a kind, in the order of the keys.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read.
    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError>;

    /// The first keys of a kind that stand behind one, in order, at most `limit`: none at the end.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read.
    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError>;

    /// Visits the entries of the history from an input's sequence number on, in order.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read.
    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError>;

    /// Visits the entries of a part of the history that is read quickly, from an input's sequence
    /// number on, in order. Where the next part begins; nothing at the end.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read.
    fn history_part(
        &mut self,
        from_seq: u64,
        visit: &mut dyn FnMut(&Entry),
    ) -> Result<Option<u64>, StoreError> {
        self.history(from_seq, visit).map(|()| None)
    }

    /// Promises, durably, that nothing will be left of these inputs and of what followed from them,
    /// nor of rows that are gone: not in the history, and not in any copy of the rows that is kept
    /// beside them. [`Self::redact_on`] keeps the promise, also after a kill. What stands in rows now
    /// stays: the rows of whoever is erased must be gone before. A promise that is not kept yet is
    /// made wider.
    ///
    /// # Errors
    ///
    /// When it could not be made durable.
    fn redact(&mut self, seqs: &BTreeSet<u64>) -> Result<(), StoreError>;

    /// Goes on with what [`Self::redact`] promised, for about as long as a part of the history
    /// takes.
    ///
    /// # Errors
    ///
    /// When something could not be read or written. Nothing else is lost, and it can be tried again.
    fn redact_on(&mut self) -> Result<Redaction, StoreError>;

    /// Keeps what [`Self::redact`] promised, however long it takes.
    ///
    /// # Errors
    ///
    /// When something could not be read or written. Nothing else is lost, and it can be tried again.
    fn redact_fully(&mut self) -> Result<(), StoreError> {
        while self.redact_on()? != Redaction::Done {}
        Ok(())
    }

    /// Where the history begins: the oldest input it still has, and when that was decided; nothing
    /// when it has none.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read.
    fn beginning(&mut self) -> Result<Option<(u64, Timestamp)>, StoreError>;

    /// Puts in order what has waited for 30 seconds at `now`, so that the next start is quick.
    /// Whether there may be more to do in 30 seconds.
    ///
    /// # Errors
    ///
    /// When something could not be put in order; nothing is lost.
    fn idle(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let _ = now;
        Ok(false)
    }

    /// What the store knows of itself.
    fn head(&self) -> &Head;

    /// Lets go, so that the next start is quick. Dropping a store loses nothing either.
    ///
    /// # Errors
    ///
    /// When something could not be put in order; nothing is lost.
    fn close(self: Box<Self>) -> Result<(), StoreError>;
}

/// How far the history was redacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redaction {
    /// There is nothing to be done any more.
    Done,
    /// There is more to do.
    More,
    /// Something is written in the background: asking again later goes on.
    Waiting,
}

/// What becomes durable together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The inputs and what followed from them, by sequence number.
    pub entries: Vec<Entry>,
    /// The keys under which something changed, each once, and what stands there after the batch:
    /// nothing when the row is gone.
    pub rows: Vec<(Key, Option<Row>)>,
    /// How far a file of events was read; nothing when that did not change.
    pub cursor: Option<Cursor>,
}

/// One input and the changes that followed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The input's place in the history, from 1.
    pub seq: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The input.
    pub input: LoggedInput,
    /// The changes, in order.
    pub changes: Vec<Change>,
}

/// An input as the history keeps it: what is needed to decide it once more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggedInput {
    /// Something happened.
    Event {
        /// Where it came from.
        source: Arc<str>,
        /// The JSON as it came.
        text: Arc<str>,
        /// How far what it says of identifiers is trusted.
        #[serde(default, skip_serializing_if = "Trust::is_verified")]
        trust: Trust,
    },
    /// A time came that somebody waited for.
    Timer {
        /// What was due.
        of: TimerOf,
        /// The identifier it is kept under.
        owner: Identifier,
        /// When it was due.
        due: Timestamp,
    },
    /// A delivery could leave, having waited this long for us.
    AttemptReady {
        /// The delivery.
        delivery: DeliveryId,
        /// In microseconds.
        waited_us: i64,
    },
    /// An attempt ended.
    AttemptFinished {
        /// The delivery.
        delivery: DeliveryId,
        /// Which of its attempts, from 1.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// The address of a delivery is refused.
    AttemptBarred(DeliveryId),
    /// A queued input had its turn; it stands in the change that queued it.
    Queued(QueueId),
    /// The next profiles of a sweep.
    SweepPage {
        /// The sweep.
        id: SweepId,
        /// The deliveries that were looked at.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        deliveries: Vec<DeliveryId>,
        /// The identifiers that were looked at.
        keys: Vec<Identifier>,
        /// The entries that were forgotten.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entries: Vec<Key>,
        /// Whether there were no more.
        is_last: bool,
    },
    /// Somebody ordered something.
    Operator(Operator),
    /// A version of a journey is in force; its file stands in the change.
    Published {
        /// The journey.
        journey: Arc<str>,
        /// The version.
        version: Version,
    },
    /// The file of a journey was gone.
    Withdrawn(Arc<str>),
    /// What it was concerned somebody who is erased. It has no changes any more, and whoever applies
    /// changes begins behind it.
    Redacted,
}

/// How far a file of events was read (SP 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Which file; the caller says what makes it the same.
    pub file: Arc<str>,
    /// Bytes read.
    pub offset: u64,
}

/// What a store knows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The sequence number of the next input, from 1.
    pub next_seq: u64,
    /// When the last input was decided; the epoch before the first.
    pub last_at: Timestamp,
    /// When the last event was decided; the epoch before the first.
    pub last_event_at: Timestamp,
    /// How far a file of events was read last.
    pub cursor: Option<Cursor>,
    /// The installation's secret for profile ids.
    pub id_key: IdKey,
    /// Whether the state is that of a dry run: decisions without deliveries (SP 5).
    pub dry: bool,
}

impl Head {
    /// Nothing has happened.
    #[must_use]
    pub const fn new(id_key: IdKey, dry: bool) -> Self {
        Self {
            next_seq: 1,
            last_at: Timestamp::EPOCH,
            last_event_at: Timestamp::EPOCH,
            cursor: None,
            id_key,
            dry,
        }
    }

    /// Moves on by what was made durable.
    pub(crate) fn advance(&mut self, entries: &[Entry], cursor: Option<&Cursor>) {
        if let Some(last) = entries.last() {
            self.next_seq = last.seq.saturating_add(1);
            self.last_at = self.last_at.max(last.at);
        }
        let is_event = |entry: &&Entry| matches!(entry.input, LoggedInput::Event { .. });
        if let Some(event) = entries.iter().rfind(is_event) {
            self.last_event_at = self.last_event_at.max(event.at);
        }
        if let Some(cursor) = cursor {
            self.cursor = Some(cursor.clone());
        }
    }
}

/// What stood when the history begins, or as early as is still known: what the changes behind it are
/// applied to.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The first input whose changes are not in the rows.
    pub next_seq: u64,
    /// The first input that the rules can be checked from: those before may be redacted.
    pub whole_from: u64,
    /// The rows.
    pub rows: Vec<(Key, Row)>,
}

impl Origin {
    /// Nothing had happened.
    pub const BLANK: Self = Self {
        next_seq: 1,
        whole_from: 1,
        rows: Vec::new(),
    };
}

/// The kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// What is known under one identifier.
    Person,
    /// Accounts.
    Account,
    /// Entries into journeys.
    Guard,
    /// Messages seen.
    Message,
    /// The ledger.
    Decision,
    /// Requests owed.
    Delivery,
    /// Versions of journeys.
    Version,
    /// Inputs that wait for their turn.
    Queued,
    /// Sweeps under way.
    Sweep,
    /// What holds for whole journeys.
    Control,
    /// Identifiers of those who were erased.
    Erased,
}

impl RowKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Person,
        Self::Account,
        Self::Guard,
        Self::Message,
        Self::Decision,
        Self::Delivery,
        Self::Version,
        Self::Queued,
        Self::Sweep,
        Self::Control,
        Self::Erased,
    ];

    /// The kind of the row under a key.
    #[must_use]
    pub const fn of(key: &Key) -> Self {
        match key {
            Key::Person(_) => Self::Person,
            Key::Account(_) => Self::Account,
            Key::Guard { .. } => Self::Guard,
            Key::Message(_) => Self::Message,
            Key::Decision(_) => Self::Decision,
            Key::Delivery(_) => Self::Delivery,
            Key::Version(..) => Self::Version,
            Key::Queued(_) => Self::Queued,
            Key::Sweep(_) => Self::Sweep,
            Key::Control(_) => Self::Control,
            Key::Erased(_) => Self::Erased,
        }
    }
}
