//! How is a stream played through an engine in this process? By the events' clock, a batch at a
//! time, as the driver does in a dry run; what is measured is the caller's.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use wayfare_event::{Event, Timestamp};
use wayfare_executor::{Catalog, Happened, Sending};
use wayfare_runtime::Engine;
use wayfare_runtime::config::{Project, load_directory};
use wayfare_store::Store;

use super::limit::BATCH;
use crate::measure::now;

/// Where the events come from.
const SOURCE: &str = "stream";

/// An event at the edge, and its text.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The event and whom it names.
    pub(super) happened: Happened,
    /// As it stood.
    pub(super) text: Arc<str>,
}

/// Time spent, apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// Deciding: load, step, apply, timers among them.
    pub(super) decide: Duration,
    /// Committing batches.
    pub(super) commit: Duration,
}

/// An engine over a store, with the journeys of a directory.
pub(super) fn engine(journeys: &Path, store: Box<dyn Store>) -> anyhow::Result<Engine> {
    let Project {
        settings, graphs, ..
    } = load_directory(journeys, None)?;
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        store.head().id_key,
        Sending::Dry,
    );
    let compile = |source: &str| settings.compile(source);
    Ok(Engine::open(catalog, store, graphs, &compile)?)
}

/// The events of some lines, named.
pub(super) fn named(catalog: &Catalog, events: Vec<(Event, &str)>) -> anyhow::Result<Vec<Told>> {
    let source: Arc<str> = SOURCE.into();
    let named = events.into_iter().map(|(event, text)| {
        let occurred = event.told_at().unwrap_or(Timestamp::EPOCH);
        let happened = Happened::new(&catalog.identity, event, source.clone(), occurred)
            .map_err(|rejection| anyhow!("an event is refused: {}", rejection.message))?;
        let text = text.into();
        Ok(Told { happened, text })
    });
    named.collect()
}

/// Plays events; what deciding and committing took.
pub(super) fn play(engine: &mut Engine, events: Vec<Told>) -> anyhow::Result<Spent> {
    let mut spent = Spent::default();
    let mut events = events.into_iter();
    loop {
        let batch: Vec<Told> = events.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(spent);
        }
        let start = now();
        for Told { happened, text } in batch {
            let at = happened.occurred.max(engine.at());
            while let Some(due) = engine.next_timer().filter(|due| *due <= at) {
                engine.fire(due, 1)?;
            }
            engine.event(at, happened, text)?;
        }
        let decided = now();
        engine.commit()?;
        spent.decide += decided - start;
        spent.commit += decided.elapsed();
    }
}
