//! Who is who, and what may be sent to them? Everything that was told and ordered, in its order; who is
//! one person follows from it (`persons`), and what may be sent to them is the latest word of each side.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use super::persons::{Group, Groups, Known, Word, is_address, is_user};
use crate::facts::{Asked, DAY, Fed, Says};

/// Everything that was told, in order.
#[derive(Clone, Default)]
pub(crate) struct People {
    pub(super) told: Vec<(i64, Word)>,
    /// How much of it is durable.
    durable: usize,
    /// Messages by id, and when they were first told.
    messages: BTreeMap<String, i64>,
    /// The answers to who is one person, by how much was told.
    known: BTreeMap<usize, Rc<Groups>>,
}

impl People {
    /// An event that is no copy was told.
    pub(crate) fn tell(&mut self, fed: &Fed) {
        if let Some(message) = &fed.message {
            self.messages.insert(message.clone(), fed.at);
        }
        self.push(fed.at, Word::Event(fed.clone()));
    }

    /// What comes earlier than what was told before it comes after something that changed nothing, and
    /// was forgotten when the clock was put back.
    pub(super) fn push(&mut self, at: i64, word: Word) {
        let later = self.told.iter_mut().rev();
        for (then, _) in later.take_while(|(then, _)| *then > at) {
            *then = at;
        }
        self.told.push((at, word));
    }

    /// An operator says who is who; whether anything comes of it, as read off everything told so far.
    pub(crate) fn order(&mut self, says: &Says, at: i64) -> bool {
        let all = self.all();
        let word = match says {
            Says::Merge { from, into } => {
                let groups = self.groups(all);
                let is_known = |it: &String| groups.iter().any(|group| group.names.contains(it));
                let are_known = is_known(from) && is_known(into);
                let [from, into] = [from, into].map(|it| self.group(all, it).lead);
                if are_known && from != into && is_user(&from) && is_user(&into) {
                    Word::Merged { from, into, at }
                } else {
                    Word::Nothing
                }
            }
            Says::Detach { identifier, from } => {
                let group = self.group(all, from);
                let user = if is_user(from) { from } else { &group.lead };
                let known = self.after(all);
                let is_theirs =
                    group.names.contains(identifier) || known.is_claimed(identifier, user);
                if is_user(&group.lead) && is_theirs {
                    known.detach(identifier, user, at)
                } else {
                    Word::Nothing
                }
            }
            Says::Unblock(identifier) if self.after(all).is_blocked(identifier) => {
                Word::Unblocked(identifier.clone())
            }
            Says::Unblock(_) => Word::Nothing,
            Says::Suppress { address, bounced } => {
                let groups = self.groups(all);
                let is_there = groups.iter().any(|it| it.names.contains(address));
                if !is_there && self.is_kept_out(all, address) {
                    Word::Nothing
                } else {
                    Word::Suppressed {
                        address: address.clone(),
                        bounced: Some(*bounced),
                    }
                }
            }
            Says::Erase {
                identifier,
                deletes,
                silences,
                through,
            } => {
                let word = self.erasing(identifier, (*deletes, *silences));
                self.leaving(word, through.as_ref())
            }
            Says::Readmit(identifier) => self.readmitting(identifier),
            Says::Unsuppress(address) => Word::Suppressed {
                address: address.clone(),
                bounced: None,
            },
        };
        let follows = !matches!(word, Word::Nothing);
        self.push(at, word);
        follows
    }

    /// Whether a message must be known, or may be: it is remembered for seven days at least.
    pub(crate) fn knows(&self, message: &str, at: i64) -> (bool, bool) {
        let told = self.messages.get(message);
        (told.is_some_and(|told| at - told < 7 * DAY), told.is_some())
    }

    /// What was told is durable: how much was before, and is.
    pub(crate) fn keep(&mut self) -> Range<usize> {
        let before = std::mem::replace(&mut self.durable, self.told.len());
        before..self.durable
    }

    /// What was told and is not kept yet.
    pub(super) fn unkept(&self) -> Vec<Word> {
        let words = self.told[self.durable..].iter();
        words.map(|(_, word)| word.clone()).collect()
    }

    /// When the last of so much was told.
    pub(crate) fn at(&self, told: usize) -> i64 {
        told.checked_sub(1).map_or(0, |last| self.told[last].0)
    }

    /// What was told and is not durable has not happened.
    pub(crate) fn forget(&mut self) {
        for (_, word) in self.told.drain(self.durable..) {
            if let Word::Event(Fed {
                message: Some(message),
                ..
            }) = word
            {
                self.messages.remove(&message);
            }
        }
        self.known.retain(|told, _| *told <= self.durable);
    }

    /// The events told since the last commit.
    pub(crate) fn pending(&self) -> Vec<Fed> {
        let told = self.told[self.durable..].iter();
        let events = told.filter_map(|(_, word)| {
            if let Word::Event(fed) = word {
                return Some(fed.clone());
            }
            None
        });
        events.collect()
    }

    /// How much was told in all.
    pub(crate) const fn all(&self) -> usize {
        self.told.len()
    }

