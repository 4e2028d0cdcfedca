//! What does an operator's word change in the links? Persons become one, or are told apart; what was
//! blocked goes on. Not here: who may say so, and what follows for the profiles (`resolve`).

use std::collections::BTreeSet;

use wayfare_event::{Identifier, Timestamp};

use crate::link::told;
use crate::{Config, EdgeKind, LinkChange, Links};

/// Two anchors become one person (2.1.4, admin merge): `from` is taken into `into`.
///
/// Stamped at `at`, or just after the detach it follows.
#[must_use]
pub fn merge(
    config: &Config,
    links: &Links,
    (from, into): (&Identifier, &Identifier),
    at: Timestamp,
) -> Vec<LinkChange> {
    if from == into {
        return Vec::new();
    }
    let undone = links
        .node(from)
        .and_then(|node| node.detached(into, EdgeKind::Same));
    let at = undone.map_or(at, |until| at.max(until.saturating_add_micros(1)));
    let ends = [from.clone(), into.clone()];
    told(config, links, ends, EdgeKind::Same, at)
        .into_iter()
        .collect()
}

/// An identifier is not the person's that `from`, an anchor, stands for (2.1.4, detach).
///
/// Every claim of theirs on it is undone: of `from`, and of whoever else of that person claims it. Of
/// an anchor, that is the merges that lead from it to `from`. Stamped at `at`, or at the last claim
/// that it undoes if that is later: what was told by then is undone, what is told later counts again.
#[must_use]
pub fn detach(
    config: &Config,
    links: &Links,
    (identifier, from): (&Identifier, &Identifier),
    at: Timestamp,
) -> Vec<LinkChange> {
    let class = links.class(from);
    let others = if config.is_anchor(identifier) {
        merged_towards(links, identifier, from)
    } else {
        let claims = |anchor: &&Identifier| {
            links
                .node(anchor)
                .is_some_and(|node| node.claimed().any(|(other, ..)| other == identifier))
        };
        let mut of_person: BTreeSet<&Identifier> = class.into_iter().filter(claims).collect();
        if of_person.is_empty() {
            of_person.insert(links.lead(from));
        }
        // Also where others claim it: an older claim of theirs may still come late.
        of_person.insert(from);
        of_person
    };
    let undone = others.iter().filter_map(|other| links.node(other));
    let undone = undone
        .flat_map(|node| node.edges())
        .filter(|edge| edge.other == *identifier && edge.kind != EdgeKind::Detached);
    let at = undone.map(|edge| edge.latest).fold(at, Timestamp::max);
    others
        .into_iter()
        .map(|other| LinkChange::Linked {
            ends: [other.clone(), identifier.clone()],
            kind: EdgeKind::Detached,
            at,
        })
        .collect()
}

/// Whether a person, by one of their anchors, was told to have an identifier, be it that the claim does
/// not count: then there is something to undo.
#[must_use]
pub fn is_claimed(links: &Links, identifier: &Identifier, anchor: &Identifier) -> bool {
    let mut claimed = links
        .class(anchor)
        .into_iter()
        .filter_map(|member| links.node(member))
        .flat_map(|node| node.claimed());
    claimed.any(|(other, ..)| other == identifier)
}

/// The anchors that an anchor is merged with directly, on a way to another one.
fn merged_towards<'a>(
    links: &'a Links,
    anchor: &Identifier,
    towards: &Identifier,
) -> BTreeSet<&'a Identifier> {
    let leads_there = |start: &&Identifier| {
        let mut seen = BTreeSet::from([*start]);
        let mut open = vec![*start];
        while let Some(member) = open.pop() {
            let joined = links.node(member).into_iter().flat_map(|it| it.joined());
            open.extend(joined.filter(|other| *other != anchor && seen.insert(other)));
        }
        seen.contains(towards)
    };
    let node = links.node(anchor);
    node.into_iter()
        .flat_map(|node| node.joined())
        .filter(leads_there)
        .collect()
}

/// A blocked identifier goes on as its links say (2.1.3); nothing when it is not blocked.
#[must_use]
pub fn unblock(links: &Links, identifier: &Identifier) -> Vec<LinkChange> {
    let is_blocked = links.is_blocked(identifier);
    is_blocked
        .then(|| LinkChange::Unblocked(identifier.clone()))
        .into_iter()
        .collect()
}
