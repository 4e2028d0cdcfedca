//! How does one input become durable? Load, step, apply; a batch of inputs shares one commit. Not
//! here: when inputs come (`driver`), or how requests leave.

mod alerts;
mod attempts;
mod due;
mod erasure;
mod follow;
pub(crate) mod migration;
pub(crate) mod open;
mod purge;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{MessageHash, Rejection, Timestamp};
use wayfare_executor::record::{
    Control, Decision, Delivery, Paused, QueueId, Refusal, Sweep, SweepId,
};
use wayfare_executor::{
    Catalog, Happened, InputKind, Key, Note, Operator, Place, Row, Timer, TimerOf, Trace,
};
use wayfare_store::{Batch, Cursor, Entry, LoggedInput, RowKind, Store, StoreError};

use alerts::Alerts;
use due::Due;
pub use migration::{Fate, MigrationError};
pub use open::{Compile, OpenError};
use purge::Purge;

/// Inputs that share one commit (SP 6).
const BATCH_INPUTS_MAX: usize = 512;
/// Bytes of texts and bodies that share one commit: a batch fits into one frame of the log.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Something the outside may want to know, once it is durable.
#[derive(Clone, Debug)]
pub enum Output {
    /// An instance ended.
    Decision(Box<Decision>),
    /// A delivery came to a state.
    Delivery {
        /// The delivery, as it is now.
        delivery: Arc<Delivery>,
        /// When.
        at: Timestamp,
    },
    /// A journey did not take somebody in.
    Refused(Box<Refusal>),
    /// A journey or a block was paused, or goes on.
    Control {
        /// The journey or block.
        place: Place,
        /// When.
        at: Timestamp,
        /// Why it is paused; nothing when it goes on.
        paused: Option<Paused>,
    },
    /// An event was refused whole.
    Rejected {
        /// Its line, from 1.
        line: u64,
        /// Why.
        rejection: Rejection,
    },
    /// Why something happened, in order; with tracing only.
    Trace {
        /// The input's place in the history.
        seq: u64,
        /// When it was decided.
        at: Timestamp,
        /// What the step noticed.
        notes: Vec<Note>,
    },
}

/// What a batch did, for counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events taken.
    pub events: u64,
    /// Events that were second copies.
    pub duplicates: u64,
    /// Events that are not heard, because they are about somebody erased.
    pub erased: u64,
    /// Timers that fired.
    pub timers: u64,
}

/// The engine: a catalog, a store, and what is due. One writer, no threads, no clock.
pub struct Engine {
    catalog: Catalog,
    store: Box<dyn Store>,
    next_seq: u64,
    at: Timestamp,
    entries: Vec<Entry>,
    /// What changed since the last commit; nothing where a row is gone.
    rows: BTreeMap<Key, Option<Row>>,
    cursor: Option<Cursor>,
    /// Bytes of the texts and bodies in `entries`.
    batch_bytes: usize,
    outputs: Vec<Output>,
    timers: BTreeSet<Timer>,
    /// The last date that still has a turn; every one, without.
    last_date: Option<Timestamp>,
    due: Due,
    /// Inputs that wait for their turn.
    queued: BTreeSet<QueueId>,
    sweeps: BTreeMap<SweepId, Arc<Sweep>>,
    /// How far the ledger was looked through for what is to be reduced; after a restart it is looked
    /// through again.
    looked: BTreeMap<SweepId, (RowKind, Option<Key>)>,
    purge: Purge,
    /// What holds for whole journeys.
    controls: BTreeMap<Arc<str>, Arc<Control>>,
    /// The timers that are due in paused journeys, until they go on.
    held_timers: BTreeSet<Timer>,
    /// Since when somebody is there to send what is due.
    awake: Timestamp,
    counts: Counts,
    alerts: Alerts,
    trace: Trace,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("next_seq", &self.next_seq)
            .field("at", &self.at)
            .field("timers", &self.timers.len())
            .field("open_deliveries", &self.due.open())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// The journeys and the configuration in force.
    #[must_use]
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The time of the last input.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The time of the last event.
    #[must_use]
    pub fn last_event_at(&self) -> Timestamp {
        self.store.head().last_event_at
    }

    /// What was done since the engine was opened.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// What the store knows, for looking inside.
    pub fn store(&mut self) -> &mut dyn Store {
        &mut *self.store
    }

    /// Lets the store put in order what has waited for 30 seconds at `now`; whether there may be
    /// more to do in 30 seconds.
    ///
    /// # Errors
    ///
    /// When the store cannot write; nothing durable is lost.
    pub fn idle(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        self.store.idle(now)
    }

    /// Lets the store go, so that the next start is quick; dropping the engine loses nothing.
    ///
    /// # Errors
    ///
    /// When the store could not be put in order.
    pub fn close(self) -> Result<(), StoreError> {
        self.store.close()
    }

    /// Notes why things happen, as [`Output::Trace`].
    pub fn trace(&mut self) {
        self.trace = Trace::on();
    }

