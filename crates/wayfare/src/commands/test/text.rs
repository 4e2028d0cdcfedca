//! How do results look to people? A line for each case, failures with their stories, coverage, and
//! a last line that counts.

use std::fmt::Write as _;

use wayfare_runtime::trial::{Coverage, Tried};

use super::Results;
use crate::diagnostics;

/// Everything, ready to print.
pub(super) fn text(results: &Results, color: bool) -> String {
    let mut out = String::new();
    for tried in &results.cases {
        let word = if tried.passed() {
            painted("ok  ", "32", color)
        } else {
            painted("FAIL", "31", color)
        };
        put(
            &mut out,
            &format!("{word}  {}: {}", tried.journey, tried.name),
        );
    }
    for tried in results.cases.iter().filter(|it| !it.passed()) {
        failure(&mut out, tried, color);
    }
    coverage(&mut out, results);
    for problems in [&results.uncovered, &results.broken] {
        if !problems.is_empty() {
            put(&mut out, "");
            put(&mut out, &diagnostics::draw(problems, color));
        }
    }
    put(&mut out, "");
    out.push_str(&summary(results));
    out
}

/// `4 passed, 1 failed`.
fn summary(results: &Results) -> String {
    let counts = format!("{} passed, {} failed", results.passed(), results.failed());
    match results.broken.len() {
        0 => counts,
        1 => format!("{counts}, 1 file with problems"),
        files => format!("{counts}, {files} files with problems"),
    }
}

fn failure(out: &mut String, tried: &Tried, color: bool) {
    put(out, "");
    let word = painted("FAIL", "31", color);
    let place = format!("{}:{}", tried.path.display(), tried.line);
    put(out, &format!("{word}  {}: {}", tried.journey, tried.name));
    put(out, &format!("  at {place}"));
    for mismatch in &tried.mismatches {
        for line in mismatch.to_string().lines() {
            put(out, &format!("  {line}"));
        }
    }
    put(out, "  what happened");
    for line in &tried.story {
        put(out, &format!("    {line}"));
    }
    if tried.story.is_empty() {
        put(out, "    nothing that concerns a journey");
    }
}

fn coverage(out: &mut String, results: &Results) {
    if results.coverage.is_empty() && results.untested.is_empty() {
        return;
    }
    put(out, "");
    let tested = results.coverage.iter().map(|it| it.journey.len());
    let untested = results.untested.iter().map(|(id, _)| id.len());
    let width = tested.chain(untested).max().unwrap_or_default();
    for it in &results.coverage {
        put(out, &format!("{:<width$}  {}", it.journey, covered(it)));
    }
    for (id, path) in &results.untested {
        let line = format!("{id:<width$}  no test, see `{}`", path.display());
        put(out, &line);
    }
}

/// `3 of 3 blocks, 2 of 2 arms`.
fn covered(coverage: &Coverage) -> String {
    let (reached, blocks) = coverage.blocks_reached();
    let (taken, arms) = coverage.arms_taken();
    format!("{reached} of {blocks} blocks, {taken} of {arms} arms")
}

fn painted(word: &str, code: &str, color: bool) -> String {
    if color {
        format!("\x1b[{code}m{word}\x1b[0m")
    } else {
        word.to_owned()
    }
}

fn put(out: &mut String, line: &str) {
    // A string takes whatever is written to it.
    let _written = writeln!(out, "{line}");
}
