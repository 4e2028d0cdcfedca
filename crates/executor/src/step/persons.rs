//! What follows when an operator says who is who? Two persons become one, an identifier is told apart
//! from somebody, what was blocked goes on (2.1.4). Not here: which links that changes
//! (`wayfare_identity`), or what two histories make together (`merge`).

use std::collections::BTreeSet;

use wayfare_event::{Identifier, ProfileId};
use wayfare_identity::{LinkChange, Named, Partition, Profile};

use super::start::Starts;
use super::who::{self, Who};
use super::work::{NotYet, Work};
use super::{event, merge, migrate};
use crate::change::Change;
use crate::record::Key;

/// The person behind `from` becomes the one behind `into`; nothing where either has no anchor, or is
/// erased or about to be, or both are one already.
pub(super) fn merged(
    work: &mut Work<'_>,
    from: &Identifier,
    into: &Identifier,
) -> Result<(), NotYet> {
    let profiles = (
        who::profile_behind(work, from)?,
        who::profile_behind(work, into)?,
    );
    if stays(work, &profiles.0) || stays(work, &profiles.1) {
        return Ok(());
    }
    let (Some(from), Some(into)) = (profiles.0.anchor(), profiles.1.anchor()) else {
        return Ok(());
    };
    let config = &work.catalog.identity;
    let links = wayfare_identity::merge(config, work.rows.links(), (from, into), work.at);
    follow(work, links, &[into])
}

/// An identifier is not the person's behind `from` any more, nor claimed by them; nothing where it is
/// neither, or they are erased or about to be.
pub(super) fn detached(
    work: &mut Work<'_>,
    identifier: &Identifier,
    from: &Identifier,
) -> Result<(), NotYet> {
    let profile = who::profile_behind(work, from)?;
    who::profile_behind(work, identifier)?;
    let config = &work.catalog.identity;
    let Some(anchor) = profile.towards(config, from).cloned() else {
        return Ok(());
    };
    if stays(work, &profile) {
        return Ok(());
    }
    let links = work.rows.links();
    let is_held = profile.identifiers.contains(identifier);
    if !is_held && !wayfare_identity::is_claimed(links, identifier, &anchor) {
        return Ok(());
    }
    let links = wayfare_identity::detach(config, links, (identifier, &anchor), work.at);
    follow(work, links, &[&anchor, identifier])
}

/// Whether it must not change who somebody is: they are erased or about to be, or something they claim
/// is to be once a walk is over. Who goes is who it was when that was ordered.
fn stays(work: &Work<'_>, profile: &Profile) -> bool {
    let waits = |it: &Identifier| {
        let record = work.rows.record(it);
        let erasing = record.and_then(|record| record.erasing.as_ref());
        erasing.is_some_and(|erasing| erasing.through.is_some())
    };
    let own = profile.identifiers.iter();
    let nodes = own.clone().filter_map(|it| work.rows.links().node(it));
    let claims = nodes.flat_map(|node| node.edges());
    let claimed = claims.filter(|edge| edge.kind.claims());
    let mut all = own.chain(claimed.map(|edge| &edge.other));
    who::is_erasing(work, profile) || all.any(waits)
}

/// A blocked identifier goes on as its links say.
pub(super) fn unblocked(work: &mut Work<'_>, identifier: &Identifier) -> Result<(), NotYet> {
    work.need([Key::Person(identifier.clone())])?;
    let links = wayfare_identity::unblock(work.rows.links(), identifier);
    follow(work, links, &[identifier])
}

/// What follows from changed links for the persons that some identifiers are then: both histories of
/// entry are joined, as an event's would be, and history gained starts nothing.
fn follow(
    work: &mut Work<'_>,
    links: Vec<LinkChange>,
    about: &[&Identifier],
) -> Result<(), NotYet> {
    if links.is_empty() {
        return Ok(());
    }
    load(work, &links, about)?;
    event::due_first(work)?;
    let before = event::partition(work);
    for change in links {
        work.make(Change::Linked(change));
    }
    let after = event::partition(work);
    let mut settled: BTreeSet<ProfileId> = BTreeSet::new();
    let profiles = about.iter().filter_map(|it| after.profile_of(it));
    for profile in profiles {
        if settled.insert(profile.id) {
            settle(work, &before, profile)?;
        }
    }
    settle_others(work, (&before, &after), &settled)
}

/// Goes on only when everything is loaded that the changed links bring together.
fn load(work: &Work<'_>, links: &[LinkChange], about: &[&Identifier]) -> Result<(), NotYet> {
    let config = &work.catalog.identity;
    let mut after = work.rows.links().clone();
    links.iter().for_each(|change| after.apply(change));
    let named = about.iter().map(|it| Named::just((*it).clone()));
    let missing: BTreeSet<Key> = named
        .flat_map(|named| wayfare_identity::reach(config, &after, &named))
        .map(Key::Person)
        .collect();
    work.need(missing)
}

/// Settles persons that changed links brought together whom they are not about: who was between two
/// persons is one's when the other has lost what led there.
pub(super) fn settle_others(
    work: &mut Work<'_>,
    (before, after): (&Partition, &Partition),
    settled: &BTreeSet<ProfileId>,
) -> Result<(), NotYet> {
    for profile in after.profiles() {
        let Some(anchor) = profile.anchor() else {
            continue;
        };
        let former = profile.identifiers.iter();
        let former = former.filter_map(|it| before.profile_of(it));
        let former: BTreeSet<ProfileId> = former.map(|former| former.id).collect();
        if former.len() > 1 && !settled.contains(&profile.id) {
            let whole = who::profile_behind(work, anchor)?;
            settle(work, before, &whole)?;
        }
    }
    Ok(())
}

fn settle(work: &mut Work<'_>, before: &Partition, profile: &Profile) -> Result<(), NotYet> {
    let Some(owner) = profile.identifiers.first().cloned() else {
        return Ok(());
    };
    let who = Who::look(work, profile, owner)?;
    migrate::migrate(work, &who);
    merge::settle(work, &who, before, profile)?;
    merge::refuse_history(work, &who, (before, profile), &[]);
    event::follow(work, &who, None, Starts::default())
}
