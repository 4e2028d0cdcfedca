//! How is one case played? Time goes from one thing that is due to the next: events, timers,
//! attempts that may leave, and answers. Deliveries go through the same inputs as in real life.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_event::{DeliveryId, IdKey, Map, Timestamp, Value};
use wayfare_executor::Happened;
use wayfare_executor::delivery::{NotSentReason, Outcome, UnknownReason};
use wayfare_executor::record::{Decision, Delivery, Refusal};
use wayfare_journey::trial::{Answer, Case, Given, Seen};
use wayfare_store::{MemoryStore, StoreError};
use wayfare_webhook::{Secrets, shown_headers};

use super::{Ground, Reached, TrialError};
use crate::dispatch;
use crate::engine::{Engine, OpenError, Output};
use crate::intake;

/// Where the events of a case come from.
pub(super) const SOURCE: &str = "test";
/// What a receiver answers when the case says nothing more.
const ANSWER: Answer = Answer::Status(200);

/// What happened in a case.
pub(super) struct Played {
    /// Everything the engine told, in order, with its traces.
    pub(super) outputs: Vec<Output>,
    requests: Vec<Map>,
}

/// Plays a case to its end: `advance` after the last event, or until every delivery is final.
pub(super) fn play(ground: &Ground<'_>, case: &Case) -> Result<Played, TrialError> {
    let store = MemoryStore::new(IdKey::STATELESS).without_history();
    let settings = &ground.project.settings;
    let mut engine = Engine::open(
        ground.catalog.clone(),
        Box::new(store),
        ground.graphs.clone(),
        &|source| settings.compile(source),
    )?;
    engine.trace();
    let play = Play {
        engine,
        secrets: &ground.secrets,
        answers: case.answers.iter(),
        on_the_wire: BTreeMap::new(),
        keys: BTreeMap::new(),
        places: BTreeMap::new(),
        outputs: Vec::new(),
        requests: Vec::new(),
    };
    play.run(case)
        .map_err(OpenError::Store)
        .map_err(TrialError::from)
}

/// An attempt that was released.
type Attempt = (u32, Outcome);

struct Play<'a> {
    engine: Engine,
    secrets: &'a Secrets,
    answers: std::slice::Iter<'a, Answer>,
    /// When the answer to each attempt is there.
    on_the_wire: BTreeMap<(Timestamp, DeliveryId), Attempt>,
    /// The journey's key of each decision that has one.
    keys: BTreeMap<DeliveryId, Arc<str>>,
    /// The place of each decision: requests of one instant leave in their order, which an author
    /// can foresee.
    places: BTreeMap<DeliveryId, usize>,
    outputs: Vec<Output>,
    requests: Vec<Map>,
}

impl Play<'_> {
    fn run(mut self, case: &Case) -> Result<Played, StoreError> {
        let mut last = Timestamp::EPOCH;
        for given in &case.events {
            self.event(given)?;
            last = given.at;
        }
        self.move_to(last.saturating_add_micros(case.advance_us))?;
        while let Some(due) = self.next_of_deliveries() {
            self.move_to(due)?;
        }
        Ok(Played {
            outputs: self.outputs,
            requests: self.requests,
        })
    }

    fn event(&mut self, given: &Given) -> Result<(), StoreError> {
        self.engine.begin_sweeps(given.at)?;
        self.move_to(given.at)?;
        let event = (*given.event).clone();
        let occurred = intake::corrected(&event, given.at);
        let catalog = self.engine.catalog();
        // One that is rejected is a problem of the file, told before any case is played.
        if let Ok(happened) = Happened::new(catalog, event, SOURCE.into(), occurred) {
            self.engine.event(given.at, happened, given.text.clone())?;
        }
        // What its step left in the queue has its turn before anything else.
        self.engine.drain(given.at, usize::MAX)?;
        self.commit()?;
        self.move_to(given.at)
    }

    /// Lets everything happen that is due by `at`, each thing at its own time.
    fn move_to(&mut self, at: Timestamp) -> Result<(), StoreError> {
        while let Some(due) = self.next().filter(|due| *due <= at) {
            self.happen(due)?;
            self.engine.drain(due, usize::MAX)?;
            self.commit()?;
        }
        Ok(())
    }

    fn next(&self) -> Option<Timestamp> {
        let times = [self.engine.next_turn(), self.next_of_deliveries()];
        times.into_iter().flatten().min()
    }

    fn next_of_deliveries(&self) -> Option<Timestamp> {
        let answer = self.on_the_wire.first_key_value();
        let times = [answer.map(|((at, _), _)| *at), self.engine.next_delivery()];
        times.into_iter().flatten().min()
    }

    /// Answers before attempts, attempts before timers, timers before sweeps.
    fn happen(&mut self, at: Timestamp) -> Result<(), StoreError> {
        if let Some(answer) = self.on_the_wire.first_entry()
            && answer.key().0 <= at
        {
            let ((_, delivery), attempt) = answer.remove_entry();
            return self.engine.finished(at, delivery, attempt);
        }
        let mut due = self.engine.take_due(at)?;
        due.sort_by_key(|delivery| self.places.get(&delivery.id));
        if due.is_empty() {
            return self.engine.turn(at);
        }
        for delivery in due {
            if self.engine.ready(at, delivery.id)?
                && let Some(delivery) = self.engine.delivery(delivery.id)?
            {
                self.attempt(&delivery, at);
            }
        }
        Ok(())
    }

    /// Sends a released attempt to the receiver of the case.
    fn attempt(&mut self, delivery: &Delivery, at: Timestamp) {
        let answer = *self.answers.next().unwrap_or(&ANSWER);
        let (after_us, outcome) = match answer {
            Answer::Status(status) => (
                0,
                Outcome::Answered {
                    status,
                    retry_after_s: None,
                },
            ),
            Answer::Timeout => (
                delivery.terms.timeout_us,
                Outcome::Unknown(UnknownReason::Timeout),
            ),
            Answer::Reset => (0, Outcome::Unknown(UnknownReason::Connection)),
            Answer::Refuse => (0, Outcome::NotSent(NotSentReason::Refused)),
        };
        if answer != Answer::Refuse {
            let key = self.keys.get(&delivery.id).cloned();
            let request = request(delivery, key, at, self.secrets);
            self.requests.push(request);
        }
        let answered = (at.saturating_add_micros(after_us), delivery.id);
        self.on_the_wire
            .insert(answered, (delivery.attempts, outcome));
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        for output in self.engine.commit()? {
            if let Output::Decision(decision) = &output {
                let (id, key) = (decision.id.delivery(), decision.key.clone());
                self.places.insert(id, self.places.len());
                self.keys.extend(key.map(|key| (id, key)));
            }
            self.outputs.push(output);
        }
        Ok(())
    }
}

