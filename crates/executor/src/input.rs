//! What can make the engine decide? The closed list of inputs. Not here: what follows from each
//! (`step`).

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_consent::SuppressionKind;
use wayfare_consent::sources::{self, Said, Unheard};
use wayfare_event::{DeliveryId, Event, Identifier, InstanceId, ProfileId, Rejection, Timestamp};
use wayfare_identity::{Named, Trust};
use wayfare_journey::Version;

use crate::Catalog;
use crate::delivery::Outcome;
use crate::record::{EraseMode, Key, QueueId, SweepId};

/// One fact and when it counts.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its place in the history; given by the shell, never twice.
    pub seq: u64,
    /// When it is decided: never before an earlier input's.
    pub at: Timestamp,
    /// The fact.
    pub kind: InputKind,
}

/// Everything the engine reacts to.
#[derive(Clone, Debug)]
pub enum InputKind {
    /// Something happened.
    Event(Box<Happened>),
    /// A block's time has come.
    Timer(Timer),
    /// A delivery could leave now.
    AttemptReady {
        /// The delivery.
        delivery: DeliveryId,
        /// How long it has waited for us since it was due, in microseconds: for a slot, its turn, a
        /// breaker or a pause, but not while nobody was there to send it.
        waited_us: i64,
    },
    /// An attempt ended.
    AttemptFinished {
        /// The delivery.
        delivery: DeliveryId,
        /// Which of its attempts, from 1.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// The address of a delivery is refused: it may never leave.
    AttemptBarred {
        /// The delivery.
        delivery: DeliveryId,
    },
    /// A queued input has its turn.
    Queued(QueueId),
    /// The next profiles of a sweep.
    SweepPage {
        /// The sweep.
        id: SweepId,
        /// The deliveries behind its cursor that are not final, in order; first those, then the
        /// identifiers.
        deliveries: Vec<DeliveryId>,
        /// The identifiers behind its cursor, in order.
        keys: Vec<Identifier>,
        /// The entries that are forgotten, where it reduces the ledger; then `deliveries` are those of
        /// the decisions to be reduced.
        entries: Vec<Key>,
        /// Whether there are no more behind them.
        is_last: bool,
    },
    /// Somebody orders something.
    Operator(Operator),
    /// A version of a journey is in force.
    Published {
        /// The journey.
        journey: Arc<str>,
        /// The version.
        version: Version,
        /// Its file.
        source: Arc<str>,
    },
    /// The file of a journey is gone.
    Withdrawn(Arc<str>),
}

/// A time somebody waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// When it is due.
    pub due: Timestamp,
    /// What is due.
    pub of: TimerOf,
    /// The identifier it is kept under.
    pub owner: Identifier,
}

/// What is due at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerOf {
    /// An instance goes on.
    Instance(InstanceId),
    /// The date of a journey that starts at one has come.
    Date(Arc<str>),
}

/// What an operator does, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Who.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// What.
    pub action: Action,
}

/// What an operator can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nobody enters the journey, and what waits in it waits on; of a webhook block, nothing leaves.
    Pause(Place),
    /// A paused journey or block goes on, in due order.
    Resume(Place),
    /// A paused journey or block goes on without what came due meanwhile: such walks end, such
    /// deliveries do not leave.
    SkipOverdue(Place),
    /// Every walk in the journey, or at the block, ends, and what is owed does not leave. The journey
    /// is paused.
    Stop(Place),
    /// A delivery that did not arrive, or may not have, is sent again: the same id, the same bytes,
    /// consent asked again.
    Resend(DeliveryId),
    /// A delivery whose end is unknown is known to have arrived.
    Resolve(DeliveryId),
    /// A delivery that has not left does not leave.
    Withhold(DeliveryId),
    /// A block's request is sent once to see what comes of it; nothing is owed or decided by it.
    Try(Tried),
    /// The person that one identifier names is the one that another names: they are one, by the other's
    /// id.
    Merge {
        /// Who is taken into the other.
        from: Identifier,
        /// Who both are from now on.
        into: Identifier,
    },
    /// An identifier is not the person's that another one names; an anchor is told apart from one that it
    /// was merged with.
    Detach {
        /// What is told apart.
        identifier: Identifier,
        /// From whom.
        from: Identifier,
    },
    /// An identifier that too many claimed at once names somebody again.
    Unblock(Identifier),
    /// Nothing goes to an address any more, whatever is said.
    Suppress {
        /// The address.
        address: Identifier,
        /// Why.
        kind: SuppressionKind,
    },
    /// What was said decides again about an address.
    Unsuppress(Identifier),
    /// Somebody enters a journey, without anything that started it.
    Enter {
        /// The journey.
        journey: Arc<str>,
        /// An identifier of theirs.
        identifier: Identifier,
    },
    /// Somebody is erased.
    Erase(Erase),
    /// What is kept of an erased identifier bars nothing any more that happens from now on.
    Readmit(Identifier),
}

/// Who is erased, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erase {
    /// An identifier of theirs, of any namespace.
    pub identifier: Identifier,
    /// What is done.
    pub mode: EraseMode,
    /// The journey they enter first: it is done when that walk and what it owes is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<Arc<str>>,
}

/// A request that somebody sends to try a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The block.
    pub place: Place,
    /// Whom it is rendered for.
    pub profile: ProfileId,
    /// The id it carries; no delivery has it.
    pub id: DeliveryId,
    /// Where it goes instead of its own origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Arc<str>>,
}

/// A journey, or one of its blocks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The journey.
    pub journey: Arc<str>,
    /// The block; the whole journey, without one.
    pub block: Option<Arc<str>>,
}

impl Place {
    /// A whole journey.
    #[must_use]
    pub const fn whole(journey: Arc<str>) -> Self {
        Self {
            journey,
            block: None,
        }
    }

    /// A journey or a block as it is written: `journey` or `journey/block`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once('/') {
            None => Self::whole(text.into()),
            Some((journey, block)) => Self {
                journey: journey.into(),
                block: Some(block.into()),
            },
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.journey)?;
        self.block
            .iter()
            .try_for_each(|block| write!(f, "/{block}"))
    }
}

/// An event that names somebody, ready to be decided on.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The event.
    pub event: Event,
    /// Whom it names.
    pub named: Named,
    /// How far what it says of identifiers is trusted.
    pub trust: Trust,
    /// Where it came from: with the message id, what a second copy is known by.
    pub source: Arc<str>,
    /// When it happened, by the corrected clock of its source.
    pub occurred: Timestamp,
    /// What it says about consent, in whatever dialect.
    pub said: Vec<Said>,
    /// What of that says nothing that can be used.
    pub unheard: Vec<Unheard>,
}

impl Happened {
    /// A verified event from `source` that happened at `occurred`.
    ///
    /// # Errors
    ///
    /// When it names nobody, or is there to say something about consent and does not.
    pub fn new(
        catalog: &Catalog,
        event: Event,
        source: Arc<str>,
        occurred: Timestamp,
    ) -> Result<Self, Rejection> {
        let heard = sources::hear(&catalog.consent, &event)?;
        let named = wayfare_identity::extract(&catalog.identity, &event)?;
        Ok(Self {
            event,
            named,
            trust: Trust::Verified,
            source,
            occurred,
            said: heard.said,
            unheard: heard.unheard,
        })
    }

    /// The same, as far as its source is trusted.
    #[must_use]
    pub const fn trusted(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }
}
