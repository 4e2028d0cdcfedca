//! What would a receiver see? A small HTTP server to rehearse against: it takes every request,
//! counts copies and answers as told. Not here: how requests find it (`Client::to_receiver`).

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::verify::{Signature, Verifier};

/// Bytes of a body that are taken: four times the largest payload.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Ids whose copies are counted; beyond it the oldest are forgotten.
const IDS_MAX: usize = 100_000;
/// Statuses in a list of answers.
const ANSWERS_MAX: usize = 1_000;

/// The statuses a receiver answers with, one for each request; the last one repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers(Vec<StatusCode>);

/// The text is no list of statuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswersParseError {
    /// One of them is no final HTTP status.
    #[error("`{0}` is not a status from 200 to 599, write a list such as `503,200`")]
    Status(String),
    /// Too many.
    #[error("more than {ANSWERS_MAX} answers, the last one repeats")]
    TooMany,
}

impl Default for Answers {
    fn default() -> Self {
        Self(vec![StatusCode::OK])
    }
}

impl FromStr for Answers {
    type Err = AnswersParseError;

    fn from_str(text: &str) -> Result<Self, AnswersParseError> {
        let statuses = text
            .split(',')
            .map(|word| {
                let wrong = || AnswersParseError::Status(word.chars().take(64).collect());
                let status: u16 = word.trim().parse().map_err(|_| wrong())?;
                StatusCode::from_u16(status)
                    .ok()
                    .filter(|_| (200..600).contains(&status))
                    .ok_or_else(wrong)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if statuses.len() > ANSWERS_MAX {
            return Err(AnswersParseError::TooMany);
        }
        Ok(Self(statuses))
    }
}

impl Answers {
    fn nth(&self, request: usize) -> StatusCode {
        let told = self.0.get(request).or_else(|| self.0.last());
        told.copied().unwrap_or(StatusCode::OK)
    }
}

/// One request, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its method.
    pub method: String,
    /// Path and query of the request line.
    pub path: String,
    /// Its `Host`; empty without one.
    pub host: String,
    /// All headers, names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// The delivery it belongs to.
    pub webhook_id: Option<String>,
    /// How often this id has come, this time included; without an id, 1.
    pub copies: u32,
    /// Who signed it, where keys are known.
    pub signature: Option<Signature>,
    /// The status it is answered with: 401 where its signature is wrong.
    pub status: u16,
}

/// A receiver that is listening.
pub struct Receiver {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// Listens on this address; with a verifier it looks at signatures, and answers a wrong one 401.
    /// Each request is given to `told` before it is answered, so whoever has the answer can rely on
    /// it having been told.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(
        address: SocketAddr,
        (answers, verifier): (Answers, Option<Verifier>),
        told: impl Fn(Received) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let desk = Arc::new(Desk {
            answers,
            verifier,
            told: Box::new(told),
            ledger: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, desk, stopped));
        Ok(Self {
            address,
            stop,
            serving,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening, answers what has arrived, and returns when nothing is left.
    pub async fn shutdown(self) {
        drop(self.stop);
        // The task can only have ended; a panic in `told` is reported by the runtime.
        let _ended = self.serving.await.is_ok();
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.address).finish()
    }
}

/// What all connections share.
struct Desk {
    answers: Answers,
    verifier: Option<Verifier>,
    told: Box<dyn Fn(Received) + Send + Sync>,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    requests: usize,
    copies: BTreeMap<String, u32>,
    oldest: VecDeque<String>,
}

impl Ledger {
    fn count(&mut self, id: &str) -> u32 {
        if let Some(copies) = self.copies.get_mut(id) {
            *copies = copies.saturating_add(1);
            return *copies;
        }
        if self.oldest.len() == IDS_MAX
            && let Some(forgotten) = self.oldest.pop_front()
        {
            self.copies.remove(&forgotten);
        }
        self.oldest.push_back(id.to_owned());
        self.copies.insert(id.to_owned(), 1);
        1
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>, mut stopped: oneshot::Receiver<()>) {
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, mostly: let the connections that hold them go on.
            tokio::task::yield_now().await;
            continue;
        };
        let desk = Arc::clone(&desk);
        let take = service_fn(move |request| {
            let desk = Arc::clone(&desk);
            async move { Ok::<_, Infallible>(desk.take(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), take);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // A sender that goes away in the middle is its own affair.
            let _is_ended = connection.await.is_ok();
        });
    }
    drop(listener);
    connections.shutdown().await;
}

impl Desk {
    async fn take(&self, request: Request<Incoming>) -> Response<Empty<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
            return answer(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let text = |value: &hyper::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let webhook_id = head.headers.get("webhook-id").map(text);
        let path = head.uri.path_and_query().map(ToString::to_string);
        let headers: Vec<(String, String)> = head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        let body = body.to_bytes().to_vec();
        let verifier = self.verifier.as_ref();
        let signature = verifier.map(|verifier| verifier.verify(&headers, &body));
        let (status, copies) = match signature {
            Some(Signature::Wrong) => (StatusCode::UNAUTHORIZED, 1),
            Some(Signature::Absent | Signature::Verified) | None => {
                self.note(webhook_id.as_deref())
            }
        };
        (self.told)(Received {
            method: head.method.to_string(),
            path: path.unwrap_or_default(),
            host: head.headers.get(HOST).map(text).unwrap_or_default(),
            headers,
            body,
            webhook_id,
            copies,
            signature,
            status: status.as_u16(),
        });
        answer(status)
    }

    fn note(&self, webhook_id: Option<&str>) -> (StatusCode, u32) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let status = self.answers.nth(ledger.requests);
        ledger.requests = ledger.requests.saturating_add(1);
        let copies = webhook_id.map_or(1, |id| ledger.count(id));
        (status, copies)
    }
}

fn answer(status: StatusCode) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    response
}
