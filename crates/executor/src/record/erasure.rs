//! What is kept of somebody who was erased, and while it is done? Hashes, a mark, and what the ledger
//! still says. Not here: who is erased, and how (`step/erase`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{IdKey, Identifier, IdentifierHash, InstanceId, ProfileId, Timestamp};

use super::{ConsentAsked, Decision, Delivery, Request};

/// The namespace of what stands for somebody erased: the owner of rows of the ledger, and claims on
/// identifiers of others.
const NAMESPACE: &str = "erased";

/// What an erasure does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EraseMode {
    /// What is known stays; nothing more is heard or sent.
    Suppress,
    /// What is known goes; whoever comes back is somebody new.
    Delete,
    /// What is known goes, and nothing more is heard.
    #[default]
    Both,
}

impl EraseMode {
    /// The mode of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let modes = [Self::Suppress, Self::Delete, Self::Both];
        modes.into_iter().find(|mode| mode.as_str() == name)
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suppress => "suppress",
            Self::Delete => "delete",
            Self::Both => "both",
        }
    }

    /// Whether what is known goes.
    #[must_use]
    pub const fn deletes(self) -> bool {
        matches!(self, Self::Delete | Self::Both)
    }

    /// Whether nothing more is heard.
    #[must_use]
    pub const fn suppresses(self) -> bool {
        matches!(self, Self::Suppress | Self::Both)
    }
}

/// What is kept of an identifier of somebody who was erased, under its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// When: nothing older is heard any more.
    pub at: Timestamp,
    /// Which person the next one is that goes by it: 1 where nobody was deleted.
    pub epoch: u64,
    /// The input that last deleted somebody who went by it: what they left in the queue is nobody's;
    /// 0 where nobody was.
    #[serde(default, skip_serializing_if = "is_none")]
    pub seq: u64,
    /// Whether nothing is heard at all.
    pub suppressed: bool,
    /// When the ledger was reduced too; nothing while it is not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<Timestamp>,
}

impl Erased {
    /// Whether what happened then is not heard under the identifier.
    #[must_use]
    pub fn bars(&self, occurred: Timestamp) -> bool {
        self.suppressed || occurred <= self.at
    }
}

/// That somebody is to be erased, or that nothing is heard of them any more; kept with what is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasing {
    /// What is done at the end.
    pub mode: EraseMode,
    /// When it was ordered.
    pub at: Timestamp,
    /// Who ordered it.
    pub by: Arc<str>,
    /// Why.
    pub reason: Arc<str>,
    /// The walk that has to end first.
    pub through: Option<InstanceId>,
}

/// What a sweep looks for in the ledger, to reduce it, and then in the history, to redact it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The identifiers.
    pub hashes: Vec<IdentifierHash>,
    /// The ids that their profile had: its last, and that of each identifier by itself. What was decided
    /// under one of them was about them, whosever the identifier is by now that it was kept under.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<ProfileId>,
    /// The input that erased them: what was decided later is of somebody else.
    pub seq: u64,
    /// When that was.
    pub at: Timestamp,
    /// What it did.
    pub mode: EraseMode,
    /// Whether the ledger is reduced, and only the history still tells of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_reduced: bool,
}

impl Erasure {
    /// Whether something kept under an identifier is of somebody erased.
    #[must_use]
    pub fn is_about(&self, key: &IdKey, owner: &Identifier) -> bool {
        self.hashes.contains(&hash(key, owner))
    }

    /// Whether a row of the ledger may be to be reduced: it is, unless it is kept under an anchor of
    /// somebody else, who was one with them at the time.
    #[must_use]
    pub fn concerns(&self, key: &IdKey, decision: &Decision) -> bool {
        let is_theirs =
            || self.is_about(key, &decision.owner) || self.profiles.contains(&decision.profile);
        decision.turn.seq <= self.seq && is_theirs()
    }
}

/// The hash an identifier is remembered by once its person is erased.
#[must_use]
pub fn hash(key: &IdKey, identifier: &Identifier) -> IdentifierHash {
    IdentifierHash::derive(key, identifier.namespace.as_str(), &identifier.value)
}

/// What stands in place of a claim that somebody erased had on an identifier of others.
pub(crate) fn claimant(hash: IdentifierHash) -> Identifier {
    Identifier::new(NAMESPACE, &hash.to_string())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_none(seq: &u64) -> bool {
    *seq == 0
}

fn nobody() -> Identifier {
    Identifier::new(NAMESPACE, "")
}

impl Decision {
    /// Whether its person was erased, and it tells no more than that it was taken.
    #[must_use]
    pub fn is_reduced(&self) -> bool {
        self.owner == nobody()
    }

    /// Leaves what no longer tells of anybody: ids, journey, version, block, outcome, time, and the
    /// hash of the request.
    pub(crate) fn reduce(&mut self) {
        self.owner = nobody();
        self.profile = ProfileId::from_bytes([0; 16]);
        self.key = None;
        self.reason = None;
        self.request = None;
        if let Some(consent) = &mut self.consent {
            consent.asked.reduce();
            consent.verdict.records.clear();
        }
        if let Some(terms) = &mut self.terms {
            terms.target = None;
        }
    }
}

impl Delivery {
    /// Whether its person was erased, and it tells no more than that it was owed.
    #[must_use]
    pub fn is_reduced(&self) -> bool {
        self.owner == nobody()
    }

    /// Leaves what no longer tells of anybody.
    pub(crate) fn reduce(&mut self) {
        self.owner = nobody();
        self.profile = ProfileId::from_bytes([0; 16]);
        self.asked.reduce();
        self.request = Request {
            method: self.request.method,
            base: None,
            url: String::new(),
            headers: Vec::new(),
            auth: None,
            sign: Vec::new(),
            body: None,
        };
        self.terms.target = None;
        self.orders.clear();
    }
}

impl ConsentAsked {
    /// Leaves what was asked, not about whom.
    fn reduce(&mut self) {
        match self {
            Self::Category { address, .. }
            | Self::Declined { address, .. }
            | Self::Basis { address, .. } => *address = None,
        }
    }
}
