//! Who ends because an operator says so, and what does not leave? An order stands with the journey; a
//! sweep goes through what is owed and whoever may be inside, and every input ends whom it meets.
//! Not here: pausing (`operator`), or going on where a journey leads (`walk`).

use std::sync::Arc;

use wayfare_event::{DeliveryId, Identifier};

use super::enter::{self, Refused};
use super::start::Start;
use super::sweep::{self, Page};
use super::who::Who;
use super::work::{NotYet, Work};
use super::{attempt, operator, send};
use crate::change::Change;
use crate::delivery::State;
use crate::input::{Action, Operator, Place};
use crate::record::{
    Cause, Control, DecisionOutcome, Delivery, Instance, Key, Planned, Queued, Stop, Stopped,
    Sweep, SweepCause, SweepId,
};
use crate::refusal::RefusalCode;

/// Somebody ends walks, of a journey or at a block. What is overdue can be skipped only where
/// something is paused, and not while another order is carried out.
pub(super) fn ordered(
    work: &mut Work<'_>,
    place: &Place,
    (order, what): (&Operator, Stopped),
) -> Result<(), NotYet> {
    let is_under_way = is_under_way(work, &place.journey)?;
    let whole = Place::whole(place.journey.clone());
    match what {
        Stopped::Everything if !is_paused(work, &whole) => operator::pause(work, &whole, order),
        Stopped::Everything => {}
        Stopped::Overdue if is_under_way || !is_paused(work, place) => return Ok(()),
        Stopped::Overdue => {}
    }
    let stop = Stop {
        at: work.at,
        by: order.by.clone(),
        reason: order.reason.clone(),
        what,
    };
    let place = place.clone();
    let begins = Sweep {
        at: Some(work.at),
        ..Sweep::default()
    };
    sweep::moved(work, &sweep_of(&place.journey), Some(begins));
    work.make(Change::StopOrdered { place, stop });
    Ok(())
}

/// Whether an order about a journey is still carried out.
pub(super) fn is_under_way(work: &Work<'_>, journey: &Arc<str>) -> Result<bool, NotYet> {
    let id = sweep_of(journey);
    work.need([Key::Sweep(id.clone())])?;
    Ok(work.rows.sweep(&id).is_some())
}

fn sweep_of(journey: &Arc<str>) -> SweepId {
    SweepId {
        journey: journey.clone(),
        cause: SweepCause::Stop,
    }
}

fn is_paused(work: &Work<'_>, place: &Place) -> bool {
    let paused = |control: &Control| match &place.block {
        None => control.paused.is_some(),
        Some(block) => {
            let held = control.blocks.get(block);
            held.is_some_and(|it| it.paused.is_some())
        }
    };
    work.rows.control(&place.journey).is_some_and(paused)
}

/// Queues an input for each delivery, then for each identifier, that an order may be about. When
/// nobody is left, what was paused goes on where the order was to skip what is overdue.
pub(super) fn page(
    work: &mut Work<'_>,
    (id, sweep): (&SweepId, &Sweep),
    page: Page<'_>,
) -> Result<(), NotYet> {
    let owed = page.deliveries.iter().copied();
    work.need(owed.map(Key::Delivery))?;
    work.need(page.keys.iter().cloned().map(Key::Person))?;
    let mut queued = Vec::new();
    for delivery in page.deliveries {
        let owed = attempt::delivery(work, *delivery)?;
        let owed = owed.filter(|owed| holds_back(work, owed).is_some());
        queued.extend(owed.map(|owed| (owed.owner.clone(), Cause::Withheld(*delivery))));
    }
    let inside = page.keys.iter().filter(|key| may_end(work, id, key));
    queued.extend(inside.map(|key| (key.clone(), Cause::Stopped)));
    let is_over = page.is_last && queued.is_empty();
    let count = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
    let seen = count(page.deliveries.len()).saturating_add(count(page.keys.len()));
    let next = Sweep {
        cursor: page.keys.last().cloned().or_else(|| sweep.cursor.clone()),
        delivery: page.deliveries.last().copied().or(sweep.delivery),
        seen: sweep.seen.saturating_add(seen),
        queued: sweep.queued.saturating_add(count(queued.len())),
        ..sweep.clone()
    };
    for (owner, cause) in queued {
        work.queue(Queued {
            owner,
            hops: 0,
            cause,
        });
    }
    sweep::moved(work, id, (!is_over).then_some(next));
    if is_over {
        skipped(work, &id.journey);
    }
    Ok(())
}

