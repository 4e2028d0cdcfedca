//! What does an expression evaluate to? Always to a value: what cannot be computed is `null`, what
//! cannot be compared is false.

use std::borrow::Cow;
use std::cmp::Ordering;

use wayfare_event::Value;

use super::arithmetic;
use super::scope::{Datum, Locals, Scope};
use super::syntax::{Function, Kind, Node, Operator, Quantifier};

/// The value of a node.
pub(super) fn evaluate<'a>(
    node: &'a Node,
    scope: &Scope<'a>,
    locals: Option<&'a Locals<'a>>,
) -> Datum<'a> {
    let value = |node: &'a Node| evaluate(node, scope, locals);
    match &node.kind {
        Kind::Literal(value) => Datum::Value(Cow::Borrowed(value)),
        Kind::Duration(micros) => Datum::Duration(*micros),
        Kind::Time(at) => Datum::Time(*at),
        Kind::Path(path) => scope.lookup(path, locals).unwrap_or(Datum::NULL),
        Kind::List(items) => {
            let items = items
                .iter()
                .map(|item| value(item).into_value().into_owned());
            Datum::Value(Cow::Owned(Value::List(items.collect())))
        }
        Kind::Negate(inner) => arithmetic::negate(&value(inner)),
        Kind::Binary(operator, pair) => {
            let [left, right] = &**pair;
            match operator {
                Operator::Default => Some(value(left))
                    .filter(|left| !left.is_null())
                    .unwrap_or_else(|| value(right)),
                Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Remainder => {
                    arithmetic::compute(*operator, &value(left), &value(right))
                }
                Operator::Or
                | Operator::And
                | Operator::Equal
                | Operator::NotEqual
                | Operator::Less
                | Operator::LessEqual
                | Operator::Greater
                | Operator::GreaterEqual
                | Operator::In => Datum::own(holds(node, scope, locals)),
            }
        }
        Kind::Conditional(three) => {
            let [condition, yes, no] = &**three;
            let chosen = if holds(condition, scope, locals) {
                yes
            } else {
                no
            };
            value(chosen)
        }
        Kind::Call(function, arguments) => call(*function, arguments, scope, locals),
        Kind::Not(_) | Kind::Matches(..) | Kind::Quantified(..) | Kind::MayAsk(_) => {
            Datum::own(holds(node, scope, locals))
        }
        Kind::Register(register, event) => scope.register(*register, event),
    }
}

/// Whether the value of a node is `true`. What can only be true or false is judged here, without
/// making a value of it.
pub(super) fn holds<'a>(node: &'a Node, scope: &Scope<'a>, locals: Option<&'a Locals<'a>>) -> bool {
    let value = |node: &'a Node| evaluate(node, scope, locals);
    let holds = |node: &'a Node| holds(node, scope, locals);
    match &node.kind {
        Kind::Not(inner) => !holds(inner),
        Kind::Binary(operator, pair) => {
            let [left, right] = &**pair;
            match operator {
                Operator::Or => holds(left) || holds(right),
                Operator::And => holds(left) && holds(right),
                Operator::Equal => are_equal(left, right, scope, locals),
                Operator::NotEqual => !are_equal(left, right, scope, locals),
                Operator::Less => order(left, right, scope, locals).is_some_and(Ordering::is_lt),
                Operator::LessEqual => {
                    order(left, right, scope, locals).is_some_and(Ordering::is_le)
                }
                Operator::Greater => order(left, right, scope, locals).is_some_and(Ordering::is_gt),
                Operator::GreaterEqual => {
                    order(left, right, scope, locals).is_some_and(Ordering::is_ge)
                }
                Operator::In => {
                    let Kind::List(items) = &right.kind else {
                        return is_in(left, right, scope, locals);
                    };
                    // One by one: in a list that is made, times and durations would be texts.
                    let is_item = |held| are_equal(left, held, scope, locals);
                    !value(left).is_null() && items.iter().any(is_item)
                }
                Operator::Default
                | Operator::Add
                | Operator::Subtract
                | Operator::Multiply
                | Operator::Divide
                | Operator::Remainder => value(node).is_true(),
            }
        }
        Kind::Conditional(three) => {
            let [condition, yes, no] = &**three;
            holds(if holds(condition) { yes } else { no })
        }
        Kind::Matches(text, pattern) => {
            let text = value(text);
            text.text().is_some_and(|text| pattern.is_match(text))
        }
        Kind::Quantified(quantifier, pair) => {
            let [list, condition] = &**pair;
            let list = value(list).into_value();
            quantified(*quantifier, &list, condition, scope, locals)
        }
        Kind::Literal(value) => matches!(value, Value::Bool(true)),
        Kind::Path(path) => matches!(scope.plain(path, locals), Some(Value::Bool(true))),
        Kind::Call(function, arguments) => says(*function, arguments, scope, locals),
        Kind::MayAsk(category) => (scope.may_ask)(category),
        Kind::Duration(_)
        | Kind::Time(_)
        | Kind::List(_)
        | Kind::Negate(_)
        | Kind::Register(..) => false,
    }
}

