//! Which names exist where an expression stands? Not here: what they hold (`scope`).

use std::sync::Arc;

use super::ExpressionError;
use super::syntax::{Key, Path, Root};
use crate::diagnostic::{Span, nearest};

/// What an expression may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// `event` and `properties`: an event started the journey or is being judged.
    pub event: bool,
    /// `trigger`: an event started the journey.
    pub trigger: bool,
    /// Why there is none, when there is none.
    pub no_event: &'static str,
    /// `change`, and what it has.
    pub change: Changes,
    /// `delivery`: a delivery started the journey.
    pub delivery: bool,
    /// The events that waits before this place may have named with `as:`.
    pub named: Vec<Arc<str>>,
    /// The categories of consent.
    pub categories: Vec<Arc<str>>,
}

/// What `change` is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Changes {
    /// Nothing changed.
    #[default]
    None,
    /// A choice.
    Choice,
    /// A trait.
    Trait,
}

const EVENT_FIELDS: [&str; 6] = [
    "name",
    "type",
    "timestamp",
    "messageId",
    "properties",
    "context",
];
const CHOICE_FIELDS: [&str; 4] = ["category", "action", "previous", "address"];
const TRAIT_FIELDS: [&str; 2] = ["previous", "current"];
const DELIVERY_FIELDS: [&str; 5] = ["id", "block", "state", "status", "reason"];
const JOURNEY_FIELDS: [&str; 3] = ["id", "title", "version"];
const ENTRY_FIELDS: [&str; 2] = ["key", "at"];
pub(crate) const ROOTS: [&str; 11] = [
    "event",
    "trigger",
    "properties",
    "profile",
    "account",
    "consent",
    "change",
    "delivery",
    "journey",
    "entry",
    "now",
];

impl Names {
    /// The path that starts at the name `root`, with `keys` as they were written.
    pub(super) fn resolve(
        &self,
        root: &str,
        span: Span,
        mut keys: Vec<(Key, Span)>,
    ) -> Result<Path, ExpressionError> {
        let start = match root {
            "event" => self.event(self.event, Root::Event, span)?,
            "trigger" => self.event(self.trigger, Root::Trigger, span)?,
            "properties" => {
                keys.insert(0, (Key::Name("properties".into()), span));
                self.event(self.event, Root::Event, span)?
            }
            "profile" => Root::Profile,
            "account" => Root::Account,
            "consent" => {
                keys = whole(keys);
                Root::Consent
            }
            "change" if self.change != Changes::None => Root::Change,
            "change" => {
                let message =
                    "nothing changed here: `change` belongs to `consent:` and `trait:` triggers";
                return Err(ExpressionError::unknown(span, message));
            }
            "delivery" if self.delivery => Root::Delivery,
            "delivery" => {
                let message = "there is no delivery here: it belongs to `delivery:` triggers";
                return Err(ExpressionError::unknown(span, message));
            }
            "journey" => Root::Journey,
            "entry" => Root::Entry,
            "now" => Root::Now,
            other => match self.named.iter().find(|name| ***name == *other) {
                Some(name) => Root::Named(name.clone()),
                None => return Err(self.unknown_root(other, span)),
            },
        };
        self.check_first(&start, root, span, &keys)?;
        Ok(Path {
            root: start,
            keys: keys.into_iter().map(|(key, _)| key).collect(),
        })
    }

    /// Refuses a category that is not configured.
    pub(super) fn check_category(&self, name: &str, span: Span) -> Result<(), ExpressionError> {
        let keys = [(Key::Name(name.into()), span)];
        self.check_first(&Root::Consent, "consent", span, &keys)
    }

    fn event(&self, exists: bool, root: Root, span: Span) -> Result<Root, ExpressionError> {
        if exists {
            return Ok(root);
        }
        let message = format!("there is no event here: {}", self.no_event);
        Err(ExpressionError::unknown(span, message))
    }

    fn unknown_root(&self, name: &str, span: Span) -> ExpressionError {
        let error = ExpressionError::unknown(span, format!("nothing is called `{name}` here"));
        let named = self.named.iter().map(|name| &**name);
        match nearest(name, ROOTS.into_iter().chain(named)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("a trait is `profile.{name}`, a text is \"{name}\"")),
        }
    }

    /// Fixed fields are checked; traits, properties and context are open.
    fn check_first(
        &self,
        root: &Root,
        written: &str,
        span: Span,
        keys: &[(Key, Span)],
    ) -> Result<(), ExpressionError> {
        let categories: Vec<&str> = self.categories.iter().map(|name| &**name).collect();
        let (fields, what): (&[&str], &str) = match root {
            Root::Event | Root::Trigger | Root::Named(_) => (&EVENT_FIELDS, "an event"),
            Root::Change if self.change == Changes::Trait => (&TRAIT_FIELDS, "`change`"),
            Root::Change => (&CHOICE_FIELDS, "`change`"),
            Root::Delivery => (&DELIVERY_FIELDS, "`delivery`"),
            Root::Journey => (&JOURNEY_FIELDS, "`journey`"),
            Root::Entry => (&ENTRY_FIELDS, "`entry`"),
            Root::Consent => (&categories, "`consent`"),
            Root::Now => (&[], "`now`"),
            Root::Profile | Root::Account | Root::Local(_) => return Ok(()),
        };
        let Some((first, place)) = keys.first() else {
            return Ok(());
        };
        let name = match first {
            Key::Name(name) => &**name,
            Key::Index(_) => "[…]",
        };
        if fields.contains(&name) {
            return Ok(());
        }
        let span = if *place == span { span } else { *place };
        let error = ExpressionError::unknown(span, format!("{what} has no `{name}`"));
        Err(match nearest(name, fields.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{written}.{near}`?")),
            None if fields.is_empty() => error.hint(format!("`{written}` has no parts")),
            None => error.hint(format!("known here: {}", fields.join(", "))),
        })
    }
}

/// The keys of a category: `consent.marketing.news` names one, whose name has a dot.
fn whole(keys: Vec<(Key, Span)>) -> Vec<(Key, Span)> {
    let mut names = Vec::new();
    for (key, _) in &keys {
        match key {
            Key::Name(name) => names.push(&**name),
            Key::Index(_) => return keys,
        }
    }
    let Some((_, first)) = keys.first() else {
        return keys;
    };
    vec![(Key::Name(names.join(".").into()), *first)]
}
