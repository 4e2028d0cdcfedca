//! What happens to one input? Load what the step asks for, step, apply what follows, and keep track
//! of what is due because of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::{DeliveryId, Timestamp};
use wayfare_executor::delivery::State;
use wayfare_executor::record::{Control, Delivery, Paused, QueueId};
use wayfare_executor::rehearsal::{Asked, Rehearsed, rehearse};
use wayfare_executor::{
    Change, Effects, Input, InputKind, Key, Place, Row, Snapshot, Timer, TimerOf, step,
};
use wayfare_store::{Entry, LoggedInput, StoreError};

use super::{Engine, Output};

/// Queued inputs that are taken with the input that caused them; more wait for their turn (SP 7).
const QUEUED_PER_INPUT_MAX: usize = 1_000;

impl Engine {
    /// One input, then what it queued, breadth first: how many changes the input itself made.
    pub(super) fn input(
        &mut self,
        at: Timestamp,
        kind: InputKind,
        logged: LoggedInput,
    ) -> Result<usize, StoreError> {
        let seq = self.next_seq;
        let made = self.one(at, kind, logged)?;
        for _ in 0..QUEUED_PER_INPUT_MAX {
            let first = self.queued.range(QueueId { seq, place: 0 }..).next();
            let Some(id) = first.copied() else { break };
            self.take_queued(at, id)?;
        }
        Ok(made)
    }

    /// Gives a queued input its turn.
    pub(super) fn take_queued(&mut self, at: Timestamp, id: QueueId) -> Result<(), StoreError> {
        self.queued.remove(&id);
        let kind = InputKind::Queued(id);
        self.one(at, kind, LoggedInput::Queued(id)).map(|_| ())
    }

    /// Load, step, apply: how many changes it made.
    fn one(
        &mut self,
        at: Timestamp,
        kind: InputKind,
        logged: LoggedInput,
    ) -> Result<usize, StoreError> {
        let mut input = Input {
            seq: self.next_seq,
            at: self.at.max(at),
            kind,
        };
        let mut rows = self.controls();
        let changes = loop {
            match step(&self.catalog, &rows, &input, &mut self.trace) {
                Effects::Changes(changes) => break changes,
                Effects::Dropped => {
                    self.counts.erased += 1;
                    break Vec::new();
                }
                Effects::Load(keys) => {
                    // Each round loads something, so the rounds end.
                    let is_new = keys.iter().any(|key| !rows.is_loaded(key));
                    assert!(is_new, "a step asks only for what is not loaded");
                    self.load(&mut rows, keys)?;
                }
                Effects::DueFirst(timer) => {
                    self.timer(input.at, timer)?;
                    input.seq = self.next_seq;
                    rows = self.controls();
                }
            }
        };
        self.note_trace(&input);
        let made = changes.len();
        if made > 0 {
            self.at = input.at;
            self.next_seq += 1;
            self.batch_bytes += bytes(&logged, &changes);
            self.apply(&mut rows, &changes);
            self.entries.push(Entry {
                seq: input.seq,
                at: input.at,
                input: logged,
                changes,
            });
        }
        Ok(made)
    }

    /// What holds for whole journeys, where anything does: every step may know it.
    fn controls(&self) -> Snapshot {
        let mut rows = Snapshot::new();
        let holds = |control: &Control| {
            let is_held = control.paused.is_some() || control.window.is_some();
            is_held || !control.blocks.is_empty()
        };
        for (journey, control) in self.controls.iter().filter(|(_, it)| holds(it)) {
            let row = Row::Control(control.clone());
            rows.put(Key::Control(journey.clone()), Some(row));
        }
        rows
    }

