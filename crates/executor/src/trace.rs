//! Why, in order? What a step notes while it decides, for `--trace` and tests. Not here: recorded
//! refusals, which are changes.

use std::sync::Arc;

use wayfare_consent::sources::Unheard;
use wayfare_event::{InstanceId, ProfileId};

/// The notes of one step; off, it costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Trace(Option<Vec<Note>>);

/// One thing a step noticed or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The event is a second copy.
    Duplicate,
    /// Something that the event says about consent does not count.
    Unheard(Unheard),
    /// The event is about this profile.
    Attributed(ProfileId),
    /// A journey's trigger names the event, and somebody entered.
    Entered {
        /// The journey.
        journey: Arc<str>,
        /// The instance.
        instance: InstanceId,
    },
    /// An instance came to a block.
    Arrived {
        /// The instance.
        instance: InstanceId,
        /// The block.
        block: Arc<str>,
    },
    /// An arm of a decision, or an item of a wait, is taken; the next block it comes to is that
    /// arm's.
    Chose {
        /// The instance.
        instance: InstanceId,
        /// The arm's place in the block, from 1.
        arm: usize,
    },
    /// A condition was judged.
    Judged {
        /// The condition, as written.
        condition: String,
        /// Whether it holds.
        holds: bool,
        /// The part that decided, as written.
        leaf: String,
        /// The value it met.
        value: String,
    },
    /// A wait ended.
    Woken {
        /// The instance.
        instance: InstanceId,
        /// The block.
        block: Arc<str>,
    },
    /// Two sides of a merge were in one journey; this one ends.
    Merged(InstanceId),
    /// The event is about somebody erased, and is not heard.
    Erased,
}

impl Trace {
    /// A trace that notes nothing.
    #[must_use]
    pub const fn off() -> Self {
        Self(None)
    }

    /// A trace that notes everything.
    #[must_use]
    pub const fn on() -> Self {
        Self(Some(Vec::new()))
    }

    /// The notes so far, in order.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        self.0.as_deref().unwrap_or_default()
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn note(&mut self, note: impl FnOnce() -> Note) {
        if let Some(notes) = &mut self.0 {
            notes.push(note());
        }
    }

    /// Forgets everything: the step begins again with more loaded.
    pub(crate) fn clear(&mut self) {
        if let Some(notes) = &mut self.0 {
            notes.clear();
        }
    }
}
