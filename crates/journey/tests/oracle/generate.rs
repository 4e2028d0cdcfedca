//! Which expressions have one meaning in both languages? Typed ones over paths that are there: what
//! `DIFFERENCES` names is never made. Brackets stand only where a type needs them, so that both
//! parsers must agree on precedence.

use proptest::prelude::*;
use proptest::sample::select;
use wayfare_event::Value;

/// Expressions of each type. Those in `atoms` can stand beside any operator as they are.
#[derive(Clone)]
struct Level {
    integers: BoxedStrategy<String>,
    integer_atoms: BoxedStrategy<String>,
    decimals: BoxedStrategy<String>,
    texts: BoxedStrategy<String>,
    text_atoms: BoxedStrategy<String>,
    truths: BoxedStrategy<String>,
    truth_atoms: BoxedStrategy<String>,
}

/// Levels of nesting: at three, products of numbers up to fifty stay within 64 bits, where cel ends.
const LEVELS: u32 = 3;

/// A condition and the profile it is about.
pub(crate) fn cases() -> impl Strategy<Value = (String, Value)> {
    let level = (0..LEVELS).fold(leaves(), |level, _| deeper(&level));
    let (condition, yes, no) = (&level.truth_atoms, &level.truths, &level.truths);
    let nested = (
        condition.clone(),
        yes.clone(),
        condition.clone(),
        yes.clone(),
        no.clone(),
    );
    let whole = prop_oneof![
        1 => nested.prop_map(|(a, b, c, d, e)| format!("{a} ? {b} : {c} ? {d} : {e}")),
        8 => level.truths,
        1 => level.integers,
        1 => level.decimals,
        1 => level.texts,
    ];
    (whole, profiles())
}

const TEXTS: [&str; 9] = ["", "a", "ab", "b", "pro", "Zoë", "x y", "7", "👋"];

fn quoted() -> impl Strategy<Value = String> {
    let marks = select(vec!['"', '\'']);
    (select(TEXTS.to_vec()), marks).prop_map(|(text, mark)| format!("{mark}{text}{mark}"))
}

/// Numbers that are exact in binary too.
fn quarters() -> impl Strategy<Value = String> {
    (-400..400_i32).prop_map(|quarters| format!("{:.2}", f64::from(quarters) / 4.0))
}

/// Profiles in which every path that is read is there.
fn profiles() -> impl Strategy<Value = Value> {
    let integers = || prop::collection::vec(-5..6_i64, 1..4);
    let texts = prop::collection::vec(select(TEXTS.to_vec()), 1..4);
    let scalars = (
        -50..50_i64,
        -5..5_i64,
        quarters(),
        select(TEXTS.to_vec()),
        select(TEXTS.to_vec()),
    );
    (scalars, any::<[bool; 2]>(), integers(), integers(), texts).prop_map(
        |((i, j, d, t, u), [b, c], numbers, others, texts)| {
            let text = format!(
                r#"{{"i":{i},"j":{j},"d":{d},"t":"{t}","u":"{u}","b":{b},"c":{c},
                    "numbers":{numbers:?},"others":{others:?},"texts":{texts:?},
                    "map":{{"a":{j},"deep":{{"t":"{u}"}}}},"nothing":null}}"#
            );
            Value::parse(&text).unwrap()
        },
    )
}

fn leaves() -> Level {
    let integers = prop_oneof![
        (-50..50_i64).prop_map(|it| it.to_string()),
        select(vec![
            "profile.i",
            "-profile.j",
            "profile.map.a",
            "profile.numbers[0]"
        ])
        .prop_map(str::to_owned),
        select(vec![
            "size(profile.t)",
            "size(profile.texts)",
            "profile.u.size()"
        ])
        .prop_map(str::to_owned),
    ]
    .boxed();
    let texts = prop_oneof![
        quoted(),
        select(vec![
            "profile.t",
            "profile.u",
            "profile.map.deep.t",
            "profile['t']"
        ])
        .prop_map(str::to_owned),
    ]
    .boxed();
    let truths = select(vec![
        "true",
        "false",
        "profile.b",
        "profile.c",
        "has(profile.t)",
        "has(profile.gone)",
        "has(profile.map.a)",
        "has(profile.map.gone)",
        "(profile.nothing == null)",
        "(profile.t != null)",
        "(profile.numbers == profile.others)",
    ]);
    let truths = truths.prop_map(str::to_owned).boxed();
    Level {
        integers: integers.clone(),
        integer_atoms: integers,
        decimals: decimals(),
        texts: texts.clone(),
        text_atoms: texts,
        truths: truths.clone(),
        truth_atoms: truths,
    }
}

