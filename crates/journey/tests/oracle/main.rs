//! Does an expression mean what the same text means in CEL? The `cel` crate is asked, over generated
//! conditions of the common subset and over each point where the two differ by contract.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

mod generate;

use std::cell::Cell;
use std::sync::Arc;

use cel::objects::Key;
use cel::{Context, Env};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wayfare_event::{Map, Number, Timestamp, Value};
use wayfare_journey::expression::{Expression, Names, Scope};

/// A point where the languages differ by contract. The generator makes none of these.
struct Difference {
    source: &'static str,
    ours: &'static str,
    /// What cel gives; nothing for an error.
    cel: Option<&'static str>,
    because: &'static str,
}

const fn differ(
    source: &'static str,
    ours: &'static str,
    cel: Option<&'static str>,
    because: &'static str,
) -> Difference {
    Difference {
        source,
        ours,
        cel,
        because,
    }
}

const ABSENT: &str = "an absent path is `null`, not an error";
const TYPES: &str = "what has no order or no sense is false or `null`, not an error";
const DECIMALS: &str = "numbers are decimals of any length, not 64 bits in two kinds";
const TRUE: &str = "logic asks for `true`; anything else is not true, not an error";

const DIFFERENCES: &[Difference] = &[
    differ("profile.gone == null", "true", None, ABSENT),
    differ("profile.gone > 3", "false", None, ABSENT),
    differ("profile.gone.deeper", "null", None, ABSENT),
    differ("profile.list[9]", "null", None, ABSENT),
    differ("profile.text > 3", "false", None, TYPES),
    differ("profile.text + 1", "null", None, TYPES),
    differ("profile.int.matches('7')", "false", None, TYPES),
    differ("profile.int in profile.text", "false", None, TYPES),
    differ("size(profile.int)", "null", None, TYPES),
    differ("profile.int.all(x, true)", "false", None, TYPES),
    differ("1 / 0", "null", None, TYPES),
    differ("5 / 2", "2.5", Some("2"), DECIMALS),
    differ("1 + 0.5", "1.5", None, DECIMALS),
    differ("0.1 + 0.2 == 0.3", "true", Some("false"), DECIMALS),
    differ(
        "9007199254740993.0 == 9007199254740992.0",
        "false",
        Some("true"),
        DECIMALS,
    ),
    differ(
        "9223372036854775807 + 1",
        "9223372036854775808",
        None,
        DECIMALS,
    ),
    differ("5.5 % 2.0", "1.5", None, DECIMALS),
    differ("!profile.text", "true", None, TRUE),
    differ("!profile.nothing", "true", None, TRUE),
    differ("profile.text && true", "false", None, TRUE),
    differ("profile.int ? 1 : 2", "2", None, TRUE),
    differ(
        "has(profile.nothing)",
        "false",
        Some("true"),
        "a written null is not there",
    ),
    differ(
        "null in [null]",
        "false",
        Some("true"),
        "`null` is in nothing",
    ),
    differ(
        "profile.map.exists(k, true)",
        "false",
        Some("true"),
        "`exists` and `all` go over lists only",
    ),
    differ(
        "[1] + [2]",
        "null",
        Some("[1,2]"),
        "lists are compared and searched, not added",
    ),
    differ(
        "profile.list.contains(1)",
        "true",
        None,
        "`contains` asks a list too",
    ),
    differ(
        "duration('1h') == duration('60m')",
        "true",
        None,
        "cel is built without its time library",
    ),
];

fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(it) => cel::Value::Bool(*it),
        Value::Number(number) => number.as_i64().map_or_else(
            || cel::Value::Float(number.to_string().parse().unwrap()),
            cel::Value::Int,
        ),
        Value::Text(text) => cel::Value::from(&**text),
        Value::List(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Map(map) => {
            let entries = map.iter();
            let entries = entries.map(|(key, value)| (Key::from(key.to_string()), to_cel(value)));
            let map = Arc::new(entries.collect());
            cel::Value::Map(cel::objects::Map { map })
        }
    }
}

