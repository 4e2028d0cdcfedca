//! Did what must come of a case come of it? Lists are compared in order and completely.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use wayfare_event::{Map, Value};

use super::{Case, Difference, Expected, Pattern};

/// What came of a case. The parts have the names that test files give them; header names are in
/// lower case.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The requests that arrived, in order.
    pub requests: Vec<Map>,
    /// The decisions, in order.
    pub decisions: Vec<Map>,
    /// The refused entries, in order.
    pub refusals: Vec<Map>,
    /// The blocks of the journey that somebody came to.
    pub reached: BTreeSet<Arc<str>>,
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request.
    Request,
    /// A decision.
    Decision,
    /// A refused entry.
    Refusal,
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Decision => "decision",
            Self::Refusal => "refusal",
        }
    }
}

/// One thing that is not as a case says; `Display` tells it in lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// Something came, and is not as it must be.
    Differs {
        /// What.
        kind: Kind,
        /// Which of those expected, from 1.
        place: usize,
        /// Where it differs.
        differences: Vec<Difference>,
    },
    /// Something did not come.
    Missing {
        /// What.
        kind: Kind,
        /// Which of those expected, from 1.
        place: usize,
        /// Its parts, by name.
        parts: Vec<(String, String)>,
    },
    /// Something came that nobody expects.
    Extra {
        /// What.
        kind: Kind,
        /// Which of those that came, from 1.
        place: usize,
        /// Its parts, by name.
        parts: Vec<(String, String)>,
    },
    /// Somebody came to a block that nobody may reach.
    Reached {
        /// The block.
        block: Arc<str>,
    },
}

impl Case {
    /// Everything that is not as the case says; nothing when it passes.
    #[must_use]
    pub fn judge(&self, seen: &Seen) -> Vec<Mismatch> {
        let mut found = compare(Kind::Request, &self.requests, &seen.requests);
        if let Some(expected) = &self.decisions {
            found.extend(compare(Kind::Decision, expected, &seen.decisions));
        }
        if let Some(expected) = &self.refusals {
            found.extend(compare(Kind::Refusal, expected, &seen.refusals));
        }
        let reached = self.never.iter().filter(|it| seen.reached.contains(*it));
        found.extend(reached.map(|block| Mismatch::Reached {
            block: block.clone(),
        }));
        found
    }
}

impl Expected {
    fn differences(&self, actual: &Map) -> Vec<Difference> {
        let part = |(name, part): &(&str, Pattern)| part.differences(name, actual.get(name));
        self.parts.iter().flat_map(part).collect()
    }

    fn takes(&self, actual: &Map) -> bool {
        self.differences(actual).is_empty()
    }

    fn shown(&self) -> Vec<(String, String)> {
        let part = |(name, part): &(&str, Pattern)| ((*name).to_owned(), shown_pattern(part));
        self.parts.iter().map(part).collect()
    }
}

/// Compares two lists. What fits at both ends is set aside, so that one that is missing or too many
/// in between is told as that; the rest is compared one by one.
fn compare(kind: Kind, expected: &[Expected], actual: &[Map]) -> Vec<Mismatch> {
    let fits = |(expected, actual): &(&Expected, &Map)| expected.takes(actual);
    let before = expected.iter().zip(actual).take_while(fits).count();
    let rest = || {
        let expected = expected.iter().skip(before).rev();
        expected.zip(actual.iter().skip(before).rev())
    };
    let after = rest().take_while(fits).count();
    let middle = |length: usize| before..length - after;
    let mut found = Vec::new();
    let of_expected = middle(expected.len());
    let of_actual = middle(actual.len());
    for place in before..of_expected.end.max(of_actual.end) {
        let expected = expected.get(place).filter(|_| of_expected.contains(&place));
        let actual = actual.get(place).filter(|_| of_actual.contains(&place));
        let place = place + 1;
        match (expected, actual) {
            (Some(expected), Some(actual)) => {
                let differences = expected.differences(actual);
                if !differences.is_empty() {
                    found.push(Mismatch::Differs {
                        kind,
                        place,
                        differences,
                    });
                }
            }
            (Some(expected), None) => found.push(Mismatch::Missing {
                kind,
                place,
                parts: expected.shown(),
            }),
            (None, Some(actual)) => found.push(Mismatch::Extra {
                kind,
                place,
                parts: shown(actual),
            }),
            (None, None) => {}
        }
    }
    found
}

/// The parts of something that came, headers apart: nobody asked about them.
fn shown(map: &Map) -> Vec<(String, String)> {
    let parts = map.iter().filter(|(name, _)| &***name != "headers");
    parts
        .map(|(name, value)| (name.to_string(), shown_value(value)))
        .collect()
}

fn shown_value(value: &Value) -> String {
    value
        .as_text()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn shown_pattern(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Exactly(value) => shown_value(value),
        Pattern::Any
        | Pattern::Matches(_)
        | Pattern::Absent
        | Pattern::List(_)
        | Pattern::Map(_)
        | Pattern::Holding(_) => pattern.to_string(),
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs {
                kind,
                place,
                differences,
            } => {
                write!(f, "{} {place} is not as expected", kind.as_str())?;
                for it in differences {
                    write!(f, "\n  {}", it.place)?;
                    write!(f, "\n    expected  {}", it.expected)?;
                    write!(f, "\n    actual    {}", it.actual)?;
                }
                Ok(())
            }
            Self::Missing { kind, place, parts } => {
                write!(f, "{} {place} did not come", kind.as_str())?;
                write_parts(f, parts)
            }
            Self::Extra { kind, place, parts } => {
                write!(f, "{} {place} came and is not expected", kind.as_str())?;
                write_parts(f, parts)
            }
            Self::Reached { block } => {
                write!(f, "somebody came to `{block}`, where nobody may come")
            }
        }
    }
}

fn write_parts(f: &mut fmt::Formatter<'_>, parts: &[(String, String)]) -> fmt::Result {
    for (name, value) in parts {
        write!(f, "\n  {name:<8}  {value}")?;
    }
    Ok(())
}
