//! The same as JSON: one object, with the sentences beside the facts.

use serde_json::{Value, json};
use wayfare_event::Timestamp;
use wayfare_runtime::explain::{Contaminated, Inside, Person, Relied, Told, Waited, Waits};

use super::words;

/// One decision.
pub(super) fn decision(told: &Told, begins: Option<Timestamp>) -> Value {
    let mut value = self::told(told);
    if let Some(map) = value.as_object_mut() {
        map.insert("historyBegins".to_owned(), json!(text(begins)));
    }
    value
}

/// One person in one journey.
pub(super) fn person(person: &Person) -> Value {
    let identifiers = person.profile.identifiers.iter().map(ToString::to_string);
    let refusals = person.refusals.iter().map(|refusal| {
        json!({
            "at": refusal.at.to_string(),
            "reason": refusal.code.as_str(),
            "why": words::refused(refusal.code),
            "messageId": refusal.message_id.as_deref(),
            "leaf": refusal.leaf,
            "value": refusal.value,
        })
    });
    json!({
        "profileId": person.profile.id.to_string(),
        "formerId": person.former.map(|id| id.to_string()),
        "identifiers": identifiers.collect::<Vec<_>>(),
        "journey": &*person.journey,
        "version": person.in_force.map(|version| version.to_string()),
        "paused": person.paused.as_ref().map(|paused| json!({
            "since": paused.since.to_string(),
            "by": &*paused.by,
            "reason": &*paused.reason,
        })),
        "inside": person.inside.iter().map(inside).collect::<Vec<_>>(),
        "planned": person.planned.map(|planned| json!({
            "date": planned.date.to_string(),
            "due": text(planned.due),
        })),
        "refusals": refusals.collect::<Vec<_>>(),
        "decisions": person.decisions.iter().map(told).collect::<Vec<_>>(),
        "earlierDecisions": person.earlier,
        "contaminated": person.contaminated.iter().map(contaminated).collect::<Vec<_>>(),
        "seen": person.sighting.as_ref().map(|sighting| json!({
            "count": sighting.count,
            "at": sighting.at.to_string(),
            "event": &*sighting.name,
            "messageId": sighting.message_id.as_deref(),
        })),
        "historyBegins": text(person.begins),
    })
}

fn text(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn inside(inside: &Inside) -> Value {
    let instance = &inside.instance;
    let things = match &inside.waits {
        Waits::Time | Waits::Unread => Vec::new(),
        Waits::Things(things) => things.iter().map(waited).collect(),
    };
    json!({
        "instanceId": inside.id.to_string(),
        "owner": inside.owner.to_string(),
        "version": instance.version.to_string(),
        "block": &*instance.block,
        "key": instance.key.as_deref(),
        "enteredAs": instance.profile.to_string(),
        "entered": instance.entered.to_string(),
        "arrived": instance.arrived.to_string(),
        "due": text(instance.due),
        "waitsFor": things,
    })
}

fn waited(waited: &Waited) -> Value {
    match waited {
        Waited::Event(event) => json!({ "event": event }),
        Waited::Condition(condition, leaf) => json!({
            "when": condition,
            "leaf": leaf.as_ref().map(|leaf| &leaf.source),
            "value": leaf.as_ref().map(|leaf| leaf.value.to_string()),
        }),
    }
}

fn contaminated(split: &Contaminated) -> Value {
    let arms = split.arms.iter();
    let arms = arms.map(|(arm, profile)| json!({ "arm": &**arm, "as": profile.to_string() }));
    json!({
        "block": &*split.block,
        "key": split.key.as_deref(),
        "arms": arms.collect::<Vec<_>>(),
    })
}

fn relied(relied: &Relied) -> Value {
    json!({
        "id": &*relied.record.id,
        "subject": relied.subject.to_string(),
        "category": &*relied.record.category,
        "action": relied.record.action.as_str(),
        "at": relied.record.at.to_string(),
        "recordedAt": relied.record.recorded_at.to_string(),
        "source": relied.record.source.as_deref(),
        "validFrom": text(relied.record.valid_from),
        "validUntil": text(relied.record.valid_until),
    })
}

fn told(told: &Told) -> Value {
    let decision = &told.decision;
    let records = told.records.iter().map(relied);
    let in_flight = told.in_flight.iter().map(relied);
    let verdict = decision.consent.as_ref().map(|consent| {
        json!({
            "allowed": consent.verdict.allowed,
            "reason": consent.verdict.reason.as_str(),
            "asked": words::consent(consent),
        })
    });
    json!({
        "decisionId": decision.id.to_string(),
        "at": decision.at.to_string(),
        "journey": &*decision.journey,
        "version": decision.version.to_string(),
        "block": &*decision.block,
        "key": decision.key.as_deref(),
        "profileId": decision.profile.to_string(),
        "outcome": decision.outcome.as_str(),
        "reason": decision.reason,
        "why": words::outcome(told),
        "consent": verdict,
        "records": records.collect::<Vec<_>>(),
        "inFlight": in_flight.collect::<Vec<_>>(),
        "delivery": told.delivery.as_ref().map(|delivery| json!({
            "deliveryId": delivery.id.to_string(),
            "state": delivery.state.as_str(),
            "attempts": delivery.attempts,
            "method": delivery.request.method.as_str(),
            "url": delivery.request.url,
        })),
        "steps": words::steps(told),
    })
}
