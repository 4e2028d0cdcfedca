//! What must a value be? As written, or what a matcher in its place says.

use std::fmt;
use std::sync::Arc;

use regex::Regex;
use wayfare_event::{Map, Value};

use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::parse::fields::Problems;
use crate::yaml::{Entry, Kind, Node};

/// Bytes a compiled pattern of a matcher may take.
const REGEX_BYTES_MAX: usize = 1 << 20;
const ANY: &str = "$any";
const MATCHES: &str = "$matches";

/// What a value must be.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Anything that is there: `{$any: true}`.
    Any,
    /// A text in which this is found: `{$matches: "^acc_"}`.
    Matches(Regex),
    /// Nothing at all.
    Absent,
    /// Exactly this scalar.
    Exactly(Value),
    /// A list of exactly these.
    List(Vec<Self>),
    /// A mapping of exactly these keys.
    Map(Vec<(Arc<str>, Self)>),
    /// A mapping that has at least these keys.
    Holding(Vec<(Arc<str>, Self)>),
}

/// One place where a value is not what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The place, such as `payload.account.plan`.
    pub place: String,
    /// What must be there.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

impl Pattern {
    /// Exactly this text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Exactly(text.into())
    }

    /// Every place in which a value differs, `place` being where it stands itself.
    #[must_use]
    pub fn differences(&self, place: &str, actual: Option<&Value>) -> Vec<Difference> {
        let mut found = Vec::new();
        self.compare(place, actual, &mut found);
        found
    }

    fn compare(&self, place: &str, actual: Option<&Value>, found: &mut Vec<Difference>) {
        match (self, actual) {
            (Self::Map(parts), Some(Value::Map(map))) => {
                compare_parts(place, parts, map, found);
                let is_expected = |key: &str| parts.iter().any(|(name, _)| **name == *key);
                for (key, value) in map.iter().filter(|(key, _)| !is_expected(key)) {
                    Self::Absent.compare(&below(place, key), Some(value), found);
                }
            }
            (Self::Holding(parts), Some(Value::Map(map))) => {
                compare_parts(place, parts, map, found);
            }
            (Self::List(parts), Some(Value::List(items))) => {
                for index in 0..parts.len().max(items.len()) {
                    let part = parts.get(index).unwrap_or(&Self::Absent);
                    part.compare(&format!("{place}[{index}]"), items.get(index), found);
                }
            }
            _ if self.takes(actual) => {}
            _ => found.push(Difference {
                place: place.to_owned(),
                expected: self.to_string(),
                actual: actual.map_or_else(|| "nothing".to_owned(), ToString::to_string),
            }),
        }
    }

    /// Whether it takes a value that has no parts to compare one by one.
    fn takes(&self, actual: Option<&Value>) -> bool {
        match self {
            Self::Any => actual.is_some(),
            Self::Absent => actual.is_none(),
            Self::Matches(regex) => {
                let text = actual.and_then(Value::as_text);
                text.is_some_and(|text| regex.is_match(text))
            }
            Self::Exactly(value) => actual == Some(value),
            Self::List(_) | Self::Map(_) | Self::Holding(_) => false,
        }
    }
}

fn compare_parts(
    place: &str,
    parts: &[(Arc<str>, Pattern)],
    map: &Map,
    found: &mut Vec<Difference>,
) {
    for (key, part) in parts {
        part.compare(&below(place, key), map.get(key), found);
    }
}

fn below(place: &str, key: &str) -> String {
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_word(key) && !key.is_empty() {
        format!("{place}.{key}")
    } else {
        format!("{place}[{}]", Value::from(key))
    }
}

/// What this part of a file says a value must be.
pub(super) fn pattern(node: &Node, problems: &mut Problems) -> Option<Pattern> {
    match &node.kind {
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {
            Some(Pattern::Exactly(value(node)))
        }
        Kind::List(items) => {
            let parts: Vec<_> = items.iter().map(|item| pattern(item, problems)).collect();
            parts.into_iter().collect::<Option<_>>().map(Pattern::List)
        }
        Kind::Map(entries) => match entries.iter().find(|entry| is_matcher(entry)) {
            Some(entry) => matcher(entry, entries.len(), problems),
            None => parts(entries, problems).map(Pattern::Map),
        },
    }
}

