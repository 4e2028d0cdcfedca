//! What follows when a time has come? The instance goes on where its block says, or a journey starts
//! at its date.

use std::sync::Arc;

use wayfare_event::{Identifier, InstanceId};
use wayfare_journey::Block;

use super::leave::{self, published};
use super::who::{Live, Who};
use super::work::{NotYet, Work};
use super::{date, event, migrate, walk};
use crate::input::{Timer, TimerOf};
use crate::record::{Instance, Key};

pub(super) fn timer(work: &mut Work<'_>, timer: &Timer) -> Result<(), NotYet> {
    work.need([Key::Person(timer.owner.clone())])?;
    if timer.due > work.at {
        return Ok(());
    }
    match &timer.of {
        TimerOf::Instance(id) => instance(work, timer, *id),
        TimerOf::Date(journey) => date::come(work, timer, journey),
    }
}

fn instance(work: &mut Work<'_>, timer: &Timer, id: InstanceId) -> Result<(), NotYet> {
    let Some(instance) = waiting(work, &timer.owner, id) else {
        return Ok(());
    };
    // It moved on since the timer was set.
    if instance.due != Some(timer.due) || !event::is_going(work, &instance.journey) {
        return Ok(());
    }
    let who = Who::behind(work, &timer.owner)?;
    migrate::migrate(work, &who);
    let Some(instance) = waiting(work, &timer.owner, id) else {
        return Ok(());
    };
    let Some(published) = published(work, &instance) else {
        return Ok(());
    };
    let graph = &published.graph;
    let is_over = walk::life_end(graph, &instance) <= work.at;
    let block = graph.find(&instance.block);
    let live = Live {
        owner: timer.owner.clone(),
        id,
        instance,
    };
    if is_over {
        leave::end(work, &who, &live, "life_over");
        return Ok(());
    }
    let then = block.map(|block| match graph.block(block) {
        Block::Pause { then, .. } | Block::Wait { then, .. } => *then,
        Block::UntilTime(until) => until.then,
        Block::UntilDate(until) => {
            walk::chose(work, id, 0);
            until.then
        }
        // A migration put it where nothing waits: there it begins.
        Block::Decide(_)
        | Block::Split(_)
        | Block::Update { .. }
        | Block::Webhook(_)
        | Block::Exit { .. } => block,
    });
    match then {
        Some(then) => walk::arrive(work, &who, &live, then),
        None => Ok(()),
    }
}

fn waiting(work: &Work<'_>, owner: &Identifier, id: InstanceId) -> Option<Arc<Instance>> {
    work.rows.instance(owner, id).cloned()
}
