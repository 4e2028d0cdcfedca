//! How are problems told to a program of one's own? One JSON object, its keys always in this order.

use serde_json::Value;
use wayfare_journey::diagnostic::{Diagnostic, Severity};
use wayfare_runtime::config::Problem;

use super::source::{Place, Source};
use super::{count, shown, word};

/// `{"diagnostics": […], "errors": 1, "warnings": 0}`. What a problem does not have is left out.
pub(crate) fn json(files: &[Problem]) -> String {
    let all = files.iter().flat_map(|file| {
        let source = Source::new(&file.source);
        let told = file.diagnostics.iter();
        told.map(move |diagnostic| one(&shown(&file.path), &source, diagnostic))
    });
    let all: Vec<String> = all.collect();
    object(&[
        ("diagnostics", format!("[{}]", all.join(","))),
        ("errors", count(files, Severity::Error).to_string()),
        ("warnings", count(files, Severity::Warning).to_string()),
    ])
}

fn one(path: &str, source: &Source<'_>, diagnostic: &Diagnostic) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let place = source.place(diagnostic.span);
    let mut members = vec![
        ("code", text(diagnostic.code.as_str())),
        ("severity", text(word(diagnostic.code.severity()))),
        ("message", text(&diagnostic.message)),
        ("file", text(path)),
    ];
    members.extend(corners(place));
    members.extend(diagnostic.label.as_ref().map(|it| ("label", text(it))));
    members.extend(diagnostic.hint.as_ref().map(|it| ("hint", text(it))));
    members.extend(diagnostic.related.as_ref().map(|(span, message)| {
        let mut related = vec![("message", text(message))];
        related.extend(corners(source.place(*span)));
        ("related", format!("[{}]", object(&related)))
    }));
    object(&members)
}

fn corners(place: Place) -> [(&'static str, String); 4] {
    [
        ("line", place.line.to_string()),
        ("column", place.column.to_string()),
        ("endLine", place.end_line.to_string()),
        ("endColumn", place.end_column.to_string()),
    ]
}

/// An object of members that are JSON already.
fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(key, value)| format!("\"{key}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}
