//! How are journeys compiled here? Once each: the same few come up again and again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wayfare_event::IdKey;
use wayfare_executor::{Catalog, Sending};
use wayfare_journey::{Compiled, Graph};
use wayfare_runtime::config::Settings;

use crate::stores::ID_KEY;

/// Settings as shipped, and what was compiled under them.
#[derive(Default)]
pub(crate) struct Compiler {
    settings: Settings,
    graphs: RefCell<BTreeMap<String, Graph>>,
}

impl Compiler {
    /// The graph of a journey's file, which is sound.
    pub(crate) fn graph(&self, source: &str) -> Graph {
        if let Some(graph) = self.graphs.borrow().get(source) {
            return graph.clone();
        }
        let compiled = self.settings.compile(source);
        let compiled = compiled.unwrap_or_else(|problems| panic!("{source}\n{problems:?}"));
        let graph = compiled.graph;
        let mut graphs = self.graphs.borrow_mut();
        graphs.insert(source.to_owned(), graph.clone());
        graph
    }

    /// The same, as the engine asks for it.
    pub(crate) fn compiled(&self, source: &str) -> Compiled {
        Compiled {
            graph: self.graph(source),
            warnings: Vec::new(),
            names: Vec::new(),
        }
    }

    /// A catalog without journeys.
    pub(crate) fn catalog(&self) -> Catalog {
        let (identity, consent) = (
            self.settings.identity.clone(),
            self.settings.consent.clone(),
        );
        Catalog::new(identity, consent, IdKey::new(ID_KEY), Sending::Owed)
    }
}
