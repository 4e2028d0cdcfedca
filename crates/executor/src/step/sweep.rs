//! Whom does a schedule start, and whose dates are to be planned? A sweep goes through all profiles,
//! a page in each step, and queues one input for each that it concerns.

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::{DeliveryId, Identifier, Timestamp};
use wayfare_identity::{Named, Profile};
use wayfare_journey::TriggerOn;

use super::judge::Ground;
use super::start::Start;
use super::stop;
use super::who::Who;
use super::work::{NotYet, Work};
use super::{enter, ledger};
use crate::catalog::Published;
use crate::change::Change;
use crate::record::{Cause, Key, Queued, Sweep, SweepCause, SweepId};

/// Begins the sweep that a journey in force needs: its schedule's next instant is found as soon as
/// there is a time, everybody's date is looked at.
///
/// What an edit leaves as it is neither repeats nor loses an instant.
pub(super) fn published(work: &mut Work<'_>, journey: &Arc<str>) -> Result<(), NotYet> {
    let published = work.catalog.in_force(journey);
    let cause = match published.map(|published| &published.graph.trigger().on) {
        Some(TriggerOn::Schedule { .. }) => SweepCause::Schedule,
        Some(TriggerOn::Date { .. }) => SweepCause::Dates,
        Some(TriggerOn::Events(_) | TriggerOn::Consent { .. } | TriggerOn::Trait(_))
        | Some(TriggerOn::Delivery { .. })
        | None => return Ok(()),
    };
    let id = SweepId {
        journey: journey.clone(),
        cause,
    };
    work.need([Key::Sweep(id.clone())])?;
    let held = work.rows.sweep(&id);
    let stays = published.zip(held).is_some_and(|(published, held)| {
        cause == SweepCause::Schedule && published.has_sweep(held, work.at)
    });
    if !stays {
        moved(work, &id, Some(Sweep::default()));
    }
    Ok(())
}

/// What is behind a sweep's cursor, and whether there is more behind that.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) deliveries: &'a [DeliveryId],
    pub(super) keys: &'a [Identifier],
    /// Of a sweep that reduces the ledger: entries to be forgotten.
    pub(super) entries: &'a [Key],
    pub(super) is_last: bool,
}

/// A sweep gets on by a page.
pub(super) fn page(work: &mut Work<'_>, id: &SweepId, page: Page<'_>) -> Result<(), NotYet> {
    work.need([Key::Sweep(id.clone())])?;
    let Some(sweep) = work.rows.sweep(id).cloned() else {
        return Ok(());
    };
    if id.cause == SweepCause::Stop {
        return stop::page(work, (id, &sweep), page);
    }
    if id.cause == SweepCause::Erasure {
        return ledger::page(work, (id, &sweep), page);
    }
    let Page { keys, is_last, .. } = page;
    let Some(published) = work.catalog.in_force(&id.journey).cloned() else {
        moved(work, id, None);
        return Ok(());
    };
    if sweep.over.is_some() {
        return Ok(());
    }
    let Some(at) = begins(work, &published, (id, &sweep)) else {
        let next = next(work, (id, &published), None);
        moved(work, id, next);
        return Ok(());
    };
    let concerned = concerned(work, (id, &published), keys)?;
    for (owner, cause) in concerned.queued(id, at) {
        work.queue(Queued {
            owner,
            hops: 0,
            cause,
        });
    }
    let next = if is_last {
        next(work, (id, &published), Some(at))
    } else {
        Some(Sweep {
            at: Some(at),
            cursor: keys.last().cloned(),
            delivery: None,
            seen: sweep.seen.saturating_add(concerned.seen),
            queued: sweep.queued.saturating_add(concerned.count()),
            over: None,
            erasure: None,
        })
    };
    moved(work, id, next);
    Ok(())
}

pub(super) fn moved(work: &mut Work<'_>, id: &SweepId, sweep: Option<Sweep>) {
    work.make(Change::SweepMoved {
        id: id.clone(),
        sweep: sweep.map(Arc::new),
    });
}

/// The instant a sweep is for; nothing when it is not its time, or too late for it.
fn begins(
    work: &Work<'_>,
    published: &Published,
    (id, sweep): (&SweepId, &Sweep),
) -> Option<Timestamp> {
    if sweep.cursor.is_some() {
        return sweep.at;
    }
    match (id.cause, &published.graph.trigger().on) {
        (SweepCause::Dates, TriggerOn::Date { .. }) => Some(work.at),
        (SweepCause::Schedule, TriggerOn::Schedule { cron, zone }) => {
            // Of several instants that were missed, the last one counts, unless it is too late.
            let lateness_us = published.graph.entry().lateness_us;
            let earliest = work.at.saturating_add_micros(-lateness_us);
            let begins = sweep.at.filter(|at| *at <= work.at)?;
            let first = published.next_instant(begins.max(earliest));
            let first = first.filter(|at| *at <= work.at)?;
            let later = |at: &Timestamp| cron.next_after(*at, zone).filter(|at| *at <= work.at);
            std::iter::successors(Some(first), later).last()
        }
        (SweepCause::Dates | SweepCause::Schedule | SweepCause::Stop | SweepCause::Erasure, _) => {
            None
        }
    }
}

