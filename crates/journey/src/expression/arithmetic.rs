//! What do `+ - * / %` compute? Decimals of 28 digits, exactly; what does not fit is `null` (SP 26).

use std::ops::RangeInclusive;

use rust_decimal::Decimal;
use wayfare_event::{Number, Timestamp, Value};

use super::scope::Datum;
use super::syntax::Operator;

/// Digits of a fraction that are kept.
const DIGITS_MAX: usize = 28;

/// Instants that RFC 3339 can write: the years 0 to 9999, to the last hour that every zone has.
const WRITABLE_US: RangeInclusive<i64> = -62_167_219_200_000_000..=253_402_207_200_999_999;

/// The result for two operands; `null` where there is none.
pub(super) fn compute<'a>(operator: Operator, left: &Datum<'_>, right: &Datum<'_>) -> Datum<'a> {
    let result = match (left, right) {
        (Datum::Time(at), Datum::Duration(by)) => moved(operator, at.as_micros(), *by),
        (Datum::Duration(by), Datum::Time(at)) if operator == Operator::Add => {
            moved(operator, at.as_micros(), *by)
        }
        (Datum::Time(left), Datum::Time(right)) if operator == Operator::Subtract => left
            .as_micros()
            .checked_sub(right.as_micros())
            .map(Datum::Duration),
        (Datum::Duration(left), Datum::Duration(right)) => {
            whole(operator, *left, *right).map(Datum::Duration)
        }
        (Datum::Value(left), Datum::Value(right)) => match (&**left, &**right) {
            (Value::Number(left), Value::Number(right)) => numbers(operator, left, right),
            (Value::Text(left), Value::Text(right)) if operator == Operator::Add => {
                Some(Datum::own(format!("{left}{right}").as_str()))
            }
            _ => None,
        },
        (Datum::Value(_) | Datum::Time(_) | Datum::Duration(_), _) => None,
    };
    result.unwrap_or(Datum::NULL)
}

/// The negative of a number or a duration.
pub(super) fn negate<'a>(of: &Datum<'_>) -> Datum<'a> {
    let zero = match of {
        Datum::Duration(_) => Datum::Duration(0),
        Datum::Value(_) | Datum::Time(_) => Datum::own(0),
    };
    compute(Operator::Subtract, &zero, of)
}

fn whole(operator: Operator, left: i64, right: i64) -> Option<i64> {
    match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Or
        | Operator::And
        | Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::In
        | Operator::Default
        | Operator::Multiply
        | Operator::Divide
        | Operator::Remainder => None,
    }
}

fn moved<'a>(operator: Operator, at: i64, by: i64) -> Option<Datum<'a>> {
    let at = whole(operator, at, by).filter(|at| WRITABLE_US.contains(at))?;
    Some(Datum::Time(Timestamp::from_micros(at)))
}

/// The result for two integers, where it is one of 64 bits: most are, and need no decimals.
pub(super) fn integers(operator: Operator, left: i64, right: i64) -> Option<i64> {
    match operator {
        Operator::Multiply => left.checked_mul(right),
        Operator::Remainder => left.checked_rem(right),
        Operator::Divide => left
            .checked_div(right)
            .filter(|result| result.checked_mul(right) == Some(left)),
        Operator::Or
        | Operator::And
        | Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::In
        | Operator::Default
        | Operator::Add
        | Operator::Subtract => whole(operator, left, right),
    }
}

fn numbers<'a>(operator: Operator, left: &Number, right: &Number) -> Option<Datum<'a>> {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
        && let Some(result) = integers(operator, left, right)
    {
        return Some(Datum::own(result));
    }
    let (left, right) = (decimal(left)?, decimal(right)?);
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide => left.checked_div(right),
        Operator::Remainder => left.checked_rem(right),
        Operator::Or
        | Operator::And
        | Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::LessEqual
        | Operator::Greater
        | Operator::GreaterEqual
        | Operator::In
        | Operator::Default => None,
    }?;
    let number = Number::parse(&result.normalize().to_string())?;
    Some(Datum::own(Value::Number(number)))
}

/// A number as a decimal, when it has no more digits than a decimal keeps exactly.
fn decimal(number: &Number) -> Option<Decimal> {
    if let Some(integer) = number.as_i64() {
        return Some(Decimal::from(integer));
    }
    let text = number.to_string();
    if text.contains(['e', 'E']) {
        let exact = Decimal::from_scientific(&text).ok()?;
        let back = Number::parse(&exact.to_string())?;
        return back.compare(number).is_eq().then_some(exact);
    }
    let fraction = text
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len());
    (fraction <= DIGITS_MAX).then(|| Decimal::from_str_exact(&text).ok())?
}
