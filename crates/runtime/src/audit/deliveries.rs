//! Was every delivery sent only as it may be? Each is followed from its decision through every
//! attempt: verdict, transition, repeats, numbers, and the request it sends.

use std::collections::BTreeMap;

use wayfare_event::DeliveryId;
use wayfare_executor::delivery::{Outcome, State, WithheldReason};
use wayfare_executor::record::{
    ConsentAsked, Decision, DecisionOutcome, Delivery, Permission, RequestHash, Terms,
};
use wayfare_executor::{Change, Row};
use wayfare_journey::definition::{DeliveryMode, Method};
use wayfare_store::{Entry, LoggedInput};

use super::breach::{Breaches, Rule};
use super::is_within;
use super::lawful::{self, Cause, Word};

/// What is known of one delivery.
#[derive(Debug)]
struct Followed {
    /// Where it stands.
    word: Word,
    /// What its decision fixed; nothing for one that was decided before the history begins.
    fixed: Option<Fixed>,
    /// Attempts released.
    attempts: u32,
    /// Attempts released since it is owed.
    round: u32,
    /// How the last attempt ended.
    last: Option<Cause>,
    /// The row of the state was seen.
    is_kept: bool,
}

/// What a decision fixes for every attempt.
#[derive(Debug)]
struct Fixed {
    terms: Terms,
    method: Method,
    asked: ConsentAsked,
    request: RequestHash,
}

/// One move of a delivery.
struct Moved<'a> {
    id: DeliveryId,
    state: State,
    consent: Option<&'a Permission>,
    outcome: Option<Outcome>,
    is_order: bool,
}

/// Every delivery that moved within the history.
#[derive(Debug)]
pub(super) struct Deliveries {
    begins: u64,
    followed: BTreeMap<DeliveryId, Followed>,
    /// The hashes that the ledger keeps, for the deliveries whose rows come after it.
    recorded: BTreeMap<DeliveryId, Option<RequestHash>>,
}

impl Deliveries {
    pub(super) const fn new(begins: u64) -> Self {
        Self {
            begins,
            followed: BTreeMap::new(),
            recorded: BTreeMap::new(),
        }
    }

    pub(super) fn change(&mut self, entry: &Entry, change: &Change, breaches: &mut Breaches) {
        if let Change::Decided(decision) = change {
            self.decided(entry.seq, decision, breaches);
        } else if let Change::DeliveryMoved {
            delivery,
            state,
            consent,
            outcome,
            ..
        } = change
        {
            let moved = Moved {
                id: *delivery,
                state: *state,
                consent: consent.as_ref(),
                outcome: *outcome,
                is_order: false,
            };
            self.moved(entry, &moved, breaches);
        } else if let Change::DeliveryOrdered { delivery, order } = change {
            let moved = Moved {
                id: *delivery,
                state: order.state,
                consent: None,
                outcome: None,
                is_order: true,
            };
            self.moved(entry, &moved, breaches);
        }
    }

    fn decided(&mut self, seq: u64, decision: &Decision, breaches: &mut Breaches) {
        let Some(request) = &decision.request else {
            return;
        };
        let hash = request.hash();
        if decision
            .request_hash
            .is_some_and(|recorded| recorded != hash)
        {
            let why = "the request is not the one whose hash is recorded";
            breaches.found(Rule::Request, seq, &decision.id, why);
        }
        let owed = decision.terms.zip(decision.consent.as_ref());
        if let Some((terms, consent)) = owed {
            let followed = Followed {
                word: Word::Planned,
                fixed: Some(Fixed {
                    terms,
                    method: request.method,
                    asked: consent.asked.clone(),
                    request: hash,
                }),
                attempts: 0,
                round: 0,
                last: None,
                is_kept: false,
            };
            self.followed
                .entry(decision.id.delivery())
                .or_insert(followed);
        }
    }

    fn moved(&mut self, entry: &Entry, moved: &Moved<'_>, breaches: &mut Breaches) {
        let (seq, id) = (entry.seq, moved.id);
        let to = Word::of(moved.state);
        let Some(held) = self.followed.get_mut(&id) else {
            if is_within(1, self.begins) {
                let why = format!("it is {} and was never decided", moved.state.as_str());
                breaches.found(Rule::Ledger, seq, &id, why);
            }
            self.followed.insert(id, Followed::taken_up(to));
            return;
        };
        let cause = held.cause(moved);
        if !held.may_go(cause, to) || !(moved.is_order || lawful::tells(moved.state, moved.outcome))
        {
            let told = moved
                .outcome
                .map_or_else(String::new, |it| format!(" by {it:?}"));
            let why = format!("from {:?} to {:?}{told}", held.word, moved.state);
            breaches.found(Rule::Transition, seq, &id, why);
        }
        if let LoggedInput::AttemptFinished { attempt, .. } = &entry.input
            && held.fixed.is_some()
            && *attempt != held.attempts
        {
            let why = format!(
                "attempt {attempt} ended, the last released was {}",
                held.attempts
            );
            breaches.found(Rule::Attempts, seq, &id, why);
        }
        held.allowed(seq, moved, breaches);
        if to == Word::Armed {
            held.released(seq, id, breaches);
        }
        if moved.is_order && to == Word::Planned {
            held.round = 0;
        }
        if moved.outcome.is_some() {
            held.last = Some(cause);
        }
        held.word = to;
    }

    /// A row of the state.
    pub(super) fn row(&mut self, row: &Row, breaches: &mut Breaches) {
        if let Row::Decision(decision) = row {
            if decision.outcome == DecisionOutcome::Webhook && decision.terms.is_some() {
                self.recorded
                    .insert(decision.id.delivery(), decision.request_hash);
            }
        } else if let Row::Delivery(delivery) = row {
            self.kept(delivery, breaches);
        }
    }

