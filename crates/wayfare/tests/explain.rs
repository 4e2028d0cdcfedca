//! Is everybody told why they got it, or not? One scenario for each answer there is, through the
//! program, its text compared word by word.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "explain/ask.rs"]
mod ask;
#[expect(dead_code, reason = "other tests start what is shipped")]
#[path = "at_work/program.rs"]
mod program;
#[path = "at_work/receiver.rs"]
mod receiver;

use std::path::Path;

use ask::{answered, directory, play, played, resend, wayfare, why};
use program::parse;

/// Asks and compares what is told behind the lines about who and which journey.
fn check(directory: &Path, profile: &str, expected: &str) {
    let told = why(directory, profile);
    let lines = told
        .lines()
        .skip_while(|line| !line.starts_with("journey "));
    let lines: Vec<&str> = lines.skip(1).collect();
    assert_eq!(lines.join("\n"), expected.trim(), "{told}");
}

fn journey(entry: &str, rest: &str) -> String {
    format!(
        "journey: j
description: A test.
trigger: {{ event: Began, where: properties.n > 0 }}
entry: {{ {entry} }}
{rest}"
    )
}

/// One request at once, on a contract.
const SEND: &str = "blocks:
  send:
    webhook:
      method: POST
      url: https://crm.example.com/leads
      consent: { basis: contract, because: it is a test }
      payload: { n: '{trigger.properties.n}' }
";

/// One request, where marketing is accepted.
const ASK: &str = "blocks:
  send:
    webhook:
      method: POST
      url: https://crm.example.com/leads
      consent: { category: marketing, address: profile.email }
      payload: { n: '{trigger.properties.n}' }
";

/// A wait for a purchase or a plan.
const WAIT: &str = "exit:
  - { event: Left, reason: gone }
blocks:
  pause:
    wait:
      for:
        - { event: Bought, where: properties.n > 1, then: bought }
        - { when: 'profile.plan == \"pro\"', then: bought }
      timeout: 30m
    then: over
  bought: { exit: bought something }
  over: { exit: bought nothing }
";

const BEGAN: &str = r#""type":"track","userId":"u1","event":"Began","properties":{"n":1}"#;
const BEGAN_0: &str = r#""type":"track","userId":"u1","event":"Began","properties":{"n":0}"#;

#[test]
fn the_clause_that_failed_is_told_with_its_value() {
    let state = played(&journey("again: once", SEND), &[("10:00:00", BEGAN_0)]);
    check(
        state.path(),
        "u1",
        "
refused     2026-01-26T10:00:00Z (1m-0): condition, the trigger's condition does not hold
            `properties.n > 0` met 0",
    );
}

