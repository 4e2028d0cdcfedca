//! `wayfare journeys`: which version of each journey is in force, who is inside, and what is paused? In a
//! state directory, or of a server.

use std::process::ExitCode;

use clap::Args;
use wayfare_event::Map;
use wayfare_runtime::journeys;

use super::inspect::{Inspect, open, settings};
use super::print;
use crate::cli::Format;
use crate::lines;
use crate::remote::{self, Remote};

/// The arguments of `wayfare journeys`.
#[derive(Debug, Args)]
pub(crate) struct Listing {
    #[command(flatten)]
    inspect: Inspect,
    #[command(flatten)]
    remote: Remote,
}

/// Prints every journey of a state directory or a server, by id.
pub(crate) fn journeys(wanted: &Listing) -> anyhow::Result<ExitCode> {
    let found = match wanted.remote.server()? {
        Some(server) => remote::list(&server.get(&["journeys"], &[])?, "journeys"),
        None => held(&wanted.inspect)?,
    };
    for journey in found {
        print(&match wanted.inspect.format {
            Format::Text => lines::journey_text(&journey),
            Format::Json => journey.to_string(),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn held(inspect: &Inspect) -> anyhow::Result<Vec<Map>> {
    let settings = settings(&inspect.journeys)?;
    let mut store = remote::or_ask(open(inspect.state.as_deref(), &settings))?;
    let found = journeys::all(&mut *store)?;
    let lines = found.iter().map(|(id, it)| lines::journey(id, it));
    Ok(lines.collect())
}
