//! When does `0 9 * * mon-fri` come round? Schedules of five fields, computed on local times. Not
//! here: what happens then (a sweep), and names of zones (`calendar.rs`).

mod read;

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use wayfare_event::Timestamp;

use crate::calendar::Zone;
use crate::diagnostic::Span;
use crate::duration::DAY_US;

/// A schedule to the minute: minute, hour, day of the month, month, day of the week.
///
/// ```
/// use wayfare_journey::{calendar::Zone, cron::Cron};
///
/// let cron = Cron::parse("0 9 * * mon-fri")?;
/// let friday = "2026-01-23T09:00:00Z".parse()?;
/// let monday = "2026-01-26T09:00:00Z".parse()?;
/// assert_eq!(cron.next_after(friday, &Zone::UTC), Some(monday));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    source: String,
    minutes: Numbers,
    hours: Numbers,
    days: Numbers,
    months: Numbers,
    /// Sunday is 0.
    weekdays: Numbers,
    /// Both kinds of days are restricted, and one of them suffices.
    either_day: bool,
}

/// Why a text is no schedule, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CronError {
    /// Where, in bytes of the text.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// The numbers from 0 to 63 that a field allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbers(u64);

impl Numbers {
    const fn contains(self, number: u8) -> bool {
        self.0 >> number & 1 == 1
    }

    /// The least that is at least `number`.
    fn from(self, number: i8) -> Option<i8> {
        let above = self.0.checked_shr(u32::from(number.unsigned_abs()))?;
        let distance = (above != 0).then(|| above.trailing_zeros())?;
        number.checked_add(i8::try_from(distance).ok()?)
    }
}