/// Lets go on what was to go on without what was overdue.
fn skipped(work: &mut Work<'_>, journey: &Arc<str>) {
    let Some(control) = work.rows.control(journey).cloned() else {
        return;
    };
    let is_skip = |stop: &&Stop| stop.what == Stopped::Overdue;
    for (block, held) in &control.blocks {
        if let Some(stop) = held.stop.as_ref().filter(is_skip) {
            let place = Place {
                journey: journey.clone(),
                block: Some(block.clone()),
            };
            operator::go_on(work, &place, (&stop.by, &stop.reason));
        }
    }
    if let Some(stop) = control.stop.as_ref().filter(is_skip) {
        let place = Place::whole(journey.clone());
        operator::go_on(work, &place, (&stop.by, &stop.reason));
    }
}

/// Whether something is kept under an identifier that an order about a journey may end.
fn may_end(work: &Work<'_>, id: &SweepId, key: &Identifier) -> bool {
    work.rows.record(key).is_some_and(|record| {
        let mut walks = record.instances.values();
        walks.any(|walk| walk.journey == id.journey) || record.dates.contains_key(&id.journey)
    })
}

/// Ends every walk of a profile that an order ends, and lets the dates go that came meanwhile.
pub(super) fn end(work: &mut Work<'_>, who: &Who) {
    for live in who.live(&work.rows) {
        if let Some(stop) = ends(work, &live.instance) {
            let decision = send::decision(work, who, &live, DecisionOutcome::Stopped);
            send::decide(work, decision, Some(said(&stop)));
        }
    }
    for (owner, journey) in who.dated(&work.rows) {
        let control = work.rows.control(&journey);
        let stop = control.and_then(|control| control.stop.clone());
        let Some(stop) = stop.filter(|stop| stop.what == Stopped::Overdue) else {
            continue;
        };
        let record = work.rows.record(&owner);
        let planned = record
            .and_then(|record| record.dates.get(&journey))
            .copied();
        if let Some(planned) = planned
            && let Some(due) = planned.due.filter(|due| *due <= stop.at)
        {
            let start = Start::at(due, String::new());
            let refused = Refused::from(RefusalCode::Paused);
            enter::refuse(work, who, &start, (&journey, refused));
            work.make(Change::DatePlanned {
                owner,
                journey,
                planned: Some(Planned {
                    due: None,
                    ..planned
                }),
            });
        }
    }
}

/// The order that ends a walk.
fn ends(work: &Work<'_>, instance: &Instance) -> Option<Stop> {
    let control = work.rows.control(&instance.journey)?;
    let here = control.blocks.get(&instance.block);
    let here = here.and_then(|block| block.stop.as_ref());
    let at_block = here.filter(|stop| match stop.what {
        Stopped::Everything => instance.arrived <= stop.at,
        Stopped::Overdue => false,
    });
    let anywhere = control.stop.as_ref().filter(|stop| match stop.what {
        Stopped::Everything => true,
        Stopped::Overdue => instance.due.is_some_and(|due| due <= stop.at),
    });
    anywhere.or(at_block).cloned()
}

/// Why a walk ended, in words.
fn said(stop: &Stop) -> String {
    let Stop { by, reason, .. } = stop;
    match stop.what {
        Stopped::Everything => format!("stopped by {by}: {reason}"),
        Stopped::Overdue => format!("overdue, skipped by {by}: {reason}"),
    }
}

/// Holds a delivery back that an order is about; does nothing for others.
pub(super) fn withhold(work: &mut Work<'_>, id: DeliveryId) -> Result<(), NotYet> {
    let delivery = attempt::delivery(work, id)?;
    let Some(stop) = delivery.and_then(|delivery| holds_back(work, &delivery)) else {
        return Ok(());
    };
    let order = Operator {
        by: stop.by,
        reason: stop.reason,
        action: Action::Withhold(id),
    };
    attempt::ordered(work, id, &order)
}

/// The order that holds a delivery back. What is on the wire ends as it ends; it is not repeated.
fn holds_back(work: &Work<'_>, delivery: &Delivery) -> Option<Stop> {
    let State::Planned { due } = delivery.state else {
        return None;
    };
    let control = work.rows.control(&delivery.journey)?;
    let here = control.blocks.get(&delivery.block);
    let here = here.and_then(|block| block.stop.as_ref());
    let mut orders = control.stop.iter().chain(here);
    let is_about = |stop: &&Stop| match stop.what {
        Stopped::Everything => delivery.owed <= stop.at,
        Stopped::Overdue => due <= stop.at,
    };
    orders.find(is_about).cloned()
}
