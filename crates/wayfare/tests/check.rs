//! Does `wayfare check` tell programs what it tells people? Its formats, its status, and what it
//! prints when all is well.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const SOUND: &str = "\
journey: greet
description: Greet somebody.
trigger: { event: Signup Completed }
entry: { again: once }
blocks:
  pause: { wait: 1h, then: greet }
  greet: { exit: done }
";

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// Exit status and stdout of a check in a directory.
fn check(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        command.env_remove(format!("WAYFARE_{name}"));
    }
    command.current_dir(directory).arg("check").args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

fn typo() -> String {
    SOUND.replace("then: greet", "then: gret")
}

fn undescribed() -> String {
    SOUND.replace("description: Greet somebody.\n", "")
}

/// A file with a related place, one whose name needs escapes, and a span of several lines.
fn several() -> TempDir {
    let two = SOUND
        .replace("journey: greet", "journey: two")
        .replace("{ exit: done }", "{ wait: 1h, exit: done }");
    let list = SOUND
        .replace("journey: greet", "journey: list")
        .replace("wait: 1h", "wait: [\n    1h\n  ]");
    let undescribed = undescribed().replace("journey: greet", "journey: undescribed");
    directory(&[
        ("a.yaml", &typo()),
        ("b, 100%: é.yaml", &two),
        ("c.yaml", &list),
        ("d.yaml", &undescribed),
    ])
}

#[test]
fn json_is_one_object_with_its_keys_in_order() {
    let directory = several();
    let (status, out) = check(directory.path(), &[".", "--format", "json"]);
    assert_eq!(status, 1);
    let expected = concat!(
        r#"{"diagnostics":[{"code":"J0401","severity":"error","#,
        r#""message":"no block is called `gret`","file":"a.yaml","#,
        r#""line":6,"column":28,"endLine":6,"endColumn":32,"#,
        r#""hint":"did you mean `greet`?"},"#,
    );
    assert!(out.starts_with(expected), "{out}");
    assert_eq!(out.lines().count(), 1);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["errors"], &told["warnings"]), (&3.into(), &1.into()));
    let files = told["diagnostics"].as_array().unwrap().iter();
    let files: Vec<&str> = files.map(|it| it["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["a.yaml", "b, 100%: é.yaml", "c.yaml", "d.yaml"]);
    let related = &told["diagnostics"][1]["related"][0];
    assert_eq!(related["message"], "its first kind");
    let corners = ["line", "column", "endLine", "endColumn"].map(|it| &related[it]);
    assert_eq!(corners, [7, 12, 7, 16].map(Value::from).each_ref());
    let list = &told["diagnostics"][2];
    let corners = ["line", "column", "endLine", "endColumn"].map(|it| &list[it]);
    assert_eq!(corners, [6, 18, 8, 4].map(Value::from).each_ref());
}

/// What SARIF 2.1.0 requires (OASIS, sections 3.13 to 3.49), of the parts that are used.
fn is_sarif(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("2.1.0.json"));
    for run in log["runs"].as_array().unwrap() {
        let driver = &run["tool"]["driver"];
        assert!(!driver["name"].as_str().unwrap().is_empty());
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        let rules = driver["rules"].as_array().unwrap();
        for rule in rules {
            assert!(!rule["id"].as_str().unwrap().is_empty());
            for text in ["shortDescription", "help"] {
                assert!(!rule[text]["text"].as_str().unwrap().is_empty());
            }
            is_level(&rule["defaultConfiguration"]["level"]);
        }
        for result in run["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            is_level(&result["level"]);
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            let places = result["locations"].as_array().unwrap();
            assert_eq!(places.len(), 1);
            let related = result["relatedLocations"].as_array();
            places
                .iter()
                .chain(related.into_iter().flatten())
                .for_each(is_place);
        }
    }
}

fn is_level(level: &Value) {
    assert!(["error", "warning"].contains(&level.as_str().unwrap()));
}

