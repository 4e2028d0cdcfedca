//! Which files make a project, and what do they say together? A journeys' directory with its
//! `wayfare.yaml`, every problem of every file at once. Not here: what one file may say.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wayfare_journey::diagnostic::{Code, Diagnostic, Span};
use wayfare_journey::yaml::{self, Kind};
use wayfare_journey::{Graph, NameUse, near_misses};

use super::secrets::{self, Resolves};
use super::{Settings, read_what_can_be};

/// The configuration's file name.
const CONFIG: &str = "wayfare.yaml";
/// What journey files end with; tests beside them end with `.test.yaml`.
const JOURNEY: &str = ".yaml";
const TEST: &str = ".test.yaml";
/// Problems of one file that are told: who has more begins with these.
const TOLD_MAX: usize = 1_000;
/// What is wrong with a journey only as long as the configuration does not allow it.
const BY_CONFIGURATION: [Code; 3] = [Code::UnknownCategory, Code::InvalidUrl, Code::NearMiss];

/// A configuration and the journeys checked against it.
#[derive(Clone, Debug)]
pub struct Project {
    /// What is configured. A relative state directory begins where `wayfare.yaml` stands.
    pub settings: Settings,
    /// The journeys, in the order of their ids.
    pub graphs: Vec<Graph>,
    /// The file of each journey, by its id.
    pub paths: Paths,
    /// What their authors should look at all the same.
    pub warnings: Vec<Problem>,
    /// How many files were read.
    pub files: usize,
}

/// Files by the id of their journey.
pub type Paths = BTreeMap<Arc<str>, PathBuf>;

/// What is wrong with one file, or remarkable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub source: String,
    /// The problems, in the order they stand.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why there is no project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A path that leads nowhere.
    #[error("`{}` does not exist, name the directory of your journeys", .0.display())]
    Missing(PathBuf),
    /// A directory without journeys.
    #[error(
        "`{}` has no journeys in it, write one into a file such as `signup.yaml` there, or name another directory",
        .0.display()
    )]
    NoJourneys(PathBuf),
    /// A file the system does not give out.
    #[error("`{}` cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// Files with errors in them; warnings are among the problems.
    #[error("{} of {files} files have problems", problems.len())]
    Problems {
        /// The problems, by file.
        problems: Vec<Problem>,
        /// How many files were read.
        files: usize,
    },
}

/// Reads the journeys of a directory and its `wayfare.yaml`, or the configuration named instead.
///
/// # Errors
///
/// [`ProjectError`]: every problem of every file, or why files could not be read.
pub fn load_directory(directory: &Path, config: Option<&Path>) -> Result<Project, ProjectError> {
    load(&[directory.to_owned()], config)
}

/// Reads a configuration alone: the one named, else `wayfare.yaml` in a directory, else as shipped.
///
/// # Errors
///
/// [`ProjectError`]: every problem of the file, or why it could not be read.
pub fn settings(directory: &Path, config: Option<&Path>) -> Result<Settings, ProjectError> {
    let usual = directory.join(CONFIG);
    let path = config.or_else(|| usual.is_file().then_some(usual.as_path()));
    let mut problems = Vec::new();
    let Some(path) = path else {
        return Ok(Settings::default());
    };
    let source = text(path, &mut problems)?;
    let (read, diagnostics) = read_what_can_be(&source);
    note(&mut problems, path, source, diagnostics);
    problems.retain(|problem| !problem.diagnostics.is_empty());
    if problems.is_empty() {
        Ok(beside(path, read))
    } else {
        Err(ProjectError::Problems { problems, files: 1 })
    }
}

/// Settings read from a file: a relative state directory begins where the file stands.
fn beside(path: &Path, mut settings: Settings) -> Settings {
    let beside = path.parent().unwrap_or_else(|| Path::new(""));
    let directory = settings.state.directory.take();
    settings.state.directory = directory.map(|directory| beside.join(directory));
    settings
}

/// Reads journeys from files and directories. Without a configuration named, it is the
/// `wayfare.yaml` among the files, else the one beside the first of them.
///
/// # Errors
///
/// [`ProjectError`]: every problem of every file, or why files could not be read.
pub fn load(paths: &[PathBuf], config: Option<&Path>) -> Result<Project, ProjectError> {
    check(paths, config, &|_| true)
}

