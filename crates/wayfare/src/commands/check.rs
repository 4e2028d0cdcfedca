//! `wayfare check`: is everything in a journeys directory as it should be?

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use wayfare_journey::definition::Secret;
use wayfare_journey::diagnostic::Severity;
use wayfare_runtime::config::{self, Problem, Project, ProjectError};
use wayfare_runtime::trial;

use super::{WrongInput, print};
use crate::{codes, diagnostics, environment};

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
    /// Warnings end with status 1 too.
    #[arg(long)]
    strict: bool,
    /// Do not look whether secrets are there: for CI, where they are not.
    #[arg(long)]
    ignore_secrets: bool,
    /// Print what a code means, with a wrong and a right example, and check nothing.
    #[arg(long, value_name = "CODE", conflicts_with_all = ["journeys", "config", "format", "strict", "ignore_secrets"])]
    explain: Option<String>,
}

/// For whom problems are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For code scanners and editors: SARIF 2.1.0.
    Sarif,
    /// For GitHub Actions: annotations on the lines of a pull request.
    Github,
}

/// Prints every problem; status 1 when one of them is an error.
pub(crate) fn check(check: &Check) -> anyhow::Result<ExitCode> {
    if let Some(code) = &check.explain {
        return explain(code);
    }
    let secrets = environment::secrets();
    let resolves = |secret: &Secret| check.ignore_secrets || secrets.resolve(secret).is_ok();
    let paths = [check.journeys.clone()];
    let (files, has_error, journeys) =
        match config::check(&paths, check.config.as_deref(), &resolves) {
            Ok(project) => {
                let tests = tested(check, &project)?;
                let has_error = tests.iter().any(has_error);
                let journeys = project.graphs.len();
                (together(project.warnings, tests), has_error, journeys)
            }
            Err(ProjectError::Problems { problems, .. }) => (problems, true, 0),
            Err(
                other @ (ProjectError::Missing(_)
                | ProjectError::NoJourneys(_)
                | ProjectError::Unreadable { .. }),
            ) => return Err(other.into()),
        };
    print(&told(check.format, &files, journeys))?;
    let is_wrong = has_error || (check.strict && !files.is_empty());
    Ok(ExitCode::from(u8::from(is_wrong)))
}

/// What is wrong with the tests beside the journeys, and what they leave out; nothing where there
/// are none.
fn tested(check: &Check, project: &Project) -> anyhow::Result<Vec<Problem>> {
    let files = config::tests_in(&check.journeys)?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let tally = trial::run(project, &files, "")?;
    let uncovered = tally.uncovered(project);
    Ok(tally.broken.into_iter().chain(uncovered).collect())
}

fn has_error(file: &Problem) -> bool {
    let mut severities = file.diagnostics.iter().map(|it| it.code.severity());
    severities.any(|it| it == Severity::Error)
}

/// The problems of each file in one place, in the order they stand, by file.
fn together(files: Vec<Problem>, more: Vec<Problem>) -> Vec<Problem> {
    let mut by_path: BTreeMap<PathBuf, Problem> = BTreeMap::new();
    for file in files.into_iter().chain(more) {
        match by_path.get_mut(&file.path) {
            Some(held) => {
                held.diagnostics.extend(file.diagnostics);
                held.diagnostics.sort_by_key(|problem| problem.span);
            }
            None => {
                by_path.insert(file.path.clone(), file);
            }
        }
    }
    by_path.into_values().collect()
}

fn told(format: Format, files: &[Problem], journeys: usize) -> String {
    let color = || environment::wants_color(&std::io::stdout());
    match format {
        Format::Json => diagnostics::json::json(files),
        Format::Sarif => diagnostics::sarif::sarif(files),
        Format::Text | Format::Github if files.is_empty() => match journeys {
            1 => "1 journey, no problems".to_owned(),
            _ => format!("{journeys} journeys, no problems"),
        },
        Format::Text => diagnostics::draw(files, color()),
        Format::Github => diagnostics::github::github(files),
    }
}

fn explain(typed: &str) -> anyhow::Result<ExitCode> {
    match codes::find(typed) {
        Ok(code) => print(&codes::plain(codes::page(code)))?,
        Err(near) => {
            let advice = near.map_or_else(
                || "a code looks like `J0401`, docs/codes.md lists them".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(WrongInput(format!("no code is called `{typed}`: {advice}")).into());
        }
    }
    Ok(ExitCode::SUCCESS)
}
