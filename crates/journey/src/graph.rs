//! What is a journey, once it is checked? A frozen graph of blocks; an illegal one has no value of
//! this type. Not here: how it comes to be (`compile`), or walking it (the executor).

mod kept;
mod trigger;
mod wait;
mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::Version;
use crate::definition::{Auth, Secret};
use crate::expression::Expression;
use crate::render::Payload;

pub use kept::Kept;
pub use trigger::{
    Again, Entry, EntryLimit, EventMatch, ExitRule, Heard, TraitChange, TraitOf, Trigger, TriggerOn,
};
pub use wait::{UntilDate, UntilTime, WaitZone};
pub use webhook::{Consent, Webhook};

/// A journey that may be published.
#[derive(Clone, Debug)]
pub struct Graph {
    pub(crate) id: Arc<str>,
    pub(crate) title: Option<Arc<str>>,
    pub(crate) version: Version,
    pub(crate) source: Arc<str>,
    pub(crate) trigger: Trigger,
    pub(crate) entry: Entry,
    pub(crate) exits: Vec<ExitRule>,
    pub(crate) start: BlockId,
    pub(crate) blocks: DiGraph<Node, Label>,
    pub(crate) kept: Kept,
    pub(crate) registers: Vec<Arc<str>>,
    pub(crate) life_us: i64,
    pub(crate) visits_max: u32,
    pub(crate) migrate: Option<Migrate>,
}

/// Where instances of earlier versions go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrate {
    /// Of these versions; of all, without any.
    pub(crate) from: Option<Vec<Version>>,
    /// Old blocks and the new ones in their place.
    pub(crate) map: BTreeMap<Arc<str>, Arc<str>>,
}

/// A block and its name.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) key: Arc<str>,
    pub(crate) block: Block,
}

/// When a successor is taken, for drawings.
pub(crate) type Label = String;

/// A block of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(NodeIndex);

impl BlockId {
    /// The block in this place of the file's order.
    pub(crate) fn at(place: usize) -> Self {
        Self(NodeIndex::new(place))
    }

    pub(crate) const fn index(self) -> NodeIndex {
        self.0
    }
}

/// What a block does.
#[derive(Clone, Debug)]
pub enum Block {
    /// The first arm that holds wins; the last always does.
    Decide(Vec<Arm>),
    /// One arm by chance, the same one for the same subject.
    Split(Split),
    /// Waits a duration.
    Pause {
        /// How long, in microseconds.
        duration_us: i64,
        /// The successor.
        then: BlockId,
    },
    /// Waits until a time of day.
    UntilTime(Box<UntilTime>),
    /// Waits until a date.
    UntilDate(Box<UntilDate>),
    /// Waits for the first of several things.
    Wait {
        /// What ends it, in order.
        items: Vec<WaitItem>,
        /// How long at most, in microseconds.
        timeout_us: i64,
        /// The successor when nothing ended it.
        then: BlockId,
    },
    /// Writes traits of the profile.
    Update {
        /// The traits and the values they get.
        writes: Vec<(Arc<str>, Payload)>,
        /// The successor.
        then: BlockId,
    },
    /// The terminal decision about one request.
    Webhook(Box<Webhook>),
    /// Ends without a request.
    Exit {
        /// Why, for the decision.
        reason: Arc<str>,
    },
}

/// One arm of a decision.
#[derive(Clone, Debug)]
pub struct Arm {
    /// The condition; the last arm has none.
    pub when: Option<Expression>,
    /// The successor.
    pub then: BlockId,
}

/// A choice by chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What makes its chance another one's (SP 38).
    pub salt: Arc<str>,
    /// The arms, in the file's order.
    pub arms: Vec<SplitArm>,
}

/// One arm of a [`Split`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitArm {
    /// Its name.
    pub name: Arc<str>,
    /// Its share, against the sum of all.
    pub weight: u32,
    /// Whether what it leads to is decided and not sent.
    pub holdout: bool,
    /// The successor.
    pub then: BlockId,
}

impl Split {
    /// The arm of a subject: the key's text, else the anchor's value, else the profile's id (SP 38).
    ///
    /// # Panics
    ///
    /// Never: a split has arms, and their weights are positive.
    #[must_use]
    pub fn arm(&self, subject: &str) -> &SplitArm {
        let mut hasher = blake3::Hasher::new();
        for field in ["wayfare.split.v1", &self.salt, subject] {
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
            hasher.update(&length.to_le_bytes());
            hasher.update(field.as_bytes());
        }
        let mut first = [0; 8];
        hasher.finalize_xof().fill(&mut first);
        let total: u64 = self.arms.iter().map(|arm| u64::from(arm.weight)).sum();
        let mut place = u64::from_be_bytes(first) % total.max(1);
        self.arms
            .iter()
            .find(|arm| {
                let is_here = place < u64::from(arm.weight);
                place = place.saturating_sub(u64::from(arm.weight));
                is_here
            })
            .expect("the place is below the sum of the weights")
    }
}

/// One thing that ends a wait.
#[derive(Clone, Debug)]
pub struct WaitItem {
    /// What is waited for.
    pub on: Heard,
    /// The name its event has for the blocks ahead.
    pub name: Option<Arc<str>>,
    /// The successor.
    pub then: BlockId,
}

