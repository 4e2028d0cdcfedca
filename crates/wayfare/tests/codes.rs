//! Does every code have a page whose examples are true, and is what its author reads the text that
//! was reviewed? `docs/codes.md` is where the pages stand; `tests/snapshots` has the reviewed texts.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use wayfare_journey::diagnostic::{Code, Severity};

const PAGES: &str = include_str!("../../../docs/codes.md");

/// The page of a code, from behind its heading to the next.
fn page(code: Code) -> &'static str {
    let (_, rest) = PAGES.split_once(&format!("\n## {code}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// What stands in the first fence of this kind.
fn fence<'a>(text: &'a str, kind: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n```{kind}\n")).unwrap();
    rest.split("```").next().unwrap()
}

/// The parts of a file: a line that `begins` one, and the lines up to the next.
fn parts(text: &str, begins: fn(&str) -> bool) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        match parts.last_mut() {
            Some(part) if !begins(line) => part.push_str(line),
            Some(_) | None => parts.push(line.to_owned()),
        }
    }
    parts
}

fn key(part: &str) -> &str {
    part.lines().next().unwrap().split(':').next().unwrap()
}

fn is_top(line: &str) -> bool {
    !line.starts_with([' ', '\n'])
}

fn is_block(line: &str) -> bool {
    let rest = line.strip_prefix("  ");
    rest.is_some_and(|rest| !rest.starts_with(' '))
}

fn is_name(line: &str) -> bool {
    line.starts_with("# ") && line.trim_end().ends_with(".yaml")
}

/// The parts of `base`, those of the same key as `merge` makes them of both; the others of
/// `example` come last.
fn laid_over(
    base: &str,
    example: &str,
    begins: fn(&str) -> bool,
    merge: fn(&str, &str) -> String,
) -> String {
    let mut whole = parts(base, begins);
    for part in parts(example, begins) {
        match whole.iter_mut().find(|it| key(it) == key(&part)) {
            Some(same) => *same = merge(same, &part),
            None => whole.push(part),
        }
    }
    whole.concat()
}

/// The journey of the page with an example in it.
fn with(example: &str) -> String {
    let blocks = |base: &str, part: &str| match key(part) {
        "blocks" => laid_over(base, part, is_block, |_, block| block.to_owned()),
        _ => part.to_owned(),
    };
    laid_over(fence(PAGES, "yaml"), example, is_top, blocks)
}

/// A directory of what an example says: files under the `# name.yaml` lines that begin them, before
/// the first of which stands the journey of the page.
fn directory(example: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).unwrap();
    };
    write("plan-upgrade.yaml", fence(PAGES, "yaml"));
    for file in parts(example, is_name) {
        let named = file.strip_prefix("# ").and_then(|it| it.split_once('\n'));
        let is_whole = file.starts_with("journey:") && file.contains("\nblocks:");
        match named {
            Some((name, text)) => write(name, text),
            None if is_whole => write("plan-upgrade.yaml", &file),
            None => write("plan-upgrade.yaml", &with(&file)),
        }
    }
    directory
}

/// Exit status and stdout.
fn answer(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        command.env_remove(format!("WAYFARE_{name}"));
    }
    command.env("BILLING_TOKEN", "t").env_remove("BILING_TOKEN");
    let output = command.current_dir(directory).args(arguments).output();
    let output = output.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text)
}

/// The codes told about an example.
fn told(example: &str) -> BTreeSet<String> {
    let directory = directory(example);
    let (_, out) = answer(directory.path(), &["check", ".", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    let told = told["diagnostics"].as_array().unwrap();
    let codes = told.iter().map(|it| it["code"].as_str().unwrap());
    codes.map(str::to_owned).collect()
}

#[test]
fn the_pages_are_the_codes_there_are() {
    let headings = PAGES.lines().filter_map(|line| line.strip_prefix("## "));
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(headings.collect::<Vec<_>>(), codes);
    for code in Code::ALL {
        let severity = match code.severity() {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
        };
        let first = format!("\n{severity}. {}\n\n", code.meaning());
        assert!(page(*code).starts_with(&first), "{code} says `{first}`");
    }
}

#[test]
fn every_wrong_example_makes_its_code_and_every_right_one_is_right() {
    assert_eq!(
        told(""),
        BTreeSet::new(),
        "the journey of the page is right"
    );
    for code in Code::ALL {
        let wrong = told(fence(page(*code), "yaml wrong"));
        let expected = BTreeSet::from([code.to_string()]);
        assert_eq!(wrong, expected, "{code}, wrong");
        let right = told(fence(page(*code), "yaml right"));
        assert_eq!(right, BTreeSet::new(), "{code}, right");
    }
}

#[test]
fn every_code_is_drawn_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for code in Code::ALL {
        let directory = directory(fence(page(*code), "yaml wrong"));
        let (status, drawn) = answer(directory.path(), &["check", "."]);
        let is_error = code.severity() == Severity::Error;
        assert_eq!(status, i32::from(is_error), "{code}: {drawn}");
        settings.bind(|| insta::assert_snapshot!(code.as_str(), drawn));
    }
}

#[test]
fn every_reviewed_text_belongs_to_a_code() {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let names = std::fs::read_dir(snapshots).unwrap();
    let names: BTreeSet<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let codes = Code::ALL.iter().map(|code| format!("{code}.snap"));
    assert_eq!(names, codes.collect());
}

#[test]
fn a_code_explains_itself_and_a_typo_is_told_the_nearest() {
    let directory = directory("");
    for code in Code::ALL {
        for typed in [code.to_string(), code.to_string().to_lowercase()] {
            let (status, out) = answer(directory.path(), &["check", "--explain", &typed]);
            assert_eq!(status, 0, "{typed}");
            for words in [code.as_str(), code.meaning(), "\nWrong:\n", "\nRight:\n"] {
                assert!(out.contains(words), "{typed}: `{words}` is not in\n{out}");
            }
            assert!(!out.contains("```"), "{out}");
        }
    }
    let check = |typed: &str, words: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
        let output = command
            .args(["check", "--explain", typed])
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(words), "{told}");
    };
    check("J0901x", "did you mean `J0901`?");
    check("nonsense", "docs/codes.md lists them");
}
