//! What has an order done, in words and for programs? Not here: what may be ordered (`orders`).

use wayfare_event::{Identifier, InstanceId, Map, Number, Timestamp, Value};
use wayfare_executor::delivery::{State, WithheldReason};
use wayfare_executor::record::{DecisionOutcome, EraseMode};
use wayfare_executor::{Action, Erase, Place};

use super::people::Came;
use crate::engine::Output;

/// What orders ended and held back so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Walks that ended as `stopped`.
    pub ended: u64,
    /// Deliveries that were withheld by an operator.
    pub withheld: u64,
}

impl Tally {
    /// What of this is about a journey.
    #[must_use]
    pub fn of(journey: &str, outputs: &[Output]) -> Self {
        let mut tally = Self::default();
        tally.count(journey, outputs);
        tally
    }

    fn count(&mut self, journey: &str, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Decision(decision) => {
                    let is_stopped = decision.outcome == DecisionOutcome::Stopped;
                    self.ended += u64::from(is_stopped && *decision.journey == *journey);
                }
                Output::Delivery { delivery, .. } => {
                    let is_withheld = delivery.state == State::Withheld(WithheldReason::Operator);
                    self.withheld += u64::from(is_withheld && *delivery.journey == *journey);
                }
                Output::Refused(_)
                | Output::Control { .. }
                | Output::Rejected { .. }
                | Output::Trace { .. } => {}
            }
        }
    }
}

/// How far an order was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// To its end, with no engine at work: what it ended and held back.
    ToTheEnd(Tally),
    /// It is durable, and an engine at work goes on with it.
    Begun,
}

/// The journey or block an action is about; nothing for one about a delivery or a person.
#[must_use]
pub const fn place_of(action: &Action) -> Option<&Place> {
    match action {
        Action::Pause(place)
        | Action::Resume(place)
        | Action::SkipOverdue(place)
        | Action::Stop(place) => Some(place),
        Action::Try(tried) => Some(&tried.place),
        Action::Resend(_)
        | Action::Resolve(_)
        | Action::Withhold(_)
        | Action::Merge { .. }
        | Action::Detach { .. }
        | Action::Unblock(_)
        | Action::Suppress { .. }
        | Action::Unsuppress(_)
        | Action::Enter { .. }
        | Action::Erase(_)
        | Action::Readmit(_) => None,
    }
}

/// What an action has done, in a sentence.
#[must_use]
pub fn said(action: &Action, done: Done) -> String {
    let tally = || match done {
        Done::ToTheEnd(tally) => format!(
            ": {} ended, {} held back",
            counted(tally.ended, "walk"),
            counted(tally.withheld, "request")
        ),
        Done::Begun => ", one after another from now on".to_owned(),
    };
    match action {
        Action::Pause(place) => match &place.block {
            None => {
                format!("journey `{place}` is paused: nobody enters, and what waits in it waits on")
            }
            Some(_) => {
                format!("block `{place}` is paused: nothing leaves from it, and what it owes waits")
            }
        },
        Action::Resume(place) => {
            let when = match done {
                Done::ToTheEnd(_) => "by the next run",
                Done::Begun => "now",
            };
            format!("{} goes on: what is due in it is sent {when}", named(place))
        }
        Action::SkipOverdue(place) => {
            format!(
                "{} goes on without what was overdue{}",
                named(place),
                tally()
            )
        }
        Action::Stop(place) => format!(
            "{} is stopped{}; journey `{journey}` stays paused until `wayfare resume {journey}`",
            named(place),
            tally(),
            journey = place.journey
        ),
        Action::Resend(id) => {
            let who = match done {
                Done::ToTheEnd(_) => "the next run sends the same bytes",
                Done::Begun => "the same bytes leave now",
            };
            format!("delivery `{id}` is planned again: {who}, if consent allows it")
        }
        Action::Resolve(id) => format!("delivery `{id}` counts as delivered"),
        Action::Withhold(id) => format!("delivery `{id}` does not leave"),
        Action::Try(tried) => format!("block `{}` was tried", tried.place),
        Action::Merge { .. }
        | Action::Detach { .. }
        | Action::Unblock(_)
        | Action::Suppress { .. }
        | Action::Unsuppress(_)
        | Action::Enter { .. }
        | Action::Erase(_)
        | Action::Readmit(_) => said_of_somebody(action).unwrap_or_default(),
    }
}

