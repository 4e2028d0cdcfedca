//! What happens when somebody follows a link to unsubscribe? A POST declines the category for the
//! address, durable before the answer (RFC 8058); a GET declines nothing, since scanners of mail
//! follow links too: it shows a page with a button that posts. The token says who and what, and that
//! we, or who shares our key, made it; no write key is asked for.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use wayfare_event::{Event, EventKind, Map, Namespace, Value};

use super::Shared;
use super::auth::Sender;
use super::ingest::{heard, submit};
use super::problem::{self, Problem};
use crate::unsubscribe::Link;
use wayfare_runtime::config::KeyKind;

/// The source of what links say, as records name it.
const SOURCE: &str = "unsubscribe";

/// Bytes of a body at most: mail programs send 26, or as much again in several parts.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024;
/// Nothing is loaded, nobody frames the page, and its form posts to where it came from.
const POLICY: &str =
    "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Shows what following the link would do.
pub(super) async fn ask(State(shared): State<Arc<Shared>>, Path(token): Path<String>) -> Response {
    let Some(link) = opened(&shared, &token) else {
        return problem::not_found();
    };
    let (address, category) = (escaped(&link.address), escaped(&link.category));
    page(&format!(
        "<h1>Unsubscribe?</h1>\n\
         <p>Messages of the kind <b>{category}</b> to <b>{address}</b> will stop.</p>\n\
         <form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
         <button>Unsubscribe</button></form>"
    ))
}

/// Declines. What the body says does not matter: the token is the authority, and mail programs send
/// `List-Unsubscribe=One-Click` in several forms.
pub(super) async fn decline(
    State(shared): State<Arc<Shared>>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let Some(link) = opened(&shared, &token) else {
        return problem::not_found();
    };
    match declined(&shared, &link, request).await {
        Ok(()) => page("<h1>You are unsubscribed.</h1>"),
        Err(problem) => problem.into_response(),
    }
}

fn opened(shared: &Shared, token: &str) -> Option<Link> {
    shared.doors.unsubscribe.as_ref()?.open(token)
}

async fn declined(shared: &Shared, link: &Link, request: Request) -> Result<(), Problem> {
    let body = tokio::time::timeout(shared.patience.body, Bytes::from_request(request, &()));
    match body.await {
        Ok(Ok(_read)) => {}
        Ok(Err(_)) => {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            let detail = "the body is `List-Unsubscribe=One-Click` or nothing";
            return Err(Problem::new(status, "too_large", detail));
        }
        Err(_) => return Err(Problem::too_slow(shared.patience.body)),
    }
    let told = told(link);
    let event = Event::from_map(&told, None)?;
    let sender = Sender {
        source: SOURCE.into(),
        kind: KeyKind::Server,
    };
    let answer = submit(shared, (event, told.to_string().into()), &sender).await?;
    heard(answer).await?.map_err(|rejection| {
        // The key sealed it, so somebody who may has made a link that leads nowhere, or the category
        // is gone since: no webhook asks for it any more.
        tracing::warn!(category = link.category, %rejection, "an unsubscribe link says nothing");
        Problem::new(StatusCode::NOT_FOUND, "not_found", "there is nothing here")
    })
}

/// The event that a link stands for. It has no message id: who unsubscribes twice means it twice.
fn told(link: &Link) -> Map {
    let namespace = if link.address.contains('@') {
        Namespace::EMAIL
    } else {
        Namespace::PHONE
    };
    let mut map = Map::new();
    for (key, value) in [
        ("type", EventKind::Consent.as_str()),
        (namespace, &*link.address),
        ("category", &*link.category),
        ("action", "decline"),
        ("source", SOURCE),
        ("method", "one_click"),
    ] {
        map.insert(key, Value::from(value));
    }
    map
}

fn page(body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Unsubscribe</title>\n\
         {body}\n</html>\n"
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    (StatusCode::OK, headers, html).into_response()
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}
