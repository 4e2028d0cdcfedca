//! What does the body of an order say? Why, and how. Not here: what is ordered, which the path says.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use wayfare_consent::SuppressionKind;
use wayfare_event::{Map, Value};
use wayfare_executor::record::EraseMode;
use wayfare_runtime::orders::Overdue;

use super::{Patience, Problem};

/// Bytes of a reason.
const REASON_BYTES_MAX: usize = 1_024;

/// What an operator knows of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It arrived.
    Delivered,
}

/// The body of an order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Why.
    pub(super) reason: String,
    /// What becomes of what is overdue.
    pub(super) overdue: Overdue,
    /// What became of a delivery.
    pub(super) known: Option<Known>,
    /// Whom it is about.
    pub(super) named: Named,
    /// Why nothing goes to an address.
    pub(super) because: Option<SuppressionKind>,
    /// What an erasure does.
    pub(super) mode: Option<EraseMode>,
    /// The journey that somebody who is erased goes through first.
    pub(super) through: Option<String>,
}

/// Identifiers as `namespace:value`, by the keys they stand under.
pub(super) type Named = BTreeMap<Arc<str>, Arc<str>>;
const NAMED: [&str; 3] = ["identifier", "from", "into"];

/// Reads the body of an order.
pub(super) async fn asked(request: Request, patience: Patience) -> Result<Asked, Problem> {
    let sent = request.headers().get(CONTENT_TYPE);
    let sent = sent.and_then(|value| value.to_str().ok());
    let media = sent.and_then(|value| value.split(';').next());
    // No page of another origin can send this without asking first, and nobody answers that.
    if !media.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json")) {
        let detail = "send the order as `Content-Type: application/json`";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "unsupported_media_type", detail));
    }
    let body = tokio::time::timeout(patience.body, Bytes::from_request(request, &()));
    let Ok(body) = body.await else {
        return Err(Problem::too_slow(patience.body));
    };
    let body = body.map_err(|_| {
        let detail = "an order has a reason, not more";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    })?;
    read(&body)
}

fn read(body: &[u8]) -> Result<Asked, Problem> {
    let text = std::str::from_utf8(body).ok();
    let Some(Ok(Value::Map(map))) = text.map(Value::parse) else {
        let detail = "an order is a JSON object: {\"reason\": \"…\"}";
        return Err(Problem::bad("invalid_json", detail));
    };
    let keys = [
        "reason",
        "skip_overdue",
        "as",
        "because",
        "identifier",
        "from",
        "into",
        "mode",
        "through",
    ];
    if let Some((key, _)) = map.iter().find(|(key, _)| !keys.contains(&&***key)) {
        let detail = format!("`{key}` means nothing here; known are {}", keys.join(", "));
        return Err(Problem::bad("invalid_field", detail));
    }
    Ok(Asked {
        reason: reason(&map)?,
        overdue: overdue(&map)?,
        known: known(&map)?,
        named: named(&map)?,
        because: because(&map)?,
        mode: mode(&map)?,
        through: written(&map, "through")?,
    })
}

fn named(map: &Map) -> Result<Named, Problem> {
    let mut named = Named::new();
    for key in NAMED {
        match map.get(key) {
            None => {}
            Some(Value::Text(text)) => {
                named.insert(key.into(), text.clone());
            }
            Some(_) => {
                let detail = format!("`{key}` is an identifier such as `email:ada@example.com`");
                return Err(Problem::bad("invalid_field", detail));
            }
        }
    }
    Ok(named)
}

fn reason(map: &Map) -> Result<String, Problem> {
    let reason = map.get("reason").and_then(Value::as_text);
    let reason = reason.map(str::trim).unwrap_or_default();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX || reason.contains(char::is_control) {
        let detail = format!(
            "`reason` says why, on one line of at most {REASON_BYTES_MAX} bytes; it is kept"
        );
        return Err(Problem::bad("invalid_field", detail));
    }
    Ok(reason.to_owned())
}

