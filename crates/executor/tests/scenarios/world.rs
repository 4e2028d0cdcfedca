//! How does a story run? Events and timers go through `step`, what it asks for is loaded from a map,
//! and what it changes is applied there.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_event::{DeliveryId, Event, IdKey, Identifier, Timestamp};
use wayfare_executor::delivery::Outcome;
use wayfare_executor::record::{Decision, Delivery, Instance, Key, Row};
use wayfare_executor::{
    Catalog, Change, Effects, Happened, Input, InputKind, Sending, Snapshot, Timer, TimerOf, Trace,
    step,
};
use wayfare_journey::{Known, compile};

const MINUTE_US: i64 = 60_000_000;

/// Minutes after the story began, as an instant.
pub(crate) fn minute(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-01-26T10:00:00Z".parse().unwrap();
    start.saturating_add_micros(minute * MINUTE_US)
}

/// A track event of somebody, such as `userId u1`, with more fields behind its name.
pub(crate) fn track(who: &str, name: &str, more: &str) -> String {
    let (field, value) = who.split_once(' ').unwrap();
    format!(r#"{{"type":"track","{field}":"{value}","event":"{name}"{more}}}"#)
}

/// An add_to_cart or purchase within a session.
pub(crate) fn shop(who: &str, name: &str, session: &str) -> String {
    track(
        who,
        name,
        &format!(r#","properties":{{"session":"{session}"}}"#),
    )
}

/// An identify event that links an anonymous id to a user.
pub(crate) fn login(anonymous: &str, user: &str) -> String {
    format!(r#"{{"type":"identify","anonymousId":"{anonymous}","userId":"{user}"}}"#)
}

/// Everything there is in a story.
pub(crate) struct World {
    catalog: Catalog,
    rows: BTreeMap<Key, Row>,
    seq: u64,
    at: Timestamp,
    /// Every decision so far.
    pub(crate) decisions: Vec<Decision>,
}

impl World {
    pub(crate) fn new(journeys: &[&str]) -> Self {
        let consent = wayfare_consent::Config::default();
        let categories: Vec<Arc<str>> = consent.names().cloned().collect();
        let identity = wayfare_identity::Config::default();
        let mut catalog = Catalog::new(identity, consent, IdKey::STATELESS, Sending::Owed);
        for journey in journeys {
            let known = Known {
                categories: &categories,
                vet: &|_| Ok(()),
                ..Known::default()
            };
            let compiled = compile(journey, &known);
            catalog.publish(compiled.unwrap_or_else(|all| panic!("{all:?}")).graph);
        }
        Self {
            catalog,
            rows: BTreeMap::new(),
            seq: 1,
            at: Timestamp::EPOCH,
            decisions: Vec::new(),
        }
    }

    /// An event comes in; it happened then, unless it says when.
    pub(crate) fn hear(&mut self, at: i64, event: &str) -> Vec<String> {
        let event = Event::parse(event, None).unwrap();
        let occurred = event.told_at().unwrap_or_else(|| minute(at));
        let happened = Happened::new(&self.catalog.identity, event, "test".into(), occurred);
        let happened = InputKind::Event(Box::new(happened.unwrap()));
        self.input(minute(at), happened)
    }

    /// Time passes: every timer that is due by then fires at its instant.
    pub(crate) fn wait(&mut self, until: i64) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(timer) = self.timers().into_iter().min()
            && timer.due <= minute(until)
        {
            told.extend(self.input(timer.due, InputKind::Timer(timer)));
        }
        told
    }

    /// A delivery could leave.
    pub(crate) fn ready(&mut self, at: i64, id: DeliveryId) -> Vec<String> {
        self.input(minute(at), InputKind::AttemptReady(id))
    }

    /// An attempt ended.
    pub(crate) fn finished(
        &mut self,
        at: i64,
        delivery: DeliveryId,
        (attempt, outcome): (u32, Outcome),
    ) -> Vec<String> {
        let kind = InputKind::AttemptFinished {
            delivery,
            attempt,
            outcome,
        };
        self.input(minute(at), kind)
    }

    /// Every walk that has not ended, and what it is kept under.
    pub(crate) fn live(&self) -> Vec<(Identifier, Arc<Instance>)> {
        let people = self.rows.iter().filter_map(|(key, row)| match (key, row) {
            (Key::Person(owner), Row::Person(person)) => Some((owner, person)),
            _ => None,
        });
        people
            .flat_map(|(owner, person)| {
                let walks = person.record.instances.values();
                walks.map(|instance| (owner.clone(), instance.clone()))
            })
            .collect()
    }

    /// A delivery, as it is now.
    pub(crate) fn delivery(&self, id: DeliveryId) -> Arc<Delivery> {
        match self.rows.get(&Key::Delivery(id)) {
            Some(Row::Delivery(delivery)) => delivery.clone(),
            other => panic!("{id} is {other:?}"),
        }
    }

    /// Every row there is.
    pub(crate) fn everything(&self) -> BTreeMap<Key, Row> {
        self.rows.clone()
    }

    /// The delivery that the last decision owes.
    pub(crate) fn owed(&self) -> DeliveryId {
        self.decisions.last().unwrap().id.delivery()
    }

    fn timers(&self) -> Vec<Timer> {
        let mut timers = Vec::new();
        for (key, row) in &self.rows {
            if let (Key::Person(owner), Row::Person(person)) = (key, row) {
                for (id, instance) in &person.record.instances {
                    timers.extend(instance.due.map(|due| Timer {
                        due,
                        of: TimerOf::Instance(*id),
                        owner: owner.clone(),
                    }));
                }
                for (journey, planned) in &person.record.dates {
                    timers.extend(planned.due.map(|due| Timer {
                        due,
                        of: TimerOf::Date(journey.clone()),
                        owner: owner.clone(),
                    }));
                }
            }
        }
        timers
    }

    /// Load, step, apply. What came of it, a line each.
    fn input(&mut self, at: Timestamp, kind: InputKind) -> Vec<String> {
        let mut told = Vec::new();
        let mut input = Input {
            seq: self.seq,
            at: self.at.max(at),
            kind,
        };
        let mut snapshot = self.controls();
        let changes = loop {
            match step(&self.catalog, &snapshot, &input, &mut Trace::off()) {
                Effects::Changes(changes) => break changes,
                Effects::Load(keys) => {
                    for key in keys {
                        assert!(!snapshot.is_loaded(&key), "{key:?} is asked for twice");
                        let row = self.rows.get(&key).cloned();
                        snapshot.put(key, row);
                    }
                }
                Effects::DueFirst(timer) => {
                    told.extend(self.input(input.at, InputKind::Timer(timer)));
                    input.seq = self.seq;
                    snapshot = self.controls();
                }
            }
        };
        self.seq += 1;
        self.at = input.at;
        for change in &changes {
            change.apply(&mut snapshot);
            for key in change.touches() {
                assert!(
                    snapshot.is_loaded(&key),
                    "{key:?} is changed and not loaded"
                );
                match snapshot.row(&key) {
                    Some(row) => self.rows.insert(key, row),
                    None => self.rows.remove(&key),
                };
            }
            told.extend(told_of(change));
            if let Change::Decided(decision) = change {
                self.decisions.push((**decision).clone());
            }
        }
        for change in &changes {
            if let Change::Queued { id, .. } = change {
                told.extend(self.input(at, InputKind::Queued(*id)));
            }
        }
        told
    }

    /// What holds for whole journeys.
    fn controls(&self) -> Snapshot {
        let mut rows = Snapshot::new();
        for (key, row) in &self.rows {
            if matches!(key, Key::Control(_)) {
                rows.put(key.clone(), Some(row.clone()));
            }
        }
        rows
    }
}

/// A change that a story speaks of, in words.
fn told_of(change: &Change) -> Option<String> {
    match change {
        Change::Entered { instance, .. } => Some(format!("{} entered", instance.journey)),
        Change::Decided(decision) => {
            let Decision {
                journey,
                outcome,
                reason,
                ..
            } = &**decision;
            let reason = reason.as_ref();
            let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            Some(format!("{journey} {}{reason}", outcome.as_str()))
        }
        Change::Refused { refusal, .. } => Some(format!(
            "{} refused: {}",
            refusal.journey,
            refusal.code.as_str()
        )),
        Change::DeliveryMoved { state, .. } => Some(format!("{state:?}")),
        Change::MessageSeen { .. }
        | Change::Linked(_)
        | Change::Rehomed { .. }
        | Change::EntryKept { .. }
        | Change::TraitSet { .. }
        | Change::AccountTraitSet { .. }
        | Change::AccountJoined { .. }
        | Change::ConsentRecorded { .. }
        | Change::EventCounted { .. }
        | Change::Parked { .. }
        | Change::Named { .. }
        | Change::ArmTaken { .. }
        | Change::Queued { .. }
        | Change::Dequeued(_)
        | Change::DatePlanned { .. }
        | Change::SweepMoved { .. }
        | Change::EntryCounted { .. }
        | Change::Published { .. }
        | Change::Withdrawn { .. } => None,
        Change::Migrated { block, .. } => Some(format!("moved to {block}")),
        Change::JourneyPaused { journey, .. } => Some(format!("{journey} paused")),
        Change::JourneyResumed { journey, .. } => Some(format!("{journey} resumed")),
    }
}
