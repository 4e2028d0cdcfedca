//! What is known of how identifiers belong together? Not here: what follows from it (`resolve`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{Identifier, Timestamp};

use crate::LinkChange;

/// Why two identifiers are linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeKind {
    /// An event named an anchor and the other identifier.
    Claim,
    /// An alias said that the other identifier was the anchor's. It is void while an anchor of the
    /// former id's text exists: persons are not joined by an alias, in whichever order it is told.
    Alias,
    /// An event named two identifiers and no anchor.
    Soft,
}

/// A link, as one of its two ends keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edge {
    /// The identifier at the other end.
    pub other: Identifier,
    /// Why it is linked.
    pub kind: EdgeKind,
    /// When it was first told, by the events' time.
    pub since: Timestamp,
    /// When it was last told, by the events' time.
    pub latest: Timestamp,
}

/// One identifier with its links: what is stored under an identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "StoredNode", from = "StoredNode")]
pub struct Node {
    identifier: Identifier,
    epoch: u64,
    edges: BTreeMap<(Identifier, EdgeKind), (Timestamp, Timestamp)>,
}

/// A node as it stands in a record: its links as a list.
#[derive(Serialize, Deserialize)]
struct StoredNode {
    identifier: Identifier,
    edges: Vec<Edge>,
    #[serde(default = "first_epoch", skip_serializing_if = "is_first_epoch")]
    epoch: u64,
}

/// The epoch of whoever was never erased.
const FIRST_EPOCH: u64 = 1;

const fn first_epoch() -> u64 {
    FIRST_EPOCH
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_first_epoch(epoch: &u64) -> bool {
    *epoch == FIRST_EPOCH
}

impl From<Node> for StoredNode {
    fn from(node: Node) -> Self {
        Self {
            edges: node.edges().collect(),
            epoch: node.epoch,
            identifier: node.identifier,
        }
    }
}

impl From<StoredNode> for Node {
    fn from(stored: StoredNode) -> Self {
        let mut node = Self::new(stored.identifier);
        node.epoch = stored.epoch;
        for edge in stored.edges {
            node.join(edge);
        }
        node
    }
}

impl Node {
    /// An identifier without links.
    #[must_use]
    pub const fn new(identifier: Identifier) -> Self {
        Self {
            identifier,
            epoch: FIRST_EPOCH,
            edges: BTreeMap::new(),
        }
    }

    /// The identifier.
    #[must_use]
    pub const fn identifier(&self) -> &Identifier {
        &self.identifier
    }

    /// Which of the persons that went by it, one erased after the other: 1 for the first.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Lets the links to another identifier go; a claim stands under `instead` from now on, so that
    /// what was contested stays so.
    fn forget(&mut self, other: &Identifier, instead: &Identifier) {
        let (gone, kept) = std::mem::take(&mut self.edges)
            .into_iter()
            .partition(|((held, _), _)| held == other);
        self.edges = kept;
        let gone: BTreeMap<(Identifier, EdgeKind), (Timestamp, Timestamp)> = gone;
        for ((_, kind), (since, latest)) in gone {
            if kind != EdgeKind::Soft {
                self.join(Edge {
                    other: instead.clone(),
                    kind: EdgeKind::Claim,
                    since,
                    latest,
                });
            }
        }
    }

    /// Its links, ordered by the other end and the kind.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        self.edges
            .iter()
            .map(|((other, kind), (since, latest))| Edge {
                other: other.clone(),
                kind: *kind,
                since: *since,
                latest: *latest,
            })
    }

    /// Adds a link, or widens the one there is to cover both: in any order, any number of times.
    pub fn join(&mut self, edge: Edge) {
        let held = self
            .edges
            .entry((edge.other, edge.kind))
            .or_insert((edge.since, edge.latest));
        held.0 = held.0.min(edge.since);
        held.1 = held.1.max(edge.latest);
    }

    /// First and last time of the link of this kind, if there is one.
    pub(crate) fn times(
        &self,
        other: &Identifier,
        kind: EdgeKind,
    ) -> Option<(Timestamp, Timestamp)> {
        self.edges.get(&(other.clone(), kind)).copied()
    }

    pub(crate) fn others(&self, kind: EdgeKind) -> impl Iterator<Item = &Identifier> {
        self.edges
            .keys()
            .filter(move |(_, held)| *held == kind)
            .map(|(other, _)| other)
    }

    pub(crate) fn neighbours(&self) -> impl Iterator<Item = &Identifier> {
        self.edges.keys().map(|(other, _)| other)
    }
}

