//! How do keys, rows and batches stand on disk? The only place that knows; each form carries a
//! version and has a golden file. Not here: where the bytes go.

mod batch;
pub(crate) mod checkpoint;
mod form;
mod key;
mod row;

pub(crate) use batch::{decode as decode_batch, encode as encode_batch};
pub use form::Form;
pub(crate) use key::{decode as decode_key, encode as encode_key, prefix as key_prefix};
pub(crate) use row::{decode as decode_row, encode as encode_row};

/// Bytes that cannot be understood, and why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(pub(crate) String);

impl DecodeError {
    fn new(problem: &dyn std::fmt::Display) -> Self {
        Self(problem.to_string())
    }
}

impl From<rmp_serde::decode::Error> for DecodeError {
    fn from(error: rmp_serde::decode::Error) -> Self {
        Self::new(&error)
    }
}

/// MessagePack with named fields: a field added later is told from one that is missing.
fn pack<T: serde::Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    rmp_serde::encode::write_named(bytes, value)
        .expect("stored types have only text keys and known lengths, and memory takes the bytes");
}

#[cfg(test)]
pub(crate) mod tests;
