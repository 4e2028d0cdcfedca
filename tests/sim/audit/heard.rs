//! Who is heard? Nothing of whoever is kept out, until they are let in again; of whoever was let go,
//! nothing that happened before.

use std::collections::{BTreeMap, BTreeSet};

use super::people::People;
use super::persons::{Word, is_address, is_user};
use crate::facts::{Fed, Says};

/// What is remembered of an identifier of somebody erased.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    /// When it was last let go.
    deleted: Option<i64>,
    /// Whether it is kept out.
    is_silent: bool,
    /// Whether it is erased once a walk is over.
    is_leaving: bool,
}

impl People {
    /// What is remembered of an identifier, after so much was told.
    fn mark(&self, told: usize, name: &str) -> Mark {
        let mut mark = Mark::default();
        for (at, word) in &self.told[..told] {
            match word {
                Word::Erased {
                    names,
                    deletes,
                    silences,
                } if names.contains_key(name) => {
                    mark.deleted = if *deletes { Some(*at) } else { mark.deleted };
                    mark.is_silent |= silences;
                    mark.is_leaving = false;
                }
                Word::Leaving { names, .. } if names.contains(name) => mark.is_leaving = true,
                Word::Readmitted(names) if names.contains(name) => mark.is_silent = false,
                Word::Event(_)
                | Word::Merged { .. }
                | Word::Parted { .. }
                | Word::Detached { .. }
                | Word::Unblocked(_)
                | Word::Suppressed { .. }
                | Word::Erased { .. }
                | Word::Readmitted(_)
                | Word::Leaving { .. }
                | Word::Nothing => {}
            }
        }
        mark
    }

    /// Whether an identifier of somebody erased is not heard any more.
    pub(crate) fn is_kept_out(&self, told: usize, name: &str) -> bool {
        self.mark(told, name).is_silent
    }

    /// Whether an identifier is not heard, or not for now.
    pub(crate) fn is_out(&self, told: usize, name: &str) -> bool {
        let mark = self.mark(told, name);
        mark.is_silent || mark.is_leaving
    }

    /// All that is kept out.
    pub(crate) fn kept_out(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        for (_, word) in &self.told {
            if let Word::Erased { names: erased, .. } = word {
                names.extend(erased.keys());
            }
        }
        let names = names.into_iter();
        let names = names.filter(|name| self.is_kept_out(self.all(), name));
        names.cloned().collect()
    }

    /// Everything that somebody who is erased was known by.
    pub(super) fn erasing(&mut self, identifier: &str, (deletes, silences): (bool, bool)) -> Word {
        let all = self.all();
        let groups = self.groups(all);
        let mut names = self.after(all).all_of(&groups, identifier);
        let mut deletes = deletes;
        if names.is_empty() && silences {
            // Of whom nothing is known only the mark is made that keeps them out: nobody is let go a
            // second time.
            let mark = self.mark(all, identifier);
            deletes &= !mark.is_silent && mark.deleted.is_none();
            names.insert(identifier.to_owned());
        }
        let ghost = |name: String| (name.clone(), format!("erased:{name}"));
        let names: BTreeMap<_, _> = names.into_iter().map(ghost).collect();
        if names.is_empty() {
            return Word::Nothing;
        }
        Word::Erased {
            names,
            deletes,
            silences,
        }
    }

    /// Whoever is erased goes through a journey first, where one is named and anything is known of them.
    pub(super) fn leaving(&mut self, word: Word, through: Option<&String>) -> Word {
        let groups = self.groups(self.all());
        let is_known = |name: &String| groups.iter().any(|it| it.names.contains(name));
        if let Word::Erased {
            names,
            deletes,
            silences,
        } = &word
            && through.is_some()
            && names.keys().any(is_known)
        {
            return Word::Leaving {
                names: names.keys().cloned().collect(),
                deletes: *deletes,
                silences: *silences,
            };
        }
        word
    }

    /// Whoever was to leave was not let in where they were to go first: nothing comes of it.
    pub(super) fn stays(&mut self, place: usize) {
        self.told[place].1 = Word::Nothing;
    }

