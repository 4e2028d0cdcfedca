//! What does `step` cost alone, and what applying its changes? A loop of its own over rows in a map,
//! without a store: also what an embedder pays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wayfare_event::{IdKey, Timestamp};
use wayfare_executor::{
    Catalog, Change, Effects, Input, InputKind, Key, Row, Sending, Snapshot, Timer, Trace, step,
};
use wayfare_runtime::config::load_directory;

use crate::measure::timed;
use crate::speed::limit::BATCH;
use crate::speed::play;
use crate::speed::stream::Stream;

/// What was spent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alone {
    /// In `step`.
    pub(super) step: Duration,
    /// Applying changes.
    pub(super) apply: Duration,
}

/// Plays a stream. A timer fires when an event of its profile comes after it.
pub(super) fn play(stream: &Stream) -> anyhow::Result<Alone> {
    let project = load_directory(stream.journeys(), None)?;
    let settings = project.settings;
    let key = IdKey::new([7; 32]);
    let mut catalog = Catalog::new(settings.identity, settings.consent, key, Sending::Dry);
    for graph in project.graphs {
        catalog.publish(graph);
    }
    let mut engine = Bare {
        catalog,
        rows: BTreeMap::new(),
        seq: 0,
        at: Timestamp::EPOCH,
        spent: Alone::default(),
    };
    for lines in stream.lines().chunks(BATCH) {
        let events = play::parsed(lines)?;
        for (happened, _) in play::named(&engine.catalog, events)? {
            let at = happened.occurred;
            engine.input(at, InputKind::Event(Box::new(happened)));
        }
    }
    Ok(engine.spent)
}

struct Bare {
    catalog: Catalog,
    rows: BTreeMap<Key, Row>,
    seq: u64,
    at: Timestamp,
    spent: Alone,
}

impl Bare {
    fn input(&mut self, at: Timestamp, kind: InputKind) {
        self.at = self.at.max(at);
        self.seq += 1;
        let mut input = Input {
            seq: self.seq,
            at: self.at,
            kind,
        };
        let mut rows = Snapshot::new();
        let changes = loop {
            let (effects, took) = timed(|| step(&self.catalog, &rows, &input, &mut Trace::off()));
            self.spent.step += took;
            match effects {
                Effects::Changes(changes) => break changes,
                Effects::Dropped => break Vec::new(),
                Effects::Load(keys) => {
                    for key in keys {
                        let row = self.rows.get(&key).cloned();
                        rows.put(key, row);
                    }
                }
                Effects::DueFirst(timer) => {
                    self.fire(timer);
                    self.seq += 1;
                    input.seq = self.seq;
                    rows = Snapshot::new();
                }
            }
        };
        self.apply(&mut rows, &changes);
    }

    fn fire(&mut self, timer: Timer) {
        self.input(self.at, InputKind::Timer(timer));
    }

    fn apply(&mut self, rows: &mut Snapshot, changes: &[Change]) {
        let mut touched = BTreeSet::new();
        let ((), took) = timed(|| {
            for change in changes {
                change.apply(rows);
                touched.extend(change.touches());
            }
        });
        self.spent.apply += took;
        for key in touched {
            if let Some(row) = rows.row(&key) {
                self.rows.insert(key, row);
            }
        }
    }
}
