//! What changes when somebody is erased, and what does that do to rows? Not here: who is erased, and when
//! (`step/erase`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{DecisionId, Identifier, IdentifierHash, Timestamp};

use crate::record::{Erased, Erasing, Key, Row, claimant};
use crate::snapshot::Snapshot;

/// One durable delta of an erasure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureChange {
    /// An identifier is somebody's who was erased; with nothing, that is lifted.
    Marked {
        /// Its hash.
        hash: IdentifierHash,
        /// What is kept of it.
        erased: Option<Erased>,
    },
    /// Somebody is to be erased, or nothing is heard of them any more; with nothing, that is lifted.
    Begun {
        /// The identifier it is kept under.
        owner: Identifier,
        /// What is to be done.
        erasing: Option<Arc<Erasing>>,
    },
    /// What was known under an identifier is gone: its row, its entries, and others' links to it.
    Forgotten {
        /// The identifier.
        identifier: Identifier,
        /// What its claims on identifiers of others stand under from now on.
        hash: IdentifierHash,
        /// The journeys and keys of its entries.
        entries: Vec<(Arc<str>, Arc<str>)>,
        /// The identifiers of others that were linked to it.
        others: Vec<Identifier>,
    },
    /// An entry of somebody erased is not remembered any more.
    EntryForgotten {
        /// The identifier it was kept under.
        owner: Identifier,
        /// The journey.
        journey: Arc<str>,
        /// The key; empty for a journey without one.
        key: Arc<str>,
    },
    /// A row of the ledger, and the delivery it owed, tell no more whose they were.
    Reduced(DecisionId),
    /// Nothing in the state tells of somebody erased any more.
    Complete {
        /// Their identifiers.
        hashes: Vec<IdentifierHash>,
        /// When.
        at: Timestamp,
    },
}

impl ErasureChange {
    /// The rows it changes.
    pub(crate) fn touches(&self) -> Vec<Key> {
        let person = |owner: &Identifier| Key::Person(owner.clone());
        match self {
            Self::Marked { hash, .. } => vec![Key::Erased(*hash)],
            Self::Begun { owner, .. } => vec![person(owner)],
            Self::Forgotten {
                identifier,
                entries,
                others,
                ..
            } => {
                let mut keys = vec![person(identifier)];
                let entries = entries.iter();
                keys.extend(entries.map(|(journey, key)| entry(identifier, journey, key)));
                keys.extend(others.iter().map(person));
                keys
            }
            Self::EntryForgotten {
                owner,
                journey,
                key,
            } => vec![entry(owner, journey, key)],
            Self::Reduced(id) => vec![Key::Decision(*id), Key::Delivery(id.delivery())],
            Self::Complete { hashes, .. } => hashes.iter().copied().map(Key::Erased).collect(),
        }
    }

    /// Makes the change in rows that are loaded.
    pub(crate) fn apply(&self, rows: &mut Snapshot) {
        match self {
            Self::Marked { hash, erased } => {
                rows.put(Key::Erased(*hash), erased.map(Row::Erased));
            }
            Self::Begun { owner, erasing } => rows.record_mut(owner).erasing.clone_from(erasing),
            Self::Forgotten {
                identifier,
                hash,
                entries,
                others,
            } => {
                rows.forget(identifier, others, &claimant(*hash));
                for (journey, key) in entries {
                    rows.put(entry(identifier, journey, key), None);
                }
            }
            Self::EntryForgotten {
                owner,
                journey,
                key,
            } => rows.put(entry(owner, journey, key), None),
            Self::Reduced(id) => reduce(rows, *id),
            Self::Complete { hashes, at } => {
                for hash in hashes {
                    let key = Key::Erased(*hash);
                    if let Some(Row::Erased(erased)) = rows.row(&key) {
                        let complete = Some(*at);
                        rows.put(key, Some(Row::Erased(Erased { complete, ..erased })));
                    }
                }
            }
        }
    }
}

fn reduce(rows: &mut Snapshot, id: DecisionId) {
    let key = Key::Decision(id);
    if let Some(Row::Decision(held)) = rows.row(&key) {
        let mut decision = (*held).clone();
        decision.reduce();
        rows.put(key, Some(Row::Decision(Arc::new(decision))));
    }
    let key = Key::Delivery(id.delivery());
    if let Some(Row::Delivery(held)) = rows.row(&key) {
        let mut delivery = (*held).clone();
        delivery.reduce();
        rows.put(key, Some(Row::Delivery(Arc::new(delivery))));
    }
}

/// The row that remembers an entry.
pub(crate) fn entry(owner: &Identifier, journey: &Arc<str>, key: &Arc<str>) -> Key {
    Key::Guard {
        owner: owner.clone(),
        journey: journey.clone(),
        key: key.clone(),
    }
}
