//! What keeps state in a directory of one machine? A log that is the truth, the state written behind
//! it, and what is hot in memory.
//!
//! ```text
//! DIR/lock    held by one process
//! DIR/meta    the format, the installation's id key, whether the state is dry
//! DIR/log/    one frame for each batch, synced before anything follows from it
//! DIR/state/  rows, and the last frame they cover; made anew from the log when it is damaged
//! ```

mod behind;
mod cache;
mod lock;
mod messages;
mod meta;
mod recover;
mod rows;
mod state;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use wayfare_event::IdKey;
use wayfare_executor::{Key, Row};

use self::lock::Lock;
use self::meta::Meta;
use self::recover::{Memory, Recovered};
use self::rows::{Limits, LiveRows};
use self::state::Position;
use crate::log::{FRAME_PAYLOAD_BYTES_MAX, Log, TornTail};
use crate::stored::{decode_batch, encode_batch};
use crate::{Batch, Cursor, Entry, Head, RowKind, Store, StoreError};

/// When changed rows are written behind: enough that rows changed often are written once, and
/// little enough that recovery reads at most two segments (SP 35).
const LIMITS: Limits = Limits {
    rows: 32 * 1024,
    log_bytes: 32 * 1024 * 1024,
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
}

/// What was found when a state directory was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The frame that was cut off the log; it was never acknowledged.
    pub torn: Option<TornTail>,
    /// Inputs of the log whose changes were applied to the state.
    pub replayed: u64,
    /// Where a damaged state was put aside; the state was made anew from the log.
    pub damaged: Option<PathBuf>,
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
    log_path: PathBuf,
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
        let (mut rows, position, damaged) =
            recover::open_state(&directory.join("state"), memory, limits)?;
        head.next_seq = position.next_seq;
        head.last_at = position.last_at;
        head.last_event_at = position.last_event_at;
        head.cursor.clone_from(&position.cursor);
        let Recovered {
            log,
            torn,
            replayed,
        } = recover::open_log(directory, &position, &mut rows, &mut head)?;
        meta::sync_directory(directory)?;
        let store = Self {
            rows,
            head,
            log,
            log_path: directory.join("log"),
            stopped: false,
            _lock: lock,
        };
        let opened = Opened {
            torn,
            replayed,
            damaged,
        };
        Ok((store, opened))
    }

    /// Writes behind what is not written yet, and lets the directory go.
    ///
    /// # Errors
    ///
    /// When the state cannot be written. Nothing is lost: the log has it.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.rows.flush()
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

    /// The frame to read from to meet the entry `seq`: the start of the last segment whose entries
    /// begin no later.
    fn frame_before(&self, seq: u64) -> Result<u64, StoreError> {
        let mut starts = self.log.segment_starts()?;
        while let Some(start) = starts.pop() {
            if starts.is_empty() || self.first_seq(start)?.is_some_and(|first| first <= seq) {
                return Ok(start);
            }
        }
        Ok(1)
    }

    /// The first entry from a frame on.
    fn first_seq(&self, frame: u64) -> Result<Option<u64>, StoreError> {
        let mut first = None;
        self.visit_frames(frame, &mut |batch| {
            first = batch.entries.first().map(|entry| entry.seq);
            if first.is_some() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        Ok(first)
    }

    fn visit_frames(
        &self,
        from: u64,
        visit: &mut dyn FnMut(&Batch) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut read = Ok(());
        self.log
            .read(from, &mut |frame, payload| match decode_batch(payload) {
                Ok(batch) => visit(&batch),
                Err(error) => {
                    read = Err(StoreError::Unreadable {
                        path: self.log_path.clone(),
                        frame,
                        problem: error.to_string(),
                    });
                    ControlFlow::Break(())
                }
            })?;
        read
    }
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
        self.rows.write_behind();
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
        let from = self.frame_before(from_seq)?;
        self.visit_frames(from, &mut |batch| {
            let entries = batch.entries.iter();
            entries
                .filter(|entry| entry.seq >= from_seq)
                .for_each(&mut *visit);
            ControlFlow::Continue(())
        })
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
