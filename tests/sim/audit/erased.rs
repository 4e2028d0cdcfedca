//! What is left of who is erased? They walk no more, nothing of theirs is sent, and once the ledger was
//! gone through nothing tells of who was let go.

use std::ops::Range;

use super::Auditor;
use super::persons::{Word, is_user};
use crate::facts::{Checked, Decision, holds};

impl Auditor {
    /// Somebody was erased, by a word: what they were owed does not leave, and what was known of them
    /// may go.
    pub(super) fn erase(&mut self, place: usize) {
        let (at, word) = self.people.word(place).clone();
        let Word::Erased { names, deletes, .. } = word else {
            return;
        };
        self.erased_last = at;
        let ids = names.keys().filter_map(|name| self.ids.get(name));
        self.left.extend(ids.cloned());
        let own = self.decisions.iter();
        let own = own.filter(|(_, it)| names.contains_key(&it.owner));
        for (id, _) in own {
            *self.erased.entry(id.clone()).or_default() |= deletes;
            if let Some(story) = self.stories.get_mut(id) {
                story.erase();
            }
        }
        if deletes {
            self.entries.forget(&names, at);
            for name in names.keys() {
                self.retired.extend(self.ids.remove(name));
                self.gone.insert(name.clone());
            }
        }
    }

    /// Whoever is erased walks no more; `since` is when the last decision before this commit was taken.
    pub(super) fn silenced(&mut self, told: &Range<usize>, since: i64) -> Checked {
        for place in told.clone() {
            let (at, word) = self.people.word(place).clone();
            let Word::Erased { names, deletes, .. } = word else {
                continue;
            };
            let mut live = self.live.iter();
            let live = live.find(|(_, (owner, it))| names.contains_key(owner) && it.entered <= at);
            holds("whoever is erased walks no more", live.is_none(), || {
                format!("{live:?}")
            })?;
            if deletes {
                self.entries.forget(&names, at);
            }
            // What is decided in the same commit, and before, stands there under their own name.
            let ended = self.decisions.iter();
            let ended = ended.filter(|(_, it)| (since..=at).contains(&it.at));
            let ended = ended.filter(|(_, it)| names.contains_key(&it.owner));
            for (id, _) in ended {
                *self.erased.entry(id.clone()).or_default() |= deletes;
                if let Some(story) = self.stories.get_mut(id) {
                    story.erase();
                }
            }
        }
        Ok(())
    }

    /// Whether an identifier was let go at an instant. While the clock is behind, time stands still, and
    /// whoever comes back then is not told apart from who was erased: what they are owed may be held back.
    pub(super) fn is_erased_at(&self, owner: &str, at: i64) -> bool {
        let [before, by] = self.people.around(at);
        (before..by).any(|place| {
            let word = &self.people.word(place).1;
            if let Word::Leaving { names, .. } = word {
                return names.contains(owner);
            }
            matches!(word, Word::Erased { names, .. } if names.contains_key(owner))
        })
    }

    /// Whether somebody who left may have gone by a profile: it was theirs, or is nobody's that is known.
    pub(super) fn may_have_left(&self, profile: &String) -> bool {
        self.left.contains(profile) || !self.ids.values().any(|it| it == profile)
    }

    /// Whether a decision may tell of nobody any more: it was about somebody who was let go, be it that
    /// what it is kept under had become another's by then.
    pub(super) fn is_let_go(&mut self, id: &str, row: &Decision) -> bool {
        let Some(last) = self.decisions.get(id) else {
            return false;
        };
        let was_anothers = row.owner.starts_with("erased:") && !is_user(&last.owner);
        if was_anothers && self.may_have_left(&last.profile) {
            self.erased.insert(id.to_owned(), true);
            if let Some(story) = self.stories.get_mut(id) {
                story.erase();
            }
        }
        self.erased.get(id) == Some(&true)
    }

    /// A decision tells of somebody erased no more, and of everything else what it told.
    pub(super) fn reduced(&mut self, id: &str, row: &Decision) -> Checked {
        let last = self.decisions.insert(id.to_owned(), row.clone());
        let is_same = last.as_ref().is_some_and(|last| {
            let what = |it: &Decision| (it.at, it.journey.clone(), it.block.clone());
            what(last) == what(row) && last.outcome == row.outcome && last.version == row.version
        });
        holds("one decision for a walk, for ever", is_same, || {
            format!("{id}: {row:?} was {last:?}")
        })
    }

    /// Once the engine has had its turn, nothing tells of who was let go, and nothing of theirs waits.
    pub(super) fn forgotten(&mut self) -> Checked {
        let rule = "nothing is left of who is erased";
        for (id, was_let_go) in &self.erased {
            let row = self.deliveries.get(id);
            let waits = row.is_some_and(|row| row.state == "planned");
            holds(rule, !waits, || format!("{id} waits: {row:?}"))?;
            let decision = self.decisions.get(id);
            let tells = |it: &Decision| {
                let address = it.asked.as_ref().and_then(|it| it.address.as_ref());
                !it.owner.starts_with("erased:") || it.key.is_some() || address.is_some()
            };
            let tells = decision.is_some_and(tells)
                || row.is_some_and(|row| {
                    let is_bare = row.request.url.is_empty() && row.request.body.is_none();
                    !row.owner.starts_with("erased:") || !is_bare || row.asked.address.is_some()
                });
            holds(rule, !(*was_let_go && tells), || {
                format!("{id} {decision:?} {row:?}")
            })?;
        }
        let groups = self.people.groups(self.people.all());
        let is_back = |name: &String| groups.iter().any(|it| it.names.contains(name));
        let mut gone = self.gone.iter();
        let left = gone.find(|name| self.persons.contains_key(*name) && !is_back(name));
        holds(rule, left.is_none(), || format!("{left:?} has a row"))
    }
}
