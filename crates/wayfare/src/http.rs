//! What does the HTTP API offer? Events in, durable before the answer; whether the process is alive; and
//! under `/api` what operators need. Not here: what an event or an order means.

mod admin;
mod auth;
mod connections;
mod ingest;
mod problem;
mod tokens;
mod unsubscribe;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use wayfare_event::EventKind;
use wayfare_runtime::Inbox;

use crate::unsubscribe::LinkKey;

pub(crate) use admin::router as admin;
pub(crate) use auth::Keys;
pub(crate) use connections::{Patience, serve};
pub(crate) use tokens::{Token, Tokens};

/// Bytes of one request's body, unpacked: 4,000 KiB, as RudderStack takes.
const BODY_BYTES_MAX: usize = 4_000 * 1024;

/// Who may say what.
#[derive(Debug)]
pub(crate) struct Doors {
    /// Who may send events.
    pub(crate) keys: Keys,
    /// Who may send history.
    pub(crate) tokens: Arc<Tokens>,
    /// What seals the links with which somebody unsubscribes; without it there are none.
    pub(crate) unsubscribe: Option<LinkKey>,
}

/// What every request can reach.
#[derive(Debug)]
pub(crate) struct Shared {
    doors: Doors,
    inbox: Inbox,
    patience: Patience,
}

/// Paths of single events: the names of Segment's HTTP API and the letters its browser SDK uses.
const SINGLE: [(&str, EventKind); 13] = [
    ("/v1/track", EventKind::Track),
    ("/v1/t", EventKind::Track),
    ("/v1/identify", EventKind::Identify),
    ("/v1/i", EventKind::Identify),
    ("/v1/page", EventKind::Page),
    ("/v1/p", EventKind::Page),
    ("/v1/screen", EventKind::Screen),
    ("/v1/s", EventKind::Screen),
    ("/v1/group", EventKind::Group),
    ("/v1/g", EventKind::Group),
    ("/v1/alias", EventKind::Alias),
    ("/v1/a", EventKind::Alias),
    ("/v1/consent", EventKind::Consent),
];

/// The routes. Dropping the router, and every request under way, ends the engine's input.
pub(crate) fn router(doors: Doors, inbox: Inbox, patience: Patience) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/v1/batch", post(ingest::batch))
        .route("/v1/b", post(ingest::batch));
    let link = get(unsubscribe::ask).post(unsubscribe::decline);
    let link = link.layer(DefaultBodyLimit::max(unsubscribe::BODY_BYTES_MAX));
    router = router.route("/unsubscribe/{token}", link);
    for (path, kind) in SINGLE {
        let single = move |shared, request| ingest::single(kind, shared, request);
        router = router.route(path, post(single));
    }
    router
        .fallback(|| async { problem::not_found() })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(Shared {
            doors,
            inbox,
            patience,
        }))
}
