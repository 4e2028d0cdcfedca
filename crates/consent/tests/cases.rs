//! Do the known cases end in the choice and the verdict they should, in whatever order their
//! records come? The ids C… and K-… are those of the conformance suite, W… are our own.
#![expect(
    clippy::unwrap_used,
    reason = "a test target: a broken fixture should fail its test"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use wayfare_consent::{
    Binding, Category, Channel, Class, Config, Jurisdiction, Question, Reason, Record, RecordKind,
    Said, Strength, SuppressionKind, Verdict, choice, enforcement, verdict,
};
use wayfare_event::{ConsentAction, Identifier, Timestamp};

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
    let interest = |binding| Category::new(Class::LegitimateInterest, binding);
    let mut categories = Config::default().categories().clone();
    categories.extend([
        (Arc::from("ads"), in_us(Binding::Profile)),
        ("sale".into(), in_us(Binding::Profile)),
        ("marketing".into(), in_us(EMAIL)),
        ("marketing.news".into(), in_us(EMAIL)),
        ("receipts".into(), Category::new(Class::Essential, EMAIL)),
        ("service".into(), interest(EMAIL)),
        ("newsletter".into(), newsletter),
        ("offers".into(), offers),
    ]);
    let numbered = ["p1", "p2", "p3", "p4"];
    categories.extend(numbered.map(|name| (name.into(), interest(Binding::Profile))));
    Config::new(categories, Jurisdiction::UNKNOWN)
}

/// An identifier as it is written in the cases: `u:1`, `a:9`, `e:a@a.io`, `p:+18005550100`.
fn identifier(text: &str) -> Identifier {
    let (letter, value) = text.split_once(':').unwrap();
    let namespace = match letter {
        "u" => "user_id",
        "a" => "anonymous_id",
        "e" => "email",
        "p" => "phone",
        other => unreachable!("`{other}` is no namespace"),
    };
    Identifier::new(namespace, value)
}

fn record(item: &Value, category: &str) -> (Identifier, Record) {
    let text = |key: &str| item[key].as_str().map(Arc::from);
    let time = |key: &str| item[key].as_i64().map(Timestamp::from_micros);
    let truth = |key: &str| item[key].as_bool().unwrap_or_default();
    let at = time("at").unwrap();
    let kind = &item["kind"];
    let kind = if kind.is_null() {
        RecordKind::User
    } else {
        RecordKind::deserialize(kind).unwrap()
    };
    let record = Record {
        category: text("category").unwrap_or_else(|| category.into()),
        action: ConsentAction::named(item["action"].as_str().unwrap()).unwrap(),
        at,
        recorded_at: time("heard").unwrap_or(at),
        id: text("id").unwrap(),
        valid_from: time("from"),
        valid_until: time("until"),
        kind,
        pending: truth("pending"),
        unverified: truth("unverified"),
        historical: false,
        undated: false,
        browser: None,
        source: text("source"),
        method: text("method"),
        notice: None,
        regulation: None,
        channel: text("channel"),
    };
    (identifier(item["of"].as_str().unwrap_or("u:1")), record)
}

/// Since when two subjects are one, by a case's `links`; without any they always were.
fn linked_at(case: &Value, left: &Identifier, right: &Identifier) -> Option<Timestamp> {
    let Some(links) = case["links"].as_array() else {
        return Some(Timestamp::from_micros(i64::MIN));
    };
    let found = links.iter().find(|link| {
        let [one, other] = [0, 1].map(|place| identifier(link[place].as_str().unwrap()));
        [&one, &other] == [left, right] || [&other, &one] == [left, right]
    });
    found.map(|link| Timestamp::from_micros(link[2].as_i64().unwrap()))
}

fn told(verdict: &Verdict) -> String {
    let word = if verdict.allowed {
        "allowed"
    } else {
        "refused"
    };
    format!("{word}: {}", verdict.reason.as_str())
}

