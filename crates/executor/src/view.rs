//! What is known of a profile, all together? For looking inside; nothing here decides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_consent::{Choice, Question, Reason, Verdict};
use wayfare_event::{Identifier, InstanceId, Map, ProfileId, Timestamp};
use wayfare_identity::{Edge, Standing};
use wayfare_journey::expression::{Expression, Leaf};

use crate::catalog::Catalog;
use crate::record::{ConsentAsked, Instance, Key};
use crate::snapshot::Snapshot;
use crate::step::erase::Held;
use crate::step::judge::Ground;
use crate::step::send;
use crate::step::who::Who;
use crate::step::work::{NotYet, Work};
use crate::trace::Trace;

/// A profile as it is now.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Ids that lead here: those its identifiers had by themselves.
    pub former: Vec<ProfileId>,
    /// When the first of its identifiers was named, by the events' time; not known where no event
    /// named any.
    pub created: Option<Timestamp>,
    /// Its identifiers, by rank and value.
    pub identifiers: Vec<Identifier>,
    /// What each of them was linked with, and why: what makes them one profile, or keeps them apart.
    pub links: BTreeMap<Identifier, Vec<Edge>>,
    /// What holds it together.
    pub standing: Standing,
    /// Since when its one identifier is blocked, since too many claimed it at once.
    pub blocked: Option<Timestamp>,
    /// Its traits, and `profileId`.
    pub traits: Map,
    /// The accounts it joined.
    pub accounts: Vec<Arc<str>>,
    /// What it chose and what that allows, by category.
    pub consent: BTreeMap<Arc<str>, (Choice, Verdict)>,
    /// Its walks that have not ended.
    pub instances: Vec<(InstanceId, Arc<Instance>)>,
}

/// Every profile that the loaded identifiers make, by the identifier its id is derived from.
///
/// `snapshot` holds every identifier there is: what is not in it counts as absent.
#[must_use]
pub fn profiles(catalog: &Catalog, snapshot: &Snapshot, at: Timestamp) -> Vec<Profile> {
    let partition = wayfare_identity::resolve(&catalog.identity, &catalog.id_key, snapshot.links());
    let mut rows = snapshot.clone();
    let mut profiles = Vec::new();
    for resolved in partition.profiles() {
        profiles.push(loop {
            let mut trace = Trace::off();
            let work = Work::new(catalog, &rows, (0, at), &mut trace);
            match one(&work, resolved) {
                Ok(profile) => break profile,
                Err(NotYet::Load(keys)) => keys.into_iter().for_each(|key| rows.put(key, None)),
                Err(NotYet::DueFirst(_)) => unreachable!("looking on fires no timer"),
            }
        });
    }
    profiles
}

/// Whoever an identifier is of, with all identifiers that are theirs alone; nothing where nothing is
/// known under it.
///
/// # Errors
///
/// The rows that must be loaded first; the caller loads them and asks again.
pub fn held(
    catalog: &Catalog,
    snapshot: &Snapshot,
    at: Timestamp,
    identifier: &Identifier,
) -> Result<Option<(Profile, Vec<Identifier>)>, BTreeSet<Key>> {
    let mut trace = Trace::off();
    let work = Work::new(catalog, snapshot, (0, at), &mut trace);
    let held = Held::look(&work, identifier).and_then(|held| {
        let Some(held) = held else {
            return Ok(None);
        };
        Ok(Some((one(&work, &held.profile)?, held.identifiers)))
    });
    held.map_err(|not_yet| match not_yet {
        NotYet::Load(keys) => keys,
        NotYet::DueFirst(_) => unreachable!("looking on fires no timer"),
    })
}

/// The refusals that stood at `at`, by all that is known now: also those that were heard of later
/// (2.2.8, as decided). Nothing where none prevails.
///
/// `snapshot` holds every identifier there is: what is not in it counts as absent.
#[must_use]
pub fn refused_at(
    catalog: &Catalog,
    snapshot: &Snapshot,
    owner: &Identifier,
    (category, address): (&str, Option<&Identifier>),
    at: Timestamp,
) -> Vec<Arc<str>> {
    let verdict = whole(catalog, snapshot, at, |work| {
        let who = Who::behind(work, owner)?;
        let question = Question {
            heard_by: Timestamp::from_micros(i64::MAX),
            ..Question::new(category, address, at)
        };
        let said = who.consent(&work.rows, address);
        let linked_at = who.linked_at(work);
        Ok(wayfare_consent::verdict(
            &catalog.consent,
            &question,
            said,
            linked_at,
        ))
    });
    if verdict.reason == Reason::Declined {
        return verdict.records;
    }
    Vec::new()
}

