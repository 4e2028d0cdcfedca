//! May an attempt leave, and what follows from how it ended? Consent is asked again here, and
//! nowhere else after the decision.

use std::sync::Arc;

use wayfare_event::DeliveryId;

use super::event;
use super::send::permission;
use super::start::next_hops;
use super::walk::{HOPS_MAX, refuse_hop};
use super::who::Who;
use super::work::{NotYet, Work};
use crate::change::Change;
use crate::delivery::{ExpiredReason, Outcome, Progress, State, WithheldReason};
use crate::record::{Cause, Delivery, DeliveryTold, Key, Permission, Queued, Row};

/// How long a delivery may wait before its first attempt, in microseconds: 24 hours.
const QUEUE_US_MAX: i64 = 24 * 60 * 60 * 1_000_000;

/// A delivery could leave now: arms it, or withholds it.
pub(super) fn ready(work: &mut Work<'_>, id: DeliveryId) -> Result<(), NotYet> {
    let Some(delivery) = delivery(work, id)? else {
        return Ok(());
    };
    let State::Planned { .. } = delivery.state else {
        return Ok(());
    };
    if let Some(reason) = overdue(work, &delivery) {
        let state = State::Expired(reason);
        return moved(work, id, state, (None, None));
    }
    if !event::is_going(work, &delivery.journey) {
        return Ok(());
    }
    let who = Who::behind(work, &delivery.owner)?;
    let permission = permission(work, &who, delivery.asked.clone())?;
    let state = if permission.verdict.allowed {
        State::Armed { since: work.at }
    } else {
        State::Withheld(WithheldReason::Consent)
    };
    moved(work, id, state, (Some(permission), None))
}

/// An attempt ended. A late result lifts what was unknown, when it is about the same attempt.
pub(super) fn finished(
    work: &mut Work<'_>,
    id: DeliveryId,
    (attempt, outcome): (u32, Outcome),
) -> Result<(), NotYet> {
    let Some(delivery) = delivery(work, id)? else {
        return Ok(());
    };
    let is_waited_for = match delivery.state {
        State::Armed { .. } => true,
        State::Unknown(_) => !matches!(outcome, Outcome::Unknown(_)),
        State::Planned { .. }
        | State::Delivered { .. }
        | State::Rejected { .. }
        | State::Expired(_)
        | State::Withheld(_) => false,
    };
    if is_waited_for && delivery.attempts == attempt {
        let progress = Progress {
            mode: delivery.terms.mode,
            method: delivery.request.method,
            attempts: delivery.attempts,
            first_attempt: delivery.first_attempt.unwrap_or(work.at),
            window_us: delivery.terms.window_us,
        };
        let state = progress.after(outcome, work.at);
        return moved(work, id, state, (None, Some(outcome)));
    }
    Ok(())
}

/// The address of a delivery is refused.
pub(super) fn barred(work: &mut Work<'_>, id: DeliveryId) -> Result<(), NotYet> {
    let Some(delivery) = delivery(work, id)? else {
        return Ok(());
    };
    if matches!(delivery.state, State::Planned { .. }) {
        let state = State::Withheld(WithheldReason::Policy);
        return moved(work, id, state, (None, None));
    }
    Ok(())
}

fn delivery(work: &Work<'_>, id: DeliveryId) -> Result<Option<Arc<Delivery>>, NotYet> {
    let key = Key::Delivery(id);
    work.need([key.clone()])?;
    Ok(match work.rows.row(&key) {
        Some(Row::Delivery(delivery)) => Some(delivery),
        Some(_) | None => None,
    })
}

fn overdue(work: &Work<'_>, delivery: &Delivery) -> Option<ExpiredReason> {
    match delivery.first_attempt {
        None => {
            (work.at.micros_since(delivery.decided) > QUEUE_US_MAX).then_some(ExpiredReason::Queue)
        }
        Some(first) => (work.at.micros_since(first) > delivery.terms.window_us)
            .then_some(ExpiredReason::Window),
    }
}

fn moved(
    work: &mut Work<'_>,
    id: DeliveryId,
    state: State,
    (consent, outcome): (Option<Permission>, Option<Outcome>),
) -> Result<(), NotYet> {
    let at = work.at;
    work.make(Change::DeliveryMoved {
        delivery: id,
        state,
        at,
        consent,
        outcome,
    });
    if let Some(Row::Delivery(delivery)) = work.rows.row(&Key::Delivery(id)) {
        tell(work, &delivery, state)?;
    }
    Ok(())
}

/// Queues the state for the journeys that start from it.
fn tell(work: &mut Work<'_>, delivery: &Delivery, state: State) -> Result<(), NotYet> {
    let of = (&*delivery.journey, &*delivery.block);
    let mut started = work.catalog.started_by_delivery(of, state.as_str());
    if started.next().is_none() {
        return Ok(());
    }
    let hops = next_hops(work, delivery.hops);
    if hops > HOPS_MAX {
        work.need([Key::Person(delivery.owner.clone())])?;
        refuse_hop(work, &delivery.owner, &delivery.journey, &delivery.block);
        return Ok(());
    }
    let (status, reason) = state.told();
    work.queue(Queued {
        owner: delivery.owner.clone(),
        hops,
        cause: Cause::Delivery(DeliveryTold {
            id: delivery.id,
            journey: delivery.journey.clone(),
            block: delivery.block.clone(),
            state: state.as_str().into(),
            status,
            reason: reason.map(Arc::from),
            at: work.at,
        }),
    });
    Ok(())
}
