//! Since when are two one person? By what was told by then, and not by what is known now.

use std::collections::BTreeSet;

use super::persons::Known;

impl Known<'_> {
    /// Since when two identifiers of a person are one: the earliest instant at which what was told
    /// by then leads from the one to the other.
    pub(crate) fn since(&self, person: &BTreeSet<String>, left: &str, right: &str) -> Option<i64> {
        if !person.contains(left) || !person.contains(right) {
            return None;
        }
        let is_own = |name: &str| {
            let owners = self.owners(name);
            person.contains(name)
                || (owners.len() == 1 && owners.iter().all(|it| person.contains(*it)))
        };
        let mut links: Vec<(i64, &str, &str)> = Vec::new();
        let taken = self.taken.iter();
        links.extend(taken.map(|(from, (into, at))| (*at, *from, *into)));
        for (name, beside) in &self.soft {
            links.extend(beside.iter().map(|(other, at)| (*at, *name, *other)));
        }
        for name in self.claims.keys() {
            let verified = self.claiming(name, false);
            let counting = if verified.is_empty() {
                self.claiming(name, true)
            } else {
                verified
            };
            links.extend(counting.into_iter().map(|(user, at)| (at, user, *name)));
        }
        links.retain(|(_, one, other)| is_own(one) && is_own(other));
        links.sort_unstable();
        let mut parts: Vec<BTreeSet<&str>> = Vec::new();
        for (at, one, other) in links {
            let touches = |part: &BTreeSet<&str>| part.contains(one) || part.contains(other);
            let (touched, apart): (Vec<_>, Vec<_>) = parts.into_iter().partition(touches);
            let mut whole: BTreeSet<&str> = touched.into_iter().flatten().collect();
            whole.extend([one, other]);
            if whole.contains(left) && whole.contains(right) {
                return Some(at);
            }
            parts = apart;
            parts.push(whole);
        }
        None
    }
}
