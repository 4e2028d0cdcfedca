//! Did what the history tells keep the rules, and is the state what follows from it? An auditor that
//! reads every entry and every row. It shares with the engine what an entry and a row are, and how a
//! change changes rows; the rules it knows by itself. Not here: how a breach is told.

mod breach;
mod deliveries;
mod erased;
mod lawful;
mod replay;
mod tally;
mod walks;

use wayfare_event::{IdKey, Timestamp};
use wayfare_executor::{Key, Row};
use wayfare_store::{Entry, LoggedInput, Origin, RowKind, Store, StoreError};

use breach::Breaches;
pub use breach::{Breach, Rule};
use deliveries::Deliveries;
use erased::Marks;
use replay::Replay;
pub use tally::Tally;
use walks::Walks;

/// What an audit found.
#[derive(Clone, Debug)]
pub struct Audited {
    /// Whether the state is that of a dry run: decisions without deliveries (SP 5).
    pub dry: bool,
    /// The first input the history still has, and when it was decided.
    pub begins: Option<(u64, Timestamp)>,
    /// The last input, and when it was decided.
    pub ends: Option<(u64, Timestamp)>,
    /// Inputs read.
    pub inputs: u64,
    /// Those of them that an erasure redacted: of these nothing can be said.
    pub redacted: u64,
    /// The input from which on the rules were checked: behind everything that was redacted.
    pub judged_from: u64,
    /// Changes read.
    pub changes: u64,
    /// The input from which on rows were made anew from the changes, to be compared: 1, or what
    /// follows the oldest checkpoint where history was shortened.
    pub rows_from: u64,
    /// Rows of the state that were compared.
    pub rows: u64,
    /// What the state counts.
    pub tally: Tally,
    /// The first breaches, in the order they were found.
    pub breaches: Vec<Breach>,
    /// How many there are.
    pub broken: u64,
}

/// Audits everything that a store has: from `origin` on, rows are made anew and compared.
///
/// Memory is bounded by the rows and the ids there are, not by the history.
///
/// # Errors
///
/// When what is kept cannot be read.
pub fn audit(store: &mut dyn Store, origin: Origin) -> Result<Audited, StoreError> {
    let dry = store.head().dry;
    let next_seq = store.head().next_seq;
    let begins = store.beginning()?;
    let id_key = store.head().id_key;
    let mut audit = Audit::new((dry, id_key), begins.map(|(seq, _)| seq), origin);
    store.history(1, &mut |entry| audit.entry(entry))?;
    audit.order.ends(next_seq, &mut audit.breaches);
    for kind in RowKind::ALL {
        store.scan(kind, &mut |key, row| audit.row(key, row))?;
    }
    Ok(audit.finish(begins))
}

/// An audit under way.
#[derive(Debug)]
struct Audit {
    dry: bool,
    order: Order,
    walks: Walks,
    deliveries: Deliveries,
    marks: Marks,
    replay: Replay,
    tally: Tally,
    inputs: u64,
    redacted: u64,
    judged_from: u64,
    changes: u64,
    breaches: Breaches,
}

impl Audit {
    fn new((dry, id_key): (bool, IdKey), begins: Option<u64>, origin: Origin) -> Self {
        let begins = begins.unwrap_or(origin.next_seq);
        // A history with gaps tells of what never began in it.
        let judged_from = begins.max(origin.whole_from);
        Self {
            dry,
            order: Order::new(begins),
            walks: Walks::new((judged_from, &origin), dry),
            deliveries: Deliveries::new(judged_from),
            marks: Marks::new(id_key, &origin),
            replay: Replay::new(origin),
            tally: Tally::default(),
            inputs: 0,
            redacted: 0,
            judged_from,
            changes: 0,
            breaches: Breaches::default(),
        }
    }

    fn entry(&mut self, entry: &Entry) {
        self.inputs = self.inputs.saturating_add(1);
        self.order.entry(entry, &mut self.breaches);
        let is_redacted = matches!(entry.input, LoggedInput::Redacted);
        self.redacted = self.redacted.saturating_add(u64::from(is_redacted));
        if entry.seq < self.judged_from {
            return;
        }
        if is_redacted {
            let why = "it is redacted, and no checkpoint covers what followed from it";
            self.breaches.found(Rule::State, entry.seq, &entry.seq, why);
        }
        for change in &entry.changes {
            self.changes = self.changes.saturating_add(1);
            self.walks.change(entry.seq, change, &mut self.breaches);
            self.deliveries.change(entry, change, &mut self.breaches);
            self.marks.change(entry.seq, change, &mut self.breaches);
        }
        self.replay.entry(entry);
    }

    fn row(&mut self, key: &Key, row: &Row) {
        self.tally.row(row);
        self.walks.row(row, &mut self.breaches);
        self.deliveries.row(row, &mut self.breaches);
        self.marks.row(key, row, &mut self.breaches);
        self.replay.row(key, row, &mut self.breaches);
    }

    fn finish(mut self, begins: Option<(u64, Timestamp)>) -> Audited {
        self.walks.end(&self.tally, &mut self.breaches);
        self.deliveries.end(&mut self.breaches);
        self.replay.end(self.order.at, &mut self.breaches);
        self.tally.reconcile(&mut self.breaches);
        Audited {
            dry: self.dry,
            begins,
            ends: (self.inputs > 0)
                .then_some((self.order.expected.saturating_sub(1), self.order.at)),
            inputs: self.inputs,
            redacted: self.redacted,
            judged_from: self.judged_from,
            changes: self.changes,
            rows_from: self.replay.from(),
            rows: self.replay.compared(),
            tally: self.tally,
            broken: self.breaches.count(),
            breaches: self.breaches.kept(),
        }
    }
}

/// Whether inputs follow one another: without holes, never back in time.
#[derive(Debug)]
struct Order {
    expected: u64,
    at: Timestamp,
}

impl Order {
    const fn new(begins: u64) -> Self {
        Self {
            expected: begins,
            at: Timestamp::EPOCH,
        }
    }

    fn entry(&mut self, entry: &Entry, breaches: &mut Breaches) {
        let (seq, expected) = (entry.seq, self.expected);
        if seq != expected {
            let why = format!("input {seq} follows where {expected} should");
            breaches.found(Rule::Sequence, seq, &seq, why);
        }
        if entry.at < self.at {
            let why = format!("it counts at {}, the one before at {}", entry.at, self.at);
            breaches.found(Rule::Time, seq, &seq, why);
        }
        self.expected = seq.saturating_add(1);
        self.at = self.at.max(entry.at);
    }

    fn ends(&self, next_seq: u64, breaches: &mut Breaches) {
        if self.expected != next_seq {
            let (last, expected) = (next_seq.saturating_sub(1), self.expected.saturating_sub(1));
            let why =
                format!("the state covers inputs up to {last}, the history ends at {expected}");
            breaches.found(Rule::Sequence, last, &last, why);
        }
    }
}

/// The instance, decision or delivery a change is about belongs to what began within the history.
fn is_within(seq: u64, begins: u64) -> bool {
    seq >= begins
}
