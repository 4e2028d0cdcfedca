//! `wayfare run`: the main job. Events in, decisions and delivery outcomes out.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, IsTerminal as _, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use wayfare_event::limits::EVENT_BYTES_MAX;
use wayfare_event::{Rejection, RejectionCode};
use wayfare_executor::{Sending, Trust};
use wayfare_runtime::{
    Advance, Driver, Engine, Inbox, Origin, Output, Submission, Until, clock, report,
};
use wayfare_store::Cursor;

use super::{WrongInput, tell};
use crate::assembly::{Assembled, Order, Seen, StateAt, assemble};
use crate::cli::{Clock, Journeys, Receiver};

/// Where events of a stream come from, for telling second copies.
const SOURCE: &str = "stream";

/// The arguments of `wayfare run`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(crate) struct Run {
    #[command(flatten)]
    journeys: Journeys,
    /// A file of events, one JSON object a line; `-` is stdin.
    #[arg(long, default_value = "-")]
    events: PathBuf,
    /// The state directory: what was decided is kept there, and a file goes on where it was left.
    #[arg(long, env = "WAYFARE_STATE")]
    state: Option<PathBuf>,
    /// Which time counts.
    #[arg(long, value_enum, default_value_t = Clock::Wall)]
    clock: Clock,
    /// How far the clock goes on after the last event, with `--clock events`: `30m`, `3d`.
    #[arg(long, value_parser = duration)]
    advance: Option<i64>,
    /// Stay until nobody waits any more.
    #[arg(long, conflicts_with = "advance")]
    wait_timers: bool,
    /// Send nothing; print each request as it would leave.
    #[arg(long, conflicts_with = "receiver")]
    dry_run: bool,
    /// Send every webhook to a receiver instead: `builtin`, or an address.
    #[arg(long)]
    receiver: Option<Receiver>,
    /// Print why, step by step.
    #[arg(long)]
    trace: bool,
    /// End with status 1 if any line was rejected.
    #[arg(long)]
    strict: bool,
}

fn duration(text: &str) -> Result<i64, String> {
    wayfare_journey::duration::parse(text).map_err(|error| error.to_string())
}

/// Runs until the input has ended and nothing is due.
pub(crate) fn run(run: &Run) -> anyhow::Result<ExitCode> {
    if run.advance.is_some() && run.clock == Clock::Wall {
        let message = "`--advance` moves the events' clock: add `--clock events`";
        return Err(WrongInput(message.to_owned()).into());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let rejected = runtime.block_on(play(run))?;
    Ok(ExitCode::from(u8::from(run.strict && rejected > 0)))
}

/// Plays the input; how many lines were rejected.
async fn play(run: &Run) -> anyhow::Result<u64> {
    super::survive_file_limits();
    let input = Input::open(&run.events)?;
    let order = Order {
        journeys: &run.journeys,
        state: StateAt::DirectoryOrMemory(run.state.as_deref()),
        sending: if run.dry_run {
            Sending::Dry
        } else {
            Sending::Owed
        },
        receiver: run.receiver.as_ref(),
    };
    let Assembled {
        mut engine,
        outbound,
        receiver,
        ..
    } = assemble(&order).await?;
    if run.trace {
        engine.trace();
    }
    if run.clock == Clock::Wall {
        clock::not_before(engine.at());
    }
    let input = input.continue_at(engine.store().head().cursor.as_ref())?;
    let mut out = Lines::new(outbound.secrets.clone(), run.clock);
    let mut tell_out = |output: Output, note: Option<String>| out.write(&output, note.as_deref());
    let (driver, inbox) = Driver::new(engine, outbound, &mut tell_out);
    let reader = std::thread::spawn(move || input.feed(&inbox));
    let mut engine = match run.clock {
        Clock::Wall => {
            let until = if run.wait_timers {
                Until::Finished
            } else {
                Until::Delivered
            };
            driver.run(until).await?
        }
        Clock::Events => {
            let advance = if run.wait_timers {
                Advance::ToTheEnd
            } else {
                Advance::By(run.advance.unwrap_or_default())
            };
            driver.play(advance).await?
        }
    };
    match reader.join() {
        Ok(read) => read?,
        Err(panic) => std::panic::resume_unwind(panic),
    }
    out.finish()?;
    out.summary.waiting = engine.waiting();
    let received = receiver.map(|receiver| receiver.seen());
    tell(&out.summary.text(&engine, received));
    // Nothing is left of whoever was erased before.
    engine.purge()?;
    engine.close()?;
    Ok(out.summary.rejected)
}

/// Where the lines come from.
struct Input {
    reader: Box<dyn BufRead + Send>,
    file: Option<Followed>,
}

/// A file that a later run goes on with.
struct Followed {
    path: PathBuf,
    identity: Arc<str>,
    offset: u64,
}

impl Input {
    fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            if std::io::stdin().is_terminal() {
                tell("reading events from the terminal, one JSON object a line; Ctrl-D ends them");
            }
            return Ok(Self {
                reader: Box::new(BufReader::new(std::io::stdin())),
                file: None,
            });
        }
        let open = || -> std::io::Result<Self> {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            let followed = metadata.is_file().then(|| Followed {
                path: path.to_path_buf(),
                identity: format!("{}:{}", metadata.dev(), metadata.ino()).into(),
                offset: 0,
            });
            Ok(Self {
                reader: Box::new(BufReader::with_capacity(1 << 16, file)),
                file: followed,
            })
        };
        open().map_err(|error| {
            let message = format!("cannot read the events in `{}`: {error}", path.display());
            WrongInput(message).into()
        })
    }

    /// Goes on behind what a state directory has taken of the same file.
    fn continue_at(mut self, cursor: Option<&Cursor>) -> anyhow::Result<Self> {
        if let (Some(followed), Some(cursor)) = (&mut self.file, cursor)
            && followed.identity == cursor.file
        {
            let mut file = File::open(&followed.path)?;
            file.seek(SeekFrom::Start(cursor.offset))?;
            followed.offset = cursor.offset;
            tell(&format!(
                "going on with `{}` at byte {}: the state has what stands before",
                followed.path.display(),
                cursor.offset
            ));
            self.reader = Box::new(BufReader::with_capacity(1 << 16, file));
        }
        Ok(self)
    }

    /// Hands every line to the writer, until the input ends or the writer does.
    fn feed(mut self, inbox: &Inbox) -> anyhow::Result<()> {
        let mut line = Vec::new();
        let source: Arc<str> = SOURCE.into();
        for number in 1.. {
            line.clear();
            let mut bounded = self.reader.by_ref().take(EVENT_BYTES_MAX as u64 + 2);
            let mut bytes = bounded
                .read_until(b'\n', &mut line)
                .context("cannot read on in the events")?;
            if bytes == 0 {
                break;
            }
            let whole = line.last() == Some(&b'\n') || bytes < EVENT_BYTES_MAX + 2;
            if !whole {
                bytes += self
                    .reader
                    .skip_until(b'\n')
                    .context("cannot read on in the events")?;
            }
            let cursor = self.file.as_mut().map(|followed| {
                followed.offset += bytes as u64;
                Cursor {
                    file: followed.identity.clone(),
                    offset: followed.offset,
                }
            });
            let Some(submission) = submission(&line, source.clone(), (number, cursor)) else {
                continue;
            };
            if inbox.blocking_send(submission).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// A line as it is handed in; nothing for a blank one.
fn submission(
    line: &[u8],
    source: Arc<str>,
    (number, cursor): (u64, Option<Cursor>),
) -> Option<Submission> {
    let Ok(text) = std::str::from_utf8(line) else {
        let message = "the line is not UTF-8";
        return Some(Submission {
            event: Err(Rejection::new(RejectionCode::InvalidJson, message)),
            origin: Origin {
                text: "".into(),
                source,
                trust: Trust::Verified,
                line: number,
                cursor,
                reply: None,
            },
        });
    };
    let text = text.trim();
    (!text.is_empty()).then(|| Submission::line(text, source, number, cursor))
}

/// The output, and what is counted of it.
struct Lines {
    out: BufWriter<std::io::Stdout>,
    secrets: Arc<wayfare_webhook::Secrets>,
    clock: Clock,
    failed: Option<std::io::Error>,
    summary: Summary,
}

impl Lines {
    fn new(secrets: Arc<wayfare_webhook::Secrets>, clock: Clock) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 16, std::io::stdout()),
            secrets,
            clock,
            failed: None,
            summary: Summary::default(),
        }
    }

    fn write(&mut self, output: &Output, note: Option<&str>) {
        self.summary.count(output);
        if self.failed.is_some() {
            return;
        }
        let line = report::line(output, note, &self.secrets);
        let written = writeln!(self.out, "{line}").and_then(|()| match self.clock {
            // Somebody may be looking on.
            Clock::Wall => self.out.flush(),
            Clock::Events => Ok(()),
        });
        self.failed = written.err();
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
        .context("cannot write the results; what was decided is kept all the same")
    }
}

