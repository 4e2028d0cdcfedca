//! Which deliveries may leave, and when? Those that wait for their time, those that wait for their
//! turn at a target, and those somebody has taken up.
//!
//! Where requests for one target leave in the order of their decisions, the next one waits until the
//! one before is final. The order is that of the deliveries that are open, so it needs no record of
//! its own and is the same after a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use wayfare_event::{DeliveryId, TargetId, Timestamp};
use wayfare_executor::record::{Delivery, Turn};

/// The deliveries that are not final.
#[derive(Debug, Default)]
pub(super) struct Due {
    open: BTreeMap<DeliveryId, Open>,
    /// Those whose turn it is and that nobody has taken up, by time.
    waiting: BTreeSet<(Timestamp, DeliveryId)>,
    /// Those that act on one target.
    targets: BTreeMap<TargetId, Target>,
    /// Those that a pause holds.
    held: BTreeSet<DeliveryId>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// When it may leave, or might have.
    due: Timestamp,
    /// Since when it waits for us, where that is before we were there to send it.
    since: Option<Timestamp>,
    place: Option<(TargetId, Turn)>,
}

/// What is to leave for one target.
#[derive(Debug, Default)]
struct Target {
    /// In the order of their decisions.
    queue: BTreeMap<Turn, DeliveryId>,
    /// The one somebody has taken up: it is on the wire, or about to be.
    taken: Option<DeliveryId>,
    /// The one that waits for its time.
    next: Option<DeliveryId>,
}

impl Due {
    /// A delivery may leave at `due`.
    pub(super) fn plan(&mut self, delivery: &Delivery, due: Timestamp) {
        self.close(delivery.id);
        let place = delivery.terms.target.map(|target| (target, delivery.turn));
        let open = Open {
            due,
            since: None,
            place,
        };
        self.open.insert(delivery.id, open);
        match place {
            None => {
                self.waiting.insert((due, delivery.id));
            }
            Some((target, turn)) => {
                let held = self.targets.entry(target).or_default();
                held.queue.insert(turn, delivery.id);
                self.promote(target);
            }
        }
    }

    /// A delivery is final.
    pub(super) fn close(&mut self, id: DeliveryId) {
        let Some(open) = self.open.remove(&id) else {
            return;
        };
        self.held.remove(&id);
        self.waiting.remove(&(open.due, id));
        if let Some((target, turn)) = open.place
            && let Some(held) = self.targets.get_mut(&target)
        {
            held.queue.remove(&turn);
            held.taken = held.taken.filter(|taken| *taken != id);
            held.next = held.next.filter(|next| *next != id);
            if held.queue.is_empty() {
                self.targets.remove(&target);
            } else {
                self.promote(target);
            }
        }
    }

    /// A delivery is on the wire, or was when the engine stopped.
    pub(super) fn arm(&mut self, delivery: &Delivery, since: Timestamp) {
        if !self.open.contains_key(&delivery.id) {
            self.plan(delivery, since);
        }
        self.take_up(delivery.id);
    }

    /// A delivery that was taken up is held by a pause.
    pub(super) fn hold(&mut self, id: DeliveryId) {
        self.take_up(id);
        self.held.insert(id);
    }

    /// Those that a pause holds.
    pub(super) fn held(&self) -> Vec<DeliveryId> {
        self.held.iter().copied().collect()
    }

    /// A pause that began at `paused` does not hold a delivery any more.
    pub(super) fn let_go(&mut self, id: DeliveryId, paused: Timestamp) {
        if !self.held.remove(&id) {
            return;
        }
        let Some(open) = self.open.get_mut(&id) else {
            return;
        };
        open.since = Some(open.since.map_or(paused, |since| since.min(paused)));
        match open.place {
            None => {
                self.waiting.insert((open.due, id));
            }
            Some((target, _)) => {
                if let Some(held) = self.targets.get_mut(&target) {
                    held.taken = None;
                }
                self.promote(target);
            }
        }
    }

    /// The first that are not final behind one, by id, at most `limit`.
    pub(super) fn behind(&self, after: Option<DeliveryId>, limit: usize) -> Vec<DeliveryId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.open.range((from, Bound::Unbounded));
        behind.map(|(id, _)| *id).take(limit).collect()
    }

    /// When a delivery may leave, or might have.
    pub(super) fn of(&self, id: DeliveryId) -> Option<Timestamp> {
        self.open.get(&id).map(|open| open.due)
    }

    /// How long a delivery has waited for us at `at`, in microseconds, where we were there from
    /// `awake` on: until then nobody could send it, unless it was held before.
    pub(super) fn waited_us(&self, id: DeliveryId, (awake, at): (Timestamp, Timestamp)) -> i64 {
        self.open.get(&id).map_or(0, |open| {
            let since = open.since.map_or(awake, |since| since.min(awake));
            at.micros_since(open.due.max(since)).max(0)
        })
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Takes up what may leave by `until`.
    pub(super) fn take(&mut self, until: Timestamp) -> Vec<DeliveryId> {
        let mut taken = Vec::new();
        while let Some((due, id)) = self.waiting.first().copied() {
            if due > until {
                break;
            }
            self.take_up(id);
            taken.push(id);
        }
        taken
    }

    /// How many go on by themselves: neither held by a pause nor behind one that is.
    pub(super) fn going(&self) -> usize {
        let stuck = self.held.iter().map(|id| {
            let place = self.open.get(id).and_then(|open| open.place);
            let target = place.and_then(|(target, _)| self.targets.get(&target));
            target.map_or(1, |target| target.queue.len())
        });
        self.open.len().saturating_sub(stuck.sum())
    }

    /// How many are not final.
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    fn take_up(&mut self, id: DeliveryId) {
        let Some(open) = self.open.get(&id) else {
            return;
        };
        self.waiting.remove(&(open.due, id));
        let target = open.place.and_then(|(it, _)| self.targets.get_mut(&it));
        if let Some(target) = target {
            target.taken = Some(id);
            target.next = target.next.filter(|next| *next != id);
        }
    }

    /// Lets the first for a target have its turn, unless another one has it.
    fn promote(&mut self, target: TargetId) {
        let Some(target) = self.targets.get_mut(&target) else {
            return;
        };
        let due = |id: &DeliveryId| self.open.get(id).map(|open| (open.due, *id));
        if let Some(waiting) = target.next.take().as_ref().and_then(due) {
            self.waiting.remove(&waiting);
        }
        if target.taken.is_none() {
            target.next = target.queue.first_key_value().map(|(_, id)| *id);
            self.waiting.extend(target.next.as_ref().and_then(due));
        }
    }
}

