//! What goes through all profiles, page by page? Sweeps: a schedule's, those that plan dates, those that
//! end walks, those that reduce the ledger. And what waits in the queue beyond its input.

use std::sync::Arc;

use wayfare_event::{DeliveryId, Identifier, Timestamp};
use wayfare_executor::record::{Sweep, SweepCause, SweepId};
use wayfare_executor::{InputKind, Key};
use wayfare_store::{LoggedInput, RowKind, StoreError};

use super::Engine;
use super::purge::awaits_history;

/// Identifiers in one page of a sweep.
const PAGE_KEYS_MAX: usize = 256;

/// What a page of a sweep is about.
#[derive(Debug, Default)]
pub(super) struct Paged {
    pub(super) deliveries: Vec<DeliveryId>,
    pub(super) keys: Vec<Identifier>,
    pub(super) entries: Vec<Key>,
    pub(super) is_last: bool,
}

impl Paged {
    /// The last page, with nothing on it.
    pub(super) fn last() -> Self {
        Self {
            is_last: true,
            ..Self::default()
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.deliveries.is_empty() && self.keys.is_empty() && self.entries.is_empty()
    }
}

/// Whether a sweep is of no journey in force: it carries an order out, or has done so.
const fn is_ordered(id: &SweepId) -> bool {
    matches!(id.cause, SweepCause::Stop | SweepCause::Erasure)
}

/// Whether a sweep carries an order out.
fn is_carried_out((id, sweep): &(&SweepId, &Arc<Sweep>)) -> bool {
    is_ordered(id) && !awaits_history(sweep)
}

impl Engine {
    /// Begins the sweeps of journeys that were published since: now there is a time to count from.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write.
    pub fn begin_sweeps(&mut self, at: Timestamp) -> Result<(), StoreError> {
        let is_new = |(_, sweep): &(&SweepId, &Arc<Sweep>)| {
            sweep.at.is_none() && sweep.over.is_none() && sweep.erasure.is_none()
        };
        while let Some((id, _)) = self.sweeps.iter().find(is_new) {
            self.page(at, id.clone(), None)?;
        }
        Ok(())
    }

    /// The earliest instant at which a sweep goes on; in the past for one that is under way.
    #[must_use]
    pub fn next_sweep(&self) -> Option<Timestamp> {
        self.sweeps.values().filter_map(|sweep| sweep.at).min()
    }

    /// The earliest instant at which something has its turn by itself: a timer, or a sweep.
    #[must_use]
    pub fn next_turn(&self) -> Option<Timestamp> {
        self.next_timer().into_iter().chain(self.next_sweep()).min()
    }

    /// In virtual time, gives what is due by then its turn, and everything it queues: one timer, else
    /// the next page of a sweep. With [`Engine::next_turn`] timers come before sweeps of their instant.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write.
    pub fn turn(&mut self, at: Timestamp) -> Result<(), StoreError> {
        if self.fire(at, 1)? == 0 {
            self.sweep(at, usize::MAX)?;
        }
        self.drain(at, usize::MAX)
    }

    /// Whether an order that ends walks is still carried out; of this journey, or of any.
    #[must_use]
    pub fn is_stopping(&self, journey: Option<&str>) -> bool {
        let mut stops = self.sweeps.keys().filter(|id| id.cause == SweepCause::Stop);
        stops.any(|id| journey.is_none_or(|journey| *id.journey == *journey))
    }

    /// Whether a sweep is under way or an input waits in the queue.
    #[must_use]
    pub fn is_sweeping(&self) -> bool {
        let is_under_way = |(id, sweep): (&SweepId, &Arc<Sweep>)| {
            sweep.cursor.is_some() || id.cause == SweepCause::Erasure && !awaits_history(sweep)
        };
        self.has_queued() || self.sweeps.iter().any(is_under_way)
    }

    /// Whether an input waits in the queue beyond the one that caused it.
    #[must_use]
    pub fn has_queued(&self) -> bool {
        !self.queued.is_empty()
    }

    /// Takes what waits in the queue, in its order, at most `count` inputs.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn drain(&mut self, at: Timestamp, count: usize) -> Result<(), StoreError> {
        for _ in 0..count {
            let Some(id) = self.queued.first().copied() else {
                break;
            };
            self.take_queued(at, id)?;
        }
        Ok(())
    }

