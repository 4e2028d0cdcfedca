//! How is a request refused? As `application/problem+json` (RFC 9457) with a stable code.

use std::time::Duration;

use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use wayfare_event::{Rejection, RejectionCode};

/// Why a request was refused.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    /// How to say who asks.
    challenge: Option<&'static str>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            status,
            code,
            detail,
            challenge: None,
        }
    }

    /// A request that says something wrong.
    pub(super) fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// It would be heard with credentials of this scheme.
    pub(super) fn challenging(self, scheme: &'static str) -> Self {
        Self {
            challenge: Some(scheme),
            ..self
        }
    }

    /// Its stable code.
    #[cfg(test)]
    pub(super) const fn code(&self) -> &'static str {
        self.code
    }

    /// No key, or one that is not known.
    pub(super) fn unauthorized() -> Self {
        let detail = "send a configured write key: `Authorization: Basic base64(KEY:)`, or \
                      `writeKey` in the body";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// The body did not come in time: nothing of it was taken.
    pub(super) fn too_slow(patience: Duration) -> Self {
        let detail = format!(
            "the body did not come within {} s; send the same again, in smaller batches",
            patience.as_secs()
        );
        Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)
    }

    /// The writer does not keep up, or stopped: nothing of the request was taken.
    pub(super) fn unavailable(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let status = match rejection.code {
            RejectionCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RejectionCode::Forbidden => StatusCode::FORBIDDEN,
            RejectionCode::InvalidJson
            | RejectionCode::InvalidField
            | RejectionCode::UnknownType
            | RejectionCode::NoEventName
            | RejectionCode::NoGroupId
            | RejectionCode::NoPreviousId
            | RejectionCode::NoIdentifier
            | RejectionCode::NoProfile
            | RejectionCode::TooLong
            | RejectionCode::TooManyTraits
            | RejectionCode::InvalidTime
            | RejectionCode::InvalidConsent => StatusCode::BAD_REQUEST,
        };
        Self::new(status, rejection.code.as_str(), rejection.message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Refused"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(CONTENT_TYPE, json);
        if let Some(scheme) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        if self.status == StatusCode::REQUEST_TIMEOUT {
            // What is left of the body is not waited for.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Nothing is here.
pub(super) fn not_found() -> Response {
    let detail = "events go to POST /v1/track, /v1/identify, /v1/page, /v1/screen, /v1/group, \
                  /v1/alias, /v1/consent or /v1/batch";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail).into_response()
}
