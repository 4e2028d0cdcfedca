//! What is configured around a journey, as far as its checker needs to know?

use std::sync::Arc;

use crate::duration;
use crate::types::Types;
use crate::url::Vet;

/// The greatest `lateness` unless configured: message ids are kept seven days, less one of reserve.
const LATENESS_US_MAX: i64 = 6 * duration::DAY_US;

/// What is configured, as far as a checker needs it.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The categories of consent.
    pub categories: &'a [Arc<str>],
    /// Whether a URL may be called at all; the words say why not.
    pub vet: Vet<'a>,
    /// What traits and properties are declared to be. Nothing where they are not judged any more: a
    /// version that was published before is taken as it is.
    pub types: Option<&'a Types>,
    /// The greatest `lateness` that may be written, in microseconds: what message ids are remembered
    /// for, less a day.
    pub lateness_us_max: i64,
}

impl Default for Known<'_> {
    /// No categories, every URL, nothing declared, message ids remembered for seven days.
    fn default() -> Self {
        Self {
            categories: &[],
            vet: &|_| Ok(()),
            types: Some(Types::OPEN),
            lateness_us_max: LATENESS_US_MAX,
        }
    }
}

impl std::fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known")
            .field("categories", &self.categories)
            .finish_non_exhaustive()
    }
}
