//! How are problems told to GitHub Actions? One workflow command a line; they become annotations on
//! the lines of a pull request.

use wayfare_journey::diagnostic::Diagnostic;
use wayfare_runtime::config::Problem;

use super::source::Source;
use super::{shown, summary, word};

/// A line for each problem, and a last line that counts them.
pub(crate) fn github(files: &[Problem]) -> String {
    let mut lines = Vec::new();
    for file in files {
        let path = shown(&file.path);
        let source = Source::new(&file.source);
        let told = file.diagnostics.iter();
        lines.extend(told.map(|diagnostic| command(&path, &source, diagnostic)));
    }
    lines.push(summary(files));
    lines.join("\n")
}

fn command(path: &str, source: &Source<'_>, diagnostic: &Diagnostic) -> String {
    let place = source.place(diagnostic.span);
    let severity = word(diagnostic.code.severity());
    // An annotation has columns on one line only.
    let end = if place.line == place.end_line {
        format!(",col={},endColumn={}", place.column, place.end_column)
    } else {
        format!(",endLine={}", place.end_line)
    };
    let message = [Some(&diagnostic.message), diagnostic.hint.as_ref()];
    let message: Vec<&str> = message.into_iter().flatten().map(String::as_str).collect();
    let (file, line, code) = (value(path), place.line, diagnostic.code);
    let message = data(&message.join("\n"));
    format!("::{severity} file={file},line={line}{end},title={code}::{message}")
}

/// What follows `::`, its line ends written as escapes.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What follows `name=`, where commas and colons have a meaning of their own.
fn value(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
