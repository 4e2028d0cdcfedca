//! What does a change do to rows? One total function, the same live, in recovery and in audits.

mod remember;
mod traits;

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_event::{DeliveryId, Identifier, InstanceId, Timestamp};

use crate::change::{Change, guard};
use crate::delivery::{Outcome, State};
use crate::record::{
    BlockControl, Control, Decision, Delivery, Guard, Instance, Key, Ordered, Planned, Record,
    Refusal, Row, Seen, Stopped, Told, Window,
};
use crate::snapshot::Snapshot;
use remember::remember;

/// Refusals a record keeps (SP 13).
const REFUSALS_MAX: usize = 16;
/// Orders a delivery keeps; the history has them all.
const ORDERS_MAX: usize = 16;

impl Change {
    /// Makes the change in rows that are loaded. Total: a change about something that is gone
    /// changes nothing.
    pub fn apply(&self, rows: &mut Snapshot) {
        match self {
            Self::MessageSeen { message, at } => {
                rows.put(Key::Message(*message), Some(Row::Message(*at)));
            }
            Self::Linked(change) => rows.link(change),
            Self::Tried { .. } => {}
            Self::TraitSet { .. } | Self::AccountTraitSet { .. } => self.apply_to_traits(rows),
            Self::AccountJoined {
                owner,
                account,
                told,
            } => join(rows.record_mut(owner), account, *told),
            Self::ConsentRecorded { subject, record } => {
                remember(&mut rows.record_mut(subject).consent, record);
            }
            Self::AddressSuppressed { address, .. } | Self::SuppressionLifted { address, .. } => {
                self.apply_to_address(rows.record_mut(address));
            }
            Self::EventCounted { owner, name, at } => count(rows.record_mut(owner), name, *at),
            Self::Entered {
                owner,
                id,
                instance,
                is_loose,
            } => {
                enter(rows, owner, *id, instance);
                if *is_loose {
                    let keys = &mut rows.record_mut(owner).keys;
                    let listed = keys.entry(instance.journey.clone()).or_default();
                    listed.insert(instance.key.clone().unwrap_or_default());
                }
            }
            Self::Rehomed { from, to, id } => rehome(rows, (from, to), *id),
            Self::EntryKept {
                entry, replaces, ..
            } => {
                let keys = self.touches().into_iter();
                keys.for_each(|key| keep(rows, key, *entry, *replaces));
            }
            Self::Parked { owner, id, .. }
            | Self::ArmTaken { owner, id, .. }
            | Self::Migrated { owner, id, .. }
            | Self::Named { owner, id, .. } => {
                walk(rows.record_mut(owner), *id, |it| self.apply_to_instance(it));
            }
            Self::Decided(decision) => decide(rows, decision),
            Self::DeliveryMoved { .. } | Self::DeliveryOrdered { .. } => {
                self.apply_to_delivery(rows);
            }
            Self::Erasure(change) => change.apply(rows),
            Self::Refused { owner, refusal } => refuse(rows.record_mut(owner), refusal),
            Self::DatePlanned {
                owner,
                journey,
                planned,
            } => plan(rows.record_mut(owner), journey, *planned),
            Self::Queued { .. }
            | Self::Dequeued(_)
            | Self::SweepMoved { .. }
            | Self::EntryCounted { .. }
            | Self::JourneyPaused { .. }
            | Self::JourneyResumed { .. }
            | Self::BlockFailing { .. }
            | Self::BlockPaused { .. }
            | Self::BlockResumed { .. }
            | Self::StopOrdered { .. }
            | Self::Published { .. }
            | Self::Withdrawn { .. } => self.apply_to_journey(rows),
        }
    }
}

impl Change {
    /// The changes that move a delivery on.
    fn apply_to_delivery(&self, rows: &mut Snapshot) {
        if let Self::DeliveryMoved {
            delivery,
            state,
            at,
            outcome,
            waited_us,
            ..
        } = self
        {
            deliver(rows, *delivery, |held| {
                moved(held, *state, *at);
                held.last = outcome.or(held.last);
                held.in_doubt |= matches!(outcome, Some(Outcome::Unknown(_)));
                held.waited_us = held.waited_us.saturating_add(*waited_us);
            });
        } else if let Self::DeliveryOrdered { delivery, order } = self {
            deliver(rows, *delivery, |held| ordered(held, order));
        }
    }

    /// Of an address, whether anything goes to it. A complaint takes no place of what refuses more.
    fn apply_to_address(&self, record: &mut Record) {
        let Self::AddressSuppressed { suppressed, .. } = self else {
            record.suppressed = None;
            return;
        };
        let held = record.suppressed.as_ref();
        let refuses_more = held.is_some_and(|held| held.kind.refuses_all());
        if suppressed.kind.refuses_all() || !refuses_more {
            record.suppressed = Some(suppressed.clone());
        }
    }

