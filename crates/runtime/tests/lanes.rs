//! Does a receiver that hangs hold another one back? Its own slots are all it can take.

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use wayfare_event::IdKey;
use wayfare_executor::{Catalog, Sending};
use wayfare_runtime::config::{self, Settings};
use wayfare_runtime::{Driver, Engine, Outbound, Output, Submission, Until};
use wayfare_store::MemoryStore;
use wayfare_webhook::{Answers, Client, Receiver, Secrets};

/// How long something that must come may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Deliveries to each of the two.
const EACH: usize = 30;
/// Requests in flight to one host, as shipped.
const SLOTS: usize = 8;

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A journey whose webhook goes to this port of this machine.
fn journey(name: &str, port: u16) -> String {
    format!(
        "journey: {name}\ndescription: d\ntrigger: {{ event: {name} }}\nentry: {{ again: once }}\n\
         blocks:\n  send:\n    webhook:\n      method: POST\n      \
         url: http://127.0.0.1:{port}/{name}\n      timeout: 60s\n      \
         consent: {{ basis: contract, because: it is a test }}\n      payload: {{}}\n"
    )
}

fn settings(ports: [u16; 2]) -> Settings {
    let [one, two] = ports;
    let text = format!(
        "webhooks: {{ allow_networks: [127.0.0.0/8], allow_http: [127.0.0.1], \
         allow_ports: [{one}, {two}] }}\n"
    );
    config::read(&text).unwrap()
}

fn engine(settings: &Settings, journeys: [String; 2]) -> Engine {
    let graphs = journeys.map(|journey| settings.compile(&journey).unwrap().graph);
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        IdKey::STATELESS,
        Sending::Owed,
    );
    let store = Box::new(MemoryStore::new(IdKey::STATELESS));
    let compile = |source: &str| settings.compile(source);
    Engine::open(catalog, store, graphs.into(), &compile).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_delays_no_other() {
    // Its connections are taken by the kernel, and nobody ever reads from them.
    let dead = TcpListener::bind(LOOPBACK).await.unwrap();
    let dead = (dead.local_addr().unwrap().port(), dead);
    let alive = Receiver::bind(LOOPBACK, (Answers::default(), None), drop)
        .await
        .unwrap();
    let ports = [dead.0, alive.local_addr().port()];
    let settings = settings(ports);
    let journeys = [journey("dead", ports[0]), journey("alive", ports[1])];
    let engine = engine(&settings, journeys);
    let secrets = Arc::new(Secrets::stand_ins());
    let outbound = Outbound {
        client: Client::new(settings.policy(), secrets.clone()),
        secrets,
        hosts: settings.hosts,
    };
    let (told, mut states) = mpsc::unbounded_channel();
    let (give, given) = oneshot::channel();
    let driving = tokio::spawn(async move {
        let mut tell = |output: Output, _: Option<String>| {
            if let Output::Delivery { delivery, .. } = output {
                told.send((delivery.journey.clone(), delivery.state.as_str()))
                    .unwrap();
            }
        };
        let (driver, inbox) = Driver::new(engine, outbound, &mut tell);
        give.send(inbox).unwrap();
        driver.run(Until::Delivered).await
    });
    let inbox = given.await.unwrap();
    for journey in ["dead", "alive"] {
        for nth in 0..EACH {
            let id = format!("{journey}-{nth}");
            let event = format!(
                r#"{{"type":"track","messageId":"{id}","userId":"{id}","event":"{journey}"}}"#
            );
            let submission = Submission::line(&event, "test".into(), 1, None);
            inbox.send(submission).await.unwrap();
        }
    }
    let (mut delivered, mut hanging) = (0, 0);
    while delivered < EACH || hanging < SLOTS {
        let (journey, state) = timeout(PATIENCE, states.recv()).await.unwrap().unwrap();
        match (&*journey, state) {
            ("alive", "delivered") => delivered += 1,
            ("dead", "armed") => hanging += 1,
            ("dead", state) => assert_eq!(state, "planned"),
            (_, state) => assert!(["planned", "armed"].contains(&state), "{state}"),
        }
    }
    assert_eq!((delivered, hanging), (EACH, SLOTS));
    driving.abort();
}
