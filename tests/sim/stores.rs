//! Where is everything kept, and what goes wrong there? Memory that outlives the engine, or a
//! directory; a commit fails before or behind the point where it is durable, and a kill tears the
//! last frame of the log.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use wayfare_event::{IdKey, Timestamp};
use wayfare_executor::{Key, Row};
use wayfare_store::local::Options;
use wayfare_store::{
    Batch, Entry, Head, LocalStore, MemoryStore, Redaction, RowKind, Store, StoreError,
};

use crate::dice::Dice;
use crate::facts::Broken;

pub(crate) const ID_KEY: [u8; 32] = [7; 32];
/// Bytes at the start of a segment of the log, and of a frame before its payload.
const SEGMENT_HEADER_BYTES: u64 = 16;
const FRAME_HEADER_BYTES: u64 = 17;

/// Which store is played on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    Local,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Local => "local",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Memory, Self::Local]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// What goes wrong with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing was written.
    Before,
    /// It is durable, and nobody hears of it.
    After,
    /// Half of it was written.
    Torn,
}

/// What the test sees and does between engine and store.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// What goes wrong with the next commit.
    pub(crate) fault: Option<Fault>,
    /// Whether the last frame of the log is to be torn.
    pub(crate) torn: bool,
    /// Every row that is durable.
    pub(crate) rows: BTreeMap<Key, Row>,
    /// What became durable and was not looked at yet.
    pub(crate) changed: Vec<Vec<(Key, Option<Row>)>>,
}

/// A store that was put aside, and its rows.
pub(crate) type Copy = (MemoryStore, BTreeMap<Key, Row>);

/// Whatever outlives the engine.
pub(crate) struct Shelf {
    place: Place,
    pub(crate) watch: Arc<Mutex<Watch>>,
}

enum Place {
    Memory(Arc<Mutex<MemoryStore>>),
    Local(TempDir),
}

impl Shelf {
    pub(crate) fn new(kind: Kind) -> Self {
        let place = match kind {
            Kind::Memory => Place::Memory(Arc::new(Mutex::new(MemoryStore::new(id_key())))),
            Kind::Local => Place::Local(directory()),
        };
        Self {
            place,
            watch: Arc::default(),
        }
    }

    /// Opens it, as a process that starts does.
    pub(crate) fn open(&self) -> Result<Box<dyn Store>, Broken> {
        let kept: Box<dyn Store> = match &self.place {
            Place::Memory(kept) => Box::new(Memory::new(kept.clone())),
            Place::Local(directory) => {
                let opened = local(directory.path());
                Box::new(opened.map_err(|error| Broken {
                    rule: "what is durable survives",
                    what: error.to_string(),
                })?)
            }
        };
        let watch = self.watch.clone();
        Ok(Box::new(Watched { kept, watch }))
    }

    /// A copy of what is in memory; nothing of a directory.
    pub(crate) fn copy(&self) -> Option<Copy> {
        match &self.place {
            Place::Memory(kept) => {
                let rows = self.watch.lock().unwrap().rows.clone();
                Some((kept.lock().unwrap().clone(), rows))
            }
            Place::Local(_) => None,
        }
    }

    /// Puts a copy in the place of what is kept. Nobody holds the store.
    pub(crate) fn restore(&self, (kept, rows): Copy) {
        if let Place::Memory(place) = &self.place {
            *place.lock().unwrap() = kept;
            self.watch.lock().unwrap().rows = rows;
        }
    }

    /// Whether another process could take it while one holds it.
    pub(crate) fn can_be_taken(&self) -> bool {
        match &self.place {
            Place::Memory(_) => false,
            Place::Local(directory) => local(directory.path()).is_ok(),
        }
    }

    /// The process was killed: what it had half written stays behind. Nobody holds the store.
    pub(crate) fn killed(&self, dice: &mut Dice) {
        let torn = std::mem::take(&mut self.watch.lock().unwrap().torn);
        if let Place::Local(directory) = &self.place {
            if torn {
                tear(directory.path(), dice);
            } else if dice.one_in(3) {
                scribble(directory.path(), dice);
            } else {
                shorten(directory.path());
            }
        }
    }
}

fn id_key() -> IdKey {
    IdKey::new(ID_KEY)
}

/// In memory, where the machine has such a place: nothing here is worth a disk's time.
fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

fn local(directory: &Path) -> Result<LocalStore, StoreError> {
    let options = Options {
        cache_mb: 1,
        dry: false,
        new_id_key: ID_KEY,
        history_us: i64::MAX,
    };
    LocalStore::open(directory, &options).map(|(store, _)| store)
}

