//! What follows when somebody is erased? Their walks end, what is known of them goes, and hashes of
//! their identifiers stay; a sweep then reduces the ledger. Not here: who is not heard afterwards
//! (`erased`).

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::{Identifier, IdentifierHash, InstanceId, Namespace, ProfileId};
use wayfare_identity::{Profile, Standing};

use super::sweep;
use super::who::{self, Live, Who};
use super::work::{NotYet, Work};
use super::{attempt, enter_order, event, persons, send};
use crate::change::Change;
use crate::delivery::State;
use crate::forget::{ErasureChange, entry};
use crate::input::{Erase, Operator};
use crate::record::{
    Cause, DecisionOutcome, Delivery, EraseMode, Erased, Erasing, Erasure, Key, Queued, Sweep,
    SweepCause, SweepId, hash,
};

/// Somebody orders an erasure. Of somebody who is not known only the mark is made that keeps them
/// out; where a walk is to end first, the rest waits for it.
pub(super) fn ordered(work: &mut Work<'_>, erase: &Erase, order: &Operator) -> Result<(), NotYet> {
    let erasing = Erasing {
        mode: erase.mode,
        at: work.at,
        by: order.by.clone(),
        reason: order.reason.clone(),
        through: None,
    };
    let Some(held) = Held::look(work, &erase.identifier)? else {
        return unknown(work, &erase.identifier, erase.mode);
    };
    let Some(journey) = &erase.through else {
        return proper(work, &held, erasing);
    };
    let Some(through) = enter_order::enter(work, journey, &erase.identifier)? else {
        return Ok(());
    };
    let erasing = Erasing {
        through: Some(through),
        ..erasing
    };
    // What the walk named or wrote is theirs too.
    let Some(held) = Held::look(work, &erase.identifier)? else {
        return Ok(());
    };
    silence(work, &held, &erasing)?;
    mark(work, &held.identifiers, &erasing);
    if is_over(work, &held, through)? {
        proper(work, &held, erasing)?;
    }
    Ok(())
}

/// What the erasure of somebody waited for is over.
pub(super) fn resumed(work: &mut Work<'_>, owner: &Identifier) -> Result<(), NotYet> {
    let Some(held) = Held::look(work, owner)? else {
        return Ok(());
    };
    let mut records = held
        .identifiers
        .iter()
        .filter_map(|it| work.rows.record(it));
    let erasing = records.find_map(|record| record.erasing.clone());
    let Some(erasing) = erasing else {
        return Ok(());
    };
    match erasing.through {
        Some(through) if is_over(work, &held, through)? => proper(work, &held, (*erasing).clone()),
        Some(_) | None => Ok(()),
    }
}

/// A walk ended, or a delivery is final: an erasure may have waited for it.
pub(super) fn over(work: &mut Work<'_>, owner: &Identifier, walk: InstanceId) {
    let record = work.rows.record(owner);
    let erasing = record.and_then(|record| record.erasing.as_ref());
    if erasing.is_some_and(|erasing| erasing.through == Some(walk)) {
        work.queue(Queued {
            owner: owner.clone(),
            hops: 0,
            cause: Cause::Erased,
        });
    }
}

/// What is kept of an erased identifier bars nothing from now on but what is older than the erasure.
pub(super) fn readmit(work: &mut Work<'_>, identifier: &Identifier) -> Result<(), NotYet> {
    let held = Held::look(work, identifier)?;
    let identifiers = held.map_or_else(|| vec![identifier.clone()], |held| held.identifiers);
    let hashes: Vec<_> = identifiers.iter().map(|it| hashed(work, it)).collect();
    work.need(hashes.iter().copied().map(Key::Erased))?;
    for (identifier, hash) in identifiers.into_iter().zip(hashes) {
        let record = work.rows.record(&identifier);
        if record.is_some_and(|record| record.erasing.is_some()) {
            work.make(Change::Erasure(ErasureChange::Begun {
                owner: identifier,
                erasing: None,
            }));
        }
        let Some(mark) = work.rows.erased(hash).filter(|mark| mark.suppressed) else {
            continue;
        };
        let suppressed = false;
        work.make(Change::Erasure(ErasureChange::Marked {
            hash,
            erased: (mark.epoch > 1).then_some(Erased { suppressed, ..mark }),
        }));
    }
    Ok(())
}

