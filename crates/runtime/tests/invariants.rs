//! Are two promises of the design kept, whatever comes in and whenever the engine dies?
//!
//! - Invariant 3: recovery applies logged changes and never decides again; deciding the log again
//!   under its own rules gives the same changes and the same ids.
//! - Invariant 9: ended instances = decisions by outcome; `webhook` decisions = deliveries by state.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "invariants/shop.rs"]
mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tempfile::TempDir;
use wayfare_event::{DecisionId, DeliveryId, Event, IdKey, InstanceId, Timestamp};
use wayfare_executor::{
    Catalog, Change, Effects, Happened, Input, InputKind, Key, RefusalCode, Row, Sending, Snapshot,
    Timer, Trace, step,
};
use wayfare_runtime::audit::audit;
use wayfare_runtime::{Engine, Output};
use wayfare_store::local::Options;
use wayfare_store::{Entry, Head, LocalStore, LoggedInput, ReadOnly, RowKind, Store};

use shop::Dice;

/// Things that happen in one run.
const TURNS: u64 = 1_500;
const SEEDS: [u64; 2] = [0x5EED_0101, 0x5EED_0103];
const SOURCE: &str = "shop";
const ID_KEY: [u8; 32] = [7; 32];

fn catalog() -> Catalog {
    let (identity, consent) = (
        wayfare_identity::Config::default(),
        wayfare_consent::Config::default(),
    );
    Catalog::new(identity, consent, IdKey::new(ID_KEY), Sending::Owed)
}

fn store(directory: &Path) -> LocalStore {
    let options = Options {
        cache_mb: 16,
        dry: false,
        new_id_key: ID_KEY,
        history_us: i64::MAX,
    };
    LocalStore::open(directory, &options).unwrap().0
}

/// An event as the engine takes it: it happened when it says.
fn happened(catalog: &Catalog, text: &str) -> Happened {
    let event = Event::parse(text, None).unwrap();
    let told = event.told_at().unwrap();
    Happened::new(catalog, event, SOURCE.into(), told).unwrap()
}

/// A shop that is open.
struct Shop {
    directory: TempDir,
    dice: Dice,
    engine: Engine,
    at: Timestamp,
    /// Attempts that were released durably, and have not ended.
    on_the_wire: Vec<DeliveryId>,
    /// Attempts that leave with the next commit.
    released: Vec<DeliveryId>,
    /// Decisions that were told to the outside, by outcome.
    told: BTreeMap<&'static str, usize>,
    kills: u64,
}

impl Shop {
    fn open(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let engine = Self::engine(directory.path(), 0);
        Self {
            directory,
            dice: Dice(seed),
            engine,
            at: "2026-01-26T10:00:00Z".parse().unwrap(),
            on_the_wire: Vec::new(),
            released: Vec::new(),
            told: BTreeMap::new(),
            kills: 0,
        }
    }

    /// Comes up over the directory; the journeys are changed after the first kill.
    fn engine(directory: &Path, kills: u64) -> Engine {
        let graphs = shop::journeys(kills > 0);
        let compile = |source: &str| {
            let graph = shop::compiled(source);
            Ok(wayfare_journey::Compiled {
                graph,
                warnings: Vec::new(),
                names: Vec::new(),
            })
        };
        let store = Box::new(store(directory));
        Engine::open(catalog(), store, graphs, &compile).unwrap()
    }

    fn turn(&mut self) {
        let seconds = i64::try_from(self.dice.below(90)).unwrap();
        self.at = self.at.saturating_add_micros(seconds * 1_000_000);
        match self.dice.below(28) {
            0..=11 => self.hear(),
            12..=13 => {
                self.engine.fire(self.at, 3).unwrap();
            }
            14..=17 => self.release(),
            18..=20 => self.finish(),
            21..=22 => self.commit(),
            23..=24 => self.sweep(),
            25 => {
                let order = shop::order(&mut self.dice);
                self.engine.order(self.at, order).unwrap();
            }
            26 => self.engine.drain(self.at, 3).unwrap(),
            _ if self.dice.below(5) == 0 => self.kill(),
            _ => {}
        }
    }

