//! How do events come in by HTTP? In the shapes of Segment's and RudderStack's SDKs; answered once
//! they are durable.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Query, Request, State};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::oneshot;
use wayfare_event::limits::EVENT_BYTES_MAX;
use wayfare_event::{Event, EventKind, Map, Rejection, RejectionCode, Value};
use wayfare_runtime::config::{KeyKind, Scope};
use wayfare_runtime::{Origin, Submission};

use super::auth::{self, Sender};
use super::problem::Problem;
use super::{BODY_BYTES_MAX, Doors, Patience, Shared};

/// Events of one batch.
const BATCH_EVENTS_MAX: usize = 2_500;
/// How long an event waits for a place in the writer's queue.
const QUEUE_WAIT: Duration = Duration::from_secs(5);
/// The header of Global Privacy Control.
const SEC_GPC: HeaderName = HeaderName::from_static("sec-gpc");

/// One event on its own path.
pub(super) async fn single(
    kind: EventKind,
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Response {
    match one(kind, &shared, request).await {
        Ok(()) => success(&[]),
        Err(problem) => problem.into_response(),
    }
}

async fn one(kind: EventKind, shared: &Shared, request: Request) -> Result<(), Problem> {
    let Received { text, headers, key } = receive(request, shared.patience).await?;
    if text.len() > EVENT_BYTES_MAX {
        let message = format!(
            "the event has {} bytes, at most {EVENT_BYTES_MAX} are taken",
            text.len()
        );
        return Err(Rejection::new(RejectionCode::TooLarge, message).into());
    }
    let mut map = object(&text)?;
    let sender = sender(shared, key, &map)?;
    let signals = signals(&headers);
    let has_type = map.get("type").is_some();
    if !has_type {
        map.insert("type", kind.as_str().into());
    }
    if signals {
        note_signal(&mut map);
    }
    // A key is for us to look at, not to keep.
    let has_key = map.get("writeKey").is_some();
    if has_key {
        let others = map.iter().filter(|(name, _)| &***name != "writeKey");
        map = others
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
    }
    let text = if has_type && !signals && !has_key {
        text
    } else {
        written(&map)?
    };
    let event = Event::from_map(&map, Some(kind))?;
    may_say(&shared.doors, (&sender, &headers), &event)?;
    let told = submit(shared, (event, text.into()), &sender).await?;
    Ok(heard(told).await??)
}

/// Several events; each is taken or rejected by itself.
pub(super) async fn batch(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match several(&shared, request).await {
        Ok(rejected) => success(&rejected),
        Err(problem) => problem.into_response(),
    }
}

type RejectedItem = (usize, Rejection);

async fn several(shared: &Shared, request: Request) -> Result<Vec<RejectedItem>, Problem> {
    let Received { text, headers, key } = receive(request, shared.patience).await?;
    let map = object(&text)?;
    let sender = sender(shared, key, &map)?;
    let signals = signals(&headers);
    let Some(Value::List(items)) = map.get("batch") else {
        let message = "a batch is {\"batch\": [ … ]}";
        return Err(Rejection::new(RejectionCode::InvalidField, message).into());
    };
    if items.is_empty() || items.len() > BATCH_EVENTS_MAX {
        let message = format!(
            "the batch has {} events, 1 to {BATCH_EVENTS_MAX} are taken",
            items.len()
        );
        return Err(Rejection::new(RejectionCode::InvalidField, message).into());
    }
    let mut rejected = Vec::new();
    let mut waiting = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let event = item_event(&map, item, signals).and_then(|(event, text)| {
            may_say(&shared.doors, (&sender, &headers), &event)?;
            Ok((event, text))
        });
        match event {
            Ok(event) => {
                let told = submit(shared, event, &sender).await?;
                waiting.push((index, told));
            }
            Err(rejection) => rejected.push((index, rejection)),
        }
    }
    for (index, told) in waiting {
        if let Err(rejection) = heard(told).await? {
            rejected.push((index, rejection));
        }
    }
    rejected.sort_by_key(|(index, _)| *index);
    Ok(rejected)
}

