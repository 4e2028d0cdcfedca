//! Is there a file for every code the checker knows, and does its reader learn what to do?

use std::collections::BTreeSet;

use wayfare_journey::diagnostic::{Code, Severity};

use super::{BY_CONSENT, BY_EVENT, STREAM, compiled, edited};

/// A code, the edit that makes it, and words of its message or hint.
type Row = (
    Code,
    &'static str,
    (&'static str, &'static str),
    &'static str,
);

const SHAPES: [Row; 13] = [
    (
        Code::Yaml,
        BY_EVENT,
        ("  event: Order Placed", "\tevent: Order Placed"),
        "spaces",
    ),
    (
        Code::DuplicateKey,
        BY_EVENT,
        ("start: big", "start: big\nstart: big"),
        "keep one",
    ),
    (
        Code::HostileYaml,
        BY_EVENT,
        ("when: profile.email != null", "when: !has(profile.x)"),
        "'!has(x)'",
    ),
    (
        Code::WrongShape,
        BY_EVENT,
        ("wait: 2h", "wait: [2h]"),
        "found a list",
    ),
    (
        Code::InvalidTime,
        BY_EVENT,
        (
            "wait: 2h",
            "wait: { until: \"09:00\", zone: Europe/Berlim }",
        ),
        "did you mean `Europe/Berlin`?",
    ),
    (
        Code::NoMissing,
        BY_EVENT,
        ("wait: 2h", "wait: { until: profile.trialEndsAt }"),
        "add `missing:`",
    ),
    (
        Code::UnquotedBraces,
        BY_EVENT,
        ("\"{properties.orderId}\"", "{properties.orderId}"),
        "quote it: \"{properties.orderId}\"",
    ),
    (
        Code::UnknownKey,
        BY_EVENT,
        ("start: big", "strat: big"),
        "did you mean `start`?",
    ),
    (
        Code::MissingKey,
        BY_EVENT,
        ("    then: paid\n", ""),
        "`then:`",
    ),
    (
        Code::InvalidName,
        BY_EVENT,
        ("journey: order-care", "journey: Order Care"),
        "lower-case letters",
    ),
    (
        Code::InvalidDuration,
        BY_EVENT,
        ("wait: 2h", "wait: 2 hours"),
        "`2 hours`",
    ),
    (
        Code::BlockKind,
        BY_EVENT,
        ("exit: too late", "then: settle"),
        "`exit`",
    ),
    (
        Code::InvalidValue,
        BY_EVENT,
        ("method: POST", "method: PSOT"),
        "did you mean `POST`?",
    ),
];

const FLOWS: [Row; 14] = [
    (
        Code::ImpossibleComparison,
        BY_EVENT,
        (
            "when: profile.blocked == true",
            "when: consent.marketing == \"declined\"",
        ),
        "no choice is ever `declined`",
    ),
    (
        Code::Expression,
        BY_EVENT,
        ("properties.total > 100", "properties.total >"),
        "missing",
    ),
    (
        Code::UnknownName,
        BY_EVENT,
        ("properties.total > 100", "propertis.total > 1"),
        "did you mean `properties`?",
    ),
    (
        Code::Placeholder,
        BY_EVENT,
        ("\"{properties.orderId}\"", "\"{properties.orderId\""),
        "close it with `}`",
    ),
    (
        Code::UnknownBlock,
        BY_EVENT,
        ("        then: settle", "        then: setle"),
        "did you mean `settle`?",
    ),
    (
        Code::UnreachableBlock,
        BY_EVENT,
        ("  late:\n", "  lost:\n    exit: lost\n  late:\n"),
        "`then:`",
    ),
    (
        Code::NoWayToEnd,
        STREAM,
        (
            "    wait: 5m\n    then: tell\n",
            "    wait: 5m\n    then: pause\n",
        ),
        "`webhook:`",
    ),
    (
        Code::WebhookSuccessor,
        STREAM,
        ("  tell:\n", "  tell:\n    then: pause\n"),
        "take `then:` away",
    ),
    (
        Code::WebhookWithoutDecision,
        STREAM,
        ("again: once", "again: always"),
        "add `where:`",
    ),
    (
        Code::MissingElse,
        BY_EVENT,
        ("      - else: late\n", ""),
        "- else: BLOCK",
    ),
    (
        Code::DeadArm,
        BY_EVENT,
        ("when: properties.total > 100", "when: true"),
        "ever gets to",
    ),
    (
        Code::PassingCycle,
        BY_EVENT,
        ("- else: late\n  settle", "- else: big\n  settle"),
        "minute or more",
    ),
    (
        Code::NoTimeout,
        BY_EVENT,
        ("      timeout: 3d\n", ""),
        "add `timeout:`",
    ),
    (
        Code::PolledCondition,
        BY_EVENT,
        ("when: profile.blocked == true", "when: profile.until < now"),
        "wait for a duration",
    ),
];

