//! Which deliveries may leave, and when? Those that wait for their time, and those somebody has
//! taken up.

use std::collections::{BTreeMap, BTreeSet};

use wayfare_event::{DeliveryId, Timestamp};

/// The deliveries that are not final.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// When each may leave, or might have.
    times: BTreeMap<DeliveryId, Timestamp>,
    /// Those nobody has taken up, by time.
    waiting: BTreeSet<(Timestamp, DeliveryId)>,
}

impl Due {
    /// A delivery may leave at `due`.
    pub(super) fn plan(&mut self, id: DeliveryId, due: Timestamp) {
        self.close(id);
        self.times.insert(id, due);
        self.waiting.insert((due, id));
    }

    /// A delivery is final.
    pub(super) fn close(&mut self, id: DeliveryId) {
        if let Some(due) = self.times.remove(&id) {
            self.waiting.remove(&(due, id));
        }
    }

    /// A delivery is on the wire, or was when the engine stopped.
    pub(super) fn arm(&mut self, id: DeliveryId, since: Timestamp) {
        let due = *self.times.entry(id).or_insert(since);
        self.waiting.remove(&(due, id));
    }

    pub(super) fn of(&self, id: DeliveryId) -> Option<Timestamp> {
        self.times.get(&id).copied()
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Takes up what may leave by `until`.
    pub(super) fn take(&mut self, until: Timestamp) -> Vec<(DeliveryId, Timestamp)> {
        let mut taken = Vec::new();
        while let Some((due, id)) = self
            .waiting
            .first()
            .copied()
            .filter(|(due, _)| *due <= until)
        {
            self.waiting.remove(&(due, id));
            taken.push((id, due));
        }
        taken
    }

    pub(super) fn open(&self) -> usize {
        self.times.len()
    }
}
