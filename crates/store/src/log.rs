//! What has happened, in order, surviving a kill at any moment? An append-only log of frames in
//! segments of a fixed size. Not here: what a frame's payload means.
//!
//! One frame per batch. A frame is durable when [`Log::sync`] has returned. Opening the log cuts a
//! torn tail (the one frame that may have been half written) and says so; damage before the tail is
//! an error that names file and offset, never a silent loss.

pub(crate) mod frame;
pub(crate) mod read;
mod recover;
pub(crate) mod rewrite;
pub(crate) mod segment;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub use frame::FRAME_PAYLOAD_BYTES_MAX;
pub use read::Past;
use recover::Tail;
pub use recover::TornTail;
pub use segment::SEGMENT_BYTES;

/// What can go wrong with the log, with the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A synced frame is not what was written.
    #[error(
        "`{}` is damaged at byte {offset}: {reason}; restore the state directory from a backup, \
         nothing was changed",
        path.display()
    )]
    Damaged {
        /// In which file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// A batch does not fit into one frame.
    #[error("a batch of {bytes} bytes does not fit, at most {FRAME_PAYLOAD_BYTES_MAX} do")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// An append or sync failed before; what the disk holds is unknown until the log is reopened.
    #[error("the log stopped after a failed write; free space or repair the disk and start again")]
    Stopped,
}

impl LogError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// The log of one state directory, open for appending. One process, one writer.
#[derive(Debug)]
pub struct Log {
    past: Past,
    segment: File,
    segment_path: PathBuf,
    segment_bytes: u64,
    offset: u64,
    stopped: bool,
}

impl Log {
    /// Opens the log in `directory`, making it if need be, and hands every frame with a sequence
    /// number of at least `from` to `replay`, in order. Sequence numbers start at 1. Segments that
    /// end before `from` are not read. New segments are of `segment_bytes`.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read or written, or a frame before the tail is damaged.
    pub fn open(
        directory: &Path,
        segment_bytes: u64,
        from: u64,
        replay: &mut dyn FnMut(u64, &[u8]),
    ) -> Result<(Self, Option<TornTail>), LogError> {
        std::fs::create_dir_all(directory).map_err(LogError::io("make", directory))?;
        // A frame that a kill left in the system's cache is made durable before anything follows
        // from it: the state must never be ahead of the log.
        if let Some((_, last)) = segment::list(directory)?.last() {
            let synced = segment::open(last)?.sync_data();
            synced.map_err(LogError::io("sync", last))?;
        }
        let end = recover::recover(directory, from, Tail::Cut { segment_bytes }, replay)?;
        let (path, offset) = match end.position {
            Some(position) => position,
            None => (
                segment::create(directory, end.next_sequence, segment_bytes)?,
                segment::HEADER_BYTES,
            ),
        };
        let file = segment::open(&path)?;
        let log = Self {
            past: Past {
                directory: directory.to_path_buf(),
                next_sequence: end.next_sequence,
            },
            segment: file,
            segment_path: path,
            segment_bytes,
            offset,
            stopped: false,
        };
        Ok((log, end.torn))
    }

    /// Appends one frame and gives its sequence number. It is durable after [`Log::sync`].
    ///
    /// # Errors
    ///
    /// When the payload is too large, or the disk refuses: then the log takes no more.
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, LogError> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        let sequence = self.past.next_sequence;
        let frame = frame::encode(sequence, payload)?;
        let length = frame.len() as u64;
        let written = self.roll_for(length).and_then(|()| {
            self.segment
                .write_all_at(&frame, self.offset)
                .map_err(LogError::io("append to", &self.segment_path))
        });
        if let Err(error) = written {
            self.stopped = true;
            return Err(error);
        }
        self.offset += length;
        self.past.next_sequence += 1;
        Ok(sequence)
    }

    /// Makes every appended frame durable.
    ///
    /// # Errors
    ///
    /// When the disk refuses: then the log takes no more.
    pub fn sync(&mut self) -> Result<(), LogError> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        let synced = self
            .segment
            .sync_data()
            .map_err(LogError::io("sync", &self.segment_path));
        self.stopped = synced.is_err();
        synced
    }

    /// What the log holds.
    #[must_use]
    pub const fn past(&self) -> &Past {
        &self.past
    }

    /// Whether the segment in use is filled so far that a spare one will be wanted.
    #[must_use]
    pub const fn wants_spare(&self) -> bool {
        self.offset > self.segment_bytes / 2
    }

    /// Takes the oldest segment out of the log, if it is not the one in use: its frames are
    /// forgotten.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn forget_oldest(&mut self) -> Result<(), LogError> {
        let segments = segment::list(&self.past.directory)?;
        match segments.first() {
            Some((_, path)) if *path != self.segment_path => {
                segment::retire(&self.past.directory, path)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Replaces frames of the segment that starts with `first`; nothing when `replace` breaks, or when
    /// the segment left the log. Frames keep their numbers and their order.
    ///
    /// # Errors
    ///
    /// When the segment is damaged or the disk refuses; then it may be that the log takes no more.
    pub(crate) fn rewrite(
        &mut self,
        first: u64,
        replace: &mut rewrite::Replace<'_>,
    ) -> Result<(), LogError> {
        if self.stopped {
            return Err(LogError::Stopped);
        }
        let segments = segment::list(&self.past.directory)?;
        let mut from = segments.iter().skip_while(|(start, _)| *start != first);
        let Some((_, path)) = from.next() else {
            return Ok(());
        };
        let until = from.next().map_or(self.past.next_sequence, |next| next.0);
        let is_used = *path == self.segment_path;
        let bytes = is_used.then_some(self.segment_bytes);
        let Some(rewritten) = rewrite::write(path, first..until, bytes, replace)? else {
            return Ok(());
        };
        rewritten.name(path)?;
        let named = segment::sync(&self.past.directory);
        if is_used {
            // After a power cut the old one may be back: what is appended now would not be in it.
            self.stopped = named.is_err();
            self.segment = rewritten.file;
            self.offset = rewritten.end;
        }
        named
    }

    /// Deletes what left the log and was not blanked out.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub(crate) fn clear(&self) -> Result<(), LogError> {
        segment::clear(&self.past.directory)
    }

    /// Lets the next append fail as on a full disk.
    #[cfg(test)]
    pub(crate) fn refuse_writes(&mut self) {
        self.segment = File::open(&self.segment_path).unwrap();
    }

    /// Goes on in a new segment when this one has no room for `length` more bytes.
    fn roll_for(&mut self, length: u64) -> Result<(), LogError> {
        if self.offset + length <= self.segment_bytes || self.offset == segment::HEADER_BYTES {
            return Ok(());
        }
        self.segment
            .sync_data()
            .map_err(LogError::io("sync", &self.segment_path))?;
        let path = segment::create(
            &self.past.directory,
            self.past.next_sequence,
            self.segment_bytes,
        )?;
        self.segment = segment::open(&path)?;
        self.segment_path = path;
        self.offset = segment::HEADER_BYTES;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
