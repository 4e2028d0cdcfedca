//! What may be ordered? What an operator names is looked up, what cannot be is refused with what can
//! be done instead, and what was done is said in words. Not here: how an order reaches the engine, or
//! what follows from it (`wayfare_executor`).

use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::{DeliveryId, Map, Number, Timestamp, Value};
use wayfare_executor::delivery::{State, WithheldReason};
use wayfare_executor::record::{DecisionOutcome, Delivery};
use wayfare_executor::{Action, Operator, Place, Published};
use wayfare_journey::diagnostic::nearest;
use wayfare_journey::{Block, BlockId};
use wayfare_store::StoreError;

use crate::engine::{Engine, Output};
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

/// The journey or block an action is about; nothing for one about a delivery.
#[must_use]
pub const fn place_of(action: &Action) -> Option<&Place> {
    match action {
        Action::Pause(place)
        | Action::Resume(place)
        | Action::SkipOverdue(place)
        | Action::Stop(place) => Some(place),
        Action::Try(tried) => Some(&tried.place),
        Action::Resend(_) | Action::Resolve(_) | Action::Withhold(_) => None,
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
    }
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
    }
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

fn named(place: &Place) -> String {
    let what = if place.block.is_some() {
        "block"
    } else {
        "journey"
    };
    format!("{what} `{place}`")
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
            "a stop of journey `{journey}` is still carried out; the next run ends it, or \
             `wayfare stop {journey}` does"
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
