//! Who may be where? Entries, walks and their ends, for each person and journey.

use std::collections::{BTreeMap, BTreeSet};

use super::people::People;
use super::persons::is_user;
use crate::facts::{
    Again, Asks, Block, Checked, DAY, Decision, Delivery, Fed, HOUR, Instance, Journey, Trigger,
    holds,
};

/// How long a walk lasts at most, where its journey says nothing.
const LIFE: i64 = 400 * DAY;

/// How old an event may be that starts something.
const LATENESS: i64 = 72 * HOUR;

/// An entry into a journey, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) journey: String,
    /// The version it began in.
    pub(crate) version: String,
    pub(crate) key: Option<String>,
    /// Whose it is: a user's as soon as there is one.
    pub(crate) owner: String,
    /// Whose it was when it began.
    pub(crate) first_owner: String,
    /// Everybody whose it counts as: who began it, and who took it over when so much was told.
    pub(crate) owners: Vec<(usize, String)>,
    /// The same of who had it, one after the other.
    pub(crate) held: Vec<(usize, String)>,
    /// Others of the same person, journey and key when it began.
    pub(crate) beside: BTreeSet<String>,
    pub(crate) entered: i64,
    /// What its journey said of further entries then.
    pub(crate) again: Again,
    /// What the versions say that took it over.
    pub(crate) taken_over: Vec<Again>,
    /// When it ended, and how.
    pub(crate) ended: Option<(i64, String)>,
}

impl Entry {
    /// Whether it counts for a person, when so much was told.
    fn counts_for(&self, (told, person): (usize, &BTreeSet<String>)) -> bool {
        let mut owners = self.owners.iter().filter(|(since, _)| *since <= told);
        owners.any(|(_, owner)| person.contains(owner))
    }

    /// Whether a person has it, when so much was told.
    fn is_held_by(&self, (told, person): (usize, &BTreeSet<String>)) -> bool {
        let mut held = self.held.iter().filter(|(since, _)| *since <= told);
        held.next_back()
            .is_some_and(|(_, owner)| person.contains(owner))
    }
}

/// A person as they were before an instant, and by then.
fn twice(around: [usize; 2], persons: &[BTreeSet<String>; 2]) -> [(usize, &BTreeSet<String>); 2] {
    let ([before, by], [person, then]) = (around, persons);
    [(before, person), (by, then)]
}

/// Every entry there was.
#[derive(Clone, Default)]
pub(crate) struct Entries(Vec<Entry>);

impl Entries {
    pub(crate) fn of(&self, id: &str) -> Option<&Entry> {
        self.0.iter().find(|it| it.id == id)
    }

    /// An instance is there that was not before.
    pub(crate) fn enter(&mut self, people: &mut People, mut entry: Entry) -> Checked {
        let again = entry.again;
        let around = people.around(entry.entered);
        let persons = around.map(|told| people.person(told, &entry.owner));
        let then = twice(around, &persons);
        // What was told at that very instant may have come before it or after.
        let is_other = |other: &Entry| {
            other.journey == entry.journey
                && other.key == entry.key
                && then.iter().all(|it| other.counts_for(*it))
        };
        let is_beside = |other: &&Entry| {
            other.journey == entry.journey
                && other.key == entry.key
                && then.iter().any(|it| other.counts_for(*it))
        };
        let beside = self.0.iter().filter(is_beside);
        let beside = beside.map(|other| other.id.clone()).collect();
        let others = self.0.iter().filter(|other| is_other(other));
        for other in others {
            let was_merged = matches!(&other.ended, Some((_, how)) if how == "merged");
            let is_live = other
                .ended
                .as_ref()
                .is_none_or(|(at, _)| *at > entry.entered);
            // Whoever took over a walk has it, also when they are told apart again.
            let is_live = is_live && then.iter().all(|it| other.is_held_by(*it));
            let is_earlier = other.entered < entry.entered;
            let since = entry.entered - other.entered;
            let is_refused = match again {
                Again::Always => false,
                Again::Once => is_earlier && !was_merged,
                Again::AfterExit => is_earlier && is_live,
                Again::Every(us) => is_earlier && !was_merged && (is_live || since < us),
            };
            holds("entries are as `again` says", !is_refused, || {
                format!("{entry:?} beside {other:?}, again {again:?}")
            })?;
        }
        entry.beside = beside;
        self.0.push(entry);
        Ok(())
    }

    /// A version took a walk over that says this of further entries.
    pub(crate) fn take_over(&mut self, id: &str, again: Again) {
        for entry in self.0.iter_mut().filter(|it| it.id == id) {
            entry.taken_over.push(again);
        }
    }

