//! Who enters? The journeys whose trigger names the event, by id; each refusal is recorded with its
//! reason.

use std::sync::Arc;

use wayfare_event::{InstanceId, Map, Value};
use wayfare_journey::expression::Expression;
use wayfare_journey::{Again, TriggerOn};

use super::event::Heard;
use super::judge::Ground;
use super::leave::Moved;
use super::walk::{self, is_late};
use super::who::{Live, Who};
use super::work::{NotYet, Work};
use super::write::ChoiceChanged;
use crate::catalog::Published;
use crate::change::Change;
use crate::record::{Instance, Key, Refusal};
use crate::refusal::RefusalCode;
use crate::trace::Note;

/// Live instances of one profile in one journey (SP 10).
const LIVE_MAX: usize = 25;
/// Bytes of a key.
const KEY_BYTES_MAX: usize = 150;
/// Bytes of the leaves an instance keeps (SP 10).
const KEPT_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a value that a refusal names (SP 13).
const REFUSED_VALUE_BYTES_MAX: usize = 64;

/// Why somebody does not enter, with the part of the condition that decided.
struct Refused {
    code: RefusalCode,
    leaf: Option<(String, String)>,
}

impl From<RefusalCode> for Refused {
    fn from(code: RefusalCode) -> Self {
        Self { code, leaf: None }
    }
}

/// Lets the person enter every journey that the event starts.
pub(crate) fn enter(
    work: &mut Work<'_>,
    who: &Who,
    heard: &Heard<'_>,
    (changed, moved): (Option<ChoiceChanged>, Moved),
) -> Result<(), NotYet> {
    let event = &heard.happened.event;
    let catalog = work.catalog;
    let mut started: Vec<Arc<Published>> = catalog
        .started_by_event(event.kind, &event.name)
        .cloned()
        .collect();
    if let Some(changed) = &changed {
        let changed_to = |published: &&Arc<Published>| match &published.graph.trigger().on {
            TriggerOn::Consent { action, .. } => *action == changed.action,
            TriggerOn::Events(_) => false,
        };
        let by_consent = catalog.started_by_consent(&changed.category);
        started.extend(by_consent.filter(changed_to).cloned());
    }
    for published in started {
        let mut instance = candidate(work, who, heard, &published);
        instance.change = changed.as_ref().map(|changed| changed.map.clone());
        match admit(work, who, heard, (&published, &mut instance, &moved))? {
            Ok(true) => begin(work, who, heard, (&published, instance))?,
            Ok(false) => {}
            Err(refused) => refuse(work, who, heard, (&published, refused)),
        }
    }
    Ok(())
}

/// The instance there would be.
fn candidate(work: &Work<'_>, who: &Who, heard: &Heard<'_>, published: &Published) -> Instance {
    let graph = &published.graph;
    let by_event = matches!(graph.trigger().on, TriggerOn::Events(_));
    let event = &heard.happened.event;
    let in_context = event.context.get("groupId").and_then(Value::as_text);
    let named = event.group_id.clone().or_else(|| in_context.map(Arc::from));
    Instance {
        journey: graph.id().clone(),
        version: graph.version(),
        block: graph.key(graph.start()).clone(),
        entered: work.at,
        arrived: work.at,
        due: None,
        key: None,
        profile: who.id,
        account: named.or_else(|| who.account.clone()),
        triggered: heard.happened.occurred,
        trigger: by_event.then(|| heard.map.clone()),
        change: None,
        named: Vec::new(),
        visits: std::collections::BTreeMap::new(),
    }
}

