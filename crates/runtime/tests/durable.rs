//! Does anything follow from a batch before it is durable? A store whose commits the test holds in
//! its hand says when; replies, outputs and requests must wait for it.

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver as Ear, Sender as Mouth};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wayfare_event::{IdKey, Rejection, Timestamp};
use wayfare_executor::{Catalog, Key, Row, Sending};
use wayfare_runtime::config::{self, Settings};
use wayfare_runtime::orders::{self, Scope, Wanted};
use wayfare_runtime::{
    Desk, DeskError, Driver, Engine, Given, Inbox, Outbound, Output, Submission, Until,
};
use wayfare_store::{Batch, Entry, Head, MemoryStore, Redaction, RowKind, Store, StoreError};
use wayfare_webhook::{Answers, Client, Receiver, Secrets};

/// How long something that must come may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

const JOURNEY: &str = "
journey: lead
description: Create a lead.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  create:
    webhook:
      method: POST
      url: https://crm.example.com/leads
      consent: { basis: contract, because: it is a test }
      payload: { plan: '{trigger.properties.plan}' }
";

const EVENT: &str = r#"{"type":"track","messageId":"m","userId":"ann","event":"Signup Completed","properties":{"plan":"pro"}}"#;

/// What becomes of a commit.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Succeeds,
    Fails,
}

/// Memory that commits nothing before the test has said what becomes of it.
struct Held {
    kept: MemoryStore,
    asked: Mouth<()>,
    fate: Ear<Fate>,
    idled: Arc<AtomicBool>,
}

impl Store for Held {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.asked.send(()).map_err(|_| StoreError::Stopped)?;
        match self.fate.recv() {
            Ok(Fate::Succeeds) => self.kept.commit(batch),
            Ok(Fate::Fails) | Err(_) => Err(StoreError::Stopped),
        }
    }

    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.kept.load(keys)
    }

    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError> {
        self.kept.scan(kind, visit)
    }

    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.kept.page(kind, after, limit)
    }

    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        self.kept.history(from_seq, visit)
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

    fn idle(&mut self, _now: Timestamp) -> Result<bool, StoreError> {
        self.idled.store(true, Ordering::Relaxed);
        Ok(false)
    }

    fn head(&self) -> &Head {
        self.kept.head()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What came out so far, of the driver and over the wire, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A driver at work over a store that is held.
struct AtWork {
    seen: Seen,
    receiver: Receiver,
    asked: Ear<()>,
    fate: Mouth<Fate>,
    inbox: Inbox,
    desk: Desk,
    driving: JoinHandle<Result<Engine, StoreError>>,
    idled: Arc<AtomicBool>,
}

impl AtWork {
    async fn start() -> Self {
        let seen = Seen::default();
        let (arrived, told) = (seen.clone(), seen.clone());
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let receiver = Receiver::bind(loopback, (Answers::default(), None), move |received| {
            arrived.note(format!("{} arrived", received.path));
        });
        let receiver = receiver.await.unwrap();
        let (asks, asked) = mpsc::channel();
        let (fate, decided) = mpsc::channel();
        let idled = Arc::new(AtomicBool::new(false));
        let store = Held {
            kept: MemoryStore::new(IdKey::STATELESS),
            asked: asks,
            fate: decided,
            idled: idled.clone(),
        };
        // The version of the journey is made durable while the engine comes up.
        fate.send(Fate::Succeeds).unwrap();
        let settings = config::read("{}").unwrap();
        let engine = engine(&settings, store);
        asked.recv_timeout(PATIENCE).unwrap();

        let outbound = outbound(settings, receiver.local_addr());
        let (give, given) = oneshot::channel();
        let driving = tokio::spawn(async move {
            let mut tell = |output: Output, _: Option<String>| told.note(words(&output));
            let (mut driver, inbox) = Driver::new(engine, outbound, &mut tell);
            give.send((inbox, driver.desk())).unwrap();
            driver.run(Until::Delivered).await
        });
        let (inbox, desk) = given.await.unwrap();
        Self {
            seen,
            receiver,
            asked,
            fate,
            inbox,
            desk,
            driving,
            idled,
        }
    }

    /// Hands the event in, as the last one.
    async fn hand_in(&self) -> oneshot::Receiver<Result<(), Rejection>> {
        let (reply, answer) = oneshot::channel();
        let mut submission = Submission::line(EVENT, "test".into(), 1, None);
        submission.origin.reply = Some(reply);
        self.inbox.send(submission).await.unwrap();
        answer
    }

    /// Orders that everything is paused.
    fn pause(&self) -> JoinHandle<Result<Given, DeskError>> {
        let desk = self.desk.clone();
        let by = ("ann".to_owned(), "a test".to_owned());
        let all = |engine: &mut Engine| orders::actions(engine, Wanted::Pause(Scope::All));
        tokio::spawn(async move { desk.order(by, all).await })
    }

    /// Waits until a commit is asked for; from then on it is held.
    fn is_held(&self) {
        self.asked.recv_timeout(PATIENCE).unwrap();
    }

    /// Sends a request of the test's own, so that one of the driver's that left before is there.
    async fn probe(&self, path: &str) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let address = self.receiver.local_addr();
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    }
}

fn engine(settings: &Settings, store: Held) -> Engine {
    let graphs = vec![settings.compile(JOURNEY).unwrap().graph];
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        store.head().id_key,
        Sending::Owed,
    );
    Engine::open(catalog, Box::new(store), graphs, &|source| {
        settings.compile(source)
    })
    .unwrap()
}