/// The same, with a warning for each reference to a secret that does not resolve.
///
/// # Errors
///
/// [`ProjectError`]: every problem of every file, or why files could not be read.
pub fn check(
    paths: &[PathBuf],
    config: Option<&Path>,
    resolves: Resolves<'_>,
) -> Result<Project, ProjectError> {
    let found = find(paths, config)?;
    let mut problems = Vec::new();
    let mut settings = Settings::default();
    let mut is_legible = true;
    if let Some(path) = &found.config {
        let source = text(path, &mut problems)?;
        is_legible = problems.is_empty() && yaml::read(&source).is_ok();
        let (read, mut diagnostics) = read_what_can_be(&source);
        settings = beside(path, read);
        add(
            &mut diagnostics,
            secrets::of_configuration(&source, resolves),
        );
        note(&mut problems, path, source, diagnostics);
    }
    let files = found.journeys.len() + usize::from(found.config.is_some());
    let (graphs, paths) = compile(&settings, &found.journeys, resolves, &mut problems)?;
    if !is_legible {
        // Nothing of the configuration is known: what it may allow is not held against a journey.
        let told = problems.iter_mut().map(|problem| &mut problem.diagnostics);
        told.for_each(|told| told.retain(|problem| !BY_CONFIGURATION.contains(&problem.code)));
    }
    problems.retain(|problem| !problem.diagnostics.is_empty());
    let is_error = |problem: &Diagnostic| {
        problem.code.severity() == wayfare_journey::diagnostic::Severity::Error
    };
    let has_error = |problem: &Problem| problem.diagnostics.iter().any(is_error);
    if problems.iter().any(has_error) {
        return Err(ProjectError::Problems { problems, files });
    }
    Ok(Project {
        settings,
        graphs,
        paths,
        warnings: problems,
        files,
    })
}

/// The files of a project.
struct Found {
    config: Option<PathBuf>,
    journeys: Vec<PathBuf>,
}

fn find(paths: &[PathBuf], config: Option<&Path>) -> Result<Found, ProjectError> {
    let mut journeys = Vec::new();
    let mut configs: Vec<PathBuf> = config.map(Path::to_owned).into_iter().collect();
    if let Some(missing) = configs.iter().chain(paths).find(|path| !path.exists()) {
        return Err(ProjectError::Missing(missing.clone()));
    }
    for path in paths {
        if path.is_dir() {
            journeys.extend(journeys_in(path)?);
        } else if is_named(path, CONFIG) {
            configs.push(path.clone());
        } else if !is_test(path) {
            journeys.push(path.clone());
        }
    }
    if journeys.is_empty() && configs.len() == usize::from(config.is_some()) {
        let place = paths.first().cloned().unwrap_or_default();
        return Err(ProjectError::NoJourneys(place));
    }
    let beside = paths.first().map(|path| {
        let directory = if path.is_dir() {
            Some(&**path)
        } else {
            path.parent()
        };
        directory.map_or_else(|| PathBuf::from(CONFIG), |it| it.join(CONFIG))
    });
    journeys.sort();
    journeys.dedup();
    Ok(Found {
        config: configs.into_iter().chain(beside).find(|path| path.exists()),
        journeys,
    })
}

fn journeys_in(directory: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let is_journey =
        |path: &Path| ends_with(path, JOURNEY) && !is_test(path) && !is_named(path, CONFIG);
    files_in(directory, is_journey)
}

/// The test files beside the journeys of a directory, in order.
///
/// # Errors
///
/// [`ProjectError`], when the directory cannot be read.
pub fn tests_in(directory: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let mut tests = files_in(directory, is_test)?;
    tests.sort();
    Ok(tests)
}

fn files_in(directory: &Path, is_one: fn(&Path) -> bool) -> Result<Vec<PathBuf>, ProjectError> {
    let unreadable = |error| ProjectError::Unreadable {
        path: directory.to_owned(),
        error,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_one(&path) && path.is_file() {
            files.push(path);
        }
    }
    Ok(files)
}

fn is_named(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|own| own == name)
}

/// Whether a file is named like a test of a journey.
#[must_use]
pub fn is_test(path: &Path) -> bool {
    ends_with(path, TEST)
}

fn ends_with(path: &Path, ending: &str) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().ends_with(ending.as_bytes())
}

