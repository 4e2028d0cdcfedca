//! What is a number, exactly? Its source digits; comparison is exact at any length.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A JSON number that keeps the digits it was written with.
///
/// `1.10` stays `1.10` and an integer of forty digits stays itself. `==` compares the text; use
/// [`Number::compare`] for the quantity (`7` and `7.0` are the same quantity).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    /// Written as this integer in the shortest way, which is how most numbers are written.
    Integer(i64),
    /// Any other text that is a JSON number.
    Text(Arc<str>),
}

impl Number {
    /// The number this JSON text is, or nothing when it is none.
    ///
    /// ```
    /// use wayfare_event::Number;
    /// assert_eq!(Number::parse("1.10").map(|n| n.to_string()).as_deref(), Some("1.10"));
    /// assert_eq!(Number::parse("01"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if !is_json_number(text.as_bytes()) {
            return None;
        }
        let integer = text.parse::<i64>().ok().filter(|_| text != "-0");
        Some(Self(
            integer.map_or_else(|| Repr::Text(text.into()), Repr::Integer),
        ))
    }

    /// The integer this number was written as, if it was and fits 64 bits.
    #[inline]
    #[must_use]
    pub const fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Integer(integer) => Some(integer),
            Repr::Text(_) => None,
        }
    }

    /// Compares the quantities exactly, whatever their length or spelling.
    #[inline]
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        if let (Some(left), Some(right)) = (self.as_i64(), other.as_i64()) {
            return left.cmp(&right);
        }
        if let (Some(left), Some(right)) = (Short::of(self), Short::of(other)) {
            return left.compare(right);
        }
        Decimal::of(&self.to_string()).compare(&Decimal::of(&other.to_string()))
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self(Repr::Integer(integer))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Integer(integer) => fmt::Display::fmt(integer, f),
            Repr::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The grammar of RFC 8259, section 6.
fn is_json_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned.first() == Some(&b'0')) {
        return false;
    }
    let mut rest = unsigned.split_at(whole).1;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.split_at(length).1;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let unsigned = match exponent {
            [b'+' | b'-', unsigned @ ..] => unsigned,
            _ => exponent,
        };
        let length = digits(unsigned);
        return length > 0 && length == unsigned.len();
    }
    rest.is_empty()
}

/// Characters of a number whose digits surely fit 64 bits.
const SHORT_CHARACTERS_MAX: usize = 18;

/// A short number without an exponent, as most are: `digits`, the last `decimals` of them behind
/// the point.
#[derive(Clone, Copy)]
struct Short {
    digits: i64,
    decimals: u32,
}

impl Short {
    fn of(number: &Number) -> Option<Self> {
        let text = match &number.0 {
            Repr::Integer(integer) => {
                return Some(Self {
                    digits: *integer,
                    decimals: 0,
                });
            }
            Repr::Text(text) => text,
        };
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, &**text),
        };
        if unsigned.len() > SHORT_CHARACTERS_MAX {
            return None;
        }
        let (mut digits, mut decimals, mut is_fraction) = (0_i64, 0, false);
        for byte in unsigned.bytes() {
            match byte {
                b'.' => is_fraction = true,
                b'0'..=b'9' => {
                    digits = digits * 10 + i64::from(byte - b'0');
                    decimals += u32::from(is_fraction);
                }
                _ => return None,
            }
        }
        let digits = if negative { -digits } else { digits };
        Some(Self { digits, decimals })
    }

    /// Both brought to the same decimals: 19 digits and 16 more at most, which 128 bits hold.
    fn compare(self, other: Self) -> Ordering {
        let scaled = |of: Self, by: Self| i128::from(of.digits) * 10_i128.pow(by.decimals);
        scaled(self, other).cmp(&scaled(other, self))
    }
}

/// Sign, significant digits without zeros at either end, and the power of ten of the first digit.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    magnitude: i64,
}

impl Decimal {
    /// Reads a text that is a JSON number. Exponents beyond 64 bits saturate, which keeps their
    /// order among numbers a source of 32 KiB can write out.
    fn of(text: &str) -> Self {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, text),
        };
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let saturated = if exponent.starts_with('-') {
            i64::MIN / 2
        } else {
            i64::MAX / 2
        };
        let exponent: i64 = exponent.parse().unwrap_or(saturated);
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || whole.bytes().chain(fraction.bytes());
        let leading = all().take_while(|digit| *digit == b'0').count();
        let mut digits: Vec<u8> = all().skip(leading).collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX / 4);
        let shift = length(whole.len()).saturating_sub(length(leading));
        let magnitude = exponent.saturating_add(shift);
        Self {
            negative: negative && !digits.is_empty(),
            digits,
            magnitude,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = |left: &Self, right: &Self| {
            left.magnitude
                .cmp(&right.magnitude)
                .then_with(|| left.digits.cmp(&right.digits))
        };
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => size(self, other),
            _ => size(other, self),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_json_numbers_are_numbers() {
        for text in [
            "0",
            "-0",
            "7",
            "-12.50",
            "1e3",
            "1E+400",
            "0.0e-7",
            "9007199254740993",
        ] {
            assert_eq!(Number::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "", "-", "01", "1.", ".5", "1e", "+1", "1_0", "NaN", "0x1", "1 ", "--1",
        ] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn quantities_compare_exactly_at_any_length() {
        let check = |left: &str, right: &str, expected: Ordering| {
            let [left, right] = [left, right].map(|text| Number::parse(text).unwrap());
            assert_eq!(left.compare(&right), expected, "{left} and {right}");
            assert_eq!(
                right.compare(&left),
                expected.reverse(),
                "{right} and {left}"
            );
        };
        check("7", "7.0", Ordering::Equal);
        check("-0", "0", Ordering::Equal);
        check("1e3", "1000", Ordering::Equal);
        check("9007199254740993", "9007199254740992.0", Ordering::Greater);
        check(
            "99999999999999999999998",
            "99999999999999999999997",
            Ordering::Greater,
        );
        check("-2", "-10", Ordering::Greater);
        check("0.1", "0.09", Ordering::Greater);
        check("1e400", "9.9e399", Ordering::Greater);
        check("-1e400", "1e-400", Ordering::Less);
        check("0e999", "0", Ordering::Equal);
    }

    proptest! {
        #[test]
        fn the_long_comparison_agrees_with_the_short_one(left: i64, right: i64) {
            let long = Decimal::of(&format!("{left}.0")).compare(&Decimal::of(&right.to_string()));
            prop_assert_eq!(long, left.cmp(&right));
        }

        #[test]
        fn short_decimals_compare_as_long_ones(
            left in "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?",
            right in "-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,17})?",
        ) {
            let [l, r] = [&left, &right].map(|text| Number::parse(text).unwrap());
            let long = Decimal::of(&left).compare(&Decimal::of(&right));
            prop_assert_eq!(l.compare(&r), long);
            prop_assert_eq!(l.compare(&l), Ordering::Equal);
        }
    }
}