/// The value of a node that only has to be looked up: nothing is made for it.
fn plain<'a>(
    node: &'a Node,
    scope: &Scope<'a>,
    locals: Option<&'a Locals<'a>>,
) -> Option<&'a Value> {
    if let Kind::Path(path) = &node.kind {
        scope.plain(path, locals)
    } else if let Kind::Literal(value) = &node.kind {
        Some(value)
    } else {
        None
    }
}

/// The value of a node that whole numbers alone make, where it is one of 64 bits.
fn integer<'a>(node: &'a Node, scope: &Scope<'a>, locals: Option<&'a Locals<'a>>) -> Option<i64> {
    if let Kind::Binary(operator, pair) = &node.kind {
        let [left, right] = &**pair;
        let left = integer(left, scope, locals)?;
        return arithmetic::integers(*operator, left, integer(right, scope, locals)?);
    }
    match plain(node, scope, locals)? {
        Value::Number(number) => number.as_i64(),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
    }
}

fn are_equal<'a>(
    left: &'a Node,
    right: &'a Node,
    scope: &Scope<'a>,
    locals: Option<&'a Locals<'a>>,
) -> bool {
    let value = |node: &'a Node| evaluate(node, scope, locals);
    let both = plain(left, scope, locals).zip(plain(right, scope, locals));
    if let Some((left, right)) = both {
        return same(left, right);
    }
    let numbers = integer(left, scope, locals).zip(integer(right, scope, locals));
    if let Some((left, right)) = numbers {
        return left == right;
    }
    for (choice, other) in [(left, right), (right, left)] {
        if let Kind::Path(path) = &choice.kind
            && let Some(other) = plain(other, scope, locals)
            && let Some(choice) = scope.chosen(path)
        {
            return other.as_text() == Some(choice);
        }
    }
    equal(&value(left), &value(right))
}

/// How two values stand to one another; nothing where they have no order.
fn order<'a>(
    left: &'a Node,
    right: &'a Node,
    scope: &Scope<'a>,
    locals: Option<&'a Locals<'a>>,
) -> Option<Ordering> {
    let both = plain(left, scope, locals).zip(plain(right, scope, locals));
    if let Some((left, right)) = both {
        return order_of(left, right);
    }
    let numbers = integer(left, scope, locals).zip(integer(right, scope, locals));
    if let Some((left, right)) = numbers {
        return Some(left.cmp(&right));
    }
    let value = |node: &'a Node| evaluate(node, scope, locals);
    match (&value(left), &value(right)) {
        (Datum::Time(left), Datum::Time(right)) => Some(left.cmp(right)),
        (Datum::Duration(left), Datum::Duration(right)) => Some(left.cmp(right)),
        (Datum::Value(left), Datum::Value(right)) => order_of(left, right),
        (Datum::Value(_) | Datum::Time(_) | Datum::Duration(_), _) => None,
    }
}

