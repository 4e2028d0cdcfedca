//! What is wrong with a file, where, and what should its author do? Not here: how it is drawn on a
//! terminal (the binary does that).

use std::fmt;
use std::ops::Range;

/// Where in a file: bytes, from `start` up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to but not including `end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The span as a range for slicing.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// One problem in one file. A file's problems are reported all at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// What to underline.
    pub span: Span,
    /// One sentence, lower-case, without a final period.
    pub message: String,
    /// What stands under the underline, when the message does not say it all.
    pub label: Option<String>,
    /// A second place that explains the first.
    pub related: Option<(Span, String)>,
    /// What to do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A problem with this code at this place.
    #[must_use]
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            span,
            message: message.into(),
            label: None,
            related: None,
            hint: None,
        }
    }

    /// The same with words under the underline.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same with a second place.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with advice, when there is any.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// Whether a problem keeps a journey from being published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but somebody should look.
    Warning,
}

macro_rules! codes {
    ($($name:ident = $code:literal $severity:ident $meaning:literal,)*) => {
        /// The stable codes of everything the checker can say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is printed.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Whether it is an error or a warning.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    Yaml = "J0101" Error "The file is not YAML that can be read.",
    DuplicateKey = "J0102" Error "A key stands twice in one mapping.",
    HostileYaml = "J0103" Error "The file uses anchors, tags, several documents, or is too large or too deep.",
    WrongShape = "J0104" Error "A value has another shape than this place takes.",
    UnquotedBraces = "J0105" Error "A `{…}` without quotes is a mapping to YAML, not a placeholder.",
    UnknownKey = "J0201" Error "A key that means nothing here.",
    MissingKey = "J0202" Error "A key that must be here is not.",
    InvalidName = "J0203" Error "A name uses characters it may not, or is too long.",
    InvalidDuration = "J0204" Error "A duration that cannot be read or is outside its limits.",
    BlockKind = "J0205" Error "A block has no kind, or more than one.",
    InvalidValue = "J0206" Error "A value is none of those this place takes.",
    InvalidTime = "J0207" Error "A time of day, a zone, a day or a schedule that cannot be read.",
    Expression = "J0301" Error "An expression cannot be read.",
    UnknownName = "J0302" Error "An expression names something that does not exist here.",
    Placeholder = "J0303" Error "A placeholder cannot be read or may not stand here.",
    UndeclaredName = "J0304" Error "A trait or property that `types:` does not declare.",
    ImpossibleComparison = "J0305" Error "A comparison that can only come out one way.",
    UnknownBlock = "J0401" Error "A successor that is no block of this journey.",
    UnreachableBlock = "J0402" Error "A block nothing leads to.",
    NoWayToEnd = "J0403" Error "A block from which no webhook or exit can be reached.",
    WebhookSuccessor = "J0404" Error "A webhook is terminal and has no successor.",
    WebhookWithoutDecision = "J0405" Error "A webhook is reached from an event without any decision on the way.",
    MissingElse = "J0406" Error "A decide block does not end in `else`.",
    DeadArm = "J0407" Error "An arm after one that always holds.",
    PassingCycle = "J0408" Error "A cycle whose waits may all pass at once.",
    NoTimeout = "J0409" Error "A wait for something that may never come has no timeout.",
    PolledCondition = "J0410" Error "A condition only polling could wake.",
    NoMissing = "J0411" Error "A wait until a date does not say where those without one go.",
    MissingConsent = "J0501" Error "A webhook that does not say what allows it.",
    UnknownCategory = "J0502" Error "A consent category that is not configured.",
    ConsentContradiction = "J0503" Error "Accept is required where the same category's decline started the journey.",
    LiteralSecret = "J0504" Error "A secret written into the file.",
    InvalidUrl = "J0505" Error "A URL that cannot be called, or that is refused by the address rules.",
    InvalidHeader = "J0506" Error "A header that is not one, or that the engine owns.",
    RawEvent = "J0507" Error "A payload that is the whole raw event.",
    DuplicateJourney = "J0601" Error "Two journeys with one id.",
    UnknownTested = "J0701" Error "A test names a journey that is not there.",
    UnknownTestBlock = "J0702" Error "A test names a block its journeys do not have.",
    TestTime = "J0703" Error "A time in a test that cannot be read, or that goes back.",
    Matcher = "J0704" Error "A matcher that is none, or whose pattern cannot be read.",
    TestEvent = "J0705" Error "An event in a test that would be rejected.",
    DuplicateTest = "J0706" Error "Two tests of one file have one name.",
    NoDescription = "J0901" Warning "The journey has no description.",
    PersonalQuery = "J0902" Warning "Personal data in the query of a URL.",
    RepeatedPost = "J0903" Warning "A POST that may be repeated.",
    UnresolvedSecret = "J0904" Warning "A secret that is not there.",
    NearMiss = "J0905" Warning "A name used once that is nearly another one.",
    Uncovered = "J0910" Warning "No test covers this block, or this arm of it.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Edits between two names that are still near each other.
const NEAR_EDITS: usize = 2;
/// Names that are looked through for the nearest.
const KNOWN_MAX: usize = 1_000;

/// The known name nearest to a mistyped one, within two edits.
#[must_use]
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .take(KNOWN_MAX)
        .filter_map(|name| Some((edits(typed, name)?, name)))
        .filter(|(distance, name)| *distance < name.chars().count())
        .min()
        .map(|(_, name)| name)
}

/// Insertions, deletions, substitutions and swaps of neighbours between two names; nothing when
/// there are more than two. Only the first 64 characters count.
pub(crate) fn edits(left: &str, right: &str) -> Option<usize> {
    const FAR: usize = NEAR_EDITS + 1;
    let left: Vec<char> = left.chars().take(64).collect();
    let right: Vec<char> = right.chars().take(64).collect();
    if left.len().abs_diff(right.len()) > NEAR_EDITS {
        return None;
    }
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(FAR);
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut next = vec![FAR; right.len() + 1];
        if let Some(first) = next.first_mut() {
            *first = i + 1;
        }
        // Off the diagonal by more than two it takes more than two edits.
        let near = right.iter().enumerate().take(i + NEAR_EDITS + 1);
        for (j, r) in near.skip(i.saturating_sub(NEAR_EDITS)) {
            let mut best = (at(&row, j) + usize::from(l != r))
                .min(at(&row, j + 1) + 1)
                .min(at(&next, j) + 1);
            let swapped =
                i > 0 && j > 0 && left.get(i - 1) == Some(r) && right.get(j - 1) == Some(l);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            if let Some(here) = next.get_mut(j + 1) {
                *here = best;
            }
        }
        if next.iter().all(|it| *it >= FAR) {
            return None;
        }
        before = row;
        row = next;
    }
    row.last().copied().filter(|edits| *edits <= NEAR_EDITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_within_two_edits() {
        let known = ["event", "profile", "properties", "account"];
        assert_eq!(nearest("profle", known), Some("profile"));
        assert_eq!(nearest("evnet", known), Some("event"));
        assert_eq!(nearest("consent", known), None);
        assert_eq!(nearest("to", ["no"]), Some("no"));
        assert_eq!(nearest("xy", ["ab"]), None);
        assert_eq!(edits("", ""), Some(0));
        assert_eq!(edits("abcdef", "badcef"), Some(2));
        assert_eq!(edits("abcdef", "cdef"), Some(2));
        assert_eq!(edits("abcdef", "def"), None);
        assert_eq!(edits("abcdef", "abcdefgh"), Some(2));
        assert_eq!(edits("xabcdef", "abcdefx"), Some(2));
        assert_eq!(edits("xyabcd", "abcdxy"), None);
    }

    #[test]
    fn every_code_is_used_once() {
        let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
        assert!(codes.is_sorted());
    }
}
