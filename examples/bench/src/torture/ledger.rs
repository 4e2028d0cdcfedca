//! What does the state directory say? Decisions from the ledger and from the history, read with the
//! library; deliveries and walks as the commands print them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use wayfare_event::Timestamp;
use wayfare_executor::{Change, Row};
use wayfare_store::{ReadOnly, RowKind, Store as _};

use super::evidence::{Decision, Delivery, Evidence, Kind};
use super::process::Program;

/// What is not at its end yet.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Deliveries that are not final.
    pub(super) deliveries: usize,
    /// Walks that have not ended.
    pub(super) walks: usize,
    /// The latest instant that any of them waits for.
    pub(super) latest: Option<Timestamp>,
}

/// What is not at its end yet, as the commands say.
pub(super) fn open(program: &Program) -> anyhow::Result<Open> {
    let mut open = Open::default();
    for line in program.look(&["deliveries", "--format", "json", "--in", "planned"])? {
        open.deliveries += 1;
        open.wait_for(&line, "due")?;
    }
    open.deliveries += program.look(&["deliveries", "--in", "armed"])?.len();
    for line in program.look(&["instances", "--format", "json"])? {
        open.walks += 1;
        open.wait_for(&line, "due")?;
    }
    Ok(open)
}

impl Open {
    /// Whether everything is at its end.
    pub(super) const fn is_none(&self) -> bool {
        self.deliveries == 0 && self.walks == 0
    }

    fn wait_for(&mut self, line: &str, name: &str) -> anyhow::Result<()> {
        let line: Value = serde_json::from_str(line)?;
        if let Some(due) = line.get(name).and_then(Value::as_str) {
            self.latest = self.latest.max(Some(due.parse()?));
        }
        Ok(())
    }
}

/// Adds what the state directory says to the evidence.
pub(super) fn read(program: &Program, evidence: &mut Evidence) -> anyhow::Result<()> {
    deliveries(program, evidence)?;
    decisions(&program.state, evidence)
}

/// Deliveries: where they stand from one format, where they go from the other.
fn deliveries(program: &Program, evidence: &mut Evidence) -> anyhow::Result<()> {
    let mut lines = BTreeMap::new();
    for line in program.look(&["deliveries"])? {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (Some(id), [.., method, url]) = (words.first(), words.as_slice()) else {
            continue;
        };
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        lines.insert((*id).to_owned(), format!("{method} /{path}"));
    }
    for text in program.look(&["deliveries", "--format", "json"])? {
        let said: Value = serde_json::from_str(&text)?;
        let word = |name: &str| {
            let word = said.get(name).and_then(Value::as_str);
            word.unwrap_or_default().to_owned()
        };
        let id = word("deliveryId");
        let line = lines
            .remove(&id)
            .with_context(|| format!("{id} is printed in one format only"))?;
        let kind = Kind::of(&word("journey")).with_context(|| format!("whose is it? {text}"))?;
        let event = line.rsplit(['/', '=']).next().unwrap_or_default();
        let delivery = Delivery {
            kind,
            event: event.parse().with_context(|| format!("no event: {line}"))?,
            line,
            state: word("state"),
            reason: word("reason"),
            status: said
                .get("status")
                .and_then(Value::as_u64)
                .and_then(|status| u16::try_from(status).ok()),
            decided_us: word("at").parse::<Timestamp>()?.as_micros(),
            attempts: said.get("attempt").and_then(Value::as_u64).unwrap_or(0),
        };
        let twice = evidence.deliveries.insert(id.clone(), delivery);
        ensure!(twice.is_none(), "{id} is printed twice");
    }
    ensure!(lines.is_empty(), "deliveries are printed as text only");
    Ok(())
}

/// Decisions of the ledger; the history must have the same, each once.
fn decisions(state: &Path, evidence: &mut Evidence) -> anyhow::Result<()> {
    let (mut store, _) = ReadOnly::open(state)?;
    let mut found = BTreeMap::new();
    store.scan(RowKind::Decision, &mut |_, row| {
        if let Row::Decision(decision) = row {
            let key = decision.key.as_deref().and_then(|key| key.parse().ok());
            let outcome = decision.outcome.as_str().to_owned();
            let id = decision.id.delivery().to_string();
            found.insert(id, (decision.journey.clone(), key, outcome));
        }
    })?;
    let mut history = BTreeSet::new();
    let mut noticed = Vec::new();
    store.history(1, &mut |entry| {
        for change in &entry.changes {
            if let Change::Decided(decision) = change {
                let id = decision.id.delivery().to_string();
                if !found.contains_key(&id) {
                    noticed.push(format!("{id} was decided and is not in the ledger"));
                }
                if !history.insert(id.clone()) {
                    noticed.push(format!("{id} was decided twice"));
                }
            }
        }
    })?;
    if history.len() != found.len() {
        let (ledger, history) = (found.len(), history.len());
        noticed.push(format!(
            "the ledger has {ledger} decisions, the history {history}"
        ));
    }
    evidence.noticed.extend(noticed);
    for (id, (journey, key, outcome)) in found {
        let kind = Kind::of(&journey).with_context(|| format!("no journey `{journey}`"))?;
        let owed = evidence.deliveries.get(&id).map(|delivery| delivery.event);
        let event = key.or(owed);
        let decision = Decision {
            kind,
            event,
            outcome,
        };
        evidence.decisions.insert(id, decision);
    }
    Ok(())
}
