//! On which days of the week? The list an author writes: `[mon-fri]`, `[sat, sun]`, `[fri-mon]`.

use std::fmt;

use jiff::civil::Weekday;

/// The days as they are written, in the order of the week.
pub(crate) const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Days of the week, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekdays(u8);

/// Why an item of a list of days is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeekdayError {
    /// It is neither a day nor a range of days.
    #[error(
        "`{0}` is not a day of the week; write `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`, \
         a range such as `mon-fri`, or `all`"
    )]
    Unreadable(String),
    /// There is no item at all: nobody would ever go on.
    #[error("a list of days holds at least one; leave it out for every day")]
    Empty,
}

impl Weekdays {
    /// Every day.
    pub const ALL: Self = Self(0b111_1111);

    /// The days of all items together: `mon`, `mon-fri`, `fri-mon` (over the weekend) or `all`, in
    /// upper or lower case.
    ///
    /// # Errors
    ///
    /// Each item that is none with its place in the list; an empty list at place 0.
    pub fn parse<'a>(
        items: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Vec<(usize, WeekdayError)>> {
        let mut days = 0;
        let mut errors = Vec::new();
        for (place, item) in items.into_iter().enumerate() {
            match read(item) {
                Some(more) => days |= more,
                None => {
                    let shown = item.chars().take(64).collect();
                    errors.push((place, WeekdayError::Unreadable(shown)));
                }
            }
        }
        if days == 0 && errors.is_empty() {
            errors.push((0, WeekdayError::Empty));
        }
        if errors.is_empty() {
            Ok(Self(days))
        } else {
            Err(errors)
        }
    }

    /// Whether a day is one of them.
    pub(crate) fn contains(self, day: Weekday) -> bool {
        self.0 & 1 << day.to_monday_zero_offset() != 0
    }
}

/// The bits of one item, Monday's the lowest.
fn read(item: &str) -> Option<u8> {
    let item = item.trim();
    if item.eq_ignore_ascii_case("all") {
        return Some(Weekdays::ALL.0);
    }
    let place = |name: &str| {
        let name = name.trim();
        DAY_NAMES
            .iter()
            .position(|it| it.eq_ignore_ascii_case(name))
    };
    let (first, last) = match item.split_once('-') {
        Some((first, last)) => (place(first)?, place(last)?),
        None => (place(item)?, place(item)?),
    };
    let length = (last + 7 - first) % 7;
    Some((first..=first + length).fold(0, |days, day| days | 1 << (day % 7)))
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = DAY_NAMES.iter().enumerate();
        let named: Vec<&str> = names
            .filter(|(day, _)| self.0 & 1 << day != 0)
            .map(|(_, name)| *name)
            .collect();
        match *named.as_slice() {
            ["mon", "tue", "wed", "thu", "fri"] => f.write_str("mon-fri"),
            [_, _, _, _, _, _, _] => f.write_str("all"),
            _ => f.write_str(&named.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_written() {
        let check = |items: &[&str], expected: &str| {
            let days = Weekdays::parse(items.iter().copied()).unwrap();
            assert_eq!(days.to_string(), expected, "{items:?}");
        };
        check(&["mon-fri"], "mon-fri");
        check(&["sat", "sun"], "sat, sun");
        check(&["fri-mon"], "mon, fri, sat, sun");
        check(&["wed-wed"], "wed");
        check(&["sun-sat"], "all");
        check(&["all"], "all");
        check(&["SAT", "Mon - Tue", "mon"], "mon, tue, sat");
        check(&["all", "mon"], "all");
    }

    #[test]
    fn each_item_that_is_no_day_is_told() {
        let check = |items: &[&str], expected: &[usize]| {
            let errors = Weekdays::parse(items.iter().copied()).unwrap_err();
            let places: Vec<usize> = errors.iter().map(|(place, _)| *place).collect();
            assert_eq!(places, expected, "{items:?}");
        };
        check(&["monday"], &[0]);
        check(&["mon", "mon-", "1", "-", "tue-wed-thu"], &[1, 2, 3, 4]);
        check(&[""], &[0]);
        assert_eq!(Weekdays::parse([]), Err(vec![(0, WeekdayError::Empty)]));
    }
}
