//! How long is `3d`? Durations as authors write them. Not here: waiting.

const SECOND_US: i64 = 1_000_000;
/// Microseconds of a day of 24 hours.
pub const DAY_US: i64 = 86_400 * SECOND_US;

/// Why a text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It cannot be read.
    #[error(
        "`{0}` is not a duration; write `90s`, `15m`, `36h`, `3d`, `2w` or ISO 8601 such as `PT36H`"
    )]
    Unreadable(String),
    /// A month or a year has no fixed length.
    #[error("`{0}` counts months or years, which have no fixed length; write days")]
    Calendar(String),
    /// It is longer than can be counted.
    #[error("`{0}` is too long")]
    TooLong(String),
}

/// The microseconds of a duration: `90s 15m 36h 3d 2w`, several in a row such as `1h30m`, or ISO
/// 8601 without months and years. `d` is 24 hours, `w` 168.
///
/// # Errors
///
/// [`DurationError`], which holds the text.
///
/// ```
/// assert_eq!(wayfare_journey::duration::parse("1h30m"), Ok(5_400_000_000));
/// assert_eq!(wayfare_journey::duration::parse("PT1.5S"), Ok(1_500_000));
/// ```
pub fn parse(text: &str) -> Result<i64, DurationError> {
    let shown = || text.chars().take(64).collect::<String>();
    let unreadable = || DurationError::Unreadable(shown());
    let Some(iso) = text.strip_prefix('P') else {
        return amounts(text, Unit::short)
            .ok_or_else(unreadable)?
            .ok_or_else(|| DurationError::TooLong(shown()));
    };
    let (date, time) = match iso.split_once('T') {
        Some((_, "")) => return Err(unreadable()),
        Some((date, time)) => (date, time),
        None => (iso, ""),
    };
    if date.contains(['Y', 'M']) {
        return Err(DurationError::Calendar(shown()));
    }
    let part = |text: &str, unit: fn(char) -> Option<Unit>| {
        if text.is_empty() {
            Some(Some(0))
        } else {
            amounts(text, unit)
        }
    };
    if iso.is_empty() {
        return Err(unreadable());
    }
    let date = part(date, Unit::iso_date).ok_or_else(unreadable)?;
    let time = part(time, Unit::iso_time).ok_or_else(unreadable)?;
    date.zip(time)
        .and_then(|(date, time)| date.checked_add(time))
        .ok_or_else(|| DurationError::TooLong(shown()))
}

/// A duration as authors write it, the largest unit that divides it.
#[must_use]
pub fn written(micros: i64) -> String {
    let unit = [Unit::Day, Unit::Hour, Unit::Minute, Unit::Second]
        .into_iter()
        .find(|unit| micros % unit.micros() == 0);
    match unit {
        Some(unit) => format!("{}{}", micros / unit.micros(), unit.letter()),
        None => format!("{}ms", micros / 1_000),
    }
}

#[derive(Clone, Copy)]
enum Unit {
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

impl Unit {
    const fn short(letter: char) -> Option<Self> {
        match letter {
            'w' => Some(Self::Week),
            'd' => Some(Self::Day),
            'h' => Some(Self::Hour),
            'm' => Some(Self::Minute),
            's' => Some(Self::Second),
            _ => None,
        }
    }

    const fn iso_date(letter: char) -> Option<Self> {
        match letter {
            'W' => Some(Self::Week),
            'D' => Some(Self::Day),
            _ => None,
        }
    }

    const fn iso_time(letter: char) -> Option<Self> {
        match letter {
            'H' => Some(Self::Hour),
            'M' => Some(Self::Minute),
            'S' => Some(Self::Second),
            _ => None,
        }
    }

    const fn micros(self) -> i64 {
        match self {
            Self::Week => 7 * DAY_US,
            Self::Day => DAY_US,
            Self::Hour => 3_600 * SECOND_US,
            Self::Minute => 60 * SECOND_US,
            Self::Second => SECOND_US,
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::Week => 'w',
            Self::Day => 'd',
            Self::Hour => 'h',
            Self::Minute => 'm',
            Self::Second => 's',
        }
    }
}

/// The sum of amounts with their units; the inner nothing is an overflow.
#[expect(
    clippy::option_option,
    reason = "unreadable and too long are two errors, and the caller tells them apart"
)]
fn amounts(text: &str, unit: fn(char) -> Option<Unit>) -> Option<Option<i64>> {
    let mut rest = text;
    let mut sum = Some(0_i64);
    while !rest.is_empty() {
        let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, tail) = rest.split_at_checked(length)?;
        let letter = tail.chars().next()?;
        let unit = unit(letter)?;
        sum = sum
            .zip(scaled(amount, unit.micros())?)
            .and_then(|(sum, more)| sum.checked_add(more));
        rest = tail.get(letter.len_utf8()..)?;
    }
    (!text.is_empty()).then_some(sum)
}

/// `amount` units of `micros`; fractions are exact to the microsecond or refused.
#[expect(
    clippy::option_option,
    reason = "unreadable and too long are two errors, and the caller tells them apart"
)]
fn scaled(amount: &str, micros: i64) -> Option<Option<i64>> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(fraction.len()).ok()?);
    let part = fraction.parse::<i64>().ok()?.checked_mul(micros)?;
    if part % scale != 0 {
        return None;
    }
    let whole = whole
        .parse::<i64>()
        .ok()
        .and_then(|whole| whole.checked_mul(micros));
    Some(whole.and_then(|whole| whole.checked_add(part / scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_both_spellings() {
        let check =
            |text: &str, seconds: i64| assert_eq!(parse(text), Ok(seconds * SECOND_US), "{text}");
        check("90s", 90);
        check("15m", 900);
        check("36h", 129_600);
        check("3d", 259_200);
        check("2w", 1_209_600);
        check("1h30m", 5_400);
        check("PT36H", 129_600);
        check("P1DT12H", 129_600);
        check("P2W", 1_209_600);
        check("0s", 0);
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "", "3", "d", "-3d", "3 d", "3x", "P", "PT", "1.5.5s", "P1H", "3D", ".5s",
        ] {
            assert!(
                matches!(parse(text), Err(DurationError::Unreadable(_))),
                "{text}"
            );
        }
        for text in ["P1M", "P1Y", "P1Y2M3D"] {
            assert!(
                matches!(parse(text), Err(DurationError::Calendar(_))),
                "{text}"
            );
        }
        assert!(matches!(
            parse("99999999999999d"),
            Err(DurationError::TooLong(_))
        ));
    }

    #[test]
    fn a_duration_is_written_in_its_largest_unit() {
        let check =
            |text: &str, expected: &str| assert_eq!(written(parse(text).unwrap()), expected);
        check("1800s", "30m");
        check("2w", "14d");
        check("90s", "90s");
        check("PT0.250S", "250ms");
    }
}
