//! What does each command do? One file each; here is what they share: how they fail, and how they
//! print a line.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod graph;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod journeys;
pub(crate) mod operate;
pub(crate) mod people;
pub(crate) mod plan;
pub(crate) mod receive;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod test;
pub(crate) mod try_out;
pub(crate) mod unsubscribe_link;
pub(crate) mod verify;

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use wayfare_runtime::config::ProjectError;

use crate::{diagnostics, environment};

/// The input is wrong: exit status 1. Every other failure is the environment's: 2.
#[derive(Debug)]
pub(crate) struct WrongInput(pub String);

impl std::fmt::Display for WrongInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongInput {}

/// Says why a command failed, and with which status it ends.
pub(crate) fn fail(failure: &anyhow::Error) -> ExitCode {
    let (text, status) = match failure.downcast_ref::<ProjectError>() {
        Some(ProjectError::Problems { problems, .. }) => (
            diagnostics::draw(problems, environment::wants_color(&std::io::stderr())),
            1,
        ),
        Some(ProjectError::Missing(_) | ProjectError::NoJourneys(_)) => (said(failure), 1),
        Some(ProjectError::Unreadable { .. }) => (said(failure), 2),
        None if failure.is::<WrongInput>() => (said(failure), 1),
        None => (said(failure), 2),
    };
    tell(&text);
    ExitCode::from(status)
}

/// A failure and what led to it, each said once; what to do where a full disk is the cause.
pub(crate) fn said(failure: &anyhow::Error) -> String {
    let mut text = "error".to_owned();
    let mut before = String::new();
    for cause in failure.chain().map(ToString::to_string) {
        if !before.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        before = cause;
    }
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        let error = cause.downcast_ref::<std::io::Error>();
        error.map(std::io::Error::kind)
    };
    let kinds: Vec<ErrorKind> = failure.chain().filter_map(kind).collect();
    let advice = if kinds.contains(&ErrorKind::StorageFull) {
        "the disk is full: free space"
    } else if kinds.contains(&ErrorKind::FileTooLarge) {
        "files may not grow that large here: raise the limit"
    } else {
        return text;
    };
    text.push('\n');
    text.push_str(advice);
    text.push_str(
        " and start again; what was acknowledged is kept, and nothing after it was taken",
    );
    text
}

/// A line for people, on stderr. A terminal that is gone hears nothing.
pub(crate) fn tell(text: &str) {
    let _unheard = writeln!(std::io::stderr(), "{text}");
}

/// A line of results, on stdout.
///
/// # Errors
///
/// When stdout is closed.
pub(crate) fn print(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}

/// Waits for SIGTERM or an interrupt.
pub(crate) async fn told_to_stop() {
    let terminate = signal(SignalKind::terminate());
    let Ok(mut terminate) = terminate else {
        // Without the signal an interrupt still stops it.
        let _heard = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// From here on, a file that may not grow any more is an error that is told, not a signal that ends
/// the process.
pub(crate) fn survive_file_limits() {
    /// SIGXFSZ, by its number on every platform that has it.
    const FILE_SIZE_EXCEEDED: i32 = 25;
    // Where it cannot be caught the process ends as before: nothing acknowledged is lost by it.
    let _caught = signal(SignalKind::from_raw(FILE_SIZE_EXCEEDED));
}
