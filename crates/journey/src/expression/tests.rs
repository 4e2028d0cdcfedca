//! The expression language, as authors use it.

use proptest::prelude::*;
use wayfare_event::{Map, Timestamp, Value};

use super::*;

const PROFILE: &str = r#"{"plan":"pro","visits":7,"tags":["vip","beta"],"balance":0.1,
    "big":9007199254740993,"address":{"city":"Berlin"},"nothing":null,"flag":true,
    "endsAt":"2026-02-01T00:00:00Z","orders":[{"total":5},{"total":50}],"empty":""}"#;
const EVENT: &str = r#"{"name":"Order Completed","type":"track","timestamp":"2026-01-26T10:00:00Z",
    "messageId":"m1","properties":{"total":120.50,"items":[{"sku":"a"}],"odd key":1},"context":{}}"#;

fn map(text: &str) -> Map {
    match Value::parse(text) {
        Ok(Value::Map(map)) => map,
        other => panic!("{other:?}"),
    }
}

fn names() -> Names {
    Names {
        event: true,
        trigger: true,
        change: Changes::Choice,
        delivery: true,
        named: vec!["order".into()],
        categories: vec!["marketing".into(), "marketing.news".into()],
        ..Names::default()
    }
}

fn value_of(source: &str) -> String {
    let expression = Expression::parse(source, &names())
        .unwrap_or_else(|error| panic!("{source}: {error} at {:?}", error.span));
    with_scope(|scope| expression.value(scope).to_string())
}

