//! What becomes of walks that were two persons' and are one's now? Both histories of entry are
//! joined: a live instance that would not have been let in, had they been one person, ends.

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::{Identifier, InstanceId, ProfileId, Timestamp};
use wayfare_identity::{Partition, Profile};
use wayfare_journey::{Again, TraitOf, TriggerOn};

use super::enter::{self, Refused};
use super::leave::published;
use super::send;
use super::start::Start;
use super::who::{self, Live, Who};
use super::work::{NotYet, Work};
use super::write::TraitChanged;
use crate::change::Change;
use crate::forget::entry as guard;
use crate::record::{DecisionOutcome, Guard, Key, Row};
use crate::refusal::RefusalCode;
use crate::trace::Note;

/// Settles a profile that identifiers have joined; does nothing for others.
pub(crate) fn settle(
    work: &mut Work<'_>,
    who: &Who,
    before: &Partition,
    profile: &Profile,
) -> Result<(), NotYet> {
    let former: BTreeSet<ProfileId> = profile
        .identifiers
        .iter()
        .filter_map(|identifier| before.profile_of(identifier))
        .map(|profile| profile.id)
        .collect();
    if former.len() > 1 {
        merge(work, who)?;
    }
    if profile.anchor().is_some() && former.iter().any(|id| *id != profile.id) {
        adopt(work, who, profile)?;
    }
    Ok(())
}

/// Records where a merge changed a trait that would have started a journey: history gained starts
/// nothing. What the event itself told is not of the merge.
pub(crate) fn refuse_history(
    work: &mut Work<'_>,
    who: &Who,
    (before, profile): (&Partition, &Profile),
    told: &[TraitChanged],
) {
    let identifiers = profile.identifiers.iter();
    let former: Vec<&Profile> = identifiers
        .filter_map(|identifier| before.profile_of(identifier))
        .collect();
    let ids: BTreeSet<ProfileId> = former.iter().map(|it| it.id).collect();
    // Whoever is told apart gains nothing.
    if ids.len() < 2 {
        return;
    }
    let catalog = work.catalog;
    for published in catalog.current() {
        let TriggerOn::Trait(change) = &published.graph.trigger().on else {
            continue;
        };
        let is_told = told.iter().any(|told| told.name == change.name);
        if change.of != TraitOf::Profile || is_told {
            continue;
        }
        let current = who::trait_of(&work.rows, profile, &change.name);
        let gained = |former: &&Profile| {
            let previous = who::trait_of(&work.rows, former, &change.name);
            change.matches(&previous, &current)
        };
        if former.iter().any(gained) {
            let start = Start::at(work.at, String::new());
            let refused = Refused::from(RefusalCode::MergedHistory);
            enter::refuse(work, who, &start, (published.graph.id(), refused));
        }
    }
}

/// What was somebody's before they were known is their anchor's from now on: it stays theirs when the
/// identifier it came from turns out to be shared.
fn adopt(work: &mut Work<'_>, who: &Who, profile: &Profile) -> Result<(), NotYet> {
    // What another anchor has is seen through the merge that made them one, and stays theirs when an
    // operator tells the two apart.
    let catalog = work.catalog;
    let is_anchor = |it: &Identifier| catalog.identity.is_anchor(it);
    let mut entries = Vec::new();
    for live in who.live(&work.rows) {
        if is_anchor(&live.owner) {
            continue;
        }
        let (journey, key) = (live.instance.journey.clone(), live.instance.key.clone());
        entries.push((live.owner.clone(), journey, key.unwrap_or_default()));
        let to = who::home(work, profile, &live.owner).clone();
        work.make(Change::Rehomed {
            from: live.owner,
            to,
            id: live.id,
        });
    }
    for other in profile.identifiers.iter().filter(|it| !is_anchor(it)) {
        let record = work.rows.record(other);
        for (journey, keys) in record.into_iter().flat_map(|record| &record.keys) {
            let listed = keys.iter();
            entries.extend(listed.map(|key| (other.clone(), journey.clone(), key.clone())));
        }
    }
    keep(work, profile, entries)
}

