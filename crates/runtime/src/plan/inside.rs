//! What becomes of the people inside? For each place that is occupied in a journey the edit is about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_journey::{Graph, Version};

use crate::config::Settings;
use crate::engine::migration::fate;
use crate::engine::open::recompile;
use crate::engine::{Fate, MigrationError, OpenError};
use crate::journeys::Journey;

/// What happens to a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// It was not in force.
    New,
    /// It means something else, or takes over others than before.
    Changed,
    /// Its file is gone.
    Gone,
    /// Nothing.
    Same,
}

impl Edit {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::Same => "unchanged",
        }
    }
}

/// One journey, and what becomes of the people inside.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The journey.
    pub journey: Arc<str>,
    /// What happens to it.
    pub edit: Edit,
    /// The version in force.
    pub before: Option<Version>,
    /// The version to be published.
    pub after: Option<Version>,
    /// The places where people are, by version and block.
    pub places: Vec<Place>,
}

/// A block of a version where people are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The version.
    pub version: Version,
    /// The block.
    pub block: Arc<str>,
    /// How many are there.
    pub count: u64,
    /// What becomes of them.
    pub fate: Fate,
    /// Whether the same became of them without the edit.
    pub as_before: bool,
}

/// What a state says of its journeys, compiled as it is now.
#[derive(Debug, Default)]
pub struct Before {
    /// The journeys in force.
    pub graphs: Vec<Graph>,
    journeys: BTreeMap<Arc<str>, Journey>,
}

impl Before {
    /// The journeys of a state.
    ///
    /// # Errors
    ///
    /// When a version in force does not compile under this configuration.
    pub fn of_state(
        journeys: BTreeMap<Arc<str>, Journey>,
        settings: &Settings,
    ) -> Result<Self, OpenError> {
        let mut graphs = Vec::new();
        for (id, journey) in &journeys {
            if let Some((version, source)) = journey.in_force() {
                let compile = |source: &str| settings.compile(source);
                graphs.push(recompile(&(id.clone(), version), source, &compile)?);
            }
        }
        Ok(Self { graphs, journeys })
    }

    /// Journeys without anybody inside.
    #[must_use]
    pub const fn of_graphs(graphs: Vec<Graph>) -> Self {
        Self {
            graphs,
            journeys: BTreeMap::new(),
        }
    }

    /// Every journey of either side or with somebody inside, by id.
    #[must_use]
    pub fn edited(&self, after: &[Graph], settings: &Settings) -> Vec<Edited> {
        let mut ids: BTreeSet<Arc<str>> = BTreeSet::new();
        let graphs = self.graphs.iter().chain(after);
        ids.extend(graphs.map(|graph| graph.id().clone()));
        let inside = self.journeys.iter();
        let inside = inside.filter(|(_, journey)| !journey.inside.is_empty());
        ids.extend(inside.map(|(id, _)| id.clone()));
        let ids = ids.into_iter();
        ids.map(|id| self.edited_one(id, after, settings)).collect()
    }

    fn edited_one(&self, id: Arc<str>, after: &[Graph], settings: &Settings) -> Edited {
        let find = |graphs: &[Graph]| graphs.iter().position(|graph| *graph.id() == id);
        let before = find(&self.graphs).and_then(|place| self.graphs.get(place));
        let after = find(after).and_then(|place| after.get(place));
        let places = self.places(&id, (before, after), settings);
        let edit = match (before, after) {
            (None, Some(_)) => Edit::New,
            (Some(_), None) => Edit::Gone,
            (Some(before), Some(after))
                if before.version() != after.version() || places.iter().any(|it| !it.as_before) =>
            {
                Edit::Changed
            }
            (Some(_), Some(_)) | (None, None) => Edit::Same,
        };
        Edited {
            before: before.map(Graph::version),
            after: after.map(Graph::version),
            journey: id,
            edit,
            places,
        }
    }

    fn places(
        &self,
        id: &Arc<str>,
        (before, after): (Option<&Graph>, Option<&Graph>),
        settings: &Settings,
    ) -> Vec<Place> {
        let mut places = Vec::new();
        let Some(journey) = self.journeys.get(id) else {
            return places;
        };
        for (version, blocks) in &journey.inside {
            let source = journey.versions.get(version).map_or("", |source| source);
            let compiled = settings.compile(source);
            let kept = compiled.as_ref().ok().map(|compiled| &compiled.graph);
            for (block, count) in blocks {
                let fate_in = |graph: Option<&Graph>| {
                    if graph.is_some_and(|graph| graph.version() == *version) {
                        return Fate::Finish;
                    }
                    if let Err(problems) = &compiled {
                        let id = id.clone();
                        let unreadable = MigrationError::unreadable(id, *version, problems);
                        return Fate::Refused(unreadable);
                    }
                    graph.map_or(Fate::Finish, |graph| {
                        fate(graph, kept, (*version, block), *count)
                    })
                };
                let then = |graph: Option<&Graph>, fate: &Fate| match fate {
                    Fate::Finish | Fate::Refused(_) => (Some(*version), fate.clone()),
                    Fate::Move(_) => (graph.map(Graph::version), fate.clone()),
                };
                let (old, new) = (fate_in(before), fate_in(after));
                places.push(Place {
                    version: *version,
                    block: block.clone(),
                    count: *count,
                    as_before: then(before, &old) == then(after, &new),
                    fate: new,
                });
            }
        }
        places
    }
}
