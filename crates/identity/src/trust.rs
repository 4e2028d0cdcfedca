//! Who told it: one whose key is secret, or anyone? Not here: which claims count (`links`).

use serde::{Deserialize, Serialize};

/// Whether what an event says of identifiers was told by somebody who can be held to it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// A file, the standard input, or a key that is a secret.
    #[default]
    Verified,
    /// A key that every visitor can read.
    Unverified,
}

impl Trust {
    /// Whether it is what is meant where nothing is said.
    #[must_use]
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "what serde asks hands a reference"
    )]
    pub fn is_verified(&self) -> bool {
        *self == Self::Verified
    }
}
