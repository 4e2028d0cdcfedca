//! Which edit of a journey is this? The hash of what its file means: comments and layout do not
//! count.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::yaml::{Entry, Kind, Node};

/// A version of a journey: 16 bytes, written as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version([u8; 16]);

impl Version {
    /// The version with these bytes, as read back from storage.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The version's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The version of a file that says this; what it says of earlier versions does not count.
    pub(crate) fn of(root: &Node) -> Self {
        let mut canonical = String::new();
        write(root, &mut canonical, &["migrate"]);
        let mut hasher = blake3::Hasher::new_derive_key("wayfare.version.v1");
        hasher.update(canonical.as_bytes());
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        Self(bytes)
    }
}

/// A form of the tree that two different trees never share. Keys of the tree itself that are
/// `leave_out` do not count.
fn write(node: &Node, out: &mut String, leave_out: &[&str]) {
    match &node.kind {
        Kind::Null => out.push('~'),
        Kind::Bool(flag) => out.push_str(if *flag { "t" } else { "f" }),
        Kind::Number(number) => {
            let text = number.to_string();
            counted('n', &text, out);
        }
        Kind::Text(text) => counted('s', text, out),
        Kind::List(items) => {
            out.push('[');
            items.iter().for_each(|item| write(item, out, &[]));
            out.push(']');
        }
        Kind::Map(entries) => {
            out.push('{');
            let counts = |entry: &&Entry| !leave_out.contains(&entry.key.as_str());
            for entry in entries.iter().filter(counts) {
                counted('k', &entry.key, out);
                write(&entry.value, out, &[]);
            }
            out.push('}');
        }
    }
}

fn counted(kind: char, text: &str, out: &mut String) {
    out.push(kind);
    // Writing to a String cannot fail.
    let _infallible = write!(out, "{}:{text}", text.len());
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version, expected 32 lower-case hex digits")]
pub struct VersionParseError(String);

impl FromStr for Version {
    type Err = VersionParseError;

    fn from_str(text: &str) -> Result<Self, VersionParseError> {
        let malformed = || VersionParseError(text.chars().take(64).collect());
        let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 32 || !text.as_bytes().iter().all(digit) {
            return Err(malformed());
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| malformed())?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl serde::de::Visitor<'_> for Bytes {
            type Value = Version;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("16 bytes")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Version, E> {
                let bytes = bytes.try_into();
                bytes
                    .map(Version)
                    .map_err(|_| E::custom("expected 16 bytes"))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}
