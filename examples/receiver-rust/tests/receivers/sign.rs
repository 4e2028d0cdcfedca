//! What does a sender put on the wire? Signatures are computed here, not by the receivers' own code;
//! the published ones in `pure.rs` say that they are right.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

pub(crate) const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
pub(crate) const STRANGE: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "receivers look at the clock, so what is sent to them has its time"
)]
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// One signature over exactly these bytes.
pub(crate) fn signature(secret: &str, signed: &[u8]) -> String {
    let key = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = BASE64_STANDARD.decode(key).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(signed);
    let code = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    format!("v1,{code}")
}

/// A request before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// One as Wayfare sends it, signed now with each of these secrets.
    pub(crate) fn signed(secrets: &[&str], id: &str, body: impl AsRef<[u8]>) -> Self {
        Self::signed_at(&now().to_string(), secrets, id, body)
    }

    /// The same with a timestamp of one's own, which is signed with the rest.
    pub(crate) fn signed_at(
        timestamp: &str,
        secrets: &[&str],
        id: &str,
        body: impl AsRef<[u8]>,
    ) -> Self {
        let body = body.as_ref();
        let signed = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
        let signatures = secrets.iter().map(|secret| signature(secret, &signed));
        let signatures = signatures.collect::<Vec<_>>().join(" ");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            method: "POST".to_owned(),
            path: "/webhook".to_owned(),
            headers: vec![
                header("webhook-id", id),
                header("webhook-timestamp", timestamp),
                header("webhook-signature", &signatures),
            ],
            body: body.to_vec(),
        }
    }

    /// The same with this header changed; gone, where it becomes nothing.
    pub(crate) fn with(mut self, name: &str, change: impl Fn(&str) -> String) -> Self {
        let header = self.headers.iter_mut().find(|it| it.0 == name);
        let header = header.unwrap();
        header.1 = change(&header.1);
        self.headers.retain(|it| !it.1.is_empty());
        self
    }

    /// The same with other names of its headers.
    pub(crate) fn named(mut self, name: impl Fn(&str) -> String) -> Self {
        for header in &mut self.headers {
            header.0 = name(&header.0);
        }
        self
    }
}
