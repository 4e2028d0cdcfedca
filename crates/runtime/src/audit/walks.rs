//! Did every instance enter once and end in one decision? And every message decide once, and every
//! input that had its turn wait for it?

use std::collections::{BTreeMap, BTreeSet};

use wayfare_event::{DecisionId, InstanceId, MessageHash, Timestamp};
use wayfare_executor::record::{Decision, DecisionOutcome, QueueId};
use wayfare_executor::{Change, Key, Row};
use wayfare_store::{MESSAGE_DAYS, Origin};

use super::breach::{Breaches, Rule};
use super::is_within;
use super::tally::Tally;

/// A day, in microseconds.
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// What became of the instances, messages and queued inputs of the history.
#[derive(Debug)]
pub(super) struct Walks {
    begins: u64,
    dry: bool,
    entered: u64,
    live: BTreeSet<InstanceId>,
    /// The inputs that decisions were taken by; nothing is left of one whose row was seen.
    decided: BTreeMap<DecisionId, u64>,
    queued: BTreeSet<QueueId>,
    /// Messages by the day they were seen.
    days: BTreeMap<i64, BTreeSet<MessageHash>>,
}

impl Walks {
    pub(super) fn new((begins, origin): (u64, &Origin), dry: bool) -> Self {
        let before = |(_, row): &(Key, Row)| match row {
            Row::Decision(decision) => {
                let seq = decision.turn.seq;
                (!is_within(seq, begins)).then_some((decision.id, seq))
            }
            Row::Person(_)
            | Row::Account(_)
            | Row::Guard(_)
            | Row::Message(_)
            | Row::Delivery(_)
            | Row::Version(_)
            | Row::Queued(_)
            | Row::Sweep(_)
            | Row::Control(_)
            | Row::Erased(_) => None,
        };
        Self {
            begins,
            dry,
            entered: 0,
            live: BTreeSet::new(),
            decided: origin.rows.iter().filter_map(before).collect(),
            queued: BTreeSet::new(),
            days: BTreeMap::new(),
        }
    }

    /// Whether the history goes back to the first input.
    const fn is_whole(&self) -> bool {
        self.begins <= 1
    }

    pub(super) fn change(&mut self, seq: u64, change: &Change, breaches: &mut Breaches) {
        if let Change::MessageSeen { message, at } = change {
            self.seen(seq, (*message, *at), breaches);
        } else if let Change::Entered { id, .. } = change {
            self.enter(seq, *id, breaches);
        } else if let Change::Decided(decision) = change {
            self.decide(seq, decision, breaches);
        } else if let Change::Queued { id, .. } = change {
            if id.seq != seq || !self.queued.insert(*id) {
                let why = "an input is queued under another one's place";
                breaches.found(Rule::Queue, seq, &place(*id), why);
            }
        } else if let Change::Dequeued(id) = change {
            if !self.queued.remove(id) && is_within(id.seq, self.begins) {
                let why = "an input had its turn that was not queued, or had it before";
                breaches.found(Rule::Queue, seq, &place(*id), why);
            }
        } else if let Some(id) = change.instance() {
            self.walk(seq, id, breaches);
        }
    }

    fn seen(&mut self, seq: u64, (message, at): (MessageHash, Timestamp), breaches: &mut Breaches) {
        let day = at.as_micros().div_euclid(DAY_US);
        let oldest = day.saturating_sub(MESSAGE_DAYS);
        if self.days.keys().next().is_some_and(|first| *first < oldest) {
            self.days = self.days.split_off(&oldest);
        }
        if self.days.values().any(|seen| seen.contains(&message)) {
            let why = "a message was taken a second time";
            breaches.found(Rule::Message, seq, &hex(message.as_bytes()), why);
        }
        self.days.entry(day).or_default().insert(message);
    }

    fn enter(&mut self, seq: u64, id: InstanceId, breaches: &mut Breaches) {
        self.entered = self.entered.saturating_add(1);
        if self.decided.contains_key(&id.decision()) {
            let why = "an instance entered after it had ended";
            breaches.found(Rule::Entry, seq, &id, why);
        } else if !self.live.insert(id) {
            breaches.found(Rule::Entry, seq, &id, "an instance entered twice");
        }
    }

    fn walk(&self, seq: u64, id: InstanceId, breaches: &mut Breaches) {
        if self.decided.contains_key(&id.decision()) {
            breaches.found(Rule::Walk, seq, &id, "an instance went on after its end");
        } else if self.is_whole() && !self.live.contains(&id) {
            breaches.found(
                Rule::Walk,
                seq,
                &id,
                "an instance went on before it entered",
            );
        }
    }

    fn decide(&mut self, seq: u64, decision: &Decision, breaches: &mut Breaches) {
        let instance = InstanceId::from_bytes(*decision.id.as_bytes());
        if let Some(first) = self.decided.insert(decision.id, seq) {
            let why = format!("it was decided by input {first} already");
            breaches.found(Rule::Decision, seq, &decision.id, why);
        } else if !self.live.remove(&instance) && self.is_whole() {
            let why = "an instance ended that had not entered";
            breaches.found(Rule::Walk, seq, &decision.id, why);
        }
        self.owed(seq, decision, breaches);
    }

    /// Whether a decision owes what its outcome says.
    fn owed(&self, seq: u64, decision: &Decision, breaches: &mut Breaches) {
        let mut broken = |rule, why: &str| breaches.found(rule, seq, &decision.id, why);
        let sends = decision.outcome == DecisionOutcome::Webhook;
        match (sends, decision.terms.is_some()) {
            (true, true) if self.dry => broken(Rule::Owed, "a dry run owes a delivery"),
            (true, false) if !self.dry => broken(Rule::Owed, "a decision to send owes nothing"),
            (false, true) => broken(Rule::Owed, "a decision owes a delivery and is none to send"),
            (true | false, true | false) => {}
        }
        if sends && decision.request.is_none() {
            broken(Rule::Owed, "a decision to send has no request");
        }
        let allowed = decision.consent.as_ref().map(|it| it.verdict.allowed);
        if sends && allowed != Some(true) {
            broken(
                Rule::Consent,
                "a decision to send without a verdict that allows it",
            );
        }
        if decision.outcome == DecisionOutcome::Suppressed && allowed != Some(false) {
            broken(Rule::Consent, "a decision was suppressed without a no");
        }
    }

    /// A row of the state.
    pub(super) fn row(&mut self, row: &Row, breaches: &mut Breaches) {
        if let Row::Decision(decision) = row
            && self.decided.remove(&decision.id).is_none()
            && is_within(decision.turn.seq, self.begins)
        {
            let why = "a row of the ledger without a decision in the history";
            breaches.found(Rule::Ledger, 0, &decision.id, why);
        }
    }

    /// All rows were seen.
    pub(super) fn end(&self, tally: &Tally, breaches: &mut Breaches) {
        for (id, seq) in &self.decided {
            let why = "a decision without its row in the ledger";
            breaches.found(Rule::Ledger, *seq, id, why);
        }
        let accounted = tally.decided().saturating_add(tally.inside);
        if self.is_whole() && self.entered != accounted {
            let (ended, inside) = (tally.decided(), tally.inside);
            let why = format!(
                "{} entered, {ended} have ended and {inside} are inside",
                self.entered
            );
            breaches.found(Rule::Counts, 0, &"instances", why);
        }
    }
}

fn place(id: QueueId) -> String {
    format!("queued input {} of {}", id.place, id.seq)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.fold("message ".to_owned(), |text, byte| text + &byte)
}
