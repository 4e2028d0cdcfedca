//! Is every text a journey, or told what is wrong with it, and where? And does layout not count?

use std::sync::Arc;

use wayfare_journey::diagnostic::{Diagnostic, Severity, Span};
use wayfare_journey::{Compiled, Drawing, Known, Vet, compile, draw, near_misses, parse, yaml};

pub(super) fn read(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(problem) = yaml::read(&text) {
        are_told(&text, &[*problem]);
    }
    let parsed = parse(&text);
    if let Err(problems) = &parsed {
        are_told(&text, problems);
        assert!(!problems.is_empty());
    }
    let Some(compiled) = compiles(&text, &anywhere) else {
        return;
    };
    assert!(parsed.is_ok(), "a graph of what is no definition");
    is_whole(&compiled);
    assert_eq!(compiled.graph.source(), text);
    let again = compiles(&text, &anywhere).expect("what compiled once compiles again");
    let drawn = |compiled: &Compiled, drawing| draw(&compiled.graph, drawing);
    for laid_out in laid_out(&text) {
        let other =
            compiles(&laid_out, &anywhere).unwrap_or_else(|| panic!("layout counts:\n{laid_out}"));
        assert_eq!(other.graph.version(), compiled.graph.version());
        for drawing in [Drawing::Mermaid, Drawing::Dot] {
            assert_eq!(drawn(&other, drawing), drawn(&again, drawing));
        }
    }
    for (_, diagnostic) in near_misses(&[&compiled.names, &again.names]) {
        are_told(&text, &[diagnostic]);
    }
}

/// Every URL may be called.
fn anywhere(_: &str) -> Result<(), String> {
    Ok(())
}

/// What a journey compiles to where two categories are configured; its problems are about the text.
pub(super) fn compiles(text: &str, vet: Vet<'_>) -> Option<Compiled> {
    let categories: [Arc<str>; 2] = ["marketing".into(), "product".into()];
    let known = Known {
        categories: &categories,
        vet,
        ..Known::default()
    };
    match compile(text, &known) {
        Ok(compiled) => {
            are_told(text, &compiled.warnings);
            let severities = compiled.warnings.iter().map(|it| it.code.severity());
            severities.for_each(|severity| assert_eq!(severity, Severity::Warning));
            Some(compiled)
        }
        Err(problems) => {
            are_told(text, &problems);
            let mut severities = problems.iter().map(|it| it.code.severity());
            assert!(severities.any(|severity| severity == Severity::Error));
            None
        }
    }
}

/// The problems stand in order, and each is about a place of the text.
pub(super) fn are_told(text: &str, problems: &[Diagnostic]) {
    assert!(problems.is_sorted_by_key(|problem| problem.span));
    for problem in problems {
        is_in(text, problem.span, &problem.message);
        if let Some((span, label)) = &problem.related {
            is_in(text, *span, label);
        }
        assert!(!problem.message.is_empty());
    }
}

/// A span is whole characters of the text.
pub(super) fn is_in(text: &str, span: Span, message: &str) {
    assert!(
        text.get(span.range()).is_some(),
        "{message} at {span:?} of {} bytes",
        text.len()
    );
}

/// Names lead to blocks and ways lead to blocks.
fn is_whole(compiled: &Compiled) {
    let graph = &compiled.graph;
    let blocks: Vec<_> = graph.blocks().collect();
    assert!(blocks.contains(&graph.start()));
    for block in &blocks {
        assert_eq!(graph.find(graph.key(*block)), Some(*block));
        for (_, next) in graph.successors(*block) {
            assert!(blocks.contains(&next));
        }
    }
}

/// The same file with other layout, where it is easy to say that only layout changes.
fn laid_out(text: &str) -> Vec<String> {
    let comment = "# A comment says nothing.\n\n";
    let fits = text.len() + comment.len() < yaml::FILE_BYTES_MAX;
    let mut texts = Vec::new();
    // What stands before a byte order mark or a directive makes it text.
    if fits && !text.starts_with(['\u{feff}', '%']) {
        texts.push(format!("{comment}{text}"));
    }
    // A text in a block takes the empty lines behind it.
    if fits && !text.contains(['|', '>']) {
        texts.push(format!("{text}\n{comment}"));
    }
    texts
}
