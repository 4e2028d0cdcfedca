//! How does what is kept of a person read as JSON? One object for each thing, with where it is kept. Not
//! here: finding it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use wayfare_event::{Identifier, InstanceId, Map, Value};
use wayfare_executor::Change;
use wayfare_executor::record::{
    ConsentAsked, Decision, Delivery, Erasing, Guard, Instance, Permission, Person, Register,
};
use wayfare_store::Entry;

use crate::report;

/// The parts that the rows of identifiers fill, in the order of [`person`].
pub(super) const PARTS: [&str; 8] = [
    "identifiers",
    "traits",
    "accounts",
    "consent",
    "countedEvents",
    "instances",
    "dates",
    "refusals",
];

pub(super) fn text(it: &impl Display) -> Value {
    it.to_string().as_str().into()
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter();
    let fields = fields.map(|(name, value)| (Arc::from(name), value));
    fields.collect::<Map>().into()
}

fn optional(it: Option<&Arc<str>>) -> Value {
    it.cloned().map_or(Value::Null, Value::Text)
}

pub(super) fn instant(it: Option<wayfare_event::Timestamp>) -> Value {
    it.as_ref().map_or(Value::Null, text)
}

fn number(count: u64) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

pub(super) fn traits(registers: &BTreeMap<Arc<str>, Register>) -> Map {
    let registers = registers.iter();
    registers
        .map(|(name, it)| {
            let value = object([("value", it.value.clone()), ("at", text(&it.told.at))]);
            (name.clone(), value)
        })
        .collect()
}

/// Adds what is kept under one identifier to each of the [`PARTS`].
pub(super) fn person(identifier: &Identifier, person: &Person, parts: &mut [Vec<Value>; 8]) {
    let [
        named,
        told,
        accounts,
        consent,
        seen,
        instances,
        dates,
        refusals,
    ] = parts;
    let own = || text(identifier);
    let record = &person.record;
    let since = instant(person.node.since());
    named.push(object([
        ("identifier", own()),
        ("firstSeen", since),
        ("links", links(person)),
    ]));
    told.extend(record.traits.iter().map(|(name, it)| {
        object([
            ("identifier", own()),
            ("name", Value::Text(name.clone())),
            ("value", it.value.clone()),
            ("at", text(&it.told.at)),
        ])
    }));
    accounts.extend(record.accounts.iter().map(|(account, told)| {
        object([
            ("identifier", own()),
            ("account", Value::Text(account.clone())),
            ("at", text(&told.at)),
        ])
    }));
    consent.extend(record.consent.iter().map(|it| statement(identifier, it)));
    seen.extend(record.seen.iter().map(|(event, it)| {
        object([
            ("identifier", own()),
            ("event", Value::Text(event.clone())),
            ("count", it.count.into()),
            ("first", text(&it.first)),
            ("last", text(&it.last)),
        ])
    }));
    let live = record.instances.iter();
    instances.extend(live.map(|(id, it)| instance(identifier, (*id, it))));
    dates.extend(record.dates.iter().map(|(journey, it)| {
        object([
            ("identifier", own()),
            ("journey", Value::Text(journey.clone())),
            ("date", text(&it.date)),
            ("due", instant(it.due)),
        ])
    }));
    refusals.extend(record.refusals.values().map(|it| {
        let mut line = report::refusal_line(it);
        line.insert("identifier", own());
        line.into()
    }));
}

/// What an identifier is linked with.
fn links(person: &Person) -> Value {
    let links = person.node.edges().iter().map(|edge| {
        object([
            ("with", text(&edge.other)),
            ("kind", edge.kind.as_str().into()),
            ("since", text(&edge.since)),
            ("latest", text(&edge.latest)),
        ])
    });
    Value::List(links.collect())
}

fn instance(identifier: &Identifier, (id, it): (InstanceId, &Instance)) -> Value {
    let map = |it: &Option<Map>| it.clone().map_or(Value::Null, Value::from);
    let named = it.named.iter().cloned();
    let named = named.map(|(name, event)| (name, event.into()));
    object([
        ("identifier", text(identifier)),
        ("instanceId", text(&id)),
        ("journey", Value::Text(it.journey.clone())),
        ("version", text(&it.version)),
        ("block", Value::Text(it.block.clone())),
        ("key", optional(it.key.as_ref())),
        ("entered", text(&it.entered)),
        ("arrived", text(&it.arrived)),
        ("due", instant(it.due)),
        ("account", optional(it.account.as_ref())),
        ("trigger", map(&it.trigger)),
        ("change", map(&it.change)),
        ("named", named.collect::<Map>().into()),
    ])
}

