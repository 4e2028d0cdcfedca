//! Why was somebody not taken in? The codes of recorded refusals (SP 32).

use serde::{Deserialize, Serialize};

/// Why a journey did not start for an event that its trigger names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The trigger's condition does not hold.
    Condition,
    /// The event is older than the journey's `lateness`.
    Late,
    /// The event is marked as history.
    Historical,
    /// A merge brought it: history gained starts nothing.
    MergedHistory,
    /// The event is older than what started the instance: it neither wakes nor ends it.
    BeforeEntry,
    /// An instance is inside, and the journey takes another only after it left.
    Inside,
    /// The journey takes everybody once.
    Once,
    /// The last entry is not long enough ago.
    TooSoon,
    /// As many instances as may be are inside.
    TooMany,
    /// The journey has a key and the event has none.
    NoKey,
    /// The journey is paused.
    Paused,
    /// One more entry than the journey's `limit` takes: it pauses itself.
    EntryLimit,
    /// More than eight inputs, one queueing the next, led here.
    HopLimit,
    /// The profile has no room for another trait.
    ProfileFull,
    /// What the instance would have to keep is too large.
    TooLarge,
}

impl RefusalCode {
    /// The stable code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Condition => "condition",
            Self::Late => "late",
            Self::Historical => "historical",
            Self::MergedHistory => "merged_history",
            Self::BeforeEntry => "before_entry",
            Self::Inside => "inside",
            Self::Once => "once",
            Self::TooSoon => "too_soon",
            Self::TooMany => "too_many",
            Self::NoKey => "no_key",
            Self::Paused => "paused",
            Self::EntryLimit => "entry_limit",
            Self::HopLimit => "hop_limit",
            Self::ProfileFull => "profile_full",
            Self::TooLarge => "too_large",
        }
    }
}