    /// The changes that move an instance on.
    fn apply_to_instance(&self, instance: &mut Instance) {
        if let Self::Parked { block, at, due, .. } = self {
            park(instance, block, *at, *due);
        } else if let Self::ArmTaken {
            block,
            arm,
            holdout,
            ..
        } = self
        {
            instance.arms.insert(block.clone(), arm.clone());
            instance.holdout |= holdout;
        } else if let Self::Migrated {
            version,
            block,
            renamed,
            ..
        } = self
        {
            instance.version = *version;
            instance.block = block.clone();
            rename(&mut instance.arms, renamed);
            rename(&mut instance.visits, renamed);
        } else if let Self::Named { name, event, .. } = self {
            instance.named.retain(|(other, _)| other != name);
            instance.named.push((name.clone(), event.clone()));
        }
    }

    /// The changes that are about no profile.
    fn apply_to_journey(&self, rows: &mut Snapshot) {
        if let Self::Queued { id, input } = self {
            rows.put(Key::Queued(*id), Some(Row::Queued(input.clone())));
        } else if let Self::Dequeued(id) = self {
            rows.put(Key::Queued(*id), None);
        } else if let Self::SweepMoved { id, sweep } = self {
            rows.put(Key::Sweep(id.clone()), sweep.clone().map(Row::Sweep));
        } else if let Self::EntryCounted {
            journey,
            at,
            per_us,
        } = self
        {
            control(rows, journey, |it| {
                it.window = Some(counted(it.window, *at, *per_us));
            });
        } else if let Self::JourneyPaused { journey, paused } = self {
            control(rows, journey, |it| it.paused = Some(paused.clone()));
        } else if let Self::JourneyResumed { journey, .. } = self {
            control(rows, journey, go_on);
        } else if let Self::BlockFailing {
            journey,
            block,
            failing,
        } = self
        {
            block_control(rows, (journey, block), |it| it.failing = *failing);
        } else if let Self::BlockPaused {
            journey,
            block,
            paused,
        } = self
        {
            block_control(rows, (journey, block), |it| {
                it.paused = Some(paused.clone());
            });
        } else if let Self::BlockResumed { journey, block, .. } = self {
            block_control(rows, (journey, block), |it| {
                *it = BlockControl {
                    stop: it.stop.take().filter(|it| it.what == Stopped::Everything),
                    ..BlockControl::default()
                };
            });
        } else if let Self::StopOrdered { place, stop } = self {
            match &place.block {
                None => control(rows, &place.journey, |it| it.stop = Some(stop.clone())),
                Some(block) => block_control(rows, (&place.journey, block), |it| {
                    it.stop = Some(stop.clone());
                }),
            }
        } else if let Self::Published {
            journey,
            version,
            source,
        } = self
        {
            let key = Key::Version(journey.clone(), *version);
            rows.put(key, Some(Row::Version(source.clone())));
            control(rows, journey, |it| it.in_force = Some(*version));
        } else if let Self::Withdrawn { journey } = self {
            control(rows, journey, |it| it.in_force = None);
        }
    }
}

fn control(rows: &mut Snapshot, journey: &Arc<str>, change: impl FnOnce(&mut Control)) {
    let mut control = rows.control(journey).cloned().unwrap_or_default();
    change(&mut control);
    let row = Row::Control(Arc::new(control));
    rows.put(Key::Control(journey.clone()), Some(row));
}

/// A journey goes on: no order that ended walks is in force any more.
fn go_on(control: &mut Control) {
    control.paused = None;
    control.window = None;
    control.stop = None;
    for block in control.blocks.values_mut() {
        block.stop = None;
    }
    control
        .blocks
        .retain(|_, block| *block != BlockControl::default());
}

/// What holds for a block; nothing is kept where nothing does.
fn block_control(
    rows: &mut Snapshot,
    (journey, block): (&Arc<str>, &Arc<str>),
    change: impl FnOnce(&mut BlockControl),
) {
    control(rows, journey, |control| {
        let held = control.blocks.entry(block.clone()).or_default();
        change(held);
        if *held == BlockControl::default() {
            control.blocks.remove(block);
        }
    });
}

/// A window with one entry more; a new one when the last is over.
fn counted(window: Option<Window>, at: Timestamp, per_us: i64) -> Window {
    let open = window.filter(|window| at.micros_since(window.since) < per_us);
    let window = open.unwrap_or(Window {
        since: at,
        entries: 0,
    });
    Window {
        entries: window.entries.saturating_add(1),
        ..window
    }
}

fn plan(record: &mut Record, journey: &Arc<str>, planned: Option<Planned>) {
    match planned {
        Some(planned) => record.dates.insert(journey.clone(), planned),
        None => record.dates.remove(journey),
    };
}

fn join(record: &mut Record, account: &Arc<str>, told: Told) {
    let latest = record.accounts.entry(account.clone()).or_insert(told);
    *latest = told.max(*latest);
}

fn enter(rows: &mut Snapshot, owner: &Identifier, id: InstanceId, instance: &Instance) {
    let entry = Guard {
        entered: instance.entered,
        instance: id,
    };
    keep(rows, guard(owner, instance), entry, false);
    let instances = &mut rows.record_mut(owner).instances;
    instances.insert(id, Arc::new(instance.clone()));
}

