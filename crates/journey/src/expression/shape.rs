//! Can a comparison hold at all? Nothing is converted, so that two types are never equal and never in
//! an order. Not here: what a path is declared to be.

use wayfare_event::Value;

use super::Expression;
use super::syntax::{Function, Kind, Node, Operator, Path, Register, Root};
use crate::diagnostic::{Span, nearest};
use crate::types::ValueType;

/// What a choice for a category can be.
const CHOICES: [&str; 3] = ["accept", "decline", "unknown"];

/// What is known of a value before there is one. Any path may hold `null`, which is not a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Bool,
    List,
    Map,
    Instant,
    Duration,
}

impl Shape {
    const fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::List => "a list",
            Self::Map => "an object",
            Self::Instant => "a time",
            Self::Duration => "a duration",
        }
    }

    const fn of(declared: ValueType) -> Self {
        match declared {
            // A declared time is RFC 3339 text until `timestamp` reads it.
            ValueType::Text | ValueType::Time => Self::Text,
            ValueType::Number => Self::Number,
            ValueType::Boolean => Self::Bool,
            ValueType::List => Self::List,
            ValueType::Object => Self::Map,
        }
    }
}

/// A comparison whose result is known before anything happens.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Impossible {
    /// Where it stands, in bytes of the expression.
    pub(crate) span: Span,
    /// Why.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl Expression {
    /// Every comparison in it that can only come out one way. `declared` says what a trait or a
    /// property is declared to be.
    pub(crate) fn impossible(
        &self,
        declared: &dyn Fn(&Path) -> Option<ValueType>,
    ) -> Vec<Impossible> {
        let mut found = Vec::new();
        self.root.walk(&mut |node| {
            if let Kind::Binary(operator, pair) = &node.kind {
                let [left, right] = &**pair;
                let judge = Judge {
                    source: &self.source,
                    declared,
                };
                found.extend(judge.compared(*operator, left, right, node.span));
            }
        });
        found
    }
}

struct Judge<'a> {
    source: &'a str,
    declared: &'a dyn Fn(&Path) -> Option<ValueType>,
}