#[test]
fn what_came_late_or_is_history_is_told() {
    let other = r#""type":"track","userId":"u2","event":"Began","properties":{"n":1}"#;
    let historical = format!(r#"{BEGAN},"historical":true"#);
    let state = played(
        &journey("again: once", SEND),
        &[("10:00:00", other), ("10:00:01", &historical)],
    );
    check(
        state.path(),
        "user_id:u1",
        "
refused     2026-01-26T10:00:01Z (1m-1): historical, the event is marked as history, which starts nothing",
    );
    let journey = journey("again: once, lateness: 10m", SEND);
    let state = played(&journey, &[("10:00:00", other), ("09:49:00", BEGAN)]);
    check(
        state.path(),
        "u1",
        "
refused     2026-01-26T10:00:00Z (1m-1): late, the event is older than the journey takes (`lateness`)",
    );
}

#[test]
fn whoever_had_it_is_told_once_only_and_what_was_decided() {
    let state = played(
        &journey("again: once", SEND),
        &[("10:00:00", BEGAN), ("10:00:30", BEGAN)],
    );
    check(
        state.path(),
        "u1",
        "
refused     2026-01-26T10:00:30Z (1m-1): once, the journey takes everybody once, and this was not the first time
decided     2026-01-26T10:00:00Z: webhook, one request is owed
            dec_… at `send`
consent     basis contract: it is a test
request     POST https://crm.example.com/leads
delivery    whd_… is delivered
            2026-01-26T10:00:00Z  entered j, by `Began` (1m-0)
            2026-01-26T10:00:00Z  decided webhook
            2026-01-26T10:00:00Z  attempt 1: released; consent basis contract: it is a test
            2026-01-26T10:00:00Z  attempt 1: delivered: 200 (answered 200)",
    );
}

#[test]
fn whoever_is_inside_is_told_what_they_wait_for_until_when() {
    let state = played(
        &journey("again: after_exit", WAIT),
        &[
            (
                "10:00:00",
                r#""type":"identify","userId":"u1","traits":{"plan":"free"}"#,
            ),
            ("10:00:01", BEGAN),
            ("10:00:30", BEGAN),
        ],
    );
    check(
        state.path(),
        "u1",
        "
inside      at `pause` since 2026-01-26T10:00:01Z, entered at 2026-01-26T10:00:01Z
            walk ins_…, kept under user_id:u1
            waits for the event `Bought where properties.n > 1`
            waits for `profile.plan == \"pro\"`, which meets \"free\"
            waits at most until 2026-01-26T10:30:01Z
refused     2026-01-26T10:00:30Z (1m-2): inside, a walk is inside, and the next may begin after it left (`again`)",
    );
    let order = [
        "pause", "j", "--reason", "a sale", "--by", "ann", "--clock", "events",
    ];
    assert_eq!(wayfare(state.path(), &order).status, 0);
    let told = why(state.path(), "u1");
    let paused = "            paused since 2026-01-26T10:00:30Z by ann: a sale; nobody enters, and what waits in it waits on";
    assert!(told.contains(paused), "{told}");
}

#[test]
fn each_attempt_and_each_order_is_told() {
    let state = directory(&journey("again: once", SEND));
    answered(state.path(), BEGAN, &[429, 400]);
    resend(&state.path().join("state"));
    let told = why(state.path(), "u1");
    let steps: Vec<&str> = told
        .lines()
        .skip_while(|line| !line.starts_with("request"))
        .skip(1)
        .map(|line| {
            line.trim_start()
                .trim_start_matches(|it: char| "0123456789-:.TZ ".contains(it))
        })
        .collect();
    let expected = [
        "delivery    whd_… is planned, due ",
        "entered j, by `Began` (m)",
        "decided webhook",
        "attempt 1: released; consent basis contract: it is a test",
        "attempt 1: planned again for ",
        "attempt 2: released; consent basis contract: it is a test",
        "attempt 2: rejected: 400 (answered 400)",
        "ann ordered it sent again: they were down",
    ];
    assert_eq!(steps.len(), expected.len(), "{told}");
    for (step, expected) in steps.iter().zip(expected) {
        assert!(step.starts_with(expected), "{step}");
    }
    assert!(told.contains(" (answered 429)"), "{told}");
}

#[test]
fn consent_that_was_not_there_is_told_with_the_records_relied_on() {
    let said = r#""type":"consent","userId":"u1","email":"ada@example.com","category":"marketing","action":"decline","source":"form""#;
    let state = played(
        &journey("again: once", ASK),
        &[
            (
                "10:00:00",
                r#""type":"identify","userId":"u1","traits":{"email":"ada@example.com"}"#,
            ),
            ("10:00:01", said),
            ("10:00:02", BEGAN),
        ],
    );
    check(
        state.path(),
        "email:ada@example.com",
        "
decided     2026-01-26T10:00:02Z: suppressed, consent was not there
            dec_… at `send`
consent     marketing for ada@example.com: refused, declined (records: 1m-1)
record      1m-1: decline of marketing by email:ada@example.com at 2026-01-26T10:00:01Z, source form
            2026-01-26T10:00:02Z  entered j, by `Began` (1m-2)
            2026-01-26T10:00:02Z  decided suppressed",
    );
}

#[test]
fn whoever_left_is_told_by_which_rule_or_block() {
    let state = played(
        &journey("again: always", WAIT),
        &[
            ("10:00:00", BEGAN),
            ("10:00:30", r#""type":"track","userId":"u1","event":"Left""#),
        ],
    );
    check(
        state.path(),
        "u1",
        "
decided     2026-01-26T10:00:30Z: exit, the exit rule for the event `Left` took it out (1m-1): gone
            dec_… at `pause`
            2026-01-26T10:00:00Z  entered j, by `Began` (1m-0)
            2026-01-26T10:00:00Z  waits at `pause` until 2026-01-26T10:30:00Z
            2026-01-26T10:00:30Z  decided exit",
    );
    play(state.path(), "1h", &[("11:00:00", BEGAN)]);
    let told = why(state.path(), "u1");
    let block =
        "decided     2026-01-26T11:30:00Z: exit, it came to the exit block `over`: bought nothing";
    assert!(told.contains(block), "{told}");
}

#[test]
fn whoever_was_merged_is_told_which_walk_goes_on() {
    let anonymous = |id: &str| {
        format!(r#""type":"track","anonymousId":"{id}","event":"Began","properties":{{"n":1}}"#)
    };
    let (a, b) = (anonymous("a1"), anonymous("a2"));
    let state = played(
        &journey("again: once", WAIT),
        &[
            ("10:00:00", &a),
            ("10:00:01", &b),
            (
                "10:00:02",
                r#""type":"identify","userId":"u1","anonymousId":"a1""#,
            ),
            (
                "10:00:03",
                r#""type":"identify","userId":"u1","anonymousId":"a2""#,
            ),
        ],
    );
    check(
        state.path(),
        "a2",
        "
inside      at `pause` since 2026-01-26T10:00:00Z, entered at 2026-01-26T10:00:00Z
            walk ins_…, kept under user_id:u1, entered as usr_…
            waits for the event `Bought where properties.n > 1`
            waits for `profile.plan == \"pro\"`, which meets null
            waits at most until 2026-01-26T10:30:00Z
decided     2026-01-26T10:00:03Z: merged, two persons became one: walk ins_… goes on, at `pause`
            dec_… at `pause`
            2026-01-26T10:00:01Z  entered j, by `Began` (1m-1)
            2026-01-26T10:00:01Z  waits at `pause` until 2026-01-26T10:30:01Z
            2026-01-26T10:00:03Z  decided merged",
    );
    let told = why(state.path(), "a2");
    for line in [
        "profile     usr_…: user_id:u1, anonymous_id:a1, anonymous_id:a2",
        "            anonymous_id:a1: named with user_id:u1 since 2026-01-26T10:00:02Z",
        "            anonymous_id:a2: named with user_id:u1 since 2026-01-26T10:00:03Z",
    ] {
        assert!(told.lines().any(|it| it == line), "no `{line}` in {told}");
    }
}

#[test]
fn whoever_was_in_two_arms_as_two_persons_is_told_so() {
    let rest = "blocks:
  halves:
    split:
      - { arm: x, weight: 1, then: in_x }
      - { arm: y, weight: 1, then: in_y }
  in_x: { wait: 1h, then: over }
  in_y: { wait: 1h, then: over }
  over: { exit: over }
";
    let users = ["u1", "u2", "u3", "u4", "u5", "u6"];
    let began = users.map(|user| BEGAN.replace("u1", user));
    let events: Vec<(&str, &str)> = began.iter().map(|it| ("10:00:00", it.as_str())).collect();
    let state = played(&journey("again: once", rest), &events);
    let (in_x, in_y): (Vec<&str>, Vec<&str>) = users
        .into_iter()
        .partition(|user| why(state.path(), user).contains("inside      at `in_x`"));
    let merged = |from: &str, into: &str| {
        let [from, into] = [from, into].map(|it| format!("user_id:{it}"));
        let order = [
            "merge", &from, &into, "--reason", "one", "--clock", "events",
        ];
        let ordered = wayfare(state.path(), &order);
        assert_eq!(ordered.status, 0, "{}", ordered.err);
        why(state.path(), &into)
    };
    let told = merged(in_x[0], in_x[1]);
    assert!(told.contains("merged, two persons became one"), "{told}");
    assert!(!told.contains("experiment"), "{told}");
    let told = merged(in_x[0], in_y[0]);
    let line = "experiment  at `halves` they took arm `x` as usr_… and arm `y` as usr_…: it is contaminated";
    assert!(told.lines().any(|it| it == line), "{told}");
}

#[test]
fn a_refusal_that_was_heard_of_when_the_request_had_left_was_in_flight() {
    let said = |action: &str| {
        let of = r#""type":"consent","userId":"u1","email":"u1@example.com""#;
        format!(r#"{of},"category":"marketing","action":"{action}""#)
    };
    let (accept, decline) = (said("accept"), said("decline"));
    let mail = r#""type":"identify","userId":"u1","traits":{"email":"u1@example.com"}"#;
    let story = |declined: &str| {
        let state = played(
            &journey("again: once", ASK),
            &[
                ("10:00:00", mail),
                ("10:00:01", &accept),
                ("10:00:05", BEGAN),
                ("10:05:00", r#""type":"page","userId":"u1","name":"Home""#),
                (declined, &decline),
            ],
        );
        let verified = wayfare(state.path(), &["verify"]);
        assert_eq!(verified.status, 0, "{}", verified.out);
        why(state.path(), "u1")
    };
    let told = story("10:00:03");
    let line = "in flight   1m-4: decline of marketing by email:u1@example.com at 2026-01-26T10:00:03Z; \
        heard of at 2026-01-26T10:05:00Z, when a request had left";
    assert!(told.lines().any(|it| it == line), "{told}");
    for later in ["10:00:06", "10:06:00"] {
        let told = story(later);
        assert!(told.contains("whd_… is delivered"), "{told}");
        assert!(!told.contains("in flight"), "{told}");
    }
}

#[test]
fn what_could_not_be_written_names_what_was_missing() {
    let rest = SEND.replace("{trigger.properties.n}", "{profile.plan}");
    let rest = rest.replace("/leads", "/leads/{profile.plan}");
    let state = played(&journey("again: once", &rest), &[("10:00:00", BEGAN)]);
    let told = why(state.path(), "u1");
    let line = told.lines().find(|it| it.starts_with("decided")).unwrap();
    assert!(
        line.contains("render_failed, the request could not be written: "),
        "{line}"
    );
    assert!(line.contains("profile.plan"), "{line}");
}

#[test]
fn a_last_condition_that_did_not_hold_is_told_as_written() {
    let rest = SEND.replace(
        "      method: POST",
        "      when: trigger.properties.n > 5\n      method: POST",
    );
    let state = played(&journey("again: once", &rest), &[("10:00:00", BEGAN)]);
    let told = why(state.path(), "u1");
    let line = "decided     2026-01-26T10:00:00Z: declined, the webhook's `when` did not hold: `trigger.properties.n > 5`";
    assert!(told.contains(line), "{told}");
}

#[test]
fn whoever_is_held_out_is_told_by_which_arm() {
    let rest = format!(
        "blocks:
  half:
    split:
      - {{ arm: control, weight: 1, holdout: true, then: send }}
      - {{ arm: other, weight: 1, holdout: true, then: send }}
{}",
        SEND.strip_prefix("blocks:\n").unwrap()
    );
    let state = played(&journey("again: once", &rest), &[("10:00:00", BEGAN)]);
    let told = why(state.path(), "u1");
    assert!(told.contains("of the split `half` holds it out"), "{told}");
}

#[test]
fn where_nothing_happened_what_would_start_it_is_told() {
    let other = r#""type":"track","userId":"u1","event":"Looked""#;
    let state = played(&journey("again: once", SEND), &[("10:00:00", other)]);
    check(
        state.path(),
        "u1",
        "nothing     they never entered and were never refused; the event `Began` starts it, and no such event of theirs came",
    );
}

#[test]
fn nobody_and_no_journey_are_told_with_what_is_near() {
    let state = played(&journey("again: once", SEND), &[("10:00:00", BEGAN)]);
    let ask = |profile: &str, journey: &str| {
        let arguments = ["explain", "--profile", profile, "--journey", journey];
        let answer = wayfare(state.path(), &arguments);
        assert_eq!((answer.status, answer.out.as_str()), (1, ""));
        answer.err
    };
    let nobody = ask("user_id:u2", "j");
    assert_eq!(
        nobody,
        "error: nobody is known as `user_id:u2`; did you mean `user_id:u1`?\n"
    );
    let unknown = ask("u1", "journey");
    assert_eq!(
        unknown,
        "error: no journey `journey` was ever in force here\n"
    );
}

#[test]
fn the_same_is_told_as_json() {
    let state = played(&journey("again: once", SEND), &[("10:00:00", BEGAN)]);
    let arguments = [
        "explain",
        "--profile",
        "u1",
        "--journey",
        "j",
        "--format",
        "json",
    ];
    let answer = wayfare(state.path(), &arguments);
    let told = parse(&answer.out);
    assert_eq!(told["identifiers"][0], "user_id:u1");
    let decision = &told["decisions"][0];
    assert_eq!(decision["outcome"], "webhook");
    assert_eq!(decision["delivery"]["state"], "delivered");
    let id = decision["decisionId"].as_str().unwrap();
    let one = wayfare(
        state.path(),
        &["explain", "--decision", id, "--format", "json"],
    );
    assert_eq!(parse(&one.out)["steps"], decision["steps"]);
}

#[test]
fn every_state_played_here_is_whole() {
    let state = played(&journey("again: once", SEND), &[("10:00:00", BEGAN)]);
    let answer = wayfare(state.path(), &["verify"]);
    assert_eq!((answer.status, answer.err.as_str()), (0, ""));
    let last = answer.out.lines().last().unwrap();
    assert_eq!(last, "verified    nothing is broken");
}
