//! How far has something come? To a frame of the log, and to what a store knew of itself then.

use serde::{Deserialize, Serialize};
use wayfare_event::Timestamp;

use crate::{Cursor, Head};

/// What a state or a checkpoint covers: everything up to a frame of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// The last frame covered; 0 before the first.
    pub(crate) frame: u64,
    pub(crate) next_seq: u64,
    pub(crate) last_at: Timestamp,
    pub(crate) last_event_at: Timestamp,
    pub(crate) cursor: Option<Cursor>,
}

impl Position {
    /// The position after a frame that brought a store to this head.
    pub(crate) fn of(frame: u64, head: &Head) -> Self {
        Self {
            frame,
            next_seq: head.next_seq,
            last_at: head.last_at,
            last_event_at: head.last_event_at,
            cursor: head.cursor.clone(),
        }
    }

    /// Brings a head to this position.
    pub(crate) fn bring(&self, head: &mut Head) {
        head.next_seq = self.next_seq;
        head.last_at = self.last_at;
        head.last_event_at = self.last_event_at;
        head.cursor.clone_from(&self.cursor);
    }
}
