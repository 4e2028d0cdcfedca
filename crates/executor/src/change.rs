//! What can change? Deltas with a meaning (SP 12). Not here: when a change is made (`step`), and
//! what it does to rows (`apply`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{DeliveryId, Identifier, InstanceId, Map, MessageHash, Timestamp, Value};
use wayfare_identity::LinkChange;
use wayfare_journey::Version;

use crate::delivery::{Outcome, State};
use crate::record::{Decision, Guard, Instance, Key, Permission, Refusal, Told};

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
    },
    /// A journey did not take somebody in.
    Refused {
        /// The identifier it is kept under.
        owner: Identifier,
        /// Why.
        refusal: Refusal,
    },
    /// A version of a journey is in force.
    Published {
        /// The journey.
        journey: Arc<str>,
        /// The version.
        version: Version,
        /// Its file.
        source: Arc<str>,
    },
}

impl Change {
    /// The rows it changes: they must be loaded before it is applied.
    #[must_use]
    pub fn touches(&self) -> Vec<Key> {
        let person = |owner: &Identifier| Key::Person(owner.clone());
        match self {
            Self::MessageSeen { message, .. } => vec![Key::Message(*message)],
            Self::Linked(LinkChange::Seen(identifier)) => vec![person(identifier)],
            Self::Linked(LinkChange::Linked { ends, .. }) => ends.iter().map(person).collect(),
            Self::Linked(LinkChange::Refused { .. }) => Vec::new(),
            Self::AccountTraitSet { account, .. } => vec![Key::Account(account.clone())],
            Self::ConsentRecorded { subject, .. } => vec![person(subject)],
            Self::TraitSet { owner, .. }
            | Self::AccountJoined { owner, .. }
            | Self::EventCounted { owner, .. }
            | Self::Parked { owner, .. }
            | Self::Named { owner, .. }
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
            } => vec![Key::Guard {
                owner: owner.clone(),
                journey: journey.clone(),
                key: key.clone(),
            }],
            Self::Decided(decision) => {
                let mut keys = vec![person(&decision.owner), Key::Decision(decision.id)];
                let owed = decision
                    .terms
                    .map(|_| Key::Delivery(decision.id.delivery()));
                keys.extend(owed);
                keys
            }
            Self::DeliveryMoved { delivery, .. } => vec![Key::Delivery(*delivery)],
            Self::Published {
                journey, version, ..
            } => vec![Key::Version(journey.clone(), *version)],
        }
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
