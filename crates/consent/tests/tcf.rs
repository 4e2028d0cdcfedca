//! Are TC strings read as the framework's own library reads them, and do they permit what they should?
#![expect(clippy::unwrap_used, reason = "a broken fixture should fail its test")]

use std::collections::BTreeSet;

use serde_json::Value;
use wayfare_consent::sources::tcf::{TcString, TcStringError};

/// A vendor, and the purposes that are asked about (K-09).
const VENDOR: u16 = 755;
const PURPOSES: [u8; 2] = [1, 7];

fn vectors() -> Vec<Value> {
    let lines = include_str!("tcf.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn ids<T: Ord + Copy + Into<u64>>(all: impl Iterator<Item = T>) -> Vec<u64> {
    all.map(Into::into).collect()
}

fn listed(value: &Value) -> Vec<u64> {
    let items = value.as_array().unwrap().iter();
    items.map(|item| item.as_u64().unwrap()).collect()
}

fn letters(two: [u8; 2]) -> String {
    String::from_utf8(two.to_vec()).unwrap()
}

fn check(vector: &Value, string: &TcString) {
    let id = &vector["id"];
    let purposes = |has: &dyn Fn(u8) -> bool| ids((1..=24).filter(|it| has(*it)));
    let vendors = |has: &dyn Fn(u16) -> bool| ids((1..=u16::MAX).filter(|it| has(*it)));
    let told = [
        ("purposes", purposes(&|it| string.consents_to(it))),
        ("interests", purposes(&|it| string.tells_interest(it))),
        ("features", purposes(&|it| string.opts_into(it))),
        ("vendors", vendors(&|it| string.consents_to_vendor(it))),
        (
            "vendor_interests",
            vendors(&|it| string.tells_vendor_interest(it)),
        ),
    ];
    for (field, found) in told {
        assert_eq!(found, listed(&vector[field]), "{id}: {field}");
    }
    assert_eq!(string.cmp_id, 31, "{id}");
    assert_eq!(u64::from(string.policy_version), vector["policy"], "{id}");
    assert_eq!(
        u64::from(string.vendor_list_version),
        vector["list"],
        "{id}"
    );
    assert_eq!(letters(string.publisher_country), vector["country"], "{id}");
    assert_eq!(letters(string.language), vector["language"], "{id}");
    assert_eq!(string.is_service_specific, vector["one_service"], "{id}");
    let not_asked = string.purpose_one_treatment;
    assert_eq!(not_asked, vector["purpose_one_not_asked"], "{id}");
    assert_eq!(
        string.last_updated.to_string(),
        "2024-03-01T00:00:00Z",
        "{id}"
    );
}

#[test]
fn every_vector_is_read_as_the_reference_reads_it() {
    let mut kinds = BTreeSet::new();
    for vector in vectors() {
        let text = vector["string"].as_str().unwrap();
        let found = TcString::parse(text);
        match vector.get("error") {
            None => check(&vector, &found.unwrap()),
            Some(error) => assert_eq!(format!("{:?}", found.unwrap_err()), *error),
        }
        kinds.insert(vector.get("error").is_some());
    }
    assert_eq!(kinds.len(), 2, "strings that are right, and that are wrong");
}

/// K-09: of all vectors two permit a vendor both purposes. Legitimate interests permit nothing (D30).
#[test]
fn a_purpose_without_its_vendor_permits_nothing_and_neither_the_other_way_round() {
    let mut permitting = Vec::new();
    for vector in vectors() {
        let Ok(string) = TcString::parse(vector["string"].as_str().unwrap()) else {
            continue;
        };
        if PURPOSES.iter().all(|it| string.permits(*it, VENDOR)) {
            permitting.push(vector["id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(permitting, ["accept_all", "measurement_only"]);
}

/// However a string is cut, it is an error or says less, and never more.
#[test]
fn a_string_that_lost_its_end_permits_no_more() {
    for vector in vectors() {
        let text = vector["string"].as_str().unwrap();
        let core = text.split('.').next().unwrap();
        let Ok(whole) = TcString::parse(text) else {
            continue;
        };
        for end in 0..core.len() {
            match TcString::parse(core.get(..end).unwrap()) {
                Ok(cut) => assert_eq!(cut, whole, "{core} {end}"),
                Err(why) => assert_eq!(why, TcStringError::Truncated, "{core} {end}"),
            }
        }
    }
}
