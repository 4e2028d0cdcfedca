//! What do declared types refuse, what is impossible without any, and which names are noted?

use std::collections::BTreeMap;

use wayfare_journey::diagnostic::{Code, Diagnostic};
use wayfare_journey::{Compiled, Known, Open, Types, ValueType, compile};

use super::{BY_EVENT, compiled, edited, shown};

fn declared(names: &[(&str, ValueType)]) -> BTreeMap<String, ValueType> {
    let owned = names.iter().map(|(name, of)| ((*name).to_owned(), *of));
    owned.collect()
}

fn types() -> Types {
    let order = declared(&[
        ("total", ValueType::Number),
        ("orderId", ValueType::Text),
        ("items", ValueType::List),
        ("at", ValueType::Time),
    ]);
    let cancelled = declared(&[("reason", ValueType::Text), ("orderId", ValueType::Text)]);
    Types {
        profile: declared(&[
            ("blocked", ValueType::Boolean),
            ("tier", ValueType::Text),
            ("email", ValueType::Text),
            ("firstName", ValueType::Text),
            ("home", ValueType::Object),
        ]),
        account: BTreeMap::new(),
        events: BTreeMap::from([
            ("Order Placed".to_owned(), order.clone()),
            ("Order Paid".to_owned(), order),
            ("Order Cancelled".to_owned(), cancelled),
        ]),
    }
}

fn against(text: &str, types: Option<&Types>) -> Result<Compiled, Vec<Diagnostic>> {
    let known = Known {
        categories: &["marketing".into(), "essential".into()],
        types,
        ..Known::default()
    };
    compile(text, &known)
}

/// The problems of a condition in a block, against the declared types.
fn problems(condition: &str) -> Vec<(Code, String)> {
    let text = edited(BY_EVENT, &[("when: properties.total > 100", condition)]);
    match against(&text, Some(&types())) {
        Ok(_) => Vec::new(),
        Err(problems) => shown(&text, &problems),
    }
}

#[test]
fn what_is_declared_is_checked() {
    let fine = |condition: &str| assert_eq!(problems(condition), [], "{condition}");
    let check = |condition: &str, code: Code, underlined: &str| {
        assert_eq!(
            problems(condition),
            [(code, underlined.to_owned())],
            "{condition}"
        );
    };
    fine("when: properties.total > 1 && profile.tier == \"gold\"");
    fine("when: account.anything == \"open\"");
    fine("when: profile.home.city == 5 && properties.items[0].sku == \"a\"");
    fine("when: event.context.ip == \"::1\" && profile.profileId != null");
    fine("when: timestamp(properties.at) < now");
    check(
        "when: profile.teir == \"gold\"",
        Code::UndeclaredName,
        "teir",
    );
    check("when: properties.totl > 1", Code::UndeclaredName, "totl");
    check(
        "when: event.properties.totl > 1",
        Code::UndeclaredName,
        "totl",
    );
    check(
        "when: event[\"properties\"][\"totl\"] > 1",
        Code::UndeclaredName,
        "totl",
    );
    check(
        "when: trigger.properties.reason == \"x\"",
        Code::UndeclaredName,
        "reason",
    );
    check(
        "when: profile.tier.name == \"gold\"",
        Code::UndeclaredName,
        "tier",
    );
    check(
        "when: profile.tier > 5",
        Code::ImpossibleComparison,
        "profile.tier > 5",
    );
    check(
        "when: properties.total in [\"a\", \"b\"]",
        Code::ImpossibleComparison,
        "properties.total in [\"a\", \"b\"]",
    );
    check(
        "when: properties.at < now",
        Code::ImpossibleComparison,
        "properties.at < now",
    );
}

#[test]
fn a_where_is_checked_against_the_event_it_judges() {
    let check = |edit: (&str, &str), expected: &[(Code, &str)]| {
        let text = edited(BY_EVENT, &[edit]);
        let found = match against(&text, Some(&types())) {
            Ok(_) => Vec::new(),
            Err(problems) => shown(&text, &problems),
        };
        let expected = expected.iter().map(|(code, it)| (*code, (*it).to_owned()));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{edit:?}");
    };
    let reason = "where: event.properties.reason != \"test\"";
    check(
        (reason, "where: properties.total > 1"),
        &[(Code::UndeclaredName, "total")],
    );
    check((reason, "where: trigger.properties.total > 1"), &[]);
    let paid = "{payment.properties.total}";
    check(
        (paid, "{payment.properties.reason}"),
        &[(Code::UndeclaredName, "reason")],
    );
    check((paid, "{tear}"), &[(Code::UndeclaredName, "tear")]);
    // Of several events each must know the name; one that is not declared is open.
    let one = "event: Order Placed";
    check((one, "event: [Order Placed, Order Paid]"), &[]);
    check((one, "event: [Order Placed, Order Cancelled]"), &[]);
    check((one, "event: Order Dreamt"), &[]);
}

