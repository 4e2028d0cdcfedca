//! What keeps state in a directory of one machine? A log that is the truth, the state written behind
//! it, checkpoints of the state, and what is hot in memory.
//!
//! ```text
//! DIR/lock          held by one process
//! DIR/meta          the format, the installation's id key, whether the state is dry
//! DIR/namespaces    how identifiers were read when they were linked
//! DIR/log/          one frame for each batch, synced before anything follows from it
//! DIR/state/        rows, and the last frame they cover; made anew when damaged
//! DIR/checkpoints/  all rows as they were at some frame; the two newest
//! DIR/erasure       what was or is being redacted, by sequence numbers; where something ever was
//! ```
//!
//! What the two checkpoints and the state cover may leave the log, once it is older than the history
//! that is to be kept.

mod anew;
mod behind;
mod cache;
mod checkpoint;
mod erasure;
mod history;
mod kept;
mod lock;
mod messages;
mod meta;
mod read_only;
mod recover;
mod redact;
mod rows;
mod state;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayfare_event::{IdKey, Timestamp};
use wayfare_executor::{Key, Row};

use self::erasure::Erasure;
use self::kept::Kept;
use self::lock::Lock;
use self::meta::Meta;
pub use self::read_only::ReadOnly;
use self::recover::{Memory, Replay, Replayed};
use self::rows::{Limits, LiveRows};
use crate::log::{FRAME_PAYLOAD_BYTES_MAX, Log, Past, SEGMENT_BYTES, TornTail};
use crate::position::Position;
use crate::stored::encode_batch;
use crate::{Batch, Cursor, Entry, Head, Redaction, RowKind, Store, StoreError};

/// When changed rows are written behind: enough that rows changed often are written once, and
/// little enough that recovery reads at most two segments (SP 35).
const LIMITS: Limits = Limits {
    rows: 32 * 1024,
    log_bytes: 32 * 1024 * 1024,
    segment_bytes: SEGMENT_BYTES,
    messages_per_day: messages::MESSAGES_PER_DAY_MAX,
};

/// How a state directory is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for rows that are wanted often, in MiB; changed rows and hashes come on top.
    pub cache_mb: u32,
    /// Whether this is a dry run (SP 5).
    pub dry: bool,
    /// The id key of a directory that is new: drawn by chance, once.
    pub new_id_key: [u8; 32],
    /// How long history is kept, in microseconds of `at`; longer where the state needs it.
    pub history_us: i64,
}

/// What was found when a state directory was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The frame that was cut off the log; it was never acknowledged.
    pub torn: Option<TornTail>,
    /// Inputs of the log whose changes were applied to the state.
    pub replayed: u64,
    /// Frames of the log that held them.
    pub frames: u64,
    /// Where a state was put aside that could not be used; it was made anew.
    pub damaged: Option<PathBuf>,
    /// The checkpoint that the state was made anew from; the log alone where there is none.
    pub checkpoint: Option<PathBuf>,
    /// Checkpoints that could not be read; a store that may write has put them aside.
    pub unreadable: Vec<PathBuf>,
}

/// A state directory, held by this process.
///
/// Dropping it loses nothing: what is not written behind is in the log. [`LocalStore::close`] makes
/// the next start quicker.
#[derive(Debug)]
pub struct LocalStore {
    rows: LiveRows,
    head: Head,
    log: Log,
    history_us: i64,
    /// How far the log was looked through for what may leave it.
    forgotten: u64,
    /// What is to be redacted.
    erasure: Erasure,
    /// The first frame of the next segment to look at for that; 0 at the beginning.
    redacting: u64,
    directory: PathBuf,
    stopped: bool,
    /// Released last.
    _lock: Lock,
}

impl LocalStore {
    /// Opens the state in `directory`, making it if need be.
    ///
    /// # Errors
    ///
    /// When another process holds it, it is of the other kind of run, it cannot be read or written,
    /// or its log is damaged before the tail.
    pub fn open(directory: &Path, options: &Options) -> Result<(Self, Opened), StoreError> {
        Self::open_limited(directory, options, LIMITS)
    }

