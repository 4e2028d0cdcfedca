//! How are ids made and written? Derived by hashing stable facts, never drawn.
//!
//! Every id is 16 bytes, written as its prefix and 32 lower-case hex digits (SP 9). The bytes are
//! the first 16 of a blake3 hash over a domain label and the fields, each preceded by its length
//! as a little-endian `u32`, so that no two lists of fields read alike. Profile ids and the hashes of
//! erased identifiers use the keyed hash with the installation's [`IdKey`]; the others are plain
//! hashes.
//!
//! | id | label | fields |
//! |---|---|---|
//! | `usr_` | `wayfare.profile.v1` | epoch (8 bytes, big-endian), namespace, value |
//! | `ins_` | `wayfare.instance.v1` | journey, key (empty without one), opener, profile id (16 bytes) |
//! | `dec_`, `whd_` | those of the instance that decided | |
//! | `tgt_` | `wayfare.target.v1` | origin, path, profile id (16 bytes, or none) |
//! | `era_` | `wayfare.identifier.v1` | namespace, value |

use std::fmt;

/// The installation's secret for profile ids: ids of two installations do not correlate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdKey([u8; 32]);

impl IdKey {
    /// The key of runs without a state directory: the same on every machine (SP 5).
    pub const STATELESS: Self = Self(*b"wayfare: a run without any state");

    /// A key drawn when a state directory is made.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, for keeping it in the state.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for IdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdKey(…)")
    }
}

/// The text is not an id of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id, expected `{prefix}` and 32 lower-case hex digits")]
pub struct IdParseError {
    /// The text, cut to 64 characters.
    pub text: String,
    /// The prefix ids of this kind have.
    pub prefix: &'static str,
}

fn hash(mut hasher: blake3::Hasher, label: &str, fields: &[&[u8]]) -> [u8; 16] {
    for field in std::iter::once(label.as_bytes()).chain(fields.iter().copied()) {
        let length = u32::try_from(field.len()).expect("fields are bounded far below 4 GiB");
        hasher.update(&length.to_le_bytes());
        hasher.update(field);
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut bytes = [0; 16];
    if !rest.is_empty() || pairs.len() != bytes.len() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// What its text starts with.
            pub const PREFIX: &'static str = $prefix;

            /// The id with these bytes, as read back from storage.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The id's bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(Self::PREFIX)?;
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdParseError;

            fn from_str(text: &str) -> Result<Self, IdParseError> {
                text.strip_prefix(Self::PREFIX).and_then(unhex).map(Self).ok_or_else(|| {
                    IdParseError { text: text.chars().take(64).collect(), prefix: Self::PREFIX }
                })
            }
        }
    };
}

id!(
    /// A profile: the keyed hash of the identifier it is derived from (its anchor, if it has one).
    ProfileId,
    "usr_"
);
id!(
    /// One profile's walk through one journey.
    InstanceId,
    "ins_"
);
id!(
    /// The one decision an instance ends in: the instance's bytes under another prefix.
    DecisionId,
    "dec_"
);
id!(
    /// The one delivery a `webhook` decision owns: the instance's bytes under another prefix.
    DeliveryId,
    "whd_"
);

id!(
    /// What a PUT or a DELETE acts on: requests for one target leave in the order of their decisions.
    TargetId,
    "tgt_"
);

id!(
    /// An identifier of somebody erased: its keyed hash, which nobody without the key can find out.
    IdentifierHash,
    "era_"
);

impl IdentifierHash {
    /// The hash of `(namespace, value)` in this installation.
    #[must_use]
    pub fn derive(key: &IdKey, namespace: &str, value: &str) -> Self {
        let hasher = blake3::Hasher::new_keyed(&key.0);
        let fields = [namespace.as_bytes(), value.as_bytes()];
        Self(hash(hasher, "wayfare.identifier.v1", &fields))
    }
}

impl TargetId {
    /// The target at `path` of `origin`: the same one for everybody, or with a profile that
    /// profile's alone.
    #[must_use]
    pub fn derive(origin: &str, path: &str, profile: Option<ProfileId>) -> Self {
        let own = profile.map_or(Vec::new(), |profile| profile.as_bytes().to_vec());
        let fields = [origin.as_bytes(), path.as_bytes(), own.as_slice()];
        Self(hash(blake3::Hasher::new(), "wayfare.target.v1", &fields))
    }
}

