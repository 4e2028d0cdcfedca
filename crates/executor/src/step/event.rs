//! What follows from an event? Whom it is about, what it tells of them, then, in this order, who
//! leaves, who goes on and who enters (SP 7).

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_consent::sources::Said;
use wayfare_event::{Event, EventKind, Identifier, Map, MessageHash, Value};
use wayfare_identity::{Partition, Profile};
use wayfare_journey::TraitOf;

use super::start::{Start, Starts};
use super::who::{self, Who};
use super::work::{NotYet, Work};
use super::write::{TraitChanged, Wrote};
use super::{date, enter, erased, leave, merge, migrate, persons, said, stop, walk, write};
use crate::change::Change;
use crate::input::{Happened, Timer, TimerOf};
use crate::record::Key;
use crate::trace::Note;

/// An event as waits, exits and triggers hear it.
#[derive(Debug)]
pub(crate) struct Heard<'a> {
    pub(crate) happened: &'a Happened,
    /// What expressions call `event`.
    pub(crate) map: Map,
}

impl Heard<'_> {
    /// What opens an instance: the message, as its source names it, or the place in the log.
    pub(crate) fn opener(&self, work: &Work<'_>) -> String {
        match &self.happened.event.message_id {
            Some(id) => format!("message {:?} {id:?}", self.happened.source),
            None => format!("log {}", work.seq),
        }
    }
}

pub(super) fn event(work: &mut Work<'_>, happened: &Happened) -> Result<(), NotYet> {
    let message = happened
        .event
        .message_id
        .as_deref()
        .map(|id| MessageHash::derive(&happened.source, id));
    load(work, happened, message)?;
    if message.is_some_and(|message| work.rows.row(&Key::Message(message)).is_some()) {
        work.trace.note(|| Note::Duplicate);
        return Ok(());
    }
    work.need(erased::marks(work, happened.named.identifiers().iter()))?;
    let Some(happened) = erased::heard(work, happened) else {
        work.trace.note(|| Note::Erased);
        work.drop_event();
        return Ok(());
    };
    let happened = &*happened;
    due_first(work)?;
    if let Some(message) = message {
        let at = work.at;
        work.make(Change::MessageSeen { message, at });
    }
    take_in(work, happened)
}

/// What follows from an event that is heard for the first time, and of what is still heard of it.
fn take_in(work: &mut Work<'_>, happened: &Happened) -> Result<(), NotYet> {
    let catalog = work.catalog;
    let config = &catalog.identity;
    let links = wayfare_identity::link(
        config,
        work.rows.links(),
        &happened.named,
        happened.trust,
        happened.occurred,
    );
    // Most events renew links, and leave everybody who they were.
    let regroups = wayfare_identity::regroups(config, work.rows.links(), &links);
    let before = regroups.then(|| partition(work));
    for change in links {
        erased::link(work, change);
    }
    for unheard in &happened.unheard {
        work.trace.note(|| Note::Unheard(unheard.clone()));
    }
    let says = said::is_news(work, happened);
    let tells = says || tells(work, happened);
    // What identifiers bring along, or an event tells, may be a date, or move one.
    let may_date = (before.is_some() || tells) && catalog.started_by_date().next().is_some();
    // Where two become one, entries that somebody has behind them are the one's from now on.
    let has_entries = || {
        work.rows
            .records()
            .any(|(_, record)| !record.keys.is_empty())
    };
    let may_join = before.is_some() && (catalog.minds_merges() || has_entries());
    let concerns = may_date || may_join || concerns(work, happened, says);
    if !concerns && !tells && !work.trace.is_on() {
        return Ok(());
    }
    let named = happened.named.identifiers();
    let settled = wayfare_identity::settled(config, work.rows.links(), named);
    if let Some(owner) = settled.filter(|_| !concerns && !says && !work.trace.is_on()) {
        let owner = owner.clone();
        return write::keep(work, happened, &owner);
    }
    about(work, happened, (before.as_ref(), concerns))
}