/// Where the last frame of the log begins and ends, and in which file.
fn last_frame(directory: &Path) -> (PathBuf, u64, u64) {
    let entries = std::fs::read_dir(directory.join("log")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let segments = paths.filter(|path| path.extension().is_some_and(|it| it == "log"));
    let path = segments.max().unwrap();
    let file = OpenOptions::new().read(true).open(&path).unwrap();
    let (mut begin, mut end) = (SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES);
    loop {
        let mut length = [0; 4];
        let read = file.read_at(&mut length, end).unwrap();
        assert!(read == 0 || read == length.len(), "a frame ends the file");
        let length = u64::from(u32::from_le_bytes(length));
        if length == 0 {
            return (path, begin, end);
        }
        begin = end;
        end += FRAME_HEADER_BYTES + length;
    }
}

/// Of the last frame only a part reached the disk: its first bytes, its last, or wrong ones.
fn tear(directory: &Path, dice: &mut Dice) {
    let (path, begin, end) = last_frame(directory);
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let length = end - begin;
    let cut = dice.below(length);
    let (from, to) = match dice.below(4) {
        0 => (begin, end),
        1 => (begin, begin + cut + 1),
        _ => (begin + cut, end),
    };
    let count = usize::try_from(to - from).unwrap();
    let wrong = dice.one_in(4);
    let bytes = (0..count).map(|_| if wrong { byte(dice) } else { 0 });
    let mut bytes: Vec<u8> = bytes.collect();
    if wrong {
        // Whatever chance says, it is not the frame.
        let mut old = vec![0; count];
        let file = OpenOptions::new().read(true).open(last_frame(directory).0);
        file.unwrap().read_exact_at(&mut old, from).unwrap();
        bytes[0] = !old[0];
    }
    file.write_all_at(&bytes, from).unwrap();
}

/// Behind the last frame another one had begun.
fn scribble(directory: &Path, dice: &mut Dice) {
    let (path, _, end) = last_frame(directory);
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let count = dice.below(200) + 1;
    let bytes: Vec<u8> = (0..count).map(|_| byte(dice)).collect();
    file.write_all_at(&bytes, end).unwrap();
}

/// Cuts the zeros behind the last frame: reading them takes most of the time.
fn shorten(directory: &Path) {
    let (path, _, end) = last_frame(directory);
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(end).unwrap();
}

fn byte(dice: &mut Dice) -> u8 {
    u8::try_from(dice.below(256)).unwrap()
}

/// A store whose commits fail when the test says so.
struct Watched {
    kept: Box<dyn Store>,
    watch: Arc<Mutex<Watch>>,
}

impl Store for Watched {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut watch = self.watch.lock().unwrap();
        let fault = watch.fault.take();
        if fault == Some(Fault::Before) {
            return Err(StoreError::Stopped);
        }
        if fault == Some(Fault::Torn) {
            // What is torn later must be there first.
            self.kept.commit(batch)?;
            watch.torn = true;
            return Err(StoreError::Stopped);
        }
        self.kept.commit(batch)?;
        for (key, row) in &batch.rows {
            match row {
                Some(row) => watch.rows.insert(key.clone(), row.clone()),
                None => watch.rows.remove(key),
            };
        }
        watch.changed.push(batch.rows.clone());
        match fault {
            Some(Fault::After) => Err(StoreError::Stopped),
            Some(Fault::Before | Fault::Torn) | None => Ok(()),
        }
    }

    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.kept.load(keys)
    }

    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError> {
        self.kept.scan(kind, visit)
    }

    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.kept.page(kind, after, limit)
    }

    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        self.kept.history(from_seq, visit)
    }

    fn redact(&mut self, seqs: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.kept.redact(seqs)
    }

    fn redact_on(&mut self) -> Result<Redaction, StoreError> {
        self.kept.redact_on()
    }

    fn redact_fully(&mut self) -> Result<(), StoreError> {
        self.kept.redact_fully()
    }

    fn beginning(&mut self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        self.kept.beginning()
    }

    fn idle(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        self.kept.idle(now)
    }

    fn head(&self) -> &Head {
        self.kept.head()
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        self.kept.close()
    }
}

/// Memory that is still there when the engine is gone.
struct Memory {
    kept: Arc<Mutex<MemoryStore>>,
    head: Head,
}

impl Memory {
    fn new(kept: Arc<Mutex<MemoryStore>>) -> Self {
        let head = kept.lock().unwrap().head().clone();
        Self { kept, head }
    }
}

impl Store for Memory {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut kept = self.kept.lock().unwrap();
        kept.commit(batch)?;
        self.head = kept.head().clone();
        Ok(())
    }

    fn load(&mut self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.kept.lock().unwrap().load(keys)
    }

    fn scan(&mut self, kind: RowKind, visit: &mut dyn FnMut(&Key, &Row)) -> Result<(), StoreError> {
        self.kept.lock().unwrap().scan(kind, visit)
    }

    fn page(
        &mut self,
        kind: RowKind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        self.kept.lock().unwrap().page(kind, after, limit)
    }

    fn history(&mut self, from_seq: u64, visit: &mut dyn FnMut(&Entry)) -> Result<(), StoreError> {
        self.kept.lock().unwrap().history(from_seq, visit)
    }

    fn redact(&mut self, seqs: &BTreeSet<u64>) -> Result<(), StoreError> {
        self.kept.lock().unwrap().redact(seqs)
    }

    fn redact_on(&mut self) -> Result<Redaction, StoreError> {
        self.kept.lock().unwrap().redact_on()
    }

    fn beginning(&mut self) -> Result<Option<(u64, Timestamp)>, StoreError> {
        self.kept.lock().unwrap().beginning()
    }

    fn head(&self) -> &Head {
        &self.head
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}
