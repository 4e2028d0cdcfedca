//! How is a mapping read so that every problem in it is reported at once? Fields are asked for by
//! name; what nobody asked for is unknown.

use serde::de::DeserializeOwned;

use wayfare_event::Value;

use crate::definition::{Text, Whole};
use crate::diagnostic::{Code, Diagnostic, Span, nearest};
use crate::yaml::{Entry, Kind, Node};

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<Diagnostic>);

impl Problems {
    /// Adds a problem.
    pub fn push(&mut self, problem: Diagnostic) {
        self.0.push(problem);
    }

    /// Adds that a value has another shape than this place takes.
    pub fn wrong_shape(&mut self, node: &Node, expected: &str) {
        let message = format!("expected {expected}, found {}", node.describe());
        self.push(Diagnostic::new(Code::WrongShape, node.span, message).maybe_hint(braces(node)));
    }

    /// A text. `true` and `false` are taken as written: conditions may be just that.
    pub fn text(&mut self, node: &Node) -> Option<Text> {
        let value = match &node.kind {
            Kind::Text(text) => text.clone(),
            Kind::Bool(flag) => flag.to_string(),
            Kind::Map(_) if braces(node).is_some() => {
                let message = "without quotes this is a mapping to YAML, not a placeholder";
                self.push(
                    Diagnostic::new(Code::UnquotedBraces, node.span, message)
                        .maybe_hint(braces(node)),
                );
                return None;
            }
            Kind::Null | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => {
                self.wrong_shape(node, "text");
                return None;
            }
        };
        Some(Text {
            value,
            span: node.span,
        })
    }

    /// A whole number.
    pub fn whole(&mut self, node: &Node) -> Option<Whole> {
        let value = match &node.kind {
            Kind::Number(number) => number.as_i64(),
            Kind::Null | Kind::Bool(_) | Kind::Text(_) | Kind::List(_) | Kind::Map(_) => None,
        };
        if value.is_none() {
            self.wrong_shape(node, "a whole number");
        }
        let span = node.span;
        value.map(|value| Whole { value, span })
    }

    /// A constant that is no list and no mapping.
    pub fn scalar(&mut self, node: &Node) -> Option<Value> {
        Some(match &node.kind {
            Kind::Null => Value::Null,
            Kind::Bool(flag) => Value::Bool(*flag),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::Text(text.as_str().into()),
            Kind::List(_) | Kind::Map(_) => {
                self.wrong_shape(node, "a text, a number, `true`, `false` or `null`");
                return None;
            }
        })
    }

    /// A list of texts.
    pub fn texts(&mut self, node: &Node, what: &str) -> Option<Vec<Text>> {
        let Kind::List(items) = &node.kind else {
            self.wrong_shape(node, &format!("a list, {what} each"));
            return None;
        };
        items.iter().map(|item| self.text(item)).collect()
    }

    /// A mapping of texts to texts.
    pub fn pairs(&mut self, node: &Node) -> Option<Vec<(Text, Text)>> {
        let Kind::Map(entries) = &node.kind else {
            self.wrong_shape(node, "a mapping of names to names");
            return None;
        };
        let pair = |entry: &Entry| {
            let key = Text {
                value: entry.key.clone(),
                span: entry.key_span,
            };
            Some((key, self.text(&entry.value)?))
        };
        entries.iter().map(pair).collect()
    }

    /// One of several words.
    pub fn word<T: Clone>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(node)?;
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let known = || words.iter().map(|(word, _)| *word);
            let list = known().collect::<Vec<_>>().join(", ");
            let message = format!("`{}` is none of: {list}", text.value);
            let hint = nearest(&text.value, known()).map(|word| format!("did you mean `{word}`?"));
            self.push(Diagnostic::new(Code::InvalidValue, node.span, message).maybe_hint(hint));
        }
        found.map(|(_, value)| value.clone())
    }

    /// A part that serde reads; an error in it is pointed at where it stands.
    pub fn typed<T: DeserializeOwned>(&mut self, node: &Node) -> Option<T> {
        match serde_path_to_error::deserialize(node.to_value()) {
            Ok(value) => Some(value),
            Err(error) => {
                let span = at_path(node, error.path());
                let message = error.into_inner().to_string();
                self.push(Diagnostic::new(Code::InvalidValue, span, message));
                None
            }
        }
    }

    /// The fields of a mapping.
    pub fn fields<'a>(&mut self, node: &'a Node, what: &'static str) -> Option<Fields<'a>> {
        if let Kind::Map(entries) = &node.kind {
            return Some(Fields {
                entries,
                span: node.span,
                what,
                asked: Vec::new(),
            });
        }
        self.wrong_shape(node, &format!("a mapping for {what}"));
        None
    }
}

