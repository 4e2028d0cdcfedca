//! How are time and memory measured? Not here: what is measured.

use std::time::{Duration, Instant};

use anyhow::Context as _;

/// An instant to measure from.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What `work` gives, and how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = now();
    let made = work();
    (made, start.elapsed())
}

/// The middle of some measurements, and the least and the greatest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// The middle.
    pub(crate) median: f64,
    least: f64,
    greatest: f64,
}

impl Spread {
    /// The spread of some measurements; zero where there are none.
    pub(crate) fn of(mut measured: Vec<f64>) -> Self {
        measured.sort_by(f64::total_cmp);
        let at = |index: usize| measured.get(index).copied().unwrap_or_default();
        Self {
            median: at(measured.len() / 2),
            least: at(0),
            greatest: at(measured.len().saturating_sub(1)),
        }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>9.0}  ({:.0} to {:.0})",
            self.median, self.least, self.greatest
        )
    }
}

/// How many a second.
pub(crate) fn rate(count: u32, took: Duration) -> f64 {
    f64::from(count) / took.as_secs_f64()
}

/// Nanoseconds for each of `count`.
pub(crate) fn each_ns(count: u32, took: Duration) -> f64 {
    took.as_secs_f64() * 1e9 / f64::from(count.max(1))
}

/// Bytes of memory this process holds now.
///
/// # Errors
///
/// Where there is no `/proc`.
pub(crate) fn resident_bytes() -> anyhow::Result<i64> {
    let statm = std::fs::read_to_string("/proc/self/statm").context("cannot read memory use")?;
    let pages: i64 = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .context("`/proc/self/statm` does not say how much memory is resident")?;
    Ok(pages * PAGE_BYTES)
}

/// The size of a page on the machines this runs on.
const PAGE_BYTES: i64 = 4096;