impl Graph {
    /// The journey's id.
    #[must_use]
    pub const fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Its title, or its id without one.
    #[must_use]
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.id)
    }

    /// Which edit of it this is.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The file it was made from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What starts an instance.
    #[must_use]
    pub const fn trigger(&self) -> &Trigger {
        &self.trigger
    }

    /// Who may enter.
    #[must_use]
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The ways out from any block, in order.
    #[must_use]
    pub fn exits(&self) -> &[ExitRule] {
        &self.exits
    }

    /// The first block.
    #[must_use]
    pub const fn start(&self) -> BlockId {
        self.start
    }

    /// The block of this name.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<BlockId> {
        self.blocks().find(|id| **self.key(*id) == *key)
    }

    /// What a block does.
    ///
    /// # Panics
    ///
    /// When the block is of another graph.
    #[must_use]
    pub fn block(&self, id: BlockId) -> &Block {
        &self.node(id).block
    }

    /// The name of a block.
    ///
    /// # Panics
    ///
    /// When the block is of another graph.
    #[must_use]
    pub fn key(&self, id: BlockId) -> &Arc<str> {
        &self.node(id).key
    }

    /// Every block, in the file's order.
    pub fn blocks(&self) -> impl Iterator<Item = BlockId> {
        self.blocks.node_indices().map(BlockId)
    }

    /// The successors of a block and when each is taken.
    pub fn successors(&self, id: BlockId) -> impl Iterator<Item = (&str, BlockId)> {
        use petgraph::visit::EdgeRef as _;
        let mut edges: Vec<_> = self.blocks.edges(id.0).collect();
        edges.sort_by_key(|edge| edge.id());
        let successor = |edge: petgraph::graph::EdgeReference<'_, Label>| edge.target();
        edges
            .into_iter()
            .map(move |edge| (edge.weight().as_str(), BlockId(successor(edge))))
    }

    /// How long an instance lives at most, in microseconds.
    #[must_use]
    pub const fn life_us(&self) -> i64 {
        self.life_us
    }

    /// How often an instance may come to one block.
    #[must_use]
    pub const fn visits_max(&self) -> u32 {
        self.visits_max
    }

    /// The block in which an instance at `block` of another version goes on; nothing when this
    /// journey does not take it over.
    #[must_use]
    pub fn takes_over(&self, version: Version, block: &str) -> Option<&Arc<str>> {
        let migrate = self.migrate.as_ref()?;
        let from = migrate.from.as_ref();
        if from.is_some_and(|versions| !versions.contains(&version)) {
            return None;
        }
        let target = migrate.map.get(block).map_or(block, |target| target);
        self.find(target).map(|id| self.key(id))
    }

    /// Whether it declares to take over instances of a version.
    #[must_use]
    pub fn migrates(&self, version: Version) -> bool {
        self.migrate.as_ref().is_some_and(|migrate| {
            let from = migrate.from.as_ref();
            from.is_none_or(|versions| versions.contains(&version))
        })
    }

    /// What an instance keeps of events.
    #[must_use]
    pub const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The names of events that expressions count.
    pub fn registers(&self) -> impl Iterator<Item = &str> {
        self.registers.iter().map(|name| &**name)
    }

    /// Every secret its requests need.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let webhooks = self.blocks().filter_map(|id| match self.block(id) {
            Block::Webhook(webhook) => Some(webhook),
            Block::Decide(_)
            | Block::Split(_)
            | Block::Pause { .. }
            | Block::UntilTime(_)
            | Block::UntilDate(_)
            | Block::Wait { .. }
            | Block::Update { .. }
            | Block::Exit { .. } => None,
        });
        webhooks.flat_map(|webhook| {
            let auth = webhook.auth.as_ref().map(|auth| match auth {
                Auth::Basic {
                    password: secret, ..
                }
                | Auth::Bearer(secret)
                | Auth::Header { value: secret, .. } => secret,
            });
            webhook.url.base.iter().chain(auth).chain(&webhook.sign)
        })
    }

    /// The secrets that requests are signed with.
    pub fn signing_secrets(&self) -> impl Iterator<Item = &Secret> {
        let blocks = self.blocks().map(|id| self.block(id));
        blocks.flat_map(|block| match block {
            Block::Webhook(webhook) => webhook.sign.as_slice(),
            Block::Decide(_)
            | Block::Split(_)
            | Block::Pause { .. }
            | Block::UntilTime(_)
            | Block::UntilDate(_)
            | Block::Wait { .. }
            | Block::Update { .. }
            | Block::Exit { .. } => &[],
        })
    }

    /// Where the origins of its requests come from, as far as they do not stand in the file.
    pub fn bases(&self) -> impl Iterator<Item = &Secret> {
        self.blocks().filter_map(|id| match self.block(id) {
            Block::Webhook(webhook) => webhook.url.base.as_ref(),
            Block::Decide(_)
            | Block::Split(_)
            | Block::Pause { .. }
            | Block::UntilTime(_)
            | Block::UntilDate(_)
            | Block::Wait { .. }
            | Block::Update { .. }
            | Block::Exit { .. } => None,
        })
    }

    fn node(&self, id: BlockId) -> &Node {
        self.blocks
            .node_weight(id.0)
            .expect("a block id is only made by the graph it belongs to")
    }
}
