//! How does YAML text become nodes that know where they stand? Read by serde-saphyr, which knows
//! spans and refuses duplicate keys; handed on as `serde_yaml` values where a typed part is read.
//! Not here: what the nodes mean (`parse`).

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Budget, DuplicateKeyPolicy, MergeKeyPolicy, Options, Spanned};
use wayfare_event::Number;

use crate::diagnostic::{Code, Diagnostic, Span};

/// Bytes of one YAML file.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;
/// Nodes of one YAML file.
const NODES_MAX: usize = 50_000;
/// Nesting of one YAML file.
const DEPTH_MAX: usize = 40;

/// A YAML value that knows where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Node`] is. Numbers keep their digits, mappings their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping.
    Map(Vec<Entry>),
}

/// One key of a mapping and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where it stands.
    pub key_span: Span,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// Its keys and values, when it is a mapping; else none.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => &[],
        }
    }

    /// The key and value of `key`, when it is a mapping that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// What it is, for a sentence.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// The value without spans, for reading typed parts with serde.
    #[must_use]
    pub fn to_value(&self) -> serde_yaml::Value {
        use serde_yaml::Value;
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(flag) => Value::Bool(*flag),
            Kind::Number(number) => number
                .as_i64()
                .map(Value::from)
                .or_else(|| number.to_string().parse::<f64>().ok().map(Value::from))
                .unwrap_or_default(),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => Value::Sequence(items.iter().map(Self::to_value).collect()),
            Kind::Map(entries) => Value::Mapping(
                entries
                    .iter()
                    .map(|entry| (Value::String(entry.key.clone()), entry.value.to_value()))
                    .collect(),
            ),
        }
    }
}

/// Reads one YAML document.
///
/// # Errors
///
/// The first place that cannot be read: YAML has no second one after a broken first.
pub fn read(text: &str) -> Result<Node, Box<Diagnostic>> {
    if text.len() > FILE_BYTES_MAX {
        let message = format!("the file is larger than {} KiB", FILE_BYTES_MAX / 1024);
        return Err(Box::new(
            Diagnostic::new(Code::HostileYaml, Span::default(), message)
                .hint("a journey has a few: is this the file you meant?"),
        ));
    }
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| Box::new(refusal(text, &error)))?;
    lower(text, raw)
}

fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_anchors = 0;
    budget.max_aliases = 0;
    budget.max_depth = DEPTH_MAX;
    budget.max_events = NODES_MAX * 2;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    options.merge_keys = MergeKeyPolicy::Error;
    options.strict_booleans = true;
    options.leading_zero_numbers_as_strings = true;
    options.underscored_numbers_as_strings = true;
    options.reject_unsupported_tags = true;
    options.with_snippet = false;
    options
}

fn refusal(text: &str, error: &serde_saphyr::Error) -> Diagnostic {
    let span = error.location().map_or_else(Span::default, |location| {
        let offset = location
            .span()
            .byte_offset()
            .and_then(|offset| usize::try_from(offset).ok());
        let start = offset.unwrap_or_else(|| byte_of(text, location.line(), location.column()));
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.chars().next().map_or(0, char::len_utf8);
        Span::new(start, start + length)
    });
    let full = error.without_snippet().to_string();
    let message = full
        .rsplit_once(" at line ")
        .map_or(full.as_str(), |(message, _)| message);
    let has = |words: &str| message.contains(words);
    if has("duplicate mapping key") {
        let length = text.get(span.start..).unwrap_or_default();
        let length = length.find([':', '\n']).unwrap_or(1);
        let span = Span::new(span.start, span.start + length);
        let key = text.get(span.range()).unwrap_or_default();
        return Diagnostic::new(
            Code::DuplicateKey,
            span,
            format!("`{key}` stands here twice"),
        )
        .hint("keep one of them");
    }
    if has("multiple YAML documents") {
        return Diagnostic::new(Code::HostileYaml, span, "one file holds one journey")
            .hint("move what follows `---` to a file of its own");
    }
    if has("Depth") || has("recursion") {
        let message = format!("lists and mappings nest at most {DEPTH_MAX} deep");
        return Diagnostic::new(Code::HostileYaml, span, message);
    }
    if has("Events") {
        let message = "the file has more parts than a journey needs";
        return Diagnostic::new(Code::HostileYaml, span, message);
    }
    if has("nchor") || has("alias") || has("budget") || has("merge") {
        let message = "anchors, aliases and merge keys are not read";
        return Diagnostic::new(Code::HostileYaml, span, message)
            .hint("write it out; a text that starts with `*` or `&` needs quotes");
    }
    if has("tag") {
        return Diagnostic::new(Code::HostileYaml, tag(text, span), "tags are not read")
            .hint("a condition that starts with `!` needs quotes: '!has(x)'");
    }
    if has("tab") {
        return Diagnostic::new(Code::Yaml, span, message).hint("indent with spaces");
    }
    if has("quoted scalar") || has("unclosed quote") {
        return Diagnostic::new(Code::Yaml, span, message)
            .hint("look for a quote that is not closed, here or on a line before");
    }
    if has("did not find expected") || has("not allowed") {
        return Diagnostic::new(Code::Yaml, span, message).hint(
            "look at the indentation of this line and the one before, and for a `: ` in a text \
             without quotes",
        );
    }
    if has("configured policy") {
        return Diagnostic::new(Code::Yaml, span, "this is a number too large to be one")
            .hint("put it in quotes if it is a text");
    }
    Diagnostic::new(Code::Yaml, span, message)
}

