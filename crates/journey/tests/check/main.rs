//! What does the checker refuse, and what does it underline? One sound file, one edit at a time.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken fixture should fail its test"
)]

mod codes;
mod flow;
mod names;
mod place;
mod query;
mod types;
mod webhook;

use std::sync::Arc;

use wayfare_journey::diagnostic::{Code, Diagnostic};
use wayfare_journey::{Compiled, Known, compile};

const BY_EVENT: &str = r#"
journey: order-care
description: Look after an order.
trigger:
  event: Order Placed
  where: properties.total > 10
entry:
  again: after_exit
  key: properties.orderId
  lateness: 72h
exit:
  - event: Order Cancelled
    where: event.properties.reason != "test"
    reason: cancelled
  - when: profile.blocked == true
start: big
blocks:
  big:
    decide:
      - when: properties.total > 100
        then: settle
      - else: late
  settle:
    wait: 2h
    then: paid
  paid:
    wait:
      for:
        - event: Order Paid
          where: event.properties.total == trigger.properties.total
          as: payment
          then: thank
        - when: profile.tier == "gold"
          then: late
      timeout: 3d
    then: late
  thank:
    webhook:
      method: POST
      url: https://mail.example.com/orders/{properties.orderId}?paid={payment.properties.total}
      consent: marketing
      auth: { bearer: { env: MAIL_TOKEN } }
      headers: { X-Source: wayfare }
      when: profile.email != null
      payload:
        order: "{properties.orderId}"
        note: "Hi {profile.firstName ?? 'there'}"
      timeout: 10s
      window: 15m
  late:
    exit: too late
"#;

const BY_CONSENT: &str = r#"
journey: consent-care
description: Follow a choice.
trigger:
  consent: { category: marketing, action: decline }
  where: change.previous == "accept"
entry:
  again: always
blocks:
  calm:
    wait:
      for:
        - event: Came Back
          where: event.properties.sure == true
          then: done
      timeout: 3d
    then: tell
  tell:
    webhook:
      method: DELETE
      url: https://mail.example.com/subscribers/{email}
      consent: { category: marketing, action: decline }
      payload: none
  done:
    exit: came back
"#;

const STREAM: &str = r#"
journey: signups
description: Tell the shop.
trigger:
  event: Signup Completed
entry:
  again: once
blocks:
  pause:
    wait: 5m
    then: tell
  tell:
    webhook:
      method: POST
      url: https://mail.example.com/signups
      consent: { basis: contract, because: the contract asks for it }
      payload: { id: "{profile.profileId}" }
"#;

fn compiled(text: &str) -> Result<Compiled, Vec<Diagnostic>> {
    let categories: Vec<Arc<str>> = ["marketing", "essential", "sms_marketing"]
        .map(Arc::from)
        .to_vec();
    let vet = |url: &str| {
        if url.starts_with("https://") && !url.contains("internal") {
            Ok(())
        } else {
            Err(format!("`{url}` is not public"))
        }
    };
    let known = Known {
        categories: &categories,
        vet: &vet,
        ..Known::default()
    };
    compile(text, &known)
}

fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits
        .iter()
        .fold(text.to_owned(), |text, (line, replacement)| {
            assert_eq!(text.matches(line).count(), 1, "`{line}` stands once");
            text.replace(line, replacement)
        })
}

/// Each problem's code and the text it underlines.
fn shown(text: &str, problems: &[Diagnostic]) -> Vec<(Code, String)> {
    let underlined =
        |problem: &Diagnostic| text.get(problem.span.range()).unwrap_or("?").to_owned();
    problems
        .iter()
        .map(|problem| (problem.code, underlined(problem)))
        .collect()
}

fn problems(text: &str) -> Vec<(Code, String)> {
    match compiled(text) {
        Ok(_) => Vec::new(),
        Err(problems) => shown(text, &problems),
    }
}