/// What a file says. Text that is none is a problem of the file, not of the machine.
pub(crate) fn text(path: &Path, problems: &mut Vec<Problem>) -> Result<String, ProjectError> {
    let unreadable = |error| ProjectError::Unreadable {
        path: path.to_owned(),
        error,
    };
    // One byte more than is read tells that there is more.
    let most = u64::try_from(yaml::FILE_BYTES_MAX).unwrap_or(u64::MAX);
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut begin = file.take(most.saturating_add(1));
    begin.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > yaml::FILE_BYTES_MAX {
        let text = String::from_utf8_lossy(&bytes);
        let refused = yaml::read(&text).err().map(|problem| *problem);
        note(problems, path, String::new(), refused.into_iter().collect());
        return Ok(String::new());
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let byte = error.utf8_error().valid_up_to();
            let message = format!("the file is not UTF-8: byte {byte} begins no character");
            let problem = Diagnostic::new(Code::Yaml, Span::default(), message);
            let problem = problem.hint("save it as UTF-8");
            note(problems, path, String::new(), vec![problem]);
            Ok(String::new())
        }
    }
}

fn note(
    problems: &mut Vec<Problem>,
    path: &Path,
    source: String,
    mut diagnostics: Vec<Diagnostic>,
) {
    if diagnostics.len() > TOLD_MAX {
        diagnostics.sort_by_key(|problem| (problem.code.severity(), problem.span));
        diagnostics.truncate(TOLD_MAX);
        diagnostics.sort_by_key(|problem| problem.span);
    }
    problems.push(Problem {
        path: path.to_owned(),
        source,
        diagnostics,
    });
}

fn compile(
    settings: &Settings,
    journeys: &[PathBuf],
    resolves: Resolves<'_>,
    problems: &mut Vec<Problem>,
) -> Result<(Vec<Graph>, Paths), ProjectError> {
    let mut paths = Paths::new();
    let mut first: BTreeMap<String, &Path> = BTreeMap::new();
    let mut graphs = Vec::new();
    let mut names = Vec::new();
    for path in journeys {
        let before = problems.len();
        let source = text(path, problems)?;
        if problems.len() > before {
            continue;
        }
        let (graph, mut diagnostics) = match settings.compile(&source) {
            Ok(compiled) => {
                names.push((before, compiled.names));
                (Some(compiled.graph), compiled.warnings)
            }
            Err(diagnostics) => (None, diagnostics),
        };
        if let Some(graph) = graph {
            paths.insert(graph.id().clone(), path.clone());
            graphs.push(graph);
        }
        if let Some((id, span)) = id(&source) {
            if let Some(other) = first.get(&id) {
                add(&mut diagnostics, vec![duplicate(&id, span, other)]);
            } else {
                first.insert(id, path);
            }
        }
        add(&mut diagnostics, secrets::of_journey(&source, resolves));
        note(problems, path, source, diagnostics);
    }
    if graphs.len() == journeys.len() {
        compare(&names, problems);
    }
    graphs.sort_by(|left, right| left.id().cmp(right.id()));
    Ok((graphs, paths))
}

/// Adds problems of a file to others of it, in the order they stand.
fn add(diagnostics: &mut Vec<Diagnostic>, mut more: Vec<Diagnostic>) {
    diagnostics.append(&mut more);
    diagnostics.sort_by_key(|problem| problem.span);
}

/// Warns of names that are nearly others, in any of the files. While a file cannot be read nobody
/// knows which names it uses, so that this waits until all can.
fn compare(names: &[(usize, Vec<NameUse>)], problems: &mut [Problem]) {
    let read: Vec<&[NameUse]> = names.iter().map(|(_, names)| names.as_slice()).collect();
    for (file, warning) in near_misses(&read) {
        let place = names.get(file).map(|(place, _)| *place);
        if let Some(problem) = place.and_then(|place| problems.get_mut(place)) {
            add(&mut problem.diagnostics, vec![warning]);
        }
    }
}

/// The journey's id and where it stands, also in a file that has other problems.
fn id(source: &str) -> Option<(String, Span)> {
    let Kind::Map(entries) = yaml::read(source).ok()?.kind else {
        return None;
    };
    let entry = entries.into_iter().find(|entry| entry.key == "journey")?;
    match entry.value.kind {
        Kind::Text(id) => Some((id, entry.value.span)),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => None,
    }
}

fn duplicate(id: &str, span: Span, other: &Path) -> Diagnostic {
    let message = format!("another journey is called `{id}`");
    Diagnostic::new(Code::DuplicateJourney, span, message)
        .label(format!(
            "it stands in `{}`",
            other.strip_prefix(".").unwrap_or(other).display()
        ))
        .hint("an id is for ever: give the newer of the two another one")
}

#[cfg(test)]
mod tests;
