//! Where in the file does a part of a text stand?

use crate::definition::Text;
use crate::diagnostic::Span;

/// The place of `inner`, in bytes of the text's value, in the file. Where escapes or folding make
/// the value another text than what is written, the whole text is the place.
pub(super) fn within(source: &str, text: &Text, inner: Span) -> Span {
    let written = source.get(text.span.range()).unwrap_or_default();
    let offset = written.find(text.value.as_str());
    match offset {
        Some(offset) if !text.value.is_empty() => {
            let start = text.span.start + offset;
            Span::new(start + inner.start, start + inner.end)
        }
        Some(_) | None => text.span,
    }
}