/// The address asked about: the one written, else one of the category's channel.
fn address(config: &Config, ask: &Value) -> Option<Identifier> {
    let rules = config.category(ask["category"].as_str().unwrap());
    match (ask.get("address"), rules.map(|rules| rules.binding)) {
        (Some(written), _) => written.as_str().map(identifier),
        (None, Some(EMAIL)) => Some(identifier("e:a@a.io")),
        (None, Some(Binding::Address(Channel::Phone))) => Some(identifier("p:+18005550100")),
        (None, Some(Binding::Profile) | None) => None,
    }
}

fn check(case: &Value) {
    let config = config();
    let id = &case["id"];
    let ask = &case["ask"];
    let category = ask["category"].as_str().unwrap();
    let address = address(&config, ask);
    let place = Jurisdiction::named(ask["in"].as_str().unwrap());
    let question = Question {
        suppressed: ask["suppressed"].as_str().and_then(SuppressionKind::named),
        jurisdiction: &place,
        ..Question::new(
            category,
            address.as_ref(),
            Timestamp::from_micros(ask["now"].as_i64().unwrap()),
        )
    };
    let items = case["records"].as_array().into_iter().flatten();
    let mut records: Vec<_> = items.map(|item| record(item, category)).collect();
    if let Some(who) = ask["who"].as_array() {
        let who: Vec<_> = who
            .iter()
            .map(|it| identifier(it.as_str().unwrap()))
            .collect();
        records.retain(|(subject, _)| who.contains(subject) || address.as_ref() == Some(subject));
    }
    let linked = |left: &Identifier, right: &Identifier| linked_at(case, left, right);
    let relies: Vec<_> = case["relies"].as_array().into_iter().flatten().collect();
    for _ in 0..=records.len() {
        let said = records
            .iter()
            .map(|(subject, record)| Said { subject, record });
        let chosen = choice(&config, &question, said.clone(), linked).as_str();
        // Of the category, not of what may leave: without an address nobody chose for one.
        assert_eq!(chosen, case["choice"], "{id}: choice");
        let may = verdict(&config, &question, said.clone(), linked);
        assert_eq!(told(&may), case["verdict"], "{id}: verdict");
        assert_eq!(may.records, relies_on(&relies), "{id}: records");
        let enforced = enforcement(&config, &question, said, linked);
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

fn cases() -> Vec<Value> {
    let lines = include_str!("cases.jsonl").lines();
    lines.map(|it| serde_json::from_str(it).unwrap()).collect()
}

#[test]
fn every_case_ends_as_told_in_any_order() {
    cases().iter().for_each(check);
}

#[test]
fn no_case_of_the_suite_is_missing() {
    let cases = cases();
    for number in 1..=50 {
        let id = format!("C{number:02}");
        assert!(cases.iter().any(|case| case["id"] == id), "{id}");
    }
}

/// K-05: what needs several categories may be sent when each of them allows it.
#[test]
fn one_refused_category_of_several_is_enough_to_refuse() {
    let config = config();
    let subject = identifier("u:1");
    let refuse = |name: &str| {
        let item = serde_json::json!({ "id": name, "action": "decline", "at": 1 });
        record(&item, name).1
    };
    let records = ["p1", "p2", "p3"].map(refuse);
    let check = |needs: &[&str], expected: bool| {
        let allows = |name: &&str| {
            let question = Question::new(name, None, Timestamp::from_micros(2));
            let said = records.iter().map(|record| Said {
                subject: &subject,
                record,
            });
            verdict(&config, &question, said, |_, _| None).allowed
        };
        assert_eq!(needs.iter().all(allows), expected, "{needs:?}");
    };
    check(&[], true);
    check(&["p4"], true);
    check(&["p1"], false);
    check(&["p1", "p4"], false);
    check(&["p1", "p2", "p3"], false);
    check(&["p1", "p1", "p1"], false);
}
