//! Does an audit find what is broken, and only that? A history that the engine wrote is altered in
//! one place at a time, through the store.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "audit/life.rs"]
mod life;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{IdKey, Value};
use wayfare_executor::delivery::State;
use wayfare_executor::record::{ConsentAsked, Decision, Delivery, QueueId};
use wayfare_executor::{Change, Key, Row, Sending};
use wayfare_runtime::audit::{Audited, audit};
use wayfare_store::local::Options;
use wayfare_store::{Batch, Entry, LocalStore, LoggedInput, MemoryStore, Origin, ReadOnly, Store};

use life::{NOT_SENT, SILENCE, Told, Work, lived, second};

fn sound() -> Told {
    let store = MemoryStore::new(IdKey::STATELESS);
    let mut work = Work::over(Box::new(store), Sending::Owed);
    lived(&mut work);
    work.told()
}

fn audited(told: Told) -> Audited {
    let memory = MemoryStore::new(IdKey::STATELESS);
    let mut store = if told.dry { memory.dry() } else { memory };
    let batch = Batch {
        entries: told.entries,
        rows: told
            .rows
            .into_iter()
            .map(|(key, row)| (key, Some(row)))
            .collect(),
        cursor: None,
    };
    store.commit(&batch).unwrap();
    audit(&mut store, Origin::BLANK).unwrap()
}

#[test]
fn a_history_that_the_engine_wrote_is_whole_and_its_counts_are_told() {
    let found = audited(sound());
    assert_eq!((found.broken, found.breaches), (0, Vec::new()));
    let counts = |counts: &BTreeMap<&'static str, u64>| format!("{counts:?}");
    assert_eq!(
        counts(&found.tally.decisions),
        r#"{"suppressed": 1, "webhook": 4}"#
    );
    assert_eq!(counts(&found.tally.deliveries), r#"{"delivered": 4}"#);
    assert_eq!((found.tally.inside, found.rows_from), (1, 1));
}

#[test]
fn a_dry_state_owes_no_deliveries() {
    let store = MemoryStore::new(IdKey::STATELESS).dry();
    let mut work = Work::over(Box::new(store), Sending::Dry);
    lived(&mut work);
    let mut told = work.told();
    let found = audited(told.clone());
    assert_eq!((found.broken, found.tally.owed), (0, 0));
    assert_eq!(found.tally.decisions.get("webhook"), Some(&1));
    // The same history as that of a real run lacks a delivery.
    told.dry = false;
    let found = audited(told);
    assert_eq!(rules(&found), ["owed"]);
}

/// The rules that are broken, each once.
fn rules(found: &Audited) -> Vec<&'static str> {
    let rules = found.breaches.iter().map(|breach| breach.rule);
    let rules: BTreeSet<_> = rules.collect();
    rules
        .into_iter()
        .map(wayfare_runtime::audit::Rule::as_str)
        .collect()
}

/// The changes of one kind, to be altered.
fn changes(told: &mut Told) -> impl Iterator<Item = &mut Change> {
    told.entries.iter_mut().flat_map(|entry| &mut entry.changes)
}

fn decisions(told: &mut Told) -> impl Iterator<Item = &mut Box<Decision>> {
    changes(told).filter_map(|change| {
        if let Change::Decided(decision) = change {
            Some(decision)
        } else {
            None
        }
    })
}

/// Appends an input with these changes.
fn append(told: &mut Told, changes: Vec<Change>) {
    let last = told.entries.last().unwrap().clone();
    told.entries.push(Entry {
        seq: last.seq + 1,
        changes,
        ..last
    });
}

fn first_armed(told: &mut Told) -> &mut Change {
    changes(told)
        .find(|change| {
            let armed = |state: &State| matches!(state, State::Armed { .. });
            matches!(change, Change::DeliveryMoved { state, .. } if armed(state))
        })
        .unwrap()
}

fn first_delivery(told: &mut Told) -> &mut Arc<Delivery> {
    let rows = told.rows.values_mut();
    let mut deliveries = rows.filter_map(|row| {
        if let Row::Delivery(delivery) = row {
            Some(delivery)
        } else {
            None
        }
    });
    deliveries.next().unwrap()
}

