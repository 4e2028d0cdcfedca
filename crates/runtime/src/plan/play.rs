//! How does one side play its inputs? Time goes from one thing that is due to the next, and every
//! delivery is answered at once.

use std::collections::BTreeMap;

use wayfare_event::{DecisionId, IdKey, Timestamp};
use wayfare_executor::delivery::Outcome;
use wayfare_executor::record::Decision;
use wayfare_executor::{Catalog, Happened, Operator, Sending};
use wayfare_store::{MemoryStore, StoreError};

use super::{Side, Told};
use crate::engine::{Engine, OpenError, Output};
use crate::intake;

/// What every receiver answers.
const ANSWER: Outcome = Outcome::Answered {
    status: 200,
    retry_after_s: None,
};

/// How every walk ended.
pub(super) type Decided = BTreeMap<DecisionId, Box<Decision>>;

/// One side at work.
#[derive(Debug)]
pub(super) struct Play {
    engine: Engine,
    decided: Decided,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was heard.
    Yes,
    /// It had been heard before.
    Copy,
    /// It is no event under this configuration.
    Rejected,
}

impl Play {
    pub(super) fn new(side: &Side, id_key: IdKey) -> Result<Self, OpenError> {
        let settings = &side.settings;
        let catalog = Catalog::new(
            settings.identity.clone(),
            settings.consent.clone(),
            id_key,
            Sending::Owed,
        );
        let store = Box::new(MemoryStore::new(id_key).without_history());
        let graphs = side.graphs.clone();
        let engine = Engine::open(catalog, store, graphs, &|source| settings.compile(source))?;
        Ok(Self {
            engine,
            decided: Decided::new(),
        })
    }

    /// Moves the clock to an event, unless it is a copy, and hears it.
    pub(super) fn event(&mut self, told: &Told<'_>) -> Result<Taken, StoreError> {
        let occurred = intake::corrected(&told.event, told.at);
        let (event, source) = (told.event.clone(), told.source.clone());
        let happened = Happened::new(self.engine.catalog(), event, source, occurred);
        let Ok(happened) = happened else {
            return Ok(Taken::Rejected);
        };
        let happened = happened.trusted(told.trust);
        if self.engine.is_copy(&happened)? {
            return Ok(Taken::Copy);
        }
        self.move_to(told.at)?;
        self.engine.leap(told.seq);
        self.engine.event(told.at, happened, told.text.clone())?;
        self.follow()?;
        Ok(Taken::Yes)
    }

    /// Moves the clock to an order and follows it.
    pub(super) fn order(&mut self, at: Timestamp, order: Operator) -> Result<(), StoreError> {
        self.move_to(at)?;
        self.engine.order(at, order)?;
        self.follow()
    }

    /// Lets time go on until nobody waits. A schedule has no end: it starts nothing any more.
    pub(super) fn finish(mut self) -> Result<Decided, StoreError> {
        self.move_to(self.engine.at())?;
        self.engine.last_call();
        while let Some(due) = self.engine.next_timer() {
            self.engine.turn(due)?;
            self.follow()?;
        }
        self.keep()?;
        Ok(self.decided)
    }

    /// Lets everything happen that is due by `at`.
    fn move_to(&mut self, at: Timestamp) -> Result<(), StoreError> {
        self.engine.begin_sweeps(at)?;
        while let Some(due) = self.engine.next_turn().filter(|due| *due <= at) {
            self.engine.turn(due)?;
            self.follow()?;
        }
        Ok(())
    }

    /// Takes what was queued and sends what is owed, until neither causes more.
    fn follow(&mut self) -> Result<(), StoreError> {
        loop {
            let at = self.engine.at();
            self.engine.drain(at, usize::MAX)?;
            let due = self.engine.take_due(at)?;
            for delivery in &due {
                if self.engine.ready(at, delivery.id)?
                    && let Some(armed) = self.engine.delivery(delivery.id)?
                {
                    let answered = (armed.attempts, ANSWER);
                    self.engine.finished(at, delivery.id, answered)?;
                }
            }
            if due.is_empty() {
                break;
            }
        }
        if self.engine.is_full() {
            self.keep()?;
        }
        Ok(())
    }

    fn keep(&mut self) -> Result<(), StoreError> {
        for output in self.engine.commit()? {
            if let Output::Decision(decision) = output {
                self.decided.insert(decision.id, decision);
            }
        }
        Ok(())
    }
}
