//! May an attempt leave, and what follows from how it ended? Consent is asked again here, and
//! nowhere else after the decision.

use std::sync::Arc;

use wayfare_event::DeliveryId;

use super::send::permission;
use super::start::next_hops;
use super::walk::{HOPS_MAX, refuse_hop};
use super::who::Who;
use super::work::{NotYet, Work};
use super::{block, erase, erased, stop};
use crate::change::Change;
use crate::delivery::{ExpiredReason, Outcome, Progress, State, WithheldReason};
use crate::input::{Action, Operator};
use crate::record::{Cause, Delivery, DeliveryTold, Key, Ordered, Permission, Queued, Row};

/// How long a delivery may wait before its first attempt, in microseconds: 24 hours.
const QUEUE_US_MAX: i64 = 24 * 60 * 60 * 1_000_000;

/// A delivery could leave now, having waited for us this long: arms it, or withholds it.
pub(super) fn ready(work: &mut Work<'_>, id: DeliveryId, waited_us: i64) -> Result<(), NotYet> {
    let Some(delivery) = delivery(work, id)? else {
        return Ok(());
    };
    let State::Planned { .. } = delivery.state else {
        return Ok(());
    };
    if block::is_held(work, (&delivery.journey, &delivery.block)) {
        return Ok(());
    }
    let waited_us = waited_us.max(0);
    if let Some(reason) = overdue(work, &delivery, waited_us) {
        let state = State::Expired(reason);
        return moved(work, &delivery, Moved::to(state).after_waiting(waited_us));
    }
    if erased::holds_back(work, &delivery)? {
        return erased(work, &delivery);
    }
    let who = Who::behind(work, &delivery.owner)?;
    let permission = permission(work, &who, delivery.asked.clone())?;
    let state = if permission.verdict.allowed {
        State::Armed { since: work.at }
    } else {
        State::Withheld(WithheldReason::Consent)
    };
    let moved_to = Moved {
        consent: Some(permission),
        ..Moved::to(state)
    };
    moved(work, &delivery, moved_to.after_waiting(waited_us))
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
    let is_news = !matches!(outcome, Outcome::Unknown(_));
    let was_unknown = matches!(delivery.last, Some(Outcome::Unknown(_)));
    let is_waited_for = match delivery.state {
        State::Armed { .. } => true,
        State::Unknown(_) => is_news,
        // It is to be repeated because nobody knew.
        State::Planned { .. } => was_unknown && is_news,
        State::Delivered { .. }
        | State::Rejected { .. }
        | State::Expired(_)
        | State::Withheld(_) => false,
    };
    if is_waited_for && delivery.attempts == attempt {
        let progress = Progress {
            id,
            spread: work.catalog.spread,
            mode: delivery.terms.mode,
            method: delivery.request.method,
            attempts: delivery.attempts.saturating_sub(delivery.earlier),
            first_attempt: delivery.first_attempt.unwrap_or(work.at),
            window_us: delivery.terms.window_us,
            waited_us: delivery.waited_us,
        };
        let mut after = progress.after(outcome, work.at);
        let is_repeated = matches!(after, State::Planned { .. });
        if is_repeated && erased::holds_back(work, &delivery)? {
            after = State::Withheld(WithheldReason::Erased);
        }
        let moved_to = Moved {
            outcome: Some(outcome),
            ..Moved::to(after)
        };
        moved(work, &delivery, moved_to)?;
        if delivery.is_reduced() {
            return Ok(());
        }
        return stop::withhold(work, id);
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
        return moved(work, &delivery, Moved::to(state));
    }
    Ok(())
}

/// Whoever a planned delivery is for is erased.
pub(super) fn erased(work: &mut Work<'_>, delivery: &Delivery) -> Result<(), NotYet> {
    let state = State::Withheld(WithheldReason::Erased);
    moved(work, delivery, Moved::to(state))
}

