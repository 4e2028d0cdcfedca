//! May what became durable stand there? Everybody in one place, one decision for a walk, one request
//! for a decision, with consent; and nothing that was durable is gone.

use std::collections::BTreeSet;

use super::persons::is_user;
use super::story::Story;
use super::walks::{self, Entry, Live};
use super::{Auditor, Changes, about};
use crate::facts::{
    Again, Broken, Checked, Control, Decision, Delivery, Fed, Journey, Order, Row, holds,
};

/// What became durable.
impl Auditor {
    /// The engine is up.
    pub(crate) fn opened(&mut self) {
        self.at_opening = std::mem::take(&mut self.untold);
    }

    pub(crate) fn durable(&mut self, changes: &Changes) -> Checked {
        let fed = self.pending();
        self.leave(changes)?;
        let told = self.people.keep();
        self.stories.append(&mut self.stories_pending);
        for told in told.clone() {
            self.entries.settle(&mut self.people, told + 1);
            self.erase(told);
        }
        let mut touched = self.take_in(changes)?;
        // Whoever ends in this commit may make room for who enters in it.
        for (name, row) in &touched {
            if let Some(Row::Decision(it)) = row {
                self.entries.end(name, it.at, &it.outcome);
            }
        }
        let since = self.latest;
        let before = self.look_at_everybody(&fed)?;
        // Of two halves the one that had decided may have entered in this very commit.
        touched.sort_by_key(
            |(_, row)| matches!(row, Some(Row::Decision(decision)) if decision.outcome == "merged"),
        );
        for (name, row) in &touched {
            if let Some(Row::Decision(decision)) = row {
                if self.is_let_go(name, decision) {
                    self.reduced(name, decision)?;
                    continue;
                }
                let fits = decision.at >= since;
                holds("time does not go back", fits, || {
                    format!("{name}: {decision:?}")
                })?;
                self.latest = self.latest.max(decision.at);
                self.decided(name, decision, &before)?;
            }
        }
        for (name, row) in &touched {
            if let Some(Row::Delivery(delivery)) = row {
                self.delivered(name, delivery)?;
            }
        }
        for (name, row) in &touched {
            if let Some(Row::Control(control)) = row {
                self.control(name, control)?;
            }
        }
        self.silenced(&told, since)?;
        self.hold_back()?;
        for told in told {
            self.entries.settle(&mut self.people, told + 1);
        }
        self.all_ended(&before)?;
        self.paused_durable.clone_from(&self.paused);
        self.skipping_durable.clone_from(&self.skipping);
        self.leaving_durable.clone_from(&self.leaving);
        self.counted()
    }
}

/// Rows that are looked at one by one, each with its name.
type Touched<'a> = Vec<(&'a str, &'a Option<Row>)>;

