//! Do journeys do what their tests say? Each case is played in virtual time, in memory, against a
//! receiver that answers as the case says. Not here: what a test file may say
//! (`wayfare_journey::trial`), or how results are printed.

mod coverage;
mod play;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wayfare_event::IdKey;
use wayfare_executor::delivery::Spread;
use wayfare_executor::{Catalog, Happened, Sending};
use wayfare_journey::diagnostic::{Code, Diagnostic, Span};
use wayfare_journey::trial::{self, Case, Mismatch, Suite};
use wayfare_journey::{Graph, yaml};
use wayfare_webhook::Secrets;

use crate::config::{self, Problem, Project, ProjectError};
use crate::engine::OpenError;

pub use coverage::{Arm, Block, Coverage};

/// Why tests could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// A file cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The engine did not come up, or could not go on.
    #[error(transparent)]
    Engine(#[from] OpenError),
}

/// What came of all tests.
#[derive(Debug, Default)]
pub struct Tally {
    /// The cases, file by file, in order.
    pub cases: Vec<Tried>,
    /// Test files with problems in them: none of their cases ran.
    pub broken: Vec<Problem>,
    /// What the cases came to, for each journey that has any.
    pub coverage: Vec<Coverage>,
    /// Journeys without a test; none where a file is broken that may be theirs.
    pub untested: Vec<Arc<str>>,
}

/// One case, and what came of it.
#[derive(Debug)]
pub struct Tried {
    /// The file.
    pub path: PathBuf,
    /// The line of its name, from 1.
    pub line: usize,
    /// The journey.
    pub journey: Arc<str>,
    /// What it shows.
    pub name: String,
    /// What is not as it says; nothing when it passes.
    pub mismatches: Vec<Mismatch>,
    /// What happened, step by step; only where something is not as it says.
    pub story: Vec<String>,
}

impl Tried {
    /// Whether everything is as it says.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// Runs the cases of test files whose `journey: name` holds `filter`.
///
/// # Errors
///
/// [`TrialError`]; a file with problems in it is no error, but [`Tally::broken`].
pub fn run(project: &Project, files: &[PathBuf], filter: &str) -> Result<Tally, TrialError> {
    let mut tally = Tally::default();
    let mut covered: BTreeMap<Arc<str>, Coverage> = BTreeMap::new();
    for path in files {
        let (file, suite) = match read(project, path)? {
            Ok(read) => read,
            Err(problem) => {
                tally.broken.push(problem);
                continue;
            }
        };
        let Some(graph) = graph(project, &suite.journey) else {
            // A file that names no journey of the project is broken.
            continue;
        };
        let coverage = covered.entry(suite.journey.clone());
        let coverage = coverage.or_insert_with(|| Coverage::none(graph));
        let ground = Ground::new(project, &suite);
        let is_asked = |case: &&Case| is_asked(&suite, case, filter);
        for case in suite.cases.iter().filter(is_asked) {
            let played = play::play(&ground, case)?;
            let seen = coverage.note(graph, &played.outputs);
            let mismatches = case.judge(&played.seen(seen));
            let story = if mismatches.is_empty() {
                Vec::new()
            } else {
                story::lines(&played.outputs, &ground.secrets)
            };
            tally.cases.push(Tried {
                path: path.clone(),
                line: line(&file, case.span),
                journey: suite.journey.clone(),
                name: case.name.clone(),
                mismatches,
                story,
            });
        }
    }
    // A file that is broken may be the test of any journey.
    if tally.broken.is_empty() {
        let ids = project.graphs.iter().map(Graph::id);
        let untested = ids.filter(|id| !covered.contains_key(*id));
        tally.untested = untested.cloned().collect();
    }
    tally.coverage = covered.into_values().collect();
    Ok(tally)
}

impl Tally {
    /// A warning for each block and arm of a tested journey that no case came to, by file.
    #[must_use]
    pub fn uncovered(&self, project: &Project) -> Vec<Problem> {
        let mut problems = Vec::new();
        for coverage in &self.coverage {
            let graph = graph(project, &coverage.journey);
            let path = project.paths.get(&coverage.journey);
            if let (Some(graph), Some(path)) = (graph, path) {
                let diagnostics = uncovered(graph.source(), coverage);
                problems.push(Problem {
                    path: path.clone(),
                    source: graph.source().to_owned(),
                    diagnostics,
                });
            }
        }
        problems.retain(|problem| !problem.diagnostics.is_empty());
        problems
    }
}

fn uncovered(source: &str, coverage: &Coverage) -> Vec<Diagnostic> {
    let root = yaml::read(source).ok();
    let blocks = root.as_ref().and_then(|root| root.entry("blocks"));
    let place = |key: &str| {
        let entry = blocks.and_then(|blocks| blocks.value.entry(key));
        entry.map_or_else(Span::default, |entry| entry.key_span)
    };
    let mut found = Vec::new();
    for block in &coverage.blocks {
        let mut warn = |message: String, hint: &str| {
            let span = place(&block.key);
            found.push(Diagnostic::new(Code::Uncovered, span, message).hint(hint));
        };
        if !block.is_reached {
            let message = format!("no test covers block `{}`", block.key);
            warn(message, "add a case whose events lead here");
            continue;
        }
        for arm in block.arms.iter().filter(|arm| !arm.is_taken) {
            let message = format!("no test takes `{}` of block `{}`", arm.label, block.key);
            warn(message, "add a case whose events take it");
        }
    }
    found
}

/// The journeys of one test file, ready for its cases.
struct Ground<'a> {
    project: &'a Project,
    graphs: Vec<Graph>,
    /// Without journeys.
    catalog: Catalog,
    secrets: Secrets,
}

