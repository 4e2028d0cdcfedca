//! Who sends? Write keys, compared in constant time.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use wayfare_executor::Trust;
use wayfare_runtime::config::KeyKind;
use wayfare_webhook::SecretValue;

/// The name of a source, and how far what it says of identifiers is trusted.
pub(super) type Sender = (Arc<str>, Trust);

/// The write keys, hashed, and whose they are.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<(blake3::Hash, Sender)>);

/// The source of events where no keys are configured.
const OPEN: &str = "http";

impl Keys {
    /// These keys, by the names of their sources. A browser's key is read by every visitor: what is said
    /// with it is not verified.
    pub(crate) fn new(keys: impl IntoIterator<Item = (String, KeyKind, SecretValue)>) -> Self {
        let hashed = |(source, kind, key): (String, KeyKind, SecretValue)| {
            let trust = match kind {
                KeyKind::Browser => Trust::Unverified,
                KeyKind::Server => Trust::Verified,
            };
            (blake3::hash(key.as_bytes()), (source.into(), trust))
        };
        Self(keys.into_iter().map(hashed).collect())
    }

    /// Whether anybody may send.
    pub(crate) const fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// The source that sends with this key; nothing when there is none.
    pub(super) fn source(&self, key: Option<&str>) -> Option<Sender> {
        if self.is_open() {
            return Some((OPEN.into(), Trust::Verified));
        }
        // Hashes compare in constant time, and every key is compared.
        let sent = blake3::hash(key?.as_bytes());
        let found = |found, (key, source): &(blake3::Hash, Sender)| {
            if *key == sent {
                Some(source.clone())
            } else {
                found
            }
        };
        self.0.iter().fold(None, found)
    }
}

/// The key in `Authorization: Basic base64(KEY:)`; the password, and its absence, count for nothing.
pub(super) fn basic(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let key = decoded.split(':').next().unwrap_or_default();
    Some(key.to_owned()).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_key_is_read_from_every_spelling_of_basic() {
        let check = |credentials: &str, expected: Option<&str>| {
            let value = format!("Basic {}", STANDARD.encode(credentials));
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&value).unwrap());
            assert_eq!(basic(&headers).as_deref(), expected, "{credentials}");
        };
        check("key:", Some("key"));
        check("key", Some("key"));
        check("key:\"\"", Some("key"));
        check(":", None);
    }

    #[test]
    fn only_a_configured_key_names_a_source() {
        let key = |id: &str, kind, text: &str| {
            let text = SecretValue::new(text.to_owned());
            (id.to_owned(), kind, text)
        };
        let keys = Keys::new([
            key("web", KeyKind::Browser, "k1"),
            key("shop", KeyKind::Server, "k2"),
        ]);
        let sender = |id: &str, trust| Some((id.into(), trust));
        assert_eq!(keys.source(Some("k1")), sender("web", Trust::Unverified));
        assert_eq!(keys.source(Some("k2")), sender("shop", Trust::Verified));
        assert_eq!(keys.source(Some("k3")), None);
        assert_eq!(keys.source(None), None);
        let open = Keys::default().source(None);
        assert_eq!(open, sender("http", Trust::Verified));
    }
}
