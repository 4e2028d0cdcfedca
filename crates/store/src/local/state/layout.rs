//! How does a value stand in sled? Two bytes come before it: how it is laid out, and the version of
//! its form. Values of [`VALUE_BYTES_MAX`] and more are cut into pieces, for sled puts large ones
//! into files that it never syncs: the value is then the number of pieces, and each piece stands
//! under `2b`, the key, and its number.

use std::collections::BTreeMap;
use std::ops::Bound;

use sled::{IVec, Tree};
use wayfare_executor::{Key, Row};

use crate::RowKind;
use crate::stored::{DecodeError, decode_row, encode_key, key_prefix};

/// Bytes of the largest value that is not cut.
const VALUE_BYTES_MAX: usize = 7 * 1024;
pub(super) const PIECE_PREFIX: u8 = b'+';
pub(super) const WHOLE: u8 = 1;
const CUT: u8 = 2;

/// The pieces that each cut row has.
pub(in crate::local) type Pieces = BTreeMap<Vec<u8>, u16>;

pub(super) type Stored = sled::Result<Result<Option<(Row, usize)>, DecodeError>>;

pub(super) fn whole(version: u8, packed: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(2 + packed.len());
    value.extend_from_slice(&[WHOLE, version]);
    value.extend_from_slice(packed);
    value
}

fn piece_key(key: &[u8], number: u16) -> Vec<u8> {
    let mut piece = Vec::with_capacity(key.len() + 3);
    piece.push(PIECE_PREFIX);
    piece.extend_from_slice(key);
    piece.extend_from_slice(&number.to_be_bytes());
    piece
}

/// Where the keys of a kind behind one are.
pub(super) fn behind(kind: RowKind, after: Option<&Key>) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let prefix = key_prefix(kind);
    let from = after.map_or_else(|| vec![prefix], encode_key);
    (Bound::Excluded(from), Bound::Excluded(vec![prefix + 1]))
}

pub(super) fn remove_row(batch: &mut sled::Batch, pieces: &mut Pieces, key: Vec<u8>) {
    for piece in 0..pieces.remove(&key).unwrap_or(0) {
        batch.remove(piece_key(&key, piece));
    }
    batch.remove(key);
}

pub(super) fn put_row(
    batch: &mut sled::Batch,
    pieces: &mut Pieces,
    key: Vec<u8>,
    (version, packed): (u8, &[u8]),
) {
    let before = pieces.remove(&key).unwrap_or(0);
    let mut count: u16 = 0;
    if packed.len() + 2 >= VALUE_BYTES_MAX {
        for piece in packed.chunks(VALUE_BYTES_MAX - 1) {
            batch.insert(piece_key(&key, count), piece);
            count = count
                .checked_add(1)
                .expect("a row fits into a frame of the log, which has fewer pieces");
        }
        let [high, low] = count.to_be_bytes();
        batch.insert(key.as_slice(), &[CUT, version, high, low]);
    } else {
        batch.insert(key.as_slice(), whole(version, packed));
    }
    for stale in count..before {
        batch.remove(piece_key(&key, stale));
    }
    if count > 0 {
        pieces.insert(key, count);
    }
}

/// The row of a value, with its pieces, and how many bytes it takes.
pub(super) fn row(tree: &Tree, kind: RowKind, key: &[u8], value: &IVec) -> Stored {
    let decoded = |version, packed: &[u8]| {
        decode_row(kind, version, packed).map(|row| Some((row, packed.len())))
    };
    Ok(match **value {
        [WHOLE, version, ref packed @ ..] => decoded(version, packed),
        [CUT, version, high, low] => {
            let mut packed = Vec::new();
            for number in 0..u16::from_be_bytes([high, low]) {
                let Some(piece) = tree.get(piece_key(key, number))? else {
                    return Ok(Err(DecodeError("a piece of a row is missing".into())));
                };
                packed.extend_from_slice(&piece);
            }
            decoded(version, &packed)
        }
        _ => Err(DecodeError("a value has an unknown layout".into())),
    })
}
