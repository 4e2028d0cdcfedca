//! How does an instance go on? From block to block until one parks or ends it; waits let it go on
//! when what they wait for happens.

use std::sync::Arc;

use wayfare_event::{Identifier, InstanceId, Timestamp};
use wayfare_journey::{Block, BlockId, Graph, Heard as Rule, Payload, Split, WaitItem};

use super::event::Heard;
use super::judge::Ground;
use super::leave::{self, Moved, published};
use super::send;
use super::start::next_hops;
use super::who::{Live, Who};
use super::work::{NotYet, Work};
use crate::catalog::Published;
use crate::change::Change;
use crate::record::{Cause, DecisionOutcome, Instance, Queued, Refusal};
use crate::refusal::RefusalCode;
use crate::trace::Note;

/// Blocks an instance passes in one step.
const BLOCKS_PER_STEP_MAX: usize = 100;
/// Inputs that lead to one another, each queueing the next (SP 31).
pub(crate) const HOPS_MAX: u8 = 8;

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
        // In a paused journey a wait may be over and not have had its turn: nothing ends it twice.
        if live.instance.due.is_some_and(|due| due <= work.at) {
            continue;
        }
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
            let why_not = history(work, heard, lateness_us);
            let hears = leave::hears(work, ground, (instance, &item.on), heard);
            if let Some(code) = why_not.filter(|_| hears) {
                leave::unheard(work, ground, heard, code);
            }
            hears && why_not.is_none()
        }),
    }
}

