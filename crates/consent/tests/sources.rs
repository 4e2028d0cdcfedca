//! Does an event say what it should, in every dialect? The ids D…, E… and K-… are those of the
//! conformance suite, S… are our own.
#![expect(clippy::unwrap_used, reason = "a broken fixture should fail its test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use wayfare_consent::sources::{Dialects, Heard, Hears, Said, Tense, hear};
use wayfare_consent::{Binding, Category, Class, Config, Jurisdiction};
use wayfare_event::{Event, Rejection};

/// The built-in categories, and two of which consent is told in other words.
fn config(missing_is_false: bool) -> Config {
    let category = |hears| Category {
        hears,
        ..Category::new(Class::Consent, Binding::Profile)
    };
    let ads = category(Hears {
        aliases: vec!["C0004".into()],
        gpc: true,
        purposes: Vec::new(),
    });
    let stats = category(Hears {
        purposes: vec![1, 7],
        ..Hears::NAME_ONLY
    });
    let mut categories: BTreeMap<Arc<str>, Category> = Config::default().categories().clone();
    categories.extend([("ads".into(), ads), ("stats".into(), stats)]);
    let dialects = Dialects {
        tcf_vendor: Some(755),
        segment_missing_is_false: missing_is_false,
    };
    Config::new(categories, Jurisdiction::UNKNOWN).with_dialects(dialects)
}

fn heard(text: &str, missing_is_false: bool) -> Result<Heard, Rejection> {
    hear(&config(missing_is_false), &Event::parse(text, None)?)
}

fn words(said: &Said) -> String {
    let statement = &said.statement;
    let tense = match said.tense {
        Tense::Decided => "decided",
        Tense::Holds => "holds",
    };
    let at = said.at.map(|at| format!(" at {at}"));
    let until = statement.valid_until.map(|until| format!(" until {until}"));
    format!(
        "{} {} {} {tense}{}{}",
        said.dialect.as_str(),
        statement.category,
        statement.action.as_str(),
        at.unwrap_or_default(),
        until.unwrap_or_default()
    )
}

fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_array().into_iter().flatten();
    items.map(|item| item.as_str().unwrap()).collect()
}

#[test]
fn every_event_says_what_it_should() {
    for line in include_str!("sources.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let id = format!("{}: {}", case["id"], case["says"]);
        let strict = case["missing_is_false"].as_bool().unwrap_or_default();
        let found = heard(&case["event"].to_string(), strict);
        if let Some(expected) = case["rejected"].as_str() {
            let message = found.unwrap_err().message;
            assert!(message.contains(expected), "{id}: {message}");
            continue;
        }
        let found = found.unwrap();
        let said: Vec<String> = found.said.iter().map(words).collect();
        assert_eq!(said, texts(&case["said"]), "{id}");
        let unheard = found.unheard.iter();
        let unheard: Vec<String> = unheard
            .map(|it| format!("{} {}: {}", it.dialect.as_str(), it.what, it.why))
            .collect();
        assert_eq!(unheard, texts(&case["unheard"]), "{id}");
    }
}

/// Every statement carries the name of a configured category and the dialect as its source.
#[test]
fn a_statement_names_its_source() {
    let line = r#"{"type":"track","userId":"u1","event":"x",
        "context":{"gpc":true,"consentManagement":{"deniedConsentIds":["C0004"]}}}"#;
    let found = heard(line, false).unwrap();
    let sources = found.said.iter().map(|it| it.statement.source.as_deref());
    assert!(sources.eq([Some("gpc"), Some("rudderstack")]));
}