/// One event of a batch, with the batch's `context` and `sentAt` under its own.
fn item_event(batch: &Map, item: &Value, signals: bool) -> Result<(Event, Arc<str>), Rejection> {
    let Value::Map(item) = item else {
        let message = "every item of a batch is an object";
        return Err(Rejection::new(RejectionCode::InvalidField, message));
    };
    let mut item = item.clone();
    if let (Some(sent), None) = (batch.get("sentAt"), item.get("sentAt")) {
        item.insert("sentAt", sent.clone());
    }
    if let Some(Value::Map(shared)) = batch.get("context") {
        let mut context = shared.clone();
        if let Some(Value::Map(own)) = item.get("context") {
            for (name, value) in own.iter() {
                context.insert(name, value.clone());
            }
        }
        item.insert("context", context.into());
    }
    if signals {
        note_signal(&mut item);
    }
    let text = written(&item)?;
    Ok((Event::from_map(&item, None)?, text.into()))
}

/// An event as it is logged, when it may be as large as that.
fn written(map: &Map) -> Result<String, Rejection> {
    let text = map.to_string();
    if text.len() > EVENT_BYTES_MAX {
        let message = format!(
            "the event has {} bytes, at most {EVENT_BYTES_MAX} are taken",
            text.len()
        );
        return Err(Rejection::new(RejectionCode::TooLarge, message));
    }
    Ok(text)
}

/// Whether the browser that sends signals Global Privacy Control: exactly `1` on one of its lines
/// (K-08, D33).
fn signals(headers: &HeaderMap) -> bool {
    headers.get_all(SEC_GPC).iter().any(|value| value == "1")
}

/// Notes the signal where an event itself could say it, so that the log has it.
fn note_signal(event: &mut Map) {
    let mut context = match event.get("context") {
        Some(Value::Map(context)) => context.clone(),
        None | Some(Value::Null) => Map::new(),
        // What is no context is refused as such.
        Some(Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_)) => return,
    };
    context.insert("gpc", true.into());
    event.insert("context", context.into());
}

/// History starts nothing and may be dated back, so that it needs an admin token; a key that anybody
/// can read is no place for one.
fn may_say(
    doors: &Doors,
    (sender, headers): (&Sender, &HeaderMap),
    event: &Event,
) -> Result<(), Rejection> {
    if !event.historical {
        return Ok(());
    }
    let is_admin = doors.tokens.operator(headers, Scope::Admin).is_ok();
    let message = match sender.kind {
        KeyKind::Server if is_admin => return Ok(()),
        KeyKind::Server => {
            "`historical: true` needs an admin token with the scope `admin`, as `Authorization: Bearer \
             TOKEN`, and then the write key as `writeKey` in the body"
        }
        KeyKind::Browser => {
            "a browser key does not say `historical: true`, send it with a server key"
        }
    };
    Err(Rejection::new(RejectionCode::Forbidden, message))
}

/// A request's body as text, its headers, and the key it was sent with outside the body.
struct Received {
    text: String,
    headers: HeaderMap,
    key: Option<String>,
}

