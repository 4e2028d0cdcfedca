//! What does a receiver of webhooks look like? One route, the raw body, a signature, an effect, and
//! an answer that says no more than what is durable.
//!
//! `WEBHOOK_SECRETS='whsec_…' wayfare-example-receiver [PORT] [FILE]`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tokio::net::TcpListener;
use wayfare_example_receiver::ledger::{Ledger, Taken};
use wayfare_example_receiver::signature::Secrets;

/// Bytes of a body that are read: four times the largest that Wayfare sends.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Seconds after which a sender may try again.
const RETRY_AFTER_S: u64 = 5;

/// What all requests share.
struct Desk {
    secrets: Secrets,
    ledger: Mutex<Ledger>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next();
    let port: u16 = port.map_or(Ok(9000), |it| it.parse()).context("PORT")?;
    let file: PathBuf = arguments
        .next()
        .map_or_else(|| "received.ndjson".into(), PathBuf::from);
    let secrets = secrets().map_err(|error| anyhow!("WEBHOOK_SECRETS: {error}"))?;
    let ledger = Ledger::open(&file, now()).with_context(|| file.display().to_string())?;
    let desk = Arc::new(Desk {
        secrets,
        ledger: Mutex::new(ledger),
    });
    // The signature covers neither method nor path: there is one of each for these secrets.
    let service = Router::new()
        .route("/webhook", post(receive))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(desk);
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    listening(listener.local_addr()?);
    // It may be killed at any time: what was answered is durable.
    axum::serve(listener, service).await?;
    Ok(())
}

async fn receive(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    let id = match desk.secrets.verify(&headers, &body, now()) {
        Ok(id) => id.to_owned(),
        Err(refusal) => {
            note(&format!("not verified: {refusal}"));
            return StatusCode::UNAUTHORIZED.into_response();
        }
    };
    let Ok(body) = String::from_utf8(body.into()) else {
        note(&format!("{id}: the body is not text"));
        return StatusCode::BAD_REQUEST.into_response();
    };
    let noted = id.clone();
    // The disk may take its time; other requests do not wait for it.
    let taken = tokio::task::spawn_blocking(move || {
        let mut ledger = desk.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.take(&id, &body, now())
    });
    match taken.await.map_err(std::io::Error::other).flatten() {
        Ok(Taken::Now | Taken::Before) => StatusCode::NO_CONTENT.into_response(),
        Ok(Taken::Altered) => {
            note(&format!("{noted}: came before with another body"));
            StatusCode::UNPROCESSABLE_ENTITY.into_response()
        }
        Err(error) => {
            note(&format!("{noted}: not taken: {error}"));
            let again = [(RETRY_AFTER, RETRY_AFTER_S.to_string())];
            (StatusCode::SERVICE_UNAVAILABLE, again).into_response()
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own: this is where it reads its environment"
)]
fn secrets() -> anyhow::Result<Secrets> {
    Ok(Secrets::parse(&std::env::var("WEBHOOK_SECRETS")?)?)
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own: this is its clock"
)]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| it.as_secs())
}

#[expect(
    clippy::print_stdout,
    reason = "whoever asked for port 0 reads here which one it is"
)]
fn listening(address: SocketAddr) {
    println!("listening on http://{address}/webhook");
}

#[expect(clippy::print_stderr, reason = "the log of this program")]
fn note(words: &str) {
    eprintln!("{words}");
}
