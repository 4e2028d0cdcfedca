//! What can somebody be known by? Not here: whether a value is junk, or whose it is (`identity`).

use std::fmt;
use std::sync::Arc;

/// A kind of identifier, such as `user_id` or `email`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Namespace(Arc<str>);

impl Namespace {
    /// The namespace of `userId`.
    pub const USER_ID: &'static str = "user_id";
    /// The namespace of `anonymousId`.
    pub const ANONYMOUS_ID: &'static str = "anonymous_id";
    /// The namespace of e-mail addresses.
    pub const EMAIL: &'static str = "email";
    /// The namespace of phone numbers.
    pub const PHONE: &'static str = "phone";
    /// The namespace of installation ids of mobile devices.
    pub const DEVICE_ID: &'static str = "device_id";

    /// The namespace's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Namespace {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A namespace and a value that somebody is known by. Written `namespace:value`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    /// What kind of identifier it is.
    pub namespace: Namespace,
    /// The value; normalised once `identity` has seen it.
    pub value: Arc<str>,
}

impl Identifier {
    /// The identifier `namespace:value`.
    #[must_use]
    pub fn new(namespace: &str, value: &str) -> Self {
        Self {
            namespace: namespace.into(),
            value: value.into(),
        }
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.namespace, self.value)
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
