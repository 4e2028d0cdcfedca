//! What is asked, and from what is it answered?

use serde::{Deserialize, Serialize};
use wayfare_event::{Identifier, Namespace, Timestamp};

use crate::{Jurisdiction, Record};

/// A record and its subject: the identifier it is kept under.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Whose word it is: an address, or another identifier, which stands for the person.
    pub subject: &'a Identifier,
    /// What was said.
    pub record: &'a Record,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The category.
    pub category: &'a str,
    /// The address it is asked about, of a category that is about addresses. Without one, a choice is
    /// that of the person as a whole and a verdict refuses.
    pub address: Option<&'a Identifier>,
    /// Why nothing goes to the address, if so.
    pub suppressed: Option<SuppressionKind>,
    /// Whose rules hold where nobody said anything.
    pub jurisdiction: &'a Jurisdiction,
    /// When.
    pub now: Timestamp,
    /// By when we must have heard of a record for it to count: the same instant where it is decided
    /// (as known), a later one to see what had been said and not come in yet (as decided; 2.2.8).
    pub heard_by: Timestamp,
}

impl<'a> Question<'a> {
    /// A question in a place that nobody knows, about an address that is not suppressed.
    #[must_use]
    pub fn new(category: &'a str, address: Option<&'a Identifier>, now: Timestamp) -> Self {
        static NOWHERE: Jurisdiction = Jurisdiction::UNKNOWN;
        Self {
            category,
            address,
            suppressed: None,
            jurisdiction: &NOWHERE,
            now,
            heard_by: now,
        }
    }
}

/// Why nothing goes to an address, whatever was said (2.2.5). No later yes lifts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionKind {
    /// It does not exist any more.
    Bounce,
    /// Somebody there complained.
    Complaint,
    /// What is known of it was erased.
    Erased,
}

impl SuppressionKind {
    const ALL: [Self; 3] = [Self::Bounce, Self::Complaint, Self::Erased];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Complaint => "complaint",
            Self::Erased => "erased",
        }
    }

    /// Whether it refuses even what the service needs.
    #[must_use]
    pub const fn refuses_all(self) -> bool {
        match self {
            Self::Bounce | Self::Erased => true,
            Self::Complaint => false,
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Whether an identifier is an address that consent can be about.
#[must_use]
pub fn is_address(identifier: &Identifier) -> bool {
    matches!(
        identifier.namespace.as_str(),
        Namespace::EMAIL | Namespace::PHONE
    )
}
