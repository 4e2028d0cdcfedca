//! What does the HTTP API offer? Events in, durable before the answer; whether the process is alive; and
//! under `/api` what operators need. Not here: what an event or an order means.

mod admin;
mod auth;
mod connections;
mod ingest;
mod problem;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use wayfare_event::EventKind;
use wayfare_runtime::Inbox;

pub(crate) use admin::router as admin;
pub(crate) use auth::Keys;
pub(crate) use connections::{Patience, serve};
pub(crate) use tokens::{Token, Tokens};

/// Bytes of one request's body, unpacked: 4,000 KiB, as RudderStack takes.
const BODY_BYTES_MAX: usize = 4_000 * 1024;

/// What every request can reach.
#[derive(Debug)]
pub(crate) struct Shared {
    keys: Keys,
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
pub(crate) fn router(keys: Keys, inbox: Inbox, patience: Patience) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/v1/batch", post(ingest::batch))
        .route("/v1/b", post(ingest::batch));
    for (path, kind) in SINGLE {
        let single = move |shared, request| ingest::single(kind, shared, request);
        router = router.route(path, post(single));
    }
    router
        .fallback(|| async { problem::not_found() })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(Shared {
            keys,
            inbox,
            patience,
        }))
}
