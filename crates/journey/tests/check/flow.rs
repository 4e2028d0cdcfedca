//! Which ways through a journey are refused?

use wayfare_journey::diagnostic::Code;

use super::{BY_EVENT, STREAM, check, check_edits, compiled, edited, fine, problems};

const ARM: &str = "      - else: late\n";
const CIRCLE_ARM: &str =
    "      - when: profile.again == true\n        then: circle\n      - else: late\n";
const LAST: &str = "    exit: too late\n";

fn with_circle(circle: &str) -> String {
    format!("{LAST}  circle:\n{circle}")
}

#[test]
fn a_successor_is_a_block_of_the_journey() {
    let settle = "        then: settle";
    check(settle, "        then: setle", Code::UnknownBlock, "setle");
    check("start: big", "start: bg", Code::UnknownBlock, "bg");
    let text = edited(BY_EVENT, &[(settle, "        then: setle")]);
    let hint = compiled(&text).unwrap_err().remove(0).hint;
    assert_eq!(hint.as_deref(), Some("did you mean `settle`?"));
    check("    then: paid\n", "", Code::MissingKey, "wait");
    check(
        "      window: 15m\n",
        "      window: 15m\n    then: late\n",
        Code::WebhookSuccessor,
        "late",
    );
    check(
        ARM,
        "      - else: late\n    then: settle\n",
        Code::UnknownKey,
        "settle",
    );
    check(
        LAST,
        "    exit: too late\n    then: settle\n",
        Code::UnknownKey,
        "settle",
    );
}

#[test]
fn a_problem_of_shape_does_not_make_other_blocks_unknown() {
    check(
        "    wait: 2h\n",
        "    wait: [2h]\n",
        Code::WrongShape,
        "[2h]",
    );
    let text = edited(BY_EVENT, &[("    wait: 2h\n", "    wiat: 2h\n")]);
    let expected = [
        (Code::BlockKind, "settle".to_owned()),
        (Code::UnknownKey, "wiat".to_owned()),
    ];
    assert_eq!(problems(&text), expected);
}

#[test]
fn what_cannot_be_read_is_not_missing() {
    let check = |line: &str, replacement: &str, underlined: &str| {
        check(line, replacement, Code::WrongShape, underlined);
    };
    check("      timeout: 3d\n", "      timeout: 3\n", "3");
    check("    then: paid\n", "    then: [paid]\n", "[paid]");
    check("- when: properties.total > 100", "- when: null", "null");
    check("- else: late", "- else: [late]", "[late]");
    check("- when: profile.blocked == true", "- when: 1", "1");
    check(
        "where: event.properties.reason != \"test\"",
        "where: 1",
        "1",
    );
    check("consent: marketing", "consent: { category: 1 }", "1");
    check(
        "consent: marketing",
        "consent: { basis: contract, because: 1 }",
        "1",
    );
}

#[test]
fn every_block_is_reached_and_leads_to_an_end() {
    check(
        LAST,
        "    exit: too late\n  lost:\n    exit: lost\n",
        Code::UnreachableBlock,
        "lost",
    );
    check(
        "          then: thank\n",
        "          then: late\n",
        Code::UnreachableBlock,
        "thank",
    );
    let endless = with_circle("    wait: 1h\n    then: circle\n");
    check_edits(
        BY_EVENT,
        &[(ARM, CIRCLE_ARM), (LAST, &endless)],
        Code::NoWayToEnd,
        "circle",
    );
}

#[test]
fn a_cycle_waits_somewhere_on_its_way_round() {
    let circle = |body: &str| with_circle(body);
    let deciding = circle(
        "    decide:\n      - when: profile.round == true\n        then: circle\n      - else: late\n",
    );
    let short = circle("    wait: 30s\n    then: big\n");
    let long = circle("    wait: 60s\n    then: big\n");
    let event = circle(
        "    wait:\n      for:\n        - event: Seen\n          then: circle\n      timeout: 1h\n    then: late\n",
    );
    let condition = circle(
        "    wait:\n      for:\n        - when: profile.seen == true\n          then: circle\n      timeout: 1h\n    then: late\n",
    );
    let both = circle(
        "    wait:\n      for:\n        - event: Seen\n          then: circle\n        - when: profile.seen == true\n          then: late\n      timeout: 1h\n    then: late\n",
    );
    let quick = circle(
        "    wait:\n      for:\n        - event: Seen\n          then: late\n      timeout: 5s\n    then: circle\n",
    );
    let refused = |body: &str, underlined: &str| {
        check_edits(
            BY_EVENT,
            &[(ARM, CIRCLE_ARM), (LAST, body)],
            Code::PassingCycle,
            underlined,
        );
    };
    refused(&deciding, "circle");
    refused(&short, "big");
    refused(&condition, "circle");
    refused(&quick, "circle");
    fine(BY_EVENT, &[(ARM, CIRCLE_ARM), (LAST, &long)]);
    fine(BY_EVENT, &[(ARM, CIRCLE_ARM), (LAST, &event)]);
    fine(BY_EVENT, &[(ARM, CIRCLE_ARM), (LAST, &both)]);
}