    fn open_limited(
        directory: &Path,
        options: &Options,
        limits: Limits,
    ) -> Result<(Self, Opened), StoreError> {
        std::fs::create_dir_all(directory).map_err(StoreError::io("make", directory))?;
        let lock = Lock::take(directory)?;
        let fresh = Meta {
            id_key: IdKey::new(options.new_id_key),
            dry: options.dry,
        };
        let meta = meta::read_or_write(directory, fresh)?;
        if meta.dry != options.dry {
            return Err(StoreError::Mismatch {
                path: directory.to_path_buf(),
                held_dry: meta.dry,
            });
        }
        let mut head = Head::new(meta.id_key, meta.dry);
        let memory = Memory::of(options.cache_mb);
        let mut found = recover::open_rows(directory, memory, limits)?;
        found.position.bring(&mut head);
        let replay = Replay::new(directory, &found.position);
        let (log, torn, replayed) = open_log(directory, replay, &mut found.rows, &mut head)?;
        fit_checkpoints(directory, found.rows.kept(), log.past(), limits)?;
        meta::sync_directory(directory)?;
        let store = Self {
            rows: found.rows,
            head,
            log,
            history_us: options.history_us,
            forgotten: 0,
            erasure: erasure::read(directory)?,
            redacting: 0,
            directory: directory.to_path_buf(),
            stopped: false,
            _lock: lock,
        };
        let opened = Opened {
            torn,
            replayed: replayed.inputs,
            frames: replayed.frames,
            damaged: found.aside,
            checkpoint: found.checkpoint,
            unreadable: found.unreadable,
        };
        Ok((store, opened))
    }

    /// What was noted of how identifiers are read; nothing in a new directory.
    ///
    /// # Errors
    ///
    /// When the note cannot be read.
    pub fn namespaces(&self) -> Result<Option<String>, StoreError> {
        meta::namespaces(&self.directory)
    }

    /// Notes how identifiers are read, durably, in place of what was noted.
    ///
    /// # Errors
    ///
    /// When the note cannot be written.
    pub fn note_namespaces(&mut self, text: &str) -> Result<(), StoreError> {
        meta::note_namespaces(&self.directory, text)
    }

    /// Writes behind what is not written yet, and lets the directory go.
    ///
    /// # Errors
    ///
    /// When the state cannot be written. Nothing is lost: the log has it.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.rows.flush()?;
        self.forget_old();
        self.rows.check()
    }

    /// Writes a checkpoint, and with it everything that is not written behind yet.
    ///
    /// # Errors
    ///
    /// When it cannot be written. Nothing is lost: the log has everything.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.rows.kept().want();
        self.rows.flush()?;
        self.forget_old();
        self.rows.check()
    }

    /// Appends one frame, or as many as it takes, each synced before the next. Gives the last
    /// frame and the bytes written.
    fn append(
        &mut self,
        entries: &[Entry],
        cursor: Option<&Cursor>,
    ) -> Result<(u64, usize), StoreError> {
        let payload = encode_batch(entries, cursor);
        if payload.len() > FRAME_PAYLOAD_BYTES_MAX && entries.len() > 1 {
            let (first, second) = entries.split_at(entries.len() / 2);
            let (_, before) = self.append(first, None)?;
            let (frame, bytes) = self.append(second, cursor)?;
            return Ok((frame, before.saturating_add(bytes)));
        }
        let frame = self.log.append(&payload)?;
        self.log.sync()?;
        Ok((frame, payload.len()))
    }

    /// Lets the log forget what is older than the history to be kept and covered otherwise. A
    /// failure is told by the next commit.
    fn forget_old(&mut self) {
        let covered = self.rows.covered();
        if covered > self.forgotten {
            self.forgotten = covered;
            if let Err(error) = self.forget_until(covered) {
                self.rows.fail(error);
            }
        }
    }

    fn forget_until(&mut self, covered: u64) -> Result<(), StoreError> {
        let keep_from = self.head.last_at.saturating_add_micros(-self.history_us);
        let starts = self.log.past().segment_starts()?;
        for second in starts.into_iter().skip(1) {
            // The oldest segment ends before the second one begins.
            let is_covered = second <= covered.saturating_add(1);
            let ended = if is_covered {
                history::first_entry(self.log.past(), second)?
            } else {
                None
            };
            if ended.is_none_or(|entry| entry.at > keep_from) {
                break;
            }
            self.log.forget_oldest()?;
        }
        Ok(())
    }
}

