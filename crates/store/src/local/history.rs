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
    let (from, _) = segment_of(past, from_seq)?;
    batches(past, from, &mut |_, batch| {
        let entries = batch.entries.iter();
        entries
            .filter(|entry| entry.seq >= from_seq)
            .for_each(&mut *visit);
        ControlFlow::Continue(())
    })
}

/// Visits the entries of one segment from a sequence number on; the first of the next segment.
pub(super) fn visit_part(
    past: &Past,
    from_seq: u64,
    visit: &mut dyn FnMut(&Entry),
) -> Result<Option<u64>, StoreError> {
    let (from, next) = segment_of(past, from_seq)?;
    batches(past, from, &mut |frame, batch| {
        if next.is_some_and(|next| frame >= next) {
            return ControlFlow::Break(());
        }
        let entries = batch.entries.iter();
        entries
            .filter(|entry| entry.seq >= from_seq)
            .for_each(&mut *visit);
        ControlFlow::Continue(())
    })?;
    let first = match next {
        Some(next) => first_entry(past, next)?,
        None => None,
    };
    Ok(first.map(|entry| entry.seq))
}

/// The first entry from a frame on.
pub(super) fn first_entry(past: &Past, frame: u64) -> Result<Option<Entry>, StoreError> {
    let mut first = None;
    batches(past, frame, &mut |_, batch| {
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

/// The segment to read from to meet the entry `seq`: the last one whose entries begin no later. The
/// first frames of it and of the one behind it.
fn segment_of(past: &Past, seq: u64) -> Result<(u64, Option<u64>), StoreError> {
    let starts = past.segment_starts()?;
    let (mut found, mut end) = (0, starts.len());
    while end.saturating_sub(found) > 1 {
        let middle = found.midpoint(end);
        let Some(start) = starts.get(middle) else {
            break;
        };
        if first_entry(past, *start)?.is_some_and(|entry| entry.seq <= seq) {
            found = middle;
        } else {
            end = middle;
        }
    }
    let first = starts.get(found).copied().unwrap_or(1);
    Ok((first, starts.get(found.saturating_add(1)).copied()))
}

fn batches(
    past: &Past,
    from: u64,
    visit: &mut dyn FnMut(u64, &Batch) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let mut read = Ok(());
    past.read(from, &mut |frame, payload| match decode_batch(payload) {
        Ok(batch) => visit(frame, &batch),
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
