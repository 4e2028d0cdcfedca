//! What happens in one world? The engine at work over a store that fails, people who do things, and
//! receivers of every temper; time jumps, the process is killed and comes up again. The world plays the
//! driver's part by the same calls that the driver makes, and tells the auditor what happened.

mod acts;
mod crash;
mod orders;
mod wire;

use std::collections::BTreeMap;

use wayfare_event::{DeliveryId, Timestamp};
use wayfare_runtime::Engine;

use crate::again::Opening;
use crate::audit::Auditor;
use crate::compiler::Compiler;
use crate::dice::Dice;
use crate::facts::{Broken, Checked, DAY, HOUR, MINUTE, SECOND};
use crate::journeys::{HOSTS, Written};
use crate::look;
use crate::people::Happening;
use crate::stores::{self, Fault, Kind, Shelf};
use wire::Flight;

/// Things that happen in one world.
const STEPS: usize = 110;
/// When every world begins.
const BEGIN: &str = "2026-01-26T10:00:00Z";

/// What happened how often, by its name.
pub(crate) type Tally = BTreeMap<String, u64>;

/// A rule that was broken, and what had happened until then.
pub(crate) struct Failure {
    pub(crate) step: usize,
    pub(crate) broken: Broken,
    pub(crate) trail: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Broken { rule, what } = &self.broken;
        for line in &self.trail {
            writeln!(f, "{line}")?;
        }
        write!(f, "step {}: {rule}: {what}", self.step)
    }
}

/// Adds what happened in one world to what happened in others.
pub(crate) fn add(all: &mut Tally, one: Tally) {
    for (what, count) in one {
        *all.entry(what).or_default() += count;
    }
}

/// Why a step ends early.
enum Stop {
    /// The process is killed, at this point of the failure matrix.
    Killed(u8),
    Broken(Broken),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

type Step = Result<(), Stop>;

pub(crate) struct World {
    dice: Dice,
    kind: Kind,
    shelf: Shelf,
    /// Nothing while the process is down.
    engine: Option<Engine>,
    compiler: Compiler,
    auditor: Auditor,
    clock: i64,
    /// The journeys in force, by id.
    journeys: BTreeMap<String, Written>,
    openings: Vec<Opening>,
    /// What happened and is durable, what is not yet, and what is still on its way.
    happened: Vec<Happening>,
    heard: Vec<Happening>,
    delayed: Vec<Happening>,
    /// How much ever happened.
    count: usize,
    /// Deliveries in hand, and those that leave with the next commit.
    taken: Vec<DeliveryId>,
    released: Vec<(DeliveryId, u32)>,
    flights: Vec<Flight>,
    /// Results that come after the process they were meant for is gone.
    late: Vec<Flight>,
    /// How each host behaves now.
    ways: Vec<u8>,
    /// Whether they stay as they are.
    is_stubborn: bool,
    /// What the machine goes back to when it next comes up: a commit that it had answered is lost.
    lost: Option<Backup>,
    trail: Vec<String>,
    tally: Tally,
}

/// What was known when a store was put aside.
struct Backup {
    copy: stores::Copy,
    auditor: Auditor,
    happened: Vec<Happening>,
}

/// Plays a world to its end.
pub(crate) fn play(seed: u64, kind: Kind) -> Result<Tally, Failure> {
    let mut dice = Dice::new(seed);
    let ways = (0..HOSTS).map(|_| wire::temper(&mut dice)).collect();
    let mut world = World {
        dice,
        kind,
        shelf: Shelf::new(kind),
        engine: None,
        compiler: Compiler::default(),
        auditor: Auditor::default(),
        clock: BEGIN.parse::<Timestamp>().unwrap().as_micros(),
        journeys: BTreeMap::new(),
        openings: Vec::new(),
        happened: Vec::new(),
        heard: Vec::new(),
        delayed: Vec::new(),
        count: 0,
        taken: Vec::new(),
        released: Vec::new(),
        flights: Vec::new(),
        late: Vec::new(),
        ways,
        is_stubborn: false,
        lost: None,
        trail: Vec::new(),
        tally: Tally::new(),
    };
    let mut step = 0;
    let played = world.run(&mut step);
    let World { trail, tally, .. } = world;
    played.map(|()| tally).map_err(|broken| Failure {
        step,
        broken,
        trail,
    })
}

impl World {
    fn run(&mut self, step: &mut usize) -> Checked {
        for place in 0..5 {
            self.write_journey(place);
        }
        self.reopen()?;
        let met = self.meet();
        self.go_on(met)?;
        while *step < STEPS {
            *step += 1;
            self.pass_time();
            let acted = self.act();
            self.go_on(acted)?;
        }
        self.end()
    }

    /// Whoever was killed comes up again.
    fn go_on(&mut self, step: Step) -> Checked {
        match step {
            Ok(()) => Ok(()),
            Err(Stop::Killed(point)) => self.kill(point),
            Err(Stop::Broken(broken)) => Err(broken),
        }
    }

