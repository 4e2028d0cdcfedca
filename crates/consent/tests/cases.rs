//! Do the known cases end in the choice and the verdict they should, in whatever order their
//! records come? The ids C… and K-… are those of the conformance suite, W… are our own.
#![expect(clippy::unwrap_used, reason = "a broken fixture should fail its test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use wayfare_consent::{
    Binding, Category, Channel, Class, Config, Jurisdiction, Question, Reason, Record, RecordKind,
    Strength, Verdict, choice, enforcement, verdict,
};
use wayfare_event::{ConsentAction, Timestamp};

const EMAIL: Binding = Binding::Address(Channel::Email);

/// The rules of the cases: mails and data use in the United States are allowed until refused.
fn config() -> Config {
    let open = |places: &[(&str, ConsentAction)]| {
        let places = places.iter().map(|(name, it)| ((*name).to_owned(), *it));
        places.collect::<BTreeMap<_, _>>()
    };
    let us = open(&[("US", ConsentAction::Accept)]);
    let in_us = |binding| Category {
        by_jurisdiction: us.clone(),
        ..Category::new(Class::Consent, binding)
    };
    let newsletter = Category {
        strength: Strength::Confirmed,
        max_age_us: Some(100),
        ..Category::new(Class::Consent, EMAIL)
    };
    let offers = Category {
        default: Some(ConsentAction::Accept),
        by_jurisdiction: open(&[
            ("US", ConsentAction::Accept),
            ("US-CA", ConsentAction::Decline),
        ]),
        ..Category::new(Class::Consent, Binding::Profile)
    };
    let mut categories = Config::default().categories().clone();
    categories.extend([
        (Arc::from("ads"), in_us(Binding::Profile)),
        ("sale".into(), in_us(Binding::Profile)),
        ("marketing".into(), in_us(EMAIL)),
        (
            "service".into(),
            Category::new(Class::LegitimateInterest, EMAIL),
        ),
        ("newsletter".into(), newsletter),
        ("offers".into(), offers),
    ]);
    Config::new(categories, Jurisdiction::UNKNOWN)
}

fn record(item: &Value, category: &str) -> Record {
    let text = |key: &str| item[key].as_str().map(Arc::from);
    let time = |key: &str| item[key].as_i64().map(Timestamp::from_micros);
    let at = time("at").unwrap();
    let kind = &item["kind"];
    let kind = if kind.is_null() {
        RecordKind::User
    } else {
        RecordKind::deserialize(kind).unwrap()
    };
    Record {
        category: text("category").unwrap_or_else(|| category.into()),
        action: ConsentAction::named(item["action"].as_str().unwrap()).unwrap(),
        at,
        recorded_at: time("heard").unwrap_or(at),
        id: text("id").unwrap(),
        valid_until: time("until"),
        kind,
        pending: item["pending"].as_bool().unwrap_or_default(),
        historical: false,
        source: text("source"),
        method: text("method"),
        notice: None,
        regulation: None,
        channel: text("channel"),
    }
}

fn told(verdict: &Verdict) -> String {
    let word = if verdict.allowed {
        "allowed"
    } else {
        "refused"
    };
    format!("{word}: {}", verdict.reason.as_str())
}

fn check(case: &Value) {
    let id = &case["id"];
    let ask = &case["ask"];
    let category = ask["category"].as_str().unwrap();
    let question = Question {
        category,
        has_address: ask["address"].as_bool().unwrap_or(true),
        jurisdiction: &Jurisdiction::named(ask["in"].as_str().unwrap()),
        now: Timestamp::from_micros(ask["now"].as_i64().unwrap()),
    };
    let items = case["records"].as_array().into_iter().flatten();
    let mut records: Vec<_> = items.map(|item| record(item, category)).collect();
    let relies: Vec<_> = case["relies"].as_array().into_iter().flatten().collect();
    for _ in 0..=records.len() {
        let chosen = choice(&config(), category, records.iter(), question.now).as_str();
        assert_eq!(chosen, case["choice"], "{id}: choice");
        let may = verdict(&config(), &question, records.iter());
        assert_eq!(told(&may), case["verdict"], "{id}: verdict");
        assert_eq!(may.records, relies_on(&relies), "{id}: records");
        let enforced = enforcement(&config(), &question, records.iter());
        assert_eq!(enforced.allowed, chosen == "decline", "{id}: enforcement");
        let by_reason = enforced.reason == Reason::Enforcement;
        assert_eq!(enforced.allowed, by_reason, "{id}: reason");
        let step = usize::from(records.len() > 1);
        records.rotate_left(step);
    }
}

fn relies_on(ids: &[&Value]) -> Vec<Arc<str>> {
    ids.iter().map(|it| it.as_str().unwrap().into()).collect()
}

#[test]
fn every_case_ends_as_told_in_any_order() {
    let lines = include_str!("cases.jsonl").lines();
    let cases: Vec<Value> = lines.map(|it| serde_json::from_str(it).unwrap()).collect();
    assert!(cases.len() > 50, "only {} cases", cases.len());
    cases.iter().for_each(check);
}
