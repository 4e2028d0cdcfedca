//! What can happen? People do things, time has its turn, journeys are edited. Not here: what operators
//! order (`orders`).

use std::sync::Arc;

use wayfare_event::{Event, Timestamp};
use wayfare_executor::Happened;
use wayfare_identity::Trust;

use super::{Step, Stop, World};
use crate::facts::{SECOND, Told, holds};
use crate::journeys;
use crate::look;
use crate::people::{self, Happening};
use crate::stores::Kind;

/// Timers and queued inputs between two looks at what else there is.
const AT_ONCE: usize = 256;
/// Journeys there may be.
pub(super) const JOURNEYS: u64 = 6;

impl World {
    /// Something happens to somebody; now and then several things share a commit.
    pub(super) fn hear(&mut self) -> Step {
        if self.dice.one_in(60) {
            return self.crowd();
        }
        let is_back = self.clock <= self.at();
        let count = if is_back { 1 } else { self.dice.below(3) + 1 };
        for _ in 0..count {
            self.clock += 1;
            let at = self.at();
            let happening = self.next_happening(at);
            if self.dice.one_in(10) {
                self.delayed.push(happening);
                continue;
            }
            self.feed(&happening)?;
            if self.dice.one_in(12) {
                self.feed(&happening)?;
            }
        }
        self.point(1)?;
        self.commit(1)?;
        self.point(2)
    }

    /// Everybody is introduced, and most of them say yes.
    pub(super) fn meet(&mut self) -> Step {
        for user in 0..people::USERS {
            for line in people::introduce(&mut self.dice, user) {
                self.clock += SECOND;
                let at = self.at();
                self.count += 1;
                let happening = people::said(line, at, self.count);
                self.feed(&happening)?;
            }
        }
        self.commit(1)
    }

    /// Many log in at one browser, one after the other.
    fn crowd(&mut self) -> Step {
        for body in people::crowd() {
            self.clock += SECOND;
            let at = self.at();
            self.count += 1;
            let happening = people::said((None, body), at, self.count);
            self.feed(&happening)?;
        }
        self.point(1)?;
        self.commit(1)
    }

    fn next_happening(&mut self, at: i64) -> Happening {
        if !self.delayed.is_empty() && self.dice.one_in(3) {
            let place = self.dice.place(self.delayed.len());
            let mut happening = self.delayed.swap_remove(place);
            happening.fed.at = at;
            return happening;
        }
        self.count += 1;
        people::happen(&mut self.dice, at, self.count)
    }

    /// Hands an event in; whether it was taken for a copy.
    fn feed(&mut self, happening: &Happening) -> Result<bool, Stop> {
        self.clear()?;
        let Happening { fed, text } = happening;
        let event = Event::parse(text, None).unwrap();
        let occurred = Timestamp::from_micros(fed.occurred);
        let catalog = self.engine().catalog();
        let happened = Happened::new(catalog, event, "sim".into(), occurred).unwrap();
        let trust = if fed.public {
            Trust::Unverified
        } else {
            Trust::Verified
        };
        let happened = happened.trusted(trust);
        let before = self.engine().counts();
        let now = self.now();
        let text: Arc<str> = text.as_str().into();
        self.engine().event(now, happened, text).unwrap();
        let counts = self.engine().counts();
        let was_copy = counts.duplicates > before.duplicates;
        let was_heard = counts.erased == before.erased;
        self.note(&format!(
            "hears {}{}",
            happening.text,
            if was_copy { " again" } else { "" }
        ));
        self.auditor.fed(fed, (was_copy, was_heard))?;
        if !was_heard {
            self.count("dropped".to_owned());
        } else if !was_copy {
            self.heard.push(happening.clone());
        }
        Ok(was_copy)
    }

    /// Something is told a second time, by the same person or in another's name.
    pub(super) fn hear_again(&mut self) -> Step {
        let Some(last) = self.happened.len().checked_sub(1) else {
            return Ok(());
        };
        self.commit(1)?;
        let back = self.dice.place(20.min(last + 1));
        let mut again = self.happened[last - back].clone();
        let Some(message) = again.fed.message.clone() else {
            return Ok(());
        };
        let at = self.at();
        if self.dice.one_in(4) {
            let mut other = people::happen(&mut self.dice, at, 0);
            if other.fed.message.is_none() {
                return Ok(());
            }
            other.text = other.text.replace("\"m0\"", &format!("\"{message}\""));
            other.fed.message = Some(message);
            again = other;
        }
        again.fed.at = at;
        self.clear()?;
        let before = self.shelf.watch.lock().unwrap().rows.clone();
        if self.feed(&again)? {
            self.commit(1)?;
            let is_same = before == self.shelf.watch.lock().unwrap().rows;
            holds("a second copy changes nothing", is_same, || {
                again.text.clone()
            })?;
        }
        Ok(())
    }

