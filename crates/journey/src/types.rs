//! What are traits and properties declared to be? Not here: reading the declarations (the shell) and
//! checking expressions against them (`compile`).

use std::collections::BTreeMap;

/// What traits and properties are declared to be; what is not declared is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Types {
    /// Traits of profiles.
    pub profile: BTreeMap<String, ValueType>,
    /// Traits of accounts.
    pub account: BTreeMap<String, ValueType>,
    /// Properties of events, by the event's name.
    pub events: BTreeMap<String, BTreeMap<String, ValueType>>,
}

impl Types {
    /// Nothing is declared.
    pub const OPEN: &'static Self = &Self {
        profile: BTreeMap::new(),
        account: BTreeMap::new(),
        events: BTreeMap::new(),
    };
}

/// What a value is declared to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueType {
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An instant, as RFC 3339 text.
    Time,
    /// A list.
    List,
    /// An object.
    Object,
}

impl ValueType {
    /// Every type and its word.
    pub const ALL: [(&'static str, Self); 6] = [
        ("text", Self::Text),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
        ("time", Self::Time),
        ("list", Self::List),
        ("object", Self::Object),
    ];

    /// Whether values of it have parts that a path leads on to.
    #[must_use]
    pub const fn has_parts(self) -> bool {
        match self {
            Self::List | Self::Object => true,
            Self::Text | Self::Number | Self::Boolean | Self::Time => false,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Time => "time",
            Self::List => "list",
            Self::Object => "object",
        }
    }
}