/// What an action about a person or an address has done; nothing for others.
fn said_of_somebody(action: &Action) -> Option<String> {
    Some(match action {
        Action::Merge { from, into } => {
            format!("`{from}` and `{into}` are one person from now on, known by the latter's id")
        }
        Action::Detach { identifier, from } => format!(
            "`{identifier}` is not in the profile of `{from}` any more; what names both later links \
             them again"
        ),
        Action::Unblock(identifier) => {
            format!("`{identifier}` names whom its links say again")
        }
        Action::Suppress { address, kind } => {
            let what = if kind.refuses_all() {
                "nothing goes to it"
            } else {
                "only what the service needs goes to it"
            };
            let (address, kind) = (&address.value, kind.as_str());
            format!("`{address}` is suppressed ({kind}): {what}, whatever is said from now on")
        }
        Action::Unsuppress(address) => format!(
            "`{}` is suppressed no more: what was said decides again",
            address.value
        ),
        Action::Enter {
            journey,
            identifier,
        } => format!("`{identifier}` is let into journey `{journey}`"),
        Action::Erase(erase) => format!("`{}` is erased", erase.identifier),
        Action::Readmit(identifier) => format!("`{identifier}` may come back"),
        Action::Pause(_)
        | Action::Resume(_)
        | Action::SkipOverdue(_)
        | Action::Stop(_)
        | Action::Resend(_)
        | Action::Resolve(_)
        | Action::Withhold(_)
        | Action::Try(_) => return None,
    })
}

/// What came of an order about somebody, in a sentence; nothing for other orders.
#[must_use]
pub fn came(action: &Action, came: &Came) -> Option<String> {
    let refused = |journey: &str| match came.refused {
        Some(code) => format!("journey `{journey}` did not take them: {}", code.as_str()),
        None => format!("journey `{journey}` did not take them"),
    };
    match action {
        Action::Pause(_)
        | Action::Resume(_)
        | Action::SkipOverdue(_)
        | Action::Stop(_)
        | Action::Try(_)
        | Action::Resend(_)
        | Action::Resolve(_)
        | Action::Withhold(_)
        | Action::Merge { .. }
        | Action::Detach { .. }
        | Action::Unblock(_)
        | Action::Suppress { .. }
        | Action::Unsuppress(_) => None,
        Action::Enter { journey, .. } => Some(match came.entered {
            Some(id) => format!("{}, walk `{id}`", said(action, Done::Begun)),
            None => refused(journey),
        }),
        Action::Erase(erase) => Some(match (&erase.through, came.entered) {
            (Some(journey), None) => format!("nothing is erased: {}", refused(journey)),
            (Some(journey), Some(id)) if !came.erased => format!(
                "`{}` is erased when walk `{id}` through journey `{journey}` and what it owes is \
                 over; nothing new is heard until then",
                erase.identifier
            ),
            (_, walk) => erased(erase, (came, walk)),
        }),
        Action::Readmit(_) => Some(said(action, Done::Begun)),
    }
}

fn erased(erase: &Erase, (came, walk): (&Came, Option<InstanceId>)) -> String {
    let identifier = &erase.identifier;
    let done = match erase.mode {
        EraseMode::Suppress => format!("nothing is heard of `{identifier}` any more"),
        EraseMode::Delete => {
            format!("`{identifier}` is deleted; whoever comes back by it is somebody new")
        }
        EraseMode::Both => {
            format!("`{identifier}` is deleted, and nothing is heard of it any more")
        }
    };
    let walk = walk.map_or_else(String::new, |id| format!(", after walk `{id}`"));
    let (ended, withheld) = (
        counted(came.ended, "walk"),
        counted(came.withheld, "request"),
    );
    let ledger = if came.complete {
        "the state tells of nobody by it"
    } else {
        "the ledger is being reduced"
    };
    format!("{done}{walk}: {ended} ended, {withheld} held back; {ledger}")
}

