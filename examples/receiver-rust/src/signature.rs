//! Was this request signed just now by somebody who knows a secret of ours? Standard Webhooks v1, see
//! <https://www.standardwebhooks.com>. Not here: whether the request came before.

use std::fmt;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Seconds that the sender's clock and ours may differ, each way. It bounds for how long a request
/// that somebody recorded can be sent again; the ledger is what tells second copies.
const TOLERANCE_S: u64 = 300;
/// Bytes of a key. A shorter one was not made by a sender that keeps to the standard, but by a slip.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Standard base64; senders write it with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys a request may be signed with: one, or during a rotation the new one and the old one.
pub struct Secrets(Vec<Vec<u8>>);

/// The secrets cannot be used. The words never hold a part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// There is none: everything would be refused.
    #[error("there is no secret")]
    None,
    /// This one, counted from 1, is not written as it should be.
    #[error("secret {0} is not base64, with or without `whsec_` before it")]
    Encoding(usize),
    /// This one, counted from 1, is too short or too long.
    #[error("secret {0} has not 24 to 64 bytes")]
    Length(usize),
}

/// Why a request is not taken for what it says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The header is missing, comes twice, or is not text.
    #[error("`{0}` is not there once")]
    Header(&'static str),
    /// With a dot in the id, two different requests could have one signature.
    #[error("`webhook-id` is empty or has a dot in it")]
    Id,
    /// It is no whole number.
    #[error("`webhook-timestamp` is not in seconds since 1970")]
    Timestamp,
    /// It is a recorded one, or a clock is wrong.
    #[error("`webhook-timestamp` is more than five minutes away")]
    Age,
    /// Another secret, or another body.
    #[error("no signature fits")]
    Signature,
}

impl Secrets {
    /// Reads secrets separated by spaces, as the sender shows them.
    ///
    /// # Errors
    /// When there is none, or one of them cannot be a key.
    pub fn parse(text: &str) -> Result<Self, SecretsError> {
        let mut keys = Vec::new();
        for (secret, number) in text.split_whitespace().zip(1..) {
            let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
            let key = BASE64.decode(encoded);
            let key = key.map_err(|_| SecretsError::Encoding(number))?;
            if !KEY_BYTES.contains(&key.len()) {
                return Err(SecretsError::Length(number));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(SecretsError::None);
        }
        Ok(Self(keys))
    }

    /// The id of a request with these headers and exactly this body, where one of the secrets signed
    /// it. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// When it is not to be trusted: answer 401, and have no effect.
    pub fn verify<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &[u8],
        now: u64,
    ) -> Result<&'a str, Refusal> {
        let id = header(headers, "webhook-id")?;
        let timestamp = header(headers, "webhook-timestamp")?;
        let signatures = header(headers, "webhook-signature")?;
        if id.is_empty() || id.contains('.') {
            return Err(Refusal::Id);
        }
        if !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::Timestamp);
        }
        let sent: u64 = timestamp.parse().map_err(|_| Refusal::Timestamp)?;
        if now.abs_diff(sent) > TOLERANCE_S {
            return Err(Refusal::Age);
        }
        // Other versions may stand beside ours.
        let ours = signatures
            .split(' ')
            .filter_map(|it| it.strip_prefix("v1,"));
        let ours: Vec<Vec<u8>> = ours.filter_map(|it| BASE64.decode(it).ok()).collect();
        for key in &self.0 {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
                continue;
            };
            for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            // `verify_slice` takes the same time wherever the two differ.
            if ours.iter().any(|it| mac.clone().verify_slice(it).is_ok()) {
                return Ok(id);
            }
        }
        Err(Refusal::Signature)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Refusal::Header(name)),
        (_, _) => Err(Refusal::Header(name)),
    }
}