impl Judge<'_> {
    fn compared(
        &self,
        operator: Operator,
        left: &Node,
        right: &Node,
        span: Span,
    ) -> Option<Impossible> {
        match operator {
            Operator::Equal | Operator::NotEqual => no_choice(left, right)
                .or_else(|| no_choice(right, left))
                .or_else(|| self.differ(left, right, span)),
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
                self.differ(left, right, span)
            }
            Operator::In => self.in_nothing(left, right, span),
            Operator::Or
            | Operator::And
            | Operator::Default
            | Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => None,
        }
    }

    fn in_nothing(&self, item: &Node, whole: &Node, span: Span) -> Option<Impossible> {
        if let Kind::List(items) = &whole.kind {
            let mut differ = items.iter().map(|held| self.differ(item, held, span));
            let first = differ.next()??;
            return differ.all(|it| it.is_some()).then_some(first);
        }
        if let Kind::Literal(Value::List(values)) = &whole.kind {
            return self.in_no_value(item, values, span);
        }
        let shape = self.shape(whole)?;
        let holds_items = matches!(shape, Shape::List | Shape::Map);
        (!holds_items).then(|| Impossible {
            span,
            message: format!("nothing is in {}", shape.words()),
            hint: Some("`in` takes a list, or an object's keys".to_owned()),
        })
    }

    /// The same for a list of constants.
    fn in_no_value(&self, item: &Node, values: &[Value], span: Span) -> Option<Impossible> {
        let shape = self.shape(item)?;
        let first = values.first()?;
        let differs = |value: &Value| literal(value).is_some_and(|other| other != shape);
        values.iter().all(differs).then(|| Impossible {
            span,
            message: format!(
                "`{}` is {} and `{first}` is {}, which never compare",
                self.source.get(item.span.range()).unwrap_or_default(),
                shape.words(),
                literal(first).map_or("something else", Shape::words)
            ),
            hint: None,
        })
    }

    fn differ(&self, left: &Node, right: &Node, span: Span) -> Option<Impossible> {
        let shapes = (self.shape(left)?, self.shape(right)?);
        if shapes.0 == shapes.1 {
            return None;
        }
        let written = |node: &Node| self.source.get(node.span.range()).unwrap_or_default();
        let hint = match shapes {
            (Shape::Text, Shape::Instant) => Some(format!("write `timestamp({})`", written(left))),
            (Shape::Instant, Shape::Text) => Some(format!("write `timestamp({})`", written(right))),
            (Shape::Text, Shape::Number) => unquoted(left),
            (Shape::Number, Shape::Text) => unquoted(right),
            _ => None,
        };
        Some(Impossible {
            span,
            message: format!(
                "`{}` is {} and `{}` is {}, which never compare",
                written(left),
                shapes.0.words(),
                written(right),
                shapes.1.words()
            ),
            hint,
        })
    }

    /// What a node's value is unless it is `null`; nothing where that is open.
    fn shape(&self, node: &Node) -> Option<Shape> {
        match &node.kind {
            Kind::Literal(value) => literal(value),
            Kind::Duration(_) => Some(Shape::Duration),
            Kind::Time(_) => Some(Shape::Instant),
            Kind::Path(path) => self.at(path),
            Kind::List(_) => Some(Shape::List),
            Kind::Not(_) | Kind::Matches(..) | Kind::Quantified(..) => Some(Shape::Bool),
            Kind::Negate(_) => None,
            Kind::Binary(operator, pair) => {
                let [left, right] = &**pair;
                self.computed(*operator, left, right)
            }
            Kind::Conditional(three) => {
                let [_, yes, no] = &**three;
                self.shape(yes).filter(|yes| self.shape(no) == Some(*yes))
            }
            Kind::Call(function, _) => Some(match function {
                Function::Size => Shape::Number,
                Function::Contains | Function::StartsWith | Function::EndsWith | Function::Has => {
                    Shape::Bool
                }
                Function::Lower | Function::Upper => Shape::Text,
                Function::Duration => Shape::Duration,
                Function::Timestamp => Shape::Instant,
            }),
            Kind::MayAsk(_) => Some(Shape::Bool),
            Kind::Register(Register::Count, _) => Some(Shape::Number),
            Kind::Register(Register::First | Register::Last, _) => Some(Shape::Instant),
        }
    }

    fn computed(&self, operator: Operator, left: &Node, right: &Node) -> Option<Shape> {
        match operator {
            Operator::Or
            | Operator::And
            | Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessEqual
            | Operator::Greater
            | Operator::GreaterEqual
            | Operator::In => Some(Shape::Bool),
            Operator::Default => self
                .shape(left)
                .filter(|left| self.shape(right) == Some(*left)),
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => {
                let number = Some(Shape::Number);
                number.filter(|_| self.shape(left) == number && self.shape(right) == number)
            }
        }
    }

    fn at(&self, path: &Path) -> Option<Shape> {
        let field = match path.keys.as_slice() {
            [super::Key::Name(field)] => &**field,
            [] | [_] | [_, _, ..] => "",
        };
        match (&path.root, field) {
            (Root::Now, _) if path.keys.is_empty() => Some(Shape::Instant),
            (Root::Entry, "at") | (Root::Event | Root::Trigger | Root::Named(_), "timestamp") => {
                Some(Shape::Instant)
            }
            (Root::Event | Root::Trigger | Root::Named(_), "name" | "type" | "messageId")
            | (Root::Profile, "profileId")
            | (Root::Account, "accountId")
            | (Root::Journey, "id" | "title" | "version")
            | (Root::Change, "category" | "action" | "address") => Some(Shape::Text),
            (Root::Consent, _) if path.keys.len() == 1 => Some(Shape::Text),
            _ => (self.declared)(path).map(Shape::of),
        }
    }
}

const fn literal(value: &Value) -> Option<Shape> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(Shape::Bool),
        Value::Number(_) => Some(Shape::Number),
        Value::Text(_) => Some(Shape::Text),
        Value::List(_) => Some(Shape::List),
        Value::Map(_) => Some(Shape::Map),
    }
}

/// The number somebody put into quotes.
fn unquoted(node: &Node) -> Option<String> {
    let Kind::Literal(Value::Text(text)) = &node.kind else {
        return None;
    };
    wayfare_event::Number::parse(text).map(|_| format!("write {text} without quotes"))
}

/// A choice for a category that is compared with a text no choice ever is.
fn no_choice(choice: &Node, with: &Node) -> Option<Impossible> {
    let (Kind::Path(path), Kind::Literal(Value::Text(text))) = (&choice.kind, &with.kind) else {
        return None;
    };
    let is_choice = match (&path.root, path.keys.as_slice()) {
        (Root::Consent, [_]) => true,
        (Root::Change, [super::Key::Name(field)]) => &**field == "action",
        _ => false,
    };
    if !is_choice || CHOICES.contains(&&**text) {
        return None;
    }
    let hint = nearest(text, CHOICES).map_or_else(
        || "a choice is \"accept\", \"decline\" or \"unknown\"".to_owned(),
        |near| format!("did you mean \"{near}\"?"),
    );
    Some(Impossible {
        span: with.span,
        message: format!("no choice is ever `{text}`"),
        hint: Some(hint),
    })
}
