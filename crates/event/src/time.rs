//! What is an instant, and how is it written? Not here: reading a clock, zones, waits.

use std::fmt;

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
///
/// Ordered, `Copy`, and the same on every machine. Written as RFC 3339 in UTC with a `Z`; the
/// fraction is left out when it is zero and has three digits when whole milliseconds suffice.
///
/// ```
/// let at: wayfare_event::Timestamp = "2026-01-26T12:12:45+02:00".parse()?;
/// assert_eq!(at.to_string(), "2026-01-26T10:12:45Z");
/// # Ok::<(), wayfare_event::TimestampParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z, the earliest instant an event may carry.
    pub const EPOCH: Self = Self(0);

    /// The instant this many microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// This instant moved by `micros`, held at the ends of what can be represented.
    #[must_use]
    pub const fn saturating_add_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The text is not an instant that can be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time, write it as RFC 3339, for example `2026-01-26T10:12:45Z`")]
pub struct TimestampParseError {
    /// The text, cut to 64 characters.
    pub text: String,
}

impl std::str::FromStr for Timestamp {
    type Err = TimestampParseError;

    /// Reads RFC 3339 with an offset, a civil time without one (taken as UTC), or a date alone
    /// (its first instant in UTC). Years beyond 9999 are refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let instant = text
            .parse::<jiff::Timestamp>()
            .ok()
            .or_else(|| civil(text))
            .ok_or_else(|| TimestampParseError {
                text: text.chars().take(64).collect(),
            })?;
        Ok(Self(instant.as_microsecond()))
    }
}

fn civil(text: &str) -> Option<jiff::Timestamp> {
    let digits_first = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    let zoned = text.contains('[');
    let civil: jiff::civil::DateTime = (digits_first && !zoned).then(|| text.parse().ok())??;
    jiff::tz::Offset::UTC.to_timestamp(civil).ok()
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(instant) = jiff::Timestamp::from_microsecond(self.0) else {
            return write!(f, "{}us", self.0);
        };
        let digits = match self.0.rem_euclid(1_000_000) {
            0 => 0,
            micros if micros % 1_000 == 0 => 3,
            _ => 6,
        };
        write!(f, "{instant:.digits$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written_in_the_wild() {
        let check = |text: &str, expected: &str| {
            let read: Timestamp = text.parse().unwrap();
            assert_eq!(read.to_string(), expected, "{text}");
        };
        check("2025-06-02T03:02:00+04:00", "2025-06-01T23:02:00Z");
        check("2025-06-02", "2025-06-02T00:00:00Z");
        check("2025-06-02T00:00:00.000-00:00", "2025-06-02T00:00:00Z");
        check(
            "2025-06-02T03:04:05.678901+00:00",
            "2025-06-02T03:04:05.678901Z",
        );
        check("2025-06-02T03:04:05.120Z", "2025-06-02T03:04:05.120Z");
        check("2025-06-02 03:04:05Z", "2025-06-02T03:04:05Z");
        check("2025-06-02T03:04:05", "2025-06-02T03:04:05Z");
    }

    #[test]
    fn what_is_not_a_time_is_refused_with_its_text() {
        for text in [
            "not a time",
            "10000-01-01T00:00:00Z",
            "",
            "1700000000",
            "2025-13-01",
        ] {
            let error = text.parse::<Timestamp>().unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
