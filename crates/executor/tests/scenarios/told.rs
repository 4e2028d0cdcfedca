//! What does a story speak of? Changes, in words.

use wayfare_executor::record::Decision;
use wayfare_executor::{Change, ErasureChange};

/// A change that a story speaks of, in words.
pub(crate) fn told_of(change: &Change) -> Option<String> {
    match change {
        Change::Entered { instance, .. } => Some(format!("{} entered", instance.journey)),
        Change::Decided(decision) => {
            let Decision {
                journey,
                outcome,
                reason,
                ..
            } = &**decision;
            let reason = reason.as_ref();
            let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            Some(format!("{journey} {}{reason}", outcome.as_str()))
        }
        Change::Refused { refusal, .. } => Some(format!(
            "{} refused: {}",
            refusal.journey,
            refusal.code.as_str()
        )),
        Change::DeliveryMoved { state, .. } => Some(format!("{state:?}")),
        Change::DeliveryOrdered { order, .. } => Some(format!("{:?} by order", order.state)),
        Change::BlockPaused { block, paused, .. } => {
            Some(format!("{block} paused: {}", paused.reason))
        }
        Change::BlockResumed { block, .. } => Some(format!("{block} resumed")),
        Change::StopOrdered { place, .. } => Some(format!("{place} stops")),
        Change::MessageSeen { .. }
        | Change::Linked(_)
        | Change::Rehomed { .. }
        | Change::EntryKept { .. }
        | Change::TraitSet { .. }
        | Change::AccountTraitSet { .. }
        | Change::AccountJoined { .. }
        | Change::ConsentRecorded { .. }
        | Change::AddressSuppressed { .. }
        | Change::SuppressionLifted { .. }
        | Change::EventCounted { .. }
        | Change::Parked { .. }
        | Change::Named { .. }
        | Change::ArmTaken { .. }
        | Change::Queued { .. }
        | Change::Dequeued(_)
        | Change::DatePlanned { .. }
        | Change::SweepMoved { .. }
        | Change::EntryCounted { .. }
        | Change::BlockFailing { .. }
        | Change::Tried { .. }
        | Change::Erasure(ErasureChange::Begun { .. })
        | Change::Erasure(ErasureChange::EntryForgotten { .. })
        | Change::Erasure(ErasureChange::Reduced(_))
        | Change::Published { .. }
        | Change::Withdrawn { .. } => None,
        Change::Erasure(ErasureChange::Marked { erased: None, .. }) => {
            Some("may come back".to_owned())
        }
        Change::Erasure(ErasureChange::Marked { .. }) => Some("erased".to_owned()),
        Change::Erasure(ErasureChange::Forgotten { identifier, .. }) => {
            Some(format!("{identifier} forgotten"))
        }
        Change::Erasure(ErasureChange::Complete { .. }) => {
            Some("the erasure is complete".to_owned())
        }
        Change::Migrated { block, .. } => Some(format!("moved to {block}")),
        Change::JourneyPaused { journey, .. } => Some(format!("{journey} paused")),
        Change::JourneyResumed { journey, .. } => Some(format!("{journey} resumed")),
    }
}
