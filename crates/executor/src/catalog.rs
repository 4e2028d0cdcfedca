//! Which journeys are in force, and what is configured? Built by the shell at start and whenever a
//! journey is published; read by every step. Not here: reading files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{EventKind, IdKey, Map, Value};
use wayfare_journey::{Graph, TriggerOn, Version};

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
    journeys: BTreeMap<Arc<str>, Versions>,
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

impl Catalog {
    /// A catalog without journeys.
    #[must_use]
    pub const fn new(
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
            journeys: BTreeMap::new(),
            registers: BTreeSet::new(),
        }
    }

    /// Puts a graph in force: it takes entries from now on, instead of the version before.
    pub fn publish(&mut self, graph: Graph) {
        let (id, version) = (graph.id().clone(), graph.version());
        self.keep(graph);
        self.journeys.entry(id).or_default().current = Some(version);
    }

    /// Keeps a graph that takes no entries, for the instances that are still in it.
    pub fn keep(&mut self, graph: Graph) {
        self.registers.extend(graph.registers().map(Arc::from));
        let names = [
            ("id", &**graph.id()),
            ("title", graph.title()),
            ("version", &graph.version().to_string()),
        ];
        let names = names
            .into_iter()
            .map(|(name, text)| (name.into(), Value::from(text)))
            .collect();
        let versions = self.journeys.entry(graph.id().clone()).or_default();
        let published = Published { graph, names };
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

    /// Whether some expression counts the events of this name.
    #[must_use]
    pub fn counts(&self, event: &str) -> bool {
        self.registers.contains(event)
    }

    /// The graphs that an event of this kind and name may start, by journey id.
    pub(crate) fn started_by_event<'a>(
        &'a self,
        kind: EventKind,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Published>> {
        self.current()
            .filter(move |published| match &published.graph.trigger().on {
                TriggerOn::Events(events) => events.iter().any(|it| it.matches(kind, name)),
                TriggerOn::Consent { .. } => false,
            })
    }

    /// The graphs that a changed choice for a category may start, by journey id.
    pub(crate) fn started_by_consent<'a>(
        &'a self,
        category: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Published>> {
        self.current()
            .filter(move |published| match &published.graph.trigger().on {
                TriggerOn::Events(_) => false,
                TriggerOn::Consent {
                    category: named, ..
                } => **named == *category,
            })
    }
}