/// Moves an instance that is still walking.
fn rehome(rows: &mut Snapshot, (from, to): (&Identifier, &Identifier), id: InstanceId) {
    if let Some(instance) = rows.record_mut(from).instances.remove(&id) {
        rows.record_mut(to).instances.insert(id, instance);
    }
}

/// Remembers an entry, unless a later one is remembered that it does not replace.
fn keep(rows: &mut Snapshot, key: Key, entry: Guard, replaces: bool) {
    let held = rows.guard(&key);
    if replaces || held.is_none_or(|last| last.entered <= entry.entered) {
        rows.put(key, Some(Row::Guard(entry)));
    }
}

/// Changes an instance that is still walking.
fn walk(record: &mut Record, id: InstanceId, change: impl FnOnce(&mut Instance)) {
    if let Some(instance) = record.instances.get_mut(&id) {
        change(Arc::make_mut(instance));
    }
}

fn park(instance: &mut Instance, block: &Arc<str>, at: Timestamp, due: Option<Timestamp>) {
    instance.block = block.clone();
    instance.arrived = at;
    instance.due = due;
    *instance.visits.entry(block.clone()).or_insert(0) += 1;
}

/// Gives what is kept by block the names that the blocks have now.
fn rename<T>(kept: &mut BTreeMap<Arc<str>, T>, renamed: &BTreeMap<Arc<str>, Arc<str>>) {
    let moved: Vec<_> = renamed
        .iter()
        .filter_map(|(old, new)| Some((new.clone(), kept.remove(old)?)))
        .collect();
    kept.extend(moved);
}

fn count(record: &mut Record, name: &Arc<str>, at: Timestamp) {
    let fresh = Seen {
        count: 0,
        first: at,
        last: at,
    };
    let seen = record.seen.entry(name.clone()).or_insert(fresh);
    seen.count = seen.count.saturating_add(1);
    seen.first = seen.first.min(at);
    seen.last = seen.last.max(at);
}

fn decide(rows: &mut Snapshot, decision: &Decision) {
    let instance = InstanceId::from_bytes(*decision.id.as_bytes());
    rows.record_mut(&decision.owner).instances.remove(&instance);
    let mut ledger = decision.clone();
    let request = ledger.request.take();
    let owed = request.zip(decision.terms).zip(decision.consent.as_ref());
    if let Some(((request, terms), consent)) = owed {
        let id = decision.id.delivery();
        let delivery = Delivery {
            id,
            journey: decision.journey.clone(),
            block: decision.block.clone(),
            profile: decision.profile,
            owner: decision.owner.clone(),
            asked: consent.asked.clone(),
            request,
            terms,
            decided: decision.at,
            turn: decision.turn,
            state: State::Planned { due: decision.at },
            attempts: 0,
            owed: decision.at,
            earlier: 0,
            first_attempt: None,
            waited_us: 0,
            last: None,
            in_doubt: false,
            orders: Vec::new(),
            hops: decision.hops,
        };
        rows.put(Key::Delivery(id), Some(Row::Delivery(Arc::new(delivery))));
    }
    let row = Row::Decision(Arc::new(ledger));
    rows.put(Key::Decision(decision.id), Some(row));
}

/// Changes a delivery.
fn deliver(rows: &mut Snapshot, id: DeliveryId, change: impl FnOnce(&mut Delivery)) {
    let key = Key::Delivery(id);
    let Some(Row::Delivery(held)) = rows.row(&key) else {
        return;
    };
    let mut delivery = (*held).clone();
    change(&mut delivery);
    rows.put(key, Some(Row::Delivery(Arc::new(delivery))));
}

fn moved(delivery: &mut Delivery, state: State, at: Timestamp) {
    if matches!(state, State::Armed { .. }) {
        delivery.attempts = delivery.attempts.saturating_add(1);
        delivery.first_attempt = delivery.first_attempt.or(Some(at));
    }
    delivery.state = state;
}

/// What is ordered again begins anew: its attempts, its window, and its wait for the first.
fn ordered(delivery: &mut Delivery, order: &Ordered) {
    if matches!(order.state, State::Planned { .. }) {
        delivery.owed = order.at;
        delivery.earlier = delivery.attempts;
        delivery.first_attempt = None;
        delivery.waited_us = 0;
    }
    delivery.state = order.state;
    if delivery.orders.len() == ORDERS_MAX {
        delivery.orders.remove(0);
    }
    delivery.orders.push(order.clone());
}

/// Keeps the last refusal of each journey; beyond the most that are kept, the oldest goes.
fn refuse(record: &mut Record, refusal: &Refusal) {
    let refusals = &mut record.refusals;
    refusals.insert(refusal.journey.clone(), refusal.clone());
    if refusals.len() > REFUSALS_MAX {
        let oldest = refusals
            .iter()
            .min_by_key(|(journey, held)| (held.at, (*journey).clone()))
            .map(|(journey, _)| journey.clone());
        if let Some(oldest) = oldest {
            refusals.remove(&oldest);
        }
    }
}
