//! What is known of one person in one journey? Whether they are inside and what they wait for, the
//! last refusals, the last decisions, and where there is none of it, what was seen of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::{Identifier, InstanceId, ProfileId, Timestamp};
use wayfare_executor::record::{
    Control, Decision, DecisionOutcome, Instance, Paused, Planned, Refusal,
};
use wayfare_executor::{Catalog, Row, Snapshot, view};
use wayfare_journey::diagnostic::nearest;
use wayfare_journey::expression::Leaf;
use wayfare_journey::{Block, EventMatch, Heard, Trigger, TriggerOn, Version};
use wayfare_store::{RowKind, Store, StoreError};

use super::past::{Sighting, Sought};
use super::{Contaminated, Stayed, Told, Versions, arms, begins, everybody, in_flight, tell};
use crate::config::Settings;

/// Decisions that are told, the newest first.
const TOLD_MAX: usize = 5;

/// Who, in which journey, and under which key.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// A profile id, present or former, an identifier, or the value of one.
    pub profile: &'a str,
    /// The journey.
    pub journey: &'a str,
    /// The key; any, without one.
    pub key: Option<&'a str>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody is known so.
    #[error("nobody is known as `{asked}`{}", near(.nearest.as_deref()))]
    Nobody {
        /// What was asked for.
        asked: String,
        /// What is known that reads nearly alike.
        nearest: Option<String>,
    },
    /// No such journey was ever in force here.
    #[error("no journey `{asked}` was ever in force here{}", near(.nearest.as_deref()))]
    NoJourney {
        /// What was asked for.
        asked: String,
        /// What is known that reads nearly alike.
        nearest: Option<String>,
    },
}

