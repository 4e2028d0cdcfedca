//! What does an event say about consent, in whatever dialect its SDK speaks? [`hear`] gives its
//! statements, each about a configured category, and what it did not understand. Not here: whom a
//! statement is about, whether it is news, what follows from it.
//!
//! | dialect | where it stands | a statement is |
//! |---|---|---|
//! | `consent` | our own event | said now |
//! | `segment` | the event `Segment Consent Preference Updated` | said now |
//! | `segment` | `context.consent.categoryPreferences` of other events | what holds, said some time before |
//! | `rudderstack` | `context.consentManagement` | what holds |
//! | `gpc` | `context.gpc` | what holds |
//! | `tcf` | `context.tcf.tcString` | what holds, with the day it was said |
//!
//! Nothing of an event is refused because of what it says of consent by the way: what cannot be read
//! says nothing, so that no acceptance comes of it, and is told as [`Unheard`].

mod gpc;
mod own;
mod rudderstack;
mod segment;
pub mod tcf;

use std::fmt;
use std::sync::Arc;

use wayfare_event::{ConsentAction, ConsentStatement, Event, EventKind, Rejection, Timestamp};

use crate::{Class, Config};

/// What an event says about consent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Its statements, in the order of the event.
    pub said: Vec<Said>,
    /// What says nothing that can be used.
    pub unheard: Vec<Unheard>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What is said. Its category is the name of a configured one.
    pub statement: ConsentStatement,
    /// How it is told.
    pub dialect: Dialect,
    /// Whether somebody says so now, or it is what holds since some time before.
    pub tense: Tense,
    /// When it was said, where that is told; else when the event happened.
    pub at: Option<Timestamp>,
}

/// Whether a statement is made by its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tense {
    /// Somebody decides now.
    Decided,
    /// It is what holds: told with every event, and news once.
    Holds,
}

/// How consent is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// Our own event.
    Consent,
    /// Segment's preferences.
    Segment,
    /// RudderStack's lists.
    RudderStack,
    /// Global Privacy Control.
    Gpc,
    /// A string of the IAB's Transparency and Consent Framework.
    Tcf,
}

impl Dialect {
    /// The word for it, which is the `source` of its records; our own event names that itself.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Segment => "segment",
            Self::RudderStack => "rudderstack",
            Self::Gpc => "gpc",
            Self::Tcf => "tcf",
        }
    }
}

/// What was told and says nothing that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheard {
    /// How it was told.
    pub dialect: Dialect,
    /// What it is, as it is named in the event.
    pub what: Arc<str>,
    /// Why.
    pub why: Why,
}

/// Why a statement says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// No category has this name or alias.
    UnknownCategory,
    /// It has another shape than its dialect asks for.
    Malformed,
    /// Its version is not read.
    Unsupported,
    /// It follows a policy that does not hold any more.
    OldPolicy,
    /// The dialogue is open: nobody has chosen yet.
    NotChosenYet,
    /// The address it is about is none, or is blocked.
    NoAddress,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownCategory => "no configured category has this name or alias",
            Self::Malformed => "it cannot be read, so it says nothing",
            Self::Unsupported => "its version is not supported",
            Self::OldPolicy => "its policy version is below 4",
            Self::NotChosenYet => "nobody has chosen yet",
            Self::NoAddress => "the address it is about is none, or is blocked",
        })
    }
}

/// What speaks of a category besides its own name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hears {
    /// Other names of it, such as the id a consent dialogue has for it.
    pub aliases: Vec<Arc<str>>,
    /// Whether Global Privacy Control refuses it.
    pub gpc: bool,
    /// The purposes of the TCF that it needs, 1 to 24; none, and the TCF does not speak of it.
    pub purposes: Vec<u8>,
}

impl Hears {
    /// Nothing but its name.
    pub const NAME_ONLY: Self = Self {
        aliases: Vec::new(),
        gpc: false,
        purposes: Vec::new(),
    };
}

/// What is configured of the dialects as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialects {
    /// Our id in the TCF's list of vendors.
    pub tcf_vendor: Option<u16>,
    /// Whether a category that Segment's preferences do not name is refused (D10).
    pub segment_missing_is_false: bool,
}

impl Dialects {
    /// As it is where nothing is configured.
    pub const NONE: Self = Self {
        tcf_vendor: None,
        segment_missing_is_false: false,
    };
}

/// What an event says about consent. Nothing is allocated for an event that says nothing.
///
/// # Errors
///
/// When the event is there to say something about consent and does not: our own about a category
/// that is not configured, Segment's without preferences (D09).
pub fn hear(config: &Config, event: &Event) -> Result<Heard, Rejection> {
    let mut heard = Heard::default();
    if let Some(statement) = &event.consent {
        heard.said.push(own::said(config, event, statement)?);
    }
    let is_update = event.kind == EventKind::Track && *event.name == *segment::UPDATED;
    if is_update {
        segment::updated(config, event, &mut heard)?;
    }
    for (key, value) in event.context.iter() {
        match &**key {
            "consent" if !is_update => segment::observed(config, value, &mut heard),
            "consentManagement" => rudderstack::observed(config, value, &mut heard),
            "gpc" => gpc::observed(config, value, &mut heard),
            "tcf" => tcf::observed(config, value, &mut heard),
            _ => {}
        }
    }
    Ok(heard)
}

impl Config {
    /// The name of the category that is called so, by its name or an alias.
    #[must_use]
    pub fn called(&self, name: &str) -> Option<&Arc<str>> {
        if let Some((own, _)) = self.categories().get_key_value(name) {
            return Some(own);
        }
        let categories = self.categories().iter();
        let mut called = categories
            .filter(|(_, category)| category.hears.aliases.iter().any(|alias| **alias == *name));
        called.next().map(|(own, _)| own)
    }

    /// Every category that can be refused: all but the essential ones.
    fn refusable(&self) -> impl Iterator<Item = &Arc<str>> {
        let categories = self.categories().iter();
        categories
            .filter(|(_, category)| category.class != Class::Essential)
            .map(|(name, _)| name)
    }
}

impl Heard {
    /// What holds for a category, as a dialect tells it with an event.
    fn holds(&mut self, dialect: Dialect, category: &Arc<str>, action: ConsentAction) {
        self.said.push(Said {
            statement: plain(dialect, category, action),
            dialect,
            tense: Tense::Holds,
            at: None,
        });
    }

    /// Something says nothing.
    fn unheard(&mut self, dialect: Dialect, what: &str, why: Why) {
        let what = what.chars().take(64).collect::<String>().into();
        self.unheard.push(Unheard { dialect, what, why });
    }
}

/// A statement about the person, without an end.
fn plain(dialect: Dialect, category: &Arc<str>, action: ConsentAction) -> ConsentStatement {
    ConsentStatement {
        category: category.clone(),
        action,
        email: None,
        phone: None,
        channel: None,
        valid_from: None,
        valid_until: None,
        source: Some(dialect.as_str().into()),
        method: None,
        notice: None,
        regulation: None,
    }
}
