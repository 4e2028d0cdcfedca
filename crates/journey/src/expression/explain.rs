//! Why did a condition not hold? The part of it that decided, and the value it met.

use wayfare_event::Value;

use super::Expression;
use super::evaluate::evaluate;
use super::scope::Scope;
use super::syntax::{Kind, Node, Operator};

/// The part of a condition that decided, as written, and the value of the first path in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The part, as written.
    pub source: String,
    /// What stood at the first path it reads; `null` when nothing did.
    pub value: Value,
}

impl Expression {
    /// The part that decided the result: of `a && b` the side that is not true, of `a || b` the
    /// side that is, the last one when neither is.
    #[must_use]
    pub fn deciding_leaf(&self, scope: &Scope<'_>) -> Leaf {
        let leaf = deciding(&self.root, scope);
        let mut value = None;
        leaf.walk(&mut |node| {
            if value.is_none() && matches!(node.kind, Kind::Path(_) | Kind::Register(..)) {
                value = Some(evaluate(node, scope, None).into_value().into_owned());
            }
        });
        Leaf {
            source: self
                .source
                .get(leaf.span.range())
                .unwrap_or_default()
                .to_owned(),
            value: value.unwrap_or_default(),
        }
    }
}

fn deciding<'a>(node: &'a Node, scope: &Scope<'a>) -> &'a Node {
    let holds = |node: &'a Node| evaluate(node, scope, None).is_true();
    match &node.kind {
        Kind::Binary(Operator::And, pair) => {
            let [left, right] = &**pair;
            deciding(if holds(left) { right } else { left }, scope)
        }
        Kind::Binary(Operator::Or, pair) => {
            let [left, right] = &**pair;
            deciding(if holds(left) { left } else { right }, scope)
        }
        Kind::Conditional(three) => {
            let [condition, yes, no] = &**three;
            deciding(if holds(condition) { yes } else { no }, scope)
        }
        Kind::Literal(_)
        | Kind::Duration(_)
        | Kind::Path(_)
        | Kind::List(_)
        | Kind::Not(_)
        | Kind::Negate(_)
        | Kind::Binary(..)
        | Kind::Call(..)
        | Kind::Matches(..)
        | Kind::Quantified(..)
        | Kind::Register(..) => node,
    }
}
