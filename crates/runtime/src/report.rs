//! What does an output look like as a line? One JSON object each, keys in a fixed order, as
//! `docs/output.schema.json` describes them.

use wayfare_event::{Map, Number, Timestamp, Value};
use wayfare_executor::delivery::{Outcome, State};
use wayfare_executor::record::{
    ConsentAsked, Decision, DecisionOutcome, Delivery, Paused, Permission, Refusal, Request,
};
use wayfare_executor::{Note, Place};
use wayfare_webhook::{Secrets, shown_headers};

use crate::dispatch;
use crate::engine::Output;

/// One output as a JSON object. Secrets in it are redacted; `note` is what an attempt said beyond
/// its outcome.
#[must_use]
pub fn line(output: &Output, note: Option<&str>, secrets: &Secrets) -> Map {
    match output {
        Output::Decision(decision) => decision_line(decision, secrets),
        Output::Delivery { delivery, at } => delivery_line(delivery, *at, note),
        Output::Refused(refusal) => refusal_line(refusal),
        Output::Control { place, at, paused } => control_line(place, *at, paused.as_ref()),
        Output::Rejected { line, rejection } => {
            let mut map = kind("rejected_event");
            map.insert("line", number(*line));
            map.insert("code", rejection.code.as_str().into());
            map.insert("message", rejection.message.as_str().into());
            map
        }
        Output::Trace { seq, at, notes } => {
            let mut map = kind("trace");
            map.insert("seq", number(*seq));
            map.insert("at", text(at));
            let notes = notes.iter().map(|note| note_map(note).into());
            map.insert("notes", Value::List(notes.collect()));
            map
        }
    }
}

fn kind(kind: &str) -> Map {
    let mut map = Map::new();
    map.insert("kind", kind.into());
    map
}

fn text(value: &impl ToString) -> Value {
    value.to_string().as_str().into()
}

fn number(value: u64) -> Value {
    Number::parse(&value.to_string()).map_or(Value::Null, Value::Number)
}

/// A decision: `docs/output.schema.json#/$defs/decision`.
#[must_use]
pub fn decision_line(decision: &Decision, secrets: &Secrets) -> Map {
    let mut map = kind("decision");
    map.insert("at", text(&decision.at));
    map.insert("journey", Value::Text(decision.journey.clone()));
    map.insert("version", text(&decision.version));
    map.insert("block", Value::Text(decision.block.clone()));
    map.insert("profileId", text(&decision.profile));
    let instance = wayfare_event::InstanceId::from_bytes(*decision.id.as_bytes());
    map.insert("instanceId", text(&instance));
    map.insert("decisionId", text(&decision.id));
    if let Some(key) = &decision.key {
        map.insert("key", Value::Text(key.clone()));
    }
    map.insert("outcome", decision.outcome.as_str().into());
    if let Some(reason) = &decision.reason {
        map.insert("reason", reason.as_str().into());
    }
    if let Some(permission) = &decision.consent {
        map.insert("consent", permission_map(permission).into());
    }
    if let Some(request) = &decision.request {
        map.insert("request", request_map(decision, request, secrets).into());
    }
    if decision.terms.is_some() && decision.outcome == DecisionOutcome::Webhook {
        map.insert("deliveryId", text(&decision.id.delivery()));
    }
    map
}

pub(crate) fn permission_map(permission: &Permission) -> Map {
    let mut map = Map::new();
    match &permission.asked {
        ConsentAsked::Category { category, address } => {
            map.insert("category", Value::Text(category.clone()));
            if let Some(address) = address {
                map.insert("address", Value::Text(address.value.clone()));
            }
        }
        ConsentAsked::Declined { category, address } => {
            map.insert("category", Value::Text(category.clone()));
            map.insert("action", "decline".into());
            if let Some(address) = address {
                map.insert("address", Value::Text(address.value.clone()));
            }
        }
        ConsentAsked::Basis {
            basis,
            because,
            address,
        } => {
            map.insert("basis", basis.as_str().into());
            map.insert("because", Value::Text(because.clone()));
            if let Some(address) = address {
                map.insert("address", Value::Text(address.value.clone()));
            }
        }
    }
    map.insert("allowed", permission.verdict.allowed.into());
    map.insert("reason", permission.verdict.reason.as_str().into());
    let records = permission.verdict.records.iter();
    let records = records.map(|id| Value::Text(id.clone())).collect();
    map.insert("records", Value::List(records));
    map
}

/// A request as it would leave at the decision's time, secrets redacted.
fn request_map(decision: &Decision, request: &Request, secrets: &Secrets) -> Map {
    let mut map = Map::new();
    map.insert("method", request.method.as_str().into());
    let outgoing = dispatch::request(decision.id.delivery(), request, secrets);
    match outgoing {
        Ok(outgoing) => {
            map.insert("url", outgoing.url.as_str().into());
            let seconds = decision.at.as_micros().div_euclid(1_000_000);
            let headers = shown_headers(&outgoing, seconds, secrets);
            let headers = headers
                .into_iter()
                .map(|(name, value)| (name.into(), value.as_str().into()))
                .collect::<Map>();
            map.insert("headers", headers.into());
        }
        Err(_) => map.insert("url", request.url.as_str().into()),
    }
    let body = request.body.as_deref().map(Value::parse);
    if let Some(Ok(body)) = body {
        map.insert("body", body);
    }
    map
}

