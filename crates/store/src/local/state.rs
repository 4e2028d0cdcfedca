//! How do rows stand in sled? The only file that knows sled; its panics stay in here. Not here: when
//! rows are written (`behind`), or what is newer than sled (`rows`).
//!
//! One tree holds all rows but the messages, which have a tree for each day (SP 33). Keys are those
//! of `stored`; `00` is the position. A value has two bytes before it: how it is laid out, and the
//! version of its form; `layout` says how.
//!
//! `flush()` of sled is no device flush; [`State::sync`] is.

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use sled::{Db, Tree};
use wayfare_event::{MessageHash, Timestamp};
use wayfare_executor::{Key, Row};

use self::layout::{PIECE_PREFIX, Stored, WHOLE, behind, put_row, remove_row, row, whole};
use super::meta::sync_directory;
use crate::position::Position;
use crate::retention::oldest_day;
use crate::stored::{decode_key, encode_key, encode_row};
use crate::{RowKind, StoreError};

mod layout;

pub(super) use layout::Pieces;

const POSITION_KEY: [u8; 1] = [0];
const POSITION_VERSION: u8 = 1;
/// What the trees of messages are called, before their day.
const DAY_PREFIX: &str = "messages ";
/// Rows read at once when all are.
const ROWS_PER_PAGE: usize = 256;
/// Messages written at once: they need not be atomic, and sled stands still for a batch.
const MESSAGES_PER_BATCH: usize = 1024;

/// Rows as sled holds them.
#[derive(Debug)]
pub(super) struct State {
    db: Db,
    file: File,
    path: PathBuf,
}

/// Why the state could not be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// It is damaged: it can be made anew.
    Damaged(String),
    /// Something else, that making it anew does not mend.
    Other(StoreError),
}