    fn kept(&mut self, delivery: &Delivery, breaches: &mut Breaches) {
        let id = delivery.id;
        let mut broken = |rule, why: String| breaches.found(rule, 0, &id, why);
        match self.recorded.remove(&id) {
            None => broken(
                Rule::Ledger,
                "a delivery that no decision to send owes".to_owned(),
            ),
            Some(recorded) => {
                let hash = delivery.request.hash();
                // Whoever was erased has no request here; its hash stays in the ledger.
                if !delivery.is_reduced() && recorded.is_some_and(|recorded| recorded != hash) {
                    let why = "the request kept is not the one whose hash the ledger has";
                    broken(Rule::Request, why.to_owned());
                }
            }
        }
        let Some(held) = self.followed.get_mut(&id) else {
            if is_within(delivery.turn.seq, self.begins) {
                broken(
                    Rule::Ledger,
                    "a delivery without a decision in the history".to_owned(),
                );
            }
            return;
        };
        held.is_kept = true;
        if let Some(fixed) = &held.fixed {
            if !delivery.is_reduced() && fixed.request != delivery.request.hash() {
                let why = "the request kept is not the one that was decided";
                broken(Rule::Request, why.to_owned());
            }
            if held.attempts != delivery.attempts {
                let (kept, told) = (delivery.attempts, held.attempts);
                broken(
                    Rule::Attempts,
                    format!("{kept} attempts are kept, the history tells of {told}"),
                );
            }
        }
        if held.word != Word::of(delivery.state) {
            let (kept, told) = (delivery.state.as_str(), held.word);
            broken(
                Rule::State,
                format!("it is kept as {kept}, the history ends with {told:?}"),
            );
        }
    }

    /// All rows were seen.
    pub(super) fn end(&self, breaches: &mut Breaches) {
        for id in self.recorded.keys() {
            let why = "a decision to send without its delivery";
            breaches.found(Rule::Ledger, 0, id, why);
        }
        let gone = self.followed.iter();
        let gone = gone.filter(|(id, held)| !held.is_kept && !self.recorded.contains_key(*id));
        for (id, _) in gone {
            let why = "the history tells of a delivery that the state has not";
            breaches.found(Rule::Ledger, 0, id, why);
        }
    }
}

impl Followed {
    /// One that was decided before the history begins.
    const fn taken_up(word: Word) -> Self {
        Self {
            word,
            fixed: None,
            attempts: 0,
            round: 0,
            last: None,
            is_kept: false,
        }
    }

    fn cause(&self, moved: &Moved<'_>) -> Cause {
        let method = self.fixed.as_ref().map(|fixed| fixed.method);
        match moved.outcome {
            _ if moved.is_order => Cause::Order,
            None => Cause::Turn,
            // Of one whose decision is not known any more, what it came to tells the method.
            Some(outcome) => {
                let is_gone = matches!(moved.state, State::Delivered { .. });
                let guessed = if is_gone {
                    Method::Delete
                } else {
                    Method::Post
                };
                Cause::of(outcome, method.unwrap_or(guessed))
            }
        }
    }

    fn may_go(&self, cause: Cause, to: Word) -> bool {
        let Some(fixed) = &self.fixed else {
            let modes = [DeliveryMode::AtMostOnce, DeliveryMode::AtLeastOnce];
            let mut modes = modes.into_iter();
            return modes.any(|mode| lawful::is_lawful(mode, (self.word, cause, to)));
        };
        // Only of what was unknown is there something to hear while it waits.
        let is_late = self.word == Word::Planned && !matches!(cause, Cause::Turn | Cause::Order);
        let way = (self.word, cause, to);
        lawful::is_lawful(fixed.terms.mode, way) && (!is_late || self.last == Some(Cause::Silence))
    }

    /// Whether the verdict fits what came of it.
    fn allowed(&self, seq: u64, moved: &Moved<'_>, breaches: &mut Breaches) {
        let mut broken = |why: &str| breaches.found(Rule::Consent, seq, &moved.id, why);
        let allowed = moved.consent.map(|consent| consent.verdict.allowed);
        match (moved.state, allowed) {
            (State::Armed { .. }, None) => broken("an attempt was released without a verdict"),
            (State::Armed { .. }, Some(false)) => broken("an attempt was released against a no"),
            (State::Withheld(WithheldReason::Consent), None | Some(true)) => {
                broken("it was withheld for consent without a no");
            }
            (
                State::Planned { .. }
                | State::Armed { .. }
                | State::Delivered { .. }
                | State::Rejected { .. }
                | State::Unknown(_)
                | State::Expired(_)
                | State::Withheld(_),
                _,
            ) => {}
        }
        let asked = self.fixed.as_ref().map(|fixed| &fixed.asked);
        let another = moved.consent.zip(asked);
        if another.is_some_and(|(consent, asked)| consent.asked != *asked) {
            broken("another question was asked than at the decision");
        }
    }

    /// Counts an attempt.
    fn released(&mut self, seq: u64, id: DeliveryId, breaches: &mut Breaches) {
        self.attempts = self.attempts.saturating_add(1);
        self.round = self.round.saturating_add(1);
        let Some(fixed) = &self.fixed else {
            return;
        };
        let max = lawful::attempts_max(&fixed.terms);
        if self.round > max {
            let why = format!("attempt {} of at most {max}", self.round);
            breaches.found(Rule::Attempts, seq, &id, why);
        }
        let once = fixed.terms.mode == DeliveryMode::AtMostOnce;
        let is_certain = self.last.is_some_and(Cause::is_certain);
        if once && self.round > 1 && !is_certain {
            let why = "sent again although the receiver may have taken it";
            breaches.found(Rule::Repeat, seq, &id, why);
        }
    }
}
