//! Is this text a schedule? Five fields, each with its own numbers and names; what other programs
//! add to them is refused with what to write instead.

use crate::calendar::DAY_NAMES;
use crate::diagnostic::Span;

use super::{Cron, CronError, Numbers};

const MONTH_NAMES: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
/// Days of each month in a year that has them all.
const MONTH_DAYS: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// What one place of a schedule may hold.
struct Field {
    what: &'static str,
    least: u8,
    most: u8,
    /// What the names stand for, the first for `named_from`.
    names: &'static [&'static str],
}

const MINUTE: Field = Field {
    what: "a minute",
    least: 0,
    most: 59,
    names: &[],
};
const HOUR: Field = Field {
    what: "an hour",
    least: 0,
    most: 23,
    names: &[],
};
const DAY: Field = Field {
    what: "a day of the month",
    least: 1,
    most: 31,
    names: &[],
};
const MONTH: Field = Field {
    what: "a month",
    least: 1,
    most: 12,
    names: &MONTH_NAMES,
};
const WEEKDAY: Field = Field {
    what: "a day of the week",
    least: 0,
    most: 7,
    names: &DAY_NAMES,
};

/// A part of the text and where it starts.
#[derive(Clone, Copy)]
struct Piece<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Piece<'a> {
    const fn end(self) -> usize {
        self.start + self.text.len()
    }

    /// The parts between separators, which are one byte each; there is always one.
    fn split(self, is_separator: fn(char) -> bool) -> impl Iterator<Item = Self> {
        let mut start = self.start;
        self.text.split(is_separator).map(move |text| {
            let piece = Self { text, start };
            start = piece.end() + 1;
            piece
        })
    }

    fn split_once(self, separator: char) -> Option<(Self, Self)> {
        let (before, after) = self.text.split_once(separator)?;
        let start = self.end() - after.len();
        let before = Self {
            text: before,
            ..self
        };
        Some((before, Self { text: after, start }))
    }

    fn error(self, message: impl Into<String>, hint: impl Into<String>) -> CronError {
        CronError {
            span: Span::new(self.start, self.end()),
            message: message.into(),
            hint: hint.into(),
        }
    }

    fn shown(self) -> String {
        self.text.chars().take(64).collect()
    }
}

pub(super) fn read(text: &str) -> Result<Cron, CronError> {
    let whole = Piece { text, start: 0 };
    let spelled = Piece {
        text: spelled_out(whole)?.unwrap_or(text),
        start: 0,
    };
    let pieces = spelled.split(|it| it.is_ascii_whitespace());
    let pieces: Vec<Piece<'_>> = pieces.filter(|piece| !piece.text.is_empty()).collect();
    let &[minute, hour, day, month, weekday] = pieces.as_slice() else {
        return Err(miscounted(whole, pieces.len()));
    };
    let is_restricted = |piece: Piece<'_>| !piece.text.starts_with('*');
    let cron = Cron {
        source: text.to_owned(),
        minutes: MINUTE.read(minute)?,
        hours: HOUR.read(hour)?,
        days: DAY.read(day)?,
        months: MONTH.read(month)?,
        weekdays: WEEKDAY.read(weekday)?,
        either_day: is_restricted(day) && is_restricted(weekday),
    };
    if cron.either_day || has_a_date(&cron) {
        return Ok(cron);
    }
    let days = Piece {
        text: text.get(day.start..month.end()).unwrap_or(text),
        start: day.start,
    };
    let message = format!("`{}` is on no calendar: it never comes round", days.shown());
    Err(days.error(
        message,
        "write a day of the month that one of the months has",
    ))
}

