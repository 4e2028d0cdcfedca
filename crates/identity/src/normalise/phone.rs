//! Which texts are the same line? E.164, or nothing. Not here: whether anybody answers.

/// Digits of an E.164 number, country calling code included.
const DIGITS_MIN: usize = 7;
const DIGITS_MAX: usize = 15;

/// How national numbers of one region are written.
struct Plan {
    name: &'static str,
    calling_code: &'static str,
    /// What is dialled before a number inside the region and is no part of it.
    trunk: &'static str,
    /// Digits of a national number, without the trunk prefix.
    digits_min: usize,
    digits_max: usize,
}

const fn plan(
    name: &'static str,
    calling_code: &'static str,
    trunk: &'static str,
    digits: (usize, usize),
) -> Plan {
    Plan {
        name,
        calling_code,
        trunk,
        digits_min: digits.0,
        digits_max: digits.1,
    }
}

/// Facts of ITU-T E.164 and the regions' numbering plans; a region that is not here has its
/// numbers read in international form only.
static PLANS: [Plan; 18] = [
    plan("AT", "43", "0", (4, 13)),
    plan("AU", "61", "0", (9, 9)),
    plan("BE", "32", "0", (8, 9)),
    plan("CA", "1", "1", (10, 10)),
    plan("CH", "41", "0", (9, 9)),
    plan("DE", "49", "0", (5, 13)),
    plan("DK", "45", "", (8, 8)),
    plan("ES", "34", "", (9, 9)),
    plan("FR", "33", "0", (9, 9)),
    plan("GB", "44", "0", (9, 10)),
    plan("IE", "353", "0", (7, 9)),
    plan("IT", "39", "", (6, 11)),
    plan("NL", "31", "0", (9, 9)),
    plan("NO", "47", "", (8, 8)),
    plan("PL", "48", "", (9, 9)),
    plan("PT", "351", "", (9, 9)),
    plan("SE", "46", "0", (7, 9)),
    plan("US", "1", "1", (10, 10)),
];

/// The region national phone numbers are read in, such as `DE`.
#[derive(Clone, Copy)]
pub struct Region(&'static Plan);

impl Region {
    /// The region of this two-letter code (ISO 3166-1, upper case), if its numbers can be read.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PLANS.iter().find(|plan| plan.name == name).map(Self)
    }

    /// The two-letter code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0.name
    }

    /// The codes of all regions, in order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PLANS.iter().map(|plan| plan.name)
    }

    fn international(self, digits: &str) -> Option<String> {
        let plan = self.0;
        let national = digits.strip_prefix(plan.trunk).unwrap_or(digits);
        (plan.digits_min..=plan.digits_max)
            .contains(&national.len())
            .then(|| format!("{}{national}", plan.calling_code))
    }
}

impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Region {}

impl std::fmt::Debug for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(super) fn normalise(text: &str, region: Option<Region>) -> Option<String> {
    let is_mark = |char: char| matches!(char, ' ' | '\u{a0}' | '-' | '.' | '/' | '(' | ')');
    let (plus, rest) = match text.strip_prefix('+') {
        // Written for readers at home and abroad: the zero is for those at home.
        Some(rest) => (true, rest.replacen("(0)", "", 1)),
        None => (false, text.to_owned()),
    };
    let digits: String = rest.chars().filter(|char| !is_mark(*char)).collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = match (plus, digits.strip_prefix("00"), region) {
        (true, _, _) => digits,
        (false, Some(international), _) => international.to_owned(),
        (false, None, Some(region)) => region.international(&digits)?,
        (false, None, None) => return None,
    };
    let sound = (DIGITS_MIN..=DIGITS_MAX).contains(&number.len()) && !number.starts_with('0');
    sound.then(|| format!("+{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_e164() {
        let check = |raw: &str, region: &str, expected: Option<&str>| {
            let read = normalise(raw, Region::named(region));
            assert_eq!(read.as_deref(), expected, "{raw} in {region}");
        };
        check("(800) 555-0100", "US", Some("+18005550100"));
        check("1 800 555 0100", "US", Some("+18005550100"));
        check("+1 800 555 0100", "", Some("+18005550100"));
        check("030 1234567", "DE", Some("+49301234567"));
        check("+49 (0)30 / 123-4567", "", Some("+49301234567"));
        check("0049 30 1234567", "GB", Some("+49301234567"));
        check("020 7946 0000", "GB", Some("+442079460000"));
        check("01 23 45 67 89", "FR", Some("+33123456789"));
        check("06 12345678", "IT", Some("+390612345678"));
        check("030 1234567", "", None);
        check("555-0100", "US", None);
        check("112", "DE", None);
        check("+49 30 1234567 ext 5", "", None);
        check("+0 30 1234567", "", None);
        check("+1234567890123456", "", None);
        check("++49301234567", "", None);
    }

    #[test]
    fn regions_are_found_by_their_code() {
        assert!(Region::names().all(|name| Region::named(name).is_some()));
        assert!(Region::names().is_sorted());
        assert_eq!(Region::named("de"), None);
    }
}
