//! What remains of who was erased in the ledger and in what remembers entries? A sweep goes through both,
//! a page in each step. Not here: erasing (`erase`).

use std::sync::Arc;

use wayfare_event::{DecisionId, IdentifierHash};

use super::attempt;
use super::sweep::{self, Page};
use super::work::{NotYet, Work};
use crate::change::Change;
use crate::delivery::State;
use crate::forget::ErasureChange;
use crate::record::{Erasure, Key, Row, Sweep, SweepId};

/// A page of the ledger: what has not left does not, and what is told of somebody goes. Once the ledger
/// is reduced, that the history is redacted too.
pub(super) fn page(
    work: &mut Work<'_>,
    (id, sweep): (&SweepId, &Sweep),
    page: Page<'_>,
) -> Result<(), NotYet> {
    let Some(erasure) = sweep.erasure.clone().filter(|it| !it.is_reduced) else {
        // The history tells of nobody any more.
        sweep::moved(work, id, None);
        return Ok(());
    };
    let decisions = page.deliveries.iter();
    let decisions: Vec<DecisionId> = decisions
        .map(|id| DecisionId::from_bytes(*id.as_bytes()))
        .collect();
    work.need(
        decisions
            .iter()
            .flat_map(|id| [Key::Decision(*id), Key::Delivery(id.delivery())]),
    )?;
    work.need(page.entries.iter().cloned())?;
    let owners = page.entries.iter().filter_map(|key| match key {
        Key::Guard { owner, .. } => Some(Key::Person(owner.clone())),
        Key::Person(_)
        | Key::Account(_)
        | Key::Message(_)
        | Key::Decision(_)
        | Key::Delivery(_)
        | Key::Version(..)
        | Key::Queued(_)
        | Key::Sweep(_)
        | Key::Control(_)
        | Key::Erased(_) => None,
    });
    work.need(owners)?;
    work.need(erasure.hashes.iter().copied().map(Key::Erased))?;
    for id in &decisions {
        reduce(work, &erasure, *id)?;
    }
    for key in page.entries {
        forget(work, &erasure, key);
    }
    let count = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
    let met = count(page.deliveries.len()).saturating_add(count(page.entries.len()));
    let next = Sweep {
        at: sweep.at.filter(|_| !page.is_last),
        delivery: page.deliveries.last().copied().or(sweep.delivery),
        seen: sweep.seen.saturating_add(met),
        erasure: Some(Arc::new(Erasure {
            is_reduced: page.is_last,
            ..(*erasure).clone()
        })),
        ..sweep.clone()
    };
    let goes_on = !page.is_last || erasure.mode.deletes();
    sweep::moved(work, id, goes_on.then_some(next));
    if page.is_last {
        let is_done = |hash: &&IdentifierHash| {
            let mark = work.rows.erased(**hash);
            mark.is_some_and(|mark| mark.at <= erasure.at)
        };
        let hashes = erasure.hashes.iter().filter(is_done).copied().collect();
        work.make(Change::Erasure(ErasureChange::Complete {
            hashes,
            at: work.at,
        }));
    }
    Ok(())
}

fn reduce(work: &mut Work<'_>, erasure: &Erasure, id: DecisionId) -> Result<(), NotYet> {
    let Some(Row::Decision(decision)) = work.rows.row(&Key::Decision(id)) else {
        return Ok(());
    };
    let (config, key) = (&work.catalog.identity, &work.catalog.id_key);
    let is_anothers = config.is_anchor(&decision.owner) && !erasure.is_about(key, &decision.owner);
    if is_anothers || !erasure.concerns(key, &decision) {
        return Ok(());
    }
    let delivery = attempt::delivery(work, id.delivery())?;
    if let Some(delivery) = delivery.filter(|it| matches!(it.state, State::Planned { .. })) {
        attempt::erased(work, &delivery)?;
    }
    if erasure.mode.deletes() {
        work.make(Change::Erasure(ErasureChange::Reduced(id)));
    }
    Ok(())
}

/// Lets an entry go; one of whoever came back since stays.
fn forget(work: &mut Work<'_>, erasure: &Erasure, key: &Key) {
    let Key::Guard {
        owner,
        journey,
        key: of,
    } = key
    else {
        return;
    };
    let entry = work.rows.guard(key);
    // Somebody may have come back, and in again, at the instant of the erasure itself.
    let is_back = work.rows.links().node(owner).is_some();
    let is_old = entry.is_some_and(|entry| {
        entry.entered < erasure.at || (entry.entered == erasure.at && !is_back)
    });
    if is_old && erasure.mode.deletes() && erasure.is_about(&work.catalog.id_key, owner) {
        work.make(Change::Erasure(ErasureChange::EntryForgotten {
            owner: owner.clone(),
            journey: journey.clone(),
            key: of.clone(),
        }));
    }
}
