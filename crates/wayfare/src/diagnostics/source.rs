//! Where in a file does a span stand? Lines are found once for all problems of a file.

use std::ops::Range;

use wayfare_journey::diagnostic::Span;

/// Bytes after a span that are drawn of its last line.
const TAIL_BYTES: usize = 300;

/// A file's text and where its lines begin.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    starts: Vec<usize>,
}

/// Where a span begins and ends; lines and columns count from 1, columns in characters, and the end
/// is the place after the last character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self { text, starts }
    }

    /// The span as a range of the text, whatever the diagnostic says, at most so long.
    pub(super) fn clamp(&self, span: Span, bytes_max: usize) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        let end = span.end.min(start.saturating_add(bytes_max));
        let end = self.text.ceil_char_boundary(end);
        start..end.max(start)
    }

    pub(super) fn place(&self, span: Span) -> Place {
        let range = self.clamp(span, usize::MAX);
        let (line, column) = self.line_column(range.start);
        let (end_line, end_column) = self.line_column(range.end);
        Place {
            line,
            column,
            end_line,
            end_column,
        }
    }

    /// The lines of a range, the last not much further than it goes, and the number of the first.
    pub(super) fn window(&self, range: &Range<usize>) -> (Range<usize>, usize) {
        let (line, start) = self.line(range.start);
        let (last, _) = self.line(range.end);
        let end = self.starts.get(last).copied().unwrap_or(self.text.len());
        let end = end.min(range.end.saturating_add(TAIL_BYTES));
        (start..self.text.floor_char_boundary(end), line)
    }

    pub(super) fn lines_between(&self, one: &Range<usize>, other: &Range<usize>) -> usize {
        self.line(one.start).0.abs_diff(self.line(other.start).0)
    }

    /// The number of the line an offset stands in, and where that line begins.
    fn line(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1));
        (line, start.copied().unwrap_or_default())
    }

    fn line_column(&self, offset: usize) -> (usize, usize) {
        let (line, start) = self.line(offset);
        let before = self.text.get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}
