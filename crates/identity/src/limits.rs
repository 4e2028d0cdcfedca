//! Every limit of identity resolution, with its unit. Past them results may depend on order.

/// Identifiers one event may name (SP 10); [`extract`](crate::extract) finds ten at most.
pub const IDENTIFIERS_PER_EVENT_MAX: usize = 12;
/// Anchors that may claim one identifier (SP 10). From the second on it is contested anyway.
pub const CLAIMS_PER_IDENTIFIER_MAX: usize = 8;
/// Identifiers linked into one profile (SP 10), those its limits evicted included.
pub const IDENTIFIERS_PER_PROFILE_MAX: usize = 1_000;
/// Visits after which [`reach`](crate::reach) asks for no more: the product of the three above.
pub const REACH_VISITS_MAX: usize =
    IDENTIFIERS_PER_EVENT_MAX * CLAIMS_PER_IDENTIFIER_MAX * IDENTIFIERS_PER_PROFILE_MAX;
