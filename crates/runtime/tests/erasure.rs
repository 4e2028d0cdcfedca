//! Does an erasure come to its end, whatever happens to the process between two pages of the ledger, and
//! does nothing but hashes remain?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::sync::Arc;

use tempfile::TempDir;
use wayfare_event::{Event, IdKey, Identifier, Timestamp};
use wayfare_executor::record::{EraseMode, Erased, hash};
use wayfare_executor::{
    Action, Catalog, Change, Erase, Happened, Key, Operator, Redaction, Row, Sending,
};
use wayfare_journey::{Compiled, Known, compile};
use wayfare_runtime::{Engine, audit};
use wayfare_store::local::Options;
use wayfare_store::{LocalStore, LoggedInput, Origin, Redaction as Progress, RowKind};

const KEY: [u8; 32] = [7; 32];

const NUDGE: &str = r#"
journey: nudge
description: Write to visitors.
trigger: { event: Visited, where: properties.n >= 0 }
entry: { again: always, key: properties.n }
blocks:
  write:
    webhook:
      method: POST
      url: https://mail.example.com/nudges
      consent: { basis: contract, because: it is a test }
      identity: any
      payload: { n: "{trigger.properties.n}" }
"#;

fn compiled(journey: &str) -> Compiled {
    compile(journey, &Known::default()).unwrap()
}

fn minute(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-01-26T10:00:00Z".parse().unwrap();
    start.saturating_add_micros(minute * 60_000_000)
}

fn open(directory: &TempDir) -> Engine {
    let options = Options {
        cache_mb: 16,
        dry: false,
        history_us: 30 * 86_400_000_000,
        new_id_key: KEY,
    };
    let (store, _) = LocalStore::open(directory.path(), &options).unwrap();
    let (identity, consent) = Default::default();
    let catalog = Catalog::new(identity, consent, IdKey::new(KEY), Sending::Owed);
    let graphs = vec![compiled(NUDGE).graph];
    let compile = |source: &str| Ok(compiled(source));
    Engine::open(catalog, Box::new(store), graphs, &compile).unwrap()
}

/// Visits of somebody, as many as there are numbers.
fn visit(engine: &mut Engine, (at, who): (i64, &str), numbers: std::ops::Range<u32>) {
    for number in numbers {
        let json = format!(
            r#"{{"type":"track","userId":"{who}","event":"Visited","properties":{{"n":{number}}}}}"#
        );
        let event = Event::parse(&json, None).unwrap();
        let happened = Happened::new(engine.catalog(), event, "w".into(), minute(at)).unwrap();
        engine.event(minute(at), happened, json.into()).unwrap();
    }
    engine.commit().unwrap();
}

fn erase(engine: &mut Engine, at: i64, who: &str, mode: EraseMode) {
    let order = Operator {
        by: "ops".into(),
        reason: "it is a test".into(),
        action: Action::Erase(Erase {
            identifier: Identifier::new("user_id", who),
            mode,
            through: None,
        }),
    };
    engine.order(minute(at), order).unwrap();
    engine.commit().unwrap();
}

fn mark(engine: &mut Engine, who: &str) -> Option<Erased> {
    let own = Identifier::new("user_id", who);
    let key = Key::Erased(hash(&IdKey::new(KEY), &own));
    let row = engine.store().load(&[key]).unwrap().pop().flatten();
    if let Some(Row::Erased(mark)) = row {
        Some(mark)
    } else {
        None
    }
}

/// How many rows of a kind tell of somebody.
fn telling(engine: &mut Engine, who: &str) -> usize {
    let mut telling = 0;
    let name = format!("user_id:{who}");
    for kind in RowKind::ALL {
        let mut visit = |key: &Key, row: &Row| {
            telling += usize::from(format!("{key:?} {row:?}").contains(&name));
        };
        engine.store().scan(kind, &mut visit).unwrap();
    }
    telling
}

#[test]
fn a_ledger_of_several_pages_is_reduced_to_its_end_through_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = open(&directory);
    visit(&mut engine, (0, "ann"), 0..300);
    visit(&mut engine, (0, "bob"), 0..300);
    erase(&mut engine, 5, "ann", EraseMode::Both);
    assert!(telling(&mut engine, "ann") > 300);
    let others = telling(&mut engine, "bob");
    let mut pages = 0;
    while mark(&mut engine, "ann").unwrap().complete.is_none() {
        engine.sweep(minute(6), 1_000).unwrap();
        engine.commit().unwrap();
        // The process ends behind every page.
        drop(engine);
        engine = open(&directory);
        pages += 1;
        assert!(pages < 20, "it does not come to its end");
    }
    assert!(pages > 3, "{pages} pages");
    assert_eq!(telling(&mut engine, "ann"), 0);
    assert_eq!(telling(&mut engine, "bob"), others);
    // Only bob's requests leave.
    assert_eq!(engine.open_deliveries(), 300);
    let found = audit::audit(engine.store(), Origin::BLANK).unwrap();
    assert_eq!(found.breaches, []);
}

