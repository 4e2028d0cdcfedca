//! How does the process end, and come up again? Killed at any point of the failure matrix, with what was
//! durable and nothing else.

use std::collections::BTreeMap;

use wayfare_event::Timestamp;
use wayfare_executor::{Key, Row};
use wayfare_runtime::{Engine, OpenError};
use wayfare_store::{RowKind, Store};

use super::World;
use crate::again;
use crate::facts::{Broken, Checked, holds};
use crate::journeys::TAKES_OVER;

impl World {
    /// The process is killed and comes up again.
    pub(super) fn kill(&mut self, point: u8) -> Checked {
        self.note(&format!("killed at C{point}"));
        self.count(format!("point {point:02}"));
        self.stop();
        self.reopen()
    }

    /// The process is gone, with everything that was not durable.
    pub(super) fn stop(&mut self) {
        self.engine = None;
        self.shelf.killed(&mut self.dice);
        if let Some(backup) = self.lost.take() {
            self.shelf.restore(backup.copy);
            self.happened = backup.happened;
            let until = std::mem::replace(&mut self.auditor, backup.auditor);
            self.auditor.restored(&until);
        }
        self.auditor.killed();
        for flight in std::mem::take(&mut self.flights) {
            if self.dice.one_in(3) {
                self.late.push(flight);
            }
        }
        self.heard.clear();
        self.taken.clear();
        self.released.clear();
    }

    /// The process comes up over what is durable.
    pub(super) fn reopen(&mut self) -> Checked {
        loop {
            let mut store = self.shelf.open()?;
            self.is_all_there(&mut *store)?;
            self.auditor.opens(store.head().last_at.as_micros());
            let sources = self.journeys.values().map(|it| it.source.clone());
            let opening = (store.head().next_seq, sources.collect());
            self.openings.push(opening);
            let mut graphs = Vec::new();
            for written in self.journeys.values() {
                let graph = self.compiler.graph(&written.source);
                let version = graph.version().to_string();
                self.auditor.published(&version, &written.facts);
                graphs.push(graph);
            }
            let catalog = self.compiler.catalog();
            let compile = |source: &str| Ok(self.compiler.compiled(source));
            let opened = Engine::open(catalog, store, graphs, &compile);
            match opened {
                Ok(mut engine) => {
                    engine.awake(self.now());
                    self.engine = Some(engine);
                    self.look()?;
                    self.auditor.opened();
                    self.note("is up");
                    return self.still_knows();
                }
                Err(OpenError::Store(_)) => {
                    self.look()?;
                    self.stop();
                }
                Err(OpenError::Migration(error)) => {
                    self.note(&format!("refused: {error}"));
                    self.count("migration refused".to_owned());
                    // Then nobody is taken over, and everybody finishes where they are.
                    for written in self.journeys.values_mut() {
                        written.source = written.source.replace(TAKES_OVER, "");
                    }
                }
            }
        }
    }

    /// Whatever was durable is there, and nothing else.
    fn is_all_there(&self, store: &mut dyn Store) -> Checked {
        let mut found = BTreeMap::new();
        for kind in RowKind::ALL {
            let mut keep = |key: &Key, row: &Row| {
                found.insert(key.clone(), row.clone());
            };
            store.scan(kind, &mut keep).unwrap();
        }
        let watch = self.shelf.watch.lock().unwrap();
        // Old messages are let go by the day.
        let counts = |(key, _): &(&Key, &Row)| !matches!(key, Key::Message(_));
        let expected = watch.rows.iter().filter(counts);
        let differs = expected
            .clone()
            .find(|(key, row)| found.get(key) != Some(row));
        holds("what is durable survives", differs.is_none(), || {
            let (key, row) = differs.unwrap();
            format!("{key:?} was {row:?}, is {:?}", found.get(key))
        })?;
        let (expected, count) = (expected.count(), found.iter().filter(counts).count());
        holds("what is durable survives", count == expected, || {
            format!("{count} rows instead of {expected}")
        })
    }

    /// Messages that were durable are known again.
    fn still_knows(&mut self) -> Checked {
        let recent: Vec<_> = self.happened.iter().rev().take(4).cloned().collect();
        for happening in recent {
            let event = wayfare_event::Event::parse(&happening.text, None).unwrap();
            let occurred = Timestamp::from_micros(happening.fed.occurred);
            let catalog = self.engine().catalog();
            let source = "sim".into();
            let happened = wayfare_executor::Happened::new(catalog, event, source, occurred);
            let is_copy = self.engine().is_copy(&happened.unwrap()).unwrap();
            let at = self.engine().at().as_micros();
            let must =
                happening.fed.message.is_some() && at - happening.fed.at < 7 * crate::facts::DAY;
            holds("what is durable survives", is_copy || !must, || {
                format!("{} is not known any more", happening.text)
            })?;
        }
        Ok(())
    }

    /// The world ends: everything comes to rest, the books are compared, the log is decided again.
    pub(super) fn end(&mut self) -> Checked {
        loop {
            let ended = self.land_all();
            let ended = ended.and_then(|()| self.rest());
            if ended.is_ok() {
                break;
            }
            self.go_on(ended)?;
        }
        self.stop();
        let mut store = self.shelf.open()?;
        self.is_all_there(&mut *store)?;
        let found = again::decide(&mut *store, &self.compiler, &self.openings);
        found.map_err(|what| Broken {
            rule: "deciding the log again gives the same",
            what,
        })
    }
}
