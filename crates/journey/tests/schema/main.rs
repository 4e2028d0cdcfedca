//! Does the schema that editors get agree with the checker? What is sound validates, what it can
//! catch both refuse, and both know the same keys and words.
#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "../../../../tests/agreement.rs"]
mod agreement;
mod examples;
#[path = "../../../../tests/schema.rs"]
mod schema;
mod trial;

use std::sync::Arc;

use serde_json::Value;
use wayfare_journey::diagnostic::Diagnostic;
use wayfare_journey::{Known, compile};

fn journey_schema() -> Value {
    serde_json::from_str(wayfare_journey::schema::JOURNEY).unwrap()
}

/// Every problem the checker finds.
fn checked(text: &str) -> Vec<Diagnostic> {
    let categories: Vec<Arc<str>> = vec!["marketing".into()];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    compile(text, &known).err().unwrap_or_default()
}

fn problems(text: &str) -> Vec<String> {
    let schema = journey_schema();
    schema::problems(&schema, &schema, &schema::json(text))
}

#[test]
fn the_shipped_journeys_validate() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../journeys");
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".yaml") && !name.ends_with(".test.yaml") && name != "wayfare.yaml" {
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(problems(&text), Vec::<String>::new(), "{name}");
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn schema_and_checker_know_the_same_keys_and_words() {
    agreement::check(&journey_schema(), &examples::ALL, &checked);
}

/// An edit of a sound file that both refuse.
fn refused(line: &str, replacement: &str) {
    refused_in(examples::BY_EVENT, line, replacement);
}

fn refused_in(text: &str, line: &str, replacement: &str) {
    assert_eq!(text.matches(line).count(), 1, "`{line}` stands once");
    let text = text.replace(line, replacement);
    assert!(
        !checked(&text).is_empty(),
        "the checker takes `{replacement}`"
    );
    assert!(
        !problems(&text).is_empty(),
        "the schema takes `{replacement}`"
    );
}

#[test]
fn what_a_schema_can_catch_both_refuse() {
    refused("journey: order-care", "journey: Order Care");
    refused(
        "  event: Order Placed",
        "  event: Order Placed\n  consent: { category: marketing, action: accept }",
    );
    refused("  event: Order Placed", "  event: []");
    refused("  event: Order Placed", "  event: { type: track }");
    refused("  event: Order Placed", "  event: \" \"");
    refused("again: after_exit", "again: sometimes");
    refused("again: after_exit", "again: 3 days");
    refused("lateness: 72h", "lateness: P1M");
    refused("start: big", "start: Big");
    refused("  late:\n", "  Late:\n");
    refused("        then: settle", "        else: settle");
    refused(
        "      - else: late",
        "      - else: late\n        then: late",
    );
    refused("    wait: 2h\n    then: paid", "    wait: 2h");
    refused("    wait: 2h\n", "    wait: 2h\n    exit: why\n");
    refused("    wait: 2h\n", "    wait: 2\n");
    refused("    wait: 2h\n", "    wait: PT\n");
    refused("      timeout: 3d\n", "");
    refused("as: payment", "as: the-payment");
    refused(
        "- when: profile.tier == \"gold\"",
        "- when: profile.tier == \"gold\"\n          as: gold",
    );
    refused(
        "- when: profile.tier == \"gold\"",
        "- when: profile.tier == \"gold\"\n          any_key: true",
    );
    refused("    exit: too late", "    exit: too late\n    then: big");
    refused("      window: 15m\n", "      window: 15m\n    then: late\n");
    refused("method: POST", "method: PATCH");
    refused(
        "url: https://mail.example.com/orders",
        "url: { base: { env: MAIL } }\n      # ",
    );
    refused(
        "consent: marketing",
        "consent: { category: marketing, action: accept }",
    );
    refused(
        "consent: marketing",
        "consent: { category: marketing, basis: contract, because: why }",
    );
    refused(
        "consent: marketing",
        "consent: { basis: whim, because: why }",
    );
    refused("consent: marketing", "consent: { basis: contract }");
    refused("{ bearer: { env: MAIL_TOKEN } }", "{ bearer: s3cret }");
    refused(
        "{ bearer: { env: MAIL_TOKEN } }",
        "{ bearer: { env: A, file: b } }",
    );
    refused(
        "{ bearer: { env: MAIL_TOKEN } }",
        "{ bearer: { env: A }, header: { name: B, value: { env: C } } }",
    );
    refused(
        "{ bearer: { env: MAIL_TOKEN } }",
        "{ basic: { username: \"a:b\", password: { env: C } } }",
    );
    refused("{ X-Source: wayfare }", "{ \"X Source\": wayfare }");
    refused("delivery: at_least_once", "delivery: exactly_once");
}

#[test]
fn triggers_and_blocks_that_a_schema_can_catch_both_refuse() {
    for (text, line, replacement) in [
        (examples::BY_TRAIT, "  from: null", "  from: [free]"),
        (examples::BY_TRAIT, "  from: null", "  offset: 1d"),
        (examples::BY_TRAIT, "limit: 1000/h", "limit: 1000"),
        (examples::BY_TRAIT, "limit: 1000/h", "limit: 0/h"),
        (examples::BY_TRAIT, "life: 90d", "life: 3 months"),
        (examples::BY_TRAIT, "visits: 20", "visits: 0"),
        (examples::BY_TRAIT, "visits: 20", "visits: 1.5"),
        (examples::BY_TRAIT, "visits: 20", "visits: 1000000"),
        (examples::BY_TRAIT, "from: any", "from: all"),
        (examples::BY_TRAIT, "weight: 1,", "weight: 0,"),
        (examples::BY_TRAIT, "weight: 1,", "weight: 10001,"),
        (examples::BY_TRAIT, "arm: a,", "arm: A,"),
        (examples::BY_TRAIT, "holdout: true", "holdout: 1"),
        (
            examples::BY_TRAIT,
            "    salt: stages-of-2026",
            "    then: note",
        ),
        (examples::BY_TRAIT, "\"09:00\"", "\"9:00\""),
        (examples::BY_TRAIT, "\"09:00\"", "\"25:00\""),
        (examples::BY_TRAIT, "[mon-fri]", "[monday]"),
        (examples::BY_TRAIT, "[mon-fri]", "[]"),
        (examples::BY_TRAIT, "grace: 30m", "offset: 30m"),
        (
            examples::BY_TRAIT,
            "      zone_default: Europe/Berlin\n",
            "",
        ),
        (examples::BY_TRAIT, "offset: -3d, ", "offset: 3 days, "),
        (examples::BY_TRAIT, ", missing: no_date", ""),
        (
            examples::BY_TRAIT,
            "missing: no_date",
            "missing: no_date, grace: 1h",
        ),
        (
            examples::BY_TRAIT,
            "      profile: { stage",
            "      account: { stage",
        ),
        (examples::BY_SCHEDULE, "cron: \"0 9 * * mon\", ", ""),
        (examples::BY_DATE, "offset: -3d", "offset: -P1M"),
        (examples::BY_DELIVERY, "state: rejected", "state: lost"),
        (examples::BY_DELIVERY, "journey: weekly, ", ""),
    ] {
        refused_in(text, line, replacement);
    }
}