fn is_place(place: &Value) {
    let place = &place["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/%:".contains(c);
    assert!(!uri.is_empty() && uri.chars().all(is_plain), "{uri}");
    let region = &place["region"];
    let corner = |line: &str, column: &str| {
        let number = |key: &str| region[key].as_u64().unwrap();
        (number(line), number(column))
    };
    let (start, end) = (
        corner("startLine", "startColumn"),
        corner("endLine", "endColumn"),
    );
    assert!(start.0 >= 1 && start.1 >= 1 && start <= end, "{region}");
}

#[test]
fn sarif_has_what_the_standard_requires() {
    let directory = several();
    let (status, out) = check(directory.path(), &[".", "--format", "sarif"]);
    assert_eq!(status, 1);
    let log: Value = serde_json::from_str(&out).unwrap();
    is_sarif(&log);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let told = results.iter().map(|it| it["ruleId"].as_str().unwrap());
    let told: Vec<&str> = told.collect();
    assert_eq!(told, ["J0401", "J0205", "J0104", "J0901"]);
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(
        place["artifactLocation"]["uri"],
        "b%2C%20100%25%3A%20%C3%A9.yaml"
    );
    let whole = directory.path().to_str().unwrap();
    let (_, out) = check(Path::new("/"), &[whole, "--format", "sarif"]);
    let log: Value = serde_json::from_str(&out).unwrap();
    is_sarif(&log);
    assert!(out.contains(&format!("\"file://{whole}/a.yaml\"")), "{out}");
}

#[test]
fn sarif_of_sound_journeys_is_a_run_without_results() {
    let directory = directory(&[("greet.yaml", SOUND)]);
    let (status, out) = check(directory.path(), &[".", "--format", "sarif"]);
    let log: Value = serde_json::from_str(&out).unwrap();
    is_sarif(&log);
    assert_eq!(
        (status, &log["runs"][0]["results"]),
        (0, &Value::Array(Vec::new()))
    );
}

#[test]
fn github_reads_a_command_a_line() {
    let directory = several();
    let (status, out) = check(directory.path(), &[".", "--format", "github"]);
    assert_eq!(status, 1);
    let told: Vec<&str> = out.lines().collect();
    assert_eq!(
        told[0],
        "::error file=a.yaml,line=6,col=28,endColumn=32,title=J0401::\
         no block is called `gret`%0Adid you mean `greet`?"
    );
    let escaped = "::error file=b%2C 100%25%3A é.yaml,line=7,";
    assert!(told[1].starts_with(escaped), "{out}");
    let lines = "::error file=c.yaml,line=6,endLine=8,title=J0104::";
    assert!(told[2].starts_with(lines), "{out}");
    assert!(told[3].starts_with("::warning file=d.yaml,"), "{out}");
    assert_eq!(told[4..], ["3 errors, 1 warning in 4 files"]);
}

#[test]
fn what_is_sound_is_one_line() {
    let one = directory(&[("greet.yaml", SOUND)]);
    let other = SOUND.replace("journey: greet", "journey: other");
    let two = directory(&[("greet.yaml", SOUND), ("other.yaml", &other)]);
    for format in ["text", "github"] {
        let told = check(one.path(), &[".", "--format", format]);
        assert_eq!(told, (0, "1 journey, no problems\n".to_owned()));
        let told = check(two.path(), &[".", "--format", format]);
        assert_eq!(told, (0, "2 journeys, no problems\n".to_owned()));
    }
    let told = check(one.path(), &[".", "--format", "json"]);
    let expected = "{\"diagnostics\":[],\"errors\":0,\"warnings\":0}\n";
    assert_eq!(told, (0, expected.to_owned()));
}

#[test]
fn a_warning_fails_only_a_strict_check() {
    let directory = directory(&[("greet.yaml", &undescribed())]);
    for format in ["text", "json", "sarif", "github"] {
        let (status, usual) = check(directory.path(), &[".", "--format", format]);
        assert_eq!(status, 0, "{format}");
        let (status, strict) = check(directory.path(), &[".", "--format", format, "--strict"]);
        assert_eq!((status, strict), (1, usual), "{format}");
    }
}

#[test]
fn secrets_are_looked_for_unless_they_are_ignored() {
    let there = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(there.path(), "s3cret\n").unwrap();
    let hook = "{ webhook: { method: POST, url: 'https://a.example/b', consent: essential, \
                auth: { bearer: SECRET }, payload: { a: b } } }";
    let sends = |secret: &str| SOUND.replace("{ exit: done }", &hook.replace("SECRET", secret));
    let check = |secret: &str, arguments: &[&str], expected: i32| {
        let directory = directory(&[("greet.yaml", &sends(secret))]);
        let arguments = [&["--strict"], arguments, &["."]].concat();
        let (status, out) = check(directory.path(), &arguments);
        assert_eq!(status, expected, "{out}");
        assert_eq!(out.contains("warning[J0904]"), expected == 1, "{out}");
    };
    check("{ env: WAYFARE_TEST_NOT_SET }", &[], 1);
    check("{ env: WAYFARE_TEST_NOT_SET }", &["--ignore-secrets"], 0);
    check("{ env: PATH }", &[], 0);
    check("{ file: /no/such/file }", &[], 1);
    check(&format!("{{ file: '{}' }}", there.path().display()), &[], 0);
}
