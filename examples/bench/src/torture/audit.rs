//! Does what was acknowledged, decided, sent and shown fit together, as `docs/delivery.md` promises?
//! Looked at from outside only. Not here: gathering the evidence.

mod doctor;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Evidence, Kind};

pub(super) use doctor::doctor;
pub(super) use wire::copies;

/// What is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// Every acknowledged event has its decision.
    NothingLost,
    /// No event has two decisions.
    NothingDoubled,
    /// No decision follows from what was never sent.
    NothingStray,
    /// Every decision ends as it must.
    RightOutcome,
    /// Webhook decisions and deliveries are the same, and every delivery is final.
    SumsAgree,
    /// A request comes again only where that is allowed.
    CopiesAllowed,
    /// Every request of a delivery is the same, and the one that is owed.
    SameRequest,
    /// A delivery's state is what the receiver knows, or `unknown`.
    StateTrue,
    /// Requests for one target leave in the order of their decisions, each when the one before is
    /// final.
    OrderKept,
    /// Nothing leaves after consent was withdrawn.
    ConsentKept,
    /// What was noticed on the way: bad answers, wrong ends, history and ledger that differ.
    NothingNoticed,
}

/// One thing that does not fit.
#[derive(Clone, Debug)]
pub(super) struct Offence {
    /// Against what.
    pub(super) rule: Rule,
    /// The evidence, in words.
    pub(super) words: String,
}

impl Offence {
    const fn new(rule: Rule, words: String) -> Self {
        Self { rule, words }
    }
}

/// Everything that does not fit.
pub(super) fn audit(evidence: &Evidence) -> Vec<Offence> {
    let mut offences = Vec::new();
    decisions(evidence, &mut offences);
    sums(evidence, &mut offences);
    wire::audit(evidence, &mut offences);
    let noticed = evidence.noticed.iter();
    offences.extend(noticed.map(|words| Offence::new(Rule::NothingNoticed, words.clone())));
    offences
}

/// Each acknowledged event has one decision, of the right kind and end; no other event has one.
fn decisions(evidence: &Evidence, offences: &mut Vec<Offence>) {
    let mut by_event: BTreeMap<u64, Vec<&String>> = BTreeMap::new();
    for (id, decision) in &evidence.decisions {
        match decision.event {
            Some(event) => by_event.entry(event).or_default().push(id),
            None => {
                let words = format!("{id} ended `{}` and names no event", decision.outcome);
                offences.push(Offence::new(Rule::RightOutcome, words));
            }
        }
    }
    for (event, acknowledged) in &evidence.acknowledged {
        let kind = acknowledged.kind;
        let words = || {
            let (name, at_ms) = (kind.journey(), acknowledged.at_ms);
            format!("event {event} ({name}, acknowledged at {at_ms} ms)")
        };
        let found = by_event.get(event).map_or(&[][..], Vec::as_slice);
        if found.is_empty() {
            offences.push(Offence::new(Rule::NothingLost, words()));
        }
        for decision in found.iter().filter_map(|id| evidence.decisions.get(*id)) {
            if decision.kind != kind || !acknowledged.expected.allows(&decision.outcome) {
                let words = format!(
                    "{}: expected {:?}, decided `{}` by {}",
                    words(),
                    acknowledged.expected,
                    decision.outcome,
                    decision.kind.journey()
                );
                offences.push(Offence::new(Rule::RightOutcome, words));
            }
        }
    }
    for (event, found) in &by_event {
        if found.len() > 1 {
            let words = format!("event {event}: decisions {found:?}");
            offences.push(Offence::new(Rule::NothingDoubled, words));
        }
        let is_known =
            evidence.acknowledged.contains_key(event) || evidence.unclear.contains_key(event);
        if !is_known {
            let words = format!("event {event}: decisions {found:?}, and nobody sent it");
            offences.push(Offence::new(Rule::NothingStray, words));
        }
    }
}

/// Webhook decisions are deliveries, one for one; each is final and its state one of those there are.
fn sums(evidence: &Evidence, offences: &mut Vec<Offence>) {
    let decisions = evidence.decisions.iter();
    let owed: BTreeSet<&String> = decisions
        .filter(|(_, decision)| decision.outcome == "webhook")
        .map(|(id, _)| id)
        .collect();
    let have: BTreeSet<&String> = evidence.deliveries.keys().collect();
    for id in owed.symmetric_difference(&have) {
        let words = if owed.contains(*id) {
            format!("{id} is a webhook decision without a delivery")
        } else {
            format!("{id} is a delivery without a webhook decision")
        };
        offences.push(Offence::new(Rule::SumsAgree, words));
    }
    for (id, delivery) in &evidence.deliveries {
        if !FINAL.contains(&delivery.state.as_str()) {
            let words = format!("{id} is still `{}`", delivery.state);
            offences.push(Offence::new(Rule::SumsAgree, words));
        }
    }
}

/// The states in which a delivery stays.
const FINAL: [&str; 5] = ["delivered", "rejected", "unknown", "expired", "withheld"];

/// How many deliveries of each kind are in each state.
pub(super) fn states(evidence: &Evidence) -> BTreeMap<(Kind, String), u64> {
    let mut states = BTreeMap::new();
    for delivery in evidence.deliveries.values() {
        let state = match (delivery.state.as_str(), delivery.reason.as_str()) {
            (state, "") => state.to_owned(),
            (state, reason) => format!("{state}({reason})"),
        };
        *states.entry((delivery.kind, state)).or_default() += 1;
    }
    states
}

#[cfg(test)]
mod tests;
