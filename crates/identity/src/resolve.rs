//! Which identifiers are one person? A pure function of the links, whatever order they came in.
//!
//! Not here: which of the profiles an event is about (`attribute`), and what a profile holds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use wayfare_event::{IdKey, Identifier, Namespace, ProfileId, Timestamp};

use crate::{Class, Config, EdgeKind, Links, Node, Trust};

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
    /// Derived from the anchor, of several that are one person from the one the others were taken
    /// into; else from the first identifier (2.1.6). An anchored profile changes it only when an
    /// operator says so; another one at most when it is joined.
    pub id: ProfileId,
    /// Its identifiers, by rank and value; never empty.
    pub identifiers: Vec<Identifier>,
    /// What holds it together.
    pub standing: Standing,
    /// Whether it has an anchor or an uncontested address (SP 14).
    pub known: bool,
}

impl Profile {
    /// Its anchor, if it has one: the one that stands for it.
    #[must_use]
    pub fn anchor(&self) -> Option<&Identifier> {
        match self.standing {
            Standing::Anchored => self.identifiers.first(),
            Standing::Loose | Standing::Evicted | Standing::Contested | Standing::Blocked => None,
        }
    }
}

impl Profile {
    /// The anchor that is meant when one of its identifiers is named: itself, else the one that stands
    /// for the profile.
    #[must_use]
    pub fn towards<'a>(
        &'a self,
        config: &Config,
        identifier: &'a Identifier,
    ) -> Option<&'a Identifier> {
        let lead = self.anchor()?;
        let is_own = config.is_anchor(identifier) && self.identifiers.contains(identifier);
        Some(if is_own { identifier } else { lead })
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
    /// One identifier that several persons claim: nobody's.
    Contested,
    /// One identifier that so many claimed at once that events go on without it: nobody's.
    Blocked,
}

/// Finds the profiles of the loaded identifiers (2.1.5).
///
/// Anchors that an operator merged are one person (1). An identifier that one person claims is theirs
/// (2, 5); one that several claim is nobody's (3). Of a namespace with a limit a person keeps those
/// claimed last, ties keep the greater value, and contested ones take their places (4; SP 15).
/// Unclaimed identifiers that were named together join the one person next to them, and stay apart
/// when there is none or more than one, or when one of them was detached from that person (6); an
/// evicted identifier still leads its neighbours to its person.
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
        Standing::Contested | Standing::Blocked => false,
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
    /// The anchors that stand for others, of those that merges concern.
    merged: BTreeMap<&'a Identifier, &'a Identifier>,
    /// D(x) of every identifier that is no anchor, each person by the anchor that stands for them.
    claims: BTreeMap<&'a Identifier, BTreeSet<&'a Identifier>>,
    leads: BTreeMap<&'a Identifier, (Standing, &'a Identifier)>,
}

impl<'a> Owners<'a> {
    fn new(config: &'a Config, links: &'a Links) -> Self {
        let mut owners = Self {
            config,
            links,
            merged: merged(config, links),
            claims: BTreeMap::new(),
            leads: BTreeMap::new(),
        };
        let others = links
            .nodes()
            .filter(|node| !config.is_anchor(node.identifier()));
        for node in others {
            let identifier = node.identifier();
            if node.blocked().is_some() {
                let owner = (Standing::Blocked, identifier);
                owners.leads.insert(identifier, owner);
                continue;
            }
            let mut claimants = links.claimants(node);
            if !owners.merged.is_empty() {
                claimants = claimants.into_iter().map(|it| owners.lead(it)).collect();
            }
            owners.claims.insert(identifier, claimants);
        }
        owners
    }

