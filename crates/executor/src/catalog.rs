//! Which journeys are in force, and what is configured? Built by the shell at start and whenever a
//! journey is published; read by every step. Not here: reading files.

mod triggers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{ConsentAction, EventKind, IdKey, Map, Timestamp, Value};
use wayfare_journey::{Again, Graph, TraitOf, TriggerOn, Version};

use crate::delivery::Spread;
use crate::record::Sweep;
use triggers::Triggers;

/// Everything a step reads that no input changes.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// How identifiers are read and resolved.
    pub identity: wayfare_identity::Config,
    /// The categories of consent.
    pub consent: wayfare_consent::Config,
    /// The installation's secret for profile ids.
    pub id_key: IdKey,
    /// Whether requests are owed.
    pub sending: Sending,
    /// Whether waits between attempts are spread.
    pub spread: Spread,
    journeys: BTreeMap<Arc<str>, Versions>,
    triggers: Triggers,
    registers: BTreeSet<Arc<str>>,
}

/// Whether a `webhook` decision owes a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It does.
    Owed,
    /// In a dry run decisions stand and deliveries do not exist (SP 5).
    Dry,
}

#[derive(Clone, Debug, Default)]
struct Versions {
    /// The one that takes entries; none when the journey's file is gone.
    current: Option<Version>,
    all: BTreeMap<Version, Arc<Published>>,
}

/// A graph in force, and what expressions call `journey`.
#[derive(Clone, Debug)]
pub struct Published {
    /// The graph.
    pub graph: Graph,
    /// `journey.id`, `.title` and `.version`.
    pub names: Map,
}

impl Published {
    /// A graph, as expressions know it.
    #[must_use]
    pub fn new(graph: Graph) -> Self {
        let names = [
            ("id", &**graph.id()),
            ("title", graph.title()),
            ("version", &graph.version().to_string()),
        ];
        let names = names
            .into_iter()
            .map(|(name, text)| (name.into(), Value::from(text)))
            .collect();
        Self { graph, names }
    }

    /// When its schedule comes next, not before an instant; nothing when it has none.
    #[must_use]
    pub fn next_instant(&self, from: Timestamp) -> Option<Timestamp> {
        let TriggerOn::Schedule { cron, zone } = &self.graph.trigger().on else {
            return None;
        };
        cron.next_after(from.saturating_add_micros(-1), zone)
    }

    /// Whether a sweep that stands at `at` is the one its schedule has: under way or missed for an
    /// instant of the schedule, or set for the next.
    #[must_use]
    pub fn has_sweep(&self, sweep: &Sweep, at: Timestamp) -> bool {
        if sweep.over.is_some() {
            return false;
        }
        let Some(begins) = sweep.at else {
            return matches!(self.graph.trigger().on, TriggerOn::Schedule { .. });
        };
        // An instant that is `at` itself may have had its turn.
        let is_ahead = sweep.cursor.is_none() && begins > at;
        let from = if is_ahead {
            at.saturating_add_micros(1)
        } else {
            begins
        };
        self.next_instant(from) == Some(begins)
    }
}

impl Catalog {
    /// A catalog without journeys.
    #[must_use]
    pub fn new(
        identity: wayfare_identity::Config,
        consent: wayfare_consent::Config,
        id_key: IdKey,
        sending: Sending,
    ) -> Self {
        Self {
            identity,
            consent,
            id_key,
            sending,
            spread: Spread::ByHash,
            journeys: BTreeMap::new(),
            triggers: Triggers::default(),
            registers: BTreeSet::new(),
        }
    }

    /// Puts a graph in force: it takes entries from now on, instead of the version before.
    pub fn publish(&mut self, graph: Graph) {
        let (id, version) = (graph.id().clone(), graph.version());
        self.keep(graph);
        let before = self.journeys.entry(id.clone()).or_default().current;
        self.journeys.entry(id.clone()).or_default().current = Some(version);
        if before.is_some_and(|before| before != version) {
            self.triggers = Triggers::default();
            let graphs: Vec<Arc<Published>> = self.current().cloned().collect();
            graphs.iter().for_each(|it| self.triggers.add(&it.graph));
        } else if let Some(published) = self.version(&id, version).cloned() {
            self.triggers.add(&published.graph);
        }
    }

    /// Keeps a graph that takes no entries, for the instances that are still in it.
    pub fn keep(&mut self, graph: Graph) {
        self.registers.extend(graph.registers().map(Arc::from));
        let versions = self.journeys.entry(graph.id().clone()).or_default();
        let published = Published::new(graph);
        versions
            .all
            .insert(published.graph.version(), Arc::new(published));
    }

