//! What do the tests of stores keep? A little of everything, made of changes as the engine makes
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_consent::{Reason, RecordKind, Verdict};
use wayfare_event::{
    ConsentAction, DecisionId, DeliveryId, Identifier, InstanceId, MessageHash, ProfileId,
    Timestamp, Value,
};
use wayfare_executor::delivery::{NotSentReason, Outcome, State};
use wayfare_executor::record::{
    Account, Cause, ConsentAsked, Control, Decision, DecisionOutcome, Delivery, DeliveryTold,
    Guard, Instance, Paused, Permission, Person, Planned, QueueId, Queued, Record, Refusal,
    Register, Request, Seen, Sweep, SweepCause, SweepId, Terms, Told, Window,
};
use wayfare_executor::{Action, Change, Key, Operator, RefusalCode, Row, Snapshot, TimerOf};
use wayfare_identity::{Edge, EdgeKind, LinkChange, Node};
use wayfare_journey::Version;
use wayfare_journey::definition::{Auth, Basis, DeliveryMode, Method, Secret};

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
    let mut changes = vec![
        seen(seq, moment),
        Change::Linked(LinkChange::Seen(owner.clone())),
        Change::Linked(LinkChange::Linked {
            ends: [owner.clone(), Identifier::new("email", "a@b.example")],
            kind: EdgeKind::Claim,
            at: moment,
        }),
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
        Change::EventCounted {
            owner: owner.clone(),
            name: "Signed Up".into(),
            at: moment,
        },
    ];
    match seq % 3 {
        0 => changes.push(Change::Entered {
            owner,
            id,
            instance: Box::new(instance(moment)),
        }),
        1 => changes.push(Change::Decided(Box::new(decision(id.decision(), moment)))),
        _ => changes.push(Change::DeliveryMoved {
            delivery: id.decision().delivery(),
            state: State::Armed { since: moment },
            at: moment,
            consent: None,
            outcome: None,
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

fn instance(moment: Timestamp) -> Instance {
    let event = Value::parse(r#"{"properties":{"amount":1.10}}"#).unwrap();
    Instance {
        journey: "welcome".into(),
        version: VERSION,
        block: "wait-a-day".into(),
        entered: moment,
        arrived: moment,
        due: Some(moment.saturating_add_micros(86_400_000_000)),
        key: Some("cart-9".into()),
        profile: ProfileId::from_bytes([3; 16]),
        account: Some("a1".into()),
        triggered: moment,
        trigger: event.as_map().cloned(),
        change: None,
        named: vec![("order".into(), event.as_map().cloned().unwrap())],
        visits: BTreeMap::from([("wait-a-day".into(), 1)]),
        delivery: event.as_map().cloned(),
        arms: BTreeMap::from([("half".into(), "control".into())]),
        holdout: true,
        hops: 2,
    }
}

fn request() -> Request {
    Request {
        method: Method::Post,
        base: Some(Secret::Env("CRM_URL".to_owned())),
        url: "/contacts?plan=pro".to_owned(),
        headers: vec![("x-team".into(), "growth".to_owned())],
        auth: Some(Auth::Basic {
            username: "wayfare".to_owned(),
            password: Secret::File("/run/secrets/crm".to_owned()),
        }),
        body: Some(r#"{"amount":1.10}"#.to_owned()),
    }
}

fn asked() -> ConsentAsked {
    ConsentAsked::Basis {
        basis: Basis::Contract,
        because: "they ordered it".into(),
    }
}

const TERMS: Terms = Terms {
    mode: DeliveryMode::AtLeastOnce,
    timeout_us: 10_000_000,
    window_us: 86_400_000_000,
};

fn permission() -> Permission {
    Permission {
        asked: asked(),
        verdict: Verdict {
            allowed: true,
            reason: Reason::Basis,
            records: vec!["c-1".into()],
        },
    }
}

fn consent() -> wayfare_consent::Record {
    wayfare_consent::Record {
        category: "marketing".into(),
        action: ConsentAction::Accept,
        at: at(0),
        recorded_at: at(1),
        id: "c-1".into(),
        valid_until: Some(at(9)),
        kind: RecordKind::User,
        pending: true,
        historical: false,
        source: Some("form".into()),
        method: Some("checkbox".into()),
        notice: Some("terms 3".into()),
        regulation: Some("gdpr".into()),
        channel: Some("email".into()),
    }
}

fn decision(id: DecisionId, moment: Timestamp) -> Decision {
    Decision {
        id,
        at: moment,
        journey: "welcome".into(),
        version: VERSION,
        block: "send".into(),
        profile: ProfileId::from_bytes([3; 16]),
        owner: person(1),
        key: None,
        outcome: DecisionOutcome::Webhook,
        reason: None,
        consent: Some(permission()),
        request: Some(request()),
        terms: Some(TERMS),
        hops: 2,
    }
}

fn node() -> Node {
    let mut node = Node::new(person(1));
    node.join(Edge {
        other: Identifier::new("email", "a@b.example"),
        kind: EdgeKind::Claim,
        since: at(0),
        latest: at(1),
    });
    node
}

fn delivery() -> Delivery {
    Delivery {
        id: DeliveryId::from_bytes([5; 16]),
        journey: "welcome".into(),
        block: "send".into(),
        profile: ProfileId::from_bytes([3; 16]),
        owner: person(1),
        asked: asked(),
        request: request(),
        terms: TERMS,
        decided: at(1),
        state: State::Planned { due: at(2) },
        attempts: 1,
        first_attempt: Some(at(1)),
        last: Some(Outcome::NotSent(NotSentReason::Dns)),
        hops: 2,
    }
}

const fn planned() -> Planned {
    Planned {
        date: at(8),
        due: Some(at(5)),
    }
}

fn queued() -> Queued {
    Queued {
        owner: person(1),
        hops: 3,
        cause: Cause::Delivery(DeliveryTold {
            id: DeliveryId::from_bytes([5; 16]),
            journey: "welcome".into(),
            block: "send".into(),
            state: "rejected".into(),
            status: Some(410),
            reason: Some("gone".into()),
            at: at(4),
        }),
    }
}

fn sweep() -> Sweep {
    Sweep {
        at: Some(at(6)),
        cursor: Some(person(1)),
        seen: 1_000,
        queued: 12,
    }
}

fn control() -> Control {
    Control {
        in_force: Some(VERSION),
        paused: Some(paused()),
        window: Some(Window {
            since: at(1),
            entries: 7,
        }),
    }
}

fn paused() -> Paused {
    Paused {
        since: at(2),
        by: "ops".into(),
        reason: "a wrong price".into(),
    }
}

/// Changes about no profile, and those of a few.
fn journey_changes(seq: u64) -> Vec<Change> {
    let (owner, id) = (person(1), InstanceId::from_bytes([9; 16]));
    let place = QueueId { seq, place: 0 };
    let sweep_id = SweepId {
        journey: "welcome".into(),
        cause: SweepCause::Schedule,
    };
    vec![
        Change::Queued {
            id: place,
            input: Arc::new(queued()),
        },
        Change::Dequeued(place),
        Change::SweepMoved {
            id: sweep_id,
            sweep: Some(Arc::new(sweep())),
        },
        Change::DatePlanned {
            owner: owner.clone(),
            journey: "trial-ending".into(),
            planned: Some(planned()),
        },
        Change::ArmTaken {
            owner: owner.clone(),
            id,
            block: "half".into(),
            arm: "control".into(),
            holdout: true,
        },
        Change::Migrated {
            owner,
            id,
            version: VERSION,
            block: "wait-two-days".into(),
        },
        Change::JourneyPaused {
            journey: "welcome".into(),
            paused: paused(),
        },
        Change::JourneyResumed {
            journey: "welcome".into(),
            at: at(3),
            by: "ops".into(),
            reason: "the price is right".into(),
        },
        Change::Withdrawn {
            journey: "welcome".into(),
        },
        Change::EntryCounted {
            journey: "welcome".into(),
            at: at(1),
            per_us: 3_600_000_000,
        },
    ]
}

/// One row of each kind, every field set.
pub(crate) fn rows() -> Vec<(&'static str, Row)> {
    let told = Told { at: at(1), seq: 7 };
    let registers: BTreeMap<Arc<str>, _> = BTreeMap::from([(
        "plan".into(),
        Register {
            value: "pro".into(),
            told,
        },
    )]);
    let record = Record {
        traits: registers.clone(),
        accounts: BTreeMap::from([("a1".into(), told)]),
        consent: vec![consent()],
        seen: BTreeMap::from([(
            "Signed Up".into(),
            Seen {
                count: 2,
                first: at(0),
                last: at(1),
            },
        )]),
        instances: BTreeMap::from([(InstanceId::from_bytes([9; 16]), Arc::new(instance(at(1))))]),
        dates: BTreeMap::from([("trial-ending".into(), planned())]),
        refusals: BTreeMap::from([(
            "welcome".into(),
            Refusal {
                journey: "welcome".into(),
                code: RefusalCode::Condition,
                at: at(1),
                message_id: Some("m-1".into()),
                leaf: Some("profile.plan == 'pro'".to_owned()),
                value: Some("free".to_owned()),
            },
        )]),
    };
    vec![
        (
            "person",
            Row::Person(Person {
                node: Arc::new(node()),
                record: Arc::new(record),
            }),
        ),
        (
            "account",
            Row::Account(Arc::new(Account { traits: registers })),
        ),
        ("guard", guard(1)),
        ("message", Row::Message(at(1))),
        (
            "decision",
            Row::Decision(Arc::new(decision(DecisionId::from_bytes([5; 16]), at(1)))),
        ),
        ("delivery", Row::Delivery(Arc::new(delivery()))),
        ("version", Row::Version("journey: welcome\n".into())),
        ("queued", Row::Queued(Arc::new(queued()))),
        ("sweep", Row::Sweep(Arc::new(sweep()))),
        ("control", Row::Control(Arc::new(control()))),
    ]
}

/// Entries with every input and most changes.
pub(crate) fn entries() -> Vec<Entry> {
    let delivery = DeliveryId::from_bytes([5; 16]);
    let inputs = [
        LoggedInput::Event {
            source: "web".into(),
            text: r#"{"type":"track"}"#.into(),
        },
        LoggedInput::Timer {
            of: TimerOf::Instance(InstanceId::from_bytes([9; 16])),
            owner: person(1),
            due: at(3),
        },
        LoggedInput::AttemptReady(delivery),
        LoggedInput::AttemptFinished {
            delivery,
            attempt: 1,
            outcome: Outcome::Answered {
                status: 503,
                retry_after: true,
            },
        },
        LoggedInput::AttemptBarred(delivery),
        LoggedInput::Queued(QueueId { seq: 2, place: 0 }),
        LoggedInput::SweepPage {
            id: SweepId {
                journey: "welcome".into(),
                cause: SweepCause::Schedule,
            },
            keys: vec![person(1)],
            is_last: true,
        },
        LoggedInput::Operator(Operator {
            by: "ops".into(),
            reason: "a wrong price".into(),
            action: Action::Pause("welcome".into()),
        }),
        LoggedInput::Published {
            journey: "welcome".into(),
            version: VERSION,
        },
        LoggedInput::Withdrawn("welcome".into()),
    ];
    (1..)
        .zip(inputs)
        .map(|(seq, input)| Entry {
            seq,
            at: at(3),
            input,
            changes: [changes(seq, at(3)), journey_changes(seq)].concat(),
        })
        .collect()
}

/// Everything a store can be asked for.
#[derive(Debug, PartialEq)]
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
