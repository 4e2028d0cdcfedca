//! What follows when an operator lets somebody into a journey? They enter as if something had started
//! it: `again`, keys, pauses and limits apply, the trigger's condition does not.

use std::sync::Arc;

use wayfare_event::{Identifier, InstanceId};

use super::enter;
use super::erased;
use super::event;
use super::leave::Moved;
use super::migrate;
use super::start::{Start, Starts};
use super::who::Who;
use super::work::{NotYet, Work};

/// Lets somebody enter a journey; the walk, where they were let in. Nobody enters of whom nothing is
/// known, or into a journey that is not in force.
pub(super) fn enter(
    work: &mut Work<'_>,
    journey: &Arc<str>,
    identifier: &Identifier,
) -> Result<Option<InstanceId>, NotYet> {
    let Some(published) = work.catalog.in_force(journey).cloned() else {
        return Ok(None);
    };
    if erased::is_gone(work, identifier)? {
        return Ok(None);
    }
    let who = Who::behind(work, identifier)?;
    event::due_first(work)?;
    migrate::migrate(work, &who);
    let start = Start {
        is_ordered: true,
        ..Start::at(work.at, format!("order {}", work.seq))
    };
    let mut starts = Starts::default();
    starts.add(start, [&published]);
    let before = work.entered();
    enter::enter(work, &who, starts, &Moved::new())?;
    Ok(work.entered().filter(|entered| Some(*entered) != before))
}
