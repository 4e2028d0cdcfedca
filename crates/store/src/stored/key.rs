//! How does a key stand in the state? One byte for its kind, then its fields, so that bytes have the
//! order of the keys and no key begins another.
//!
//! A text is its UTF-8 with every zero byte followed by `ff`, ended by `00 01`. Ids and
//! versions are their 16 bytes.

use std::sync::Arc;

use wayfare_event::{DecisionId, DeliveryId, Identifier, IdentifierHash, MessageHash};
use wayfare_executor::Key;
use wayfare_executor::record::{QueueId, SweepCause, SweepId};
use wayfare_journey::Version;

use super::DecodeError;
use crate::RowKind;

const ESCAPED: [u8; 2] = [0x00, 0xff];
const END: [u8; 2] = [0x00, 0x01];

/// What the keys of a kind start with.
pub(crate) const fn prefix(kind: RowKind) -> u8 {
    match kind {
        RowKind::Person => b'p',
        RowKind::Account => b'a',
        RowKind::Guard => b'g',
        RowKind::Message => b'm',
        RowKind::Decision => b'd',
        RowKind::Delivery => b'w',
        RowKind::Version => b'v',
        RowKind::Queued => b'q',
        RowKind::Sweep => b's',
        RowKind::Control => b'c',
        RowKind::Erased => b'e',
    }
}

pub(crate) fn encode(key: &Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(48);
    bytes.push(prefix(RowKind::of(key)));
    match key {
        Key::Person(identifier) => put_identifier(&mut bytes, identifier),
        Key::Account(account) => put_text(&mut bytes, account),
        Key::Guard {
            owner,
            journey,
            key,
        } => {
            put_identifier(&mut bytes, owner);
            put_text(&mut bytes, journey);
            put_text(&mut bytes, key);
        }
        Key::Message(message) => bytes.extend_from_slice(message.as_bytes()),
        Key::Decision(id) => bytes.extend_from_slice(id.as_bytes()),
        Key::Delivery(id) => bytes.extend_from_slice(id.as_bytes()),
        Key::Version(journey, version) => {
            put_text(&mut bytes, journey);
            bytes.extend_from_slice(version.as_bytes());
        }
        Key::Queued(id) => {
            bytes.extend_from_slice(&id.seq.to_be_bytes());
            bytes.extend_from_slice(&id.place.to_be_bytes());
        }
        Key::Sweep(id) => {
            put_text(&mut bytes, &id.journey);
            bytes.push(match id.cause {
                SweepCause::Schedule => 0,
                SweepCause::Dates => 1,
                SweepCause::Stop => 2,
                SweepCause::Erasure => 3,
            });
        }
        Key::Control(journey) => put_text(&mut bytes, journey),
        Key::Erased(hash) => bytes.extend_from_slice(hash.as_bytes()),
    }
    bytes
}

pub(crate) fn decode(kind: RowKind, bytes: &[u8]) -> Result<Key, DecodeError> {
    let mut rest = match bytes.split_first() {
        Some((first, rest)) if *first == prefix(kind) => rest,
        Some(_) | None => return Err(DecodeError::new(&"a key is of another kind")),
    };
    let rest = &mut rest;
    let key = match kind {
        RowKind::Person => Key::Person(take_identifier(rest)?),
        RowKind::Account => Key::Account(take_text(rest)?),
        RowKind::Guard => Key::Guard {
            owner: take_identifier(rest)?,
            journey: take_text(rest)?,
            key: take_text(rest)?,
        },
        RowKind::Message => Key::Message(MessageHash::from_bytes(take_bytes(rest)?)),
        RowKind::Decision => Key::Decision(DecisionId::from_bytes(take_bytes(rest)?)),
        RowKind::Delivery => Key::Delivery(DeliveryId::from_bytes(take_bytes(rest)?)),
        RowKind::Version => {
            let journey = take_text(rest)?;
            Key::Version(journey, Version::from_bytes(take_bytes(rest)?))
        }
        RowKind::Queued => Key::Queued(QueueId {
            seq: u64::from_be_bytes(take_bytes(rest)?),
            place: u32::from_be_bytes(take_bytes(rest)?),
        }),
        RowKind::Sweep => {
            let journey = take_text(rest)?;
            let cause = match take_bytes(rest)? {
                [0] => SweepCause::Schedule,
                [1] => SweepCause::Dates,
                [2] => SweepCause::Stop,
                [3] => SweepCause::Erasure,
                [_] => return Err(DecodeError::new(&"a key names a sweep that is none")),
            };
            Key::Sweep(SweepId { journey, cause })
        }
        RowKind::Control => Key::Control(take_text(rest)?),
        RowKind::Erased => Key::Erased(IdentifierHash::from_bytes(take_bytes(rest)?)),
    };
    if rest.is_empty() {
        Ok(key)
    } else {
        Err(DecodeError::new(&"a key is too long"))
    }
}

