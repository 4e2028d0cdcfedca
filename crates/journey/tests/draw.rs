//! How do the shipped journeys look, to the letter?
#![expect(clippy::unwrap_used, reason = "a broken fixture should fail its test")]

use std::sync::Arc;

use wayfare_journey::{Drawing, Known, compile, draw};

fn drawn(file: &str, drawing: Drawing) -> String {
    let categories: [Arc<str>; 1] = ["marketing".into()];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    draw(&compile(file, &known).unwrap().graph, drawing)
}

/// The journeys whose drawings stand in `drawings/`, as `wayfare graph` prints them.
const SHIPPED: [&str; 4] = [
    "cart-recovery",
    "consent-revocation",
    "plan-upgrade",
    "signup-lead",
];

fn read(path: &str) -> String {
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(package.join(path)).unwrap()
}

#[test]
fn the_shipped_journeys_look_like_their_drawings() {
    for id in SHIPPED {
        let file = read(&format!("../../journeys/{id}.yaml"));
        let mermaid = read(&format!("tests/drawings/{id}.mermaid"));
        let dot = read(&format!("tests/drawings/{id}.dot"));
        assert_eq!(drawn(&file, Drawing::Mermaid), mermaid);
        assert_eq!(drawn(&file, Drawing::Dot), dot);
    }
}

#[test]
fn every_kind_of_block_and_every_way_out_is_drawn() {
    let file = read("tests/drawings/every-kind.yaml");
    assert_eq!(
        drawn(&file, Drawing::Mermaid),
        read("tests/drawings/every-kind.mermaid")
    );
    assert_eq!(
        drawn(&file, Drawing::Dot),
        read("tests/drawings/every-kind.dot")
    );
}

#[test]
fn a_block_may_be_called_start_and_a_condition_may_have_lines() {
    let file = "journey: j\ndescription: d\ntrigger: { event: A }\nblocks:\n  start:\n    decide:\n      \
                - when: |\n          profile.a == \"\\\\\" &&\n          profile.b == 1\n        then: end\n      \
                - else: end\n  end:\n    exit: \"a \\\"b\\\"\\nc\"\n";
    let mermaid = r##"flowchart TD
  start(["A"])
  b_start{"start?"}
  b_end(["end: a #quot;b#quot; c"]):::exit
  start --> b_start
  b_start -->|"profile.a == #quot;\\#quot; #amp;#amp; profile.b == 1"| b_end
  b_start -->|"else"| b_end
  classDef webhook fill:#d6f5d6,stroke:#2e7d32,stroke-width:2px,color:#000
  classDef exit fill:#eee,stroke:#777,color:#000
"##;
    let dot = r##"digraph "j" {
  "(start)" [shape=oval, label="A"];
  "start" [shape=diamond, label="start?"];
  "end" [shape=oval, peripheries=2, style=filled, fillcolor="#eeeeee", label="end: a \"b\" c"];
  "(start)" -> "start";
  "start" -> "end" [label="profile.a == \"\\\\\" && profile.b == 1"];
  "start" -> "end" [label="else"];
}
"##;
    assert_eq!(drawn(file, Drawing::Mermaid), mermaid);
    assert_eq!(drawn(file, Drawing::Dot), dot);
}
