//! Which refusals came too late for a request? Said before it left and heard of after: it was in flight,
//! and no rule was broken (2.2.7).

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::Timestamp;
use wayfare_executor::delivery::State;
use wayfare_executor::record::{ConsentAsked, Decision};
use wayfare_executor::{Catalog, Change, Snapshot, view};

use super::{Relied, Step, Told};

/// Adds to what is told of a decision the refusals that were said before an attempt was released, and
/// not heard of by then.
///
/// `snapshot` holds every identifier there is.
pub(super) fn tell(catalog: &Catalog, snapshot: &Snapshot, told: &mut Told) {
    let Told {
        decision, steps, ..
    } = &*told;
    let mut late: Vec<Relied> = Vec::new();
    for at in steps.iter().filter_map(released) {
        for relied in refused(catalog, snapshot, decision, at) {
            let is_told = |it: &Relied| it.subject == relied.subject && it.record == relied.record;
            if relied.record.recorded_at > at && !late.iter().any(is_told) {
                late.push(relied);
            }
        }
    }
    told.in_flight = late;
}

/// When a step released an attempt.
fn released(step: &Step) -> Option<Timestamp> {
    if let Change::DeliveryMoved {
        state: State::Armed { since },
        ..
    } = &step.change
    {
        return Some(*since);
    }
    None
}

/// The refusals that stood at an instant, by all that is known now.
fn refused(
    catalog: &Catalog,
    snapshot: &Snapshot,
    decision: &Decision,
    at: Timestamp,
) -> Vec<Relied> {
    let asked = decision.consent.as_ref().map(|consent| &consent.asked);
    let Some(ConsentAsked::Category { category, address }) = asked else {
        return Vec::new();
    };
    let about = (&**category, address.as_ref());
    let ids = view::refused_at(catalog, snapshot, &decision.owner, about, at);
    let ids: BTreeSet<Arc<str>> = ids.into_iter().collect();
    let mut refused = Vec::new();
    for (subject, record) in snapshot.records() {
        let said = record.consent.iter().filter(|it| ids.contains(&it.id));
        refused.extend(said.map(|record| Relied {
            subject: subject.clone(),
            record: record.clone(),
        }));
    }
    refused
}
