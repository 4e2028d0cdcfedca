//! What does the history still tell of those who were erased? It is looked through part by part, while the
//! engine does other things, and the store redacts what is found. Not here: whom an input names
//! (`wayfare_executor::Redaction`), or how it is redacted (`wayfare_store`).

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::Event;
use wayfare_executor::Redaction;
use wayfare_executor::record::{Erasure, Sweep, SweepId};
use wayfare_identity::Config;
use wayfare_store::{Entry, LoggedInput, Redaction as Progress, StoreError};

use super::Engine;
use super::sweep::Paged;

/// How far the history is redacted. The sweeps of the erasures are durable, as is what the store
/// promised: what is here can be lost.
#[derive(Debug, Default)]
pub(super) enum Purge {
    /// The store may have promised something before it was opened.
    #[default]
    Unknown,
    /// Nothing is under way.
    Idle,
    /// What followed from the erasures is read, from this input on.
    Learning(Box<Looked>, u64),
    /// The history is looked through, from this input on.
    Looking(Box<Looked>, u64),
    /// The store keeps what it promised.
    Redacting(Erasures),
}

/// The erasures whose ledger is reduced, by their sweeps.
type Erasures = Vec<(SweepId, Arc<Erasure>)>;

/// What was found in the history.
#[derive(Debug)]
pub(super) struct Looked {
    erasures: Erasures,
    redaction: Redaction,
    seqs: BTreeSet<u64>,
}

impl Looked {
    fn concerns(&self, config: &Config, entry: &Entry) -> bool {
        let (redaction, seq) = (&self.redaction, entry.seq);
        let mut changes = entry.changes.iter();
        if changes.any(|change| redaction.concerns(seq, change)) {
            return true;
        }
        match &entry.input {
            LoggedInput::Event { text, .. } => {
                let event = Event::parse(text, None).ok();
                let named = event.and_then(|event| wayfare_identity::extract(config, &event).ok());
                named.is_some_and(|named| redaction.names(seq, &named))
            }
            LoggedInput::Timer { owner, .. } => redaction.is_about(seq, owner),
            LoggedInput::AttemptReady { delivery, .. }
            | LoggedInput::AttemptFinished { delivery, .. }
            | LoggedInput::AttemptBarred(delivery) => redaction.owes(*delivery),
            LoggedInput::SweepPage {
                id,
                deliveries,
                keys,
                entries,
                ..
            } => {
                deliveries.iter().any(|id| redaction.owes(*id))
                    || redaction.pages(seq, id, (keys, entries))
            }
            LoggedInput::Operator(order) => redaction.orders(seq, order),
            LoggedInput::Queued(_)
            | LoggedInput::Published { .. }
            | LoggedInput::Withdrawn(_)
            | LoggedInput::Redacted => false,
        }
    }
}

/// Whether a sweep is over but for the history.
pub(super) fn awaits_history(sweep: &Sweep) -> bool {
    let erasure = sweep.erasure.as_ref();
    erasure.is_some_and(|erasure| erasure.is_reduced)
}

impl Engine {
    /// Goes on with redacting the history of those who were erased, for about as long as a part of it
    /// takes. Done where there is nobody.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write. What was promised is kept by whoever opens it next.
    pub fn purge_on(&mut self) -> Result<Progress, StoreError> {
        match std::mem::replace(&mut self.purge, Purge::Idle) {
            Purge::Unknown => self.redact_on(Vec::new()),
            Purge::Idle => self.begin_purge(),
            Purge::Learning(mut looked, from) => {
                let redaction = &mut looked.redaction;
                let mut hear =
                    |entry: &Entry| entry.changes.iter().for_each(|it| redaction.hear(it));
                let next = self.store.history_part(from, &mut hear)?;
                self.purge = match next {
                    Some(next) => Purge::Learning(looked, next),
                    None => Purge::Looking(looked, 1),
                };
                Ok(Progress::More)
            }
            Purge::Looking(mut looked, from) => {
                let config = &self.catalog.identity;
                let mut found = Vec::new();
                let mut look = |entry: &Entry| {
                    if looked.concerns(config, entry) {
                        found.push(entry.seq);
                    }
                };
                let next = self.store.history_part(from, &mut look)?;
                looked.seqs.extend(found);
                if let Some(next) = next {
                    self.purge = Purge::Looking(looked, next);
                } else {
                    self.store.redact(&looked.seqs)?;
                    self.purge = Purge::Redacting(looked.erasures);
                }
                Ok(Progress::More)
            }
            Purge::Redacting(erasures) => self.redact_on(erasures),
        }
    }

    /// Redacts the history of those who were erased, however long it takes.
    ///
    /// # Errors
    ///
    /// When the store cannot read or write. What was promised is kept by whoever opens it next.
    pub fn purge(&mut self) -> Result<(), StoreError> {
        loop {
            match self.purge_on()? {
                Progress::Done => return Ok(()),
                Progress::More => {}
                Progress::Waiting => self.store.redact_fully()?,
            }
        }
    }

    /// Whether the history of somebody erased is still to be redacted.
    #[must_use]
    pub fn is_purging(&self) -> bool {
        self.sweeps.values().any(|sweep| awaits_history(sweep))
    }

    /// Begins with all whose ledger is reduced by now.
    fn begin_purge(&mut self) -> Result<Progress, StoreError> {
        // A cursor may be at an identifier of theirs, and rows are copied.
        let is_under_way = self.sweeps.values().any(|sweep| sweep.cursor.is_some());
        if !self.is_purging() || is_under_way || self.has_queued() {
            return Ok(Progress::Done);
        }
        self.settle()?;
        let reduced = self.sweeps.iter().filter_map(|(id, sweep)| {
            let erasure = sweep.erasure.clone()?;
            erasure.is_reduced.then(|| (id.clone(), erasure))
        });
        let erasures: Erasures = reduced.collect();
        let all = || erasures.iter().map(|(_, erasure)| &**erasure);
        let from = all().map(|erasure| erasure.seq).min().unwrap_or(1);
        let redaction = Redaction::new(self.catalog.id_key, all());
        let looked = Looked {
            erasures,
            redaction,
            seqs: BTreeSet::new(),
        };
        self.purge = Purge::Learning(Box::new(looked), from);
        Ok(Progress::More)
    }

    fn redact_on(&mut self, erasures: Erasures) -> Result<Progress, StoreError> {
        let progress = self.store.redact_on()?;
        if progress != Progress::Done {
            self.purge = Purge::Redacting(erasures);
            return Ok(progress);
        }
        let at = self.at;
        for (id, erasure) in erasures {
            // Whoever was erased once more meanwhile is not done.
            let held = self.sweeps.get(&id).and_then(|it| it.erasure.as_ref());
            if held == Some(&erasure) {
                self.paged(at, id, Paged::last())?;
            }
        }
        self.settle()?;
        Ok(Progress::More)
    }
}
