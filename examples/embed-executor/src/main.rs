//! How does a program use the executor alone? It brings its own rows, its own loop, its own clock
//! and its own sender; nothing here is durable, and nothing here opens a socket.
//!
//! Reading order: `main`, then [`shell`].

mod shell;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use wayfare_event::{IdKey, Timestamp};
use wayfare_executor::delivery::{NotSentReason, Outcome};
use wayfare_executor::record::Delivery;
use wayfare_executor::{Catalog, Sending};
use wayfare_journey::{Graph, Known, compile};

use shell::Shell;

/// Remind somebody who has not bought within half an hour, if they want to hear of it.
const JOURNEY: &str = "\
journey: remind
title: Cart Left Behind
description: Remind somebody of a cart that was not bought within half an hour.
trigger: { event: Cart Filled }
blocks:
  bought_in_time:
    wait:
      for:
        - { event: Order Placed, then: bought }
      timeout: 30m
    then: remind
  remind:
    webhook:
      method: POST
      url: https://mail.example.com/reminders
      consent: marketing
      payload: { to: '{profile.email}', cart: '{trigger.properties.cart}', at: '{now}' }
  bought:
    exit: bought
";

/// Ann never buys, Ben buys in time, Cam never agreed to anything. One event comes twice.
const EVENTS: &str = r#"
{"type":"identify","messageId":"m1","timestamp":"2026-01-26T10:00:00Z","userId":"ann","traits":{"email":"ann@example.com"}}
{"type":"consent","messageId":"m2","timestamp":"2026-01-26T10:00:00Z","email":"ann@example.com","category":"marketing","action":"accept"}
{"type":"track","messageId":"m3","timestamp":"2026-01-26T10:05:00Z","userId":"ann","event":"Cart Filled","properties":{"cart":7}}
{"type":"track","messageId":"m3","timestamp":"2026-01-26T10:05:00Z","userId":"ann","event":"Cart Filled","properties":{"cart":7}}
{"type":"track","messageId":"m4","timestamp":"2026-01-26T10:06:00Z","userId":"ben","event":"Cart Filled","properties":{"cart":8}}
{"type":"identify","messageId":"m5","timestamp":"2026-01-26T10:07:00Z","userId":"cam","traits":{"email":"cam@example.com"}}
{"type":"track","messageId":"m6","timestamp":"2026-01-26T10:07:00Z","userId":"cam","event":"Cart Filled","properties":{"cart":9}}
{"type":"track","messageId":"m7","timestamp":"2026-01-26T10:20:00Z","userId":"ben","event":"Order Placed"}
{"type":"track","messageId":"m8","timestamp":"2026-01-26T10:21:00Z","event":"Cart Filled"}
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let consent = wayfare_consent::Config::default();
    let graph = read(JOURNEY, &consent)?;
    let identity = wayfare_identity::Config::default();
    let mut catalog = Catalog::new(identity, consent, IdKey::STATELESS, Sending::Owed);
    catalog.publish(graph);

    let mut shell = Shell::new(catalog, send);
    for line in EVENTS.lines().filter(|line| !line.is_empty()) {
        if let Err(rejection) = shell.event(line) {
            say(shell.at(), &format!("rejected: {}", rejection.code));
        }
    }
    shell.run_until("2026-01-26T11:00:00Z".parse()?);
    say(shell.at(), &format!("rows kept: {}", counted(&shell)));
    Ok(())
}

/// Compiles a journey. Whether its URL may be called is the program's to say; here, any may.
fn read(source: &str, consent: &wayfare_consent::Config) -> Result<Graph, String> {
    let categories: Vec<Arc<str>> = consent.names().cloned().collect();
    let known = Known {
        categories: &categories,
        vet: &|_| Ok(()),
        ..Known::default()
    };
    let compiled = compile(source, &known);
    compiled.map(|compiled| compiled.graph).map_err(|problems| {
        let problems = problems.iter().map(|problem| problem.message.as_str());
        problems.collect::<Vec<_>>().join("\n")
    })
}

/// The sender: a queue, a mail server, a webhook client. This one prints, and misses the first time.
fn send(delivery: &Delivery, at: Timestamp) -> Outcome {
    let request = &delivery.request;
    let body = request.body.as_deref().unwrap_or_default();
    say(
        at,
        &format!("{} {} {body}", request.method.as_str(), request.url),
    );
    if delivery.attempts == 1 {
        return Outcome::NotSent(NotSentReason::Refused);
    }
    Outcome::Answered {
        status: 202,
        retry_after_s: None,
    }
}

fn counted(shell: &Shell) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for kind in shell.kinds() {
        *counts.entry(kind).or_default() += 1;
    }
    let counts = counts.iter().map(|(kind, count)| format!("{kind} {count}"));
    counts.collect::<Vec<_>>().join(", ")
}

#[expect(
    clippy::print_stdout,
    reason = "what it prints is what this program is for"
)]
fn say(at: Timestamp, what: &str) {
    println!("{at} {what}");
}
