//! Who sends? Write keys, compared in constant time.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use wayfare_executor::Trust;
use wayfare_runtime::config::KeyKind;
use wayfare_webhook::SecretValue;

/// The write keys, hashed, and who sends with each.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<(blake3::Hash, Sender)>);

/// Who sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    /// The name of the source.
    pub(super) source: Arc<str>,
    /// What its key is.
    pub(super) kind: KeyKind,
}

impl Sender {
    /// How far what it says of identifiers is trusted: a browser's key is read by every visitor.
    pub(super) const fn trust(&self) -> Trust {
        match self.kind {
            KeyKind::Browser => Trust::Unverified,
            KeyKind::Server => Trust::Verified,
        }
    }
}

/// The source of events where no keys are configured.
const OPEN: &str = "http";

impl Keys {
    /// These keys, each with the name of its source and its kind.
    pub(crate) fn new(keys: impl IntoIterator<Item = (String, KeyKind, SecretValue)>) -> Self {
        let hashed = |(source, kind, key): (String, KeyKind, SecretValue)| {
            let source = source.into();
            (blake3::hash(key.as_bytes()), Sender { source, kind })
        };
        Self(keys.into_iter().map(hashed).collect())
    }

    /// Whether anybody may send.
    pub(crate) const fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// Who sends with this key; nothing when there is none.
    pub(super) fn sender(&self, key: Option<&str>) -> Option<Sender> {
        if self.is_open() {
            let (source, kind) = (OPEN.into(), KeyKind::Server);
            return Some(Sender { source, kind });
        }
        // Hashes compare in constant time, and every key is compared.
        let sent = blake3::hash(key?.as_bytes());
        let found = |found, (key, sender): &(blake3::Hash, Sender)| {
            if *key == sent {
                Some(sender.clone())
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
        let key =
            |id: &str, kind, text: &str| (id.to_owned(), kind, SecretValue::new(text.to_owned()));
        let keys = Keys::new([
            key("web", KeyKind::Browser, "k1"),
            key("crm", KeyKind::Server, "k2"),
        ]);
        let check = |keys: &Keys, sent, expected: Option<(&str, KeyKind)>| {
            let expected = expected.map(|(source, kind)| Sender {
                source: source.into(),
                kind,
            });
            assert_eq!(keys.sender(sent), expected);
        };
        check(&keys, Some("k1"), Some(("web", KeyKind::Browser)));
        check(&keys, Some("k2"), Some(("crm", KeyKind::Server)));
        check(&keys, Some("k3"), None);
        check(&keys, None, None);
        check(&Keys::default(), None, Some(("http", KeyKind::Server)));
    }
}
