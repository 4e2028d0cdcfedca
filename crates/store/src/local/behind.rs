//! How do rows get from memory into the state? One thread takes them as a whole, with the position
//! they bring the state to, and says when they are durable.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use wayfare_executor::{Key, Row};

use super::state::{Pieces, Position, State};
use crate::StoreError;
use crate::retention::{day, oldest_day};

/// What goes into the state together: rows, and keys whose rows are gone.
pub(super) type Rows = BTreeMap<Key, Option<Row>>;

/// Rows and the bytes each takes in the state; messages are left out.
pub(super) type Written = Vec<(Key, Option<Row>, usize)>;

struct Job {
    rows: Arc<Rows>,
    position: Position,
}

/// The thread that writes behind.
#[derive(Debug)]
pub(super) struct Behind {
    /// At most one job is on its way; none any more when it is being dropped.
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Result<Written, StoreError>>,
    thread: Option<JoinHandle<()>>,
}

/// What became of the rows handed over.
#[derive(Debug)]
pub(super) enum Progress {
    /// They are being written.
    Writing,
    /// They are durable.
    Durable(Written),
}

impl Behind {
    pub(super) fn start(state: Arc<State>, mut pieces: Pieces) -> std::io::Result<Self> {
        let (jobs, inbox) = sync_channel::<Job>(1);
        let (outbox, done) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || {
                for job in inbox {
                    if outbox.send(write(&state, &job, &mut pieces)).is_err() {
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
    pub(super) fn send(&self, rows: Arc<Rows>, position: Position) {
        let sent = self
            .jobs
            .as_ref()
            .is_some_and(|jobs| jobs.send(Job { rows, position }).is_ok());
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
    pub(super) fn wait(&self) -> Result<Written, StoreError> {
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

fn write(state: &State, job: &Job, pieces: &mut Pieces) -> Result<Written, StoreError> {
    let oldest = oldest_day(job.position.last_at);
    for day in state.days()? {
        if day < oldest {
            state.drop_day(day)?;
        }
    }
    let mut days: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    let mut rows = Vec::new();
    let mut gone = Vec::new();
    for (key, row) in job.rows.iter() {
        match (key, row) {
            (Key::Message(message), Some(Row::Message(at))) => {
                days.entry(day(*at)).or_default().push((*message, *at));
            }
            (Key::Message(message), _) => gone.push(*message),
            (key, row) => rows.push((key, row.as_ref())),
        }
    }
    state.remove_messages(&gone)?;
    for (day, messages) in days.split_off(&oldest) {
        state.put_messages(day, &messages)?;
    }
    let sizes = state.put_rows(&rows, &job.position, pieces)?;
    state.sync()?;
    let written = rows.into_iter().zip(sizes);
    Ok(written
        .map(|((key, row), size)| (key.clone(), row.cloned(), size))
        .collect())
}