    /// Takes what waits in the queue, at most `count` inputs, then, when nothing waits any more,
    /// the next page of the first sweep that goes on by `at`.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write.
    pub fn sweep(&mut self, at: Timestamp, count: usize) -> Result<(), StoreError> {
        self.drain(at, count)?;
        if self.has_queued() {
            return Ok(());
        }
        let ready = self
            .sweeps
            .iter()
            .filter(|(_, sweep)| sweep.at.is_some_and(|due| due <= at))
            .min_by_key(|(id, sweep)| (sweep.at, *id))
            .map(|(id, sweep)| (id.clone(), sweep.clone()));
        match ready {
            Some((id, sweep)) => self.go_on(at, id, &sweep),
            None => Ok(()),
        }
    }

    /// Carries out to its end what orders began: walks end, what is owed is held back, the ledger is reduced. No other
    /// sweep has its turn.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write; what is left is carried out later.
    pub fn carry_out(&mut self, at: Timestamp) -> Result<(), StoreError> {
        loop {
            self.drain(at, usize::MAX)?;
            let mut sweeps = self.sweeps.iter();
            let stop = sweeps.find(is_carried_out);
            let Some((id, sweep)) = stop.map(|(id, sweep)| (id.clone(), sweep.clone())) else {
                return Ok(());
            };
            self.go_on(at, id, &sweep)?;
        }
    }

    /// The next page of a sweep. One that ends walks goes through what is owed first.
    fn go_on(&mut self, at: Timestamp, id: SweepId, sweep: &Sweep) -> Result<(), StoreError> {
        if id.cause == SweepCause::Stop {
            let deliveries = self.due.behind(sweep.delivery, PAGE_KEYS_MAX);
            if !deliveries.is_empty() {
                self.settle()?;
                let page = Paged {
                    deliveries,
                    ..Paged::default()
                };
                return self.paged(at, id, page);
            }
        }
        if id.cause == SweepCause::Erasure {
            return self.look_for(at, id, sweep);
        }
        self.page(at, id, sweep.cursor.clone())
    }

    /// Ends the sweeps of journeys that are gone: when one comes back, everybody is looked at anew.
    pub(super) fn end_sweeps(&mut self) -> Result<(), StoreError> {
        let is_gone =
            |id: &&SweepId| !is_ordered(id) && self.catalog.in_force(&id.journey).is_none();
        let gone: Vec<SweepId> = self.sweeps.keys().filter(is_gone).cloned().collect();
        for id in gone {
            self.paged(self.at, id, Paged::last())?;
        }
        Ok(())
    }

    fn page(
        &mut self,
        at: Timestamp,
        id: SweepId,
        cursor: Option<Identifier>,
    ) -> Result<(), StoreError> {
        // Rows of the batch at hand are not in the store yet, and a page must miss nobody.
        self.settle()?;
        let after = cursor.map(Key::Person);
        let keys = self
            .store
            .page(RowKind::Person, after.as_ref(), PAGE_KEYS_MAX)?;
        let is_last = keys.len() < PAGE_KEYS_MAX;
        let person = |key: Key| match key {
            Key::Person(identifier) => Some(identifier),
            Key::Account(_)
            | Key::Guard { .. }
            | Key::Message(_)
            | Key::Decision(_)
            | Key::Delivery(_)
            | Key::Version(..)
            | Key::Queued(_)
            | Key::Sweep(_)
            | Key::Control(_)
            | Key::Erased(_) => None,
        };
        let keys: Vec<Identifier> = keys.into_iter().filter_map(person).collect();
        let page = Paged {
            keys,
            is_last,
            ..Paged::default()
        };
        self.paged(at, id, page)
    }

    pub(super) fn paged(
        &mut self,
        at: Timestamp,
        id: SweepId,
        page: Paged,
    ) -> Result<(), StoreError> {
        let Paged {
            deliveries,
            keys,
            entries,
            is_last,
        } = page;
        let logged = LoggedInput::SweepPage {
            id: id.clone(),
            deliveries: deliveries.clone(),
            keys: keys.clone(),
            entries: entries.clone(),
            is_last,
        };
        let kind = InputKind::SweepPage {
            id,
            deliveries,
            keys,
            entries,
            is_last,
        };
        self.input(at, kind, logged).map(|_| ())
    }
}
