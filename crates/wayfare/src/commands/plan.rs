//! `wayfare plan`: what would publishing the journeys of a directory change?

mod json;
mod text;

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use wayfare_event::limits::EVENT_BYTES_MAX;
use wayfare_event::{IdKey, Timestamp};
use wayfare_runtime::config::{self, Project};
use wayfare_runtime::plan::{Before, Edited, Heard, Outcomes, Rehearsal, Side};
use wayfare_runtime::{Fate, OpenError, journeys};
use wayfare_store::{Store, StoreError};

use super::inspect::open;
use super::{WrongInput, print};
use crate::cli::Format;

/// The arguments of `wayfare plan`.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The directory of the journeys that would be published.
    #[arg(default_value = "journeys", env = "WAYFARE_JOURNEYS")]
    journeys: PathBuf,
    /// Another `wayfare.yaml`.
    #[arg(long, env = "WAYFARE_CONFIG")]
    config: Option<PathBuf>,
    /// The state directory whose journeys, people and history count; the configured one, else
    /// `.wayfare`.
    #[arg(long, env = "WAYFARE_STATE", conflicts_with_all = ["events", "old"])]
    state: Option<PathBuf>,
    /// A file of events to compare over instead, one JSON object a line.
    #[arg(long)]
    events: Option<PathBuf>,
    /// With `--events`: the directory of the journeys in force; without it, none are.
    #[arg(long, requires = "events")]
    old: Option<PathBuf>,
    /// End with status 1 when something changes for somebody, or publishing is refused.
    #[arg(long)]
    check: bool,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What publishing would change.
struct Planned {
    journeys: Vec<Edited>,
    heard: Heard,
    /// When the history begins, where it does not go back to the first input.
    begins: Option<Timestamp>,
    outcomes: Outcomes,
}

impl Planned {
    /// Why publishing is refused.
    fn refused(&self) -> Vec<String> {
        let places = self.journeys.iter().flat_map(|edited| &edited.places);
        places
            .filter_map(|place| match &place.fate {
                Fate::Refused(why) => Some(why.to_string()),
                Fate::Finish | Fate::Move(_) => None,
            })
            .collect()
    }

    /// Whether something changes for somebody.
    fn changes(&self) -> bool {
        let mut places = self.journeys.iter().flat_map(|edited| &edited.places);
        places.any(|place| !place.as_before) || !self.outcomes.is_same()
    }
}

/// Prints what publishing would change.
pub(crate) fn plan(plan: &Plan) -> anyhow::Result<ExitCode> {
    let project = config::load_directory(&plan.journeys, plan.config.as_deref())?;
    let planned = match &plan.events {
        Some(events) => over_events(plan, project, events)?,
        None => over_state(plan, project)?,
    };
    print(&match plan.format {
        Format::Text => text::text(&planned),
        Format::Json => json::json(&planned).to_string(),
    })?;
    let is_wrong = planned.changes() || !planned.refused().is_empty();
    Ok(ExitCode::from(u8::from(plan.check && is_wrong)))
}

/// Over what the state has heard: its journeys, its people, its history.
fn over_state(plan: &Plan, project: Project) -> anyhow::Result<Planned> {
    let settings = project.settings;
    let mut store = open(plan.state.as_deref(), &settings)?;
    let before = Before::of_state(journeys::all(&mut *store)?, &settings);
    let before = before.map_err(|error| WrongInput(error.to_string()))?;
    let journeys = before.edited(&project.graphs, &settings);
    let old = Side {
        settings: settings.clone(),
        graphs: before.graphs,
    };
    let new = Side {
        settings,
        graphs: project.graphs,
    };
    let mut rehearsal = rehearsal(&old, &new, store.head().id_key)?;
    let mut failed = Ok(());
    store.history(1, &mut |entry| {
        if failed.is_ok() {
            failed = rehearsal.entry(entry);
        }
    })?;
    failed?;
    let begins = begins(&mut *store)?;
    let (heard, outcomes) = rehearsal.finish()?;
    Ok(Planned {
        journeys,
        heard,
        begins,
        outcomes,
    })
}

/// When the history begins, if something of it is gone.
fn begins(store: &mut dyn Store) -> Result<Option<Timestamp>, StoreError> {
    let beginning = store.beginning()?;
    Ok(beginning.filter(|(seq, _)| *seq > 1).map(|(_, at)| at))
}

/// Over a file of events, with nobody inside.
fn over_events(plan: &Plan, project: Project, events: &Path) -> anyhow::Result<Planned> {
    let old = match &plan.old {
        Some(old) => {
            let old = config::load_directory(old, None)?;
            Side {
                settings: old.settings,
                graphs: old.graphs,
            }
        }
        None => Side {
            settings: project.settings.clone(),
            graphs: Vec::new(),
        },
    };
    let new = Side {
        settings: project.settings,
        graphs: project.graphs,
    };
    let before = Before::of_graphs(old.graphs.clone());
    let journeys = before.edited(&new.graphs, &new.settings);
    let mut rehearsal = rehearsal(&old, &new, IdKey::STATELESS)?;
    each_line(events, &mut |line| Ok(rehearsal.line(line)?))?;
    let (heard, outcomes) = rehearsal.finish()?;
    Ok(Planned {
        journeys,
        heard,
        begins: None,
        outcomes,
    })
}

fn rehearsal(old: &Side, new: &Side, id_key: IdKey) -> anyhow::Result<Rehearsal> {
    match Rehearsal::new(old, new, id_key) {
        Err(OpenError::Store(error)) => Err(error.into()),
        made => made.map_err(|error| WrongInput(error.to_string()).into()),
    }
}

/// Reads a file line by line; of a line that is longer than an event may be, as much as shows that
/// it is none.
fn each_line(path: &Path, hear: &mut dyn FnMut(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let file = std::fs::File::open(path).map_err(|error| {
        WrongInput(format!(
            "cannot read the events in `{}`: {error}",
            path.display()
        ))
    })?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = reader.by_ref().take(EVENT_BYTES_MAX as u64 + 2);
        let read = bounded.read_until(b'\n', &mut line);
        let bytes = read.context("cannot read on in the events")?;
        if bytes == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && bytes == EVENT_BYTES_MAX + 2 {
            let skipped = reader.skip_until(b'\n');
            skipped.context("cannot read on in the events")?;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            hear(text)?;
        }
    }
}