/// A delivery's state: `docs/output.schema.json#/$defs/delivery`.
#[must_use]
pub fn delivery_line(delivery: &Delivery, at: Timestamp, note: Option<&str>) -> Map {
    let mut map = kind("delivery");
    map.insert("at", text(&at));
    map.insert("deliveryId", text(&delivery.id));
    map.insert("journey", Value::Text(delivery.journey.clone()));
    map.insert("block", Value::Text(delivery.block.clone()));
    map.insert("state", delivery.state.as_str().into());
    map.insert("attempt", number(delivery.attempts.into()));
    let (status, reason) = delivery.state.told();
    let (reason, due) = match delivery.state {
        State::Planned { due } => (last_reason(delivery), Some(due)),
        State::Armed { .. }
        | State::Delivered { .. }
        | State::Rejected { .. }
        | State::Unknown(_)
        | State::Expired(_)
        | State::Withheld(_) => (reason, None),
    };
    let answered = match delivery.last {
        Some(Outcome::Answered { status, .. }) => Some(status),
        Some(Outcome::NotSent(_) | Outcome::Unknown(_)) | None => None,
    };
    let waits = due.and(answered);
    if let Some(status) = status.or(waits) {
        map.insert("status", number(status.into()));
    }
    if let Some(reason) = reason {
        map.insert("reason", reason.into());
    }
    if let Some(due) = due {
        map.insert("due", text(&due));
    }
    let may_have_arrived = match delivery.state {
        State::Rejected { .. } | State::Expired(_) | State::Withheld(_) => delivery.in_doubt,
        State::Planned { .. }
        | State::Armed { .. }
        | State::Delivered { .. }
        | State::Unknown(_) => false,
    };
    if may_have_arrived {
        map.insert("mayHaveArrived", true.into());
    }
    if let Some(note) = note {
        map.insert("note", note.into());
    }
    map
}

const fn last_reason(delivery: &Delivery) -> Option<&'static str> {
    match delivery.last {
        Some(Outcome::NotSent(reason)) => Some(reason.as_str()),
        Some(Outcome::Unknown(reason)) => Some(reason.as_str()),
        Some(Outcome::Answered { .. }) | None => None,
    }
}

/// A refusal: `docs/output.schema.json#/$defs/refused`.
#[must_use]
pub fn refusal_line(refusal: &Refusal) -> Map {
    let mut map = kind("refused");
    map.insert("at", text(&refusal.at));
    let message = refusal.message_id.clone();
    map.insert("messageId", message.map_or(Value::Null, Value::Text));
    map.insert("journey", Value::Text(refusal.journey.clone()));
    map.insert("reason", refusal.code.as_str().into());
    if let Some(leaf) = &refusal.leaf {
        map.insert("leaf", leaf.as_str().into());
    }
    if let Some(value) = &refusal.value {
        map.insert("value", value.as_str().into());
    }
    map
}

/// A journey or a block that was paused or goes on: `docs/output.schema.json#/$defs/journey`.
fn control_line(place: &Place, at: Timestamp, paused: Option<&Paused>) -> Map {
    let mut map = kind("journey");
    map.insert("at", text(&at));
    map.insert("journey", Value::Text(place.journey.clone()));
    if let Some(block) = &place.block {
        map.insert("block", Value::Text(block.clone()));
    }
    let state = if paused.is_some() {
        "paused"
    } else {
        "resumed"
    };
    map.insert("state", state.into());
    if let Some(paused) = paused {
        map.insert("by", Value::Text(paused.by.clone()));
        map.insert("reason", Value::Text(paused.reason.clone()));
    }
    map
}

fn note_map(note: &Note) -> Map {
    let mut map = Map::new();
    match note {
        Note::Duplicate => map.insert("note", "duplicate".into()),
        Note::Unheard(unheard) => {
            map.insert("note", "unheard".into());
            map.insert("dialect", unheard.dialect.as_str().into());
            map.insert("what", Value::Text(unheard.what.clone()));
            map.insert("why", text(&unheard.why));
        }
        Note::Erased => map.insert("note", "erased".into()),
        Note::Attributed(profile) => {
            map.insert("note", "attributed".into());
            map.insert("profileId", text(profile));
        }
        Note::Entered { journey, instance } => {
            map.insert("note", "entered".into());
            map.insert("journey", Value::Text(journey.clone()));
            map.insert("instanceId", text(instance));
        }
        Note::Arrived { instance, block } => {
            map.insert("note", "arrived".into());
            map.insert("instanceId", text(instance));
            map.insert("block", Value::Text(block.clone()));
        }
        Note::Chose { instance, arm } => {
            map.insert("note", "chose".into());
            map.insert("instanceId", text(instance));
            map.insert("arm", number(u64::try_from(*arm).unwrap_or(u64::MAX)));
        }
        Note::Judged {
            condition,
            holds,
            leaf,
            value,
        } => {
            map.insert("note", "judged".into());
            map.insert("condition", condition.as_str().into());
            map.insert("holds", (*holds).into());
            map.insert("leaf", leaf.as_str().into());
            map.insert("value", value.as_str().into());
        }
        Note::Woken { instance, block } => {
            map.insert("note", "woken".into());
            map.insert("instanceId", text(instance));
            map.insert("block", Value::Text(block.clone()));
        }
        Note::Merged(instance) => {
            map.insert("note", "merged".into());
            map.insert("instanceId", text(instance));
        }
    }
    map
}