    /// What these entered is not remembered any more.
    pub(crate) fn forget(&mut self, names: &BTreeMap<String, String>, at: i64) {
        let own = |it: &&mut Entry| it.entered <= at && names.contains_key(&it.owner);
        for entry in self.0.iter_mut().filter(own) {
            "erased".clone_into(&mut entry.owner);
            "erased".clone_into(&mut entry.first_owner);
            entry.owners.clear();
            entry.held.clear();
        }
        for entry in &mut self.0 {
            entry
                .owners
                .retain(|(_, owner)| entry.entered > at || !names.contains_key(owner));
        }
    }

    pub(crate) fn end(&mut self, id: &str, at: i64, outcome: &str) {
        for entry in self.0.iter_mut().filter(|it| it.id == id) {
            entry.ended = Some((at, outcome.to_owned()));
        }
    }

    /// What somebody entered before they logged in, or before an operator said who they are, is that
    /// user's from then on, whatever is told apart later; `told` is how much was told in all.
    pub(crate) fn settle(&mut self, people: &mut People, told: usize) {
        let (at, groups) = (people.at(told), people.groups(told));
        for entry in self.0.iter_mut().filter(|it| it.entered <= at) {
            let group = groups.iter().find(|it| it.names.contains(&entry.owner));
            let lead = group.map(|it| it.lead.clone());
            // What a user had stays theirs, whomever they are merged with.
            let Some(lead) = lead.filter(|it| is_user(it) && !is_user(&entry.owner)) else {
                continue;
            };
            let was_merged = matches!(&entry.ended, Some((_, how)) if how == "merged");
            if !was_merged {
                entry.owners.push((told, lead.clone()));
            }
            entry.held.push((told, lead.clone()));
            entry.owner = lead;
        }
    }

    /// Of two walks that became one person's the later one ends, where it would not have begun; and
    /// so does one that the other half had decided on already.
    /// Of those since `after`.
    pub(crate) fn apart(&self, people: &mut People, live: &Live, after: i64) -> Checked {
        let told = people.all();
        let is_asked = |it: &&Entry| live.contains_key(&it.id) && it.entered > after;
        for one in self.0.iter().filter(is_asked) {
            let person = people.person(told, &one.owner);
            let is_same = |other: &&Entry| {
                other.id != one.id
                    && other.journey == one.journey
                    && other.key == one.key
                    && other.entered > after
                    && person.contains(&other.owner)
                    && !one.beside.contains(&other.id)
                    && !other.beside.contains(&one.id)
            };
            for other in self.0.iter().filter(is_same) {
                let is_live = live.contains_key(&other.id);
                let was_merged = matches!(&other.ended, Some((_, how)) if how == "merged");
                let is_later = (one.entered, &one.id) > (other.entered, &other.id);
                let has_room = |again: &Again| match again {
                    Again::Always => true,
                    Again::Once => was_merged || (is_live && !is_later),
                    Again::AfterExit | Again::Every(_) => !is_live || !is_later,
                };
                let has_room = has_room(&one.again) || one.taken_over.iter().any(has_room);
                holds("of two halves one walks on", has_room, || {
                    format!("{one:?} beside {other:?}")
                })?;
            }
        }
        Ok(())
    }

    /// A walk ends as merged only when somebody became one with another half that stays, or had
    /// decided.
    pub(crate) fn merged(&self, people: &mut People, (id, decision): (&str, &Decision)) -> Checked {
        let Some(own) = self.of(id) else {
            return Ok(());
        };
        let around = people.around(decision.at);
        let then: Vec<(usize, BTreeSet<String>)> = (around[0]..=around[1])
            .map(|told| (told, people.person(told, &decision.owner)))
            .collect();
        let is_half = |other: &&Entry| {
            let is_one = then.iter().any(|(told, it)| other.counts_for((*told, it)));
            let is_earlier = (other.entered, &other.id) < (own.entered, &own.id);
            let has_ended = other
                .ended
                .as_ref()
                .is_some_and(|(at, _)| *at <= decision.at);
            let was_merged = matches!(&other.ended, Some((_, how)) if how == "merged");
            other.id != own.id
                && other.journey == own.journey
                && other.key == own.key
                && is_one
                && !was_merged
                && (is_earlier || has_ended)
        };
        let has_half = self.0.iter().any(|other| is_half(&other));
        let was_told = around[0] < around[1];
        holds("of two halves one walks on", has_half && was_told, || {
            let of_journey = self.0.iter().filter(|it| it.journey == own.journey);
            let of_journey: Vec<_> = of_journey.collect();
            format!("{own:?} ended as merged: {decision:?}, of {of_journey:?}")
        })
    }