    fn hear(&mut self) {
        let text = shop::event(&mut self.dice, self.at);
        let happened = happened(self.engine.catalog(), &text);
        self.engine.event(self.at, happened, text.into()).unwrap();
    }

    fn release(&mut self) {
        for delivery in self.engine.take_due(self.at).unwrap() {
            let id = delivery.id;
            if self.dice.below(20) == 0 {
                self.engine.barred(self.at, id).unwrap();
            } else if self.engine.ready(self.at, id).unwrap() {
                self.released.push(id);
            }
        }
    }

    /// The next page of a sweep: what was done before is told before it, as a page commits.
    fn sweep(&mut self) {
        self.engine.begin_sweeps(self.at).unwrap();
        self.engine.drain(self.at, usize::MAX).unwrap();
        self.commit();
        self.engine.sweep(self.at, 1).unwrap();
    }

    fn finish(&mut self) {
        for id in std::mem::take(&mut self.on_the_wire) {
            let attempt = self.engine.delivery(id).unwrap().unwrap().attempts;
            let outcome = shop::outcome(&mut self.dice);
            self.engine
                .finished(self.at, id, (attempt, outcome))
                .unwrap();
        }
    }

    fn commit(&mut self) {
        for output in self.engine.commit().unwrap() {
            if let Output::Decision(decision) = output {
                *self.told.entry(decision.outcome.as_str()).or_default() += 1;
            }
        }
        self.on_the_wire.append(&mut self.released);
    }

    /// The engine is gone, with what was not committed, and comes up again.
    fn kill(&mut self) {
        self.kills += 1;
        self.on_the_wire.clear();
        self.released.clear();
        // The directory is let go before it is opened again.
        let elsewhere = Box::new(wayfare_store::MemoryStore::new(IdKey::STATELESS));
        let nothing = Engine::open(catalog(), elsewhere, Vec::new(), &|_| panic!("empty"));
        drop(std::mem::replace(&mut self.engine, nothing.unwrap()));
        self.engine = Self::engine(self.directory.path(), self.kills);
    }

    /// Runs to the end of the day; nothing is on the wire then.
    fn day(seed: u64) -> Self {
        let mut shop = Self::open(seed);
        for _ in 0..TURNS {
            shop.turn();
        }
        shop.commit();
        shop.finish();
        shop.commit();
        assert!(shop.kills > 3, "seed {seed:#x}: {} kills", shop.kills);
        shop
    }

    /// Closes; the directory stays, and an audit finds nothing broken in it.
    fn close(self) -> TempDir {
        self.engine.close().unwrap();
        let mut left = ReadOnly::open(self.directory.path()).unwrap().0;
        let origin = left.origin().unwrap();
        assert_eq!(audit(&mut left, origin).unwrap().breaches, []);
        self.directory
    }
}

fn history(store: &mut dyn Store) -> Vec<Entry> {
    let mut entries = Vec::new();
    store
        .history(1, &mut |entry| entries.push(entry.clone()))
        .unwrap();
    entries
}

fn rows(store: &mut dyn Store) -> BTreeMap<Key, Row> {
    let mut rows = BTreeMap::new();
    for kind in RowKind::ALL {
        let mut keep = |key: &Key, row: &Row| {
            rows.insert(key.clone(), row.clone());
        };
        store.scan(kind, &mut keep).unwrap();
    }
    rows
}

/// Everything a store holds: history, rows and what it knows of itself.
fn all(mut store: impl Store) -> (Vec<Entry>, BTreeMap<Key, Row>, Head) {
    (history(&mut store), rows(&mut store), store.head().clone())
}

#[test]
fn invariant_3_recovery_applies_logged_changes_and_never_decides_again() {
    for seed in SEEDS {
        let mut shop = Shop::day(seed);
        let live = rows(shop.engine.store());
        let kills = shop.kills;
        let directory = shop.close();
        let written = all(store(directory.path()));
        assert_eq!(written.1, live, "seed {seed:#x}");

        // Nothing but the log is left, and nobody who could decide is there.
        std::fs::remove_dir_all(directory.path().join("state")).unwrap();
        assert_eq!(all(store(directory.path())), written, "seed {seed:#x}");

        // An engine that comes up over it finds everything decided.
        std::fs::remove_dir_all(directory.path().join("state")).unwrap();
        drop(Shop::engine(directory.path(), kills));
        assert_eq!(all(store(directory.path())), written, "seed {seed:#x}");
    }
}

