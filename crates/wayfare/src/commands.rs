//! What does each command do? One file each; here is what they share: how they fail, and how they
//! print a line.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod inspect;
pub(crate) mod receive;
pub(crate) mod run;
pub(crate) mod serve;

use std::io::Write as _;
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
        Some(ProjectError::Missing(_) | ProjectError::NoJourneys(_)) => {
            (format!("error: {failure:#}"), 1)
        }
        Some(ProjectError::Unreadable { .. }) => (format!("error: {failure:#}"), 2),
        None if failure.is::<WrongInput>() => (format!("error: {failure:#}"), 1),
        None => (format!("error: {failure:#}"), 2),
    };
    tell(&text);
    ExitCode::from(status)
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
