//! How does the auditor see what the engine keeps? Rows and outputs as plain facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{IdKey, Identifier, Timestamp, Value};
use wayfare_executor::delivery::{NotSentReason, Outcome, State, UnknownReason};
use wayfare_executor::record::{ConsentAsked, Request};
use wayfare_executor::{Catalog, Key, Row, Snapshot, view};
use wayfare_identity::Links;
use wayfare_journey::definition::DeliveryMode;
use wayfare_runtime::Output;

use crate::facts::{self, Asked, Ended, Shown, Told};
use crate::receiver::Fate;
use crate::stores::ID_KEY;

/// The digits of an id, without what says of which kind it is.
pub(crate) fn digits(id: &impl ToString) -> String {
    let text = id.to_string();
    text.rsplit('_').next().unwrap_or_default().to_owned()
}

/// What a row is found by, as text.
pub(crate) fn key(key: &Key) -> String {
    match key {
        Key::Person(identifier) => format!("person {identifier}"),
        Key::Decision(id) => format!("decision {}", digits(id)),
        Key::Delivery(id) => format!("delivery {}", digits(id)),
        Key::Control(journey) => format!("control {journey}"),
        Key::Queued(id) => format!("queued {}.{}", id.seq, id.place),
        Key::Account(_)
        | Key::Guard { .. }
        | Key::Message(_)
        | Key::Version(..)
        | Key::Sweep(_) => format!("other {key:?}"),
        Key::Erased(hash) => format!("erased {hash}"),
    }
}

/// What stands in a row.
pub(crate) fn row(row: &Row) -> facts::Row {
    match row {
        Row::Person(person) => {
            let instances = person.record.instances.iter();
            let instances = instances.map(|(id, it)| {
                let instance = facts::Instance {
                    journey: it.journey.to_string(),
                    version: it.version.to_string(),
                    block: it.block.to_string(),
                    entered: it.entered.as_micros(),
                    arrived: it.arrived.as_micros(),
                    due: it.due.map(Timestamp::as_micros),
                    key: it.key.as_ref().map(ToString::to_string),
                    arms: texts(&it.arms),
                };
                (digits(id), instance)
            });
            facts::Row::Person(facts::Person {
                traits: person
                    .record
                    .traits
                    .keys()
                    .map(|it| it.to_string())
                    .collect(),
                instances: instances.collect(),
            })
        }
        Row::Decision(it) => facts::Row::Decision(facts::Decision {
            at: it.at.as_micros(),
            journey: it.journey.to_string(),
            version: it.version.to_string(),
            block: it.block.to_string(),
            profile: it.profile.to_string(),
            owner: it.owner.to_string(),
            key: it.key.as_ref().map(ToString::to_string),
            outcome: it.outcome.as_str().to_owned(),
            asked: it.consent.as_ref().map(|it| asked(&it.asked)),
        }),
        Row::Delivery(it) => facts::Row::Delivery(delivery(it)),
        Row::Control(it) => facts::Row::Control(facts::Control {
            in_force: it.in_force.map(|it| it.to_string()),
            paused: it.paused.as_ref().map(|it| it.by.to_string()),
            blocks: it
                .blocks
                .iter()
                .filter_map(|(block, it)| {
                    Some((block.to_string(), it.paused.as_ref()?.by.to_string()))
                })
                .collect(),
        }),
        Row::Queued(_) => facts::Row::Queued,
        Row::Account(_) | Row::Guard(_) | Row::Message(_) | Row::Version(_) | Row::Sweep(_) => {
            facts::Row::Other
        }
        Row::Erased(it) => facts::Row::Erased(it.at.as_micros()),
    }
}

fn texts(arms: &BTreeMap<Arc<str>, Arc<str>>) -> BTreeMap<String, String> {
    let arms = arms.iter();
    arms.map(|(block, arm)| (block.to_string(), arm.to_string()))
        .collect()
}

fn delivery(it: &wayfare_executor::record::Delivery) -> facts::Delivery {
    let (status, reason) = it.state.told();
    let due = match it.state {
        State::Planned { due } => Some(due.as_micros()),
        State::Armed { .. }
        | State::Delivered { .. }
        | State::Rejected { .. }
        | State::Unknown(_)
        | State::Expired(_)
        | State::Withheld(_) => None,
    };
    facts::Delivery {
        journey: it.journey.to_string(),
        block: it.block.to_string(),
        owner: it.owner.to_string(),
        profile: digits(&it.profile),
        asked: asked(&it.asked),
        request: request(&it.request),
        once: it.terms.mode == DeliveryMode::AtMostOnce,
        window_us: it.terms.window_us,
        is_varied: it.terms.is_varied,
        decided: it.decided.as_micros(),
        state: it.state.as_str().to_owned(),
        status,
        reason: reason.map(str::to_owned),
        due,
        attempts: it.attempts,
    }
}

