//! What follows when somebody orders something? A journey or a block is paused, goes on, or stops; a
//! delivery is sent again, known to have arrived, or does not leave; a block is tried; somebody is said
//! to be somebody else, or not; an address gets nothing any more, or what was said decides about it
//! again.

use std::sync::Arc;

use wayfare_consent::SuppressionKind;
use wayfare_event::Identifier;

use super::work::{NotYet, Work};
use super::{attempt, enter_order, erase, erased, persons, stop};
use crate::change::Change;
use crate::input::{Action, Operator, Place, Tried};
use crate::record::{Key, Paused, Stopped, Suppressed};

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
        Action::Merge { from, into } => return persons::merged(work, from, into),
        Action::Detach { identifier, from } => {
            return persons::detached(work, identifier, from);
        }
        Action::Unblock(identifier) => return persons::unblocked(work, identifier),
        Action::Suppress { address, kind } => suppress(work, (address, *kind), order)?,
        Action::Unsuppress(address) => unsuppress(work, address, order)?,
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

/// Nothing goes to an address any more.
fn suppress(
    work: &mut Work<'_>,
    (address, kind): (&Identifier, SuppressionKind),
    order: &Operator,
) -> Result<(), NotYet> {
    if erased::is_gone(work, address)? {
        // Nothing is kept of somebody erased who is kept out, and nothing goes to them anyway.
        if erased::keeps_out(work, address)? {
            return Ok(());
        }
        erased::begin_anew(work, address);
    }
    let suppressed = Suppressed {
        kind,
        at: work.at,
        by: order.by.clone(),
        reason: order.reason.clone(),
    };
    work.make(Change::AddressSuppressed {
        address: address.clone(),
        suppressed,
    });
    Ok(())
}

/// What was said decides again; nothing happens where it always did.
fn unsuppress(work: &mut Work<'_>, address: &Identifier, order: &Operator) -> Result<(), NotYet> {
    work.need([Key::Person(address.clone())])?;
    let record = work.rows.record(address);
    if record.is_some_and(|record| record.suppressed.is_some()) {
        work.make(Change::SuppressionLifted {
            address: address.clone(),
            at: work.at,
            by: order.by.clone(),
            reason: order.reason.clone(),
        });
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