    /// Something happens.
    fn act(&mut self) -> Step {
        if !self.late.is_empty() && self.dice.one_in(5) {
            return self.hear_late_result();
        }
        match self.dice.below(43) {
            0..=15 => self.hear(),
            16..=17 => self.hear_again(),
            18..=20 => self.rest(),
            21..=31 => self.deliver(),
            32 => self.insist(),
            33 => self.attempt(),
            34 => self.land(),
            35 | 36 => self.order(),
            37 => self.publish(),
            38..=41 => self.say(),
            _ => self.idle(),
        }
    }

    /// What is owed is sent, and what came back is heard.
    fn deliver(&mut self) -> Step {
        self.rest()?;
        self.attempt()?;
        self.clock += self.dice.between(1, 20 * SECOND);
        self.land()
    }

    /// Receivers do not change their minds for a while, and every repeat comes when it is due.
    fn insist(&mut self) -> Step {
        let ways = [3, 5, 7, 9, 16, 18, 18];
        self.ways = (0..HOSTS).map(|_| self.dice.one_of(&ways)).collect();
        self.is_stubborn = true;
        let mut insisted = Ok(());
        for _ in 0..9 {
            insisted = self.deliver();
            let next = self.engine.as_ref().and_then(Engine::next_delivery);
            let soon = self.clock + 10 * MINUTE;
            let next = next.filter(|next| next.as_micros() < soon);
            let (Some(next), Ok(())) = (next, &insisted) else {
                break;
            };
            self.clock = self.clock.max(next.as_micros());
        }
        self.is_stubborn = false;
        insisted
    }

    /// The clock goes on, jumps, or is put back.
    fn pass_time(&mut self) {
        let jump = match self.dice.below(60) {
            0 => {
                self.note("the clock is put back");
                *self.tally.entry("point 14".to_owned()).or_default() += 1;
                -self.dice.between(SECOND, 2 * HOUR)
            }
            1 => self.dice.between(DAY, 4 * DAY),
            2..=4 => self.dice.between(HOUR, 14 * HOUR),
            5..=13 => self.dice.between(5 * MINUTE, HOUR),
            _ => self.dice.between(SECOND, 2 * MINUTE),
        };
        self.clock += jump;
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().unwrap()
    }

    const fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock)
    }

    /// When an input of now counts.
    fn at(&self) -> i64 {
        let last = self.engine.as_ref().map_or(0, |it| it.at().as_micros());
        self.clock.max(last)
    }

    fn note(&mut self, what: &str) {
        let at = Timestamp::from_micros(self.clock);
        self.trail.push(format!("{at} {what}"));
    }

    fn count(&mut self, what: String) {
        *self.tally.entry(what).or_default() += 1;
    }

    /// The process may be killed here, at this point of the failure matrix.
    fn point(&mut self, point: u8) -> Step {
        if self.dice.one_in(45) {
            return Err(Stop::Killed(point));
        }
        Ok(())
    }

    /// Everything since the last commit is made durable and told, and what was released leaves. The
    /// commit may fail, at this point of the failure matrix.
    fn commit(&mut self, point: u8) -> Step {
        if self.dice.one_in(30) {
            let fault = match self.kind {
                Kind::Memory => self.dice.one_of(&[Fault::Before, Fault::After]),
                Kind::Local => {
                    self.dice
                        .one_of(&[Fault::Before, Fault::After, Fault::Torn, Fault::Torn])
                }
            };
            self.shelf.watch.lock().unwrap().fault = Some(fault);
        }
        let backup = self.backup();
        let fed = self.auditor.pending();
        let committed = self.engine().commit();
        self.shelf.watch.lock().unwrap().fault = None;
        self.look()?;
        let Ok(outputs) = committed else {
            self.note("the commit failed");
            return Err(Stop::Killed(point));
        };
        let told: Vec<_> = outputs.iter().map(look::told).collect();
        for told in &told {
            self.hear_told(told);
        }
        self.auditor.told(&told, &fed)?;
        for (id, attempt) in std::mem::take(&mut self.released) {
            self.point(5)?;
            self.send(id, attempt)?;
        }
        if backup.is_some() {
            self.lost = backup;
            return Err(Stop::Killed(11));
        }
        Ok(())
    }

    /// Now and then the commit that releases an attempt will be lost, though it was answered.
    fn backup(&mut self) -> Option<Backup> {
        let is_lost = !self.released.is_empty() && self.dice.one_in(40);
        let copy = is_lost.then(|| self.shelf.copy()).flatten()?;
        Some(Backup {
            copy,
            auditor: self.auditor.clone(),
            happened: self.happened.clone(),
        })
    }

    /// The auditor sees what became durable.
    fn look(&mut self) -> Checked {
        let changed = std::mem::take(&mut self.shelf.watch.lock().unwrap().changed);
        for rows in &changed {
            let rows = rows.iter();
            let rows = rows.map(|(key, row)| (look::key(key), row.as_ref().map(look::row)));
            self.auditor.durable(&rows.collect())?;
        }
        if !changed.is_empty() {
            self.happened.append(&mut self.heard);
        }
        Ok(())
    }
}
