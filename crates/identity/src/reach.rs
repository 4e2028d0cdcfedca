//! What must be loaded before an event can be judged? Not here: loading it.
//!
//! The shell asks, loads, and asks again until nothing is missing. Then [`resolve`] gives the
//! event's own profiles, before and after its links are applied, as if everything were loaded.
//!
//! [`resolve`]: crate::resolve

use std::collections::BTreeSet;

use wayfare_event::{Identifier, Namespace};

use crate::limits::REACH_VISITS_MAX;
use crate::links::same_text;
use crate::{Config, EdgeKind, Links, Named, Node};

/// Which identifiers must still be loaded for an event; none when `links` has
/// all of them.
///
/// Those are: what the event names, the anchors that claim it, those merged with them, and everything
/// these hold; the components of unclaimed identifiers around it, with the anchors next to them; the unclaimed
/// components around what the anchors hold, and the identifiers next to those. An alias
/// needs the anchor of its former id's text too. Where it matters whether two anchors are one person,
/// everything merged with either is needed.
#[must_use]
pub fn reach(config: &Config, links: &Links, named: &Named) -> BTreeSet<Identifier> {
    let mut walk = Walk {
        config,
        links,
        seen: BTreeSet::new(),
        open: Vec::new(),
        missing: BTreeSet::new(),
    };
    for identifier in named.identifiers() {
        walk.visit(identifier.clone(), Role::Core);
        // The event's own alias is no link yet.
        if let Some(former) = named.previous().filter(|_| config.is_anchor(identifier)) {
            walk.visit(same_text(identifier, former), Role::Existing);
        }
    }
    while let Some((identifier, role)) = walk.open.pop() {
        if walk.seen.len() > REACH_VISITS_MAX {
            break;
        }
        walk.step(&identifier, role);
    }
    walk.missing
}

/// Why an identifier is visited, which says how far to look from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// Its profile must be complete.
    Core,
    /// An anchor whose profile must be complete has a claim on it.
    Held,
    /// It hangs softly together with what the event names.
    Near,
    /// It hangs softly together with what such an anchor holds.
    Around,
    /// An anchor of which it matters who it is: with whom it was merged.
    Class,
    /// Whether it exists is all that matters.
    Existing,
}

struct Walk<'a> {
    config: &'a Config,
    links: &'a Links,
    seen: BTreeSet<(Identifier, Role)>,
    open: Vec<(Identifier, Role)>,
    missing: BTreeSet<Identifier>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, identifier: Identifier, role: Role) {
        if self.seen.insert((identifier.clone(), role)) {
            self.open.push((identifier, role));
        }
    }

    fn visit_all(&mut self, identifiers: impl Iterator<Item = &'a Identifier>, role: Role) {
        for identifier in identifiers {
            self.visit(identifier.clone(), role);
        }
    }

    fn step(&mut self, identifier: &Identifier, role: Role) {
        let is_anchor = self.config.is_anchor(identifier);
        if !self.links.is_loaded(identifier) {
            self.missing.insert(identifier.clone());
        } else if let Some(node) = self.links.node(identifier) {
            match role {
                Role::Existing => {}
                Role::Class => self.visit_all(node.joined(), Role::Class),
                Role::Core if is_anchor => self.look_from_anchor(node),
                Role::Core | Role::Held | Role::Near | Role::Around => {
                    self.look_from_other(node, role);
                }
            }
        }
        // An anchor that becomes known voids the aliases of its text, so those are looked at too.
        if role == Role::Core && is_anchor && self.links.node(identifier).is_none() {
            let former = Identifier::new(Namespace::ANONYMOUS_ID, &identifier.value);
            self.visit(former, Role::Core);
        }
    }

    fn look_from_anchor(&mut self, node: &'a Node) {
        self.visit_all(node.joined(), Role::Core);
        for (other, kind, _) in node.claimed() {
            if matches!(kind, EdgeKind::Alias | EdgeKind::UnverifiedAlias) {
                self.visit(same_text(node.identifier(), other), Role::Existing);
            }
            self.visit(other.clone(), Role::Held);
        }
    }

    fn look_from_other(&mut self, node: &'a Node, role: Role) {
        let mut undecided = false;
        let unverified = node.others(EdgeKind::UnverifiedAlias);
        for anchor in node.others(EdgeKind::Alias).chain(unverified) {
            let check = same_text(anchor, node.identifier());
            undecided |= !self.links.is_loaded(&check);
            self.visit(check, Role::Existing);
        }
        if undecided {
            return;
        }
        let claimants = self.links.claimants(node);
        if role == Role::Core {
            self.visit_all(claimants.into_iter(), Role::Core);
            self.visit_all(node.others(EdgeKind::Soft), Role::Near);
            return;
        }
        if claimants.len() > 1 || role == Role::Around {
            for claimant in &claimants {
                self.visit((*claimant).clone(), Role::Class);
                let class = self.links.class(claimant);
                undecided |= !class.iter().all(|it| self.links.is_loaded(it));
            }
        }
        if undecided || node.blocked().is_some() {
            return;
        }
        let owners: BTreeSet<_> = claimants.iter().map(|it| self.links.lead(it)).collect();
        let soft = node.others(EdgeKind::Soft);
        match (role, owners.len()) {
            (Role::Near, 1) => self.visit_all(claimants.into_iter(), Role::Core),
            (Role::Near, 0) => self.visit_all(soft, Role::Near),
            (Role::Held, 1) | (Role::Around, 0) => self.visit_all(soft, Role::Around),
            (Role::Core | Role::Near | Role::Held | Role::Around, _)
            | (Role::Class | Role::Existing, _) => {}
        }
    }
}