/// Sums and products of few quarters: more digits would round in binary.
fn decimals() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        quarters(),
        Just("profile.d".to_owned()),
        Just("-profile.d".to_owned())
    ]
    .boxed();
    let product = prop_oneof![
        leaf.clone(),
        (leaf.clone(), leaf.clone()).prop_map(|(left, right)| format!("{left} * {right}")),
        (leaf, select(vec!["2.0", "4.0"])).prop_map(|(left, by)| format!("{left} / {by}")),
    ]
    .boxed();
    (product.clone(), select(vec!["+", "-"]), product)
        .prop_map(|(left, sign, right)| format!("{left} {sign} {right}"))
        .boxed()
}

fn chosen(condition: &BoxedStrategy<String>, of: &BoxedStrategy<String>) -> BoxedStrategy<String> {
    (condition.clone(), of.clone(), of.clone())
        .prop_map(|(condition, yes, no)| format!("({condition} ? {yes} : {no})"))
        .boxed()
}

fn bracketed(of: &BoxedStrategy<String>) -> BoxedStrategy<String> {
    of.clone().prop_map(|it| format!("({it})")).boxed()
}

fn deeper(level: &Level) -> Level {
    let (integers, integer_atoms) = numbers(level);
    let (texts, text_atoms) = words(level);
    let (truths, truth_atoms) = conditions(level);
    Level {
        integers,
        integer_atoms,
        decimals: level.decimals.clone(),
        texts,
        text_atoms,
        truths,
        truth_atoms,
    }
}

fn numbers(level: &Level) -> (BoxedStrategy<String>, BoxedStrategy<String>) {
    let atoms = prop_oneof![
        2 => level.integer_atoms.clone(),
        1 => bracketed(&level.integers),
        1 => chosen(&level.truths, &level.integers),
        1 => level.integer_atoms.clone().prop_map(|it| format!("-({it})")),
        1 => bracketed(&level.texts).prop_map(|it| format!("size{it}")),
    ]
    .boxed();
    let of_two = (level.integers.clone(), level.integers.clone());
    let signed = (of_two, select(vec!["+", "-", "*"]));
    let by = select(vec![-7, -3, -2, 1, 2, 3, 7, 100]);
    let integers = prop_oneof![
        2 => atoms.clone(),
        3 => signed.prop_map(|((left, right), sign)| format!("{left} {sign} {right}")),
        1 => (level.integers.clone(), by.clone())
            .prop_map(|(left, by)| format!("{left} % {by}")),
        // A quotient without a rest: with one, ours is a fraction.
        1 => (select(vec!["profile.i", "profile.j", "12"]), by)
            .prop_map(|(left, by)| format!("{left} * {by} / {by}")),
    ];
    (integers.boxed(), atoms)
}

fn words(level: &Level) -> (BoxedStrategy<String>, BoxedStrategy<String>) {
    let atoms = prop_oneof![
        3 => level.text_atoms.clone(),
        1 => bracketed(&level.texts),
        1 => chosen(&level.truths, &level.texts),
    ]
    .boxed();
    let joined = (level.text_atoms.clone(), level.text_atoms.clone());
    let texts = prop_oneof![
        2 => atoms.clone(),
        1 => joined.prop_map(|(left, right)| format!("{left} + {right}")),
    ];
    (texts.boxed(), atoms)
}

