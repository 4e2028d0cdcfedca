//! What do the names of an expression hold? Everything one evaluation may read, borrowed. Not here:
//! where it comes from (the executor).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use wayfare_event::{Map, Timestamp, Value};

use super::syntax::{Key, Path, Register, Root};

/// What is remembered of a profile's events of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How many there were.
    pub count: i64,
    /// When the first was.
    pub first: Timestamp,
    /// When the last was.
    pub last: Timestamp,
}

/// The values of one evaluation.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The event being judged; in a block the trigger: `name type timestamp messageId properties
    /// context`.
    pub event: Option<&'a Map>,
    /// The event that started the instance, in the same shape.
    pub trigger: Option<&'a Map>,
    /// Of a choice `category action previous address`, of a trait `previous current`.
    pub change: Option<&'a Map>,
    /// `id block state status reason`.
    pub delivery: Option<&'a Map>,
    /// The profile's traits and `profileId`.
    pub profile: &'a Map,
    /// The account's traits and `accountId`.
    pub account: Option<&'a Map>,
    /// `id title version`.
    pub journey: &'a Map,
    /// `key at`.
    pub entry: Option<&'a Map>,
    /// The events that waits named with `as:`.
    pub named: &'a [(Arc<str>, Map)],
    /// The choice for a category: `accept`, `decline` or `unknown`.
    pub choice: &'a dyn Fn(&str) -> &'static str,
    /// Whether one may ask for a category.
    pub may_ask: &'a dyn Fn(&str) -> bool,
    /// What is remembered of the events of a name.
    pub seen: &'a dyn Fn(&str) -> Option<Seen>,
    /// The decision's time.
    pub now: Timestamp,
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("event", &self.event)
            .field("profile", &self.profile)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// What a node evaluates to.
#[derive(Clone, Debug)]
pub(super) enum Datum<'a> {
    /// A JSON value.
    Value(Cow<'a, Value>),
    /// An instant.
    Time(Timestamp),
    /// A length of time, in microseconds.
    Duration(i64),
}

impl<'a> Datum<'a> {
    pub(super) const NULL: Self = Self::Value(Cow::Owned(Value::Null));

    pub(super) fn own(value: impl Into<Value>) -> Self {
        Self::Value(Cow::Owned(value.into()))
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(self.value(), Some(Value::Bool(true)))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value(), Some(Value::Null))
    }

    /// The JSON value, unless it is a time or a duration.
    pub(super) fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Time(_) | Self::Duration(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.value().and_then(Value::as_text)
    }

    /// As JSON: a time as RFC 3339, a duration as authors write it.
    pub(super) fn into_value(self) -> Cow<'a, Value> {
        match self {
            Self::Value(value) => value,
            Self::Time(at) => Cow::Owned(Value::from(at.to_string().as_str())),
            Self::Duration(micros) => {
                Cow::Owned(Value::from(crate::duration::written(micros).as_str()))
            }
        }
    }
}

/// The items that `exists` and `all` are at, innermost first.
#[derive(Clone, Copy)]
pub(super) struct Locals<'a> {
    pub(super) item: &'a Value,
    pub(super) outer: Option<&'a Self>,
}

impl<'a> Scope<'a> {
    /// What stands at a path; nothing when it is absent.
    pub(super) fn lookup(
        &self,
        path: &'a Path,
        locals: Option<&'a Locals<'a>>,
    ) -> Option<Datum<'a>> {
        match self.find(path, locals)? {
            Found::Now => Some(Datum::Time(self.now)),
            Found::Choice(choice) => Some(Datum::own(choice)),
            Found::Whole(map) => Some(Datum::own(map.clone())),
            Found::Part(value) => Some(timed(path, value)),
        }
    }

    /// The value at a path, `null` when it is absent; nothing where it has to be made first.
    pub(super) fn plain(
        &self,
        path: &'a Path,
        locals: Option<&'a Locals<'a>>,
    ) -> Option<&'a Value> {
        static NULL: Value = Value::Null;
        if path.root == Root::Consent {
            return None;
        }
        match self.find(path, locals) {
            None => Some(&NULL),
            Some(Found::Part(value)) => (!is_time(path)).then_some(value),
            Some(Found::Now | Found::Choice(_) | Found::Whole(_)) => None,
        }
    }

    /// The choice that a path names; nothing where it names none.
    pub(super) fn chosen(&self, path: &Path) -> Option<&'static str> {
        match (&path.root, path.keys.as_slice()) {
            (Root::Consent, [Key::Name(category)]) => Some((self.choice)(category)),
            _ => None,
        }
    }

    fn find(&self, path: &'a Path, locals: Option<&'a Locals<'a>>) -> Option<Found<'a>> {
        let from = |map: Option<&'a Map>| follow(map?, &path.keys);
        match &path.root {
            Root::Now => Some(Found::Now),
            Root::Event => from(self.event),
            Root::Trigger => from(self.trigger),
            Root::Change => from(self.change),
            Root::Delivery => from(self.delivery),
            Root::Profile => from(Some(self.profile)),
            Root::Account => from(self.account),
            Root::Journey => from(Some(self.journey)),
            Root::Entry => from(self.entry),
            Root::Named(name) => from(
                self.named
                    .iter()
                    .find(|(held, _)| held == name)
                    .map(|(_, map)| map),
            ),
            Root::Consent => self.chosen(path).map(Found::Choice),
            Root::Local(outwards) => {
                let mut here = locals?;
                for _ in 0..*outwards {
                    here = here.outer?;
                }
                descend(here.item, &path.keys).map(Found::Part)
            }
        }
    }

    pub(super) fn register(&self, register: Register, event: &str) -> Datum<'a> {
        match (register, (self.seen)(event)) {
            (Register::Count, seen) => Datum::own(seen.map_or(0, |seen| seen.count)),
            (Register::First, Some(seen)) => Datum::Time(seen.first),
            (Register::Last, Some(seen)) => Datum::Time(seen.last),
            (Register::First | Register::Last, None) => Datum::NULL,
        }
    }
}

/// What stands at a path.
enum Found<'a> {
    /// The time.
    Now,
    /// The choice for a category.
    Choice(&'static str),
    /// All of a root.
    Whole(&'a Map),
    /// A part of one.
    Part(&'a Value),
}

fn follow<'a>(map: &'a Map, keys: &[Key]) -> Option<Found<'a>> {
    let Some((first, rest)) = keys.split_first() else {
        return Some(Found::Whole(map));
    };
    let Key::Name(name) = first else { return None };
    descend(map.get(name)?, rest).map(Found::Part)
}

fn descend<'a>(value: &'a Value, keys: &[Key]) -> Option<&'a Value> {
    keys.iter().try_fold(value, |here, key| match (key, here) {
        (Key::Name(name), Value::Map(map)) => map.get(name),
        (Key::Index(place), Value::List(items)) => items.get(*place),
        (Key::Name(_) | Key::Index(_), _) => None,
    })
}

/// Whether an instant stands at a path.
fn is_time(path: &Path) -> bool {
    match (&path.root, path.keys.as_slice()) {
        (Root::Event | Root::Trigger | Root::Named(_), [Key::Name(field)]) => {
            &**field == "timestamp"
        }
        (Root::Entry, [Key::Name(field)]) => &**field == "at",
        _ => false,
    }
}

/// The fields that hold instants are instants.
fn timed<'a>(path: &Path, value: &'a Value) -> Datum<'a> {
    let at = value.as_text().filter(|_| is_time(path));
    match at.and_then(|text| text.parse().ok()) {
        Some(at) => Datum::Time(at),
        None => Datum::Value(Cow::Borrowed(value)),
    }
}
