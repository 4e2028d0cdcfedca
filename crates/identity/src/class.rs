//! Which anchors are one person by an operator's word (2.1.5, 1)? Not here: what else is theirs.

use std::collections::BTreeSet;

use wayfare_event::Identifier;

use crate::{EdgeKind, Links, Node};

impl Links {
    /// The anchors that merges make one person with this one, itself among them, as far as they are
    /// loaded and one link beyond.
    pub(crate) fn class<'a>(&'a self, anchor: &'a Identifier) -> BTreeSet<&'a Identifier> {
        let mut members = BTreeSet::from([anchor]);
        let mut open = vec![anchor];
        while let Some(member) = open.pop() {
            let joined = self.node(member).into_iter().flat_map(|node| node.joined());
            open.extend(joined.filter(|other| members.insert(other)));
        }
        members
    }

    /// The anchor that stands for this one's class (2.1.6): the one that no merge took into another,
    /// of several the smaller, and of a circle too.
    pub(crate) fn lead<'a>(&'a self, anchor: &'a Identifier) -> &'a Identifier {
        if self.is_single(anchor) {
            return anchor;
        }
        let class = self.class(anchor);
        let was_taken = |member: &&Identifier| {
            self.node(member)
                .is_some_and(|node| node.has(EdgeKind::Same))
        };
        let lead = class.iter().find(|member| !was_taken(member));
        lead.or_else(|| class.first()).copied().unwrap_or(anchor)
    }

    /// Whether no merge concerns an anchor.
    pub(crate) fn is_single(&self, anchor: &Identifier) -> bool {
        self.node(anchor)
            .is_none_or(|node| node.joined().next().is_none())
    }

    /// D(x) (2.1.5, 2): the classes with a claim that counts, each by the anchor that stands for it.
    pub(crate) fn owners<'a>(&'a self, node: &'a Node) -> BTreeSet<&'a Identifier> {
        let claimants = self.claimants(node);
        claimants.into_iter().map(|it| self.lead(it)).collect()
    }
}
