//! How does the server live and die? Started again and again, killed at any moment, its clock moved
//! and its disk full, and in the end left in peace until nothing is open.

use std::time::Duration;

use anyhow::{bail, ensure};

use super::ledger;
use super::pace::{Pace, pause};
use super::process::{Ended, Program, Server, SmallDisk, last_lines};
use super::receiver::{Behaviour, Manner, Receiver};
use super::wrong_clock::WrongClock;
use crate::chance::Chance;

/// How long a start may take.
const START_MAX: Duration = Duration::from_secs(120);
/// How long a server lives at most that is killed while it starts.
const EARLY_MAX: Duration = Duration::from_millis(400);
/// How long a server lives at most whose disk is full.
const FULL_MAX: Duration = Duration::from_secs(6);
/// Blocks of a file at most, of 512 or 1,024 bytes: little, so that the log soon needs more, or
/// something less than a segment of it.
const BLOCKS_MAX: [u64; 2] = [6_000, 120_000];
/// How long nothing must come for the wire to count as quiet.
const QUIET: Duration = Duration::from_millis(1_500);
/// Rounds of being left in peace after which something is open for ever.
const ROUNDS_MAX: u32 = 25;

/// What is done to the server, and what it is done with.
#[derive(Debug)]
pub(super) struct Torturer<'a> {
    pub(super) program: &'a Program,
    pub(super) receiver: &'a Receiver,
    pub(super) pace: Pace,
    pub(super) chance: Chance,
    pub(super) clock: WrongClock,
    /// The disk that is filled, where there is one of that kind.
    pub(super) disk: Option<&'a SmallDisk>,
    /// How long a server lives at most.
    pub(super) life_max: Duration,
}

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Kills.
    pub(super) kills: u32,
    /// Kills of servers that did not listen yet.
    pub(super) early: u32,
    /// Servers that ended by themselves since files could not grow, or the disk was full.
    pub(super) full: u32,
    /// Milliseconds until a server listened, of each that was let.
    pub(super) starts_ms: Vec<u64>,
    /// What did not go as it should.
    pub(super) noticed: Vec<String>,
}

impl Torturer<'_> {
    /// Kills the server so many times.
    pub(super) fn torture(&mut self, kills: u32) -> anyhow::Result<Done> {
        let mut done = Done::default();
        while done.kills < kills {
            self.receiver
                .owed
                .store(0, std::sync::atomic::Ordering::Relaxed);
            match self.chance.below(16) {
                0 | 1 => self.early(&mut done)?,
                2 | 3 => self.full(&mut done)?,
                _ => self.life(&mut done)?,
            }
            if self.chance.percent(30) {
                self.clock.move_at_random(&mut self.chance)?;
            }
        }
        Ok(done)
    }

    /// A server that is killed while it starts.
    fn early(&mut self, done: &mut Done) -> anyhow::Result<()> {
        let mut server = self.program.start(None)?;
        pause(self.chance.up_to(EARLY_MAX));
        let ended = server.kill()?;
        done.kills += 1;
        done.early += 1;
        done.noticed.extend(ended.map(|it| unasked(&it)));
        Ok(())
    }

    /// A server that works, its clock moved at times, until it is killed.
    fn life(&mut self, done: &mut Done) -> anyhow::Result<()> {
        let mut server = self.program.start(None)?;
        match server.listening(START_MAX)? {
            Ok(took) => done.starts_ms.push(ms(took)),
            Err(ended) => bail!("it does not start: {}", unasked(&ended)),
        }
        let life = self.chance.up_to(self.life_max);
        if self.chance.percent(40) {
            pause(life / 2);
            self.clock.move_at_random(&mut self.chance)?;
            pause(life / 2);
        } else {
            pause(life);
        }
        let ended = server.kill()?;
        done.kills += 1;
        done.noticed.extend(ended.map(|it| unasked(&it)));
        Ok(())
    }

    /// A server whose files may not grow, or whose disk is full: it ends by itself with status 2, or
    /// is killed when it finds room.
    fn full(&mut self, done: &mut Done) -> anyhow::Result<()> {
        let disk = self.disk.filter(|_| self.chance.percent(50));
        let limit = if let Some(disk) = disk {
            disk.fill(self.chance.below(4_096))?;
            None
        } else {
            let [little, more] = BLOCKS_MAX;
            let most = if self.chance.percent(60) {
                little
            } else {
                more
            };
            Some(1 + self.chance.below(most))
        };
        let mut server = self.program.start(limit)?;
        let mut ended = None;
        let begun = self.pace.ms();
        while ended.is_none() && self.pace.ms() - begun < ms(FULL_MAX) {
            pause(Duration::from_millis(5));
            ended = server.ended()?;
        }
        match ended {
            Some(ended) => {
                done.full += 1;
                let told = ["files may not grow that large", "the disk is full"];
                let is_told = told.iter().any(|words| ended.told.contains(words));
                if ended.status.code() != Some(2) || !is_told {
                    done.noticed.push(unasked(&ended));
                }
            }
            None => {
                let ended = server.kill()?;
                done.kills += 1;
                done.noticed.extend(ended.map(|it| unasked(&it)));
            }
        }
        if let Some(disk) = disk {
            disk.free();
        }
        Ok(())
    }

    /// The last start, in peace: everybody is kind and the clock is ahead of all it said. When it was
    /// started, in milliseconds of the run.
    pub(super) fn peace(&mut self) -> anyhow::Result<(u64, Server)> {
        self.receiver.treat(Manner::Always(Behaviour::Prompt));
        self.clock.catch_up()?;
        let begun = self.pace.ms();
        let mut server = self.program.start(None)?;
        match server.listening(START_MAX)? {
            Ok(_) => Ok((begun, server)),
            Err(ended) => bail!("it does not start: {}", unasked(&ended)),
        }
    }

    /// Lets the server work until nothing is open, its clock set to whatever is waited for.
    pub(super) fn until_done(&mut self, server: Server) -> anyhow::Result<()> {
        let mut server = server;
        for _ in 0..ROUNDS_MAX {
            self.until_quiet();
            let ended = server.stop()?;
            ensure!(
                ended.status.success(),
                "it was told to stop: {}",
                unasked(&ended)
            );
            let open = ledger::open(self.program)?;
            if open.is_none() {
                return Ok(());
            }
            if let Some(latest) = open.latest {
                self.clock.set_to(latest)?;
            }
            server = self.program.start(None)?;
            ensure!(server.listening(START_MAX)?.is_ok(), "it does not start");
        }
        let open = ledger::open(self.program)?;
        bail!("after {ROUNDS_MAX} quiet rounds there is still {open:?}")
    }

    /// Waits until nothing has come for a while.
    pub(super) fn until_quiet(&self) {
        let mut before = self.receiver.record().requests.len();
        loop {
            pause(QUIET);
            let after = self.receiver.record().requests.len();
            if after == before {
                return;
            }
            before = after;
        }
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// An end that nobody asked for.
fn unasked(ended: &Ended) -> String {
    format!(
        "it ended with {}: {}",
        ended.status,
        last_lines(&ended.told)
    )
}
