//! Which tests run, and under which configuration?

use crate::{CASE, JOURNEY, answer, edited, scratch};

fn project(test: &str) -> tempfile::TempDir {
    let other = JOURNEY.replace("order-care", "other");
    scratch::directory(&[
        ("journeys/order-care.yaml", JOURNEY),
        ("journeys/order-care.test.yaml", test),
        ("journeys/other.yaml", &other),
    ])
}

#[test]
fn a_file_names_its_tests_and_a_directory_all_of_them() {
    let directory = project(CASE);
    let check = |arguments: &[&str], status: i32, words: &str| {
        let (found, out, err) = answer(directory.path(), arguments);
        assert_eq!(found, status, "{arguments:?}: {out}{err}");
        assert!(
            format!("{out}{err}").contains(words),
            "{arguments:?}: {out}{err}"
        );
    };
    check(&[], 0, "other       no test, see `journeys/other.yaml`\n");
    check(
        &["journeys/order-care.test.yaml"],
        0,
        "1 passed, 0 failed\n",
    );
    check(&["journeys/order-care.yaml"], 0, "1 passed, 0 failed\n");
    check(
        &["--filter", "order-care: a paid"],
        0,
        "1 passed, 0 failed\n",
    );
    check(
        &["--filter", "no such case"],
        1,
        "no test is called `no such case`",
    );
    check(
        &["journeys/other.yaml"],
        1,
        "`journeys/other.yaml` has no tests: write them into `journeys/other.test.yaml`",
    );
    check(&["nowhere"], 1, "`nowhere` does not exist");
}

#[test]
fn only_a_run_of_everything_misses_tests() {
    let directory = project(CASE);
    for arguments in [&["--filter", "paid"][..], &["journeys/order-care.yaml"]] {
        let (_, out, _) = answer(directory.path(), arguments);
        assert!(
            !out.contains("J0910") && !out.contains("no test, see"),
            "{out}"
        );
    }
}

#[test]
fn other_journeys_run_only_where_the_file_says_so() {
    let (status, out, _) = answer(project(CASE).path(), &[]);
    assert_eq!(status, 0, "{out}");
    let with = edited("tests:\n", "with: [other]\ntests:\n");
    let (status, out, _) = answer(project(&with).path(), &[]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("request 2 came and is not expected"), "{out}");
}

#[test]
fn the_configuration_beside_the_journeys_counts() {
    let directory = project(CASE);
    let blocked = "identity: { blocked: [u1] }\n";
    std::fs::write(directory.path().join("journeys/wayfare.yaml"), blocked).unwrap();
    let (status, out, _) = answer(directory.path(), &[]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("error[J0705]"), "{out}");
}

#[test]
fn a_broken_journey_fails_the_run() {
    let directory = project(CASE);
    let broken = JOURNEY
        .replace("order-care", "other")
        .replace("then: late", "then: lat");
    std::fs::write(directory.path().join("journeys/other.yaml"), broken).unwrap();
    let (status, out, _) = answer(directory.path(), &[]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("error[J0401]"), "{out}");
    assert!(
        out.ends_with("0 passed, 0 failed, 1 file with problems\n"),
        "{out}"
    );
}

#[test]
fn a_directory_without_tests_says_how_to_begin() {
    let directory = scratch::directory(&[("journeys/order-care.yaml", JOURNEY)]);
    let (status, out, err) = answer(directory.path(), &[]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.contains("such as `signup.test.yaml`"), "{err}");
}

#[test]
fn secrets_are_stand_ins_that_say_so() {
    let url = "https://shop.example.com/paid/{entry.key}";
    let based = "{ base: { env: SHOP_API }, path: \"/paid/{entry.key}\" }";
    let journey = JOURNEY.replace(url, based).replace(
        "      delivery: at_least_once\n",
        "      auth: { bearer: { env: SHOP_TOKEN } }\n",
    );
    let test = edited(
        "url: https://shop.example.com/paid/o1\n",
        "url: stand-in-for-env-SHOP_API/paid/o1\n        headers: { authorization: \"Bearer [redacted]\" }\n",
    );
    let directory = scratch::directory(&[
        ("journeys/order-care.yaml", &journey),
        ("journeys/order-care.test.yaml", &test),
    ]);
    let (status, out, _) = answer(directory.path(), &[]);
    assert_eq!(status, 0, "{out}");
}