fn from_cel(value: &cel::Value) -> Value {
    match value {
        cel::Value::Null => Value::Null,
        cel::Value::Bool(it) => Value::Bool(*it),
        cel::Value::Int(it) => Value::from(*it),
        cel::Value::Float(it) => Value::Number(Number::parse(&it.to_string()).unwrap()),
        cel::Value::String(text) => Value::from(text.as_str()),
        cel::Value::List(items) => Value::List(items.iter().map(from_cel).collect()),
        cel::Value::Map(_)
        | cel::Value::Function(..)
        | cel::Value::UInt(_)
        | cel::Value::Bytes(_)
        | cel::Value::Opaque(_)
        | cel::Value::Struct(_) => panic!("{value:?} is nothing a generated condition gives"),
    }
}

/// What cel gives, or the error that it is.
fn by_cel(source: &str, profile: &Value, library: &Arc<Env>) -> Result<Value, String> {
    let program = library.compile(source).map_err(|error| error.to_string())?;
    let mut context = Context::with_env(library.clone());
    context.add_variable_from_value("profile", to_cel(profile));
    let value = program.execute(&context);
    value
        .map(|value| from_cel(&value))
        .map_err(|error| error.to_string())
}

/// What the expression gives.
fn by_us(source: &str, profile: &Value) -> Value {
    let expression = Expression::parse(source, &Names::default())
        .unwrap_or_else(|error| panic!("{source}: {error}"));
    let empty = Map::new();
    let scope = Scope {
        event: None,
        trigger: None,
        change: None,
        delivery: None,
        profile: profile.as_map().unwrap(),
        account: None,
        journey: &empty,
        entry: None,
        named: &[],
        choice: &|_| "unknown",
        may_ask: &|_| true,
        seen: &|_| None,
        now: Timestamp::EPOCH,
    };
    let value = expression.value(&scope).into_owned();
    assert_eq!(expression.holds(&scope), value == Value::Bool(true));
    let leaves = expression.leaves(&scope);
    assert_eq!(leaves.last(), Some(&expression.deciding_leaf(&scope)));
    value
}

fn same(ours: &Value, cel: &Value) -> bool {
    match (ours, cel) {
        (Value::Number(ours), Value::Number(cel)) => ours.compare(cel).is_eq(),
        _ => ours == cel,
    }
}

/// Conditions that are compared.
const CASES: u32 = 4_000;

#[test]
fn conditions_of_the_common_subset_mean_the_same_in_cel() {
    let library = Arc::new(Env::stdlib());
    let (holds, fails) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    });
    let run = runner.run(&generate::cases(), |(source, profile)| {
        let ours = by_us(&source, &profile);
        match by_cel(&source, &profile, &library) {
            Ok(cel) => prop_assert!(same(&ours, &cel), "{source}: {ours}, by cel {cel}"),
            Err(error) => prop_assert!(false, "{source}: {ours}, by cel {error}"),
        }
        match ours {
            Value::Bool(true) => holds.set(holds.get() + 1),
            Value::Bool(false) => fails.set(fails.get() + 1),
            Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {}
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    let (holds, fails) = (holds.get(), fails.get());
    assert!(
        holds > CASES / 5 && fails > CASES / 5,
        "{holds} hold, {fails} do not"
    );
}

#[test]
fn the_languages_differ_where_the_contract_says_so() {
    let library = Arc::new(Env::stdlib());
    let profile = r#"{"text":"pro","int":7,"nothing":null,"list":[1],"map":{"a":1}}"#;
    let profile = Value::parse(profile).unwrap();
    for difference in DIFFERENCES {
        let Difference {
            source,
            ours,
            cel,
            because,
        } = difference;
        assert_eq!(
            by_us(source, &profile).to_string(),
            *ours,
            "{source}: {because}"
        );
        let by_cel = by_cel(source, &profile, &library)
            .ok()
            .map(|it| it.to_string());
        assert_eq!(by_cel.as_deref(), *cel, "{source}: {because}");
    }
}