#[test]
fn whoever_comes_back_between_two_pages_keeps_what_is_theirs() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = open(&directory);
    visit(&mut engine, (0, "ann"), 0..300);
    erase(&mut engine, 1, "ann", EraseMode::Delete);
    engine.sweep(minute(1), 1_000).unwrap();
    visit(&mut engine, (2, "ann"), 500..510);
    engine.carry_out(minute(2)).unwrap();
    engine.commit().unwrap();
    assert_eq!(engine.open_deliveries(), 10);
    let (mut entries, mut decisions) = (0, 0);
    let store = engine.store();
    store
        .scan(RowKind::Guard, &mut |_, _| entries += 1)
        .unwrap();
    store
        .scan(RowKind::Decision, &mut |_, row| {
            let is_hers = matches!(row, Row::Decision(it) if !it.is_reduced());
            decisions += usize::from(is_hers);
        })
        .unwrap();
    assert_eq!((entries, decisions), (10, 10));
    let found = audit::audit(store, Origin::BLANK).unwrap();
    assert_eq!(found.breaches, []);
}

#[test]
fn what_a_redaction_is_about_is_everything_that_names_the_erased_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = open(&directory);
    visit(&mut engine, (0, "ann"), 0..3);
    visit(&mut engine, (0, "bob"), 0..3);
    erase(&mut engine, 5, "ann", EraseMode::Both);
    engine.carry_out(minute(5)).unwrap();
    engine.commit().unwrap();
    let mut changes: Vec<Change> = Vec::new();
    let store = engine.store();
    let mut erasure = None;
    let mut visit = |entry: &wayfare_store::Entry| {
        for change in &entry.changes {
            if let Change::SweepMoved { sweep, .. } = change {
                erasure = sweep.as_ref().and_then(|sweep| sweep.erasure.clone());
            }
        }
        changes.extend(entry.changes.iter().cloned());
    };
    store.history(1, &mut visit).unwrap();
    let erasure = erasure.unwrap();
    let last = erasure.seq;
    let mut redaction = Redaction::new(IdKey::new(KEY), [&*erasure]);
    changes.iter().for_each(|change| redaction.hear(change));
    for change in &changes {
        let text = format!("{change:?}");
        let expected = text.contains("user_id:ann");
        assert!(!expected || redaction.concerns(last, change), "{text}");
        let of_bob = text.contains("user_id:bob");
        assert!(!of_bob || !redaction.concerns(last, change), "{text}");
    }
    let remaining = changes
        .iter()
        .filter(|change| !redaction.concerns(last, change));
    let bob = Arc::from("bob");
    assert!(remaining.count() > 0 && redaction.is_about(last, &Identifier::new("user_id", "ann")));
    let bob = Identifier {
        namespace: "user_id".into(),
        value: bob,
    };
    assert!(!redaction.is_about(last, &bob));
    // Whoever comes back is somebody else.
    assert!(!redaction.is_about(last + 1, &Identifier::new("user_id", "ann")));
    let order = |reason: &str| Operator {
        by: "ops".into(),
        reason: reason.into(),
        action: Action::Pause(wayfare_executor::Place::parse("nudge")),
    };
    assert!(redaction.orders(last, &order("because of `ann`, again")));
    assert!(!redaction.orders(last, &order("because of hannah")));
}

/// How many inputs of the history tell of somebody, and how many are redacted.
fn past(engine: &mut Engine, who: &str) -> (usize, usize) {
    let (mut telling, mut redacted) = (0, 0);
    let mut visit = |entry: &wayfare_store::Entry| {
        telling += usize::from(format!("{entry:?}").contains(who));
        redacted += usize::from(entry.input == LoggedInput::Redacted);
    };
    engine.store().history(1, &mut visit).unwrap();
    (telling, redacted)
}

#[test]
fn a_history_is_redacted_to_its_end_wherever_the_process_ends() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = open(&directory);
    visit(&mut engine, (0, "ann"), 0..3);
    visit(&mut engine, (0, "bob"), 0..3);
    visit(&mut engine, (0, "cleo"), 0..3);
    // Several at once are one pass.
    erase(&mut engine, 5, "ann", EraseMode::Both);
    erase(&mut engine, 5, "cleo", EraseMode::Delete);
    engine.carry_out(minute(5)).unwrap();
    engine.commit().unwrap();
    visit(&mut engine, (6, "cleo"), 5..6);
    engine.drain(minute(6), usize::MAX).unwrap();
    engine.commit().unwrap();
    let (of_bob, _) = past(&mut engine, "bob");
    assert!(engine.is_purging() && past(&mut engine, "ann").0 > 0);
    let mut steps = 0;
    while engine.is_purging() {
        drop(engine);
        engine = open(&directory);
        for _ in 0..steps {
            while engine.purge_on().unwrap() == Progress::Waiting {}
        }
        steps += 1;
        assert!(steps < 30, "it does not come to its end");
    }
    assert!(steps > 3, "{steps} steps");
    let (telling, redacted) = past(&mut engine, "ann");
    assert_eq!(telling, 0);
    assert!(redacted >= 6, "{redacted}");
    assert_eq!(past(&mut engine, "bob").0, of_bob);
    // What cleo did since she came back is hers.
    assert_eq!(past(&mut engine, "cleo").0, 1);
    assert_eq!(engine.purge_on().unwrap(), Progress::Done);
    // And once more, of one nobody knows any more.
    erase(&mut engine, 9, "ann", EraseMode::Both);
    assert!(past(&mut engine, "ann").0 > 0 && engine.is_purging());
    engine.purge().unwrap();
    assert!(!engine.is_purging());
    assert_eq!(past(&mut engine, "ann").0, 0);
    assert_eq!(engine.open_deliveries(), 4);
}
