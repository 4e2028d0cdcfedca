//! Which identifiers are one person? A pure function of the links, whatever order they came in.
//!
//! Not here: which of the profiles an event is about (`attribute`), and what a profile holds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use wayfare_event::{IdKey, Identifier, Namespace, ProfileId, Timestamp};

use crate::{Class, Config, Edge, EdgeKind, Links, Node};

/// Every loaded identifier in exactly one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    profiles: BTreeMap<Identifier, Profile>,
    lead_of: BTreeMap<Identifier, Identifier>,
}

impl Partition {
    /// The profiles, ordered by the identifier their id is derived from.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.values()
    }

    /// The profile an identifier is in; none when it was not among the links.
    #[must_use]
    pub fn profile_of(&self, identifier: &Identifier) -> Option<&Profile> {
        self.profiles.get(self.lead_of.get(identifier)?)
    }
}

/// One person, as far as identifiers tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Derived from the anchor, else from the first identifier. An anchored profile never changes
    /// it; another one changes it at most when it is joined.
    pub id: ProfileId,
    /// Its identifiers, by rank and value; never empty.
    pub identifiers: Vec<Identifier>,
    /// What holds it together.
    pub standing: Standing,
    /// Whether it has an anchor or an uncontested address (SP 14).
    pub known: bool,
}

impl Profile {
    /// Its anchor, if it has one.
    #[must_use]
    pub fn anchor(&self) -> Option<&Identifier> {
        match self.standing {
            Standing::Anchored => self.identifiers.first(),
            Standing::Loose | Standing::Evicted | Standing::Contested => None,
        }
    }
}

/// What holds a profile together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It has an anchor.
    Anchored,
    /// It has none yet: identifiers that nobody claims, named together.
    Loose,
    /// One identifier whose only anchor holds others of its namespace that were claimed later.
    Evicted,
    /// One identifier that several anchors claim: nobody's.
    Contested,
}

/// Finds the profiles of the loaded identifiers.
///
/// An identifier that one anchor claims is the anchor's; one that several claim is nobody's. Of a
/// namespace with a limit an anchor keeps those claimed last, ties keep the greater value, and
/// contested ones take their places (SP 15). Unclaimed identifiers that were named together join
/// the one anchor next to them, and stay apart when there is none or more than one; an evicted
/// identifier still leads its neighbours to its anchor.
#[must_use]
pub fn resolve(config: &Config, key: &IdKey, links: &Links) -> Partition {
    let mut owners = Owners::new(config, links);
    owners.settle_claimed();
    owners.settle_unclaimed();
    let mut groups: BTreeMap<Identifier, (Standing, BTreeSet<Identifier>)> = BTreeMap::new();
    for (identifier, (standing, lead)) in owners.leads {
        let group = groups
            .entry(lead.clone())
            .or_insert_with(|| (standing, BTreeSet::from([lead.clone()])));
        group.1.insert(identifier.clone());
    }
    let mut partition = Partition {
        profiles: BTreeMap::new(),
        lead_of: BTreeMap::new(),
    };
    for (lead, (standing, identifiers)) in groups {
        for identifier in &identifiers {
            partition.lead_of.insert(identifier.clone(), lead.clone());
        }
        let epoch = links.node(&lead).map_or(1, |node| node.epoch());
        let profile = profile(config, (key, epoch), &lead, (standing, identifiers));
        partition.profiles.insert(lead, profile);
    }
    partition
}

fn profile(
    config: &Config,
    (key, epoch): (&IdKey, u64),
    lead: &Identifier,
    group: (Standing, BTreeSet<Identifier>),
) -> Profile {
    let (standing, identifiers) = group;
    let mut identifiers: Vec<Identifier> = identifiers.into_iter().collect();
    // The anchor goes first whatever its rank, since the id and the account are read off it.
    identifiers.sort_by_key(|it| (it != lead, config.rank(&it.namespace)));
    let has_address = || {
        identifiers
            .iter()
            .any(|it| config.has_class(it, Class::Address))
    };
    let known = match standing {
        Standing::Anchored => true,
        Standing::Loose | Standing::Evicted => has_address(),
        Standing::Contested => false,
    };
    Profile {
        id: ProfileId::derive(key, epoch, lead.namespace.as_str(), &lead.value),
        identifiers,
        standing,
        known,
    }
}

/// Each identifier's standing, and the identifier that stands for its profile.
struct Owners<'a> {
    config: &'a Config,
    links: &'a Links,
    claims: BTreeMap<&'a Identifier, BTreeSet<&'a Identifier>>,
    leads: BTreeMap<&'a Identifier, (Standing, &'a Identifier)>,
}

