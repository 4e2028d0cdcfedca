//! Who would be sent what by one side and not by the other? Two decisions are the same business
//! outcome when they have one id; where an id is made of a place in the history, when they are about
//! the same person in the same journey at the same instant.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use wayfare_event::{DecisionId, ProfileId, Timestamp, Value};
use wayfare_executor::record::{Decision, DecisionOutcome, Request};
use wayfare_journey::definition::{Auth, Secret};

use super::play::Decided;

/// Examples of each kind for each journey.
const EXAMPLES_MAX: usize = 3;
/// Characters of a value in an example.
const VALUE_CHARS_MAX: usize = 80;

/// What both sides send, by journey.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// How many, by journey and block.
    pub counts: BTreeMap<(Arc<str>, Arc<str>), Count>,
    /// Some of those that are not alike, by journey, kind and time.
    pub examples: Vec<Example>,
}

/// Requests of one block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// As things are.
    pub before: u64,
    /// After publishing.
    pub after: u64,
    /// Those that would be new.
    pub starts: u64,
    /// Those that would be no more.
    pub stops: u64,
    /// Those that would go elsewhere, at another time, or say something else.
    pub changes: u64,
}

/// What would be different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A request would be new.
    Starts,
    /// A request would be no more.
    Stops,
    /// A request would be another one.
    Changes,
}

impl What {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::Stops => "stops",
            Self::Changes => "changes",
        }
    }
}

/// One outcome that would be different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The journey.
    pub journey: Arc<str>,
    /// What would be different.
    pub what: What,
    /// The block.
    pub block: Arc<str>,
    /// Whose.
    pub profile: ProfileId,
    /// The journey's key, in a journey that has one.
    pub key: Option<Arc<str>>,
    /// When it is decided; as things are, if it is.
    pub at: Timestamp,
    /// The first thing that differs.
    pub first: Difference,
}

/// A thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is: `outcome`, `target`, `time`, a header's name, `auth`, or a path in the body.
    pub of: String,
    /// As things are.
    pub before: String,
    /// After publishing.
    pub after: String,
}

impl Outcomes {
    /// Whether both sides send the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.examples.is_empty()
    }
}

/// What two sides sent to the end.
pub(super) fn compare(before: &Decided, after: &Decided) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let mut found = Vec::new();
    let (pairs, stops, starts) = paired(before, after);
    for (old, new) in pairs {
        let count = outcomes.count(new);
        count.before += 1;
        count.after += 1;
        if let Some(first) = first_difference(old, new) {
            count.changes += 1;
            found.push(example(What::Changes, (new, old.at), first));
        }
    }
    for old in stops {
        let count = outcomes.count(old);
        count.before += 1;
        count.stops += 1;
        let first = Difference {
            of: "outcome".to_owned(),
            before: target(old),
            after: instead(after.get(&old.id).map(|it| &**it)),
        };
        found.push(example(What::Stops, (old, old.at), first));
    }
    for new in starts {
        let count = outcomes.count(new);
        count.after += 1;
        count.starts += 1;
        let first = Difference {
            of: "outcome".to_owned(),
            before: instead(before.get(&new.id).map(|it| &**it)),
            after: target(new),
        };
        found.push(example(What::Starts, (new, new.at), first));
    }
    found.sort_by(|left, right| {
        let order = |it: &Example| (it.what, it.at, it.profile);
        left.journey
            .cmp(&right.journey)
            .then_with(|| order(left).cmp(&order(right)))
    });
    let mut kept: BTreeMap<(Arc<str>, What), usize> = BTreeMap::new();
    found.retain(|example| {
        let kept = kept.entry((example.journey.clone(), example.what));
        let kept = kept.or_default();
        *kept += 1;
        *kept <= EXAMPLES_MAX
    });
    outcomes.examples = found;
    outcomes
}

impl Outcomes {
    fn count(&mut self, decision: &Decision) -> &mut Count {
        let place = (decision.journey.clone(), decision.block.clone());
        self.counts.entry(place).or_default()
    }
}

fn example(what: What, (decision, at): (&Decision, Timestamp), first: Difference) -> Example {
    Example {
        journey: decision.journey.clone(),
        what,
        block: decision.block.clone(),
        profile: decision.profile,
        key: decision.key.clone(),
        at,
        first,
    }
}

type Pair<'a> = (&'a Decision, &'a Decision);

/// The requests that both sides make, those of the first alone, and those of the second alone.
fn paired<'a>(
    before: &'a Decided,
    after: &'a Decided,
) -> (Vec<Pair<'a>>, Vec<&'a Decision>, Vec<&'a Decision>) {
    let sent = |decided: &'a Decided, id: &DecisionId| {
        let decision = decided.get(id).map(|it| &**it);
        decision.filter(|it| it.outcome == DecisionOutcome::Webhook)
    };
    let mut pairs = Vec::new();
    let mut stops = Vec::new();
    for id in before.keys() {
        match (sent(before, id), sent(after, id)) {
            (Some(old), Some(new)) => pairs.push((old, new)),
            (Some(old), None) => stops.push(old),
            (None, Some(_) | None) => {}
        }
    }
    let mut starts: BTreeMap<_, VecDeque<&Decision>> = BTreeMap::new();
    for id in after.keys() {
        if let (None, Some(new)) = (sent(before, id), sent(after, id)) {
            starts.entry(like(new)).or_default().push_back(new);
        }
    }
    stops.retain(|old| {
        let new = starts.get_mut(&like(old)).and_then(VecDeque::pop_front);
        pairs.extend(new.map(|new| (*old, new)));
        new.is_none()
    });
    (pairs, stops, starts.into_values().flatten().collect())
}

