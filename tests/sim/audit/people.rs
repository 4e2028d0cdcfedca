//! Who is who, and what may be sent to them? Two small models over everything that was told: people as
//! identifiers that hang together, and consent as the latest word of each side.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Asked, DAY, Fed};

/// Everything that was told, in order.
#[derive(Clone, Default)]
pub(crate) struct People {
    told: Vec<Fed>,
    /// How much of it is durable.
    durable: usize,
    /// Messages by id, and when they were first told.
    messages: BTreeMap<String, i64>,
    /// The last answer to who hangs together, by how much was told.
    known: Option<(usize, Groups)>,
}

/// Sets of identifiers, each one person.
pub(crate) type Groups = Vec<BTreeSet<String>>;

fn is_anchor(identifier: &str) -> bool {
    identifier.starts_with("user_id:")
}

fn is_address(identifier: &str) -> bool {
    identifier.starts_with("email:")
}

impl People {
    /// An event that is no copy was told.
    pub(crate) fn tell(&mut self, fed: &Fed) {
        if let Some(message) = &fed.message {
            self.messages.insert(message.clone(), fed.at);
        }
        self.told.push(fed.clone());
    }

    /// Whether a message must be known, or may be: it is remembered for seven days at least.
    pub(crate) fn knows(&self, message: &str, at: i64) -> (bool, bool) {
        let told = self.messages.get(message);
        (told.is_some_and(|told| at - told < 7 * DAY), told.is_some())
    }

    /// What was told is durable.
    pub(crate) const fn keep(&mut self) {
        self.durable = self.told.len();
    }

    /// What was told and is not durable has not happened.
    pub(crate) fn forget(&mut self) {
        for fed in self.told.drain(self.durable..) {
            if let Some(message) = &fed.message {
                self.messages.remove(message);
            }
        }
        self.known = None;
    }

    /// What was told since the last commit.
    pub(crate) fn pending(&self) -> &[Fed] {
        &self.told[self.durable..]
    }

    /// How much was told in all.
    pub(crate) const fn all(&self) -> usize {
        self.told.len()
    }

    /// How much was told before an instant, and by then.
    pub(crate) fn around(&self, at: i64) -> [usize; 2] {
        let before = self.told.partition_point(|fed| fed.at < at);
        let by = self.told.partition_point(|fed| fed.at <= at);
        [before, by]
    }

    /// Everybody, after so much was told.
    pub(crate) fn groups(&mut self, told: usize) -> &Groups {
        if self.known.as_ref().is_none_or(|(count, _)| *count != told) {
            self.known = Some((told, groups(&self.told[..told])));
        }
        &self.known.as_ref().unwrap().1
    }

    /// The person behind an identifier, after so much was told.
    pub(crate) fn person(&mut self, told: usize, identifier: &str) -> BTreeSet<String> {
        let found = self.groups(told).iter().find(|it| it.contains(identifier));
        found
            .cloned()
            .unwrap_or_else(|| BTreeSet::from([identifier.to_owned()]))
    }

    /// Whether what is asked of a person allows a request at an instant, after so much was told.
    pub(crate) fn allows(&mut self, told: usize, (owner, asked): (&str, &Asked), at: i64) -> bool {
        let Some(category) = &asked.category else {
            return true;
        };
        if category == "essential" {
            return true;
        }
        let person = self.person(told, owner);
        let by_address = category == "marketing";
        if by_address && asked.address.is_none() {
            return false;
        }
        let is_own = asked.address.as_ref().is_some_and(|it| person.contains(it));
        let (mut accepted, mut declined) = (None, None);
        for fed in &self.told[..told] {
            let Some(said) = fed.said.as_ref().filter(|said| said.category == category) else {
                continue;
            };
            let of_person = person.contains(&said.subject);
            let counts = if !by_address {
                of_person
            } else if is_address(&said.subject) {
                asked.address.as_ref() == Some(&said.subject)
            } else {
                of_person && (is_own || !said.accepts)
            };
            let when = Some(fed.occurred.min(fed.at));
            if counts && !said.accepts {
                declined = declined.max(when);
            } else if counts && said.until.is_none_or(|until| until > at) {
                accepted = accepted.max(when);
            }
        }
        // Of the same instant the refusal prevails.
        let is_accepted = accepted > declined;
        if asked.declines {
            declined.is_some() && !is_accepted
        } else {
            is_accepted
        }
    }
}

/// Who hangs together. What one user claims is theirs; what several claim is nobody's; what nobody
/// claims hangs together by being named together, and is the one user's next to it.
fn groups(told: &[Fed]) -> Groups {
    let mut claims: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut soft: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut union = Union::default();
    for fed in told {
        let anchor = fed.names.iter().find(|it| is_anchor(it));
        for name in &fed.names {
            union.root(name);
            let Some(anchor) = anchor else {
                let others = fed.names.iter().map(String::as_str);
                soft.entry(name).or_default().extend(others);
                continue;
            };
            if name != anchor {
                claims.entry(name).or_default().insert(anchor);
            }
        }
    }
    let owners = |name: &str| claims.get(name).map_or(0, BTreeSet::len);
    for (name, anchors) in &claims {
        if let Some(anchor) = anchors.first().filter(|_| anchors.len() == 1) {
            union.join(name, anchor);
        }
    }
    let unclaimed = || soft.keys().filter(|it| owners(it) == 0);
    for name in unclaimed() {
        for other in soft[name].iter().filter(|it| owners(it) == 0) {
            union.join(name, other);
        }
    }
    // The users next to each knot of unclaimed identifiers.
    let mut next_to: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for name in unclaimed() {
        let users = soft[name].iter().filter(|it| owners(it) == 1);
        let users = users.flat_map(|it| claims[it].iter().copied());
        next_to.entry(union.root(name)).or_default().extend(users);
    }
    for (knot, users) in &next_to {
        if let Some(user) = users.first().filter(|_| users.len() == 1) {
            union.join(knot, user);
        }
    }
    union.sets()
}

/// Sets that are joined.
#[derive(Default)]
struct Union(BTreeMap<String, String>);

impl Union {
    fn root(&mut self, name: &str) -> String {
        let mut root = name.to_owned();
        while let Some(above) = self.0.get(&root).filter(|above| **above != root) {
            root.clone_from(above);
        }
        self.0.insert(name.to_owned(), root.clone());
        root
    }

    fn join(&mut self, left: &str, right: &str) {
        let (left, right) = (self.root(left), self.root(right));
        self.0.insert(left, right);
    }

    fn sets(mut self) -> Groups {
        let names: Vec<String> = self.0.keys().cloned().collect();
        let mut sets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in names {
            let root = self.root(&name);
            sets.entry(root).or_default().insert(name);
        }
        sets.into_values().collect()
    }
}