/// The patterns of a mapping's values.
pub(super) fn parts(
    entries: &[Entry],
    problems: &mut Problems,
) -> Option<Vec<(Arc<str>, Pattern)>> {
    let part = |entry: &Entry, problems: &mut Problems| {
        let part = pattern(&entry.value, problems)?;
        Some((Arc::from(entry.key.as_str()), part))
    };
    let read: Vec<_> = entries.iter().map(|entry| part(entry, problems)).collect();
    read.into_iter().collect()
}

/// Whether a key is a matcher's, or was meant to be. Payloads may have other keys with a `$`, such as
/// `$set` and `$add`.
fn is_matcher(entry: &Entry) -> bool {
    let meant = match entry.value.kind {
        Kind::Bool(true) => ANY,
        Kind::Text(_) => MATCHES,
        Kind::Null | Kind::Bool(false) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => "",
    };
    let key = entry.key.as_str();
    [ANY, MATCHES].contains(&key) || key.starts_with('$') && nearest(key, [meant]).is_some()
}

fn matcher(entry: &Entry, keys: usize, problems: &mut Problems) -> Option<Pattern> {
    let mut refuse = |span, message: String, hint: Option<String>| {
        problems.push(Diagnostic::new(Code::Matcher, span, message).maybe_hint(hint));
        None
    };
    if keys > 1 {
        let message = format!("a matcher is a mapping with one key, `{}`", entry.key);
        let hint = "take the other keys away, or write out what must stand here";
        return refuse(entry.key_span, message, Some(hint.to_owned()));
    }
    match (entry.key.as_str(), &entry.value.kind) {
        (ANY, Kind::Bool(true)) => Some(Pattern::Any),
        (ANY, _) => refuse(
            entry.value.span,
            "`$any` says nothing but `true`".to_owned(),
            Some("write {$any: true}".to_owned()),
        ),
        (MATCHES, Kind::Text(text)) => {
            let built = regex::RegexBuilder::new(text)
                .size_limit(REGEX_BYTES_MAX)
                .build();
            match built {
                Ok(regex) => Some(Pattern::Matches(regex)),
                Err(error) => {
                    let told = error.to_string();
                    let why = told.lines().last().unwrap_or_default();
                    let why = why.strip_prefix("error: ").unwrap_or(why);
                    let message = format!("`{text}` is no regular expression: {why}");
                    refuse(entry.value.span, message, None)
                }
            }
        }
        (MATCHES, _) => refuse(
            entry.value.span,
            "`$matches` takes a regular expression as text".to_owned(),
            Some("write {$matches: \"^acc_\"}".to_owned()),
        ),
        (other, _) => {
            let meant = nearest(other, [ANY, MATCHES]);
            let hint = meant.map(|name| format!("did you mean `{name}`?"));
            let message = format!("no matcher is called `{other}`");
            refuse(entry.key_span, message, hint)
        }
    }
}

/// The JSON value this part of a file is.
pub(super) fn value(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(flag) => Value::Bool(*flag),
        Kind::Number(number) => Value::Number(number.clone()),
        Kind::Text(text) => text.as_str().into(),
        Kind::List(items) => Value::List(items.iter().map(value).collect()),
        Kind::Map(entries) => Value::Map(map(entries)),
    }
}

/// The JSON object these keys and values are.
pub(super) fn map(entries: &[Entry]) -> Map {
    let entry = |entry: &Entry| (Arc::from(entry.key.as_str()), value(&entry.value));
    entries.iter().map(entry).collect()
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("anything"),
            Self::Absent => f.write_str("nothing"),
            Self::Matches(regex) => write!(f, "a text that matches {}", regex.as_str()),
            Self::Exactly(value) => fmt::Display::fmt(value, f),
            Self::List(parts) => {
                f.write_str("[")?;
                for (index, part) in parts.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{part}")?;
                }
                f.write_str("]")
            }
            Self::Map(parts) | Self::Holding(parts) => {
                f.write_str("{")?;
                for (index, (key, part)) in parts.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{part}", Value::from(&**key))?;
                }
                f.write_str("}")
            }
        }
    }
}
