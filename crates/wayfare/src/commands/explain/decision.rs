//! One decision in lines: what it was, what allowed or refused it, and every step and attempt.

use wayfare_event::Timestamp;
use wayfare_runtime::explain::Told;

use super::words;

/// The story of a decision.
pub(super) fn text(told: &Told, begins: Option<Timestamp>) -> Vec<String> {
    let decision = &*told.decision;
    let mut lines = vec![
        format!("decision    {} at {}", decision.id, decision.at),
        format!(
            "journey     {} version {}, at block `{}`",
            decision.journey, decision.version, decision.block
        ),
        format!(
            "profile     {} (kept under {})",
            decision.profile, decision.owner
        ),
    ];
    let key = decision.key.as_ref();
    lines.extend(key.map(|key| format!("key         {key}")));
    let reason = decision.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    lines.push(format!("outcome     {}{reason}", decision.outcome.as_str()));
    lines.push(format!("why         {}", words::outcome(told)));
    lines.extend(story(told));
    if let Some(begins) = begins.filter(|begins| decision.at < *begins) {
        lines.push(format!(
            "history     begins at {begins}; what came before is not kept"
        ));
    }
    lines.extend(words::steps(told));
    lines
}

/// Consent with its records, and the delivery.
pub(super) fn story(told: &Told) -> Vec<String> {
    let consent = told.decision.consent.as_ref();
    let mut lines: Vec<String> = consent
        .map(|consent| format!("consent     {}", words::consent(consent)))
        .into_iter()
        .collect();
    let records = told.records.iter();
    lines.extend(records.map(|relied| format!("record      {}", words::record(relied))));
    lines.extend(words::delivery(told));
    let late = told.in_flight.iter();
    lines.extend(late.map(|late| format!("in flight   {}", words::in_flight(late))));
    lines
}
