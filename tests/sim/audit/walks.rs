//! Who may be where? Entries, walks and their ends, for each person and journey.

use std::collections::{BTreeMap, BTreeSet};

use super::people::People;
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
    pub(crate) entered: i64,
    /// What its journey said of further entries then.
    pub(crate) again: Again,
    /// When it ended, and how.
    pub(crate) ended: Option<(i64, String)>,
}

/// Every entry there was.
#[derive(Clone, Default)]
pub(crate) struct Entries(Vec<Entry>);

impl Entries {
    pub(crate) fn of(&self, id: &str) -> Option<&Entry> {
        self.0.iter().find(|it| it.id == id)
    }

    /// An instance is there that was not before.
    pub(crate) fn enter(&mut self, people: &mut People, entry: Entry) -> Checked {
        let again = entry.again;
        let around = people.around(entry.entered);
        let persons = around.map(|told| people.person(told, &entry.owner));
        // What was told at that very instant may have come before it or after.
        let is_other = |other: &Entry| {
            other.journey == entry.journey
                && other.key == entry.key
                && persons.iter().all(|person| person.contains(&other.owner))
        };
        let others = self.0.iter().filter(|other| is_other(other));
        for other in others {
            let was_merged = matches!(&other.ended, Some((_, how)) if how == "merged");
            let is_live = other
                .ended
                .as_ref()
                .is_none_or(|(at, _)| *at > entry.entered);
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
        self.0.push(entry);
        Ok(())
    }

    pub(crate) fn end(&mut self, id: &str, at: i64, outcome: &str) {
        for entry in self.0.iter_mut().filter(|it| it.id == id) {
            entry.ended = Some((at, outcome.to_owned()));
        }
    }

    /// What somebody entered before they logged in is theirs from then on.
    pub(crate) fn settle(&mut self, people: &mut People) {
        let told = people.all();
        for entry in &mut self.0 {
            if entry.owner.starts_with("user_id:") {
                continue;
            }
            let person = people.person(told, &entry.owner);
            if let Some(user) = person.iter().find(|it| it.starts_with("user_id:")) {
                entry.owner.clone_from(user);
            }
        }
    }

    /// At most one request for each person, journey and key, where a journey is entered once.
    pub(crate) fn one_request(
        &self,
        people: &mut People,
        (id, decision): (&str, &Decision),
    ) -> Checked {
        let persons = people.around(decision.at);
        let persons = persons.map(|told| people.person(told, &decision.owner));
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
                && persons.iter().all(|person| person.contains(&other.owner))
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

/// Whether an entry of this instant is due to an event that is history, or too old.
pub(crate) fn is_history(journey: &Journey, entered: i64, fed: &[Fed]) -> bool {
    let mut then = fed.iter().filter(|fed| fed.at == entered);
    let (Some(fed), None) = (then.next(), then.next()) else {
        return false;
    };
    let starts = match &journey.trigger {
        Trigger::Event { name, .. } => fed.name.as_ref() == Some(name),
        Trigger::Consent { declines } => {
            fed.said.as_ref().is_some_and(|it| it.accepts != *declines)
        }
        Trigger::Trait | Trigger::Schedule | Trigger::Date | Trigger::Delivery => false,
    };
    starts && (fed.historical || fed.at - fed.occurred > LATENESS)
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