fn with_scope<T>(run: impl FnOnce(&Scope<'_>) -> T) -> T {
    let (event, profile, empty) = (map(EVENT), map(PROFILE), Map::new());
    let named = [(
        "order".into(),
        map(r#"{"name":"Order Completed","properties":{"id":"o1"}}"#),
    )];
    let seen = |name: &str| {
        (name == "Visit").then_some(Seen {
            count: 3,
            first: "2026-01-01T00:00:00Z".parse().unwrap(),
            last: "2026-01-20T00:00:00Z".parse().unwrap(),
        })
    };
    run(&Scope {
        event: Some(&event),
        trigger: Some(&event),
        change: None,
        delivery: None,
        profile: &profile,
        account: None,
        journey: &empty,
        entry: None,
        named: &named,
        may_ask: &|category| category == "marketing.news",
        choice: &|category| {
            if category == "marketing" {
                "accept"
            } else {
                "unknown"
            }
        },
        seen: &seen,
        now: "2026-01-26T10:00:05Z".parse::<Timestamp>().unwrap(),
    })
}

#[test]
fn conditions_are_computed_as_the_language_says() {
    let check = |source: &str, expected: &str| assert_eq!(value_of(source), expected, "{source}");
    check(r#"profile.plan == "pro""#, "true");
    check("profile.plan == 'pro' && properties.total >= 120.5", "true");
    check(r#"profile.plan in ["pro", "business"]"#, "true");
    check(r#""vip" in profile.tags"#, "true");
    check(r#""city" in profile.address"#, "true");
    check("null in [null]", "false");
    check("profile.missing == null", "true");
    check("profile.missing.deeper.still == profile.nothing", "true");
    check("profile.missing > 3", "false");
    check("profile.missing <= 3", "false");
    check(r#"profile.visits == "7""#, "false");
    check("profile.visits == 7.0", "true");
    check("profile.big > 9007199254740992", "true");
    check("1.10", "1.10");
    check("0.1 + 0.2 == 0.3", "true");
    check("5 / 2", "2.5");
    check("-7 % 3", "-1");
    check("1 / 0", "null");
    check("9223372036854775807 + 1", "9223372036854775808");
    check("79228162514264337593543950335 + 1", "null");
    check(r#"profile.visits + "1""#, "null");
    check("1 + 2 * 3 - -4", "11");
    check("(profile.upgrades ?? 0) + 1", "1");
    check("profile.upgrades ?? 0 + 1", "1");
    check("profile.visits ?? 0 == 7", "true");
    check("!profile.missing", "true");
    check("!profile.flag", "false");
    check("!profile.plan", "true");
    check(r#"profile.flag ? "yes" : "no""#, r#""yes""#);
    check("false && profile.x.y || true", "true");
    check(r#"profile["plan"]"#, r#""pro""#);
    check(r#"properties["odd key"] == 1"#, "true");
    check("properties.items[0].sku", r#""a""#);
    check("properties.items[9].sku", "null");
    check("[1, 2.0] == [1.0, 2]", "true");
    check("order.properties.id", r#""o1""#);
    check("consent.marketing", r#""accept""#);
    check("consent.marketing.news", r#""unknown""#);
    check(r#"consent["marketing.news"]"#, r#""unknown""#);
    check(r#"may_ask("marketing")"#, "false");
    check(r#"may_ask("marketing.news") && true"#, "true");
    check("event.name.startsWith('Order')", "true");
}

#[test]
fn functions_have_values_for_every_argument() {
    let check = |source: &str, expected: &str| assert_eq!(value_of(source), expected, "{source}");
    check("size(profile.tags)", "2");
    check("profile.plan.size()", "3");
    check("size(profile.missing)", "null");
    check("has(profile.nothing)", "false");
    check("has(profile.empty)", "true");
    check("profile.plan.upper()", r#""PRO""#);
    check("profile.missing.lower()", "null");
    check(r#"profile.plan.contains("r")"#, "true");
    check(r#"profile.tags.contains("vip")"#, "true");
    check(r#"profile.missing.contains("r")"#, "false");
    check(r#"profile.plan.endsWith("ro")"#, "true");
    check(r#"profile.plan.matches("^p.o$")"#, "true");
    check(r#"profile.visits.matches("7")"#, "false");
    check("profile.orders.exists(o, o.total > 10)", "true");
    check("profile.orders.all(o, o.total > 10)", "false");
    check("[1, 2].all(x, [3].exists(y, y > x))", "true");
    check("profile.missing.all(o, true)", "false");
    check(r#"count("Visit") + count("Other")"#, "3");
    check(r#"last("Visit")"#, r#""2026-01-20T00:00:00Z""#);
    check(r#"first("Other")"#, "null");
}

#[test]
fn times_and_durations_are_compared_and_moved() {
    let check = |source: &str, expected: &str| assert_eq!(value_of(source), expected, "{source}");
    check("now", r#""2026-01-26T10:00:05Z""#);
    check("now - event.timestamp == duration('5s')", "true");
    check("timestamp(profile.endsAt) - now < duration('7d')", "true");
    check("now + duration('1h')", r#""2026-01-26T11:00:05Z""#);
    check("profile.endsAt > now", "false");
    check("timestamp(profile.plan)", "null");
    check("now - last('Visit') > duration('5d')", "true");
    check("duration(profile.plan)", "null");
    check("-duration('5s') < duration('0s')", "true");
}

#[test]
fn what_cannot_be_read_is_pointed_at() {
    let check = |source: &str, underlined: &str, words: &str| {
        let error = Expression::parse(source, &names()).unwrap_err();
        let found = source.get(error.span.range()).unwrap();
        let said = format!("{error} {}", error.hint.clone().unwrap_or_default());
        assert_eq!(found, underlined, "{source}: {said}");
        assert!(said.contains(words), "{said}");
    };
    check("profle.plan == 1", "profle", "`profile`");
    check("plan == 'pro'", "plan", "`profile.plan`");
    check("event.nme == 'x'", "nme", "`event.name`");
    check("profile.plan = 'pro'", "=", "`==`");
    check("profile.plan == 'pro", "'", "not closed");
    check("profile.visits > 3d", "3d", "duration(\"3d\")");
    check("(profile.a", "", "expected `)`");
    check("profile.a profile.b", "profile", "should end");
    check("profile.a && ", "", "missing");
    check("siz(profile.a)", "siz", "`size`");
    check("profile.a.matches('(')", "'('", "pattern");
    check(
        "profile.a.matches(profile.b)",
        "profile.a.matches(profile.b)",
        "quotes",
    );
    check("count(profile.a)", "count(profile.a)", "in quotes");
    check("duration('1M')", "'1M'", "`1M`");
    check(
        "consent.marketng == 'accept'",
        "marketng",
        "`consent.marketing`",
    );
    check("may_ask(profile.a)", "may_ask(profile.a)", "in quotes");
    check("may_ask('marketng')", "'marketng'", "`consent.marketing`");
    check(
        "profile.tags.exists(event, true)",
        "event",
        "something else",
    );
    check("profile.a | profile.b", "|", "`||`");
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!(
        "{}1{}",
        "(".repeat(DEPTH_MAX + 1),
        ")".repeat(DEPTH_MAX + 1)
    );
    assert!(Expression::parse(&deep, &names()).is_err());
    let long = "!".repeat(SOURCE_BYTES_MAX + 1);
    assert!(
        Expression::parse(&long, &names())
            .unwrap_err()
            .message
            .contains("bytes")
    );
    let row = vec!["1"; DEPTH_MAX + 2].join(" + ");
    assert!(Expression::parse(&row, &names()).is_err());
}

#[test]
fn the_part_that_decided_is_named_with_its_value() {
    let check = |source: &str, leaf: &str, value: &str| {
        let expression = Expression::parse(source, &names()).unwrap();
        let found = with_scope(|scope| expression.deciding_leaf(scope));
        assert_eq!(
            (found.source.as_str(), found.value.to_string().as_str()),
            (leaf, value)
        );
    };
    check(
        "profile.plan == 'free' && profile.visits > 3",
        "profile.plan == 'free'",
        r#""pro""#,
    );
    check(
        "profile.plan == 'pro' && profile.visits > 30",
        "profile.visits > 30",
        "7",
    );
    check("profile.a || profile.b", "profile.b", "null");
    check("!has(profile.plan)", "!has(profile.plan)", r#""pro""#);
    check(
        "!(profile.flag && profile.visits > 3)",
        "profile.visits > 3",
        "7",
    );
    check(
        "(profile.visits + 1) * 2 > 20",
        "(profile.visits + 1) * 2 > 20",
        "7",
    );
    check(
        "[1, 2].exists(x, x > profile.visits)",
        "[1, 2].exists(x, x > profile.visits)",
        "7",
    );
}

#[test]
fn every_part_that_was_judged_is_listed_with_what_it_read_and_said() {
    let check = |source: &str, expected: &[&str]| {
        let expression = Expression::parse(source, &names()).unwrap();
        let leaves = with_scope(|scope| expression.leaves(scope));
        let shown: Vec<String> = leaves.iter().map(shown).collect();
        assert_eq!(shown, expected, "{source}");
    };
    check(
        "profile.plan == 'pro'",
        &[r#"profile.plan == 'pro' [profile.plan="pro"] true"#],
    );
    check(
        "profile.plan == 'pro' && (profile.visits > 30 || profile.flag) && !profile.nothing",
        &[
            r#"profile.plan == 'pro' [profile.plan="pro"] true"#,
            "profile.visits > 30 [profile.visits=7] false",
            "profile.flag [profile.flag=true] true",
            "!profile.nothing [profile.nothing=null] true",
        ],
    );
    check(
        "profile.gone && profile.flag || profile.visits == 7 || profile.plan == 'pro'",
        &[
            "profile.gone [profile.gone=null] null",
            "profile.visits == 7 [profile.visits=7] true",
        ],
    );
    check(
        "profile.flag ? profile.visits < 3 : profile.plan == 'pro'",
        &[
            "profile.flag [profile.flag=true] true",
            "profile.visits < 3 [profile.visits=7] false",
        ],
    );
    check(
        "!(profile.flag && !(profile.visits > 30 || profile.balance > 0.2))",
        &[
            "profile.flag [profile.flag=true] true",
            "profile.visits > 30 [profile.visits=7] false",
            "profile.balance > 0.2 [profile.balance=0.1] false",
        ],
    );
    // What a leaf compares is in it, on both sides; what it does not need is not.
    check(
        "profile.visits + 1 >= count('Visit') * 3",
        &["profile.visits + 1 >= count('Visit') * 3 [profile.visits=7 count('Visit')=3] false"],
    );
    check(
        "profile.visits ?? profile.balance > profile.gone ?? profile.visits",
        &[
            "profile.visits ?? profile.balance > profile.gone ?? profile.visits \
           [profile.visits=7 profile.gone=null profile.visits=7] false",
        ],
    );
    check(
        "profile.plan in [profile.plan, properties.total]",
        &["profile.plan in [profile.plan, properties.total] \
           [profile.plan=\"pro\" profile.plan=\"pro\" properties.total=120.50] true"],
    );
    check(
        "profile.orders.exists(o, o.total > profile.visits)",
        &["profile.orders.exists(o, o.total > profile.visits) \
           [profile.orders=[{\"total\":5},{\"total\":50}] profile.visits=7] true"],
    );
    check(
        "profile.visits + 1",
        &["profile.visits + 1 [profile.visits=7] 8"],
    );
    check("true", &["true [] true"]);
}

fn shown(leaf: &Leaf) -> String {
    let reads = leaf.reads.iter();
    let reads: Vec<String> = reads
        .map(|(path, value)| format!("{path}={value}"))
        .collect();
    let first = leaf.reads.first().map(|(_, value)| value.clone());
    assert_eq!(leaf.value, first.unwrap_or_default());
    format!("{} [{}] {}", leaf.source, reads.join(" "), leaf.result)
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_inside_itself(source: String) {
        if let Err(error) = Expression::parse(&source, &names()) {
            prop_assert!(error.span.start <= error.span.end && error.span.end <= source.len());
            prop_assert!(source.get(error.span.range()).is_some());
        }
    }

    #[test]
    fn any_likely_text_has_a_value(source in "[a-z0-9 .()\\[\\]\"'!=<>&|?:+*/%-]{0,60}") {
        if let Ok(expression) = Expression::parse(&source, &names()) {
            let _value = with_scope(|scope| expression.value(scope).into_owned());
        }
    }
}
