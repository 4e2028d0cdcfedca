//! What does a compiled journey know of itself: its version, what it keeps, counts and needs, and
//! how it is drawn?
#![expect(clippy::panic, reason = "a broken fixture should fail its test")]

use std::sync::Arc;

use wayfare_event::{EventKind, Map, Value};
use wayfare_journey::definition::Secret;
use wayfare_journey::{Again, Block, Drawing, Graph, Known, Version, compile, draw};

const CARE: &str = r#"
journey: care
title: Order "care"
description: Look after an order.
trigger:
  event: [Order Placed, { type: page, name: Checkout }]
  where: count("Visit") > 2
exit:
  - event: Order Cancelled
    where: event.properties.id == trigger.properties.id
blocks:
  paid:
    wait:
      for:
        - event: Order Paid
          as: payment
          then: big
        - when: first("Refund") != null
          then: late
      timeout: 90m
    then: late
  big:
    decide:
      - when: properties.basket.size > 3 && properties.items[0].sku != "x"
        then: thank
      - else: late
  thank:
    webhook:
      method: POST
      url: https://mail.example.com/orders/{properties.id}
      consent: { basis: contract, because: the order is a contract }
      auth: { bearer: { env: MAIL_TOKEN } }
      payload: { paid: "{payment.properties.total}", at: "{payment.timestamp}" }
  late:
    exit: late
"#;

fn graph(text: &str) -> Graph {
    let categories: [Arc<str>; 0] = [];
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    let compiled = compile(text, &known);
    compiled
        .unwrap_or_else(|problems| panic!("{problems:?}"))
        .graph
}

