//! When is a checkpoint due, and how much of the log is no longer needed? Not here: writing one
//! (`checkpoint`).

use std::path::{Path, PathBuf};

use wayfare_event::Timestamp;

use super::checkpoint::{self, KEPT};
use crate::StoreError;
use crate::position::Position;

/// How old a checkpoint becomes before the next is due, by `at`.
const AGE_US_MAX: i64 = 24 * 60 * 60 * 1_000_000;
/// Bytes of the log that make the next one due before that: as many are read at most, or as many
/// as [`TIMES`] the last checkpoint's, before a state is made anew.
const LOG_BYTES_MIN: u64 = 1024 * 1024 * 1024;
/// How many times larger than the last checkpoint the log must grow before that is worth another.
const TIMES: u64 = 4;

/// The checkpoints of a directory.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// What each covers, the oldest first.
    frames: Vec<u64>,
    /// When the last input that the newest covers was decided, and how large it is.
    newest: Option<(Timestamp, u64)>,
    /// Bytes of the log behind the newest.
    log_bytes: u64,
    /// One is due whatever the time.
    wanted: bool,
}

impl Kept {
    /// Looks at the checkpoints of a directory. Those that cannot be read at all are put aside.
    pub(super) fn open(directory: &Path) -> Result<(Self, Vec<PathBuf>), StoreError> {
        let mut kept = Self::default();
        let mut aside = Vec::new();
        for found in checkpoint::list(directory)? {
            let Ok(position) = checkpoint::position(&found.path) else {
                aside.push(checkpoint::put_aside(&found.path)?);
                continue;
            };
            let length = std::fs::metadata(&found.path).map(|metadata| metadata.len());
            let bytes = length.map_err(StoreError::io("read", &found.path))?;
            kept.frames.push(position.frame);
            kept.newest = Some((position.last_at, bytes));
        }
        Ok((kept, aside))
    }

    /// The last frame that the newest covers; 0 without one.
    pub(super) fn newest_frame(&self) -> u64 {
        self.frames.last().copied().unwrap_or(0)
    }

    /// The last frame that every checkpoint kept covers: what comes before may go, for even when
    /// the newest cannot be read the one before goes on from there.
    pub(super) fn covered(&self) -> u64 {
        let covered = self.frames.first().copied();
        covered.filter(|_| self.frames.len() >= KEPT).unwrap_or(0)
    }

    /// Counts what was appended to the log.
    pub(super) fn grew(&mut self, bytes: u64) {
        self.log_bytes = self.log_bytes.saturating_add(bytes);
    }

    /// Makes the next one due.
    pub(super) const fn want(&mut self) {
        self.wanted = true;
    }

    /// Whether somebody asked for one.
    pub(super) const fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether one is due at a position.
    pub(super) fn is_due(&self, position: &Position) -> bool {
        let Some((taken, bytes)) = self.newest else {
            return true;
        };
        let old = position.last_at.micros_since(taken) >= AGE_US_MAX;
        let much = LOG_BYTES_MIN.max(bytes.saturating_mul(TIMES));
        self.wanted || old || self.log_bytes >= much
    }

    /// Notes one that was written.
    pub(super) fn written(&mut self, position: &Position, bytes: u64) {
        self.frames.retain(|frame| *frame != position.frame);
        self.frames.push(position.frame);
        let old = self.frames.len().saturating_sub(KEPT);
        self.frames.drain(..old);
        self.newest = Some((position.last_at, bytes));
        self.log_bytes = 0;
        self.wanted = false;
    }
}
