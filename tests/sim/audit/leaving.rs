//! When is somebody erased who goes through a journey first? Once that walk is over and what it owes is
//! final. Until then they walk nowhere else, and nothing else of theirs leaves. Whoever is not let in is
//! not erased.

use std::collections::BTreeSet;

use super::persons::Word;
use super::{Auditor, Changes, LetIn};
use crate::facts::{Checked, Row, Says, holds};

const RULE: &str = "an erasure waits for what is told first, and no longer";

/// Somebody who is to be erased.
#[derive(Clone, Debug)]
pub(crate) struct Leaving {
    /// Where the order stands among all that was told.
    place: usize,
    order: LetIn,
    names: BTreeSet<String>,
    /// The walk that is waited for, once they were let in.
    walk: Option<String>,
}

impl Auditor {
    /// Whether somebody is to be erased once a walk is over.
    pub(crate) const fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    /// Somebody is ordered to leave through a journey.
    pub(super) fn leaves(&mut self, says: &Says, at: i64) {
        let Says::Erase {
            identifier,
            through: Some(journey),
            ..
        } = says
        else {
            return;
        };
        let place = self.people.all() - 1;
        let Word::Leaving { names, .. } = self.people.word(place).1.clone() else {
            return;
        };
        let order = LetIn {
            journey: journey.clone(),
            identifier: identifier.clone(),
            at,
        };
        self.lets_in(order.clone());
        self.leaving = Some(Leaving {
            place,
            order,
            names,
            walk: None,
        });
    }

    /// The walk that began by an order, among what became durable.
    fn walk_of(&self, leaving: &Leaving, changes: &Changes) -> Option<String> {
        let LetIn { journey, at, .. } = &leaving.order;
        changes.iter().find_map(|(key, row)| match row.as_ref()? {
            Row::Person(person) => {
                let mut walks = person.instances.iter();
                let walk = walks.find(|(id, it)| {
                    let is_new = !self.live.contains_key(*id);
                    is_new && it.journey == *journey && it.entered == *at
                });
                walk.map(|(id, _)| id.clone())
            }
            Row::Decision(it) if it.journey == *journey && it.at == *at => {
                let id = key.split_once(' ')?.1;
                let is_theirs = leaving.names.contains(&it.owner);
                let is_new = !self.live.contains_key(id) && !self.decisions.contains_key(id);
                (is_theirs && is_new).then(|| id.to_owned())
            }
            Row::Decision(_)
            | Row::Delivery(_)
            | Row::Control(_)
            | Row::Queued
            | Row::Erased(_)
            | Row::Other => None,
        })
    }

    /// Whether a walk has ended, and what it owed is final, once this is durable.
    fn is_over(&self, walk: &str, changes: &Changes) -> bool {
        let durable = |kind: &str| {
            let key = format!("{kind} {walk}");
            let mut found = changes.iter().filter(|(other, _)| *other == key);
            found.find_map(|(_, row)| row.clone())
        };
        let decision = match durable("decision") {
            Some(Row::Decision(it)) => Some(it),
            _ => self.decisions.get(walk).cloned(),
        };
        let delivery = match durable("delivery") {
            Some(Row::Delivery(it)) => Some(it),
            _ => self.deliveries.get(walk).cloned(),
        };
        let is_final = delivery.is_some_and(|it| it.state != "planned" && it.state != "armed");
        decision.is_some_and(|it| it.outcome != "webhook" || is_final)
    }

    /// Whoever was to leave is let in, or stays; and is erased once that walk is over.
    pub(super) fn leave(&mut self, changes: &Changes) -> Checked {
        let marked: Vec<(String, i64)> = changes
            .iter()
            .filter_map(|(key, row)| match row {
                Some(Row::Erased(at)) if self.marks.get(key) != Some(at) => {
                    Some((key.clone(), *at))
                }
                _ => None,
            })
            .collect();
        if let Some(mut leaving) = self.leaving.take() {
            leaving.walk = leaving
                .walk
                .take()
                .or_else(|| self.walk_of(&leaving, changes));
            let over = leaving
                .walk
                .as_ref()
                .map(|walk| self.is_over(walk, changes));
            match over {
                None => self.people.stays(leaving.place),
                Some(false) => self.leaving = Some(leaving),
                Some(true) => self.is_gone(&leaving, &marked),
            }
        }
        let words = self.people.unkept();
        let is_erased = words
            .into_iter()
            .any(|word| matches!(word, Word::Erased { .. }));
        holds(RULE, is_erased || marked.is_empty(), || {
            format!("{marked:?} and {:?}", self.leaving)
        })?;
        self.marks.extend(marked);
        Ok(())
    }

    /// Whoever did not begin to leave, though what was ordered is committed, stays.
    pub(super) fn stays(&mut self) {
        if let Some(leaving) = self.leaving.take_if(|leaving| leaving.walk.is_none()) {
            self.people.stays(leaving.place);
        }
    }

    /// What was waited for is over.
    fn is_gone(&mut self, leaving: &Leaving, marked: &[(String, i64)]) {
        let Word::Leaving {
            deletes, silences, ..
        } = self.people.word(leaving.place).1
        else {
            return;
        };
        let all = self.people.all();
        let at = marked.iter().map(|(_, at)| *at).max().unwrap_or_default();
        let word = self
            .people
            .erasing(&leaving.order.identifier, (deletes, silences));
        self.people.push(at.max(self.people.at(all)), word);
    }

    /// Whoever is to be erased is in one place, and nothing else that they are owed leaves.
    pub(super) fn hold_back(&mut self) -> Checked {
        let Some(leaving) = self.leaving.clone() else {
            return Ok(());
        };
        let is_other = |id: &String| Some(id) != leaving.walk.as_ref();
        let mut live = self.live.iter();
        let other = live.find(|(id, (owner, _))| leaving.names.contains(owner) && is_other(id));
        holds(RULE, other.is_none(), || {
            format!("{other:?} of {leaving:?}")
        })?;
        let own = self.decisions.iter();
        let own = own.filter(|(id, it)| leaving.names.contains(&it.owner) && is_other(id));
        for (id, _) in own {
            self.held_back.insert(id.clone());
            if let Some(story) = self.stories.get_mut(id) {
                story.erase();
            }
        }
        Ok(())
    }
}
