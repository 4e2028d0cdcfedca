//! When is it next nine o'clock where somebody lives? Local times of day, days of the week, zones.
//! Not here: durations (`duration.rs`), schedules (`cron.rs`), and where a zone's name comes from.

mod weekdays;
mod zone;

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use wayfare_event::Timestamp;

pub(crate) use weekdays::DAY_NAMES;
pub use weekdays::{WeekdayError, Weekdays};
pub use zone::Zone;

/// Days in which every day of the week comes round, one more on each side for the calendar days
/// that zones have skipped or lived through twice.
const DAYS_SEARCHED: usize = 10;

/// A time of day without a date, to the second: `09:00` or `09:00:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(Time);

/// Why a text is no time of day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeOfDayError {
    /// It is not written as one.
    #[error("`{0}` is not a time of day; write two digits each, `09:00` or `09:00:30`")]
    Unreadable(String),
    /// It is written as one, but no clock shows it.
    #[error("`{0}` is on no clock; a day goes from `00:00` to `23:59:59`")]
    OutOfRange(String),
}

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, TimeOfDayError> {
        let shown = || text.chars().take(64).collect::<String>();
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit());
        let numbers: Option<Vec<i8>> = text
            .split(':')
            .map(|part| digits(part).then(|| part.parse().ok())?)
            .collect();
        let (hour, minute, second) = match numbers.as_deref() {
            Some(&[hour, minute]) => (hour, minute, 0),
            Some(&[hour, minute, second]) => (hour, minute, second),
            _ => return Err(TimeOfDayError::Unreadable(shown())),
        };
        // The sixtieth second is refused too: on no day is it known beforehand.
        Time::new(hour, minute, second, 0)
            .map(Self)
            .map_err(|_| TimeOfDayError::OutOfRange(shown()))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())?;
        match self.0.second() {
            0 => Ok(()),
            second => write!(f, ":{second:02}"),
        }
    }
}