impl<'a> Ground<'a> {
    fn new(project: &'a Project, suite: &Suite) -> Self {
        let runs = |graph: &&Graph| {
            *graph.id() == suite.journey || suite.with.iter().any(|id| id == graph.id())
        };
        Self {
            project,
            graphs: project.graphs.iter().filter(runs).cloned().collect(),
            catalog: catalog(project),
            secrets: Secrets::stand_ins(),
        }
    }
}

fn catalog(project: &Project) -> Catalog {
    let mut catalog = Catalog::new(
        project.settings.identity.clone(),
        project.settings.consent.clone(),
        IdKey::STATELESS,
        Sending::Owed,
    );
    catalog.spread = Spread::None;
    catalog
}

/// A test file and what it says, or what is wrong with it.
fn read(project: &Project, path: &Path) -> Result<Result<(String, Suite), Problem>, ProjectError> {
    let mut problems = Vec::new();
    let source = config::text(path, &mut problems)?;
    if let Some(problem) = problems.pop() {
        return Ok(Err(problem));
    }
    let read = trial::read(&source, &project.graphs).and_then(|suite| {
        let problems = rejected(&catalog(project), &suite);
        if problems.is_empty() {
            Ok(suite)
        } else {
            Err(problems)
        }
    });
    Ok(match read {
        Ok(suite) => Ok((source, suite)),
        Err(diagnostics) => Err(Problem {
            path: path.to_owned(),
            source,
            diagnostics,
        }),
    })
}

/// The events that would be rejected under this configuration.
fn rejected(catalog: &Catalog, suite: &Suite) -> Vec<Diagnostic> {
    let events = suite.cases.iter().flat_map(|case| &case.events);
    let rejected = events.filter_map(|given| {
        let event = (*given.event).clone();
        let why = Happened::new(catalog, event, play::SOURCE.into(), given.at).err()?;
        let message = format!("this event is rejected: {why}");
        Some(Diagnostic::new(Code::TestEvent, given.span, message))
    });
    rejected.collect()
}

fn graph<'a>(project: &'a Project, id: &str) -> Option<&'a Graph> {
    project.graphs.iter().find(|graph| **graph.id() == *id)
}

fn is_asked(suite: &Suite, case: &Case, filter: &str) -> bool {
    format!("{}: {}", suite.journey, case.name).contains(filter)
}

/// The line of a place, from 1.
fn line(source: &str, span: Span) -> usize {
    let before = source.get(..span.start).unwrap_or_default();
    before.matches('\n').count() + 1
}

/// The distinct blocks somebody came to.
type Reached = BTreeSet<Arc<str>>;