/// Why an event starts nothing and wakes no wait: it is marked as history, or too old.
fn history(work: &Work<'_>, heard: &Heard<'_>, lateness_us: i64) -> Option<RefusalCode> {
    if heard.happened.event.historical {
        return Some(RefusalCode::Historical);
    }
    is_late(work, heard.happened.occurred, lateness_us).then_some(RefusalCode::Late)
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
    let mut walk = Walk {
        who,
        ground: Ground::of(work, &published, who, &instance)?,
        live: Live {
            instance,
            ..live.clone()
        },
    };
    let mut here = block;
    for _ in 0..BLOCKS_PER_STEP_MAX {
        let key = published.graph.key(here);
        // The last block visited is named, not the one that would have been too many (SP 40).
        if walk.visits(key) >= published.graph.visits_max() {
            break;
        }
        walk.come_to(work, key);
        if let Some(reason) = leave::on_arrival(work, &walk.ground, &walk.live.instance) {
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
pub(super) fn chose(work: &mut Work<'_>, instance: InstanceId, place: usize) {
    work.trace.note(|| Note::Chose {
        instance,
        arm: place + 1,
    });
}

/// One instance on its way through blocks.
struct Walk<'a> {
    who: &'a Who,
    ground: Ground<'a>,
    live: Live,
}

impl Walk<'_> {
    /// How often it has waited at a block.
    fn visits(&self, block: &Arc<str>) -> u32 {
        let visits = self.live.instance.visits.get(block);
        visits.copied().unwrap_or_default()
    }

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
    fn pass(&mut self, work: &mut Work<'_>, block: &Block) -> Result<Option<BlockId>, NotYet> {
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
            Block::Split(split) => Ok(Some(self.split(work, split))),
            Block::Pause { duration_us, .. } => {
                self.park(work, work.at.saturating_add_micros(*duration_us));
                Ok(None)
            }
            Block::UntilTime(until) => {
                let at = work.at;
                let due = self
                    .ground
                    .with_scope(work, None, |scope| until.due(at, scope));
                Ok(self.park_until(work, due, until.then))
            }
            Block::UntilDate(until) => {
                let due = self.ground.with_scope(work, None, |scope| until.due(scope));
                let Some(due) = due else {
                    chose(work, self.live.id, 1);
                    return Ok(Some(until.missing));
                };
                let then = self.park_until(work, due, until.then);
                if then.is_some() {
                    chose(work, self.live.id, 0);
                }
                Ok(then)
            }
            Block::Wait {
                items, timeout_us, ..
            } => {
                let instance = &self.live.instance;
                let over = items
                    .iter()
                    .enumerate()
                    .find(|(_, item)| is_over(work, &self.ground, (instance, item), None));
                let Some((place, item)) = over else {
                    self.park(work, work.at.saturating_add_micros(*timeout_us));
                    return Ok(None);
                };
                chose(work, self.live.id, place);
                Ok(Some(item.then))
            }
            Block::Update { writes, then } => Ok(self.update(work, writes).then_some(*then)),
            Block::Webhook(webhook) => {
                send::webhook(work, &self.ground, &self.live, webhook)?;
                Ok(None)
            }
            Block::Exit { reason } => {
                leave::end(work, self.who, &self.live, reason);
                Ok(None)
            }
        }
    }

    /// Goes on at once when `due` is not ahead, else stays until then.
    fn park_until(&self, work: &mut Work<'_>, due: Timestamp, then: BlockId) -> Option<BlockId> {
        if due <= work.at {
            return Some(then);
        }
        self.park(work, due);
        None
    }

    /// Stays at the block until it is over, until `due`, or until its life is over.
    fn park(&self, work: &mut Work<'_>, due: Timestamp) {
        let instance = &self.live.instance;
        let graph = &self.ground.published.graph;
        let at = work.at;
        work.make(Change::Parked {
            owner: self.live.owner.clone(),
            id: self.live.id,
            block: instance.block.clone(),
            at,
            due: Some(due.min(life_end(graph, instance))),
        });
    }

    /// Takes an arm and notes which.
    fn split(&mut self, work: &mut Work<'_>, split: &Split) -> BlockId {
        let then = self.take_arm(work, split);
        let instance = &self.live.instance;
        let taken = instance.arms.get(&instance.block);
        let place = split.arms.iter().position(|arm| Some(&arm.name) == taken);
        if let Some(place) = place {
            chose(work, self.live.id, place);
        }
        then
    }

    /// The arm taken before, else the one that chance gives: an edit, a login or a merge moves
    /// nobody.
    fn take_arm(&mut self, work: &mut Work<'_>, split: &Split) -> BlockId {
        let instance = &self.live.instance;
        let block = instance.block.clone();
        let taken = instance.arms.get(&block);
        let kept = split.arms.iter().find(|arm| Some(&arm.name) == taken);
        if let Some(kept) = kept {
            return kept.then;
        }
        let subject = match &instance.key {
            Some(key) => key.to_string(),
            None => self.who.subject(),
        };
        let arm = split.arm(&subject);
        work.make(Change::ArmTaken {
            owner: self.live.owner.clone(),
            id: self.live.id,
            block: block.clone(),
            arm: arm.name.clone(),
            holdout: arm.holdout,
        });
        let instance = Arc::make_mut(&mut self.live.instance);
        instance.arms.insert(block, arm.name.clone());
        instance.holdout |= arm.holdout;
        arm.then
    }

    /// Queues what the block writes and sees it from now on (SP 23); whether the instance goes on.
    fn update(&mut self, work: &mut Work<'_>, writes: &[(Arc<str>, Payload)]) -> bool {
        let mut values = Vec::new();
        for (name, payload) in writes {
            let value = self
                .ground
                .with_scope(work, None, |scope| payload.value(scope, name));
            match value {
                Ok(Some(value)) => values.push((name.clone(), value)),
                Ok(None) => {}
                Err(error) => {
                    let outcome = DecisionOutcome::RenderFailed;
                    let decision = send::decision(work, self.who, &self.live, outcome);
                    send::decide(work, decision, Some(error.to_string()));
                    return false;
                }
            }
        }
        let hops = next_hops(work, self.live.instance.hops);
        if hops > HOPS_MAX {
            let journey = &self.live.instance.journey;
            refuse_hop(work, &self.live.owner, journey, &self.live.instance.block);
            return true;
        }
        for (name, value) in &values {
            self.ground.who.to_mut().foresee(work, name, value.clone());
        }
        work.queue(Queued {
            owner: self.live.owner.clone(),
            hops,
            cause: Cause::Traits(values),
        });
        true
    }
}

/// When an instance's life is over.
pub(crate) fn life_end(graph: &Graph, instance: &Instance) -> Timestamp {
    instance.entered.saturating_add_micros(graph.life_us())
}

/// Records that what a block or a delivery would have caused leads on too far.
pub(crate) fn refuse_hop(
    work: &mut Work<'_>,
    owner: &Identifier,
    journey: &Arc<str>,
    block: &Arc<str>,
) {
    let at = work.at;
    work.make(Change::Refused {
        owner: owner.clone(),
        refusal: Refusal {
            journey: journey.clone(),
            code: RefusalCode::HopLimit,
            at,
            message_id: None,
            leaf: Some(block.to_string()),
            value: None,
        },
    });
}
