//! What is kept, row by row? The types here are the stored form of everything durable: `step` reads
//! and changes them, stores encode them with a format version. Not here: how they change (`change`).

mod delivery;
mod erasure;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_consent::SuppressionKind;
use wayfare_event::{
    DecisionId, DeliveryId, Identifier, IdentifierHash, InstanceId, Map, MessageHash, ProfileId,
    Timestamp, Value,
};
use wayfare_identity::Node;
use wayfare_journey::Version;
use wayfare_journey::definition::Basis;

use crate::refusal::RefusalCode;

pub use delivery::{Delivery, Ordered, Request, RequestHash, Terms, Turn};
pub(crate) use erasure::claimant;
pub use erasure::{EraseMode, Erased, Erasing, Erasure, hash};
pub use waiting::{
    BlockControl, Cause, Control, DeliveryTold, Failing, Paused, Planned, QueueId, Queued, Stop,
    Stopped, Sweep, SweepCause, SweepId, Window,
};

/// What a row is found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// What is known under one identifier.
    Person(Identifier),
    /// An account, by the `groupId` as it was sent.
    Account(Arc<str>),
    /// That somebody entered a journey under a key.
    Guard {
        /// The identifier the entry was recorded under.
        owner: Identifier,
        /// The journey.
        journey: Arc<str>,
        /// The key; empty for a journey without one.
        key: Arc<str>,
    },
    /// That a message was seen.
    Message(MessageHash),
    /// A row of the ledger.
    Decision(DecisionId),
    /// The request a decision owes.
    Delivery(DeliveryId),
    /// A version of a journey.
    Version(Arc<str>, Version),
    /// An input that waits for its turn.
    Queued(QueueId),
    /// How far a sweep got.
    Sweep(SweepId),
    /// What holds for a whole journey.
    Control(Arc<str>),
    /// An identifier of somebody who was erased.
    Erased(IdentifierHash),
}

/// What stands under a [`Key`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Row {
    /// Under [`Key::Person`].
    Person(Person),
    /// Under [`Key::Account`].
    Account(Arc<Account>),
    /// Under [`Key::Guard`]: the last entry.
    Guard(Guard),
    /// Under [`Key::Message`]: when it was seen.
    Message(Timestamp),
    /// Under [`Key::Decision`].
    Decision(Arc<Decision>),
    /// Under [`Key::Delivery`].
    Delivery(Arc<Delivery>),
    /// Under [`Key::Version`]: the journey file.
    Version(Arc<str>),
    /// Under [`Key::Queued`].
    Queued(Arc<Queued>),
    /// Under [`Key::Sweep`].
    Sweep(Arc<Sweep>),
    /// Under [`Key::Control`].
    Control(Arc<Control>),
    /// Under [`Key::Erased`].
    Erased(Erased),
}

/// The last entry into a journey under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// When.
    pub entered: Timestamp,
    /// Whose.
    pub instance: InstanceId,
}

/// Everything kept under one identifier: its links and its record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// The links.
    pub node: Arc<Node>,
    /// The record.
    pub record: Arc<Record>,
}

/// What is known of a person through one identifier. A profile is a view over the records of its
/// identifiers: a merge writes none (decision 003).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Traits, each with the time of its last write.
    pub traits: BTreeMap<Arc<str>, Register>,
    /// Traits that count only where [`Self::traits`] of no identifier has them: the first write of
    /// each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub once: BTreeMap<Arc<str>, Register>,
    /// Accounts joined, by `groupId`.
    pub accounts: BTreeMap<Arc<str>, Told>,
    /// What was said about consent.
    pub consent: Vec<wayfare_consent::Record>,
    /// Why nothing goes to this address, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppressed>,
    /// The events that expressions count.
    pub seen: BTreeMap<Arc<str>, Seen>,
    /// Walks that have not ended.
    pub instances: BTreeMap<InstanceId, Arc<Instance>>,
    /// The keys that somebody entered each journey under before an anchor was known, empty for a
    /// journey without: an anchor takes those entries over.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// The dates of journeys that start at one.
    pub dates: BTreeMap<Arc<str>, Planned>,
    /// The last refusal of each journey, for explanations; at most 16.
    pub refusals: BTreeMap<Arc<str>, Refusal>,
    /// That its person is erased, or about to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasing: Option<Arc<Erasing>>,
}

/// That nothing goes to an address, whatever was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppressed {
    /// Why.
    pub kind: SuppressionKind,
    /// Since when.
    pub at: Timestamp,
    /// Who ordered it.
    pub by: Arc<str>,
    /// Why it was ordered, in words.
    pub reason: Arc<str>,
}

/// When something was told: by the corrected time of its event, then in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// The corrected time of the event.
    pub at: Timestamp,
    /// The sequence number of the input.
    pub seq: u64,
}

/// One trait: the last writer wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// What was written.
    pub value: Value,
    /// When.
    pub told: Told,
}

/// What is remembered of the events of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// How many there were.
    pub count: i64,
    /// When the first was.
    pub first: Timestamp,
    /// When the last was.
    pub last: Timestamp,
}

