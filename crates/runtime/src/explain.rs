//! Why did this person get it, or not? What state and history tell of one person in one journey, or
//! of one decision. Nothing is decided again: versions are those that were walked. Not here: words.

mod arms;
mod in_flight;
mod past;
mod person;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_consent::Record;
use wayfare_event::{DecisionId, Identifier, Timestamp};
use wayfare_executor::record::{Decision, Delivery, Permission};
use wayfare_executor::{Catalog, Change, Key, Row, Sending, Snapshot};
use wayfare_journey::{Block, Graph, Heard};
use wayfare_store::{LoggedInput, RowKind, Store, StoreError};

use crate::config::Settings;
use crate::journeys::Journey;
use past::Past;

pub use arms::Contaminated;
pub use past::{Sighting, Step};
pub use person::{Inside, Person, Question, Unanswered, Waited, Waits, person};

/// Everything that is known of one decision.
#[derive(Clone, Debug)]
pub struct Told {
    /// The row of the ledger.
    pub decision: Arc<Decision>,
    /// The request it owes, and how far that got.
    pub delivery: Option<Arc<Delivery>>,
    /// What the history still tells of it, in order.
    pub steps: Vec<Step>,
    /// The records of consent that were relied on, at the decision or at an attempt.
    pub records: Vec<Relied>,
    /// Refusals that were said before an attempt was released and heard of after.
    pub in_flight: Vec<Relied>,
    /// By what an instance left that ended without a request.
    pub left: Option<Left>,
    /// The walk that went on, where this one ended in a merge.
    pub stayed: Option<Stayed>,
}

/// A record of consent, and whom it is about.
#[derive(Clone, Debug)]
pub struct Relied {
    /// Whom it is about.
    pub subject: Identifier,
    /// What was said.
    pub record: Record,
}

/// By what an instance left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// It came to an `exit` block.
    Block,
    /// An exit rule took it out: an event, as written.
    Event(String),
    /// An exit rule took it out: a condition, as written.
    Condition(String),
    /// It had visited a block too often, or passed too many at once.
    Limit,
    /// Its life was over.
    Life,
}

/// The walk that went on when two persons became one.
#[derive(Clone, Debug)]
pub enum Stayed {
    /// It is inside.
    Inside(Box<Inside>),
    /// It has decided.
    Decided(Arc<Decision>),
}

/// What is known of one decision; nothing when there is none.
///
/// # Errors
///
/// When what is kept cannot be read.
pub fn decision(
    store: &mut dyn Store,
    settings: &Settings,
    id: DecisionId,
) -> Result<Option<Told>, StoreError> {
    let Some(decision) = row(store, id)? else {
        return Ok(None);
    };
    let journeys = crate::journeys::all(store)?;
    let versions = Versions::of(journeys.get(&decision.journey), settings);
    let told = tell(store, vec![decision], &versions, None)?;
    let mut told = told.told.into_iter().next();
    if let Some(told) = &mut told {
        let (catalog, snapshot) = everybody(store, settings)?;
        in_flight::tell(&catalog, &snapshot, told);
    }
    Ok(told)
}

/// Everybody there is, with accounts and what holds for journeys; of which no journey is in force.
fn everybody(
    store: &mut dyn Store,
    settings: &Settings,
) -> Result<(Catalog, Snapshot), StoreError> {
    let mut snapshot = Snapshot::new();
    for kind in [RowKind::Person, RowKind::Account, RowKind::Control] {
        store.scan(kind, &mut |key, row| {
            snapshot.put(key.clone(), Some(row.clone()));
        })?;
    }
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        store.head().id_key,
        Sending::Owed,
    );
    Ok((catalog, snapshot))
}

fn row(store: &mut dyn Store, id: DecisionId) -> Result<Option<Arc<Decision>>, StoreError> {
    let loaded = store.load(&[Key::Decision(id)])?;
    Ok(match loaded.into_iter().next().flatten() {
        Some(Row::Decision(decision)) => Some(decision),
        Some(_) | None => None,
    })
}

/// The versions of one journey, compiled as it is now.
struct Versions<'a> {
    journey: Option<&'a Journey>,
    settings: &'a Settings,
}

impl<'a> Versions<'a> {
    const fn of(journey: Option<&'a Journey>, settings: &'a Settings) -> Self {
        Self { journey, settings }
    }

    /// The graph of a version; nothing for one that is not kept or cannot be read any more.
    fn graph(&self, version: wayfare_journey::Version) -> Option<Graph> {
        let source = self.journey?.versions.get(&version)?;
        let compiled = self.settings.recompile(source);
        compiled.ok().map(|compiled| compiled.graph)
    }
}

/// What was told of decisions, in their order, and of events.
struct AllTold {
    told: Vec<Told>,
    sighting: Option<Sighting>,
}

