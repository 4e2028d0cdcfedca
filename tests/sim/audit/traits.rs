//! Which traits does a profile show? Each value is kept under the identifier it was told for: the user
//! named, else the user of that person who claims the best one named, else the one that stands for them;
//! without a user, that best one. Of all that a person has, the one
//! told last by its own time counts, and at the same time the one that came in last. `null` is a value
//! that shows nothing. What only fills gaps counts where nothing else was ever told, the first of it.
//!
//! What a journey writes, `mark_` and the journey, is not compared: when that is, nobody tells.

use std::collections::BTreeMap;

use super::Auditor;
use super::people::People;
use super::persons::{Group, Groups, Known, Word, is_user, rank};
use crate::facts::{Checked, Fed, Shown, holds};

/// When something was told: by its own time, then in the order of arrival.
type When = (i64, usize);
/// The value under an identifier of each trait, and when it was told.
type Registers = BTreeMap<(String, &'static str), (When, Option<String>)>;

/// What is kept under all identifiers.
#[derive(Default)]
pub(crate) struct Traits {
    latest: Registers,
    once: Registers,
}

impl Traits {
    fn tell(&mut self, owner: &str, fed: &Fed, place: usize) {
        let when = (fed.occurred, place);
        for told in &fed.traits {
            let registers = if told.is_once {
                &mut self.once
            } else {
                &mut self.latest
            };
            let counts = |held: When| (when >= held) != told.is_once;
            let place = (owner.to_owned(), told.name);
            let held = registers.get(&place);
            if held.is_none_or(|(held, _)| counts(*held)) {
                registers.insert(place, (when, told.value.clone()));
            }
        }
    }

    fn shown(&self, group: &Group) -> Shown {
        let is_own = |owner: &str| group.names.contains(owner);
        let mut found: BTreeMap<&str, &(When, Option<String>)> = BTreeMap::new();
        for ((owner, name), told) in &self.latest {
            let held = found.get(name);
            if is_own(owner) && held.is_none_or(|held| held.0 <= told.0) {
                found.insert(name, told);
            }
        }
        let mut first: BTreeMap<&str, &(When, Option<String>)> = BTreeMap::new();
        for ((owner, name), told) in &self.once {
            let held = first.get(name);
            if is_own(owner) && held.is_none_or(|held| told.0 < held.0) {
                first.insert(name, told);
            }
        }
        for (name, told) in first {
            found.entry(name).or_insert(told);
        }
        let shown = found.into_iter();
        let shown = shown.filter_map(|(name, (_, value))| Some((name.to_owned(), value.clone()?)));
        shown.collect()
    }
}

/// Whose what an event tells is: of those named, a user's before all, then what is somebody's or hangs
/// together with them, then what fewer claim. Nobody's, where all that is named is blocked.
fn owner(known: &Known<'_>, groups: &Groups, fed: &Fed) -> Option<String> {
    let group = |name: &str| groups.iter().find(|it| it.names.contains(name));
    let named = fed
        .names
        .iter()
        .filter_map(|name| Some((name, group(name)?)));
    let open = named.filter(|(_, group)| !group.is_blocked);
    let best = open.min_by_key(|(name, group)| {
        let claimed = if is_user(&group.lead) {
            0
        } else {
            group.claimed
        };
        (!is_user(name), claimed, rank(name), *name)
    });
    let (_, own) = best?;
    let named = fed.names.iter().filter(|name| own.names.contains(*name));
    let best = named.min_by_key(|name| (!is_user(name), rank(name), *name))?;
    if is_user(best) || !is_user(&own.lead) {
        return Some(best.clone());
    }
    let verified = known.claiming(best, false);
    let claiming = if verified.is_empty() {
        known.claiming(best, true)
    } else {
        verified
    };
    let mut users = claiming
        .into_keys()
        .filter(|user| own.names.contains(*user));
    match (users.next(), users.next()) {
        (Some(user), None) => Some(user.to_owned()),
        _ => Some(own.lead.clone()),
    }
}

impl People {
    /// Everything that was told of traits and that no erasure took away.
    fn traits(&mut self) -> Traits {
        let mut traits = Traits::default();
        for place in 0..self.all() {
            let groups = self.groups(place + 1);
            let word = &self.word(place).1;
            if let Word::Event(fed) = word {
                let known = self.after(place + 1);
                let owner = (!fed.traits.is_empty()).then(|| owner(&known, &groups, fed));
                if let Some(owner) = owner.flatten() {
                    traits.tell(&owner, fed, place);
                }
            } else if let Word::Erased {
                names,
                deletes: true,
                ..
            } = word
            {
                let stays = |owner: &String| !names.contains_key(owner);
                traits.latest.retain(|(owner, _), _| stays(owner));
                traits.once.retain(|(owner, _), _| stays(owner));
            }
        }
        traits
    }
}

impl Auditor {
    /// Each profile shows the traits that the model says.
    pub(crate) fn same_traits(&mut self, shown: &BTreeMap<String, Shown>) -> Checked {
        let traits = self.people.traits();
        let all = self.people.all();
        let groups = self.people.groups(all);
        for group in &*groups {
            let own = traits.shown(group);
            let mut found = shown.get(&group.lead).cloned().unwrap_or_default();
            found.retain(|name, _| !name.starts_with("mark_"));
            holds("a profile shows what was told last", own == found, || {
                format!("{group:?} has {own:?} and shows {found:?}")
            })?;
        }
        Ok(())
    }
}