fn put_identifier(bytes: &mut Vec<u8>, identifier: &Identifier) {
    put_text(bytes, identifier.namespace.as_str());
    put_text(bytes, &identifier.value);
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        if byte == 0 {
            bytes.extend_from_slice(&ESCAPED);
        } else {
            bytes.push(byte);
        }
    }
    bytes.extend_from_slice(&END);
}

fn take_identifier(rest: &mut &[u8]) -> Result<Identifier, DecodeError> {
    let namespace = take_text(rest)?;
    Ok(Identifier {
        namespace: (&*namespace).into(),
        value: take_text(rest)?,
    })
}

fn take_text(rest: &mut &[u8]) -> Result<Arc<str>, DecodeError> {
    let mut text = Vec::new();
    loop {
        let (byte, after) = rest
            .split_first()
            .ok_or_else(|| DecodeError::new(&"a key ends inside a text"))?;
        if *byte != 0 {
            text.push(*byte);
            *rest = after;
        } else if let Some(after) = rest.strip_prefix(&ESCAPED) {
            text.push(0);
            *rest = after;
        } else if let Some(after) = rest.strip_prefix(&END) {
            *rest = after;
            break;
        } else {
            return Err(DecodeError::new(
                &"a key has a zero byte that means nothing",
            ));
        }
    }
    let text = String::from_utf8(text).map_err(|error| DecodeError::new(&error))?;
    Ok(text.into())
}

fn take_bytes<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], DecodeError> {
    let (bytes, after) = rest
        .split_first_chunk()
        .ok_or_else(|| DecodeError::new(&"a key ends inside an id"))?;
    *rest = after;
    Ok(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(vec!['\0', '\u{1}', 'a', 'b', 'é', '\u{10ffff}']),
            0..5,
        )
        .prop_map(String::from_iter)
    }

    fn key() -> impl Strategy<Value = Key> {
        let identifier =
            || (text(), text()).prop_map(|(space, value)| Identifier::new(&space, &value));
        prop_oneof![
            identifier().prop_map(Key::Person),
            text().prop_map(|name| Key::Account(name.into())),
            (identifier(), text(), text()).prop_map(|(owner, journey, key)| Key::Guard {
                owner,
                journey: journey.into(),
                key: key.into()
            }),
            any::<[u8; 16]>().prop_map(|id| Key::Message(MessageHash::from_bytes(id))),
            any::<[u8; 16]>().prop_map(|id| Key::Delivery(DeliveryId::from_bytes(id))),
            (text(), any::<[u8; 16]>()).prop_map(|(journey, version)| Key::Version(
                journey.into(),
                Version::from_bytes(version)
            )),
            any::<(u64, u32)>().prop_map(|(seq, place)| Key::Queued(QueueId { seq, place })),
            (text(), any::<bool>()).prop_map(|(journey, dates)| Key::Sweep(SweepId {
                journey: journey.into(),
                cause: if dates {
                    SweepCause::Dates
                } else {
                    SweepCause::Schedule
                },
            })),
            text().prop_map(|journey| Key::Control(journey.into())),
            any::<[u8; 16]>().prop_map(|id| Key::Erased(IdentifierHash::from_bytes(id))),
        ]
    }

    proptest! {
        #[test]
        fn a_key_reads_back(key in key()) {
            prop_assert_eq!(&decode(RowKind::of(&key), &encode(&key)).unwrap(), &key);
        }

        #[test]
        fn bytes_have_the_order_of_the_keys(left in key(), right in key()) {
            if RowKind::of(&left) == RowKind::of(&right) {
                prop_assert_eq!(encode(&left).cmp(&encode(&right)), left.cmp(&right));
            }
        }

        #[test]
        fn any_bytes_can_be_read(bytes: Vec<u8>) {
            for kind in RowKind::ALL {
                let mut bytes = bytes.clone();
                bytes.insert(0, prefix(kind));
                if let Ok(key) = decode(kind, &bytes) {
                    prop_assert_eq!(RowKind::of(&key), kind);
                }
            }
        }
    }
}