impl State {
    pub(super) fn open(path: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        let io = |action| move |error| OpenError::Other(StoreError::io(action, path)(error));
        std::fs::create_dir_all(path).map_err(io("make"))?;
        let file = path.join("db");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&file)
            .map_err(io("open the state in"))?;
        // Threads of a sled just dropped in this process may hold its lock a moment longer.
        file.lock()
            .and_then(|()| file.unlock())
            .map_err(io("lock the state in"))?;
        let open = || {
            sled::Config::new()
                .path(path)
                .cache_capacity(cache_bytes)
                .flush_every_ms(None)
                .open()
        };
        let db = match catch_unwind(open) {
            Ok(Ok(db)) => db,
            Ok(Err(sled::Error::Io(error))) => return Err(io("open the state in")(error)),
            Ok(Err(error)) => return Err(OpenError::Damaged(error.to_string())),
            Err(panic) => return Err(OpenError::Damaged(words(&*panic))),
        };
        let state = Self {
            db,
            file,
            path: path.to_path_buf(),
        };
        state.sync().map_err(OpenError::Other)?;
        sync_directory(path).map_err(OpenError::Other)?;
        Ok(state)
    }

    /// What is covered.
    pub(super) fn position(&self) -> Result<Position, StoreError> {
        let value = self.guard(|| self.db.get(POSITION_KEY))?;
        let Some(value) = value else {
            return Ok(Position {
                next_seq: 1,
                ..Position::default()
            });
        };
        match value.split_first_chunk() {
            Some(([WHOLE, POSITION_VERSION], packed)) => {
                rmp_serde::from_slice(packed).map_err(|error| self.unusable(&error))
            }
            Some(_) | None => Err(self.unusable(&"its position has an unknown form")),
        }
    }

    /// How many pieces each cut row has.
    pub(super) fn pieces(&self) -> Result<Pieces, StoreError> {
        self.guard(|| {
            let mut pieces = Pieces::new();
            for entry in self.db.scan_prefix([PIECE_PREFIX]).keys() {
                let piece = entry?;
                if let Some((key, _)) = piece.split_last_chunk::<2>() {
                    let key = key.get(1..).unwrap_or_default();
                    *pieces.entry(key.to_vec()).or_insert(0) += 1;
                }
            }
            Ok(pieces)
        })
    }

    /// A row that is no message, and how many bytes it takes.
    pub(super) fn get(&self, key: &Key) -> Result<Option<(Row, usize)>, StoreError> {
        let bytes = encode_key(key);
        self.decoded(|| {
            let value = self.db.get(&bytes)?;
            value.map_or(Ok(Ok(None)), |value| {
                row(&self.db, RowKind::of(key), &bytes, &value)
            })
        })
    }

    /// When a message was seen on a day.
    pub(super) fn message(
        &self,
        day: i64,
        message: MessageHash,
    ) -> Result<Option<Row>, StoreError> {
        let row = self.decoded(|| {
            let tree = self.day(day)?;
            let value = tree.get(message.as_bytes())?;
            value.map_or(Ok(Ok(None)), |value| {
                row(&tree, RowKind::Message, message.as_bytes(), &value)
            })
        })?;
        Ok(row.map(|(row, _)| row))
    }

    /// The first rows of a kind behind a key, in order; none at the end.
    pub(super) fn rows_after(
        &self,
        kind: RowKind,
        after: Option<&Key>,
        count: usize,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        let rows = self.guard(|| {
            let mut rows = Vec::new();
            for entry in self.db.range(behind(kind, after)).take(count) {
                let (key, value) = entry?;
                let row = row(&self.db, kind, &key, &value)?;
                rows.push(decode_key(kind, &key).and_then(|key| Ok((key, row?))));
            }
            Ok(rows)
        })?;
        rows.into_iter()
            .filter_map(|entry| match entry {
                Ok((key, row)) => row.map(|(row, _)| Ok((key, row))),
                Err(error) => Some(Err(self.unusable(&error))),
            })
            .collect()
    }

    /// The first keys of a kind behind one, in order; none at the end.
    pub(super) fn keys_after(
        &self,
        kind: RowKind,
        after: Option<&Key>,
        count: usize,
    ) -> Result<Vec<Key>, StoreError> {
        let keys = self.guard(|| {
            let entries = self.db.range(behind(kind, after)).keys();
            entries.take(count).collect::<sled::Result<Vec<_>>>()
        })?;
        let keys = keys.iter().map(|key| decode_key(kind, key));
        keys.collect::<Result<_, _>>()
            .map_err(|error| self.unusable(&error))
    }

    /// The first messages of a day behind one, in order; none at the end.
    pub(super) fn messages_after(
        &self,
        day: i64,
        after: Option<MessageHash>,
        count: usize,
    ) -> Result<Vec<(MessageHash, Row)>, StoreError> {
        let from = after.as_ref().map_or(Bound::Unbounded, |after| {
            Bound::Excluded(&after.as_bytes()[..])
        });
        let rows = self.guard(|| {
            let tree = self.day(day)?;
            let mut rows = Vec::new();
            for entry in tree.range::<&[u8], _>((from, Bound::Unbounded)).take(count) {
                let (key, value) = entry?;
                rows.push((key.clone(), row(&tree, RowKind::Message, &key, &value)?));
            }
            Ok(rows)
        })?;
        let mut messages = Vec::with_capacity(rows.len());
        for (key, row) in rows {
            let hash = key.as_ref().try_into().map(MessageHash::from_bytes);
            let hash = hash.map_err(|_| self.unusable(&"a message has no hash"))?;
            let row = row.map_err(|error| self.unusable(&error))?;
            messages.extend(row.map(|(row, _)| (hash, row)));
        }
        Ok(messages)
    }

    /// The days that have messages, in order.
    pub(super) fn days(&self) -> Result<Vec<i64>, StoreError> {
        let names = self.guard(|| Ok(self.db.tree_names()))?;
        let days = names.iter().filter_map(|name| {
            let name = std::str::from_utf8(name).ok()?;
            name.strip_prefix(DAY_PREFIX)?.parse().ok()
        });
        let mut days: Vec<i64> = days.collect();
        days.sort_unstable();
        Ok(days)
    }

    /// Forgets all messages of a day.
    pub(super) fn drop_day(&self, day: i64) -> Result<(), StoreError> {
        self.guard(|| self.db.drop_tree(day_name(day)).map(drop))
    }

    /// Writes messages of one day. They are durable after [`Self::sync`].
    pub(super) fn put_messages(
        &self,
        day: i64,
        messages: &[(MessageHash, Timestamp)],
    ) -> Result<(), StoreError> {
        self.guard(|| {
            let tree = self.day(day)?;
            for messages in messages.chunks(MESSAGES_PER_BATCH) {
                let mut batch = sled::Batch::default();
                for (message, at) in messages {
                    let (version, packed) = encode_row(&Row::Message(*at));
                    batch.insert(&message.as_bytes()[..], whole(version, &packed));
                }
                tree.apply_batch(batch)?;
            }
            Ok(())
        })
    }

    /// Forgets these messages, whatever day they were seen on.
    pub(super) fn remove_messages(&self, messages: &[MessageHash]) -> Result<(), StoreError> {
        if messages.is_empty() {
            return Ok(());
        }
        for day in self.days()? {
            self.guard(|| {
                let tree = self.day(day)?;
                for messages in messages.chunks(MESSAGES_PER_BATCH) {
                    let mut batch = sled::Batch::default();
                    for message in messages {
                        batch.remove(&message.as_bytes()[..]);
                    }
                    tree.apply_batch(batch)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Visits every row, in the order of the kinds and the keys, and the messages that are known
    /// at a position.
    pub(super) fn visit(
        &self,
        position: &Position,
        visit: &mut dyn FnMut(&Key, &Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for kind in RowKind::ALL {
            let mut after = None;
            loop {
                let rows = self.rows_after(kind, after.as_ref(), ROWS_PER_PAGE)?;
                for (key, row) in &rows {
                    visit(key, row)?;
                }
                after = rows.into_iter().next_back().map(|(key, _)| key);
                if after.is_none() {
                    break;
                }
            }
        }
        for day in self.days()? {
            let mut after = None;
            while day >= oldest_day(position.last_at) {
                let messages = self.messages_after(day, after, ROWS_PER_PAGE)?;
                for (message, row) in &messages {
                    visit(&Key::Message(*message), row)?;
                }
                after = messages.last().map(|(message, _)| *message);
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Removes everything.
    pub(super) fn clear(&self) -> Result<(), StoreError> {
        for day in self.days()? {
            self.drop_day(day)?;
        }
        self.guard(|| self.db.clear())
    }

    /// Writes rows, removes those that are gone, and notes what that covers, all or nothing; gives
    /// the bytes each row takes. It is durable after [`Self::sync`]. Messages are not among them.
    pub(super) fn put_rows(
        &self,
        rows: &[(&Key, Option<&Row>)],
        position: Option<&Position>,
        pieces: &mut Pieces,
    ) -> Result<Vec<usize>, StoreError> {
        let mut batch = sled::Batch::default();
        let mut sizes = Vec::with_capacity(rows.len());
        for (key, row) in rows {
            let encoded = row.map(encode_row);
            sizes.push(encoded.as_ref().map_or(0, |(_, packed)| packed.len()));
            match encoded {
                Some((version, packed)) => {
                    put_row(&mut batch, pieces, encode_key(key), (version, &packed));
                }
                None => remove_row(&mut batch, pieces, encode_key(key)),
            }
        }
        if let Some(position) = position {
            let packed = rmp_serde::to_vec_named(position)
                .expect("a position has only text keys and known lengths");
            batch.insert(&POSITION_KEY, whole(POSITION_VERSION, &packed));
        }
        self.guard(|| self.db.apply_batch(batch))?;
        Ok(sizes)
    }

    /// Makes what was written durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.guard(|| self.db.flush())?;
        self.file
            .sync_data()
            .map_err(StoreError::io("sync the state in", &self.path))
    }

    fn day(&self, day: i64) -> sled::Result<Tree> {
        self.db.open_tree(day_name(day))
    }

    fn unusable(&self, problem: &dyn std::fmt::Display) -> StoreError {
        StoreError::state(&self.path, problem)
    }

    /// Why sled did not do something: a disk that is full leaves nothing damaged.
    fn refused(&self, error: sled::Error) -> StoreError {
        match error {
            sled::Error::Io(error) if is_full(error.kind()) => {
                StoreError::io("write the state in", &self.path)(error)
            }
            sled::Error::Io(_)
            | sled::Error::CollectionNotFound(_)
            | sled::Error::Unsupported(_)
            | sled::Error::ReportableBug(_)
            | sled::Error::Corruption { .. } => self.unusable(&error),
        }
    }

    fn decoded(&self, read: impl FnOnce() -> Stored) -> Result<Option<(Row, usize)>, StoreError> {
        self.guard(read)?.map_err(|error| self.unusable(&error))
    }

    fn guard<T>(&self, act: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
        match catch_unwind(AssertUnwindSafe(act)) {
            Ok(done) => done.map_err(|error| self.refused(error)),
            Err(panic) => Err(self.unusable(&words(&*panic))),
        }
    }
}

/// Whether a file could not grow.
const fn is_full(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StorageFull | ErrorKind::FileTooLarge | ErrorKind::QuotaExceeded
    )
}

fn day_name(day: i64) -> String {
    format!("{DAY_PREFIX}{day}")
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("sled panicked: {}", text.unwrap_or("without a word"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_full_is_no_damage() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::open(directory.path(), 1 << 20).unwrap();
        let check = |kind: ErrorKind, is_damage: bool| {
            let refused = state.refused(sled::Error::Io(kind.into()));
            let is_state = matches!(refused, StoreError::State { .. });
            assert_eq!(is_state, is_damage, "{refused}");
        };
        check(ErrorKind::StorageFull, false);
        check(ErrorKind::FileTooLarge, false);
        check(ErrorKind::QuotaExceeded, false);
        check(ErrorKind::UnexpectedEof, true);
    }
}
