//! Who enters? The journeys that something starts, by id; each refusal is recorded with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{InstanceId, Map, ProfileId, Value};
use wayfare_journey::expression::Expression;
use wayfare_journey::{Again, EntryLimit, TriggerOn};

use super::judge::Ground;
use super::leave::Moved;
use super::start::{Start, Starts};
use super::walk::{self, is_late};
use super::who::{Live, Who};
use super::work::{NotYet, Work};
use crate::catalog::Published;
use crate::change::Change;
use crate::record::{Instance, Key, Paused, Refusal};
use crate::refusal::RefusalCode;
use crate::trace::Note;

/// Live instances of one profile in one journey (SP 10).
const LIVE_MAX: usize = 25;
/// Bytes of a key.
const KEY_BYTES_MAX: usize = 150;
/// Keys listed of somebody without an anchor: with the longest of them, some 10 KiB of their record.
const LOOSE_KEYS_MAX: usize = 64;
/// Bytes of the leaves an instance keeps (SP 10).
const KEPT_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a value that a refusal names (SP 13).
const REFUSED_VALUE_BYTES_MAX: usize = 64;

/// Why somebody does not enter, with the part of the condition that decided.
pub(crate) struct Refused {
    code: RefusalCode,
    leaf: Option<(String, String)>,
}

impl From<RefusalCode> for Refused {
    fn from(code: RefusalCode) -> Self {
        Self { code, leaf: None }
    }
}

/// Lets the person enter every journey that something starts.
pub(crate) fn enter(
    work: &mut Work<'_>,
    who: &Who,
    starts: Starts<'_>,
    moved: &Moved,
) -> Result<(), NotYet> {
    if who.is_erasing {
        return Ok(());
    }
    for (published, start) in starts.in_order() {
        let mut instance = candidate(work, who, &start, &published);
        match admit(work, who, &start, (&published, &mut instance, moved))? {
            Ok(true) => begin(work, who, &start, (&published, instance))?,
            Ok(false) => {}
            Err(refused) => refuse(work, who, &start, (published.graph.id(), refused)),
        }
    }
    Ok(())
}

/// The instance there would be.
pub(crate) fn candidate(
    work: &Work<'_>,
    who: &Who,
    start: &Start<'_>,
    published: &Published,
) -> Instance {
    let graph = &published.graph;
    let by_event = matches!(graph.trigger().on, TriggerOn::Events(_));
    Instance {
        journey: graph.id().clone(),
        version: graph.version(),
        block: graph.key(graph.start()).clone(),
        entered: work.at,
        arrived: work.at,
        due: None,
        key: None,
        profile: who.id,
        account: start.account.clone().or_else(|| who.account.clone()),
        triggered: start.occurred,
        trigger: start.event.filter(|_| by_event).cloned(),
        change: start.change.clone(),
        delivery: start.delivery.clone(),
        named: Vec::new(),
        visits: BTreeMap::new(),
        arms: BTreeMap::new(),
        holdout: false,
        hops: work.hops,
    }
}

