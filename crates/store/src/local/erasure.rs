//! What was promised to be redacted, and how much of that is done? The file `erasure`: sequence
//! numbers, and nothing of what stood there. Not here: doing it (`redact`).

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use super::meta::write_file;
use crate::StoreError;

const NAME: &str = "erasure";
const FORMAT: &str = "wayfare erasure 1";

/// What a directory has to forget.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Erasure {
    /// The last frame that may hold something redacted: changes apply only to rows that cover it; 0
    /// where nothing was ever redacted.
    pub(super) rewritten: u64,
    /// What is promised.
    pub(super) pending: Option<Pending>,
}

/// A promise that is not kept yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    /// The last frame when it was made.
    pub(super) frame: u64,
    pub(super) stage: Stage,
    pub(super) seqs: Seqs,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// A checkpoint and the state are written anew, and older ones deleted.
    Rows,
    /// The log is rewritten.
    Log,
}

/// Sequence numbers, as ranges: the first and the last of each, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seqs(Vec<(u64, u64)>);

impl Erasure {
    /// With a promise, made when the log ended with a frame; it takes in one that is not kept yet.
    pub(super) fn with(&self, frame: u64, seqs: &BTreeSet<u64>) -> Self {
        let pending = self.pending.as_ref().map(|pending| &pending.seqs);
        let before = pending.into_iter().flat_map(Seqs::iter);
        Self {
            rewritten: self.rewritten,
            pending: Some(Pending {
                frame,
                stage: Stage::Rows,
                seqs: before.chain(seqs.iter().copied()).collect(),
            }),
        }
    }

    /// With nothing in sled and checkpoints any more of what is gone.
    pub(super) fn with_rows_done(&self) -> Self {
        let frame = self.pending.as_ref().map_or(0, |pending| pending.frame);
        let pending = self.pending.clone();
        Self {
            rewritten: self.rewritten.max(frame),
            pending: pending.map(|pending| Pending {
                stage: Stage::Log,
                ..pending
            }),
        }
    }

    /// With the promise kept.
    pub(super) const fn done(&self) -> Self {
        Self {
            rewritten: self.rewritten,
            pending: None,
        }
    }

    /// Makes it durable.
    pub(super) fn write(&self, directory: &Path) -> Result<(), StoreError> {
        write_file(directory, NAME, &self.text())
    }

    fn text(&self) -> String {
        let mut text = format!("{FORMAT}\nrewritten {}\n", self.rewritten);
        if let Some(pending) = &self.pending {
            let word = match pending.stage {
                Stage::Rows => "rows",
                Stage::Log => "log",
            };
            let frame = pending.frame;
            writeln!(text, "{word} {frame}").expect("a text takes what is written");
            for (first, last) in &pending.seqs.0 {
                writeln!(text, "{first} {last}").expect("a text takes what is written");
            }
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        lines.next().filter(|line| *line == FORMAT)?;
        let rewritten = lines.next()?.strip_prefix("rewritten ")?.parse().ok()?;
        let Some(pending) = lines.next() else {
            return Some(Self {
                rewritten,
                pending: None,
            });
        };
        let (word, frame) = pending.split_once(' ')?;
        let stage = match word {
            "rows" => Stage::Rows,
            "log" => Stage::Log,
            _ => return None,
        };
        let range = |line: &str| {
            let (first, last) = line.split_once(' ')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        };
        let seqs = lines.map(range).collect::<Option<_>>()?;
        Some(Self {
            rewritten,
            pending: Some(Pending {
                frame: frame.parse().ok()?,
                stage,
                seqs: Seqs(seqs),
            }),
        })
    }
}

/// What a directory has to forget.
pub(super) fn read(directory: &Path) -> Result<Erasure, StoreError> {
    let path = directory.join(NAME);
    match std::fs::read_to_string(&path) {
        Ok(text) => Erasure::parse(&text).ok_or(StoreError::Meta {
            path,
            problem: "is not what wayfare writes",
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Erasure::default()),
        Err(error) => Err(StoreError::io("read", &path)(error)),
    }
}

impl Seqs {
    fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// Whether it is one of them.
    pub(super) fn holds(&self, seq: u64) -> bool {
        self.meets(seq, Some(seq.saturating_add(1)))
    }

    /// Whether one of them is at least `from` and before `until`.
    pub(super) fn meets(&self, from: u64, until: Option<u64>) -> bool {
        let next = self.0.partition_point(|(_, last)| *last < from);
        let next = self.0.get(next);
        next.is_some_and(|(first, _)| until.is_none_or(|until| *first < until))
    }
}

impl FromIterator<u64> for Seqs {
    fn from_iter<I: IntoIterator<Item = u64>>(seqs: I) -> Self {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for seq in seqs.into_iter().collect::<BTreeSet<u64>>() {
            match ranges.last_mut() {
                Some((_, last)) if last.saturating_add(1) == seq => *last = seq,
                Some(_) | None => ranges.push((seq, seq)),
            }
        }
        Self(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_reads_back_and_nothing_else_is_one() {
        let seqs = BTreeSet::from([3, 4, 5, 9, 12, 13]);
        let first = Erasure::default().with(17, &seqs);
        let later = first.with_rows_done().with(30, &BTreeSet::from([10, 12]));
        for erasure in [
            Erasure::default(),
            first.clone(),
            first.with_rows_done(),
            first.with_rows_done().done(),
            later.clone(),
        ] {
            assert_eq!(Erasure::parse(&erasure.text()), Some(erasure));
        }
        assert_eq!(
            later.text(),
            "wayfare erasure 1\nrewritten 17\nrows 30\n3 5\n9 10\n12 13\n"
        );
        let whole = later.text();
        for bad in [
            String::new(),
            whole.replace("erasure 1", "erasure 2"),
            whole.replace("17", "x"),
            whole.replace("rows", "row"),
            whole.replace("3 5", "3"),
        ] {
            assert_eq!(Erasure::parse(&bad), None, "{bad}");
        }
    }

    #[test]
    fn ranges_hold_what_was_put_in() {
        let kept = BTreeSet::from([1, 2, 5, 9, 10, 11]);
        let seqs: Seqs = kept.iter().copied().collect();
        assert_eq!(seqs.iter().collect::<BTreeSet<u64>>(), kept);
        for from in 0..14 {
            assert_eq!(seqs.holds(from), kept.contains(&from), "{from}");
            assert_eq!(
                seqs.meets(from, None),
                kept.range(from..).next().is_some(),
                "{from}"
            );
            for until in from + 1..15 {
                let expected = kept.range(from..until).next().is_some();
                assert_eq!(seqs.meets(from, Some(until)), expected, "{from} {until}");
            }
        }
    }
}
