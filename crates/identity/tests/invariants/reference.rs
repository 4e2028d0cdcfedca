//! What does the text say, read literally? Profiles computed afresh from everything that was ever
//! told, in its order, without the crate's links: slow, and written only to be compared with.

use std::collections::{BTreeMap, BTreeSet};

use wayfare_event::Identifier;
use wayfare_identity::{Config, Trust};

/// One thing that was told, as the assertion log keeps it (2.1.1).
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) at_us: i64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// An event named these.
    Observe {
        trust: Trust,
        identifiers: Vec<Identifier>,
        /// The one of them that only `previousId` names.
        alias: Option<Identifier>,
    },
    Merge {
        from: Identifier,
        into: Identifier,
    },
    Detach {
        identifier: Identifier,
        anchor: Identifier,
    },
    Unblock(Identifier),
}

/// A claim (x, u, t) as 2.1.4 adds it.
#[derive(Clone, Debug)]
struct Claim {
    identifier: Identifier,
    anchor: Identifier,
    at_us: i64,
    trust: Trust,
    is_alias: bool,
}

/// How one identifier stands, to be compared with the crate's word for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Person {
    pub(crate) lead: Identifier,
    pub(crate) identifiers: BTreeSet<Identifier>,
}

/// The assertion log and what it means.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    log: Vec<Told>,
    claims: Vec<Claim>,
    soft: BTreeSet<(Identifier, Identifier)>,
    detached: Vec<(Identifier, Identifier, i64)>,
    merges: Vec<(Identifier, Identifier, i64)>,
    named: BTreeSet<Identifier>,
    blocked: BTreeSet<Identifier>,
}

const CROWD: usize = 8;
const DAY_US: i64 = 86_400_000_000;

impl Reference {
    /// Reads the whole log again, and one thing more.
    pub(crate) fn hear(&mut self, config: &Config, told: Told) {
        let mut log = std::mem::take(&mut self.log);
        log.push(told);
        *self = Self::default();
        for told in &log {
            self.read(config, told);
        }
        self.log = log;
    }

    fn read(&mut self, config: &Config, told: &Told) {
        let is_anchor = |it: &Identifier| is_anchor(config, it);
        match &told.kind {
            Kind::Observe {
                trust,
                identifiers,
                alias,
            } => {
                self.named.extend(identifiers.iter().cloned());
                let free: Vec<&Identifier> = identifiers
                    .iter()
                    .filter(|it| !self.blocked.contains(it))
                    .collect();
                let anchor = identifiers.iter().find(|it| is_anchor(it));
                let mut fresh = Vec::new();
                for (place, left) in free.iter().enumerate() {
                    match anchor {
                        None => {
                            for right in &free[place + 1..] {
                                self.soft.insert(((*left).clone(), (*right).clone()));
                                self.soft.insert(((*right).clone(), (*left).clone()));
                            }
                        }
                        Some(anchor) if !is_anchor(left) => fresh.push(Claim {
                            identifier: (*left).clone(),
                            anchor: anchor.clone(),
                            at_us: told.at_us,
                            trust: *trust,
                            is_alias: alias.as_ref() == Some(*left),
                        }),
                        Some(_) => {}
                    }
                }
                // Caps and the breaker look at what was known before the event.
                let kept: Vec<bool> = fresh.iter().map(|it| self.has_room(config, it)).collect();
                let trips: Vec<bool> = fresh.iter().map(|it| self.trips(config, it)).collect();
                for ((claim, kept), trips) in fresh.into_iter().zip(kept).zip(trips) {
                    if trips {
                        self.blocked.insert(claim.identifier.clone());
                    }
                    self.claims.extend(kept.then_some(claim));
                }
            }
            Kind::Merge { from, into } => {
                if from != into {
                    self.named.extend([from.clone(), into.clone()]);
                    self.merges.push((from.clone(), into.clone(), told.at_us));
                }
            }
            Kind::Detach { identifier, anchor } => {
                self.named.extend([identifier.clone(), anchor.clone()]);
                self.detached
                    .push((identifier.clone(), anchor.clone(), told.at_us));
            }
            Kind::Unblock(identifier) => {
                self.blocked.remove(identifier);
            }
        }
    }

    /// detach(x, u, t) cancels every claim with a time at or before t.
    fn is_cancelled(&self, left: &Identifier, right: &Identifier, at_us: i64) -> bool {
        self.detached.iter().any(|(identifier, anchor, until_us)| {
            let same =
                (identifier, anchor) == (left, right) || (identifier, anchor) == (right, left);
            same && at_us <= *until_us
        })
    }

