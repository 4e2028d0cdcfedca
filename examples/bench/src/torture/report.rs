//! What is said of a torture when it is over?

use std::collections::BTreeMap;

use super::audit::{Offence, copies, states};
use super::evidence::{Evidence, Kind};
use super::lives::Done;
use super::receiver::Record;
use crate::say;

/// Offences against one rule that are shown.
const SHOWN: usize = 8;

/// Says what was done to the server.
pub(super) fn done(done: &Done, moves: (u32, u32), seed: u64) -> anyhow::Result<()> {
    let Done {
        kills, early, full, ..
    } = done;
    say(&format!(
        "killed     {kills} times, {early} of them while it started; seed {seed}"
    ))?;
    say(&format!(
        "full       {full} times files could not grow or the disk was full: it ended with status 2"
    ))?;
    say(&format!(
        "clock      moved {} times forwards, {} times backwards",
        moves.0, moves.1
    ))?;
    let mut starts = done.starts_ms.clone();
    starts.sort_unstable();
    let at = |index: usize| starts.get(index).copied().unwrap_or_default();
    say(&format!(
        "start      {} ms until it listened (median of {}), {} ms at most",
        at(starts.len() / 2),
        starts.len(),
        at(starts.len().saturating_sub(1))
    ))
}

/// Says what came over the wire.
pub(super) fn wire(record: &BTreeMap<super::receiver::Behaviour, u64>) -> anyhow::Result<()> {
    let treated: Vec<String> = record
        .iter()
        .map(|(behaviour, count)| format!("{behaviour:?} {count}"))
        .collect();
    say(&format!("receiver   {}", treated.join(", ")))
}

/// Says what was decided and where deliveries stand.
pub(super) fn evidence(evidence: &Evidence, (events, again): (u64, u64)) -> anyhow::Result<()> {
    say(&format!(
        "events     {events} sent, {again} requests sent again, {} acknowledged that owe a decision",
        evidence.acknowledged.len()
    ))?;
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    for decision in evidence.decisions.values() {
        *outcomes.entry(&decision.outcome).or_default() += 1;
    }
    say(&format!("decisions  {}", counted(&outcomes)))?;
    let states = states(evidence);
    for kind in Kind::ALL {
        let of_kind = states.iter().filter(|((of, _), _)| *of == kind);
        let of_kind: BTreeMap<&str, u64> = of_kind
            .map(|((_, state), count)| (state.as_str(), *count))
            .collect();
        let promise = if kind.is_at_most_once() {
            "at most once"
        } else {
            "at least once"
        };
        say(&format!(
            "  {:<9} {promise:<13}  {}",
            kind.journey(),
            counted(&of_kind)
        ))?;
    }
    let copies = copies(evidence);
    say(&format!(
        "copies     at most once: {} requests came again, each after 429 or 503 with Retry-After",
        copies.once
    ))?;
    say(&format!(
        "           at least once: {} came again after something else, same id and same bytes",
        copies.at_least_once
    ))?;
    say(&format!(
        "unknown    {} of which nothing was ever seen: killed between the arming and the first byte, \
         or reset unread",
        copies.unknown_unseen
    ))?;
    say(&format!(
        "given up   {} at least once, expired or withheld after an attempt that may have been taken",
        copies.given_up_unsure
    ))
}

fn counted<T: std::fmt::Display>(counts: &BTreeMap<T, u64>) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

/// How long after the last start the last webhook came that was owed before it: seconds, and how
/// many there were. Those that wait for the one before them at their target are left out.
pub(super) fn late(evidence: &Evidence, restart_ms: u64) -> (f64, usize) {
    let mut seen = std::collections::BTreeSet::new();
    let (mut last_ms, mut count) = (restart_ms, 0);
    for request in &evidence.requests {
        let is_first = seen.insert(request.id.as_str());
        let waits = request.kind == Kind::Plan || !request.kind.is_immediate();
        if !is_first || request.at_ms < restart_ms || waits {
            continue;
        }
        let delivery = evidence.deliveries.get(&request.id);
        let event = delivery.and_then(|it| evidence.acknowledged.get(&it.event));
        if event.is_some_and(|event| event.at_ms < restart_ms) {
            last_ms = last_ms.max(request.at_ms);
            count += 1;
        }
    }
    let late = std::time::Duration::from_millis(last_ms - restart_ms);
    (late.as_secs_f64(), count)
}

/// Says what does not fit; whether everything does.
pub(super) fn verdict(offences: &[Offence]) -> anyhow::Result<bool> {
    let mut by_rule: BTreeMap<_, Vec<&Offence>> = BTreeMap::new();
    for offence in offences {
        by_rule.entry(offence.rule).or_default().push(offence);
    }
    for (rule, offences) in &by_rule {
        say(&format!("FAILED {rule:?}: {} offences", offences.len()))?;
        for offence in offences.iter().take(SHOWN) {
            say(&format!("       {}", offence.words))?;
        }
    }
    if by_rule.is_empty() {
        say(
            "ok     nothing acknowledged is lost, no decision is doubled, every copy on the wire is allowed,",
        )?;
        say("       every state is what the receiver knows or `unknown`, and the sums agree")?;
    }
    Ok(by_rule.is_empty())
}

/// Moves what was recorded into the evidence.
pub(super) fn take(record: Record, evidence: &mut Evidence) {
    evidence.requests = record.requests;
}
