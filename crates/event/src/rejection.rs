//! Why is an event not taken? Not here: what is wrong with which (`Event::parse`, and who hears it).

use std::fmt;

/// Why an event was refused whole: a stable code and a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Rejection {
    /// The stable code.
    pub code: RejectionCode,
    /// The sentence.
    pub message: String,
}

impl Rejection {
    /// A rejection with this code and sentence.
    #[must_use]
    pub fn new(code: RejectionCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

/// The stable codes of rejected events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectionCode {
    /// The text is not one JSON object.
    InvalidJson,
    /// The event is over [`EVENT_BYTES_MAX`](crate::limits::EVENT_BYTES_MAX).
    TooLarge,
    /// A field has the wrong type.
    InvalidField,
    /// `type` is missing or none of the known ones.
    UnknownType,
    /// A track event without a name.
    NoEventName,
    /// A group event without `groupId`.
    NoGroupId,
    /// An alias without `previousId`.
    NoPreviousId,
    /// Nothing says whom the event is about.
    NoIdentifier,
    /// A group event that names nobody who is in the account.
    NoProfile,
    /// A text is over its limit.
    TooLong,
    /// More than [`TRAITS_MAX`](crate::limits::TRAITS_MAX) traits.
    TooManyTraits,
    /// A time that cannot be read.
    InvalidTime,
    /// A consent event that does not say what was decided about what.
    InvalidConsent,
    /// The sender may not say this, such as `historical` without an admin token.
    Forbidden,
}

impl RejectionCode {
    /// The code as it is printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::TooLarge => "too_large",
            Self::InvalidField => "invalid_field",
            Self::UnknownType => "unknown_type",
            Self::NoEventName => "no_event_name",
            Self::NoGroupId => "no_group_id",
            Self::NoPreviousId => "no_previous_id",
            Self::NoIdentifier => "no_identifier",
            Self::NoProfile => "no_profile",
            Self::TooLong => "too_long",
            Self::TooManyTraits => "too_many_traits",
            Self::InvalidTime => "invalid_time",
            Self::InvalidConsent => "invalid_consent",
            Self::Forbidden => "forbidden",
        }
    }
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