fn compared(
    left: &BoxedStrategy<String>,
    right: &BoxedStrategy<String>,
) -> impl Strategy<Value = String> + use<> {
    let signs = select(vec!["==", "!=", "<", "<=", ">", ">="]);
    (left.clone(), signs, right.clone())
        .prop_map(|(left, sign, right)| format!("{left} {sign} {right}"))
}

fn conditions(level: &Level) -> (BoxedStrategy<String>, BoxedStrategy<String>) {
    let atoms = prop_oneof![
        2 => level.truth_atoms.clone(),
        2 => bracketed(&level.truths),
        2 => level.truth_atoms.clone().prop_map(|it| format!("!{it}")),
        1 => chosen(&level.truths, &level.truths),
        2 => asked(level),
        2 => quantified(level),
    ]
    .boxed();
    let joined = (
        level.truths.clone(),
        select(vec!["&&", "||"]),
        level.truths.clone(),
    );
    let truths = prop_oneof![
        1 => atoms.clone(),
        3 => joined.prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
        2 => compared(&level.integers, &level.integers),
        1 => compared(&level.decimals, &level.decimals),
        1 => compared(&level.decimals, &level.integers),
        2 => compared(&level.texts, &level.texts),
        1 => compared(&level.truth_atoms, &level.truth_atoms),
        1 => compared(&compared(&level.integers, &level.integers).boxed(), &level.truth_atoms),
        2 => held(level),
    ];
    (truths.boxed(), atoms)
}

/// `item in whole`.
fn held(level: &Level) -> BoxedStrategy<String> {
    let (integers, texts) = (level.integers.clone(), level.texts.clone());
    prop_oneof![
        (
            integers.clone(),
            select(vec!["profile.numbers", "profile.others", "[]"])
        )
            .prop_map(|(item, list)| format!("{item} in {list}")),
        (integers.clone(), prop::collection::vec(integers, 0..4))
            .prop_map(|(item, list)| format!("{item} in [{}]", list.join(", "))),
        texts
            .clone()
            .prop_map(|item| format!("{item} in profile.texts")),
        texts
            .clone()
            .prop_map(|item| format!("{item} in profile.map")),
        (texts.clone(), prop::collection::vec(texts, 0..4))
            .prop_map(|(item, list)| format!("{item} in [{}]", list.join(", "))),
    ]
    .boxed()
}

/// `text.contains(part)` and its like.
fn asked(level: &Level) -> BoxedStrategy<String> {
    let tests = select(vec!["contains", "startsWith", "endsWith"]);
    let patterns = select(vec![
        "",
        "^a",
        "o$",
        "^(pro|b)$",
        "[a-z]+ [a-z]",
        "^.$",
        "Z.+",
    ]);
    prop_oneof![
        2 => (level.text_atoms.clone(), tests, level.texts.clone())
            .prop_map(|(text, test, part)| format!("{text}.{test}({part})")),
        1 => (level.text_atoms.clone(), patterns)
            .prop_map(|(text, pattern)| format!("{text}.matches('{pattern}')")),
    ]
    .boxed()
}

/// `list.exists(x, …)` and `list.all(x, …)`, nested too.
fn quantified(level: &Level) -> BoxedStrategy<String> {
    let over = || select(vec!["exists", "all"]);
    let signs = select(vec!["==", "!=", "<", ">="]);
    let over_numbers = (
        over(),
        signs.clone(),
        level.integers.clone(),
        level.truths.clone(),
    );
    prop_oneof![
        2 => over_numbers.prop_map(|(over, sign, than, or)| {
            format!("profile.numbers.{over}(x, x {sign} {than} || {or})")
        }),
        1 => (over(), level.text_atoms.clone()).prop_map(|(over, text)| {
            format!("profile.texts.{over}(x, {text}.startsWith(x))")
        }),
        1 => (over(), over(), signs, level.integer_atoms.clone()).prop_map(
            |(outer, inner, sign, plus)| format!(
                "profile.numbers.{outer}(x, profile.others.{inner}(y, x {sign} y + {plus}))"
            )
        ),
    ]
    .boxed()
}