    /// How much was told before an instant, and by then.
    pub(crate) fn around(&self, at: i64) -> [usize; 2] {
        let before = self.told.partition_point(|(told, _)| *told < at);
        let by = self.told.partition_point(|(told, _)| *told <= at);
        [before, by]
    }

    pub(super) fn after(&self, told: usize) -> Known<'_> {
        Known::after(self.told[..told].iter().map(|(_, word)| word))
    }

    /// Everybody, after so much was told.
    pub(crate) fn groups(&mut self, told: usize) -> Rc<Groups> {
        if let Some(known) = self.known.get(&told) {
            return known.clone();
        }
        let groups = Rc::new(self.after(told).groups());
        self.known.insert(told, groups.clone());
        groups
    }

    /// The person behind an identifier, after so much was told.
    pub(crate) fn group(&mut self, told: usize, identifier: &str) -> Group {
        let groups = self.groups(told);
        let found = groups.iter().find(|it| it.names.contains(identifier));
        found.cloned().unwrap_or_else(|| Group {
            lead: identifier.to_owned(),
            names: BTreeSet::from([identifier.to_owned()]),
            claimed: 0,
            is_blocked: false,
        })
    }

    /// Their identifiers.
    pub(crate) fn person(&mut self, told: usize, identifier: &str) -> BTreeSet<String> {
        self.group(told, identifier).names
    }

    /// Whether an identifier was let go after something was told, and before something else was.
    fn is_forgotten(&self, (after, before): (usize, usize), name: &str) -> bool {
        self.told[after..before].iter().any(|(_, word)| {
            matches!(word, Word::Erased { names, deletes: true, .. } if names.contains_key(name))
        })
    }

    /// What was told at a place.
    pub(crate) fn word(&self, place: usize) -> &(i64, Word) {
        &self.told[place]
    }

    /// Whether an address bounced, or somebody complained there; nothing where it is fine. A complaint
    /// mends no mailbox.
    fn bounced(&self, told: usize, of: &str) -> Option<bool> {
        self.told[..told]
            .iter()
            .fold(None, |held, (_, word)| match word {
                Word::Suppressed { address, bounced } if address == of => {
                    bounced.map(|bounced| bounced || held == Some(true))
                }
                Word::Erased { names, deletes, .. } if *deletes && names.contains_key(of) => None,
                Word::Event(_)
                | Word::Merged { .. }
                | Word::Parted { .. }
                | Word::Detached { .. }
                | Word::Unblocked(_)
                | Word::Suppressed { .. }
                | Word::Erased { .. }
                | Word::Readmitted(_)
                | Word::Leaving { .. }
                | Word::Nothing => held,
            })
    }

    /// Whether what is asked of a person allows a request at an instant, after so much was told.
    pub(crate) fn allows(&mut self, told: usize, (owner, asked): (&str, &Asked), at: i64) -> bool {
        let bounced = asked.address.as_ref().and_then(|it| {
            let is_kept_out = self.is_kept_out(told, it);
            self.bounced(told, it)
                .or_else(|| is_kept_out.then_some(true))
        });
        let Some(category) = &asked.category else {
            return bounced != Some(true);
        };
        if category == "essential" {
            return true;
        }
        let person = self.person(told, owner);
        let by_address = category == "marketing";
        if by_address && asked.address.is_none() {
            return false;
        }
        if bounced.is_some() && !asked.declines {
            return false;
        }
        let known = LazyCell::new(|| self.after(told));
        let was_one = |left: &str, right: &str, by: i64| {
            left == right
                || known
                    .since(&person, left, right)
                    .is_some_and(|since| since <= by)
        };
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for (place, (_, word)) in self.told[..told].iter().enumerate() {
            let Word::Event(fed) = word else { continue };
            let Some(said) = fed.said.as_ref().filter(|said| said.category == category) else {
                continue;
            };
            let when = fed.occurred.min(fed.at);
            let kept = |it: &&String| !self.is_forgotten((place, told), it);
            for subject in said.subjects.iter().filter(kept).map(String::as_str) {
                let counts = match asked.address.as_deref().filter(|_| by_address) {
                    None => person.contains(subject),
                    Some(address) if address == subject => true,
                    Some(_) if is_address(subject) => false,
                    // A yes of a person reaches what was theirs when they said it, a no everything.
                    Some(address) => {
                        person.contains(subject)
                            && (!said.accepts || was_one(subject, address, when))
                    }
                };
                if counts && !said.accepts {
                    no.push((when, subject));
                } else if counts && said.until.is_none_or(|until| until > at) {
                    yes.push((when, subject));
                }
            }
        }
        // A later yes lifts the no of whoever they were one with by then.
        let is_lifted = |(then, whose): &(i64, &str)| {
            let mut later = yes.iter().filter(|(when, _)| when > then);
            later.any(|(when, subject)| was_one(subject, whose, *when))
        };
        let is_declined = !no.iter().all(is_lifted);
        let is_accepted = !is_declined && !yes.is_empty();
        if asked.declines {
            is_declined
        } else {
            is_accepted
        }
    }
}
