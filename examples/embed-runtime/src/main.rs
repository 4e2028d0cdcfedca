//! How does a program use the runtime without a server of Wayfare's? It opens a store and an
//! engine, hands events in, waits until each is durable, and shuts down when all is delivered.
//!
//! The request goes to a receiver on loopback, so that the program shows what arrived.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow};
use tokio::sync::oneshot;
use wayfare_event::{Event, IdKey, Rejection};
use wayfare_executor::{Catalog, Sending, Trust};
use wayfare_runtime::config::{self, Settings};
use wayfare_runtime::{Driver, Engine, Inbox, Origin, Outbound, Output, Submission, Until};
use wayfare_store::{MemoryStore, Store as _};
use wayfare_webhook::{Answers, Client, Received, Receiver, Secrets};

/// What `wayfare.yaml` would say: every key has a default.
const SETTINGS: &str = "
webhooks:
  hosts:
    crm.example.com: { in_flight: 2 }
";

const JOURNEY: &str = "
journey: signup-lead
title: Signup Completed
description: Create a lead when somebody completes the signup.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  create_lead:
    webhook:
      method: POST
      url: https://crm.example.com/leads
      consent: { basis: contract, because: the lead belongs to the account the person opened }
      payload: { email: '{profile.email}', plan: '{trigger.properties.plan}' }
";

/// The third is a second copy, the fourth names nobody.
const EVENTS: [&str; 4] = [
    r#"{"type":"identify","messageId":"m1","userId":"ann","traits":{"email":"ann@example.com"}}"#,
    r#"{"type":"track","messageId":"m2","userId":"ann","event":"Signup Completed","properties":{"plan":"pro"}}"#,
    r#"{"type":"track","messageId":"m2","userId":"ann","event":"Signup Completed","properties":{"plan":"pro"}}"#,
    r#"{"type":"track","messageId":"m3","event":"Signup Completed"}"#,
];

/// Two threads: the driver keeps its own while a batch is being made durable.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let kept = arrived.clone();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let receiver = Receiver::bind(loopback, (Answers::default(), None), move |received| {
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(received);
    })
    .await?;

    let settings = config::read(SETTINGS).map_err(|problems| anyhow!("{problems:?}"))?;
    let engine = open(&settings)?;
    let mut outputs = Vec::new();
    let mut tell = |output: Output, _: Option<String>| outputs.extend(words(&output));
    let outbound = outbound(settings, receiver.local_addr());
    let (driver, inbox) = Driver::new(engine, outbound, &mut tell);
    // The inbox is dropped when everything was handed in; the driver then ends by itself.
    let (engine, answers) = tokio::join!(driver.run(Until::Delivered), hand_in(inbox));
    let (engine, answers) = (engine?, answers?);

    say("handed in", &answers);
    say("came of it", &outputs);
    let counts = engine.counts();
    let copies = format!("{} of {} events", counts.duplicates, counts.events);
    say("second copies", &[copies]);
    engine.close()?;
    receiver.shutdown().await;
    let arrived = arrived.lock().unwrap_or_else(PoisonError::into_inner);
    say("received", &arrived.iter().map(request).collect::<Vec<_>>());
    Ok(())
}

/// An engine over a store. With `LocalStore::open` and a directory, what it acknowledges outlives
/// the process; everything else stays as it is.
fn open(settings: &Settings) -> anyhow::Result<Engine> {
    let compiled = settings
        .compile(JOURNEY)
        .map_err(|problems| anyhow!("{problems:?}"))?;
    let store = MemoryStore::new(IdKey::STATELESS);
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        store.head().id_key,
        Sending::Owed,
    );
    let graphs = vec![compiled.graph];
    let engine = Engine::open(catalog, Box::new(store), graphs, &|source| {
        settings.compile(source)
    })?;
    Ok(engine)
}

/// How requests leave: here, whatever their URL, to the receiver; `Client::new` sends them to the
/// hosts they name.
fn outbound(settings: Settings, receiver: SocketAddr) -> Outbound {
    let secrets = Arc::new(Secrets::stand_ins());
    Outbound {
        client: Client::to_receiver(receiver, settings.webhooks, secrets.clone()),
        secrets,
        hosts: settings.hosts,
    }
}

/// Hands every event in and waits for its answer: it is durable, or it was refused.
async fn hand_in(inbox: Inbox) -> anyhow::Result<Vec<String>> {
    let mut answers = Vec::new();
    for text in EVENTS {
        let (reply, answer) = oneshot::channel();
        let submission = submission(text, reply);
        inbox
            .send(submission)
            .await
            .context("the driver has ended")?;
        answers.push(match answer.await.context("the driver has ended")? {
            Ok(()) => "durable".to_owned(),
            Err(rejection) => format!("rejected: {}", rejection.code),
        });
    }
    Ok(answers)
}

fn submission(text: &str, reply: oneshot::Sender<Result<(), Rejection>>) -> Submission {
    Submission {
        event: Event::parse(text, None).map(Box::new),
        origin: Origin {
            text: text.into(),
            source: "example".into(),
            trust: Trust::Verified,
            line: 0,
            cursor: None,
            reply: Some(reply),
        },
    }
}

fn words(output: &Output) -> Option<String> {
    match output {
        Output::Decision(decision) => {
            let outcome = decision.outcome.as_str();
            Some(format!("{} decided: {outcome}", decision.journey))
        }
        Output::Delivery { delivery, .. } => Some(format!("delivery {}", delivery.state.as_str())),
        Output::Refused(refusal) => Some(format!("refused: {}", refusal.code.as_str())),
        Output::Rejected { rejection, .. } => Some(format!("rejected: {}", rejection.code)),
        Output::Control { .. } | Output::Trace { .. } => None,
    }
}

fn request(received: &Received) -> String {
    let body = String::from_utf8_lossy(&received.body);
    format!(
        "{} {}{} {body}",
        received.method, received.host, received.path
    )
}

#[expect(
    clippy::print_stdout,
    reason = "what it prints is what this program is for"
)]
fn say(what: &str, lines: &[String]) {
    for line in lines {
        println!("{what}: {line}");
    }
}
