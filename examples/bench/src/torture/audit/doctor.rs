//! Would the audit see it? The evidence is doctored, one lie for each rule, and each must be found.

use super::{Offence, Rule, audit};
use crate::torture::evidence::{Answer, Evidence, Expected};

/// Doctors the evidence in every way it allows; the lies that were told, and those that the audit
/// did not see.
pub(in crate::torture) fn doctor(mut evidence: Evidence) -> (Vec<Rule>, Vec<Rule>) {
    evidence.noticed.clear();
    let mut told = Vec::new();
    for (rule, lie) in LIES {
        if lie(&mut evidence).is_some() {
            told.push(rule);
        }
    }
    let found: Vec<Rule> = audit(&evidence)
        .iter()
        .map(|it: &Offence| it.rule)
        .collect();
    let missed = told.iter().filter(|rule| !found.contains(rule));
    let missed = missed.copied().collect();
    (told, missed)
}

type Lie = fn(&mut Evidence) -> Option<()>;

/// One lie for each rule. None covers another: each takes evidence of its own.
const LIES: [(Rule, Lie); 9] = [
    (Rule::NothingLost, lose),
    (Rule::NothingDoubled, double),
    (Rule::NothingStray, invent),
    (Rule::RightOutcome, confuse),
    (Rule::CopiesAllowed, send_again),
    (Rule::SameRequest, change_body),
    (Rule::StateTrue, embellish),
    (Rule::SumsAgree, forget),
    (Rule::OrderKept, disorder),
];

/// The decision of an acknowledged event is gone, with its delivery.
fn lose(evidence: &mut Evidence) -> Option<()> {
    let id = evidence.decisions.keys().next()?.clone();
    evidence.decisions.remove(&id)?;
    evidence.deliveries.remove(&id);
    evidence.requests.retain(|request| request.id != id);
    Some(())
}

/// An event has a second decision, with a delivery of its own.
fn double(evidence: &mut Evidence) -> Option<()> {
    let delivery = evidence.deliveries.values().next()?.clone();
    let id = evidence.deliveries.keys().next()?;
    let decision = evidence.decisions.get(id)?.clone();
    evidence.decisions.insert("whd_double".to_owned(), decision);
    evidence
        .deliveries
        .insert("whd_double".to_owned(), delivery);
    Some(())
}

/// A decision follows from an event nobody sent.
fn invent(evidence: &mut Evidence) -> Option<()> {
    let mut decision = evidence.decisions.values().next()?.clone();
    decision.event = Some(u64::MAX);
    evidence.decisions.insert("whd_stray".to_owned(), decision);
    Some(())
}

/// A person who had withdrawn consent was decided upon as if not.
fn confuse(evidence: &mut Evidence) -> Option<()> {
    let mut acknowledged = evidence.acknowledged.values_mut().rev();
    let webhook = acknowledged.find(|it| it.expected == Expected::Webhook)?;
    webhook.expected = Expected::Suppressed;
    Some(())
}

/// What was taken came a second time, at most once.
fn send_again(evidence: &mut Evidence) -> Option<()> {
    let taken = |answer: Answer| answer.status() == Some(204);
    let mut requests = evidence.requests.iter();
    let request = requests.find(|it| it.kind.is_at_most_once() && taken(it.answer))?;
    let again = request.clone();
    evidence.requests.push(again);
    Some(())
}

/// A second request has another body.
fn change_body(evidence: &mut Evidence) -> Option<()> {
    let mut requests = evidence.requests.iter();
    let request = requests.find(|it| !it.kind.is_at_most_once() && it.body.is_some())?;
    let mut again = request.clone();
    again.body = again.body.map(|body| !body);
    evidence.requests.push(again);
    Some(())
}

/// What nobody can know is shown as delivered.
fn embellish(evidence: &mut Evidence) -> Option<()> {
    let mut deliveries = evidence.deliveries.values_mut();
    let unknown = deliveries.find(|it| it.kind.is_at_most_once() && it.state == "unknown")?;
    "delivered".clone_into(&mut unknown.state);
    unknown.status = Some(299);
    Some(())
}

/// What came first was decided last.
fn disorder(evidence: &mut Evidence) -> Option<()> {
    let mut requests = evidence.requests.iter();
    let first = requests.find(|it| it.line.starts_with("PUT "))?;
    let (target, _) = first.line.split_once('?')?;
    let mut later = requests.filter(|it| it.line.split_once('?').is_some_and(|it| it.0 == target));
    let after = later.rfind(|it| it.id != first.id && it.at_ms > first.at_ms + 1_000)?;
    let first = evidence.deliveries.get_mut(&first.id)?;
    first.decided_us = i64::MAX;
    let after = evidence.deliveries.get_mut(&after.id)?;
    after.decided_us = i64::MAX - 1;
    Some(())
}

/// A webhook decision has no delivery.
fn forget(evidence: &mut Evidence) -> Option<()> {
    let id = evidence.deliveries.keys().next_back()?.clone();
    evidence.deliveries.remove(&id)?;
    Some(())
}