    /// The graphs that take entries, by journey id.
    pub fn current(&self) -> impl Iterator<Item = &Arc<Published>> {
        self.journeys
            .values()
            .filter_map(|versions| versions.all.get(&versions.current?))
    }

    /// A version of a journey.
    #[must_use]
    pub fn version(&self, journey: &str, version: Version) -> Option<&Arc<Published>> {
        self.journeys.get(journey)?.all.get(&version)
    }

    /// Every version of a journey that is kept: the one in force, and those somebody is still in.
    pub fn versions(&self, journey: &str) -> impl Iterator<Item = &Arc<Published>> {
        let versions = self.journeys.get(journey).into_iter();
        versions.flat_map(|versions| versions.all.values())
    }

    /// Whether a journey in force asks about what a merge may bring: entries that are over, or
    /// traits.
    pub(crate) fn minds_merges(&self) -> bool {
        let remembers = |again| matches!(again, Again::Once | Again::Every(_));
        let listens = |on: &TriggerOn| matches!(on, TriggerOn::Trait(_));
        let mut graphs = self.current().map(|published| &published.graph);
        graphs.any(|it| remembers(it.entry().again) || listens(&it.trigger().on))
    }

    /// Whether some expression counts the events of this name.
    #[must_use]
    pub fn counts(&self, event: &str) -> bool {
        self.registers.contains(event)
    }

    /// The version of a journey that takes entries.
    #[must_use]
    pub fn in_force(&self, journey: &str) -> Option<&Arc<Published>> {
        let versions = self.journeys.get(journey)?;
        versions.all.get(&versions.current?)
    }

    /// Whether an event of this kind and name may start a journey.
    pub(crate) fn hears(&self, kind: EventKind, name: &str) -> bool {
        self.triggers.hears(kind, name)
    }

    /// The graphs that an event of this kind and name may start, by journey id.
    pub(crate) fn started_by_event(&self, kind: EventKind, name: &str) -> Vec<Arc<Published>> {
        let journeys = self.triggers.events(kind, name);
        journeys
            .iter()
            .filter_map(|journey| self.in_force(journey).cloned())
            .collect()
    }

    /// Whether a changed choice for a category may start a journey.
    pub(crate) fn hears_consent(&self, category: &str) -> bool {
        self.triggers.consent(category).next().is_some()
    }

    /// The graphs that a choice for a category starts when it changes to this.
    pub(crate) fn started_by_consent(
        &self,
        category: &str,
        to: ConsentAction,
    ) -> impl Iterator<Item = &Arc<Published>> {
        let in_force = self.triggers.consent(category);
        in_force.filter_map(move |journey| {
            let published = self.in_force(journey)?;
            let TriggerOn::Consent { action, .. } = &published.graph.trigger().on else {
                return None;
            };
            (*action == to).then_some(published)
        })
    }

    /// Whether a change of this trait may start a journey.
    pub(crate) fn watches(&self, of: TraitOf, name: &str) -> bool {
        self.triggers.watches(of, name)
    }

    /// The graphs that a trait starts when it changes from one value to another.
    pub(crate) fn started_by_trait<'a>(
        &'a self,
        (of, name): (TraitOf, &'a str),
        (previous, current): (&'a Value, &'a Value),
    ) -> impl Iterator<Item = &'a Arc<Published>> {
        let in_force = self.triggers.traits(of, name);
        in_force.filter_map(move |journey| {
            let published = self.in_force(journey)?;
            let TriggerOn::Trait(change) = &published.graph.trigger().on else {
                return None;
            };
            change.matches(previous, current).then_some(published)
        })
    }

    /// The graphs that start at a date of the profile.
    pub fn started_by_date(&self) -> impl Iterator<Item = &Arc<Published>> {
        self.triggers
            .dates()
            .filter_map(|journey| self.in_force(journey))
    }

    /// The graphs that a schedule starts.
    pub fn started_by_schedule(&self) -> impl Iterator<Item = &Arc<Published>> {
        self.triggers
            .schedules()
            .filter_map(|journey| self.in_force(journey))
    }

    /// The graphs that a delivery of a block starts when it comes to a state.
    pub(crate) fn started_by_delivery<'a>(
        &'a self,
        (of, at): (&'a str, &'a str),
        to: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Published>> {
        let in_force = self.triggers.deliveries(of);
        in_force.filter_map(move |journey| {
            let published = self.in_force(journey)?;
            let TriggerOn::Delivery { block, state, .. } = &published.graph.trigger().on else {
                return None;
            };
            let is_heard = **state == *to && block.as_ref().is_none_or(|block| **block == *at);
            is_heard.then_some(published)
        })
    }
}
