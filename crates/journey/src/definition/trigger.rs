//! What does a file say of who starts, enters and leaves?

use wayfare_event::{ConsentAction, EventKind, Value};

use super::Text;
use crate::diagnostic::Span;

/// What starts an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// What is heard.
    pub on: TriggerOn,
    /// `where:`, the condition on it.
    pub condition: Option<Text>,
    /// Where `trigger:` stands.
    pub span: Span,
}

/// What a trigger hears.
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerOn {
    /// One of these events.
    Events(Vec<EventName>),
    /// A choice that changed.
    Consent {
        /// The category.
        category: Text,
        /// What it changed to.
        action: ConsentAction,
    },
    /// A trait that changed.
    Trait {
        /// The trait, `plan`, or an account's, `account.plan`.
        name: Text,
        /// `from:`, what it was.
        from: Option<Value>,
        /// `to:`, what it is.
        to: Option<Value>,
    },
    /// A time that comes again and again.
    Schedule {
        /// `cron:`.
        cron: Text,
        /// `zone:`; UTC, without one.
        zone: Option<Text>,
    },
    /// A date in the profile.
    Date {
        /// `date:`, an expression.
        date: Text,
        /// `offset:`, a signed duration.
        offset: Option<Text>,
    },
    /// A delivery that came to a state.
    Delivery {
        /// `journey:`, whose.
        journey: Text,
        /// `block:`; any of the journey, without one.
        block: Option<Text>,
        /// `state:`, what it came to.
        state: Text,
    },
}

/// A kind of event and, where the kind has names, its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventName {
    /// Its kind.
    pub kind: EventKind,
    /// Its name; any, without one.
    pub name: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// Who may enter, and how often.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// `again:`.
    pub again: Option<Text>,
    /// `key:`, a path.
    pub key: Option<Text>,
    /// `lateness:`.
    pub lateness: Option<Text>,
    /// `limit:`, such as `1000/h`.
    pub limit: Option<Text>,
}

/// A way out from any block.
#[derive(Clone, Debug, PartialEq)]
pub struct Exit {
    /// What is waited for.
    pub on: Heard,
    /// `reason:`.
    pub reason: Option<Text>,
    /// Where the item stands.
    pub span: Span,
}

/// What a wait or an exit reacts to.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// An event, and a condition on it.
    Event {
        /// The event.
        event: EventName,
        /// `where:`.
        condition: Option<Text>,
        /// `any_key: true`: also events about another key.
        any_key: bool,
    },
    /// A condition on state.
    When(Text),
}
