//! What happened, entry by entry? Read off the log's frames.

use std::ops::ControlFlow;

use crate::log::Past;
use crate::stored::decode_batch;
use crate::{Batch, Entry, StoreError};

/// Visits the entries from a sequence number on.
pub(super) fn visit(
    past: &Past,
    from_seq: u64,
    visit: &mut dyn FnMut(&Entry),
) -> Result<(), StoreError> {
    let from = frame_before(past, from_seq)?;
    batches(past, from, &mut |batch| {
        let entries = batch.entries.iter();
        entries
            .filter(|entry| entry.seq >= from_seq)
            .for_each(&mut *visit);
        ControlFlow::Continue(())
    })
}

/// The first entry from a frame on.
pub(super) fn first_entry(past: &Past, frame: u64) -> Result<Option<Entry>, StoreError> {
    let mut first = None;
    batches(past, frame, &mut |batch| {
        first = batch.entries.first().cloned();
        if first.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok(first)
}

/// The first entry of all that are kept.
pub(super) fn oldest(past: &Past) -> Result<Option<Entry>, StoreError> {
    match past.segment_starts()?.first() {
        Some(start) => first_entry(past, *start),
        None => Ok(None),
    }
}

/// The frame to read from to meet the entry `seq`: the start of the last segment whose entries
/// begin no later.
fn frame_before(past: &Past, seq: u64) -> Result<u64, StoreError> {
    let mut starts = past.segment_starts()?;
    while let Some(start) = starts.pop() {
        let begins = |entry: Entry| entry.seq <= seq;
        if starts.is_empty() || first_entry(past, start)?.is_some_and(begins) {
            return Ok(start);
        }
    }
    Ok(1)
}

fn batches(
    past: &Past,
    from: u64,
    visit: &mut dyn FnMut(&Batch) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut read = Ok(());
    past.read(from, &mut |frame, payload| match decode_batch(payload) {
        Ok(batch) => visit(&batch),
        Err(error) => {
            read = Err(StoreError::Unreadable {
                path: past.directory().to_path_buf(),
                frame,
                problem: error.to_string(),
            });
            ControlFlow::Break(())
        }
    })?;
    read
}
