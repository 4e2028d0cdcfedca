//! Which bits are set in a TC string? The core segment of version 2 (IAB Tech Lab, Transparency and
//! Consent Framework, "Consent string and vendor list formats"): each character is six bits, the
//! fields follow one another, the most significant bit first. The other segments are not needed.
//!
//! `IsServiceSpecific` is not judged: who sends us a string from another scope has it from their own
//! dialogue.

use wayfare_event::Timestamp;

/// The core of a TC string, version 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcString {
    /// When it was written last. By version 2.2 of the policies a whole day.
    pub last_updated: Timestamp,
    /// The consent dialogue that wrote it.
    pub cmp_id: u16,
    /// Two letters: the language the person was asked in.
    pub language: [u8; 2],
    /// The version of the list of vendors.
    pub vendor_list_version: u16,
    /// The version of the policies.
    pub policy_version: u8,
    /// Whether it holds for one service alone.
    pub is_service_specific: bool,
    /// Special features opted into; the leftmost of 12 bits is the first.
    special_features: u32,
    /// Purposes consented to; the leftmost of 24 bits is the first.
    purposes: u32,
    /// Purposes told to be a legitimate interest. They permit nothing here (D30).
    purposes_told: u32,
    /// Whether purpose 1 was not asked for at all.
    pub purpose_one_treatment: bool,
    /// Two letters: the publisher's country.
    pub publisher_country: [u8; 2],
    vendors: Ranges,
    vendors_told: Ranges,
    restrictions: Vec<Restriction>,
}

/// Why a TC string is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcStringError {
    /// It has characters that are none of base64url.
    NotBase64Url,
    /// It ends before its core does.
    Truncated,
    /// It has another version than 2.
    Unsupported(u8),
}

/// Ids from and to, both included.
type Ranges = Vec<(u16, u16)>;

/// What the publisher says of a purpose and some vendors.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Restriction {
    purpose: u8,
    /// 0 forbids the purpose, 1 asks for consent, 2 for a legitimate interest.
    kind: u8,
    vendors: Ranges,
}

/// The kind of a restriction that leaves consent what it is.
const ASKS_CONSENT: u8 = 1;

impl TcString {
    /// Reads the core of a TC string.
    ///
    /// # Errors
    ///
    /// [`TcStringError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TcStringError> {
        let core = text.split('.').next().unwrap_or_default();
        let mut bits = Bits::of(core)?;
        let version = bits.byte(6)?;
        if version != 2 {
            return Err(TcStringError::Unsupported(version));
        }
        bits.skip(36)?;
        let last_updated = bits.time()?;
        let cmp_id = bits.short(12)?;
        bits.skip(12 + 6)?;
        Ok(Self {
            last_updated,
            cmp_id,
            language: bits.letters()?,
            vendor_list_version: bits.short(12)?,
            policy_version: bits.byte(6)?,
            is_service_specific: bits.flag()?,
            special_features: {
                bits.skip(1)?;
                bits.word(12)?
            },
            purposes: bits.word(24)?,
            purposes_told: bits.word(24)?,
            purpose_one_treatment: bits.flag()?,
            publisher_country: bits.letters()?,
            vendors: bits.vendors()?,
            vendors_told: bits.vendors()?,
            restrictions: bits.restrictions()?,
        })
    }

    /// Whether a vendor may process for a purpose because it was consented to: both bits are set, and
    /// the publisher does not rule it out.
    #[must_use]
    pub fn permits(&self, purpose: u8, vendor: u16) -> bool {
        let ruled_out = self.restrictions.iter().any(|it| {
            it.purpose == purpose && it.kind != ASKS_CONSENT && among(&it.vendors, vendor)
        });
        self.consents_to(purpose) && among(&self.vendors, vendor) && !ruled_out
    }

    /// Whether a purpose, 1 to 24, was consented to.
    #[must_use]
    pub const fn consents_to(&self, purpose: u8) -> bool {
        has(self.purposes, 24, purpose)
    }

    /// Whether a purpose, 1 to 24, was told to be a legitimate interest.
    #[must_use]
    pub const fn tells_interest(&self, purpose: u8) -> bool {
        has(self.purposes_told, 24, purpose)
    }

    /// Whether a special feature, 1 to 12, was opted into.
    #[must_use]
    pub const fn opts_into(&self, feature: u8) -> bool {
        has(self.special_features, 12, feature)
    }

    /// Whether a vendor was consented to.
    #[must_use]
    pub fn consents_to_vendor(&self, vendor: u16) -> bool {
        among(&self.vendors, vendor)
    }

    /// Whether a vendor's legitimate interest was told.
    #[must_use]
    pub fn tells_vendor_interest(&self, vendor: u16) -> bool {
        among(&self.vendors_told, vendor)
    }
}

