//! How are the small parts of `wayfare.yaml` read? Whole numbers, durations, lists, mappings,
//! names, secrets: each with its problem where it stands.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use wayfare_journey::definition::{Secret, Text};
use wayfare_journey::diagnostic::{Code, Diagnostic};
use wayfare_journey::duration;
use wayfare_journey::fields::Problems;
use wayfare_journey::yaml::{Entry, Kind, Node};

/// Bytes of a name: a namespace, a category, a key's id.
const NAME_BYTES_MAX: usize = 64;

/// A whole number within bounds.
pub(super) fn whole(
    node: &Node,
    bounds: RangeInclusive<i64>,
    problems: &mut Problems,
) -> Option<i64> {
    let Kind::Number(number) = &node.kind else {
        problems.wrong_shape(node, "a whole number");
        return None;
    };
    let found = number.as_i64().filter(|number| bounds.contains(number));
    if found.is_none() {
        let (low, high) = bounds.into_inner();
        let message = format!("`{number}` is not a whole number from {low} to {high}");
        invalid(node, message, problems);
    }
    found
}

/// A duration within bounds, all in microseconds.
pub(super) fn micros(
    node: &Node,
    bounds: RangeInclusive<i64>,
    problems: &mut Problems,
) -> Option<i64> {
    let text = problems.text(node)?;
    let message = match duration::parse(&text.value) {
        Ok(micros) if bounds.contains(&micros) => return Some(micros),
        Ok(_) => {
            let (low, high) = bounds.into_inner();
            let (low, high) = (duration::written(low), duration::written(high));
            format!("`{}` is not between {low} and {high}", text.value)
        }
        Err(error) => error.to_string(),
    };
    problems.push(Diagnostic::new(Code::InvalidDuration, node.span, message));
    None
}

/// The items of a list; nothing is an empty one.
pub(super) fn items<'a>(node: &'a Node, expected: &str, problems: &mut Problems) -> &'a [Node] {
    match &node.kind {
        Kind::List(items) => items,
        Kind::Null => &[],
        Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Map(_) => {
            problems.wrong_shape(node, expected);
            &[]
        }
    }
}

/// The entries of a mapping whose keys the author chooses; nothing is an empty one.
pub(super) fn entries<'a>(node: &'a Node, expected: &str, problems: &mut Problems) -> &'a [Entry] {
    match &node.kind {
        Kind::Map(entries) => entries,
        Kind::Null => &[],
        Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => {
            problems.wrong_shape(node, expected);
            &[]
        }
    }
}

/// A text that another type reads, whose error says what is wrong.
pub(super) fn parsed<T>(node: &Node, problems: &mut Problems) -> Option<T>
where
    T: FromStr<Err: Display>,
{
    let text = problems.text(node)?;
    match text.value.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            invalid(node, error.to_string(), problems);
            None
        }
    }
}

/// A reference to a secret; the secret itself does not stand in a file.
pub(super) fn secret(node: &Node, problems: &mut Problems) -> Option<Secret> {
    if matches!(node.kind, Kind::Map(_)) {
        return problems.typed(node);
    }
    let message = "a secret does not stand in a file";
    problems.push(
        Diagnostic::new(Code::LiteralSecret, node.span, message)
            .hint("name where it comes from: {env: NAME} or {file: PATH}"),
    );
    None
}

/// A name that state and output will carry: lower-case letters, digits, `_` and `-`.
pub(super) fn name(text: &Text, problems: &mut Problems) {
    let is_name = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_' | '-');
    let message = if text.value.is_empty() || text.value.len() > NAME_BYTES_MAX {
        format!("a name has 1 to {NAME_BYTES_MAX} characters")
    } else if text.value.chars().all(is_name) {
        return;
    } else {
        "a name is made of lower-case letters, digits, `_` and `-`".to_owned()
    };
    problems.push(Diagnostic::new(Code::InvalidName, text.span, message));
}

/// A value that this place does not take.
pub(super) fn invalid(node: &Node, message: impl Into<String>, problems: &mut Problems) {
    problems.push(Diagnostic::new(Code::InvalidValue, node.span, message));
}
