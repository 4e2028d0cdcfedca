//! Does time go on as the page says: waits, repeats, answers that never come?

use crate::{CASE, edited, ending, tried};

/// The case with these answers, after which these requests must arrive.
fn check(answers: &str, times: &[&str]) {
    let listed: Vec<String> = times
        .iter()
        .map(|at| format!("{{ at: \"{at}\" }}"))
        .collect();
    let expected = format!(
        "    respond: {answers}\n    expect: [{}]\n",
        listed.join(", ")
    );
    let (status, out) = tried(&ending(CASE, &expected));
    assert_eq!(status, 0, "{out}");
}

#[test]
fn repeats_come_when_they_are_planned_until_the_delivery_is_final() {
    check("[]", &["+1h"]);
    check("[422]", &["+1h"]);
    check("[500, 502, 200]", &["+1h", "+3601s", "+3606s"]);
    check("[reset]", &["+1h", "+3601s"]);
}

#[test]
fn an_attempt_without_an_answer_takes_its_whole_time() {
    // Ten seconds, and one until the next.
    check("[timeout]", &["+1h", "+3611s"]);
}

#[test]
fn a_request_that_never_left_is_none() {
    check("[refuse]", &["+3601s"]);
}

#[test]
fn time_ends_where_advance_says() {
    let without_payment = edited("event: Order Paid", "event: Order Lost");
    let run = |advance: &str, decisions: &str| {
        let end = format!("    advance: {advance}\n    expect: []\n    decisions: {decisions}\n");
        let text = ending(&without_payment, &end);
        let (status, out) = tried(&text);
        assert_eq!(status, 0, "{out}");
    };
    run("0s", "[]");
    run("59m59s", "[]");
    run("1h", "[{ at: \"+2h\", block: late, outcome: exit }]");
}

#[test]
fn an_event_may_come_long_after_it_happened() {
    let text = edited(
        "at: \"2026-01-26T11:00:00Z\"",
        "at: \"2026-01-26T11:00:00Z\"\n        timestamp: \"2026-01-20T11:00:00Z\"",
    );
    let text = ending(&text, "    expect: []\n    refused: [{ reason: late }]\n");
    let (status, out) = tried(&text);
    assert_eq!(status, 0, "{out}");
}
