//! What does a webhook block say?

use serde::{Deserialize, Serialize};
use wayfare_event::Number;

use super::Text;

/// A webhook block.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// `method:`.
    pub method: Method,
    /// `url:`.
    pub url: Url,
    /// `consent:`, what allows it.
    pub consent: Consent,
    /// `auth:`.
    pub auth: Option<Auth>,
    /// `sign:`, one secret or, while it is rotated, several, the newest first.
    pub sign: Vec<Secret>,
    /// `headers:`.
    pub headers: Vec<(Text, Text)>,
    /// `payload:`; `none` has no tree.
    pub payload: Option<Tree>,
    /// `when:`, the last condition.
    pub when: Option<Text>,
    /// `identity:`.
    pub identity: IdentityNeed,
    /// `delivery:`.
    pub delivery: DeliveryMode,
    /// `timeout:`.
    pub timeout: Option<Text>,
    /// `window:`.
    pub window: Option<Text>,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Create or notify.
    Post,
    /// Update existing state.
    Put,
    /// Remove or revoke.
    Delete,
}

impl Method {
    /// The method as HTTP spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Url {
    /// Written out.
    Whole(Text),
    /// The origin from the environment, the path written out.
    Based {
        /// Where the origin comes from.
        base: Secret,
        /// The path.
        path: Text,
    },
}

impl Url {
    /// What is written of it: the whole, or the path behind a base.
    #[must_use]
    pub const fn text(&self) -> &Text {
        match self {
            Self::Whole(text) | Self::Based { path: text, .. } => text,
        }
    }
}

/// What allows a webhook.
#[derive(Clone, Debug, PartialEq)]
pub enum Consent {
    /// An allowing verdict for a category.
    Category {
        /// The category.
        category: Text,
        /// `address:`, an expression.
        address: Option<Text>,
    },
    /// Enforcement: the choice must be decline.
    Declined {
        /// The category.
        category: Text,
    },
    /// No category applies.
    Basis {
        /// The legal basis.
        basis: Basis,
        /// `because:`, for the record.
        because: Text,
        /// `address:`, an expression: where the request goes.
        address: Option<Text>,
    },
}

/// A legal basis that is not consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The request fulfils a contract.
    Contract,
    /// A law demands the request.
    LegalObligation,
    /// Somebody's life is at stake.
    Vital,
    /// A public task.
    PublicTask,
}

impl Basis {
    /// Every basis and its word.
    pub const ALL: [(&'static str, Self); 4] = [
        ("contract", Self::Contract),
        ("legal_obligation", Self::LegalObligation),
        ("vital", Self::Vital),
        ("public_task", Self::PublicTask),
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::LegalObligation => "legal_obligation",
            Self::Vital => "vital",
            Self::PublicTask => "public_task",
        }
    }
}

/// A reference to a secret; the secret itself never stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "SecretFields", rename_all = "snake_case")]
pub enum Secret {
    /// The environment variable of this name.
    Env(String),
    /// The content of this file, without the line end.
    File(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFields {
    env: Option<String>,
    file: Option<String>,
}

impl TryFrom<SecretFields> for Secret {
    type Error = &'static str;

    fn try_from(fields: SecretFields) -> Result<Self, Self::Error> {
        match (fields.env, fields.file) {
            (Some(name), None) => Ok(Self::Env(name)),
            (None, Some(path)) => Ok(Self::File(path)),
            (None, None) | (Some(_), Some(_)) => Err("a secret is {env: NAME} or {file: PATH}"),
        }
    }
}

/// How a request authenticates itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// RFC 7617.
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// RFC 6750.
    Bearer(Secret),
    /// A key in a header of its own.
    Header {
        /// The header.
        name: String,
        /// The key.
        value: Secret,
    },
}

/// Whom a webhook may be about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentityNeed {
    /// Somebody with an anchor or an address of their own.
    #[default]
    Known,
    /// Anonymous profiles too.
    Any,
}

/// What a delivery promises.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// Repeated only when the request provably did not arrive.
    #[default]
    AtMostOnce,
    /// Repeated until answered, within the window.
    AtLeastOnce,
}

impl DeliveryMode {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AtMostOnce => "at_most_once",
            Self::AtLeastOnce => "at_least_once",
        }
    }
}

/// A payload as written: texts may hold placeholders.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, with its digits.
    Number(Number),
    /// A text.
    Text(Text),
    /// A list.
    List(Vec<Self>),
    /// An object, in the author's order.
    Map(Vec<(Text, Self)>),
}