/// Whether the bit of `place`, from 1 at the left of `count`, is set.
const fn has(bits: u32, count: u8, place: u8) -> bool {
    place >= 1 && place <= count && bits >> (count - place) & 1 == 1
}

fn among(ranges: &Ranges, id: u16) -> bool {
    ranges
        .iter()
        .any(|(first, last)| (*first..=*last).contains(&id))
}

/// What is left of a string, read bit by bit.
struct Bits<'a> {
    sixes: std::slice::Iter<'a, u8>,
    /// Bits of the last character that were not read yet, at the right.
    rest: u8,
    left: u8,
}

impl<'a> Bits<'a> {
    fn of(text: &'a str) -> Result<Self, TcStringError> {
        if text.bytes().all(|byte| six(byte).is_some()) {
            Ok(Self {
                sixes: text.as_bytes().iter(),
                rest: 0,
                left: 0,
            })
        } else {
            Err(TcStringError::NotBase64Url)
        }
    }

    fn flag(&mut self) -> Result<bool, TcStringError> {
        if self.left == 0 {
            let byte = self.sixes.next().ok_or(TcStringError::Truncated)?;
            self.rest = six(*byte).ok_or(TcStringError::NotBase64Url)?;
            self.left = 6;
        }
        self.left -= 1;
        Ok(self.rest >> self.left & 1 == 1)
    }

    fn long(&mut self, count: u8) -> Result<u64, TcStringError> {
        (0..count).try_fold(0, |read: u64, _| Ok(read << 1 | u64::from(self.flag()?)))
    }

    /// At most 32 bits.
    fn word(&mut self, count: u8) -> Result<u32, TcStringError> {
        self.long(count)
            .map(|read| u32::try_from(read).unwrap_or(u32::MAX))
    }

    /// At most 16 bits.
    fn short(&mut self, count: u8) -> Result<u16, TcStringError> {
        self.long(count)
            .map(|read| u16::try_from(read).unwrap_or(u16::MAX))
    }

    /// At most 8 bits.
    fn byte(&mut self, count: u8) -> Result<u8, TcStringError> {
        self.long(count)
            .map(|read| u8::try_from(read).unwrap_or(u8::MAX))
    }

    fn skip(&mut self, count: u8) -> Result<(), TcStringError> {
        self.long(count).map(|_| ())
    }

    /// Tenths of a second since 1970: 36 bits of them are far from the end of an `i64` of
    /// microseconds.
    fn time(&mut self) -> Result<Timestamp, TcStringError> {
        let tenths = i64::try_from(self.long(36)?).unwrap_or(i64::MAX);
        Ok(Timestamp::from_micros(tenths.saturating_mul(100_000)))
    }

    /// Two letters, `A` as 0.
    fn letters(&mut self) -> Result<[u8; 2], TcStringError> {
        Ok([b'A' + self.byte(6)?, b'A' + self.byte(6)?])
    }