    /// How many instances and dates wait for their time.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.timers.len() + self.held_timers.len()
    }

    /// The earliest instant at which an instance goes on by itself, or a date has come.
    #[must_use]
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.timers.first().map(|timer| timer.due)
    }

    /// Takes one event that happened; it counts at `at`, or at the last input's time if that is
    /// later. Durable after [`Engine::commit`].
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn event(
        &mut self,
        at: Timestamp,
        happened: Happened,
        text: Arc<str>,
    ) -> Result<(), StoreError> {
        let logged = LoggedInput::Event {
            source: happened.source.clone(),
            text,
            trust: happened.trust,
        };
        self.counts.events += 1;
        self.alerts.heard(&happened, self.at.max(at));
        let has_id = happened.event.message_id.is_some();
        let erased = self.counts.erased;
        let changes = self.input(at, InputKind::Event(Box::new(happened)), logged)?;
        // Every event that is not a second copy is remembered by its id.
        if changes == 0 && has_id && self.counts.erased == erased {
            self.counts.duplicates += 1;
        }
        Ok(())
    }

    /// Fires the timers due by `at`, in (due, instance) order, at most `count` of them; how many.
    /// Each counts at `at`: in virtual time the caller moves the clock to each due instant first.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn fire(&mut self, at: Timestamp, count: usize) -> Result<usize, StoreError> {
        for fired in 0..count {
            let due = self.timers.first().filter(|timer| timer.due <= at);
            let Some(timer) = due.cloned() else {
                return Ok(fired);
            };
            self.timer(at, timer)?;
        }
        Ok(count)
    }

    /// An event was refused whole; told in order with everything else.
    pub fn rejected(&mut self, line: u64, rejection: Rejection) {
        self.outputs.push(Output::Rejected { line, rejection });
    }

    /// Whether an event is a second copy of one that was taken.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn is_copy(&mut self, happened: &Happened) -> Result<bool, StoreError> {
        let Some(id) = &happened.event.message_id else {
            return Ok(false);
        };
        let message = MessageHash::derive(&happened.source, id);
        Ok(self.row(&Key::Message(message))?.is_some())
    }

    /// How far a file of events was read, kept with the batch.
    pub fn note_cursor(&mut self, cursor: Cursor) {
        self.cursor = Some(cursor);
    }

    /// Numbers what comes next from `seq` on, so that it is numbered alike in another run.
    pub(crate) fn leap(&mut self, seq: u64) {
        self.next_seq = self.next_seq.max(seq);
    }

    /// Whether as much waits for the next commit as should share one (SP 6).
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.entries.len() >= BATCH_INPUTS_MAX || self.batch_bytes >= BATCH_BYTES_MAX
    }

    /// Makes everything since the last commit durable; then, and only then, gives what came of it.
    ///
    /// # Errors
    ///
    /// When the store cannot write: nothing since the last commit has happened, and the engine
    /// takes no more.
    pub fn commit(&mut self) -> Result<Vec<Output>, StoreError> {
        self.settle()?;
        Ok(std::mem::take(&mut self.outputs))
    }

    /// Makes everything since the last commit durable and keeps to itself what came of it.
    fn settle(&mut self) -> Result<(), StoreError> {
        if self.entries.is_empty() && self.cursor.is_none() {
            return Ok(());
        }
        let batch = Batch {
            entries: std::mem::take(&mut self.entries),
            rows: std::mem::take(&mut self.rows).into_iter().collect(),
            cursor: self.cursor.take(),
        };
        self.batch_bytes = 0;
        self.store.commit(&batch)?;
        tracing::debug!(
            inputs = batch.entries.len(),
            rows = batch.rows.len(),
            "a batch is durable"
        );
        Ok(())
    }

    /// Somebody orders something: a journey or a block stops or goes on, a delivery is sent again,
    /// known to have arrived, or does not leave.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn order(&mut self, at: Timestamp, order: Operator) -> Result<(), StoreError> {
        let logged = LoggedInput::Operator(order.clone());
        self.input(at, InputKind::Operator(order), logged)
            .map(|_| ())
    }

    fn timer(&mut self, at: Timestamp, timer: Timer) -> Result<(), StoreError> {
        self.timers.remove(&timer);
        let logged = LoggedInput::Timer {
            of: timer.of.clone(),
            owner: timer.owner.clone(),
            due: timer.due,
        };
        let made = self.input(at, InputKind::Timer(timer.clone()), logged)?;
        if made > 0 {
            self.counts.timers += 1;
        } else if self.is_held_timer(&timer)? {
            self.held_timers.insert(timer);
        }
        Ok(())
    }

    /// Whether a timer that came to nothing waits in a paused journey.
    fn is_held_timer(&mut self, timer: &Timer) -> Result<bool, StoreError> {
        let journey = match &timer.of {
            TimerOf::Date(journey) => Some(journey.clone()),
            TimerOf::Instance(id) => match self.row(&Key::Person(timer.owner.clone()))? {
                Some(Row::Person(person)) => {
                    let instance = person.record.instances.get(id);
                    instance.map(|instance| instance.journey.clone())
                }
                Some(_) | None => None,
            },
        };
        Ok(journey.is_some_and(|journey| self.is_paused(&journey)))
    }
}
