//! Who is not heard of any more? At the edge of a step: what an event names that is erased is left
//! out of it, and one that is about somebody erased is dropped. Not here: erasing (`erase`).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_consent::Binding;
use wayfare_consent::sources::Said;
use wayfare_event::{
    ConsentAction, Event, EventKind, Identifier, InstanceId, Map, Namespace, Timestamp, Value,
};
use wayfare_identity::LinkChange;

use super::who;
use super::work::{NotYet, Work};
use crate::change::Change;
use crate::input::Happened;
use crate::record::{Delivery, Erased, Key, QueueId, hash};

/// The marks that have to be loaded for identifiers: of those that nothing is known of, and of those
/// that were somebody's who was erased. The common event names neither.
pub(super) fn marks<'a>(
    work: &Work<'_>,
    identifiers: impl Iterator<Item = &'a Identifier>,
) -> Vec<Key> {
    let may_be = |it: &&Identifier| {
        let node = work.rows.links().node(it);
        node.is_none_or(|node| node.epoch() > 1)
    };
    let key = &work.catalog.id_key;
    let marks = identifiers.filter(may_be);
    marks.map(|it| Key::Erased(hash(key, it))).collect()
}

/// What is kept of an identifier of somebody erased, once it is loaded.
fn mark(work: &Work<'_>, identifier: &Identifier) -> Option<Erased> {
    work.rows.erased(hash(&work.catalog.id_key, identifier))
}

/// Whether somebody who goes by an identifier, or went by it until they were erased, is kept out.
pub(super) fn keeps_out(work: &Work<'_>, identifier: &Identifier) -> Result<bool, NotYet> {
    work.need([Key::Person(identifier.clone())])?;
    work.need(marks(work, std::iter::once(identifier)))?;
    // Who is to be erased is not kept out yet: what the erasure waits for may be meant for them.
    let record = work.rows.record(identifier);
    let erasing = record.and_then(|record| record.erasing.as_ref());
    let is_silent = erasing.is_some_and(|erasing| erasing.through.is_none());
    Ok(is_silent || mark(work, identifier).is_some_and(|mark| mark.suppressed))
}

/// Whether what happened then is not heard under an identifier.
fn is_barred(work: &Work<'_>, identifier: &Identifier, occurred: Timestamp) -> bool {
    let record = work.rows.record(identifier);
    record.is_some_and(|record| record.erasing.is_some())
        || mark(work, identifier).is_some_and(|mark| mark.bars(occurred))
}

/// The event as it is heard, without what is erased; nothing where it is about somebody erased: its
/// anchor is, or, without an anchor, any of those it names. A refusal about an address that is not
/// theirs is heard all the same, and so is their own for as long as anything is kept of them: what the
/// erasure waits for must not leave against it, and nothing else once they are let in again.
pub(super) fn heard<'a>(work: &Work<'_>, happened: &'a Happened) -> Option<Cow<'a, Happened>> {
    let named = happened.named.identifiers();
    let mut barred = named
        .iter()
        .filter(|it| is_barred(work, it, happened.occurred));
    let barred: BTreeSet<&Identifier> = barred.by_ref().collect();
    if barred.is_empty() {
        return Some(Cow::Borrowed(happened));
    }
    let config = &work.catalog.identity;
    let anchor = named.iter().find(|it| config.is_anchor(it));
    let is_theirs = anchor.is_none_or(|anchor| barred.contains(anchor));
    let is_out = |it: &Identifier| barred.contains(it);
    let addresses = |said: &Said| addresses(work, said);
    let refuses_elsewhere = |said: &Said| {
        let has_address = addresses(said).next().is_some();
        declines(said) && has_address && !addresses(said).any(|it| is_out(&it))
    };
    let is_kept = |it: &&Identifier| is_kept(work, it, happened.occurred);
    if is_theirs && barred.iter().all(is_kept) {
        let own = |said: &Said| declines(said) && addresses(said).all(|it| is_out(&it));
        let refusal = refusal(happened, own, is_out);
        if refusal.is_some() {
            return refusal.map(Cow::Owned);
        }
    }
    let refused = happened.said.iter().filter(|said| refuses_elsewhere(said));
    let refused: BTreeSet<Identifier> = refused.flat_map(addresses).collect();
    if is_theirs && refused.is_empty() {
        return None;
    }
    let mut heard = happened.clone();
    heard.named = happened
        .named
        .without(|it| is_out(it) || (is_theirs && !refused.contains(it)))?;
    let event = &mut heard.event;
    event.traits = without(work, &event.traits, &is_out);
    if let Some(told) = event.context.get("traits").and_then(Value::as_map) {
        let told = without(work, told, &is_out);
        event.context.insert("traits", told.into());
    }
    event.set_once = without(work, &event.set_once, &is_out);
    // What is said of an address that is left out is not said of the person instead, but for a refusal
    // that is about persons.
    let is_personal = |said: &Said| {
        let category = work.catalog.consent.category(&said.statement.category);
        category.is_some_and(|it| it.binding == Binding::Profile)
    };
    heard.said.retain_mut(|said| {
        if addresses(said).any(|it| is_out(&it)) {
            (said.statement.email, said.statement.phone) = (None, None);
            return !is_theirs && declines(said) && is_personal(said);
        }
        !is_theirs || refuses_elsewhere(said)
    });
    Some(Cow::Owned(heard))
}