/// What a nickname stands for.
fn spelled_out(whole: Piece<'_>) -> Result<Option<&'static str>, CronError> {
    let name = whole.text.trim();
    let spelled = match name {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        _ if name.starts_with('@') => {
            let message = format!("`{}` is no schedule", whole.shown());
            let hint =
                "write five fields, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`";
            return Err(whole.error(message, hint));
        }
        _ => return Ok(None),
    };
    Ok(Some(spelled))
}

fn miscounted(whole: Piece<'_>, count: usize) -> CronError {
    let message = format!("a schedule has five fields, this has {count}");
    let hint = if count > 5 {
        "seconds and years are not offered: write minute, hour, day of the month, month and day of \
         the week"
    } else {
        "write minute, hour, day of the month, month and day of the week, for example \
         `0 9 * * mon-fri`"
    };
    whole.error(message, hint)
}

/// Whether one of the months has one of the days. Every date falls on every day of the week in some
/// year, so those need not be asked.
fn has_a_date(cron: &Cron) -> bool {
    let mut months = (1..).zip(MONTH_DAYS);
    let has_day = |most: u8| (1..=most).any(|day| cron.days.contains(day));
    months.any(|(month, most)| cron.months.contains(month) && has_day(most))
}

impl Field {
    fn read(&self, field: Piece<'_>) -> Result<Numbers, CronError> {
        let mut numbers = 0;
        for item in field.split(|it| it == ',') {
            let (range, step) = match item.split_once('/') {
                Some((range, step)) => (range, self.step(step)?),
                None => (item, 1),
            };
            let (first, last) = self.range(range, item)?;
            for number in (first..=last).step_by(step) {
                // Only days of the week reach beyond their last, and 7 is their 0.
                let number = if self.is_circular() {
                    number % 7
                } else {
                    number
                };
                numbers |= 1_u64 << number;
            }
        }
        Ok(Numbers(numbers))
    }

    /// The first and the last number; the last of days of the week may lie in the week after.
    fn range(&self, range: Piece<'_>, item: Piece<'_>) -> Result<(u8, u8), CronError> {
        if range.text == "*" {
            return Ok((self.least, if self.is_circular() { 6 } else { self.most }));
        }
        let Some((first, last)) = range.split_once('-') else {
            let number = self.number(range)?;
            if range.text.len() == item.text.len() {
                return Ok((number, number));
            }
            let hint = format!("write the whole range, `{}-{}/…`", range.text, self.most);
            return Err(item.error(format!("`{}` steps from one number", item.shown()), hint));
        };
        let (low, high) = (self.number(first)?, self.number(last)?);
        if low <= high {
            return Ok((low, high));
        }
        if self.is_circular() {
            return Ok((low, high + 7));
        }
        let hint = format!(
            "write it as two, `{}-{},{}-{}`",
            first.text, self.most, self.least, last.text
        );
        Err(range.error(format!("`{}` runs backwards", range.shown()), hint))
    }

    fn number(&self, piece: Piece<'_>) -> Result<u8, CronError> {
        let mut named = (1..).zip(self.names);
        if let Some((number, _)) = named.find(|(_, name)| piece.text.eq_ignore_ascii_case(name)) {
            return Ok(number);
        }
        let number = digits(piece.text).filter(|it| (self.least..=self.most).contains(it));
        number.ok_or_else(|| {
            let message = format!("`{}` is not {}", piece.shown(), self.what);
            piece.error(message, self.hint(piece.text))
        })
    }

    fn step(&self, piece: Piece<'_>) -> Result<usize, CronError> {
        let step = digits(piece.text).filter(|step| (1..=self.most).contains(step));
        step.map(usize::from).ok_or_else(|| {
            let message = format!("`{}` is not a step of this field", piece.shown());
            piece.error(message, format!("write a step from 1 to {}", self.most))
        })
    }

    fn hint(&self, text: &str) -> String {
        let letters = text.trim_start_matches(|it: char| it.is_ascii_digit());
        if text == "?" {
            return "write `*`".to_owned();
        }
        if text.contains('#') || ["L", "W", "LW"].contains(&letters) {
            return "`L`, `W` and `#` are not offered: write the days themselves".to_owned();
        }
        let mut hint = format!("write {} to {}", self.least, self.most);
        if let (Some(first), Some(last)) = (self.names.first(), self.names.last()) {
            hint = format!("{hint}, or `{first}` to `{last}`");
        }
        hint
    }

    /// Whether its last number is followed by its first.
    const fn is_circular(&self) -> bool {
        self.most == 7
    }
}

fn digits(text: &str) -> Option<u8> {
    let is_number = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(numbers: Numbers) -> Vec<u8> {
        (0..64).filter(|number| numbers.contains(*number)).collect()
    }

    #[test]
    fn a_field_allows_what_it_says() {
        let check = |field: &Field, text: &str, expected: &[u8]| {
            let numbers = field.read(Piece { text, start: 0 }).unwrap();
            assert_eq!(listed(numbers), expected, "{text}");
        };
        check(&MINUTE, "*/15", &[0, 15, 30, 45]);
        check(&MINUTE, "5,10-12,50-59/4", &[5, 10, 11, 12, 50, 54, 58]);
        check(&MINUTE, "05", &[5]);
        check(&MINUTE, "*/59", &[0, 59]);
        check(&HOUR, "9-17/4", &[9, 13, 17]);
        check(&HOUR, "23,0", &[0, 23]);
        check(&DAY, "*/10", &[1, 11, 21, 31]);
        check(&MONTH, "jan-mar,DEC", &[1, 2, 3, 12]);
        check(&MONTH, "*/4", &[1, 5, 9]);
        check(&WEEKDAY, "*", &[0, 1, 2, 3, 4, 5, 6]);
        check(&WEEKDAY, "*/2", &[0, 2, 4, 6]);
        check(&WEEKDAY, "0", &[0]);
        check(&WEEKDAY, "7", &[0]);
        check(&WEEKDAY, "sun", &[0]);
        check(&WEEKDAY, "mon-fri", &[1, 2, 3, 4, 5]);
        check(&WEEKDAY, "sat-sun", &[0, 6]);
        check(&WEEKDAY, "sun-tue", &[0, 1, 2]);
        check(&WEEKDAY, "fri-mon", &[0, 1, 5, 6]);
        check(&WEEKDAY, "5-0", &[0, 5, 6]);
        check(&WEEKDAY, "0-7", &[0, 1, 2, 3, 4, 5, 6]);
        check(&WEEKDAY, "Fri-mon/2", &[0, 5]);
    }

    /// The part of `text` that is at fault stands in brackets.
    #[track_caller]
    fn refused(marked: &str, message: &str, hint: &str) {
        let text = marked.replace(['[', ']'], "");
        let error = Cron::parse(&text).unwrap_err();
        let mut shown = text;
        shown.insert(error.span.end, ']');
        shown.insert(error.span.start, '[');
        assert_eq!(shown, marked);
        assert!(error.message.contains(message), "{error}");
        assert!(error.hint.contains(hint), "{}", error.hint);
    }

    #[test]
    fn what_is_no_schedule_is_refused_where_it_is_wrong() {
        refused("[]", "this has 0", "mon-fri");
        refused("[* * * *]", "this has 4", "minute, hour");
        refused("[0 0 9 * * *]", "this has 6", "seconds");
        refused("[every day]", "this has 2", "minute, hour");
        refused("[@reboot]", "`@reboot`", "@daily");
        refused("[60] * * * *", "`60` is not a minute", "write 0 to 59");
        refused("0 [24] * * *", "not an hour", "write 0 to 23");
        refused("0 0 [0] * *", "not a day of the month", "write 1 to 31");
        refused("0 0 1 [13] *", "not a month", "`jan` to `dec`");
        refused("0 0 1 [january] *", "not a month", "`jan` to `dec`");
        refused("0 0 * * [8]", "not a day of the week", "`mon` to `sun`");
        refused("0 0 * * mon,[tues]", "`tues`", "`mon` to `sun`");
        refused("0 [mon] * * *", "`mon` is not an hour", "0 to 23");
        refused("1,[],2 * * * *", "`` is not a minute", "0 to 59");
        refused("1,[] * * * *", "`` is not a minute", "0 to 59");
        refused("[]-1 * * * *", "``", "0 to 59");
        refused("[1.5] * * * *", "`1.5`", "0 to 59");
        refused("[256] * * * *", "`256`", "0 to 59");
        refused("[é] * * * *", "`é`", "0 to 59");
        refused("0 [22-2] * * *", "backwards", "`22-23,0-2`");
        refused("*/[0] * * * *", "not a step", "from 1 to 59");
        refused("*/[90] * * * *", "not a step", "from 1 to 59");
        refused("*/[5/2] * * * *", "not a step", "from 1 to 59");
        refused("*/[] * * * *", "not a step", "from 1 to 59");
        refused("[5/15] * * * *", "one number", "`5-59/…`");
        refused("0 0 [?] * mon", "`?`", "write `*`");
        refused("0 0 [L] * *", "`L`", "not offered");
        refused("0 0 [15W] * *", "`15W`", "not offered");
        refused("0 0 * * [5L]", "`5L`", "not offered");
        refused("0 0 * * [mon#1]", "`mon#1`", "not offered");
    }

    #[test]
    fn a_schedule_that_never_comes_round_is_refused() {
        let never = "on no calendar";
        refused("0 0 [30 2] *", never, "day of the month");
        refused("0 0  [30,31  feb] *", never, "day of the month");
        refused("0 0 [31 4,6,9,11] */2", never, "day of the month");
        for text in ["0 0 29 2 *", "0 0 31 4,5 *", "0 0 30 2 mon", "0 0 */31 2 *"] {
            assert!(Cron::parse(text).is_ok(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_inside_itself(text in "([-0-9a-z*,/@#? é]|mon|jan|\\*|0 ){0,30}") {
            if let Err(error) = Cron::parse(&text) {
                proptest::prop_assert!(text.get(error.span.range()).is_some());
            }
        }
    }
}
