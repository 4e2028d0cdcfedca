//! What may be ordered? What an operator names is looked up, what cannot be is refused with what can
//! be done instead, and what was done is said in words. Not here: how an order reaches the engine, or
//! what follows from it (`wayfare_executor`).

mod address;
pub mod people;
mod persons;
mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_consent::SuppressionKind;
use wayfare_event::{DeliveryId, Timestamp};
use wayfare_executor::delivery::State;
use wayfare_executor::record::{Delivery, EraseMode};
use wayfare_executor::{Action, Operator, Place, Published};
use wayfare_journey::diagnostic::nearest;
use wayfare_journey::{Block, BlockId};
use wayfare_store::StoreError;

use words::named;
pub use words::{Done, Tally, add_came, came, line, place_of, said};

use crate::engine::Engine;
use crate::journeys;

/// What somebody wants to be done, as they wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Nobody enters, what waits holds.
    Pause(Scope<'a>),
    /// What was paused goes on.
    Resume(Scope<'a>, Overdue),
    /// Everybody inside a journey, or at a block, ends.
    Stop(&'a str),
    /// A delivery is sent again.
    Resend(&'a str),
    /// A delivery is known to have arrived.
    Resolve(&'a str),
    /// The person behind one identifier is the one behind another.
    Merge {
        /// Who is taken into the other.
        from: &'a str,
        /// Who both are then.
        into: &'a str,
    },
    /// An identifier is not the person's behind another one.
    Detach {
        /// What is told apart.
        identifier: &'a str,
        /// From whom.
        from: &'a str,
    },
    /// A blocked identifier names somebody again.
    Unblock(&'a str),
    /// Nothing goes to an address any more.
    Suppress(&'a str, SuppressionKind),
    /// What was said decides about an address again.
    Unsuppress(&'a str),
    /// Somebody enters a journey.
    Enter {
        /// The journey.
        journey: &'a str,
        /// Who.
        who: &'a str,
    },
    /// Somebody is erased.
    Erase {
        /// Who.
        who: &'a str,
        /// What is done.
        mode: EraseMode,
        /// The journey they go through first.
        through: Option<&'a str>,
    },
    /// An erased identifier may come back.
    Readmit(&'a str),
}

/// What an order is about, as somebody wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Every journey there is.
    All,
    /// A journey, or `journey/block`.
    One(&'a str),
}

/// What becomes of what came due in a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// It is done now, in due order.
    Done,
    /// It is not done any more.
    Skipped,
}

/// Why something cannot be ordered.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// It cannot be: the text says why, and what can.
    #[error("{0}")]
    Refused(String),
    /// Nothing of that name is there: the text says what is.
    #[error("{0}")]
    Unknown(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the actions are that do what somebody wants; all of them or none.
///
/// # Errors
///
/// When it cannot be done.
pub fn actions(engine: &mut Engine, wanted: Wanted<'_>) -> Result<Vec<Action>, OrderError> {
    Ok(match wanted {
        Wanted::Pause(Scope::All) => {
            let going = every(engine, |engine, it| engine.paused(it).is_none())?;
            if going.is_empty() {
                return refused("no journey is there that is not paused already");
            }
            going.into_iter().map(Action::Pause).collect()
        }
        Wanted::Pause(Scope::One(text)) => vec![Action::Pause(may_pause(engine, text)?)],
        Wanted::Resume(scope, overdue) => {
            let places = match scope {
                Scope::All => {
                    let paused = every(engine, |engine, it| engine.paused(it).is_some())?;
                    if paused.is_empty() {
                        return refused("no journey is paused");
                    }
                    paused
                }
                Scope::One(text) => vec![may_resume(engine, text)?],
            };
            for place in &places {
                no_stop(engine, place)?;
            }
            let action = match overdue {
                Overdue::Done => Action::Resume,
                Overdue::Skipped => Action::SkipOverdue,
            };
            places.into_iter().map(action).collect()
        }
        Wanted::Stop(text) => vec![Action::Stop(place(engine, text)?)],
        Wanted::Resend(text) => {
            let delivery = delivery(engine, text)?;
            if !delivery.state.may_be_resent() {
                return refused(&not_resent(&delivery));
            }
            vec![Action::Resend(delivery.id)]
        }
        Wanted::Resolve(text) => {
            let delivery = delivery(engine, text)?;
            if !matches!(delivery.state, State::Unknown(_)) {
                return refused(&not_resolved(&delivery));
            }
            vec![Action::Resolve(delivery.id)]
        }
        Wanted::Merge { from, into } => vec![persons::merge(engine, from, into)?],
        Wanted::Detach { identifier, from } => vec![persons::detach(engine, identifier, from)?],
        Wanted::Unblock(identifier) => vec![persons::unblock(engine, identifier)?],
        Wanted::Suppress(text, kind) => vec![address::suppress(engine, text, kind)?],
        Wanted::Unsuppress(text) => vec![address::unsuppress(engine, text)?],
        Wanted::Enter { journey, who } => vec![people::enter(engine, journey, who)?],
        Wanted::Erase { who, mode, through } => {
            vec![people::erase(engine, who, (mode, through))?]
        }
        Wanted::Readmit(who) => vec![people::readmit(engine, who)?],
    })
}

/// Gives orders to the engine, in somebody's name. Durable after [`Engine::commit`]; what a stop
/// began is carried out page by page after it, by a driver or [`Engine::carry_out`].
///
/// # Errors
///
/// When the store cannot read.
pub fn give(
    engine: &mut Engine,
    at: Timestamp,
    (by, reason): (&str, &str),
    actions: &[Action],
) -> Result<(), StoreError> {
    for action in actions {
        let order = Operator {
            by: by.into(),
            reason: reason.into(),
            action: action.clone(),
        };
        engine.order(at, order)?;
    }
    Ok(())
}

fn refused<T>(why: &str) -> Result<T, OrderError> {
    Err(OrderError::Refused(why.to_owned()))
}

fn unknown<T>(why: &str) -> Result<T, OrderError> {
    Err(OrderError::Unknown(why.to_owned()))
}

/// Every journey that is so, whole.
fn every(
    engine: &mut Engine,
    is_so: impl Fn(&Engine, &Place) -> bool,
) -> Result<Vec<Place>, OrderError> {
    let known = journeys::known(engine.store())?;
    let places = known.into_keys().map(Place::whole);
    Ok(places.filter(|place| is_so(engine, place)).collect())
}

fn may_pause(engine: &mut Engine, text: &str) -> Result<Place, OrderError> {
    let place = place(engine, text)?;
    if engine.paused(&place).is_some() {
        return refused(&format!(
            "{} is paused already; `wayfare journeys` says why",
            named(&place)
        ));
    }
    if let Some(block) = &place.block {
        let webhooks = blocks(engine, &place.journey, Kind::Webhook);
        if !webhooks.contains(block) {
            return refused(&no_webhook(&place, &webhooks));
        }
    }
    Ok(place)
}

fn may_resume(engine: &mut Engine, text: &str) -> Result<Place, OrderError> {
    let named_so = Place::parse(text);
    if engine.paused(&named_so).is_some() {
        return Ok(named_so);
    }
    let place = place(engine, text)?;
    let whole = Place::whole(place.journey.clone());
    let other = if place.block.is_some() {
        engine.paused(&whole).map(|_| whole)
    } else {
        let known = journeys::known(engine.store())?;
        let journey = known.get(&place.journey);
        let mut paused = journey
            .into_iter()
            .flat_map(journeys::Journey::paused_blocks);
        paused.next().map(|(block, _)| Place {
            block: Some(block.clone()),
            ..place.clone()
        })
    };
    let hint = other.map_or_else(String::new, |other| {
        format!("; {} is: `wayfare resume {other}`", named(&other))
    });
    refused(&format!("{} is not paused{hint}", named(&place)))
}

/// A journey goes on only when a stop has gone through everybody.
fn no_stop(engine: &Engine, place: &Place) -> Result<(), OrderError> {
    let journey = &place.journey;
    if engine.is_stopping(Some(journey)) {
        return refused(&format!(
            "a stop of journey `{journey}` is still carried out, `wayfare journeys` shows it; where \
             no server is at work, the next run ends it, or `wayfare stop {journey}` does"
        ));
    }
    Ok(())
}

/// A journey, or one of its blocks, as the state knows it.
///
/// # Errors
///
/// When there is none of that name.
pub fn place(engine: &mut Engine, text: &str) -> Result<Place, OrderError> {
    let place = Place::parse(text);
    let known = journeys::known(engine.store())?;
    if !known.contains_key(&place.journey) {
        let near = nearest(&place.journey, known.keys().map(|id| &**id));
        let hint = near.map_or_else(
            || "`wayfare journeys` lists those there are".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let journey = &place.journey;
        return unknown(&format!(
            "no journey `{journey}` is in this state directory; {hint}"
        ));
    }
    if let Some(block) = &place.block {
        let blocks = blocks(engine, &place.journey, Kind::Any);
        if !blocks.contains(block) {
            let near = nearest(block, blocks.iter().map(|it| &**it));
            let hint = near.map_or_else(
                || format!("it has {}", listed(&blocks)),
                |near| format!("did you mean `{near}`?"),
            );
            let journey = &place.journey;
            return unknown(&format!(
                "journey `{journey}` has no block `{block}`; {hint}"
            ));
        }
    }
    Ok(place)
}

/// Which blocks are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Webhook,
}

/// The blocks of a journey, in force or still occupied.
fn blocks(engine: &Engine, journey: &str, kind: Kind) -> BTreeSet<Arc<str>> {
    let versions = engine.catalog().versions(journey);
    let keys = versions.flat_map(|published| {
        let graph = &published.graph;
        let meant = graph.blocks().filter(move |block| {
            kind == Kind::Any || matches!(graph.block(*block), Block::Webhook(_))
        });
        meant.map(|block| graph.key(block).clone())
    });
    keys.collect()
}

fn listed(blocks: &BTreeSet<Arc<str>>) -> String {
    let names: Vec<String> = blocks.iter().map(|it| format!("`{it}`")).collect();
    if names.is_empty() {
        "none that anybody is in".to_owned()
    } else {
        names.join(", ")
    }
}

fn no_webhook(place: &Place, webhooks: &BTreeSet<Arc<str>>) -> String {
    let journey = &place.journey;
    format!(
        "{} is no webhook block, and only those can be paused by themselves; pause the whole \
         journey `{journey}`, or one of {}",
        named(place),
        listed(webhooks)
    )
}

/// The webhook block that somebody names as `journey/block`, and a version of its journey: the one of
/// `file`, else the one in force.
///
/// # Errors
///
/// When it is none.
pub fn webhook_block(
    engine: &mut Engine,
    file: Option<Arc<Published>>,
    text: &str,
) -> Result<(Place, Arc<Published>), OrderError> {
    let named = Place::parse(text);
    let published = match file {
        Some(published) => published,
        None => {
            let journey = Place::whole(named.journey.clone()).to_string();
            place(engine, &journey)?;
            let catalog = engine.catalog();
            let in_force = catalog.in_force(&named.journey);
            match in_force.or_else(|| catalog.versions(&named.journey).last()) {
                Some(published) => published.clone(),
                None => {
                    return refused(&format!("the file of journey `{journey}` is gone"));
                }
            }
        }
    };
    let graph = &published.graph;
    let is_webhook = |block: &BlockId| matches!(graph.block(*block), Block::Webhook(_));
    let webhooks = graph.blocks().filter(is_webhook);
    let webhooks: BTreeSet<Arc<str>> = webhooks.map(|it| graph.key(it).clone()).collect();
    let is_one = named.block.as_ref().is_some_and(|it| webhooks.contains(it));
    if is_one {
        return Ok((named, published));
    }
    refused(&format!(
        "`{text}` is no webhook block; those of journey `{}` are {}",
        named.journey,
        listed(&webhooks)
    ))
}

fn delivery(engine: &mut Engine, text: &str) -> Result<Arc<Delivery>, OrderError> {
    let Ok(id) = text.parse::<DeliveryId>() else {
        return unknown(&format!(
            "`{text}` is no delivery: an id is `whd_` and 32 hex digits; `wayfare deliveries` lists \
             them"
        ));
    };
    match engine.delivery(id)? {
        Some(delivery) => Ok(delivery),
        None => unknown(&format!(
            "no delivery `{id}` is in this state directory; `wayfare deliveries` lists those there \
             are"
        )),
    }
}

/// A delivery's state in words, with why.
fn state_of(delivery: &Delivery) -> String {
    let word = delivery.state.as_str();
    match delivery.state.told() {
        (Some(status), _) => format!("{word} ({status})"),
        (None, Some(reason)) => format!("{word} ({reason})"),
        (None, None) => word.to_owned(),
    }
}

fn not_resent(delivery: &Delivery) -> String {
    let why = match delivery.state {
        State::Planned { .. } => "it leaves by itself when it is due",
        State::Armed { .. } => "wait for what comes of the attempt on the wire",
        State::Delivered { .. } => "the receiver has it",
        State::Withheld(_) => "what may not leave is not sent; another event decides anew",
        State::Rejected { .. } | State::Unknown(_) | State::Expired(_) => "",
    };
    format!(
        "delivery `{}` is {}, and only what is unknown, rejected or expired is sent again: {why}",
        delivery.id,
        state_of(delivery)
    )
}

fn not_resolved(delivery: &Delivery) -> String {
    let hint = match delivery.state {
        State::Rejected { .. } | State::Expired(_) => "; it can be sent again: `wayfare resend`",
        State::Planned { .. }
        | State::Armed { .. }
        | State::Delivered { .. }
        | State::Unknown(_)
        | State::Withheld(_) => "",
    };
    format!(
        "delivery `{}` is {}, and only what is unknown can be resolved{hint}",
        delivery.id,
        state_of(delivery)
    )
}