/// Opens the log and brings rows and head to its end.
fn open_log(
    directory: &Path,
    mut replay: Replay<'_>,
    rows: &mut LiveRows,
    head: &mut Head,
) -> Result<(Log, Option<TornTail>, Replayed), StoreError> {
    let path = directory.join("log");
    let (segment_bytes, first) = (rows.limits().segment_bytes, replay.first());
    let (log, torn) = Log::open(&path, segment_bytes, first, &mut |frame, payload| {
        replay.frame((frame, payload), &mut |frame, bytes, batch| {
            let changed = recover::apply(&batch, &mut |key| rows.load(key))?;
            head.advance(&batch.entries, batch.cursor.as_ref());
            rows.put(changed, Position::of(frame, head), bytes);
            rows.write_behind();
            rows.check()
        });
    })?;
    let replayed = replay.end(log.past().next_sequence())?;
    Ok((log, torn, replayed))
}

/// Checks that the checkpoints are of this log, and counts what it has behind the newest.
fn fit_checkpoints(
    directory: &Path,
    kept: &mut Kept,
    log: &Past,
    limits: Limits,
) -> Result<(), StoreError> {
    let (newest, next) = (kept.newest_frame(), log.next_sequence());
    if newest >= next {
        return Err(StoreError::Apart {
            path: directory.to_path_buf(),
            problem: format!("a checkpoint covers frame {newest}, the log's next is {next}"),
        });
    }
    let starts = log.segment_starts()?;
    let behind = starts.iter().filter(|start| **start > newest).count() as u64;
    kept.grew(behind.saturating_mul(limits.segment_bytes));
    Ok(())
}

impl Store for LocalStore {
    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        keys.iter().map(|key| self.rows.load(key)).collect()
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        let appended = self
            .rows
            .check()
            .and_then(|()| self.append(&batch.entries, batch.cursor.as_ref()));
        self.stopped = appended.is_err();
        let (frame, bytes) = appended?;
        self.head.advance(&batch.entries, batch.cursor.as_ref());
        let position = Position::of(frame, &self.head);
        self.rows.put(batch.rows.iter().cloned(), position, bytes);
        self.rows.want_spare(self.log.wants_spare());
        self.rows.write_behind();
        self.forget_old();
        Ok(())
    }

    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError> {
        self.rows.scan(kind, visit)
    }

    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.rows.page(kind, after, limit)
    }

    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        history::visit(self.log.past(), from_seq, visit)
    }

    fn history_part(
        &mut self,
        from_seq: u64,
        visit: &mut dyn FnMut(&Entry),
    ) -> Result<Option<u64>, StoreError> {
        history::visit_part(self.log.past(), from_seq, visit)
    }

    fn redact(&mut self, seqs: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.promise(seqs)
    }

    fn redact_on(&mut self) -> Result<Redaction, StoreError> {
        self.redact_step()
    }

    fn redact_fully(&mut self) -> Result<(), StoreError> {
        loop {
            match self.redact_step()? {
                Redaction::Done => return Ok(()),
                Redaction::More => {}
                Redaction::Waiting => self.rows.settle(),
            }
        }
    }

    fn beginning(&mut self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        let oldest = history::oldest(self.log.past())?;
        Ok(oldest.map(|entry| (entry.seq, entry.at)))
    }

    fn idle(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let is_busy = self.rows.idle(now);
        self.forget_old();
        self.rows.check()?;
        Ok(is_busy)
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Self::close(*self)
    }
}

impl Memory {
    /// Half of it for rows, half for what sled holds of its file.
    fn of(cache_mb: u32) -> Self {
        let bytes = u64::from(cache_mb).saturating_mul(1024 * 1024 / 2);
        Self {
            rows_bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
            sled_bytes: bytes.max(SLED_BYTES_MIN),
        }
    }
}

/// Below this sled reads pages again and again.
const SLED_BYTES_MIN: u64 = 8 * 1024 * 1024;

#[cfg(test)]
mod tests;
