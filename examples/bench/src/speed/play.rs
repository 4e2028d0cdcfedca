//! How is a stream played through an engine in this process? By the events' clock, a batch at a
//! time, as the driver does in a dry run; what is measured is the caller's.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use wayfare_event::{Event, Timestamp};
use wayfare_executor::{Catalog, Happened, Sending};
use wayfare_runtime::config::{Project, load_directory};
use wayfare_runtime::{Engine, report};
use wayfare_store::Store;
use wayfare_webhook::Secrets;

use super::limit::BATCH;
use crate::measure::timed;

/// Where the events come from.
const SOURCE: &str = "stream";

/// Time spent, apart.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    /// Bytes to events.
    pub(super) parse: Duration,
    /// Whom they name.
    pub(super) name: Duration,
    /// Deciding: load, step, apply, timers among them.
    pub(super) decide: Duration,
    /// Committing batches.
    pub(super) commit: Duration,
    /// Lines of output.
    pub(super) print: Duration,
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

/// Plays lines, a batch at a time as they would come; what each part took.
pub(super) fn play(engine: &mut Engine, lines: &[String]) -> anyhow::Result<Spent> {
    let mut spent = Spent::default();
    let secrets = Secrets::stand_ins();
    for lines in lines.chunks(BATCH) {
        let (events, took) = timed(|| parsed(lines));
        spent.parse += took;
        let (happened, took) = timed(|| named(engine.catalog(), events?));
        spent.name += took;
        let happened = happened?;
        let (decided, took) = timed(|| decide(engine, happened));
        spent.decide += took;
        decided?;
        let (committed, took) = timed(|| engine.commit());
        spent.commit += took;
        let outputs = committed?;
        let ((), took) = timed(|| {
            for output in outputs {
                std::hint::black_box(report::line(&output, None, &secrets).to_string());
            }
        });
        spent.print += took;
    }
    Ok(spent)
}

/// The events of some lines, each with its text.
pub(super) fn parsed(lines: &[String]) -> anyhow::Result<Vec<(Event, Arc<str>)>> {
    let events = lines.iter().map(|line| {
        Event::parse(line, None)
            .map(|event| (event, line.as_str().into()))
            .map_err(|rejection| anyhow!("a line is refused: {}", rejection.message))
    });
    events.collect()
}

/// The same, with whom each names.
pub(super) fn named(
    catalog: &Catalog,
    events: Vec<(Event, Arc<str>)>,
) -> anyhow::Result<Vec<(Happened, Arc<str>)>> {
    let source: Arc<str> = SOURCE.into();
    let named = events.into_iter().map(|(event, text)| {
        let occurred = event.told_at().unwrap_or(Timestamp::EPOCH);
        let happened = Happened::new(catalog, event, source.clone(), occurred)
            .map_err(|rejection| anyhow!("an event is refused: {}", rejection.message))?;
        Ok((happened, text))
    });
    named.collect()
}

fn decide(engine: &mut Engine, events: Vec<(Happened, Arc<str>)>) -> anyhow::Result<()> {
    for (happened, text) in events {
        let at = happened.occurred.max(engine.at());
        while let Some(due) = engine.next_timer().filter(|due| *due <= at) {
            engine.fire(due, 1)?;
        }
        engine.event(at, happened, text)?;
    }
    Ok(())
}
