//! Does a file of the worst texts there are bring the reader down? Reads every file of the
//! directories named and gives each to everything that reads authors' text: YAML, journeys,
//! expressions, templates. What comes out does not matter; that something does, and that it points
//! into the text, does. `.ci/hostile` fetches the texts and runs this.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test program: an assumption that fails is a test that fails"
)]

use std::path::{Path, PathBuf};

use wayfare_journey::diagnostic::Diagnostic;
use wayfare_journey::expression::{Expression, Names};
use wayfare_journey::{Known, compile, parse, yaml};

/// A journey with a hole for a condition, one for a URL's path and one for a payload's text.
const HOLES: &str = "\
journey: holes
description: Texts stand where authors write them.
trigger:
  event: A
  where: CONDITION
blocks:
  tell:
    webhook:
      method: POST
      url: PLACE
      consent: { basis: contract, because: it is a test }
      payload:
        text: PAYLOAD
";

fn main() {
    let mut files: Vec<PathBuf> = Vec::new();
    for directory in std::env::args().skip(1) {
        let entries = std::fs::read_dir(directory).unwrap();
        files.extend(entries.map(|entry| entry.unwrap().path()));
    }
    files.sort();
    assert!(!files.is_empty(), "name directories with files in them");
    let mut journeys = 0;
    for path in &files {
        journeys += read(path);
    }
    println!(
        "{} texts were read, {journeys} times one made a journey",
        files.len()
    );
}

/// Gives a file to every reader; how often a journey came out.
fn read(path: &Path) -> usize {
    let bytes = std::fs::read(path).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let mut journeys = 0;
    if let Err(problem) = yaml::read(&text) {
        are_told(path, &text, &[*problem]);
    }
    if let Err(problems) = parse(&text) {
        are_told(path, &text, &problems);
    }
    journeys += usize::from(compiles(path, &text));
    let names = Names {
        event: true,
        trigger: true,
        ..Names::default()
    };
    if let Err(error) = Expression::parse(&text, &names) {
        let place = text.get(error.span.range());
        assert!(place.is_some(), "{}: {:?}", path.display(), error.span);
    }
    let quoted = serde_json::to_string(&text).unwrap();
    let single = format!("'{}'", text.replace('\'', "''"));
    let place = serde_json::to_string(&format!("https://a.example/{text}?q={text}")).unwrap();
    for written in [quoted, single] {
        let file = HOLES
            .replace("CONDITION", &written)
            .replace("PLACE", &place)
            .replace("PAYLOAD", &written);
        journeys += usize::from(compiles(path, &file));
    }
    let file = HOLES
        .replace("CONDITION", "'true'")
        .replace("PLACE", "https://a.example/")
        .replace("PAYLOAD", &text.replace('\n', "\n          "));
    journeys + usize::from(compiles(path, &file))
}

fn compiles(path: &Path, text: &str) -> bool {
    match compile(text, &Known::default()) {
        Ok(compiled) => {
            are_told(path, text, &compiled.warnings);
            true
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "{}", path.display());
            are_told(path, text, &problems);
            false
        }
    }
}

/// Each problem is about a place of the text.
fn are_told(path: &Path, text: &str, problems: &[Diagnostic]) {
    for problem in problems {
        let spans = [Some(problem.span), problem.related.as_ref().map(|it| it.0)];
        for span in spans.into_iter().flatten() {
            let place = text.get(span.range());
            assert!(place.is_some(), "{}: {problem:?}", path.display());
        }
    }
}
