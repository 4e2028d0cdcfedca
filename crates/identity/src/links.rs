//! What is known of how identifiers belong together? Not here: what follows from it (`resolve`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{Identifier, Timestamp};

use crate::{LinkChange, Trust};

/// Why two identifiers are linked (2.1.4).
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
    /// A claim that was told with a public key. It counts while no other kind of claim on the same
    /// identifier does.
    Unverified,
    /// An alias that was told with a public key; it counts as [`EdgeKind::Unverified`] does.
    UnverifiedAlias,
    /// An operator took the anchor that keeps this into the other one.
    Same,
    /// An operator took the other anchor into the one that keeps this.
    Took,
    /// An operator said that the two are not one person's. It cancels what was told of the two at
    /// its time or before, and what is told later of that time.
    Detached,
}

impl EdgeKind {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Alias => "alias",
            Self::Soft => "soft",
            Self::Unverified => "public_claim",
            Self::UnverifiedAlias => "public_alias",
            Self::Same => "merged_into",
            Self::Took => "merged_from",
            Self::Detached => "detached",
        }
    }

    /// What an event with an anchor tells of another identifier it names (2.1.4, trust).
    pub(crate) const fn told(trust: Trust, is_alias: bool) -> Self {
        match (trust, is_alias) {
            (Trust::Verified, false) => Self::Claim,
            (Trust::Verified, true) => Self::Alias,
            (Trust::Unverified, false) => Self::Unverified,
            (Trust::Unverified, true) => Self::UnverifiedAlias,
        }
    }

    /// Whether it is what an anchor is told to have to do with an identifier.
    #[must_use]
    pub const fn claims(self) -> bool {
        match self {
            Self::Claim | Self::Alias | Self::Unverified | Self::UnverifiedAlias => true,
            Self::Soft | Self::Same | Self::Took | Self::Detached => false,
        }
    }

    /// Whether it makes two anchors one person.
    const fn joins(self) -> bool {
        match self {
            Self::Same | Self::Took => true,
            Self::Claim
            | Self::Alias
            | Self::Unverified
            | Self::UnverifiedAlias
            | Self::Soft
            | Self::Detached => false,
        }
    }

    /// Whether a detach undoes it.
    const fn is_undone(self) -> bool {
        self.claims() || self.joins()
    }

    /// What stays of it where the other end is erased: that somebody claimed this.
    const fn left_behind(self) -> Option<Self> {
        match self {
            Self::Claim | Self::Alias => Some(Self::Claim),
            Self::Unverified | Self::UnverifiedAlias => Some(Self::Unverified),
            Self::Soft | Self::Same | Self::Took | Self::Detached => None,
        }
    }

    /// The kind that the other end keeps.
    const fn mirrored(self) -> Self {
        match self {
            Self::Same => Self::Took,
            Self::Took => Self::Same,
            Self::Claim
            | Self::Alias
            | Self::Unverified
            | Self::UnverifiedAlias
            | Self::Soft
            | Self::Detached => self,
        }
    }
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
pub struct Node {
    identifier: Identifier,
    #[serde(default = "first_epoch", skip_serializing_if = "is_first_epoch")]
    epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// By the other end and the kind. Most have one or two, so a list takes the least room.
    edges: Vec<Edge>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blocked: Option<Timestamp>,
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

impl Node {
    /// An identifier without links.
    #[must_use]
    pub const fn new(identifier: Identifier) -> Self {
        Self {
            identifier,
            epoch: FIRST_EPOCH,
            since: None,
            edges: Vec::new(),
            blocked: None,
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

    /// When it was first named, by the events' time; not known where no event named it.
    #[must_use]
    pub const fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Lets the links to another identifier go; a claim stands under `instead` from now on, so that
    /// what was contested stays so.
    fn forget(&mut self, other: &Identifier, instead: &Identifier) {
        let (gone, kept) = std::mem::take(&mut self.edges)
            .into_iter()
            .partition(|edge: &Edge| edge.other == *other);
        self.edges = kept;
        let gone: Vec<Edge> = gone;
        for edge in gone {
            if let Some(kind) = edge.kind.left_behind() {
                let other = instead.clone();
                self.join(Edge {
                    other,
                    kind,
                    ..edge
                });
            }
        }
    }

    /// Its links, ordered by the other end and the kind.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// When so many anchors claimed it at once that it is nobody's until an operator lets it go.
    #[must_use]
    pub const fn blocked(&self) -> Option<Timestamp> {
        self.blocked
    }

    /// Adds a link, or widens the one there is to cover both: in any order, any number of times.
    ///
    /// Of what a detach undoes only what was told after it stays; of two of one time the detach wins
    /// (2.1.4). When the rest was first told is not known then, only when it was last.
    pub fn join(&mut self, edge: Edge) {
        let Edge {
            other,
            kind,
            mut since,
            latest,
        } = edge;
        if let Some(until) = self.detached(&other, kind) {
            if latest <= until {
                return;
            }
            since = if since <= until { latest } else { since };
        }
        let until = match self.place(&other, kind) {
            Ok(place) => self.edges.get_mut(place).map(|held| {
                held.since = held.since.min(since);
                held.latest = held.latest.max(latest);
                held.latest
            }),
            Err(place) => {
                let edge = Edge {
                    other: other.clone(),
                    kind,
                    since,
                    latest,
                };
                self.edges.reserve_exact(1);
                self.edges.insert(place, edge);
                Some(latest)
            }
        };
        if let Some(until) = until.filter(|_| kind == EdgeKind::Detached) {
            self.cut(&other, until);
        }
    }

    /// Where the link of a kind stands, or would stand.
    fn place(&self, other: &Identifier, kind: EdgeKind) -> Result<usize, usize> {
        self.edges
            .binary_search_by(|edge| (&edge.other, edge.kind).cmp(&(other, kind)))
    }

    /// Until when what is told of a link of this kind is undone.
    pub(crate) fn detached(&self, other: &Identifier, kind: EdgeKind) -> Option<Timestamp> {
        let (_, until) = kind
            .is_undone()
            .then(|| self.times(other, EdgeKind::Detached))??;
        Some(until)
    }

    /// Takes away what a detach undoes; of what goes on, what was before.
    fn cut(&mut self, other: &Identifier, until: Timestamp) {
        let is_undone = |edge: &Edge| edge.other == *other && edge.kind.is_undone();
        self.edges
            .retain(|edge| !is_undone(edge) || edge.latest > until);
        for edge in self.edges.iter_mut().filter(|edge| is_undone(edge)) {
            if edge.since <= until {
                edge.since = edge.latest;
            }
        }
    }

    /// First and last time of the link of this kind, if there is one.
    pub(crate) fn times(
        &self,
        other: &Identifier,
        kind: EdgeKind,
    ) -> Option<(Timestamp, Timestamp)> {
        let place = self.place(other, kind).ok()?;
        let edge = self.edges.get(place)?;
        Some((edge.since, edge.latest))
    }

    pub(crate) fn others(&self, kind: EdgeKind) -> impl Iterator<Item = &Identifier> {
        let of_kind = self.edges.iter().filter(move |edge| edge.kind == kind);
        of_kind.map(|edge| &edge.other)
    }

    pub(crate) fn has(&self, kind: EdgeKind) -> bool {
        self.others(kind).next().is_some()
    }

    /// The anchors that merges joined this one with.
    pub(crate) fn joined(&self) -> impl Iterator<Item = &Identifier> {
        let joins = self.edges.iter().filter(|edge| edge.kind.joins());
        joins.map(|edge| &edge.other)
    }

    /// What an anchor claims, whether the claim counts or not.
    pub(crate) fn claimed(&self) -> impl Iterator<Item = (&Identifier, EdgeKind, Timestamp)> {
        let claims = self.edges.iter().filter(|edge| edge.kind.claims());
        claims.map(|edge| (&edge.other, edge.kind, edge.latest))
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
            LinkChange::SeenAt { identifier, at } => {
                let node = self.entry(identifier);
                node.since = Some(node.since.map_or(*at, |since| since.min(*at)));
            }
            LinkChange::Anew { identifier, epoch } => {
                self.entry(identifier).epoch = *epoch;
            }
            LinkChange::Linked { ends, kind, at } => {
                let [left, right] = ends;
                for (end, other, kind) in [(left, right, *kind), (right, left, kind.mirrored())] {
                    self.entry(end).join(Edge {
                        other: other.clone(),
                        kind,
                        since: *at,
                        latest: *at,
                    });
                }
            }
            LinkChange::Blocked { identifier, at } => {
                self.entry(identifier).blocked = Some(*at);
            }
            LinkChange::Unblocked(identifier) => self.entry(identifier).blocked = None,
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

    /// Whether too many anchors claimed an identifier at once, and no operator has let it go.
    #[must_use]
    pub fn is_blocked(&self, identifier: &Identifier) -> bool {
        self.node(identifier)
            .is_some_and(|node| node.blocked.is_some())
    }

    /// The anchors whose claim on an identifier that is no anchor itself counts: if any claim is
    /// verified, only those that are (2.1.4, trust).
    #[must_use]
    pub fn claimants<'a>(&'a self, node: &'a Node) -> BTreeSet<&'a Identifier> {
        let verified = self.claiming(node, Trust::Verified);
        if verified.is_empty() {
            self.claiming(node, Trust::Unverified)
        } else {
            verified
        }
    }

    /// The anchors with a live claim of this trust.
    pub(crate) fn claiming<'a>(&'a self, node: &'a Node, trust: Trust) -> BTreeSet<&'a Identifier> {
        let aliased = node
            .others(EdgeKind::told(trust, true))
            .filter(|anchor| !self.is_void(anchor, &node.identifier));
        let claimed = node.others(EdgeKind::told(trust, false));
        claimed.chain(aliased).collect()
    }

    /// Whether an alias between these two is void: the former id is a person of its own.
    pub(crate) fn is_void(&self, anchor: &Identifier, former: &Identifier) -> bool {
        self.nodes.contains_key(&same_text(anchor, former))
    }
}

/// Whether a link that was just told is an alias and void by the links at hand: its former id is a
/// person of its own, and nobody is joined (2.1.4).
#[must_use]
pub fn is_void(links: &Links, change: &LinkChange) -> bool {
    match change {
        LinkChange::Linked {
            ends: [anchor, former],
            kind: EdgeKind::Alias | EdgeKind::UnverifiedAlias,
            ..
        } => links.is_void(anchor, former),
        LinkChange::Linked { .. }
        | LinkChange::Seen(_)
        | LinkChange::SeenAt { .. }
        | LinkChange::Anew { .. }
        | LinkChange::Refused { .. }
        | LinkChange::Blocked { .. }
        | LinkChange::Unblocked(_) => false,
    }
}

/// The anchor that has the text of `former`.
pub(crate) fn same_text(anchor: &Identifier, former: &Identifier) -> Identifier {
    Identifier {
        namespace: anchor.namespace.clone(),
        value: former.value.clone(),
    }
}
