//! How is nothing left of what was redacted? Rows first: a checkpoint and sled are written anew, for
//! both may hold what is gone, and older ones are deleted. Then the log, segment by segment. What is
//! promised is durable until all of it is done, and each step may be done twice. Not here: what the
//! promise says (`erasure`), and who is concerned.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::erasure::{Erasure, Pending, Seqs, Stage};
use super::{LocalStore, anew, checkpoint, history};
use crate::stored::{decode_batch, encode_batch};
use crate::{LoggedInput, Redaction, StoreError, step};

impl LocalStore {
    /// Promises that nothing will be left of these inputs, nor of rows that are gone by now.
    pub(super) fn promise(&mut self, seqs: &BTreeSet<u64>) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        let last = self.log.past().next_sequence().saturating_sub(1);
        self.note(self.erasure.with(last, seqs))?;
        self.redacting = 0;
        step::done(&self.directory, "an erasure is promised");
        Ok(())
    }

    /// Does one step of what is promised.
    pub(super) fn redact_step(&mut self) -> Result<Redaction, StoreError> {
        let Some(pending) = &self.erasure.pending else {
            return Ok(Redaction::Done);
        };
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        let (stage, frame) = (pending.stage, pending.frame);
        match stage {
            Stage::Rows if !self.rows.renew(frame)? => Ok(Redaction::Waiting),
            Stage::Rows => {
                checkpoint::prune_before(&self.directory, frame)?;
                self.rows.kept().forget_before(frame);
                self.note(self.erasure.with_rows_done())?;
                step::done(&self.directory, "the rows are redacted");
                Ok(Redaction::More)
            }
            Stage::Log => {
                if self.redact_segment()? {
                    return Ok(Redaction::More);
                }
                self.clear()
            }
        }
    }

    /// Rewrites the next segment that holds something to be redacted; whether there was one.
    fn redact_segment(&mut self) -> Result<bool, StoreError> {
        let Some(Pending { seqs, .. }) = &self.erasure.pending else {
            return Ok(false);
        };
        let mut starts = self.log.past().segment_starts()?.into_iter().peekable();
        while let Some(start) = starts.next() {
            if start < self.redacting {
                continue;
            }
            let first_seq = |frame| {
                let entry = history::first_entry(self.log.past(), frame);
                entry.map(|entry| entry.map(|entry| entry.seq))
            };
            let Some(from) = first_seq(start)? else {
                break;
            };
            let until = match starts.peek() {
                Some(next) => first_seq(*next)?,
                None => None,
            };
            if seqs.meets(from, until) {
                let mut unreadable = None;
                self.log.rewrite(start, &mut |frame, payload| {
                    redacted(payload, seqs).map_or_else(
                        |problem| {
                            unreadable = Some((frame, problem));
                            ControlFlow::Break(())
                        },
                        ControlFlow::Continue,
                    )
                })?;
                if let Some((frame, problem)) = unreadable {
                    let path = self.log.past().directory().to_path_buf();
                    return Err(StoreError::Unreadable {
                        path,
                        frame,
                        problem,
                    });
                }
                self.redacting = start.saturating_add(1);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes what else may say something, and is done.
    fn clear(&mut self) -> Result<Redaction, StoreError> {
        self.log.clear()?;
        anew::clear(&self.directory)?;
        self.note(self.erasure.done())?;
        step::done(&self.directory, "an erasure is done");
        Ok(Redaction::Done)
    }

    fn note(&mut self, erasure: Erasure) -> Result<(), StoreError> {
        erasure.write(&self.directory)?;
        self.erasure = erasure;
        Ok(())
    }
}

/// What stands in place of a frame's payload; nothing when it stays as it is.
fn redacted(payload: &[u8], seqs: &Seqs) -> Result<Option<Vec<u8>>, String> {
    let mut batch = decode_batch(payload).map_err(|error| error.to_string())?;
    let mut is_changed = false;
    for entry in batch
        .entries
        .iter_mut()
        .filter(|entry| seqs.holds(entry.seq))
    {
        entry.input = LoggedInput::Redacted;
        entry.changes = Vec::new();
        is_changed = true;
    }
    Ok(is_changed.then(|| encode_batch(&batch.entries, batch.cursor.as_ref())))
}
