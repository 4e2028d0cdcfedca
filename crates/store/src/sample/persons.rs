//! One of each link that is stored, and of each order about persons.

use wayfare_event::{Identifier, Timestamp};
use wayfare_executor::{Action, Change, Operator};
use wayfare_identity::{Edge, EdgeKind, LinkChange, Node};

use super::{at, person};
use crate::LoggedInput;

pub(super) fn node() -> Node {
    let mut node = Node::new(person(1));
    node.join(Edge {
        other: Identifier::new("email", "a@b.example"),
        kind: EdgeKind::Claim,
        since: at(0),
        latest: at(1),
    });
    for kind in [
        EdgeKind::Alias,
        EdgeKind::Unverified,
        EdgeKind::UnverifiedAlias,
        EdgeKind::Same,
        EdgeKind::Took,
        EdgeKind::Soft,
    ] {
        let other = Identifier::new("user_id", "u9");
        let (since, latest) = (at(3), at(4));
        node.join(Edge {
            other: other.clone(),
            kind,
            since,
            latest,
        });
        node.join(Edge {
            other,
            kind: EdgeKind::Detached,
            since: at(1),
            latest: at(2),
        });
    }
    node
}

/// One of each change of links.
pub(super) fn links(owner: &Identifier, at: Timestamp) -> [Change; 5] {
    let kiosk = Identifier::new("device_id", "kiosk");
    let changes = [
        LinkChange::Seen(owner.clone()),
        LinkChange::SeenAt {
            identifier: owner.clone(),
            at,
        },
        LinkChange::Blocked {
            identifier: kiosk.clone(),
            at,
        },
        LinkChange::Unblocked(kiosk),
        LinkChange::Linked {
            ends: [owner.clone(), Identifier::new("email", "a@b.example")],
            kind: EdgeKind::Claim,
            at,
        },
    ];
    changes.map(Change::Linked)
}

pub(super) fn who_is_who() -> [LoggedInput; 3] {
    let merge = Action::Merge {
        from: person(1),
        into: person(2),
    };
    let detach = Action::Detach {
        identifier: Identifier::new("email", "a@b.example"),
        from: person(2),
    };
    [merge, detach, Action::Unblock(person(3))].map(|action| {
        LoggedInput::Operator(Operator {
            by: "ops".into(),
            reason: "one person".into(),
            action,
        })
    })
}
