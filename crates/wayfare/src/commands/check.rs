//! `wayfare check`: is everything in a journeys directory as it should be?

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wayfare_runtime::config::{self, ProjectError};

use super::print;
use crate::cli::Format;
use crate::{diagnostics, environment};

/// The arguments of `wayfare check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The directory of the journeys.
    #[arg(default_value = "journeys", env = "WAYFARE_JOURNEYS")]
    journeys: PathBuf,
    /// Another `wayfare.yaml`.
    #[arg(long, env = "WAYFARE_CONFIG")]
    config: Option<PathBuf>,
    /// How problems are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Prints every problem; status 1 when one of them is an error.
pub(crate) fn check(check: &Check) -> anyhow::Result<ExitCode> {
    let (files, status, journeys) =
        match config::load_directory(&check.journeys, check.config.as_deref()) {
            Ok(project) => (project.warnings, 0, project.graphs.len()),
            Err(ProjectError::Problems { problems, .. }) => (problems, 1, 0),
            Err(
                other @ (ProjectError::Missing(_)
                | ProjectError::NoJourneys(_)
                | ProjectError::Unreadable { .. }),
            ) => return Err(other.into()),
        };
    match check.format {
        Format::Json => print(&diagnostics::json(&files))?,
        Format::Text if files.is_empty() => print(&format!("{journeys} journeys, no problems"))?,
        Format::Text => print(&diagnostics::draw(
            &files,
            environment::wants_color(&std::io::stdout()),
        ))?,
    }
    Ok(ExitCode::from(status))
}
