//! What leaves in one attempt? The request as rendered, the headers that make it recognisable, and
//! its credentials. Not here: rendering it (`executor`) or sending it (`client`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use wayfare_event::DeliveryId;
use wayfare_journey::definition::{Auth, DeliveryMode, Method, Secret};
use zeroize::Zeroizing;

use crate::secret::{REDACTED, SecretError, SecretValue, Secrets};
use crate::sign;

/// One request, as it was rendered and stored: every attempt sends the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The delivery it belongs to: its id at the receiver.
    pub delivery: DeliveryId,
    /// Its method.
    pub method: Method,
    /// Where it goes, whole.
    pub url: String,
    /// The author's headers, rendered, in the author's order.
    pub headers: Vec<(String, String)>,
    /// How it authenticates itself; the secret is resolved at each attempt.
    pub auth: Option<Auth>,
    /// What it is signed with, the newest first; resolved at each attempt.
    pub sign: Vec<Secret>,
    /// Its body, JSON; none with `payload: none`.
    pub body: Option<Vec<u8>>,
    /// What the delivery promises, and so which connections may carry it.
    pub mode: DeliveryMode,
    /// How long one attempt may take, reply included, in microseconds.
    pub timeout_us: i64,
}

/// The headers of an attempt made at this time, in the order they are given to the connection,
/// secrets redacted. What HTTP itself needs (`Host`, `Content-Length`, `Accept`,
/// `Accept-Encoding`) is not among them.
#[must_use]
pub fn shown_headers(
    outgoing: &Outgoing,
    now_epoch_seconds: i64,
    secrets: &Secrets,
) -> Vec<(String, String)> {
    let credential = outgoing.auth.as_ref().map(|auth| match auth {
        Auth::Basic { .. } => ("Authorization".to_owned(), format!("Basic {REDACTED}")),
        Auth::Bearer(_) => ("Authorization".to_owned(), format!("Bearer {REDACTED}")),
        Auth::Header { name, .. } => (name.clone(), REDACTED.to_owned()),
    });
    let written = |(name, value): &(String, String)| (name.clone(), secrets.redact(value));
    let signature = (!outgoing.sign.is_empty()).then(|| {
        let entries = outgoing.sign.iter().map(|_| format!("v1,{REDACTED}"));
        let entries: Vec<String> = entries.collect();
        (SIGNATURE.to_owned(), entries.join(" "))
    });
    own_headers(outgoing, now_epoch_seconds)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(signature)
        .chain(credential)
        .chain(outgoing.headers.iter().map(written))
        .collect()
}

/// The header that carries a request's signatures.
const SIGNATURE: &str = "webhook-signature";

/// The headers Wayfare adds: who sends, which delivery, and when.
fn own_headers(outgoing: &Outgoing, now_epoch_seconds: i64) -> Vec<(&'static str, String)> {
    let id = outgoing.delivery;
    let mut headers = vec![
        ("webhook-id", id.to_string()),
        ("webhook-timestamp", now_epoch_seconds.to_string()),
        ("Idempotency-Key", format!("\"{id}\"")),
    ];
    if outgoing.body.is_some() {
        headers.push(("Content-Type", "application/json".to_owned()));
    }
    let agent = concat!("Wayfare/", env!("CARGO_PKG_VERSION"));
    headers.push(("User-Agent", agent.to_owned()));
    headers
}

/// Why the headers cannot be put on the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WireError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("header `{0}` cannot be sent, remove control characters from it")]
    Header(String),
}

/// Headers as they leave, and the credential in them as it would be echoed.
pub(crate) struct Wire {
    pub(crate) headers: HeaderMap,
    pub(crate) credential: Option<SecretValue>,
}

/// The headers as they leave, secrets and all.
pub(crate) fn wire_headers(
    outgoing: &Outgoing,
    now_epoch_seconds: i64,
    secrets: &Secrets,
) -> Result<Wire, WireError> {
    let mut headers = HeaderMap::new();
    for (name, value) in own_headers(outgoing, now_epoch_seconds) {
        headers.append(header_name(name)?, header_value(name, &value)?);
    }
    if !outgoing.sign.is_empty() {
        let keys = outgoing.sign.iter().map(|key| secrets.signing_key(key));
        let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
        let id = outgoing.delivery.to_string();
        let body = outgoing.body.as_deref().unwrap_or_default();
        let value = sign::signature(&keys, (&id, now_epoch_seconds), body);
        headers.append(header_name(SIGNATURE)?, header_value(SIGNATURE, &value)?);
    }
    let mut credential = None;
    if let Some(auth) = &outgoing.auth {
        let resolved = resolve(auth, secrets)?;
        let mut value = HeaderValue::from_bytes(resolved.value().as_bytes())
            .map_err(|_| SecretError::unprintable(resolved.reference))?;
        value.set_sensitive(true);
        headers.append(header_name(resolved.name)?, value);
        credential = Some(resolved.credential);
    }
    for (name, value) in &outgoing.headers {
        headers.append(header_name(name)?, header_value(name, value)?);
    }
    Ok(Wire {
        headers,
        credential,
    })
}

fn header_name(name: &str) -> Result<HeaderName, WireError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| WireError::Header(name.to_owned()))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, WireError> {
    HeaderValue::from_bytes(value.as_bytes()).map_err(|_| WireError::Header(name.to_owned()))
}

/// A credential with its secret in it. No `Debug`: it would show.
struct Resolved<'a> {
    name: &'a str,
    scheme: Option<&'static str>,
    credential: SecretValue,
    reference: &'a Secret,
}

impl Resolved<'_> {
    fn value(&self) -> SecretValue {
        self.scheme.map_or_else(
            || self.credential.clone(),
            |scheme| Zeroizing::new(format!("{scheme} {}", *self.credential)),
        )
    }
}

fn resolve<'a>(auth: &'a Auth, secrets: &Secrets) -> Result<Resolved<'a>, SecretError> {
    Ok(match auth {
        Auth::Basic { username, password } => {
            // RFC 7617: UTF-8; the user name has no colon, which is checked with the journey.
            let pair = format!("{username}:{}", *secrets.resolve(password)?);
            let pair = Zeroizing::new(pair);
            Resolved {
                name: "authorization",
                scheme: Some("Basic"),
                credential: Zeroizing::new(STANDARD.encode(pair.as_bytes())),
                reference: password,
            }
        }
        Auth::Bearer(token) => Resolved {
            name: "authorization",
            scheme: Some("Bearer"),
            credential: bearer(token, secrets)?,
            reference: token,
        },
        Auth::Header { name, value } => Resolved {
            name,
            scheme: None,
            credential: secrets.resolve(value)?,
            reference: value,
        },
    })
}

fn bearer(reference: &Secret, secrets: &Secrets) -> Result<SecretValue, SecretError> {
    let token = secrets.resolve(reference)?;
    let letters = token.trim_end_matches('=');
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if letters.is_empty() || !letters.bytes().all(is_letter) {
        return Err(SecretError::no_token(reference));
    }
    Ok(token)
}
