//! `wayfare journeys`: which version of each journey is in force, who is inside, and what is paused?

use std::process::ExitCode;

use wayfare_event::Timestamp;
use wayfare_executor::record::{Paused, Sweep, SweepCause};
use wayfare_journey::Version;
use wayfare_runtime::journeys::{self, Blocks, Journey};

use super::inspect::{Inspect, open, settings};
use super::print;
use crate::cli::Format;

/// Hex digits of a version that people are shown.
const VERSION_DIGITS: usize = 8;

/// Prints every journey of a state directory, by id.
pub(crate) fn journeys(inspect: &Inspect) -> anyhow::Result<ExitCode> {
    let settings = settings(&inspect.journeys)?;
    let mut store = open(inspect.state.as_deref(), &settings)?;
    for (id, journey) in journeys::all(&mut *store)? {
        print(&match inspect.format {
            Format::Text => text(&id, &journey),
            Format::Json => json(&id, &journey).to_string(),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(id: &str, journey: &Journey) -> String {
    let in_force = journey.in_force().map(|(version, _)| version);
    let mut lines = vec![match in_force {
        Some(version) => {
            let inside = journey.inside.get(&version);
            format!("{id}  version {}, {}", short(version), inside_text(inside))
        }
        None => format!("{id}  its file is gone"),
    }];
    for (version, blocks) in earlier(journey) {
        let inside = inside_text(Some(blocks));
        lines.push(format!("  earlier version {}, {inside}", short(version)));
    }
    if let Some(Paused { since, by, reason }) = journey.paused() {
        lines.push(format!("  paused since {since} by {by}: {reason}"));
    }
    for (block, Paused { since, by, reason }) in journey.paused_blocks() {
        lines.push(format!(
            "  block {block} paused since {since} by {by}: {reason}"
        ));
    }
    for (cause, sweep) in &journey.sweeps {
        lines.push(format!("  {}", sweep_text(*cause, sweep)));
    }
    lines.join("\n")
}

/// As much of a version as people need to tell it from another.
pub(super) fn short(version: Version) -> String {
    version.to_string().chars().take(VERSION_DIGITS).collect()
}

/// `3 inside: settle 1, wait 2`.
fn inside_text(blocks: Option<&Blocks>) -> String {
    let Some(blocks) = blocks else {
        return "nobody inside".to_owned();
    };
    let parts: Vec<String> = blocks
        .iter()
        .map(|(block, count)| format!("{block} {count}"))
        .collect();
    let total: u64 = blocks.values().sum();
    format!("{total} inside: {}", parts.join(", "))
}

/// The versions that take no entries and that somebody is still in.
fn earlier(journey: &Journey) -> impl Iterator<Item = (Version, &Blocks)> {
    let in_force = journey.in_force().map(|(version, _)| version);
    let inside = journey.inside.iter();
    inside
        .filter(move |(version, _)| Some(**version) != in_force)
        .map(|(version, blocks)| (*version, blocks))
}

fn sweep_text(cause: SweepCause, sweep: &Sweep) -> String {
    let Sweep { seen, queued, .. } = sweep;
    match (sweep.at, &sweep.cursor) {
        (Some(at), None) if cause == SweepCause::Stop => format!("stop of {at} is under way"),
        (Some(at), None) => format!("{} comes round at {at}", cause.as_str()),
        (Some(at), Some(_)) => format!(
            "sweep for {} of {at} is under way: {seen} profiles looked at, {queued} concerned",
            cause.as_str()
        ),
        (None, _) => format!("sweep for {} is about to begin", cause.as_str()),
    }
}

fn json(id: &str, journey: &Journey) -> serde_json::Value {
    let in_force = journey.in_force().map(|(version, _)| version);
    let inside = in_force.and_then(|version| journey.inside.get(&version));
    let earlier: Vec<_> = earlier(journey)
        .map(|(version, blocks)| {
            serde_json::json!({ "version": version.to_string(), "blocks": blocks_json(blocks) })
        })
        .collect();
    let paused = journey.paused().map(paused_json);
    let blocks = journey.paused_blocks();
    let paused_blocks: serde_json::Map<String, serde_json::Value> = blocks
        .map(|(block, paused)| (block.to_string(), paused_json(paused)))
        .collect();
    let sweeps: Vec<_> = journey
        .sweeps
        .iter()
        .map(|(cause, sweep)| {
            serde_json::json!({
                "cause": cause.as_str(),
                "at": sweep.at.as_ref().map(Timestamp::to_string),
                "underWay": sweep.cursor.is_some(),
                "seen": sweep.seen,
                "queued": sweep.queued,
            })
        })
        .collect();
    serde_json::json!({
        "journey": id,
        "version": in_force.map(|version| version.to_string()),
        "blocks": inside.map(blocks_json).unwrap_or_default(),
        "earlier": earlier,
        "paused": paused,
        "pausedBlocks": paused_blocks,
        "sweeps": sweeps,
    })
}

fn paused_json(paused: &Paused) -> serde_json::Value {
    serde_json::json!({
        "since": paused.since.to_string(),
        "by": &*paused.by,
        "reason": &*paused.reason,
    })
}

fn blocks_json(blocks: &Blocks) -> serde_json::Map<String, serde_json::Value> {
    let count = blocks.iter();
    count
        .map(|(block, count)| (block.to_string(), (*count).into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use wayfare_event::Identifier;

    use super::*;

    #[test]
    fn a_sweep_is_told_by_where_it_is() {
        let check = |cause, at: Option<&str>, cursor: Option<&str>, expected: &str| {
            let sweep = Sweep {
                at: at.map(|at| at.parse().unwrap()),
                cursor: cursor.map(|value| Identifier::new("user_id", value)),
                seen: 512,
                queued: 3,
                over: None,
            };
            assert_eq!(sweep_text(cause, &sweep), expected);
        };
        let at = Some("2026-01-26T11:00:00Z");
        check(
            SweepCause::Schedule,
            at,
            None,
            "schedule comes round at 2026-01-26T11:00:00Z",
        );
        check(
            SweepCause::Dates,
            at,
            Some("u512"),
            "sweep for dates of 2026-01-26T11:00:00Z is under way: \
             512 profiles looked at, 3 concerned",
        );
        check(
            SweepCause::Dates,
            None,
            None,
            "sweep for dates is about to begin",
        );
    }
}