    fn lead(&self, anchor: &'a Identifier) -> &'a Identifier {
        self.merged.get(anchor).copied().unwrap_or(anchor)
    }

    /// Anchors and what they claim (2.1.5, 3 to 5).
    fn settle_claimed(&mut self) {
        let mut persons: BTreeMap<&Identifier, Vec<&Node>> = BTreeMap::new();
        for node in self.links.nodes() {
            let anchor = node.identifier();
            if self.config.is_anchor(anchor) {
                let lead = self.lead(anchor);
                self.leads.insert(anchor, (Standing::Anchored, lead));
                persons.entry(lead).or_default().push(node);
            }
        }
        let mut evicted: BTreeSet<(&Identifier, &Identifier)> = BTreeSet::new();
        for (lead, nodes) in persons {
            let others = self.beyond_limits(lead, &nodes);
            evicted.extend(others.into_iter().map(|other| (lead, other)));
        }
        for (identifier, claimants) in &self.claims {
            let mut claimants = claimants.iter();
            let owner = match (claimants.next(), claimants.next()) {
                (None, _) => continue,
                (Some(_), Some(_)) => (Standing::Contested, *identifier),
                // Whoever claimed it was erased: it is nobody's.
                (Some(person), None) if !self.config.is_anchor(person) => {
                    (Standing::Contested, *identifier)
                }
                (Some(person), None) if evicted.contains(&(*person, *identifier)) => {
                    (Standing::Evicted, *identifier)
                }
                (Some(person), None) => (Standing::Anchored, *person),
            };
            self.leads.insert(identifier, owner);
        }
    }

    /// Components of what nobody claims (2.1.5, 6).
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
            let (members, persons) = self.component(identifier);
            let first = members
                .iter()
                .copied()
                .min_by_key(|member| self.config.order(member))
                .unwrap_or(identifier);
            let owner = match (persons.first(), persons.len()) {
                (Some(person), 1) if !self.is_detached(&members, person) => {
                    (Standing::Anchored, *person)
                }
                _ => (Standing::Loose, first),
            };
            for member in members {
                self.leads.insert(member, owner);
            }
        }
    }

    /// Whether an operator told one of these apart from a person: then none comes back to them by
    /// having been named with what is theirs.
    fn is_detached(&self, members: &BTreeSet<&'a Identifier>, person: &Identifier) -> bool {
        let nodes = members.iter().filter_map(|member| self.links.node(member));
        let mut anchors = nodes.flat_map(|node| node.others(EdgeKind::Detached));
        anchors.any(|anchor| self.lead(anchor) == person)
    }

    /// The unclaimed identifiers that hang softly together with this one, and the persons next to
    /// them. A contested neighbour leads nowhere.
    fn component(
        &self,
        start: &'a Identifier,
    ) -> (BTreeSet<&'a Identifier>, BTreeSet<&'a Identifier>) {
        let mut members = BTreeSet::from([start]);
        let mut persons = BTreeSet::new();
        let mut open = vec![start];
        while let Some(node) = open.pop().and_then(|member| self.links.node(member)) {
            for other in node.others(EdgeKind::Soft) {
                match self.claims.get(other) {
                    Some(claimants) if claimants.is_empty() => {
                        if members.insert(other) {
                            open.push(other);
                        }
                    }
                    Some(claimants) if claimants.len() == 1 => {
                        persons.extend(claimants.iter().filter(|it| self.config.is_anchor(it)));
                    }
                    Some(_) | None => {}
                }
            }
        }
        (members, persons)
    }

    /// The identifiers a person claims and, by the limits, does not hold (2.1.5, 4). A claim that
    /// does not count, and a blocked identifier, take no place.
    fn beyond_limits(&self, lead: &Identifier, anchors: &[&'a Node]) -> Vec<&'a Identifier> {
        let mut claimed: BTreeMap<&Namespace, BTreeMap<&'a Identifier, Timestamp>> =
            BTreeMap::new();
        for anchor in anchors {
            for (other, kind, latest) in anchor.claimed() {
                if self.counts((lead, anchor.identifier()), other, kind) {
                    let of = claimed.entry(&other.namespace).or_default();
                    let held = of.entry(other).or_insert(latest);
                    *held = latest.max(*held);
                }
            }
        }
        let mut beyond = Vec::new();
        for (namespace, claims) in claimed {
            let Some(rule) = self.config.rule(namespace) else {
                continue;
            };
            let Some(limit) = rule.limit.filter(|limit| claims.len() > *limit) else {
                continue;
            };
            let newest = claims.values().max().copied().unwrap_or_default();
            let in_window = |latest: Timestamp| {
                rule.window_us
                    .is_none_or(|window_us| newest.micros_since(latest) <= window_us)
            };
            let mut counted: Vec<(Timestamp, &Identifier)> = claims
                .into_iter()
                .filter(|(_, latest)| in_window(*latest))
                .map(|(identifier, latest)| (latest, identifier))
                .collect();
            counted.sort_by_key(|claim| Reverse(*claim));
            beyond.extend(counted.into_iter().skip(limit).map(|(_, it)| it));
        }
        beyond
    }

    /// Whether one of a person's anchors claims an identifier in a way that counts.
    fn counts(
        &self,
        (lead, anchor): (&Identifier, &Identifier),
        other: &Identifier,
        kind: EdgeKind,
    ) -> bool {
        let is_owner = || {
            let owners = self.claims.get(other);
            owners.is_some_and(|owners| owners.contains(lead))
        };
        let is_overruled = || {
            let node = self.links.node(other);
            node.is_some_and(|node| !self.links.claiming(node, Trust::Verified).is_empty())
        };
        match kind {
            EdgeKind::Claim => is_owner(),
            EdgeKind::Alias => is_owner() && !self.links.is_void(anchor, other),
            EdgeKind::Unverified => is_owner() && !is_overruled(),
            EdgeKind::UnverifiedAlias => {
                is_owner() && !is_overruled() && !self.links.is_void(anchor, other)
            }
            EdgeKind::Soft | EdgeKind::Same | EdgeKind::Took | EdgeKind::Detached => false,
        }
    }
}

/// The anchors that merges concern, each with the one that stands for it (2.1.5, 1).
fn merged<'a>(config: &Config, links: &'a Links) -> BTreeMap<&'a Identifier, &'a Identifier> {
    let anchors = links.nodes().map(Node::identifier);
    anchors
        .filter(|it| config.is_anchor(it) && !links.is_single(it))
        .map(|anchor| (anchor, links.lead(anchor)))
        .collect()
}
