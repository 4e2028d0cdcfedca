//! What does the clock on the wall show? Time zones, from the data the program carries: the
//! machine's own copy is never read, so a replay elsewhere finds the same hours.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use wayfare_event::Timestamp;

use crate::diagnostic;

/// A time zone of the IANA database.
///
/// ```
/// use wayfare_journey::calendar::Zone;
///
/// let zone = Zone::find("Europe/Berlin");
/// assert_eq!(zone.as_ref().map(Zone::name), Some("Europe/Berlin"));
/// assert_eq!(Zone::nearest("Berlin").as_deref(), Some("Europe/Berlin"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of this name, in whatever case it is written. Offsets such as `+02:00` name none.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        (!zone.is_unknown()).then_some(Self(zone))
    }

    /// The name, spelled as the database spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The zone whose name, or whose city, is the nearest to a mistyped one.
    #[must_use]
    pub fn nearest(typed: &str) -> Option<String> {
        let known = TimeZoneDatabase::bundled();
        let names: Vec<String> = known.available().map(|name| name.as_str().into()).collect();
        let typed = typed.trim().replace(' ', "_");
        let city = |name: &&str| {
            let city = name.rsplit_once('/').map(|(_, city)| city);
            city.is_some_and(|city| city.eq_ignore_ascii_case(&typed))
        };
        let names = || names.iter().map(String::as_str);
        let nearest = names().find(city);
        nearest
            .or_else(|| diagnostic::nearest(&typed, names()))
            .map(str::to_owned)
    }

    /// What the clock shows; nothing beyond the years of the calendar.
    pub(crate) fn local(&self, at: Timestamp) -> Option<DateTime> {
        let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
        Some(self.0.to_datetime(at))
    }

    /// When the clock shows this: later by what was skipped if it never does, the first time if it
    /// does so twice. Nothing beyond the years of the calendar.
    pub(crate) fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let instant = self.0.to_ambiguous_timestamp(local).compatible().ok()?;
        Some(Timestamp::from_micros(instant.as_microsecond()))
    }

    /// Whether the clock never shows this.
    pub(crate) fn skips(&self, local: DateTime) -> bool {
        let offset = self.0.to_ambiguous_timestamp(local).offset();
        matches!(offset, AmbiguousOffset::Gap { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_by_its_name() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(
                Zone::find(name).as_ref().map(Zone::name),
                expected,
                "{name}"
            );
        };
        check("Europe/Berlin", Some("Europe/Berlin"));
        check("america/new_york", Some("America/New_York"));
        check("US/Eastern", Some("US/Eastern"));
        check("UTC", Some("UTC"));
        check("Berlin", None);
        check("+02:00", None);
        check("EST5EDT,M3.2.0,M11.1.0", None);
        check("Etc/Unknown", None);
        check("../../etc/passwd", None);
        check("", None);
        assert_eq!(Zone::find("UTC"), Some(Zone::UTC));
    }

    #[test]
    fn a_mistyped_zone_has_a_nearest_one() {
        let check = |typed: &str, expected: Option<&str>| {
            assert_eq!(Zone::nearest(typed).as_deref(), expected, "{typed}");
        };
        check("Europe/Berln", Some("Europe/Berlin"));
        check("Berlin", Some("Europe/Berlin"));
        check("new york", Some("America/New_York"));
        check("Middle Earth", None);
        check("", None);
    }

    #[test]
    fn there_is_no_local_time_beyond_the_calendar() {
        assert_eq!(Zone::UTC.local(Timestamp::from_micros(i64::MAX)), None);
        assert_eq!(Zone::UTC.local(Timestamp::from_micros(i64::MIN)), None);
        assert!(Zone::UTC.local(Timestamp::EPOCH).is_some());
        let west = Zone::find("America/New_York").unwrap();
        assert_eq!(west.instant(DateTime::MAX), None);
    }
}