fn near(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// What is known of one person in one journey.
#[derive(Debug)]
pub struct Person {
    /// The person.
    pub profile: view::Profile,
    /// The former id that was asked for.
    pub former: Option<ProfileId>,
    /// The journey.
    pub journey: Arc<str>,
    /// The version that takes entries; nothing when the journey's file is gone.
    pub in_force: Option<Version>,
    /// What starts it.
    pub trigger: Option<Trigger>,
    /// Why nobody enters.
    pub paused: Option<Paused>,
    /// The walks inside, the newest first.
    pub inside: Vec<Inside>,
    /// The date the person has for it.
    pub planned: Option<Planned>,
    /// The last refusal of each of the person's identifiers, the newest first.
    pub refusals: Vec<Refusal>,
    /// The last decisions, the newest first.
    pub decisions: Vec<Told>,
    /// Decisions that came before those.
    pub earlier: u64,
    /// Splits of which these walks took different arms, as different persons.
    pub contaminated: Vec<Contaminated>,
    /// Events of the person that the trigger names, where nothing else is known.
    pub sighting: Option<Sighting>,
    /// When the history begins, where it was shortened.
    pub begins: Option<Timestamp>,
}

/// A walk that has not ended.
#[derive(Clone, Debug)]
pub struct Inside {
    /// The walk.
    pub id: InstanceId,
    /// The identifier it is kept under.
    pub owner: Identifier,
    /// Where it is.
    pub instance: Arc<Instance>,
    /// What it waits for, by the version it walks.
    pub waits: Waits,
}

/// What a walk waits for.
#[derive(Clone, Debug)]
pub enum Waits {
    /// For a time.
    Time,
    /// For the first of these, or for a time.
    Things(Vec<Waited>),
    /// Its version cannot be read any more.
    Unread,
}

/// One thing that ends a wait.
#[derive(Clone, Debug)]
pub enum Waited {
    /// An event, as written.
    Event(String),
    /// A condition, as written, and the part of it that decides now.
    Condition(String, Option<Leaf>),
}

/// What is known of one person in one journey.
///
/// # Errors
///
/// When nobody is known so, there is no such journey, or what is kept cannot be read.
pub fn person(
    store: &mut dyn Store,
    settings: &Settings,
    question: &Question<'_>,
    now: Timestamp,
) -> Result<Person, Unanswered> {
    let (mut catalog, snapshot) = everybody(store, settings)?;
    let profile = find(&view::profiles(&catalog, &snapshot, now), question.profile)?;
    let journeys = crate::journeys::all(store)?;
    let Some((journey, state)) = journeys.get_key_value(question.journey) else {
        let known = journeys.keys().map(|id| &**id);
        return Err(Unanswered::NoJourney {
            asked: question.journey.to_owned(),
            nearest: nearest(question.journey, known).map(str::to_owned),
        });
    };
    let versions = Versions::of(Some(state), settings);
    let inside = inside(
        &mut catalog,
        (&snapshot, now),
        &versions,
        (&profile, journey, question.key),
    );
    let (decisions, earlier) = decided(store, &profile, (journey, question.key))?;
    let refusals = refusals(&snapshot, &profile, journey);
    let in_force = state.in_force().map(|(version, _)| version);
    let graph = in_force.and_then(|version| versions.graph(version));
    let trigger = graph.as_ref().map(|graph| graph.trigger().clone());
    let identifiers: BTreeSet<Identifier> = profile.identifiers.iter().cloned().collect();
    let nothing = inside.is_empty() && decisions.is_empty() && refusals.is_empty();
    let matches = trigger.as_ref().and_then(heard);
    let sought = matches.filter(|_| nothing).map(|matches| Sought {
        matches,
        identity: &settings.identity,
        identifiers: &identifiers,
    });
    let mut told = tell(store, decisions, &versions, sought)?;
    for told in &mut told.told {
        in_flight::tell(&catalog, &snapshot, told);
    }
    stayed(store, &mut told.told, &inside, (&profile, journey))?;
    let control: Option<&Control> = snapshot.control(journey);
    let planned = profile
        .identifiers
        .iter()
        .find_map(|identifier| snapshot.record(identifier)?.dates.get(journey).copied());
    let former = question.profile.parse::<ProfileId>().ok();
    Ok(Person {
        former: former.filter(|id| *id != profile.id),
        journey: journey.clone(),
        in_force,
        paused: control.and_then(|control| control.paused.clone()),
        contaminated: arms::contaminated(&inside, &told.told),
        inside,
        planned,
        refusals,
        decisions: told.told,
        earlier,
        sighting: told.sighting,
        begins: begins(store)?,
        trigger,
        profile,
    })
}

/// The events that a trigger names.
fn heard(trigger: &Trigger) -> Option<&[EventMatch]> {
    match &trigger.on {
        TriggerOn::Events(matches) => Some(matches),
        TriggerOn::Consent { .. }
        | TriggerOn::Trait(_)
        | TriggerOn::Schedule { .. }
        | TriggerOn::Date { .. }
        | TriggerOn::Delivery { .. } => None,
    }
}

/// The profile that is known so.
fn find(profiles: &[view::Profile], asked: &str) -> Result<view::Profile, Unanswered> {
    let id = asked.parse::<ProfileId>().ok();
    let named = asked
        .split_once(':')
        .map(|(namespace, value)| Identifier::new(namespace, value));
    let found = profiles.iter().find(|profile| match id {
        Some(id) => profile.id == id || profile.former.contains(&id),
        None => profile
            .identifiers
            .iter()
            .any(|own| named.as_ref() == Some(own) || *own.value == *asked),
    });
    found.cloned().ok_or_else(|| {
        let identifiers = profiles.iter().flat_map(|profile| &profile.identifiers);
        let known: Vec<String> = if named.is_some() {
            identifiers.map(ToString::to_string).collect()
        } else {
            identifiers.map(|own| own.value.to_string()).collect()
        };
        Unanswered::Nobody {
            asked: asked.to_owned(),
            nearest: nearest(asked, known.iter().map(String::as_str)).map(str::to_owned),
        }
    })
}

/// The walks inside a journey, the newest first.
fn inside(
    catalog: &mut Catalog,
    (snapshot, now): (&Snapshot, Timestamp),
    versions: &Versions<'_>,
    (profile, journey, key): (&view::Profile, &Arc<str>, Option<&str>),
) -> Vec<Inside> {
    let is_meant = |instance: &Instance| {
        instance.journey == *journey && key.is_none_or(|key| instance.key.as_deref() == Some(key))
    };
    let walks = profile.instances.iter();
    let mut inside = Vec::new();
    for (id, instance) in walks.rev().filter(|(_, it)| is_meant(it)) {
        let mut owners = profile.identifiers.iter();
        let owner = owners.find(|owner| snapshot.instance(owner, *id).is_some());
        let Some(owner) = owner.cloned() else {
            continue;
        };
        if catalog.version(journey, instance.version).is_none()
            && let Some(graph) = versions.graph(instance.version)
        {
            catalog.keep(graph);
        }
        let waits = waits(catalog, (snapshot, now), (&owner, *id), instance);
        inside.push(Inside {
            id: *id,
            owner,
            instance: instance.clone(),
            waits,
        });
    }
    inside
}

fn waits(
    catalog: &Catalog,
    (snapshot, now): (&Snapshot, Timestamp),
    walk: (&Identifier, InstanceId),
    instance: &Instance,
) -> Waits {
    let Some(published) = catalog.version(&instance.journey, instance.version) else {
        return Waits::Unread;
    };
    let graph = &published.graph;
    match graph.find(&instance.block).map(|here| graph.block(here)) {
        None => Waits::Unread,
        Some(Block::Wait { items, .. }) => {
            let things = items.iter().map(|item| match &item.on {
                Heard::Event { .. } => Waited::Event(item.on.to_string()),
                Heard::When(condition) => {
                    let leaf = view::leaf(catalog, snapshot, walk, condition, now);
                    Waited::Condition(item.on.to_string(), leaf)
                }
            });
            Waits::Things(things.collect())
        }
        Some(
            Block::Decide(_)
            | Block::Split(_)
            | Block::Pause { .. }
            | Block::UntilTime(_)
            | Block::UntilDate(_)
            | Block::Update { .. }
            | Block::Webhook(_)
            | Block::Exit { .. },
        ) => Waits::Time,
    }
}

/// The last refusal of each identifier, the newest first.
fn refusals(snapshot: &Snapshot, profile: &view::Profile, journey: &Arc<str>) -> Vec<Refusal> {
    let identifiers = profile.identifiers.iter();
    let mut refusals: Vec<Refusal> = identifiers
        .filter_map(|own| snapshot.record(own)?.refusals.get(journey).cloned())
        .collect();
    refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.at));
    refusals
}

