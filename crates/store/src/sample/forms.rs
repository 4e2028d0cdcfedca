//! One of each form that is stored, every field set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_consent::{Reason, Verdict};
use wayfare_event::{
    DecisionId, DeliveryId, Identifier, InstanceId, ProfileId, TargetId, Timestamp, Value,
};
use wayfare_executor::delivery::{NotSentReason, Outcome, State};
use wayfare_executor::record::{
    Account, BlockControl, Cause, ConsentAsked, Control, Decision, DecisionOutcome, Delivery,
    DeliveryTold, Failing, Instance, Ordered, Paused, Permission, Person, Planned, QueueId, Queued,
    Record, Refusal, Register, Request, Seen, Stop, Stopped, Sweep, SweepCause, SweepId, Terms,
    Told, Turn, Window,
};
use wayfare_executor::{
    Action, Change, Key, Operator, Place, RefusalCode, Row, TimerOf, Tried, Trust,
};
use wayfare_journey::definition::{Auth, Basis, DeliveryMode, Method, Secret};

use super::consent::{consent, suppressed, suppressions};
use super::persons::{node, who_is_who};
use super::{VERSION, at, changes, erasure, guard, person};
use crate::{Entry, LoggedInput};

pub(super) fn instance(moment: Timestamp) -> Instance {
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
        sign: vec![Secret::Env("CRM_SIGNING".to_owned())],
        body: Some(r#"{"amount":1.10}"#.to_owned()),
    }
}

fn asked() -> ConsentAsked {
    ConsentAsked::Basis {
        basis: Basis::Contract,
        because: "they ordered it".into(),
        address: Some(Identifier::new("email", "a@b.example")),
    }
}

const TERMS: Terms = Terms {
    mode: DeliveryMode::AtLeastOnce,
    timeout_us: 10_000_000,
    window_us: 86_400_000_000,
    target: Some(TargetId::from_bytes([6; 16])),
    is_varied: true,
};

const TURN: Turn = Turn { seq: 7, place: 1 };

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

pub(super) fn decision(id: DecisionId, moment: Timestamp) -> Decision {
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
        turn: TURN,
        request_hash: Some(request().hash()),
        hops: 2,
    }
}

pub(super) fn delivery() -> Delivery {
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
        turn: TURN,
        state: State::Planned { due: at(2) },
        attempts: 3,
        owed: at(1),
        earlier: 2,
        first_attempt: Some(at(1)),
        waited_us: 9,
        orders: vec![ordered()],
        last: Some(Outcome::NotSent(NotSentReason::Dns)),
        in_doubt: true,
        hops: 2,
    }
}

pub(super) fn ordered() -> Ordered {
    Ordered {
        at: at(1),
        by: "ops".into(),
        reason: "the receiver is back".into(),
        state: State::Planned { due: at(1) },
    }
}

pub(super) const fn planned() -> Planned {
    Planned {
        date: at(8),
        due: Some(at(5)),
    }
}