/// What two decisions have in common that are one, whatever their ids are made of.
fn like(decision: &Decision) -> (&Arc<str>, Option<&Arc<str>>, ProfileId, Timestamp) {
    let key = decision.key.as_ref();
    (&decision.journey, key, decision.profile, decision.at)
}

/// How a walk ends that makes no request.
fn instead(decision: Option<&Decision>) -> String {
    let Some(decision) = decision else {
        return "no entry".to_owned();
    };
    let word = decision.outcome.as_str();
    let block = &decision.block;
    match &decision.reason {
        Some(reason) => format!("{word} at `{block}`: {reason}"),
        None => format!("{word} at `{block}`"),
    }
}

fn target(decision: &Decision) -> String {
    decision
        .request
        .as_ref()
        .map_or_else(String::new, target_of)
}

fn target_of(request: &Request) -> String {
    let base = request.base.as_ref().map(secret).unwrap_or_default();
    format!("{} {base}{}", request.method.as_str(), request.url)
}

fn secret(secret: &Secret) -> String {
    match secret {
        Secret::Env(name) => format!("[env {name}]"),
        Secret::File(path) => format!("[file {path}]"),
    }
}

fn auth(auth: Option<&Auth>) -> String {
    match auth {
        None => "none".to_owned(),
        Some(Auth::Basic { username, password }) => {
            format!("basic {username} {}", secret(password))
        }
        Some(Auth::Bearer(token)) => format!("bearer {}", secret(token)),
        Some(Auth::Header { name, value }) => format!("{name}: {}", secret(value)),
    }
}

fn signed(keys: &[Secret]) -> String {
    let keys: Vec<String> = keys.iter().map(secret).collect();
    if keys.is_empty() {
        return "none".to_owned();
    }
    keys.join(" ")
}

/// The first thing that differs: where the request goes, when, its headers, its body.
fn first_difference(old: &Decision, new: &Decision) -> Option<Difference> {
    let (before, after) = (old.request.as_ref()?, new.request.as_ref()?);
    differs("target", target_of(before), target_of(after))
        .or_else(|| differs("time", old.at.to_string(), new.at.to_string()))
        .or_else(|| header(before, after))
        .or_else(|| {
            let (before, after) = (before.auth.as_ref(), after.auth.as_ref());
            differs("auth", auth(before), auth(after))
        })
        .or_else(|| differs("sign", signed(&before.sign), signed(&after.sign)))
        .or_else(|| {
            let value = |body: &Option<String>| Value::parse(body.as_deref()?).ok();
            let (before, after) = (value(&before.body), value(&after.body));
            body((before.as_ref(), after.as_ref()), "body")
        })
}

fn differs(of: &str, before: String, after: String) -> Option<Difference> {
    (before != after).then(|| Difference {
        of: of.to_owned(),
        before,
        after,
    })
}

fn header(before: &Request, after: &Request) -> Option<Difference> {
    let value = |headers: &[(Arc<str>, String)], name: &str| {
        let held = headers.iter().find(|(held, _)| **held == *name);
        held.map_or_else(|| "absent".to_owned(), |(_, value)| value.clone())
    };
    let names = before.headers.iter().chain(&after.headers);
    let mut names = names.map(|(name, _)| &**name);
    names.find_map(|name| {
        let (before, after) = (value(&before.headers, name), value(&after.headers, name));
        differs(name, before, after)
    })
}

/// The first leaf that differs, in the order of the body; the order of keys does not count.
fn body((before, after): (Option<&Value>, Option<&Value>), path: &str) -> Option<Difference> {
    match (before, after) {
        (Some(Value::Map(old)), Some(Value::Map(new))) => {
            let names = old.iter().chain(new.iter()).map(|(name, _)| name);
            let mut names = names.map(|name| (&**name, format!("{path}.{name}")));
            names.find_map(|(name, path)| body((old.get(name), new.get(name)), &path))
        }
        (Some(Value::List(old)), Some(Value::List(new))) => {
            let mut places = 0..old.len().max(new.len());
            places.find_map(|place| {
                let path = format!("{path}[{place}]");
                body((old.get(place), new.get(place)), &path)
            })
        }
        (before, after) => differs(path, shown(before), shown(after)),
    }
}

/// A value, cut for people where it is long: two that differ behind the cut are told by their size.
fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "absent".to_owned(), ToString::to_string);
    let count = text.chars().count();
    if count <= VALUE_CHARS_MAX {
        return text;
    }
    let hash = text.bytes().fold(0_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    let begin: String = text.chars().take(VALUE_CHARS_MAX).collect();
    format!("{begin}… ({count} characters, {hash:08x})")
}
