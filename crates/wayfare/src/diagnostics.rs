//! How is a problem drawn on a terminal? As rustc draws them: the code, the place, the line with
//! what is meant underlined, and what to do.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use wayfare_journey::diagnostic::{Diagnostic, Severity};
use wayfare_runtime::config::Problem;

/// All problems of some files, drawn, with a last line that counts them.
pub(crate) fn draw(files: &[Problem], color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for file in files {
        let path = file.path.display().to_string();
        for diagnostic in &file.diagnostics {
            out.push_str(&renderer.render(&groups(&path, &file.source, diagnostic)));
            out.push_str("\n\n");
        }
    }
    out.push_str(&summary(files));
    out
}

fn groups<'a>(path: &'a str, source: &'a str, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.code.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let primary = AnnotationKind::Primary.span(clamp(source, diagnostic.span.range()));
    let primary = match &diagnostic.label {
        Some(label) => primary.label(label.as_str()),
        None => primary,
    };
    let mut snippet = Snippet::source(source)
        .line_start(1)
        .path(path)
        .annotation(primary);
    if let Some((span, label)) = &diagnostic.related {
        let place = clamp(source, span.range());
        snippet = snippet.annotation(AnnotationKind::Context.span(place).label(label.as_str()));
    }
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str());
    let mut group = title.element(snippet);
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    vec![group]
}

/// A range that lies in the source, whatever the diagnostic says.
fn clamp(source: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = source.floor_char_boundary(range.start.min(source.len()));
    let end = source.ceil_char_boundary(range.end.min(source.len()));
    start..end.max(start)
}

/// `2 errors, 1 warning in 3 files`.
fn summary(files: &[Problem]) -> String {
    let count = |severity: Severity| {
        let all = files.iter().flat_map(|file| &file.diagnostics);
        all.filter(|it| it.code.severity() == severity).count()
    };
    let with = files.iter().filter(|file| !file.diagnostics.is_empty());
    let counted = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    format!(
        "{}, {} in {}",
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning"),
        counted(with.count(), "file"),
    )
}

/// Problems as JSON: a list of objects with code, severity, file, line, column, message and hint.
pub(crate) fn json(files: &[Problem]) -> String {
    let mut list = Vec::new();
    for file in files {
        for diagnostic in &file.diagnostics {
            let (line, column) = line_column(&file.source, diagnostic.span.start);
            list.push(serde_json::json!({
                "code": diagnostic.code.as_str(),
                "severity": match diagnostic.code.severity() {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                },
                "file": file.path.display().to_string(),
                "line": line,
                "column": column,
                "message": diagnostic.message,
                "hint": diagnostic.hint,
            }));
        }
    }
    serde_json::Value::Array(list).to_string()
}

/// Line and column from 1, the column in characters.
fn line_column(source: &str, offset: usize) -> (usize, usize) {
    let offset = source.floor_char_boundary(offset.min(source.len()));
    let before = source.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}