/// What an event whose links are made tells of whoever it is about, and what follows for them.
fn about(
    work: &mut Work<'_>,
    happened: &Happened,
    (before, concerns): (Option<&Partition>, bool),
) -> Result<(), NotYet> {
    let after = partition(work);
    let Some(profile) = attributed(&work.catalog.identity, &after, happened) else {
        return Ok(());
    };
    work.trace.note(|| Note::Attributed(profile.id));
    let owner = owner(work, profile, happened);
    let wrote = write::write(work, happened, &owner, profile)?;
    if !concerns {
        return Ok(());
    }
    let who = Who::look(work, profile, owner)?;
    migrate::migrate(work, &who);
    if let Some(before) = before {
        merge::settle(work, &who, before, profile)?;
        merge::refuse_history(work, &who, (before, profile), &wrote.traits);
        let own = BTreeSet::from([profile.id]);
        persons::settle_others(work, (before, &after), &own)?;
    }
    let heard = Heard {
        happened,
        map: map(happened),
    };
    let starts = starts(work, &heard, wrote);
    follow(work, &who, Some(&heard), starts)
}

/// What follows for a profile from anything that happened: whom an order ends, who leaves, who goes on, which dates
/// moved, who enters.
pub(super) fn follow(
    work: &mut Work<'_>,
    who: &Who,
    heard: Option<&Heard<'_>>,
    starts: Starts<'_>,
) -> Result<(), NotYet> {
    stop::end(work, who);
    let moved = leave::leave(work, who, heard)?;
    let moved = walk::wake(work, who, heard, moved)?;
    date::plan(work, who)?;
    enter::enter(work, who, starts, &moved)
}

/// The journeys that an event starts, by itself and by what it changed.
fn starts<'a>(work: &Work<'_>, heard: &'a Heard<'_>, wrote: Wrote) -> Starts<'a> {
    let happened = heard.happened;
    let event = &happened.event;
    let in_context = event.context.get("groupId").and_then(Value::as_text);
    let base = Start {
        historical: event.historical,
        message_id: event.message_id.clone(),
        account: event.group_id.clone().or_else(|| in_context.map(Arc::from)),
        ..Start::at(happened.occurred, heard.opener(work))
    };
    let mut starts = Starts::default();
    let catalog = work.catalog;
    if catalog.hears(event.kind, &event.name) {
        let by_event = Start {
            event: Some(&heard.map),
            ..base.clone()
        };
        let published = catalog.started_by_event(event.kind, &event.name);
        starts.add(by_event, &published);
    }
    for changed in wrote.choices {
        let by_choice = Start {
            change: Some(changed.map),
            ..base.clone()
        };
        let published = catalog.started_by_consent(&changed.category, changed.action);
        starts.add(by_choice, published);
    }
    by_traits(work, &mut starts, (&base, &wrote.traits));
    starts
}

/// The journeys that changed traits start.
pub(super) fn by_traits<'a>(
    work: &Work<'_>,
    starts: &mut Starts<'a>,
    (base, changed): (&Start<'a>, &[TraitChanged]),
) {
    for changed in changed {
        let start = Start {
            change: Some(changed.map()),
            ..base.clone()
        };
        let values = (&changed.previous, &changed.current);
        let of = (changed.of, &*changed.name);
        starts.add(start, work.catalog.started_by_trait(of, values));
    }
}

/// Goes on only when everything the event can touch is loaded.
fn load(work: &Work<'_>, happened: &Happened, message: Option<MessageHash>) -> Result<(), NotYet> {
    let named = happened
        .named
        .identifiers()
        .iter()
        .cloned()
        .map(Key::Person);
    work.need(named.chain(message.map(Key::Message)))?;
    let config = &work.catalog.identity;
    let missing = wayfare_identity::reach(config, work.rows.links(), &happened.named);
    work.need(missing.into_iter().map(Key::Person))
}

/// The timers of everybody near come first, each as an input of its own.
pub(super) fn due_first(work: &Work<'_>) -> Result<(), NotYet> {
    let due = work.rows.records().flat_map(|(owner, record)| {
        let instances = record.instances.iter().filter_map(move |(id, instance)| {
            let due = instance.due.filter(|due| *due <= work.at)?;
            // A version that is not in the catalog stands still.
            leave::published(work, instance)?;
            is_going(work, &instance.journey).then_some((due, TimerOf::Instance(*id), owner))
        });
        let dates = record.dates.iter().filter_map(move |(journey, planned)| {
            let due = planned.due.filter(|due| *due <= work.at)?;
            work.catalog.in_force(journey)?;
            is_going(work, journey).then(|| (due, TimerOf::Date(journey.clone()), owner))
        });
        instances.chain(dates)
    });
    match due.min() {
        None => Ok(()),
        Some((due, of, owner)) => Err(NotYet::DueFirst(Timer {
            due,
            of,
            owner: owner.clone(),
        })),
    }
}