impl Cron {
    /// Reads a schedule.
    ///
    /// Each field is `*`, a number, a range `9-17` or a list of them `1,15-20`; `*` and ranges may
    /// be stepped, `*/15`. Months and days of the week have names of three letters; Sunday is 0 and
    /// 7, and only a range of days of the week may go over the end of the week, `fri-mon`. Where
    /// neither kind of day starts with `*`, a day of either kind is one.
    /// `@hourly @daily @midnight @weekly @monthly @yearly @annually` are short for what they say.
    ///
    /// # Errors
    ///
    /// [`CronError`]: the first thing that is wrong. A schedule that never comes round (30 February)
    /// is one.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        read::read(text)
    }

    /// The schedule as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The first instant after `after`, and not at it, at which the schedule comes round in `zone`.
    ///
    /// A local time that the clock skips is later by what was skipped; of a time that it shows
    /// twice, the first counts and the second is not there. Nothing beyond the years of the calendar
    /// (9999).
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let mut from = clock_before(after, zone)?;
        let mut skipped: Option<Timestamp> = None;
        loop {
            let Some((local, instant)) = self
                .next_local(from)
                .and_then(|local| Some((local, zone.instant(local)?)))
            else {
                return skipped;
            };
            if instant > after {
                // What the clock skips comes later, so what it shows next may well come earlier.
                let nearest = skipped.map_or(instant, |skipped| skipped.min(instant));
                if !zone.skips(local) {
                    return Some(nearest);
                }
                skipped = Some(nearest);
            }
            from = local.checked_add(SignedDuration::from_mins(1)).ok()?;
        }
    }

    /// The first local time, at `from` or later, that all fields allow.
    fn next_local(&self, from: DateTime) -> Option<DateTime> {
        let mut date = from.date();
        let mut earliest = from.time();
        loop {
            if !self.months.contains(date.month().unsigned_abs()) {
                date = date.last_of_month().tomorrow().ok()?;
            } else if let Some(time) = self.time(earliest).filter(|_| self.is_on(date)) {
                return Some(date.to_datetime(time));
            } else {
                date = date.tomorrow().ok()?;
            }
            earliest = Time::midnight();
        }
    }

    /// Whether it comes round on a date of one of its months.
    fn is_on(&self, date: Date) -> bool {
        let day = self.days.contains(date.day().unsigned_abs());
        let weekday = date.weekday().to_sunday_zero_offset().unsigned_abs();
        let weekday = self.weekdays.contains(weekday);
        if self.either_day {
            day || weekday
        } else {
            day && weekday
        }
    }

    /// The first time of day, at `earliest` or later.
    fn time(&self, earliest: Time) -> Option<Time> {
        let hour = self.hours.from(earliest.hour())?;
        let minute = if hour == earliest.hour() {
            self.minutes.from(earliest.minute())
        } else {
            self.minutes.from(0)
        };
        let (hour, minute) = match minute {
            Some(minute) => (hour, minute),
            None => (
                self.hours.from(hour.checked_add(1)?)?,
                self.minutes.from(0)?,
            ),
        };
        Time::new(hour, minute, 0, 0).ok()
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// The minute the clock shows, or the one it would show had it not been set forward within a day:
/// times that were skipped are due by that clock.
fn clock_before(after: Timestamp, zone: &Zone) -> Option<DateTime> {
    let local = zone.local(after)?;
    let day_before = after.saturating_add_micros(DAY_US.saturating_neg());
    let unset = zone
        .local(day_before)
        .and_then(|day_before| day_before.checked_add(SignedDuration::from_hours(24)).ok());
    let from = unset.map_or(local, |unset| unset.min(local));
    let minute = Time::new(from.hour(), from.minute(), 0, 0).ok()?;
    Some(from.date().to_datetime(minute))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::find(name).unwrap()
    }

    /// The instants after the first are those at which it comes round, one after the other.
    #[track_caller]
    fn check(text: &str, zone_name: &str, instants: &[&str]) {
        let cron = Cron::parse(text).unwrap();
        let zone = zone(zone_name);
        let mut after: Timestamp = instants[0].parse().unwrap();
        for expected in &instants[1..] {
            let next = cron.next_after(after, &zone).unwrap();
            assert_eq!(next.to_string(), *expected, "`{text}` after {after}");
            after = next;
        }
    }

    #[test]
    fn a_schedule_comes_round_where_all_its_fields_agree() {
        // 2026-01-23 is a Friday.
        let utc = |text: &str, instants: &[&str]| check(text, "UTC", instants);
        utc(
            "0 9 * * mon-fri",
            &[
                "2026-01-23T08:59:59.999999Z",
                "2026-01-23T09:00:00Z",
                "2026-01-26T09:00:00Z",
                "2026-01-27T09:00:00Z",
            ],
        );
        utc(
            "*/20 22-23 31 dec *",
            &[
                "2026-12-31T22:41:00Z",
                "2026-12-31T23:00:00Z",
                "2026-12-31T23:20:00Z",
                "2026-12-31T23:40:00Z",
                "2027-12-31T22:00:00Z",
            ],
        );
        utc(
            "50 5,7 * * *",
            &["2026-01-23T05:55:00Z", "2026-01-23T07:50:00Z"],
        );
        utc(
            "@monthly",
            &[
                "2026-01-01T00:00:00Z",
                "2026-02-01T00:00:00Z",
                "2026-03-01T00:00:00Z",
            ],
        );
        utc("@weekly", &["2026-01-23T00:00:00Z", "2026-01-25T00:00:00Z"]);
        utc(
            "* * * * *",
            &["2026-01-23T23:59:00.000001Z", "2026-01-24T00:00:00Z"],
        );
    }

    #[test]
    fn of_two_restricted_days_one_suffices() {
        check(
            "0 0 1 * mon",
            "UTC",
            &[
                "2026-01-20T00:00:00Z",
                "2026-01-26T00:00:00Z",
                "2026-02-01T00:00:00Z",
                "2026-02-02T00:00:00Z",
            ],
        );
        check(
            "0 0 */2 * mon",
            "UTC",
            &[
                "2026-01-12T00:00:00Z",
                "2026-01-19T00:00:00Z",
                "2026-02-09T00:00:00Z",
            ],
        );
    }

    #[test]
    fn a_leap_day_comes_round_in_leap_years() {
        let leap = |text: &str, instants: &[&str]| check(text, "UTC", instants);
        leap(
            "0 0 29 2 *",
            &[
                "2092-03-01T00:00:00Z",
                "2096-02-29T00:00:00Z",
                "2104-02-29T00:00:00Z",
            ],
        );
        // On Sundays only, and both are asked for: a step counts as any.
        leap(
            "0 0 29 2 */7",
            &[
                "2026-01-01T00:00:00Z",
                "2032-02-29T00:00:00Z",
                "2060-02-29T00:00:00Z",
            ],
        );
    }

    #[test]
    fn a_skipped_time_is_later_by_what_was_skipped() {
        // New York skips 02:00 to 03:00 on 2024-03-10, at 07:00Z.
        let new_york = |text: &str, instants: &[&str]| check(text, "America/New_York", instants);
        new_york(
            "30 2 * * *",
            &[
                "2024-03-09T12:00:00Z",
                "2024-03-10T07:30:00Z",
                "2024-03-11T06:30:00Z",
            ],
        );
        new_york(
            "45 2 * * *",
            &["2024-03-10T07:10:00Z", "2024-03-10T07:45:00Z"],
        );
        new_york(
            "0,45 2-3 * * *",
            &[
                "2024-03-10T06:59:00Z",
                "2024-03-10T07:00:00Z",
                "2024-03-10T07:45:00Z",
                "2024-03-11T06:00:00Z",
            ],
        );
        new_york(
            "*/30 * * * *",
            &[
                "2024-03-10T06:00:00Z",
                "2024-03-10T06:30:00Z",
                "2024-03-10T07:00:00Z",
                "2024-03-10T07:30:00Z",
                "2024-03-10T08:00:00Z",
            ],
        );
        // Lord Howe skips 02:00 to 02:30 on 2024-10-06, at 15:30Z: 02:15 comes after 02:40.
        check(
            "15,40 2 * * *",
            "Australia/Lord_Howe",
            &[
                "2024-10-05T15:00:00Z",
                "2024-10-05T15:40:00Z",
                "2024-10-05T15:45:00Z",
                "2024-10-06T15:15:00Z",
            ],
        );
        // Sao Paulo skipped the first hour of 2018-11-04.
        check(
            "0 0 * * sun",
            "America/Sao_Paulo",
            &[
                "2018-11-01T00:00:00Z",
                "2018-11-04T03:00:00Z",
                "2018-11-11T02:00:00Z",
            ],
        );
        // Apia skipped Friday 2011-12-30.
        check(
            "0 9 * * fri,sat",
            "Pacific/Apia",
            &[
                "2011-12-29T20:00:00Z",
                "2011-12-30T19:00:00Z",
                "2012-01-05T19:00:00Z",
            ],
        );
    }

    #[test]
    fn a_time_that_is_shown_twice_comes_round_once() {
        // New York repeats 01:00 to 02:00 on 2024-11-03, at 06:00Z.
        let new_york = |text: &str, instants: &[&str]| check(text, "America/New_York", instants);
        new_york(
            "30 1 * * *",
            &[
                "2024-11-03T04:00:00Z",
                "2024-11-03T05:30:00Z",
                "2024-11-04T06:30:00Z",
            ],
        );
        new_york(
            "30 1 * * *",
            &["2024-11-03T06:10:00Z", "2024-11-04T06:30:00Z"],
        );
        new_york(
            "*/30 * * * *",
            &[
                "2024-11-03T05:00:00Z",
                "2024-11-03T05:30:00Z",
                "2024-11-03T07:00:00Z",
                "2024-11-03T07:30:00Z",
            ],
        );
        // Lord Howe repeats 01:30 to 02:00 on 2024-04-07, at 15:00Z.
        check(
            "45 1 * * *",
            "Australia/Lord_Howe",
            &[
                "2024-04-06T14:00:00Z",
                "2024-04-06T14:45:00Z",
                "2024-04-07T15:15:00Z",
            ],
        );
        // Sao Paulo repeated the last hour of 2018-02-17.
        check(
            "30 23 * * *",
            "America/Sao_Paulo",
            &[
                "2018-02-17T12:00:00Z",
                "2018-02-18T01:30:00Z",
                "2018-02-19T02:30:00Z",
            ],
        );
    }

    #[test]
    fn nothing_comes_round_beyond_the_calendar() {
        let check = |text: &str, after: Timestamp| {
            for name in ["UTC", "America/New_York", "Pacific/Apia"] {
                let next = Cron::parse(text).unwrap().next_after(after, &zone(name));
                assert_eq!(next, None, "{text} {after} {name}");
            }
        };
        check("* * * * *", Timestamp::from_micros(i64::MAX));
        check("* * * * *", Timestamp::from_micros(i64::MIN));
        check("* * * * *", "9999-12-30T22:00:00Z".parse().unwrap());
        check("0 0 29 2 *", "9996-03-01T00:00:00Z".parse().unwrap());
    }

    #[test]
    fn a_schedule_keeps_its_text() {
        let cron = Cron::parse(" 0 9 * *  1 ").unwrap();
        assert_eq!(cron.source(), " 0 9 * *  1 ");
        assert_eq!(Cron::parse("@daily").unwrap().to_string(), "@daily");
    }

    /// Where clocks are set, and the zone in which they are.
    const SET: [(&str, &str); 9] = [
        ("America/New_York", "2024-03-10T07:00:00Z"),
        ("America/New_York", "2024-11-03T06:00:00Z"),
        ("Australia/Lord_Howe", "2024-10-05T15:30:00Z"),
        ("Australia/Lord_Howe", "2024-04-06T15:00:00Z"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
        ("America/Sao_Paulo", "2018-02-18T02:00:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00:00Z"),
        ("Antarctica/Troll", "2025-03-30T01:00:00Z"),
        ("UTC", "2024-02-29T00:00:00Z"),
    ];

    /// The numbers of a field; none for `*`, which is `stars` times as likely.
    fn field(stars: u32, numbers: std::ops::RangeInclusive<i8>) -> impl Strategy<Value = Vec<i8>> {
        let numbers = proptest::collection::vec(numbers, 1..4);
        prop_oneof![stars => Just(Vec::new()), 1 => numbers]
    }

    fn written(numbers: &[i8]) -> String {
        if numbers.is_empty() {
            return "*".to_owned();
        }
        let numbers: Vec<String> = numbers.iter().map(i8::to_string).collect();
        numbers.join(",")
    }

    /// What the fields say of a local time, told from the numbers and not from the text.
    fn allows(fields: &[Vec<i8>; 5], local: DateTime) -> bool {
        let [minutes, hours, days, months, weekdays] = fields;
        let has = |numbers: &[i8], number: i8| numbers.is_empty() || numbers.contains(&number);
        let day = has(days, local.day());
        let weekday = local.weekday().to_sunday_zero_offset();
        let weekday = has(weekdays, weekday) || (weekday == 0 && weekdays.contains(&7));
        let date = if days.is_empty() || weekdays.is_empty() {
            day && weekday
        } else {
            day || weekday
        };
        has(minutes, local.minute())
            && has(hours, local.hour())
            && has(months, local.month())
            && date
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn next_is_the_first_of_all_minutes_that_match(
            place in 0..SET.len(),
            hours_off in -3_i64..3,
            micros in 0_i64..3_600_000_000,
            fields in [field(1, 0..=59), field(1, 0..=4), field(4, 1..=31), field(9, 1..=12), field(4, 0..=7)],
        ) {
            let (name, set) = SET[place];
            let zone = zone(name);
            let set: Timestamp = set.parse().unwrap();
            let after = set.saturating_add_micros(hours_off * 3_600_000_000 + micros);
            let written: Vec<String> = fields.iter().map(|numbers| written(numbers)).collect();
            let Ok(cron) = Cron::parse(&written.join(" ")) else {
                // 30 February and its like.
                prop_assert!(fields[4].is_empty() && fields[2].iter().all(|day| *day > 29));
                return Ok(());
            };
            let next = cron.next_after(after, &zone).unwrap();
            prop_assert!(next > after);

            let date = |days: i64| {
                let at = after.saturating_add_micros(days * DAY_US);
                zone.local(at).unwrap().date()
            };
            let minutes = || (0..24).flat_map(|hour| (0..60).map(move |minute| (hour, minute)));
            let (start, end) = (date(-2), date(3));
            let dates = std::iter::successors(Some(start), |date| date.tomorrow().ok());
            let first = dates
                .take_while(|date| *date <= end)
                .flat_map(|date| minutes().map(move |(hour, minute)| date.at(hour, minute, 0, 0)))
                .filter(|local| allows(&fields, *local))
                .map(|local| zone.instant(local).unwrap())
                .filter(|instant| *instant > after)
                .min();
            match first {
                Some(first) => prop_assert_eq!(next, first, "{}", cron),
                None => prop_assert!(next.micros_since(after) > 2 * DAY_US, "{} {}", cron, next),
            }
        }
    }
}
