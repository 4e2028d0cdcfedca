//! What may come over the wire, and what may be said of it? Held against the receiver's record.

use std::collections::BTreeMap;

use super::{Offence, Rule};
use crate::torture::evidence::{Answer, Delivery, Evidence, Request};

/// How long after a withdrawal was acknowledged a request that was released before may come: it is
/// dialled within two seconds, and the machine is busy.
const IN_FLIGHT_MS: u64 = 4_000;

/// How much later a busy receiver may note a request than it came.
const NOTED_MS: u64 = 250;

/// The requests under each id, in the order in which they came.
fn by_id(evidence: &Evidence) -> BTreeMap<&str, Vec<&Request>> {
    let mut by_id: BTreeMap<&str, Vec<&Request>> = BTreeMap::new();
    for request in &evidence.requests {
        by_id.entry(&request.id).or_default().push(request);
    }
    by_id
}

pub(super) fn audit(evidence: &Evidence, offences: &mut Vec<Offence>) {
    let mut seen = by_id(evidence);
    disordered(evidence, &seen, offences);
    for (id, delivery) in &evidence.deliveries {
        let requests = seen.remove(id.as_str()).unwrap_or_default();
        let mut complain = |rule: Rule, why: &str| {
            let words = format!("{id}: {why}; {}", told(delivery, &requests));
            offences.push(Offence::new(rule, words));
        };
        if let Some(why) = copied(&requests) {
            complain(Rule::CopiesAllowed, why);
        }
        if let Some(why) = different(id, delivery, &requests) {
            complain(Rule::SameRequest, why);
        }
        if let Some(why) = untrue(delivery, &requests) {
            complain(Rule::StateTrue, why);
        }
    }
    for (id, requests) in seen {
        let lines: Vec<&str> = requests.iter().map(|it| it.line.as_str()).collect();
        let words = format!("`{id}` came and is no delivery: {lines:?}");
        offences.push(Offence::new(Rule::SameRequest, words));
    }
    withdrawn(evidence, offences);
}

/// A delivery and what came of it, in words.
fn told(delivery: &Delivery, requests: &[&Request]) -> String {
    let seen: Vec<String> = requests
        .iter()
        .map(|it| format!("{} ms {} {:?}", it.at_ms, it.line, it.answer))
        .collect();
    let Delivery {
        state,
        reason,
        status,
        attempts,
        ..
    } = delivery;
    format!(
        "{} event {}, `{state}` `{reason}` {status:?} after {attempts} attempts, seen: {seen:?}",
        delivery.kind.journey(),
        delivery.event
    )
}

/// Why there are more requests than there may be.
fn copied(requests: &[&Request]) -> Option<&'static str> {
    for pair in requests.windows(2) {
        let [before, after] = pair else { continue };
        if let Answer::Status { status, .. } = before.answer
            && is_success(after, status)
        {
            // At least once, an answer can get lost in a kill: that is what the id is for.
            if after.kind.is_at_most_once() {
                return Some("it came again although it was taken");
            }
        }
        if !after.kind.is_at_most_once() {
            continue;
        }
        if !before.answer.is_refusal() {
            return Some("it came again although nobody knows that it was not taken");
        }
        if let Answer::Status { at_ms, .. } = before.answer
            && at_ms > after.at_ms
        {
            return Some("it came again before it was refused");
        }
    }
    None
}

/// Whether a status means that a request was taken.
fn is_success(request: &Request, status: u16) -> bool {
    let is_delete = request.line.starts_with("DELETE ");
    matches!(status, 200..=299) || (is_delete && matches!(status, 404 | 410))
}

/// How a request differs from what is owed, or from another one of the same delivery.
fn different(id: &str, delivery: &Delivery, requests: &[&Request]) -> Option<&'static str> {
    let mut body = None;
    for request in requests {
        if request.kind != delivery.kind || request.line != delivery.line {
            return Some("it went somewhere else");
        }
        if request.key.trim_matches('"') != id {
            return Some("its Idempotency-Key is not its id");
        }
        if request.body.is_some() {
            if body.is_some() && body != request.body {
                return Some("its body changed");
            }
            body = request.body;
        }
    }
    None
}

