//! Who is one person? A small model from scratch, over everything that was told and ordered, in its
//! order: what one user claims is theirs, what several claim is nobody's, and what nobody claims hangs
//! together by being named together.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{DAY, Fed};

/// What identifies somebody, best first.
const RANKS: [&str; 4] = ["email:", "phone:", "device_id:", "anonymous_id:"];
/// Addresses and devices that a person holds. Of browsers it is twenty a week, more than there are.
const HELD: usize = 5;
/// Users that claim one identifier, at most; and that block it when they do so within a day.
const CROWD: usize = 8;

/// One person, or something that is nobody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// What they are known by: the user that others were taken into, else the best identifier.
    pub(crate) lead: String,
    pub(crate) names: BTreeSet<String>,
    /// How many claim what is nobody's: one who holds others by now, or several.
    pub(crate) claimed: usize,
    /// Whether it is a thing that so many claimed that events go on without it.
    pub(crate) is_blocked: bool,
}

/// Everybody.
pub(crate) type Groups = Vec<Group>;

/// Something that changes who is who.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    Event(Fed),
    /// A user was taken into another one.
    Merged {
        from: String,
        into: String,
        at: i64,
    },
    /// A merge was undone.
    Parted {
        from: String,
    },
    /// What these users claimed of an identifier by then is undone.
    Detached {
        users: BTreeSet<String>,
        identifier: String,
        until: i64,
    },
    Unblocked(String),
    /// Nothing goes to an address, since it bounced or somebody complained; or what was said counts.
    Suppressed {
        address: String,
        bounced: Option<bool>,
    },
    /// These are erased, each with what stands for it where it claimed something of others.
    Erased {
        names: BTreeMap<String, String>,
        deletes: bool,
        silences: bool,
    },
    /// These are erased once a walk in a journey is over, and not heard of until then.
    Leaving {
        names: BTreeSet<String>,
        deletes: bool,
        silences: bool,
    },
    /// These are heard of again.
    Readmitted(BTreeSet<String>),
    /// An order that comes to nothing.
    Nothing,
}

pub(crate) fn is_user(identifier: &str) -> bool {
    identifier.starts_with("user_id:")
}

pub(crate) fn is_address(identifier: &str) -> bool {
    identifier.starts_with("email:") || identifier.starts_with("phone:")
}

/// The place of an identifier that is no user's, the best first.
pub(crate) fn rank(identifier: &str) -> usize {
    let place = RANKS.iter().position(|it| identifier.starts_with(it));
    place.unwrap_or(RANKS.len())
}

/// A claim that was not undone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    at: i64,
    is_public: bool,
    is_alias: bool,
}

