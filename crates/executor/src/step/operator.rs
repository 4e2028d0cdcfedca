//! What follows when somebody orders something? A journey or a block stops, or goes on; a delivery
//! is sent again, known to have arrived, or does not leave.

use super::attempt;
use super::work::{NotYet, Work};
use crate::change::Change;
use crate::input::{Action, Operator, Place};
use crate::record::Paused;

pub(super) fn operator(work: &mut Work<'_>, order: &Operator) -> Result<(), NotYet> {
    match &order.action {
        Action::Pause(place) => pause(work, place, order),
        Action::Resume(place) => resume(work, place, order),
        Action::Resend(delivery) | Action::Resolve(delivery) | Action::Withhold(delivery) => {
            return attempt::ordered(work, *delivery, order);
        }
    }
    Ok(())
}

fn pause(work: &mut Work<'_>, place: &Place, order: &Operator) {
    let journey = place.journey.clone();
    let paused = Paused {
        since: work.at,
        by: order.by.clone(),
        reason: order.reason.clone(),
    };
    work.make(match place.block.clone() {
        None => Change::JourneyPaused { journey, paused },
        Some(block) => Change::BlockPaused {
            journey,
            block,
            paused,
        },
    });
}

fn resume(work: &mut Work<'_>, place: &Place, order: &Operator) {
    let (journey, at) = (place.journey.clone(), work.at);
    let (by, reason) = (order.by.clone(), order.reason.clone());
    work.make(match place.block.clone() {
        None => Change::JourneyResumed {
            journey,
            at,
            by,
            reason,
        },
        Some(block) => Change::BlockResumed {
            journey,
            block,
            at,
            by,
            reason,
        },
    });
}
