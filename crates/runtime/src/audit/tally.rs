//! How many of each are there? Decisions by outcome, deliveries by state, and what must agree.

use std::collections::BTreeMap;

use wayfare_executor::Row;
use wayfare_executor::record::DecisionOutcome;

use super::breach::{Breaches, Rule};

/// What a state counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Walks that have not ended.
    pub inside: u64,
    /// Decisions by outcome.
    pub decisions: BTreeMap<&'static str, u64>,
    /// Decisions that owe a delivery.
    pub owed: u64,
    /// Deliveries by state.
    pub deliveries: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(super) fn row(&mut self, row: &Row) {
        if let Row::Person(person) = row {
            let inside = u64::try_from(person.record.instances.len()).unwrap_or(u64::MAX);
            self.inside = self.inside.saturating_add(inside);
        } else if let Row::Decision(decision) = row {
            count(&mut self.decisions, decision.outcome.as_str());
            let owes = decision.outcome == DecisionOutcome::Webhook && decision.terms.is_some();
            self.owed = self.owed.saturating_add(u64::from(owes));
        } else if let Row::Delivery(delivery) = row {
            count(&mut self.deliveries, delivery.state.as_str());
        }
    }

    /// All decisions: as many as instances that ended.
    #[must_use]
    pub fn decided(&self) -> u64 {
        self.decisions.values().sum()
    }

    /// All deliveries.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.deliveries.values().sum()
    }

    pub(super) fn reconcile(&self, breaches: &mut Breaches) {
        let (owed, kept) = (self.owed, self.delivered());
        if owed != kept {
            let why = format!("{owed} decisions owe a delivery, and there are {kept}");
            breaches.found(Rule::Counts, 0, &"deliveries", why);
        }
    }
}

fn count(counts: &mut BTreeMap<&'static str, u64>, word: &'static str) {
    let held = counts.entry(word).or_insert(0);
    *held = held.saturating_add(1);
}
