//! How does a story run? Events and timers go through `step`, what it asks for is loaded from a map,
//! and what it changes is applied there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{DeliveryId, Event, IdKey, Identifier, Timestamp};
use wayfare_executor::delivery::Outcome;
use wayfare_executor::record::{
    Control, Decision, Delivery, Erasure, Instance, Key, QueueId, Queued, Refusal, Row, Sweep,
    SweepCause, SweepId,
};
use wayfare_executor::{
    Action, Catalog, Change, Effects, Happened, Input, InputKind, Operator, Place, Sending,
    Snapshot, Timer, TimerOf, Trace, Trust, step, view,
};
use wayfare_journey::{Graph, Known, compile};

use crate::said;
use crate::told::told_of;

const MINUTE_US: i64 = 60_000_000;

/// Minutes after the story began, as an instant.
pub(crate) fn minute(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-01-26T10:00:00Z".parse().unwrap();
    start.saturating_add_micros(minute * MINUTE_US)
}

/// Profiles in one page of a sweep.
const PAGE_KEYS: usize = 4;

/// Everything there is in a story.
pub(crate) struct World {
    catalog: Catalog,
    /// Every version that was ever in force.
    graphs: Vec<Graph>,
    rows: BTreeMap<Key, Row>,
    seq: u64,
    at: Timestamp,
    /// Every decision so far.
    pub(crate) decisions: Vec<Decision>,
    /// Every refusal so far.
    pub(crate) refusals: Vec<Refusal>,
}

impl World {
    pub(crate) fn new(journeys: &[&str]) -> Self {
        let mut world = Self {
            catalog: catalog(),
            graphs: Vec::new(),
            rows: BTreeMap::new(),
            seq: 1,
            at: Timestamp::EPOCH,
            decisions: Vec::new(),
            refusals: Vec::new(),
        };
        let told = world.publish(journeys);
        assert_eq!(told, [""; 0]);
        world
    }

    /// The same world once more, for another story.
    pub(crate) fn fork(&self) -> Self {
        let mut fork = Self {
            catalog: catalog(),
            graphs: Vec::new(),
            rows: self.rows.clone(),
            seq: self.seq,
            at: self.at,
            decisions: self.decisions.clone(),
            refusals: self.refusals.clone(),
        };
        for graph in &self.graphs {
            fork.catalog.publish(graph.clone());
            fork.graphs.push(graph.clone());
        }
        fork
    }

    /// These journeys are in force, in place of those before, whose versions are kept.
    pub(crate) fn publish(&mut self, journeys: &[&str]) -> Vec<String> {
        let mut fresh = catalog();
        for graph in &self.graphs {
            fresh.keep(graph.clone());
        }
        let mut told = Vec::new();
        let in_force: Vec<Graph> = journeys.iter().map(|journey| compiled(journey)).collect();
        for graph in &in_force {
            fresh.publish(graph.clone());
        }
        self.catalog = fresh;
        for graph in in_force {
            let version = graph.version();
            let is_known = self.graphs.iter().any(|it| it.version() == version);
            if is_known {
                continue;
            }
            let published = InputKind::Published {
                journey: graph.id().clone(),
                version,
                source: graph.source().into(),
            };
            self.graphs.push(graph);
            told.extend(self.input(self.at, published));
        }
        told
    }

    /// An event comes in; it happened then, unless it says when.
    pub(crate) fn hear(&mut self, at: i64, event: &str) -> Vec<String> {
        self.hear_from(Trust::Verified, at, event)
    }

