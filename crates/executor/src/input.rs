//! What can make the engine decide? The closed list of inputs. Not here: what follows from each
//! (`step`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{DeliveryId, Event, Identifier, InstanceId, Rejection, Timestamp};
use wayfare_identity::Named;
use wayfare_journey::Version;

use crate::delivery::Outcome;
use crate::record::{QueueId, SweepId};

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
    AttemptReady(DeliveryId),
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
        /// The identifiers behind its cursor, in order.
        keys: Vec<Identifier>,
        /// Whether there are no more behind them.
        is_last: bool,
    },
    /// Somebody lets a journey stop or go on.
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
    /// Nobody enters the journey, and what waits in it waits on.
    Pause(Arc<str>),
    /// A paused journey goes on, in due order.
    Resume(Arc<str>),
}

/// An event that names somebody, ready to be decided on.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The event.
    pub event: Event,
    /// Whom it names.
    pub named: Named,
    /// Where it came from: with the message id, what a second copy is known by.
    pub source: Arc<str>,
    /// When it happened, by the corrected clock of its source.
    pub occurred: Timestamp,
}

impl Happened {
    /// An event from `source` that happened at `occurred`.
    ///
    /// # Errors
    ///
    /// When it names nobody.
    pub fn new(
        config: &wayfare_identity::Config,
        event: Event,
        source: Arc<str>,
        occurred: Timestamp,
    ) -> Result<Self, Rejection> {
        let named = wayfare_identity::extract(config, &event)?;
        Ok(Self {
            event,
            named,
            source,
            occurred,
        })
    }
}
