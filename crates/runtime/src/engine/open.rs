//! How does the engine come up? What is due is read off the rows; journeys whose files are gone are
//! kept for those still inside; an attempt that was on the wire when the engine stopped is unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::Timestamp;
use wayfare_executor::delivery::{Outcome, State, UnknownReason};
use wayfare_executor::record::{Control, Delivery, QueueId, Sweep, SweepCause, SweepId};
use wayfare_executor::{Catalog, InputKind, Key, Row, Timer, TimerOf, Trace};
use wayfare_journey::diagnostic::Diagnostic;
use wayfare_journey::{Compiled, Graph, TriggerOn, Version};
use wayfare_store::{LoggedInput, RowKind, Store, StoreError};

use super::alerts::Alerts;
use super::migration::{self, MigrationError};
use super::purge::Purge;
use super::{Counts, Due, Engine};
use crate::journeys;

/// Why the engine cannot come up.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A journey takes over people for whom it has no place.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl Engine {
    /// An engine over a store, with these journeys in force.
    ///
    /// What this changes (a version published, an attempt found unknown) is durable on return.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written, or a version in it cannot be compiled.
    pub fn open(
        mut catalog: Catalog,
        mut store: Box<dyn Store>,
        graphs: Vec<Graph>,
        compile: Compile<'_>,
    ) -> Result<Self, OpenError> {
        let stored = versions(&mut *store)?;
        let inside = timers(&mut *store)?;
        let waiting = waiting(&mut *store)?;
        for (key, source) in &stored {
            let used = inside.versions.contains(key);
            let in_force = graphs
                .iter()
                .any(|graph| (graph.id(), graph.version()) == (&key.0, key.1));
            if used && !in_force {
                catalog.keep(recompile(key, source, compile)?);
            }
        }
        let published: Vec<_> = graphs
            .iter()
            .map(|graph| (graph.id().clone(), graph.version(), graph.source().into()))
            .collect();
        for graph in graphs {
            catalog.publish(graph);
        }
        migration::check(&catalog, &inside.occupied)?;
        let head = store.head();
        let (next_seq, at) = (head.next_seq, head.last_at);
        let mut engine = Self {
            catalog,
            store,
            next_seq,
            at,
            entries: Vec::new(),
            rows: BTreeMap::new(),
            cursor: None,
            batch_bytes: 0,
            outputs: Vec::new(),
            timers: inside.timers,
            last_date: None,
            due: Due::default(),
            queued: waiting.queued,
            sweeps: waiting.sweeps,
            looked: BTreeMap::new(),
            purge: Purge::default(),
            controls: waiting.controls,
            held_timers: BTreeSet::new(),
            awake: at,
            counts: Counts::default(),
            alerts: Alerts::default(),
            trace: Trace::off(),
        };
        for (journey, version, source) in published {
            engine.publish((journey, version), source)?;
        }
        engine.withdraw()?;
        engine.end_sweeps()?;
        engine.take_up_deliveries()?;
        // What came of it is told with the first commit, as everything is.
        engine.settle()?;
        Ok(engine)
    }

    /// An engine over a store as it was left: what is in force there stays in force, and journey
    /// files are not looked at.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written, or a version in it cannot be compiled.
    pub fn reopen(
        catalog: Catalog,
        mut store: Box<dyn Store>,
        compile: Compile<'_>,
    ) -> Result<Self, OpenError> {
        let mut graphs = Vec::new();
        for (id, journey) in journeys::all(&mut *store)? {
            if let Some((version, source)) = journey.in_force() {
                graphs.push(recompile(&(id, version), source, compile)?);
            }
        }
        Self::open(catalog, store, graphs, compile)
    }

    fn publish(
        &mut self,
        (journey, version): (Arc<str>, Version),
        source: Arc<str>,
    ) -> Result<(), StoreError> {
        let before = self.controls.get(&journey).and_then(|it| it.in_force);
        if before == Some(version) && !self.lacks_sweep(&journey) {
            return Ok(());
        }
        let logged = LoggedInput::Published {
            journey: journey.clone(),
            version,
        };
        let kind = InputKind::Published {
            journey,
            version,
            source,
        };
        self.input(self.at, kind, logged).map(|_| ())
    }

    /// Notes the journeys that were in force and whose files are gone.
    fn withdraw(&mut self) -> Result<(), StoreError> {
        let in_force = self.controls.iter();
        let gone: Vec<Arc<str>> = in_force
            .filter(|(journey, control)| {
                control.in_force.is_some() && self.catalog.in_force(journey).is_none()
            })
            .map(|(journey, _)| journey.clone())
            .collect();
        for journey in gone {
            let logged = LoggedInput::Withdrawn(journey.clone());
            self.input(self.at, InputKind::Withdrawn(journey), logged)?;
        }
        Ok(())
    }

    /// Whether a journey needs a sweep that it has not: it was gone for a while, or another version
    /// was in force.
    fn lacks_sweep(&self, journey: &Arc<str>) -> bool {
        let Some(published) = self.catalog.in_force(journey) else {
            return false;
        };
        let sweep = |cause| {
            let journey = journey.clone();
            self.sweeps.get(&SweepId { journey, cause })
        };
        match &published.graph.trigger().on {
            TriggerOn::Schedule { .. } => {
                let sweep = sweep(SweepCause::Schedule);
                sweep.is_none_or(|sweep| !published.has_sweep(sweep, self.at))
            }
            TriggerOn::Date { .. } => {
                let version = published.graph.version();
                let sweep = sweep(SweepCause::Dates);
                sweep.is_none_or(|sweep| sweep.over.is_some_and(|over| over != version))
            }
            TriggerOn::Events(_)
            | TriggerOn::Consent { .. }
            | TriggerOn::Trait(_)
            | TriggerOn::Delivery { .. } => false,
        }
    }

    fn take_up_deliveries(&mut self) -> Result<(), StoreError> {
        let mut open = Vec::new();
        self.store.scan(RowKind::Delivery, &mut |_, row| {
            if let Row::Delivery(delivery) = row
                && !delivery.state.is_final()
            {
                open.push(delivery.clone());
            }
        })?;
        for delivery in &open {
            self.track(delivery);
        }
        let armed = |delivery: &&Arc<Delivery>| matches!(delivery.state, State::Armed { .. });
        for delivery in open.iter().filter(armed) {
            let crash = Outcome::Unknown(UnknownReason::Crash);
            self.finished(self.at, delivery.id, (delivery.attempts, crash))?;
        }
        Ok(())
    }
}