/// The engine once more, over plain rows: no batches, no store, no memory of what is due.
struct Again {
    catalog: Catalog,
    rows: BTreeMap<Key, Row>,
}

impl Again {
    /// Decides a logged input again, and keeps what follows.
    fn decide(&mut self, entry: &Entry) -> Vec<Change> {
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
                Effects::Load(keys) => {
                    for key in keys {
                        let row = self.rows.get(&key).cloned();
                        known.put(key, row);
                    }
                }
                Effects::DueFirst(_) | Effects::Dropped => panic!("not as in the log: {entry:?}"),
            }
        };
        for change in &changes {
            change.apply(&mut known);
            for key in change.touches() {
                match known.row(&key) {
                    Some(row) => self.rows.insert(key, row),
                    None => self.rows.remove(&key),
                };
            }
        }
        changes
    }

    fn kind(&mut self, entry: &Entry) -> InputKind {
        match &entry.input {
            LoggedInput::Event { source, text, .. } => {
                assert_eq!(&**source, SOURCE);
                InputKind::Event(Box::new(happened(&self.catalog, text)))
            }
            LoggedInput::Timer { of, owner, due } => InputKind::Timer(Timer {
                due: *due,
                of: of.clone(),
                owner: owner.clone(),
            }),
            LoggedInput::Queued(id) => InputKind::Queued(*id),
            LoggedInput::SweepPage {
                id,
                deliveries,
                keys,
                entries,
                is_last,
            } => InputKind::SweepPage {
                entries: entries.clone(),
                id: id.clone(),
                deliveries: deliveries.clone(),
                keys: keys.clone(),
                is_last: *is_last,
            },
            LoggedInput::Operator(order) => InputKind::Operator(order.clone()),
            LoggedInput::AttemptReady {
                delivery,
                waited_us,
            } => InputKind::AttemptReady {
                delivery: *delivery,
                waited_us: *waited_us,
            },
            LoggedInput::AttemptBarred(id) => InputKind::AttemptBarred { delivery: *id },
            LoggedInput::AttemptFinished {
                delivery,
                attempt,
                outcome,
            } => InputKind::AttemptFinished {
                delivery: *delivery,
                attempt: *attempt,
                outcome: *outcome,
            },
            LoggedInput::Withdrawn(journey) => InputKind::Withdrawn(journey.clone()),
            LoggedInput::Redacted => panic!("nobody is erased here: {}", entry.seq),
            LoggedInput::Published { journey, version } => {
                let [Change::Published { source, .. }, ..] = &entry.changes[..] else {
                    panic!("no file in {entry:?}");
                };
                self.catalog.publish(shop::compiled(source));
                InputKind::Published {
                    journey: journey.clone(),
                    version: *version,
                    source: source.clone(),
                }
            }
        }
    }
}