/// The identifiers of somebody: those of the profile, and those that only they ever claimed.
pub(crate) struct Held {
    pub(crate) profile: Profile,
    pub(crate) identifiers: Vec<Identifier>,
}

impl Held {
    /// Whoever an identifier is of; nobody where nothing is known under it.
    pub(crate) fn look(work: &Work<'_>, identifier: &Identifier) -> Result<Option<Self>, NotYet> {
        work.need([Key::Person(identifier.clone())])?;
        let Some(node) = work.rows.links().node(identifier) else {
            return Ok(None);
        };
        let mut profile = who::profile_behind(work, identifier)?;
        if profile.standing == Standing::Evicted {
            // Its one person holds others of its namespace by now, and it is still theirs. Whoever has
            // a claim on it that does not count is somebody else.
            if let Some(anchor) = work.rows.links().claimants(node).first() {
                profile = who::profile_behind(work, anchor)?;
            }
        }
        let catalog = work.catalog;
        let links = work.rows.links();
        let partition = wayfare_identity::resolve(&catalog.identity, &catalog.id_key, links);
        let anchors = profile.identifiers.iter();
        let anchors = anchors.filter(|it| catalog.identity.is_anchor(it));
        let neighbours = anchors
            .filter_map(|anchor| links.node(anchor))
            .flat_map(|node| node.edges());
        let claimed = neighbours.filter(|edge| edge.kind.claims());
        let is_theirs = |other: &Identifier| {
            let node = links.node(other);
            let claimants = node.map(|node| links.claimants(node)).unwrap_or_default();
            claimants.iter().any(|it| profile.identifiers.contains(it))
        };
        let evicted = claimed.filter_map(|edge| {
            let standing = partition.profile_of(&edge.other)?.standing;
            let is_evicted = standing == Standing::Evicted && is_theirs(&edge.other);
            is_evicted.then(|| edge.other.clone())
        });
        let mut identifiers = profile.identifiers.clone();
        for other in evicted {
            if !identifiers.contains(&other) {
                identifiers.push(other);
            }
        }
        let hashes = identifiers.iter().map(|it| Key::Erased(hashed(work, it)));
        work.need(hashes)?;
        work.need(others(work, &identifiers).into_iter().map(Key::Person))?;
        Ok(Some(Self {
            profile,
            identifiers,
        }))
    }

    /// The id of the profile, and those that lead there.
    fn ids(&self, work: &Work<'_>) -> Vec<ProfileId> {
        let own = self.identifiers.iter().map(|it| who::own_id(work, it));
        let ids: BTreeSet<ProfileId> = own.chain([self.profile.id]).collect();
        ids.into_iter().collect()
    }

    fn live(&self, work: &Work<'_>) -> Vec<Live> {
        let records = self.identifiers.iter();
        let records = records.filter_map(|it| Some((it, work.rows.record(it)?)));
        records
            .flat_map(|(owner, record)| {
                record.instances.iter().map(|(id, instance)| Live {
                    owner: owner.clone(),
                    id: *id,
                    instance: instance.clone(),
                })
            })
            .collect()
    }
}

fn hashed(work: &Work<'_>, identifier: &Identifier) -> IdentifierHash {
    hash(&work.catalog.id_key, identifier)
}

/// What is linked to identifiers and none of them.
fn others(work: &Work<'_>, identifiers: &[Identifier]) -> BTreeSet<Identifier> {
    let nodes = identifiers
        .iter()
        .filter_map(|it| work.rows.links().node(it));
    let ends = nodes.flat_map(|node| node.edges().iter().map(|edge| edge.other.clone()));
    ends.filter(|other| !identifiers.contains(other)).collect()
}

/// Somebody who is not known, or was erased before, is kept out.
fn unknown(work: &mut Work<'_>, identifier: &Identifier, mode: EraseMode) -> Result<(), NotYet> {
    let hash = hashed(work, identifier);
    work.need([Key::Erased(hash)])?;
    if !mode.suppresses() {
        return Ok(());
    }
    let held = work.rows.erased(hash);
    let fresh = Erased {
        at: work.at,
        epoch: 1 + u64::from(mode.deletes()),
        seq: 0,
        suppressed: true,
        complete: Some(work.at),
    };
    let erased = held.map_or(fresh, |held| Erased {
        suppressed: true,
        ..held
    });
    work.make(Change::Erasure(ErasureChange::Marked {
        hash,
        erased: Some(erased),
    }));
    if mode.deletes() {
        // Nothing is to be reduced, but the order itself says whom it names.
        begin(work, (vec![hash], Vec::new()), (mode, true));
    }
    Ok(())
}