/// A mapping whose single key without a value looks like a placeholder somebody forgot to quote.
fn braces(node: &Node) -> Option<String> {
    let Kind::Map(entries) = &node.kind else {
        return None;
    };
    let [only] = entries.as_slice() else {
        return None;
    };
    (only.value.kind == Kind::Null).then(|| format!("quote it: \"{{{}}}\"", only.key))
}

fn at_path(node: &Node, path: &serde_path_to_error::Path) -> Span {
    use serde_path_to_error::Segment;
    let mut here = node;
    for segment in path {
        let next = match (segment, &here.kind) {
            (Segment::Map { key }, Kind::Map(entries))
            | (Segment::Enum { variant: key }, Kind::Map(entries)) => entries
                .iter()
                .find(|entry| entry.key == *key)
                .map(|entry| &entry.value),
            (Segment::Seq { index }, Kind::List(items)) => items.get(*index),
            _ => None,
        };
        let Some(next) = next else { break };
        here = next;
    }
    here.span
}

/// One mapping, while it is read.
#[derive(Debug)]
pub struct Fields<'a> {
    entries: &'a [Entry],
    /// Where the mapping stands.
    pub span: Span,
    what: &'static str,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The value of `key`, if it is there.
    pub fn get(&mut self, key: &'static str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The key and value of `key`, if it is there.
    pub fn entry(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.asked.push(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of `key`; its absence is a problem.
    pub fn need(&mut self, key: &'static str, problems: &mut Problems) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} needs `{key}:`", self.what);
            problems.push(Diagnostic::new(Code::MissingKey, self.place(), message));
        }
        found
    }

    /// The text under `key`, if it is there.
    pub fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<Text> {
        self.get(key).and_then(|node| problems.text(node))
    }

    /// The text under `key`: `Some(None)` where nothing is written, nothing where it is no text.
    #[expect(
        clippy::option_option,
        reason = "not written and not readable are two things: only the first one may be missed"
    )]
    pub fn maybe_text(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Option<Text>> {
        match self.get(key) {
            None => Some(None),
            Some(node) => problems.text(node).map(Some),
        }
    }

    /// `true` or `false` under `key`; `false`, without it.
    pub fn flag(&mut self, key: &'static str, problems: &mut Problems) -> bool {
        let words = [("true", true), ("false", false)];
        let node = self.get(key);
        node.and_then(|node| problems.word(node, &words))
            .unwrap_or_default()
    }

    /// The text under `key`; its absence is a problem.
    pub fn need_text(&mut self, key: &'static str, problems: &mut Problems) -> Option<Text> {
        self.need(key, problems)
            .and_then(|node| problems.text(node))
    }

    /// Where to point when something is missing: the first key.
    #[must_use]
    pub fn place(&self) -> Span {
        self.entries
            .first()
            .map_or(self.span, |entry| entry.key_span)
    }

    /// Reports every key that was not asked for.
    pub fn finish(self, problems: &mut Problems) {
        for entry in self.entries {
            if self.asked.contains(&entry.key.as_str()) {
                continue;
            }
            let known = self.asked.join(", ");
            let hint = nearest(&entry.key, self.asked.iter().copied()).map_or_else(
                || format!("known here: {known}"),
                |name| format!("did you mean `{name}`?"),
            );
            let message = format!("{} has no key `{}`", self.what, entry.key);
            problems.push(Diagnostic::new(Code::UnknownKey, entry.key_span, message).hint(hint));
        }
    }
}
