//! How do the shipped journeys look, to the letter?
#![expect(clippy::unwrap_used, reason = "a broken fixture should fail its test")]

use std::sync::Arc;

use wayfare_journey::{Drawing, Known, compile, draw};

const PLAN_UPGRADE: &str = include_str!("../../../journeys/plan-upgrade.yaml");
const CART_RECOVERY: &str = include_str!("../../../journeys/cart-recovery.yaml");

fn drawn(file: &str, drawing: Drawing) -> String {
    let categories: [Arc<str>; 1] = ["marketing".into()];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    draw(&compile(file, &known).unwrap().graph, drawing)
}

#[test]
fn mermaid_shows_blocks_then_ways() {
    let plan_upgrade = r##"flowchart TD
  start(["Plan Upgraded where properties.currentPlan != properties.previousPlan"])
  b_paid_plan{"paid_plan?"}
  b_sync_billing[["sync_billing: PUT"]]
  b_not_paid(["not_paid: not a paid plan"])
  start --> b_paid_plan
  b_paid_plan -->|"properties.currentPlan in [#quot;pro#quot;, #quot;business#quot;]"| b_sync_billing
  b_paid_plan -->|"else"| b_not_paid
"##;
    let cart_recovery = r#"flowchart TD
  start(["add_to_cart"])
  b_bought_in_time("bought_in_time: wait")
  b_remind[["remind: POST"]]
  b_bought(["bought: bought"])
  start --> b_bought_in_time
  b_bought_in_time -->|"purchase"| b_bought
  b_bought_in_time -->|"after 30m"| b_remind
"#;
    assert_eq!(drawn(PLAN_UPGRADE, Drawing::Mermaid), plan_upgrade);
    assert_eq!(drawn(CART_RECOVERY, Drawing::Mermaid), cart_recovery);
}

#[test]
fn dot_shows_blocks_then_ways() {
    let plan_upgrade = r#"digraph "plan-upgrade" {
  "(start)" [shape=oval, label="Plan Upgraded where properties.currentPlan != properties.previousPlan"];
  "paid_plan" [shape=diamond, label="paid_plan?"];
  "sync_billing" [shape=component, label="sync_billing: PUT"];
  "not_paid" [shape=doublecircle, label="not_paid: not a paid plan"];
  "(start)" -> "paid_plan";
  "paid_plan" -> "sync_billing" [label="properties.currentPlan in [\"pro\", \"business\"]"];
  "paid_plan" -> "not_paid" [label="else"];
}
"#;
    let cart_recovery = r#"digraph "cart-recovery" {
  "(start)" [shape=oval, label="add_to_cart"];
  "bought_in_time" [shape=box, style=rounded, label="bought_in_time: wait"];
  "remind" [shape=component, label="remind: POST"];
  "bought" [shape=doublecircle, label="bought: bought"];
  "(start)" -> "bought_in_time";
  "bought_in_time" -> "bought" [label="purchase"];
  "bought_in_time" -> "remind" [label="after 30m"];
}
"#;
    assert_eq!(drawn(PLAN_UPGRADE, Drawing::Dot), plan_upgrade);
    assert_eq!(drawn(CART_RECOVERY, Drawing::Dot), cart_recovery);
}

#[test]
fn a_block_may_be_called_start_and_a_condition_may_have_lines() {
    let file = "journey: j\ndescription: d\ntrigger: { event: A }\nblocks:\n  start:\n    decide:\n      \
                - when: |\n          profile.a == \"\\\\\" &&\n          profile.b == 1\n        then: end\n      \
                - else: end\n  end:\n    exit: \"a \\\"b\\\"\\nc\"\n";
    let mermaid = r##"flowchart TD
  start(["A"])
  b_start{"start?"}
  b_end(["end: a #quot;b#quot; c"])
  start --> b_start
  b_start -->|"profile.a == #quot;\\#quot; #amp;#amp; profile.b == 1"| b_end
  b_start -->|"else"| b_end
"##;
    let dot = r#"digraph "j" {
  "(start)" [shape=oval, label="A"];
  "start" [shape=diamond, label="start?"];
  "end" [shape=doublecircle, label="end: a \"b\" c"];
  "(start)" -> "start";
  "start" -> "end" [label="profile.a == \"\\\\\" && profile.b == 1"];
  "start" -> "end" [label="else"];
}
"#;
    assert_eq!(drawn(file, Drawing::Mermaid), mermaid);
    assert_eq!(drawn(file, Drawing::Dot), dot);
}