/// What a sweep is when it has come to its end: the schedule's next instant after the one it was for,
/// not before now; over, when it was about dates; nothing when the journey starts otherwise by now.
fn next(
    work: &Work<'_>,
    (id, published): (&SweepId, &Published),
    done: Option<Timestamp>,
) -> Option<Sweep> {
    match (id.cause, &published.graph.trigger().on) {
        (SweepCause::Dates, TriggerOn::Date { .. }) => Some(Sweep {
            over: Some(published.graph.version()),
            ..Sweep::default()
        }),
        (SweepCause::Schedule, TriggerOn::Schedule { .. }) => {
            let behind = done.map_or(work.at, |done| work.at.max(done.saturating_add_micros(1)));
            published.next_instant(behind).map(|at| Sweep {
                at: Some(at),
                ..Sweep::default()
            })
        }
        (SweepCause::Dates | SweepCause::Schedule | SweepCause::Stop | SweepCause::Erasure, _) => {
            None
        }
    }
}

/// The profiles of a page that a sweep concerns.
struct Concerned {
    /// Profiles looked at.
    seen: u64,
    /// The identifiers that lead them.
    owners: Vec<Identifier>,
}

impl Concerned {
    fn count(&self) -> u64 {
        u64::try_from(self.owners.len()).unwrap_or(u64::MAX)
    }

    fn queued(&self, id: &SweepId, at: Timestamp) -> Vec<(Identifier, Cause)> {
        let cause = || match id.cause {
            SweepCause::Schedule => Cause::Scheduled {
                journey: id.journey.clone(),
                at,
            },
            SweepCause::Dates => Cause::Dated,
            SweepCause::Stop | SweepCause::Erasure => Cause::Stopped,
        };
        let owners = self.owners.iter().cloned();
        owners.map(|owner| (owner, cause())).collect()
    }
}

/// Looks at every profile that one of the identifiers leads: each profile is met once.
fn concerned(
    work: &mut Work<'_>,
    (id, published): (&SweepId, &Arc<Published>),
    keys: &[Identifier],
) -> Result<Concerned, NotYet> {
    let profiles = led(work, keys)?;
    let mut missing = BTreeSet::new();
    let mut concerned = Concerned {
        seen: 0,
        owners: Vec::new(),
    };
    for profile in profiles {
        let Some(owner) = profile.identifiers.first() else {
            continue;
        };
        concerned.seen = concerned.seen.saturating_add(1);
        match is_concerned(work, (id, published), &profile, owner) {
            Ok(true) => concerned.owners.push(owner.clone()),
            Ok(false) => {}
            Err(NotYet::Load(keys)) => missing.extend(keys),
            Err(due @ NotYet::DueFirst(_)) => return Err(due),
        }
    }
    if missing.is_empty() {
        Ok(concerned)
    } else {
        Err(NotYet::Load(missing))
    }
}

/// The profiles whose first identifier is one of these.
fn led(work: &Work<'_>, keys: &[Identifier]) -> Result<Vec<Profile>, NotYet> {
    let catalog = work.catalog;
    let missing: BTreeSet<Key> = keys
        .iter()
        .flat_map(|key| {
            let named = Named::just(key.clone());
            wayfare_identity::reach(&catalog.identity, work.rows.links(), &named)
        })
        .map(Key::Person)
        .collect();
    work.need(missing)?;
    let partition =
        wayfare_identity::resolve(&catalog.identity, &catalog.id_key, work.rows.links());
    let leads = |key: &Identifier| {
        let profile = partition.profile_of(key)?;
        (profile.identifiers.first() == Some(key)).then(|| profile.clone())
    };
    Ok(keys.iter().filter_map(leads).collect())
}

fn is_concerned(
    work: &mut Work<'_>,
    (id, published): (&SweepId, &Arc<Published>),
    profile: &Profile,
    owner: &Identifier,
) -> Result<bool, NotYet> {
    let who = Who::look(work, profile, owner.clone())?;
    let nobody = Start::at(work.at, String::new());
    let instance = enter::candidate(work, &who, &nobody, published);
    let ground = Ground::of(work, published, &who, &instance)?;
    Ok(match (id.cause, &published.graph.trigger().on) {
        (SweepCause::Dates, TriggerOn::Date { date, .. }) => {
            ground.with_scope(work, None, |scope| date.instant(scope).is_some())
        }
        (SweepCause::Schedule, _) => match &published.graph.trigger().condition {
            Some(condition) => ground.holds(work, condition, None),
            None => true,
        },
        (SweepCause::Dates | SweepCause::Stop | SweepCause::Erasure, _) => false,
    })
}
