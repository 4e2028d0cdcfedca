//! What follows from an order about a journey? Somebody enters it, or is refused and that is told; what is
//! paused goes on without what came due until then.

use std::collections::BTreeSet;

use super::Auditor;
use super::walks::Live;
use crate::facts::{Checked, Control, Decision, Delivery, holds};

/// Somebody is ordered into a journey.
#[derive(Clone, Debug)]
pub(crate) struct LetIn {
    pub(crate) journey: String,
    pub(crate) identifier: String,
    pub(crate) at: i64,
}

/// The journey of a place written `journey/block`.
fn journey(place: &str) -> &str {
    place.split('/').next().unwrap_or_default()
}

impl Auditor {
    /// Somebody is ordered into a journey at an instant.
    pub(crate) fn lets_in(&mut self, order: LetIn) {
        self.let_in.push(order);
    }

    /// Whether somebody was ordered into a journey at that instant.
    fn was_let_in(&mut self, journey: &str, (owner, at): (&str, i64)) -> bool {
        let all = self.people.all();
        let person = self.people.person(all, owner);
        let mut orders = self.let_in.iter();
        orders.any(|it| it.journey == journey && it.at == at && person.contains(&it.identifier))
    }

    /// The walks that began because somebody was ordered into a journey.
    pub(super) fn ordered_in(&mut self, live: &Live) -> BTreeSet<String> {
        let mut ordered = BTreeSet::new();
        if self.let_in.is_empty() {
            return ordered;
        }
        for (id, (owner, it)) in live {
            if self.was_let_in(&it.journey, (owner, it.entered)) {
                ordered.insert(id.clone());
            }
        }
        ordered
    }

    /// Whoever was ordered into a journey is there or was, or is refused. Nobody enters who is not known
    /// or kept out, or where no journey is.
    pub(super) fn were_let_in(&mut self) -> Checked {
        for order in std::mem::take(&mut self.let_in) {
            let LetIn {
                journey,
                identifier,
                at,
            } = &order;
            let all = self.people.all();
            let groups = self.people.groups(all);
            let is_known = groups.iter().any(|it| it.names.contains(identifier));
            let person = self.people.person(all, identifier);
            let is_out = person.iter().any(|name| self.people.is_out(all, name));
            let control = self.controls.get(journey);
            let is_there = control.is_some_and(|it| it.in_force.is_some());
            let has_entered = self.seen.contains(&(journey.clone(), *at));
            let has_entered = has_entered || self.ended.contains(journey);
            let may_enter = is_known && !is_out && is_there;
            let was_refused = self.refused.contains(&(journey.clone(), String::new()));
            holds(
                "whoever is ordered in enters, or is refused",
                has_entered || was_refused || !may_enter,
                || format!("{order:?}"),
            )?;
        }
        Ok(())
    }

    /// Whether something in a journey goes on soon, without what was overdue.
    pub(super) fn is_skipping(&self, place: &str) -> bool {
        let mut skipping = self.skipping.keys();
        skipping.any(|other| journey(other) == journey(place))
    }

    /// A paused journey or block is to go on without what is overdue; whether anything comes of it.
    pub(crate) fn skips(&mut self, place: &str, at: i64) -> bool {
        let follows = self.paused.contains_key(place) && !self.is_skipping(place);
        if follows {
            self.skipping.insert(place.to_owned(), at);
        }
        follows
    }

    /// Whether a delivery was overdue when its journey or block was let go on without that.
    pub(super) fn is_skipped(&self, row: &Delivery) -> bool {
        let block = format!("{}/{}", row.journey, row.block);
        let places = [&row.journey, &block];
        let mut orders = places.into_iter().filter_map(|it| self.skipping.get(it));
        orders.any(|at| row.due.is_some_and(|due| due <= *at))
    }

    /// A walk is stopped where it was overdue when its journey was let go on without that.
    pub(super) fn stopped(&self, decision: &Decision, due: Option<i64>) -> Checked {
        let order = self.skipping.get(&decision.journey);
        let was_due = order.is_some_and(|at| due.is_some_and(|due| due <= *at));
        holds("only what is overdue is skipped", was_due, || {
            format!("{decision:?}, due {due:?}, ordered {order:?}")
        })
    }

    /// What was to go on does once nothing is left that was overdue.
    pub(super) fn goes_on(&mut self, id: &str, control: &Control) -> Checked {
        let is_paused = |place: &str| match place.split_once('/') {
            Some((_, block)) => control.blocks.contains_key(block),
            None => control.paused.is_some(),
        };
        let over: Vec<(String, i64)> = self
            .skipping
            .iter()
            .filter(|(place, _)| journey(place) == id && !is_paused(place))
            .map(|(place, at)| (place.clone(), *at))
            .collect();
        for (place, at) in over {
            let is_overdue = |due: Option<i64>| due.is_some_and(|due| due <= at);
            let mut walks = self.live.iter();
            let walk = walks.find(|(_, (_, it))| it.journey == place && is_overdue(it.due));
            holds("what is overdue is skipped", walk.is_none(), || {
                format!("{place} goes on with {walk:?}, ordered {at}")
            })?;
            let mut owed = self.deliveries.iter();
            let owed = owed.find(|(_, row)| row.state == "planned" && self.is_skipped(row));
            let owed = owed.filter(|(_, row)| row.journey == id);
            holds("what is overdue is skipped", owed.is_none(), || {
                format!("{place} goes on with {owed:?}, ordered {at}")
            })?;
            self.skipping.remove(&place);
            self.paused.remove(&place);
        }
        Ok(())
    }
}
