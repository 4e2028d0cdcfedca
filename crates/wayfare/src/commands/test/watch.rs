//! When are tests run again? When a file beside the journeys was written, made or removed. Looked
//! at four times a second, which costs nothing and works on every file system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use tokio::time::MissedTickBehavior;

use super::{Test, once, shown};
use crate::commands::{print, said, tell, told_to_stop};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_millis(250);

/// Runs the tests, and again after every change, until interrupted.
pub(super) fn watch(test: &Test) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    runtime.block_on(async {
        tokio::select! {
            ended = again_and_again(test) => ended,
            () = told_to_stop() => Ok(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn again_and_again(test: &Test) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = None;
    loop {
        ticks.tick().await;
        let now = stamps(test);
        if seen.as_ref() == Some(&now) {
            continue;
        }
        seen = Some(now);
        match once(test) {
            Ok(results) => print(&shown(test, &results))?,
            // A file that is gone for a moment is on its way to be written.
            Err(failure) => tell(&said(&failure)),
        }
        tell("watching for changes; Ctrl-C ends it");
    }
}

/// When each file was written last, and how long it is.
type Stamps = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

fn stamps(test: &Test) -> Stamps {
    let mut stamps = Stamps::new();
    for path in test.paths.iter().chain(&test.config) {
        let directory = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(path)
        };
        let directory = if directory == Path::new("") {
            Path::new(".")
        } else {
            directory
        };
        // What cannot be read now may be there at the next look.
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        for entry in entries {
            let path = entry.path();
            let is_yaml = path.extension().is_some_and(|it| it == "yaml");
            if let Some(metadata) = entry.metadata().ok().filter(|_| is_yaml) {
                stamps.insert(path, (metadata.modified().ok(), metadata.len()));
            }
        }
    }
    stamps
}
