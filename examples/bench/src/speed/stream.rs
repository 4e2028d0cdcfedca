//! Which events are measured? The shop's stream, or a generated one of a size and a mix that are
//! written down here.

use std::fmt;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;
use wayfare_event::Timestamp;

use crate::project::{Project, directory};

/// Events in the generated stream.
const EVENTS: u32 = 200_000;
/// People in it.
const USERS: u64 = 10_000;
/// Bytes of one event, its line's end apart.
const EVENT_BYTES: usize = 400;
/// Time between two events, in microseconds.
const STEP_US: i64 = 10_000;
/// When it begins.
const BEGIN: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// A file of events and the journeys they are played through.
#[derive(Debug)]
pub(super) struct Stream {
    path: PathBuf,
    project: Project,
    lines: Vec<String>,
    is_generated: bool,
    _directory: TempDir,
}

impl Stream {
    /// The shop's stream, or a generated one.
    pub(super) fn of(scratch: &Path, shop: Option<&Path>) -> anyhow::Result<Self> {
        let directory = directory(scratch)?;
        let (path, project) = match shop {
            Some(shop) => (shop.to_path_buf(), Project::cart_recovery(scratch)?),
            None => (
                generate(directory.path()).context("cannot write the generated stream")?,
                Project::upgrades(scratch)?,
            ),
        };
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        Ok(Self {
            path,
            project,
            lines: text.lines().map(str::to_owned).collect(),
            is_generated: shop.is_none(),
            _directory: directory,
        })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The journeys.
    pub(super) fn journeys(&self) -> &Path {
        self.project.journeys()
    }

    /// The events as they stand in the file.
    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// How many events there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.lines.len()).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_generated {
            write!(
                f,
                "{} generated events of {EVENT_BYTES} bytes and {USERS} people, one in ten matches",
                self.count()
            )
        } else {
            write!(f, "{} events of the shop", self.count())
        }
    }
}

fn generate(directory: &Path) -> std::io::Result<PathBuf> {
    let path = directory.join("generated.ndjson");
    let mut file = BufWriter::new(std::fs::File::create(&path)?);
    for number in 0..EVENTS {
        writeln!(file, "{}", event(number))?;
    }
    file.flush()?;
    Ok(path)
}

/// One event. Every tenth matches; four in ten have the name and too small an amount; the rest have
/// another name.
fn event(number: u32) -> String {
    let user = u64::from(number).wrapping_mul(2_654_435_761) % USERS;
    let (name, amount) = match number % 10 {
        0 => ("Plan Upgraded", 150),
        1..=4 => ("Plan Upgraded", 50),
        _ => ("Page Viewed", 150),
    };
    let at = BEGIN.saturating_add_micros(i64::from(number) * STEP_US);
    let mut event = format!(
        r#"{{"type":"track","event":"{name}","messageId":"m-{number:012}","userId":"user-{user:05}","timestamp":"{at}","properties":{{"eid":"{number}","plan":"pro","amount":{amount},"currency":"USD"}},"context":{{"library":"bench","pad":""#
    );
    let end = r#""}}"#;
    while event.len() + end.len() < EVENT_BYTES {
        event.push('x');
    }
    event.push_str(end);
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generated_event_can_be_read_and_has_the_size_that_is_printed() {
        for number in [0, 1, 5, EVENTS - 1] {
            let event = event(number);
            assert_eq!(event.len(), EVENT_BYTES);
            wayfare_event::Event::parse(&event, None).unwrap();
        }
    }
}