impl ProfileId {
    /// The id of the profile that `(namespace, value)` anchors; `epoch` is 1 until an erasure.
    #[must_use]
    pub fn derive(key: &IdKey, epoch: u64, namespace: &str, value: &str) -> Self {
        let fields: [&[u8]; 3] = [&epoch.to_be_bytes(), namespace.as_bytes(), value.as_bytes()];
        Self(hash(
            blake3::Hasher::new_keyed(&key.0),
            "wayfare.profile.v1",
            &fields,
        ))
    }
}

impl InstanceId {
    /// The id of the instance of `journey` that `opener` opened for `profile`.
    ///
    /// `opener` is a message id, an instant, a date value or a command id.
    #[must_use]
    pub fn derive(journey: &str, key: Option<&str>, opener: &str, profile: ProfileId) -> Self {
        let key = key.unwrap_or_default();
        let fields = [
            journey.as_bytes(),
            key.as_bytes(),
            opener.as_bytes(),
            profile.as_bytes(),
        ];
        Self(hash(blake3::Hasher::new(), "wayfare.instance.v1", &fields))
    }

    /// The one decision this instance makes.
    #[must_use]
    pub const fn decision(self) -> DecisionId {
        DecisionId(self.0)
    }
}

impl DecisionId {
    /// The delivery this decision owns when its outcome is `webhook`.
    #[must_use]
    pub const fn delivery(self) -> DeliveryId {
        DeliveryId(self.0)
    }
}

/// What remembers that a message was seen: the hash of its source and message id (SP 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageHash([u8; 16]);

impl MessageHash {
    /// The memory of `message_id` as sent by `source`.
    #[must_use]
    pub fn derive(source: &str, message_id: &str) -> Self {
        let fields = [source.as_bytes(), message_id.as_bytes()];
        Self(hash(blake3::Hasher::new(), "wayfare.message.v1", &fields))
    }

    /// The hash with these bytes, as read back from storage.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The hash's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_it_was_written_and_nothing_else_reads() {
        let id = ProfileId::derive(&IdKey::STATELESS, 1, "user_id", "u1");
        let text = id.to_string();
        assert_eq!(text.parse::<ProfileId>(), Ok(id));
        let upper = text.to_uppercase();
        for bad in [
            text.replace("usr_", "ins_"),
            upper,
            format!("{text}0"),
            "usr_".to_owned(),
        ] {
            assert!(bad.parse::<ProfileId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let profile = ProfileId::from_bytes([7; 16]);
        assert_ne!(
            InstanceId::derive("ab", Some("c"), "m", profile),
            InstanceId::derive("a", Some("bc"), "m", profile)
        );
    }

    #[test]
    fn the_layout_of_every_id_is_frozen() {
        let key = IdKey::STATELESS;
        let profile = ProfileId::derive(&key, 1, "user_id", "u1");
        let vectors = [
            profile.to_string(),
            ProfileId::derive(&key, 2, "user_id", "u1").to_string(),
            ProfileId::derive(&IdKey::new([9; 32]), 1, "email", "a@b.example").to_string(),
            InstanceId::derive("signup-lead", None, "m-1", profile).to_string(),
            InstanceId::derive("cart-recovery", Some("s-9"), "m-2", profile).to_string(),
            InstanceId::derive("a", None, "", ProfileId::from_bytes([0; 16])).to_string(),
            IdentifierHash::derive(&key, "user_id", "u1").to_string(),
            IdentifierHash::derive(&IdKey::new([9; 32]), "email", "a@b.example").to_string(),
        ];
        assert_eq!(vectors, VECTORS);
    }

    const VECTORS: [&str; 8] = [
        "usr_0b5e7f5572c8aa3b4a0e88455fc659a7",
        "usr_62577e5706800636af138c7087571577",
        "usr_850172473e703509d9020ba030d8c5c5",
        "ins_3976931fa829d6b26f28f6e3f5d9044e",
        "ins_33a4aba1e1ad44cb5766c4df0e7ac459",
        "ins_4d70f4a3fbe73601e88b405f3d87c2a0",
        "era_d9d48366ac6b7eeae06520aa524fd49b",
        "era_d975b5517862ed692b03f50c2039a5e8",
    ];
}
