//! Is the state what follows from the history? The changes are applied once more to the rows that
//! were there when the history begins, and every row is compared.

use std::collections::{BTreeMap, BTreeSet};

use wayfare_event::Timestamp;
use wayfare_executor::{Key, Row, Snapshot};
use wayfare_store::{Entry, MESSAGE_DAYS, Origin};

use super::breach::{Breaches, Rule};

/// A day, in microseconds.
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Rows made anew.
#[derive(Debug)]
pub(super) struct Replay {
    from: u64,
    rows: BTreeMap<Key, Row>,
    compared: u64,
}

impl Replay {
    pub(super) fn new(origin: Origin) -> Self {
        Self {
            from: origin.next_seq,
            rows: origin.rows.into_iter().collect(),
            compared: 0,
        }
    }

    /// The input from which on changes were applied.
    pub(super) const fn from(&self) -> u64 {
        self.from
    }

    /// Rows of the state that were compared.
    pub(super) const fn compared(&self) -> u64 {
        self.compared
    }

    /// Applies what followed from an input.
    pub(super) fn entry(&mut self, entry: &Entry) {
        if entry.seq < self.from {
            return;
        }
        let mut rows = Snapshot::new();
        let mut touched = BTreeSet::new();
        for change in &entry.changes {
            for key in change.touches() {
                if touched.insert(key.clone()) {
                    let row = self.rows.remove(&key);
                    rows.put(key, row);
                }
            }
            change.apply(&mut rows);
        }
        for key in touched {
            let row = rows.row(&key);
            self.rows.extend(row.map(|row| (key, row)));
        }
    }

    /// Compares a row of the state.
    pub(super) fn row(&mut self, key: &Key, row: &Row, breaches: &mut Breaches) {
        self.compared = self.compared.saturating_add(1);
        match self.rows.remove(key) {
            None => breaches.found(
                Rule::State,
                0,
                &named(key),
                "a row that does not follow from the history",
            ),
            Some(made) if made != *row => breaches.found(
                Rule::State,
                0,
                &named(key),
                "the row is another than what follows from the history",
            ),
            Some(_) => {}
        }
    }

    /// All rows of the state were seen; the last input counted at `at`.
    pub(super) fn end(&mut self, at: Timestamp, breaches: &mut Breaches) {
        let day = |at: Timestamp| at.as_micros().div_euclid(DAY_US);
        let oldest = day(at).saturating_sub(MESSAGE_DAYS);
        let is_forgotten = |row: &Row| matches!(row, Row::Message(seen) if day(*seen) < oldest);
        let rows = std::mem::take(&mut self.rows);
        for (key, _) in rows.iter().filter(|(_, row)| !is_forgotten(row)) {
            let why = "a row that follows from the history is gone";
            breaches.found(Rule::State, 0, &named(key), why);
        }
    }
}

/// A key in words.
fn named(key: &Key) -> String {
    match key {
        Key::Person(identifier) => format!("person {identifier}"),
        Key::Account(account) => format!("account {account}"),
        Key::Guard {
            owner,
            journey,
            key,
        } if key.is_empty() => format!("entry of {owner} into {journey}"),
        Key::Guard {
            owner,
            journey,
            key,
        } => format!("entry of {owner} into {journey} under {key}"),
        Key::Message(message) => {
            let digits = message.as_bytes().iter().map(|byte| format!("{byte:02x}"));
            digits.fold("message ".to_owned(), |text, byte| text + &byte)
        }
        Key::Decision(id) => id.to_string(),
        Key::Delivery(id) => id.to_string(),
        Key::Version(journey, version) => format!("version {version} of {journey}"),
        Key::Queued(id) => format!("queued input {} of {}", id.place, id.seq),
        Key::Sweep(id) => format!("sweep {id}"),
        Key::Control(journey) => format!("what holds for {journey}"),
        Key::Erased(hash) => hash.to_string(),
    }
}
