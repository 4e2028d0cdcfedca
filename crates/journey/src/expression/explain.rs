//! Why did a condition hold, or not? Its parts, as they were judged: what each said, what it read,
//! what came of it. Only for whoever asks: judging (`evaluate`) notes nothing.

use wayfare_event::Value;

use super::Expression;
use super::evaluate::evaluate;
use super::scope::{Datum, Scope};
use super::syntax::{Kind, Node, Operator, Path, Root};

/// A part of a condition that is judged as a whole: what stands between `&&`, `||`, `!` and `?:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The part, as written.
    pub source: String,
    /// What stood at the first path it reads; `null` when nothing did.
    pub value: Value,
    /// Everything it reads, in the order it is written: each path, and what stood there. A part that
    /// is not needed, such as the right side of `??`, is not read.
    pub reads: Vec<(String, Value)>,
    /// What came of it.
    pub result: Value,
}

impl Expression {
    /// The part that decided the result: of `a && b` the side that is not true, of `a || b` the
    /// side that is, the last one when neither is.
    #[must_use]
    pub fn deciding_leaf(&self, scope: &Scope<'_>) -> Leaf {
        let mut judged = Vec::new();
        let _holds = judge(&self.root, scope, &mut judged);
        // Judging stops where the result is decided.
        self.leaf(judged.last().copied().unwrap_or(&self.root), scope)
    }

    /// Every part that was judged, in the order they were; those that were not needed are left out.
    #[must_use]
    pub fn leaves(&self, scope: &Scope<'_>) -> Vec<Leaf> {
        let mut judged = Vec::new();
        let _holds = judge(&self.root, scope, &mut judged);
        let leaves = judged.into_iter().map(|node| self.leaf(node, scope));
        leaves.collect()
    }

    /// What it reads of events, changes and deliveries that is not there, as written.
    #[must_use]
    pub fn absent(&self, scope: &Scope<'_>) -> Vec<String> {
        let mut absent = Vec::new();
        self.root.walk(&mut |node| {
            if let Kind::Path(path) = &node.kind
                && is_told(&path.root)
                && scope.lookup(path, None).is_none()
            {
                absent.push(self.text(node));
            }
        });
        absent
    }

    fn leaf(&self, node: &Node, scope: &Scope<'_>) -> Leaf {
        let owned = |datum: Datum<'_>| datum.into_value().into_owned();
        let mut paths = Vec::new();
        read(node, scope, &mut paths);
        let reads: Vec<_> = paths
            .into_iter()
            .map(|path| (self.text(path), owned(evaluate(path, scope, None))))
            .collect();
        Leaf {
            source: self.text(node),
            value: reads
                .first()
                .map(|(_, value)| value.clone())
                .unwrap_or_default(),
            reads,
            result: owned(evaluate(node, scope, None)),
        }
    }

    fn text(&self, node: &Node) -> String {
        let text = self.source.get(node.span.range());
        text.unwrap_or_default().to_owned()
    }
}

/// Whether a path starts at what once happened, not at what is known of somebody.
const fn is_told(root: &Root) -> bool {
    match root {
        Root::Event | Root::Trigger | Root::Change | Root::Delivery | Root::Named(_) => true,
        Root::Profile
        | Root::Account
        | Root::Consent
        | Root::Journey
        | Root::Entry
        | Root::Now
        | Root::Local(_) => false,
    }
}

/// Whether a node holds, and the leaves that say so.
fn judge<'a>(node: &'a Node, scope: &Scope<'a>, leaves: &mut Vec<&'a Node>) -> bool {
    match &node.kind {
        Kind::Binary(Operator::And, pair) => {
            let [left, right] = &**pair;
            judge(left, scope, leaves) && judge(right, scope, leaves)
        }
        Kind::Binary(Operator::Or, pair) => {
            let [left, right] = &**pair;
            judge(left, scope, leaves) || judge(right, scope, leaves)
        }
        Kind::Not(inner) if is_logic(inner) => !judge(inner, scope, leaves),
        Kind::Conditional(three) => {
            let [condition, yes, no] = &**three;
            let chosen = if judge(condition, scope, leaves) {
                yes
            } else {
                no
            };
            judge(chosen, scope, leaves)
        }
        Kind::Literal(_)
        | Kind::Duration(_)
        | Kind::Time(_)
        | Kind::Path(_)
        | Kind::List(_)
        | Kind::Not(_)
        | Kind::Negate(_)
        | Kind::Binary(..)
        | Kind::Call(..)
        | Kind::Matches(..)
        | Kind::Quantified(..)
        | Kind::Register(..)
        | Kind::MayAsk(_) => {
            leaves.push(node);
            evaluate(node, scope, None).is_true()
        }
    }
}

/// Whether a node is judged by its parts.
fn is_logic(node: &Node) -> bool {
    match &node.kind {
        Kind::Binary(operator, _) => matches!(operator, Operator::And | Operator::Or),
        Kind::Not(inner) => is_logic(inner),
        Kind::Conditional(_) => true,
        Kind::Literal(_)
        | Kind::Duration(_)
        | Kind::Time(_)
        | Kind::Path(_)
        | Kind::List(_)
        | Kind::Negate(_)
        | Kind::Call(..)
        | Kind::Matches(..)
        | Kind::Quantified(..)
        | Kind::Register(..)
        | Kind::MayAsk(_) => false,
    }
}

/// Whether a node is a path, a register or `may_ask`; the variable of `exists` or `all` is none.
fn is_read(node: &Node) -> bool {
    let is_local = |path: &Path| matches!(path.root, Root::Local(_));
    matches!(&node.kind, Kind::Path(path) if !is_local(path))
        || matches!(node.kind, Kind::Register(..) | Kind::MayAsk(_))
}

/// What evaluating a leaf reads. What the condition of `exists` or `all`
/// may read counts as read.
fn read<'a>(node: &'a Node, scope: &Scope<'a>, found: &mut Vec<&'a Node>) {
    if is_read(node) {
        found.push(node);
    }
    let value = |node: &'a Node| evaluate(node, scope, None);
    match &node.kind {
        Kind::Binary(operator, pair) => {
            let [left, right] = &**pair;
            read(left, scope, found);
            let is_needed = match operator {
                Operator::And => value(left).is_true(),
                Operator::Or => !value(left).is_true(),
                Operator::Default => value(left).is_null(),
                Operator::Equal
                | Operator::NotEqual
                | Operator::Less
                | Operator::LessEqual
                | Operator::Greater
                | Operator::GreaterEqual
                | Operator::In
                | Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Remainder => true,
            };
            if is_needed {
                read(right, scope, found);
            }
        }
        Kind::Conditional(three) => {
            let [condition, yes, no] = &**three;
            read(condition, scope, found);
            let chosen = if value(condition).is_true() { yes } else { no };
            read(chosen, scope, found);
        }
        Kind::Quantified(_, pair) => {
            let [list, condition] = &**pair;
            read(list, scope, found);
            condition.walk(&mut |node| {
                if is_read(node) {
                    found.push(node);
                }
            });
        }
        Kind::Literal(_)
        | Kind::Duration(_)
        | Kind::Time(_)
        | Kind::Path(_)
        | Kind::Register(..)
        | Kind::MayAsk(_)
        | Kind::List(_)
        | Kind::Not(_)
        | Kind::Negate(_)
        | Kind::Call(..)
        | Kind::Matches(..) => {
            for child in node.children() {
                read(child, scope, found);
            }
        }
    }
}