/// What is altered, and the rules that are found broken by it.
type Altered = (&'static str, fn(&mut Told), &'static [&'static str]);

const HISTORIES: [Altered; 17] = [
    (
        "an input is redacted that no checkpoint covers",
        |told| told.entries.last_mut().unwrap().input = LoggedInput::Redacted,
        &["state"],
    ),
    (
        "a decision is taken twice",
        |told| {
            let decision = decisions(told).next().unwrap().clone();
            append(told, vec![Change::Decided(decision)]);
        },
        &["decision"],
    ),
    (
        "an attempt leaves without a verdict",
        |told| {
            if let Change::DeliveryMoved { consent, .. } = first_armed(told) {
                *consent = None;
            }
        },
        &["consent"],
    ),
    (
        "an attempt leaves against a no",
        |told| {
            if let Change::DeliveryMoved { consent, .. } = first_armed(told) {
                consent.as_mut().unwrap().verdict.allowed = false;
            }
        },
        &["consent"],
    ),
    (
        "an attempt asks about another category",
        |told| {
            if let Change::DeliveryMoved { consent, .. } = first_armed(told) {
                consent.as_mut().unwrap().asked = ConsentAsked::Category {
                    category: "essential".into(),
                    address: None,
                };
            }
        },
        &["consent"],
    ),
    (
        "two inputs change places",
        |told| told.entries.swap(2, 3),
        &["sequence", "time"],
    ),
    (
        "an input is gone that changed nothing else",
        |told| {
            append(told, Vec::new());
            let last = told.entries.last().unwrap().clone();
            told.entries.push(Entry {
                seq: last.seq + 2,
                ..last
            });
        },
        &["sequence"],
    ),
    (
        "time goes back",
        |told| {
            append(told, Vec::new());
            told.entries.last_mut().unwrap().at = second(1);
        },
        &["time"],
    ),
    (
        "a request is repeated that may have arrived",
        |told| {
            for change in changes(told) {
                if let Change::DeliveryMoved { outcome, .. } = change
                    && *outcome == Some(NOT_SENT)
                {
                    *outcome = Some(SILENCE);
                }
            }
        },
        &["transition", "repeat", "state"],
    ),
    (
        "an attempt has another one's number",
        |told| {
            for entry in &mut told.entries {
                if let LoggedInput::AttemptFinished { attempt, .. } = &mut entry.input {
                    *attempt += 1;
                    return;
                }
            }
        },
        &["attempts"],
    ),
    (
        "what was delivered is sent again",
        |told| {
            let armed = first_armed(told).clone();
            append(told, vec![armed]);
        },
        &["transition", "repeat", "attempts", "state"],
    ),
    (
        "the request is another than its hash says",
        |told| {
            let mut sent = decisions(told).filter_map(|it| it.request.as_mut());
            sent.next().unwrap().body = Some("{}".to_owned());
        },
        &["request", "state"],
    ),
    (
        "a message is taken twice",
        |told| {
            let seen = changes(told).find(|it| matches!(it, Change::MessageSeen { .. }));
            let seen = seen.unwrap().clone();
            append(told, vec![seen]);
        },
        &["message"],
    ),
    (
        "an instance ends that never entered",
        |told| {
            let decided = decisions(told).next().unwrap().id;
            for entry in &mut told.entries {
                entry.changes.retain(|change| {
                    !matches!(change, Change::Entered { id, .. } if id.decision() == decided)
                });
            }
        },
        &["walk", "counts"],
    ),
    (
        "an instance goes on after its end",
        |told| {
            let decision = decisions(told).next().unwrap().clone();
            let parked = Change::Parked {
                owner: decision.owner.clone(),
                id: wayfare_event::InstanceId::from_bytes(*decision.id.as_bytes()),
                block: "create".into(),
                at: decision.at,
                due: None,
            };
            append(told, vec![parked]);
        },
        &["walk"],
    ),
    (
        "an input has its turn twice",
        |told| {
            let dequeued = changes(told).find(|it| matches!(it, Change::Dequeued(_)));
            let dequeued = dequeued.unwrap().clone();
            append(
                told,
                vec![dequeued, Change::Dequeued(QueueId { seq: 1, place: 0 })],
            );
        },
        &["queue"],
    ),
    (
        "a decision to send owes nothing",
        |told| {
            let mut sent = decisions(told).filter(|it| it.terms.is_some());
            sent.next().unwrap().terms = None;
        },
        &["ledger", "owed", "state"],
    ),
];

#[test]
fn each_breach_of_the_history_is_found_by_name() {
    for (what, alter, expected) in HISTORIES {
        let mut told = sound();
        alter(&mut told);
        let found = audited(told);
        assert_eq!(rules(&found), expected, "{what}: {:#?}", found.breaches);
    }
}

const ROWS: [Altered; 7] = [
    (
        "a row of the ledger is gone",
        |told| {
            let id = decisions(told).find(|it| it.terms.is_some()).unwrap().id;
            told.rows.remove(&Key::Decision(id));
        },
        &["ledger", "state", "counts"],
    ),
    (
        "a row of the ledger has no decision",
        |told| {
            let mut decision = (**decisions(told).next().unwrap()).clone();
            decision.id = wayfare_event::DecisionId::from_bytes([7; 16]);
            let row = Row::Decision(Arc::new(decision.clone()));
            told.rows.insert(Key::Decision(decision.id), row);
        },
        &["ledger", "state", "counts"],
    ),
    (
        "a delivery is gone",
        |told| {
            let id = first_delivery(told).id;
            told.rows.remove(&Key::Delivery(id));
        },
        &["ledger", "state", "counts"],
    ),
    (
        "a body is another",
        |told| {
            let delivery = Arc::make_mut(first_delivery(told));
            delivery.request.body = Some("{}".to_owned());
        },
        &["request", "state"],
    ),
    (
        "a delivery has had another number of attempts",
        |told| Arc::make_mut(first_delivery(told)).attempts += 1,
        &["attempts", "state"],
    ),
    (
        "a delivery is in another state",
        |told| {
            Arc::make_mut(first_delivery(told)).state = State::Rejected { status: 400 };
        },
        &["state"],
    ),
    (
        "a trait has another value",
        |told| {
            for row in told.rows.values_mut() {
                if let Row::Person(person) = row {
                    let record = Arc::make_mut(&mut person.record);
                    for register in record.traits.values_mut() {
                        register.value = Value::Null;
                    }
                }
            }
        },
        &["state"],
    ),
];

#[test]
fn each_breach_of_the_state_is_found_by_name() {
    for (what, alter, expected) in ROWS {
        let mut told = sound();
        alter(&mut told);
        let found = audited(told);
        assert_eq!(rules(&found), expected, "{what}: {:#?}", found.breaches);
    }
}

#[test]
fn more_breaches_than_are_kept_are_counted() {
    let mut told = sound();
    let decision = decisions(&mut told).next().unwrap().clone();
    for _ in 0..30 {
        append(&mut told, vec![Change::Decided(decision.clone())]);
    }
    let found = audited(told);
    assert_eq!((found.broken, found.breaches.len()), (30, 20));
}

const OPTIONS: Options = Options {
    cache_mb: 16,
    dry: false,
    new_id_key: *b"wayfare: a run without any state",
    history_us: 30 * 86_400_000_000,
};

#[test]
fn a_history_with_gaps_is_checked_from_the_checkpoint_that_covers_them() {
    let directory = tempfile::tempdir().unwrap();
    let open = || LocalStore::open(directory.path(), &OPTIONS).unwrap().0;
    let mut work = Work::over(Box::new(open()), Sending::Owed);
    lived(&mut work);
    let told = work.told();
    work.engine.close().unwrap();
    let is_redacted = |entry: &&Entry| entry.seq.is_multiple_of(3);
    let redacted = told.entries.iter().filter(is_redacted);
    let redacted: BTreeSet<u64> = redacted.map(|entry| entry.seq).collect();
    assert!(redacted.len() > 5);
    let mut store = open();
    store.redact(&redacted).unwrap();
    store.redact_fully().unwrap();
    store.close().unwrap();
    // What began before the gaps ends behind them, and more begins.
    let mut work = Work::over(Box::new(open()), Sending::Owed);
    work.at = 100_000;
    work.hear(&life::began(99));
    work.answer(&[life::OK]);
    work.engine.close().unwrap();
    let mut store = ReadOnly::open(directory.path()).unwrap().0;
    let origin = store.origin().unwrap();
    let found = audit(&mut store, origin).unwrap();
    assert_eq!((found.broken, found.breaches), (0, Vec::new()));
    assert_eq!(found.redacted, redacted.len() as u64);
    let last = told.entries.last().unwrap().seq;
    assert_eq!((found.judged_from, found.rows_from), (last + 1, last + 1));
    assert!(found.ends.unwrap().0 > last);
}

#[test]
fn a_row_that_is_gone_from_a_directory_is_missed() {
    let directory = tempfile::tempdir().unwrap();
    let look = || {
        let mut store = ReadOnly::open(directory.path()).unwrap().0;
        let origin = store.origin().unwrap();
        audit(&mut store, origin).unwrap()
    };
    let (store, _) = LocalStore::open(directory.path(), &OPTIONS).unwrap();
    let mut work = Work::over(Box::new(store), Sending::Owed);
    lived(&mut work);
    let told = work.told();
    work.engine.close().unwrap();
    assert_eq!(rules(&look()), [""; 0]);
    let gone = told.rows.keys().find(|key| matches!(key, Key::Decision(_)));
    let (mut store, _) = LocalStore::open(directory.path(), &OPTIONS).unwrap();
    let batch = Batch {
        rows: vec![(gone.unwrap().clone(), None)],
        ..Batch::default()
    };
    store.commit(&batch).unwrap();
    store.checkpoint().unwrap();
    store.close().unwrap();
    let found = rules(&look());
    assert!(
        found.contains(&"ledger") && found.contains(&"state"),
        "{found:?}"
    );
}
