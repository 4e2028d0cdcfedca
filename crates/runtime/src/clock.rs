//! What time is it? The one place in the project that reads a clock. A test of the whole program may
//! make that clock wrong, as a machine's is that was set by hand: a file says by how much.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use wayfare_event::Timestamp;

/// By how much the clock is wrong, for tests; nothing in earnest.
static SHIFT: OnceLock<Shift> = OnceLock::new();

/// What time goes on from when the machine's clock is set back; nothing before it was asked.
static STEADY: Mutex<Option<Steady>> = Mutex::new(None);

/// The farthest the machine's clock is set back without a word, in microseconds.
const SET_BACK_US: i64 = 5_000_000;

/// The time, in microseconds since 1970, that never goes back. It is the machine's; where that was
/// set back, time goes on at half its pace until the machine's has caught up, so that nothing stands
/// still meanwhile and nothing that comes later is taken for earlier.
#[must_use]
pub fn now() -> Timestamp {
    let (wall, instant) = (wall(), instant());
    let mut kept = STEADY.lock().unwrap_or_else(PoisonError::into_inner);
    kept.get_or_insert(Steady::from(wall, instant))
        .at(wall, instant)
}

/// From now on the time is not before this: what a state says that ran by a clock which was ahead.
pub fn not_before(at: Timestamp) {
    let (wall, instant) = (wall(), instant());
    let mut kept = STEADY.lock().unwrap_or_else(PoisonError::into_inner);
    let steady = kept.get_or_insert(Steady::from(wall, instant));
    let now = steady.at(wall, instant);
    if at > now {
        *steady = Steady::from(at, instant);
    }
}

/// The machine's clock, in microseconds since 1970, which may be set back; an instant before 1970
/// counts as 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one file that reads the clock; everything else is told the time"
)]
pub fn wall() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since.map_or(0, |since| since.as_micros());
    let wall = Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
    SHIFT
        .get()
        .map_or(wall, |shift| shifted(wall, shift.micros()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one file that reads the clock; everything else is told the time"
)]
fn instant() -> Instant {
    Instant::now()
}

/// The last time the machine's clock was ahead of everything, and when that was.
#[derive(Debug)]
struct Steady {
    ahead: Timestamp,
    since: Instant,
    /// Whether it was said that the clock was set back.
    is_told: bool,
}

impl Steady {
    const fn from(ahead: Timestamp, since: Instant) -> Self {
        Self {
            ahead,
            since,
            is_told: false,
        }
    }

    /// The time when the machine's clock says `wall`, at an instant.
    fn at(&mut self, wall: Timestamp, instant: Instant) -> Timestamp {
        let passed = instant.saturating_duration_since(self.since).as_micros();
        let half = i64::try_from(passed / 2).unwrap_or(i64::MAX);
        let steady = self.ahead.saturating_add_micros(half);
        if wall >= steady {
            *self = Self::from(wall, instant);
            return wall;
        }
        let behind_us = steady.micros_since(wall);
        if behind_us > SET_BACK_US && !self.is_told {
            self.is_told = true;
            tracing::warn!(
                seconds = behind_us / 1_000_000,
                "the clock is behind what it said before; time goes on at half its pace until it has \
                 caught up"
            );
        }
        steady
    }
}

/// Makes the clock wrong for the rest of the process, by the signed number of milliseconds that
/// stands in a file. It is read at each look at the clock, so whoever writes it moves the clock while
/// the process runs; what is no number leaves the clock as it was. Spans of time that are measured,
/// such as timeouts, stay what they are. The first file named counts.
pub fn shift_by(file: PathBuf) {
    let shift = Shift {
        file,
        last_ms: AtomicI64::new(0),
    };
    // A second file is not heard.
    let _unheard = SHIFT.set(shift);
}

#[derive(Debug)]
struct Shift {
    file: PathBuf,
    /// What the file said last.
    last_ms: AtomicI64,
}

impl Shift {
    fn micros(&self) -> i64 {
        let last_ms = self.last_ms.load(Ordering::Relaxed);
        let millis = told(&self.file).unwrap_or(last_ms);
        self.last_ms.store(millis, Ordering::Relaxed);
        millis.saturating_mul(1_000)
    }
}

fn told(file: &Path) -> Option<i64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn shifted(wall: Timestamp, micros: i64) -> Timestamp {
    wall.saturating_add_micros(micros).max(Timestamp::EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_moved_by_what_the_file_says_and_stays_where_it_says_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("shift");
        let shift = Shift {
            file: file.clone(),
            last_ms: AtomicI64::new(0),
        };
        assert_eq!(shift.micros(), 0);
        for (said, expected) in [
            ("1500\n", 1_500_000),
            ("-86400000", -86_400_000_000),
            ("half", -86_400_000_000),
            ("", -86_400_000_000),
            ("0", 0),
        ] {
            std::fs::write(&file, said).unwrap();
            assert_eq!(shift.micros(), expected, "{said:?}");
        }
    }

    #[test]
    fn time_goes_on_at_half_its_pace_while_the_clock_is_behind() {
        let begun = instant();
        let second = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut steady = Steady::from(second(1_000), begun);
        // Seconds that passed, what the clock says then, and what time it is.
        for (passed, wall, expected) in [
            (1, 1_001, 1_001),
            // It is set ahead, and then to what is right.
            (2, 4_602, 4_602),
            (4, 1_004, 4_603),
            (8, 1_008, 4_605),
            (8, 1_008, 4_605),
            // It has caught up.
            (7_000, 8_000, 8_101),
            (7_200, 8_201, 8_201),
            (7_201, 8_202, 8_202),
        ] {
            let instant = begun + std::time::Duration::from_secs(passed);
            let at = steady.at(second(wall), instant);
            assert_eq!(at, second(expected), "after {passed} s");
        }
    }

    #[test]
    fn no_shift_leads_before_1970() {
        let at = Timestamp::from_micros(1_000);
        assert_eq!(shifted(at, -2_000), Timestamp::EPOCH);
        assert_eq!(shifted(at, 2_000), Timestamp::from_micros(3_000));
    }
}
