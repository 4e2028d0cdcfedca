//! What should an operator hear of that stops nobody? Values that name nobody, links that pass a cap,
//! aliases that join nobody, identifiers that are blocked: in the log, each kind at most once a
//! minute, with how often it was. Not here: what follows from any of it.

use std::collections::BTreeMap;

use wayfare_event::{IdKey, ProfileId, Timestamp};
use wayfare_executor::{Change, Happened, Snapshot};
use wayfare_identity::{LinkChange, is_void};

/// Microseconds in which a kind of alert is told once (2.1.3).
const PAUSE_US: i64 = 60 * 1_000_000;
/// An alias that is void since its former id is somebody's `userId` (2.1.4).
const PREVIOUS_IS_KNOWN: &str = "prev_is_known_user";

/// When each kind was last told, and how often it was since.
#[derive(Debug, Default)]
pub(super) struct Alerts(BTreeMap<&'static str, (Timestamp, u64)>);

impl Alerts {
    /// How often something happened since it was told last, if it is to be told now.
    fn count(&mut self, kind: &'static str, at: Timestamp) -> Option<u64> {
        let Some((told, since)) = self.0.get_mut(kind) else {
            self.0.insert(kind, (at, 0));
            return Some(1);
        };
        *since += 1;
        if at.micros_since(*told) < PAUSE_US {
            return None;
        }
        let count = std::mem::take(since);
        *told = at;
        Some(count)
    }

    /// An event came in.
    pub(super) fn heard(&mut self, happened: &Happened, at: Timestamp) {
        for field in happened.named.unusable() {
            if let Some(count) = self.count(field, at) {
                let message = happened.event.message_id.as_deref().unwrap_or_default();
                tracing::warn!(
                    field,
                    message,
                    count,
                    "what it holds names nobody: a placeholder, blocked, or no address; the event goes \
                     on without it"
                );
            }
        }
    }

    /// Something changed.
    pub(super) fn changed(
        &mut self,
        key: &IdKey,
        (rows, change): (&Snapshot, &Change),
        at: Timestamp,
    ) {
        let Change::Linked(link) = change else { return };
        if let LinkChange::Refused { limit, .. } = link {
            let limit = limit.as_str();
            if let Some(count) = self.count(limit, at) {
                tracing::warn!(limit, count, "a link is not kept; the event goes on");
            }
        } else if is_void(rows.links(), link) {
            if let Some(count) = self.count(PREVIOUS_IS_KNOWN, at) {
                tracing::warn!(
                    code = PREVIOUS_IS_KNOWN,
                    count,
                    "the `previousId` of an alias is another known user: it joins nobody, \
                     `wayfare merge` does"
                );
            }
        } else if let LinkChange::Blocked { identifier, .. } = link {
            // Not the identifier itself: the log outlives an erasure.
            let namespace = identifier.namespace.as_str();
            let node = rows.links().node(identifier);
            let epoch = node.map_or(1, |node| node.epoch());
            let profile = ProfileId::derive(key, epoch, namespace, &identifier.value);
            tracing::warn!(
                namespace,
                %profile,
                "too many claimed it within a day: it names nobody until `wayfare unblock`"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_told_once_a_minute_with_how_often_it_was() {
        let mut alerts = Alerts::default();
        let mut at = |seconds: i64, kind| {
            let at = Timestamp::from_micros(seconds * 1_000_000);
            alerts.count(kind, at)
        };
        assert_eq!(at(0, "userId"), Some(1));
        assert_eq!(at(1, "userId"), None);
        assert_eq!(at(59, "userId"), None);
        assert_eq!(at(59, "email"), Some(1));
        assert_eq!(at(60, "userId"), Some(3));
        assert_eq!(at(61, "userId"), None);
    }
}
