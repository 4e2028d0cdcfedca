//! One of each form that consent is stored in, every field set.

use wayfare_consent::{RecordKind, SuppressionKind};
use wayfare_event::{ConsentAction, Identifier, IdentifierHash, Timestamp};
use wayfare_executor::Action;
use wayfare_executor::record::Suppressed;

use super::at;
use super::forms::an_order;
use crate::LoggedInput;

pub(super) fn consent() -> wayfare_consent::Record {
    wayfare_consent::Record {
        category: "marketing".into(),
        action: ConsentAction::Accept,
        at: at(0),
        recorded_at: at(1),
        id: "c-1".into(),
        valid_from: Some(at(1)),
        valid_until: Some(at(9)),
        kind: RecordKind::User,
        pending: true,
        unverified: true,
        historical: false,
        undated: true,
        browser: Some(IdentifierHash::from_bytes([12; 16])),
        source: Some("form".into()),
        method: Some("checkbox".into()),
        notice: Some("terms 3".into()),
        regulation: Some("gdpr".into()),
        channel: Some("email".into()),
    }
}

pub(super) fn suppressed(moment: Timestamp) -> Suppressed {
    Suppressed {
        kind: SuppressionKind::Complaint,
        at: moment,
        by: "ops".into(),
        reason: "they said so".into(),
    }
}

pub(super) fn suppressions() -> [LoggedInput; 2] {
    let address = |value| Identifier::new("email", value);
    let suppress = Action::Suppress {
        address: address("a@b.example"),
        kind: SuppressionKind::Bounce,
    };
    [
        an_order("it came back", suppress),
        an_order(
            "it was a mistake",
            Action::Unsuppress(address("b@b.example")),
        ),
    ]
}