/// How a stored journey file is compiled under the configuration as it is now.
pub type Compile<'a> = &'a dyn Fn(&str) -> Result<Compiled, Vec<Diagnostic>>;

type Versions = BTreeMap<(Arc<str>, Version), Arc<str>>;

fn versions(store: &mut dyn Store) -> Result<Versions, StoreError> {
    let mut found = Versions::new();
    store.scan(RowKind::Version, &mut |key, row| {
        if let (Key::Version(journey, version), Row::Version(source)) = (key, row) {
            found.insert((journey.clone(), *version), source.clone());
        }
    })?;
    Ok(found)
}

/// What waits for its turn, and what holds for whole journeys.
#[derive(Default)]
struct Waiting {
    queued: BTreeSet<QueueId>,
    sweeps: BTreeMap<SweepId, Arc<Sweep>>,
    controls: BTreeMap<Arc<str>, Arc<Control>>,
}

fn waiting(store: &mut dyn Store) -> Result<Waiting, StoreError> {
    let mut waiting = Waiting::default();
    for kind in [RowKind::Queued, RowKind::Sweep, RowKind::Control] {
        store.scan(kind, &mut |key, row| {
            if let Key::Queued(id) = key {
                waiting.queued.insert(*id);
            } else if let (Key::Sweep(id), Row::Sweep(sweep)) = (key, row) {
                waiting.sweeps.insert(id.clone(), sweep.clone());
            } else if let (Key::Control(journey), Row::Control(control)) = (key, row) {
                waiting.controls.insert(journey.clone(), control.clone());
            }
        })?;
    }
    Ok(waiting)
}

/// What the live instances wait for, and where they are.
struct Inside {
    timers: BTreeSet<Timer>,
    versions: BTreeSet<(Arc<str>, Version)>,
    /// How many are at each block.
    occupied: Occupied,
}

/// How many instances are at each block of each version.
pub(super) type Occupied = BTreeMap<(Arc<str>, Version, Arc<str>), u64>;

fn timers(store: &mut dyn Store) -> Result<Inside, StoreError> {
    let mut inside = Inside {
        timers: BTreeSet::new(),
        versions: BTreeSet::new(),
        occupied: Occupied::new(),
    };
    store.scan(RowKind::Person, &mut |key, row| {
        let (Key::Person(owner), Row::Person(person)) = (key, row) else {
            return;
        };
        for (id, instance) in &person.record.instances {
            let version = (instance.journey.clone(), instance.version);
            let (journey, at) = version.clone();
            let place = (journey, at, instance.block.clone());
            *inside.occupied.entry(place).or_insert(0) += 1;
            inside.versions.insert(version);
            inside
                .timers
                .extend(instance.due.map(|due: Timestamp| Timer {
                    due,
                    of: TimerOf::Instance(*id),
                    owner: owner.clone(),
                }));
        }
        for (journey, planned) in &person.record.dates {
            inside.timers.extend(planned.due.map(|due| Timer {
                due,
                of: TimerOf::Date(journey.clone()),
                owner: owner.clone(),
            }));
        }
    })?;
    Ok(inside)
}

pub(crate) fn recompile(
    (journey, version): &(Arc<str>, Version),
    source: &str,
    compile: Compile<'_>,
) -> Result<Graph, OpenError> {
    match compile(source) {
        Ok(compiled) => Ok(compiled.graph),
        Err(problems) => {
            let unreadable = MigrationError::unreadable(journey.clone(), *version, &problems);
            Err(unreadable.into())
        }
    }
}
