//! Who starts, enters and leaves a journey, once it is checked?

use std::fmt;
use std::sync::Arc;

use wayfare_event::{ConsentAction, EventKind, Value};

use crate::calendar::Zone;
use crate::cron::Cron;
use crate::expression::{Expression, same};

/// What starts an instance.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// What is heard.
    pub on: TriggerOn,
    /// The condition on it.
    pub condition: Option<Expression>,
}

/// What a trigger hears.
#[derive(Clone, Debug)]
pub enum TriggerOn {
    /// One of these events.
    Events(Vec<EventMatch>),
    /// A choice that changed.
    Consent {
        /// The category.
        category: Arc<str>,
        /// What it changed to.
        action: ConsentAction,
    },
    /// A trait that changed.
    Trait(TraitChange),
    /// A time that comes again and again.
    Schedule {
        /// The times.
        cron: Cron,
        /// Where they are told.
        zone: Zone,
    },
    /// A date in the profile.
    Date {
        /// The date.
        date: Expression,
        /// How long after it, in microseconds; before it, when negative.
        offset_us: i64,
    },
    /// A delivery that came to a state.
    Delivery {
        /// Whose.
        journey: Arc<str>,
        /// Which block's; any of the journey, without one.
        block: Option<Arc<str>>,
        /// The state's word.
        state: Arc<str>,
    },
}

/// A change of a trait that starts an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct TraitChange {
    /// Whose trait.
    pub of: TraitOf,
    /// The trait.
    pub name: Arc<str>,
    /// What it was; anything, without one.
    pub from: Option<Value>,
    /// What it is; anything, without one.
    pub to: Option<Value>,
}

/// Whose trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TraitOf {
    /// The profile's.
    Profile,
    /// The account's.
    Account,
}

impl TraitChange {
    /// Whether a change from one value to another is one.
    #[must_use]
    pub fn matches(&self, previous: &Value, current: &Value) -> bool {
        let is = |wanted: &Option<Value>, value: &Value| {
            wanted.as_ref().is_none_or(|wanted| same(wanted, value))
        };
        !same(previous, current) && is(&self.from, previous) && is(&self.to, current)
    }
}

/// A kind of event and, where given, its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMatch {
    /// Its kind.
    pub kind: EventKind,
    /// Its name; any, without one.
    pub name: Option<Arc<str>>,
}

impl EventMatch {
    /// Whether an event of this kind and name is one.
    #[must_use]
    pub fn matches(&self, kind: EventKind, name: &str) -> bool {
        self.kind == kind && self.name.as_deref().is_none_or(|own| own == name)
    }
}

/// Who may enter, and how often.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How often.
    pub again: Again,
    /// The path of the key.
    pub key: Option<Expression>,
    /// How old an event may be to start or wake, in microseconds.
    pub lateness_us: i64,
    /// How many may enter before the journey pauses itself.
    pub limit: Option<EntryLimit>,
}

/// How many may enter in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryLimit {
    /// How many.
    pub entries: u32,
    /// The while, in microseconds.
    pub per_us: i64,
}

/// How often somebody may enter, per key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Once, ever.
    Once,
    /// Not while inside.
    AfterExit,
    /// Side by side.
    Always,
    /// Not while inside, nor within this many microseconds of the last entry.
    Every(i64),
}

/// A way out from any block.
#[derive(Clone, Debug)]
pub struct ExitRule {
    /// What is waited for.
    pub on: Heard,
    /// Why, for the decision.
    pub reason: Arc<str>,
}

/// What a wait or an exit reacts to.
#[derive(Clone, Debug)]
pub enum Heard {
    /// An event, and a condition on it.
    Event {
        /// The event.
        event: EventMatch,
        /// The condition.
        condition: Option<Expression>,
        /// Whether events about another key count too.
        any_key: bool,
    },
    /// A condition on state.
    When(Expression),
}

/// What is heard, in a few words.
impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event {
                event, condition, ..
            } => {
                f.write_str(event.name.as_deref().unwrap_or(event.kind.as_str()))?;
                match condition {
                    Some(condition) => write!(f, " where {}", condition.source()),
                    None => Ok(()),
                }
            }
            Self::When(condition) => f.write_str(condition.source()),
        }
    }
}