/// The tag that ends where the reader refused it, or begins there.
fn tag(text: &str, at: Span) -> Span {
    let before = text.get(..at.end).unwrap_or_default().trim_end();
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let begins = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        let begin = from + rest.split('\n').next()?.find('!')?;
        let rest = text.get(begin..).unwrap_or_default();
        let word = rest.split(char::is_whitespace).next()?;
        let word = word.trim_end_matches([',', '}', ']']);
        Some(Span::new(begin, begin + word.len()))
    };
    begins(line).unwrap_or(at)
}

/// The byte at a line and column that count from one, in characters.
fn byte_of(text: &str, line: u64, column: u64) -> usize {
    let index = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(index(line)).map(str::len).sum();
    let here = lines.next().unwrap_or_default();
    before
        + here
            .chars()
            .take(index(column))
            .map(char::len_utf8)
            .sum::<usize>()
}

/// A node as the reader hands it over.
enum Raw {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<Self>, Spanned<Self>)>),
}

fn lower(text: &str, raw: Spanned<Raw>) -> Result<Node, Box<Diagnostic>> {
    let at = raw.referenced.span();
    let offset = |bytes: Option<u64>| bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let start = offset(at.byte_offset()).unwrap_or_default();
    let mut span = Span::new(start, start + offset(at.byte_len()).unwrap_or_default());
    let kind = match raw.value {
        Raw::Null => Kind::Null,
        Raw::Bool(flag) => Kind::Bool(flag),
        Raw::Number(read) => {
            let written = text.get(span.range()).unwrap_or_default();
            let number = Number::parse(written).or_else(|| Number::parse(&read));
            number.map_or_else(|| Kind::Text(written.to_owned()), Kind::Number)
        }
        Raw::Text(text) => Kind::Text(text),
        Raw::List(items) => {
            let items = items.into_iter().map(|item| lower(text, item));
            let items = items.collect::<Result<Vec<_>, _>>()?;
            let end = items
                .last()
                .map_or(span.end, |item| item.span.end.max(span.end));
            span.end = closed(text, span.start, end);
            Kind::List(items)
        }
        Raw::Map(entries) => {
            let entries = entries
                .into_iter()
                .map(|(key, value)| entry(text, key, value));
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let end = entries
                .last()
                .map_or(span.end, |last| last.value.span.end.max(span.end));
            span.end = closed(text, span.start, end);
            Kind::Map(entries)
        }
    };
    Ok(Node { span, kind })
}

/// The end of a list or mapping whose last part ends at `end`: in flow style the bracket counts.
fn closed(text: &str, start: usize, end: usize) -> usize {
    let close = match text.as_bytes().get(start) {
        Some(b'{') => '}',
        Some(b'[') => ']',
        _ => return end,
    };
    let rest = text.get(end..).unwrap_or_default();
    let inner = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    if inner.starts_with(close) {
        end + (rest.len() - inner.len()) + 1
    } else {
        end
    }
}

