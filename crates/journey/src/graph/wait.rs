//! Until when does somebody wait who waits for a time?

use wayfare_event::Timestamp;

use super::BlockId;
use crate::calendar::{TimeOfDay, Weekdays, Zone, next_local};
use crate::expression::{Expression, Scope};

/// A wait until a time of day.
#[derive(Clone, Debug)]
pub struct UntilTime {
    /// The time.
    pub time: TimeOfDay,
    /// The days it counts on.
    pub days: Weekdays,
    /// How long after it somebody passes at once, in microseconds.
    pub grace_us: i64,
    /// Where it is told.
    pub zone: WaitZone,
    /// The successor.
    pub then: BlockId,
}

/// Where a time of day is told.
#[derive(Clone, Debug)]
pub enum WaitZone {
    /// Always here.
    Fixed(Zone),
    /// Where the expression says.
    Of {
        /// The expression: a zone's name.
        name: Expression,
        /// Where it names no zone.
        default: Zone,
    },
}

impl UntilTime {
    /// When somebody goes on who comes at `arrived`; not later means at once.
    #[must_use]
    pub fn due(&self, arrived: Timestamp, scope: &Scope<'_>) -> Timestamp {
        let found;
        let zone = match &self.zone {
            WaitZone::Fixed(zone) => zone,
            WaitZone::Of { name, default } => {
                found = name.value(scope).as_text().and_then(Zone::find);
                found.as_ref().unwrap_or(default)
            }
        };
        next_local(arrived, self.time, self.days, self.grace_us, zone)
    }
}

/// A wait until a date.
#[derive(Clone, Debug)]
pub struct UntilDate {
    /// The date.
    pub date: Expression,
    /// How long after it, in microseconds; before it, when negative.
    pub offset_us: i64,
    /// The block for no date, or one that cannot be read.
    pub missing: BlockId,
    /// The successor.
    pub then: BlockId,
}

impl UntilDate {
    /// The instant; nothing for no date, or one that cannot be read.
    #[must_use]
    pub fn due(&self, scope: &Scope<'_>) -> Option<Timestamp> {
        self.date
            .instant(scope)
            .map(|date| date.saturating_add_micros(self.offset_us))
    }
}
