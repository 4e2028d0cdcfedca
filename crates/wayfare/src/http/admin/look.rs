//! What is shown of a server at work? Deliveries and journeys, read a page at a time between two batches,
//! so that nobody waits for a look.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use wayfare_event::{DeliveryId, Map, Value};
use wayfare_executor::{Key, Row};
use wayfare_runtime::config::Scope;
use wayfare_runtime::journeys::{count_page, known};
use wayfare_store::{RowKind, Store, StoreError};

use super::{Admin, Problem, answered};
use crate::lines;

/// Deliveries of one answer, unless fewer are asked for.
const DELIVERIES_MAX: usize = 1_000;
/// Deliveries looked at between two batches.
const PAGE_DELIVERIES: usize = 256;

type Shared = State<Arc<Admin>>;
type Parameters = Query<BTreeMap<String, String>>;

/// Every journey, and who is inside.
pub(super) async fn journeys(State(admin): Shared, headers: HeaderMap) -> Response {
    answered(every_journey(&admin, &headers).await)
}

/// Counted page by page, while the engine goes on.
async fn every_journey(admin: &Admin, headers: &HeaderMap) -> Result<Map, Problem> {
    admin.tokens.operator(headers, Scope::Read)?;
    let mut found = admin.desk.look(known).await?;
    let mut after: Option<Key> = None;
    loop {
        let page = move |store: &mut dyn Store| {
            let last = count_page(store, &mut found, after.as_ref())?;
            Ok((found, last))
        };
        (found, after) = admin.desk.look(page).await?;
        if after.is_none() {
            break;
        }
    }
    let lines = found.iter().map(|(id, it)| lines::journey(id, it).into());
    let mut answer = Map::new();
    answer.insert("journeys", Value::List(lines.collect()));
    Ok(answer)
}

/// One delivery.
pub(super) async fn delivery(
    State(admin): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    answered(one_delivery(&admin, &id, &headers).await)
}

async fn one_delivery(admin: &Admin, text: &str, headers: &HeaderMap) -> Result<Map, Problem> {
    admin.tokens.operator(headers, Scope::Read)?;
    let Some(id) = delivery_id(text) else {
        return Err(no_delivery(text));
    };
    let found = admin.desk.look(move |store| {
        let rows = store.load(&[Key::Delivery(id)])?;
        Ok(rows.into_iter().flatten().next())
    });
    match found.await? {
        Some(Row::Delivery(delivery)) => Ok(lines::delivery(&delivery)),
        Some(_) | None => Err(no_delivery(text)),
    }
}

/// Deliveries by id, in a state, behind another.
pub(super) async fn deliveries(
    State(admin): Shared,
    query: Parameters,
    headers: HeaderMap,
) -> Response {
    answered(some_deliveries(&admin, query, &headers).await)
}

/// Where there may be more, with the last one looked at.
async fn some_deliveries(
    admin: &Admin,
    Query(mut query): Parameters,
    headers: &HeaderMap,
) -> Result<Map, Problem> {
    admin.tokens.operator(headers, Scope::Read)?;
    let state = query.remove("state");
    let state = state.as_deref().map(known_state).transpose()?;
    let limit_text = query.remove("limit");
    let limit = limit_text.as_deref().map(limit).transpose()?;
    let limit = limit.unwrap_or(DELIVERIES_MAX);
    let after = query.remove("after");
    let after = after.map(|it| delivery_id(&it).ok_or_else(|| no_delivery(&it)));
    let mut after = after.transpose()?.map(Key::Delivery);
    if let Some(key) = query.keys().next() {
        let detail = format!("`{key}` means nothing here; known are state, limit and after");
        return Err(Problem::bad("invalid_parameter", detail));
    }
    let mut lines: Vec<Value> = Vec::new();
    while lines.len() < limit {
        let room = limit.saturating_sub(lines.len());
        let page = move |store: &mut dyn Store| delivery_page(store, after.as_ref(), state, room);
        let (found, last) = admin.desk.look(page).await?;
        lines.extend(found.into_iter().map(Value::from));
        after = last;
        if after.is_none() {
            break;
        }
    }
    let mut answer = Map::new();
    answer.insert("deliveries", Value::List(lines));
    if let Some(Key::Delivery(last)) = after {
        answer.insert("next", last.to_string().as_str().into());
    }
    Ok(answer)
}

/// The next deliveries in a state, at most `room`, and the last one looked at; nothing at the end.
fn delivery_page(
    store: &mut dyn Store,
    after: Option<&Key>,
    state: Option<&'static str>,
    room: usize,
) -> Result<(Vec<Map>, Option<Key>), StoreError> {
    let keys = store.page(RowKind::Delivery, after, PAGE_DELIVERIES)?;
    let mut found = Vec::new();
    let mut last = None;
    for (key, row) in keys.iter().zip(store.load(&keys)?) {
        if found.len() == room {
            break;
        }
        if let Some(Row::Delivery(delivery)) = row
            && state.is_none_or(|state| delivery.state.as_str() == state)
        {
            found.push(lines::delivery(&delivery));
        }
        last = Some(key.clone());
    }
    Ok((found, last))
}

fn known_state(text: &str) -> Result<&'static str, Problem> {
    let known = lines::STATES.into_iter().find(|state| *state == text);
    known.ok_or_else(|| {
        let known = lines::STATES.join(", ");
        let detail = format!("`{text}` is no state of a delivery; these are: {known}");
        Problem::bad("invalid_parameter", detail)
    })
}

fn limit(text: &str) -> Result<usize, Problem> {
    let limit = text.parse().ok();
    limit
        .filter(|limit| (1..=DELIVERIES_MAX).contains(limit))
        .ok_or_else(|| {
            let detail = format!("`limit` is 1 to {DELIVERIES_MAX}, and not `{text}`");
            Problem::bad("invalid_parameter", detail)
        })
}

fn delivery_id(text: &str) -> Option<DeliveryId> {
    text.parse().ok()
}

fn no_delivery(text: &str) -> Problem {
    let detail = format!("no delivery `{text}` is here; GET /api/deliveries lists them");
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
}
