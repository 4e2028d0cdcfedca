//! Where are the placeholders in a text? `{expression}` splits it; `{{` and `}}` are braces. Not
//! here: what the expressions mean (`expression`) or what a missing value does (`render`).

use crate::diagnostic::Span;

/// One piece of a text that may hold placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that stands for itself, doubled braces undone.
    Literal(String),
    /// The expression between braces, and where it stands in the text.
    Placeholder { source: String, span: Span },
}

/// What is wrong with a text's braces, and where in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BraceError {
    pub(crate) span: Span,
    pub(crate) message: &'static str,
    pub(crate) hint: &'static str,
}

/// Splits a text at its placeholders. Braces inside quotes and nested braces belong to the
/// expression they stand in.
pub(crate) fn split(text: &str) -> Result<Vec<Piece>, BraceError> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let doubled = characters
            .peek()
            .is_some_and(|(_, next)| *next == character);
        match character {
            '{' | '}' if doubled => {
                literal.push(character);
                characters.next();
            }
            '}' => {
                return Err(BraceError {
                    span: Span::new(at, at + 1),
                    message: "this brace closes nothing",
                    hint: "a brace that stands for itself is written `}}`",
                });
            }
            '{' => {
                let end = closing(text, at + 1).ok_or_else(|| BraceError {
                    span: Span::new(at, at + 1),
                    message: "this placeholder is not closed",
                    hint: "close it with `}`; a brace that stands for itself is written `{{`",
                })?;
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                let span = Span::new(at + 1, end);
                let source = text.get(span.range()).unwrap_or_default().to_owned();
                pieces.push(Piece::Placeholder { source, span });
                while characters.next_if(|(next, _)| *next <= end).is_some() {}
            }
            _ => literal.push(character),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// Where the brace stands that closes a placeholder begun before `start`.
fn closing(text: &str, start: usize) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    let mut depth = 0_usize;
    for (at, character) in text.get(start..)?.char_indices() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(start + at),
            (None, '}') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Literals as they are, placeholders in angle brackets.
    fn shown(text: &str) -> String {
        split(text).map_or_else(
            |error| format!("{} at {}", error.message, error.span.start),
            |pieces| {
                let show = |piece: &Piece| match piece {
                    Piece::Literal(literal) => literal.clone(),
                    Piece::Placeholder { source, span } => {
                        assert_eq!(text.get(span.range()), Some(source.as_str()));
                        format!("<{source}>")
                    }
                };
                pieces.iter().map(show).collect()
            },
        )
    }

    #[test]
    fn placeholders_are_found_and_doubled_braces_are_braces() {
        let check = |text: &str, expected: &str| assert_eq!(shown(text), expected, "{text}");
        check("plain", "plain");
        check("{a}", "<a>");
        check(
            "https://x.example/{a}/b/{c.d ?? \"}\"}?e={f}",
            "https://x.example/<a>/b/<c.d ?? \"}\">?e=<f>",
        );
        check("{{not}} {a}", "{not} <a>");
        check("\u{e9}{a}\u{e9}", "\u{e9}<a>\u{e9}");
        check("{'\\'}'}", "<'\\'}'>");
        check("{}", "<>");
        check("open {a", "this placeholder is not closed at 5");
        check("a} b", "this brace closes nothing at 1");
    }

    proptest! {
        #[test]
        fn any_text_can_be_split(text: String) {
            let pieces = split(&text);
            let braces = text.contains(['{', '}']);
            prop_assert!(pieces.is_ok() || braces);
        }

        #[test]
        fn a_text_with_its_braces_doubled_is_itself(text: String) {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            let expected = if text.is_empty() { vec![] } else { vec![Piece::Literal(text)] };
            prop_assert_eq!(split(&doubled), Ok(expected));
        }
    }
}