async fn receive(request: Request, patience: Patience) -> Result<Received, Problem> {
    let headers = request.headers().clone();
    let query = Query::<std::collections::BTreeMap<String, String>>::try_from_uri(request.uri());
    let query = query
        .ok()
        .and_then(|Query(mut query)| query.remove("writeKey"));
    let too_large = |_| {
        let detail = format!("a request has at most {BODY_BYTES_MAX} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    let body = tokio::time::timeout(patience.body, Bytes::from_request(request, &()));
    let Ok(body) = body.await else {
        return Err(Problem::too_slow(patience.body));
    };
    let body = body.map_err(too_large)?;
    let text = unpack(&headers, &body)?;
    Ok(Received {
        text,
        key: auth::basic(&headers).or(query),
        headers,
    })
}

fn unpack(headers: &HeaderMap, body: &Bytes) -> Result<String, Problem> {
    let not_text = || {
        let message = "the body is not UTF-8";
        Problem::from(Rejection::new(RejectionCode::InvalidJson, message))
    };
    let encoding = headers.get(CONTENT_ENCODING).map(|value| value.as_bytes());
    match encoding {
        None | Some(b"identity" | b"") => String::from_utf8(body.to_vec()).map_err(|_| not_text()),
        Some(b"gzip") => {
            let mut text = String::new();
            let unpacked = flate2::read::GzDecoder::new(&**body);
            let mut bounded = unpacked.take(BODY_BYTES_MAX as u64 + 1);
            bounded.read_to_string(&mut text).map_err(|_| {
                let message = "the body says it is gzip and cannot be unpacked";
                Problem::from(Rejection::new(RejectionCode::InvalidJson, message))
            })?;
            if text.len() > BODY_BYTES_MAX {
                let detail = format!("a request has at most {BODY_BYTES_MAX} bytes, unpacked");
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                return Err(Problem::new(status, "too_large", detail));
            }
            Ok(text)
        }
        Some(_) => {
            let detail = "send the body as it is, or with `Content-Encoding: gzip`";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            Err(Problem::new(status, "unsupported_encoding", detail))
        }
    }
}

fn object(text: &str) -> Result<Map, Problem> {
    match Value::parse(text) {
        Ok(Value::Map(map)) => Ok(map),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_)) => {
            let message = "the body is a JSON object";
            Err(Rejection::new(RejectionCode::InvalidJson, message).into())
        }
        Err(why) => {
            let message = format!("the body is not JSON: {why}");
            Err(Rejection::new(RejectionCode::InvalidJson, message).into())
        }
    }
}

/// Who sends: by the key outside the body, else by `writeKey` in it.
fn sender(shared: &Shared, key: Option<String>, body: &Map) -> Result<Sender, Problem> {
    let in_body = || {
        body.get("writeKey")
            .and_then(Value::as_text)
            .map(str::to_owned)
    };
    let key = key.or_else(in_body);
    let sender = shared.doors.keys.sender(key.as_deref());
    sender.ok_or_else(Problem::unauthorized)
}

pub(super) type Told = oneshot::Receiver<Result<(), Rejection>>;

/// Puts an event into the writer's queue.
pub(super) async fn submit(
    shared: &Shared,
    (event, text): (Event, Arc<str>),
    sender: &Sender,
) -> Result<Told, Problem> {
    let (reply, told) = oneshot::channel();
    let submission = Submission {
        event: Ok(Box::new(event)),
        origin: Origin {
            text,
            source: sender.source.clone(),
            trust: sender.trust(),
            line: 0,
            cursor: None,
            reply: Some(reply),
        },
    };
    let queued = tokio::time::timeout(QUEUE_WAIT, shared.inbox.send(submission)).await;
    match queued {
        Ok(Ok(())) => Ok(told),
        Ok(Err(_)) => Err(Problem::unavailable("the engine has stopped; see its log")),
        Err(_) => Err(Problem::unavailable(
            "more events come than can be kept; send again later",
        )),
    }
}

/// What the writer says, once the event is durable or refused.
pub(super) async fn heard(told: Told) -> Result<Result<(), Rejection>, Problem> {
    let stopped =
        |_| Problem::unavailable("the engine stopped before this was kept; send the same again");
    told.await.map_err(stopped)
}

fn success(rejected: &[RejectedItem]) -> Response {
    let rejected: Vec<_> = rejected
        .iter()
        .map(|(index, rejection)| {
            json!({
                "index": index,
                "code": rejection.code.as_str(),
                "message": rejection.message,
            })
        })
        .collect();
    let body = if rejected.is_empty() {
        json!({ "success": true })
    } else {
        json!({ "success": true, "rejected": rejected })
    };
    let json = [("content-type", "application/json")];
    (StatusCode::OK, json, body.to_string()).into_response()
}
