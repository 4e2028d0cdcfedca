//! What time is it? The one place in the project that reads a clock.

use wayfare_event::Timestamp;

/// The wall clock, in microseconds since 1970; an instant before that counts as 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one file that reads the clock; everything else is told the time"
)]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since.map_or(0, |since| since.as_micros());
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}