/// Remembers entries under the anchors that they are of.
fn keep(
    work: &mut Work<'_>,
    profile: &Profile,
    entries: Vec<(Identifier, Arc<str>, Arc<str>)>,
) -> Result<(), NotYet> {
    let entries = entries.into_iter().map(|(from, journey, key)| {
        let to = who::home(work, profile, &from).clone();
        (from, to, (journey, key))
    });
    let entries: Vec<_> = entries.collect();
    work.need(entries.iter().flat_map(|(from, to, (journey, key))| {
        [guard(from, journey, key), guard(to, journey, key)]
    }))?;
    for (from, owner, (journey, key)) in entries {
        let Some(entry) = work.rows.guard(&guard(&from, &journey, &key)) else {
            continue;
        };
        // What ended as the other half of a merge must not hide the half that stayed.
        if is_merged(work, &entry)? {
            continue;
        }
        let held = work.rows.guard(&guard(&owner, &journey, &key));
        let replaces = match held {
            Some(held) => is_merged(work, &held)?,
            None => false,
        };
        work.make(Change::EntryKept {
            owner,
            journey,
            key,
            entry,
            replaces,
        });
    }
    Ok(())
}

/// Whether an entry ended as the other half of a merge.
fn is_merged(work: &Work<'_>, entry: &Guard) -> Result<bool, NotYet> {
    Ok(outcome(work, entry)? == Some(DecisionOutcome::Merged))
}

/// How an entry ended; nothing while it is live.
fn outcome(work: &Work<'_>, entry: &Guard) -> Result<Option<DecisionOutcome>, NotYet> {
    let decision = Key::Decision(entry.instance.decision());
    work.need([decision.clone()])?;
    Ok(match work.rows.row(&decision) {
        Some(Row::Decision(decision)) => Some(decision.outcome),
        Some(_) | None => None,
    })
}

/// Ends every live instance that the one person would not have been let in with.
fn merge(work: &mut Work<'_>, who: &Who) -> Result<(), NotYet> {
    let live = who.live(&work.rows);
    let mut stayed: Vec<&Live> = Vec::new();
    for one in &live {
        let same = |other: &&&Live| {
            other.instance.journey == one.instance.journey && other.instance.key == one.instance.key
        };
        let earlier: Vec<(InstanceId, Timestamp)> = stayed
            .iter()
            .filter(same)
            .map(|other| (other.id, other.instance.entered))
            .collect();
        if is_refused(work, who, one, &earlier)? {
            work.trace.note(|| Note::Merged(one.id));
            let decision = send::decision(work, who, one, DecisionOutcome::Merged);
            send::decide(work, decision, None);
        } else {
            stayed.push(one);
        }
    }
    Ok(())
}

/// Whether the one person would have been refused this entry (SP 16).
fn is_refused(
    work: &Work<'_>,
    who: &Who,
    one: &Live,
    earlier: &[(InstanceId, Timestamp)],
) -> Result<bool, NotYet> {
    let instance = &one.instance;
    let Some(published) = published(work, instance) else {
        return Ok(false);
    };
    let guards = who.guards(&instance.journey, instance.key.as_ref());
    work.need(guards.iter().cloned())?;
    // What is remembered of others, each with whether it has ended. One that ended as the other half
    // of a merge would not have begun, had they been one.
    let mut entries: Vec<(Guard, bool)> = Vec::new();
    for guard in &guards {
        let entry = work.rows.guard(guard).filter(|it| it.instance != one.id);
        if let Some(entry) = entry {
            let outcome = outcome(work, &entry)?;
            if outcome != Some(DecisionOutcome::Merged) {
                entries.push((entry, outcome.is_some()));
            }
        }
    }
    Ok(match published.graph.entry().again {
        Again::Always => false,
        Again::Once => !earlier.is_empty() || entries.iter().any(|(_, has_ended)| *has_ended),
        Again::AfterExit => !earlier.is_empty(),
        Again::Every(us) => {
            let since = |(entry, _): &(Guard, bool)| {
                let after_us = instance.entered.micros_since(entry.entered);
                let is_before = (entry.entered, entry.instance) < (instance.entered, one.id);
                is_before && after_us < us
            };
            !earlier.is_empty() || entries.iter().any(since)
        }
    })
}
