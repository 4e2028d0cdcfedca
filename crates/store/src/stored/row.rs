//! How does a row stand in the state? Its kind is its key's; then MessagePack of what the row holds.
//! The version of the form travels beside it, in the header of the value.

use wayfare_executor::Row;

use super::{DecodeError, pack};
use crate::RowKind;

/// The form this code writes.
const VERSION: u8 = 1;

/// The version of the form and the bytes of a row.
pub(crate) fn encode(row: &Row) -> (u8, Vec<u8>) {
    let mut bytes = Vec::new();
    match row {
        Row::Person(person) => pack(&mut bytes, person),
        Row::Account(account) => pack(&mut bytes, account),
        Row::Guard(entry) => pack(&mut bytes, entry),
        Row::Message(at) => pack(&mut bytes, at),
        Row::Decision(decision) => pack(&mut bytes, decision),
        Row::Delivery(delivery) => pack(&mut bytes, delivery),
        Row::Version(source) => pack(&mut bytes, source),
        Row::Queued(queued) => pack(&mut bytes, queued),
        Row::Sweep(sweep) => pack(&mut bytes, sweep),
        Row::Control(control) => pack(&mut bytes, control),
        Row::Erased(erased) => pack(&mut bytes, erased),
    }
    (VERSION, bytes)
}

/// The row of a kind that was written in this form.
pub(crate) fn decode(kind: RowKind, version: u8, bytes: &[u8]) -> Result<Row, DecodeError> {
    if version != VERSION {
        return Err(DecodeError::new(&format!(
            "a value has the form {version}, only {VERSION} is known"
        )));
    }
    Ok(match kind {
        RowKind::Person => Row::Person(rmp_serde::from_slice(bytes)?),
        RowKind::Account => Row::Account(rmp_serde::from_slice(bytes)?),
        RowKind::Guard => Row::Guard(rmp_serde::from_slice(bytes)?),
        RowKind::Message => Row::Message(rmp_serde::from_slice(bytes)?),
        RowKind::Decision => Row::Decision(rmp_serde::from_slice(bytes)?),
        RowKind::Delivery => Row::Delivery(rmp_serde::from_slice(bytes)?),
        RowKind::Version => Row::Version(rmp_serde::from_slice(bytes)?),
        RowKind::Queued => Row::Queued(rmp_serde::from_slice(bytes)?),
        RowKind::Sweep => Row::Sweep(rmp_serde::from_slice(bytes)?),
        RowKind::Control => Row::Control(rmp_serde::from_slice(bytes)?),
        RowKind::Erased => Row::Erased(rmp_serde::from_slice(bytes)?),
    })
}
