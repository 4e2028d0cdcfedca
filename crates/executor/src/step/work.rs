//! How does a step change what it knows? Every change is made in the working copy at once, so that
//! what follows sees it, and is kept as an effect.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use wayfare_event::{InstanceId, Timestamp};

use crate::catalog::Catalog;
use crate::change::Change;
use crate::effects::Effects;
use crate::input::Timer;
use crate::record::{Account, Key, QueueId, Queued, Turn};
use crate::snapshot::Snapshot;
use crate::trace::Trace;

/// Why a step cannot decide yet.
#[derive(Clone, Debug)]
pub(crate) enum NotYet {
    /// These rows are not loaded.
    Load(BTreeSet<Key>),
    /// This timer comes first.
    DueFirst(Timer),
}

/// One step at work.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// How many queued inputs led to this one, one queueing the next.
    pub(crate) hops: u8,
    /// What was loaded; copied with the first change.
    pub(crate) rows: Cow<'a, Snapshot>,
    pub(crate) trace: &'a mut Trace,
    /// The event is about somebody erased.
    is_dropped: bool,
    changes: Vec<Change>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(
        catalog: &'a Catalog,
        snapshot: &'a Snapshot,
        (seq, at): (u64, Timestamp),
        trace: &'a mut Trace,
    ) -> Self {
        Self {
            catalog,
            seq,
            at,
            hops: 0,
            rows: Cow::Borrowed(snapshot),
            trace,
            is_dropped: false,
            changes: Vec::new(),
        }
    }

    pub(crate) fn make(&mut self, change: Change) {
        change.apply(self.rows.to_mut());
        self.changes.push(change);
    }

    /// The place of a decision that is taken now.
    pub(crate) fn turn(&self) -> Turn {
        Turn {
            seq: self.seq,
            place: u32::try_from(self.changes.len()).unwrap_or(u32::MAX),
        }
    }

    /// The last instance that entered.
    pub(crate) fn entered(&self) -> Option<InstanceId> {
        let mut changes = self.changes.iter().rev();
        changes.find_map(|change| {
            if let Change::Entered { id, .. } = change {
                Some(*id)
            } else {
                None
            }
        })
    }

    /// Queues an input, for when this one is done.
    pub(crate) fn queue(&mut self, input: Queued) {
        let queued = |change: &&Change| matches!(change, Change::Queued { .. });
        let before = self.changes.iter().filter(queued).count();
        let id = QueueId {
            seq: self.seq,
            place: u32::try_from(before).unwrap_or(u32::MAX),
        };
        let input = Arc::new(input);
        self.make(Change::Queued { id, input });
    }

    /// Nothing follows, and nothing is kept.
    pub(crate) const fn drop_event(&mut self) {
        self.is_dropped = true;
    }

    /// What the step says, in the end.
    pub(crate) fn finish(self, decided: Result<(), NotYet>) -> Effects {
        match decided {
            Ok(()) if self.is_dropped => Effects::Dropped,
            Ok(()) => Effects::Changes(self.changes),
            Err(NotYet::Load(keys)) => Effects::Load(keys),
            Err(NotYet::DueFirst(timer)) => Effects::DueFirst(timer),
        }
    }

    /// Goes on only when all of these are loaded.
    pub(crate) fn need(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), NotYet> {
        let missing: BTreeSet<Key> = keys
            .into_iter()
            .filter(|key| !self.rows.is_loaded(key))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(NotYet::Load(missing))
        }
    }

    /// An account, when anything is known of it.
    pub(crate) fn account(&self, account: &Arc<str>) -> Result<Option<&Account>, NotYet> {
        self.need([Key::Account(account.clone())])?;
        Ok(self.rows.account(account))
    }
}