    /// Everything that somebody who may come back is known by: where nothing is, what is named alone.
    pub(super) fn readmitting(&mut self, identifier: &str) -> Word {
        let all = self.all();
        let groups = self.groups(all);
        let mut names = self.after(all).all_of(&groups, identifier);
        names.insert(identifier.to_owned());
        if names.iter().any(|name| self.is_kept_out(all, name)) {
            Word::Readmitted(names)
        } else {
            Word::Nothing
        }
    }

    /// An event as it is heard: without what is erased; nothing of who is, but what they refuse while
    /// anything is known of them.
    pub(crate) fn heard(&mut self, fed: &Fed) -> Option<Fed> {
        let groups = self.groups(self.all());
        let is_known = |name: &String| groups.iter().any(|it| it.names.contains(name));
        let is_out = |name: &String| {
            let mark = self.mark(self.all(), name);
            mark.is_silent || mark.is_leaving || mark.deleted.is_some_and(|at| fed.occurred <= at)
        };
        let out: BTreeSet<&String> = fed.names.iter().filter(|name| is_out(name)).collect();
        let user = fed.names.iter().find(|it| is_user(it));
        let is_about_them = user.map_or(!out.is_empty(), |user| out.contains(user));
        if is_about_them {
            let said = fed.said.as_ref().filter(|said| !said.accepts)?;
            let mut addresses = said.subjects.iter().filter(|it| is_address(it));
            // A refusal about an address that is not theirs is heard all the same, and nothing else.
            let elsewhere = addresses.clone().find(|it| !out.contains(it));
            let is_kept = |name: &&String| {
                let deleted = self.mark(self.all(), name).deleted;
                is_known(name) && deleted.is_none_or(|at| fed.occurred > at)
            };
            let is_own = addresses.all(|it| out.contains(it)) && out.iter().all(is_kept);
            let names = match elsewhere {
                Some(address) => BTreeSet::from([address.clone()]),
                None if is_own => out.into_iter().cloned().collect(),
                None => return None,
            };
            let mut said = said.clone();
            said.subjects.retain(|it| names.contains(it));
            return Some(Fed {
                names,
                previous: None,
                name: None,
                traits: Vec::new(),
                said: Some(said),
                ..fed.clone()
            });
        }
        let mut said = fed.said.clone();
        if let Some(said) = &mut said {
            said.subjects.retain(|it| !out.contains(it));
        }
        let mut traits = fed.traits.clone();
        traits.retain(|told| {
            let value = told.value.as_deref().unwrap_or_default();
            let address = format!("{}:{}", told.name, value.trim_matches('"'));
            !out.contains(&address)
        });
        Some(Fed {
            names: fed
                .names
                .iter()
                .filter(|it| !out.contains(it))
                .cloned()
                .collect(),
            traits,
            said: said.filter(|said| !said.subjects.is_empty()),
            previous: fed.previous.clone().filter(|it| !out.contains(it)),
            ..fed.clone()
        })
    }

    /// Whether an operator's word may be played: what changes who is who among those who are kept out,
    /// and whose rows stay, is not.
    pub(crate) fn may_say(&mut self, says: &Says) -> bool {
        let all = self.all();
        let groups = self.groups(all);
        let mut known = groups.iter().flat_map(|group| &group.names);
        if !known.any(|name| self.is_out(all, name)) {
            return true;
        }
        match says {
            Says::Merge { from, into } => [from, into].into_iter().all(|it| {
                let names = self.person(all, it);
                names.iter().all(|name| !self.is_out(all, name))
            }),
            Says::Detach { .. } | Says::Unblock(_) => false,
            Says::Erase {
                identifier,
                through: Some(_),
                ..
            } => {
                let names = self.person(all, identifier);
                names.iter().all(|name| !self.is_out(all, name))
            }
            Says::Suppress { .. } | Says::Unsuppress(_) | Says::Erase { .. } | Says::Readmit(_) => {
                true
            }
        }
    }
}
