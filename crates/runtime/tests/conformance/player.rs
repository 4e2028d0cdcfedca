//! What comes of a case when everything goes wrong that may? It is played through a store on disk
//! by an engine that is killed, and by sources that send again. Not here: what the case expects.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use wayfare_event::{DeliveryId, IdKey, Map, Timestamp, Value};
use wayfare_executor::delivery::Outcome;
use wayfare_executor::record::Delivery;
use wayfare_executor::{Catalog, Happened, Sending};
use wayfare_journey::Graph;
use wayfare_journey::trial::{Case, Given, Seen, Suite};
use wayfare_runtime::config::Project;
use wayfare_runtime::{Engine, Output, report};
use wayfare_store::LocalStore;
use wayfare_store::local::Options;
use wayfare_webhook::Secrets;

const SOURCE: &str = "test";

/// What goes wrong at every event.
#[derive(Clone, Copy)]
pub(crate) enum Mishap {
    /// The engine is killed once the event is durable.
    Killed,
    /// The event comes twice in one batch.
    Doubled,
    /// The engine is killed once the event is durable, and the source, which heard nothing, sends
    /// it again.
    SentAgain,
}

/// Plays a case to its end; what came of it, but for the blocks that were reached.
pub(crate) fn play(project: &Project, suite: &Suite, case: &Case, mishap: Mishap) -> Seen {
    let directory = tempfile::tempdir().unwrap();
    let runs = |graph: &&Graph| {
        *graph.id() == suite.journey || suite.with.iter().any(|id| id == graph.id())
    };
    let graphs: Vec<Graph> = project.graphs.iter().filter(runs).cloned().collect();
    let engine = engine(project, &graphs, directory.path());
    let mut player = Player {
        project,
        graphs,
        directory,
        engine: Some(engine),
        keys: BTreeMap::new(),
        places: BTreeMap::new(),
        seen: Seen::default(),
    };
    let mut last = Timestamp::EPOCH;
    for given in &case.events {
        player.event(given, mishap);
        last = given.at;
    }
    player.move_to(last.saturating_add_micros(case.advance_us));
    player.seen
}

fn engine(project: &Project, graphs: &[Graph], directory: &Path) -> Engine {
    let options = Options {
        cache_mb: 1,
        dry: false,
        new_id_key: *IdKey::STATELESS.as_bytes(),
        history_us: i64::MAX,
    };
    let store = LocalStore::open(directory, &options).unwrap().0;
    let settings = &project.settings;
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        IdKey::STATELESS,
        Sending::Owed,
    );
    let compile = |source: &str| settings.compile(source);
    Engine::open(catalog, Box::new(store), graphs.to_vec(), &compile).unwrap()
}

struct Player<'a> {
    project: &'a Project,
    graphs: Vec<Graph>,
    directory: TempDir,
    /// There, but for the moment between a kill and coming up again.
    engine: Option<Engine>,
    /// The place of each decision: requests of one instant are told in their order.
    places: BTreeMap<DeliveryId, usize>,
    /// The journey's key of each decision that has one.
    keys: BTreeMap<DeliveryId, Arc<str>>,
    seen: Seen,
}

impl Player<'_> {
    /// The event comes at its instant, before the timers of that instant had their turn.
    fn event(&mut self, given: &Given, mishap: Mishap) {
        self.move_to(given.at.saturating_add_micros(-1));
        self.hear(given);
        match mishap {
            Mishap::Killed => {
                self.commit();
                self.kill();
            }
            Mishap::Doubled => self.hear(given),
            Mishap::SentAgain => {
                self.commit();
                self.kill();
                self.hear(given);
            }
        }
        self.commit();
        self.move_to(given.at);
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().unwrap()
    }

    fn hear(&mut self, given: &Given) {
        let event = (*given.event).clone();
        let catalog = self.engine().catalog();
        let happened = Happened::new(catalog, event, SOURCE.into(), given.at).unwrap();
        let text = given.text.clone();
        self.engine().event(given.at, happened, text).unwrap();
    }

    /// The engine is gone, with what was not committed, and comes up again.
    fn kill(&mut self) {
        self.engine = None;
        let engine = engine(self.project, &self.graphs, self.directory.path());
        self.engine = Some(engine);
    }

    /// Lets everything happen that is due by `at`, each thing at its own time.
    fn move_to(&mut self, at: Timestamp) {
        loop {
            let times = [self.engine().next_timer(), self.engine().next_delivery()];
            let Some(due) = times.into_iter().flatten().min().filter(|due| *due <= at) else {
                return;
            };
            let mut deliveries = self.engine().take_due(due).unwrap();
            deliveries.sort_by_key(|delivery| self.places.get(&delivery.id));
            if deliveries.is_empty() {
                assert_eq!(self.engine().fire(due, 1).unwrap(), 1);
                self.commit();
            }
            for delivery in deliveries {
                self.deliver(&delivery, due);
            }
        }
    }

    fn deliver(&mut self, delivery: &Delivery, at: Timestamp) {
        assert!(self.engine().ready(at, delivery.id).unwrap());
        self.commit();
        let request = self.request(delivery, at);
        self.seen.requests.push(request);
        let answered = Outcome::Answered {
            status: 200,
            retry_after_s: None,
        };
        let attempt = (delivery.attempts + 1, answered);
        self.engine().finished(at, delivery.id, attempt).unwrap();
        self.commit();
    }

    /// The request, in the words of test files.
    fn request(&self, delivery: &Delivery, at: Timestamp) -> Map {
        let mut map = Map::new();
        map.insert("at", at.to_string().as_str().into());
        map.insert("journey", Value::Text(delivery.journey.clone()));
        map.insert("block", Value::Text(delivery.block.clone()));
        map.insert("method", delivery.request.method.as_str().into());
        map.insert("url", delivery.request.url.as_str().into());
        if let Some(body) = &delivery.request.body {
            map.insert("payload", Value::parse(body).unwrap());
        }
        if let Some(key) = self.keys.get(&delivery.id) {
            map.insert("key", Value::Text(key.clone()));
        }
        map
    }

    fn commit(&mut self) {
        for output in self.engine().commit().unwrap() {
            let line = report::line(&output, None, &Secrets::stand_ins());
            if let Output::Decision(decision) = output {
                let id = decision.id.delivery();
                self.places.insert(id, self.places.len());
                let key = decision.key.clone();
                self.keys
                    .extend(key.map(|key| (decision.id.delivery(), key)));
                self.seen.decisions.push(line);
            } else if let Output::Refused(_) = output {
                self.seen.refusals.push(line);
            }
        }
    }
}
