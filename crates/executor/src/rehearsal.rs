//! What would a webhook block send for a profile as it is now? For trying a block: the questions of
//! the block are asked, the request is rendered, and nothing is decided or owed. Not here: sending it.

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::{DeliveryId, Identifier, InstanceId, ProfileId, Timestamp};
use wayfare_journey::Block;

use crate::catalog::{Catalog, Published};
use crate::input::{Happened, Place};
use crate::record::{Instance, Key, Permission, Request, Terms};
use crate::snapshot::Snapshot;
use crate::step::judge::Ground;
use crate::step::start::Start;
use crate::step::who::Who;
use crate::step::work::{NotYet, Work};
use crate::step::{enter, event, send};
use crate::trace::Trace;

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The version of the journey.
    pub published: &'a Arc<Published>,
    /// Its webhook block.
    pub block: &'a Arc<str>,
    /// An identifier of the profile.
    pub owner: &'a Identifier,
    /// What stands for the event that started the walk, and for those that its waits name; nothing,
    /// where there is none.
    pub event: Option<&'a Happened>,
}

/// What the block would come to.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    /// The profile.
    pub profile: ProfileId,
    /// Whether it is as known as the block asks for.
    pub is_known: bool,
    /// The block's last condition, where it does not hold.
    pub declined: Option<String>,
    /// What the block asks before it sends, and the answer.
    pub permission: Permission,
    /// The request, and how it would be delivered; else why it cannot be rendered.
    pub request: Result<(Request, Terms), String>,
    /// Values of the event that the block reads and that are not there, as written.
    pub absent: Vec<String>,
}

/// Renders a block's request for a profile at an instant.
///
/// # Errors
///
/// The rows that must be loaded first; the caller loads them and asks again.
pub fn rehearse(
    catalog: &Catalog,
    snapshot: &Snapshot,
    at: Timestamp,
    asked: &Asked<'_>,
) -> Result<Option<Rehearsed>, BTreeSet<Key>> {
    let mut trace = Trace::off();
    let mut work = Work::new(catalog, snapshot, (0, at), &mut trace);
    match one(&mut work, asked) {
        Ok(rehearsed) => Ok(rehearsed),
        Err(NotYet::Load(keys)) => Err(keys),
        Err(NotYet::DueFirst(_)) => unreachable!("looking on fires no timer"),
    }
}

fn one(work: &mut Work<'_>, asked: &Asked<'_>) -> Result<Option<Rehearsed>, NotYet> {
    let graph = &asked.published.graph;
    let block = graph.find(asked.block).map(|block| graph.block(block));
    let Some(Block::Webhook(webhook)) = block else {
        return Ok(None);
    };
    let who = Who::behind(work, asked.owner)?;
    let instance = instance(work, &who, asked);
    let ground = Ground::of(work, asked.published, &who, &instance)?;
    let when = webhook.when.as_ref();
    let declined = when.filter(|when| !ground.holds(work, when, None));
    let declined = declined.map(|when| when.source().to_owned());
    let consent = send::asked(work, &ground, &webhook.consent);
    let rendered = ground.with_scope(work, None, |scope| webhook.render(scope));
    let request = match rendered {
        Ok(rendered) => {
            let request = send::request(webhook, rendered);
            let terms = send::terms(webhook, &request, &who);
            Ok((request, terms))
        }
        Err(error) => Err(error.to_string()),
    };
    Ok(Some(Rehearsed {
        profile: who.id,
        is_known: who.is_known_for(webhook),
        declined,
        permission: send::permission(work, &who, consent)?,
        request,
        absent: ground.with_scope(work, None, |scope| webhook.absent(scope)),
    }))
}

/// A walk that stands at the block, as one that the event started would.
fn instance(work: &Work<'_>, who: &Who, asked: &Asked<'_>) -> Instance {
    let map = asked.event.map(event::map);
    let start = Start {
        event: map.as_ref(),
        ..Start::at(work.at, String::new())
    };
    let mut instance = enter::candidate(work, who, &start, asked.published);
    instance.block = asked.block.clone();
    let kept = asked.published.graph.kept();
    if let Some(map) = &map {
        instance.trigger = Some(kept.trigger(map));
        let names = kept.names();
        instance.named = names
            .map(|name| (name.clone(), kept.named(name, map)))
            .collect();
    }
    instance
}

/// The id of a request that is tried; no delivery has it.
#[must_use]
pub fn id(place: &Place, profile: ProfileId, at: Timestamp) -> DeliveryId {
    let opener = format!("try {place} {at}");
    let instance = InstanceId::derive(&opener, None, &opener, profile);
    instance.decision().delivery()
}