/// A request as it leaves.
pub(crate) fn request(it: &Request) -> facts::Request {
    facts::Request {
        method: it.method.as_str().to_owned(),
        url: it.url.clone(),
        body: it.body.clone(),
    }
}

fn asked(asked: &ConsentAsked) -> Asked {
    let (category, declines, address) = match asked {
        ConsentAsked::Category { category, address } => (Some(category), false, address.as_ref()),
        ConsentAsked::Declined { category, address } => (Some(category), true, address.as_ref()),
        ConsentAsked::Basis { address, .. } => (None, false, address.as_ref()),
    };
    Asked {
        category: category.map(ToString::to_string),
        declines,
        address: address.map(ToString::to_string),
    }
}

/// What the outside is told.
pub(crate) fn told(output: &Output) -> Told {
    match output {
        Output::Decision(it) => Told::Decision {
            id: digits(&it.id),
            outcome: it.outcome.as_str().to_owned(),
        },
        Output::Delivery { delivery: it, .. } => Told::Delivery {
            id: digits(&it.id),
            state: it.state.as_str().to_owned(),
            attempts: it.attempts,
        },
        Output::Refused(it) => Told::Refused {
            journey: it.journey.to_string(),
            message: it.message_id.as_ref().map(ToString::to_string),
            reason: it.code.as_str().to_owned(),
        },
        Output::Control { place, paused, .. } if paused.is_some() => Told::Paused {
            place: place.to_string(),
        },
        Output::Control { .. } | Output::Rejected { .. } | Output::Trace { .. } => Told::Other,
    }
}

/// How an attempt ended, as whoever sent it tells the engine.
pub(crate) fn outcome(fate: &Fate) -> Outcome {
    match fate.ended {
        Ended::Status {
            status,
            retry_after,
        } => Outcome::Answered {
            status,
            retry_after_s: retry_after.map(|seconds| u32::try_from(seconds).unwrap()),
        },
        Ended::NotSent => Outcome::NotSent(match fate.why {
            "dns" => NotSentReason::Dns,
            "connect_timeout" => NotSentReason::ConnectTimeout,
            "tls" => NotSentReason::Tls,
            "not_dialled" => NotSentReason::NotDialled,
            _ => NotSentReason::Refused,
        }),
        Ended::NoStatus => Outcome::Unknown(match fate.why {
            "timeout" => UnknownReason::Timeout,
            "garbage" => UnknownReason::Garbage,
            _ => UnknownReason::Connection,
        }),
    }
}

/// What the engine's profiles show of traits, under each of their identifiers.
pub(crate) fn traits(catalog: &Catalog, rows: &BTreeMap<Key, Row>) -> BTreeMap<String, Shown> {
    let mut persons = Snapshot::new();
    for (key, row) in rows.iter().filter(|(_, row)| matches!(row, Row::Person(_))) {
        persons.put(key.clone(), Some(row.clone()));
    }
    let mut shown = BTreeMap::new();
    for profile in view::profiles(catalog, &persons, Timestamp::EPOCH) {
        let traits = profile.traits.iter();
        let traits =
            traits.filter(|(name, value)| &***name != "profileId" && **value != Value::Null);
        let own: Shown = traits
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let names = profile.identifiers.iter();
        shown.extend(names.map(|name| (name.to_string(), own.clone())));
    }
    shown
}

/// The profiles that the engine makes of everybody: sets of identifiers, each with its id.
pub(crate) fn profiles<'a>(
    rows: impl Iterator<Item = &'a Row>,
) -> BTreeMap<BTreeSet<String>, String> {
    let mut links = Links::new();
    for row in rows {
        if let Row::Person(person) = row {
            links.put(person.node.clone());
        }
    }
    let config = wayfare_identity::Config::default();
    let partition = wayfare_identity::resolve(&config, &IdKey::new(ID_KEY), &links);
    let texts = |identifiers: &[Identifier]| identifiers.iter().map(ToString::to_string).collect();
    let profiles = partition.profiles();
    profiles
        .map(|it| (texts(&it.identifiers), digits(&it.id)))
        .collect()
}
