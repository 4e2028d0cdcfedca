//! What follows when somebody orders something? A journey or a block is paused, goes on, or stops; a
//! delivery is sent again, known to have arrived, or does not leave; a block is tried.

use std::sync::Arc;

use super::work::{NotYet, Work};
use super::{attempt, enter_order, erase, stop};
use crate::change::Change;
use crate::input::{Action, Operator, Place, Tried};
use crate::record::{Paused, Stopped};

pub(super) fn operator(work: &mut Work<'_>, order: &Operator) -> Result<(), NotYet> {
    match &order.action {
        Action::Pause(place) => pause(work, place, order),
        Action::Resume(place) => return resume(work, place, order),
        Action::SkipOverdue(place) => {
            return stop::ordered(work, place, (order, Stopped::Overdue));
        }
        Action::Stop(place) => {
            return stop::ordered(work, place, (order, Stopped::Everything));
        }
        Action::Enter {
            journey,
            identifier,
        } => {
            enter_order::enter(work, journey, identifier)?;
        }
        Action::Erase(erase) => return erase::ordered(work, erase, order),
        Action::Readmit(identifier) => return erase::readmit(work, identifier),
        Action::Try(tried) => tried_out(work, tried, order),
        Action::Resend(delivery) | Action::Resolve(delivery) | Action::Withhold(delivery) => {
            return attempt::ordered(work, *delivery, order);
        }
    }
    Ok(())
}

/// Pauses a journey or a block.
pub(super) fn pause(work: &mut Work<'_>, place: &Place, order: &Operator) {
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

/// While a stop goes through everybody, the journey stays paused.
fn resume(work: &mut Work<'_>, place: &Place, order: &Operator) -> Result<(), NotYet> {
    if !stop::is_under_way(work, &place.journey)? {
        go_on(work, place, (&order.by, &order.reason));
    }
    Ok(())
}

fn tried_out(work: &mut Work<'_>, tried: &Tried, order: &Operator) {
    work.make(Change::Tried {
        tried: tried.clone(),
        at: work.at,
        by: order.by.clone(),
        reason: order.reason.clone(),
    });
}

/// A journey or a block goes on.
pub(super) fn go_on(work: &mut Work<'_>, place: &Place, (by, reason): (&Arc<str>, &Arc<str>)) {
    let (journey, at) = (place.journey.clone(), work.at);
    let (by, reason) = (by.clone(), reason.clone());
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
