//! What follows when somebody orders something? A journey stops, or goes on.

use super::work::Work;
use crate::change::Change;
use crate::input::{Action, Operator};
use crate::record::Paused;

pub(super) fn operator(work: &mut Work<'_>, order: &Operator) {
    let at = work.at;
    let (by, reason) = (order.by.clone(), order.reason.clone());
    let change = match &order.action {
        Action::Pause(journey) => Change::JourneyPaused {
            journey: journey.clone(),
            paused: Paused {
                since: at,
                by,
                reason,
            },
        },
        Action::Resume(journey) => Change::JourneyResumed {
            journey: journey.clone(),
            at,
            by,
            reason,
        },
    };
    work.make(change);
}
