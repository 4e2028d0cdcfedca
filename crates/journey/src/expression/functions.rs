//! Which functions are there, and what do they take? Calls of constants are made here, once. Not
//! here: what they compute (`evaluate`), and those that read a name of their own: registers,
//! categories, patterns, `exists` and `all` (`parse`).

use wayfare_event::{Timestamp, Value};

use super::ExpressionError;
use super::syntax::{Function, Kind, Node};
use crate::diagnostic::{Span, nearest};

/// Everything that can be called, for hints.
const KNOWN: [&str; 16] = [
    "size",
    "has",
    "duration",
    "timestamp",
    "count",
    "first",
    "last",
    "may_ask",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "lower",
    "upper",
    "exists",
    "all",
];

/// `name(arguments)`, which takes one value.
pub(super) fn call(
    name: &str,
    span: Span,
    arguments: Vec<Node>,
    whole: Span,
) -> Result<Node, ExpressionError> {
    let function = match name {
        "size" => Function::Size,
        "has" => Function::Has,
        "duration" => Function::Duration,
        "timestamp" => Function::Timestamp,
        _ => return Err(unknown(name, span)),
    };
    count(&arguments, 1, whole)?;
    let kind = match arguments.as_slice() {
        [
            Node {
                kind: Kind::Literal(Value::Text(text)),
                span,
            },
        ] => constant(function, text, *span)?,
        _ => None,
    };
    Ok(Node {
        span: whole,
        kind: kind.unwrap_or(Kind::Call(function, arguments)),
    })
}

/// `on.name(arguments)`.
pub(super) fn method(
    on: Node,
    (name, span): (&str, Span),
    mut arguments: Vec<Node>,
    whole: Span,
) -> Result<Node, ExpressionError> {
    let (function, takes) = match name {
        "size" => (Function::Size, 0),
        "lower" => (Function::Lower, 0),
        "upper" => (Function::Upper, 0),
        "contains" => (Function::Contains, 1),
        "startsWith" => (Function::StartsWith, 1),
        "endsWith" => (Function::EndsWith, 1),
        _ => return Err(unknown(name, span)),
    };
    count(&arguments, takes, whole)?;
    arguments.insert(0, on);
    Ok(Node {
        span: whole,
        kind: Kind::Call(function, arguments),
    })
}

/// The constant that a function of a quoted text is, when it is one.
fn constant(function: Function, text: &str, span: Span) -> Result<Option<Kind>, ExpressionError> {
    match function {
        Function::Duration => crate::duration::parse(text)
            .map(|micros| Some(Kind::Duration(micros)))
            .map_err(|error| ExpressionError::new(span, error.to_string())),
        Function::Timestamp => text
            .parse()
            .map(|at: Timestamp| Some(Kind::Time(at)))
            .map_err(|error| ExpressionError::new(span, error.to_string())),
        Function::Size
        | Function::Contains
        | Function::StartsWith
        | Function::EndsWith
        | Function::Lower
        | Function::Upper
        | Function::Has => Ok(None),
    }
}

fn count(arguments: &[Node], takes: usize, whole: Span) -> Result<(), ExpressionError> {
    let given = arguments.len();
    if given == takes {
        return Ok(());
    }
    let message = match (given, takes) {
        (1, _) => format!("1 value is given, {takes} are taken"),
        (_, 1) => format!("{given} values are given, 1 is taken"),
        (_, _) => format!("{given} values are given, {takes} are taken"),
    };
    Err(ExpressionError::new(whole, message))
}

fn unknown(name: &str, span: Span) -> ExpressionError {
    let error = ExpressionError::unknown(span, format!("there is no function `{name}`"));
    match nearest(name, KNOWN) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("known are {}", KNOWN.join(", "))),
    }
}