const WEBHOOKS: [Row; 10] = [
    (
        Code::PersonalQuery,
        BY_EVENT,
        (
            "?paid={payment.properties.total}",
            "?to={email}&paid={payment.properties.total}",
        ),
        "`{profileId}`",
    ),
    (
        Code::RepeatedPost,
        BY_EVENT,
        ("      timeout: 10s", "      delivery: at_least_once"),
        "`Idempotency-Key`",
    ),
    (
        Code::MissingConsent,
        BY_EVENT,
        ("      consent: marketing\n", ""),
        "consent: marketing",
    ),
    (
        Code::UnknownCategory,
        BY_EVENT,
        ("consent: marketing", "consent: marketin"),
        "did you mean `marketing`?",
    ),
    (
        Code::ConsentContradiction,
        BY_CONSENT,
        (
            "consent: { category: marketing, action: decline }\n      payload",
            "consent: marketing\n      payload",
        ),
        "action: decline",
    ),
    (
        Code::LiteralSecret,
        BY_EVENT,
        ("{ env: MAIL_TOKEN }", "abc"),
        "{env: NAME}",
    ),
    (
        Code::InvalidUrl,
        BY_EVENT,
        ("url: https://mail.", "url: http://mail."),
        "not public",
    ),
    (
        Code::InvalidHeader,
        BY_EVENT,
        ("X-Source:", "Authorization:"),
        "write `auth:`",
    ),
    (
        Code::RawEvent,
        STREAM,
        ("{ id: \"{profile.profileId}\" }", "\"{event}\""),
        "name the values",
    ),
    (
        Code::NoDescription,
        BY_EVENT,
        ("description: Look after an order.\n", ""),
        "`description:`",
    ),
];

#[test]
fn every_code_has_a_file_that_makes_it_and_says_what_to_do() {
    let mut made = BTreeSet::new();
    for (code, base, edit, words) in SHAPES.into_iter().chain(FLOWS).chain(WEBHOOKS) {
        let text = edited(base, &[edit]);
        let problems = match (compiled(&text), code.severity()) {
            (Ok(compiled), Severity::Warning) => compiled.warnings,
            (Err(problems), Severity::Error) => problems,
            (other, _) => panic!("{code}: {other:?}"),
        };
        let problem = problems.iter().find(|problem| problem.code == code);
        let problem = problem.unwrap_or_else(|| panic!("{code}: {problems:?}"));
        let said = format!(
            "{}; {}",
            problem.message,
            problem.hint.as_deref().unwrap_or("")
        );
        assert!(said.contains(words), "{code}: {said}");
        made.insert(code);
    }
    // These need other files, a configuration or an environment beside the file.
    let not_alone = [
        Code::UndeclaredName,
        Code::DuplicateJourney,
        Code::UnresolvedSecret,
        Code::NearMiss,
    ];
    made.extend(not_alone);
    // Those of test files are made in `trial`; the last needs tests to be played.
    let of_tests = |code: &Code| code.as_str().starts_with("J07") || *code == Code::Uncovered;
    made.extend(Code::ALL.iter().copied().filter(of_tests));
    assert_eq!(made, Code::ALL.iter().copied().collect());
}
