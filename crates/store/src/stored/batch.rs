//! How does a batch stand in a frame of the log? A version byte, then MessagePack of its entries and
//! its cursor. Its rows are not there: they follow from the entries' changes.

use serde::{Deserialize, Serialize};

use super::{DecodeError, pack};
use crate::{Batch, Cursor, Entry};

/// The form this code writes.
const VERSION: u8 = 1;

#[derive(Serialize)]
struct Written<'a> {
    entries: &'a [Entry],
    cursor: Option<&'a Cursor>,
}

#[derive(Deserialize)]
struct Read {
    entries: Vec<Entry>,
    cursor: Option<Cursor>,
}

/// The payload of the frame that holds these entries.
pub(crate) fn encode(entries: &[Entry], cursor: Option<&Cursor>) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    pack(&mut bytes, &Written { entries, cursor });
    bytes
}

/// The batch a payload holds, without rows.
pub(crate) fn decode(payload: &[u8]) -> Result<Batch, DecodeError> {
    match payload.split_first() {
        Some((&VERSION, packed)) => {
            let Read { entries, cursor } = rmp_serde::from_slice(packed)?;
            Ok(Batch {
                entries,
                rows: Vec::new(),
                cursor,
            })
        }
        Some((version, _)) => Err(DecodeError::new(&format!(
            "its form {version} is not known, only {VERSION} is"
        ))),
        None => Err(DecodeError::new(&"it is empty")),
    }
}
