//! What becomes of what an event says about consent? Whom each statement is about, whether it is
//! news, the records that are kept, and the choices that are other ones now. Not here: reading it
//! (`wayfare_consent::sources`).

use std::sync::Arc;

use wayfare_consent::sources::{Said, Tense, Unheard, Why};
use wayfare_consent::{Binding, Choice, RecordKind};
use wayfare_event::{ConsentAction, Identifier, Map, Namespace, Timestamp, Value};
use wayfare_identity::Profile;

use super::who::{self, Who};
use super::work::{NotYet, Work};
use crate::change::Change;
use crate::input::Happened;
use crate::trace::Note;

/// A choice that is another one now.
#[derive(Debug)]
pub(crate) struct ChoiceChanged {
    pub(crate) category: Arc<str>,
    pub(crate) action: ConsentAction,
    /// What expressions call `change`.
    pub(crate) map: Map,
}

/// A statement that is kept: whom it is about, the address if it was one, what its source said
/// before.
struct News<'a> {
    said: &'a Said,
    subject: Identifier,
    address: Option<Identifier>,
    is_first: bool,
}

/// What was chosen of each category that journeys may start from.
type Choices<'a> = Vec<(&'a Arc<str>, Choice)>;

/// Whether an event says anything about consent that was not said before.
pub(super) fn is_news(work: &Work<'_>, happened: &Happened) -> bool {
    let mut said = happened.said.iter();
    said.any(|said| news(work, happened, said).is_some())
}

/// Keeps what is news, each statement under its subject; the choices that are other ones by it, each
/// once, in the order of the event.
pub(super) fn record(
    work: &mut Work<'_>,
    happened: &Happened,
    (owner, profile): (&Identifier, &Profile),
) -> Result<Vec<ChoiceChanged>, NotYet> {
    let all = happened.said.iter();
    let all: Vec<News<'_>> = all.filter_map(|it| news(work, happened, it)).collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let who = Who::look(work, profile, owner.clone())?;
    let mut found: Vec<(News<'_>, Choices<'_>)> = Vec::with_capacity(all.len());
    for news in all {
        let choice = |category: &str| who.choice_about(work, category, news.address.as_ref());
        let previous = choice(news.category());
        let before = heard(work, &news).map(|category| (category, choice(category)));
        let before = before.collect();
        if counts(work, &news, previous) {
            found.push((news, before));
        }
    }
    for (news, _) in &found {
        let change = Change::ConsentRecorded {
            subject: news.subject.clone(),
            record: kept(work, happened, news.said),
        };
        work.make(change);
    }
    let mut changed: Vec<ChoiceChanged> = Vec::new();
    let may_start = |news: &News<'_>| kind(news.said) != RecordKind::Import;
    for (news, before) in found.iter().filter(|(news, _)| may_start(news)) {
        for (category, previous) in before {
            if changed.iter().any(|it| it.category == **category) {
                continue;
            }
            let address = news.address.as_ref();
            let current = who.choice_about(work, category, address);
            changed.extend(changes(category, (*previous, current), address));
        }
    }
    Ok(changed)
}

impl News<'_> {
    const fn category(&self) -> &Arc<str> {
        &self.said.statement.category
    }
}

/// A statement, unless it is what its source has said all along. What holds, and comes with every
/// event, is news where it is another than what this source said last of the same person, and not
/// older (D06, D11); a standing signal is news once.
fn news<'a>(work: &Work<'_>, happened: &Happened, said: &'a Said) -> Option<News<'a>> {
    let held = match said.tense {
        Tense::Decided => None,
        Tense::Holds => head(work, happened, said),
    };
    if let Some(held) = held {
        let at = told_at(happened, said);
        let is_other = held.action != said.statement.action;
        let lasts = said.statement.valid_until.zip(held.valid_until);
        let is_longer = lasts.is_some_and(|(said, held)| said > held);
        if kind(said) == RecordKind::Signal || at < held.said_at() || !(is_other || is_longer) {
            return None;
        }
    }
    let (subject, address) = subject(work, happened, said);
    Some(News {
        said,
        subject,
        address,
        is_first: held.is_none(),
    })
}

/// What the source of a statement said last about its category, of the person the event names. At a
/// tie a refusal.
fn head<'a>(
    work: &'a Work<'_>,
    happened: &Happened,
    said: &Said,
) -> Option<&'a wayfare_consent::Record> {
    let statement = &said.statement;
    let own = happened.named.identifiers().iter().filter(|it| is_own(it));
    own.filter_map(|identifier| work.rows.record(identifier))
        .flat_map(|record| &record.consent)
        .filter(|held| held.category == statement.category && held.source == statement.source)
        .max_by_key(|held| (held.said_at(), held.action))
}

