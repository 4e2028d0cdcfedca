//! What happens to one input? Load what the step asks for, step, apply what follows, and keep track
//! of what is due because of it.

use std::collections::BTreeSet;

use wayfare_event::{InstanceId, Timestamp};
use wayfare_executor::delivery::State;
use wayfare_executor::record::Delivery;
use wayfare_executor::{Change, Effects, Input, InputKind, Key, Row, Snapshot, Timer, step};
use wayfare_store::{Entry, LoggedInput, StoreError};

use super::{Engine, Output};

impl Engine {
    /// Load, step, apply: how many changes it made.
    pub(super) fn input(
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
        let mut rows = Snapshot::new();
        let changes = loop {
            match step(&self.catalog, &rows, &input, &mut self.trace) {
                Effects::Changes(changes) => break changes,
                Effects::Load(keys) => {
                    // Each round loads something, so the rounds end.
                    let is_new = keys.iter().any(|key| !rows.is_loaded(key));
                    assert!(is_new, "a step asks only for what is not loaded");
                    self.load(&mut rows, keys)?;
                }
                Effects::DueFirst(timer) => {
                    self.timer(input.at, timer)?;
                    input.seq = self.next_seq;
                    rows = Snapshot::new();
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

    fn note_trace(&mut self, input: &Input) {
        if !self.trace.notes().is_empty() {
            self.outputs.push(Output::Trace {
                seq: input.seq,
                at: input.at,
                notes: self.trace.notes().to_vec(),
            });
        }
    }

    pub(super) fn row(&mut self, key: &Key) -> Result<Option<Row>, StoreError> {
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
            self.before(rows, change);
            change.apply(rows);
            touched.extend(change.touches());
            self.after(rows, change);
        }
        for key in touched {
            let row = rows.row(&key);
            self.rows.insert(key, row);
        }
    }

    /// A timer that a change makes void is forgotten.
    fn before(&mut self, rows: &Snapshot, change: &Change) {
        let (owner, id) = if let Change::Parked { owner, id, .. }
        | Change::Rehomed {
            from: owner, id, ..
        } = change
        {
            (owner, *id)
        } else if let Change::Decided(decision) = change {
            let id = InstanceId::from_bytes(*decision.id.as_bytes());
            (&decision.owner, id)
        } else {
            return;
        };
        let due = rows.instance(owner, id).and_then(|instance| instance.due);
        if let Some(due) = due {
            self.timers.remove(&Timer {
                due,
                instance: id,
                owner: owner.clone(),
            });
        }
    }

    /// What is due because of a change, and what the outside will hear of it.
    fn after(&mut self, rows: &Snapshot, change: &Change) {
        if let Change::Parked { owner, id, due, .. } = change {
            self.timers.extend(due.map(|due| Timer {
                due,
                instance: *id,
                owner: owner.clone(),
            }));
        } else if let Change::Rehomed { to, id, .. } = change {
            let due = rows.instance(to, *id).and_then(|instance| instance.due);
            self.timers.extend(due.map(|due| Timer {
                due,
                instance: *id,
                owner: to.clone(),
            }));
        } else if let Change::Decided(decision) = change {
            if decision.terms.is_some() {
                let id = decision.id.delivery();
                self.due.plan(id, decision.at);
            }
            self.outputs.push(Output::Decision(decision.clone()));
        } else if let Change::DeliveryMoved { delivery, at, .. } = change
            && let Some(Row::Delivery(delivery)) = rows.row(&Key::Delivery(*delivery))
        {
            self.track(&delivery);
            self.outputs.push(Output::Delivery { delivery, at: *at });
        } else if let Change::Refused { refusal, .. } = change {
            let refusal = Box::new(refusal.clone());
            self.outputs.push(Output::Refused(refusal));
        }
    }

    /// Keeps what is due of a delivery in step with its state.
    pub(super) fn track(&mut self, delivery: &Delivery) {
        match delivery.state {
            State::Planned { due } => self.due.plan(delivery.id, due),
            State::Armed { since } => self.due.arm(delivery.id, since),
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
