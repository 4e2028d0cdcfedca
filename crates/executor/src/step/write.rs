//! What does an event tell of a person? Traits, accounts, counted events and consent, each kept
//! under one identifier.

use std::sync::Arc;

use wayfare_consent::{Binding, Choice, RecordKind};
use wayfare_event::limits::TRAITS_MAX;
use wayfare_event::{
    ConsentAction, ConsentStatement, EventKind, Identifier, Map, Namespace, Timestamp, Value,
};
use wayfare_identity::Profile;
use wayfare_journey::TraitOf;

use super::who::{self, Who};
use super::work::{NotYet, Work};
use crate::change::Change;
use crate::input::Happened;
use crate::record::{Key, Record, Refusal, Told};
use crate::refusal::RefusalCode;

/// Bytes of trait values in one record; the rest of its 64 KiB is for everything else (SP 10).
const TRAIT_BYTES_MAX: usize = 48 * 1024;

/// Accounts one record remembers (SP 10: a record is bounded).
const ACCOUNTS_MAX: usize = 300;

/// A choice that is another one now.
#[derive(Debug)]
pub(crate) struct ChoiceChanged {
    pub(crate) category: Arc<str>,
    pub(crate) action: ConsentAction,
    /// What expressions call `change`.
    pub(crate) map: Map,
}

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
    let event = &happened.event;
    let told = who::told(work, happened.occurred);
    match event.kind {
        EventKind::Identify => {
            let context = event.context.get("traits").and_then(Value::as_map);
            let below = context.into_iter().flat_map(Map::iter);
            let below = below.filter(|(name, _)| event.traits.get(name).is_none());
            let told = below.chain(event.traits.iter()).map(Telling::latest);
            let once = event.set_once.iter().map(Telling::once);
            let told: Vec<_> = told.chain(once).collect();
            let message = event.message_id.as_ref();
            return Ok(Wrote {
                traits: write_traits(work, (owner, profile), (&told, happened.occurred), message),
                choices: Vec::new(),
            });
        }
        EventKind::Group => {
            return Ok(Wrote {
                traits: join(work, happened, owner, told)?,
                choices: Vec::new(),
            });
        }
        EventKind::Track if work.catalog.counts(&event.name) => {
            work.make(Change::EventCounted {
                owner: owner.clone(),
                name: event.name.clone(),
                at: happened.occurred,
            });
        }
        EventKind::Track | EventKind::Page | EventKind::Screen | EventKind::Alias => {}
        EventKind::Consent => {
            if let Some(said) = &event.consent {
                // Whoever told it holds a key of their own.
                let verified = true;
                return Ok(Wrote {
                    choices: record_consent(work, happened, said, (owner, profile), verified)?,
                    traits: Vec::new(),
                });
            }
        }
    }
    Ok(Wrote::default())
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

/// Whom something was said about, and the address if it was one: the address of the category's
/// channel, else the person, else whatever address was given.
fn subject(
    work: &Work<'_>,
    happened: &Happened,
    said: &ConsentStatement,
    owner: &Identifier,
) -> (Identifier, Option<Identifier>) {
    let given = [
        (Namespace::EMAIL, said.email.as_deref()),
        (Namespace::PHONE, said.phone.as_deref()),
    ];
    let mut given = given
        .into_iter()
        .filter_map(|(namespace, text)| who::address(work, namespace, text?));
    let category = work.catalog.consent.category(&said.category);
    let address = match category.map(|category| category.binding) {
        Some(Binding::Address(channel)) => {
            given.find(|address| address.namespace.as_str() == channel.namespace())
        }
        Some(Binding::Profile) | None => given.next(),
    };
    if let Some(address) = address {
        return (address.clone(), Some(address));
    }
    let named = happened.named.identifiers();
    let is_own = |identifier: &&Identifier| {
        matches!(
            identifier.namespace.as_str(),
            Namespace::USER_ID | Namespace::ANONYMOUS_ID
        )
    };
    let person = named.iter().find(is_own).or_else(|| named.first());
    (person.unwrap_or(owner).clone(), None)
}

/// Keeps what was said under its subject: the address given, else the person's own identifier.
/// `verified` is false where it came with a key that anybody can read.
fn record_consent(
    work: &mut Work<'_>,
    happened: &Happened,
    said: &ConsentStatement,
    (owner, profile): (&Identifier, &Profile),
    verified: bool,
) -> Result<Vec<ChoiceChanged>, NotYet> {
    let (subject, address) = subject(work, happened, said, owner);
    let event = &happened.event;
    let kind = RecordKind::of(said.source.as_deref());
    let record = wayfare_consent::Record {
        category: said.category.clone(),
        action: said.action,
        at: happened.occurred,
        recorded_at: work.at,
        id: event
            .message_id
            .clone()
            .unwrap_or_else(|| format!("log:{}", work.seq).into()),
        valid_from: said.valid_from,
        valid_until: said.valid_until,
        kind,
        pending: false,
        unverified: !verified,
        historical: event.historical,
        source: said.source.clone(),
        method: said.method.clone(),
        notice: said.notice.clone(),
        regulation: said.regulation.clone(),
        channel: said.channel.clone(),
    };
    let who = Who::look(work, profile, owner.clone())?;
    let before: Vec<_> = heard(work, &said.category, address.as_ref())
        .map(|category| (category, who.choice_about(work, category, address.as_ref())))
        .collect();
    work.make(Change::ConsentRecorded { subject, record });
    if kind == RecordKind::Import {
        return Ok(Vec::new());
    }
    let changed = before.into_iter().filter_map(|(category, previous)| {
        let current = who.choice_about(work, category, address.as_ref());
        changed(category, (previous, current), address.as_ref())
    });
    Ok(changed.collect())
}

/// The categories that a statement speaks of and that journeys may start from. What is said about
/// an address is not said about those of another channel.
fn heard<'a>(
    work: &Work<'a>,
    said: &'a str,
    address: Option<&'a Identifier>,
) -> impl Iterator<Item = &'a Arc<str>> {
    let catalog = work.catalog;
    let categories = catalog.consent.covered_by(said);
    categories.filter(move |category| {
        let rules = catalog.consent.category(category);
        let is_of = |address: &Identifier| match rules.map(|rules| rules.binding) {
            Some(Binding::Address(channel)) => address.namespace.as_str() == channel.namespace(),
            Some(Binding::Profile) | None => true,
        };
        catalog.hears_consent(category) && address.is_none_or(is_of)
    })
}

/// A choice that became accept or decline.
fn changed(
    category: &Arc<str>,
    (previous, current): (Choice, Choice),
    address: Option<&Identifier>,
) -> Option<ChoiceChanged> {
    let action = match current {
        Choice::Accept => ConsentAction::Accept,
        Choice::Decline => ConsentAction::Decline,
        Choice::Unknown => return None,
    };
    if current == previous {
        return None;
    }
    let mut map = Map::new();
    map.insert("category", Value::Text(category.clone()));
    map.insert("action", action.as_str().into());
    map.insert("previous", previous.as_str().into());
    let address = address.map(|address| Value::Text(address.value.clone()));
    map.insert("address", address.unwrap_or_default());
    Some(ChoiceChanged {
        category: category.clone(),
        action,
        map,
    })
}