/// Ends every walk but the one the erasure waits for; no date comes any more.
fn silence(work: &mut Work<'_>, held: &Held, erasing: &Erasing) -> Result<(), NotYet> {
    let Some(owner) = held.identifiers.first() else {
        return Ok(());
    };
    let who = Who::look(work, &held.profile, owner.clone())?;
    for live in held.live(work) {
        if erasing.through != Some(live.id) {
            let decision = send::decision(work, &who, &live, DecisionOutcome::Erased);
            send::decide(work, decision, None);
        }
    }
    for owner in &held.identifiers {
        let record = work.rows.record(owner);
        let journeys = record.into_iter().flat_map(|record| record.dates.keys());
        let journeys: Vec<Arc<str>> = journeys.cloned().collect();
        for journey in journeys {
            work.make(Change::DatePlanned {
                owner: owner.clone(),
                journey,
                planned: None,
            });
        }
    }
    Ok(())
}

/// Nothing is heard of somebody whose rows stay.
fn mark(work: &mut Work<'_>, identifiers: &[Identifier], erasing: &Erasing) {
    let erasing = Arc::new(erasing.clone());
    for owner in identifiers {
        work.make(Change::Erasure(ErasureChange::Begun {
            owner: owner.clone(),
            erasing: Some(erasing.clone()),
        }));
    }
}

/// Whether a walk has ended, and what it owed is final.
fn is_over(work: &Work<'_>, held: &Held, walk: InstanceId) -> Result<bool, NotYet> {
    if held.live(work).iter().any(|live| live.id == walk) {
        return Ok(false);
    }
    let delivery = attempt::delivery(work, walk.decision().delivery())?;
    Ok(delivery.is_none_or(|delivery| delivery.state.is_final()))
}

/// The erasure itself.
fn proper(work: &mut Work<'_>, held: &Held, erasing: Erasing) -> Result<(), NotYet> {
    let mode = erasing.mode;
    let entries = entries(work, held)?;
    let erasing = Erasing {
        through: None,
        ..erasing
    };
    if mode.deletes() {
        load_aliases(work, held)?;
    }
    silence(work, held, &erasing)?;
    let before = event::partition(work);
    let hashes: Vec<_> = held.identifiers.iter().map(|it| hashed(work, it)).collect();
    let profiles = held.ids(work);
    for (identifier, hash) in held.identifiers.iter().zip(&hashes) {
        let before = work.rows.erased(*hash);
        let epoch = work
            .rows
            .links()
            .node(identifier)
            .map_or(1, |it| it.epoch());
        let erased = Some(erased(work, mode, (before, epoch)));
        work.make(Change::Erasure(ErasureChange::Marked {
            hash: *hash,
            erased,
        }));
    }
    if mode.deletes() {
        let others = others(work, &held.identifiers);
        let linked = |identifier: &Identifier| {
            let node = work.rows.links().node(identifier);
            let edges = node.into_iter().flat_map(|node| node.edges());
            let ends: BTreeSet<Identifier> = edges.map(|edge| edge.other.clone()).collect();
            let is_known = |it: &&Identifier| work.rows.links().node(it).is_some();
            ends.intersection(&others)
                .filter(is_known)
                .cloned()
                .collect()
        };
        let others: Vec<Vec<Identifier>> = held.identifiers.iter().map(linked).collect();
        for ((identifier, hash), others) in held.identifiers.iter().zip(&hashes).zip(others) {
            let own = entries.iter().filter(|(owner, ..)| owner == identifier);
            let entries = own.map(|(_, journey, key)| (journey.clone(), key.clone()));
            work.make(Change::Erasure(ErasureChange::Forgotten {
                identifier: identifier.clone(),
                hash: *hash,
                entries: entries.collect(),
                others,
            }));
        }
    } else {
        mark(work, &held.identifiers, &erasing);
    }
    begin(work, (hashes, profiles), (mode, false));
    let after = event::partition(work);
    persons::settle_others(work, (&before, &after), &BTreeSet::new())
}