/// What is known after some words.
#[derive(Default)]
pub(crate) struct Known<'a> {
    seen: BTreeSet<&'a str>,
    /// By identifier, then by user.
    pub(super) claims: BTreeMap<&'a str, BTreeMap<&'a str, Vec<Claim>>>,
    /// Named together, and since when.
    pub(super) soft: BTreeMap<&'a str, BTreeMap<&'a str, i64>>,
    /// Into whom a user was taken, and when.
    pub(super) taken: BTreeMap<&'a str, (&'a str, i64)>,
    /// By identifier: from whom it was told apart, and until when.
    apart: BTreeMap<&'a str, BTreeMap<&'a str, i64>>,
    blocked: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    pub(crate) fn after(words: impl Iterator<Item = &'a Word>) -> Self {
        let mut known = Self::default();
        for word in words {
            match word {
                Word::Event(fed) => known.hear(fed),
                Word::Merged { from, into, at } => {
                    known.taken.insert(from, (into, *at));
                }
                Word::Parted { from } => {
                    known.taken.remove(from.as_str());
                }
                Word::Detached {
                    users,
                    identifier,
                    until,
                } => {
                    let claims = known.claims.entry(identifier).or_default();
                    claims.retain(|user, _| !users.contains(*user));
                    let apart = known.apart.entry(identifier).or_default();
                    for user in users {
                        let last = apart.entry(user).or_insert(*until);
                        *last = (*last).max(*until);
                    }
                }
                Word::Unblocked(identifier) => {
                    known.blocked.remove(identifier.as_str());
                }
                Word::Suppressed {
                    address,
                    bounced: Some(_),
                } => {
                    known.seen.insert(address);
                }
                Word::Erased {
                    names,
                    deletes: true,
                    ..
                } => known.forget(names),
                Word::Erased { deletes: false, .. }
                | Word::Readmitted(_)
                | Word::Leaving { .. }
                | Word::Suppressed { bounced: None, .. }
                | Word::Nothing => {}
            }
        }
        known
    }

    /// Nothing is known of these any more, but that somebody claims what they claimed of others.
    fn forget(&mut self, names: &'a BTreeMap<String, String>) {
        let stays = |name: &str| !names.contains_key(name);
        self.seen.retain(|name| stays(name));
        self.blocked.retain(|name| stays(name));
        self.claims.retain(|name, _| stays(name));
        self.soft.retain(|name, _| stays(name));
        self.apart.retain(|name, _| stays(name));
        self.taken
            .retain(|from, (into, _)| stays(from) && stays(into));
        for beside in self.soft.values_mut() {
            beside.retain(|name, _| stays(name));
        }
        for apart in self.apart.values_mut() {
            apart.retain(|user, _| stays(user));
        }
        for claims in self.claims.values_mut() {
            for (name, ghost) in names {
                for claim in claims.remove(name.as_str()).into_iter().flatten() {
                    let is_alias = false;
                    let own = claims.entry(ghost).or_default();
                    own.push(Claim { is_alias, ..claim });
                }
            }
        }
    }

    /// Everything that is a person's: what they hold, and what they alone claim beyond that.
    pub(crate) fn all_of(&self, groups: &Groups, identifier: &str) -> BTreeSet<String> {
        let group = |name: &str| groups.iter().find(|it| it.names.contains(name));
        let Some(own) = group(identifier) else {
            return BTreeSet::new();
        };
        let sole = |name: &str| {
            let owners = self.owners(name);
            let owner = owners.first().copied().filter(|_| owners.len() == 1);
            owner.filter(|owner| is_user(owner) && !self.blocked.contains(name))
        };
        let lead = sole(&own.lead).unwrap_or(&own.lead);
        let mut names = group(lead).map(|it| it.names.clone()).unwrap_or_default();
        let evicted = self.seen.iter().filter(|name| sole(name) == Some(lead));
        names.extend(evicted.map(|name| (*name).to_owned()));
        names
    }

    fn hear(&mut self, fed: &'a Fed) {
        let user = fed.names.iter().map(String::as_str).find(|it| is_user(it));
        let names = || fed.names.iter().map(String::as_str);
        let free: Vec<&str> = names()
            .filter(|it| !is_user(it) && !self.blocked.contains(it))
            .collect();
        for name in &free {
            let Some(user) = user else {
                let beside = self.soft.entry(name).or_default();
                for other in free.iter().filter(|other| *other != name) {
                    let since = beside.entry(other).or_insert(fed.occurred);
                    *since = fed.occurred.min(*since);
                }
                continue;
            };
            let claim = Claim {
                at: fed.occurred,
                is_public: fed.public,
                is_alias: fed.previous.as_deref() == Some(*name),
            };
            self.claim(user, name, claim);
        }
        self.seen.extend(names());
    }

    fn claim(&mut self, user: &'a str, name: &'a str, claim: Claim) {
        let until = self.apart.get(name).and_then(|apart| apart.get(user));
        if until.is_some_and(|until| claim.at <= *until) {
            return;
        }
        let own = self.claims.get(name).and_then(|claims| claims.get(user));
        let is_same = |it: &Claim| it.is_public == claim.is_public && it.is_alias == claim.is_alias;
        let is_new = own.is_none_or(|own| !own.iter().any(is_same));
        let verified = self.claiming(name, false);
        let public = self.claiming(name, true);
        let crowd = verified.len() + if claim.is_public { public.len() } else { 0 };
        let beside = if claim.is_public { &public } else { &verified };
        let counts = !claim.is_public || verified.is_empty();
        let mut firsts: BTreeMap<&str, i64> = BTreeMap::new();
        for (other, at) in beside {
            let first = firsts.entry(self.lead(other)).or_insert(*at);
            *first = (*first).min(*at);
        }
        let is_news = !firsts.contains_key(self.lead(user));
        // A day in which so many began, this one among them, whether there is room for it or not.
        let begins = firsts.values().copied().chain([claim.at]);
        let in_a_day = |from: i64| {
            let is_in = |at: i64| (from..=from + DAY).contains(&at);
            let others = firsts.values().filter(|at| is_in(**at)).count();
            is_in(claim.at) && others + 1 >= CROWD
        };
        if counts && is_news && begins.into_iter().any(in_a_day) {
            self.blocked.insert(name);
        }
        if is_new && crowd >= CROWD {
            return;
        }
        let claims = self.claims.entry(name).or_default();
        claims.entry(user).or_default().push(claim);
    }

    /// Who claims an identifier, by public claims or by verified ones, and since when. An alias counts
    /// as long as nobody goes by its text.
    pub(super) fn claiming(&self, name: &str, is_public: bool) -> BTreeMap<&'a str, i64> {
        let is_void = |it: &Claim| it.is_alias && self.is_a_user(name);
        let mut claiming = BTreeMap::new();
        for (user, claims) in self.claims.get(name).into_iter().flatten() {
            let counting = claims.iter();
            let counting = counting.filter(|it| it.is_public == is_public && !is_void(it));
            if let Some(first) = counting.map(|it| it.at).min() {
                claiming.insert(*user, first);
            }
        }
        claiming
    }

    fn is_a_user(&self, name: &str) -> bool {
        let text = name.split_once(':').map_or(name, |(_, text)| text);
        self.seen.contains(format!("user_id:{text}").as_str())
    }

    /// The user that stands for another one.
    fn lead<'s>(&self, user: &'s str) -> &'s str
    where
        'a: 's,
    {
        let mut lead = user;
        while let Some((into, _)) = self.taken.get(lead) {
            lead = into;
        }
        lead
    }

    /// The persons whose claims on an identifier count.
    pub(super) fn owners(&self, name: &str) -> BTreeSet<&'a str> {
        let verified = self.claiming(name, false);
        let counting = if verified.is_empty() {
            self.claiming(name, true)
        } else {
            verified
        };
        counting.into_keys().map(|user| self.lead(user)).collect()
    }

    /// When a person last claimed an identifier, by claims that count.
    fn claimed_last(&self, name: &str, person: &str) -> i64 {
        let is_public = self.claiming(name, false).is_empty();
        let of_person = self.claims.get(name).into_iter().flatten();
        let of_person = of_person.filter(|(user, _)| self.lead(user) == person);
        let claims = of_person.flat_map(|(_, claims)| claims);
        let is_void = |it: &&Claim| it.is_alias && self.is_a_user(name);
        let counting = claims.filter(|it| it.is_public == is_public && !is_void(it));
        counting.map(|it| it.at).max().unwrap_or_default()
    }

    /// What a person claims and does not hold, since they hold those claimed last.
    fn evicted(
        &self,
        owners: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    ) -> BTreeSet<(&'a str, &'a str)> {
        let mut claimed: BTreeMap<(&str, usize), Vec<(i64, &str)>> = BTreeMap::new();
        for (name, persons) in owners.iter().filter(|(name, _)| rank(name) < 3) {
            for person in persons.iter().filter(|it| is_user(it)) {
                let of = claimed.entry((person, rank(name))).or_default();
                of.push((self.claimed_last(name, person), name));
            }
        }
        let mut evicted = BTreeSet::new();
        for ((person, _), mut names) in claimed {
            names.sort_unstable();
            names.reverse();
            evicted.extend(names.iter().skip(HELD).map(|(_, name)| (person, *name)));
        }
        evicted
    }

    /// Everybody.
    pub(crate) fn groups(&self) -> Groups {
        let others = self.seen.iter().filter(|it| !is_user(it));
        let owners: BTreeMap<&str, BTreeSet<&str>> = others
            .filter(|it| !self.blocked.contains(*it))
            .map(|name| (*name, self.owners(name)))
            .collect();
        let evicted = self.evicted(&owners);
        let mut leads: BTreeMap<&str, &str> = BTreeMap::new();
        for name in &self.seen {
            let owner = owners.get(name).filter(|it| it.len() == 1);
            let owner = owner.and_then(|it| it.first().copied());
            let owner = owner.filter(|it| is_user(it) && !evicted.contains(&(*it, *name)));
            let lead = if is_user(name) {
                self.lead(name)
            } else {
                owner.unwrap_or(name)
            };
            leads.insert(name, lead);
        }
        let unclaimed = owners.iter().filter(|(_, it)| it.is_empty());
        let mut open: BTreeSet<&str> = unclaimed.map(|(name, _)| *name).collect();
        while let Some(first) = open.first().copied() {
            let (knot, next_to) = self.knot(first, &owners);
            let person = next_to.first().filter(|_| next_to.len() == 1);
            let person = person.filter(|person| !self.was_parted(&knot, person));
            let best = knot.iter().min_by_key(|it| (rank(it), **it));
            let lead = person.or(best).copied().unwrap_or(first);
            open.retain(|it| !knot.contains(it));
            leads.extend(knot.into_iter().map(|name| (name, lead)));
        }
        let mut groups: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (name, lead) in leads {
            groups.entry(lead).or_default().insert(name.to_owned());
        }
        let groups = groups.into_iter().map(|(lead, names)| Group {
            lead: lead.to_owned(),
            claimed: owners.get(lead).map_or(0, |it| Self::claims_of(it)),
            is_blocked: self.blocked.contains(lead),
            names,
        });
        groups.collect()
    }

    /// How many claim something: whoever was erased and did makes it nobody's for good.
    fn claims_of(owners: &BTreeSet<&str>) -> usize {
        let is_ghosts = owners.iter().any(|it| !is_user(it));
        owners.len() + usize::from(is_ghosts)
    }

    /// What hangs together with an unclaimed identifier, and the persons next to that.
    fn knot(
        &self,
        first: &'a str,
        owners: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    ) -> (BTreeSet<&'a str>, BTreeSet<&'a str>) {
        let (mut knot, mut next_to) = (BTreeSet::from([first]), BTreeSet::new());
        let mut open = vec![first];
        while let Some(name) = open.pop() {
            for other in self.soft.get(name).into_iter().flat_map(BTreeMap::keys) {
                match owners.get(other) {
                    Some(persons) if persons.is_empty() => {
                        if knot.insert(other) {
                            open.push(other);
                        }
                    }
                    Some(persons) if persons.len() == 1 => {
                        next_to.extend(persons.iter().filter(|it| is_user(it)));
                    }
                    Some(_) | None => {}
                }
            }
        }
        (knot, next_to)
    }

    /// Whether one of these was told apart from a person.
    fn was_parted(&self, knot: &BTreeSet<&str>, person: &str) -> bool {
        let apart = knot.iter().filter_map(|name| self.apart.get(name));
        let mut users = apart.flat_map(BTreeMap::keys);
        users.any(|user| self.lead(user) == person)
    }

    /// Whether a person claims an identifier, be it theirs or not.
    pub(crate) fn is_claimed(&self, identifier: &str, user: &str) -> bool {
        let claims = self.claims.get(identifier).into_iter().flatten();
        let mut of_person = claims.filter(|(other, _)| self.lead(other) == self.lead(user));
        of_person.any(|(_, claims)| !claims.is_empty())
    }

    /// What a detach of an identifier from a user, both of one person, undoes.
    pub(crate) fn detach(&self, identifier: &'a str, user: &'a str, at: i64) -> Word {
        if is_user(identifier) {
            // The merge on the way from the one to the other.
            let mut from = user;
            while let Some((into, _)) = self.taken.get(from) {
                if *into == identifier {
                    let from = from.to_owned();
                    return Word::Parted { from };
                }
                from = into;
            }
            let is_taken = user != identifier && self.taken.contains_key(identifier);
            let from = identifier.to_owned();
            return if is_taken {
                Word::Parted { from }
            } else {
                Word::Nothing
            };
        }
        let claims = self.claims.get(identifier).into_iter().flatten();
        let of_person = claims.filter(|(other, _)| self.lead(other) == self.lead(user));
        let of_person: Vec<_> = of_person.filter(|(_, own)| !own.is_empty()).collect();
        let last = of_person.iter().flat_map(|(_, own)| own.iter());
        let until = last.map(|it| it.at).max().unwrap_or(at).max(at);
        let mut users: BTreeSet<String> = of_person
            .iter()
            .map(|(other, _)| (**other).to_owned())
            .collect();
        if users.is_empty() {
            users.insert(self.lead(user).to_owned());
        }
        users.insert(user.to_owned());
        Word::Detached {
            users,
            identifier: identifier.to_owned(),
            until,
        }
    }

    pub(crate) fn is_blocked(&self, identifier: &str) -> bool {
        self.blocked.contains(identifier)
    }
}