    /// At most one request for each person, journey and key, where a journey is entered once.
    pub(crate) fn one_request(
        &self,
        people: &mut People,
        (id, decision): (&str, &Decision),
    ) -> Checked {
        let around = people.around(decision.at);
        let persons = around.map(|told| people.person(told, &decision.owner));
        let then = twice(around, &persons);
        let Some(own) = self.of(id) else {
            return Ok(());
        };
        // An edit may have let more in than before: the later entry is the one that counts.
        let is_refused = |other: &Entry| {
            let later = if other.entered > own.entered {
                other
            } else {
                own
            };
            later.again == Again::Once && other.entered != own.entered
        };
        let others = self.0.iter().filter(|it| it.id != id);
        let mut others = others.filter(|it| is_refused(it));
        let second = others.find(|other| {
            let is_sent = |(at, how): &(i64, String)| how == "webhook" && *at <= decision.at;
            other.ended.as_ref().is_some_and(is_sent)
                && other.journey == decision.journey
                && other.key == decision.key
                && then.iter().all(|it| other.counts_for(*it))
        });
        holds("one request for a person, ever", second.is_none(), || {
            format!("{id} {decision:?} after {second:?}")
        })
    }
}

/// Whether an instance waits for the time its block says.
pub(crate) fn is_due_right(journey: &Journey, it: &Instance) -> bool {
    let wait = match journey.block(&it.block) {
        Some(Block::Pause(us) | Block::For(us)) => it.arrived + us,
        Some(Block::UntilTime) => {
            let ahead = it.due.unwrap_or_default() - it.arrived;
            return ahead > 0 && ahead <= DAY + DAY / 12;
        }
        Some(Block::UntilDate) => return it.due.is_some_and(|due| due > it.arrived),
        Some(Block::Decide | Block::Split | Block::Update(_) | Block::Webhook(_) | Block::Exit)
        | None => return false,
    };
    it.due == Some(wait.min(it.entered + LIFE))
}

/// Whether an entry of this instant may be due to what was told then: not to history, to what is too
/// old, or to nothing but that somebody became one with another.
pub(crate) fn has_cause(journey: &Journey, entered: i64, fed: &[Fed]) -> bool {
    let starts = |fed: &&Fed| match &journey.trigger {
        Trigger::Event { name, .. } => fed.name.as_ref() == Some(name),
        Trigger::Consent { .. } => fed.said.is_some(),
        Trigger::Trait => !fed.traits.is_empty(),
        Trigger::Schedule | Trigger::Date | Trigger::Delivery => true,
    };
    let is_news = |fed: &&Fed| !fed.historical && fed.at - fed.occurred <= LATENESS;
    let by_time = matches!(
        journey.trigger,
        Trigger::Schedule | Trigger::Date | Trigger::Delivery
    );
    let then = fed.iter().filter(|fed| fed.at == entered);
    by_time || then.filter(starts).any(|fed| is_news(&fed))
}

/// Whether a delivery is the one its block owes.
pub(crate) fn is_as_written(journey: &Journey, row: &Delivery) -> bool {
    let Some(Block::Webhook(webhook)) = journey.block(&row.block) else {
        return false;
    };
    let asked = match webhook.consent {
        Asks::Accept(category) => (Some(category), false),
        Asks::Decline(category) => (Some(category), true),
        Asks::Basis => (None, false),
    };
    row.request.method == webhook.method
        && row.once == webhook.once
        && row.window_us == webhook.window_us
        && row.is_varied == webhook.varied
        && (row.asked.category.as_deref(), row.asked.declines) == asked
}

/// The journeys in force that an event of this name must start or refuse.
pub(crate) fn started<'a>(
    in_force: impl Iterator<Item = &'a Journey>,
    event: &str,
) -> BTreeSet<String> {
    let hears = |journey: &&Journey| matches!(&journey.trigger, Trigger::Event { name, .. } if name == event);
    in_force.filter(hears).map(|it| it.id.clone()).collect()
}

/// The trait that whoever enters a journey must have, once they are beyond its first block.
pub(crate) fn mark(journey: &Journey) -> Option<(&str, &str)> {
    match (&journey.trigger, journey.blocks.first()) {
        (Trigger::Event { .. }, Some((block, Block::Update(name)))) => Some((block, name)),
        _ => None,
    }
}

/// Where everybody is.
pub(crate) type Live = BTreeMap<String, (String, Instance)>;
