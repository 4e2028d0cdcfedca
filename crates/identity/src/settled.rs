//! Whose is an event, where that can be told from the few links at hand, and does it change who is who?
//! Most are somebody's who is known already and bring nothing new, and then nothing else has to be
//! looked at. Not here: everybody else (`resolve`).

use wayfare_event::Identifier;

use crate::{Config, Edge, EdgeKind, LinkChange, Links, Node};

/// The identifier that stands for the profile an event is about, as [`resolve`](crate::resolve) and
/// [`attribute`](crate::attribute) would find it; nothing where it takes those two to tell.
///
/// `identifiers` are what the event names, by rank. Takes no memory, and as long as the links of what
/// the event names are many: it does not depend on how many profiles there are.
#[must_use]
pub fn settled<'a>(
    config: &Config,
    links: &'a Links,
    identifiers: &'a [Identifier],
) -> Option<&'a Identifier> {
    if let Some(anchor) = identifiers.iter().find(|it| config.is_anchor(it)) {
        let node = links.node(anchor)?;
        return is_alone(node).then(|| node.identifier());
    }
    for identifier in identifiers {
        let node = links.node(identifier)?;
        match whose(node) {
            Whose::Nobodys => {}
            Whose::Shared(kind) if is_contested(config, links, node, kind) => {}
            Whose::Shared(_) => return None,
            Whose::Unsettled => return None,
            Whose::Own => return Some(node.identifier()),
            Whose::Of(anchor) => {
                let holder = links.node(anchor)?;
                let is_held = is_alone(holder) && holds_all(config, holder, identifier);
                return is_held.then(|| holder.identifier());
            }
        }
    }
    None
}

/// Whether changes of these links can make other profiles of them. What is only told again cannot,
/// unless it is about an anchor that claims more than its limit: then it holds others now (2.1.5, 4).
#[must_use]
pub fn regroups(config: &Config, links: &Links, changes: &[LinkChange]) -> bool {
    changes.iter().any(|change| match change {
        LinkChange::Refused { .. } => false,
        LinkChange::Linked { ends, kind, .. } => {
            let [left, right] = ends;
            let is_known = links.node(left).is_some_and(|node| {
                let is_held = node.times(right, *kind).is_some();
                let stays = match kind {
                    EdgeKind::Soft => true,
                    EdgeKind::Claim | EdgeKind::Unverified => {
                        is_alone(node) && holds_all(config, node, right)
                    }
                    EdgeKind::Alias
                    | EdgeKind::UnverifiedAlias
                    | EdgeKind::Same
                    | EdgeKind::Took
                    | EdgeKind::Detached => false,
                };
                is_held && stays
            });
            !is_known
        }
        LinkChange::SeenAt { identifier, .. } => links.node(identifier).is_none(),
        LinkChange::Seen(_)
        | LinkChange::Anew { .. }
        | LinkChange::Blocked { .. }
        | LinkChange::Unblocked(_) => true,
    })
}

/// What one identifier's own links say of it.
enum Whose<'a> {
    /// One anchor's claim counts, and no other does.
    Of(&'a Identifier),
    /// Nothing was ever told of it together with anything else.
    Own,
    /// It is blocked.
    Nobodys,
    /// Several anchors' claims of this kind count: nobody's, unless they are one person.
    Shared(EdgeKind),
    /// It takes more than its own links.
    Unsettled,
}

fn whose(node: &Node) -> Whose<'_> {
    if node.blocked().is_some() {
        return Whose::Nobodys;
    }
    let mut claims = Claims::default();
    let mut is_plain = true;
    for Edge { other, kind, .. } in node.edges() {
        match kind {
            EdgeKind::Claim => claims.verified.add(other),
            EdgeKind::Unverified => claims.public.add(other),
            EdgeKind::Soft => is_plain = false,
            // Whether an alias is void is said elsewhere, and what was told apart may be near.
            EdgeKind::Alias
            | EdgeKind::UnverifiedAlias
            | EdgeKind::Same
            | EdgeKind::Took
            | EdgeKind::Detached => return Whose::Unsettled,
        }
    }
    let (kind, counting) = if claims.verified.first.is_some() {
        (EdgeKind::Claim, claims.verified)
    } else {
        (EdgeKind::Unverified, claims.public)
    };
    match counting {
        Claimants {
            is_several: true, ..
        } => Whose::Shared(kind),
        Claimants {
            first: Some(anchor),
            ..
        } => Whose::Of(anchor),
        Claimants { first: None, .. } if is_plain => Whose::Own,
        Claimants { first: None, .. } => Whose::Unsettled,
    }
}

#[derive(Default)]
struct Claims<'a> {
    verified: Claimants<'a>,
    public: Claimants<'a>,
}

#[derive(Default)]
struct Claimants<'a> {
    first: Option<&'a Identifier>,
    is_several: bool,
}

impl<'a> Claimants<'a> {
    fn add(&mut self, anchor: &'a Identifier) {
        self.is_several |= self.first.is_some_and(|first| first != anchor);
        self.first = self.first.or(Some(anchor));
    }
}

/// Whether those with a claim of this kind are several persons for sure: no merge concerns any of them.
fn is_contested(config: &Config, links: &Links, node: &Node, kind: EdgeKind) -> bool {
    node.others(kind).all(|claimant| {
        let is_known = links.is_loaded(claimant) && links.is_single(claimant);
        // What stands for whoever was erased is merged with nobody.
        is_known || !config.is_anchor(claimant)
    })
}

/// Whether no merge concerns an anchor.
fn is_alone(node: &Node) -> bool {
    node.joined().next().is_none()
}

/// Whether an anchor claims no more in a namespace than its limit.
fn holds_all(config: &Config, anchor: &Node, identifier: &Identifier) -> bool {
    let limit = config
        .rule(&identifier.namespace)
        .and_then(|rule| rule.limit);
    let claimed = anchor.claimed().map(|(other, ..)| other);
    let of_namespace = claimed.filter(|other| other.namespace == identifier.namespace);
    limit.is_none_or(|limit| of_namespace.take(limit.saturating_add(1)).count() <= limit)
}
