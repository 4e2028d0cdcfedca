//! How are problems told? On a terminal as rustc draws them: the code, the place, the line with what
//! is meant underlined, and what to do. For programs: `json`, `sarif`, `github`.

pub(crate) mod github;
pub(crate) mod json;
pub(crate) mod sarif;
mod source;

use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use wayfare_journey::diagnostic::{Diagnostic, Severity};
use wayfare_runtime::config::Problem;

use source::Source;

/// Bytes of a span that are underlined: who sees these knows the rest.
const DRAWN_BYTES_MAX: usize = 2_000;
/// Lines between two places up to which they are drawn as one piece.
const DRAWN_LINES_MAX: usize = 100;

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
        let source = Source::new(&file.source);
        for diagnostic in &file.diagnostics {
            out.push_str(&renderer.render(&[group(&path, &source, diagnostic)]));
            out.push_str("\n\n");
        }
    }
    out.push_str(&summary(files));
    out
}

fn group<'a>(path: &'a str, source: &Source<'a>, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.code.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str());
    let here = source.clamp(diagnostic.span, DRAWN_BYTES_MAX);
    let related = diagnostic.related.as_ref();
    let related = related.map(|(span, label)| (source.clamp(*span, DRAWN_BYTES_MAX), label));
    let is_near = |other: &Range<usize>| source.lines_between(&here, other) <= DRAWN_LINES_MAX;
    let (near, far) = match related {
        Some(related) if is_near(&related.0) => (Some(related), None),
        other => (None, other),
    };
    let window = near.iter().fold(here.clone(), |window, (range, _)| {
        window.start.min(range.start)..window.end.max(range.end)
    });
    let (window, line) = source.window(&window);
    let place = |range: &Range<usize>| range.start - window.start..range.end - window.start;
    let primary = AnnotationKind::Primary.span(place(&here));
    let primary = match &diagnostic.label {
        Some(label) => primary.label(label.as_str()),
        None => primary,
    };
    let mut snippet = Snippet::source(source.text.get(window.clone()).unwrap_or_default())
        .line_start(line)
        .path(path)
        .annotation(primary);
    if let Some((range, label)) = near {
        snippet = snippet.annotation(AnnotationKind::Context.span(place(&range)).label(label));
    }
    let mut group = title.element(snippet);
    if let Some((range, label)) = far {
        let (window, line) = source.window(&range);
        let place = range.start - window.start..range.end - window.start;
        let snippet = Snippet::source(source.text.get(window).unwrap_or_default())
            .line_start(line)
            .path(path)
            .annotation(AnnotationKind::Context.span(place).label(label));
        group = group.element(snippet);
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    group
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