impl Auditor {
    /// Rows of people are as they are now; the others are given back. Nothing durable is gone.
    fn take_in<'a>(&mut self, changes: &'a Changes) -> Result<Touched<'a>, Broken> {
        let mut touched = Vec::new();
        for (key, row) in changes {
            let (kind, name) = key.split_once(' ').unwrap_or((key, ""));
            match row {
                Some(Row::Person(person)) => {
                    self.persons.insert(name.to_owned(), person.clone());
                }
                Some(Row::Control(_)) => touched.push((name, row)),
                Some(Row::Queued) => {
                    self.queued.insert(name.to_owned());
                }
                Some(Row::Decision(_) | Row::Delivery(_)) => touched.push((name, row)),
                Some(Row::Erased(_) | Row::Other) => {}
                None => {
                    self.queued.remove(name);
                    let may_go = !matches!(kind, "person" | "decision" | "delivery" | "control");
                    let may_go = may_go || (kind == "person" && self.gone.contains(name));
                    let may_go =
                        may_go || (kind == "delivery" && !self.deliveries.contains_key(name));
                    self.persons.remove(name);
                    holds("nothing durable is gone", may_go, || key.clone())?;
                }
            }
        }
        Ok(touched)
    }

    fn control(&mut self, journey: &str, control: &Control) -> Checked {
        self.controls.insert(journey.to_owned(), control.clone());
        self.goes_on(journey, control)?;
        let has_limit = |(id, _): &(&(String, String), &Journey)| id.0 == *journey;
        let mut versions = self.versions.iter().filter(has_limit);
        for (block, by) in &control.blocks {
            let place = format!("{journey}/{block}");
            if by == "wayfare" && self.failed.contains(&place) {
                self.paused.entry(place).or_insert_with(|| by.clone());
            }
        }
        let prefix = format!("{journey}/");
        let paused = self.paused.keys();
        let paused = paused.filter_map(|place| place.strip_prefix(&prefix));
        let fits = paused.eq(control.blocks.keys());
        holds("a journey is paused as ordered", fits, || {
            format!("{journey} {control:?}, ordered {:?}", self.paused)
        })?;
        let by_limit = control.paused.as_deref() == Some("entry limit");
        if by_limit && versions.any(|(_, facts)| facts.limit.is_some()) {
            let who = "entry limit".to_owned();
            self.paused.entry(journey.to_owned()).or_insert(who);
        }
        let is_paused = self.paused.contains_key(journey);
        let fits = control.paused.is_some() == is_paused;
        holds("a journey is paused as ordered", fits, || {
            format!("{journey} {control:?}, ordered {is_paused}")
        })
    }

    /// Everybody at exactly one block of exactly one version; gives where they were before.
    fn look_at_everybody(&mut self, fed: &[Fed]) -> Result<Live, Broken> {
        let mut live = Live::new();
        for (owner, person) in &self.persons {
            for (id, it) in &person.instances {
                let twice = live.insert(id.clone(), (owner.clone(), it.clone()));
                holds("everybody is in one place", twice.is_none(), || {
                    format!("{id} of {owner} and of {twice:?}")
                })?;
            }
        }
        let ordered = self.ordered_in(&live);
        let before = std::mem::replace(&mut self.live, live);
        for (id, (owner, it)) in &self.live {
            let version = (it.journey.clone(), it.version.clone());
            let facts = self.versions.get(&version);
            let Some(facts) = facts.filter(|facts| facts.block(&it.block).is_some()) else {
                let what = format!("{id} of {owner}: {it:?}");
                let rule = "everybody is in one place";
                return Err(Broken { rule, what });
            };
            let was = before.get(id);
            if was.is_some_and(|(_, was)| was == it) {
                continue;
            }
            self.seen.insert((it.journey.clone(), it.entered));
            self.seen.insert((it.journey.clone(), it.arrived));
            let is_new = was.is_none_or(|(_, was)| was.arrived != it.arrived);
            let fits = !is_new || walks::is_due_right(facts, it);
            holds("everybody waits as long as written", fits, || {
                format!("{id} of {owner}: {it:?}")
            })?;
            let arms = was.iter().flat_map(|(_, was)| &was.arms);
            let is_same = arms
                .clone()
                .all(|(_, arm)| it.arms.values().any(|own| own == arm));
            let is_same = is_same && was.is_none_or(|(_, was)| was.arms.len() <= it.arms.len());
            holds("an arm stays as it was taken", is_same, || {
                format!("{id} of {owner}: {it:?} was {was:?}")
            })?;
            if was.is_some_and(|(_, was)| was.version != it.version) {
                self.entries.take_over(id, facts.again);
            }
            if was.is_none() {
                let fits = facts.keyed == it.key.is_some();
                holds("entries are as `again` says", fits, || format!("{it:?}"))?;
                let is_ordered = ordered.contains(id);
                let fits = is_ordered || walks::has_cause(facts, it.entered, fed);
                holds("history starts nothing", fits, || format!("{id}: {it:?}"))?;
                let entry = Entry {
                    id: id.clone(),
                    journey: it.journey.clone(),
                    version: it.version.clone(),
                    key: it.key.clone(),
                    owner: owner.clone(),
                    first_owner: owner.clone(),
                    owners: vec![(0, owner.clone())],
                    held: vec![(0, owner.clone())],
                    beside: BTreeSet::new(),
                    entered: it.entered,
                    again: facts.again,
                    taken_over: Vec::new(),
                    ended: None,
                };
                self.entries.enter(&mut self.people, entry)?;
            }
        }
        Ok(before)
    }

    fn decided(&mut self, id: &str, decision: &Decision, before: &Live) -> Checked {
        let last = self.decisions.insert(id.to_owned(), decision.clone());
        holds("one decision for a walk, for ever", last.is_none(), || {
            format!("{id}: {decision:?} after {last:?}")
        })?;
        let is_live = self.live.contains_key(id);
        holds("one decision for a walk, for ever", !is_live, || {
            format!("{id} walks on after {decision:?}")
        })?;
        let version = (decision.journey.clone(), decision.version.clone());
        let facts = self.versions.get(&version).cloned();
        let Some(facts) = facts.filter(|facts| facts.block(&decision.block).is_some()) else {
            let what = format!("{id}: {decision:?}");
            let rule = "everybody is in one place";
            return Err(Broken { rule, what });
        };
        if !before.contains_key(id) && self.entries.of(id).is_none() {
            let entry = Entry {
                id: id.to_owned(),
                journey: decision.journey.clone(),
                version: decision.version.clone(),
                key: decision.key.clone(),
                owner: decision.owner.clone(),
                first_owner: decision.owner.clone(),
                owners: vec![(0, decision.owner.clone())],
                held: vec![(0, decision.owner.clone())],
                beside: BTreeSet::new(),
                entered: decision.at,
                again: facts.again,
                taken_over: Vec::new(),
                ended: None,
            };
            self.entries.enter(&mut self.people, entry)?;
        }
        if decision.outcome == "erased" {
            let is_theirs = self.is_erased_at(&decision.owner, decision.at);
            holds("nobody else is erased", is_theirs, || {
                format!("{id}: {decision:?}")
            })?;
        }
        if decision.outcome == "stopped" {
            self.stopped(decision, before.get(id).and_then(|(_, it)| it.due))?;
        }
        if decision.outcome == "merged" {
            self.entries.merged(&mut self.people, (id, decision))?;
        }
        // An edit that lets people in again, and takes over who is inside, counts for the walk too.
        if decision.outcome == "webhook" && facts.again == Again::Once {
            self.entries.one_request(&mut self.people, (id, decision))?;
        }
        self.consented(id, decision)?;
        self.entries.end(id, decision.at, &decision.outcome);
        self.untold.insert(id.to_owned());
        self.ended.insert(decision.journey.clone());
        Ok(())
    }

    /// A request is decided on only with an allowing verdict, and held back only without one.
    fn consented(&mut self, id: &str, decision: &Decision) -> Checked {
        let expected = match decision.outcome.as_str() {
            "webhook" | "holdout" => true,
            "suppressed" => false,
            _ => return Ok(()),
        };
        let Some(asked) = &decision.asked else {
            return holds("consent before every decision", false, || {
                format!("{id}: nothing was asked, {decision:?}")
            });
        };
        let around = self.people.around(decision.at);
        let owner = (decision.owner.as_str(), asked);
        let found = around.map(|told| self.people.allows(told, owner, decision.at));
        holds(
            "consent before every decision",
            found.contains(&expected),
            || format!("{id}: {decision:?}, the model says {found:?}"),
        )
    }

    fn delivered(&mut self, id: &str, row: &Delivery) -> Checked {
        let decision = self.decisions.get(id);
        let is_owed = decision.is_some_and(|it| it.outcome == "webhook");
        holds("a decision before its request", is_owed, || {
            format!("{id}: {row:?} of {decision:?}")
        })?;
        let version = decision.map(|it| (it.journey.clone(), it.version.clone()));
        let facts = version.and_then(|it| self.versions.get(&it));
        let is_written = facts.is_some_and(|it| walks::is_as_written(it, row));
        holds("a request is as written", is_written, || {
            format!("{id}: {row:?} of {facts:?}")
        })?;
        let last = self.deliveries.insert(id.to_owned(), row.clone());
        let is_skipped = last.as_ref().is_some_and(|last| self.is_skipped(last));
        if let Some(last) = last {
            let is_reduced = self.erased.get(id) == Some(&true) && row.request.url.is_empty();
            let is_same = is_reduced
                || last.request == row.request
                    && last.profile == row.profile
                    && last.owner == row.owner
                    && last.asked == row.asked
                    && last.once == row.once;
            holds("one request for a decision, for ever", is_same, || {
                format!("{id}: {row:?} was {last:?}")
            })?;
        }
        let has_failed = row.state == "rejected" || row.reason.as_deref() == Some("window");
        if has_failed {
            self.failed.insert(format!("{}/{}", row.journey, row.block));
        }
        let is_paused = self.is_held(row);
        // What was decided about who left is held back, also where it is kept under another's browser.
        let is_held_back = row.reason.as_deref() == Some("erased");
        let was_theirs = !is_user(&row.owner) && self.may_have_left(&row.profile);
        let story = self.stories.entry(id.to_owned());
        let story = story.or_insert_with(|| Story::new(row));
        if is_held_back && was_theirs {
            story.erase();
        }
        // As if each of them were withheld.
        if is_skipped && row.reason.as_deref() == Some("operator") {
            story.ordered(Order::Withhold, row.decided);
        }
        about(story.fits(row, is_paused), id)
    }

    /// Whoever walks no more has been decided on.
    fn all_ended(&self, before: &Live) -> Checked {
        for (id, was) in before {
            let is_there = self.live.contains_key(id) || self.decisions.contains_key(id);
            holds("nobody is lost on the way", is_there, || {
                format!("{id}: {was:?}")
            })?;
        }
        Ok(())
    }

    /// Decisions to send and deliveries are as many.
    fn counted(&self) -> Checked {
        let sends = self.decisions.values();
        let sends = sends.filter(|it| it.outcome == "webhook").count();
        let owed = self.deliveries.len();
        holds("the books balance", sends == owed, || {
            format!("{sends} decisions to send, {owed} deliveries")
        })
    }
}