fn statement(subject: &Identifier, it: &wayfare_consent::Record) -> Value {
    object([
        ("subject", text(subject)),
        ("category", Value::Text(it.category.clone())),
        ("action", it.action.as_str().into()),
        ("at", text(&it.at)),
        ("recordedAt", text(&it.recorded_at)),
        ("id", Value::Text(it.id.clone())),
        ("validUntil", instant(it.valid_until)),
        ("pending", it.pending.into()),
        ("historical", it.historical.into()),
        ("source", optional(it.source.as_ref())),
        ("method", optional(it.method.as_ref())),
        ("notice", optional(it.notice.as_ref())),
        ("regulation", optional(it.regulation.as_ref())),
        ("channel", optional(it.channel.as_ref())),
    ])
}

pub(super) fn erasing(erasing: Option<&Erasing>) -> Value {
    erasing.map_or(Value::Null, |it| {
        object([
            ("at", text(&it.at)),
            ("mode", it.mode.as_str().into()),
            ("by", Value::Text(it.by.clone())),
            ("reason", Value::Text(it.reason.clone())),
            ("through", it.through.as_ref().map_or(Value::Null, text)),
        ])
    })
}

pub(super) fn entry(
    owner: &Identifier,
    (journey, key): (&Arc<str>, &Arc<str>),
    it: Guard,
) -> Value {
    object([
        ("identifier", text(owner)),
        ("journey", Value::Text(journey.clone())),
        ("key", Value::Text(key.clone())),
        ("entered", text(&it.entered)),
        ("instanceId", text(&it.instance)),
    ])
}

pub(super) fn decision(it: &Decision) -> Map {
    let mut map = Map::new();
    map.insert("decisionId", text(&it.id));
    map.insert("at", text(&it.at));
    map.insert("identifier", text(&it.owner));
    map.insert("profileId", text(&it.profile));
    map.insert("journey", Value::Text(it.journey.clone()));
    map.insert("version", text(&it.version));
    map.insert("block", Value::Text(it.block.clone()));
    map.insert("key", optional(it.key.as_ref()));
    map.insert("outcome", it.outcome.as_str().into());
    let reason = it.reason.as_deref();
    map.insert("reason", reason.map_or(Value::Null, Value::from));
    map.insert("consent", permission(it.consent.as_ref()));
    map
}

fn permission(it: Option<&Permission>) -> Value {
    let Some(it) = it else {
        return Value::Null;
    };
    let (category, address, basis) = match &it.asked {
        ConsentAsked::Category { category, address }
        | ConsentAsked::Declined { category, address } => (Some(category), address.as_ref(), None),
        ConsentAsked::Basis { because, .. } => (None, None, Some(because)),
    };
    let records = it.verdict.records.iter().cloned().map(Value::Text);
    object([
        ("category", optional(category)),
        ("address", address.map_or(Value::Null, text)),
        ("because", optional(basis)),
        ("allowed", it.verdict.allowed.into()),
        ("reason", it.verdict.reason.as_str().into()),
        ("records", Value::List(records.collect())),
    ])
}

/// A delivery with its request. Secrets stand in it as references only, and are not told.
pub(super) fn delivery(it: &Delivery) -> Map {
    let mut map = report::delivery_line(it, it.decided, None);
    let headers = it.request.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.as_str().into()));
    let body = it.request.body.as_deref();
    let body = body.map_or(Value::Null, |body| {
        Value::parse(body).unwrap_or_else(|_| body.into())
    });
    let request = object([
        ("method", it.request.method.as_str().into()),
        ("url", it.request.url.as_str().into()),
        ("headers", headers.collect::<Map>().into()),
        ("body", body),
    ]);
    map.insert("request", request);
    map
}

/// How a delivery moved on; nothing for other changes.
pub(super) fn moved(change: &Change) -> Option<Map> {
    let Change::DeliveryMoved {
        state, at, consent, ..
    } = change
    else {
        return None;
    };
    let (status, reason) = state.told();
    let mut map = Map::new();
    map.insert("at", text(at));
    map.insert("state", state.as_str().into());
    let status = status.map(|status| number(status.into()));
    map.insert("status", status.unwrap_or_default());
    map.insert("reason", reason.map_or(Value::Null, Value::from));
    map.insert("consent", permission(consent.as_ref()));
    Some(map)
}

pub(super) fn event(entry: &Entry, source: &Arc<str>, json: &Arc<str>) -> Map {
    let mut map = Map::new();
    map.insert("seq", number(entry.seq));
    map.insert("at", text(&entry.at));
    map.insert("source", Value::Text(source.clone()));
    let event = Value::parse(json).unwrap_or_else(|_| Value::Text(json.clone()));
    map.insert("event", event);
    map
}