    /// Claims that no detach cancels, and no user of the alias's text voids.
    fn live(&self, config: &Config) -> Vec<&Claim> {
        let is_void = |claim: &Claim| {
            let same =
                |it: &&Identifier| is_anchor(config, it) && it.value == claim.identifier.value;
            claim.is_alias && self.named.iter().any(|it| same(&it))
        };
        self.claims
            .iter()
            .filter(|it| !self.is_cancelled(&it.identifier, &it.anchor, it.at_us) && !is_void(it))
            .collect()
    }

    /// If x has any verified claim, only those count.
    fn counted(&self, config: &Config) -> Vec<&Claim> {
        let live = self.live(config);
        let is_verified = |identifier: &Identifier| {
            live.iter()
                .any(|it| it.identifier == *identifier && it.trust == Trust::Verified)
        };
        live.iter()
            .filter(|it| it.trust == Trust::Verified || !is_verified(&it.identifier))
            .copied()
            .collect()
    }

    /// The anchors merged with one, and those merged with them.
    fn class(&self, anchor: &Identifier) -> BTreeSet<Identifier> {
        let mut class = BTreeSet::from([anchor.clone()]);
        loop {
            let mut wider = class.clone();
            for (from, into, at_us) in &self.merges {
                if !self.is_cancelled(from, into, *at_us)
                    && (class.contains(from) || class.contains(into))
                {
                    wider.extend([from.clone(), into.clone()]);
                }
            }
            if wider == class {
                return class;
            }
            class = wider;
        }
    }

    fn lead(&self, anchor: &Identifier) -> Identifier {
        let class = self.class(anchor);
        let was_taken = |member: &Identifier| {
            self.merges
                .iter()
                .any(|(from, into, at_us)| from == member && !self.is_cancelled(from, into, *at_us))
        };
        let free = class.iter().find(|member| !was_taken(member));
        free.or_else(|| class.first()).unwrap().clone()
    }

    /// Safety valve: eight claims on one identifier; those of public keys leave room for others.
    fn has_room(&self, config: &Config, fresh: &Claim) -> bool {
        let is_void = |claim: &Claim| {
            let same =
                |it: &&Identifier| is_anchor(config, it) && it.value == claim.identifier.value;
            claim.is_alias && self.named.iter().any(|it| same(&it))
        };
        let on_it: Vec<&Claim> = self
            .claims
            .iter()
            .filter(|it| it.identifier == fresh.identifier)
            .filter(|it| !self.is_cancelled(&it.identifier, &it.anchor, it.at_us))
            .collect();
        let is_held = on_it.iter().any(|it| {
            (&it.anchor, it.trust, it.is_alias) == (&fresh.anchor, fresh.trust, fresh.is_alias)
        });
        if is_held || self.is_cancelled(&fresh.identifier, &fresh.anchor, fresh.at_us) {
            return true;
        }
        let anchors = |trust: Trust| {
            let of = on_it.iter().filter(|it| it.trust == trust && !is_void(it));
            of.map(|it| &it.anchor).collect::<BTreeSet<_>>().len()
        };
        match fresh.trust {
            Trust::Verified => anchors(Trust::Verified) < CROWD,
            Trust::Unverified => anchors(Trust::Verified) + anchors(Trust::Unverified) < CROWD,
        }
    }

    /// Eight persons within a day, each by the first of their claims that are kept, and this new one.
    fn trips(&self, config: &Config, fresh: &Claim) -> bool {
        let counted = self.counted(config);
        let on_it = || {
            counted
                .iter()
                .filter(|it| it.identifier == fresh.identifier)
        };
        let is_overruled =
            fresh.trust == Trust::Unverified && on_it().any(|it| it.trust == Trust::Verified);
        let is_cancelled = self.is_cancelled(&fresh.identifier, &fresh.anchor, fresh.at_us);
        if is_overruled || is_cancelled {
            return false;
        }
        let mut firsts: BTreeMap<Identifier, i64> = BTreeMap::new();
        for claim in on_it().filter(|it| it.trust == fresh.trust) {
            let first = firsts
                .entry(self.lead(&claim.anchor))
                .or_insert(claim.at_us);
            *first = claim.at_us.min(*first);
        }
        let is_new = firsts
            .insert(self.lead(&fresh.anchor), fresh.at_us)
            .is_none();
        // Some day of which this claim is one, from the first claim in it on.
        is_new
            && firsts.values().any(|start| {
                let day = *start..=start + DAY_US;
                let within = firsts.values().filter(|it| day.contains(it));
                day.contains(&fresh.at_us) && within.count() >= CROWD
            })
    }

