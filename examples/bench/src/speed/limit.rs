//! What does the machine allow? The same file parsed, appended to the same log and synced as often,
//! and nothing else: no identity, no journeys, no state.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use wayfare_event::Event;
use wayfare_store::log::{Log, SEGMENT_BYTES};

use super::stream::Stream;
use crate::measure::timed;
use crate::project::directory;

/// Events that share one frame and one sync, as in the engine (SP 6).
pub(super) const BATCH: usize = 512;

/// How long it takes once.
pub(super) fn once(stream: &Stream, scratch: &Path) -> anyhow::Result<Duration> {
    let directory = directory(scratch)?;
    let (written, took) = timed(|| write(stream.path(), directory.path()));
    written?;
    Ok(took)
}

fn write(events: &Path, directory: &Path) -> anyhow::Result<()> {
    let (mut log, _) = Log::open(directory, SEGMENT_BYTES, 1, &mut |_, _| ())?;
    let mut reader = BufReader::with_capacity(1 << 16, std::fs::File::open(events)?);
    let (mut line, mut frame) = (String::new(), Vec::new());
    let mut inside = 0;
    while reader.read_line(&mut line)? > 0 {
        let parsed = Event::parse(line.trim(), None);
        // Read, and not thrown away before it was made.
        std::hint::black_box(parsed.ok().context("the stream holds events only")?);
        frame.extend_from_slice(line.as_bytes());
        line.clear();
        inside += 1;
        if inside == BATCH {
            log.append(&frame)?;
            log.sync()?;
            frame.clear();
            inside = 0;
        }
    }
    if inside > 0 {
        log.append(&frame)?;
        log.sync()?;
    }
    Ok(())
}
