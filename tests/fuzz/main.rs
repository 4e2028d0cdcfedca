//! Does everything that reads bytes from outside keep its word for those that are kept, and for a few
//! thousand made of them? `longer` does the same for as long as it is told, and libFuzzer's targets
//! beside this look for other ways through the code.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

mod entry;
mod found;
mod generate;

/// How many inputs are made for a target, so that each takes a few seconds without optimisation.
const MADE: [(&str, u64); 6] = [
    ("event", 1_500),
    ("journey", 300),
    ("expression", 4_000),
    ("template", 400),
    ("frame", 600),
    ("record", 8_000),
];

fn holds(target: &str) {
    let kept = generate::kept(target);
    assert!(!kept.is_empty());
    for (path, bytes) in &kept {
        let given = found::given(target, bytes);
        given.unwrap_or_else(|told| panic!("{}: {told}", path.display()));
    }
    let (_, made) = MADE.iter().find(|(name, _)| *name == target).unwrap();
    for number in 0..*made {
        let bytes = generate::made(target, &kept, number);
        found::given(target, &bytes).unwrap_or_else(|told| panic!("{told}"));
    }
}

#[test]
fn every_text_is_an_event_or_refused() {
    holds("event");
}

#[test]
fn every_text_is_a_journey_or_told_why_not() {
    holds("journey");
}

#[test]
fn every_expression_has_a_value_and_every_other_text_a_place() {
    holds("expression");
}

#[test]
fn every_request_goes_where_its_author_wrote() {
    holds("template");
}

#[test]
fn every_log_gives_back_what_was_written_and_nothing_else() {
    holds("frame");
}

#[test]
fn every_stored_record_is_refused_or_understood_for_good() {
    holds("record");
}

#[test]
fn every_target_is_tried_and_the_corpus_stays_small() {
    assert_eq!(entry::TARGETS.map(|it| it.0), MADE.map(|it| it.0));
    let kept = MADE.map(|(target, _)| generate::kept(target));
    let bytes: usize = kept.iter().flatten().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes < 500_000, "{bytes} bytes");
}