/// Why a delivery's state is not true.
fn untrue(delivery: &Delivery, requests: &[&Request]) -> Option<&'static str> {
    let last = requests.last().map_or(Answer::Nothing, |it| it.answer);
    let statuses = || requests.iter().filter_map(|it| it.answer.status());
    let was_taken = requests.iter().any(|it| {
        let status = it.answer.status();
        status.is_some_and(|status| is_success(it, status))
    });
    let seen = u64::try_from(requests.len()).unwrap_or(u64::MAX);
    if delivery.attempts < seen {
        return Some("it came more often than it was attempted");
    }
    let once = delivery.kind.is_at_most_once();
    let all_refused = requests.iter().all(|it| it.answer.is_refusal());
    match delivery.state.as_str() {
        "delivered" => {
            let told = delivery.status.unwrap_or(0);
            let was_told = statuses().any(|status| status == told);
            (!was_taken || !was_told).then_some("the receiver never answered so")
        }
        "rejected" => {
            let is_so = last.status().is_some() && last.status() == delivery.status;
            (!is_so).then_some("the receiver answered else")
        }
        "unknown" => {
            let heard = matches!(delivery.reason.as_str(), "connection" | "garbage");
            // What came last may not be what was attempted last.
            let is_last = delivery.attempts == seen;
            (once && heard && is_last && last.status().is_some()).then_some("it was answered")
        }
        "expired" | "withheld" if once && !all_refused => {
            Some("it was on the wire, and is not shown as unknown")
        }
        "expired" | "withheld" => None,
        _ => Some("it is not final"),
    }
}

/// Requests for one target that came out of the order of their decisions. Decisions of one instant
/// have an order that cannot be seen from outside.
fn disordered(
    evidence: &Evidence,
    seen: &BTreeMap<&str, Vec<&Request>>,
    offences: &mut Vec<Offence>,
) {
    let mut targets: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for (id, delivery) in &evidence.deliveries {
        if !delivery.line.starts_with("POST ") {
            let target = delivery.line.split('?').next().unwrap_or_default();
            let held = targets.entry(target).or_default();
            held.push((delivery.decided_us, id));
        }
    }
    for (target, mut deliveries) in targets {
        deliveries.sort_unstable();
        for pair in deliveries.windows(2) {
            let [(decided, before), (later, after)] = pair else {
                continue;
            };
            let at_ms = |id: &str| seen.get(id).map_or(&[][..], Vec::as_slice).iter();
            let last = at_ms(before).map(|it| it.at_ms).max();
            let first = at_ms(after).map(|it| it.at_ms).min();
            if let (Some(last), Some(first)) = (last, first)
                && decided < later
                && last > first.saturating_add(NOTED_MS)
            {
                let words = format!(
                    "{target}: {after} came at {first} ms, {before}, decided before it, at {last} ms"
                );
                offences.push(Offence::new(Rule::OrderKept, words));
            }
        }
    }
}

/// Requests that came although consent was withdrawn long before.
fn withdrawn(evidence: &Evidence, offences: &mut Vec<Offence>) {
    let mut by_person: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for span in &evidence.withdrawn {
        let spans = by_person.entry(&span.person).or_default();
        spans.push((span.from_ms.saturating_add(IN_FLIGHT_MS), span.until_ms));
    }
    for request in &evidence.requests {
        let delivery = evidence.deliveries.get(&request.id);
        let event = delivery.and_then(|it| evidence.acknowledged.get(&it.event));
        let spans = event.and_then(|event| by_person.get(event.person.as_str()));
        let at_ms = request.at_ms;
        let after = spans.and_then(|spans| {
            let mut after = spans.iter();
            after.find(|(from, until)| (*from..*until).contains(&at_ms))
        });
        if let (Some((from, _)), Some(event)) = (after, event) {
            let (id, person) = (&request.id, &event.person);
            let words = format!("{id} came at {at_ms} ms, {person} had withdrawn by {from} ms");
            offences.push(Offence::new(Rule::ConsentKept, words));
        }
    }
}

/// What the copies on the wire come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::torture) struct Copies {
    /// At most once: requests beyond the first of a delivery, each after a refusal.
    pub(in crate::torture) once: u64,
    /// At least once: requests beyond the first of a delivery, after anything but a refusal.
    pub(in crate::torture) at_least_once: u64,
    /// Deliveries shown as `unknown` of which nothing ever came.
    pub(in crate::torture) unknown_unseen: u64,
    /// Deliveries shown as `expired` or `withheld` although an attempt may have been taken.
    pub(in crate::torture) given_up_unsure: u64,
}

/// Counts the copies.
pub(in crate::torture) fn copies(evidence: &Evidence) -> Copies {
    let seen = by_id(evidence);
    let mut copies = Copies::default();
    for (id, delivery) in &evidence.deliveries {
        let requests = seen.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        let state = delivery.state.as_str();
        if state == "unknown" && requests.is_empty() {
            copies.unknown_unseen += 1;
        }
        let unsure = requests.iter().any(|it| !it.answer.is_refusal());
        if unsure && matches!(state, "expired" | "withheld") {
            copies.given_up_unsure += 1;
        }
        for pair in requests.windows(2) {
            let [before, _] = pair else { continue };
            if delivery.kind.is_at_most_once() {
                copies.once += 1;
            } else if !before.answer.is_refusal() {
                copies.at_least_once += 1;
            }
        }
    }
    copies
}
