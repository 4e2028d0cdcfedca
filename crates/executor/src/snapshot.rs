//! What may one step know? The rows loaded for it. The same type is the working copy that changes
//! are applied to, live and in recovery.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_event::{Identifier, IdentifierHash};
use wayfare_identity::{LinkChange, Links, Node};

use crate::record::{
    Account, Control, Erased, Guard, Instance, Key, Person, QueueId, Queued, Record, Row, Sweep,
    SweepId,
};

/// Rows, and the keys known to have none. A row that is not here is unknown, not absent; only of
/// controls ([`Key::Control`]) a caller puts all there are.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    links: Links,
    records: BTreeMap<Identifier, Arc<Record>>,
    rows: BTreeMap<Key, Option<Row>>,
}

impl Snapshot {
    /// Nothing loaded.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what stands under a key, be it nothing, in place of what was here.
    pub fn put(&mut self, key: Key, row: Option<Row>) {
        match (key, row) {
            (Key::Person(identifier), Some(Row::Person(person))) => {
                self.links.put(person.node);
                self.records.insert(identifier, person.record);
            }
            (Key::Person(identifier), _) => self.links.put_absent(identifier),
            (key, row) => {
                self.rows.insert(key, row);
            }
        }
    }

    /// Whether it is known what stands under a key.
    #[must_use]
    pub fn is_loaded(&self, key: &Key) -> bool {
        match key {
            Key::Person(identifier) => self.links.is_loaded(identifier),
            Key::Account(_)
            | Key::Guard { .. }
            | Key::Message(_)
            | Key::Decision(_)
            | Key::Delivery(_)
            | Key::Version(..)
            | Key::Queued(_)
            | Key::Sweep(_)
            | Key::Erased(_) => self.rows.contains_key(key),
            // Few journeys are held, and whoever calls knows them all.
            Key::Control(_) => true,
        }
    }

    /// What stands under a key, as far as it is loaded.
    #[must_use]
    pub fn row(&self, key: &Key) -> Option<Row> {
        let Key::Person(identifier) = key else {
            return self.rows.get(key).cloned().flatten();
        };
        Some(Row::Person(Person {
            node: self.links.node(identifier)?.clone(),
            record: self.records.get(identifier).cloned().unwrap_or_default(),
        }))
    }

    /// The links of all loaded identifiers.
    #[must_use]
    pub const fn links(&self) -> &Links {
        &self.links
    }

    /// The record under an identifier, when there is one.
    #[must_use]
    pub fn record(&self, identifier: &Identifier) -> Option<&Record> {
        self.records.get(identifier).map(|record| &**record)
    }

    /// Every loaded record and the identifier it is kept under.
    pub fn records(&self) -> impl Iterator<Item = (&Identifier, &Record)> {
        self.records
            .iter()
            .map(|(identifier, record)| (identifier, &**record))
    }

    /// The last entry that a guard remembers.
    #[must_use]
    pub fn guard(&self, key: &Key) -> Option<Guard> {
        match self.rows.get(key) {
            Some(Some(Row::Guard(guard))) => Some(*guard),
            Some(_) | None => None,
        }
    }

    /// An account, when anything is known of it.
    #[must_use]
    pub fn account(&self, account: &Arc<str>) -> Option<&Account> {
        match self.rows.get(&Key::Account(account.clone())) {
            Some(Some(Row::Account(account))) => Some(account),
            Some(_) | None => None,
        }
    }

    /// What is kept of an identifier of somebody erased, when it is one's.
    #[must_use]
    pub fn erased(&self, hash: IdentifierHash) -> Option<Erased> {
        match self.rows.get(&Key::Erased(hash)) {
            Some(Some(Row::Erased(erased))) => Some(*erased),
            Some(_) | None => None,
        }
    }

    /// What holds for a whole journey, when anything does.
    #[must_use]
    pub fn control(&self, journey: &Arc<str>) -> Option<&Control> {
        match self.rows.get(&Key::Control(journey.clone())) {
            Some(Some(Row::Control(control))) => Some(control),
            Some(_) | None => None,
        }
    }

    /// A queued input, until it had its turn.
    #[must_use]
    pub fn queued(&self, id: QueueId) -> Option<&Arc<Queued>> {
        match self.rows.get(&Key::Queued(id)) {
            Some(Some(Row::Queued(queued))) => Some(queued),
            Some(_) | None => None,
        }
    }

    /// How far a sweep got, until it is over.
    #[must_use]
    pub fn sweep(&self, id: &SweepId) -> Option<&Arc<Sweep>> {
        match self.rows.get(&Key::Sweep(id.clone())) {
            Some(Some(Row::Sweep(sweep))) => Some(sweep),
            Some(_) | None => None,
        }
    }

    /// An instance, when it is still walking.
    #[must_use]
    pub fn instance(
        &self,
        owner: &Identifier,
        id: wayfare_event::InstanceId,
    ) -> Option<&Arc<Instance>> {
        self.records.get(owner)?.instances.get(&id)
    }

    pub(crate) fn forget(
        &mut self,
        identifier: &Identifier,
        others: &[Identifier],
        instead: &Identifier,
    ) {
        self.links.forget(identifier, others, instead);
        self.records.remove(identifier);
    }

    pub(crate) fn link(&mut self, change: &LinkChange) {
        self.links.apply(change);
    }

    pub(crate) fn record_mut(&mut self, identifier: &Identifier) -> &mut Record {
        if self.links.node(identifier).is_none() {
            self.links.put(Node::new(identifier.clone()));
        }
        Arc::make_mut(self.records.entry(identifier.clone()).or_default())
    }

    pub(crate) fn account_mut(&mut self, account: &Arc<str>) -> &mut Account {
        let row = self
            .rows
            .entry(Key::Account(account.clone()))
            .or_insert(None);
        if !matches!(row, Some(Row::Account(_))) {
            *row = Some(Row::Account(Arc::default()));
        }
        match row {
            Some(Row::Account(account)) => Arc::make_mut(account),
            Some(_) | None => unreachable!("it was just put there"),
        }
    }
}
