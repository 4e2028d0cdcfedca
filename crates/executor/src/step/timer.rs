//! What follows when a block's time has come? The instance goes on where the block says.

use wayfare_journey::Block;

use super::leave::published;
use super::walk;
use super::who::{Live, Who};
use super::work::{NotYet, Work};
use crate::input::Timer;
use crate::record::Key;

pub(super) fn timer(work: &mut Work<'_>, timer: &Timer) -> Result<(), NotYet> {
    work.need([Key::Person(timer.owner.clone())])?;
    let Some(instance) = work.rows.instance(&timer.owner, timer.instance).cloned() else {
        return Ok(());
    };
    // It moved on since the timer was set.
    if instance.due != Some(timer.due) || timer.due > work.at {
        return Ok(());
    }
    let Some(published) = published(work, &instance) else {
        return Ok(());
    };
    let block = published.graph.find(&instance.block);
    let then = block.and_then(|block| match published.graph.block(block) {
        Block::Pause { then, .. } | Block::Wait { then, .. } => Some(*then),
        Block::Decide(_) | Block::Webhook(_) | Block::Exit { .. } => None,
    });
    let Some(then) = then else {
        return Ok(());
    };
    let who = Who::behind(work, &timer.owner)?;
    let live = Live {
        owner: timer.owner.clone(),
        id: timer.instance,
        instance,
    };
    walk::arrive(work, &who, &live, then)
}
