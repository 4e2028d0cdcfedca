//! `wayfare init`: what does a project need to start with? A journey, its test, sample events, and
//! the schemas that help an editor. It overwrites nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;

use super::schema::Of;
use super::{WrongInput, print};

/// The arguments of `wayfare init`.
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The directory of the project; it is made where it is not there.
    #[arg(default_value = ".")]
    directory: PathBuf,
}

/// A file of the project: its path, what it is, and what stands in it.
type File = (&'static str, &'static str, &'static str);

const FILES: [File; 7] = [
    (
        "journeys/welcome.yaml",
        "a journey",
        include_str!("init/welcome.yaml"),
    ),
    (
        "journeys/welcome.test.yaml",
        "its tests",
        include_str!("init/welcome.test.yaml"),
    ),
    (
        "journeys/wayfare.yaml",
        "the configuration",
        include_str!("init/wayfare.yaml"),
    ),
    (
        "journeys/journey.schema.json",
        "what editors complete journeys by",
        Of::Journey.schema(),
    ),
    (
        "journeys/test.schema.json",
        "the same for tests",
        Of::Test.schema(),
    ),
    (
        "journeys/config.schema.json",
        "the same for the configuration",
        Of::Config.schema(),
    ),
    (
        "events.ndjson",
        "sample events",
        include_str!("init/events.ndjson"),
    ),
];

/// Keeps the state out of the repository. A project that has one keeps its own.
const IGNORED: File = (
    ".gitignore",
    "keeps the state out of the repository",
    include_str!("init/gitignore"),
);

/// What to try, from within the directory.
const NEXT: [&str; 4] = [
    "wayfare check --ignore-secrets",
    "wayfare test",
    "wayfare run --events events.ndjson --clock events --dry-run",
    "wayfare run --events events.ndjson --clock events --receiver builtin --state .wayfare",
];

/// Writes the project and says what to try; status 1 when something of it is there already.
pub(crate) fn init(init: &Init) -> anyhow::Result<ExitCode> {
    let directory = &init.directory;
    let is_there = |path: &str| directory.join(path).symlink_metadata().is_ok();
    let taken = FILES.iter().filter(|(path, ..)| is_there(path));
    let taken: Vec<String> = taken.map(|(path, ..)| format!("`{path}`")).collect();
    if !taken.is_empty() {
        let message = format!(
            "`{}` has {} already, and `init` overwrites nothing: name another directory",
            directory.display(),
            taken.join(", ")
        );
        return Err(WrongInput(message).into());
    }
    let ignores_already = is_there(IGNORED.0);
    let ignored = (!ignores_already).then_some(&IGNORED);
    for (path, what, text) in FILES.iter().chain(ignored) {
        write(&directory.join(path), text)?;
        print(&format!("{path:<30}  {what}"))?;
    }
    if ignores_already {
        print("\nadd `.wayfare/` to your `.gitignore`: it is the state")?;
    }
    print("\nnext:")?;
    if directory != Path::new(".") {
        print(&format!("  cd {}", directory.display()))?;
    }
    for command in NEXT {
        print(&format!("  {command}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let place = || format!("`{}` cannot be written", path.display());
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).with_context(place)?;
    }
    let mut file = std::fs::File::create_new(path).with_context(place)?;
    file.write_all(text.as_bytes()).with_context(place)
}
