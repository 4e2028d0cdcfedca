//! How much shares one commit? At most 512 inputs and 8 MiB, whatever waits (SP 6). A store that
//! weighs its batches says so.

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use wayfare_event::limits::EVENT_BYTES_MAX;
use wayfare_event::{IdKey, Timestamp};
use wayfare_executor::{Catalog, Key, Row, Sending};
use wayfare_runtime::{Advance, Driver, Engine, Outbound, Output, Submission, config};
use wayfare_store::{
    Batch, Entry, Head, LoggedInput, MemoryStore, Redaction, RowKind, Store, StoreError,
};
use wayfare_webhook::{Client, Secrets};

const INPUTS_MAX: usize = 512;
const BYTES_MAX: usize = 8 * 1024 * 1024;

const JOURNEY: &str = "
journey: patience
description: Wait an hour.
trigger: { event: Began }
entry: { again: once }
blocks:
  pause: { wait: 1h, then: over }
  over: { exit: over }
";

/// Inputs and bytes of texts of a batch.
type Weight = (usize, usize);

/// Memory that weighs what is committed.
struct Scales {
    kept: MemoryStore,
    weights: Arc<Mutex<Vec<Weight>>>,
}

impl Store for Scales {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let text = |entry: &Entry| match &entry.input {
            LoggedInput::Event { text, .. } => text.len(),
            LoggedInput::Timer { .. }
            | LoggedInput::AttemptReady { .. }
            | LoggedInput::AttemptFinished { .. }
            | LoggedInput::AttemptBarred(_)
            | LoggedInput::Queued(_)
            | LoggedInput::SweepPage { .. }
            | LoggedInput::Operator(_)
            | LoggedInput::Published { .. }
            | LoggedInput::Withdrawn(_)
            | LoggedInput::Redacted => 0,
        };
        let bytes = batch.entries.iter().map(text).sum();
        let mut weights = self.weights.lock().unwrap();
        weights.push((batch.entries.len(), bytes));
        self.kept.commit(batch)
    }

    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.kept.load(keys)
    }

    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError> {
        self.kept.scan(kind, visit)
    }

    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        self.kept.history(from_seq, visit)
    }

    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.kept.page(kind, after, limit)
    }

    fn redact(&mut self, seqs: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.kept.redact(seqs)
    }

    fn redact_on(&mut self) -> Result<Redaction, StoreError> {
        self.kept.redact_on()
    }

    fn beginning(&mut self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        self.kept.beginning()
    }

    fn head(&self) -> &Head {
        self.kept.head()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The batches that come of so many events, all waiting at once and each as large as told, and of
/// the walks they begin, which all go on at the same instant.
async fn weights(events: usize, pad_bytes: usize) -> Vec<Weight> {
    let weights = Arc::new(Mutex::new(Vec::new()));
    let store = Scales {
        kept: MemoryStore::new(IdKey::STATELESS),
        weights: weights.clone(),
    };
    let settings = config::read("{}").unwrap();
    let graphs = vec![settings.compile(JOURNEY).unwrap().graph];
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        IdKey::STATELESS,
        Sending::Owed,
    );
    let compile = |source: &str| settings.compile(source);
    let engine = Engine::open(catalog, Box::new(store), graphs, &compile).unwrap();
    // The journey was published.
    weights.lock().unwrap().clear();

    let secrets = Arc::new(Secrets::stand_ins());
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let outbound = Outbound {
        client: Client::to_receiver(nowhere, settings.webhooks.clone(), secrets.clone()),
        secrets,
        hosts: settings.hosts.clone(),
    };
    let mut tell = |_: Output, _: Option<String>| {};
    let (driver, inbox) = Driver::new(engine, outbound, &mut tell);
    let pad = "x".repeat(pad_bytes);
    for number in 0..events {
        let event = format!(
            r#"{{"type":"track","userId":"u{number}","event":"Began","timestamp":"2026-01-26T10:00:00Z","pad":"{pad}"}}"#
        );
        let submission = Submission::line(&event, "test".into(), 1, None);
        inbox.send(submission).await.unwrap();
    }
    drop(inbox);
    let engine = driver.play(Advance::ToTheEnd).await.unwrap();
    assert_eq!(engine.waiting(), 0);
    drop(engine);
    Arc::into_inner(weights).unwrap().into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_batch_has_at_most_512_inputs_be_they_events_or_timers() {
    let weights = weights(1_300, 0).await;
    let inputs: Vec<usize> = weights.iter().map(|(inputs, _)| *inputs).collect();
    assert_eq!(inputs.iter().sum::<usize>(), 2 * 1_300);
    assert!(
        inputs.iter().all(|inputs| *inputs <= INPUTS_MAX),
        "{inputs:?}"
    );
    let (events, timers): (Vec<Weight>, Vec<Weight>) =
        weights.into_iter().partition(|(_, bytes)| *bytes > 0);
    for batches in [events, timers] {
        let full = batches.iter().filter(|(inputs, _)| *inputs == INPUTS_MAX);
        assert_eq!(full.count(), 2, "{batches:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_batch_has_at_most_8_mib_and_the_event_that_filled_it() {
    let weights = weights(900, 30_000).await;
    let bytes: Vec<usize> = weights.iter().map(|(_, bytes)| *bytes).collect();
    assert!(bytes.iter().sum::<usize>() > 2 * BYTES_MAX);
    let most = BYTES_MAX + EVENT_BYTES_MAX;
    assert!(bytes.iter().all(|bytes| *bytes < most), "{bytes:?}");
    let full = bytes.iter().filter(|bytes| **bytes >= BYTES_MAX);
    assert_eq!(full.count(), 2, "{bytes:?}");
}
