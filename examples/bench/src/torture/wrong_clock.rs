//! How is the engine's clock moved while it runs? Through the file it looks at.

use std::path::PathBuf;

use wayfare_event::Timestamp;

use crate::chance::Chance;

const SECOND_MS: i64 = 1_000;
const HOUR_MS: i64 = 3_600_000;
/// The farthest the clock is ever ahead: events that come while it is right again are not late.
const AHEAD_MAX_MS: i64 = 40 * HOUR_MS;

/// A clock that is wrong by as much as its file says.
#[derive(Debug)]
pub(super) struct WrongClock {
    file: PathBuf,
    ahead_ms: i64,
    most_ms: i64,
    /// How often it was moved: forwards, and backwards.
    pub(super) moves: (u32, u32),
}

impl WrongClock {
    /// A clock that is right.
    pub(super) fn of(file: PathBuf) -> anyhow::Result<Self> {
        let clock = Self {
            file,
            ahead_ms: 0,
            most_ms: 0,
            moves: (0, 0),
        };
        clock.write()?;
        Ok(clock)
    }

    /// Moves it: by a little or a lot, forwards more often than backwards.
    pub(super) fn move_at_random(&mut self, chance: &mut Chance) -> anyhow::Result<()> {
        let below = |chance: &mut Chance, end: i64| {
            i64::try_from(chance.below(end.unsigned_abs())).unwrap_or(0)
        };
        let by_ms = match chance.below(12) {
            0..=3 => below(chance, 5 * SECOND_MS),
            4..=5 => below(chance, HOUR_MS / 6),
            6 => below(chance, 5 * HOUR_MS),
            7..=9 => -below(chance, 2 * SECOND_MS),
            10 => -below(chance, HOUR_MS),
            // As it should have been all the while.
            _ => -self.ahead_ms,
        };
        self.set((self.ahead_ms + by_ms).min(AHEAD_MAX_MS))
    }

    /// Sets it ahead of everything it ever said.
    pub(super) fn catch_up(&mut self) -> anyhow::Result<()> {
        self.set(self.most_ms + SECOND_MS)
    }

    /// Sets it to an instant, unless it is later already.
    pub(super) fn set_to(&mut self, at: Timestamp) -> anyhow::Result<()> {
        let ahead_us = at.micros_since(wayfare_runtime::clock::now());
        self.set(self.most_ms.max(ahead_us / 1_000) + SECOND_MS)
    }

    fn set(&mut self, ahead_ms: i64) -> anyhow::Result<()> {
        if ahead_ms >= self.ahead_ms {
            self.moves.0 += 1;
        } else {
            self.moves.1 += 1;
        }
        self.ahead_ms = ahead_ms;
        self.most_ms = self.most_ms.max(ahead_ms);
        self.write()
    }

    /// Writes the file anew and puts it in its place, so that nobody reads half of it.
    fn write(&self) -> anyhow::Result<()> {
        let written = self.file.with_extension("new");
        std::fs::write(&written, self.ahead_ms.to_string())?;
        std::fs::rename(written, &self.file)?;
        Ok(())
    }
}