    /// What a block would send for a profile as it is now; nothing where it is no webhook block.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn rehearse(
        &mut self,
        at: Timestamp,
        asked: &Asked<'_>,
    ) -> Result<Option<Rehearsed>, StoreError> {
        let mut rows = self.controls();
        let at = self.at.max(at);
        loop {
            match rehearse(&self.catalog, &rows, at, asked) {
                Ok(rehearsed) => return Ok(rehearsed),
                Err(keys) => self.load(&mut rows, keys)?,
            }
        }
    }

    fn note_trace(&mut self, input: &Input) {
        if !self.trace.notes().is_empty() {
            self.outputs.push(Output::Trace {
                seq: input.seq,
                at: input.at,
                notes: self.trace.notes().to_vec(),
            });
        }
    }

    pub(crate) fn row(&mut self, key: &Key) -> Result<Option<Row>, StoreError> {
        if let Some(row) = self.rows.get(key) {
            return Ok(row.clone());
        }
        let loaded = self.store.load(std::slice::from_ref(key))?;
        Ok(loaded.into_iter().next().flatten())
    }

    fn load(&mut self, rows: &mut Snapshot, keys: BTreeSet<Key>) -> Result<(), StoreError> {
        let (here, stored): (Vec<Key>, Vec<Key>) = keys
            .into_iter()
            .partition(|key| self.rows.contains_key(key));
        for key in here {
            let row = self.rows.get(&key).cloned().flatten();
            rows.put(key, row);
        }
        let loaded = self.store.load(&stored)?;
        for (key, row) in stored.into_iter().zip(loaded) {
            rows.put(key, row);
        }
        Ok(())
    }

    fn apply(&mut self, rows: &mut Snapshot, changes: &[Change]) {
        let mut touched = BTreeSet::new();
        for change in changes {
            let keys = change.touches();
            self.before(rows, change, &keys);
            change.apply(rows);
            self.after(rows, change, &keys);
            touched.extend(keys);
        }
        for key in touched {
            let row = rows.row(&key);
            self.rows.insert(key, row);
        }
    }

    /// A timer that a change makes void is forgotten; what holds for a journey is there to be changed.
    fn before(&mut self, rows: &mut Snapshot, change: &Change, keys: &[Key]) {
        if let Some(timer) = change.timer(rows) {
            self.timers.remove(&timer);
            self.held_timers.remove(&timer);
        }
        if let Some(key @ Key::Control(journey)) = keys.last()
            && rows.row(key).is_none()
        {
            let control = self.controls.get(journey).cloned();
            rows.put(key.clone(), control.map(Row::Control));
        }
    }

    /// Lets no dates have their turn here beyond those that are planned by now; what is planned
    /// later waits for whoever opens the state next.
    pub fn last_call(&mut self) {
        let dates = self.timers.iter();
        let dates = dates.filter(|timer| matches!(timer.of, TimerOf::Date(_)));
        let last = dates.map(|timer| timer.due).max();
        self.last_date = Some(last.unwrap_or(self.at));
    }

    fn has_turn(&self, timer: &Timer) -> bool {
        let is_date = matches!(timer.of, TimerOf::Date(_));
        self.last_date
            .is_none_or(|last| !is_date || timer.due <= last)
    }

    /// What is due because of a change, and what the outside will hear of it.
    fn after(&mut self, rows: &Snapshot, change: &Change, keys: &[Key]) {
        let timer = change.timer(rows);
        self.timers
            .extend(timer.filter(|timer| self.has_turn(timer)));
        let key = &self.catalog.id_key;
        self.alerts.changed(key, (rows, change), self.at);
        if let Change::Decided(decision) = change {
            let key = Key::Delivery(decision.id.delivery());
            if let Some(Row::Delivery(delivery)) = rows.row(&key) {
                self.track(&delivery);
            }
            self.outputs.push(Output::Decision(decision.clone()));
        } else if let Change::DeliveryMoved { delivery, at, .. } = change {
            self.moved(rows, *delivery, *at);
        } else if let Change::DeliveryOrdered { delivery, order } = change {
            self.moved(rows, *delivery, order.at);
        } else if let Change::Refused { refusal, .. } = change {
            let refusal = Box::new(refusal.clone());
            self.outputs.push(Output::Refused(refusal));
        } else if let Change::Queued { id, .. } = change {
            self.queued.insert(*id);
        } else if let Change::SweepMoved { id, sweep } = change {
            self.sweeps.remove(id);
            self.sweeps
                .extend(sweep.clone().map(|sweep| (id.clone(), sweep)));
        } else if let Some(Key::Control(journey)) = keys.last() {
            self.control(rows, journey);
        }
    }

    /// A delivery came to another state.
    fn moved(&mut self, rows: &Snapshot, delivery: DeliveryId, at: Timestamp) {
        if let Some(Row::Delivery(delivery)) = rows.row(&Key::Delivery(delivery)) {
            self.track(&delivery);
            self.outputs.push(Output::Delivery { delivery, at });
        }
    }

    /// Keeps what holds for a journey and its blocks; what waited in a paused one is due again when
    /// it goes on.
    fn control(&mut self, rows: &Snapshot, journey: &Arc<str>) {
        let Some(Row::Control(control)) = rows.row(&Key::Control(journey.clone())) else {
            return;
        };
        let before = self.controls.insert(journey.clone(), control.clone());
        let before = before.unwrap_or_default();
        self.paused_or_not((journey, None), (&before.paused, &control.paused));
        let blocks: BTreeSet<&Arc<str>> =
            before.blocks.keys().chain(control.blocks.keys()).collect();
        let paused = |control: &Control, block: &Arc<str>| {
            control.blocks.get(block).and_then(|it| it.paused.clone())
        };
        for block in blocks {
            let (was, is) = (paused(&before, block), paused(&control, block));
            self.paused_or_not((journey, Some(block)), (&was, &is));
        }
    }

    fn paused_or_not(
        &mut self,
        (journey, block): (&Arc<str>, Option<&Arc<str>>),
        (was, is): (&Option<Paused>, &Option<Paused>),
    ) {
        if was.is_some() == is.is_some() {
            return;
        }
        let place = Place {
            journey: journey.clone(),
            block: block.cloned(),
        };
        if let Some(paused) = is {
            tracing::warn!(%place, by = %paused.by, reason = %paused.reason, "paused");
        }
        self.outputs.push(Output::Control {
            place,
            at: self.at,
            paused: is.clone(),
        });
        if let Some(was) = was {
            self.timers.append(&mut self.held_timers);
            // What another pause holds too is held again when it is taken up.
            for id in self.due.held() {
                self.due.let_go(id, was.since);
            }
        }
    }

    /// Keeps what is due of a delivery in step with its state.
    pub(super) fn track(&mut self, delivery: &Delivery) {
        match delivery.state {
            State::Planned { due } => self.due.plan(delivery, due),
            State::Armed { since } => self.due.arm(delivery, since),
            State::Delivered { .. }
            | State::Rejected { .. }
            | State::Unknown(_)
            | State::Expired(_)
            | State::Withheld(_) => self.due.close(delivery.id),
        }
    }
}

/// Bytes of the large parts of an entry: the text of an event, the bodies of requests.
fn bytes(logged: &LoggedInput, changes: &[Change]) -> usize {
    let text = if let LoggedInput::Event { text, .. } = logged {
        text.len()
    } else {
        0
    };
    let body = |change: &Change| {
        if let Change::Decided(decision) = change {
            let request = decision.request.as_ref();
            request
                .and_then(|it| it.body.as_ref())
                .map_or(0, String::len)
        } else {
            0
        }
    };
    text + changes.iter().map(body).sum::<usize>()
}