#[test]
fn a_webhook_that_any_event_reaches_is_refused() {
    let stream = |edits: &[(&str, &str)]| {
        check_edits(STREAM, edits, Code::WebhookWithoutDecision, "webhook");
    };
    let once = "  again: once\n";
    stream(&[(once, "  again: always\n")]);
    stream(&[(once, "  again: after_exit\n")]);
    stream(&[("entry:\n  again: once\n", "")]);
    let event = "  event: Signup Completed\n";
    let with_where = "  event: Signup Completed\n  where: properties.plan == \"pro\"\n";
    let always = "  event: Signup Completed\n  where: true\n";
    let pause = "    wait: 5m\n    then: tell\n";
    let decide = "    decide:\n      - when: profile.plan == \"pro\"\n        then: tell\n      - else: no\n  no:\n    exit: no\n";
    let one_way = "    decide:\n      - else: tell\n";
    let wait = "    wait:\n      for:\n        - event: Paid\n          then: tell\n      timeout: 1d\n    then: tell\n";
    let payload = "      payload: { id: \"{profile.profileId}\" }\n";
    let when =
        "      payload: { id: \"{profile.profileId}\" }\n      when: profile.plan == \"pro\"\n";
    let open = (once, "  again: always\n");
    stream(&[open, (event, always)]);
    stream(&[open, (pause, one_way)]);
    fine(STREAM, &[open, (event, with_where)]);
    fine(STREAM, &[open, (pause, decide)]);
    fine(STREAM, &[open, (pause, wait)]);
    fine(STREAM, &[open, (payload, when)]);
    fine(STREAM, &[(once, "  again: 30d\n")]);
}

#[test]
fn a_decision_sends_everybody_somewhere_and_every_arm_can_be_taken() {
    check(ARM, "", Code::MissingElse, "decide");
    let first = "- when: properties.total > 100";
    check(first, "- when: true", Code::DeadArm, "else");
    let text = edited(
        BY_EVENT,
        &[(
            ARM,
            "      - else: late\n      - when: profile.x == 1\n        then: late\n      - else: late\n",
        )],
    );
    let dead = |underlined: &str| (Code::DeadArm, underlined.to_owned());
    assert_eq!(problems(&text), [dead("when"), dead("else")]);
}

#[test]
fn a_wait_ends_and_is_woken_by_what_happens() {
    check("      timeout: 3d\n", "", Code::NoTimeout, "wait");
    let condition = "when: profile.tier == \"gold\"";
    check(
        condition,
        "when: profile.endsAt < now",
        Code::PolledCondition,
        "profile.endsAt < now",
    );
    check(
        "when: profile.blocked == true",
        "when: last(\"Visit\") < now - duration(\"3d\")",
        Code::PolledCondition,
        "last(\"Visit\") < now - duration(\"3d\")",
    );
    let dated = "
journey: j
description: Tell when it ends.
trigger: { date: profile.endsAt ?? now }
blocks: { over: { exit: over } }
";
    let moves = (Code::PolledCondition, "profile.endsAt ?? now".to_owned());
    assert_eq!(problems(dated), [moves]);
    for name in ["profile", "true", "the payment", "1st"] {
        let named = format!("          as: {name}\n");
        let edits = [
            ("          as: payment\n", named.as_str()),
            ("{payment.properties.total}", "{plan}"),
        ];
        check_edits(BY_EVENT, &edits, Code::InvalidName, name);
    }
    let text = edited(
        BY_EVENT,
        &[(
            condition,
            "when: profile.tier == \"gold\"\n          as: tier",
        )],
    );
    assert_eq!(problems(&text), [(Code::InvalidValue, "tier".to_owned())]);
}

#[test]
fn durations_are_read_and_have_limits() {
    let check = |line: &str, replacement: &str, underlined: &str| {
        check(line, replacement, Code::InvalidDuration, underlined);
    };
    check("wait: 2h", "wait: 2 hours", "2 hours");
    check("wait: 2h", "wait: P1M", "P1M");
    check("wait: 2h", "wait: 401d", "401d");
    check("wait: 2h", "wait: 0s", "0s");
    check("timeout: 3d", "timeout: soon", "soon");
    check("timeout: 10s", "timeout: 61s", "61s");
    check("window: 15m", "window: 25h", "25h");
    check("lateness: 72h", "lateness: 7d", "7d");
    check("again: after_exit", "again: sometimes", "sometimes");
}

#[test]
fn the_engines_own_reasons_are_not_an_authors() {
    check("exit: too late", "exit: limit", Code::InvalidValue, "limit");
    check(
        "reason: cancelled",
        "reason: life_over",
        Code::InvalidValue,
        "life_over",
    );
}