fn map(text: &str) -> Map {
    match Value::parse(text) {
        Ok(Value::Map(map)) => map,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_version_is_what_the_file_means() {
    let version = |text: &str| graph(text).version();
    let own = version(CARE);
    let same = |from: &str, to: &str| {
        assert!(CARE.contains(from), "{from}");
        assert_eq!(version(&CARE.replace(from, to)), own, "{to}");
    };
    same("journey: care", "# a comment\njourney:   'care'");
    same("    exit: late\n", "    exit: late # why\n\n\n");
    same(
        "{ bearer: { env: MAIL_TOKEN } }",
        "\n        bearer:\n          env: MAIL_TOKEN",
    );
    let other = |from: &str, to: &str| {
        assert!(CARE.contains(from), "{from}");
        assert_ne!(version(&CARE.replace(from, to)), own, "{to}");
    };
    other("timeout: 90m", "timeout: 91m");
    other("    exit: late\n", "    exit: too late\n");
    other(
        "{ paid: \"{payment.properties.total}\", at: \"{payment.timestamp}\" }",
        "{ at: \"{payment.timestamp}\", paid: \"{payment.properties.total}\" }",
    );
}

#[test]
fn a_version_reads_back_from_its_text_and_its_bytes() {
    let version = graph(CARE).version();
    let text = version.to_string();
    assert_eq!(text.len(), 32);
    assert_eq!(text.parse(), Ok(version));
    assert_eq!(Version::from_bytes(*version.as_bytes()), version);
    for wrong in [
        "",
        "12",
        &text.to_uppercase(),
        &format!("{text}0"),
        &"g".repeat(32),
    ] {
        if *wrong != text {
            assert!(wrong.parse::<Version>().is_err(), "{wrong}");
        }
    }
}

#[test]
fn an_instance_keeps_only_what_something_ahead_reads() {
    let graph = graph(CARE);
    let event = map(
        r#"{"name":"Order Placed","type":"track","timestamp":"2026-01-26T10:00:00Z","messageId":"m1",
            "properties":{"id":"o1","note":"long","basket":{"size":4,"skus":["a"]},
            "items":[{"sku":"a"},{"sku":"b"}]},"context":{"ip":"1.2.3.4"}}"#,
    );
    assert_eq!(
        graph.kept().trigger(&event).to_string(),
        r#"{"properties":{"id":"o1","basket":{"size":4},"items":[{"sku":"a"},{"sku":"b"}]}}"#
    );
    let paid = map(
        r#"{"name":"Order Paid","timestamp":"2026-01-26T11:00:00Z","properties":{"total":5,"card":"x"}}"#,
    );
    assert_eq!(
        graph.kept().named("payment", &paid).to_string(),
        r#"{"timestamp":"2026-01-26T11:00:00Z","properties":{"total":5}}"#
    );
    assert_eq!(graph.kept().named("other", &paid).to_string(), "{}");
}

#[test]
fn a_graph_answers_what_the_executor_asks() {
    let graph = graph(CARE);
    assert_eq!((&**graph.id(), graph.title()), ("care", "Order \"care\""));
    assert_eq!(graph.source(), CARE);
    let keys: Vec<&str> = graph.blocks().map(|id| &**graph.key(id)).collect();
    assert_eq!(keys, ["paid", "big", "thank", "late"]);
    assert_eq!(graph.find("paid"), Some(graph.start()));
    assert_eq!(graph.find("nowhere"), None);
    assert!(matches!(graph.block(graph.start()), Block::Wait { items, .. } if items.len() == 2));
    assert_eq!(graph.registers().collect::<Vec<_>>(), ["Refund", "Visit"]);
    assert_eq!(
        graph.secrets().collect::<Vec<_>>(),
        [&Secret::Env("MAIL_TOKEN".to_owned())]
    );
    assert_eq!(&*graph.exits()[0].reason, "Order Cancelled");
    assert_eq!(graph.entry().again, Again::AfterExit);
    assert_eq!(graph.entry().lateness_us, 72 * 3_600 * 1_000_000);
    let wayfare_journey::TriggerOn::Events(events) = &graph.trigger().on else {
        panic!("events")
    };
    let heard = |kind, name| events.iter().any(|event| event.matches(kind, name));
    assert!(heard(EventKind::Track, "Order Placed"));
    assert!(heard(EventKind::Page, "Checkout"));
    assert!(!heard(EventKind::Track, "Checkout"));
    assert!(!heard(EventKind::Page, "Order Placed"));
}

#[test]
fn a_drawing_shows_conditions_durations_and_outcomes() {
    let graph = graph(CARE);
    let mermaid = "flowchart TD
  start([\"Order Placed or Checkout where count(#quot;Visit#quot;) #gt; 2\"])
  b_paid(\"paid: wait\")
  b_big{\"big?\"}
  b_thank[[\"thank: POST\"]]:::webhook
  b_late([\"late: late\"]):::exit
  start --> b_paid
  b_paid -->|\"Order Paid\"| b_big
  b_paid -->|\"first(#quot;Refund#quot;) != null\"| b_late
  b_paid -->|\"after 90m\"| b_late
  b_big -->|\"properties.basket.size #gt; 3 #amp;#amp; properties.items[0].sku != #quot;x#quot;\"| b_thank
  b_big -->|\"else\"| b_late
  anywhere[/\"any block\"/]
  exit_1([\"exit: Order Cancelled\"]):::exit
  anywhere -.->|\"Order Cancelled where event.properties.id == trigger.properties.id\"| exit_1
  classDef webhook fill:#d6f5d6,stroke:#2e7d32,stroke-width:2px,color:#000
  classDef exit fill:#eee,stroke:#777,color:#000
";
    assert_eq!(draw(&graph, Drawing::Mermaid), mermaid);
    let dot = draw(&graph, Drawing::Dot);
    for line in [
        "digraph \"care\" {",
        "  \"(start)\" [shape=oval, label=\"Order Placed or Checkout where count(\\\"Visit\\\") > 2\"];",
        "  \"big\" [shape=diamond, label=\"big?\"];",
        "  \"thank\" [shape=component, style=filled, fillcolor=\"#d6f5d6\", label=\"thank: POST\"];",
        "  \"late\" [shape=oval, peripheries=2, style=filled, fillcolor=\"#eeeeee\", label=\"late: late\"];",
        "  \"paid\" -> \"late\" [label=\"after 90m\"];",
        "}",
    ] {
        assert!(dot.lines().any(|it| it == line), "{line}\n{dot}");
    }
}