/// Whether the instance may begin; `false` where the event has moved the same (journey, key).
fn admit(
    work: &mut Work<'_>,
    who: &Who,
    heard: &Heard<'_>,
    (published, instance, moved): (&Published, &mut Instance, &Moved),
) -> Result<Result<bool, Refused>, NotYet> {
    let graph = &published.graph;
    let ground = Ground::of(work, published, who, instance)?;
    if let Some(condition) = &graph.trigger().condition
        && !ground.holds(work, condition, Some(&heard.map))
    {
        let leaf = ground.with_scope(work, Some(&heard.map), |scope| {
            condition.deciding_leaf(scope)
        });
        let leaf = Some((leaf.source, leaf.value.to_string()));
        let code = RefusalCode::Condition;
        return Ok(Err(Refused { code, leaf }));
    }
    if heard.happened.event.historical {
        return Ok(Err(RefusalCode::Historical.into()));
    }
    if is_late(work, heard.happened.occurred, graph.entry().lateness_us) {
        return Ok(Err(RefusalCode::Late.into()));
    }
    if let Some(path) = &graph.entry().key {
        instance.key = key(work, &ground, path, &heard.map);
        if instance.key.is_none() {
            return Ok(Err(RefusalCode::NoKey.into()));
        }
    }
    if moved.contains(&(instance.journey.clone(), instance.key.clone())) {
        return Ok(Ok(false));
    }
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
    // An id is decided on once, for ever: also when its message is long forgotten.
    if last.is_some() && is_taken(work, id(work, who, heard, instance), &live)? {
        let code = RefusalCode::Once;
        let leaf = Some(("messageId".to_owned(), heard.opener(work)));
        return Ok(Err(Refused { code, leaf }));
    }
    let is_inside = inside.count() > 0;
    Ok(match graph.entry().again {
        Again::Once if last.is_some() => Err(RefusalCode::Once.into()),
        Again::Every(_) | Again::AfterExit if is_inside => Err(RefusalCode::Inside.into()),
        Again::Every(us) if last.is_some_and(|last| work.at.micros_since(last) < us) => {
            Err(RefusalCode::TooSoon.into())
        }
        Again::Once | Again::Every(_) | Again::AfterExit | Again::Always => Ok(true),
    })
}

/// Whether an id is that of a walk, or of one that ended.
fn is_taken(work: &Work<'_>, id: InstanceId, live: &[Live]) -> Result<bool, NotYet> {
    let decision = Key::Decision(id.decision());
    work.need([decision.clone()])?;
    Ok(live.iter().any(|live| live.id == id) || work.rows.row(&decision).is_some())
}

/// The id of the instance that an event opens.
fn id(work: &Work<'_>, who: &Who, heard: &Heard<'_>, instance: &Instance) -> InstanceId {
    let opener = heard.opener(work);
    InstanceId::derive(&instance.journey, instance.key.as_deref(), &opener, who.id)
}

/// The key an event has at the journey's path: text up to a limit, or a number's digits.
pub(crate) fn key(
    work: &Work<'_>,
    ground: &Ground<'_>,
    path: &Expression,
    event: &Map,
) -> Option<Arc<str>> {
    let value = ground.with_scope(work, Some(event), |scope| path.value(scope).into_owned());
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
    heard: &Heard<'_>,
    (published, mut instance): (&Published, Instance),
) -> Result<(), NotYet> {
    let graph = &published.graph;
    instance.trigger = instance.trigger.map(|event| graph.kept().trigger(&event));
    let bytes = [&instance.trigger, &instance.change]
        .into_iter()
        .flatten()
        .map(|map| map.to_string().len())
        .sum::<usize>();
    if bytes > KEPT_BYTES_MAX {
        let refused = RefusalCode::TooLarge.into();
        refuse(work, who, heard, (published, refused));
        return Ok(());
    }
    let id = id(work, who, heard, &instance);
    let live = Live {
        owner: who.owner.clone(),
        id,
        instance: Arc::new(instance.clone()),
    };
    work.make(Change::Entered {
        owner: who.owner.clone(),
        id,
        instance: Box::new(instance),
    });
    work.trace.note(|| Note::Entered {
        journey: graph.id().clone(),
        instance: id,
    });
    walk::arrive(work, who, &live, graph.start())
}

fn refuse(
    work: &mut Work<'_>,
    who: &Who,
    heard: &Heard<'_>,
    (published, refused): (&Published, Refused),
) {
    let cut = |text: String| {
        let end = text.floor_char_boundary(REFUSED_VALUE_BYTES_MAX);
        text.get(..end).unwrap_or_default().to_owned()
    };
    let (leaf, value) = refused.leaf.unzip();
    work.make(Change::Refused {
        owner: who.owner.clone(),
        refusal: Refusal {
            journey: published.graph.id().clone(),
            code: refused.code,
            at: work.at,
            message_id: heard.happened.event.message_id.clone(),
            leaf,
            value: value.map(cut),
        },
    });
}
