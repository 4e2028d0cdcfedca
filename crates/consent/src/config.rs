//! Which categories of consent are there, and what does silence mean in each?

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_event::{ConsentAction, Namespace};

use crate::sources::{Dialects, Hears};
use crate::{Jurisdiction, tree};

/// The categories, and the place that holds where a profile names none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    categories: BTreeMap<Arc<str>, Category>,
    jurisdiction: Jurisdiction,
    dialects: Dialects,
}

/// One category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// What silence means, unless configured otherwise.
    pub class: Class,
    /// What its records are about.
    pub binding: Binding,
    /// What silence means everywhere.
    pub default: Option<ConsentAction>,
    /// What silence means in a place, in capitals: `DE`, `US-CA`.
    pub by_jurisdiction: BTreeMap<String, ConsentAction>,
    /// How strong an acceptance must be.
    pub strength: Strength,
    /// How long an acceptance lasts, in microseconds; for ever, without one.
    pub max_age_us: Option<i64>,
    /// How long after a refusal one may ask again, in microseconds; never, without one.
    pub ask_again_after_us: Option<i64>,
    /// What speaks of it besides its own name.
    pub hears: Hears,
}

/// What a category is for, which says what silence means (SP 18).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Needed for the service itself: always allowed.
    Essential,
    /// Needs a yes.
    Consent,
    /// Allowed until somebody objects.
    LegitimateInterest,
    /// Allowed with a notice.
    NoticeOnly,
}

impl Class {
    const ALL: [Self; 4] = [
        Self::Essential,
        Self::Consent,
        Self::LegitimateInterest,
        Self::NoticeOnly,
    ];

    /// The word for it in YAML.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Essential => "essential",
            Self::Consent => "consent",
            Self::LegitimateInterest => "legitimate_interest",
            Self::NoticeOnly => "notice_only",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// What a category's records are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binding {
    /// The person, whatever the address.
    Profile,
    /// One address at a time.
    Address(Channel),
}

/// A kind of address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// E-mail addresses.
    Email,
    /// Phone numbers.
    Phone,
}

impl Channel {
    /// The namespace of its addresses, and the trait that names the profile's.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Email => Namespace::EMAIL,
            Self::Phone => Namespace::PHONE,
        }
    }
}

/// How strong an acceptance must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// A yes is a yes.
    #[default]
    Any,
    /// It must have been confirmed, as by a double opt-in: its method says `confirmed` or
    /// `double_opt_in`.
    Confirmed,
}

impl Config {
    /// These categories, and the place of profiles that name none.
    #[must_use]
    pub const fn new(categories: BTreeMap<Arc<str>, Category>, jurisdiction: Jurisdiction) -> Self {
        Self {
            categories,
            jurisdiction,
            dialects: Dialects::NONE,
        }
    }

    /// The same, with what is configured of the ways in which consent is told.
    #[must_use]
    pub fn with_dialects(self, dialects: Dialects) -> Self {
        Self { dialects, ..self }
    }

    /// What is configured of the ways in which consent is told.
    #[must_use]
    pub const fn dialects(&self) -> Dialects {
        self.dialects
    }

    /// The category of this name.
    #[must_use]
    pub fn category(&self, name: &str) -> Option<&Category> {
        self.categories.get(name)
    }

    /// The categories' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.categories.keys()
    }

    /// The categories that something said about this name is said about, in order: itself, what is
    /// part of it, and all for `*`. A name that covers none counts for nothing.
    pub fn covered_by(&self, name: &str) -> impl Iterator<Item = &Arc<str>> {
        self.names().filter(move |own| tree::covers(name, own))
    }

    /// Every category by its name.
    #[must_use]
    pub const fn categories(&self) -> &BTreeMap<Arc<str>, Category> {
        &self.categories
    }

    /// The place of profiles that name none.
    #[must_use]
    pub const fn default_jurisdiction(&self) -> &Jurisdiction {
        &self.jurisdiction
    }
}

impl Category {
    /// A category of this class and binding, as it is where nothing else is configured.
    #[must_use]
    pub const fn new(class: Class, binding: Binding) -> Self {
        Self {
            class,
            binding,
            default: None,
            by_jurisdiction: BTreeMap::new(),
            strength: Strength::Any,
            max_age_us: None,
            ask_again_after_us: None,
            hears: Hears::NAME_ONLY,
        }
    }

    /// What silence means in a place: what is configured for it, for its country, for everywhere,
    /// else what the class says. Where the place is unknown, silence refuses if it does in any
    /// place that is configured; where only its country is known, in any part of that.
    pub(crate) fn silence(&self, place: &Jurisdiction) -> ConsentAction {
        let is_unknown = *place == Jurisdiction::UNKNOWN;
        let mut places = self.by_jurisdiction.iter();
        let may_refuse = |(name, silence): (&String, &ConsentAction)| {
            *silence == ConsentAction::Decline && (is_unknown || place.may_be(name))
        };
        if places.any(may_refuse) {
            return ConsentAction::Decline;
        }
        let there = place
            .names()
            .find_map(|name| self.by_jurisdiction.get(name));
        there.copied().or(self.default).unwrap_or(match self.class {
            Class::Essential | Class::LegitimateInterest | Class::NoticeOnly => {
                ConsentAction::Accept
            }
            Class::Consent => ConsentAction::Decline,
        })
    }
}

impl Default for Config {
    /// The built-in categories (SP 17): `essential`; `marketing` by e-mail address and
    /// `sms_marketing` by phone number; `analytics` and `personalization` of the person. No place.
    fn default() -> Self {
        let email = Binding::Address(Channel::Email);
        let phone = Binding::Address(Channel::Phone);
        let categories = [
            ("essential", Class::Essential, Binding::Profile),
            ("marketing", Class::Consent, email),
            ("sms_marketing", Class::Consent, phone),
            ("analytics", Class::Consent, Binding::Profile),
            ("personalization", Class::Consent, Binding::Profile),
        ];
        let categories = categories
            .into_iter()
            .map(|(name, class, binding)| (name.into(), Category::new(class, binding)))
            .collect();
        Self::new(categories, Jurisdiction::UNKNOWN)
    }
}
