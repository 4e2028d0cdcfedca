//! `wayfare test`: do the journeys do what their tests say? Not here: playing them, which
//! `wayfare_runtime::trial` does.

mod json;
mod junit;
mod text;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use wayfare_journey::diagnostic::Severity;
use wayfare_runtime::config::{self, Problem, Project, ProjectError};
use wayfare_runtime::trial::{self, Coverage, Tried};

use super::{WrongInput, print};
use crate::environment;

/// The arguments of `wayfare test`.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Directories of journeys, test files, or journeys whose tests stand beside them.
    #[arg(default_value = "journeys")]
    paths: Vec<PathBuf>,
    /// Another `wayfare.yaml`.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Only the cases whose `journey: name` holds this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Run again whenever a file changes, until interrupted.
    #[arg(long)]
    watch: bool,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
    /// For build servers: JUnit XML.
    Junit,
}

/// What came of all directories together.
#[derive(Debug, Default)]
struct Results {
    cases: Vec<Tried>,
    /// Files with errors in them.
    broken: Vec<Problem>,
    /// Blocks and arms without a test.
    uncovered: Vec<Problem>,
    coverage: Vec<Coverage>,
    /// Journeys without a test, with their files.
    untested: Vec<(String, PathBuf)>,
}

impl Results {
    fn passed(&self) -> usize {
        self.cases.iter().filter(|it| it.passed()).count()
    }

    fn failed(&self) -> usize {
        self.cases.len() - self.passed()
    }

    fn is_good(&self) -> bool {
        self.failed() == 0 && self.broken.is_empty()
    }
}

/// Runs the tests; status 1 when a case failed or a file is broken.
pub(crate) fn test(test: &Test) -> anyhow::Result<ExitCode> {
    if test.watch {
        return watch::watch(test);
    }
    let results = once(test)?;
    if results.cases.is_empty() && results.broken.is_empty() {
        let message = test.filter.as_ref().map_or_else(
            || {
                "there are no tests here: write one beside a journey, in a file such as \
                 `signup.test.yaml`"
                    .to_owned()
            },
            |filter| format!("no test is called `{filter}`"),
        );
        return Err(WrongInput(message).into());
    }
    print(&shown(test, &results))?;
    Ok(ExitCode::from(u8::from(!results.is_good())))
}

fn shown(test: &Test, results: &Results) -> String {
    match test.format {
        Format::Text => text::text(results, environment::wants_color(&std::io::stdout())),
        Format::Json => json::json(results),
        Format::Junit => junit::junit(results),
    }
}

/// Runs everything once.
fn once(test: &Test) -> anyhow::Result<Results> {
    let mut results = Results::default();
    for (directory, asked) in directories(&test.paths)? {
        let project = match config::load_directory(&directory, test.config.as_deref()) {
            Ok(project) => project,
            Err(ProjectError::Problems { problems, .. }) => {
                // What only warns is for `wayfare check` to tell.
                results
                    .broken
                    .extend(problems.into_iter().filter(has_error));
                continue;
            }
            Err(
                other @ (ProjectError::Missing(_)
                | ProjectError::NoJourneys(_)
                | ProjectError::Unreadable { .. }),
            ) => return Err(other.into()),
        };
        let is_whole = asked.is_empty() && test.filter.is_none();
        let files = if asked.is_empty() {
            config::tests_in(&directory)?
        } else {
            asked.into_iter().collect()
        };
        let filter = test.filter.as_deref().unwrap_or_default();
        let tally = trial::run(&project, &files, filter)?;
        if is_whole {
            // Of a part of the tests nobody expects that they cover everything.
            results.uncovered.extend(tally.uncovered(&project));
            let untested = tally.untested.iter();
            results
                .untested
                .extend(untested.map(|id| file(&project, id)));
        }
        if test.filter.is_none() {
            results.coverage.extend(tally.coverage);
        }
        results.cases.extend(tally.cases);
        results.broken.extend(tally.broken);
    }
    Ok(results)
}

fn has_error(file: &Problem) -> bool {
    let mut codes = file.diagnostics.iter().map(|problem| problem.code);
    codes.any(|code| code.severity() == Severity::Error)
}

fn file(project: &Project, id: &str) -> (String, PathBuf) {
    let path = project.paths.get(id).cloned().unwrap_or_default();
    (id.to_owned(), path)
}

/// The directories to test, and which of their test files were named; none means all.
fn directories(paths: &[PathBuf]) -> anyhow::Result<BTreeMap<PathBuf, BTreeSet<PathBuf>>> {
    let mut found: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    let is_directory = |path: &&PathBuf| path.is_dir();
    for path in paths.iter().filter(|path| !is_directory(path)) {
        let test = test_of(path)?;
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            Some(_) | None => Path::new("."),
        };
        found.entry(directory.to_owned()).or_default().insert(test);
    }
    for path in paths.iter().filter(is_directory) {
        found.insert(path.clone(), BTreeSet::new());
    }
    Ok(found)
}

/// The test file that a file is, or that stands beside it.
fn test_of(path: &Path) -> anyhow::Result<PathBuf> {
    if !path.exists() {
        return Err(ProjectError::Missing(path.to_owned()).into());
    }
    if config::is_test(path) {
        return Ok(path.to_owned());
    }
    let beside = path.with_extension("test.yaml");
    if beside.exists() {
        return Ok(beside);
    }
    let message = format!(
        "`{}` has no tests: write them into `{}`",
        path.display(),
        beside.display()
    );
    Err(WrongInput(message).into())
}