    /// Where somebody is to be erased once a walk is over, what is due comes before what is told, so that
    /// it is known which of them was first.
    pub(super) fn clear(&mut self) -> Step {
        if self.auditor.is_leaving() {
            self.commit(1)?;
            let now = self.now();
            self.engine().fire(now, AT_ONCE).unwrap();
            self.commit(1)?;
        }
        Ok(())
    }

    /// The engine has its turn: timers, sweeps, the queue; then what is owed is taken in hand.
    pub(super) fn rest(&mut self) -> Step {
        self.note("has its turn");
        let now = self.now();
        self.commit(1)?;
        for _ in 0..64 {
            let fired = self.engine().fire(now, AT_ONCE).unwrap();
            self.commit(1)?;
            self.engine().begin_sweeps(now).unwrap();
            self.engine().sweep(now, AT_ONCE).unwrap();
            self.commit(1)?;
            let engine = self.engine();
            let is_sweeping = engine.next_sweep().is_some_and(|due| due <= now);
            // What went on behind a sweep may be due by now.
            let is_due = engine.next_timer().is_some_and(|due| due <= now);
            if fired == 0 && !is_sweeping && !is_due && !engine.has_queued() {
                break;
            }
        }
        self.take()?;
        let profiles = look::profiles(self.shelf.watch.lock().unwrap().rows.values());
        self.auditor.same_people(&profiles)?;
        if self.dice.one_in(12) {
            self.same_traits()?;
        }
        self.auditor.rested(self.clock)?;
        self.point(3)
    }

    /// What profiles show is compared.
    fn same_traits(&mut self) -> Step {
        let shown = {
            let catalog = self.engine.as_ref().unwrap().catalog();
            look::traits(catalog, &self.shelf.watch.lock().unwrap().rows)
        };
        self.auditor.same_traits(&shown)?;
        Ok(())
    }

    pub(super) fn take(&mut self) -> Step {
        let now = self.now();
        for delivery in self.engine().take_due(now).unwrap() {
            self.auditor.taken(&look::digits(&delivery.id))?;
            self.taken.push(delivery.id);
        }
        Ok(())
    }

    /// A journey is written anew, or for the first time.
    pub(super) fn write_journey(&mut self, place: u64) {
        let id = format!("j{place}");
        let others: Vec<String> = self.journeys.keys().cloned().collect();
        let others: Vec<String> = others.into_iter().filter(|other| *other != id).collect();
        let written = journeys::write(&mut self.dice, &id, &others);
        self.note(&format!("{} is\n{}", id, written.source));
        self.journeys.insert(id, written);
    }

    /// A journey is edited or its file is gone; the process comes up with it.
    pub(super) fn publish(&mut self) -> Step {
        self.commit(1)?;
        let place = self.dice.below(JOURNEYS);
        if self.dice.one_in(4) {
            self.note(&format!("j{place} is gone"));
            self.journeys.remove(&format!("j{place}"));
        } else {
            self.write_journey(place);
        }
        let is_closed = self.dice.one_in(2);
        if let Some(engine) = self.engine.take().filter(|_| is_closed) {
            engine.close().unwrap();
        }
        self.stop();
        self.reopen()?;
        Ok(())
    }

    /// The store puts itself in order; nobody else may have it meanwhile.
    pub(super) fn idle(&mut self) -> Step {
        let now = self.now();
        self.engine().idle(now).unwrap();
        if self.kind == Kind::Local {
            self.count("point 12".to_owned());
            let can = self.shelf.can_be_taken();
            holds("one writer", !can, || "a second process took it".to_owned())?;
        }
        Ok(())
    }

    pub(super) fn hear_told(&mut self, told: &Told) {
        match told {
            Told::Decision { outcome, id } => {
                self.count(format!("decision {outcome}"));
                self.note(&format!("decision {id} {outcome}"));
            }
            Told::Delivery {
                state,
                id,
                attempts,
            } => {
                self.count(format!("delivery {state}"));
                self.note(&format!("delivery {id} {state}, {attempts} attempts"));
            }
            Told::Refused {
                reason, journey, ..
            } => {
                self.count(format!("refused {reason}"));
                self.note(&format!("refused by {journey}: {reason}"));
            }
            Told::Paused { place } => self.note(&format!("{place} is paused")),
            Told::Other => {}
        }
    }
}
