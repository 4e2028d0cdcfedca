//! Is a request what its sender signed? What a receiver does with the Standard Webhooks headers. Not
//! here: the signature itself (`sign`).

use std::fmt;

use crate::sign::SigningKey;

/// How far a request's time may be from now, in seconds: five minutes each way.
const TOLERANCE_S: i64 = 300;

/// What a receiver knows of who signed a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It carries none.
    Absent,
    /// One of the keys made it, and it is of now.
    Verified,
    /// None of the keys made it, it is too old, or a header is missing.
    Wrong,
}

impl Signature {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Verified => "verified",
            Self::Wrong => "wrong",
        }
    }
}

/// The keys a receiver knows, and its clock.
pub struct Verifier {
    keys: Vec<SigningKey>,
    now_s: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.keys).finish()
    }
}

impl Verifier {
    /// A verifier that knows these keys and asks `now_s` for the time, in seconds since 1970.
    pub fn new(keys: Vec<SigningKey>, now_s: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self {
            keys,
            now_s: Box::new(now_s),
        }
    }

    /// What the headers, names in lower case, and the body's bytes say.
    #[must_use]
    pub fn verify(&self, headers: &[(String, String)], body: &[u8]) -> Signature {
        let header = |name: &str| {
            let found = headers.iter().find(|(held, _)| held == name);
            found.map(|(_, value)| value.as_str())
        };
        let Some(signature) = header("webhook-signature") else {
            return Signature::Absent;
        };
        let parts = header("webhook-id").zip(header("webhook-timestamp").and_then(seconds));
        let Some((id, timestamp_s)) = parts else {
            return Signature::Wrong;
        };
        let is_of_now = (self.now_s)().abs_diff(timestamp_s) <= TOLERANCE_S.unsigned_abs();
        let of = (id, timestamp_s);
        let is_known = self
            .keys
            .iter()
            .any(|key| key.verifies(signature, of, body));
        if is_of_now && is_known {
            Signature::Verified
        } else {
            Signature::Wrong
        }
    }
}

/// Whole seconds in the one spelling they are signed in.
fn seconds(text: &str) -> Option<i64> {
    let seconds: i64 = text.parse().ok()?;
    (seconds.to_string() == text).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn key(byte: u8) -> SigningKey {
        SigningKey::stand_in(&byte.to_string())
    }

    #[test]
    fn only_a_signature_of_now_by_a_known_key_verifies() {
        let verifier = Verifier::new(vec![key(1), key(2)], || NOW);
        let check = |signer: &SigningKey, sent: i64, written: &str, expected: Signature| {
            let headers = [
                ("webhook-id", "msg_1".to_owned()),
                ("webhook-timestamp", written.to_owned()),
                ("webhook-signature", signer.sign("msg_1", sent, b"{}")),
            ];
            let headers = headers.map(|(name, value)| (name.to_owned(), value));
            assert_eq!(verifier.verify(&headers, b"{}"), expected, "{written}");
        };
        check(&key(1), NOW, "1700000000", Signature::Verified);
        check(&key(2), NOW, "1700000000", Signature::Verified);
        check(&key(3), NOW, "1700000000", Signature::Wrong);
        check(&key(1), NOW - 300, "1699999700", Signature::Verified);
        check(&key(1), NOW - 301, "1699999699", Signature::Wrong);
        check(&key(1), NOW + 301, "1700000301", Signature::Wrong);
        for written in ["+1700000000", "01700000000", "1700000000.0", "soon", ""] {
            check(&key(1), NOW, written, Signature::Wrong);
        }
    }

    #[test]
    fn a_request_without_headers_is_not_signed_or_not_by_us() {
        let verifier = Verifier::new(vec![key(1)], || NOW);
        assert_eq!(verifier.verify(&[], b""), Signature::Absent);
        let signed = (
            "webhook-signature".to_owned(),
            key(1).sign("msg_1", NOW, b""),
        );
        assert_eq!(verifier.verify(&[signed], b""), Signature::Wrong);
    }
}
