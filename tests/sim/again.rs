//! Does deciding the log once more give the same? Every input of the history goes through the pure core
//! again, over plain rows: no batches, no store, no memory of what is due.

use std::collections::BTreeMap;

use wayfare_event::{Event, Timestamp};
use wayfare_executor::{
    Catalog, Change, Effects, Happened, Input, InputKind, Key, Row, Snapshot, Timer, Trace, step,
};
use wayfare_store::{Entry, LoggedInput, RowKind, Store};

use crate::compiler::Compiler;
use crate::facts::DAY;

/// The process came up: the input that came next, and the journeys in force.
pub(crate) type Opening = (u64, Vec<String>);

/// Decides a history again; the first difference, if there is one.
pub(crate) fn decide(
    store: &mut dyn Store,
    compiler: &Compiler,
    openings: &[Opening],
) -> Result<(), String> {
    let mut entries = Vec::new();
    let mut keep = |entry: &Entry| entries.push(entry.clone());
    store.history(1, &mut keep).unwrap();
    let mut again = Again {
        catalog: compiler.catalog(),
        compiler,
        rows: BTreeMap::new(),
    };
    let mut openings = openings.iter().peekable();
    for entry in &entries {
        while let Some((_, sources)) = openings.next_if(|(next, _)| *next <= entry.seq) {
            again.open(sources);
        }
        again.decide(entry)?;
    }
    let mut kept = BTreeMap::new();
    for kind in RowKind::ALL {
        let mut keep = |key: &Key, row: &Row| {
            kept.insert(key.clone(), row.clone());
        };
        store.scan(kind, &mut keep).unwrap();
    }
    // Old messages are let go by the day.
    let is_kept = |key: &&Key| !matches!(key, Key::Message(_));
    let keys = kept.keys().chain(again.rows.keys()).filter(is_kept);
    for key in keys {
        let (there, here) = (kept.get(key), again.rows.get(key));
        if there != here {
            return Err(format!("{key:?} is {there:?}, decided again {here:?}"));
        }
    }
    Ok(())
}

/// Whether the input was no copy: then whatever was known of its message had been let go.
fn is_new(entry: &Entry) -> bool {
    let is_seen = |change: &Change| matches!(change, Change::MessageSeen { .. });
    entry.changes.iter().any(is_seen)
}

struct Again<'a> {
    catalog: Catalog,
    compiler: &'a Compiler,
    rows: BTreeMap<Key, Row>,
}

impl Again<'_> {
    /// Puts these journeys in force, and keeps the versions that somebody is still in.
    fn open(&mut self, sources: &[String]) {
        self.catalog = self.compiler.catalog();
        for row in self.rows.values() {
            let Row::Person(person) = row else { continue };
            for instance in person.record.instances.values() {
                let version = Key::Version(instance.journey.clone(), instance.version);
                if let Some(Row::Version(source)) = self.rows.get(&version) {
                    self.catalog.keep(self.compiler.graph(source));
                }
            }
        }
        for source in sources {
            self.catalog.publish(self.compiler.graph(source));
        }
    }

    fn decide(&mut self, entry: &Entry) -> Result<(), String> {
        let old = entry.at.saturating_add_micros(-7 * DAY);
        self.rows
            .retain(|_, row| !matches!(row, Row::Message(at) if *at <= old && is_new(entry)));
        let input = Input {
            seq: entry.seq,
            at: entry.at,
            kind: self.kind(entry),
        };
        let mut known = Snapshot::new();
        for (key, row) in &self.rows {
            if matches!(key, Key::Control(_)) {
                known.put(key.clone(), Some(row.clone()));
            }
        }
        let changes = loop {
            match step(&self.catalog, &known, &input, &mut Trace::off()) {
                Effects::Changes(changes) => break changes,
                Effects::Dropped => return Err(format!("{entry:?} is not heard")),
                Effects::Load(keys) => {
                    for key in keys {
                        let row = self.rows.get(&key).cloned();
                        known.put(key, row);
                    }
                }
                Effects::DueFirst(timer) => {
                    return Err(format!("{timer:?} is not in the log before {entry:?}"));
                }
            }
        };
        if changes != entry.changes {
            return Err(format!("{entry:?}, decided again {changes:?}"));
        }
        for change in &changes {
            change.apply(&mut known);
            for key in change.touches() {
                match known.row(&key) {
                    Some(row) => self.rows.insert(key, row),
                    None => self.rows.remove(&key),
                };
            }
        }
        Ok(())
    }

    fn kind(&mut self, entry: &Entry) -> InputKind {
        match entry.input.clone() {
            LoggedInput::Event {
                source,
                text,
                trust,
            } => {
                let event = Event::parse(&text, None).unwrap();
                let occurred: Timestamp = event.told_at().unwrap();
                let happened = Happened::new(&self.catalog, event, source, occurred).unwrap();
                let happened = happened.trusted(trust);
                InputKind::Event(Box::new(happened))
            }
            LoggedInput::Timer { of, owner, due } => InputKind::Timer(Timer { due, of, owner }),
            LoggedInput::Queued(id) => InputKind::Queued(id),
            LoggedInput::SweepPage {
                id,
                keys,
                deliveries,
                entries,
                is_last,
            } => InputKind::SweepPage {
                entries,
                id,
                keys,
                deliveries,
                is_last,
            },
            LoggedInput::Operator(order) => InputKind::Operator(order),
            LoggedInput::AttemptReady {
                delivery,
                waited_us,
            } => InputKind::AttemptReady {
                delivery,
                waited_us,
            },
            LoggedInput::AttemptBarred(delivery) => InputKind::AttemptBarred { delivery },
            LoggedInput::AttemptFinished {
                delivery,
                attempt,
                outcome,
            } => InputKind::AttemptFinished {
                delivery,
                attempt,
                outcome,
            },
            LoggedInput::Withdrawn(journey) => InputKind::Withdrawn(journey),
            LoggedInput::Redacted => {
                panic!("{} is redacted: it cannot be decided again", entry.seq)
            }
            LoggedInput::Published { journey, version } => {
                let source = entry.changes.iter().find_map(|change| {
                    if let Change::Published { source, .. } = change {
                        return Some(source.clone());
                    }
                    None
                });
                InputKind::Published {
                    journey,
                    version,
                    source: source.unwrap(),
                }
            }
        }
    }
}