#[test]
fn invariant_3_deciding_the_log_again_gives_the_same_changes_and_ids() {
    for seed in SEEDS {
        let mut shop = Shop::day(seed);
        let mut again = Again {
            catalog: catalog(),
            rows: BTreeMap::new(),
        };
        let entries = history(shop.engine.store());
        let mut kinds = Vec::new();
        for entry in &entries {
            let changes = again.decide(entry);
            assert_eq!(changes, entry.changes, "seed {seed:#x}: {:?}", entry.input);
            let kind = std::mem::discriminant(&entry.input);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        assert_eq!(kinds.len(), 9, "some kind of input never came");
        let changes = || entries.iter().flat_map(|entry| &entry.changes);
        let refused = |code: RefusalCode| {
            changes()
                .any(|it| matches!(it, Change::Refused { refusal, .. } if refusal.code == code))
        };
        let codes = [
            RefusalCode::HopLimit,
            RefusalCode::EntryLimit,
            RefusalCode::Paused,
        ];
        for code in codes {
            assert!(refused(code), "seed {seed:#x}: {code:?}");
        }
        let migrated = changes().filter(|it| matches!(it, Change::Migrated { .. }));
        assert!(
            migrated.count() > 0,
            "seed {seed:#x}: nobody was taken over"
        );
        assert_eq!(again.rows, rows(shop.engine.store()), "seed {seed:#x}");
    }
}

/// What the history says began, ended and was owed.
#[derive(Default)]
struct Told {
    entered: BTreeSet<InstanceId>,
    outcomes: BTreeMap<DecisionId, &'static str>,
    owed: BTreeSet<DeliveryId>,
    states: BTreeMap<DeliveryId, &'static str>,
}

impl Told {
    fn of(entries: &[Entry]) -> Self {
        let mut told = Self::default();
        for change in entries.iter().flat_map(|entry| &entry.changes) {
            if let Change::Entered { id, .. } = change {
                assert!(told.entered.insert(*id), "{id} entered twice");
            } else if let Change::Decided(decision) = change {
                let id = InstanceId::from_bytes(*decision.id.as_bytes());
                assert!(told.entered.contains(&id), "{id} ended and never entered");
                let word = decision.outcome.as_str();
                let before = told.outcomes.insert(decision.id, word);
                assert_eq!(before, None, "{id} ended twice");
                if decision.terms.is_some() {
                    told.owed.insert(decision.id.delivery());
                    told.states.insert(decision.id.delivery(), "planned");
                }
            } else if let Change::DeliveryMoved {
                delivery, state, ..
            } = change
            {
                let before = told.states.insert(*delivery, state.as_str());
                assert!(before.is_some(), "{delivery} is owed by no decision");
            } else if let Change::DeliveryOrdered { delivery, order } = change {
                let before = told.states.insert(*delivery, order.state.as_str());
                assert!(before.is_some(), "{delivery} is owed by no decision");
            }
        }
        told
    }
}

fn counted<'a>(words: impl IntoIterator<Item = &'a &'static str>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(*word).or_default() += 1;
    }
    counts
}

#[test]
fn invariant_9_ended_instances_are_decisions_and_webhook_decisions_are_deliveries() {
    let mut seen = BTreeSet::new();
    for seed in SEEDS {
        let mut shop = Shop::day(seed);
        let told = Told::of(&history(shop.engine.store()));
        let (mut live, mut ledger) = (BTreeSet::new(), BTreeMap::new());
        let mut deliveries = BTreeMap::new();
        for row in rows(shop.engine.store()).into_values() {
            match row {
                Row::Person(person) => live.extend(person.record.instances.keys().copied()),
                Row::Decision(decision) => {
                    ledger.insert(decision.id, decision.outcome.as_str());
                }
                Row::Delivery(delivery) => {
                    deliveries.insert(delivery.id, delivery.state.as_str());
                }
                Row::Account(_)
                | Row::Guard(_)
                | Row::Message(_)
                | Row::Version(_)
                | Row::Queued(_)
                | Row::Sweep(_)
                | Row::Control(_)
                | Row::Erased(_) => {}
            }
        }
        let ended = |id: &InstanceId| told.outcomes.contains_key(&id.decision());
        let (ended, walking): (BTreeSet<InstanceId>, BTreeSet<InstanceId>) =
            told.entered.iter().partition(|id| ended(id));
        assert_eq!(walking, live, "seed {seed:#x}");
        assert!(
            ended
                .iter()
                .map(|id| id.decision())
                .eq(ledger.keys().copied())
        );
        assert_eq!(told.outcomes, ledger, "seed {seed:#x}");
        assert_eq!(shop.told, counted(ledger.values()), "seed {seed:#x}");

        let sends = ledger.iter().filter(|(_, outcome)| **outcome == "webhook");
        let sends: BTreeSet<DeliveryId> = sends.map(|(id, _)| id.delivery()).collect();
        assert_eq!(sends, told.owed, "seed {seed:#x}");
        assert!(sends.iter().eq(deliveries.keys()), "seed {seed:#x}");
        assert_eq!(told.states, deliveries, "seed {seed:#x}");
        seen.extend(ledger.into_values().chain(deliveries.into_values()));
    }
    let expected = "declined delivered exit expired holdout merged rejected render_failed stopped \
                    suppressed unknown unresolved webhook withheld";
    seen.retain(|word| !["planned", "armed"].contains(word));
    assert!(seen.iter().copied().eq(expected.split(' ')), "{seen:?}");
}
