//! How long is a message known? In whole days, so that a day is forgotten at once (SP 2, SP 33).

use wayfare_event::Timestamp;

/// Full days a message stays known, by `at`.
pub const MESSAGE_DAYS: i64 = 7;

/// The day of an instant, in days since the epoch.
pub(crate) const fn day(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(24 * 60 * 60 * 1_000_000)
}

/// The oldest day whose messages are known at `at`.
pub(crate) const fn oldest_day(at: Timestamp) -> i64 {
    day(at).saturating_sub(MESSAGE_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_for_seven_full_days() {
        let noon: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let check = |seen: &str, known| {
            let seen: Timestamp = seen.parse().unwrap();
            assert_eq!(day(seen) >= oldest_day(noon), known, "{seen}");
        };
        check("2026-03-03T12:00:00Z", true);
        check("2026-03-03T00:00:00Z", true);
        check("2026-03-02T23:59:59Z", false);
        assert_eq!(day(Timestamp::from_micros(-1)), -1);
    }
}