/// Reads the history for decisions, and for the events of a person.
fn tell(
    store: &mut dyn Store,
    decisions: Vec<Arc<Decision>>,
    versions: &Versions<'_>,
    sought: Option<past::Sought<'_>>,
) -> Result<AllTold, StoreError> {
    let ids: BTreeSet<DecisionId> = decisions.iter().map(|it| it.id).collect();
    let mut past = Past::new(ids, sought);
    store.history(1, &mut |entry| past.entry(entry))?;
    let mut wanted: BTreeSet<Arc<str>> = BTreeSet::new();
    for decision in &decisions {
        let asked = decision.consent.iter().chain(past.asked(decision.id));
        wanted.extend(asked.flat_map(|it: &Permission| it.verdict.records.iter().cloned()));
    }
    let records = records(store, &wanted)?;
    let mut told = Vec::new();
    for decision in decisions {
        let loaded = store.load(&[Key::Delivery(decision.id.delivery())])?;
        let delivery = match loaded.into_iter().next().flatten() {
            Some(Row::Delivery(delivery)) => Some(delivery),
            Some(_) | None => None,
        };
        let asked = decision.consent.iter().chain(past.asked(decision.id));
        let relied: BTreeSet<Arc<str>> = asked
            .flat_map(|it| it.verdict.records.iter().cloned())
            .collect();
        let own = |relied: &&Relied| is_relied(&relied.record, &decision);
        let found = relied.iter().filter_map(|id| records.get(id)).flatten();
        told.push(Told {
            records: found.filter(own).cloned().collect(),
            left: left(&decision, versions),
            steps: past.steps(decision.id),
            stayed: None,
            in_flight: Vec::new(),
            delivery,
            decision,
        });
    }
    Ok(AllTold {
        told,
        sighting: past.sighting(),
    })
}

/// Whether a record with a wanted id is about what the decision asked.
fn is_relied(record: &Record, decision: &Decision) -> bool {
    use wayfare_executor::record::ConsentAsked;
    decision.consent.as_ref().is_some_and(|it| match &it.asked {
        ConsentAsked::Category { category, .. } | ConsentAsked::Declined { category, .. } => {
            wayfare_consent::covers(&record.category, category)
        }
        ConsentAsked::Basis { .. } => false,
    })
}

/// The records of consent with these ids: those that are kept, else those the history tells of.
fn records(
    store: &mut dyn Store,
    wanted: &BTreeSet<Arc<str>>,
) -> Result<BTreeMap<Arc<str>, Vec<Relied>>, StoreError> {
    let mut found: BTreeMap<Arc<str>, Vec<Relied>> = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let mut keep = |subject: &Identifier, record: &Record| {
        let relied = Relied {
            subject: subject.clone(),
            record: record.clone(),
        };
        found.entry(record.id.clone()).or_default().push(relied);
    };
    store.scan(RowKind::Person, &mut |key, row| {
        if let (Key::Person(subject), Row::Person(person)) = (key, row) {
            let held = person.record.consent.iter();
            held.filter(|record| wanted.contains(&record.id))
                .for_each(|record| keep(subject, record));
        }
    })?;
    let gone: BTreeSet<&Arc<str>> = wanted
        .iter()
        .filter(|id| !found.contains_key(*id))
        .collect();
    if !gone.is_empty() {
        let mut older: Vec<Relied> = Vec::new();
        store.history(1, &mut |entry| {
            for change in &entry.changes {
                if let Change::ConsentRecorded { subject, record } = change
                    && gone.contains(&record.id)
                {
                    older.push(Relied {
                        subject: subject.clone(),
                        record: record.clone(),
                    });
                }
            }
        })?;
        for relied in older {
            found
                .entry(relied.record.id.clone())
                .or_default()
                .push(relied);
        }
    }
    Ok(found)
}

/// By what an instance left, from the version it walked.
fn left(decision: &Decision, versions: &Versions<'_>) -> Option<Left> {
    use wayfare_executor::record::DecisionOutcome;
    if decision.outcome != DecisionOutcome::Exit {
        return None;
    }
    let reason = decision.reason.as_deref()?;
    let graph = versions.graph(decision.version);
    if let Some(graph) = &graph {
        let here = graph.find(&decision.block).map(|id| graph.block(id));
        if matches!(here, Some(Block::Exit { reason: own }) if **own == *reason) {
            return Some(Left::Block);
        }
        let rule = graph.exits().iter().find(|rule| *rule.reason == *reason);
        if let Some(rule) = rule {
            return Some(match &rule.on {
                Heard::Event { .. } => Left::Event(rule.on.to_string()),
                Heard::When(_) => Left::Condition(rule.on.to_string()),
            });
        }
    }
    match reason {
        "limit" => Some(Left::Limit),
        "life_over" => Some(Left::Life),
        _ => None,
    }
}

/// The event that an input was, as far as it names itself.
#[must_use]
pub fn event(input: &LoggedInput) -> Option<Box<wayfare_event::Event>> {
    match input {
        LoggedInput::Event { text, .. } => {
            wayfare_event::Event::parse(text, None).ok().map(Box::new)
        }
        LoggedInput::Timer { .. }
        | LoggedInput::AttemptReady { .. }
        | LoggedInput::AttemptFinished { .. }
        | LoggedInput::AttemptBarred(_)
        | LoggedInput::Queued(_)
        | LoggedInput::SweepPage { .. }
        | LoggedInput::Operator(_)
        | LoggedInput::Published { .. }
        | LoggedInput::Withdrawn(_)
        | LoggedInput::Redacted => None,
    }
}

/// Where a history begins that does not go back to the first input.
///
/// # Errors
///
/// When what is kept cannot be read.
pub fn begins(store: &mut dyn Store) -> Result<Option<Timestamp>, StoreError> {
    let beginning = store.beginning()?;
    Ok(beginning.filter(|(seq, _)| *seq > 1).map(|(_, at)| at))
}
