//! What follows from one input? [`step`] decides it. Each kind of input has its file under `step/`.
//!
//! Reading order: [`event`], then `enter` and `walk`, then `send`; `timer` and `attempt` after them.

mod attempt;
mod enter;
mod event;
mod judge;
mod leave;
mod merge;
pub(crate) mod send;
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
        InputKind::AttemptReady(delivery) => attempt::ready(&mut work, *delivery),
        InputKind::AttemptFinished {
            delivery,
            attempt,
            outcome,
        } => attempt::finished(&mut work, *delivery, (*attempt, *outcome)),
        InputKind::AttemptBarred { delivery } => attempt::barred(&mut work, *delivery),
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
            Ok(())
        }
    };
    work.finish(decided)
}