/// What a run did, counted.
#[derive(Debug, Default)]
struct Summary {
    rejected: u64,
    waiting: usize,
    decisions: BTreeMap<&'static str, u64>,
    deliveries: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, u64>,
}

impl Summary {
    fn count(&mut self, output: &Output) {
        match output {
            Output::Decision(decision) => {
                *self.decisions.entry(decision.outcome.as_str()).or_default() += 1;
            }
            Output::Delivery { delivery, .. } if delivery.state.is_final() => {
                *self.deliveries.entry(delivery.state.as_str()).or_default() += 1;
            }
            Output::Refused(refusal) => {
                *self.refused.entry(refusal.code.as_str()).or_default() += 1;
            }
            Output::Rejected { .. } => self.rejected += 1,
            Output::Delivery { .. } | Output::Control { .. } | Output::Trace { .. } => {}
        }
    }

    fn text(&self, engine: &Engine, received: Option<Seen>) -> String {
        let counts = engine.counts();
        let mut lines = vec![
            format!(
                "events      {} taken, {} of them second copies, {} lines rejected{}",
                counts.events,
                counts.duplicates,
                self.rejected,
                erased(counts.erased)
            ),
            format!("decisions   {}", counted(&self.decisions)),
            format!("deliveries  {}", counted(&self.deliveries)),
            format!("refused     {}", counted(&self.refused)),
            format!("waiting     {}", self.waiting),
        ];
        lines.extend(received.map(|seen| {
            let (requests, copies) = (seen.requests, seen.copies);
            let came = format!("receiver    {requests} requests, {copies} of them second copies");
            let verified = (seen.verified > 0).then(|| format!("{} verified", seen.verified));
            let wrong = (seen.wrong > 0).then(|| format!("{} with a wrong signature", seen.wrong));
            let parts = std::iter::once(came).chain(verified).chain(wrong);
            parts.collect::<Vec<_>>().join(", ")
        }));
        lines.join("\n")
    }
}

/// `, 2 of somebody erased`; nothing where there were none.
fn erased(count: u64) -> String {
    if count == 0 {
        String::new()
    } else {
        format!(", {count} of somebody erased")
    }
}

/// `4: exit 1, webhook 3`.
fn counted(counts: &BTreeMap<&'static str, u64>) -> String {
    let total: u64 = counts.values().sum();
    let parts: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    if parts.is_empty() {
        "0".to_owned()
    } else {
        format!("{total}: {}", parts.join(", "))
    }
}