#[test]
fn without_declarations_only_the_impossible_is_refused() {
    let check = |condition: &str, underlined: &str| {
        let text = edited(BY_EVENT, &[("when: properties.total > 100", condition)]);
        let found = shown(&text, &compiled(&text).unwrap_err());
        let expected = (Code::ImpossibleComparison, underlined.to_owned());
        assert_eq!(found, [expected], "{condition}");
    };
    check("when: now > \"2026-01-01\"", "now > \"2026-01-01\"");
    check(
        "when: consent.marketing == true",
        "consent.marketing == true",
    );
    check("when: consent.marketing == \"acept\"", "\"acept\"");
    check("when: count(\"A\") >= \"3\"", "count(\"A\") >= \"3\"");
    check(
        "when: profile.x in profile.y.lower()",
        "profile.x in profile.y.lower()",
    );
    check("when: event.name == 5 || 1 == 1", "event.name == 5");
    for condition in [
        "when: profile.x == 5 || profile.x == \"5\"",
        "when: profile.x == null && now != null",
        "when: now - first(\"A\") > duration(\"3d\")",
        "when: (profile.x ?? 0) > 5",
        "when: '(profile.x ? 1 : \"a\") == 1'",
        "when: profile.x in [1, \"a\"]",
    ] {
        let text = edited(BY_EVENT, &[("when: properties.total > 100", condition)]);
        assert!(compiled(&text).is_ok(), "{condition}");
    }
}

#[test]
fn a_version_that_was_published_is_not_judged_again() {
    let text = edited(
        BY_EVENT,
        &[("when: properties.total > 100", "when: profile.teir == 5")],
    );
    assert!(against(&text, Some(&types())).is_err());
    assert!(against(&text, None).is_ok());
    let text = edited(
        BY_EVENT,
        &[("when: properties.total > 100", "when: now == 5")],
    );
    assert!(against(&text, None).is_ok());
}

#[test]
fn names_that_nothing_declares_are_noted_with_their_places() {
    let noted = |types: Types| {
        let compiled = against(BY_EVENT, Some(&types)).unwrap();
        let names = compiled.names.into_iter();
        let written = |span: wayfare_journey::diagnostic::Span| BY_EVENT.get(span.range()).unwrap();
        let noted: Vec<(Open, &str)> = names
            .map(|it| {
                assert_eq!(written(it.span), &*it.name);
                (it.of, written(it.span))
            })
            .collect();
        noted
    };
    let open = noted(Types::default());
    let count = |of: Open, name: &str| open.iter().filter(|it| **it == (of, name)).count();
    assert_eq!(count(Open::Property, "total"), 5);
    assert_eq!(count(Open::Property, "orderId"), 3);
    assert_eq!(count(Open::Profile, "email"), 1);
    assert_eq!(noted(types()), []);
}

#[test]
fn the_memory_of_message_ids_bounds_the_lateness() {
    let day = wayfare_journey::duration::DAY_US;
    let check = |days: i64, lateness: &str| {
        let text = edited(BY_EVENT, &[("lateness: 72h", lateness)]);
        let known = Known {
            categories: &["marketing".into()],
            lateness_us_max: days * day,
            ..Known::default()
        };
        compile(&text, &known).map_err(|problems| shown(&text, &problems))
    };
    assert!(check(6, "lateness: 6d").is_ok());
    assert!(check(29, "lateness: 29d").is_ok());
    for (days, lateness) in [(6, "lateness: 7d"), (29, "lateness: 30d")] {
        let expected = (Code::InvalidDuration, lateness.replace("lateness: ", ""));
        assert_eq!(check(days, lateness).map(|_| ()), Err(vec![expected]));
    }
}
