//! Does a webhook block still reach anybody? Deliveries that fail one after the other pause it, so
//! that what is owed waits for somebody to look instead of running out.

use std::sync::Arc;

use super::event;
use super::work::Work;
use crate::change::Change;
use crate::delivery::{ExpiredReason, State};
use crate::record::{BlockControl, Delivery, Failing, Paused};

/// Deliveries that fail one after the other before their block is paused.
const FAILING_MAX: u32 = 100;
/// How long deliveries may do nothing but fail, in microseconds: 24 hours.
const FAILING_US_MAX: i64 = 24 * 60 * 60 * 1_000_000;
/// Who pauses a block that only fails.
const BY: &str = "wayfare";

/// Whether what is owed by a block has to wait: the journey is paused, or the block is.
pub(super) fn is_held(work: &Work<'_>, (journey, block): (&Arc<str>, &Arc<str>)) -> bool {
    let is_paused = control(work, journey, block).is_some_and(|it| it.paused.is_some());
    is_paused || !event::is_going(work, journey)
}

/// Counts what a delivery came to. One that arrived ends the count; what is unknown, withheld or
/// waited too long for us says nothing about the receiver.
pub(super) fn heard(work: &mut Work<'_>, delivery: &Delivery, state: State) {
    let (journey, block) = (&delivery.journey, &delivery.block);
    let held = control(work, journey, block);
    let failing = held.and_then(|it| it.failing);
    let is_paused = held.is_some_and(|it| it.paused.is_some());
    let status = match state {
        State::Rejected { status } => Some(status),
        State::Expired(ExpiredReason::Window) => None,
        State::Delivered { .. } => {
            if failing.is_some() {
                count(work, delivery, None);
            }
            return;
        }
        State::Planned { .. }
        | State::Armed { .. }
        | State::Unknown(_)
        | State::Expired(ExpiredReason::Queue)
        | State::Withheld(_) => return,
    };
    let since = failing.map_or(work.at, |failing| failing.since);
    let deliveries = failing.map_or(0, |failing| failing.deliveries);
    let failing = Failing {
        since,
        deliveries: deliveries.saturating_add(1),
    };
    count(work, delivery, Some(failing));
    if is_paused {
        return;
    }
    if let Some(reason) = too_long(work, delivery, (failing, status)) {
        work.make(Change::BlockPaused {
            journey: delivery.journey.clone(),
            block: delivery.block.clone(),
            paused: Paused {
                since: work.at,
                by: BY.into(),
                reason: reason.into(),
            },
        });
    }
}

/// Why a block that fails is to be paused; nothing while it may recover.
fn too_long(
    work: &Work<'_>,
    delivery: &Delivery,
    (failing, status): (Failing, Option<u16>),
) -> Option<String> {
    if status == Some(410) && !delivery.terms.is_varied {
        return Some("the receiver says that its URL is gone (410)".to_owned());
    }
    if failing.deliveries >= FAILING_MAX {
        return Some(format!("{} deliveries failed in a row", failing.deliveries));
    }
    let while_us = work.at.micros_since(failing.since);
    (while_us >= FAILING_US_MAX)
        .then(|| "nothing arrived for 24 hours, every delivery failed".to_owned())
}

fn count(work: &mut Work<'_>, delivery: &Delivery, failing: Option<Failing>) {
    work.make(Change::BlockFailing {
        journey: delivery.journey.clone(),
        block: delivery.block.clone(),
        failing,
    });
}

fn control<'a>(
    work: &'a Work<'_>,
    journey: &Arc<str>,
    block: &Arc<str>,
) -> Option<&'a BlockControl> {
    work.rows.control(journey)?.blocks.get(block)
}