    /// resolve(S), by the numbers of 2.1.5.
    pub(crate) fn resolve(&self, config: &Config) -> BTreeSet<Person> {
        let counted: Vec<&Claim> = self
            .counted(config)
            .into_iter()
            .filter(|it| !self.blocked.contains(&it.identifier))
            .collect();
        let owners = |identifier: &Identifier| -> BTreeSet<Identifier> {
            let on_it = counted.iter().filter(|it| it.identifier == *identifier);
            on_it.map(|it| self.lead(&it.anchor)).collect()
        };
        let mut lead_of: BTreeMap<Identifier, Identifier> = BTreeMap::new();
        for identifier in &self.named {
            // 1
            if is_anchor(config, identifier) {
                lead_of.insert(identifier.clone(), self.lead(identifier));
                continue;
            }
            let owners = owners(identifier);
            // 2, 3 and 5
            if owners.len() == 1 && !self.is_evicted(config, &counted, identifier) {
                lead_of.insert(identifier.clone(), owners.first().unwrap().clone());
            } else if !owners.is_empty() || self.blocked.contains(identifier) {
                lead_of.insert(identifier.clone(), identifier.clone());
            }
        }
        // 6
        let unclaimed: Vec<Identifier> = self
            .named
            .iter()
            .filter(|it| !lead_of.contains_key(*it))
            .cloned()
            .collect();
        for identifier in &unclaimed {
            let component = self.component(&unclaimed, identifier);
            let beside = self
                .soft
                .iter()
                .filter(|(left, _)| component.contains(left));
            let mut persons = BTreeSet::new();
            for (_, right) in beside {
                let owners = owners(right);
                if owners.len() == 1 {
                    persons.extend(owners);
                }
            }
            let is_detached = |person: &Identifier| {
                self.detached.iter().any(|(identifier, anchor, _)| {
                    component.contains(identifier) && self.lead(anchor) == *person
                })
            };
            let rank = |it: &&Identifier| (config.rank(&it.namespace), (*it).clone());
            let lead = match persons.first() {
                Some(person) if persons.len() == 1 && !is_detached(person) => person.clone(),
                _ => component.iter().min_by_key(rank).unwrap().clone(),
            };
            lead_of.insert(identifier.clone(), lead);
        }
        let mut persons: BTreeMap<Identifier, BTreeSet<Identifier>> = BTreeMap::new();
        for (identifier, lead) in lead_of {
            persons.entry(lead).or_default().insert(identifier);
        }
        persons
            .into_iter()
            .map(|(lead, identifiers)| Person { lead, identifiers })
            .collect()
    }

    /// 4: beyond the k of its namespace that the person claimed last; ties keep the greater value,
    /// contested ones take places, a window counts back from the newest.
    fn is_evicted(&self, config: &Config, counted: &[&Claim], identifier: &Identifier) -> bool {
        let rule = config.rule(&identifier.namespace);
        let Some((rule, limit)) = rule.and_then(|rule| Some((rule, rule.limit?))) else {
            return false;
        };
        let on_it = counted.iter().find(|it| it.identifier == *identifier);
        let class = self.class(&on_it.unwrap().anchor);
        let mut latest: BTreeMap<&Identifier, i64> = BTreeMap::new();
        for claim in counted {
            if class.contains(&claim.anchor) && claim.identifier.namespace == identifier.namespace {
                let held = latest.entry(&claim.identifier).or_insert(claim.at_us);
                *held = claim.at_us.max(*held);
            }
        }
        let newest = latest.values().max().copied().unwrap();
        let mut places: Vec<(i64, &Identifier)> = latest
            .into_iter()
            .map(|(it, at_us)| (at_us, it))
            .filter(|(at_us, _)| rule.window_us.is_none_or(|window| newest - at_us <= window))
            .collect();
        places.sort();
        let beyond = places.len().saturating_sub(limit);
        places[..beyond].iter().any(|(_, it)| *it == identifier)
    }

    fn component(&self, unclaimed: &[Identifier], start: &Identifier) -> BTreeSet<Identifier> {
        let mut component = BTreeSet::from([start.clone()]);
        loop {
            let joined = self
                .soft
                .iter()
                .filter(|(left, right)| component.contains(left) && unclaimed.contains(right));
            let joined: BTreeSet<Identifier> = joined.map(|(_, right)| right.clone()).collect();
            if joined.is_subset(&component) {
                return component;
            }
            component.extend(joined);
        }
    }
}

fn is_anchor(config: &Config, identifier: &Identifier) -> bool {
    config
        .rule(&identifier.namespace)
        .is_some_and(|rule| rule.class == wayfare_identity::Class::Anchor)
}
