//! How does a checkpoint stand on disk? In frames, as the log's: the position it covers, its rows,
//! and how many rows there are. Each payload begins with the version of its form and its kind.

use wayfare_executor::{Key, Row};

use super::{DecodeError, decode_key, decode_row, encode_key, encode_row, key_prefix, pack};
use crate::RowKind;
use crate::position::Position;

/// The form this code writes.
const VERSION: u8 = 1;
const START: u8 = b's';
const ROWS: u8 = b'r';
const END: u8 = b'e';

/// What one frame of a checkpoint says.
#[derive(Debug, PartialEq)]
pub(crate) enum Block {
    /// What is covered; the first frame.
    Start(Position),
    /// Rows, in order.
    Rows(Vec<(Key, Row)>),
    /// How many rows there were; the last frame.
    End(u64),
}

pub(crate) fn start(position: &Position) -> Vec<u8> {
    let mut payload = vec![VERSION, START];
    pack(&mut payload, position);
    payload
}

pub(crate) fn end(rows: u64) -> Vec<u8> {
    let mut payload = vec![VERSION, END];
    payload.extend_from_slice(&rows.to_le_bytes());
    payload
}

/// Rows that share a frame.
#[derive(Debug)]
pub(crate) struct Rows(Vec<u8>);

impl Rows {
    pub(crate) fn new() -> Self {
        Self(vec![VERSION, ROWS])
    }

    /// Adds a row: the length of its key and the key, the version of its form, its length and
    /// itself.
    pub(crate) fn push(&mut self, key: &Key, row: &Row) {
        self.put(&encode_key(key));
        let (version, packed) = encode_row(row);
        self.0.push(version);
        self.put(&packed);
    }

    fn put(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("a row fits into a frame of the log");
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.0
    }
}

pub(crate) fn decode(payload: &[u8]) -> Result<Block, DecodeError> {
    let (kind, rest) = match payload {
        [VERSION, kind, rest @ ..] => (*kind, rest),
        [version, ..] => {
            return Err(DecodeError::new(&format!(
                "its form {version} is not known, only {VERSION} is"
            )));
        }
        [] => return Err(DecodeError::new(&"a frame is empty")),
    };
    match kind {
        START => Ok(Block::Start(rmp_serde::from_slice(rest)?)),
        ROWS => rows(rest).map(Block::Rows),
        END => {
            let rows = rest.try_into().map(u64::from_le_bytes);
            rows.map(Block::End)
                .map_err(|_| DecodeError::new(&"its end has an unknown form"))
        }
        _ => Err(DecodeError::new(&"a frame is of an unknown kind")),
    }
}

fn rows(mut rest: &[u8]) -> Result<Vec<(Key, Row)>, DecodeError> {
    let mut rows = Vec::new();
    while !rest.is_empty() {
        let key = take(&mut rest)?;
        let prefix = key.first();
        let kind = RowKind::ALL
            .into_iter()
            .find(|kind| prefix == Some(&key_prefix(*kind)))
            .ok_or_else(|| DecodeError::new(&"a key is of an unknown kind"))?;
        let (version, after) = rest
            .split_first()
            .ok_or_else(|| DecodeError::new(&"a frame ends inside a row"))?;
        rest = after;
        let row = decode_row(kind, *version, take(&mut rest)?)?;
        rows.push((decode_key(kind, key)?, row));
    }
    Ok(rows)
}

/// Takes a length and as many bytes.
fn take<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let ended = || DecodeError::new(&"a frame ends inside a row");
    let (length, after) = rest.split_first_chunk().ok_or_else(ended)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (bytes, after) = after.split_at_checked(length).ok_or_else(ended)?;
    *rest = after;
    Ok(bytes)
}
