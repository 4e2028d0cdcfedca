//! Where consent is told: is it read, and what cannot be told where it stands?

use super::*;

#[test]
fn where_consent_is_told_is_read() {
    let settings = read(
        "consent:\n  tcf_vendor: 755\n  segment_missing_is_false: true\n  categories:\n    \
         marketing: { aliases: [C0005, Email Marketing], gpc: true, tcf: { purposes: [1, 7] } }\n",
    );
    let consent = settings.unwrap().consent;
    let dialects = consent.dialects();
    assert_eq!(dialects.tcf_vendor, Some(755));
    assert!(dialects.segment_missing_is_false);
    for name in ["marketing", "C0005", "Email Marketing"] {
        assert_eq!(consent.called(name).map(|it| &**it), Some("marketing"));
    }
    assert_eq!(consent.called("c0005"), None);
    let hears = &consent.category("marketing").unwrap().hears;
    assert!(hears.gpc);
    assert_eq!(hears.purposes, [1, 7]);
}

#[test]
fn names_and_purposes_that_cannot_be_are_told_where_they_stand() {
    use Code::{InvalidValue, MissingKey, WrongShape};
    let check_consent = |consent: &str, expected: &[(Code, &str)]| {
        check(&format!("consent: {{ {consent} }}\n"), expected);
    };
    check_consent(
        "categories: { marketing: { aliases: [analytics] } }",
        &[(InvalidValue, "analytics")],
    );
    check_consent(
        "categories: { marketing: { aliases: [C1] }, analytics: { aliases: [C1] } }",
        &[(InvalidValue, "C1")],
    );
    check_consent(
        "categories: { marketing: { aliases: C1 } }",
        &[(WrongShape, "C1")],
    );
    check_consent(
        "categories: { marketing: { tcf: { purposes: [1] } } }",
        &[(InvalidValue, "tcf")],
    );
    check_consent(
        "tcf_vendor: 1, categories: { marketing: { tcf: { purposes: [25] } } }",
        &[(InvalidValue, "25")],
    );
    check_consent(
        "tcf_vendor: 1, categories: { marketing: { tcf: { purposes: [] } } }",
        &[(InvalidValue, "[]")],
    );
    check("server: { unsubscribe: {} }\n", &[(MissingKey, "{}")]);
}

#[test]
fn categories_that_cannot_be_are_told_where_they_stand() {
    use Code::{InvalidDuration, InvalidName, InvalidValue, MissingKey};
    let check_category = |category: &str, expected: &[(Code, &str)]| {
        check(
            &format!("consent: {{ categories: {{ {category} }} }}\n"),
            expected,
        );
    };
    check_category(
        "news: { default: accept }",
        &[(MissingKey, "default"), (MissingKey, "default")],
    );
    check_category(
        "news: { class: consent, binding: address }",
        &[(MissingKey, "class")],
    );
    check_category(
        "marketing: { binding: profile, channel: email }",
        &[(InvalidValue, "channel")],
    );
    check_category("marketing: { class: consnt }", &[(InvalidValue, "consnt")]);
    check_category(
        "marketing: { default: unknown }",
        &[(InvalidValue, "unknown")],
    );
    check_category(
        "marketing: { by_jurisdiction: { Germany: accept } }",
        &[(InvalidValue, "Germany")],
    );
    check_category(
        "marketing: { by_jurisdiction: { EU: decline, uk: decline } }",
        &[(InvalidValue, "EU"), (InvalidValue, "uk")],
    );
    check_category("marketing: { max_age: 0s }", &[(InvalidDuration, "0s")]);
    check_category(
        "News: { class: consent, binding: profile }",
        &[(InvalidName, "News")],
    );
    check_category("marketing..news: {}", &[(InvalidName, "marketing..news")]);
    check_category(
        "parties.late: { binding: profile }",
        &[(MissingKey, "binding")],
    );
    check_category(
        "marketing: { ask_again_after: 0s }",
        &[(InvalidDuration, "0s")],
    );
    check(
        "consent: { jurisdiction: { default: Europe } }\n",
        &[(InvalidValue, "Europe")],
    );
}
