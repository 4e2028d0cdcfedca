//! Is anybody there who was erased? Marks of identifiers are followed through the history, and no row
//! of the state may tell of somebody before the last of them.

use std::collections::{BTreeMap, BTreeSet};

use wayfare_event::{DecisionId, IdKey, IdentifierHash};
use wayfare_executor::record::{Erased, hash};
use wayfare_executor::{Change, ErasureChange, Key, Row};
use wayfare_store::Origin;

use super::breach::{Breaches, Rule};

/// Who was erased.
#[derive(Debug)]
pub(super) struct Marks {
    key: IdKey,
    marks: BTreeMap<IdentifierHash, Erased>,
    /// Rows of the ledger that tell of nobody any more.
    reduced: BTreeSet<DecisionId>,
}

impl Marks {
    pub(super) fn new(key: IdKey, origin: &Origin) -> Self {
        let mark = |(key, row): &(Key, Row)| {
            if let (Key::Erased(hash), Row::Erased(mark)) = (key, row) {
                Some((*hash, *mark))
            } else {
                None
            }
        };
        let rows = origin.rows.iter();
        Self {
            key,
            marks: rows.filter_map(mark).collect(),
            reduced: BTreeSet::new(),
        }
    }

    pub(super) fn change(&mut self, seq: u64, change: &Change, breaches: &mut Breaches) {
        if let Change::Erasure(ErasureChange::Marked { hash, erased }) = change {
            match erased {
                Some(mark) => self.marks.insert(*hash, *mark),
                None => self.marks.remove(hash),
            };
        } else if let Change::Erasure(ErasureChange::Reduced(id)) = change {
            self.reduced.insert(*id);
        } else if let Change::DeliveryMoved {
            delivery, state, ..
        } = change
            && matches!(state, wayfare_executor::delivery::State::Armed { .. })
            && self
                .reduced
                .contains(&DecisionId::from_bytes(*delivery.as_bytes()))
        {
            let why = "an attempt was released for somebody who was erased";
            breaches.found(Rule::Erased, seq, delivery, why);
        }
    }

    /// A row of the state.
    pub(super) fn row(&self, key: &Key, row: &Row, breaches: &mut Breaches) {
        if self.marks.is_empty() {
            return;
        }
        if let (Key::Person(identifier), Row::Person(person)) = (key, row) {
            let hash = hash(&self.key, identifier);
            let is_old = |mark: &&Erased| person.node.epoch() < mark.epoch;
            if self.marks.get(&hash).filter(is_old).is_some() {
                let why = "something is known of somebody who was erased";
                breaches.found(Rule::Erased, 0, &hash, why);
            }
        } else if let Row::Decision(decision) = row
            && self.reduced.contains(&decision.id)
            && !decision.is_reduced()
        {
            let why = "the ledger tells of somebody who was erased";
            breaches.found(Rule::Erased, 0, &decision.id, why);
        }
    }
}
