//! `wayfare export`: what is everything that is kept of one person? One JSON object, from a state
//! directory that no process uses, or from a server. It is found in `wayfare_runtime::export`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wayfare_event::Map;
use wayfare_runtime::clock;
use wayfare_runtime::export::{self, Found};

use super::inspect::{open, settings};
use super::{WrongInput, print};
use crate::cli::Journeys;
use crate::remote::{self, Remote};

/// The arguments of `wayfare export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Who: a profile id, present or former, or an identifier with its namespace such as
    /// `email:ada@example.com`.
    identifier: String,
    /// Of a server: also what its history tells. It stands still while it reads it.
    #[arg(long, requires = "server")]
    with_history: bool,
    #[command(flatten)]
    journeys: Journeys,
    /// The state directory; the configured one, else `.wayfare`.
    #[arg(long, env = "WAYFARE_STATE")]
    state: Option<PathBuf>,
    #[command(flatten)]
    remote: Remote,
}

/// Prints everything that is kept of one person.
pub(crate) fn export(wanted: &Export) -> anyhow::Result<ExitCode> {
    let map = match wanted.remote.server()? {
        Some(server) => {
            let history = if wanted.with_history { "true" } else { "false" };
            let query = [("identifier", &*wanted.identifier), ("history", history)];
            server.get(&["export"], &query)?
        }
        None => here(wanted)?,
    };
    print(&map.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn here(wanted: &Export) -> anyhow::Result<Map> {
    let settings = settings(&wanted.journeys)?;
    let mut store = remote::or_ask(open(wanted.state.as_deref(), &settings))?;
    let store = &mut *store;
    let found = export::Export::find(store, &settings, &wanted.identifier, clock::now())?;
    let mut export = match found {
        Found::Somebody(export) => export,
        Found::Erased(mark, is_purged) => return Ok(export::erased(&mark, is_purged)),
        Found::Nobody => {
            let message = format!(
                "nobody is known as `{}`; name a profile id, or an identifier with its namespace such \
                 as `email:ada@example.com`",
                wanted.identifier
            );
            return Err(WrongInput(message).into());
        }
    };
    let mut after = None;
    loop {
        after = export.page(store, after.as_ref())?;
        if after.is_none() {
            break;
        }
    }
    export.history(store, &settings)?;
    Ok(export.into_map())
}
