//! What does a step say? Changes, or what must be there before it can decide.

use std::collections::BTreeSet;

use crate::change::Change;
use crate::input::Timer;
use crate::record::Key;

/// What follows from one input.
#[derive(Clone, Debug, PartialEq)]
pub enum Effects {
    /// Everything that follows, in order; nothing, when nothing does.
    Changes(Vec<Change>),
    /// Nothing was decided: these rows must be loaded first.
    Load(BTreeSet<Key>),
    /// Nothing was decided: this timer is due before the input and is an input of its own (SP 7).
    DueFirst(Timer),
    /// The event is about somebody erased: nothing is kept of it, not even that it came.
    Dropped,
}
