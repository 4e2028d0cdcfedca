//! What does a request say? Templates are read once and rendered from what is known at the
//! decision; bodies are built as trees, never as text. Not here: the URL (`url`).

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use wayfare_event::{Map, Number, Value};

use crate::definition::{Method, Secret};
use crate::expression::{Expression, Scope};
use crate::graph::Webhook;

/// A text with placeholders.
#[derive(Clone, Debug)]
pub struct Template(pub(crate) Vec<Part>);

/// One piece of a [`Template`].
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Text that stands for itself.
    Literal(String),
    /// A placeholder.
    Placeholder(Expression),
}

impl Part {
    /// The expression of a placeholder.
    pub(crate) const fn expression(&self) -> Option<&Expression> {
        match self {
            Self::Literal(_) => None,
            Self::Placeholder(expression) => Some(expression),
        }
    }
}

/// A body with placeholders, in the author's order.
#[derive(Clone, Debug)]
pub enum Payload {
    /// A value without placeholders.
    Constant(Value),
    /// A text that is nothing but one placeholder: it keeps the value's type.
    Whole(Expression),
    /// A longer text with placeholders.
    Text(Template),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Map(Vec<(Arc<str>, Self)>),
}

/// A rendered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The method.
    pub method: Method,
    /// Where the origin comes from, when the URL has none.
    pub base: Option<Secret>,
    /// The URL, or its path and query behind `base`.
    pub url: String,
    /// The author's headers, in order.
    pub headers: Vec<(Arc<str>, String)>,
    /// The body.
    pub body: Option<Value>,
}

/// A value that a request needs is not there, or cannot stand where it is needed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{{{expression}}}` in {place} is {found}")]
pub struct RenderError {
    /// Where it is needed.
    pub place: String,
    /// The placeholder, as written.
    pub expression: String,
    /// What was found.
    pub found: Unfit,
}

/// What cannot stand in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unfit {
    /// Nothing stands there.
    Absent,
    /// `null`.
    Null,
    /// An empty text; in a header also one of nothing but blanks.
    Empty,
    /// A list or an object inside a text.
    Composite,
    /// `.` or `..` as a segment of a path.
    Dots,
    /// A control character in a header or in the path of a URL.
    Control,
    /// A character outside ASCII in a header.
    NotAscii,
    /// The body, the URL, a value in its path or a header is larger than may be sent.
    TooLarge,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "absent",
            Self::Null => "null",
            Self::Empty => "empty",
            Self::Composite => "a list or an object, which has no place inside a text",
            Self::Dots => "`.` or `..`, which would lead to another path",
            Self::Control => "a text with control characters",
            Self::NotAscii => "a text with characters outside ASCII",
            Self::TooLarge => "larger than may be sent",
        })
    }
}

/// Bytes of a rendered body (SP 10).
const BODY_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a rendered header's value.
pub(crate) const HEADER_BYTES_MAX: usize = 4 * 1024;

impl Webhook {
    /// The request, from what is known now.
    ///
    /// # Errors
    ///
    /// The first value that is needed and missing, or that cannot stand where it is needed.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Rendered, RenderError> {
        let url = self.url.render(scope)?;
        let headers = self.headers.iter().map(|(name, template)| {
            let place = || format!("header `{name}`");
            Ok((name.clone(), template.header(scope, &place)?))
        });
        let headers = headers.collect::<Result<_, RenderError>>()?;
        let body = self
            .payload
            .as_ref()
            .map(|payload| payload.render(scope, "payload"))
            .transpose()?
            .map(Option::unwrap_or_default);
        let too_large = body
            .as_ref()
            .is_some_and(|body| body.to_string().len() > BODY_BYTES_MAX);
        if too_large {
            return Err(RenderError {
                place: "the request".to_owned(),
                expression: "payload".to_owned(),
                found: Unfit::TooLarge,
            });
        }
        Ok(Rendered {
            method: self.method,
            base: self.url.base.clone(),
            url,
            headers,
            body,
        })
    }
}