/// What an action has done, for programs: `docs/output.schema.json#/$defs/order`.
#[must_use]
pub fn line(action: &Action, at: Timestamp, (by, reason): (&str, &str), done: Done) -> Map {
    let number = |count: u64| {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Value::Number(Number::from(count))
    };
    let mut map = Map::new();
    map.insert("kind", "order".into());
    map.insert("at", at.to_string().as_str().into());
    map.insert("order", word(action).into());
    if let Some(place) = place_of(action) {
        map.insert("journey", Value::Text(place.journey.clone()));
        if let Some(block) = &place.block {
            map.insert("block", Value::Text(block.clone()));
        }
    }
    if let Action::Resend(id) | Action::Resolve(id) | Action::Withhold(id) = action {
        map.insert("deliveryId", id.to_string().as_str().into());
    }
    if let Action::Enter { journey, .. } = action {
        map.insert("journey", Value::Text(journey.clone()));
    } else if let Action::Erase(erase) = action {
        map.insert("mode", erase.mode.as_str().into());
        if let Some(journey) = &erase.through {
            map.insert("through", Value::Text(journey.clone()));
        }
    } else if let Action::Suppress { kind, .. } = action {
        map.insert("because", kind.as_str().into());
    }
    if let Action::Suppress { address, .. } | Action::Unsuppress(address) = action {
        map.insert("address", Value::Text(address.value.clone()));
    }
    for (key, identifier) in persons(action) {
        map.insert(key, identifier.to_string().as_str().into());
    }
    map.insert("by", by.into());
    map.insert("reason", reason.into());
    if let Action::Stop(_) | Action::SkipOverdue(_) = action {
        match done {
            Done::ToTheEnd(tally) => {
                map.insert("ended", number(tally.ended));
                map.insert("withheld", number(tally.withheld));
            }
            Done::Begun => map.insert("underWay", true.into()),
        }
    }
    map
}

/// Adds what came of an order about somebody.
pub fn add_came(line: &mut Map, came: &Came) {
    let number = |count: u64| {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        Value::Number(Number::from(count))
    };
    if let Some(id) = came.entered {
        line.insert("instanceId", id.to_string().as_str().into());
    }
    if let Some(code) = came.refused {
        line.insert("refused", code.as_str().into());
    }
    if came.erased {
        line.insert("ended", number(came.ended));
        line.insert("withheld", number(came.withheld));
        line.insert("complete", came.complete.into());
    }
}

/// The identifiers that an order names, by what they are to it.
fn persons(action: &Action) -> Vec<(&'static str, &Identifier)> {
    match action {
        Action::Merge { from, into } => vec![("from", from), ("into", into)],
        Action::Detach { identifier, from } => vec![("identifier", identifier), ("from", from)],
        Action::Unblock(identifier)
        | Action::Readmit(identifier)
        | Action::Enter { identifier, .. } => vec![("identifier", identifier)],
        Action::Erase(erase) => vec![("identifier", &erase.identifier)],
        Action::Pause(_)
        | Action::Resume(_)
        | Action::SkipOverdue(_)
        | Action::Stop(_)
        | Action::Resend(_)
        | Action::Resolve(_)
        | Action::Withhold(_)
        | Action::Try(_)
        | Action::Suppress { .. }
        | Action::Unsuppress(_) => Vec::new(),
    }
}

const fn word(action: &Action) -> &'static str {
    match action {
        Action::Pause(_) => "pause",
        Action::Resume(_) => "resume",
        Action::SkipOverdue(_) => "resume_without_overdue",
        Action::Stop(_) => "stop",
        Action::Resend(_) => "resend",
        Action::Resolve(_) => "resolve",
        Action::Withhold(_) => "withhold",
        Action::Try(_) => "try",
        Action::Merge { .. } => "merge",
        Action::Detach { .. } => "detach",
        Action::Unblock(_) => "unblock",
        Action::Suppress { .. } => "suppress",
        Action::Unsuppress(_) => "unsuppress",
        Action::Enter { .. } => "enter",
        Action::Erase(_) => "erase",
        Action::Readmit(_) => "readmit",
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

pub(super) fn named(place: &Place) -> String {
    let what = if place.block.is_some() {
        "block"
    } else {
        "journey"
    };
    format!("{what} `{place}`")
}
