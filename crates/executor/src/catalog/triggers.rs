//! Which journeys may something start? An index over the triggers of the journeys in force.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::EventKind;
use wayfare_journey::{Graph, TraitOf, TriggerOn};

type Journeys = BTreeSet<Arc<str>>;

/// The journeys in force, by what starts them.
#[derive(Clone, Debug, Default)]
pub(super) struct Triggers {
    /// By kind and name; under no name those that hear every event of the kind.
    events: BTreeMap<EventKind, BTreeMap<Option<Arc<str>>, Journeys>>,
    consent: BTreeMap<Arc<str>, Journeys>,
    traits: BTreeMap<TraitOf, BTreeMap<Arc<str>, Journeys>>,
    dates: Journeys,
    schedules: Journeys,
    /// By the journey whose deliveries they hear.
    deliveries: BTreeMap<Arc<str>, Journeys>,
}

impl Triggers {
    pub(super) fn add(&mut self, graph: &Graph) {
        let journey = graph.id().clone();
        match &graph.trigger().on {
            TriggerOn::Events(events) => {
                for event in events {
                    let names = self.events.entry(event.kind).or_default();
                    let journeys = names.entry(event.name.clone()).or_default();
                    journeys.insert(journey.clone());
                }
            }
            TriggerOn::Consent { category, .. } => {
                let journeys = self.consent.entry(category.clone()).or_default();
                journeys.insert(journey);
            }
            TriggerOn::Trait(change) => {
                let names = self.traits.entry(change.of).or_default();
                let journeys = names.entry(change.name.clone()).or_default();
                journeys.insert(journey);
            }
            TriggerOn::Schedule { .. } => {
                self.schedules.insert(journey);
            }
            TriggerOn::Date { .. } => {
                self.dates.insert(journey);
            }
            TriggerOn::Delivery { journey: heard, .. } => {
                let journeys = self.deliveries.entry(heard.clone()).or_default();
                journeys.insert(journey);
            }
        }
    }

    /// The journeys that hear events of this kind and name.
    pub(super) fn events(&self, kind: EventKind, name: &str) -> Journeys {
        let Some(names) = self.events.get(&kind) else {
            return Journeys::new();
        };
        let named = names.get(&Some(Arc::from(name)));
        let any = names.get(&None);
        named.into_iter().chain(any).flatten().cloned().collect()
    }

    pub(super) fn hears(&self, kind: EventKind, name: &str) -> bool {
        let names = self.events.get(&kind);
        names.is_some_and(|names| {
            names.contains_key(&None) || names.contains_key(&Some(Arc::from(name)))
        })
    }

    pub(super) fn consent(&self, category: &str) -> impl Iterator<Item = &Arc<str>> {
        self.consent.get(category).into_iter().flatten()
    }

    /// The journeys that a changed trait may start.
    pub(super) fn traits(&self, of: TraitOf, name: &str) -> impl Iterator<Item = &Arc<str>> {
        let names = self.traits.get(&of);
        names
            .and_then(|names| names.get(name))
            .into_iter()
            .flatten()
    }

    /// Whether a change of this trait may start a journey.
    pub(super) fn watches(&self, of: TraitOf, name: &str) -> bool {
        let names = self.traits.get(&of);
        names.is_some_and(|names| names.contains_key(name))
    }

    pub(super) fn dates(&self) -> impl Iterator<Item = &Arc<str>> {
        self.dates.iter()
    }

    pub(super) fn schedules(&self) -> impl Iterator<Item = &Arc<str>> {
        self.schedules.iter()
    }

    pub(super) fn deliveries(&self, of: &str) -> impl Iterator<Item = &Arc<str>> {
        self.deliveries.get(of).into_iter().flatten()
    }
}
