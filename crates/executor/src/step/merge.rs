//! What becomes of walks that were two persons' and are one's now? Both histories of entry are
//! joined: a live instance that would not have been let in, had they been one person, ends.

use std::collections::BTreeSet;

use wayfare_event::{InstanceId, ProfileId, Timestamp};
use wayfare_identity::{Partition, Profile};
use wayfare_journey::Again;

use super::leave::published;
use super::send;
use super::who::{Live, Who};
use super::work::{NotYet, Work};
use crate::change::guard;
use crate::record::{DecisionOutcome, Guard, Key, Row};
use crate::trace::Note;

/// Settles a profile whose identifiers came from several; does nothing for others.
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
    if former.len() < 2 {
        return Ok(());
    }
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
    // What the other sides remember, of instances that are live and of those that ended.
    let own = guard(&one.owner, instance);
    let elsewhere = guards.iter().filter(|other| **other != own);
    let entries: Vec<Guard> = elsewhere.filter_map(|it| work.rows.guard(it)).collect();
    Ok(match published.graph.entry().again {
        Again::Always => false,
        Again::Once => !earlier.is_empty() || has_decided(work, &entries)?,
        Again::AfterExit => !earlier.is_empty(),
        Again::Every(us) => {
            let since = |entry: &Guard| {
                let after_us = instance.entered.micros_since(entry.entered);
                entry.entered <= instance.entered && after_us < us
            };
            !earlier.is_empty() || entries.iter().any(since)
        }
    })
}

/// Whether one of these entries came to a decision of its own: one that ended as the other half of
/// a merge did not.
fn has_decided(work: &Work<'_>, entries: &[Guard]) -> Result<bool, NotYet> {
    let decisions = || {
        entries
            .iter()
            .map(|it| Key::Decision(it.instance.decision()))
    };
    work.need(decisions())?;
    Ok(decisions()
        .filter_map(|decision| work.rows.row(&decision))
        .any(|row| matches!(row, Row::Decision(it) if it.outcome != DecisionOutcome::Merged)))
}