pub(super) fn queued() -> Queued {
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

pub(super) fn sweep() -> Sweep {
    Sweep {
        at: Some(at(6)),
        cursor: Some(person(1)),
        delivery: Some(DeliveryId::from_bytes([5; 16])),
        seen: 1_000,
        queued: 12,
        over: Some(VERSION),
        erasure: Some(Arc::new(erasure::looked_for())),
    }
}

pub(super) fn control() -> Control {
    Control {
        in_force: Some(VERSION),
        paused: Some(paused()),
        stop: Some(stop()),
        window: Some(Window {
            since: at(1),
            entries: 7,
        }),
        blocks: BTreeMap::from([(
            "send".into(),
            BlockControl {
                paused: Some(paused()),
                failing: Some(FAILING),
                stop: Some(stop()),
            },
        )]),
    }
}

const FAILING: Failing = Failing {
    since: at(1),
    deliveries: 3,
};

pub(super) fn paused() -> Paused {
    Paused {
        since: at(2),
        by: "ops".into(),
        reason: "a wrong price".into(),
    }
}

pub(super) fn stop() -> Stop {
    Stop {
        at: at(2),
        by: "ops".into(),
        reason: "a wrong price".into(),
        what: Stopped::Overdue,
    }
}

fn send_block() -> Place {
    Place {
        journey: "welcome".into(),
        block: Some("send".into()),
    }
}

fn tried() -> Tried {
    Tried {
        place: send_block(),
        profile: ProfileId::from_bytes([3; 16]),
        id: DeliveryId::from_bytes([6; 16]),
        to: Some("http://127.0.0.1:9000".into()),
    }
}

/// Changes about no profile, and those of a few.
pub(super) fn journey_changes(seq: u64) -> Vec<Change> {
    let (owner, id) = (person(1), InstanceId::from_bytes([9; 16]));
    let place = QueueId { seq, place: 0 };
    let sweep_id = SweepId {
        journey: "welcome".into(),
        cause: SweepCause::Schedule,
    };
    let mut changes = vec![
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
            renamed: BTreeMap::from([("half".into(), "halves".into())]),
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
        Change::SuppressionLifted {
            address: Identifier::new("email", "b@b.example"),
            at: at(3),
            by: "ops".into(),
            reason: "it was a mistake".into(),
        },
        Change::EntryCounted {
            journey: "welcome".into(),
            at: at(1),
            per_us: 3_600_000_000,
        },
    ];
    changes.extend(orders());
    changes.extend(erasure::changes());
    changes
}

/// What is said of a block and of a delivery.
fn orders() -> Vec<Change> {
    vec![
        Change::BlockFailing {
            journey: "welcome".into(),
            block: "send".into(),
            failing: Some(FAILING),
        },
        Change::BlockPaused {
            journey: "welcome".into(),
            block: "send".into(),
            paused: paused(),
        },
        Change::BlockResumed {
            journey: "welcome".into(),
            block: "send".into(),
            at: at(3),
            by: "ops".into(),
            reason: "the receiver is back".into(),
        },
        Change::DeliveryOrdered {
            delivery: DeliveryId::from_bytes([5; 16]),
            order: ordered(),
        },
        Change::StopOrdered {
            place: send_block(),
            stop: stop(),
        },
        Change::Tried {
            tried: tried(),
            at: at(3),
            by: "ops".into(),
            reason: "is it right?".into(),
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
        once: registers.clone(),
        accounts: BTreeMap::from([("a1".into(), told)]),
        consent: vec![consent()],
        suppressed: Some(suppressed(at(1))),
        seen: BTreeMap::from([(
            "Signed Up".into(),
            Seen {
                count: 2,
                first: at(0),
                last: at(1),
            },
        )]),
        instances: BTreeMap::from([(InstanceId::from_bytes([9; 16]), Arc::new(instance(at(1))))]),
        keys: BTreeMap::from([("cart".into(), BTreeSet::from(["s1".into()]))]),
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
        erasing: Some(Arc::new(erasure::erasing())),
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
        ("erased", Row::Erased(erasure::ERASED)),
    ]
}

pub(super) fn an_order(reason: &str, action: Action) -> LoggedInput {
    LoggedInput::Operator(Operator {
        by: "ops".into(),
        reason: reason.into(),
        action,
    })
}

/// Entries with every input and most changes.
pub(crate) fn entries() -> Vec<Entry> {
    let delivery = DeliveryId::from_bytes([5; 16]);
    let [merge, detach, unblock] = who_is_who();
    let [suppress, unsuppress] = suppressions();
    let inputs = [
        LoggedInput::Event {
            source: "web".into(),
            text: r#"{"type":"track"}"#.into(),
            trust: Trust::Unverified,
        },
        LoggedInput::Timer {
            of: TimerOf::Instance(InstanceId::from_bytes([9; 16])),
            owner: person(1),
            due: at(3),
        },
        LoggedInput::AttemptReady {
            delivery,
            waited_us: 5,
        },
        LoggedInput::AttemptFinished {
            delivery,
            attempt: 1,
            outcome: Outcome::Answered {
                status: 503,
                retry_after_s: Some(7),
            },
        },
        LoggedInput::AttemptBarred(delivery),
        LoggedInput::Queued(QueueId { seq: 2, place: 0 }),
        LoggedInput::SweepPage {
            id: SweepId {
                journey: "welcome".into(),
                cause: SweepCause::Schedule,
            },
            deliveries: vec![delivery],
            keys: vec![person(1)],
            entries: vec![Key::Guard {
                owner: person(1),
                journey: "welcome".into(),
                key: "cart-9".into(),
            }],
            is_last: true,
        },
        an_order("a wrong price", Action::Pause(send_block())),
        an_order("is it right?", Action::Try(tried())),
        merge,
        detach,
        unblock,
        suppress,
        unsuppress,
        LoggedInput::Published {
            journey: "welcome".into(),
            version: VERSION,
        },
        LoggedInput::Withdrawn("welcome".into()),
    ];
    (1..)
        .zip(inputs.into_iter().chain(erasure::inputs()))
        .map(|(seq, input)| Entry {
            seq,
            at: at(3),
            input,
            changes: [changes(seq, at(3)), journey_changes(seq)].concat(),
        })
        .collect()
}
