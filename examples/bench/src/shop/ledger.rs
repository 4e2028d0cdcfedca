//! Which decisions stand? Read from the state directory itself, with the library, and held against
//! the history and against everything that was printed: a line may be lost in a kill, never untrue.

use std::collections::BTreeMap;
use std::path::Path;

use wayfare_executor::record::Decision;
use wayfare_executor::{Change, Row};
use wayfare_store::{ReadOnly, RowKind, Store as _};

use crate::wayfare::Printed;

/// How an instance ended: outcome and reason.
type Ending = (String, String);

/// The decisions of a run, by id.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    decided: BTreeMap<String, Ending>,
    printed: BTreeMap<String, Ending>,
    complaints: Vec<String>,
}

impl Ledger {
    /// Takes what a run printed.
    ///
    /// # Errors
    ///
    /// When a line is not JSON, unless it is the last of a run that was killed.
    pub(super) fn printed(&mut self, printed: &Printed) -> anyhow::Result<()> {
        let last = printed.lines.len().saturating_sub(1);
        for (number, line) in printed.lines.iter().enumerate() {
            let line: serde_json::Value = match serde_json::from_str(line) {
                Ok(line) => line,
                Err(_) if printed.killed && number == last => break,
                Err(error) => return Err(error.into()),
            };
            let word = |name: &str| {
                let word = line.get(name).and_then(|word| word.as_str());
                word.unwrap_or_default().to_owned()
            };
            if word("kind") == "decision" {
                let ending = (word("outcome"), word("reason"));
                self.print(&word("decisionId"), ending);
            }
        }
        Ok(())
    }

    fn print(&mut self, id: &str, ending: Ending) {
        if let Some(before) = self.printed.insert(id.to_owned(), ending) {
            let complaint = format!("{id} was printed twice, first as {before:?}");
            self.complaints.push(complaint);
        }
    }

    /// Reads the state directory a run left.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(super) fn read(&mut self, state: &Path) -> anyhow::Result<()> {
        let (mut store, _) = ReadOnly::open(state)?;
        store.scan(RowKind::Decision, &mut |_, row| {
            if let Row::Decision(decision) = row {
                let (id, ending) = (decision.id.to_string(), ending(decision));
                self.decided.insert(id, ending);
            }
        })?;
        let mut history: BTreeMap<String, Ending> = BTreeMap::new();
        let mut twice = Vec::new();
        store.history(1, &mut |entry| {
            for change in &entry.changes {
                if let Change::Decided(decision) = change {
                    let id = decision.id.to_string();
                    if history.insert(id.clone(), ending(decision)).is_some() {
                        twice.push(format!("{id} was decided twice"));
                    }
                }
            }
        })?;
        self.complaints.extend(twice);
        if history != self.decided {
            let complaint = format!(
                "the ledger has {} decisions, the history {}, and they differ",
                self.decided.len(),
                history.len()
            );
            self.complaints.push(complaint);
        }
        for (id, ending) in &self.printed {
            if self.decided.get(id) != Some(ending) {
                let stands = self.decided.get(id);
                let complaint =
                    format!("{id} was printed as {ending:?}, the ledger has {stands:?}");
                self.complaints.push(complaint);
            }
        }
        Ok(())
    }

    /// Complains of decisions that were not printed: of a run that was not killed.
    pub(super) fn all_printed(&mut self) {
        for id in self.decided.keys() {
            if !self.printed.contains_key(id) {
                self.complaints.push(format!("{id} was not printed"));
            }
        }
    }

    /// How many decisions had each ending.
    pub(super) fn totals(&self) -> BTreeMap<Ending, usize> {
        let mut totals = BTreeMap::new();
        for ending in self.decided.values() {
            *totals.entry(ending.clone()).or_default() += 1;
        }
        totals
    }

    /// What does not fit together.
    pub(super) fn complaints(&self) -> &[String] {
        &self.complaints
    }
}

fn ending(decision: &Decision) -> Ending {
    let reason = decision.reason.clone().unwrap_or_default();
    (decision.outcome.as_str().to_owned(), reason)
}