/// Goes on only when whoever has an alias with the text of an erased anchor is loaded: it counts once
/// nobody goes by that text, and brings them what it names.
fn load_aliases(work: &Work<'_>, held: &Held) -> Result<(), NotYet> {
    let config = &work.catalog.identity;
    let anchors = held.identifiers.iter().filter(|it| config.is_anchor(it));
    for anchor in anchors {
        let former = Identifier::new(Namespace::ANONYMOUS_ID, &anchor.value);
        let profile = who::profile_behind(work, &former)?;
        let node = work.rows.links().node(&former).into_iter();
        let claims = node.flat_map(|node| node.edges());
        for edge in claims.filter(|edge| edge.kind.claims()) {
            who::profile_behind(work, &edge.other)?;
        }
        work.need(profile.identifiers.into_iter().map(Key::Person))?;
    }
    Ok(())
}

/// Lets a sweep begin that reduces the ledger, where that is to be done, and lets the history be
/// redacted.
fn begin(
    work: &mut Work<'_>,
    (hashes, profiles): (Vec<IdentifierHash>, Vec<ProfileId>),
    (mode, is_reduced): (EraseMode, bool),
) {
    let Some(first) = hashes.first() else {
        return;
    };
    // Whoever comes back may be erased again while the ledger is still gone through: each by itself.
    let id = SweepId {
        journey: format!("{first} {}", work.seq).into(),
        cause: SweepCause::Erasure,
    };
    let begins = Sweep {
        at: (!is_reduced).then_some(work.at),
        erasure: Some(Arc::new(Erasure {
            hashes,
            profiles,
            seq: work.seq,
            at: work.at,
            mode,
            is_reduced,
        })),
        ..Sweep::default()
    };
    sweep::moved(work, &id, Some(begins));
}

/// The mark of an identifier, given the one before and which person's it was.
fn erased(work: &Work<'_>, mode: EraseMode, (before, epoch): (Option<Erased>, u64)) -> Erased {
    let epoch = before.map_or(epoch, |before| before.epoch.max(epoch));
    let kept = before.filter(|_| !mode.deletes());
    Erased {
        at: kept.map_or(work.at, |kept| kept.at),
        epoch: epoch.saturating_add(u64::from(mode.deletes())),
        seq: if mode.deletes() {
            work.seq
        } else {
            kept.map_or(0, |kept| kept.seq)
        },
        suppressed: mode.suppresses() || before.is_some_and(|before| before.suppressed),
        complete: None,
    }
}

/// An entry: whose, into which journey, under which key.
type Entry = (Identifier, Arc<str>, Arc<str>);

/// The entries that can be named: of the journeys in force, and of the walks that have not ended.
/// Those of other keys and of journeys that are gone are found by the sweep.
fn entries(work: &Work<'_>, held: &Held) -> Result<Vec<Entry>, NotYet> {
    let current = work.catalog.current();
    let mut places: BTreeSet<(Arc<str>, Arc<str>)> = current
        .map(|published| (published.graph.id().clone(), "".into()))
        .collect();
    places.extend(held.live(work).into_iter().map(|live| {
        let key = live.instance.key.clone();
        (live.instance.journey.clone(), key.unwrap_or_default())
    }));
    let own = held.identifiers.iter().flat_map(|owner| {
        let places = places.iter();
        places.map(|(journey, key)| (owner.clone(), journey.clone(), key.clone()))
    });
    let own: Vec<_> = own.collect();
    let guard = |(owner, journey, key): &Entry| entry(owner, journey, key);
    work.need(own.iter().map(guard))?;
    let is_there = |place: &_| work.rows.guard(&guard(place)).is_some();
    Ok(own.into_iter().filter(is_there).collect())
}

/// A delivery came to an end that an erasure may have waited for.
pub(super) fn delivery_over(
    work: &mut Work<'_>,
    delivery: &Delivery,
    state: State,
) -> Result<(), NotYet> {
    if state.is_final() && !delivery.is_reduced() {
        work.need([Key::Person(delivery.owner.clone())])?;
        let walk = InstanceId::from_bytes(*delivery.id.as_bytes());
        over(work, &delivery.owner, walk);
    }
    Ok(())
}
