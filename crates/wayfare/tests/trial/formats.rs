//! What do programs and build servers get?

use serde_json::Value;

use crate::{CASE, JOURNEY, answer, edited, scratch};

/// A directory with one case that passes, one that fails, and a file that is broken.
fn mixed() -> tempfile::TempDir {
    let failing = edited("paid/o1\n", "paid/o2\n").replace("is told", "is <told> & \"kept\"");
    let case = failing.split_once("tests:\n").unwrap().1;
    scratch::directory(&[
        ("journeys/order-care.yaml", JOURNEY),
        ("journeys/order-care.test.yaml", &format!("{CASE}{case}")),
        (
            "journeys/broken.test.yaml",
            "journey: order-care\ntests: <none>\n",
        ),
    ])
}

#[test]
fn json_tells_everything_in_one_object() {
    let (status, out, _) = answer(mixed().path(), &["--format", "json"]);
    assert_eq!((status, out.lines().count()), (1, 1));
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["passed"], &told["failed"]), (&1.into(), &1.into()));
    let [passed, failed] = told["cases"].as_array().unwrap().as_slice() else {
        panic!("{told}")
    };
    assert_eq!(passed["passed"], true);
    assert_eq!(failed["name"], "a paid order is <told> & \"kept\"");
    assert_eq!(failed["file"], "journeys/order-care.test.yaml");
    assert_eq!(failed["line"], 17);
    let mismatch = failed["mismatches"][0].as_str().unwrap();
    assert!(
        mismatch.starts_with("request 1 is not as expected\n  url\n"),
        "{mismatch}"
    );
    assert!(failed["story"].as_array().unwrap().len() > 10);
    let settle = &told["coverage"][0]["blocks"][1];
    assert_eq!(settle["block"], "settle");
    assert_eq!(settle["arms"][0]["taken"], true);
    assert_eq!(settle["arms"][2]["label"], "after 2h");
    assert_eq!(settle["arms"][2]["taken"], false);
    let codes: Vec<&str> = told["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["J0104", "J0910", "J0910", "J0910", "J0910"]);
}

/// The tags of an XML document with their attributes, after checking that it is well-formed as far
/// as elements, attributes and entities go.
fn tags(document: &str) -> Vec<String> {
    let rest = document
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .unwrap();
    let (mut open, mut tags) = (Vec::new(), Vec::new());
    for part in rest.trim_end().split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        assert!(!text.contains('>'), "{text}");
        for entity in part.split('&').skip(1) {
            let name = entity.split_once(';').unwrap().0;
            assert!(["amp", "lt", "gt", "quot", "#10"].contains(&name), "{name}");
        }
        let name = |tag: &str| tag.split(' ').next().unwrap().to_owned();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed));
        } else {
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            tags.push(tag.to_owned());
            if !tag.ends_with('/') {
                open.push(name(tag));
            }
        }
    }
    assert_eq!(open, Vec::<String>::new());
    tags
}

#[test]
fn junit_is_well_formed_and_counts_what_there_is() {
    let (status, out, _) = answer(mixed().path(), &["--format", "junit"]);
    assert_eq!(status, 1);
    let tags = tags(&out);
    let expected = [
        r#"testsuites name="wayfare" tests="3" failures="1" errors="1""#,
        r#"testsuite name="journeys/order-care.test.yaml" tests="2" failures="1" errors="0""#,
        r#"testcase classname="order-care" name="a paid order is told" file="journeys/order-care.test.yaml" line="3"/"#,
        r#"testcase classname="order-care" name="a paid order is &lt;told&gt; &amp; &quot;kept&quot;" file="journeys/order-care.test.yaml" line="17""#,
        r#"failure message="request 1 is not as expected""#,
        r#"testsuite name="journeys/broken.test.yaml" tests="1" failures="0" errors="1""#,
        r#"testcase classname="journeys/broken.test.yaml" name="the file can be read""#,
        r#"error message="expected a list of tests, one at least, found text""#,
    ];
    assert_eq!(tags, expected);
}
