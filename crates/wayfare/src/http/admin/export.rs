//! What is everything that is kept of one person? Read part by part between two batches. The history is
//! one part, and the engine stands still for it: it is read only where it is asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use wayfare_event::Map;
use wayfare_executor::Key;
use wayfare_runtime::clock;
use wayfare_runtime::config::Scope;
use wayfare_runtime::export::{Export, Found, erased};
use wayfare_store::Store;

use super::{Admin, Problem, answered};

/// Everything that is kept of one person.
pub(super) async fn export(
    State(admin): State<Arc<Admin>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    answered(everything(&admin, query, &headers).await)
}

async fn everything(
    admin: &Admin,
    mut query: BTreeMap<String, String>,
    headers: &HeaderMap,
) -> Result<Map, Problem> {
    admin.tokens.operator(headers, Scope::Admin)?;
    let Some(text) = query.remove("identifier") else {
        let detail = "`identifier` says who, such as `email:ada@example.com`";
        return Err(Problem::bad("invalid_parameter", detail));
    };
    let with_history = match query.remove("history").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            let detail = "`history` is true or false";
            return Err(Problem::bad("invalid_parameter", detail));
        }
    };
    if let Some(key) = query.keys().next() {
        let detail = format!("`{key}` means nothing here; known are identifier and history");
        return Err(Problem::bad("invalid_parameter", detail));
    }
    let (asked, settings) = (text.clone(), admin.settings.clone());
    let find = move |store: &mut dyn Store| Export::find(store, &settings, &asked, clock::now());
    let mut export = match admin.desk.look(find).await? {
        Found::Somebody(export) => export,
        Found::Erased(mark, is_purged) => return Ok(erased(&mark, is_purged)),
        Found::Nobody => {
            let detail = format!("nobody is known as `{text}`");
            return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", detail));
        }
    };
    let mut after: Option<Key> = None;
    loop {
        let page = move |store: &mut dyn Store| {
            let last = export.page(store, after.as_ref())?;
            Ok((export, last))
        };
        (export, after) = admin.desk.look(page).await?;
        if after.is_none() {
            break;
        }
    }
    if with_history {
        let settings = admin.settings.clone();
        let history = move |store: &mut dyn Store| {
            export.history(store, &settings)?;
            Ok(export)
        };
        export = admin.desk.look(history).await?;
    }
    Ok(export.into_map())
}