impl<'a> Owners<'a> {
    fn new(config: &'a Config, links: &'a Links) -> Self {
        let claims = links
            .nodes()
            .filter(|node| !config.is_anchor(node.identifier()))
            .map(|node| (node.identifier(), links.claimants(node)))
            .collect();
        Self {
            config,
            links,
            claims,
            leads: BTreeMap::new(),
        }
    }

    fn settle_claimed(&mut self) {
        let mut evicted: BTreeSet<(Identifier, Identifier)> = BTreeSet::new();
        for node in self.links.nodes() {
            let anchor = node.identifier();
            if self.config.is_anchor(anchor) {
                self.leads.insert(anchor, (Standing::Anchored, anchor));
                let others = beyond_limits(self.config, self.links, node);
                evicted.extend(others.into_iter().map(|other| (anchor.clone(), other)));
            }
        }
        for (identifier, claimants) in &self.claims {
            let mut claimants = claimants.iter();
            let owner = match (claimants.next(), claimants.next()) {
                (None, _) => continue,
                (Some(_), Some(_)) => (Standing::Contested, *identifier),
                (Some(anchor), None) => {
                    let pair = ((*anchor).clone(), (*identifier).clone());
                    if evicted.contains(&pair) {
                        (Standing::Evicted, *identifier)
                    } else {
                        (Standing::Anchored, *anchor)
                    }
                }
            };
            self.leads.insert(identifier, owner);
        }
    }

    fn settle_unclaimed(&mut self) {
        let unclaimed: Vec<&Identifier> = self
            .claims
            .iter()
            .filter(|(_, claimants)| claimants.is_empty())
            .map(|(identifier, _)| *identifier)
            .collect();
        for identifier in unclaimed {
            if self.leads.contains_key(identifier) {
                continue;
            }
            let (members, anchors) = self.component(identifier);
            let first = members
                .iter()
                .copied()
                .min_by_key(|member| self.config.order(member))
                .unwrap_or(identifier);
            let owner = match (anchors.first(), anchors.len()) {
                (Some(anchor), 1) => (Standing::Anchored, *anchor),
                _ => (Standing::Loose, first),
            };
            for member in members {
                self.leads.insert(member, owner);
            }
        }
    }

    /// The unclaimed identifiers that hang softly together with this one, and the anchors next to
    /// them. A contested neighbour leads nowhere.
    fn component(
        &self,
        start: &'a Identifier,
    ) -> (BTreeSet<&'a Identifier>, BTreeSet<&'a Identifier>) {
        let mut members = BTreeSet::from([start]);
        let mut anchors = BTreeSet::new();
        let mut open = vec![start];
        while let Some(node) = open.pop().and_then(|member| self.links.node(member)) {
            for other in node.others(EdgeKind::Soft) {
                match self.claims.get(other) {
                    Some(claimants) if claimants.is_empty() => {
                        if members.insert(other) {
                            open.push(other);
                        }
                    }
                    Some(claimants) if claimants.len() == 1 => anchors.extend(claimants),
                    Some(_) | None => {}
                }
            }
        }
        (members, anchors)
    }
}

/// The identifiers an anchor claims and, by the limits, does not hold.
fn beyond_limits(config: &Config, links: &Links, anchor: &Node) -> BTreeSet<Identifier> {
    let is_live = |edge: &Edge| match edge.kind {
        EdgeKind::Claim => true,
        EdgeKind::Alias => !links.is_void(anchor.identifier(), &edge.other),
        EdgeKind::Soft => false,
    };
    let mut claimed: BTreeMap<Namespace, BTreeMap<Identifier, Timestamp>> = BTreeMap::new();
    for edge in anchor.edges().filter(is_live) {
        let latest = claimed
            .entry(edge.other.namespace.clone())
            .or_default()
            .entry(edge.other)
            .or_insert(edge.latest);
        *latest = edge.latest.max(*latest);
    }
    let mut beyond = BTreeSet::new();
    for (namespace, claims) in claimed {
        let Some(rule) = config.rule(&namespace) else {
            continue;
        };
        let Some(limit) = rule.limit else { continue };
        let newest = claims.values().max().copied().unwrap_or_default();
        let in_window = |latest: Timestamp| {
            rule.window_us
                .is_none_or(|window_us| newest.micros_since(latest) <= window_us)
        };
        let mut counted: Vec<(Timestamp, Identifier)> = claims
            .into_iter()
            .filter(|(_, latest)| in_window(*latest))
            .map(|(identifier, latest)| (latest, identifier))
            .collect();
        counted.sort_by(|left, right| Reverse(left).cmp(&Reverse(right)));
        beyond.extend(counted.into_iter().skip(limit).map(|(_, it)| it));
    }
    beyond
}
