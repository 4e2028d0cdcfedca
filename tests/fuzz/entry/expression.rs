//! Has every expression a value, always the same, and has every other text a place that is wrong?

use wayfare_event::Value;
use wayfare_journey::expression::{Expression, Scope};

use super::journey::is_in;
use super::scope::{self, Profile};

pub(super) fn read(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let names = scope::names();
    let expression = match Expression::parse(&text, &names) {
        Ok(expression) => expression,
        Err(error) => {
            is_in(&text, error.span, &error.message);
            assert!(!error.message.is_empty());
            return;
        }
    };
    assert_eq!(expression.source(), text);
    let brackets = Expression::parse(&format!("({text})"), &names).ok();
    for profile in [Profile::Plain, Profile::Hostile] {
        scope::with(profile, |scope| {
            has_one_value(&expression, scope);
            is_explained(&expression, scope);
            // Brackets are one level more, which may be one too many.
            if let Some(brackets) = &brackets {
                assert_eq!(brackets.value(scope), expression.value(scope));
                assert_eq!(brackets.holds(scope), expression.holds(scope));
            }
        });
    }
}

fn has_one_value(expression: &Expression, scope: &Scope<'_>) {
    let value = expression.value(scope);
    assert_eq!(value, expression.value(scope));
    assert_eq!(expression.holds(scope), *value == Value::Bool(true));
    assert!(!expression.always_holds() || expression.holds(scope));
    match expression.present(scope) {
        Some(present) => assert_eq!(present, value),
        None => assert!(expression.as_path().is_some() && *value == Value::Null),
    }
    super::event::is_json(&value.to_string());
}

/// Its parts are parts of it, and what they say is what it says.
fn is_explained(expression: &Expression, scope: &Scope<'_>) {
    let leaves = expression.leaves(scope);
    assert!(!leaves.is_empty());
    for leaf in &leaves {
        assert!(expression.source().contains(&leaf.source));
        let mut reads = leaf.reads.iter();
        assert!(reads.all(|(path, _)| expression.source().contains(path)));
    }
    assert_eq!(leaves.last(), Some(&expression.deciding_leaf(scope)));
    let paths = expression.paths().len() + expression.registers().len();
    assert!(paths > 0 || leaves.iter().all(|leaf| leaf.reads.is_empty()));
}
