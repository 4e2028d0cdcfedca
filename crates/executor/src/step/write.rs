//! What does an event tell of a person? Traits, accounts and counted events, each kept under one
//! identifier. Not here: what it says about consent (`said`).

use std::sync::Arc;

use wayfare_event::limits::TRAITS_MAX;
use wayfare_event::{EventKind, Identifier, Map, Timestamp, Value};
use wayfare_identity::Profile;
use wayfare_journey::TraitOf;

use super::said::{self, ChoiceChanged};
use super::who;
use super::work::{NotYet, Work};
use crate::change::Change;
use crate::input::Happened;
use crate::record::{Key, Record, Refusal, Told};
use crate::refusal::RefusalCode;

/// Bytes of trait values in one record; the rest of its 64 KiB is for everything else (SP 10).
const TRAIT_BYTES_MAX: usize = 48 * 1024;

/// Accounts one record remembers (SP 10: a record is bounded).
const ACCOUNTS_MAX: usize = 300;

/// A trait that has another value now.
#[derive(Debug)]
pub(crate) struct TraitChanged {
    pub(crate) of: TraitOf,
    pub(crate) name: Arc<str>,
    pub(crate) previous: Value,
    pub(crate) current: Value,
}

impl TraitChanged {
    /// What expressions call `change`.
    pub(crate) fn map(&self) -> Map {
        let mut map = Map::new();
        map.insert("previous", self.previous.clone());
        map.insert("current", self.current.clone());
        map
    }
}

/// The values of traits that journeys watch, before something is written.
pub(crate) struct Watched(Vec<(TraitOf, Arc<str>, Value)>);

impl Watched {
    /// Looks at those of these names that may start a journey.
    pub(crate) fn look<'a>(
        work: &Work<'_>,
        of: TraitOf,
        names: impl Iterator<Item = &'a Arc<str>>,
        value: impl Fn(&Work<'_>, &str) -> Value,
    ) -> Self {
        let names = names.filter(|name| work.catalog.watches(of, name));
        Self(
            names
                .map(|name| (of, name.clone(), value(work, name)))
                .collect(),
        )
    }

    /// Those that have another value now.
    pub(crate) fn changed(
        self,
        work: &Work<'_>,
        value: impl Fn(&Work<'_>, &str) -> Value,
    ) -> impl Iterator<Item = TraitChanged> {
        let now = self
            .0
            .into_iter()
            .map(move |(of, name, previous)| TraitChanged {
                current: value(work, &name),
                of,
                name,
                previous,
            });
        now.filter(|it| it.previous != it.current)
    }
}

/// What an event changed that journeys may start from.
#[derive(Debug, Default)]
pub(crate) struct Wrote {
    pub(crate) choices: Vec<ChoiceChanged>,
    pub(crate) traits: Vec<TraitChanged>,
}

/// Writes what the event tells.
pub(crate) fn write(
    work: &mut Work<'_>,
    happened: &Happened,
    owner: &Identifier,
    profile: &Profile,
) -> Result<Wrote, NotYet> {
    let traits = told(work, happened, (owner, Some(profile)))?;
    let choices = said::record(work, happened, (owner, profile))?;
    Ok(Wrote { choices, traits })
}

/// Writes what an event tells that starts no journey and says nothing of consent: all that matters
/// is where it is kept.
pub(crate) fn keep(
    work: &mut Work<'_>,
    happened: &Happened,
    owner: &Identifier,
) -> Result<(), NotYet> {
    told(work, happened, (owner, None)).map(drop)
}

/// Writes traits, accounts and counts; of a profile, the traits that changed and that journeys watch.
fn told(
    work: &mut Work<'_>,
    happened: &Happened,
    (owner, profile): (&Identifier, Option<&Profile>),
) -> Result<Vec<TraitChanged>, NotYet> {
    let event = &happened.event;
    match event.kind {
        EventKind::Identify => {
            let context = event.context.get("traits").and_then(Value::as_map);
            let below = context.into_iter().flat_map(Map::iter);
            let below = below.filter(|(name, _)| event.traits.get(name).is_none());
            let told = below.chain(event.traits.iter()).map(Telling::latest);
            let once = event.set_once.iter().map(Telling::once);
            let told: Vec<_> = told.chain(once).collect();
            let message = event.message_id.as_ref();
            let told = (&*told, happened.occurred);
            Ok(match profile {
                Some(profile) => write_traits(work, (owner, profile), told, message),
                None => {
                    let (told, at) = told;
                    for telling in told {
                        write_trait(work, (owner, message), *telling, at);
                    }
                    Vec::new()
                }
            })
        }
        EventKind::Group => {
            let told = who::told(work, happened.occurred);
            join(work, happened, owner, told)
        }
        EventKind::Track if work.catalog.counts(&event.name) => {
            work.make(Change::EventCounted {
                owner: owner.clone(),
                name: event.name.clone(),
                at: happened.occurred,
            });
            Ok(Vec::new())
        }
        EventKind::Track
        | EventKind::Page
        | EventKind::Screen
        | EventKind::Alias
        | EventKind::Consent => Ok(Vec::new()),
    }
}

/// A trait and its value, as they are told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling<'a> {
    name: &'a Arc<str>,
    value: &'a Value,
    /// Whether it only fills a gap.
    once: bool,
}

