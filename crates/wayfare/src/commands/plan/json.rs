//! What would change, for programs: one object with stable keys.

use serde_json::{Value, json};
use wayfare_event::Timestamp;
use wayfare_journey::Version;
use wayfare_runtime::Fate;
use wayfare_runtime::plan::{Edited, Example, Place};

use super::Planned;

pub(super) fn json(planned: &Planned) -> Value {
    let journeys: Vec<Value> = planned
        .journeys
        .iter()
        .map(|edited| journey(edited, planned))
        .collect();
    let heard = planned.heard;
    json!({
        "changes": planned.changes(),
        "refused": planned.refused(),
        "journeys": journeys,
        "history": {
            "events": heard.events,
            "rejected": heard.rejected,
            "first": text(heard.first),
            "last": text(heard.last),
            "begins": text(planned.begins),
        },
    })
}

fn text(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn journey(edited: &Edited, planned: &Planned) -> Value {
    let version = |version: Option<Version>| version.map(|version| version.to_string());
    let counts = planned.outcomes.counts.iter();
    let requests: Vec<Value> = counts
        .filter(|((of, _), _)| *of == edited.journey)
        .map(|((_, block), count)| {
            json!({
                "block": &**block,
                "before": count.before,
                "after": count.after,
                "starts": count.starts,
                "stops": count.stops,
                "changes": count.changes,
            })
        })
        .collect();
    let examples = planned.outcomes.examples.iter();
    let own = examples.filter(|example| example.journey == edited.journey);
    json!({
        "journey": &*edited.journey,
        "edit": edited.edit.as_str(),
        "before": version(edited.before),
        "after": version(edited.after),
        "inside": edited.places.iter().map(place).collect::<Vec<_>>(),
        "requests": requests,
        "examples": own.map(example).collect::<Vec<_>>(),
    })
}

fn place(place: &Place) -> Value {
    let (then, to, why) = match &place.fate {
        Fate::Finish => ("finish", None, None),
        Fate::Move(block) => ("move", Some(&**block), None),
        Fate::Refused(why) => ("refused", None, Some(why.to_string())),
    };
    json!({
        "version": place.version.to_string(),
        "block": &*place.block,
        "count": place.count,
        "then": then,
        "to": to,
        "why": why,
    })
}

fn example(example: &Example) -> Value {
    json!({
        "what": example.what.as_str(),
        "block": &*example.block,
        "profileId": example.profile.to_string(),
        "key": example.key.as_deref(),
        "at": example.at.to_string(),
        "first": {
            "of": example.first.of,
            "before": example.first.before,
            "after": example.first.after,
        },
    })
}
