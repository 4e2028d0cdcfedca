//! What does an author read when something is not as a case says?

use crate::{CASE, edited, ending, tried};

const TITLE: &str = "
FAIL  order-care: a paid order is told
  at journeys/order-care.test.yaml:3";

const PASSED: &str = "\
ok    order-care: a paid order is told

order-care  3 of 4 blocks, 2 of 5 arms

";

const WRONG_URL: &str = "
  request 1 is not as expected
    url
      expected  \"https://shop.example.com/paid/o2\"
      actual    \"https://shop.example.com/paid/o1\"";

const WRONG_PAYLOAD: &str = "
  request 1 is not as expected
    payload.total
      expected  120.5
      actual    120.50";

const WRONG_TIME: &str = "
  request 1 is not as expected
    at
      expected  \"2026-01-26T11:59:59Z\"
      actual    \"2026-01-26T12:00:00Z\"";

const EXTRA: &str = "
  request 1 came and is not expected
    at        2026-01-26T12:00:00Z
    journey   order-care
    block     paid
    method    POST
    url       https://shop.example.com/paid/o1
    payload   {\"order\":\"o1\",\"total\":120.50}
    profile   usr_0b5e7f5572c8aa3b4a0e88455fc659a7
    key       o1";

const MISSING: &str = "
  request 1 did not come
    at        2026-01-26T12:00:00Z
    block     paid
    method    POST
    url       https://shop.example.com/paid/o1
    payload   {\"order\":\"o1\",\"total\":120.50}";

const MATCHER: &str = "
  request 1 is not as expected
    payload.order
      expected  a text that matches ^x
      actual    \"o1\"";

const REACHED: &str = "
  somebody came to `settle`, where nobody may come";

const DECISION: &str = "
  decision 1 is not as expected
    outcome
      expected  \"exit\"
      actual    \"webhook\"";

const REFUSAL: &str = "
  refusal 1 did not come
    reason    once";

const STORY: &str = "
  what happened
    2026-01-26T11:00:00Z  attributed  profileId: usr_0b5e7f55
    2026-01-26T11:00:00Z  judged      condition: properties.total > 10, holds: true, value: 120.50
    2026-01-26T11:00:00Z  entered     journey: order-care
    2026-01-26T11:00:00Z  arrived     block: size
    2026-01-26T11:00:00Z  judged      condition: properties.total > 100, holds: true, value: 120.50
    2026-01-26T11:00:00Z  chose       arm: 1
    2026-01-26T11:00:00Z  arrived     block: settle
    2026-01-26T12:00:00Z  attributed  profileId: usr_0b5e7f55
    2026-01-26T12:00:00Z  woken       block: settle
    2026-01-26T12:00:00Z  chose       arm: 1
    2026-01-26T12:00:00Z  arrived     block: paid
    2026-01-26T12:00:00Z  decision    block: paid, outcome: webhook
    2026-01-26T12:00:00Z  delivery    block: paid, state: armed, attempt: 1
    2026-01-26T12:00:00Z  delivery    block: paid, state: delivered, attempt: 1, status: 200";

const BAD_MATCHER: &str = "\
error[J0704]: no matcher is called `$mathces`
  --> journeys/order-care.test.yaml:16:28
   |
16 |         payload: { order: {$mathces: x}, total: 120.50 }
   |                            ^^^^^^^^
   |
   = help: did you mean `$matches`?

1 error, 0 warnings in 1 file

0 passed, 0 failed, 1 file with problems
";

const BAD_EVENT: &str = "\
error[J0705]: this event is rejected: the event names nobody, send";

#[test]
fn a_case_that_passes_is_one_line() {
    let (status, out) = tried(CASE);
    assert_eq!(status, 0, "{out}");
    assert!(out.starts_with(PASSED), "{out}");
    assert!(out.ends_with("\n1 passed, 0 failed\n"), "{out}");
}

#[test]
fn each_kind_of_mismatch_is_told_with_what_was_expected_and_what_came() {
    let check_file = |file: &str, told: &str| {
        let (status, out) = tried(file);
        assert_eq!(status, 1, "{out}");
        assert!(
            out.starts_with("FAIL  order-care: a paid order is told\n"),
            "{out}"
        );
        assert!(out.contains(&format!("{TITLE}{told}{STORY}\n")), "{out}");
        assert!(out.ends_with("\n0 passed, 1 failed\n"), "{out}");
    };
    let check = |part: &str, replacement: &str, told: &str| {
        check_file(&edited(part, replacement), told);
    };
    check_file(&ending(CASE, "    expect: []\n"), EXTRA);
    check("paid/o1\n", "paid/o2\n", WRONG_URL);
    check(
        "order: o1, total: 120.50",
        "order: o1, total: 120.5",
        WRONG_PAYLOAD,
    );
    check("- at: \"+1h\"\n", "- at: \"+3599s\"\n", WRONG_TIME);

    check(
        "order: o1, total",
        "order: { $matches: \"^x\" }, total",
        MATCHER,
    );
    check(
        "    expect:\n",
        "    never: [settle]\n    expect:\n",
        REACHED,
    );
    check(
        "    expect:\n",
        "    decisions: [{ block: paid, outcome: exit }]\n    expect:\n",
        DECISION,
    );
    check(
        "    expect:\n",
        "    refused: [{ reason: once }]\n    expect:\n",
        REFUSAL,
    );
}

#[test]
fn a_request_that_did_not_come_is_told_with_what_happened_instead() {
    let (status, out) = tried(&edited("event: Order Paid", "event: Order Payed"));
    assert_eq!(status, 1);
    assert!(
        out.contains(&format!("{TITLE}{MISSING}\n  what happened\n")),
        "{out}"
    );
    let nothing = edited("userId: u1\n", "userId: u1\n        historical: true\n");
    let (_, out) = tried(&nothing);
    assert!(out.contains("refused     reason: historical\n"), "{out}");
}

#[test]
fn a_broken_file_is_told_as_the_checker_tells_it() {
    let (status, out) = tried(&edited("order: o1, total", "order: {$mathces: x}, total"));
    assert_eq!(status, 1);
    assert!(out.ends_with(BAD_MATCHER), "{out}");
    let (status, out) = tried(&edited("userId: u1\n", "context: {}\n"));
    assert_eq!(status, 1);
    assert!(out.contains(BAD_EVENT), "{out}");
    let consent = "type: consent, userId: u1, category: sales, action: accept";
    let (status, out) = tried(&edited(
        "type: track, userId: u1, event: Order Paid",
        consent,
    ));
    assert_eq!(status, 1);
    assert!(
        out.contains("error[J0705]: this event is rejected: no category `sales`"),
        "{out}"
    );
}

#[test]
fn what_no_case_covers_is_told_where_it_stands() {
    let (_, out) = tried(CASE);
    for (message, place) in [
        ("no test takes `else` of block `size`", "6:3"),
        ("no test takes `Order Cancelled` of block `settle`", "10:3"),
        ("no test takes `after 2h` of block `settle`", "10:3"),
        ("no test covers block `late`", "24:3"),
    ] {
        let message = format!("warning[J0910]: {message}\n");
        let (_, after) = out
            .split_once(&message)
            .unwrap_or_else(|| panic!("{message}{out}"));
        let arrow = format!("--> journeys/order-care.yaml:{place}\n");
        assert!(after.trim_start().starts_with(&arrow), "{message}{out}");
    }
    assert!(out.contains("\n0 errors, 4 warnings in 1 file\n"), "{out}");
}

#[test]
fn arms_that_lead_to_one_block_are_told_apart() {
    let check = |part: &str, replacement: &str, label: &str| {
        let text = ending(
            &edited(part, replacement),
            "    expect: []\n    advance: 1d\n",
        );
        let (_, out) = tried(&text);
        assert!(out.contains("1 passed"), "{out}");
        let untaken = |label: &str| out.contains(&format!("no test takes `{label}`"));
        for one in ["Order Paid", "Order Cancelled", "after 2h"] {
            assert_eq!(untaken(one), one != label, "{one}: {out}");
        }
    };
    check(
        "event: Order Paid",
        "event: Order Cancelled",
        "Order Cancelled",
    );
    check("event: Order Paid", "event: Order Lost", "after 2h");
}