/// Whether the instance may begin; `false` where what starts it has moved the same (journey, key).
fn admit(
    work: &mut Work<'_>,
    who: &Who,
    start: &Start<'_>,
    (published, instance, moved): (&Published, &mut Instance, &Moved),
) -> Result<Result<bool, Refused>, NotYet> {
    let graph = &published.graph;
    let ground = Ground::of(work, published, who, instance)?;
    if let Some(condition) = &graph.trigger().condition
        && !start.is_ordered
        && !ground.holds(work, condition, start.event)
    {
        let leaf = ground.with_scope(work, start.event, |scope| condition.deciding_leaf(scope));
        let leaf = Some((leaf.source, leaf.value.to_string()));
        let code = RefusalCode::Condition;
        return Ok(Err(Refused { code, leaf }));
    }
    if start.historical {
        return Ok(Err(RefusalCode::Historical.into()));
    }
    if is_late(work, start.occurred, graph.entry().lateness_us) {
        return Ok(Err(RefusalCode::Late.into()));
    }
    if let Some(path) = &graph.entry().key {
        instance.key = key(work, &ground, path, start.event);
        if instance.key.is_none() {
            return Ok(Err(RefusalCode::NoKey.into()));
        }
    }
    if moved.contains(&(instance.journey.clone(), instance.key.clone())) {
        return Ok(Ok(false));
    }
    let control = work.rows.control(graph.id());
    if control.is_some_and(|control| control.paused.is_some()) {
        return Ok(Err(RefusalCode::Paused.into()));
    }
    if let Err(refused) = again(work, who, start, (published, instance))? {
        return Ok(Err(refused));
    }
    if instance.key.is_some() && who.is_loose() && has_many_keys(work, who) {
        return Ok(Err(RefusalCode::ProfileFull.into()));
    }
    let event = instance.trigger.take();
    instance.trigger = event.map(|event| graph.kept().trigger(&event));
    if kept_bytes(instance) > KEPT_BYTES_MAX {
        return Ok(Err(RefusalCode::TooLarge.into()));
    }
    Ok(match graph.entry().limit {
        Some(limit) if !within(work, graph.id(), limit) => Err(RefusalCode::EntryLimit.into()),
        Some(_) | None => Ok(true),
    })
}

/// Whether `again:` lets the instance begin.
fn again(
    work: &Work<'_>,
    who: &Who,
    start: &Start<'_>,
    (published, instance): (&Published, &Instance),
) -> Result<Result<(), Refused>, NotYet> {
    let live = who.live(&work.rows);
    let inside = live
        .iter()
        .filter(|live| live.instance.journey == instance.journey);
    if inside.clone().count() >= LIVE_MAX {
        return Ok(Err(RefusalCode::TooMany.into()));
    }
    let inside = inside.filter(|live| live.instance.key == instance.key);
    let guards = who.guards(&instance.journey, instance.key.as_ref());
    work.need(guards.iter().cloned())?;
    let entries = guards.iter().filter_map(|guard| work.rows.guard(guard));
    let last = entries.map(|entry| entry.entered).max();
    // An id is decided on once, for ever: also when its message is long forgotten, and under whichever
    // id its person had by then.
    if last.is_some() && is_taken(work, &ids(work, who, start, instance), &live)? {
        let code = RefusalCode::Once;
        let leaf = Some(("messageId".to_owned(), start.opener.clone()));
        return Ok(Err(Refused { code, leaf }));
    }
    // Who logs in behind a sweep's page was met there under another id.
    let by_schedule = matches!(published.graph.trigger().on, TriggerOn::Schedule { .. });
    if by_schedule && last.is_some_and(|last| last > start.occurred) {
        return Ok(Err(RefusalCode::Once.into()));
    }
    let is_inside = inside.count() > 0;
    Ok(match published.graph.entry().again {
        Again::Once if last.is_some() => Err(RefusalCode::Once.into()),
        Again::Every(_) | Again::AfterExit if is_inside => Err(RefusalCode::Inside.into()),
        Again::Every(us) if last.is_some_and(|last| work.at.micros_since(last) < us) => {
            Err(RefusalCode::TooSoon.into())
        }
        Again::Once | Again::Every(_) | Again::AfterExit | Again::Always => Ok(()),
    })
}

/// Counts an entry; one too many pauses the journey and is refused.
fn within(work: &mut Work<'_>, journey: &Arc<str>, limit: EntryLimit) -> bool {
    let at = work.at;
    let window = work.rows.control(journey).and_then(|it| it.window);
    let open = window.filter(|window| at.micros_since(window.since) < limit.per_us);
    if open.is_none_or(|window| window.entries < limit.entries) {
        work.make(Change::EntryCounted {
            journey: journey.clone(),
            at,
            per_us: limit.per_us,
        });
        return true;
    }
    let per = wayfare_journey::duration::written(limit.per_us);
    let reason = format!("more than {} entries in {per}", limit.entries);
    work.make(Change::JourneyPaused {
        journey: journey.clone(),
        paused: Paused {
            since: at,
            by: "entry limit".into(),
            reason: reason.into(),
        },
    });
    false
}