impl Played {
    /// What came of it, as cases speak of it.
    pub(super) fn seen(&self, reached: Reached) -> Seen {
        let mut seen = Seen {
            requests: self.requests.clone(),
            reached,
            ..Seen::default()
        };
        for output in &self.outputs {
            if let Output::Decision(it) = output {
                seen.decisions.push(decision(it));
            } else if let Output::Refused(it) = output {
                seen.refusals.push(refusal(it));
            }
        }
        seen
    }
}

/// A request as it arrives.
fn request(delivery: &Delivery, key: Option<Arc<str>>, at: Timestamp, secrets: &Secrets) -> Map {
    let mut map = Map::new();
    map.insert("at", text(&at));
    map.insert("journey", Value::Text(delivery.journey.clone()));
    map.insert("block", Value::Text(delivery.block.clone()));
    map.insert("method", delivery.request.method.as_str().into());
    if let Ok(outgoing) = dispatch::request(delivery.id, &delivery.request, secrets) {
        map.insert("url", outgoing.url.as_str().into());
        let seconds = at.as_micros().div_euclid(1_000_000);
        let headers = shown_headers(&outgoing, seconds, secrets).into_iter();
        let headers: Map = headers
            .map(|(name, value)| (name.to_ascii_lowercase().into(), value.as_str().into()))
            .collect();
        map.insert("headers", headers.into());
    }
    if let Some(Ok(body)) = delivery.request.body.as_deref().map(Value::parse) {
        map.insert("payload", body);
    }
    map.insert("profile", text(&delivery.profile));
    if let Some(key) = key {
        map.insert("key", Value::Text(key));
    }
    map
}

fn decision(decision: &Decision) -> Map {
    let mut map = Map::new();
    map.insert("at", text(&decision.at));
    map.insert("journey", Value::Text(decision.journey.clone()));
    map.insert("block", Value::Text(decision.block.clone()));
    map.insert("outcome", decision.outcome.as_str().into());
    if let Some(reason) = &decision.reason {
        map.insert("reason", reason.as_str().into());
    }
    map.insert("profile", text(&decision.profile));
    if let Some(key) = &decision.key {
        map.insert("key", Value::Text(key.clone()));
    }
    map
}

fn refusal(refusal: &Refusal) -> Map {
    let mut map = Map::new();
    map.insert("at", text(&refusal.at));
    map.insert("journey", Value::Text(refusal.journey.clone()));
    map.insert("reason", refusal.code.as_str().into());
    if let Some(id) = &refusal.message_id {
        map.insert("messageId", Value::Text(id.clone()));
    }
    if let Some(leaf) = &refusal.leaf {
        map.insert("leaf", leaf.as_str().into());
    }
    if let Some(value) = &refusal.value {
        map.insert("value", value.as_str().into());
    }
    map
}

fn text(value: &impl ToString) -> Value {
    value.to_string().as_str().into()
}
