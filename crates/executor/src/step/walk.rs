//! How does an instance go on? From block to block until one parks or ends it; waits let it go on
//! when what they wait for happens.

use std::sync::Arc;

use wayfare_event::{InstanceId, Timestamp};
use wayfare_journey::{Block, BlockId, Heard as Rule, WaitItem};

use super::event::Heard;
use super::judge::Ground;
use super::leave::{self, Moved, published};
use super::send;
use super::who::{Live, Who};
use super::work::{NotYet, Work};
use crate::catalog::Published;
use crate::change::Change;
use crate::record::Instance;
use crate::trace::Note;

/// Blocks an instance passes in one step.
const BLOCKS_PER_STEP_MAX: usize = 100;
/// Visits of one block.
const VISITS_MAX: u32 = 1_000;

/// Lets every instance go on whose wait is over, in (entered, instance) order.
pub(crate) fn wake(
    work: &mut Work<'_>,
    who: &Who,
    heard: Option<&Heard<'_>>,
    mut moved: Moved,
) -> Result<Moved, NotYet> {
    for live in who.live(&work.rows) {
        let Some(published) = published(work, &live.instance) else {
            continue;
        };
        let Some(here) = published.graph.find(&live.instance.block) else {
            continue;
        };
        let Block::Wait { items, .. } = published.graph.block(here) else {
            continue;
        };
        let ground = Ground::of(work, &published, who, &live.instance)?;
        let over = items
            .iter()
            .enumerate()
            .find(|(_, item)| is_over(work, &ground, (&live.instance, item), heard));
        if let Some((place, item)) = over {
            moved.insert((live.instance.journey.clone(), live.instance.key.clone()));
            name(work, &live, item, heard, &published);
            work.trace.note(|| Note::Woken {
                instance: live.id,
                block: live.instance.block.clone(),
            });
            chose(work, live.id, place);
            arrive(work, who, &live, item.then)?;
        }
    }
    Ok(moved)
}

fn is_over(
    work: &mut Work<'_>,
    ground: &Ground<'_>,
    (instance, item): (&Instance, &WaitItem),
    heard: Option<&Heard<'_>>,
) -> bool {
    match &item.on {
        Rule::When(condition) => ground.holds(work, condition, None),
        Rule::Event { .. } => heard.is_some_and(|heard| {
            let lateness_us = ground.published.graph.entry().lateness_us;
            !is_history(work, heard, lateness_us)
                && leave::hears(work, ground, (instance, &item.on), heard)
        }),
    }
}

/// Whether an event is too old, or marked as history: it starts nothing and wakes no wait.
pub(crate) fn is_history(work: &Work<'_>, heard: &Heard<'_>, lateness_us: i64) -> bool {
    heard.happened.event.historical || is_late(work, heard.happened.occurred, lateness_us)
}

/// Whether something is older than a journey takes.
pub(crate) fn is_late(work: &Work<'_>, occurred: Timestamp, lateness_us: i64) -> bool {
    work.at.micros_since(occurred) > lateness_us
}

/// Keeps the event that ended a wait under the name the wait gives it.
fn name(
    work: &mut Work<'_>,
    live: &Live,
    item: &WaitItem,
    heard: Option<&Heard<'_>>,
    published: &Published,
) {
    if let (Some(name), Some(heard)) = (&item.name, heard) {
        work.make(Change::Named {
            owner: live.owner.clone(),
            id: live.id,
            name: name.clone(),
            event: published.graph.kept().named(name, &heard.map),
        });
    }
}

/// Walks on from `block` until the instance parks or ends.
pub(crate) fn arrive(
    work: &mut Work<'_>,
    who: &Who,
    live: &Live,
    block: BlockId,
) -> Result<(), NotYet> {
    let Some(instance) = work.rows.instance(&live.owner, live.id).cloned() else {
        return Ok(());
    };
    let Some(published) = published(work, &instance) else {
        return Ok(());
    };
    let ground = Ground::of(work, &published, who, &instance)?;
    let mut walk = Walk {
        who,
        ground: &ground,
        live: Live {
            instance,
            ..live.clone()
        },
    };
    let mut here = block;
    for _ in 0..BLOCKS_PER_STEP_MAX {
        walk.come_to(work, published.graph.key(here));
        if let Some(reason) = leave::on_arrival(work, &ground, &walk.live.instance) {
            leave::end(work, who, &walk.live, &reason);
            return Ok(());
        }
        match walk.pass(work, published.graph.block(here))? {
            Some(next) => here = next,
            None => return Ok(()),
        }
    }
    leave::end(work, who, &walk.live, "limit");
    Ok(())
}

/// Notes which arm is taken: where two lead to one block, nothing else tells.
fn chose(work: &mut Work<'_>, instance: InstanceId, place: usize) {
    work.trace.note(|| Note::Chose {
        instance,
        arm: place + 1,
    });
}

/// One instance on its way through blocks.
struct Walk<'a> {
    who: &'a Who,
    ground: &'a Ground<'a>,
    live: Live,
}

impl Walk<'_> {
    /// Stands at a block, so that whatever ends the instance names it.
    fn come_to(&mut self, work: &mut Work<'_>, block: &Arc<str>) {
        Arc::make_mut(&mut self.live.instance).block = block.clone();
        let instance = self.live.id;
        work.trace.note(|| Note::Arrived {
            instance,
            block: block.clone(),
        });
    }

    /// The next block; none when the instance parked or ended here.
    fn pass(&self, work: &mut Work<'_>, block: &Block) -> Result<Option<BlockId>, NotYet> {
        match block {
            Block::Decide(arms) => {
                let mut holds = |arm: &wayfare_journey::Arm| {
                    arm.when
                        .as_ref()
                        .is_none_or(|when| self.ground.holds(work, when, None))
                };
                let taken = arms.iter().enumerate().find(|(_, arm)| holds(arm));
                Ok(taken.map(|(place, arm)| {
                    chose(work, self.live.id, place);
                    arm.then
                }))
            }
            Block::Pause { duration_us, .. } => {
                self.park(work, *duration_us);
                Ok(None)
            }
            Block::Wait {
                items, timeout_us, ..
            } => {
                let instance = &self.live.instance;
                let over = items
                    .iter()
                    .enumerate()
                    .find(|(_, item)| is_over(work, self.ground, (instance, item), None));
                let Some((place, item)) = over else {
                    self.park(work, *timeout_us);
                    return Ok(None);
                };
                chose(work, self.live.id, place);
                Ok(Some(item.then))
            }
            Block::Webhook(webhook) => {
                send::webhook(work, self.ground, &self.live, webhook)?;
                Ok(None)
            }
            Block::Exit { reason } => {
                leave::end(work, self.who, &self.live, reason);
                Ok(None)
            }
        }
    }

    /// Stays at the block until it is over or `for_us` have passed.
    fn park(&self, work: &mut Work<'_>, for_us: i64) {
        let block = &self.live.instance.block;
        let visits = self.live.instance.visits.get(block).copied();
        if visits.unwrap_or_default() >= VISITS_MAX {
            leave::end(work, self.who, &self.live, "limit");
            return;
        }
        let at = work.at;
        work.make(Change::Parked {
            owner: self.live.owner.clone(),
            id: self.live.id,
            block: block.clone(),
            at,
            due: Some(at.saturating_add_micros(for_us)),
        });
    }
}
