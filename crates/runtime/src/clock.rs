//! What time is it? The one place in the project that reads a clock. A test of the whole program may
//! make that clock wrong, as a machine's is that was set by hand: a file says by how much.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use wayfare_event::Timestamp;

/// By how much the clock is wrong, for tests; nothing in earnest.
static SHIFT: OnceLock<Shift> = OnceLock::new();

/// The wall clock, in microseconds since 1970; an instant before that counts as 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one file that reads the clock; everything else is told the time"
)]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since.map_or(0, |since| since.as_micros());
    let wall = Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX));
    SHIFT
        .get()
        .map_or(wall, |shift| shifted(wall, shift.micros()))
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
    fn no_shift_leads_before_1970() {
        let at = Timestamp::from_micros(1_000);
        assert_eq!(shifted(at, -2_000), Timestamp::EPOCH);
        assert_eq!(shifted(at, 2_000), Timestamp::from_micros(3_000));
    }
}
