//! What do the tests of stores keep? A little of everything, made of changes as the engine makes
//! them.

mod consent;
mod erasure;
mod forms;
mod persons;

use std::collections::BTreeSet;

use wayfare_event::{Identifier, InstanceId, MessageHash, Timestamp, Value};
use wayfare_executor::delivery::State;
use wayfare_executor::record::{Guard, Told};
use wayfare_executor::{Change, Key, Row, Snapshot, Trust};
use wayfare_journey::Version;

use consent::{consent, suppressed};
use forms::{decision, instance, journey_changes};
pub(crate) use forms::{entries, rows};

use crate::{Batch, Cursor, Entry, Head, LoggedInput, RowKind, Store};

pub(crate) const VERSION: Version = Version::from_bytes([0xab; 16]);

pub(crate) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_225_600_000_000 + seconds * 1_000_000)
}

pub(crate) fn message(number: u64) -> MessageHash {
    MessageHash::derive("test", &number.to_string())
}

pub(crate) fn person(number: u64) -> Identifier {
    Identifier::new("user_id", &format!("u{number}"))
}

pub(crate) fn seen(number: u64, at: Timestamp) -> Change {
    Change::MessageSeen {
        message: message(number),
        at,
    }
}

pub(crate) fn trait_set(number: u64, name: &str, value: &str, seq: u64) -> Change {
    Change::TraitSet {
        owner: person(number),
        name: name.into(),
        value: value.into(),
        told: Told { at: at(0), seq },
        once: false,
    }
}

/// Commits one input with these changes, as a runtime does.
pub(crate) fn commit(
    store: &mut dyn Store,
    at: Timestamp,
    changes: Vec<Change>,
) -> Result<(), crate::StoreError> {
    let seq = store.head().next_seq;
    let entry = Entry {
        seq,
        at,
        input: LoggedInput::Event {
            source: "test".into(),
            text: format!("{{\"messageId\":\"{seq}\"}}").into(),
            trust: Trust::Verified,
        },
        changes,
    };
    let batch = batch(store, vec![entry]);
    store.commit(&batch)
}

/// The batch of these entries, with the rows as they are after it.
pub(crate) fn batch(store: &mut dyn Store, entries: Vec<Entry>) -> Batch {
    let mut snapshot = Snapshot::new();
    let mut touched = BTreeSet::new();
    for change in entries.iter().flat_map(|entry| &entry.changes) {
        for key in change.touches() {
            if touched.insert(key.clone()) {
                let row = store.load(std::slice::from_ref(&key)).unwrap();
                snapshot.put(key, row.into_iter().next().flatten());
            }
        }
        change.apply(&mut snapshot);
    }
    let after = touched.into_iter().map(|key| {
        let row = snapshot.row(&key);
        (key, row)
    });
    let offset = entries.last().map_or(0, |entry| entry.seq * 100);
    Batch {
        rows: after.collect(),
        cursor: Some(Cursor {
            file: "events.ndjson".into(),
            offset,
        }),
        entries,
    }
}

/// Commits that nothing stands under these keys; no input says so.
pub(crate) fn remove(store: &mut dyn Store, keys: &[Key]) {
    let rows = keys.iter().map(|key| (key.clone(), None)).collect();
    let batch = Batch {
        rows,
        ..Batch::default()
    };
    store.commit(&batch).unwrap();
}

/// Commits inputs that touch rows of every kind.
pub(crate) fn live(store: &mut dyn Store, inputs: u64) {
    for _ in 0..inputs {
        let seq = store.head().next_seq;
        let moment = at(i64::try_from(seq).unwrap());
        commit(store, moment, changes(seq, moment)).unwrap();
    }
}

/// What follows from input `seq`: many persons, entered, parked, decided and delivered in turn.
fn changes(seq: u64, moment: Timestamp) -> Vec<Change> {
    let who = seq % 5;
    let owner = person(who);
    let bytes = u128::from(seq / 3).to_be_bytes();
    let id = InstanceId::from_bytes(bytes);
    let mut changes = vec![seen(seq, moment)];
    changes.extend(persons::links(&owner, moment));
    changes.extend([
        trait_set(who, "plan", &format!("plan {seq}"), seq),
        Change::AccountTraitSet {
            account: format!("a{}", seq % 3).into(),
            name: "seats".into(),
            value: Value::from(7),
            told: Told { at: moment, seq },
        },
        Change::ConsentRecorded {
            subject: Identifier::new("email", "a@b.example"),
            record: consent(),
        },
        Change::AddressSuppressed {
            address: Identifier::new("email", "a@b.example"),
            suppressed: suppressed(moment),
        },
        Change::EventCounted {
            owner: owner.clone(),
            name: "Signed Up".into(),
            at: moment,
        },
    ]);
    match seq % 3 {
        0 => changes.push(Change::Entered {
            owner,
            id,
            instance: Box::new(instance(moment)),
            is_loose: true,
        }),
        1 => changes.push(Change::Decided(Box::new(decision(id.decision(), moment)))),
        _ => changes.push(Change::DeliveryMoved {
            delivery: id.decision().delivery(),
            state: State::Armed { since: moment },
            at: moment,
            consent: None,
            outcome: None,
            waited_us: 0,
        }),
    }
    if seq % 7 == 3 {
        let stays = |change: &Change| !matches!(change, Change::Dequeued(_));
        let all = journey_changes(seq).into_iter();
        changes.extend(all.filter(stays));
    }
    if seq == 3 {
        changes.push(Change::Published {
            journey: "welcome".into(),
            version: VERSION,
            source: "journey: welcome\n".into(),
        });
    }
    changes
}

/// Everything a store can be asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dump {
    pub(crate) head: Head,
    pub(crate) rows: Vec<(Key, Row)>,
    pub(crate) history: Vec<Entry>,
}

pub(crate) fn dump(store: &mut dyn Store) -> Dump {
    let mut rows = Vec::new();
    for kind in RowKind::ALL {
        store
            .scan(kind, &mut |key, row| rows.push((key.clone(), row.clone())))
            .unwrap();
    }
    let mut history = Vec::new();
    store
        .history(1, &mut |entry| history.push(entry.clone()))
        .unwrap();
    Dump {
        head: store.head().clone(),
        rows,
        history,
    }
}

/// The last entry into some journey.
pub(crate) fn guard(second: i64) -> Row {
    Row::Guard(Guard {
        entered: at(second),
        instance: InstanceId::from_bytes([7; 16]),
    })
}