fn entry(text: &str, key: Spanned<Raw>, value: Spanned<Raw>) -> Result<Entry, Box<Diagnostic>> {
    let key = lower(text, key)?;
    let name = match key.kind {
        Kind::Text(name) => name,
        Kind::Number(number) => number.to_string(),
        Kind::Bool(flag) => flag.to_string(),
        Kind::Null | Kind::List(_) | Kind::Map(_) => {
            let problem = Diagnostic::new(Code::WrongShape, key.span, "a key is text")
                .hint("a placeholder such as {email} needs quotes: \"{email}\"");
            return Err(Box::new(problem));
        }
    };
    Ok(Entry {
        key: name,
        key_span: key.span,
        value: lower(text, value)?,
    })
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Raw, E> {
        Ok(Raw::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (Code, String) {
        let diagnostic = read(text).unwrap_err();
        (
            diagnostic.code,
            text.get(diagnostic.span.range()).unwrap_or("").to_owned(),
        )
    }

    #[test]
    fn every_scalar_knows_its_bytes() {
        let text = "a: 1.10\nb: \"{x}\" # why\nc: [no, 010, 99999999999999999999998]\n";
        let Kind::Map(entries) = read(text).unwrap().kind else {
            panic!("a mapping")
        };
        let spans: Vec<&str> = entries
            .iter()
            .map(|entry| text.get(entry.value.span.range()).unwrap())
            .collect();
        assert_eq!(spans[..2], ["1.10", "\"{x}\""]);
        assert_eq!(
            entries[0].value.kind,
            Kind::Number(Number::parse("1.10").unwrap())
        );
        let Kind::List(items) = &entries[2].value.kind else {
            panic!("a list")
        };
        assert_eq!(items[0].kind, Kind::Text("no".to_owned()));
        assert_eq!(items[1].kind, Kind::Text("010".to_owned()));
        assert_eq!(
            items[2].kind,
            Kind::Number(Number::parse("99999999999999999999998").unwrap())
        );
    }

    #[test]
    fn ambiguous_and_hostile_yaml_is_refused_where_it_stands() {
        let check = |text: &str, code: Code, underlined: &str| {
            assert_eq!(refused(text), (code, underlined.to_owned()), "{text}");
        };
        check("a: 1\nb: 2\na: 3\n", Code::DuplicateKey, "a");
        check("a: 1\n---\nb: 2\n", Code::HostileYaml, "b");
        check("a:\n\tb: 1\n", Code::Yaml, "b");
        check("a: \"open\n", Code::Yaml, "\"");
        check("a: !has(x)\n", Code::HostileYaml, "!has(x)");
        check("a: { b: !has(x), c: d }\n", Code::HostileYaml, "!has(x)");
        for text in ["a: &x 1\n", "a: *x\n", "<<: {a: 1}\n", "a: !has(x)\n"] {
            assert_eq!(refused(text).0, Code::HostileYaml, "{text}");
        }
        assert_eq!(refused("? [a]\n: b\n").0, Code::WrongShape);
    }

    #[test]
    fn broken_yaml_says_where_to_look() {
        let check = |text: &str, words: &str| {
            let hint = read(text).unwrap_err().hint.unwrap_or_default();
            assert!(hint.contains(words), "{text}: {hint}");
        };
        check("a: \"b\nc: d != \"e\"\n", "quote that is not closed");
        check("a: \"open\n", "quote that is not closed");
        check("a:\n  b: 1\n c: 2\n", "indentation");
        check("a: b: c\n", "indentation");
        check("a:\n\tb: 1\n", "spaces");
        check("a: 1e999999\n", "quotes");
    }

    #[test]
    fn size_and_depth_have_limits() {
        let deep = format!("a: {}1{}\n", "[".repeat(100), "]".repeat(100));
        assert_eq!(refused(&deep).0, Code::HostileYaml);
        let wide = format!("a: [{}]\n", "1,".repeat(NODES_MAX * 2));
        assert_eq!(refused(&wide).0, Code::HostileYaml);
        assert_eq!(
            refused(&"x".repeat(FILE_BYTES_MAX + 1)).0,
            Code::HostileYaml
        );
    }
}