/// An operator says what becomes of a delivery; nothing does where that cannot be.
pub(super) fn ordered(work: &mut Work<'_>, id: DeliveryId, order: &Operator) -> Result<(), NotYet> {
    let Some(delivery) = delivery(work, id)? else {
        return Ok(());
    };
    let state = match (&order.action, delivery.state) {
        (Action::Resend(_), state) if state.may_be_resent() && !delivery.is_reduced() => {
            State::Planned { due: work.at }
        }
        (Action::Resolve(_), State::Unknown(_)) => State::Delivered { status: None },
        (Action::Withhold(_), State::Planned { .. }) => State::Withheld(WithheldReason::Operator),
        (
            Action::Resend(_)
            | Action::Resolve(_)
            | Action::Withhold(_)
            | Action::Pause(_)
            | Action::Resume(_)
            | Action::SkipOverdue(_)
            | Action::Stop(_)
            | Action::Try(_)
            | Action::Merge { .. }
            | Action::Detach { .. }
            | Action::Unblock(_)
            | Action::Suppress { .. }
            | Action::Unsuppress(_)
            | Action::Enter { .. }
            | Action::Erase(_)
            | Action::Readmit(_),
            _,
        ) => return Ok(()),
    };
    let order = Ordered {
        at: work.at,
        by: order.by.clone(),
        reason: order.reason.clone(),
        state,
    };
    work.make(Change::DeliveryOrdered {
        delivery: id,
        order,
    });
    erase::delivery_over(work, &delivery, state)?;
    tell(work, &delivery, state)
}

pub(super) fn delivery(work: &Work<'_>, id: DeliveryId) -> Result<Option<Arc<Delivery>>, NotYet> {
    let key = Key::Delivery(id);
    work.need([key.clone()])?;
    Ok(match work.rows.row(&key) {
        Some(Row::Delivery(delivery)) => Some(delivery),
        Some(_) | None => None,
    })
}

/// Which time ran out. The window is the receiver's: what a request waits for us is not in it.
fn overdue(work: &Work<'_>, delivery: &Delivery, waited_us: i64) -> Option<ExpiredReason> {
    let waited_us = delivery.waited_us.saturating_add(waited_us);
    let Some(first) = delivery.first_attempt else {
        let queued_us = work.at.micros_since(delivery.owed);
        return (queued_us > QUEUE_US_MAX).then_some(ExpiredReason::Queue);
    };
    if waited_us > QUEUE_US_MAX {
        return Some(ExpiredReason::Queue);
    }
    let passed_us = work.at.micros_since(first).saturating_sub(waited_us);
    (passed_us > delivery.terms.window_us).then_some(ExpiredReason::Window)
}

/// What a delivery comes to, and by what.
struct Moved {
    state: State,
    consent: Option<Permission>,
    outcome: Option<Outcome>,
    waited_us: i64,
}

impl Moved {
    const fn to(state: State) -> Self {
        Self {
            state,
            consent: None,
            outcome: None,
            waited_us: 0,
        }
    }

    fn after_waiting(self, waited_us: i64) -> Self {
        Self { waited_us, ..self }
    }
}

fn moved(work: &mut Work<'_>, delivery: &Delivery, to: Moved) -> Result<(), NotYet> {
    let state = to.state;
    // Before the first attempt there is no window to keep the wait out of.
    let waited_us = delivery.first_attempt.map_or(0, |_| to.waited_us);
    work.make(Change::DeliveryMoved {
        delivery: delivery.id,
        state,
        at: work.at,
        consent: to.consent,
        outcome: to.outcome,
        waited_us,
    });
    block::heard(work, delivery, state);
    erase::delivery_over(work, delivery, state)?;
    tell(work, delivery, state)
}

/// Queues the state for the journeys that start from it. What was owed to somebody erased starts
/// nothing, also not for whoever goes by their identifier now.
fn tell(work: &mut Work<'_>, delivery: &Delivery, state: State) -> Result<(), NotYet> {
    let of = (&*delivery.journey, &*delivery.block);
    let mut started = work.catalog.started_by_delivery(of, state.as_str());
    if started.next().is_none() || erased::holds_back(work, delivery)? {
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
