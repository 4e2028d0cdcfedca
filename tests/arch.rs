//! Is the layout the one `docs/architecture.md` draws? Arrows between crates, purity of the core,
//! file sizes, and what may stand at the top level.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The arrows of `docs/architecture.md`. `examples` and `tests` may use what they like.
const ARROWS: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("identity", &["event"]),
    ("consent", &["event"]),
    ("journey", &["event"]),
    ("executor", &["journey", "identity", "consent", "event"]),
    (
        "store",
        &["executor", "journey", "identity", "consent", "event"],
    ),
    ("webhook", &["executor", "journey", "event"]),
    (
        "runtime",
        &[
            "store", "webhook", "executor", "journey", "identity", "consent", "event",
        ],
    ),
    (
        "wayfare",
        &[
            "runtime", "store", "webhook", "executor", "journey", "identity", "consent", "event",
        ],
    ),
];

/// Crates that do no IO and know no clock and no chance.
const PURE: &[&str] = &["event", "identity", "consent", "journey", "executor"];

/// What a pure crate must not reach, at any depth of its normal dependencies.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "sled",
    "axum",
    "rand",
    "getrandom",
    "fastrand",
    "mio",
];

/// Everything that may stand at the top level, apart from hidden tool files.
const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "crates",
    "journeys",
    "examples",
    "tests",
    "docs",
    "justfile",
    "README.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "target",
];

/// Lines of a source file, its tests apart, above which it answers more than one question.
const FILE_LINES_MAX: usize = 500;

/// Lines of `step.rs`, above which it does more than to say where each kind of input is decided.
const STEP_LINES_MAX: usize = 200;

