//! How does the driver run by the events' own clock? The clock moves to each due instant first, and
//! stands while a delivery is not final (SP 1, SP 4).

use wayfare_event::Timestamp;
use wayfare_store::StoreError;

use super::{BATCH_MAX, Driver};
use crate::engine::Engine;
use crate::intake::{self, Submission};

/// How far the clock goes on after the last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// By this many microseconds.
    By(i64),
    /// Until nobody waits any more.
    ToTheEnd,
}

impl Driver<'_> {
    /// Plays the input by its own clock, then moves the clock on. Gives the engine back.
    ///
    /// # Errors
    ///
    /// When the store fails: nothing of the batch was answered, and nothing more is taken.
    pub async fn play(mut self, advance: Advance) -> Result<Engine, StoreError> {
        let mut waiting = Vec::new();
        self.settle().await?;
        while self.inbox.recv_many(&mut waiting, BATCH_MAX).await > 0 {
            for submission in waiting.drain(..) {
                self.take_in_time(submission).await?;
            }
            self.flush()?;
        }
        let end = match advance {
            Advance::By(micros) => self.engine.at().saturating_add_micros(micros),
            Advance::ToTheEnd => Timestamp::from_micros(i64::MAX),
        };
        self.move_to(end).await?;
        self.flush()?;
        Ok(self.engine)
    }

    /// Moves the clock to a line's time, unless the line changes nothing, and takes it.
    async fn take_in_time(&mut self, submission: Submission) -> Result<(), StoreError> {
        let last = self.engine.at();
        let mut at = last;
        if let Ok(event) = &submission.event {
            let told = event.told_at().unwrap_or(last);
            if !self.is_copy(&submission)? {
                at = told.max(last);
                self.move_to(at).await?;
            }
        }
        self.take_at(submission, at)?;
        self.settle().await
    }

    /// Whether a submission is a second copy, or about nobody.
    fn is_copy(&mut self, submission: &Submission) -> Result<bool, StoreError> {
        let Ok(event) = &submission.event else {
            return Ok(true);
        };
        let source = submission.source.clone();
        let at = self.engine.at();
        match intake::happened(self.engine.catalog(), (**event).clone(), source, at) {
            Ok(happened) => self.engine.is_copy(&happened),
            Err(_) => Ok(true),
        }
    }

    /// In virtual time nothing is sent late and no clock is wrong: what an event says is when it
    /// happened.
    fn take_at(&mut self, mut submission: Submission, at: Timestamp) -> Result<(), StoreError> {
        if let Ok(event) = &mut submission.event {
            event.sent_at = None;
        }
        self.take(submission, at)
    }

    async fn move_to(&mut self, at: Timestamp) -> Result<(), StoreError> {
        while let Some(due) = self.engine.next_timer().filter(|due| *due <= at) {
            self.engine.fire(due, 1)?;
            self.settle().await?;
        }
        Ok(())
    }

    /// Sends what is owed until every delivery is final; back-off passes in virtual time.
    async fn settle(&mut self) -> Result<(), StoreError> {
        while self.engine.open_deliveries() > 0 {
            self.flush()?;
            if self.dispatch.is_idle() {
                let due = self
                    .engine
                    .next_delivery()
                    .unwrap_or_else(|| self.engine.at());
                self.start_due(due.max(self.engine.at()))?;
            }
            if let Some(told) = self.dispatch.next().await {
                let at = self.engine.at();
                let due = self.engine.due_of(told.delivery()).unwrap_or(at);
                self.hear(told, due.max(at))?;
            }
        }
        Ok(())
    }
}