/// The last decisions about a person in a journey, the newest first, and how many came before.
fn decided(
    store: &mut dyn Store,
    profile: &view::Profile,
    (journey, key): (&Arc<str>, Option<&str>),
) -> Result<(Vec<Arc<Decision>>, u64), StoreError> {
    let mut found: Vec<Arc<Decision>> = Vec::new();
    store.scan(RowKind::Decision, &mut |_, row| {
        if let Row::Decision(decision) = row
            && decision.journey == *journey
            && key.is_none_or(|key| decision.key.as_deref() == Some(key))
            && is_of(decision, profile)
        {
            found.push(decision.clone());
        }
    })?;
    found.sort_by_key(|decision| std::cmp::Reverse((decision.at, decision.turn, decision.id)));
    let earlier = found.len().saturating_sub(TOLD_MAX);
    found.truncate(TOLD_MAX);
    Ok((found, u64::try_from(earlier).unwrap_or(u64::MAX)))
}

fn is_of(decision: &Decision, profile: &view::Profile) -> bool {
    profile.identifiers.contains(&decision.owner)
        || decision.profile == profile.id
        || profile.former.contains(&decision.profile)
}

/// Finds the walk that went on, for each that ended in a merge: of the same key, and entered before.
fn stayed(
    store: &mut dyn Store,
    told: &mut [Told],
    inside: &[Inside],
    (profile, journey): (&view::Profile, &Arc<str>),
) -> Result<(), StoreError> {
    let merged = |told: &Told| told.decision.outcome == DecisionOutcome::Merged;
    if !told.iter().any(merged) {
        return Ok(());
    }
    let mut others: Vec<Arc<Decision>> = Vec::new();
    store.scan(RowKind::Decision, &mut |_, row| {
        if let Row::Decision(decision) = row
            && decision.journey == *journey
            && decision.outcome != DecisionOutcome::Merged
            && is_of(decision, profile)
        {
            others.push(decision.clone());
        }
    })?;
    for told in told.iter_mut().filter(|told| merged(told)) {
        let key = &told.decision.key;
        let live = inside.iter().rev().find(|it| it.instance.key == *key);
        let ended = others.iter().filter(|it| it.key == *key);
        let first = ended.min_by_key(|it| (it.at, it.id)).cloned();
        told.stayed = live
            .map(|live| Stayed::Inside(Box::new(live.clone())))
            .or_else(|| first.map(Stayed::Decided));
    }
    Ok(())
}