/// What this project is built of, and exactly those crates whose own sources use it.
const BUILT_OF: &[(&str, &[&str])] = &[
    (
        "serde",
        &[
            "event", "identity", "consent", "journey", "executor", "store",
        ],
    ),
    ("serde_json", &["event", "wayfare"]),
    ("serde_yaml", &["journey"]),
    ("petgraph", &["journey"]),
    ("sled", &["store"]),
    ("reqwest", &["webhook", "wayfare"]),
    ("tokio", &["webhook", "runtime", "wayfare"]),
    ("tracing", &["runtime", "wayfare"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

/// The target this machine builds for: packages of other platforms may not be downloaded.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(output.stdout).unwrap();
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap()
        .to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--filter-platform",
            &host(),
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Package name → names of its normal dependencies, as resolved.
fn normal_dependencies(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let list = |value: &Value| value.as_array().unwrap().clone();
    let names: BTreeMap<String, String> = list(&metadata["packages"])
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let is_normal = |dependency: &Value| {
        list(&dependency["dep_kinds"])
            .iter()
            .any(|kind| kind["kind"].is_null())
    };
    list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let used = list(&node["deps"]).into_iter().filter(is_normal);
            let used = used
                .map(|dependency| names[&text(&dependency["pkg"])].clone())
                .collect();
            (names[&text(&node["id"])].clone(), used)
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn crates_on_disk() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("crates")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// What Cargo calls a crate.
fn package(name: &str) -> String {
    if name == "wayfare" {
        name.to_owned()
    } else {
        format!("wayfare-{name}")
    }
}

fn source_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            source_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_crate_uses_only_what_its_arrows_allow() {
    let dependencies = normal_dependencies(&metadata());
    for name in crates_on_disk() {
        let (_, allowed) = ARROWS
            .iter()
            .find(|(crate_name, _)| *crate_name == name)
            .unwrap_or_else(|| panic!("crates/{name} has no line in ARROWS"));
        let package = package(&name);
        for used in &dependencies[&package] {
            if let Some(used) = used.strip_prefix("wayfare-") {
                assert!(
                    allowed.contains(&used),
                    "{package} must not use wayfare-{used}"
                );
            }
        }
    }
}

/// Whether the sources of a crate, tests apart, name something of a library.
fn speaks_of(name: &str, library: &str) -> bool {
    let mut files = Vec::new();
    source_files(&root().join("crates").join(name).join("src"), &mut files);
    let path = format!("{library}::");
    files.iter().any(|file| {
        let source = std::fs::read_to_string(file).unwrap();
        let own = source.lines().take_while(|line| *line != "#[cfg(test)]");
        let mut code = own.filter(|line| !line.trim_start().starts_with("//"));
        code.any(|line| {
            let mut before: Vec<&str> = line.split(&path).collect();
            before.pop();
            let is_longer = |it: char| it.is_alphanumeric() || it == '_';
            before.iter().any(|text| !text.ends_with(is_longer))
        })
    })
}

#[test]
fn what_the_project_is_built_of_is_used_where_it_should_be() {
    let dependencies = normal_dependencies(&metadata());
    for (library, users) in BUILT_OF {
        for name in crates_on_disk() {
            let is_user = users.contains(&name.as_str());
            let is_named = dependencies[&package(&name)].contains(*library);
            assert!(is_named || !is_user, "{name} does not depend on {library}");
            let is_used = speaks_of(&name, library);
            assert_eq!(is_used, is_user, "whether {name} uses {library}");
        }
    }
}

#[test]
fn the_arrows_are_the_ones_the_architecture_page_draws() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    for (name, allowed) in ARROWS {
        let allowed = if allowed.is_empty() {
            "nothing of ours".to_owned()
        } else {
            allowed.join(", ")
        };
        let drawn = page.lines().any(|line| {
            let mut halves = line.splitn(2, '→').map(str::trim);
            halves.next() == Some(*name)
                && halves.next().is_some_and(|rest| {
                    rest.split("  ")
                        .next()
                        .is_some_and(|arrows| arrows.trim() == allowed)
                })
        });
        assert!(drawn, "docs/architecture.md must draw `{name} → {allowed}`");
    }
}

/// Names of everything a package compiles in: `cargo metadata` lists weak optional dependencies
/// that no build contains, `cargo tree` does not.
fn compiled_in(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--package",
            package,
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_core_reaches_no_clock_no_chance_and_no_io() {
    for name in crates_on_disk()
        .iter()
        .filter(|name| PURE.contains(&name.as_str()))
    {
        let reached = compiled_in(&format!("wayfare-{name}"));
        assert!(reached.contains("wayfare-event"), "{reached:?}");
        for impure in IMPURE {
            assert!(
                !reached.contains(*impure),
                "wayfare-{name} reaches {impure}"
            );
        }
    }
}

#[test]
fn embedding_the_executor_reaches_no_clock_no_chance_and_no_io() {
    let reached = compiled_in("wayfare-example-executor");
    assert!(reached.contains("wayfare-executor"), "{reached:?}");
    for impure in IMPURE {
        assert!(
            !reached.contains(*impure),
            "wayfare-example-executor reaches {impure}"
        );
    }
}

#[test]
fn every_file_answers_one_question() {
    let mut files = Vec::new();
    source_files(&root().join("crates"), &mut files);
    source_files(&root().join("examples"), &mut files);
    source_files(&root().join("tests"), &mut files);
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        let own = source
            .lines()
            .take_while(|line| *line != "#[cfg(test)]")
            .count();
        assert!(own <= FILE_LINES_MAX, "{} has {own} lines", file.display());
        assert!(
            source.starts_with("//!"),
            "{} does not say its question",
            file.display()
        );
        assert!(
            file.file_name().unwrap() != "mod.rs",
            "{} is a mod.rs",
            file.display()
        );
    }
}

/// The kinds of input, by the names of their variants.
fn kinds_of_input() -> Vec<String> {
    let source = root().join("crates/executor/src/input.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let (_, after) = source.split_once("pub enum InputKind {\n").unwrap();
    let (body, _) = after.split_once("\n}\n").unwrap();
    let variants = body.lines().filter_map(|line| line.strip_prefix("    "));
    variants
        .filter(|line| line.starts_with(char::is_uppercase))
        .map(|line| line.split(['(', ' ', ',']).next().unwrap().to_owned())
        .collect()
}

#[test]
fn one_match_says_where_each_kind_of_input_is_decided() {
    let source = std::fs::read_to_string(root().join("crates/executor/src/step.rs")).unwrap();
    let lines = source.lines().count();
    assert!(lines <= STEP_LINES_MAX, "step.rs has {lines} lines");
    let (_, after) = source.split_once("\npub fn step(").unwrap();
    let (body, _) = after.split_once("\n}\n").unwrap();
    assert_eq!(body.matches("match &input.kind {").count(), 1);
    let kinds = kinds_of_input();
    assert!(kinds.len() >= 6, "{kinds:?}");
    for kind in kinds {
        let arms = body.lines().filter(|line| {
            let arm = line.trim_start().strip_prefix("InputKind::");
            let arm = arm.and_then(|arm| arm.strip_prefix(kind.as_str()));
            arm.is_some_and(|arm| arm.starts_with(['(', ' ']))
        });
        assert_eq!(arms.count(), 1, "{kind} is decided in one place");
    }
}

#[test]
fn the_top_level_holds_what_it_may_hold() {
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name.starts_with('.') || TOP_LEVEL.contains(&name.as_str()),
            "{name}"
        );
    }
}
