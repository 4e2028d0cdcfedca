//! What do bytes on disk say, for whoever looks at them without a store? Read in one of the stored
//! forms and written as they are written today. Not here: how each form stands (its own file).

use super::{
    DecodeError, checkpoint, decode_batch, decode_key, decode_row, encode_batch, encode_key,
    encode_row,
};
use crate::RowKind;

/// A way in which something stands on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The key of a row of this kind.
    Key(RowKind),
    /// A row of this kind, behind the version of its form.
    Row(RowKind),
    /// The payload of a frame of the log.
    Batch,
    /// The payload of a frame of a checkpoint.
    Checkpoint,
}

impl Form {
    /// The bytes that say today what `bytes` say in this form.
    ///
    /// # Errors
    ///
    /// Why `bytes` cannot be understood.
    pub fn rewritten(self, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
        match self {
            Self::Key(kind) => decode_key(kind, bytes).map(|key| encode_key(&key)),
            Self::Row(kind) => {
                let (version, packed) = bytes
                    .split_first()
                    .ok_or_else(|| DecodeError::new(&"a value is empty"))?;
                let (version, packed) = encode_row(&decode_row(kind, *version, packed)?);
                Ok([&[version][..], &packed].concat())
            }
            Self::Batch => {
                let batch = decode_batch(bytes)?;
                Ok(encode_batch(&batch.entries, batch.cursor.as_ref()))
            }
            Self::Checkpoint => Ok(match checkpoint::decode(bytes)? {
                checkpoint::Block::Start(position) => checkpoint::start(&position),
                checkpoint::Block::Rows(read) => {
                    let mut rows = checkpoint::Rows::new();
                    read.iter().for_each(|(key, row)| rows.push(key, row));
                    rows.payload().to_vec()
                }
                checkpoint::Block::End(rows) => checkpoint::end(rows),
            }),
        }
    }
}
