//! What follows from one input? [`step`] decides it. Each kind of input has its file under `step/`.
//!
//! Reading order: [`event`], then `enter` and `walk`, then `send`; `timer` and `attempt` after them.

mod attempt;
mod block;
mod date;
pub(crate) mod enter;
mod enter_order;
pub(crate) mod erase;
mod erased;
pub(crate) mod event;
pub(crate) mod judge;
mod leave;
mod ledger;
mod merge;
mod migrate;
mod operator;
mod persons;
mod queued;
mod said;
pub(crate) mod send;
pub(crate) mod start;
mod stop;
mod sweep;
mod timer;
mod walk;
pub(crate) mod who;
pub(crate) mod work;
mod write;

use crate::catalog::Catalog;
use crate::change::Change;
use crate::effects::Effects;
use crate::input::{Input, InputKind};
use crate::snapshot::Snapshot;
use crate::trace::Trace;
use sweep::Page;
use work::Work;

/// Decides everything that follows from one input. Total: it cannot fail and has no side effects.
///
/// It reads nothing but its arguments. Where the snapshot lacks a row that matters, it decides
/// nothing and names the row: the caller loads it and asks again (decision 004).
#[must_use]
pub fn step(catalog: &Catalog, snapshot: &Snapshot, input: &Input, trace: &mut Trace) -> Effects {
    trace.clear();
    let mut work = Work::new(catalog, snapshot, (input.seq, input.at), trace);
    let decided = match &input.kind {
        InputKind::Event(happened) => event::event(&mut work, happened),
        InputKind::Timer(timer) => timer::timer(&mut work, timer),
        InputKind::AttemptReady {
            delivery,
            waited_us,
        } => attempt::ready(&mut work, *delivery, *waited_us),
        InputKind::AttemptFinished {
            delivery,
            attempt,
            outcome,
        } => attempt::finished(&mut work, *delivery, (*attempt, *outcome)),
        InputKind::AttemptBarred { delivery } => attempt::barred(&mut work, *delivery),
        InputKind::Queued(id) => queued::queued(&mut work, *id),
        InputKind::SweepPage {
            id,
            deliveries,
            keys,
            entries,
            is_last,
        } => {
            let page = Page {
                deliveries,
                keys,
                entries,
                is_last: *is_last,
            };
            sweep::page(&mut work, id, page)
        }
        InputKind::Operator(order) => operator::operator(&mut work, order),
        InputKind::Published {
            journey,
            version,
            source,
        } => {
            work.make(Change::Published {
                journey: journey.clone(),
                version: *version,
                source: source.clone(),
            });
            sweep::published(&mut work, journey)
        }
        InputKind::Withdrawn(journey) => {
            let journey = journey.clone();
            work.make(Change::Withdrawn { journey });
            Ok(())
        }
    };
    work.finish(decided)
}