/// An account's traits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Traits, each with the time of its last write.
    pub traits: BTreeMap<Arc<str>, Register>,
}

/// One profile's walk through one journey: a position and what blocks ahead can still read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// The journey.
    pub journey: Arc<str>,
    /// The version it walks to its end.
    pub version: Version,
    /// The block it is at.
    pub block: Arc<str>,
    /// When it entered.
    pub entered: Timestamp,
    /// When it came to its block.
    pub arrived: Timestamp,
    /// When its block lets it go on by itself.
    pub due: Option<Timestamp>,
    /// Its key, in a journey that has one.
    pub key: Option<Arc<str>>,
    /// The profile at entry.
    pub profile: ProfileId,
    /// The account, fixed at entry.
    pub account: Option<Arc<str>>,
    /// The corrected time of what started it.
    pub triggered: Timestamp,
    /// The kept leaves of the event that started it.
    pub trigger: Option<Map>,
    /// What changed, in a journey that a choice or a trait started.
    pub change: Option<Map>,
    /// The delivery, in a journey that one started.
    #[serde(default)]
    pub delivery: Option<Map>,
    /// The kept leaves of events that waits named with `as:`.
    pub named: Vec<(Arc<str>, Map)>,
    /// How often each wait was visited.
    pub visits: BTreeMap<Arc<str>, u32>,
    /// The arm it took at each split.
    #[serde(default)]
    pub arms: BTreeMap<Arc<str>, Arc<str>>,
    /// Whether an arm holds it out: what it decides is not sent.
    #[serde(default)]
    pub holdout: bool,
    /// How many queued inputs led to its entry, one queueing the next.
    #[serde(default)]
    pub hops: u8,
}

/// Why a journey did not take somebody in (SP 13).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// The journey.
    pub journey: Arc<str>,
    /// Why.
    pub code: RefusalCode,
    /// When.
    pub at: Timestamp,
    /// What was refused.
    pub message_id: Option<Arc<str>>,
    /// The part of a condition that decided, as written.
    pub leaf: Option<String>,
    /// The value it met, cut to 64 bytes.
    pub value: Option<String>,
}

/// How an instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionOutcome {
    /// One request is owed.
    Webhook,
    /// Consent was not there.
    Suppressed,
    /// The person is not known.
    Unresolved,
    /// A value the request needs was not there.
    RenderFailed,
    /// The webhook's last condition did not hold.
    Declined,
    /// It left without a request.
    Exit,
    /// A request would be owed; a split holds it out.
    Holdout,
    /// Its other half had entered before.
    Merged,
    /// An operator ended it.
    Stopped,
    /// Its person was erased.
    Erased,
}

impl DecisionOutcome {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Suppressed => "suppressed",
            Self::Unresolved => "unresolved",
            Self::RenderFailed => "render_failed",
            Self::Declined => "declined",
            Self::Exit => "exit",
            Self::Holdout => "holdout",
            Self::Merged => "merged",
            Self::Stopped => "stopped",
            Self::Erased => "erased",
        }
    }
}

/// The one decision of an instance: a row of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Its id; the instance's and the delivery's are the same bytes.
    pub id: DecisionId,
    /// When it was taken.
    pub at: Timestamp,
    /// The journey.
    pub journey: Arc<str>,
    /// The version.
    pub version: Version,
    /// The block where the instance stood.
    pub block: Arc<str>,
    /// The profile.
    pub profile: ProfileId,
    /// The identifier the instance was kept under.
    pub owner: Identifier,
    /// The journey's key.
    pub key: Option<Arc<str>>,
    /// How it ended.
    pub outcome: DecisionOutcome,
    /// Why, when the outcome does not say it all.
    pub reason: Option<String>,
    /// What allowed or refused it.
    pub consent: Option<Permission>,
    /// The request, exactly as every attempt sends it; kept with the delivery, not in the ledger.
    pub request: Option<Request>,
    /// How the request is to be delivered; nothing in a dry run.
    pub terms: Option<Terms>,
    /// Its place among all decisions.
    #[serde(default)]
    pub turn: Turn,
    /// The hash of the request, which the delivery keeps for as long as bodies are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_hash: Option<RequestHash>,
    /// How many queued inputs led to it, one queueing the next.
    #[serde(default)]
    pub hops: u8,
}

/// What allowed or refused a request, as evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Permission {
    /// What was asked.
    pub asked: ConsentAsked,
    /// The answer.
    pub verdict: wayfare_consent::Verdict,
}

/// What is asked before a request may leave, and again before every attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentAsked {
    /// An allowing verdict for a category.
    Category {
        /// The category.
        category: Arc<str>,
        /// The address, where the category is bound to one.
        address: Option<Identifier>,
    },
    /// The choice for a category must be decline.
    Declined {
        /// The category.
        category: Arc<str>,
        /// The address, where the category is bound to one.
        address: Option<Identifier>,
    },
    /// Nothing but whether the address is suppressed: a legal basis was declared.
    Basis {
        /// The basis.
        basis: Basis,
        /// Why.
        because: Arc<str>,
        /// The address, where one is written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Identifier>,
    },
}
