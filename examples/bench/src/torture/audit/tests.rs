//! Does the audit let pass what is allowed, and find what is not?

use super::*;
use crate::torture::evidence::{
    Acknowledged, Answer, Decision, Delivery, Expected, Request, Withdrawn,
};

fn answered(status: u16) -> Answer {
    Answer::Status {
        status,
        retry_after: false,
        at_ms: 20,
    }
}

/// One event of a kind, its decision, and a delivery in a state that these answers led to.
fn one(kind: Kind, state: &str, answers: &[Answer]) -> Evidence {
    let mut evidence = Evidence::default();
    add(&mut evidence, 1, (kind, state, answers));
    evidence
}

fn add(evidence: &mut Evidence, event: u64, (kind, state, answers): (Kind, &str, &[Answer])) {
    let id = format!("whd_{event}");
    let acknowledged = Acknowledged {
        kind,
        person: "ada".to_owned(),
        expected: Expected::Webhook,
        at_ms: 5,
    };
    evidence.acknowledged.insert(event, acknowledged);
    let decision = Decision {
        kind,
        event: Some(event),
        outcome: "webhook".to_owned(),
    };
    evidence.decisions.insert(id.clone(), decision);
    let line = format!("POST /events/{event}");
    let (state, reason) = state.split_once(' ').unwrap_or((state, ""));
    let delivery = Delivery {
        kind,
        event,
        line: line.clone(),
        state: state.to_owned(),
        reason: reason.to_owned(),
        status: answers.last().and_then(|answer| answer.status()),
        attempts: answers.len().try_into().unwrap(),
        decided_us: event.try_into().unwrap(),
    };
    evidence.deliveries.insert(id.clone(), delivery);
    for (number, answer) in (1..).zip(answers) {
        evidence.requests.push(Request {
            id: id.clone(),
            key: format!("\"{id}\""),
            kind,
            line: line.clone(),
            body: Some(7),
            at_ms: 1_000 * number,
            answer: *answer,
        });
    }
}

fn rules(evidence: &Evidence) -> Vec<Rule> {
    let mut rules: Vec<Rule> = audit(evidence).iter().map(|it| it.rule).collect();
    rules.dedup();
    rules
}

#[test]
fn a_delivery_is_judged_by_what_the_receiver_answered() {
    let busy = Answer::Status {
        status: 503,
        retry_after: true,
        at_ms: 20,
    };
    let nothing = Answer::Nothing;
    let (once, again) = (Kind::Lead, Kind::Invoice);
    let check = |kind: Kind, state: &str, answers: &[Answer], expected: &[Rule]| {
        let found = rules(&one(kind, state, answers));
        assert_eq!(found, expected, "{kind:?} {state} {answers:?}");
    };
    // What is allowed.
    check(once, "delivered", &[answered(204)], &[]);
    check(
        once,
        "delivered",
        &[answered(429), busy, answered(204)],
        &[],
    );
    check(once, "unknown timeout", &[nothing], &[]);
    check(once, "unknown crash", &[answered(204)], &[]);
    check(once, "unknown crash", &[], &[]);
    check(once, "expired window", &[answered(429)], &[]);
    check(
        again,
        "delivered",
        &[nothing, answered(500), answered(204)],
        &[],
    );
    check(again, "delivered", &[answered(204), answered(204)], &[]);
    // What is not.
    let copied = [Rule::CopiesAllowed];
    check(once, "delivered", &[nothing, answered(204)], &copied);
    check(once, "delivered", &[answered(204), answered(204)], &copied);
    check(once, "delivered", &[answered(500), answered(204)], &copied);
    check(once, "delivered", &[answered(503), answered(204)], &copied);
    // The second attempt never came.
    let mut unseen = one(once, "unknown connection", &[answered(429)]);
    unseen
        .deliveries
        .values_mut()
        .for_each(|it| it.attempts = 2);
    assert_eq!(rules(&unseen), []);
    let untrue = [Rule::StateTrue];
    check(once, "delivered", &[nothing], &untrue);
    check(once, "delivered", &[answered(500)], &untrue);
    check(once, "rejected", &[nothing, answered(500)], &copied);
    check(once, "withheld consent", &[nothing], &untrue);
    check(once, "expired window", &[answered(204)], &untrue);
    check(once, "unknown garbage", &[answered(204)], &untrue);
    check(again, "delivered", &[nothing], &untrue);
    let open = [Rule::SumsAgree, Rule::StateTrue];
    check(once, "planned", &[busy], &open);
    check(again, "armed", &[], &open);
}

