//! How are problems told? On a terminal as rustc draws them: the code, the place, the line with what
//! is meant underlined, and what to do. For programs: `json`, `sarif`, `github`.

pub(crate) mod github;
pub(crate) mod json;
pub(crate) mod sarif;

use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use wayfare_journey::diagnostic::{Diagnostic, Severity, Span};
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
        let path = shown(&file.path);
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

/// How many problems of some files are errors, or warnings.
pub(crate) fn count(files: &[Problem], severity: Severity) -> usize {
    let all = files.iter().flat_map(|file| &file.diagnostics);
    all.filter(|it| it.code.severity() == severity).count()
}

/// `2 errors, 1 warning in 3 files`.
fn summary(files: &[Problem]) -> String {
    let with = files.iter().filter(|file| !file.diagnostics.is_empty());
    let counted = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    format!(
        "{}, {} in {}",
        counted(count(files, Severity::Error), "error"),
        counted(count(files, Severity::Warning), "warning"),
        counted(with.count(), "file"),
    )
}

/// A file as it is named to its author: `./` says nothing.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    text.strip_prefix("./").unwrap_or(&text).to_owned()
}

/// The word for a severity.
const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Where a span begins and ends; lines and columns count from 1, columns in characters, and the end
/// is the place after the last character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Place {
    fn of(source: &str, span: Span) -> Self {
        let range = clamp(source, span.range());
        let (line, column) = line_column(source, range.start);
        let (end_line, end_column) = line_column(source, range.end);
        Self {
            line,
            column,
            end_line,
            end_column,
        }
    }
}

fn line_column(source: &str, offset: usize) -> (usize, usize) {
    let before = source.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (line, column)
}