fn overdue(map: &Map) -> Result<Overdue, Problem> {
    match map.get("skip_overdue") {
        None | Some(Value::Bool(false)) => Ok(Overdue::Done),
        Some(Value::Bool(true)) => Ok(Overdue::Skipped),
        Some(Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_)) => {
            Err(Problem::bad(
                "invalid_field",
                "`skip_overdue` is true or false",
            ))
        }
    }
}

fn written(map: &Map, key: &str) -> Result<Option<String>, Problem> {
    match map.get(key) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text.to_string())),
        Some(_) => Err(Problem::bad("invalid_field", format!("`{key}` is a text"))),
    }
}

fn mode(map: &Map) -> Result<Option<EraseMode>, Problem> {
    let Some(text) = written(map, "mode")? else {
        return Ok(None);
    };
    let mode = EraseMode::named(&text);
    let detail = "`mode` is `suppress`, `delete` or `both`";
    mode.map(Some)
        .ok_or_else(|| Problem::bad("invalid_field", detail))
}

fn known(map: &Map) -> Result<Option<Known>, Problem> {
    match map.get("as") {
        None => Ok(None),
        Some(Value::Text(text)) if &**text == "delivered" => Ok(Some(Known::Delivered)),
        Some(_) => Err(Problem::bad("invalid_field", "`as` is `delivered`")),
    }
}

fn because(map: &Map) -> Result<Option<SuppressionKind>, Problem> {
    let Some(written) = map.get("because") else {
        return Ok(None);
    };
    match written.as_text().and_then(SuppressionKind::named) {
        Some(kind @ (SuppressionKind::Bounce | SuppressionKind::Complaint)) => Ok(Some(kind)),
        Some(SuppressionKind::Erased) | None => {
            let detail = "`because` is `bounce` or `complaint`";
            Err(Problem::bad("invalid_field", detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_says_why_and_nothing_that_is_not_understood() {
        let check = |body: &str, expected: Result<(&str, Overdue, Option<Known>), &str>| {
            let found = read(body.as_bytes());
            let found = found.map_err(|problem| problem.code().to_owned());
            let expected = expected.map(|(reason, overdue, known)| Asked {
                reason: reason.to_owned(),
                overdue,
                known,
                named: Named::new(),
                because: None,
                mode: None,
                through: None,
            });
            assert_eq!(found, expected.map_err(str::to_owned), "{body}");
        };
        let (done, skipped) = (Overdue::Done, Overdue::Skipped);
        check(r#"{"reason":" a sale "}"#, Ok(("a sale", done, None)));
        check(
            r#"{"reason":"late","skip_overdue":true}"#,
            Ok(("late", skipped, None)),
        );
        check(
            r#"{"reason":"seen","as":"delivered","skip_overdue":false}"#,
            Ok(("seen", done, Some(Known::Delivered))),
        );
        check("", Err("invalid_json"));
        check("[]", Err("invalid_json"));
        check("{}", Err("invalid_field"));
        check(r#"{"reason":"  "}"#, Err("invalid_field"));
        check(r#"{"reason":"a\nb"}"#, Err("invalid_field"));
        check(r#"{"reason":7}"#, Err("invalid_field"));
        check(
            r#"{"reason":"r","skip_overdue":"yes"}"#,
            Err("invalid_field"),
        );
        check(r#"{"reason":"r","from":7}"#, Err("invalid_field"));
        check(r#"{"reason":"r","because":"erased"}"#, Err("invalid_field"));
        check(r#"{"reason":"r","as":"lost"}"#, Err("invalid_field"));
        check(r#"{"reason":"r","dry":true}"#, Err("invalid_field"));
        let long = format!(r#"{{"reason":"{}"}}"#, "r".repeat(REASON_BYTES_MAX + 1));
        check(&long, Err("invalid_field"));
    }
}
