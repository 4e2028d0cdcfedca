//! How do rows stand in sled? The only file that knows sled; its panics stay in here. Not here: when
//! rows are written (`behind`), or what is newer than sled (`rows`).
//!
//! One tree holds all rows but the messages, which have a tree for each day (SP 33). Keys are those
//! of `stored`; `00` is the position. A value has two bytes before it: how it is laid out, and the
//! version of its form. Values of [`VALUE_BYTES_MAX`] and more are cut into pieces, for sled puts
//! large ones into files that it never syncs: the value is then the number of pieces, and each
//! piece stands under `2b`, the key, and its number.
//!
//! `flush()` of sled is no device flush; [`State::sync`] is.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sled::{Db, IVec, Tree};
use wayfare_event::{MessageHash, Timestamp};
use wayfare_executor::{Key, Row};

use super::meta::sync_directory;
use crate::stored::{DecodeError, decode_key, decode_row, encode_key, encode_row, key_prefix};
use crate::{Cursor, Head, RowKind, StoreError};

/// Bytes of the largest value that is not cut.
const VALUE_BYTES_MAX: usize = 7 * 1024;
const POSITION_KEY: [u8; 1] = [0];
const POSITION_VERSION: u8 = 1;
const PIECE_PREFIX: u8 = b'+';
const WHOLE: u8 = 1;
const CUT: u8 = 2;
/// What the trees of messages are called, before their day.
const DAY_PREFIX: &str = "messages ";
/// Messages written at once: they need not be atomic, and sled stands still for a batch.
const MESSAGES_PER_BATCH: usize = 1024;

/// What the state covers: everything up to a frame of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The last frame covered; 0 before the first.
    pub(super) frame: u64,
    pub(super) next_seq: u64,
    pub(super) last_at: Timestamp,
    pub(super) last_event_at: Timestamp,
    pub(super) cursor: Option<Cursor>,
}

impl Position {
    /// The position after a frame that brought a store to this head.
    pub(super) fn of(frame: u64, head: &Head) -> Self {
        Self {
            frame,
            next_seq: head.next_seq,
            last_at: head.last_at,
            last_event_at: head.last_event_at,
            cursor: head.cursor.clone(),
        }
    }
}

/// The pieces that each cut row has.
pub(super) type Pieces = BTreeMap<Vec<u8>, u16>;

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

type Stored = sled::Result<Result<Option<(Row, usize)>, DecodeError>>;

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

    /// Writes rows, removes those that are gone, and notes what that covers, all or nothing; gives
    /// the bytes each row takes. It is durable after [`Self::sync`].
    pub(super) fn put_rows(
        &self,
        rows: &[(&Key, Option<&Row>)],
        position: &Position,
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
        let packed = rmp_serde::to_vec_named(position)
            .expect("a position has only text keys and known lengths");
        batch.insert(&POSITION_KEY, whole(POSITION_VERSION, &packed));
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

    fn decoded(&self, read: impl FnOnce() -> Stored) -> Result<Option<(Row, usize)>, StoreError> {
        self.guard(read)?.map_err(|error| self.unusable(&error))
    }

    fn guard<T>(&self, act: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
        match catch_unwind(AssertUnwindSafe(act)) {
            Ok(done) => done.map_err(|error| self.unusable(&error)),
            Err(panic) => Err(self.unusable(&words(&*panic))),
        }
    }
}

fn day_name(day: i64) -> String {
    format!("{DAY_PREFIX}{day}")
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("sled panicked: {}", text.unwrap_or("without a word"))
}

fn whole(version: u8, packed: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(2 + packed.len());
    value.extend_from_slice(&[WHOLE, version]);
    value.extend_from_slice(packed);
    value
}

fn piece_key(key: &[u8], number: u16) -> Vec<u8> {
    let mut piece = Vec::with_capacity(key.len() + 3);
    piece.push(PIECE_PREFIX);
    piece.extend_from_slice(key);
    piece.extend_from_slice(&number.to_be_bytes());
    piece
}

/// Where the keys of a kind behind one are.
fn behind(kind: RowKind, after: Option<&Key>) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let prefix = key_prefix(kind);
    let from = after.map_or_else(|| vec![prefix], encode_key);
    (Bound::Excluded(from), Bound::Excluded(vec![prefix + 1]))
}

fn remove_row(batch: &mut sled::Batch, pieces: &mut Pieces, key: Vec<u8>) {
    for piece in 0..pieces.remove(&key).unwrap_or(0) {
        batch.remove(piece_key(&key, piece));
    }
    batch.remove(key);
}

fn put_row(
    batch: &mut sled::Batch,
    pieces: &mut Pieces,
    key: Vec<u8>,
    (version, packed): (u8, &[u8]),
) {
    let before = pieces.remove(&key).unwrap_or(0);
    let mut count: u16 = 0;
    if packed.len() + 2 >= VALUE_BYTES_MAX {
        for piece in packed.chunks(VALUE_BYTES_MAX - 1) {
            batch.insert(piece_key(&key, count), piece);
            count = count
                .checked_add(1)
                .expect("a row fits into a frame of the log, which has fewer pieces");
        }
        let [high, low] = count.to_be_bytes();
        batch.insert(key.as_slice(), &[CUT, version, high, low]);
    } else {
        batch.insert(key.as_slice(), whole(version, packed));
    }
    for stale in count..before {
        batch.remove(piece_key(&key, stale));
    }
    if count > 0 {
        pieces.insert(key, count);
    }
}

/// The row of a value, with its pieces, and how many bytes it takes.
fn row(tree: &Tree, kind: RowKind, key: &[u8], value: &IVec) -> Stored {
    let decoded = |version, packed: &[u8]| {
        decode_row(kind, version, packed).map(|row| Some((row, packed.len())))
    };
    Ok(match **value {
        [WHOLE, version, ref packed @ ..] => decoded(version, packed),
        [CUT, version, high, low] => {
            let mut packed = Vec::new();
            for number in 0..u16::from_be_bytes([high, low]) {
                let Some(piece) = tree.get(piece_key(key, number))? else {
                    return Ok(Err(DecodeError("a piece of a row is missing".into())));
                };
                packed.extend_from_slice(&piece);
            }
            decoded(version, &packed)
        }
        _ => Err(DecodeError("a value has an unknown layout".into())),
    })
}
