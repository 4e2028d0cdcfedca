//! What would publishing change? What becomes of the people inside, and who would be sent what, by
//! the journeys in force and by those to be published, over the same inputs. Not here: publishing.

mod compare;
mod inside;
mod play;

use std::sync::Arc;

use wayfare_event::{Event, IdKey, Timestamp};
use wayfare_executor::Trust;
use wayfare_journey::Graph;
use wayfare_store::{Entry, LoggedInput, StoreError};

use crate::config::Settings;
use crate::engine::OpenError;
use play::Play;

pub use compare::{Count, Difference, Example, Outcomes, What};
pub use inside::{Before, Edit, Edited, Place};

/// Where lines come from: what `wayfare run` calls a stream.
const SOURCE: &str = "stream";
/// Sequence numbers left free behind each input for what follows from it, so that both sides number
/// inputs alike: ids of walks that no message id opens are made of them.
const SEQS_PER_INPUT: u64 = 1 << 20;

/// Journeys and the configuration they run under.
#[derive(Clone, Debug)]
pub struct Side {
    /// The configuration.
    pub settings: Settings,
    /// The journeys.
    pub graphs: Vec<Graph>,
}

/// What was played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Events.
    pub events: u64,
    /// Lines that are no event under the configuration to be published.
    pub rejected: u64,
    /// When the first event counted.
    pub first: Option<Timestamp>,
    /// When the last one did.
    pub last: Option<Timestamp>,
}

/// Two sides at work on the same inputs, in virtual time and in memory. Nothing is sent: every
/// delivery is answered 200 at once.
#[derive(Debug)]
pub struct Rehearsal {
    before: Play,
    after: Play,
    heard: Heard,
    inputs: u64,
}

/// An event and how it came.
struct Told<'a> {
    event: Event,
    source: &'a Arc<str>,
    text: &'a Arc<str>,
    trust: Trust,
    at: Timestamp,
    seq: u64,
}

impl Rehearsal {
    /// Both sides before anything has happened, in the installation with this key.
    ///
    /// # Errors
    ///
    /// When an engine does not come up.
    pub fn new(before: &Side, after: &Side, id_key: IdKey) -> Result<Self, OpenError> {
        Ok(Self {
            before: Play::new(before, id_key)?,
            after: Play::new(after, id_key)?,
            heard: Heard::default(),
            inputs: 0,
        })
    }

    /// Lets both sides hear an input of the history, if it came from outside: an event, or an order
    /// of an operator. Timers and attempts follow by themselves.
    ///
    /// # Errors
    ///
    /// When a store fails.
    pub fn entry(&mut self, entry: &Entry) -> Result<(), StoreError> {
        match &entry.input {
            LoggedInput::Event {
                source,
                text,
                trust,
            } => {
                let event = Event::parse(text, None);
                self.hear(event.ok(), (source, text, *trust), |_| entry.at)
            }
            LoggedInput::Operator(order) => {
                self.before.order(entry.at, order.clone())?;
                self.after.order(entry.at, order.clone())
            }
            LoggedInput::Timer { .. }
            | LoggedInput::AttemptReady { .. }
            | LoggedInput::AttemptFinished { .. }
            | LoggedInput::AttemptBarred(_)
            | LoggedInput::Queued(_)
            | LoggedInput::SweepPage { .. }
            | LoggedInput::Published { .. }
            | LoggedInput::Withdrawn(_)
            | LoggedInput::Redacted => Ok(()),
        }
    }

    /// Lets both sides hear a line of a file of events, at the time it tells (SP 1).
    ///
    /// # Errors
    ///
    /// When a store fails.
    pub fn line(&mut self, text: &str) -> Result<(), StoreError> {
        let mut event = Event::parse(text, None).ok();
        if let Some(event) = &mut event {
            event.sent_at = None;
        }
        let last = self.heard.last.unwrap_or(Timestamp::EPOCH);
        let at = |event: &Event| event.told_at().unwrap_or(last).max(last);
        self.hear(event, (&SOURCE.into(), &text.into(), Trust::Verified), at)
    }

    fn hear(
        &mut self,
        event: Option<Event>,
        (source, text, trust): (&Arc<str>, &Arc<str>, Trust),
        at: impl FnOnce(&Event) -> Timestamp,
    ) -> Result<(), StoreError> {
        self.inputs += 1;
        let Some(event) = event else {
            self.heard.rejected += 1;
            return Ok(());
        };
        let told = Told {
            at: at(&event),
            seq: self.inputs.saturating_mul(SEQS_PER_INPUT),
            event,
            source,
            text,
            trust,
        };
        self.before.event(&told)?;
        match self.after.event(&told)? {
            play::Taken::Yes => {
                self.heard.events += 1;
                self.heard.first.get_or_insert(told.at);
                self.heard.last = Some(told.at);
            }
            play::Taken::Copy => {}
            play::Taken::Rejected => self.heard.rejected += 1,
        }
        Ok(())
    }

    /// Lets time go on until nobody waits, as if nothing else happened, and compares.
    ///
    /// # Errors
    ///
    /// When a store fails.
    pub fn finish(self) -> Result<(Heard, Outcomes), StoreError> {
        let (before, after) = (self.before.finish()?, self.after.finish()?);
        Ok((self.heard, compare::compare(&before, &after)))
    }
}
