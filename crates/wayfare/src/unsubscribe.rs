//! What is a link with which somebody unsubscribes by one click? A category and an address, sealed
//! with HMAC-SHA256, so that whoever has the key can make one and nobody else. Not here: what happens
//! when it is followed (`http::unsubscribe`).
//!
//! A token is `PAYLOAD.SEAL`, both in base64url without padding:
//!
//! | part | bytes |
//! |---|---|
//! | `PAYLOAD` | the category, a line feed, the address, in UTF-8 |
//! | `SEAL` | the HMAC-SHA256 of `wayfare.unsubscribe.v1`, a line feed and the bytes of the payload |

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use wayfare_journey::definition::Secret;
use wayfare_webhook::{SecretValue, Secrets};

use crate::commands::WrongInput;

/// What a seal is made for, so that it is good for nothing else.
const PURPOSE: &[u8] = b"wayfare.unsubscribe.v1\n";
/// Bytes of a key at least: the address in a link can be guessed, its seal must not be.
const KEY_BYTES_MIN: usize = 16;
/// Bytes of a token at most: a category, an address and a seal.
const TOKEN_BYTES_MAX: usize = 1_024;

/// The key that seals links.
pub(crate) struct LinkKey(SecretValue);

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey")
    }
}

/// What a link is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The category that is declined.
    pub(crate) category: String,
    /// The address, as whoever made the link wrote it.
    pub(crate) address: String,
}

impl LinkKey {
    /// The key behind a reference.
    ///
    /// # Errors
    ///
    /// When there is none, or one that can be guessed.
    pub(crate) fn resolve(secrets: &Secrets, reference: &Secret) -> anyhow::Result<Self> {
        let wrong = |why: String| {
            WrongInput(format!(
                "the key of the unsubscribe links cannot be had: {why}"
            ))
        };
        let value = secrets.resolve(reference);
        let value = value.map_err(|error| wrong(error.to_string()))?;
        if value.len() < KEY_BYTES_MIN {
            let why = format!(
                "it has less than {KEY_BYTES_MIN} bytes; `openssl rand -base64 32` prints a good one"
            );
            return Err(wrong(why).into());
        }
        Ok(Self(value))
    }

    /// The token of a link.
    pub(crate) fn token(&self, link: &Link) -> String {
        let payload = format!("{}\n{}", link.category, link.address);
        let seal = self.seal(payload.as_bytes()).finalize().into_bytes();
        let written = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        format!("{}.{}", written(payload.as_bytes()), written(&seal))
    }

    /// What a token is about; nothing for one that this key did not seal.
    pub(crate) fn open(&self, token: &str) -> Option<Link> {
        let (payload, seal) = token
            .split_once('.')
            .filter(|_| token.len() <= TOKEN_BYTES_MAX)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let seal = URL_SAFE_NO_PAD.decode(seal).ok()?;
        // In constant time, before anything of the payload is looked at.
        self.seal(&payload).verify_slice(&seal).ok()?;
        let payload = String::from_utf8(payload).ok()?;
        let (category, address) = payload.split_once('\n')?;
        Some(Link {
            category: category.to_owned(),
            address: address.to_owned(),
        })
    }

    fn seal(&self, payload: &[u8]) -> Hmac<Sha256> {
        let key = self.0.as_bytes();
        let mut seal = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        seal.update(PURPOSE);
        seal.update(payload);
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> LinkKey {
        LinkKey(SecretValue::new(text.to_owned()))
    }

    fn link(category: &str, address: &str) -> Link {
        Link {
            category: category.to_owned(),
            address: address.to_owned(),
        }
    }

    #[test]
    fn a_link_is_opened_by_the_key_that_sealed_it_alone() {
        let token = key("k1-0123456789abcdef").token(&link("marketing", "ada@example.com"));
        let open = |text: &str| key("k1-0123456789abcdef").open(text);
        assert_eq!(open(&token), Some(link("marketing", "ada@example.com")));
        assert_eq!(key("k2-0123456789abcdef").open(&token), None);
        let (payload, seal) = token.split_once('.').unwrap();
        let other = URL_SAFE_NO_PAD.encode("marketing\nbob@example.com");
        for wrong in [
            String::new(),
            ".".to_owned(),
            payload.to_owned(),
            format!("{payload}."),
            format!(".{seal}"),
            format!("{other}.{seal}"),
            format!("{payload}.{seal}A"),
            format!("{payload}.{}", seal.split_at(seal.len() - 4).0),
            format!("{seal}.{payload}"),
            "x".repeat(2_000),
        ] {
            assert_eq!(open(&wrong), None, "{wrong}");
        }
    }

    /// Made with `printf` and `openssl`, as `docs/consent-sources.md` shows.
    #[test]
    fn another_system_can_make_a_link() {
        let token =
            key("an-example-key-of-32-bytes-000001").token(&link("marketing", "ada@example.com"));
        assert_eq!(
            token,
            "bWFya2V0aW5nCmFkYUBleGFtcGxlLmNvbQ.LAILrHp9Gs62tPn4uWDKEP4oIprVYHIUV8N1DGkic8A"
        );
    }
}