#[cfg(test)]
mod tests {
    use wayfare_event::{Identifier, ProfileId};
    use wayfare_executor::delivery::State;
    use wayfare_executor::record::{ConsentAsked, Request, Terms};
    use wayfare_journey::definition::{Basis, DeliveryMode, Method};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn delivery(nth: u8, target: Option<&str>) -> Delivery {
        let now = at(i64::from(nth));
        Delivery {
            id: DeliveryId::from_bytes([nth; 16]),
            journey: "j".into(),
            block: "b".into(),
            profile: ProfileId::from_bytes([0; 16]),
            owner: Identifier::new("user_id", "u"),
            asked: ConsentAsked::Basis {
                basis: Basis::Contract,
                because: "it is a test".into(),
                address: None,
            },
            request: Request {
                method: Method::Put,
                base: None,
                url: String::from("https://a.example/x"),
                headers: Vec::new(),
                auth: None,
                sign: Vec::new(),
                body: None,
            },
            terms: Terms {
                mode: DeliveryMode::AtMostOnce,
                timeout_us: 1,
                window_us: 1,
                target: target.map(|path| TargetId::derive("https://a.example", path, None)),
                is_varied: true,
            },
            decided: now,
            turn: Turn {
                seq: u64::from(nth),
                place: 0,
            },
            state: State::Planned { due: now },
            attempts: 0,
            owed: now,
            earlier: 0,
            first_attempt: None,
            waited_us: 0,
            last: None,
            in_doubt: false,
            orders: Vec::new(),
            hops: 0,
        }
    }

    fn due_of(deliveries: &[&Delivery]) -> Due {
        let mut due = Due::default();
        for delivery in deliveries {
            due.plan(delivery, delivery.decided);
        }
        due
    }

    #[test]
    fn the_next_for_a_target_leaves_when_the_one_before_is_final() {
        let (one, two, other) = (
            delivery(1, Some("/x")),
            delivery(2, Some("/x")),
            delivery(3, Some("/y")),
        );
        // Whatever order they are found in after a restart.
        let mut due = due_of(&[&two, &other, &one]);
        assert_eq!(due.take(at(9)), [one.id, other.id]);
        // Its repeat comes before what was decided later.
        due.plan(&one, at(30));
        assert_eq!(due.take(at(9)), []);
        assert_eq!(due.take(at(30)), [one.id]);
        due.close(one.id);
        assert_eq!(due.take(at(30)), [two.id]);
        due.close(two.id);
        due.close(other.id);
        assert_eq!((due.open(), due.next(), due.targets.len()), (0, None, 0));
    }

    #[test]
    fn what_is_ordered_again_waits_for_what_is_on_the_wire_and_then_comes_first() {
        let (one, two, three) = (
            delivery(1, Some("/x")),
            delivery(2, Some("/x")),
            delivery(3, Some("/x")),
        );
        let mut due = due_of(&[&two, &three]);
        assert_eq!(due.take(at(9)), [two.id]);
        due.plan(&one, at(9));
        assert_eq!(due.take(at(9)), []);
        due.close(two.id);
        assert_eq!(due.take(at(9)), [one.id]);
        due.close(one.id);
        assert_eq!(due.take(at(9)), [three.id]);
    }

    #[test]
    fn what_a_pause_holds_does_not_go_on_and_neither_does_what_is_behind_it() {
        let (one, two, free) = (
            delivery(1, Some("/x")),
            delivery(2, Some("/x")),
            delivery(3, None),
        );
        let mut due = due_of(&[&one, &two, &free]);
        assert_eq!(due.take(at(9)), [one.id, free.id]);
        due.hold(one.id);
        assert_eq!((due.open(), due.going(), due.next()), (3, 1, None));
        due.hold(free.id);
        assert_eq!(due.going(), 0);
        due.let_go(one.id, at(5));
        due.let_go(free.id, at(5));
        assert_eq!((due.going(), due.take(at(9))), (3, vec![one.id, free.id]));
    }

    #[test]
    fn a_wait_for_us_is_counted_from_when_we_were_there() {
        let one = delivery(1, None);
        let mut due = due_of(&[&one]);
        let waited = |due: &Due, awake| due.waited_us(one.id, (at(awake), at(100))) / 1_000_000;
        // It was due before we came, and while we were there.
        assert_eq!((waited(&due, 40), waited(&due, 0)), (60, 99));
        // A pause counts from its beginning, or from when the delivery was due.
        due.take(at(9)).first().copied().unwrap();
        due.hold(one.id);
        due.let_go(one.id, at(10));
        assert_eq!(waited(&due, 40), 90);
        assert_eq!(
            due.waited_us(DeliveryId::from_bytes([9; 16]), (at(0), at(9))),
            0
        );
    }
}
