//! What is the value behind a reference to a secret, and where must that value never show? Not
//! here: reading the environment or files, which is the caller's function to do.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wayfare_journey::definition::Secret;
use zeroize::Zeroizing;

use crate::sign::{SigningKey, SigningKeyError};

/// What stands in place of a secret wherever something is shown, stored or logged.
pub const REDACTED: &str = "[redacted]";

/// Values remembered for redaction per reference: the current one and those before a rotation.
const VALUES_PER_REFERENCE_MAX: usize = 4;

type Lookup = Box<dyn Fn(&Secret) -> Option<String> + Send + Sync>;

/// The value of a secret: wiped when it is dropped.
pub type SecretValue = Zeroizing<String>;

/// Why a secret cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing is behind the reference.
    #[error("secret `{0}` does not resolve, set it where Wayfare runs")]
    Missing(String),
    /// Its value has characters that HTTP does not carry, such as a line end.
    #[error("secret `{0}` cannot stand in a header, remove control characters from its value")]
    Unprintable(String),
    /// It is no bearer token (RFC 6750, section 2.1).
    #[error(
        "secret `{0}` is no bearer token, it holds letters, digits and `-._~+/`, and may end in `=`"
    )]
    NoToken(String),
    /// It cannot sign.
    #[error("secret `{0}` {SigningKeyError}")]
    NoKey(String),
}

impl SecretError {
    pub(crate) fn missing(reference: &Secret) -> Self {
        Self::Missing(written(reference))
    }

    pub(crate) fn no_token(reference: &Secret) -> Self {
        Self::NoToken(written(reference))
    }

    pub(crate) fn unprintable(reference: &Secret) -> Self {
        Self::Unprintable(written(reference))
    }
}

/// The secrets of this installation: resolved at each attempt, never stored, shown by nobody.
///
/// ```
/// use wayfare_journey::definition::Secret;
/// use wayfare_webhook::Secrets;
/// let secrets = Secrets::new(Box::new(|_| Some(String::from("s3cret"))));
/// let value = secrets.resolve(&Secret::Env(String::from("API_KEY")))?;
/// assert_eq!(value.as_str(), "s3cret");
/// assert_eq!(secrets.redact("key=s3cret"), "key=[redacted]");
/// # Ok::<(), wayfare_webhook::SecretError>(())
/// ```
pub struct Secrets {
    lookup: Lookup,
    are_real: bool,
    seen: Mutex<BTreeMap<Secret, Vec<SecretValue>>>,
}

impl Secrets {
    /// Secrets that this function looks up; it gives a file's content with or without a line end.
    #[must_use]
    pub fn new(lookup: Lookup) -> Self {
        Self {
            lookup,
            are_real: true,
            seen: Mutex::default(),
        }
    }

    /// A marked stand-in for every reference, for rehearsals that need no real secret (SP 29).
    #[must_use]
    pub fn stand_ins() -> Self {
        let lookup: Lookup = Box::new(|reference| {
            Some(match reference {
                Secret::Env(name) => format!("stand-in-for-env-{name}"),
                Secret::File(path) => format!("stand-in-for-file-{path}"),
            })
        });
        Self {
            are_real: false,
            ..Self::new(lookup)
        }
    }

    /// The value behind a reference, as it is now. From here on [`Secrets::redact`] knows it.
    ///
    /// # Errors
    /// [`SecretError::Missing`] when there is none, or an empty one.
    pub fn resolve(&self, reference: &Secret) -> Result<SecretValue, SecretError> {
        let found = (self.lookup)(reference).map(Zeroizing::new);
        let found = found.map(|value| match reference {
            Secret::Env(_) => value,
            Secret::File(_) => Zeroizing::new(value.trim_end_matches(['\r', '\n']).to_owned()),
        });
        let value = found
            .filter(|value| !value.is_empty())
            .ok_or_else(|| SecretError::missing(reference))?;
        self.remember(reference, &value);
        Ok(value)
    }

    /// The key behind a reference that requests are signed with.
    ///
    /// # Errors
    /// [`SecretError::Missing`] when there is none, [`SecretError::NoKey`] when it cannot sign.
    pub fn signing_key(&self, reference: &Secret) -> Result<SigningKey, SecretError> {
        let value = self.resolve(reference)?;
        if !self.are_real {
            return Ok(SigningKey::stand_in(&value));
        }
        SigningKey::parse(&value).map_err(|SigningKeyError| SecretError::NoKey(written(reference)))
    }

    /// The text with every value resolved so far replaced by [`REDACTED`].
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let seen = self.seen();
        let mut values: Vec<&str> = seen.values().flatten().map(|it| it.as_str()).collect();
        // The longest first, so that no value is broken by one that it contains.
        values.sort_by_key(|value| Reverse(value.len()));
        values
            .into_iter()
            .fold(text.to_owned(), |text, value| text.replace(value, REDACTED))
    }

    fn remember(&self, reference: &Secret, value: &str) {
        let mut seen = self.seen();
        let values = seen.entry(reference.clone()).or_default();
        if !values.iter().any(|known| known.as_str() == value) {
            if values.len() == VALUES_PER_REFERENCE_MAX {
                values.remove(0);
            }
            values.push(Zeroizing::new(value.to_owned()));
        }
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<Secret, Vec<SecretValue>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// A reference as its author wrote it.
fn written(reference: &Secret) -> String {
    match reference {
        Secret::Env(name) => format!("{{env: {name}}}"),
        Secret::File(path) => format!("{{file: {path}}}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Secret {
        Secret::Env(name.to_owned())
    }

    #[test]
    fn a_missing_or_empty_secret_is_named_and_its_value_never_is() {
        let secrets = Secrets::new(Box::new(|reference| match reference {
            Secret::Env(name) if name == "EMPTY" => Some(String::new()),
            Secret::Env(name) if name == "KEY" => Some("tk_123".to_owned()),
            Secret::Env(_) | Secret::File(_) => None,
        }));
        for name in ["EMPTY", "NONE"] {
            let error = secrets.resolve(&env(name)).unwrap_err().to_string();
            assert!(error.contains(&format!("`{{env: {name}}}`")), "{error}");
        }
        assert_eq!(secrets.resolve(&env("KEY")).unwrap().as_str(), "tk_123");
        assert_eq!(format!("{secrets:?}"), "Secrets(…)");
    }

    #[test]
    fn the_line_end_of_a_file_is_no_part_of_its_secret() {
        let secrets = Secrets::new(Box::new(|_| Some("key\r\n".to_owned())));
        let file = Secret::File("/run/secrets/key".to_owned());
        assert_eq!(secrets.resolve(&file).unwrap().as_str(), "key");
    }

    #[test]
    fn every_value_resolved_so_far_is_redacted_also_after_a_rotation() {
        let secrets = Secrets::new(Box::new({
            let turn = Mutex::new(0);
            move |_| {
                let mut turn = turn.lock().unwrap();
                *turn += 1;
                Some(["abc", "abcdef"][(*turn - 1) % 2].to_owned())
            }
        }));
        assert_eq!(secrets.redact("abcdef"), "abcdef");
        secrets.resolve(&env("KEY")).unwrap();
        secrets.resolve(&env("KEY")).unwrap();
        assert_eq!(
            secrets.redact("old=abc new=abcdef none=ab"),
            "old=[redacted] new=[redacted] none=ab"
        );
    }

    #[test]
    fn a_stand_in_says_what_it_stands_for() {
        let value = Secrets::stand_ins().resolve(&env("CRM_TOKEN")).unwrap();
        assert_eq!(value.as_str(), "stand-in-for-env-CRM_TOKEN");
    }
}
