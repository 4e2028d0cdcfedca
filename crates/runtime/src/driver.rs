//! When does what happen? One loop owns the engine: events that wait, timers and deliveries that
//! are due and attempts that ended go in, a batch is made durable, and only then answers and
//! requests leave. By the wall clock, or by the events' own.

mod desk;
mod virtual_time;
mod wall;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::sync::{mpsc, oneshot};
use wayfare_event::{DeliveryId, Event, Rejection, Timestamp};
use wayfare_executor::Happened;
use wayfare_executor::delivery::Outcome;
use wayfare_store::StoreError;

use crate::dispatch::{Dispatch, Outbound, Told};
use crate::engine::{Engine, Output};
use crate::intake::{self, Origin, Submission};

pub use desk::{Desk, DeskError, Given};
pub use virtual_time::Advance;

/// Inputs that share one commit (SP 6).
pub(crate) const BATCH_MAX: usize = 512;
/// Submissions that wait for the writer.
const INBOX_MAX: usize = 4 * BATCH_MAX;

/// Where events are handed in. Dropping every sender ends the input.
pub type Inbox = mpsc::Sender<Submission>;

/// When the driver stops by itself, once the input has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When no attempt is on the wire: a server that was told to stop.
    Quiet,
    /// When every delivery is final.
    Delivered,
    /// When every delivery is final and nobody waits any more.
    Finished,
}

type Reply = (
    oneshot::Sender<Result<(), Rejection>>,
    Result<(), Rejection>,
);

/// The engine at work.
pub struct Driver<'a> {
    engine: Engine,
    dispatch: Dispatch,
    inbox: mpsc::Receiver<Submission>,
    /// Orders and looks of operators.
    asked: mpsc::Receiver<desk::Asked>,
    tell: &'a mut (dyn FnMut(Output, Option<String>) + Send),
    replies: Vec<Reply>,
    /// Deliveries released in this batch, and where they may be dialled.
    released: Vec<(DeliveryId, Vec<SocketAddr>)>,
    /// What an attempt said beyond its outcome, for the output about it.
    notes: BTreeMap<DeliveryId, String>,
}

impl std::fmt::Debug for Driver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl<'a> Driver<'a> {
    /// A driver of an engine, and where to hand events in. `tell` hears every output once it is
    /// durable, with what an attempt noted beyond its outcome.
    pub fn new(
        engine: Engine,
        outbound: Outbound,
        tell: &'a mut (dyn FnMut(Output, Option<String>) + Send),
    ) -> (Self, Inbox) {
        let (inbox, receiver) = mpsc::channel(INBOX_MAX);
        let driver = Self {
            engine,
            dispatch: Dispatch::new(outbound),
            inbox: receiver,
            asked: desk::nobody(),
            tell,
            replies: Vec::new(),
            released: Vec::new(),
            notes: BTreeMap::new(),
        };
        (driver, inbox)
    }

    /// Takes one submission that comes in at `at`.
    fn take(&mut self, submission: Submission, at: Timestamp) -> Result<(), StoreError> {
        let Submission { event, origin } = submission;
        let happened = self.happened(event, &origin, at);
        self.take_named(happened, origin, at)
    }

    /// The event of a submission, corrected and named; why there is none.
    fn happened(
        &self,
        event: Result<Box<Event>, Rejection>,
        origin: &Origin,
        at: Timestamp,
    ) -> Result<Happened, Rejection> {
        let event = event?;
        let occurred = intake::corrected(&event, at);
        let source = origin.source.clone();
        let happened = Happened::new(self.engine.catalog(), *event, source, occurred)?;
        Ok(happened.trusted(origin.trust))
    }

    /// Takes a submission whose event is named, at `at`.
    fn take_named(
        &mut self,
        happened: Result<Happened, Rejection>,
        origin: Origin,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let answer = match happened {
            Ok(happened) => {
                self.engine.event(at, happened, origin.text)?;
                Ok(())
            }
            Err(rejection) => {
                self.engine.rejected(origin.line, rejection.clone());
                Err(rejection)
            }
        };
        self.replies
            .extend(origin.reply.map(|reply| (reply, answer)));
        if let Some(cursor) = origin.cursor {
            self.engine.note_cursor(cursor);
        }
        Ok(())
    }

    /// Takes what an attempt has to say at `at`.
    fn hear(&mut self, told: Told, at: Timestamp) -> Result<(), StoreError> {
        match told {
            Told::Ready(id, addresses) => {
                if self.engine.ready(at, id)? {
                    self.released.push((id, addresses));
                } else {
                    self.dispatch.release(id, None);
                }
            }
            Told::Barred(id, note) => {
                tracing::warn!(delivery = %id, note, "the address is refused: withheld");
                self.notes.insert(id, note);
                self.engine.barred(at, id)?;
                self.dispatch.release(id, None);
            }
            // A failed lookup is an attempt like any other: it counts, and its repeats end.
            Told::NotSent(id, reason, note) => {
                self.notes.insert(id, note);
                let outcome = Outcome::NotSent(reason);
                if self.engine.ready(at, id)? {
                    let attempt = self.engine.delivery(id)?.map_or(0, |it| it.attempts);
                    self.engine.finished(at, id, (attempt, outcome))?;
                }
                self.dispatch.release(id, Some(outcome));
            }
            Told::Finished {
                delivery,
                attempt,
                outcome,
                note,
            } => {
                tracing::info!(%delivery, attempt, ?outcome, note = note.as_deref(), "attempt ended");
                self.notes.extend(note.map(|note| (delivery, note)));
                self.engine.finished(at, delivery, (attempt, outcome))?;
                self.dispatch.release(delivery, Some(outcome));
            }
        }
        Ok(())
    }

    /// Starts every delivery that is due by `at`.
    fn start_due(&mut self, at: Timestamp) -> Result<(), StoreError> {
        for delivery in self.engine.take_due(at)? {
            self.dispatch.start(&delivery);
        }
        Ok(())
    }

    /// Makes the batch durable when it is as large as a batch may be.
    fn flush_if_full(&mut self) -> Result<(), StoreError> {
        if self.engine.is_full() {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes the batch durable; then outputs, answers and requests leave, in this order.
    fn flush(&mut self) -> Result<(), StoreError> {
        for output in tokio::task::block_in_place(|| self.engine.commit())? {
            let note = match &output {
                Output::Delivery { delivery, .. } => self.notes.remove(&delivery.id),
                Output::Decision(_)
                | Output::Refused(_)
                | Output::Control { .. }
                | Output::Rejected { .. }
                | Output::Trace { .. } => None,
            };
            (self.tell)(output, note);
        }
        for (reply, answer) in self.replies.drain(..) {
            // A client that went away has no ear for the answer; the event stands all the same.
            let _unheard = reply.send(answer);
        }
        for (id, addresses) in std::mem::take(&mut self.released) {
            if let Some(delivery) = self.engine.delivery(id)? {
                self.dispatch
                    .send(&delivery, addresses, crate::clock::wall());
            }
        }
        Ok(())
    }
}