#[test]
fn what_nobody_can_know_is_unknown() {
    for state in ["rejected", "delivered", "expired window", "withheld policy"] {
        let evidence = one(Kind::Lead, state, &[Answer::Nothing]);
        assert!(rules(&evidence).contains(&Rule::StateTrue), "{state}");
    }
}

#[test]
fn a_request_after_a_withdrawal_is_found() {
    let mut evidence = one(Kind::Offer, "delivered", &[answered(429), answered(204)]);
    let mut withdrawn = Withdrawn {
        person: "ada".to_owned(),
        from_ms: 0,
        until_ms: u64::MAX,
    };
    evidence.withdrawn = vec![withdrawn.clone()];
    assert_eq!(rules(&evidence), []);
    evidence.requests[1].at_ms = 60_000;
    assert_eq!(rules(&evidence), [Rule::ConsentKept]);
    withdrawn.until_ms = 50_000;
    evidence.withdrawn = vec![withdrawn];
    assert_eq!(rules(&evidence), []);
}

#[test]
fn a_request_that_differs_is_found() {
    type Change = fn(&mut Request);
    let changes: [Change; 4] = [
        |request| request.line = "POST /elsewhere".to_owned(),
        |request| request.body = Some(8),
        |request| request.key = "\"whd_2\"".to_owned(),
        |request| request.id = "whd_2".to_owned(),
    ];
    for change in changes {
        let answers = [answered(500), answered(204)];
        let mut evidence = one(Kind::Invoice, "delivered", &answers);
        assert_eq!(rules(&evidence), []);
        change(&mut evidence.requests[1]);
        let rules = rules(&evidence);
        assert!(rules.contains(&Rule::SameRequest), "{rules:?}");
    }
}

#[test]
fn a_target_that_is_told_out_of_order_is_found() {
    let mut evidence = Evidence::default();
    for (event, came_ms) in [(1, 1_000), (2, 2_000), (3, 3_000)] {
        add(
            &mut evidence,
            event,
            (Kind::Plan, "delivered", &[answered(204)]),
        );
        let line = format!("PUT /accounts/a?eid={event}");
        let request = evidence.requests.last_mut().unwrap();
        request.line.clone_from(&line);
        request.at_ms = came_ms;
        evidence.deliveries.values_mut().last().unwrap().line = line;
    }
    assert_eq!(rules(&evidence), []);
    // At one instant, any order is right.
    evidence.requests[1].at_ms = 5_000;
    evidence
        .deliveries
        .values_mut()
        .for_each(|it| it.decided_us = 1);
    assert_eq!(rules(&evidence), []);
    for (decided_us, delivery) in (1..).zip(evidence.deliveries.values_mut()) {
        delivery.decided_us = decided_us;
    }
    assert_eq!(rules(&evidence), [Rule::OrderKept]);
}

#[test]
fn every_lie_is_found() {
    let mut evidence = Evidence::default();
    for event in 1..20 {
        let kind = if event % 2 == 0 {
            Kind::Lead
        } else {
            Kind::Invoice
        };
        let (state, answer) = match event % 3 {
            0 => ("unknown timeout", Answer::Nothing),
            _ => ("delivered", answered(204)),
        };
        add(&mut evidence, event, (kind, state, &[answer]));
    }
    for event in 20..22 {
        add(
            &mut evidence,
            event,
            (Kind::Plan, "delivered", &[answered(204)]),
        );
        let line = format!("PUT /accounts/a?eid={event}");
        let request = evidence.requests.last_mut().unwrap();
        request.line.clone_from(&line);
        request.at_ms = event * 10_000;
        let id = format!("whd_{event}");
        evidence.deliveries.get_mut(&id).unwrap().line = line;
    }
    assert_eq!(rules(&evidence), []);
    let (told, missed) = doctor(evidence);
    assert_eq!((told.len(), missed), (9, Vec::new()));
}
