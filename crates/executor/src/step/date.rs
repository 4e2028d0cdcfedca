//! Which journeys start at a date of the profile, and when? What is planned follows the date when it
//! moves; one that is past starts a journey only within its `lateness`.

use std::sync::Arc;

use wayfare_event::{Identifier, Timestamp};
use wayfare_journey::TriggerOn;

use super::enter::{self, Refused};
use super::event;
use super::judge::Ground;
use super::leave::Moved;
use super::start::{Start, Starts};
use super::walk::is_late;
use super::who::Who;
use super::work::{NotYet, Work};
use crate::catalog::Published;
use crate::change::Change;
use crate::input::Timer;
use crate::record::Planned;
use crate::refusal::RefusalCode;

/// Plans every journey that starts at a date of this profile, once for all its identifiers.
pub(super) fn plan(work: &mut Work<'_>, who: &Who) -> Result<(), NotYet> {
    let catalog = work.catalog;
    for (owner, journey) in who.dated(&work.rows) {
        let published = catalog.in_force(&journey);
        if published.is_some_and(|it| !matches!(it.graph.trigger().on, TriggerOn::Date { .. })) {
            let_go(work, owner, &journey);
        }
    }
    for published in catalog.started_by_date() {
        let journey = published.graph.id();
        let held = who.dates(&work.rows, journey);
        let wanted = wanted(work, who, published)?;
        let same = |(_, planned): &&(Identifier, Planned)| {
            wanted.is_some_and(|(date, due)| {
                planned.date == date && planned.due.is_none_or(|held| held == due)
            })
        };
        // Where two became one, a date that had its turn has had it for both.
        let kept = held.iter().filter(same);
        let kept = kept.min_by_key(|(_, planned)| planned.due.is_some());
        let kept = kept.map(|(owner, _)| owner);
        for (owner, _) in held.iter().filter(|(owner, _)| Some(owner) != kept) {
            let_go(work, owner.clone(), journey);
        }
        if let Some((date, due)) = wanted.filter(|_| kept.is_none()) {
            take_up(work, who, published, (date, due));
        }
    }
    Ok(())
}

fn let_go(work: &mut Work<'_>, owner: Identifier, journey: &Arc<str>) {
    work.make(Change::DatePlanned {
        owner,
        journey: journey.clone(),
        planned: None,
    });
}

/// The date a profile has, and when the journey starts because of it.
fn wanted(
    work: &Work<'_>,
    who: &Who,
    published: &Published,
) -> Result<Option<(Timestamp, Timestamp)>, NotYet> {
    let TriggerOn::Date { date, offset_us } = &published.graph.trigger().on else {
        return Ok(None);
    };
    let nobody = Start::at(work.at, String::new());
    let instance = enter::candidate(work, who, &nobody, published);
    let ground = Ground::of(work, published, who, &instance)?;
    let date = ground.with_scope(work, None, |scope| date.instant(scope));
    Ok(date.map(|date| (date, date.saturating_add_micros(*offset_us))))
}

/// Plans a date that was not there; what is long past is refused once.
fn take_up(
    work: &mut Work<'_>,
    who: &Who,
    published: &Published,
    (date, due): (Timestamp, Timestamp),
) {
    let graph = &published.graph;
    let late = is_late(work, due, graph.entry().lateness_us);
    if late {
        let start = Start::at(due, opener(date));
        let refused = Refused::from(RefusalCode::Late);
        enter::refuse(work, who, &start, (graph.id(), refused));
    }
    work.make(Change::DatePlanned {
        owner: who.owner.clone(),
        journey: graph.id().clone(),
        planned: Some(Planned {
            date,
            due: (!late).then_some(due),
        }),
    });
}

/// A date has come: the journey starts, unless the date has moved or gone.
pub(super) fn come(work: &mut Work<'_>, timer: &Timer, journey: &Arc<str>) -> Result<(), NotYet> {
    let planned = planned(work, &timer.owner, journey);
    let Some(planned) = planned.filter(|planned| planned.due == Some(timer.due)) else {
        return Ok(());
    };
    let Some(published) = work.catalog.in_force(journey).cloned() else {
        return Ok(());
    };
    if !event::is_going(work, journey) {
        return Ok(());
    }
    let who = Who::behind(work, &timer.owner)?;
    plan(work, &who)?;
    if self::planned(work, &timer.owner, journey) != Some(planned) {
        return Ok(());
    }
    work.make(Change::DatePlanned {
        owner: timer.owner.clone(),
        journey: journey.clone(),
        planned: Some(Planned {
            due: None,
            ..planned
        }),
    });
    let mut starts = Starts::default();
    let start = Start::at(timer.due, opener(planned.date));
    starts.add(start, [&published]);
    enter::enter(work, &who, starts, &Moved::new())
}

fn planned(work: &Work<'_>, owner: &Identifier, journey: &Arc<str>) -> Option<Planned> {
    work.rows.record(owner)?.dates.get(journey).copied()
}

/// Once per date value: the value is what opens the instance.
fn opener(date: Timestamp) -> String {
    format!("date {date}")
}
