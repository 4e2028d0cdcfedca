//! How is the `wayfare` binary run and killed, and what did it print? Not here: whether that is
//! right (`shop`), or how fast (`speed`).

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// The binary, and the journeys it plays.
#[derive(Debug)]
pub(crate) struct Wayfare<'a> {
    /// The binary.
    pub(crate) path: &'a Path,
    /// The journeys.
    pub(crate) journeys: &'a Path,
}

impl Wayfare<'_> {
    /// A dry run by the events' clock to its very end, of a file, or of stdin without one.
    pub(crate) fn run(&self, events: Option<&Path>, state: &Path) -> anyhow::Result<Running> {
        let mut command = Command::new(self.path);
        command
            .args(["run", "--clock", "events", "--wait-timers", "--dry-run"])
            .arg("--journeys")
            .arg(self.journeys)
            .arg("--state")
            .arg(state)
            .arg("--events")
            .arg(events.map_or_else(|| PathBuf::from("-"), Path::to_path_buf))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.path.display()))?;
        let stdout = child.stdout.take().context("stdout was asked for")?;
        let (done, ended) = channel();
        let reader = std::thread::spawn(move || {
            let mut lines = Vec::new();
            for line in BufReader::new(stdout).lines() {
                match line {
                    Ok(line) => lines.push(line),
                    Err(_) => break,
                }
            }
            // Nobody listens when the process was killed.
            let _unheard = done.send(());
            lines
        });
        Ok(Running {
            child,
            reader,
            ended,
        })
    }
}

/// A run under way.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    reader: JoinHandle<Vec<String>>,
    ended: Receiver<()>,
}

/// What a run printed before it ended or was killed.
#[derive(Debug)]
pub(crate) struct Printed {
    /// Its lines; the last may be torn when it was killed.
    pub(crate) lines: Vec<String>,
    /// Whether it was killed.
    pub(crate) killed: bool,
}

impl Running {
    /// Where its events go, when it reads stdin.
    pub(crate) fn stdin(&mut self) -> anyhow::Result<std::process::ChildStdin> {
        self.child.stdin.take().context("stdin was asked for")
    }

    /// Waits for its end.
    ///
    /// # Errors
    ///
    /// When it failed.
    pub(crate) fn finish(mut self) -> anyhow::Result<Printed> {
        drop(self.child.stdin.take());
        let lines = joined(self.reader)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("`wayfare run` ended with {status}; run it by hand to see why");
        }
        Ok(Printed {
            lines,
            killed: false,
        })
    }

    /// Kills it after a while, unless it ended before.
    ///
    /// # Errors
    ///
    /// When it failed by itself.
    pub(crate) fn kill_after(self, after: Duration) -> anyhow::Result<Printed> {
        match self.ended.recv_timeout(after) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => self.finish(),
            Err(RecvTimeoutError::Timeout) => self.kill(),
        }
    }

    /// Kills it: SIGKILL, which no process can hear coming.
    ///
    /// # Errors
    ///
    /// When it cannot be killed.
    pub(crate) fn kill(mut self) -> anyhow::Result<Printed> {
        self.child.kill()?;
        let status = self.child.wait()?;
        Ok(Printed {
            lines: joined(self.reader)?,
            killed: !status.success(),
        })
    }
}

fn joined(reader: JoinHandle<Vec<String>>) -> anyhow::Result<Vec<String>> {
    match reader.join() {
        Ok(lines) => Ok(lines),
        Err(_) => bail!("the thread that reads the output failed"),
    }
}
