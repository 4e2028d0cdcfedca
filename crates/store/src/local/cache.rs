//! Which rows are kept in memory because they were wanted lately? Two generations: what is wanted
//! moves into the young one; when that is full it becomes the old one, and the old one goes.

use std::collections::BTreeMap;

use wayfare_executor::{Key, Row};

/// What an entry takes beyond its encoded bytes, estimated.
const ENTRY_BYTES: usize = 256;
/// How much larger a row is in memory than encoded, estimated.
const GROWTH: usize = 3;

/// What is known of a key: its row, or that there is none.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) row: Option<Row>,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Cache {
    young: BTreeMap<Key, Held>,
    old: BTreeMap<Key, Held>,
    young_bytes: usize,
    young_bytes_max: usize,
}

impl Cache {
    /// A cache of about this many bytes.
    pub(super) const fn new(bytes: usize) -> Self {
        Self {
            young: BTreeMap::new(),
            old: BTreeMap::new(),
            young_bytes: 0,
            young_bytes_max: bytes / 2,
        }
    }

    pub(super) fn get(&mut self, key: &Key) -> Option<Held> {
        if let Some(held) = self.young.get(key) {
            return Some(held.clone());
        }
        let (key, held) = self.old.remove_entry(key)?;
        self.keep(key, held.clone());
        Some(held)
    }

    /// Keeps what stands under a key in place of what was kept; `encoded` is its size on disk.
    pub(super) fn put(&mut self, key: Key, row: Option<Row>, encoded: usize) {
        let bytes = encoded.saturating_mul(GROWTH).saturating_add(ENTRY_BYTES);
        self.old.remove(&key);
        self.keep(key, Held { row, bytes });
    }

    fn keep(&mut self, key: Key, held: Held) {
        self.young_bytes = self.young_bytes.saturating_add(held.bytes);
        if let Some(replaced) = self.young.insert(key, held) {
            self.young_bytes = self.young_bytes.saturating_sub(replaced.bytes);
        }
        if self.young_bytes > self.young_bytes_max {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wayfare_event::Timestamp;

    fn key(number: usize) -> Key {
        Key::Account(number.to_string().into())
    }

    #[test]
    fn what_is_wanted_stays_and_the_rest_goes() {
        let mut cache = Cache::new(20 * ENTRY_BYTES);
        let row = Some(Row::Message(Timestamp::EPOCH));
        for number in 0..100 {
            cache.put(key(number), row.clone(), 0);
            assert_eq!(cache.get(&key(0)).unwrap().row, row, "after {number}");
            assert!(cache.young.len() + cache.old.len() <= 22);
        }
        assert!(cache.get(&key(1)).is_none());
        assert!(cache.get(&key(99)).is_some());
    }

    #[test]
    fn the_last_row_put_is_the_one_held() {
        let mut cache = Cache::new(4 * ENTRY_BYTES);
        cache.put(key(1), None, 0);
        cache.put(key(2), None, 0);
        cache.put(key(3), None, 0);
        let row = Some(Row::Message(Timestamp::EPOCH));
        cache.put(key(1), row.clone(), 0);
        assert_eq!(cache.get(&key(1)).unwrap().row, row);
    }
}