impl<'a> Telling<'a> {
    pub(crate) const fn latest((name, value): (&'a Arc<str>, &'a Value)) -> Self {
        Self {
            name,
            value,
            once: false,
        }
    }

    const fn once((name, value): (&'a Arc<str>, &'a Value)) -> Self {
        Self {
            name,
            value,
            once: true,
        }
    }
}

/// Writes traits that were told at an instant; those that changed and that journeys watch.
pub(crate) fn write_traits(
    work: &mut Work<'_>,
    (owner, profile): (&Identifier, &Profile),
    (told, at): (&[Telling<'_>], Timestamp),
    message: Option<&Arc<str>>,
) -> Vec<TraitChanged> {
    let value = |work: &Work<'_>, name: &str| who::trait_of(&work.rows, profile, name);
    let names = told.iter().map(|telling| telling.name);
    let before = Watched::look(work, TraitOf::Profile, names, value);
    for telling in told {
        write_trait(work, (owner, message), *telling, at);
    }
    before.changed(work, value).collect()
}

fn write_trait(
    work: &mut Work<'_>,
    (owner, message): (&Identifier, Option<&Arc<str>>),
    telling: Telling<'_>,
    at: Timestamp,
) {
    let Telling { name, value, once } = telling;
    let told = who::told(work, at);
    let full = work
        .rows
        .record(owner)
        .is_some_and(|record| is_full(record, telling));
    if full {
        refuse_full(work, owner, message, name);
        return;
    }
    work.make(Change::TraitSet {
        owner: owner.clone(),
        name: name.clone(),
        value: value.clone(),
        told,
        once,
    });
}

/// Records that there is no room for something (SP 10).
fn refuse_full(work: &mut Work<'_>, owner: &Identifier, message: Option<&Arc<str>>, what: &str) {
    let at = work.at;
    work.make(Change::Refused {
        owner: owner.clone(),
        refusal: Refusal {
            journey: "".into(),
            code: RefusalCode::ProfileFull,
            at,
            message_id: message.cloned(),
            leaf: Some(what.to_owned()),
            value: None,
        },
    });
}

/// Whether a record has no room for this trait.
fn is_full(record: &Record, telling: Telling<'_>) -> bool {
    let Telling { name, value, once } = telling;
    let held = record.traits.iter().map(|held| (held, false));
    let held = held.chain(record.once.iter().map(|held| (held, true)));
    let others = held.filter(|((held, _), is_once)| *held != name || *is_once != once);
    let bytes = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) | Value::List(_) | Value::Map(_) => value.to_string().len(),
    };
    let (mut count, mut total) = (0, name.len() + bytes(value));
    for ((held, register), _) in others {
        count += 1;
        total += held.len() + bytes(&register.value);
    }
    count >= TRAITS_MAX || total > TRAIT_BYTES_MAX
}

fn join(
    work: &mut Work<'_>,
    happened: &Happened,
    owner: &Identifier,
    told: Told,
) -> Result<Vec<TraitChanged>, NotYet> {
    let event = &happened.event;
    let message = event.message_id.as_ref();
    let Some(account) = &event.group_id else {
        return Ok(Vec::new());
    };
    work.need([Key::Account(account.clone())])?;
    let record = work.rows.record(owner);
    let is_full = record.is_some_and(|record| {
        record.accounts.len() >= ACCOUNTS_MAX && !record.accounts.contains_key(account)
    });
    if is_full {
        refuse_full(work, owner, message, account);
        return Ok(Vec::new());
    }
    let value = |work: &Work<'_>, name: &str| {
        let held = work.rows.account(account);
        let register = held.and_then(|held| held.traits.get(name));
        register.map(|it| it.value.clone()).unwrap_or_default()
    };
    let names = event.traits.iter().map(|(name, _)| name);
    let before = Watched::look(work, TraitOf::Account, names, value);
    work.make(Change::AccountJoined {
        owner: owner.clone(),
        account: account.clone(),
        told,
    });
    for (name, value) in event.traits.iter() {
        let traits = work.rows.account(account).map(|account| &account.traits);
        let is_full =
            traits.is_some_and(|traits| traits.len() >= TRAITS_MAX && !traits.contains_key(name));
        if is_full {
            refuse_full(work, owner, message, name);
            continue;
        }
        work.make(Change::AccountTraitSet {
            account: account.clone(),
            name: name.clone(),
            value: value.clone(),
            told,
        });
    }
    Ok(before.changed(work, value).collect())
}
