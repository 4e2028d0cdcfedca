//! What does a history hold that an audit reads? A few people's days, lived by the engine.

use std::collections::BTreeMap;

use wayfare_event::{DeliveryId, Event, IdKey, Timestamp};
use wayfare_executor::delivery::{NotSentReason, Outcome, UnknownReason};
use wayfare_executor::{Action, Catalog, Happened, Key, Operator, Row, Sending};
use wayfare_runtime::{Engine, config};
use wayfare_store::{Entry, RowKind, Store};

/// One request, written at most once.
pub(super) const ONCE: &str = r#"
journey: lead
description: Create a lead.
trigger: { event: Began, where: 'properties.plan == "pro"' }
entry: { again: always }
blocks:
  create:
    webhook:
      method: POST
      url: https://crm.example.com/leads
      consent: { category: marketing, address: profile.email }
      payload: { plan: '{trigger.properties.plan}' }
"#;

/// A wait, a written trait and another request.
pub(super) const LATER: &str = r#"
journey: later
description: Write later.
trigger: { event: Stayed, where: 'properties.plan == "pro"' }
entry: { again: always }
blocks:
  note: { update: { profile: { stayed: true } }, then: pause }
  pause: { wait: 1h, then: write }
  write:
    webhook:
      method: PUT
      url: https://crm.example.com/people/{profileId}
      delivery: at_least_once
      consent: { basis: contract, because: it is a test }
      payload: { stayed: true }
"#;

/// What a store holds.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) entries: Vec<Entry>,
    pub(super) rows: BTreeMap<Key, Row>,
    pub(super) dry: bool,
}

pub(super) fn second(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-01-26T10:00:00Z".parse().unwrap();
    start.saturating_add_micros(seconds * 1_000_000)
}

/// An engine at work on what is due, in a time of its own.
pub(super) struct Work {
    pub(super) engine: Engine,
    pub(super) at: i64,
}

impl Work {
    pub(super) fn over(store: Box<dyn Store>, sending: Sending) -> Self {
        let settings = config::read("{}").unwrap();
        let graphs = [ONCE, LATER].map(|source| settings.compile(source).unwrap().graph);
        let (identity, consent) = (settings.identity.clone(), settings.consent.clone());
        let catalog = Catalog::new(identity, consent, IdKey::STATELESS, sending);
        let compile = |source: &str| settings.compile(source);
        let engine = Engine::open(catalog, store, graphs.into(), &compile).unwrap();
        Self { engine, at: 0 }
    }

    pub(super) fn hear(&mut self, json: &str) {
        self.at += 1;
        let event = Event::parse(json, None).unwrap();
        let catalog = self.engine.catalog();
        let at = second(self.at);
        let happened = Happened::new(catalog, event, "test".into(), at).unwrap();
        self.engine.event(at, happened, json.into()).unwrap();
        self.engine.commit().unwrap();
    }

    /// Lets whatever is due leave, and answers it so, until nothing is due or answers are over.
    pub(super) fn answer(&mut self, outcomes: &[Outcome]) -> DeliveryId {
        let mut last = None;
        for outcome in outcomes {
            let due = self.engine.next_delivery().unwrap();
            self.at = self.at.max(due.micros_since(second(0)) / 1_000_000 + 1);
            let taken = self.engine.take_due(second(self.at)).unwrap();
            let [delivery] = taken.as_slice() else {
                panic!("one delivery is due, not {}", taken.len());
            };
            let id = delivery.id;
            assert!(self.engine.ready(second(self.at), id).unwrap());
            let attempts = self.engine.delivery(id).unwrap().unwrap().attempts;
            self.at += 1;
            let ended = (attempts, *outcome);
            self.engine.finished(second(self.at), id, ended).unwrap();
            self.engine.commit().unwrap();
            last = Some(id);
        }
        last.unwrap()
    }

    pub(super) fn order(&mut self, action: Action) {
        self.at += 1;
        let order = Operator {
            by: "ann".into(),
            reason: "it is a test".into(),
            action,
        };
        self.engine.order(second(self.at), order).unwrap();
        self.engine.commit().unwrap();
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.at += seconds;
        self.engine.fire(second(self.at), 100).unwrap();
        self.engine.commit().unwrap();
    }

    pub(super) fn told(&mut self) -> Told {
        let store = self.engine.store();
        let (mut entries, mut rows) = (Vec::new(), BTreeMap::new());
        store
            .history(1, &mut |entry| entries.push(entry.clone()))
            .unwrap();
        for kind in RowKind::ALL {
            let mut keep = |key: &Key, row: &Row| {
                rows.insert(key.clone(), row.clone());
            };
            store.scan(kind, &mut keep).unwrap();
        }
        let dry = store.head().dry;
        Told { entries, rows, dry }
    }
}

pub(super) const OK: Outcome = Outcome::Answered {
    status: 200,
    retry_after_s: None,
};
pub(super) const NOT_SENT: Outcome = Outcome::NotSent(NotSentReason::Refused);
pub(super) const SILENCE: Outcome = Outcome::Unknown(UnknownReason::Timeout);

pub(super) fn began(number: u32) -> String {
    format!(
        r#"{{"type":"track","messageId":"b{number}","userId":"u1","event":"Began","properties":{{"plan":"pro"}}}}"#
    )
}

/// Everything a history may hold: refused by consent, taken, not sent and repeated, unknown and
/// ordered again, repeated where it insists, one person still inside.
pub(super) fn lived(work: &mut Work) {
    work.hear(r#"{"type":"identify","messageId":"i1","userId":"u1","traits":{"email":"ada@example.com"}}"#);
    work.hear(&began(0));
    work.hear(r#"{"type":"consent","messageId":"c1","userId":"u1","email":"ada@example.com","category":"marketing","action":"accept"}"#);
    if work.engine.catalog().sending == Sending::Dry {
        work.hear(&began(1));
        return;
    }
    work.hear(&began(1));
    work.answer(&[OK]);
    work.hear(&began(2));
    work.answer(&[NOT_SENT, OK]);
    work.hear(&began(3));
    let lost = work.answer(&[SILENCE]);
    work.order(Action::Resend(lost));
    work.answer(&[SILENCE]);
    work.order(Action::Resolve(lost));
    work.hear(r#"{"type":"track","messageId":"s1","userId":"u2","event":"Stayed","properties":{"plan":"pro"}}"#);
    work.pass(3_600);
    work.answer(&[SILENCE, OK]);
    work.hear(r#"{"type":"track","messageId":"s2","userId":"u2","event":"Stayed","properties":{"plan":"pro"}}"#);
}
