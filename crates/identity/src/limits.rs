//! Every limit of identity resolution, with its unit. Past them results may depend on order.

/// Identifiers one event may name (SP 10); [`extract`](crate::extract) finds no more.
pub const IDENTIFIERS_PER_EVENT_MAX: usize = 12;
/// Anchors that may claim one identifier (SP 10). From the second on it is contested anyway. Claims
/// told with a public key leave the places of the others free.
pub const CLAIMS_PER_IDENTIFIER_MAX: usize = 8;
/// Identifiers linked into one profile (SP 10), those its limits evicted included.
pub const IDENTIFIERS_PER_PROFILE_MAX: usize = 1_000;
/// Anchors that merges may make one person.
pub const ANCHORS_PER_PROFILE_MAX: usize = 100;
/// Persons that claim an address, a device or a browser within [`CROWD_US`], at which it is blocked.
pub const CROWD: usize = 8;
/// Microseconds from the first of these claims to the last: a day.
pub const CROWD_US: i64 = 24 * 60 * 60 * 1_000_000;
/// Visits after which [`reach`](crate::reach) asks for no more: the product of the three above.
pub const REACH_VISITS_MAX: usize =
    IDENTIFIERS_PER_EVENT_MAX * CLAIMS_PER_IDENTIFIER_MAX * IDENTIFIERS_PER_PROFILE_MAX;
