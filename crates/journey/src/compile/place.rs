//! Where in the file does a part of a text stand? Quotes, escapes and folded lines make a text's
//! value another one than what is written.

use std::cell::OnceCell;

use crate::definition::Text;
use crate::diagnostic::Span;

/// A text's value and what is written, laid side by side when a place is asked for.
pub(super) struct Laid<'a> {
    source: &'a str,
    text: &'a Text,
    steps: OnceCell<Option<Vec<(usize, usize)>>>,
}

impl<'a> Laid<'a> {
    pub(super) const fn new(source: &'a str, text: &'a Text) -> Self {
        let steps = OnceCell::new();
        Self {
            source,
            text,
            steps,
        }
    }

    /// What the value says there.
    pub(super) fn value(&self, inner: Span) -> Option<&'a str> {
        self.text.value.get(inner.range())
    }

    /// The place of `inner`, in bytes of the text's value, in the file; the whole text where value
    /// and file cannot be laid side by side.
    pub(super) fn place(&self, inner: Span) -> Span {
        let text = self.text;
        let steps = self.steps.get_or_init(|| {
            let written = self.source.get(text.span.range()).unwrap_or_default();
            let mut styles = [None, Some('"'), Some('\'')].into_iter();
            styles.find_map(|quote| side_by_side(written, &text.value, quote))
        });
        let Some(steps) = steps else {
            return text.span;
        };
        let place = |at: usize| {
            let before = steps.partition_point(|(value, _)| *value <= at);
            let step = steps.get(before.saturating_sub(1));
            text.span.start + step.map_or(0, |(_, written)| *written)
        };
        Span::new(place(inner.start), place(inner.end))
    }
}

/// The place of one part of a text.
pub(super) fn within(source: &str, text: &Text, inner: Span) -> Span {
    Laid::new(source, text).place(inner)
}

/// Each character of a value and where it is written, as bytes of both; at last, both ends.
fn side_by_side(written: &str, value: &str, quote: Option<char>) -> Option<Vec<(usize, usize)>> {
    let blank = |text: &str| text.len() - text.trim_start().len();
    let mut rest = match quote {
        Some(quote) => written.strip_prefix(quote)?,
        None => written,
    };
    let mut left = value;
    let mut steps = Vec::new();
    while let Some(next) = left.chars().next() {
        steps.push((value.len() - left.len(), written.len() - rest.len()));
        let run = blank(rest);
        let (read, meant) = if rest.get(..run)?.contains('\n') {
            // Lines are folded and indented: what is blank in one is blank in the other.
            (run, Some(blank(left)).filter(|meant| *meant > 0)?)
        } else if rest.is_empty() && left.trim_start().is_empty() {
            (0, left.len())
        } else {
            let (read, meant) = character(rest, quote)?;
            (read, Some(next.len_utf8()).filter(|_| meant == next)?)
        };
        rest = rest.get(read..)?;
        left = left.get(meant..)?;
    }
    steps.push((value.len(), written.len() - rest.len()));
    Some(steps)
}

/// The next character in a style of quotes, and the bytes it is written with.
fn character(rest: &str, quote: Option<char>) -> Option<(usize, char)> {
    let first = rest.chars().next()?;
    match (quote, first) {
        (Some('\''), '\'') => rest.starts_with("''").then_some((2, '\'')),
        (Some('"'), '\\') => escape(rest),
        _ => Some((first.len_utf8(), first)),
    }
}

fn escape(rest: &str) -> Option<(usize, char)> {
    let letter = rest.chars().nth(1)?;
    let coded = |digits: usize| {
        let code = u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?;
        char::from_u32(code).map(|meant| (2 + digits, meant))
    };
    let meant = match letter {
        'x' => return coded(2),
        'u' => return coded(4),
        'U' => return coded(8),
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '"' | '\\' | '/' | ' ' => letter,
        _ => return None,
    };
    Some((2, meant))
}