/// The edits leave one problem: this one, underlining this text.
fn check_edits(base: &str, edits: &[(&str, &str)], code: Code, underlined: &str) {
    let text = edited(base, edits);
    assert_eq!(
        problems(&text),
        [(code, underlined.to_owned())],
        "{edits:?}"
    );
}

fn check(line: &str, replacement: &str, code: Code, underlined: &str) {
    check_edits(BY_EVENT, &[(line, replacement)], code, underlined);
}

fn fine(base: &str, edits: &[(&str, &str)]) {
    let text = edited(base, edits);
    assert_eq!(problems(&text), [], "{edits:?}");
}

#[test]
fn sound_files_have_no_problems_and_no_warnings() {
    for text in [BY_EVENT, BY_CONSENT, STREAM] {
        let warnings = compiled(text).map(|compiled| shown(text, &compiled.warnings));
        assert_eq!(warnings.unwrap(), []);
    }
}

#[test]
fn every_shipped_journey_compiles_without_a_warning() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../journeys");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap();
        if !name.ends_with(".yaml") || name.ends_with(".test.yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let compiled = compiled(&text).unwrap_or_else(|problems| panic!("{path:?}: {problems:?}"));
        assert_eq!(shown(&text, &compiled.warnings), [], "{path:?}");
    }
}

#[test]
fn every_problem_is_told_at_once_in_the_files_order() {
    let text = edited(
        BY_EVENT,
        &[
            ("  where: properties.total > 10\n", "  where: total > 10\n"),
            ("wait: 2h", "wait: 2x"),
            ("consent: marketing", "consent: sales"),
            ("window: 15m", "window: 2d"),
            ("    exit: too late\n", "    exti: too late\n"),
        ],
    );
    let codes: Vec<Code> = problems(&text).into_iter().map(|(code, _)| code).collect();
    assert_eq!(
        codes,
        [
            Code::UnknownName,
            Code::InvalidDuration,
            Code::UnknownCategory,
            Code::InvalidDuration,
            Code::BlockKind,
            Code::UnknownKey,
        ]
    );
}

#[test]
fn a_wrong_word_hides_no_wrong_way() {
    let text = edited(
        BY_EVENT,
        &[
            ("description: Look after an order.\n", ""),
            ("properties.total > 100", "totl > 100"),
            ("wait: 2h", "wait: 2 hours"),
            ("when: profile.tier == \"gold\"", "when: tier == \"gold\""),
            ("consent: marketing", "consent: sales"),
            (
                "  late:\n",
                "  lost:\n    wait: 1h\n    then: lost\n  late:\n",
            ),
        ],
    );
    let expected = [
        (Code::UnknownName, "totl"),
        (Code::InvalidDuration, "2 hours"),
        (Code::UnknownName, "tier"),
        (Code::UnknownCategory, "sales"),
        (Code::UnreachableBlock, "lost"),
        (Code::NoWayToEnd, "lost"),
    ];
    assert_eq!(
        problems(&text),
        expected.map(|(code, text)| (code, text.to_owned()))
    );
}

#[test]
fn ways_that_are_not_known_are_not_judged() {
    let settle = "        then: settle";
    for edits in [
        vec![
            (settle, "        then: setle"),
            ("    then: paid\n", "    then: pad\n"),
        ],
        vec![("start: big", "start: bg")],
        vec![("      - else: late\n", "      - else: lat\n")],
    ] {
        let found = problems(&edited(BY_EVENT, &edits));
        let codes: Vec<Code> = found.into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, vec![Code::UnknownBlock; edits.len()]);
    }
}

#[test]
fn a_journey_without_a_description_compiles_with_a_warning() {
    let text = edited(BY_EVENT, &[("description: Look after an order.\n", "")]);
    let compiled = compiled(&text).unwrap();
    assert_eq!(
        shown(&text, &compiled.warnings),
        [(Code::NoDescription, "order-care".to_owned())]
    );
}
