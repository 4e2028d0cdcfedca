//! What is durable. The log is the truth: what is in it and synced has happened.
//!
//! A [`Store`] loads rows, commits batches, and visits rows and the past in order. [`MemoryStore`]
//! keeps nothing beyond the process; [`LocalStore`] keeps a directory: a log, the state written
//! behind it, checkpoints of the state, and what is hot in memory. One contract suite holds for both.
//! [`ReadOnly`] looks into such a directory and changes nothing.
//!
//! Reading order: [`Store`], [`MemoryStore`], [`LocalStore`], [`log`].

mod error;
pub mod local;
pub mod log;
mod memory;
mod position;
mod retention;
mod step;
mod store;
mod stored;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod sample;

pub use error::StoreError;
pub use local::{LocalStore, ReadOnly};
pub use memory::MemoryStore;
pub use retention::MESSAGE_DAYS;
pub use store::{Batch, Cursor, Entry, Head, LoggedInput, Origin, Redaction, RowKind, Store};
pub use stored::{DecodeError, Form};
