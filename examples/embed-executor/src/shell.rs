//! What does a caller of `step` have to do? Load what it asks for, keep what changes, and come back
//! when something is due. Not here: what follows from an input, which the executor decides.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wayfare_event::{DeliveryId, Event, Rejection, Timestamp};
use wayfare_executor::delivery::{Outcome, State};
use wayfare_executor::record::{Delivery, QueueId};
use wayfare_executor::{
    Catalog, Change, Effects, Happened, Input, InputKind, Key, Row, Snapshot, Timer, Trace, step,
};

use crate::say;

/// Sends a released delivery at an instant; how that ended.
pub(crate) type Sender = fn(&Delivery, Timestamp) -> Outcome;

/// A program's own shell around `step`: rows in a map, and what is due.
pub(crate) struct Shell {
    catalog: Catalog,
    send: Sender,
    rows: BTreeMap<Key, Row>,
    timers: BTreeSet<Timer>,
    attempts: BTreeSet<(Timestamp, DeliveryId)>,
    next_seq: u64,
    at: Timestamp,
}

impl Shell {
    pub(crate) const fn new(catalog: Catalog, send: Sender) -> Self {
        Self {
            catalog,
            send,
            rows: BTreeMap::new(),
            timers: BTreeSet::new(),
            attempts: BTreeSet::new(),
            next_seq: 1,
            at: Timestamp::EPOCH,
        }
    }

    /// The time of the last input.
    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    /// What kind of row each row is.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.rows.keys().map(|key| match key {
            Key::Person(_) => "identifiers",
            Key::Account(_) => "accounts",
            Key::Guard { .. } => "entries",
            Key::Message(_) => "message ids",
            Key::Decision(_) => "decisions",
            Key::Delivery(_) => "deliveries",
            Key::Version(..) => "journeys",
            Key::Queued(_) => "queued inputs",
            Key::Sweep(_) => "sweeps",
            Key::Control(_) => "controls",
            Key::Erased(_) => "erased identifiers",
        })
    }

    /// Takes one event at the time it says it happened; what is due by then happens first.
    pub(crate) fn event(&mut self, text: &str) -> Result<(), Rejection> {
        let event = Event::parse(text, None)?;
        let at = event.told_at().unwrap_or(self.at).max(self.at);
        let happened = Happened::new(&self.catalog, event, "example".into(), at)?;
        self.run_until(at);
        self.input(at, InputKind::Event(Box::new(happened)));
        self.run_until(at);
        Ok(())
    }

    /// Moves the clock on, from one due instant to the next.
    pub(crate) fn run_until(&mut self, end: Timestamp) {
        loop {
            let timer = self.timers.first().map(|timer| timer.due);
            let attempt = self.attempts.first().map(|(due, _)| *due);
            let due = timer.into_iter().chain(attempt).min();
            let Some(due) = due.filter(|due| *due <= end) else {
                break;
            };
            if timer == Some(due)
                && let Some(timer) = self.timers.pop_first()
            {
                self.input(due, InputKind::Timer(timer));
            } else if let Some((_, delivery)) = self.attempts.pop_first() {
                self.attempt(due, delivery);
            }
        }
        self.at = self.at.max(end);
    }

    /// One attempt: consent is asked again, and only a delivery that was armed is sent.
    fn attempt(&mut self, at: Timestamp, id: DeliveryId) {
        let ready = InputKind::AttemptReady {
            delivery: id,
            waited_us: 0,
        };
        self.input(at, ready);
        let Some(Row::Delivery(delivery)) = self.rows.get(&Key::Delivery(id)) else {
            return;
        };
        if let State::Armed { .. } = delivery.state {
            let finished = InputKind::AttemptFinished {
                delivery: id,
                attempt: delivery.attempts,
                outcome: (self.send)(delivery, at),
            };
            self.input(at, finished);
        }
    }

    /// One input, then what it queued, breadth first.
    fn input(&mut self, at: Timestamp, kind: InputKind) {
        let mut queued = VecDeque::from(self.one(at, kind));
        while let Some(id) = queued.pop_front() {
            queued.extend(self.one(at, InputKind::Queued(id)));
        }
    }

    /// Load, step, apply. The inputs it queued.
    fn one(&mut self, at: Timestamp, kind: InputKind) -> Vec<QueueId> {
        let mut input = Input {
            seq: self.next_seq,
            at: self.at.max(at),
            kind,
        };
        let mut rows = self.controls();
        let changes = loop {
            match step(&self.catalog, &rows, &input, &mut Trace::off()) {
                Effects::Changes(changes) => break changes,
                Effects::Dropped => break Vec::new(),
                Effects::Load(keys) => {
                    for key in keys {
                        let row = self.rows.get(&key).cloned();
                        rows.put(key, row);
                    }
                }
                Effects::DueFirst(timer) => {
                    self.timers.remove(&timer);
                    self.input(input.at, InputKind::Timer(timer));
                    input.seq = self.next_seq;
                    rows = self.controls();
                }
            }
        };
        self.at = input.at;
        self.next_seq += 1;
        let mut queued = Vec::new();
        for change in changes {
            if let Some(timer) = change.timer(&rows) {
                self.timers.remove(&timer);
            }
            change.apply(&mut rows);
            self.keep(&rows, &change);
            self.timers.extend(change.timer(&rows));
            self.note_due(&change);
            if let Change::Queued { id, .. } = change {
                queued.push(id);
            }
            if let Some(words) = words(&change) {
                say(self.at, &words);
            }
        }
        queued
    }

    /// What holds for whole journeys: every step may know it.
    fn controls(&self) -> Snapshot {
        let mut rows = Snapshot::new();
        let all = self.rows.iter();
        for (key, row) in all.filter(|(key, _)| matches!(key, Key::Control(_))) {
            rows.put(key.clone(), Some(row.clone()));
        }
        rows
    }

    /// Keeps the rows a change touched. A program with a database writes those of one input, or of
    /// many, in one transaction, and sends nothing before it has committed.
    fn keep(&mut self, rows: &Snapshot, change: &Change) {
        for key in change.touches() {
            match rows.row(&key) {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    /// Which attempts have to come back as inputs, and when.
    fn note_due(&mut self, change: &Change) {
        if let Change::Decided(decision) = change {
            if decision.terms.is_some() {
                let owed = (decision.at, decision.id.delivery());
                self.attempts.insert(owed);
            }
        } else if let Change::DeliveryMoved {
            delivery, state, ..
        } = change
            && let State::Planned { due } = state
        {
            self.attempts.insert((*due, *delivery));
        }
    }
}

/// What the program tells of a change; of most, nothing.
fn words(change: &Change) -> Option<String> {
    if let Change::Entered {
        owner, instance, ..
    } = change
    {
        Some(format!("{owner} entered {}", instance.journey))
    } else if let Change::Decided(decision) = change {
        let outcome = decision.outcome.as_str();
        let why = decision.consent.as_ref();
        let why = why.map(|permission| permission.verdict.reason.as_str());
        let why = why.or(decision.reason.as_deref()).unwrap_or_default();
        Some(format!("{} decided: {outcome} ({why})", decision.owner))
    } else if let Change::DeliveryMoved { state, .. } = change {
        Some(format!("delivery {}", state.as_str()))
    } else {
        None
    }
}