/// An acceptance that came to hold at a time nobody knows lifts no refusal: it may be the older one.
/// That it came to hold is known where the same source said otherwise before, or names the day.
fn counts(work: &mut Work<'_>, news: &News<'_>, previous: Choice) -> bool {
    let is_undated = news.said.tense == Tense::Holds && news.said.at.is_none() && news.is_first;
    let accepts = news.said.statement.action == ConsentAction::Accept;
    if !(is_undated && accepts && previous == Choice::Decline) {
        return true;
    }
    work.trace.note(|| {
        Note::Unheard(Unheard {
            dialect: news.said.dialect,
            what: news.category().clone(),
            why: Why::Undated,
        })
    });
    false
}

/// Whom something was said about, and the address if it was one: the address of the category's
/// channel, else the person, else whatever address was given.
fn subject(work: &Work<'_>, happened: &Happened, said: &Said) -> (Identifier, Option<Identifier>) {
    let statement = &said.statement;
    let given = [
        (Namespace::EMAIL, statement.email.as_deref()),
        (Namespace::PHONE, statement.phone.as_deref()),
    ];
    let mut given = given
        .into_iter()
        .filter_map(|(namespace, text)| who::address(work, namespace, text?));
    let address = match binding(work, &statement.category) {
        Binding::Address(channel) => {
            given.find(|address| address.namespace.as_str() == channel.namespace())
        }
        Binding::Profile => given.next(),
    };
    if let Some(address) = address {
        return (address.clone(), Some(address));
    }
    let named = happened.named.identifiers();
    let person = named.iter().find(|it| is_own(it)).or_else(|| named.first());
    let nobody = || Identifier::new("", "");
    (person.cloned().unwrap_or_else(nobody), None)
}

fn is_own(identifier: &Identifier) -> bool {
    matches!(
        identifier.namespace.as_str(),
        Namespace::USER_ID | Namespace::ANONYMOUS_ID
    )
}

fn binding(work: &Work<'_>, category: &str) -> Binding {
    let category = work.catalog.consent.category(category);
    category.map_or(Binding::Profile, |it| it.binding)
}

fn kind(said: &Said) -> RecordKind {
    RecordKind::of(said.statement.source.as_deref())
}

/// When something was said: the day of a statement is known at most until its event.
fn told_at(happened: &Happened, said: &Said) -> Timestamp {
    said.at
        .map_or(happened.occurred, |at| at.min(happened.occurred))
}

fn kept(work: &Work<'_>, happened: &Happened, said: &Said) -> wayfare_consent::Record {
    let statement = &said.statement;
    wayfare_consent::Record {
        category: statement.category.clone(),
        action: statement.action,
        at: told_at(happened, said),
        recorded_at: work.at,
        id: id(work, happened, said),
        valid_from: statement.valid_from,
        valid_until: statement.valid_until,
        kind: kind(said),
        pending: false,
        unverified: !happened.trust.is_verified(),
        historical: happened.event.historical,
        source: statement.source.clone(),
        method: statement.method.clone(),
        notice: statement.notice.clone(),
        regulation: statement.regulation.clone(),
        channel: statement.channel.clone(),
    }
}

/// What a record is known by: the message that is there to say it; else with what it says, since one
/// message may say several things.
fn id(work: &Work<'_>, happened: &Happened, said: &Said) -> Arc<str> {
    let event = &happened.event;
    let place = || format!("log:{}", work.seq).into();
    let message = event.message_id.clone().unwrap_or_else(place);
    if event.consent.is_some() && said.tense == Tense::Decided {
        return message;
    }
    let (dialect, category) = (said.dialect.as_str(), &said.statement.category);
    format!("{message}:{dialect}:{category}").into()
}

/// The categories that a statement speaks of and that journeys may start from. What is said about
/// an address is not said about those of another channel (SP 39).
fn heard<'a>(work: &Work<'a>, news: &News<'a>) -> impl Iterator<Item = &'a Arc<str>> {
    let catalog = work.catalog;
    let channel = news.address.as_ref().map(|it| it.namespace.clone());
    let categories = catalog.consent.covered_by(&news.said.statement.category);
    categories.filter(move |category| {
        let rules = catalog.consent.category(category);
        let is_of = |namespace: &Namespace| match rules.map(|rules| rules.binding) {
            Some(Binding::Address(channel)) => namespace.as_str() == channel.namespace(),
            Some(Binding::Profile) | None => true,
        };
        catalog.hears_consent(category) && channel.as_ref().is_none_or(is_of)
    })
}

/// A choice that became accept or decline.
fn changes(
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
