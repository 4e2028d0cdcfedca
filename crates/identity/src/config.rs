//! What counts as an identifier here, and how far is it trusted? Not here: reading YAML.

use std::collections::BTreeSet;

use wayfare_event::{Identifier, Namespace};

use crate::Region;

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// What a namespace's identifiers stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// One person, for ever: a profile has at most one.
    Anchor,
    /// A mailbox or a line that messages reach, shared now and then.
    Address,
    /// An installation or a device.
    Device,
    /// A browser's or a visit's throw-away id.
    Session,
}

impl Class {
    /// The word for it in YAML.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Address => "address",
            Self::Device => "device",
            Self::Session => "session",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Anchor, Self::Address, Self::Device, Self::Session]
            .into_iter()
            .find(|class| class.as_str() == name)
    }
}

/// A provider of mailboxes of which it is known what its addresses have to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// `gmail.com` and `googlemail.com`: dots, and what follows a `+`, make no other mailbox.
    Gmail,
}

impl Provider {
    /// The word for it in YAML.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gmail => "gmail",
        }
    }
}

/// One namespace, and how many of its identifiers an anchor holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceRule {
    /// The namespace.
    pub name: Namespace,
    /// What its identifiers stand for.
    pub class: Class,
    /// Identifiers an anchor holds, those claimed last; without one, all of them.
    pub limit: Option<usize>,
    /// Microseconds, counted back from the anchor's newest claim in this namespace, within which
    /// the limit counts; identifiers claimed last before that are held uncounted. Without one,
    /// the limit counts them all.
    pub window_us: Option<i64>,
    /// Whether the property of this name identifies too. An invitation names somebody else there, so
    /// as shipped none does (SP 8).
    pub from_properties: bool,
    /// Of e-mail addresses: whose spellings of one mailbox are one address. As shipped nobody's, since
    /// only the provider knows which are (2.1.3).
    pub provider_fold: Option<Provider>,
}

/// Which identity configuration cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The same namespace twice.
    #[error("namespace `{0}` is listed twice, keep one of them")]
    Repeated(Namespace),
    /// No anchor, or several: then nothing keeps two persons apart.
    #[error("{0} namespaces have class `anchor`, give it to exactly one")]
    Anchors(usize),
}

/// How identifiers are read and resolved. Links are a function of it: it may not change what past
/// links meant once there is data, which is for the shell to refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    namespaces: Vec<NamespaceRule>,
    blocked: BTreeSet<String>,
    phone_region: Option<Region>,
}

impl Config {
    /// A configuration; a namespace's rank is its place in the list. `blocked` are values that
    /// are nobody's in every namespace, compared without case and surrounding quotes.
    ///
    /// # Errors
    ///
    /// When a namespace is listed twice, or not exactly one is the anchor.
    pub fn new(
        namespaces: Vec<NamespaceRule>,
        blocked: impl IntoIterator<Item = String>,
        phone_region: Option<Region>,
    ) -> Result<Self, ConfigError> {
        let mut names = BTreeSet::new();
        if let Some(twice) = namespaces.iter().find(|rule| !names.insert(&rule.name)) {
            return Err(ConfigError::Repeated(twice.name.clone()));
        }
        let anchors = namespaces
            .iter()
            .filter(|rule| rule.class == Class::Anchor)
            .count();
        if anchors != 1 {
            return Err(ConfigError::Anchors(anchors));
        }
        Ok(Self {
            namespaces,
            blocked: blocked
                .into_iter()
                .map(|value| crate::normalise::fold(&value))
                .collect(),
            phone_region,
        })
    }

    /// The namespaces, best rank first.
    #[must_use]
    pub fn namespaces(&self) -> &[NamespaceRule] {
        &self.namespaces
    }

    /// The region national phone numbers are read in; without one they identify nobody.
    #[must_use]
    pub const fn phone_region(&self) -> Option<Region> {
        self.phone_region
    }

    /// The rule of a namespace; identifiers of others are not taken from events.
    #[must_use]
    pub fn rule(&self, namespace: &Namespace) -> Option<&NamespaceRule> {
        self.namespaces.iter().find(|rule| rule.name == *namespace)
    }

    /// The rank of a namespace, smaller is better; one that is not configured comes last.
    #[must_use]
    pub fn rank(&self, namespace: &Namespace) -> usize {
        self.namespaces
            .iter()
            .position(|rule| rule.name == *namespace)
            .unwrap_or(self.namespaces.len())
    }

    pub(crate) fn is_blocked(&self, folded: &str) -> bool {
        self.blocked.contains(folded)
    }

    /// Whether an identifier is its person's own: there is one of them in a profile.
    #[must_use]
    pub fn is_anchor(&self, identifier: &Identifier) -> bool {
        self.has_class(identifier, Class::Anchor)
    }

    pub(crate) fn has_class(&self, identifier: &Identifier, class: Class) -> bool {
        self.rule(&identifier.namespace)
            .is_some_and(|rule| rule.class == class)
    }

    /// What identifiers are ordered by: best rank first, then the smaller value.
    pub(crate) fn order<'a>(&self, identifier: &'a Identifier) -> (usize, &'a Identifier) {
        (self.rank(&identifier.namespace), identifier)
    }
}

impl Default for Config {
    /// `user_id` is the anchor; five e-mail addresses, phone numbers and devices; twenty anonymous
    /// ids in seven days; nothing blocked beyond the built-in placeholders; no phone region.
    fn default() -> Self {
        let rule = |name: &str, class, limit, window_us| NamespaceRule {
            name: name.into(),
            class,
            limit,
            window_us,
            from_properties: false,
            provider_fold: None,
        };
        let session = (Class::Session, Some(20), Some(7 * DAY_US));
        Self {
            namespaces: vec![
                rule(Namespace::USER_ID, Class::Anchor, None, None),
                rule(Namespace::EMAIL, Class::Address, Some(5), None),
                rule(Namespace::PHONE, Class::Address, Some(5), None),
                rule(Namespace::DEVICE_ID, Class::Device, Some(5), None),
                rule(Namespace::ANONYMOUS_ID, session.0, session.1, session.2),
            ],
            blocked: BTreeSet::new(),
            phone_region: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_namespace_is_the_anchor_and_none_comes_twice() {
        let standard = Config::default().namespaces;
        let check = |rules: Vec<NamespaceRule>, expected: Option<&str>| {
            let error = Config::new(rules, [], None).err();
            assert_eq!(error.map(|error| error.to_string()).as_deref(), expected);
        };
        check(standard.clone(), None);
        check(
            standard[1..].to_vec(),
            Some("0 namespaces have class `anchor`, give it to exactly one"),
        );
        let twice = [&standard[..], &standard[..1]].concat();
        check(
            twice,
            Some("namespace `user_id` is listed twice, keep one of them"),
        );
    }

    #[test]
    fn rank_is_the_place_in_the_list() {
        let config = Config::default();
        let rank = |name: &str| config.rank(&name.into());
        assert_eq!([rank("user_id"), rank("phone"), rank("other")], [0, 2, 5]);
        let mut longer = config.namespaces().to_vec();
        longer.push(NamespaceRule {
            name: "ad_id".into(),
            ..config.namespaces()[3].clone()
        });
        let longer = Config::new(longer, [], None).unwrap();
        let ranks = |it: &Config| ["user_id", "anonymous_id"].map(|name| it.rank(&name.into()));
        assert_eq!(ranks(&longer), ranks(&config));
    }
}
