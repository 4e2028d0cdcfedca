//! How do rows get from memory into the state? One thread takes them as a whole, with the position
//! they bring the state to, and says when they are durable. As the only one that writes the state it
//! also writes checkpoints of it, between two jobs, when nothing moves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use wayfare_executor::{Key, Row};

use super::state::{Pieces, State};
use super::{anew, checkpoint};
use crate::log::segment;
use crate::position::Position;
use crate::retention::{day, oldest_day};
use crate::{StoreError, step};

/// What goes into the state together: rows, and keys whose rows are gone.
pub(super) type Rows = BTreeMap<Key, Option<Row>>;

/// Rows and the bytes each takes in the state; messages are left out.
pub(super) type Written = Vec<(Key, Option<Row>, usize)>;

/// What is to be done.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) rows: Arc<Rows>,
    /// What they bring the state to.
    pub(super) position: Position,
    /// Whether a checkpoint is written then.
    pub(super) checkpoint: bool,
    /// Whether the state is written anew then, so that nothing is left of what is gone.
    pub(super) anew: bool,
    /// Of how many bytes a spare segment of the log is wanted.
    pub(super) spare_bytes: Option<u64>,
}

/// What was done.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) written: Written,
    /// How large the checkpoint is.
    pub(super) checkpoint: Option<u64>,
    /// The state written anew, or why that failed: then the one before is still used.
    pub(super) anew: Option<Result<Arc<State>, StoreError>>,
}

/// What the thread works on.
struct Worker {
    directory: PathBuf,
    sled_bytes: u64,
    state: Arc<State>,
    pieces: Pieces,
}

/// The thread that writes behind.
#[derive(Debug)]
pub(super) struct Behind {
    /// At most one job is on its way; none any more when it is being dropped.
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Result<Done, StoreError>>,
    thread: Option<JoinHandle<()>>,
}

/// What became of the rows handed over.
#[derive(Debug)]
pub(super) enum Progress {
    /// They are being written.
    Writing,
    /// They are durable.
    Durable(Done),
}

impl Behind {
    /// A thread for the state of a directory, which has these pieces of cut rows; sled may hold so
    /// many bytes of its file.
    pub(super) fn start(
        directory: &Path,
        (state, pieces): (Arc<State>, Pieces),
        sled_bytes: u64,
    ) -> std::io::Result<Self> {
        let mut worker = Worker {
            directory: directory.to_path_buf(),
            sled_bytes,
            state,
            pieces,
        };
        let (jobs, inbox) = sync_channel::<Job>(1);
        let (outbox, done) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || {
                for job in inbox {
                    if outbox.send(worker.write(&job)).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self {
            jobs: Some(jobs),
            done,
            thread: Some(thread),
        })
    }

    /// Hands rows over; those handed over before must be durable.
    pub(super) fn send(&self, job: Job) {
        let sent = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.send(job).is_ok());
        assert!(sent, "the thread lives for as long as rows can be sent");
    }

    /// What became of the rows handed over, without waiting.
    pub(super) fn look(&self) -> Result<Progress, StoreError> {
        match self.done.try_recv() {
            Ok(done) => done.map(Progress::Durable),
            Err(TryRecvError::Empty) => Ok(Progress::Writing),
            Err(TryRecvError::Disconnected) => Err(StoreError::Stopped),
        }
    }

    /// Waits until the rows handed over are durable.
    pub(super) fn wait(&self) -> Result<Done, StoreError> {
        self.done.recv().unwrap_or(Err(StoreError::Stopped))
    }
}

impl Drop for Behind {
    /// Ends the thread, after what it is writing.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // What it could say was said with its last job.
            drop(thread.join());
        }
    }
}

impl Worker {
    fn write(&mut self, job: &Job) -> Result<Done, StoreError> {
        let position = &job.position;
        let oldest = oldest_day(position.last_at);
        for day in self.state.days()? {
            if day < oldest {
                self.state.drop_day(day)?;
            }
        }
        let written = put(&self.state, &job.rows, Some(position), &mut self.pieces)?;
        self.state.sync()?;
        step::done(&self.directory, "the state is written");
        let checkpoint = if job.checkpoint {
            Some(checkpoint::write(&self.directory, position, &self.state)?)
        } else {
            None
        };
        if let Some(bytes) = job.spare_bytes {
            // What cannot be made ready now is made when it is needed, and then says why not.
            drop(segment::prepare(&self.directory.join("log"), bytes));
        }
        let anew = job.anew.then(|| self.anew(position));
        Ok(Done {
            written,
            checkpoint,
            anew,
        })
    }

    /// Writes the state anew, once its checkpoint is known to be sound: older ones may go then.
    fn anew(&mut self, position: &Position) -> Result<Arc<State>, StoreError> {
        checkpoint::check(&self.directory, position.frame)?;
        let made = anew::make(&self.directory, (&self.state, position), self.sled_bytes)?;
        let (state, pieces) = made;
        self.state = Arc::new(state);
        self.pieces = pieces;
        Ok(self.state.clone())
    }
}

/// Writes rows into a state; what became of those that are no messages.
pub(super) fn put(
    state: &State,
    rows: &Rows,
    position: Option<&Position>,
    pieces: &mut Pieces,
) -> Result<Written, StoreError> {
    let mut days: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    let mut others = Vec::new();
    let mut gone = Vec::new();
    for (key, row) in rows {
        match (key, row) {
            (Key::Message(message), Some(Row::Message(at))) => {
                days.entry(day(*at)).or_default().push((*message, *at));
            }
            (Key::Message(message), _) => gone.push(*message),
            (key, row) => others.push((key, row.as_ref())),
        }
    }
    state.remove_messages(&gone)?;
    if let Some(position) = position {
        days = days.split_off(&oldest_day(position.last_at));
    }
    for (day, messages) in days {
        state.put_messages(day, &messages)?;
    }
    let sizes = state.put_rows(&others, position, pieces)?;
    let written = others.into_iter().zip(sizes);
    Ok(written
        .map(|((key, row), size)| (key.clone(), row.cloned(), size))
        .collect())
}
