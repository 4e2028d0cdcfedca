//! How does the engine speak with whoever sends? It says which deliveries may leave, hears what became
//! of each attempt, and holds what a pause holds.

use std::sync::Arc;

use wayfare_event::{DeliveryId, Timestamp};
use wayfare_executor::delivery::State;
use wayfare_executor::record::{Delivery, Paused};
use wayfare_executor::{InputKind, Key, Place, Row};
use wayfare_store::{LoggedInput, StoreError};

use super::Engine;

impl Engine {
    /// The earliest instant at which a delivery may leave that nobody has taken up.
    #[must_use]
    pub fn next_delivery(&self) -> Option<Timestamp> {
        self.due.next()
    }

    /// When a delivery may leave, or might have left when it was taken up.
    #[must_use]
    pub fn due_of(&self, id: DeliveryId) -> Option<Timestamp> {
        self.due.of(id)
    }

    /// Somebody is there from `now` on to send what is due: what a delivery waits from here on, it
    /// waits for us, and its window stands.
    pub fn awake(&mut self, now: Timestamp) {
        self.awake = now;
    }

    /// Takes up the deliveries that may leave by `until`, in (due, id) order; of those for one target
    /// the first that is not final. Each is given once: whoever takes it up tells the engine what
    /// became of it. Those of paused journeys and blocks wait on.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn take_due(&mut self, until: Timestamp) -> Result<Vec<Arc<Delivery>>, StoreError> {
        let mut taken = Vec::new();
        for id in self.due.take(until) {
            let Some(delivery) = self.delivery(id)? else {
                continue;
            };
            if self.is_held(&delivery) {
                self.due.hold(id);
            } else {
                taken.push(delivery);
            }
        }
        Ok(taken)
    }

    /// Why and since when a journey, or one of its blocks, is paused.
    #[must_use]
    pub fn paused(&self, place: &Place) -> Option<&Paused> {
        let control = self.controls.get(&place.journey)?;
        match &place.block {
            None => control.paused.as_ref(),
            Some(block) => control.blocks.get(block)?.paused.as_ref(),
        }
    }

    pub(super) fn is_paused(&self, journey: &str) -> bool {
        let control = self.controls.get(journey);
        control.is_some_and(|control| control.paused.is_some())
    }

    /// Whether its journey or its block is paused.
    fn is_held(&self, delivery: &Delivery) -> bool {
        let control = self.controls.get(&delivery.journey);
        control.is_some_and(|control| {
            let block = control.blocks.get(&delivery.block);
            control.paused.is_some() || block.is_some_and(|block| block.paused.is_some())
        })
    }

    /// Deliveries that are not final and go on by themselves: those that a pause holds do not, nor
    /// do those behind them.
    #[must_use]
    pub fn open_deliveries(&self) -> usize {
        self.due.going()
    }

    /// A delivery, as it is now.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn delivery(&mut self, id: DeliveryId) -> Result<Option<Arc<Delivery>>, StoreError> {
        Ok(match self.row(&Key::Delivery(id))? {
            Some(Row::Delivery(delivery)) => Some(delivery),
            Some(_) | None => None,
        })
    }

    /// A delivery could leave at `at`; whether it was released. In a paused journey or block it waits
    /// on.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn ready(&mut self, at: Timestamp, id: DeliveryId) -> Result<bool, StoreError> {
        let waited_us = self.due.waited_us(id, (self.awake, self.at.max(at)));
        let kind = InputKind::AttemptReady {
            delivery: id,
            waited_us,
        };
        let logged = LoggedInput::AttemptReady {
            delivery: id,
            waited_us,
        };
        self.input(at, kind, logged)?;
        let Some(delivery) = self.delivery(id)? else {
            return Ok(false);
        };
        if matches!(delivery.state, State::Planned { .. }) && self.is_held(&delivery) {
            self.due.hold(id);
        }
        Ok(matches!(delivery.state, State::Armed { .. }))
    }

    /// The address of a delivery is refused.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn barred(&mut self, at: Timestamp, delivery: DeliveryId) -> Result<(), StoreError> {
        let kind = InputKind::AttemptBarred { delivery };
        self.input(at, kind, LoggedInput::AttemptBarred(delivery))
            .map(|_| ())
    }

    /// An attempt ended.
    ///
    /// # Errors
    ///
    /// When the store cannot read.
    pub fn finished(
        &mut self,
        at: Timestamp,
        delivery: DeliveryId,
        (attempt, outcome): (u32, wayfare_executor::delivery::Outcome),
    ) -> Result<(), StoreError> {
        let kind = InputKind::AttemptFinished {
            delivery,
            attempt,
            outcome,
        };
        let logged = LoggedInput::AttemptFinished {
            delivery,
            attempt,
            outcome,
        };
        self.input(at, kind, logged).map(|_| ())
    }
}
