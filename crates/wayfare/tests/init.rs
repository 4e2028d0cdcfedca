//! Does a project that `wayfare init` writes work, with the commands it names?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "../../../tests/schema.rs"]
mod schema;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The program, in a directory, with nothing set that its answers depend on.
fn wayfare(directory: &Path, line: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        command.env_remove(format!("WAYFARE_{name}"));
    }
    command.env_remove("MAIL_TOKEN").current_dir(directory);
    let output = command.args(line.split(' ')).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let status = output.status.code().unwrap();
    (status, text(output.stdout), text(output.stderr))
}

/// Every file below a directory, by its path.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn what_init_writes_works_with_the_commands_it_names() {
    let scratch = tempfile::tempdir().unwrap();
    let (status, told, err) = wayfare(scratch.path(), "init shop");
    assert_eq!((status, err.as_str()), (0, ""));
    let shop = scratch.path().join("shop");
    let commands: Vec<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix("  wayfare "))
        .collect();
    assert!(
        told.contains("\nnext:\n  cd shop\n  wayfare check --ignore-secrets\n"),
        "{told}"
    );
    let mut outcomes = Vec::new();
    for line in &commands {
        let (status, out, err) = wayfare(&shop, line);
        assert_eq!(status, 0, "{line}:\n{out}{err}");
        if line.starts_with("check") {
            assert!(out.contains("no problems"), "{out}");
        }
        if line.starts_with("test") {
            assert!(out.contains("4 passed, 0 failed"), "{out}");
        }
        if line.contains("--dry-run") {
            let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
            let decided = lines.filter(|line: &Value| line["kind"] == "decision");
            outcomes.extend(decided.map(|line| line["outcome"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(outcomes, ["exit", "webhook", "suppressed"]);
    assert!(
        commands
            .iter()
            .any(|line| line.contains("--receiver builtin"))
    );
}

#[test]
fn each_file_names_the_schema_beside_it_and_fits() {
    let scratch = tempfile::tempdir().unwrap();
    assert_eq!(wayfare(scratch.path(), "init").0, 0);
    let files = files(scratch.path());
    let mut count = 0;
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with(".yaml")) {
        let first = text.lines().next().unwrap();
        let schema = first.strip_prefix("# yaml-language-server: $schema=./");
        let schema = &files[&format!("journeys/{}", schema.unwrap())];
        let schema: Value = serde_json::from_str(schema).unwrap();
        let problems = schema::problems(&schema, &schema, &schema::json(text));
        assert_eq!(problems, Vec::<String>::new(), "{name}");
        count += 1;
    }
    assert_eq!(count, 3);
    for of in ["journey", "test", "config"] {
        let (_, printed, _) = wayfare(scratch.path(), &format!("schema --of {of}"));
        assert_eq!(printed, files[&format!("journeys/{of}.schema.json")]);
    }
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let scratch = tempfile::tempdir().unwrap();
    let journeys = scratch.path().join("journeys");
    std::fs::create_dir(&journeys).unwrap();
    std::fs::write(journeys.join("wayfare.yaml"), "# mine\n").unwrap();
    std::fs::write(scratch.path().join("events.ndjson"), "").unwrap();
    let before = files(scratch.path());
    let (status, out, err) = wayfare(scratch.path(), "init");
    let told = "error: `.` has `journeys/wayfare.yaml`, `events.ndjson` already, and `init` \
                overwrites nothing: name another directory\n";
    assert_eq!((status, out.as_str(), err.as_str()), (1, "", told));
    assert_eq!(files(scratch.path()), before);
    assert_eq!(wayfare(scratch.path(), "init new").0, 0);
    assert_eq!(wayfare(scratch.path(), "init new").0, 1);
}

#[test]
fn a_gitignore_of_ones_own_stays() {
    let scratch = tempfile::tempdir().unwrap();
    std::fs::write(scratch.path().join(".gitignore"), "target\n").unwrap();
    let (status, told, _) = wayfare(scratch.path(), "init");
    assert_eq!(status, 0);
    assert!(
        told.contains("add `.wayfare/` to your `.gitignore`"),
        "{told}"
    );
    assert_eq!(files(scratch.path())[".gitignore"], "target\n");
}