/// When somebody who arrives at `arrived` goes on: at the next `at` on one of `days` in `zone`.
///
/// At once, that is at `arrived`, when the latest such time is at most `grace_us` microseconds ago
/// (SP 40: exactly at it and exactly at the end of the grace too). A day is the local date the time
/// is written for. A time that the clock skips is later by what was skipped; of a time that it
/// shows twice, the first counts and the second is not there. Beyond the years of the calendar
/// (9999) nobody waits.
#[must_use]
pub fn next_local(
    arrived: Timestamp,
    at: TimeOfDay,
    days: Weekdays,
    grace_us: i64,
    zone: &Zone,
) -> Timestamp {
    let Some(today) = zone.local(arrived).map(jiff::civil::DateTime::date) else {
        return arrived;
    };
    let occurrence = |date: Date| {
        let is_on = days.contains(date.weekday());
        is_on.then(|| zone.instant(date.to_datetime(at.0)))?
    };
    // Later dates never have earlier occurrences, so the first found is the nearest.
    let after_today = today.tomorrow().unwrap_or(today);
    let mut back = std::iter::successors(Some(after_today), |date| date.yesterday().ok());
    let latest = back
        .by_ref()
        .take(DAYS_SEARCHED)
        .filter_map(occurrence)
        .find(|instant| *instant <= arrived);
    if latest.is_some_and(|latest| arrived.micros_since(latest) <= grace_us.max(0)) {
        return arrived;
    }
    let before_today = today.yesterday().unwrap_or(today);
    std::iter::successors(Some(before_today), |date| date.tomorrow().ok())
        .take(DAYS_SEARCHED)
        .filter_map(occurrence)
        .find(|instant| *instant > arrived)
        .unwrap_or(arrived)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_read_and_written_the_same_way() {
        for text in ["00:00", "09:00", "09:00:30", "23:59:59"] {
            let at: TimeOfDay = text.parse().unwrap();
            assert_eq!(at.to_string(), text);
        }
        assert_eq!(
            "09:00:00".parse::<TimeOfDay>().unwrap().to_string(),
            "09:00"
        );
    }

    #[test]
    fn what_is_no_time_of_day_is_refused() {
        for text in [
            "",
            "9:00",
            "09",
            "0900",
            "9am",
            "09:00 ",
            "+9:00",
            "09:0",
            "09:00:00.5",
            "09:00:00:00",
        ] {
            let error = text.parse::<TimeOfDay>().unwrap_err();
            assert!(matches!(error, TimeOfDayError::Unreadable(_)), "{text}");
        }
        for text in ["24:00", "09:60", "23:59:60"] {
            let error = text.parse::<TimeOfDay>().unwrap_err();
            assert!(matches!(error, TimeOfDayError::OutOfRange(_)), "{text}");
        }
    }

    /// 2026-01-23 is a Friday.
    #[track_caller]
    fn check(arrived: &str, until: &str, days: &str, grace: &str, expected: &str) {
        let zone = Zone::find("Europe/Berlin").unwrap();
        let days = Weekdays::parse(days.split(' ')).unwrap();
        let grace = crate::duration::parse(grace).unwrap();
        let arrived: Timestamp = arrived.parse().unwrap();
        let ends = next_local(arrived, until.parse().unwrap(), days, grace, &zone);
        assert_eq!(ends, expected.parse().unwrap(), "{ends}");
    }

    #[test]
    fn exactly_at_the_time_and_at_the_end_of_the_grace_it_passes_at_once() {
        let at_nine = |arrived: &str, expected: &str| {
            check(arrived, "09:00", "all", "30m", expected);
        };
        at_nine("2026-01-23T07:59:59.999999Z", "2026-01-23T08:00:00Z");
        at_nine("2026-01-23T08:00:00Z", "2026-01-23T08:00:00Z");
        at_nine("2026-01-23T08:30:00Z", "2026-01-23T08:30:00Z");
        at_nine("2026-01-23T08:30:00.000001Z", "2026-01-24T08:00:00Z");
        check(
            "2026-01-23T08:00:00Z",
            "09:00",
            "all",
            "0s",
            "2026-01-23T08:00:00Z",
        );
        check(
            "2026-01-23T08:00:00.000001Z",
            "09:00",
            "all",
            "0s",
            "2026-01-24T08:00:00Z",
        );
    }

    #[test]
    fn the_day_is_the_local_date_of_the_time() {
        let late = |arrived: &str, expected: &str| {
            check(arrived, "23:30", "mon-fri", "1h", expected);
        };
        // Friday 23:29, then Saturday 00:30: still within Friday's grace.
        late("2026-01-23T22:29:00Z", "2026-01-23T22:30:00Z");
        late("2026-01-23T23:30:00Z", "2026-01-23T23:30:00Z");
        late("2026-01-23T23:30:00.000001Z", "2026-01-26T22:30:00Z");
        // Monday 00:10 in Berlin is Sunday in UTC.
        check(
            "2026-01-25T23:10:00Z",
            "00:30",
            "mon",
            "0s",
            "2026-01-25T23:30:00Z",
        );
        check(
            "2026-01-25T23:40:00Z",
            "00:30",
            "mon",
            "0s",
            "2026-02-01T23:30:00Z",
        );
    }

    #[test]
    fn a_grace_of_a_week_always_passes_at_once() {
        check(
            "2026-01-23T08:00:00Z",
            "09:00:01",
            "fri",
            "7d",
            "2026-01-23T08:00:00Z",
        );
        check(
            "2026-01-23T08:00:00Z",
            "09:00:01",
            "fri",
            "6d",
            "2026-01-23T08:00:01Z",
        );
    }

    #[test]
    fn a_grace_is_counted_in_elapsed_time() {
        // The first 02:30 is at 00:30Z; at 01:00Z the clock goes back from 03:00 to 02:00, so the hour
        // of grace ends when it shows 02:30 again.
        let repeated = |arrived: &str, expected: &str| {
            check(arrived, "02:30", "all", "1h", expected);
        };
        repeated("2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z");
        repeated("2026-10-25T01:31:00Z", "2026-10-26T01:30:00Z");
    }

    #[test]
    fn nobody_waits_beyond_the_calendar() {
        let at: TimeOfDay = "09:00".parse().unwrap();
        let last = "9999-12-30T22:00:00Z".parse().unwrap();
        for arrived in [
            Timestamp::from_micros(i64::MIN),
            Timestamp::from_micros(i64::MAX),
            last,
        ] {
            for zone in ["UTC", "America/New_York", "Pacific/Apia"] {
                let zone = Zone::find(zone).unwrap();
                for grace in [i64::MIN, 0] {
                    let ends = next_local(arrived, at, Weekdays::ALL, grace, &zone);
                    assert_eq!(ends, arrived);
                }
                let ends = next_local(arrived, at, Weekdays::ALL, i64::MAX, &zone);
                assert_eq!(ends, arrived);
            }
        }
    }
}
