//! How do results look to programs? One JSON object.

use serde_json::{Value, json};
use wayfare_runtime::config::Problem;
use wayfare_runtime::trial::{Coverage, Tried};

use super::Results;
use crate::diagnostics;

/// Everything, as one line.
pub(super) fn json(results: &Results) -> String {
    let untested = results.untested.iter().map(|(id, _)| id.as_str());
    let untested: Vec<&str> = untested.collect();
    let told = json!({
        "passed": results.passed(),
        "failed": results.failed(),
        "cases": results.cases.iter().map(case).collect::<Vec<_>>(),
        "coverage": results.coverage.iter().map(coverage).collect::<Vec<_>>(),
        "untested": untested,
        "problems": problems(&[&results.broken, &results.uncovered]),
    });
    told.to_string()
}

fn case(tried: &Tried) -> Value {
    let mismatches: Vec<String> = tried.mismatches.iter().map(ToString::to_string).collect();
    json!({
        "journey": &*tried.journey,
        "name": tried.name,
        "file": tried.path.display().to_string(),
        "line": tried.line,
        "passed": tried.passed(),
        "mismatches": mismatches,
        "story": tried.story,
    })
}

fn coverage(coverage: &Coverage) -> Value {
    let blocks = coverage.blocks.iter().map(|block| {
        let arms = block.arms.iter();
        let arms = arms.map(|arm| json!({ "label": arm.label, "taken": arm.is_taken }));
        json!({
            "block": &*block.key,
            "reached": block.is_reached,
            "arms": arms.collect::<Vec<_>>(),
        })
    });
    json!({ "journey": &*coverage.journey, "blocks": blocks.collect::<Vec<_>>() })
}

/// Problems as `wayfare check` tells them.
fn problems(lists: &[&Vec<Problem>]) -> Value {
    let files: Vec<Problem> = lists.iter().copied().flatten().cloned().collect();
    let told: Value = serde_json::from_str(&diagnostics::json::json(&files)).unwrap_or_default();
    told.get("diagnostics").cloned().unwrap_or_default()
}
