//! What does a condition or a placeholder compute? One small language in CEL's spelling, read once
//! and then evaluated many times. Not here: where its values come from.
//!
//! Every expression has a value: an absent path is `null`, a comparison of different types is
//! false, arithmetic that cannot be done is `null`. Numbers compare exactly.

mod arithmetic;
mod evaluate;
mod explain;
mod functions;
mod lex;
mod names;
mod parse;
mod scope;
mod shape;
mod syntax;

use std::borrow::Cow;

use wayfare_event::{Timestamp, Value};

use crate::diagnostic::{Code, Span};
pub(crate) use evaluate::same;
pub use explain::Leaf;
pub(crate) use names::ROOTS;
pub use names::{Changes, Names};
pub use scope::{Scope, Seen};
pub use syntax::{Key, Path, Register, Root};
use syntax::{Kind, Node};

/// Bytes of one expression.
pub const SOURCE_BYTES_MAX: usize = 4 * 1024;
/// Nesting of one expression, and operators in a row.
pub const DEPTH_MAX: usize = 64;

/// An expression, read and resolved.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    root: Node,
}

/// Why a text is no expression, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// Where, in bytes of the expression.
    pub span: Span,
    /// [`Code::Expression`] or [`Code::UnknownName`].
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl ExpressionError {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            span,
            code: Code::Expression,
            message: message.into(),
            hint: None,
        }
    }

    fn unknown(span: Span, message: impl Into<String>) -> Self {
        Self {
            code: Code::UnknownName,
            ..Self::new(span, message)
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Expression {
    /// Reads an expression that stands where `names` exist.
    ///
    /// # Errors
    ///
    /// The first thing that cannot be read, or that is named and does not exist.
    ///
    /// ```
    /// use wayfare_journey::expression::{Expression, Names};
    /// let names = Names { event: true, ..Names::default() };
    /// assert!(Expression::parse("properties.total > 100", &names).is_ok());
    /// let error = Expression::parse("propertis.total > 100", &names).unwrap_err();
    /// assert_eq!(error.hint.as_deref(), Some("did you mean `properties`?"));
    /// ```
    pub fn parse(source: &str, names: &Names) -> Result<Self, ExpressionError> {
        if source.len() > SOURCE_BYTES_MAX {
            let message = format!(
                "the expression has {} bytes, at most {SOURCE_BYTES_MAX} are read",
                source.len()
            );
            return Err(ExpressionError::new(Span::new(0, source.len()), message));
        }
        Ok(Self {
            source: source.to_owned(),
            root: parse::parse(source, names)?,
        })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it holds: whether its value is `true`.
    #[must_use]
    pub fn holds(&self, scope: &Scope<'_>) -> bool {
        evaluate::holds(&self.root, scope, None)
    }

    /// Its value.
    #[must_use]
    pub fn value<'a>(&'a self, scope: &Scope<'a>) -> Cow<'a, Value> {
        evaluate::evaluate(&self.root, scope, None).into_value()
    }

    /// The instant its text names: RFC 3339, or a date alone, which is its first instant in UTC.
    #[must_use]
    pub fn instant(&self, scope: &Scope<'_>) -> Option<Timestamp> {
        self.value(scope).as_text()?.parse().ok()
    }

    /// Its value; nothing when it is a bare path and nothing stands there.
    #[must_use]
    pub fn present<'a>(&'a self, scope: &Scope<'a>) -> Option<Cow<'a, Value>> {
        match self.as_path() {
            Some(path) => scope.lookup(path, None).map(scope::Datum::into_value),
            None => Some(self.value(scope)),
        }
    }

    /// Whether it is the constant `true`.
    #[must_use]
    pub fn always_holds(&self) -> bool {
        matches!(self.root.kind, Kind::Literal(Value::Bool(true)))
    }

    /// The path it is, when it is nothing else.
    #[must_use]
    pub const fn as_path(&self) -> Option<&Path> {
        if let Kind::Path(path) = &self.root.kind {
            Some(path)
        } else {
            None
        }
    }

    /// Every path it reads; variables of `exists` and `all` are left out.
    #[must_use]
    pub fn paths(&self) -> Vec<&Path> {
        let mut found = Vec::new();
        self.root.walk(&mut |node| {
            if let Kind::Path(path) = &node.kind
                && !matches!(path.root, Root::Local(_))
            {
                found.push(path);
            }
        });
        found
    }

    /// Every path it reads and where, in bytes of the expression.
    pub(crate) fn places(&self) -> Vec<(&Path, Span)> {
        let mut found = Vec::new();
        self.root.walk(&mut |node| {
            if let Kind::Path(path) = &node.kind {
                found.push((path, node.span));
            }
        });
        found
    }

    /// The events whose registers it reads.
    #[must_use]
    pub fn registers(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.root.walk(&mut |node| {
            if let Kind::Register(_, event) = &node.kind {
                found.push(&**event);
            }
        });
        found
    }
}

#[cfg(test)]
mod tests;
