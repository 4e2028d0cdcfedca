//! Does a problem inside a quoted text point at the bytes that are wrong?

use wayfare_journey::diagnostic::Code;

use super::{BY_EVENT, compiled, edited};

const WHEN: &str = "- when: properties.total > 100\n        then: settle";
const NOTE: &str = "note: \"Hi {profile.firstName ?? 'there'}\"";

/// The one problem of an edit, and the text before and under its underline, on its line.
fn check(line: &str, replacement: &str, code: Code, marked: &str) {
    let text = edited(BY_EVENT, &[(line, replacement)]);
    let problems = compiled(&text).unwrap_err();
    let [problem] = problems.as_slice() else {
        panic!("{replacement}: {problems:?}")
    };
    assert_eq!(problem.code, code, "{replacement}");
    let before = text.get(..problem.span.start).unwrap();
    let before = before.rsplit('\n').next().unwrap().trim_start();
    let underlined = text.get(problem.span.range()).unwrap();
    assert_eq!(format!("{before}»{underlined}«"), marked, "{replacement}");
}

#[test]
fn a_condition_points_at_the_word_that_is_wrong() {
    let when = |written: &str, code: Code, marked: &str| {
        let replacement = format!("- when: {written}\n        then: settle");
        check(WHEN, &replacement, code, marked);
    };
    let unknown = |written: &str, marked: &str| when(written, Code::UnknownName, marked);
    unknown("totl > 100", "- when: »totl«");
    unknown("1 < totl", "- when: 1 < »totl«");
    unknown("'1 < totl'", "- when: '1 < »totl«");
    unknown("\"1 < totl\"", "- when: \"1 < »totl«");
    unknown("   '  1 < totl'", "- when:    '  1 < »totl«");
    unknown(
        "profile.a == \"\u{e9}\u{1f600}\" && totl",
        "- when: profile.a == \"\u{e9}\u{1f600}\" && »totl«",
    );
    unknown("totl == totl", "- when: »totl«");
    unknown("|-\n          1 < totl", "1 < »totl«");
    unknown("|\n          1 < totl\n", "1 < »totl«");
    unknown(">-\n          1 < totl", "1 < »totl«");
    unknown("|-\n          1 == 1 &&\n            totl", "»totl«");
    // Escapes make the value another text than the written one.
    unknown("\"\\\"a\\\" == totl\"", "- when: \"\\\"a\\\" == »totl«");
    unknown(
        "'profile.a == ''x'' && totl'",
        "- when: 'profile.a == ''x'' && »totl«",
    );
    when("1 + ", Code::Expression, "- when: 1 +»«");
    when("'1 < < 2'", Code::Expression, "- when: '1 < »<«");
    when("(1", Code::Expression, "- when: (1»«");
    when(
        "profile.a matches 1",
        Code::Expression,
        "- when: profile.a »matches«",
    );
    when(
        "profile.a.matches('(')",
        Code::Expression,
        "- when: profile.a.matches(»'('«",
    );
}

#[test]
fn a_placeholder_points_at_the_word_that_is_wrong() {
    let note = |written: &str, code: Code, marked: &str| {
        check(NOTE, &format!("note: {written}"), code, marked);
    };
    let unknown = |written: &str, marked: &str| note(written, Code::UnknownName, marked);
    unknown("\"{totl}\"", "note: \"{»totl«");
    unknown("'{totl}'", "note: '{»totl«");
    unknown("Hi {totl}", "note: Hi {»totl«");
    unknown(
        "Hi \u{e9} {profile.a} { totl }",
        "note: Hi \u{e9} {profile.a} { »totl«",
    );
    unknown("\"{{totl}} {totl}\"", "note: \"{{totl}} {»totl«");
    unknown("\"a\\tb {totl}\"", "note: \"a\\tb {»totl«");
    unknown("'it''s {totl}'", "note: 'it''s {»totl«");
    note("\"a {profile.a\"", Code::Placeholder, "note: \"a »{«");
    note("\"a } b\"", Code::Placeholder, "note: \"a »}«");
    note("\"a {} b\"", Code::Expression, "note: \"a {»«");
    let url = "orders/{properties.orderId}?";
    check(
        url,
        "orders/{properties.orderId +}?",
        Code::Expression,
        "url: https://mail.example.com/orders/{properties.orderId +»«",
    );
    check(
        "{ X-Source: wayfare }",
        "{ X-Source: \"w-{totl}\" }",
        Code::UnknownName,
        "headers: { X-Source: \"w-{»totl«",
    );
}
