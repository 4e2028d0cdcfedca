//! Who leaves? Exit rules end an instance at any block, before it can go on.

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_journey::{ExitRule, Heard as Rule};

use super::event::Heard;
use super::judge::Ground;
use super::send;
use super::who::{Live, Who};
use super::work::{NotYet, Work};
use crate::catalog::Published;
use crate::change::Change;
use crate::record::{DecisionOutcome, Instance, Refusal};
use crate::refusal::RefusalCode;

/// The (journey, key) pairs an input has moved: it does not enter them again.
pub(crate) type Moved = BTreeSet<(Arc<str>, Option<Arc<str>>)>;

/// Ends every instance that an exit rule takes out, in (entered, instance) order.
pub(crate) fn leave(
    work: &mut Work<'_>,
    who: &Who,
    heard: Option<&Heard<'_>>,
) -> Result<Moved, NotYet> {
    let mut moved = Moved::new();
    for live in who.live(&work.rows) {
        let Some(published) = published(work, &live.instance) else {
            continue;
        };
        if published.graph.exits().is_empty() {
            continue;
        }
        let ground = Ground::of(work, &published, who, &live.instance)?;
        let rules = published.graph.exits();
        let taken = rules
            .iter()
            .find(|rule| is_taken(work, &ground, (&live.instance, rule), heard));
        if let Some(rule) = taken {
            moved.insert((live.instance.journey.clone(), live.instance.key.clone()));
            end(work, who, &live, &rule.reason);
        }
    }
    Ok(moved)
}

/// The reason of the exit rule whose condition holds, on arrival at a block.
pub(crate) fn on_arrival(
    work: &mut Work<'_>,
    ground: &Ground<'_>,
    instance: &Instance,
) -> Option<Arc<str>> {
    let rules = ground.published.graph.exits();
    rules
        .iter()
        .find(|rule| is_taken(work, ground, (instance, rule), None))
        .map(|rule| rule.reason.clone())
}

fn is_taken(
    work: &mut Work<'_>,
    ground: &Ground<'_>,
    (instance, rule): (&Instance, &ExitRule),
    heard: Option<&Heard<'_>>,
) -> bool {
    match &rule.on {
        Rule::When(condition) => ground.holds(work, condition, None),
        Rule::Event { .. } => {
            heard.is_some_and(|heard| hears(work, ground, (instance, &rule.on), heard))
        }
    }
}

/// Whether an instance hears an event by a rule: its name, the same key, the condition, and not
/// older than what started the instance. Late events are for the caller to keep out where they must
/// be.
pub(crate) fn hears(
    work: &mut Work<'_>,
    ground: &Ground<'_>,
    (instance, rule): (&Instance, &Rule),
    heard: &Heard<'_>,
) -> bool {
    let Rule::Event {
        event,
        condition,
        any_key,
    } = rule
    else {
        return false;
    };
    let told = &heard.happened.event;
    if !event.matches(told.kind, &told.name) {
        return false;
    }
    // A journey without a key may have taken over walks that have one.
    let path = ground.published.graph.entry().key.as_ref();
    let path = path.filter(|_| !any_key && instance.key.is_some());
    let same_key = path
        .is_none_or(|path| super::enter::key(work, ground, path, Some(&heard.map)) == instance.key);
    let is_meant = same_key
        && condition
            .as_ref()
            .is_none_or(|condition| ground.holds(work, condition, Some(&heard.map)));
    let is_older = heard.happened.occurred < instance.triggered;
    if is_meant && is_older {
        unheard(work, ground, heard, RefusalCode::BeforeEntry);
    }
    is_meant && !is_older
}

/// Records, once, why an instance does not hear an event that it waits for.
pub(crate) fn unheard(
    work: &mut Work<'_>,
    ground: &Ground<'_>,
    heard: &Heard<'_>,
    code: RefusalCode,
) {
    let owner = ground.who.owner.clone();
    let refusal = Refusal {
        journey: ground.published.graph.id().clone(),
        code,
        at: work.at,
        message_id: heard.happened.event.message_id.clone(),
        leaf: None,
        value: None,
    };
    let last = work.rows.record(&owner);
    let last = last.and_then(|record| record.refusals.get(&refusal.journey));
    if last != Some(&refusal) {
        work.make(Change::Refused { owner, refusal });
    }
}

/// The graph an instance walks; a version that is not in the catalog stands still.
pub(crate) fn published(work: &Work<'_>, instance: &Instance) -> Option<Arc<Published>> {
    work.catalog
        .version(&instance.journey, instance.version)
        .cloned()
}

/// Ends an instance without a request.
pub(crate) fn end(work: &mut Work<'_>, who: &Who, live: &Live, reason: &str) {
    let decision = send::decision(work, who, live, DecisionOutcome::Exit);
    send::decide(work, decision, Some(reason.to_owned()));
}
