//! What happens on the wire? Requests leave once they are armed; receivers do what they do; results
//! come back, late or never.

use wayfare_event::{DeliveryId, Timestamp};
use wayfare_executor::delivery::{NotSentReason, Outcome};

use super::{Step, Stop, World};
use crate::dice::Dice;
use crate::facts::Ended;
use crate::look;
use crate::receiver::{self, Fate, WAYS};

/// A request that left, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) id: DeliveryId,
    pub(super) attempt: u32,
    pub(super) fate: Fate,
    /// When its sender sees how it ended.
    pub(super) at: i64,
}

/// How a host behaves for a while: half of them well.
pub(super) fn temper(dice: &mut Dice) -> u8 {
    if dice.one_in(2) {
        return 1;
    }
    u8::try_from(dice.below(u64::from(WAYS)) + 1).unwrap()
}

impl World {
    /// Deliveries in hand could leave: their names are looked up, and what may is released.
    pub(super) fn attempt(&mut self) -> Step {
        if self.dice.one_in(3) {
            self.commit(1)?;
            self.take()?;
        }
        for id in std::mem::take(&mut self.taken) {
            let (name, now) = (look::digits(&id), self.now());
            if self.dice.one_in(25) {
                self.note(&format!("the address of {name} is refused"));
                self.engine().barred(now, id).unwrap();
                self.auditor.barred(&name)?;
                continue;
            }
            let at = self.at();
            let is_released = self.engine().ready(now, id).unwrap();
            self.note(&format!("{name} could leave, released: {is_released}"));
            self.auditor.ready(&name, at, is_released)?;
            if !is_released {
                continue;
            }
            let attempt = self.engine().delivery(id).unwrap().unwrap().attempts;
            if self.dice.one_in(20) {
                self.note(&format!("the name for {name} is not found"));
                let outcome = Outcome::NotSent(NotSentReason::Dns);
                self.engine().finished(now, id, (attempt, outcome)).unwrap();
                self.auditor
                    .finished(&name, (attempt, Ended::NotSent), at)?;
                continue;
            }
            self.released.push((id, attempt));
        }
        self.commit(4)
    }

    /// A request leaves.
    pub(super) fn send(&mut self, id: DeliveryId, attempt: u32) -> Step {
        let delivery = self.engine().delivery(id).unwrap().unwrap();
        let request = look::request(&delivery.request);
        let host = request.url.split(['h', '.']).find_map(|it| it.parse().ok());
        let host: usize = host.unwrap_or_default();
        let way = if !self.is_stubborn && self.dice.one_in(6) {
            temper(&mut self.dice)
        } else {
            self.ways[host]
        };
        if !self.is_stubborn && self.dice.one_in(8) {
            self.ways[host] = temper(&mut self.dice);
        }
        let fate = receiver::fate(&mut self.dice, way);
        let name = look::digits(&id);
        if self.dice.one_in(60) {
            self.note(&format!("{name} attempt {attempt} leaves and is cut"));
            self.auditor.arrives(&name, attempt, &request)?;
            return Err(Stop::Killed(6));
        }
        self.note(&format!(
            "{name} attempt {attempt} leaves, R{way}: {} {}, {fate:?}",
            request.method, request.url
        ));
        self.count(format!("way {way:02}"));
        self.flights.push(Flight {
            id,
            attempt,
            fate,
            at: self.clock + fate.takes,
        });
        if !fate.first_byte {
            return Ok(());
        }
        self.auditor.arrives(&name, attempt, &request)?;
        if fate.acts {
            self.auditor.acts(&name)?;
        }
        self.point(7)
    }

    /// What came back is heard.
    pub(super) fn land(&mut self) -> Step {
        let Some(next) = self.flights.iter().map(|it| it.at).min() else {
            return Ok(());
        };
        self.clock = self.clock.max(next);
        let clock = self.clock;
        let (landed, flying) = self.flights.iter().partition(|it| it.at <= clock);
        self.flights = flying;
        let landed: Vec<Flight> = landed;
        for flight in &landed {
            self.hear_result(flight)?;
            if flight.fate.acts && flight.fate.why == "timeout" {
                // The receiver answers after all.
                self.late.push(Flight {
                    fate: receiver::fate(&mut self.dice, 1),
                    ..*flight
                });
            }
        }
        self.point(8)?;
        let committed = self.commit(10);
        if committed.is_err() && self.dice.one_in(2) {
            // Whoever holds the results tells them to the next process.
            self.late.extend(landed);
        }
        committed?;
        self.point(9)
    }

    fn hear_result(&mut self, flight: &Flight) -> Step {
        let Flight {
            id, attempt, fate, ..
        } = flight;
        let (name, now, at) = (look::digits(id), self.now(), self.at());
        self.note(&format!("{name} attempt {attempt} ended: {:?}", fate.ended));
        let outcome = look::outcome(fate);
        self.engine()
            .finished(now, *id, (*attempt, outcome))
            .unwrap();
        self.auditor.finished(&name, (*attempt, fate.ended), at)?;
        Ok(())
    }

    /// A result comes late: after its deadline, or of an attempt that an earlier process had made.
    pub(super) fn hear_late_result(&mut self) -> Step {
        if self.late.is_empty() {
            return Ok(());
        }
        let place = self.dice.place(self.late.len());
        // One that is in hand once more would be planned anew, and given out a second time.
        if self.taken.contains(&self.late[place].id) {
            return Ok(());
        }
        let flight = self.late.swap_remove(place);
        self.count("point 13".to_owned());
        self.hear_result(&flight)?;
        self.commit(10)
    }
}

impl World {
    /// Everything on its way has come back.
    pub(super) fn land_all(&mut self) -> Step {
        let latest = self.flights.iter().map(|it| it.at).max();
        self.clock = self.clock.max(latest.unwrap_or_default());
        debug_assert!(Timestamp::from_micros(self.clock) > Timestamp::EPOCH);
        self.land()
    }
}
