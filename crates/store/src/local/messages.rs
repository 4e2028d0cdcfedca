//! Which messages were certainly never seen? The hashes of the days that are kept, in memory, so
//! that a new message costs no read. A day with too many is asked for on disk: slower, not wrong.

use std::collections::BTreeMap;
use std::hash::{BuildHasherDefault, Hasher};

use wayfare_event::MessageHash;

/// Hashes held for one day, about 20 to 40 bytes each.
pub(super) const MESSAGES_PER_DAY_MAX: usize = 4_000_000;

#[expect(
    clippy::disallowed_types,
    reason = "asked for membership only, once or more per event; its order is never seen"
)]
type Hashes = std::collections::HashSet<u128, BuildHasherDefault<Uniform>>;

/// The messages of the days that are kept.
#[derive(Debug)]
pub(super) struct Messages {
    days: BTreeMap<i64, Day>,
    per_day_max: usize,
}

#[derive(Debug, Default)]
struct Day {
    seen: Hashes,
    /// More were seen than are held.
    overflowed: bool,
}

impl Messages {
    pub(super) const fn new(per_day_max: usize) -> Self {
        Self {
            days: BTreeMap::new(),
            per_day_max,
        }
    }

    /// Notes that a message was seen on a day; false when the day holds no more.
    pub(super) fn add(&mut self, day: i64, message: MessageHash) -> bool {
        let held = self.days.entry(day).or_default();
        if held.seen.len() < self.per_day_max {
            held.seen.insert(u128::from_be_bytes(*message.as_bytes()));
        } else {
            held.overflowed = true;
        }
        !held.overflowed
    }

    /// The days on which a message may have been seen, the latest first.
    pub(super) fn days(&self, message: MessageHash) -> impl Iterator<Item = i64> {
        let hash = u128::from_be_bytes(*message.as_bytes());
        self.days
            .iter()
            .rev()
            .filter(move |(_, day)| day.overflowed || day.seen.contains(&hash))
            .map(|(day, _)| *day)
    }

    /// Forgets the days before this one.
    pub(super) fn forget_before(&mut self, day: i64) {
        if self.days.keys().next().is_some_and(|first| *first < day) {
            self.days = self.days.split_off(&day);
        }
    }
}

/// A message hash is uniform as it is: half of it is hash enough.
#[derive(Debug, Default)]
struct Uniform(u64);

impl Hasher for Uniform {
    fn write_u128(&mut self, hash: u128) {
        let [half @ .., _, _, _, _, _, _, _, _] = hash.to_be_bytes();
        self.0 = u64::from_be_bytes(half);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(byte: u8) -> MessageHash {
        MessageHash::from_bytes([byte; 16])
    }

    fn days(messages: &Messages, byte: u8) -> Vec<i64> {
        messages.days(hash(byte)).collect()
    }

    #[test]
    fn a_new_message_asks_for_no_day() {
        let mut messages = Messages::new(10);
        assert!(messages.add(1, hash(1)));
        assert!(messages.add(2, hash(1)));
        assert_eq!(days(&messages, 1), [2, 1]);
        assert!(days(&messages, 9).is_empty());
        messages.forget_before(2);
        assert_eq!(days(&messages, 1), [2]);
    }

    #[test]
    fn a_day_with_too_many_is_always_asked_for() {
        let mut messages = Messages::new(2);
        for byte in 0..3 {
            messages.add(1, hash(byte));
        }
        assert_eq!(days(&messages, 9), [1]);
    }
}
