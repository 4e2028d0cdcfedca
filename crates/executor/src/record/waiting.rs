//! What waits for its turn, and what holds for a whole journey? Queued inputs, sweeps, planned
//! dates and controls.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{DeliveryId, Identifier, Timestamp, Value};
use wayfare_journey::Version;

/// An input's place in the queue: the input that queued it, and its place among that one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QueueId {
    /// The sequence number of the input that queued it.
    pub seq: u64,
    /// Its place among those that input queued, from 0.
    pub place: u32,
}

/// An input that another one caused and that waits for its turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queued {
    /// An identifier of the profile it is about.
    pub owner: Identifier,
    /// How many inputs led to it, one queueing the next: at most eight (SP 31).
    pub hops: u8,
    /// What it is.
    pub cause: Cause,
}

/// What a queued input is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// An `update` block writes traits.
    Traits(Vec<(Arc<str>, Value)>),
    /// A delivery came to a state that journeys start from.
    Delivery(DeliveryTold),
    /// A schedule came to an instant, and the profile meets its condition.
    Scheduled {
        /// The journey.
        journey: Arc<str>,
        /// The instant.
        at: Timestamp,
    },
    /// A journey that starts at a date was published: the profile's date is to be looked at.
    Dated,
    /// An order ends walks of the profile.
    Stopped,
    /// An order holds a delivery back.
    Withheld(DeliveryId),
    /// What an erasure waited for is over.
    Erased,
}

/// What a delivery tells when it comes to a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryTold {
    /// The delivery.
    pub id: DeliveryId,
    /// Whose.
    pub journey: Arc<str>,
    /// Which block's.
    pub block: Arc<str>,
    /// The state's word.
    pub state: Arc<str>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// Why, where the state alone does not say it.
    pub reason: Option<Arc<str>>,
    /// When.
    pub at: Timestamp,
}

/// One journey's way through all profiles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SweepId {
    /// The journey.
    pub journey: Arc<str>,
    /// What for.
    pub cause: SweepCause,
}

/// What a sweep is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepCause {
    /// A schedule comes to its next instant.
    Schedule,
    /// A journey that starts at a date was published.
    Dates,
    /// An operator ends walks and holds deliveries back.
    Stop,
    /// Somebody was erased: the ledger is reduced. In place of a journey it names an identifier's hash.
    Erasure,
}

impl SweepCause {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Dates => "dates",
            Self::Stop => "stop",
            Self::Erasure => "erasure",
        }
    }
}

impl fmt::Display for SweepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.cause.as_str(), self.journey)
    }
}

/// How far a sweep got.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// When it begins, or began; as soon as there is a time, without one.
    pub at: Option<Timestamp>,
    /// The last identifier it looked at.
    pub cursor: Option<Identifier>,
    /// The last delivery it looked at, where it is about deliveries too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryId>,
    /// Profiles it looked at; where it ends walks, identifiers and deliveries.
    pub seen: u64,
    /// Inputs it queued.
    pub queued: u64,
    /// The version whose dates are all planned: then it is over, and kept as the sign of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Version>,
    /// What it looks for, where it reduces the ledger; then the cursors are in rows of the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<Arc<super::Erasure>>,
}

impl Sweep {
    /// Whether it goes on by `at`: its time has come, it is under way, or its first instant is not
    /// known yet.
    #[must_use]
    pub fn is_due(&self, at: Timestamp) -> bool {
        let begins = self.at.filter(|_| self.cursor.is_none());
        self.over.is_none() && begins.is_none_or(|begins| begins <= at)
    }
}

/// The date a profile has for a journey that starts at one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The date.
    pub date: Timestamp,
    /// When the journey starts; nothing once it did, or was too late to.
    pub due: Option<Timestamp>,
}

/// What holds for a whole journey, beyond what any one profile knows (SP 11).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The version that takes entries; none when the journey's file is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force: Option<Version>,
    /// Why nobody enters.
    pub paused: Option<Paused>,
    /// The order that ends walks, until the journey goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// The entries counted against `entry: limit:`.
    pub window: Option<Window>,
    /// What holds for its blocks, where anything does.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub blocks: BTreeMap<Arc<str>, BlockControl>,
}

/// What holds for one block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockControl {
    /// Why nothing leaves.
    pub paused: Option<Paused>,
    /// That nothing arrived lately.
    pub failing: Option<Failing>,
    /// The order that ends walks here, until the journey goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
}

/// An order that ends walks and holds back what is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// When it was given.
    pub at: Timestamp,
    /// Who gave it.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// What it is about.
    pub what: Stopped,
}

/// What an order ends and holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Every walk, and everything that was owed when it was given.
    Everything,
    /// What was due when it was given. Then what was paused goes on.
    Overdue,
}

/// Deliveries that failed, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// When the first did.
    pub since: Timestamp,
    /// How many did.
    pub deliveries: u32,
}

/// A pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// Since when.
    pub since: Timestamp,
    /// Who paused it; the engine itself at its entry limit.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
}

/// Entries in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When the first was.
    pub since: Timestamp,
    /// How many there were.
    pub entries: u32,
}
