//! What is an expression, once read? A tree whose names are resolved and whose constants are made.

use std::sync::Arc;

use regex::Regex;
use wayfare_event::{Timestamp, Value};

use crate::diagnostic::Span;

/// One node of an expression and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) kind: Kind,
}

/// What a node computes.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A constant.
    Literal(Value),
    /// A constant length of time, in microseconds.
    Duration(i64),
    /// A constant instant.
    Time(Timestamp),
    /// What stands at a path.
    Path(Path),
    /// A list.
    List(Vec<Node>),
    /// `!x`.
    Not(Box<Node>),
    /// `-x`.
    Negate(Box<Node>),
    /// Two operands.
    Binary(Operator, Box<[Node; 2]>),
    /// `condition ? yes : no`.
    Conditional(Box<[Node; 3]>),
    /// A function of values.
    Call(Function, Vec<Node>),
    /// `text.matches("pattern")`, the pattern made once.
    Matches(Box<Node>, Regex),
    /// `list.exists(x, condition)`, `list.all(x, condition)`.
    Quantified(Quantifier, Box<[Node; 2]>),
    /// `count("Name")`, `first("Name")`, `last("Name")`.
    Register(Register, Arc<str>),
    /// `may_ask("category")`.
    MayAsk(Arc<str>),
}

/// A root and the keys that lead on from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// Where it starts.
    pub root: Root,
    /// The way from there.
    pub keys: Vec<Key>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Into an object.
    Name(Arc<str>),
    /// Into a list.
    Index(usize),
}

/// What a path can start at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    /// The event being judged; in a block the trigger.
    Event,
    /// The event that started the instance.
    Trigger,
    /// The profile's traits and `profileId`.
    Profile,
    /// The account's traits and `accountId`.
    Account,
    /// The choice for a category.
    Consent,
    /// What changed.
    Change,
    /// The delivery that started the instance.
    Delivery,
    /// The journey itself.
    Journey,
    /// The entry of the instance.
    Entry,
    /// The decision's time.
    Now,
    /// The event a wait named with `as:`.
    Named(Arc<str>),
    /// The variable of an enclosing `exists` or `all`, counted outwards.
    Local(usize),
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Default,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A function of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    Lower,
    Upper,
    Has,
    Duration,
    Timestamp,
}

/// Over a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Exists,
    All,
}

/// What is remembered of a profile's events of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Register {
    /// How many.
    Count,
    /// When the first was.
    First,
    /// When the last was.
    Last,
}

impl Node {
    /// The nodes it is made of.
    pub(crate) fn children(&self) -> &[Self] {
        match &self.kind {
            Kind::Literal(_)
            | Kind::Duration(_)
            | Kind::Time(_)
            | Kind::Path(_)
            | Kind::Register(..)
            | Kind::MayAsk(_) => &[],
            Kind::List(items) | Kind::Call(_, items) => items,
            Kind::Not(inner) | Kind::Negate(inner) | Kind::Matches(inner, _) => {
                std::slice::from_ref(inner)
            }
            Kind::Binary(_, pair) | Kind::Quantified(_, pair) => pair.as_slice(),
            Kind::Conditional(three) => three.as_slice(),
        }
    }

    /// Calls `visit` with this node and every node in it.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}
