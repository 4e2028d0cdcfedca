//! How does a test start the program, and what did it answer? It reads
//! nothing of the machine's environment.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A file that comes with the program.
pub(crate) fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// `wayfare run` in a directory, with nothing set that its answers depend on.
pub(crate) fn run(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wayfare"));
    for name in ["LOG", "JOURNEYS", "CONFIG", "STATE"] {
        command.env_remove(format!("WAYFARE_{name}"));
    }
    for secret in [
        "CRM_TOKEN",
        "BILLING_TOKEN",
        "EMAIL_PASSWORD",
        "MAIL_API_KEY",
    ] {
        command.env_remove(secret);
    }
    command.current_dir(directory).arg("run").args(arguments);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a run that ended left behind.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: i32,
    /// Its results, as they were printed.
    pub(crate) out: String,
    /// What it told people.
    pub(crate) err: String,
}

impl Answer {
    /// Runs to the end.
    pub(crate) fn of(mut command: Command) -> Self {
        Self::after(command.spawn().unwrap())
    }

    /// Waits for the end of a run.
    pub(crate) fn after(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            status: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Its results of one kind.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<Value> {
        let lines = self.out.lines().map(parse);
        lines.filter(|line| line["kind"] == kind).collect()
    }
}

/// A line of results.
pub(crate) fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