fn order_of(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Some(left.compare(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn equal(left: &Datum<'_>, right: &Datum<'_>) -> bool {
    match (left, right) {
        (Datum::Value(left), Datum::Value(right)) => same(left, right),
        (Datum::Time(left), Datum::Time(right)) => left == right,
        (Datum::Duration(left), Datum::Duration(right)) => left == right,
        (Datum::Value(_) | Datum::Time(_) | Datum::Duration(_), _) => false,
    }
}

/// Whether two values are equal: numbers by quantity, everything else by type and content.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.compare(right).is_eq(),
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| same(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

/// `item in whole`: in a list, or a key of an object. `null` is in nothing.
fn is_in<'a>(
    item: &'a Node,
    whole: &'a Node,
    scope: &Scope<'a>,
    locals: Option<&'a Locals<'a>>,
) -> bool {
    let looked_up = plain(item, scope, locals).zip(plain(whole, scope, locals));
    if let Some((item, whole)) = looked_up {
        return holds_item(whole, item);
    }
    let value = |node: &'a Node| evaluate(node, scope, locals);
    let (item, whole) = (value(item), value(whole));
    let both = whole.value().zip(item.value());
    both.is_some_and(|(whole, item)| holds_item(whole, item))
}

fn holds_item(whole: &Value, item: &Value) -> bool {
    match (whole, item) {
        (_, Value::Null) => false,
        (Value::List(items), item) => items.iter().any(|held| same(held, item)),
        (Value::Map(map), Value::Text(key)) => map.get(key).is_some(),
        _ => false,
    }
}

fn call<'a>(
    function: Function,
    arguments: &'a [Node],
    scope: &Scope<'a>,
    locals: Option<&'a Locals<'a>>,
) -> Datum<'a> {
    let mut values = arguments.iter().map(|node| evaluate(node, scope, locals));
    let on = values.next().unwrap_or(Datum::NULL);
    match function {
        Function::Contains | Function::StartsWith | Function::EndsWith | Function::Has => {
            Datum::own(says(function, arguments, scope, locals))
        }
        Function::Size => size(&on),
        Function::Lower => map_text(&on, str::to_lowercase),
        Function::Upper => map_text(&on, str::to_uppercase),
        Function::Duration => match (&on, on.text()) {
            (Datum::Duration(micros), _) => Datum::Duration(*micros),
            (_, Some(text)) => crate::duration::parse(text).map_or(Datum::NULL, Datum::Duration),
            (_, None) => Datum::NULL,
        },
        Function::Timestamp => match (&on, on.text()) {
            (Datum::Time(at), _) => Datum::Time(*at),
            (_, Some(text)) => text.parse().map_or(Datum::NULL, Datum::Time),
            (_, None) => Datum::NULL,
        },
    }
}

/// Whether a function that can only be true or false is; the others never are.
fn says<'a>(
    function: Function,
    arguments: &'a [Node],
    scope: &Scope<'a>,
    locals: Option<&'a Locals<'a>>,
) -> bool {
    let Some(on) = arguments.first() else {
        return false;
    };
    let value = |node: &'a Node| evaluate(node, scope, locals);
    let texts = |test: fn(&str, &str) -> bool| {
        let Some(part) = arguments.get(1) else {
            return false;
        };
        let looked_up = plain(on, scope, locals).zip(plain(part, scope, locals));
        if let Some((text, part)) = looked_up {
            let both = text.as_text().zip(part.as_text());
            return both.is_some_and(|(text, part)| test(text, part));
        }
        let (text, part) = (value(on), value(part));
        let both = text.text().zip(part.text());
        both.is_some_and(|(text, part)| test(text, part))
    };
    match function {
        Function::Has => match plain(on, scope, locals) {
            Some(looked_up) => !matches!(looked_up, Value::Null),
            None => !value(on).is_null(),
        },
        Function::Contains => {
            texts(|text, part| text.contains(part))
                || arguments
                    .get(1)
                    .is_some_and(|item| is_in(item, on, scope, locals))
        }
        Function::StartsWith => texts(|text, part| text.starts_with(part)),
        Function::EndsWith => texts(|text, part| text.ends_with(part)),
        Function::Size
        | Function::Lower
        | Function::Upper
        | Function::Duration
        | Function::Timestamp => false,
    }
}

/// Characters of a text, items of a list, keys of an object.
fn size<'a>(of: &Datum<'_>) -> Datum<'a> {
    let count = match of.value() {
        Some(Value::Text(text)) => text.chars().count(),
        Some(Value::List(items)) => items.len(),
        Some(Value::Map(map)) => map.len(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_)) | None => return Datum::NULL,
    };
    i64::try_from(count).map_or(Datum::NULL, Datum::own)
}

fn map_text<'a>(of: &Datum<'_>, map: fn(&str) -> String) -> Datum<'a> {
    of.text()
        .map_or(Datum::NULL, |text| Datum::own(map(text).as_str()))
}

/// Whether the condition holds for some or all items; for no list it does not.
fn quantified(
    quantifier: Quantifier,
    list: &Value,
    condition: &Node,
    scope: &Scope<'_>,
    outer: Option<&Locals<'_>>,
) -> bool {
    let Value::List(items) = list else {
        return false;
    };
    let holds = |item: &Value| {
        let locals = Locals { item, outer };
        holds(condition, scope, Some(&locals))
    };
    match quantifier {
        Quantifier::Exists => items.iter().any(holds),
        Quantifier::All => items.iter().all(holds),
    }
}