impl Payload {
    /// The expressions in it, in the author's order.
    pub(crate) fn expressions<'a>(&'a self, found: &mut Vec<&'a Expression>) {
        match self {
            Self::Constant(_) => {}
            Self::Whole(expression) => found.push(expression),
            Self::Text(text) => found.extend(text.expressions()),
            Self::List(items) => items.iter().for_each(|item| item.expressions(found)),
            Self::Map(entries) => entries.iter().for_each(|(_, it)| it.expressions(found)),
        }
    }
}

impl Template {
    /// The expressions in it.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.0.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Placeholder(expression) => Some(expression),
        })
    }

    /// Inside a text: what is missing fails, an empty text is empty.
    fn text(&self, scope: &Scope<'_>, place: &dyn Fn() -> String) -> Result<String, RenderError> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Placeholder(expression) => {
                    text.push_str(&value_text(expression, scope, place)?);
                }
            }
        }
        Ok(text)
    }

    fn header(&self, scope: &Scope<'_>, place: &dyn Fn() -> String) -> Result<String, RenderError> {
        for part in &self.0 {
            let Part::Placeholder(expression) = part else {
                continue;
            };
            let text = value_text(expression, scope, place)?;
            let unfit = if text.chars().any(char::is_control) {
                Unfit::Control
            } else if text.trim().is_empty() {
                Unfit::Empty
            } else if !text.is_ascii() {
                Unfit::NotAscii
            } else {
                continue;
            };
            return Err(error(expression, place, unfit));
        }
        let text = self.text(scope, place)?;
        match self.0.iter().rev().find_map(Part::expression) {
            Some(expression) if text.len() > HEADER_BYTES_MAX => {
                Err(error(expression, place, Unfit::TooLarge))
            }
            Some(_) | None => Ok(text),
        }
    }
}

/// The text of a placeholder's value.
pub(crate) fn value_text(
    expression: &Expression,
    scope: &Scope<'_>,
    place: &dyn Fn() -> String,
) -> Result<String, RenderError> {
    let found = match expression.present(scope).as_deref() {
        None => Unfit::Absent,
        Some(Value::Null) => Unfit::Null,
        Some(Value::List(_) | Value::Map(_)) => Unfit::Composite,
        Some(Value::Text(text)) => return Ok(text.to_string()),
        Some(value @ (Value::Bool(_) | Value::Number(_))) => return Ok(value.to_string()),
    };
    Err(error(expression, place, found))
}

pub(crate) fn error(
    expression: &Expression,
    place: &dyn Fn() -> String,
    found: Unfit,
) -> RenderError {
    RenderError {
        place: place(),
        expression: expression.source().to_owned(),
        found,
    }
}

impl Payload {
    /// The value it stands for in a trait called `name`; nothing when it is a bare path and nothing
    /// stands there.
    ///
    /// # Errors
    ///
    /// When a longer text needs a value that is not there.
    pub fn value(&self, scope: &Scope<'_>, name: &str) -> Result<Option<Value>, RenderError> {
        self.render(scope, name)
    }

    /// The value; nothing when it is a bare path and nothing stands there.
    fn render(&self, scope: &Scope<'_>, place: &str) -> Result<Option<Value>, RenderError> {
        Ok(match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Whole(expression) => expression.present(scope).map(Cow::into_owned),
            Self::Text(template) => {
                let text = template.text(scope, &|| format!("`{place}`"))?;
                Some(Value::Text(text.into()))
            }
            Self::List(items) => {
                let items = items.iter().map(|item| item.render(scope, place));
                let items = items.map(|item| item.map(Option::unwrap_or_default));
                Some(Value::List(items.collect::<Result<_, _>>()?))
            }
            Self::Map(entries) => {
                let mut map = Map::new();
                for (key, inner) in entries {
                    let place = format!("{place}.{key}");
                    if let Some(value) = inner.render(scope, &place)? {
                        map.insert(key, value);
                    }
                }
                Some(map.into())
            }
        })
    }

    /// A number, with its digits.
    pub(crate) fn number(number: &Number) -> Self {
        Self::Constant(Value::Number(number.clone()))
    }
}
