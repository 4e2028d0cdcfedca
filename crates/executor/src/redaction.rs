//! Which inputs and changes of a history tell of somebody erased? For whoever rewrites what was kept of
//! them. Not here: rewriting it, or erasing (`step/erase`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{DecisionId, DeliveryId, IdKey, Identifier, IdentifierHash, InstanceId};
use wayfare_identity::{LinkChange, Named};

use crate::change::Change;
use crate::forget::ErasureChange;
use crate::input::{Action, Operator};
use crate::record::{Cause, Erasure, Key, Queued, SweepCause, SweepId, hash};

/// The identifiers of those who were erased, and the decisions that were about them. What came behind
/// an erasure is about whoever goes by an identifier since.
#[derive(Clone, Debug)]
pub struct Redaction {
    key: IdKey,
    /// The input that erased whoever had it.
    hashes: BTreeMap<IdentifierHash, u64>,
    decisions: BTreeSet<DecisionId>,
    /// What an operator may have written in a reason.
    values: BTreeSet<Arc<str>>,
}

impl Redaction {
    /// Of these erasures; `key` is that of the installation.
    #[must_use]
    pub fn new<'a>(key: IdKey, erasures: impl IntoIterator<Item = &'a Erasure>) -> Self {
        let mut hashes = BTreeMap::new();
        for erasure in erasures {
            for hash in &erasure.hashes {
                let seq = hashes.entry(*hash).or_insert(erasure.seq);
                *seq = erasure.seq.max(*seq);
            }
        }
        Self {
            key,
            hashes,
            decisions: BTreeSet::new(),
            values: BTreeSet::new(),
        }
    }

    /// Hears what followed from the erasures, before anything else is asked: the rows of the ledger
    /// that were reduced, and what the identifiers were.
    pub fn hear(&mut self, change: &Change) {
        if let Change::Erasure(ErasureChange::Reduced(id)) = change {
            self.decisions.insert(*id);
        } else if let Change::Erasure(ErasureChange::Forgotten {
            identifier, hash, ..
        }) = change
            && self.hashes.contains_key(hash)
        {
            self.values.insert(identifier.value.clone());
        }
    }

    /// Whether an identifier, in an input of this place, is somebody's who was erased.
    #[must_use]
    pub fn is_about(&self, seq: u64, identifier: &Identifier) -> bool {
        let erased = self.hashes.get(&hash(&self.key, identifier));
        erased.is_some_and(|erased| seq <= *erased)
    }

    /// Whether an event names somebody who was erased.
    #[must_use]
    pub fn names(&self, seq: u64, named: &Named) -> bool {
        named.identifiers().iter().any(|it| self.is_about(seq, it))
    }

    /// Whether a delivery was owed to somebody who was erased.
    #[must_use]
    pub fn owes(&self, delivery: DeliveryId) -> bool {
        let id = DecisionId::from_bytes(*delivery.as_bytes());
        self.decisions.contains(&id)
    }

    /// Whether an order names somebody who was erased, or why it was given does.
    #[must_use]
    pub fn orders(&self, seq: u64, order: &Operator) -> bool {
        self.writes(&order.reason)
            || match &order.action {
                Action::Enter { identifier, .. }
                | Action::Readmit(identifier)
                | Action::Unblock(identifier)
                | Action::Unsuppress(identifier)
                | Action::Suppress {
                    address: identifier,
                    ..
                } => self.is_about(seq, identifier),
                Action::Merge { from, into } => {
                    self.is_about(seq, from) || self.is_about(seq, into)
                }
                Action::Detach { identifier, from } => {
                    self.is_about(seq, identifier) || self.is_about(seq, from)
                }
                Action::Erase(erase) => self.is_about(seq, &erase.identifier),
                Action::Resend(id) | Action::Resolve(id) | Action::Withhold(id) => self.owes(*id),
                Action::Pause(_)
                | Action::Resume(_)
                | Action::SkipOverdue(_)
                | Action::Stop(_)
                | Action::Try(_) => false,
            }
    }

    /// Whether a change tells of somebody who was erased: of a walk that was theirs, or of what they
    /// went by. What remains of an erasure tells of nobody.
    #[must_use]
    pub fn concerns(&self, seq: u64, change: &Change) -> bool {
        let walk = change.instance().map(InstanceId::decision);
        walk.is_some_and(|walk| self.decisions.contains(&walk)) || self.tells(seq, change)
    }

    fn tells(&self, seq: u64, change: &Change) -> bool {
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
            | Change::ConsentRecorded { subject: owner, .. } => self.is_about(seq, owner),
            Change::Linked(LinkChange::Linked { ends, .. } | LinkChange::Refused { ends, .. }) => {
                ends.iter().any(|end| self.is_about(seq, end))
            }
            Change::Linked(
                LinkChange::Seen(identifier)
                | LinkChange::SeenAt { identifier, .. }
                | LinkChange::Anew { identifier, .. }
                | LinkChange::Blocked { identifier, .. }
                | LinkChange::Unblocked(identifier),
            ) => self.is_about(seq, identifier),
            Change::Rehomed { from, to, .. } => self.is_about(seq, from) || self.is_about(seq, to),
            Change::Erasure(ErasureChange::Forgotten {
                identifier, others, ..
            }) => self.is_about(seq, identifier) || others.iter().any(|it| self.is_about(seq, it)),
            Change::Decided(decision) => self.is_about(seq, &decision.owner),
            Change::DeliveryMoved { delivery, .. } | Change::DeliveryOrdered { delivery, .. } => {
                self.owes(*delivery)
            }
            Change::Queued { input, .. } => self.queues(seq, input),
            Change::SweepMoved { sweep, .. } => {
                let cursor = sweep.as_ref().and_then(|sweep| sweep.cursor.as_ref());
                cursor.is_some_and(|cursor| self.is_about(seq, cursor))
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

    /// Whether a page of a sweep looked at somebody who was erased. One that reduced the ledger looked
    /// at nobody else.
    #[must_use]
    pub fn pages(&self, seq: u64, id: &SweepId, (keys, entries): (&[Identifier], &[Key])) -> bool {
        let is_own = id.cause == SweepCause::Erasure && !entries.is_empty();
        is_own || keys.iter().any(|it| self.is_about(seq, it))
    }

    /// Whether somebody wrote an identifier that is erased.
    fn writes(&self, text: &str) -> bool {
        let is_part = |it: char| it.is_alphanumeric();
        self.values.iter().any(|value| {
            text.match_indices(&**value).any(|(at, _)| {
                let (before, behind) = (text.get(..at), text.get(at.saturating_add(value.len())..));
                let before = before.and_then(|it| it.chars().next_back());
                let behind = behind.and_then(|it| it.chars().next());
                !before.is_some_and(is_part) && !behind.is_some_and(is_part)
            })
        })
    }

    fn queues(&self, seq: u64, queued: &Queued) -> bool {
        let delivery = match &queued.cause {
            Cause::Delivery(told) => Some(told.id),
            Cause::Withheld(id) => Some(*id),
            Cause::Traits(_)
            | Cause::Scheduled { .. }
            | Cause::Dated
            | Cause::Stopped
            | Cause::Erased => None,
        };
        self.is_about(seq, &queued.owner) || delivery.is_some_and(|id| self.owes(id))
    }
}

#[cfg(test)]
mod tests {
    use wayfare_event::Timestamp;

    use super::*;

    #[test]
    fn a_walk_whose_decision_is_reduced_was_theirs_from_its_beginning() {
        let mut redaction = Redaction::new(IdKey::STATELESS, []);
        let [own, other] = [1, 2].map(|byte| InstanceId::from_bytes([byte; 16]));
        redaction.hear(&Change::Erasure(ErasureChange::Reduced(own.decision())));
        let parked = |id| Change::Parked {
            owner: Identifier::new("anonymous_id", "b"),
            id,
            block: "hour".into(),
            at: Timestamp::EPOCH,
            due: None,
        };
        assert!(redaction.concerns(1, &parked(own)));
        assert!(!redaction.concerns(1, &parked(other)));
    }
}