/// Whether one of these ids is that of a walk, or of one that ended.
fn is_taken(work: &Work<'_>, ids: &[InstanceId], live: &[Live]) -> Result<bool, NotYet> {
    let decision = |id: &InstanceId| Key::Decision(id.decision());
    work.need(ids.iter().map(decision))?;
    let is_live = live.iter().any(|live| ids.contains(&live.id));
    let mut ended = ids.iter().map(|id| work.rows.row(&decision(id)));
    Ok(is_live || ended.any(|row| row.is_some()))
}

/// Whether no more keys are listed of somebody without an anchor.
fn has_many_keys(work: &Work<'_>, who: &Who) -> bool {
    let record = work.rows.record(&who.owner);
    let keys = record.into_iter().flat_map(|record| record.keys.values());
    keys.map(BTreeSet::len).sum::<usize>() >= LOOSE_KEYS_MAX
}

/// Bytes of what an instance would keep of what started it.
fn kept_bytes(instance: &Instance) -> usize {
    let kept = [&instance.trigger, &instance.change, &instance.delivery];
    let kept = kept.into_iter().flatten();
    kept.map(|map| map.to_string().len()).sum()
}

/// The id of the instance that something opens.
fn id(who: &Who, start: &Start<'_>, instance: &Instance) -> InstanceId {
    id_of(who.id, start, instance)
}

/// The ids that the instance has now, and would have had while its person had a former id.
fn ids(work: &Work<'_>, who: &Who, start: &Start<'_>, instance: &Instance) -> Vec<InstanceId> {
    let profiles = std::iter::once(who.id).chain(who.own_ids(work));
    let profiles: BTreeSet<ProfileId> = profiles.collect();
    let id = |profile| id_of(profile, start, instance);
    profiles.into_iter().map(id).collect()
}

fn id_of(profile: ProfileId, start: &Start<'_>, instance: &Instance) -> InstanceId {
    let key = instance.key.as_deref();
    InstanceId::derive(&instance.journey, key, &start.opener, profile)
}

/// The key at the journey's path: text up to a limit, or a number's digits.
pub(crate) fn key(
    work: &Work<'_>,
    ground: &Ground<'_>,
    path: &Expression,
    event: Option<&Map>,
) -> Option<Arc<str>> {
    let value = ground.with_scope(work, event, |scope| path.value(scope).into_owned());
    let key: Arc<str> = match value {
        Value::Text(text) => text,
        Value::Number(number) => number.to_string().into(),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => return None,
    };
    (!key.is_empty() && key.len() <= KEY_BYTES_MAX).then_some(key)
}

fn begin(
    work: &mut Work<'_>,
    who: &Who,
    start: &Start<'_>,
    (published, instance): (&Published, Instance),
) -> Result<(), NotYet> {
    let graph = &published.graph;
    let id = id(who, start, &instance);
    let live = Live {
        owner: who.owner.clone(),
        id,
        instance: Arc::new(instance.clone()),
    };
    work.make(Change::Entered {
        owner: who.owner.clone(),
        id,
        instance: Box::new(instance),
        is_loose: who.is_loose(),
    });
    work.trace.note(|| Note::Entered {
        journey: graph.id().clone(),
        instance: id,
    });
    walk::arrive(work, who, &live, graph.start())
}

pub(crate) fn refuse(
    work: &mut Work<'_>,
    who: &Who,
    start: &Start<'_>,
    (journey, refused): (&Arc<str>, Refused),
) {
    let cut = |text: String| {
        let end = text.floor_char_boundary(REFUSED_VALUE_BYTES_MAX);
        text.get(..end).unwrap_or_default().to_owned()
    };
    let (leaf, value) = refused.leaf.unzip();
    work.make(Change::Refused {
        owner: who.owner.clone(),
        refusal: Refusal {
            journey: journey.clone(),
            code: refused.code,
            at: work.at,
            message_id: start.message_id.clone(),
            leaf,
            value: value.map(cut),
        },
    });
}
