//! Which webhooks have had their effect? A file of lines, one for each: the line is the effect and the
//! memory of its id at once, so that neither can be there without the other. Not here: whether a
//! webhook may be believed.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Seconds for which an id is remembered: the day for which Wayfare repeats at most, and an hour for
/// the last one to arrive. A sender that repeats for longer would be taken twice.
const REMEMBERED_S: u64 = 25 * 60 * 60;

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the first of its id; its effect is durable now.
    Now,
    /// The same came before: nothing to do.
    Before,
    /// Another body came with this id before: somebody is wrong, and nothing is done.
    Altered,
}

/// One webhook that was taken, as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// When, in seconds since 1970.
    at: u64,
    id: String,
    /// Of the bytes that came.
    sha256: String,
    body: String,
}

/// What was taken, in a file and, while it is remembered, in memory.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    /// Bytes of whole lines in the file.
    length: u64,
    /// What is remembered: the hash of each id's body.
    seen: BTreeMap<String, String>,
    /// The same ids, the oldest first.
    oldest: VecDeque<(u64, String)>,
}

impl Ledger {
    /// Opens the file, or makes it. A last line that a crash has cut short was never answered, and is
    /// written over.
    ///
    /// # Errors
    /// When it cannot be read and written, another process has it, or a line is not one of ours.
    pub fn open(path: &Path, now: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path)?;
        file.try_lock()?;
        // A file is durable when its name is, too.
        let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
        let mut ledger = Self {
            file,
            length: 0,
            seen: BTreeMap::new(),
            oldest: VecDeque::new(),
        };
        ledger.read(now)?;
        Ok(ledger)
    }

    fn read(&mut self, now: u64) -> io::Result<()> {
        let mut reader = BufReader::new(self.file.try_clone()?);
        let mut text = Vec::new();
        while reader.read_until(b'\n', &mut text)? > 0 && text.ends_with(b"\n") {
            let line: Line = serde_json::from_slice(&text)?;
            self.length += u64::try_from(text.len()).map_err(io::Error::other)?;
            // As it was then: when it is forgotten the same id could come, and stand here, again.
            self.forget(line.at);
            self.remember(line);
            text.clear();
        }
        self.forget(now);
        Ok(())
    }

    /// Takes a webhook whose signature was right, unless it came before. What this answers is
    /// durable.
    ///
    /// # Errors
    /// When it could not be made durable: say 503, and it comes again.
    pub fn take(&mut self, id: &str, body: &str, now: u64) -> io::Result<Taken> {
        self.forget(now);
        let sha256 = BASE64_STANDARD.encode(Sha256::digest(body));
        if let Some(before) = self.seen.get(id) {
            let is_same = *before == sha256;
            return Ok(if is_same {
                Taken::Before
            } else {
                Taken::Altered
            });
        }
        let line = Line {
            at: now,
            id: id.to_owned(),
            sha256,
            body: body.to_owned(),
        };
        self.append(&line)?;
        self.remember(line);
        Ok(Taken::Now)
    }

    /// Writes a line where the whole ones end: over what a write that failed has left there.
    fn append(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.length += u64::try_from(text.len()).map_err(io::Error::other)?;
        Ok(())
    }

    fn remember(&mut self, line: Line) {
        self.oldest.push_back((line.at, line.id.clone()));
        self.seen.insert(line.id, line.sha256);
    }

    fn forget(&mut self, now: u64) {
        let is_over = |(at, _): &mut (u64, String)| now.saturating_sub(*at) > REMEMBERED_S;
        while let Some((_, id)) = self.oldest.pop_front_if(is_over) {
            self.seen.remove(&id);
        }
    }
}
