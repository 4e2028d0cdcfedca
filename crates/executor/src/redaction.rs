//! Which inputs and changes of a history tell of somebody erased? For whoever rewrites what was kept of
//! them. Not here: rewriting it, or erasing (`step/erase`).

use std::collections::BTreeSet;

use wayfare_event::{DecisionId, DeliveryId, IdKey, Identifier, IdentifierHash};
use wayfare_identity::{LinkChange, Named};

use crate::change::Change;
use crate::forget::ErasureChange;
use crate::input::{Action, Operator};
use crate::record::{Cause, Queued, hash};

/// The identifiers of those who were erased, and the decisions that were about them. Built from the
/// changes of their erasures; it names nobody.
#[derive(Clone, Debug)]
pub struct Redaction {
    key: IdKey,
    hashes: BTreeSet<IdentifierHash>,
    decisions: BTreeSet<DecisionId>,
}

impl Redaction {
    /// Nobody yet; `key` is that of the installation.
    #[must_use]
    pub const fn new(key: IdKey) -> Self {
        Self {
            key,
            hashes: BTreeSet::new(),
            decisions: BTreeSet::new(),
        }
    }

    /// Whether it is about nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Hears a change of the history: an erasure that is complete, or a row of the ledger that it
    /// reduced.
    pub fn hear(&mut self, change: &Change) {
        if let Change::Erasure(ErasureChange::Complete { hashes, .. }) = change {
            self.hashes.extend(hashes);
        } else if let Change::Erasure(ErasureChange::Reduced(id)) = change {
            self.decisions.insert(*id);
        }
    }

    /// Whether an identifier is somebody's who was erased.
    #[must_use]
    pub fn is_about(&self, identifier: &Identifier) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&hash(&self.key, identifier))
    }

    /// Whether an event names somebody who was erased.
    #[must_use]
    pub fn names(&self, named: &Named) -> bool {
        named.identifiers().iter().any(|it| self.is_about(it))
    }

    /// Whether a delivery was owed to somebody who was erased.
    #[must_use]
    pub fn owes(&self, delivery: DeliveryId) -> bool {
        let id = DecisionId::from_bytes(*delivery.as_bytes());
        self.decisions.contains(&id)
    }

    /// Whether an order names somebody who was erased.
    #[must_use]
    pub fn orders(&self, order: &Operator) -> bool {
        match &order.action {
            Action::Enter { identifier, .. }
            | Action::Readmit(identifier)
            | Action::Unblock(identifier)
            | Action::Unsuppress(identifier)
            | Action::Suppress {
                address: identifier,
                ..
            } => self.is_about(identifier),
            Action::Merge { from, into } => self.is_about(from) || self.is_about(into),
            Action::Detach { identifier, from } => self.is_about(identifier) || self.is_about(from),
            Action::Erase(erase) => self.is_about(&erase.identifier),
            Action::Resend(id) | Action::Resolve(id) | Action::Withhold(id) => self.owes(*id),
            Action::Pause(_)
            | Action::Resume(_)
            | Action::SkipOverdue(_)
            | Action::Stop(_)
            | Action::Try(_) => false,
        }
    }

    /// Whether a change tells of somebody who was erased. What remains of an erasure tells of nobody.
    #[must_use]
    pub fn concerns(&self, change: &Change) -> bool {
        match change {
            Change::TraitSet { owner, .. }
            | Change::AccountJoined { owner, .. }
            | Change::EventCounted { owner, .. }
            | Change::Entered { owner, .. }
            | Change::EntryKept { owner, .. }
            | Change::Parked { owner, .. }
            | Change::ArmTaken { owner, .. }
            | Change::Migrated { owner, .. }
            | Change::Named { owner, .. }
            | Change::Refused { owner, .. }
            | Change::DatePlanned { owner, .. }
            | Change::Erasure(ErasureChange::Begun { owner, .. })
            | Change::Erasure(ErasureChange::EntryForgotten { owner, .. })
            | Change::AddressSuppressed { address: owner, .. }
            | Change::SuppressionLifted { address: owner, .. }
            | Change::ConsentRecorded { subject: owner, .. } => self.is_about(owner),
            Change::Linked(LinkChange::Linked { ends, .. } | LinkChange::Refused { ends, .. }) => {
                ends.iter().any(|end| self.is_about(end))
            }
            Change::Linked(
                LinkChange::Seen(identifier)
                | LinkChange::Anew { identifier, .. }
                | LinkChange::Blocked { identifier, .. }
                | LinkChange::Unblocked(identifier),
            ) => self.is_about(identifier),
            Change::Rehomed { from, to, .. } => self.is_about(from) || self.is_about(to),
            Change::Erasure(ErasureChange::Forgotten {
                identifier, others, ..
            }) => self.is_about(identifier) || others.iter().any(|it| self.is_about(it)),
            Change::Decided(decision) => {
                self.decisions.contains(&decision.id) || self.is_about(&decision.owner)
            }
            Change::DeliveryMoved { delivery, .. } | Change::DeliveryOrdered { delivery, .. } => {
                self.owes(*delivery)
            }
            Change::Queued { input, .. } => self.queues(input),
            Change::SweepMoved { sweep, .. } => {
                let cursor = sweep.as_ref().and_then(|sweep| sweep.cursor.as_ref());
                cursor.is_some_and(|cursor| self.is_about(cursor))
            }
            Change::MessageSeen { .. }
            | Change::AccountTraitSet { .. }
            | Change::BlockFailing { .. }
            | Change::BlockPaused { .. }
            | Change::BlockResumed { .. }
            | Change::Dequeued(_)
            | Change::EntryCounted { .. }
            | Change::JourneyPaused { .. }
            | Change::JourneyResumed { .. }
            | Change::StopOrdered { .. }
            | Change::Tried { .. }
            | Change::Erasure(ErasureChange::Marked { .. })
            | Change::Erasure(ErasureChange::Reduced(_))
            | Change::Erasure(ErasureChange::Complete { .. })
            | Change::Published { .. }
            | Change::Withdrawn { .. } => false,
        }
    }

    fn queues(&self, queued: &Queued) -> bool {
        let delivery = match &queued.cause {
            Cause::Delivery(told) => Some(told.id),
            Cause::Withheld(id) => Some(*id),
            Cause::Traits(_)
            | Cause::Scheduled { .. }
            | Cause::Dated
            | Cause::Stopped
            | Cause::Erased => None,
        };
        self.is_about(&queued.owner) || delivery.is_some_and(|id| self.owes(id))
    }
}
