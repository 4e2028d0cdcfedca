//! How does a receiver know that a request is ours and whole? Standard Webhooks 1.0.0, symmetric: an
//! HMAC-SHA256 over `id.timestamp.body` for each key, in one header. Not here: where keys come from
//! (`secret`).
//!
//! Method and URL are not signed: a key for each block keeps a captured POST from passing as a DELETE
//! somewhere else.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// What a key's text may begin with.
const PREFIX: &str = "whsec_";
/// Random bytes a key has at least: shorter ones come from text that lost its end.
const KEY_BYTES_MIN: usize = 24;
/// Random bytes a key has at most.
const KEY_BYTES_MAX: usize = 64;
/// Standard base64, with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key that signs. It is wiped when it is dropped, and has no `Debug` that would show it.
#[derive(Clone)]
pub struct SigningKey(Zeroizing<Vec<u8>>);

/// The text is no signing key. It does not say what the text was: that may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no signing key, it is `whsec_` and the base64 of {KEY_BYTES_MIN} to {KEY_BYTES_MAX} random \
     bytes, such as `whsec_$(openssl rand -base64 32)` prints"
)]
pub struct SigningKeyError;

impl SigningKey {
    /// The key written as `whsec_` and base64, or as base64 alone.
    ///
    /// # Errors
    /// [`SigningKeyError`] when it is not base64, or not of 24 to 64 bytes.
    pub fn parse(text: &str) -> Result<Self, SigningKeyError> {
        let encoded = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = BASE64.decode(encoded).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| SigningKeyError)?;
        if (KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(SigningKeyError)
        }
    }

    /// A key for rehearsals, made of what stands in for the real one.
    pub(crate) fn stand_in(text: &str) -> Self {
        Self(Zeroizing::new(Sha256::digest(text).to_vec()))
    }

    /// One entry of the header `webhook-signature`: `v1,` and the base64 of the HMAC.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let tag = self.mac(id, timestamp_s, body).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(tag))
    }

    /// Whether one of the header's entries is this key's, compared in constant time.
    #[must_use]
    pub fn verifies(&self, header: &str, (id, timestamp_s): (&str, i64), body: &[u8]) -> bool {
        let entries = header.split(' ').filter_map(|it| it.strip_prefix("v1,"));
        let mut tags = entries.filter_map(|it| BASE64.decode(it).ok());
        tags.any(|tag| self.mac(id, timestamp_s, body).verify_slice(&tag).is_ok())
    }

    fn mac(&self, id: &str, timestamp_s: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(timestamp_s.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The header `webhook-signature`: one entry for each key, the newest first.
pub(crate) fn signature(
    keys: &[SigningKey],
    (id, timestamp_s): (&str, i64),
    body: &[u8],
) -> String {
    let entries: Vec<String> = keys
        .iter()
        .map(|key| key.sign(id, timestamp_s, body))
        .collect();
    entries.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_published_vectors() {
        let v1 = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let v2 = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let own = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        let id1 = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let check = |secret: &str, (id, timestamp_s): (&str, i64), body: &str, expected: &str| {
            let key = SigningKey::parse(secret).unwrap();
            let signed = key.sign(id, timestamp_s, body.as_bytes());
            assert_eq!(signed, expected, "{id}");
            assert!(key.verifies(&signed, (id, timestamp_s), body.as_bytes()));
        };
        // Standard Webhooks' libraries, with and without the prefix.
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let body = r#"{"test": 2432232314}"#;
        check(v1, (id1, 1_614_265_330), body, expected);
        let bare = v1.strip_prefix(PREFIX).unwrap();
        check(bare, (id1, 1_614_265_330), body, expected);
        check(
            v2,
            ("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553),
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        );
        // A DELETE without a body signs up to the last dot.
        check(
            v1,
            (id1, 1_614_265_330),
            "",
            "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=",
        );
        // Our own, checked with two libraries.
        check(
            own,
            ("msg_1", 1_700_000_000),
            r#"{"a":1}"#,
            "v1,rkwp5YuvdrMkcu0ZhuMsXoTg44mHAr1Q0+FFgFpXsjY=",
        );
    }

    #[test]
    fn one_right_entry_is_enough_and_a_wrong_one_never_is() {
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let of = ("msg_1", 1_700_000_000);
        let right = key.sign(of.0, of.1, b"{}");
        let check = |header: &str, expected: bool| {
            assert_eq!(key.verifies(header, of, b"{}"), expected, "{header}");
        };
        check(&right, true);
        check(&format!("v1,AAAA v2,{right} {right}"), true);
        check("v1,AAAA", false);
        check("v1,", false);
        check("", false);
        check(&right.replace("v1,", "v2,"), false);
        check(right.get(..20).unwrap(), false);
        assert!(!key.verifies(&right, ("msg_2", of.1), b"{}"));
        assert!(!key.verifies(&right, (of.0, of.1 + 1), b"{}"));
        assert!(!key.verifies(&right, of, b"{ }"));
    }

    #[test]
    fn while_a_key_is_rotated_both_sign() {
        let old = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let new = SigningKey::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
        let of = ("msg_1", 1_700_000_000);
        let header = signature(&[new.clone(), old.clone()], of, b"{}");
        let first = header.split(' ').next().unwrap();
        assert_eq!(first, new.sign(of.0, of.1, b"{}"));
        assert!(old.verifies(&header, of, b"{}") && new.verifies(&header, of, b"{}"));
    }

    #[test]
    fn a_text_that_is_no_key_is_refused() {
        let bytes = |count: usize| format!("whsec_{}", STANDARD.encode(vec![7; count]));
        let check = |text: &str, is_key: bool| {
            assert_eq!(SigningKey::parse(text).is_ok(), is_key, "{text}");
        };
        check(&bytes(24), true);
        check(&bytes(64), true);
        check(bytes(32).trim_end_matches('='), true);
        check(&bytes(23), false);
        check(&bytes(65), false);
        for text in [
            "",
            PREFIX,
            "hunter2",
            "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            check(text, false);
        }
        let key = SigningKey::parse(&bytes(24)).unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(…)");
    }
}