/// Whether what is due in a journey may have its turn: in a paused one it waits on.
pub(super) fn is_going(work: &Work<'_>, journey: &Arc<str>) -> bool {
    let control = work.rows.control(journey);
    control.is_none_or(|control| control.paused.is_none())
}

pub(super) fn partition(work: &Work<'_>) -> Partition {
    let catalog = work.catalog;
    wayfare_identity::resolve(&catalog.identity, &catalog.id_key, work.rows.links())
}

/// The profile an event is about; nobody's when all it names is blocked. What is said of consent then
/// still holds of the address.
fn attributed<'a>(
    config: &wayfare_identity::Config,
    after: &'a Partition,
    happened: &Happened,
) -> Option<&'a Profile> {
    let identifiers = happened.named.identifiers();
    let of_blocked = || {
        let is_said = happened.event.kind == EventKind::Consent;
        identifiers.first().filter(|_| is_said)
    };
    wayfare_identity::attribute(config, after, identifiers)
        .or_else(|| after.profile_of(of_blocked()?))
}

/// Where what is new is kept: under the anchor named, else under the one the best identifier named is
/// of; where there is none, under that identifier.
fn owner(work: &Work<'_>, profile: &Profile, happened: &Happened) -> Identifier {
    let config = &work.catalog.identity;
    let named = happened.named.identifiers().iter();
    let mut named = named.filter(|it| profile.identifiers.contains(it));
    let best = named.clone().next();
    let anchor = named.find(|it| config.is_anchor(it));
    let named = anchor.or(best).or_else(|| profile.identifiers.first());
    named.map_or_else(
        || Identifier::new("", ""),
        |named| who::home(work, profile, named).clone(),
    )
}

/// Whether anybody can leave, go on or enter: most events concern no journey.
fn concerns(work: &Work<'_>, happened: &Happened, says: bool) -> bool {
    let event = &happened.event;
    let catalog = work.catalog;
    let mut records = work.rows.records();
    let hears = |said: &Said| {
        let mut categories = catalog.consent.covered_by(&said.statement.category);
        categories.any(|category| catalog.hears_consent(category))
    };
    let of = match event.kind {
        EventKind::Group => Some(TraitOf::Account),
        EventKind::Identify => Some(TraitOf::Profile),
        EventKind::Track
        | EventKind::Page
        | EventKind::Screen
        | EventKind::Alias
        | EventKind::Consent => None,
    };
    let tells_traits = of.is_some_and(|of| {
        let context = event.context.get("traits").and_then(Value::as_map);
        let told = context.into_iter().chain([&event.traits, &event.set_once]);
        let mut names = told.flat_map(|traits| traits.iter().map(|(name, _)| name));
        catalog.started_by_date().next().is_some() || names.any(|name| catalog.watches(of, name))
    });
    records.any(|(_, record)| !record.instances.is_empty() || !record.dates.is_empty())
        || (says && happened.said.iter().any(hears))
        || tells_traits
        || catalog.hears(event.kind, &event.name)
}

/// Whether an event tells something of a person beyond how they are known and what they say about
/// consent: then it matters whose it is.
fn tells(work: &Work<'_>, happened: &Happened) -> bool {
    match happened.event.kind {
        EventKind::Identify | EventKind::Group => true,
        EventKind::Track => work.catalog.counts(&happened.event.name),
        EventKind::Page | EventKind::Screen | EventKind::Alias | EventKind::Consent => false,
    }
}

/// What expressions call `event`.
pub(crate) fn map(happened: &Happened) -> Map {
    let Event {
        kind,
        name,
        message_id,
        properties,
        context,
        ..
    } = &happened.event;
    let mut map = Map::new();
    map.insert("name", Value::Text(name.clone()));
    map.insert("type", kind.as_str().into());
    map.insert("timestamp", happened.occurred.to_string().as_str().into());
    let message_id = message_id.as_ref().map(|id| Value::Text(id.clone()));
    map.insert("messageId", message_id.unwrap_or_default());
    map.insert("properties", properties.clone().into());
    map.insert("context", context.clone().into());
    map
}
