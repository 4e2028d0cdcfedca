//! What can change? Deltas with a meaning (SP 12). Not here: when a change is made (`step`), and
//! what it does to rows (`apply`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{DeliveryId, Identifier, InstanceId, Map, MessageHash, Timestamp, Value};
use wayfare_identity::LinkChange;
use wayfare_journey::Version;

use crate::delivery::{Outcome, State};
use crate::forget::{ErasureChange, entry};
use crate::input::{Place, Timer, TimerOf, Tried};
use crate::record::{
    Decision, Failing, Guard, Instance, Key, Ordered, Paused, Permission, Planned, QueueId, Queued,
    Refusal, Stop, Suppressed, Sweep, SweepId, Told,
};
use crate::snapshot::Snapshot;

/// One durable delta.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A message will be known again.
    MessageSeen {
        /// The message.
        message: MessageHash,
        /// When.
        at: Timestamp,
    },
    /// Identifiers are linked.
    Linked(LinkChange),
    /// A trait has a value.
    TraitSet {
        /// The identifier it is kept under.
        owner: Identifier,
        /// The trait.
        name: Arc<str>,
        /// Its value.
        value: Value,
        /// When it was told.
        told: Told,
        /// Whether it counts only where nothing else was told.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        once: bool,
    },
    /// An account's trait has a value.
    AccountTraitSet {
        /// The account.
        account: Arc<str>,
        /// The trait.
        name: Arc<str>,
        /// Its value.
        value: Value,
        /// When it was told.
        told: Told,
    },
    /// Somebody belongs to an account.
    AccountJoined {
        /// The identifier it is kept under.
        owner: Identifier,
        /// The account.
        account: Arc<str>,
        /// When it was told.
        told: Told,
    },
    /// Somebody said something about consent.
    ConsentRecorded {
        /// The identifier it was said about.
        subject: Identifier,
        /// What was said.
        record: wayfare_consent::Record,
    },
    /// Nothing goes to an address any more.
    AddressSuppressed {
        /// The address.
        address: Identifier,
        /// Why, since when, by whom.
        suppressed: Suppressed,
    },
    /// What was said decides again about an address.
    SuppressionLifted {
        /// The address.
        address: Identifier,
        /// When.
        at: Timestamp,
        /// Who lifted it.
        by: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// An event that expressions count happened.
    EventCounted {
        /// The identifier it is kept under.
        owner: Identifier,
        /// The event's name.
        name: Arc<str>,
        /// When it happened.
        at: Timestamp,
    },
    /// Somebody entered a journey.
    Entered {
        /// The identifier the instance is kept under.
        owner: Identifier,
        /// The instance.
        id: InstanceId,
        /// Where it begins.
        instance: Box<Instance>,
        /// Whether it is kept under no anchor yet: it is listed, so that an anchor can take the entry
        /// over.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_loose: bool,
    },
    /// An instance is kept under its person's anchor from now on.
    Rehomed {
        /// Where it was kept.
        from: Identifier,
        /// The anchor.
        to: Identifier,
        /// The instance.
        id: InstanceId,
    },
    /// An entry that another identifier remembers is remembered under the anchor too.
    EntryKept {
        /// The anchor.
        owner: Identifier,
        /// The journey.
        journey: Arc<str>,
        /// The key; empty for a journey without one.
        key: Arc<str>,
        /// The entry.
        entry: Guard,
        /// Whether it takes the place of one that ended as the other half of a merge, also of a later
        /// one.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replaces: bool,
    },
    /// An instance came to a block and stays there.
    Parked {
        /// The identifier the instance is kept under.
        owner: Identifier,
        /// The instance.
        id: InstanceId,
        /// The block.
        block: Arc<str>,
        /// When it came there.
        at: Timestamp,
        /// When the block lets it go on by itself.
        due: Option<Timestamp>,
    },
    /// An instance took an arm of a split.
    ArmTaken {
        /// The identifier the instance is kept under.
        owner: Identifier,
        /// The instance.
        id: InstanceId,
        /// The block.
        block: Arc<str>,
        /// The arm.
        arm: Arc<str>,
        /// Whether the arm holds it out.
        holdout: bool,
    },
    /// An instance goes on in another version, by that version's `migrate:`.
    Migrated {
        /// The identifier the instance is kept under.
        owner: Identifier,
        /// The instance.
        id: InstanceId,
        /// The version.
        version: Version,
        /// The block there.
        block: Arc<str>,
        /// Blocks it has been to that have another name there.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        renamed: BTreeMap<Arc<str>, Arc<str>>,
    },
    /// An event that ended a wait has a name for the blocks ahead.
    Named {
        /// The identifier the instance is kept under.
        owner: Identifier,
        /// The instance.
        id: InstanceId,
        /// The name.
        name: Arc<str>,
        /// The kept leaves of the event.
        event: Map,
    },
    /// An instance ended; with terms, a delivery is owed.
    Decided(Box<Decision>),
    /// A delivery came to a state.
    DeliveryMoved {
        /// The delivery.
        delivery: DeliveryId,
        /// The state.
        state: State,
        /// When.
        at: Timestamp,
        /// What allowed or refused it, when it was asked.
        consent: Option<Permission>,
        /// How an attempt ended, when one did.
        outcome: Option<Outcome>,
        /// How long it waited for us before this, in microseconds.
        #[serde(default)]
        waited_us: i64,
    },
    /// A delivery came to a state because an operator said so.
    DeliveryOrdered {
        /// The delivery.
        delivery: DeliveryId,
        /// Who, when, why, and the state.
        order: Ordered,
    },
    /// Deliveries of a block fail, one after the other; or one arrived.
    BlockFailing {
        /// The journey.
        journey: Arc<str>,
        /// The block.
        block: Arc<str>,
        /// How long by now; nothing once one arrived.
        failing: Option<Failing>,
    },
    /// Nothing leaves from a block.
    BlockPaused {
        /// The journey.
        journey: Arc<str>,
        /// The block.
        block: Arc<str>,
        /// Why.
        paused: Paused,
    },
    /// A block goes on.
    BlockResumed {
        /// The journey.
        journey: Arc<str>,
        /// The block.
        block: Arc<str>,
        /// When.
        at: Timestamp,
        /// Who let it go on.
        by: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// A journey did not take somebody in.
    Refused {
        /// The identifier it is kept under.
        owner: Identifier,
        /// Why.
        refusal: Refusal,
    },
    /// An input waits for its turn.
    Queued {
        /// Its place.
        id: QueueId,
        /// The input.
        input: Arc<Queued>,
    },
    /// A queued input had its turn.
    Dequeued(QueueId),
    /// The date of a journey that starts at one is known, has had its turn, or is there no more.
    DatePlanned {
        /// The identifier it is kept under.
        owner: Identifier,
        /// The journey.
        journey: Arc<str>,
        /// The date.
        planned: Option<Planned>,
    },
    /// A sweep got on, or is over.
    SweepMoved {
        /// The sweep.
        id: SweepId,
        /// How far it got.
        sweep: Option<Arc<Sweep>>,
    },
    /// An entry counts against a journey's limit.
    EntryCounted {
        /// The journey.
        journey: Arc<str>,
        /// When.
        at: Timestamp,
        /// The while in which entries are counted, in microseconds.
        per_us: i64,
    },
    /// Nobody enters a journey, and what waits in it waits on.
    JourneyPaused {
        /// The journey.
        journey: Arc<str>,
        /// Why.
        paused: Paused,
    },
    /// A journey goes on.
    JourneyResumed {
        /// The journey.
        journey: Arc<str>,
        /// When.
        at: Timestamp,
        /// Who let it go on.
        by: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// Walks of a journey, or at a block, end.
    StopOrdered {
        /// The journey or block.
        place: Place,
        /// Who, when, why, and which.
        stop: Stop,
    },
    /// Somebody tries a block: a request leaves that nobody owes.
    Tried {
        /// Which, for whom, and where to.
        tried: Tried,
        /// When.
        at: Timestamp,
        /// Who.
        by: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// Somebody is erased, kept out, or let back in.
    Erasure(ErasureChange),
    /// A version of a journey is in force.
    Published {
        /// The journey.
        journey: Arc<str>,
        /// The version.
        version: Version,
        /// Its file.
        source: Arc<str>,
    },
    /// A journey's file is gone: it takes no entries, and whoever is inside finishes.
    Withdrawn {
        /// The journey.
        journey: Arc<str>,
    },
}

impl Change {
    /// The instance that it begins, moves on or ends.
    #[must_use]
    pub fn instance(&self) -> Option<InstanceId> {
        match self {
            Self::Entered { id, .. }
            | Self::Rehomed { id, .. }
            | Self::Parked { id, .. }
            | Self::ArmTaken { id, .. }
            | Self::Migrated { id, .. }
            | Self::Named { id, .. } => Some(*id),
            Self::Decided(decision) => Some(InstanceId::from_bytes(*decision.id.as_bytes())),
            Self::MessageSeen { .. }
            | Self::Linked(_)
            | Self::TraitSet { .. }
            | Self::AccountTraitSet { .. }
            | Self::AccountJoined { .. }
            | Self::ConsentRecorded { .. }
            | Self::AddressSuppressed { .. }
            | Self::SuppressionLifted { .. }
            | Self::EventCounted { .. }
            | Self::EntryKept { .. }
            | Self::DeliveryMoved { .. }
            | Self::DeliveryOrdered { .. }
            | Self::BlockFailing { .. }
            | Self::BlockPaused { .. }
            | Self::BlockResumed { .. }
            | Self::Refused { .. }
            | Self::Queued { .. }
            | Self::Dequeued(_)
            | Self::DatePlanned { .. }
            | Self::SweepMoved { .. }
            | Self::EntryCounted { .. }
            | Self::JourneyPaused { .. }
            | Self::JourneyResumed { .. }
            | Self::StopOrdered { .. }
            | Self::Tried { .. }
            | Self::Erasure(_)
            | Self::Published { .. }
            | Self::Withdrawn { .. } => None,
        }
    }

    /// The rows it changes: they must be loaded before it is applied.
    #[must_use]
    pub fn touches(&self) -> Vec<Key> {
        let person = |owner: &Identifier| Key::Person(owner.clone());
        match self {
            Self::MessageSeen { message, .. } => vec![Key::Message(*message)],
            Self::Linked(
                LinkChange::Seen(identifier)
                | LinkChange::SeenAt { identifier, .. }
                | LinkChange::Anew { identifier, .. }
                | LinkChange::Blocked { identifier, .. }
                | LinkChange::Unblocked(identifier),
            ) => vec![person(identifier)],
            Self::Linked(LinkChange::Linked { ends, .. }) => ends.iter().map(person).collect(),
            Self::Linked(LinkChange::Refused { .. }) | Self::Tried { .. } => Vec::new(),
            Self::AccountTraitSet { account, .. } => vec![Key::Account(account.clone())],
            Self::ConsentRecorded { subject, .. } => vec![person(subject)],
            Self::AddressSuppressed { address, .. } | Self::SuppressionLifted { address, .. } => {
                vec![person(address)]
            }
            Self::TraitSet { owner, .. }
            | Self::AccountJoined { owner, .. }
            | Self::EventCounted { owner, .. }
            | Self::Parked { owner, .. }
            | Self::ArmTaken { owner, .. }
            | Self::Migrated { owner, .. }
            | Self::Named { owner, .. }
            | Self::DatePlanned { owner, .. }
            | Self::Refused { owner, .. } => vec![person(owner)],
            Self::Entered {
                owner, instance, ..
            } => vec![person(owner), guard(owner, instance)],
            Self::Rehomed { from, to, .. } => vec![person(from), person(to)],
            Self::EntryKept {
                owner,
                journey,
                key,
                ..
            } => vec![entry(owner, journey, key)],
            Self::Erasure(change) => change.touches(),
            Self::Decided(decision) => {
                let mut keys = vec![person(&decision.owner), Key::Decision(decision.id)];
                let owed = decision
                    .terms
                    .map(|_| Key::Delivery(decision.id.delivery()));
                keys.extend(owed);
                keys
            }
            Self::DeliveryMoved { delivery, .. } | Self::DeliveryOrdered { delivery, .. } => {
                vec![Key::Delivery(*delivery)]
            }
            Self::Queued { id, .. } | Self::Dequeued(id) => vec![Key::Queued(*id)],
            Self::SweepMoved { id, .. } => vec![Key::Sweep(id.clone())],
            Self::StopOrdered { place, .. } => vec![Key::Control(place.journey.clone())],
            Self::EntryCounted { journey, .. }
            | Self::JourneyPaused { journey, .. }
            | Self::JourneyResumed { journey, .. }
            | Self::BlockFailing { journey, .. }
            | Self::BlockPaused { journey, .. }
            | Self::BlockResumed { journey, .. }
            | Self::Withdrawn { journey } => vec![Key::Control(journey.clone())],
            Self::Published {
                journey, version, ..
            } => vec![
                Key::Version(journey.clone(), *version),
                Key::Control(journey.clone()),
            ],
        }
    }
}

impl Change {
    /// The timer of what it changes, as the rows are: before it is applied the one it ends, after
    /// it the one it sets.
    #[must_use]
    pub fn timer(&self, rows: &Snapshot) -> Option<Timer> {
        let instance = |owner: &Identifier, id: InstanceId| {
            let due = rows.instance(owner, id)?.due?;
            Some(Timer {
                due,
                of: TimerOf::Instance(id),
                owner: owner.clone(),
            })
        };
        if let Self::Parked { owner, id, .. } = self {
            return instance(owner, *id);
        }
        if let Self::Rehomed { from, to, id } = self {
            return instance(from, *id).or_else(|| instance(to, *id));
        }
        if let Self::Decided(decision) = self {
            let id = InstanceId::from_bytes(*decision.id.as_bytes());
            return instance(&decision.owner, id);
        }
        if let Self::DatePlanned { owner, journey, .. } = self {
            let due = rows.record(owner)?.dates.get(journey)?.due?;
            return Some(Timer {
                due,
                of: TimerOf::Date(journey.clone()),
                owner: owner.clone(),
            });
        }
        None
    }
}

/// The row that remembers an instance's entry.
pub(crate) fn guard(owner: &Identifier, instance: &Instance) -> Key {
    Key::Guard {
        owner: owner.clone(),
        journey: instance.journey.clone(),
        key: instance.key.clone().unwrap_or_default(),
    }
}