fn outbound(settings: Settings, receiver: SocketAddr) -> Outbound {
    let secrets = Arc::new(Secrets::stand_ins());
    Outbound {
        client: Client::to_receiver(receiver, settings.webhooks, secrets.clone()),
        secrets,
        hosts: settings.hosts,
    }
}

fn words(output: &Output) -> String {
    match output {
        Output::Decision(decision) => format!("{} decided", decision.outcome.as_str()),
        Output::Delivery { delivery, .. } => delivery.state.as_str().to_owned(),
        Output::Refused(_)
        | Output::Control { .. }
        | Output::Rejected { .. }
        | Output::Trace { .. } => {
            format!("{output:?}")
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answer_output_and_request_wait_for_what_they_follow_from() {
    let at_work = AtWork::start().await;
    let mut answer = at_work.hand_in().await;

    at_work.is_held();
    at_work.probe("/event-held").await;
    assert_eq!(
        answer.try_recv(),
        Err(oneshot::error::TryRecvError::Empty),
        "an event was acknowledged before it was durable"
    );
    assert_eq!(at_work.seen.all(), ["/event-held arrived"]);
    at_work.fate.send(Fate::Succeeds).unwrap();
    assert_eq!(answer.await, Ok(Ok(())));

    // The attempt is armed: it may leave once that is durable.
    at_work.is_held();
    at_work.probe("/arming-held").await;
    let before = [
        "/event-held arrived",
        "webhook decided",
        "/arming-held arrived",
    ];
    assert_eq!(at_work.seen.all(), before);
    at_work.fate.send(Fate::Succeeds).unwrap();

    // Its end is heard, and told once that is durable.
    at_work.is_held();
    let sent = [&before[..], &["armed", "/leads arrived"]].concat();
    assert_eq!(at_work.seen.all(), sent);
    at_work.fate.send(Fate::Succeeds).unwrap();
    drop(at_work.inbox);
    at_work.driving.await.unwrap().unwrap();
    assert_eq!(at_work.seen.all(), [&sent[..], &["delivered"]].concat());
    at_work.receiver.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_answers_nobody_and_ends_the_run() {
    let mut at_work = AtWork::start().await;
    let answer = at_work.hand_in().await;
    at_work.is_held();
    at_work.fate.send(Fate::Fails).unwrap();
    let ended = (&mut at_work.driving).await.unwrap();
    assert!(matches!(ended, Err(StoreError::Stopped)), "{ended:?}");
    assert!(
        answer.await.is_err(),
        "an event that is not durable was answered"
    );
    at_work.probe("/after").await;
    assert_eq!(at_work.seen.all(), ["/after arrived"]);
    at_work.receiver.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_arming_that_fails_lets_no_request_leave() {
    let mut at_work = AtWork::start().await;
    let answer = at_work.hand_in().await;
    at_work.is_held();
    at_work.fate.send(Fate::Succeeds).unwrap();
    assert_eq!(answer.await, Ok(Ok(())));
    at_work.is_held();
    at_work.probe("/arming-held").await;
    at_work.fate.send(Fate::Fails).unwrap();
    let ended = (&mut at_work.driving).await.unwrap();
    assert!(matches!(ended, Err(StoreError::Stopped)), "{ended:?}");
    at_work.probe("/after").await;
    let seen = ["webhook decided", "/arming-held arrived", "/after arrived"];
    assert_eq!(at_work.seen.all(), seen);
    at_work.receiver.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_wall_clock_the_store_is_asked_to_write_what_waits() {
    let AtWork {
        inbox,
        driving,
        idled,
        ..
    } = AtWork::start().await;
    drop(inbox);
    driving.await.unwrap().unwrap();
    assert!(idled.load(Ordering::Relaxed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_answered_once_it_is_durable_and_looks_see_what_is() {
    let at_work = AtWork::start().await;
    let order = at_work.pause();
    at_work.is_held();
    at_work.probe("/order-held").await;
    assert!(!order.is_finished(), "an order was answered too early");
    assert_eq!(at_work.seen.all(), ["/order-held arrived"]);
    at_work.fate.send(Fate::Succeeds).unwrap();
    let given = order.await.unwrap().unwrap();
    assert_eq!(given.actions.len(), 1);

    let paused = |store: &mut dyn Store| {
        let known = wayfare_runtime::journeys::known(store)?;
        Ok(known.values().filter(|it| it.paused().is_some()).count())
    };
    assert_eq!(at_work.desk.look(paused).await.unwrap(), 1);
    let again = at_work.pause().await.unwrap();
    assert!(matches!(again, Err(DeskError::Order(_))), "{again:?}");
    drop(at_work.inbox);
    at_work.driving.await.unwrap().unwrap();
    at_work.receiver.shutdown().await;
    let after = at_work.desk.look(paused).await;
    assert!(matches!(after, Err(DeskError::Stopped)), "{after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_cannot_be_kept_is_not_answered_as_if_it_were() {
    let at_work = AtWork::start().await;
    let order = at_work.pause();
    at_work.is_held();
    at_work.fate.send(Fate::Fails).unwrap();
    let answer = order.await.unwrap();
    assert!(matches!(answer, Err(DeskError::Stopped)), "{answer:?}");
    let ended = at_work.driving.await.unwrap();
    assert!(matches!(ended, Err(StoreError::Stopped)), "{ended:?}");
    at_work.receiver.shutdown().await;
}