    /// Vendors: a bit for each, or ranges.
    fn vendors(&mut self) -> Result<Ranges, TcStringError> {
        let max = self.short(16)?;
        if self.flag()? {
            return self.ranges();
        }
        let mut found: Ranges = Vec::new();
        for id in 1..=max {
            if !self.flag()? {
                continue;
            }
            match found.last_mut() {
                Some((_, last)) if *last + 1 == id => *last = id,
                _ => found.push((id, id)),
            }
        }
        Ok(found)
    }

    fn ranges(&mut self) -> Result<Ranges, TcStringError> {
        let count = self.short(12)?;
        let mut found = Vec::new();
        for _ in 0..count {
            let is_range = self.flag()?;
            let first = self.short(16)?;
            let last = if is_range { self.short(16)? } else { first };
            found.push((first, last));
        }
        Ok(found)
    }

    fn restrictions(&mut self) -> Result<Vec<Restriction>, TcStringError> {
        let count = self.short(12)?;
        let mut found = Vec::new();
        for _ in 0..count {
            found.push(Restriction {
                purpose: self.byte(6)?,
                kind: self.byte(2)?,
                vendors: self.ranges()?,
            });
        }
        Ok(found)
    }
}

/// The six bits of a character of base64url.
const fn six(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// A core that consents to purposes 1 and 7 and to vendor 755, with these restrictions: purpose,
    /// kind, vendors from and to.
    fn restricted(restrictions: &[(u64, u64, (u64, u64))]) -> TcString {
        let mut bits: Vec<bool> = Vec::new();
        let mut put = |count: u32, value: u64| {
            bits.extend((0..count).rev().map(|place| value >> place & 1 == 1));
        };
        put(6, 2);
        for (count, value) in [
            (36, 0),
            (36, 0),
            (12, 31),
            (12, 1),
            (6, 0),
            (12, 0),
            (12, 48),
        ] {
            put(count, value);
        }
        for (count, value) in [(6, 4), (1, 1), (1, 0), (12, 0)] {
            put(count, value);
        }
        // Purposes 1 and 7 of 24; no legitimate interest; the publisher.
        for (count, value) in [(24, 0b1000_0010 << 16), (24, 0), (1, 0), (12, 0)] {
            put(count, value);
        }
        // One vendor, as a range of one; nobody's legitimate interest.
        for (count, value) in [
            (16, 755),
            (1, 1),
            (12, 1),
            (1, 0),
            (16, 755),
            (16, 0),
            (1, 0),
        ] {
            put(count, value);
        }
        put(12, restrictions.len() as u64);
        for (purpose, kind, (first, last)) in restrictions {
            for (count, value) in [(6, *purpose), (2, *kind), (12, 1), (1, 1), (16, *first)] {
                put(count, value);
            }
            put(16, *last);
        }
        let letter = |six: &[bool]| {
            let padded = six.iter().copied().chain([false; 6]).take(6);
            let index = padded.fold(0, |read, bit| read << 1 | usize::from(bit));
            char::from(LETTERS[index])
        };
        let text: String = bits.chunks(6).map(letter).collect();
        TcString::parse(&text).unwrap()
    }

    #[test]
    fn a_restriction_of_the_publisher_rules_a_purpose_out() {
        let check = |restrictions: &[(u64, u64, (u64, u64))], permitted: bool| {
            let string = restricted(restrictions);
            assert!(string.consents_to(7) && string.consents_to_vendor(755));
            assert_eq!(string.permits(7, 755), permitted, "{restrictions:?}");
            assert!(string.permits(1, 755), "{restrictions:?}");
            assert!(!string.permits(7, 756) && !string.permits(2, 755));
        };
        check(&[], true);
        check(&[(7, 0, (755, 755))], false);
        check(&[(7, 1, (755, 755))], true);
        check(&[(7, 2, (1, 1_000))], false);
        check(&[(7, 0, (1, 754))], true);
        check(&[(8, 0, (1, 1_000)), (7, 1, (1, 1_000))], true);
        check(&[(7, 1, (1, 1_000)), (7, 0, (700, 800))], false);
    }
}