/// The identifiers loaded so far: their nodes, and those known to have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    nodes: BTreeMap<Identifier, Arc<Node>>,
    absent: BTreeSet<Identifier>,
}

impl Links {
    /// Nothing loaded.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was stored under an identifier, in place of what was here.
    pub fn put(&mut self, node: impl Into<Arc<Node>>) {
        let node: Arc<Node> = node.into();
        self.absent.remove(&node.identifier);
        self.nodes.insert(node.identifier.clone(), node);
    }

    /// Notes that nothing is stored under an identifier, so that it is not asked for again.
    pub fn put_absent(&mut self, identifier: Identifier) {
        if !self.nodes.contains_key(&identifier) {
            self.absent.insert(identifier);
        }
    }

    /// The node of an identifier, if it is loaded and there is one.
    #[must_use]
    pub fn node(&self, identifier: &Identifier) -> Option<&Arc<Node>> {
        self.nodes.get(identifier)
    }

    /// Whether it is known what is stored under an identifier, be it nothing.
    #[must_use]
    pub fn is_loaded(&self, identifier: &Identifier) -> bool {
        self.nodes.contains_key(identifier) || self.absent.contains(identifier)
    }

    /// The loaded nodes, in the order of their identifiers.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values().map(|node| &**node)
    }

    /// Makes a change: the same when live, in recovery, and when made again.
    pub fn apply(&mut self, change: &LinkChange) {
        match change {
            LinkChange::Seen(identifier) => {
                self.entry(identifier);
            }
            LinkChange::Anew { identifier, epoch } => {
                self.entry(identifier).epoch = *epoch;
            }
            LinkChange::Linked { ends, kind, at } => {
                let [left, right] = ends;
                for (end, other) in [(left, right), (right, left)] {
                    self.entry(end).join(Edge {
                        other: other.clone(),
                        kind: *kind,
                        since: *at,
                        latest: *at,
                    });
                }
            }
            LinkChange::Refused { .. } => {}
        }
    }

    /// Lets an identifier go, and the links that others have to it; their claims stand under
    /// `instead`.
    pub fn forget(&mut self, identifier: &Identifier, others: &[Identifier], instead: &Identifier) {
        self.nodes.remove(identifier);
        self.absent.insert(identifier.clone());
        for other in others {
            if let Some(node) = self.nodes.get_mut(other) {
                Arc::make_mut(node).forget(identifier, instead);
            }
        }
    }

    fn entry(&mut self, identifier: &Identifier) -> &mut Node {
        self.absent.remove(identifier);
        let node = self
            .nodes
            .entry(identifier.clone())
            .or_insert_with(|| Arc::new(Node::new(identifier.clone())));
        Arc::make_mut(node)
    }

    /// The anchors with a live claim on an identifier that is no anchor itself.
    pub(crate) fn claimants<'a>(&'a self, node: &'a Node) -> BTreeSet<&'a Identifier> {
        let aliased = node
            .others(EdgeKind::Alias)
            .filter(|anchor| !self.is_void(anchor, &node.identifier));
        node.others(EdgeKind::Claim).chain(aliased).collect()
    }

    /// Whether an alias between these two is void: the former id is a person of its own.
    pub(crate) fn is_void(&self, anchor: &Identifier, former: &Identifier) -> bool {
        self.nodes.contains_key(&same_text(anchor, former))
    }
}

/// The anchor that has the text of `former`.
pub(crate) fn same_text(anchor: &Identifier, former: &Identifier) -> Identifier {
    Identifier {
        namespace: anchor.namespace.clone(),
        value: former.value.clone(),
    }
}
