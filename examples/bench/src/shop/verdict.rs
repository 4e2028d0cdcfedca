//! Is a run right? Exactly the totals that a script sharing nothing with the engine computed, and
//! nothing the ledger contradicts.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use crate::say;

/// Sessions whose cart was not bought within 30 minutes, and those whose was.
const EXPECTED: [((&str, &str), usize); 2] = [(("exit", "bought"), 346), (("webhook", ""), 867)];

/// What was said of the runs so far.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    passed: u32,
    failed: u32,
    /// Complaints about the run that is judged next.
    complaints: Vec<String>,
}

impl Verdict {
    /// The next run went through this many kills, and should through so many.
    pub(super) fn kills(&mut self, kills: u32, least: u32) {
        if kills < least {
            let complaint = format!("only {kills} kills, at least {least} are wanted");
            self.complaints.push(complaint);
        }
    }

    /// Judges a run.
    pub(super) fn on(&mut self, name: &str, ledger: &Ledger, note: &str) -> anyhow::Result<()> {
        let mut complaints = std::mem::take(&mut self.complaints);
        complaints.extend(ledger.complaints().iter().cloned());
        let totals = ledger.totals();
        let expected: BTreeMap<_, _> = EXPECTED
            .iter()
            .map(|((outcome, reason), count)| {
                (((*outcome).to_owned(), (*reason).to_owned()), *count)
            })
            .collect();
        if totals != expected {
            complaints.push(format!("expected {}", shown(&expected)));
        }
        let word = if complaints.is_empty() {
            self.passed += 1;
            "ok    "
        } else {
            self.failed += 1;
            "FAILED"
        };
        let note = if note.is_empty() {
            String::new()
        } else {
            format!(" ({note})")
        };
        say(&format!("{word} {name}: {}{note}", shown(&totals)))?;
        for complaint in complaints.iter().take(COMPLAINTS_SHOWN) {
            say(&format!("       {complaint}"))?;
        }
        if complaints.len() > COMPLAINTS_SHOWN {
            say(&format!(
                "       and {} more",
                complaints.len() - COMPLAINTS_SHOWN
            ))?;
        }
        Ok(())
    }

    /// `5 passed, 0 failed`.
    pub(super) fn closing(&self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }

    /// Whether every run was right.
    pub(super) const fn is_good(&self) -> bool {
        self.failed == 0
    }
}

/// Complaints of one run that are printed.
const COMPLAINTS_SHOWN: usize = 10;

fn shown(totals: &BTreeMap<(String, String), usize>) -> String {
    let parts: Vec<String> = totals
        .iter()
        .map(|((outcome, reason), count)| {
            let outcome = format!("{outcome} {reason}");
            format!("{count} {}", outcome.trim_end())
        })
        .collect();
    if parts.is_empty() {
        "no decisions".to_owned()
    } else {
        parts.join(", ")
    }
}