/// Whether somebody who is not heard is still known by an identifier, and was when this happened.
fn is_kept(work: &Work<'_>, identifier: &Identifier, occurred: Timestamp) -> bool {
    let record = work.rows.record(identifier);
    let mark = mark(work, identifier).filter(|mark| mark.epoch > 1);
    record.is_some_and(|record| record.erasing.is_some())
        && mark.is_none_or(|mark| occurred > mark.at)
}

fn declines(said: &Said) -> bool {
    said.statement.action == ConsentAction::Decline
}

/// The addresses that a statement names.
fn addresses(work: &Work<'_>, said: &Said) -> impl Iterator<Item = Identifier> + use<> {
    let statement = &said.statement;
    let address = |namespace: &str, text: &Option<Arc<str>>| {
        let text = text.as_deref()?;
        who::address(work, namespace, text)
    };
    let email = address(Namespace::EMAIL, &statement.email);
    let phone = address(Namespace::PHONE, &statement.phone);
    email.into_iter().chain(phone)
}

/// Only what an event refuses in this way, and of whom it names only these; nothing where it refuses
/// nothing.
fn refusal(
    happened: &Happened,
    refuses: impl Fn(&Said) -> bool,
    is_theirs: impl Fn(&Identifier) -> bool,
) -> Option<Happened> {
    let said = happened.said.iter().filter(|said| refuses(said));
    let said: Vec<Said> = said.cloned().collect();
    if said.is_empty() {
        return None;
    }
    let event = &happened.event;
    let event = Event {
        kind: EventKind::Consent,
        name: "".into(),
        traits: Map::new(),
        set_once: Map::new(),
        properties: Map::new(),
        context: Map::new(),
        group_id: None,
        ..event.clone()
    };
    Some(Happened {
        event,
        named: happened.named.without(|it| !is_theirs(it))?,
        said,
        unheard: Vec::new(),
        ..happened.clone()
    })
}

/// Traits without the addresses that are left out.
fn without(work: &Work<'_>, traits: &Map, is_out: &dyn Fn(&Identifier) -> bool) -> Map {
    let stays = |name: &str, value: &Value| {
        let is_address = matches!(name, Namespace::EMAIL | Namespace::PHONE);
        let text = value.as_text().filter(|_| is_address);
        let address = text.and_then(|text| who::address(work, name, text));
        address.is_none_or(|address| !is_out(&address))
    };
    let traits = traits.iter().filter(|(name, value)| stays(name, value));
    traits
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Changes a link; whoever is first seen by it may begin anew.
pub(super) fn link(work: &mut Work<'_>, change: LinkChange) {
    let mut first = None;
    if let LinkChange::SeenAt { identifier, .. } = &change
        && work.rows.links().node(identifier).is_none()
    {
        first = Some(identifier.clone());
    }
    work.make(Change::Linked(change));
    if let Some(first) = first {
        begin_anew(work, &first);
    }
}

/// An identifier that was somebody's who was erased is somebody else's, once it is seen again.
pub(super) fn begin_anew(work: &mut Work<'_>, identifier: &Identifier) {
    if let Some(mark) = mark(work, identifier).filter(|mark| mark.epoch > 1) {
        work.make(Change::Linked(LinkChange::Anew {
            identifier: identifier.clone(),
            epoch: mark.epoch,
        }));
    }
}

/// Whether nothing is known under an identifier any more.
pub(super) fn is_gone(work: &Work<'_>, owner: &Identifier) -> Result<bool, NotYet> {
    work.need([Key::Person(owner.clone())])?;
    Ok(work.rows.links().node(owner).is_none())
}

/// Whether something was queued for somebody who went by an identifier and was deleted since.
pub(super) fn is_left(
    work: &Work<'_>,
    owner: &Identifier,
    queued: QueueId,
) -> Result<bool, NotYet> {
    if is_gone(work, owner)? {
        return Ok(true);
    }
    work.need(marks(work, std::iter::once(owner)))?;
    Ok(mark(work, owner).is_some_and(|mark| queued.seq <= mark.seq))
}

/// Whether a delivery does not leave because its person is erased. What the erasure waits for does.
pub(super) fn holds_back(work: &Work<'_>, delivery: &Delivery) -> Result<bool, NotYet> {
    let owner = &delivery.owner;
    if is_gone(work, owner)? {
        return Ok(true);
    }
    work.need(marks(work, std::iter::once(owner)))?;
    let own = InstanceId::from_bytes(*delivery.id.as_bytes());
    let record = work.rows.record(owner);
    let erasing = record.and_then(|record| record.erasing.as_ref());
    // What is ordered again is owed anew, and still by the decision about whoever was deleted.
    let is_others = mark(work, owner).is_some_and(|mark| delivery.turn.seq <= mark.seq);
    Ok(is_others || erasing.is_some_and(|erasing| erasing.through != Some(own)))
}