    /// An event comes in whose source is trusted so far.
    pub(crate) fn hear_from(&mut self, trust: Trust, at: i64, event: &str) -> Vec<String> {
        let event = Event::parse(event, None).unwrap();
        let occurred = event.told_at().unwrap_or_else(|| minute(at));
        let happened = Happened::new(&self.catalog, event, "test".into(), occurred);
        let happened = InputKind::Event(Box::new(happened.unwrap().trusted(trust)));
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

    /// Sweeps go on, page by page, until none is due.
    pub(crate) fn sweep(&mut self, at: i64) -> Vec<String> {
        let mut told = Vec::new();
        while let Some((id, sweep)) = self.due_sweep(minute(at)) {
            told.extend(self.page(at, id, &sweep));
        }
        told
    }

    /// The next page of the sweep that is due, when one is.
    pub(crate) fn one_page(&mut self, at: i64) -> Vec<String> {
        match self.due_sweep(minute(at)) {
            Some((id, sweep)) => self.page(at, id, &sweep),
            None => Vec::new(),
        }
    }

    fn due_sweep(&self, at: Timestamp) -> Option<(SweepId, Arc<Sweep>)> {
        let mut sweeps = self.sweeps().into_iter();
        sweeps.find(|(_, sweep)| sweep.is_due(at))
    }

    /// Every sweep there is.
    pub(crate) fn sweeps(&self) -> Vec<(SweepId, Arc<Sweep>)> {
        let sweep = |(key, row): (&Key, &Row)| match (key, row) {
            (Key::Sweep(id), Row::Sweep(sweep)) => Some((id.clone(), sweep.clone())),
            _ => None,
        };
        self.rows.iter().filter_map(sweep).collect()
    }

    fn page(&mut self, at: i64, id: SweepId, sweep: &Sweep) -> Vec<String> {
        if let Some(erasure) = &sweep.erasure {
            let kind = self.ledger_page(id, sweep, erasure);
            return self.input(minute(at), kind);
        }
        let deliveries = self.open_deliveries(&id, sweep);
        let person = |key: &Key| {
            if let Key::Person(identifier) = key {
                Some(identifier.clone())
            } else {
                None
            }
        };
        let behind = |it: &Identifier| sweep.cursor.as_ref().is_none_or(|cursor| it > cursor);
        let people = self.rows.keys().filter_map(person).filter(behind);
        let count = if deliveries.is_empty() { PAGE_KEYS } else { 0 };
        let keys: Vec<Identifier> = people.take(count).collect();
        let is_last = deliveries.is_empty() && keys.len() < PAGE_KEYS;
        let kind = InputKind::SweepPage {
            id,
            deliveries,
            keys,
            entries: Vec::new(),
            is_last,
        };
        self.input(minute(at), kind)
    }

    /// The next rows of the ledger that a sweep is about which reduces it, then the entries.
    fn ledger_page(&self, id: SweepId, sweep: &Sweep, erasure: &Erasure) -> InputKind {
        let id_key = &self.catalog.id_key;
        let decisions = self.rows.values().filter_map(|row| {
            if let Row::Decision(it) = row
                && erasure.concerns(id_key, it)
            {
                Some(it.id.delivery())
            } else {
                None
            }
        });
        let behind = decisions.filter(|it| sweep.delivery.is_none_or(|cursor| *it > cursor));
        let deliveries: Vec<DeliveryId> = behind.take(PAGE_KEYS).collect();
        let is_last = deliveries.is_empty();
        let is_own =
            |key: &&Key| matches!(key, Key::Guard { owner, .. } if erasure.is_about(id_key, owner));
        let entries = self.rows.keys().filter(|key| is_last && is_own(key));
        InputKind::SweepPage {
            id,
            entries: entries.cloned().collect(),
            deliveries,
            keys: Vec::new(),
            is_last,
        }
    }

    /// Who somebody is by now; nothing for an identifier that nobody goes by.
    pub(crate) fn profile(&self, identifier: &Identifier) -> Option<wayfare_event::ProfileId> {
        let (config, rows) = (&self.catalog.identity, self.snapshot(|_| true));
        let partition = wayfare_identity::resolve(config, &self.catalog.id_key, rows.links());
        partition.profile_of(identifier).map(|profile| profile.id)
    }

    /// The next deliveries that a sweep is about which ends walks.
    fn open_deliveries(&self, id: &SweepId, sweep: &Sweep) -> Vec<DeliveryId> {
        let open = self.rows.iter().filter_map(|(key, row)| match (key, row) {
            (Key::Delivery(id), Row::Delivery(it)) if !it.state.is_final() => Some(*id),
            _ => None,
        });
        let behind = open.filter(|it| sweep.delivery.is_none_or(|cursor| *it > cursor));
        let is_stop = id.cause == SweepCause::Stop;
        behind.take(if is_stop { PAGE_KEYS } else { 0 }).collect()
    }

    /// Somebody pauses a journey.
    pub(crate) fn pause(&mut self, at: i64, journey: &str) -> Vec<String> {
        self.order(at, Action::Pause(Place::whole(journey.into())))
    }

    /// Somebody lets a journey go on.
    pub(crate) fn resume(&mut self, at: i64, journey: &str) -> Vec<String> {
        self.order(at, Action::Resume(Place::whole(journey.into())))
    }

    /// Somebody orders something.
    pub(crate) fn order(&mut self, at: i64, action: Action) -> Vec<String> {
        let order = Operator {
            by: "ops".into(),
            reason: "it is a test".into(),
            action,
        };
        self.input(minute(at), InputKind::Operator(order))
    }

    /// A delivery could leave.
    pub(crate) fn ready(&mut self, at: i64, id: DeliveryId) -> Vec<String> {
        self.ready_after(at, id, 0)
    }

    /// A delivery could leave that has waited for us since it was due, this many minutes.
    pub(crate) fn ready_after(&mut self, at: i64, id: DeliveryId, waited: i64) -> Vec<String> {
        let kind = InputKind::AttemptReady {
            delivery: id,
            waited_us: waited * 60_000_000,
        };
        self.input(minute(at), kind)
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

    /// Which messages were seen is known only for so long.
    pub(crate) fn forget_messages(&mut self) {
        self.rows.retain(|key, _| !matches!(key, Key::Message(_)));
    }

    /// Every row there is.
    pub(crate) fn everything(&self) -> BTreeMap<Key, Row> {
        self.rows.clone()
    }

    /// The delivery that the last decision owes.
    pub(crate) fn owed(&self) -> DeliveryId {
        self.decisions.last().unwrap().id.delivery()
    }

    /// What waits for a time; in paused journeys nothing does.
    fn timers(&self) -> Vec<Timer> {
        let is_paused = |journey: &Arc<str>| {
            let control = self.control(journey);
            control.is_some_and(|control| control.paused.is_some())
        };
        let mut timers = Vec::new();
        for (key, row) in &self.rows {
            if let (Key::Person(owner), Row::Person(person)) = (key, row) {
                for (id, instance) in &person.record.instances {
                    if is_paused(&instance.journey) {
                        continue;
                    }
                    timers.extend(instance.due.map(|due| Timer {
                        due,
                        of: TimerOf::Instance(*id),
                        owner: owner.clone(),
                    }));
                }
                for (journey, planned) in &person.record.dates {
                    if is_paused(journey) || self.catalog.in_force(journey).is_none() {
                        continue;
                    }
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

    /// One input, then what it queued, breadth first. What came of it, a line each.
    fn input(&mut self, at: Timestamp, kind: InputKind) -> Vec<String> {
        let first = QueueId {
            seq: self.seq,
            place: 0,
        };
        let mut told = self.one(at, kind);
        told.extend(self.take_queued(at, first));
        told
    }

    /// An input that one before queued has not had its turn.
    pub(crate) fn leave(&mut self, queued: Queued) {
        let (seq, place) = (self.seq - 1, 1_000);
        let key = Key::Queued(QueueId { seq, place });
        self.rows.insert(key, Row::Queued(Arc::new(queued)));
    }

    /// What was queued from a place on has its turn, breadth first.
    pub(crate) fn take_queued(&mut self, at: Timestamp, from: QueueId) -> Vec<String> {
        let queued = |key: &Key| {
            let Key::Queued(id) = key else {
                return None;
            };
            (*id >= from).then_some(*id)
        };
        let mut told = Vec::new();
        while let Some(id) = self.rows.keys().find_map(queued) {
            told.extend(self.one(at, InputKind::Queued(id)));
        }
        told
    }

    /// Load, step, apply.
    fn one(&mut self, at: Timestamp, kind: InputKind) -> Vec<String> {
        let mut told = Vec::new();
        let mut input = Input {
            seq: self.seq,
            at: self.at.max(at),
            kind,
        };
        let mut snapshot = self.controls();
        let mut before = BTreeSet::new();
        let changes = loop {
            match step(&self.catalog, &snapshot, &input, &mut Trace::off()) {
                Effects::Changes(changes) => break changes,
                Effects::Dropped => break Vec::new(),
                Effects::Load(keys) => {
                    for key in keys {
                        assert!(!snapshot.is_loaded(&key), "{key:?} is asked for twice");
                        let row = self.rows.get(&key).cloned();
                        snapshot.put(key, row);
                    }
                }
                Effects::DueFirst(timer) => {
                    assert!(before.insert(timer.clone()), "{timer:?} comes to nothing");
                    told.extend(self.input(input.at, InputKind::Timer(timer)));
                    input.seq = self.seq;
                    snapshot = self.controls();
                }
            }
        };
        if changes.is_empty() {
            return told;
        }
        self.seq += 1;
        self.at = input.at;
        for change in &changes {
            for key in change.touches() {
                // The other rows are written whole.
                let is_changed =
                    matches!(key, Key::Person(_) | Key::Account(_) | Key::Guard { .. });
                assert!(
                    !is_changed || snapshot.is_loaded(&key),
                    "{key:?} is changed and not loaded"
                );
            }
            change.apply(&mut snapshot);
            for key in change.touches() {
                match snapshot.row(&key) {
                    Some(row) => self.rows.insert(key, row),
                    None => self.rows.remove(&key),
                };
            }
            told.extend(told_of(change));
            if let Change::Decided(decision) = change {
                self.decisions.push((**decision).clone());
            } else if let Change::Refused { refusal, .. } = change {
                self.refusals.push(refusal.clone());
            }
        }
        told
    }

    /// Every profile there is.
    pub(crate) fn profiles(&self) -> Vec<view::Profile> {
        view::profiles(&self.catalog, &self.snapshot(|_| true), self.at)
    }

    /// What holds for a whole journey.
    fn control(&self, journey: &str) -> Option<Arc<Control>> {
        match self.rows.get(&Key::Control(journey.into())) {
            Some(Row::Control(control)) => Some(control.clone()),
            _ => None,
        }
    }

    /// What holds for whole journeys.
    fn controls(&self) -> Snapshot {
        self.snapshot(|key| matches!(key, Key::Control(_)))
    }

    fn snapshot(&self, has: impl Fn(&Key) -> bool) -> Snapshot {
        let mut rows = Snapshot::new();
        for (key, row) in self.rows.iter().filter(|(key, _)| has(key)) {
            rows.put(key.clone(), Some(row.clone()));
        }
        rows
    }
}

pub(crate) fn catalog() -> Catalog {
    let identity = wayfare_identity::Config::default();
    let consent = said::consent();
    Catalog::new(identity, consent, IdKey::STATELESS, Sending::Owed)
}

fn compiled(journey: &str) -> Graph {
    let consent = wayfare_consent::Config::default();
    let categories: Vec<Arc<str>> = consent.names().cloned().collect();
    let known = Known {
        categories: &categories,
        ..Known::default()
    };
    let compiled = compile(journey, &known);
    compiled.unwrap_or_else(|all| panic!("{all:?}")).graph
}
