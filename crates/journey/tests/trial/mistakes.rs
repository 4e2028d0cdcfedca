//! Is every mistake in a test file told where it stands, with what to do?

use wayfare_journey::diagnostic::Code;
use wayfare_journey::trial;

use crate::{SUITE, graphs};

/// An edit of the file, the code it makes, what is underlined, and words of the message or hint.
type Row = (
    (&'static str, &'static str),
    Code,
    &'static str,
    &'static str,
);

const MISTAKES: [Row; 28] = [
    (
        ("journey: plan-upgrade", "journey: plan-upgrad"),
        Code::UnknownTested,
        "plan-upgrad",
        "did you mean `plan-upgrade`?",
    ),
    (
        ("with: [consent-revocation]", "with: [nothing]"),
        Code::UnknownTested,
        "nothing",
        "there are: consent-revocation, plan-upgrade",
    ),
    (
        ("with: [consent-revocation]\n", ""),
        Code::UnknownTestBlock,
        "unsubscribe",
        "its blocks are paid_plan, sync_billing, not_paid",
    ),
    (
        ("with: [consent-revocation]\n", ""),
        Code::UnknownTested,
        "consent-revocation",
        "name it under `with:`",
    ),
    (
        ("block: sync_billing", "block: sync_biling"),
        Code::UnknownTestBlock,
        "sync_biling",
        "did you mean `sync_billing`?",
    ),
    (
        ("never: [not_paid]", "never: [unsubscribe]"),
        Code::UnknownTestBlock,
        "unsubscribe",
        "`plan-upgrade` has no block",
    ),
    (
        ("advance:", "advnace:"),
        Code::UnknownKey,
        "advnace",
        "did you mean `advance`?",
    ),
    (
        ("method: PUT", "metod: PUT"),
        Code::UnknownKey,
        "metod",
        "did you mean `method`?",
    ),
    (
        ("properties: {", "propertis: {"),
        Code::UnknownKey,
        "propertis",
        "did you mean `properties`?",
    ),
    (
        ("    expect:\n", "    expct:\n"),
        Code::MissingKey,
        "name",
        "`expect: []`",
    ),
    (
        ("at: \"2026-01-26T11:00:00Z\", ", ""),
        Code::MissingKey,
        "type",
        "when it comes in",
    ),
    (
        ("advance: 3d", "advance: 3 days"),
        Code::InvalidDuration,
        "3 days",
        "`36h`",
    ),
    (
        ("at: \"2026-01-26T11:00:00Z\"", "at: noon"),
        Code::TestTime,
        "noon",
        "\"+2m\" after the first event",
    ),
    (
        ("at: \"2026-01-26T11:00:00Z\"", "at: \"+1m\""),
        Code::TestTime,
        "\"+1m\"",
        "a whole time",
    ),
    (
        ("at: \"+2m\", type", "at: \"2026-01-26T10:59:59Z\", type"),
        Code::TestTime,
        "\"2026-01-26T10:59:59Z\"",
        "a `timestamp:` of its own",
    ),
    (
        ("- at: \"+2m\"", "- at: \"+2 minutes\""),
        Code::TestTime,
        "\"+2 minutes\"",
        "\"+90s\"",
    ),
    (
        ("$any: true", "$any: false"),
        Code::Matcher,
        "false",
        "{$any: true}",
    ),
    (
        ("$any: true", "$any: true, b: 1"),
        Code::Matcher,
        "$any",
        "one key",
    ),
    (
        ("$any: true", "$ayn: true"),
        Code::Matcher,
        "$ayn",
        "did you mean `$any`?",
    ),
    (
        ("$matches: \"^x\"", "$matches: \"(x\""),
        Code::Matcher,
        "\"(x\"",
        "unclosed group",
    ),
    (
        ("$matches: \"^x\"", "$matches: 7"),
        Code::Matcher,
        "7",
        "as text",
    ),
    (
        ("type: track, ", "type: trak, "),
        Code::TestEvent,
        "{ at: \"+2m\", type: trak, userId: u1, event: Plan Upgraded, properties: { count: 1.10 } }",
        "`trak`",
    ),
    (
        (
            "    never: [not_paid]\n",
            "    never: [not_paid]\n  - { name: one, events: [{ at: \"2026-01-26\", type: page, userId: u }], expect: [] }\n",
        ),
        Code::DuplicateTest,
        "one",
        "say what this one shows",
    ),
    (
        ("[503, timeout, reset, refuse, 200]", "[99]"),
        Code::InvalidValue,
        "99",
        "from 200 to 599",
    ),
    (
        ("[503, timeout, reset, refuse, 200]", "[slow]"),
        Code::InvalidValue,
        "slow",
        "`timeout`",
    ),
    (
        ("method: PUT", "method: PATCH"),
        Code::InvalidValue,
        "PATCH",
        "POST, PUT, DELETE",
    ),
    (
        ("refused: []", "refused: none"),
        Code::WrongShape,
        "none",
        "`[]` means that none may come",
    ),
    (
        ("never: [not_paid]", "never: not_paid"),
        Code::WrongShape,
        "not_paid",
        "a list of blocks",
    ),
];

#[test]
fn every_mistake_is_told_where_it_stands_with_what_to_do() {
    let graphs = graphs();
    for ((line, replacement), code, underlined, words) in MISTAKES {
        assert_eq!(SUITE.matches(line).count(), 1, "{line}");
        let text = SUITE.replace(line, replacement);
        let problems = trial::read(&text, &graphs).unwrap_err();
        let found = problems.iter().any(|problem| {
            let said = format!(
                "{}; {}",
                problem.message,
                problem.hint.as_deref().unwrap_or("")
            );
            problem.code == code
                && text.get(problem.span.range()) == Some(underlined)
                && said.contains(words)
        });
        assert!(found, "{replacement}: {problems:#?}");
    }
    let of_tests = |code: &&Code| code.as_str().starts_with("J07");
    for code in Code::ALL.iter().filter(of_tests) {
        assert!(MISTAKES.iter().any(|(_, made, ..)| made == code), "{code}");
    }
}

#[test]
fn a_file_that_ends_anywhere_is_told_and_nothing_else_happens() {
    let graphs = graphs();
    for end in 0..SUITE.len() {
        let text = SUITE.get(..end).unwrap();
        if let Err(problems) = trial::read(text, &graphs) {
            let ends = problems.iter().map(|problem| problem.span.end);
            assert!(ends.max().unwrap() <= end, "{text}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_order() {
    let text = SUITE
        .replace("journey: plan-upgrade", "journey: plan")
        .replace("advance: 3d", "advance: x")
        .replace("$any: true", "$any: 1");
    let problems = trial::read(&text, &graphs()).unwrap_err();
    let codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    let expected = [Code::UnknownTested, Code::InvalidDuration, Code::Matcher];
    assert_eq!(codes, expected);
}
