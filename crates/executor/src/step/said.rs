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
use crate::record::hash;
use crate::trace::Note;

/// A choice that is another one now.
#[derive(Debug)]
pub(crate) struct ChoiceChanged {
    pub(crate) category: Arc<str>,
    pub(crate) action: ConsentAction,
    /// What expressions call `change`.
    pub(crate) map: Map,
}

/// A statement that is kept: whom it is about, the address if it is one, whether nobody knows since
/// when it holds.
struct News<'a> {
    said: &'a Said,
    subject: Identifier,
    address: Option<Identifier>,
    undated: bool,
}

/// What was chosen of each category that journeys may start from.
type Choices<'a> = Vec<(&'a Arc<str>, Choice)>;

/// Whether an event says anything about consent that was not said before.
pub(super) fn is_news(work: &Work<'_>, happened: &Happened) -> bool {
    let mut said = happened.said.iter();
    said.any(|said| undated(work, happened, said).is_some())
}

/// Keeps what is news, each statement under its subjects; the choices that are other ones by it, each
/// once, in the order of the event.
pub(super) fn record(
    work: &mut Work<'_>,
    happened: &Happened,
    (owner, profile): (&Identifier, &Profile),
) -> Result<Vec<ChoiceChanged>, NotYet> {
    let all = news(work, happened);
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let who = Who::look(work, profile, owner.clone())?;
    let mut found: Vec<(News<'_>, Choices<'_>)> = Vec::with_capacity(all.len());
    for news in all {
        let choice = |category: &str| who.choice_about(work, category, news.address.as_ref());
        let before = heard(work, &news).map(|category| (category, choice(category)));
        let before = before.collect();
        found.push((news, before));
    }
    for (news, _) in &found {
        let change = Change::ConsentRecorded {
            subject: news.subject.clone(),
            record: kept(work, happened, news),
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

/// Everything an event says that is news. What it says yes to by the way and no to as well is refused.
fn news<'a>(work: &mut Work<'_>, happened: &'a Happened) -> Vec<News<'a>> {
    let mut all = Vec::new();
    for said in &happened.said {
        let Some(undated) = undated(work, happened, said) else {
            continue;
        };
        if said.tense == Tense::Holds && accepts(said) && is_refused_too(happened, said) {
            continue;
        }
        let subjects = subjects(work, happened, said);
        if subjects.is_empty() {
            work.trace.note(|| {
                Note::Unheard(Unheard {
                    dialect: said.dialect,
                    what: said.statement.category.clone(),
                    why: Why::NoAddress,
                })
            });
        }
        all.extend(subjects.into_iter().map(|(subject, address)| News {
            said,
            subject,
            address,
            undated,
        }));
    }
    all
}

fn accepts(said: &Said) -> bool {
    said.statement.action == ConsentAction::Accept
}

/// Whether the same event refuses what a statement accepts.
fn is_refused_too(happened: &Happened, accepted: &Said) -> bool {
    let mut others = happened.said.iter().filter(|said| !accepts(said));
    let category = &accepted.statement.category;
    others.any(|other| wayfare_consent::covers(&other.statement.category, category))
}

/// Whether nobody knows since when a statement holds; nothing where it is no news.
///
/// What holds, and comes with every event, is news where its source said another of the same person
/// last, by the same browser, and not later (D06, D11); a standing signal is news once. That it came to
/// hold now is known where the browser said otherwise before, also before they logged in with it and
/// while nobody else did, or where the statement names its day.
fn undated(work: &Work<'_>, happened: &Happened, said: &Said) -> Option<bool> {
    if said.tense == Tense::Decided {
        return Some(false);
    }
    let action = said.statement.action;
    let own = last(work, happened, said, &person(happened));
    if let Some(held) = own {
        let at = told_at(happened, said);
        let lasts = said.statement.valid_until.zip(held.valid_until);
        let is_longer = lasts.is_some_and(|(said, held)| said > held);
        let is_new = held.action != action || is_longer;
        let is_news = kind(said) != RecordKind::Signal && at >= held.said_at() && is_new;
        return is_news.then_some(false);
    }
    let before = browser(happened).filter(|it| is_used_by_them_alone(work, happened, it));
    let before = before.and_then(|browser| last(work, happened, said, browser));
    let has_changed = before.is_some_and(|held| held.action != action);
    Some(said.at.is_none() && !has_changed)
}

/// Whether nobody but whom an event names has logged in with a browser.
fn is_used_by_them_alone(work: &Work<'_>, happened: &Happened, browser: &Identifier) -> bool {
    let node = work.rows.links().node(browser).into_iter();
    let claims = node.flat_map(|node| node.edges());
    let mut claims = claims.filter(|edge| edge.kind.claims());
    claims.all(|edge| happened.named.identifiers().contains(&edge.other))
}

/// What the source of a statement last said about its category under an identifier, by the same
/// browser. At a tie a refusal.
fn last<'a>(
    work: &'a Work<'_>,
    happened: &Happened,
    said: &Said,
    identifier: &Identifier,
) -> Option<&'a wayfare_consent::Record> {
    let statement = &said.statement;
    let held = &work.rows.record(identifier)?.consent;
    let of_source = held
        .iter()
        .filter(|held| held.category == statement.category && held.source == statement.source);
    let browser = browser(happened).map(|it| hash(&work.catalog.id_key, it));
    of_source
        .filter(|held| held.browser == browser)
        .max_by_key(|held| (held.said_at(), held.action))
}

/// The browser that an event names.
fn browser(happened: &Happened) -> Option<&Identifier> {
    let mut named = happened.named.identifiers().iter();
    named.find(|it| it.namespace.as_str() == Namespace::ANONYMOUS_ID)
}

/// Whom something is said about, each with the address if it is one.
///
/// A yes is about the address that is given, and about nobody where that cannot be read; without one
/// it is the person's. A no is about each address that is given and that the category can be about,
/// and about the person where there is none such, or where the category is about persons.
fn subjects(
    work: &Work<'_>,
    happened: &Happened,
    said: &Said,
) -> Vec<(Identifier, Option<Identifier>)> {
    let statement = &said.statement;
    let given = [
        (Namespace::EMAIL, statement.email.as_deref()),
        (Namespace::PHONE, statement.phone.as_deref()),
    ];
    let given = given
        .iter()
        .filter_map(|(namespace, text)| Some((*namespace, (*text)?)));
    let has_address = given.clone().next().is_some();
    let readable = given.filter_map(|(namespace, text)| who::address(work, namespace, text));
    let readable: Vec<Identifier> = readable.collect();
    let rules = work.catalog.consent.category(&statement.category);
    let binding = rules.map(|rules| rules.binding);
    let fits = |it: &Identifier| match binding {
        Some(Binding::Address(channel)) => it.namespace.as_str() == channel.namespace(),
        Some(Binding::Profile) | None => true,
    };
    let as_address = |it: Identifier| (it.clone(), Some(it));
    let person = || (person(happened), None);
    if accepts(said) {
        let address = readable.into_iter().find(fits).map(as_address);
        return address
            .or_else(|| (!has_address).then(person))
            .into_iter()
            .collect();
    }
    let mut subjects: Vec<_> = readable.into_iter().filter(fits).map(as_address).collect();
    let is_named = happened.named.identifiers().iter().any(is_own);
    if subjects.is_empty() || (binding == Some(Binding::Profile) && is_named) {
        subjects.push(person());
    }
    subjects
}

/// The person an event is about, as it names them.
fn person(happened: &Happened) -> Identifier {
    let named = happened.named.identifiers();
    let person = named.iter().find(|it| is_own(it)).or_else(|| named.first());
    person.cloned().unwrap_or_else(|| Identifier::new("", ""))
}

fn is_own(identifier: &Identifier) -> bool {
    matches!(
        identifier.namespace.as_str(),
        Namespace::USER_ID | Namespace::ANONYMOUS_ID
    )
}

fn kind(said: &Said) -> RecordKind {
    RecordKind::of(said.statement.source.as_deref())
}

/// When something was said: the day of a statement is known at most until its event. A signal stood
/// just before the event in which somebody who was told of it chose otherwise (C39).
fn told_at(happened: &Happened, said: &Said) -> Timestamp {
    let occurred = happened.occurred;
    let answers = |other: &Said| {
        let category = &said.statement.category;
        let is_told = other.statement.method.as_deref() == Some("acknowledges_signal");
        is_told && accepts(other) && wayfare_consent::covers(category, &other.statement.category)
    };
    if kind(said) == RecordKind::Signal && happened.said.iter().any(answers) {
        return occurred.saturating_add_micros(-1);
    }
    said.at.map_or(occurred, |at| at.min(occurred))
}

fn kept(work: &Work<'_>, happened: &Happened, news: &News<'_>) -> wayfare_consent::Record {
    let said = news.said;
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
        undated: news.undated && accepts(said),
        browser: browser(happened).map(|it| hash(&work.catalog.id_key, it)),
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
