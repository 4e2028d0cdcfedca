//! One of each form that is stored of somebody who is erased, every field set.

use std::sync::Arc;

use wayfare_event::{DecisionId, IdentifierHash, InstanceId, ProfileId, Timestamp};
use wayfare_executor::record::{EraseMode, Erased, Erasing, Erasure};
use wayfare_executor::{Action, Change, Erase, ErasureChange, Operator};
use wayfare_identity::LinkChange;

use super::{at, person};
use crate::LoggedInput;

/// An identifier of somebody erased.
const HASH: IdentifierHash = IdentifierHash::from_bytes([11; 16]);

/// What is kept of it.
pub(super) const ERASED: Erased = Erased {
    at: Timestamp::from_micros(7_000_000),
    epoch: 2,
    seq: 5,
    suppressed: true,
    complete: Some(Timestamp::from_micros(8_000_000)),
};

pub(super) fn erasing() -> Erasing {
    Erasing {
        mode: EraseMode::Both,
        at: at(3),
        by: "ops".into(),
        reason: "she asked for it".into(),
        through: Some(InstanceId::from_bytes([9; 16])),
    }
}

/// What is said of somebody who is erased.
pub(super) fn changes() -> Vec<Change> {
    vec![
        Change::Erasure(ErasureChange::Marked {
            hash: HASH,
            erased: Some(ERASED),
        }),
        Change::Erasure(ErasureChange::Begun {
            owner: person(1),
            erasing: Some(Arc::new(erasing())),
        }),
        Change::Erasure(ErasureChange::Forgotten {
            identifier: person(1),
            hash: HASH,
            entries: vec![("welcome".into(), "cart-9".into())],
            others: vec![person(2)],
        }),
        Change::Erasure(ErasureChange::EntryForgotten {
            owner: person(1),
            journey: "welcome".into(),
            key: "cart-9".into(),
        }),
        Change::Erasure(ErasureChange::Reduced(DecisionId::from_bytes([5; 16]))),
        Change::Erasure(ErasureChange::Complete {
            hashes: vec![HASH],
            at: at(3),
        }),
        Change::Linked(LinkChange::Anew {
            identifier: person(1),
            epoch: 2,
        }),
    ]
}

/// What a sweep looks for.
pub(super) fn looked_for() -> Erasure {
    Erasure {
        hashes: vec![HASH],
        profiles: vec![ProfileId::from_bytes([3; 16])],
        seq: 7,
        at: at(3),
        mode: EraseMode::Both,
        is_reduced: false,
    }
}

/// What is ordered about somebody.
pub(super) fn inputs() -> [LoggedInput; 3] {
    [
        LoggedInput::Operator(Operator {
            by: "ops".into(),
            reason: "she asked for it".into(),
            action: Action::Erase(Erase {
                identifier: person(1),
                mode: EraseMode::Both,
                through: Some("goodbye".into()),
            }),
        }),
        LoggedInput::Operator(Operator {
            by: "ops".into(),
            reason: "she is back".into(),
            action: Action::Readmit(person(1)),
        }),
        LoggedInput::Operator(Operator {
            by: "ops".into(),
            reason: "by hand".into(),
            action: Action::Enter {
                journey: "welcome".into(),
                identifier: person(1),
            },
        }),
    ]
}
