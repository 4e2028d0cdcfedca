//! Which names do expressions not find where they stand?

use wayfare_journey::diagnostic::Code;

use super::{BY_CONSENT, BY_EVENT, check, check_edits, compiled, edited, fine};

#[test]
fn an_expression_names_what_exists_where_it_stands() {
    let check = |line: &str, replacement: &str, underlined: &str| {
        check(line, replacement, Code::UnknownName, underlined);
    };
    check("properties.total > 10\n", "total > 10\n", "total");
    check(
        "event.properties.reason",
        "event.propertis.reason",
        "propertis",
    );
    check(
        "profile.blocked == true",
        "consent.sales == \"accept\"",
        "sales",
    );
    check(
        "profile.tier == \"gold\"",
        "payment.properties.total > 1",
        "payment",
    );
    check("properties.total > 100", "change.address == null", "change");
    check(
        "profile.email != null",
        "profile.email.trim() != null",
        "trim",
    );
    let consent = |line: &str, replacement: &str, underlined: &str| {
        check_edits(
            BY_CONSENT,
            &[(line, replacement)],
            Code::UnknownName,
            underlined,
        );
    };
    consent(
        "change.previous == \"accept\"",
        "properties.total > 1",
        "properties",
    );
    consent("{email}", "{event.name}", "event");
    consent(
        "event.properties.sure == true",
        "trigger.properties.sure == true",
        "trigger",
    );
    fine(
        BY_CONSENT,
        &[("event.properties.sure == true", "properties.sure == true")],
    );
}

#[test]
fn a_name_that_only_some_ways_pass_is_explained() {
    let condition = "when: profile.tier == \"gold\"\n          then: late";
    let text = edited(
        BY_EVENT,
        &[(
            condition,
            "when: profile.tier == \"gold\"\n          then: thank",
        )],
    );
    let problem = compiled(&text).unwrap_err().remove(0);
    assert_eq!(problem.code, Code::UnknownName);
    assert_eq!(
        problem.message,
        "not every way to this place passes a wait that names `payment`"
    );
}

#[test]
fn a_key_is_a_path() {
    check(
        "key: properties.orderId",
        "key: properties.orderId + 1",
        Code::InvalidValue,
        "properties.orderId + 1",
    );
}
