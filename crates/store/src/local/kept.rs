//! When is a checkpoint due, and how much of the log is no longer needed? Not here: writing one
//! (`checkpoint`).

use std::path::{Path, PathBuf};

use wayfare_event::Timestamp;

use super::checkpoint::{self, KEPT};
use crate::StoreError;
use crate::position::Position;

/// How old a checkpoint becomes before the next is due, by `at`.
const AGE_US_MAX: i64 = 24 * 60 * 60 * 1_000_000;
/// How much smaller than the last checkpoint the log behind it may be for an old one to be
/// replaced: what is written is at most so many times what came in, however fast days pass.
const SMALLER_MAX: u64 = 4;
/// How much larger than the last checkpoint the log behind it becomes before the next is due,
/// however slowly days pass.
const LARGER_MAX: u64 = 4;
/// Bytes of the log that are read quickly enough in any case.
const LOG_BYTES_MIN: u64 = 1024 * 1024 * 1024;

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
        let is_worth_it = self.log_bytes >= bytes / SMALLER_MAX;
        let too_much = LOG_BYTES_MIN.max(bytes.saturating_mul(LARGER_MAX));
        self.wanted || (old && is_worth_it) || self.log_bytes >= too_much
    }

    /// Notes that those before a frame are gone.
    pub(super) fn forget_before(&mut self, frame: u64) {
        self.frames.retain(|kept| *kept >= frame);
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

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn a_checkpoint_is_due_when_the_last_is_old_or_the_log_is_long() {
        let check = |bytes, log_bytes, hours: i64, due| {
            let kept = Kept {
                frames: vec![7],
                newest: Some((Timestamp::EPOCH, bytes)),
                log_bytes,
                wanted: false,
            };
            let position = Position {
                last_at: Timestamp::from_micros(hours * 3_600_000_000),
                ..Position::default()
            };
            let found = kept.is_due(&position);
            assert_eq!(found, due, "{bytes} and {log_bytes} bytes, {hours} hours");
        };
        check(MIB, MIB, 23, false);
        check(MIB, MIB, 24, true);
        check(100 * MIB, MIB, 24, false);
        check(100 * MIB, 25 * MIB, 24, true);
        check(100 * MIB, 1023 * MIB, 1, false);
        check(100 * MIB, 1024 * MIB, 1, true);
        check(1000 * MIB, 3999 * MIB, 1, false);
        check(1000 * MIB, 4000 * MIB, 1, true);
    }

    #[test]
    fn the_first_checkpoint_is_due_at_once_and_any_when_it_is_wanted() {
        let position = Position::default();
        let mut kept = Kept::default();
        assert!(kept.is_due(&position));
        kept.written(&position, 10);
        assert!(!kept.is_due(&position));
        kept.want();
        assert!(kept.is_due(&position));
    }

    #[test]
    fn only_what_both_checkpoints_cover_is_no_longer_needed() {
        let mut kept = Kept::default();
        for (frame, covered) in [(5, 0), (9, 5), (9, 5), (12, 9)] {
            let position = Position {
                frame,
                ..Position::default()
            };
            kept.written(&position, 10);
            assert_eq!((kept.covered(), kept.newest_frame()), (covered, frame));
        }
    }
}