/// What a look finds where everything there is stands in a snapshot.
fn whole<T>(
    catalog: &Catalog,
    snapshot: &Snapshot,
    at: Timestamp,
    look: impl Fn(&Work<'_>) -> Result<T, NotYet>,
) -> T {
    let mut rows = snapshot.clone();
    loop {
        let mut trace = Trace::off();
        let work = Work::new(catalog, &rows, (0, at), &mut trace);
        match look(&work) {
            Ok(found) => return found,
            Err(NotYet::Load(keys)) => keys.into_iter().for_each(|key| rows.put(key, None)),
            Err(NotYet::DueFirst(_)) => unreachable!("looking on fires no timer"),
        }
    }
}

/// The part of a condition that decides, as a walk sees it at `at`; nothing where the walk has ended
/// or its version is not in the catalog.
///
/// `snapshot` holds every identifier and account there is: what is not in it counts as absent.
#[must_use]
pub fn leaf(
    catalog: &Catalog,
    snapshot: &Snapshot,
    (owner, id): (&Identifier, InstanceId),
    condition: &Expression,
    at: Timestamp,
) -> Option<Leaf> {
    whole(catalog, snapshot, at, |work| {
        judged(work, (owner, id), condition)
    })
}

fn judged(
    work: &Work<'_>,
    (owner, id): (&Identifier, InstanceId),
    condition: &Expression,
) -> Result<Option<Leaf>, NotYet> {
    let who = Who::behind(work, owner)?;
    let Some(instance) = work.rows.instance(owner, id) else {
        return Ok(None);
    };
    let Some(published) = work.catalog.version(&instance.journey, instance.version) else {
        return Ok(None);
    };
    let ground = Ground::of(work, published, &who, instance)?;
    let leaf = ground.with_scope(work, None, |scope| condition.deciding_leaf(scope));
    Ok(Some(leaf))
}

fn one(work: &Work<'_>, resolved: &wayfare_identity::Profile) -> Result<Profile, NotYet> {
    let lead = resolved.identifiers.first().cloned();
    let owner = lead.unwrap_or_else(|| Identifier::new("", ""));
    let who = Who::look(work, resolved, owner)?;
    let mut consent = BTreeMap::new();
    for (name, rules) in work.catalog.consent.categories() {
        let address = match rules.binding {
            wayfare_consent::Binding::Profile => None,
            wayfare_consent::Binding::Address(channel) => who.address(work, channel.namespace()),
        };
        let asked = ConsentAsked::Category {
            category: name.clone(),
            address,
        };
        let choice = who.choice(work, name, None);
        let permission = send::permission(work, &who, asked)?;
        consent.insert(name.clone(), (choice, permission.verdict));
    }
    let former = who.own_ids(work);
    let node = resolved.identifiers.first();
    let node = node.and_then(|it| work.rows.links().node(it));
    let blocked = node.and_then(|node| node.blocked());
    let links = |it: &Identifier| {
        let node = work.rows.links().node(it)?;
        Some((it.clone(), node.edges().to_vec()))
    };
    let created = resolved.identifiers.iter();
    let created = created.filter_map(|it| work.rows.links().node(it)?.since());
    let records = resolved.identifiers.iter();
    let records = records.filter_map(|identifier| work.rows.record(identifier));
    let mut accounts: Vec<Arc<str>> = records
        .flat_map(|record| record.accounts.keys().cloned())
        .collect();
    accounts.sort();
    accounts.dedup();
    let live = who.live(&work.rows).into_iter();
    Ok(Profile {
        id: resolved.id,
        former: former.filter(|id| *id != resolved.id).collect(),
        created: created.min(),
        identifiers: resolved.identifiers.clone(),
        links: resolved.identifiers.iter().filter_map(links).collect(),
        standing: resolved.standing,
        blocked,
        accounts,
        consent,
        instances: live.map(|live| (live.id, live.instance)).collect(),
        traits: who.traits,
    })
}
