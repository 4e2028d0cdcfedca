//! How does the torture tell time, and wait? In milliseconds since it began; by parking.

use std::time::{Duration, Instant};

use crate::measure::now;

/// When a run began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace(Instant);

impl Pace {
    /// From now on.
    pub(super) fn begin() -> Self {
        Self(now())
    }

    /// Milliseconds since the run began.
    pub(super) fn ms(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Lets time pass: that is what a load, a stall and a kill are made of.
pub(super) fn pause(span: Duration) {
    let begun = now();
    while let Some(left) = span.checked_sub(begun.elapsed())
        && !left.is_zero()
    {
        std::thread::park_timeout(left);
    }
}
