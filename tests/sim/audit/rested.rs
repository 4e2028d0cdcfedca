//! Is everything where it should be, once the engine has had its turn? What is due has happened, and
//! everybody is who they say they are.

use std::collections::{BTreeMap, BTreeSet};

use super::walks::Entry;
use super::{Auditor, persons, walks};
use crate::facts::{Checked, Fed, holds};

impl Auditor {
    /// The engine has had its turn at `at`: whatever was due by then has happened.
    pub(crate) fn rested(&mut self, at: i64) -> Checked {
        for (id, (owner, it)) in &self.live {
            let is_due = it.due.is_some_and(|due| due <= at);
            let may_wait = !is_due || self.paused.contains_key(&it.journey);
            holds("what is due has its turn", may_wait, || {
                format!("{id} of {owner} at {at}: {it:?}")
            })?;
        }
        holds(
            "what is queued has its turn",
            self.queued.is_empty(),
            || format!("{:?}", self.queued),
        )?;
        for (id, row) in &self.deliveries {
            let is_due = row.due.is_some_and(|due| due <= at);
            let may_wait = !is_due
                || self.taken.contains(id)
                || self.is_held(row)
                || self.before(id, row, i64::MAX).is_some();
            holds("what is owed is sent", may_wait, || {
                format!("{id} at {at}: {row:?}")
            })?;
        }
        self.together()?;
        let waits = self.skipping.iter().find(|(_, ordered)| **ordered <= at);
        holds("what is overdue is skipped", waits.is_none(), || {
            format!("{waits:?} does not go on at {at}")
        })?;
        // While the clock is behind, the search through the ledger has not begun.
        if at >= self.erased_last {
            self.forgotten()?;
        }
        self.marked()
    }

    /// The engine's profiles are those of the model, and each has one id for ever.
    pub(crate) fn same_people(&mut self, profiles: &BTreeMap<BTreeSet<String>, String>) -> Checked {
        let groups = self.people.groups(self.people.all());
        let own: BTreeSet<&BTreeSet<String>> = groups.iter().map(|it| &it.names).collect();
        let is_same = own.iter().copied().eq(profiles.keys());
        holds("people are who they say they are", is_same, || {
            let there = |it: &&&BTreeSet<String>| profiles.contains_key(**it);
            let missing: Vec<_> = own.iter().filter(|it| !there(it)).collect();
            let beyond: Vec<_> = profiles.keys().filter(|it| !own.contains(it)).collect();
            format!("expected {missing:?}, found {beyond:?}")
        })?;
        for group in &*groups {
            let Some(id) = profiles.get(&group.names) else {
                continue;
            };
            let known = self
                .ids
                .entry(group.lead.clone())
                .or_insert_with(|| id.clone());
            holds("whoever has a name keeps their id", known == id, || {
                format!("{} was {known} and is {id}", group.lead)
            })?;
        }
        let ids: BTreeSet<&String> = self.ids.values().collect();
        let is_new = ids.iter().all(|id| !self.retired.contains(*id));
        holds(
            "whoever has a name keeps their id",
            ids.len() == self.ids.len() && is_new,
            || format!("two have one: {:?}", self.ids),
        )
    }
}

impl Auditor {
    /// An event that may start a journey does, moves somebody there, or is refused.
    pub(super) fn was_heard(&mut self, fed: &Fed) -> Checked {
        let (Some(name), Some(message)) = (&fed.name, &fed.message) else {
            return Ok(());
        };
        // What only names a thing that is nobody's is about nobody.
        let around = self.people.around(fed.at);
        let mut names = fed.names.iter();
        let is_nobodys = names.all(|it| {
            around
                .iter()
                .any(|told| self.people.group(*told, it).is_blocked)
        });
        if is_nobodys {
            return Ok(());
        }
        let in_force = self.controls.iter().filter_map(|(id, control)| {
            let version = control.in_force.clone()?;
            self.versions.get(&(id.clone(), version))
        });
        for journey in walks::started(in_force, name) {
            let was_heard = self.refused.contains(&(journey.clone(), message.clone()))
                || self.seen.contains(&(journey.clone(), fed.at))
                || self.ended.contains(&journey);
            holds(
                "an event starts what it may, or is refused",
                was_heard,
                || format!("{journey}: {fed:?}"),
            )?;
        }
        Ok(())
    }

    /// Whoever waits is where their person is, and nobody is in one place twice.
    fn together(&mut self) -> Checked {
        let all = self.people.all();
        for (id, (owner, it)) in &self.live {
            let group = self.people.group(all, owner);
            // An erasure of a user lets aliases of their text count: whoever gains by that is not met.
            let is_older = it.entered <= self.erased_last;
            let is_users = persons::is_user(owner) || !persons::is_user(&group.lead);
            let is_there = *owner == group.lead || is_users || is_older;
            holds("whoever waits follows their person", is_there, || {
                format!("{id} of {owner}, who is {}: {it:?}", group.lead)
            })?;
        }
        self.entries
            .apart(&mut self.people, &self.live, self.erased_last)
    }

    /// Whoever is beyond a block that writes a trait has it, or had it when they entered.
    fn marked(&mut self) -> Checked {
        let live = self.live.iter();
        let live = live.map(|(id, (_, it))| (id, &it.journey, &it.version, &it.block));
        let ended = self.decisions.iter();
        let ended = ended.map(|(id, it)| (id, &it.journey, &it.version, &it.block));
        for (id, journey, version, block) in live.chain(ended) {
            let facts = self.versions.get(&(journey.clone(), version.clone()));
            let Some((first, name)) = facts.and_then(walks::mark) else {
                continue;
            };
            let entry = self.entries.of(id);
            let is_beyond = |it: &&Entry| {
                let was_erased = matches!(&it.ended, Some((_, how)) if how == "erased");
                // What was written before somebody logged in goes with whoever they were then.
                let is_older = it.entered <= self.erased_last;
                let was_let_go = is_older && self.gone.contains(&it.first_owner);
                let is_known = !was_erased && !was_let_go && !it.owners.is_empty();
                it.version == *version && first != block && is_known
            };
            let Some(entry) = entry.filter(is_beyond) else {
                continue;
            };
            let all = self.people.all();
            let mut names: BTreeSet<String> = BTreeSet::new();
            for (_, owner) in &entry.owners {
                names.extend(self.people.person(all, owner));
                names.insert(owner.clone());
            }
            let [_, told] = self.people.around(entry.entered);
            names.extend(self.people.person(told, &entry.first_owner));
            let mut own = names.iter().filter_map(|it| self.persons.get(it));
            let has = own.any(|person| person.traits.contains(name));
            holds("what a block writes is written", has, || {
                format!("{name} of {entry:?}")
            })?;
        }
        Ok(())
    }
}
