//! What was broken, where, and by what? The rules by name, and the first breaches of them.

use std::fmt;

/// Breaches that are kept; of the others only the number is known.
const KEPT_MAX: usize = 20;

/// A rule that history and state keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Inputs are numbered without holes.
    Sequence,
    /// Time does not go back.
    Time,
    /// A message decides once while it is remembered.
    Message,
    /// An instance enters once.
    Entry,
    /// An instance walks and ends only after it entered and before it ended.
    Walk,
    /// A decision is taken once.
    Decision,
    /// A row of the ledger has its decision in the history, and the other way round.
    Ledger,
    /// What a decision to send owes is a delivery; nothing else is.
    Owed,
    /// A request leaves with a verdict that allows it.
    Consent,
    /// A delivery comes from one state to another only as `docs/delivery.md` draws it.
    Transition,
    /// A request is sent again only when the one before was provably not taken, or on an order.
    Repeat,
    /// A delivery has at most so many attempts, numbered one after the other.
    Attempts,
    /// A request is the one that was decided.
    Request,
    /// An input that had its turn was queued.
    Queue,
    /// Nothing is known of somebody who was erased, and nothing is sent for them.
    Erased,
    /// The state is what follows from the history.
    State,
    /// Counts of one thing agree.
    Counts,
}

impl Rule {
    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Time => "time",
            Self::Message => "message",
            Self::Entry => "entry",
            Self::Walk => "walk",
            Self::Decision => "decision",
            Self::Ledger => "ledger",
            Self::Owed => "owed",
            Self::Consent => "consent",
            Self::Transition => "transition",
            Self::Repeat => "repeat",
            Self::Attempts => "attempts",
            Self::Request => "request",
            Self::Queue => "queue",
            Self::Erased => "erased",
            Self::State => "state",
            Self::Counts => "counts",
        }
    }
}

/// One breach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The rule.
    pub rule: Rule,
    /// The input that broke it; 0 where it is the state that does not fit.
    pub seq: u64,
    /// What it is about: an id, or the key of a row.
    pub about: String,
    /// What is wrong.
    pub why: String,
}

/// The breaches found so far.
#[derive(Debug, Default)]
pub(super) struct Breaches {
    kept: Vec<Breach>,
    count: u64,
}

impl Breaches {
    pub(super) fn found(
        &mut self,
        rule: Rule,
        seq: u64,
        about: &dyn fmt::Display,
        why: impl Into<String>,
    ) {
        self.count = self.count.saturating_add(1);
        if self.kept.len() < KEPT_MAX {
            self.kept.push(Breach {
                rule,
                seq,
                about: about.to_string(),
                why: why.into(),
            });
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn kept(self) -> Vec<Breach> {
        self.kept
    }
}
