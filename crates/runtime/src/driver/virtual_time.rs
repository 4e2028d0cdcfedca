//! How does the driver run by the events' own clock? The clock moves to each due instant first, and
//! stands while a delivery is not final (SP 1, SP 4).

use wayfare_event::Timestamp;
use wayfare_store::StoreError;

use super::{BATCH_MAX, Driver};
use crate::engine::Engine;
use crate::intake::Submission;

/// How far the clock goes on after the last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// By this many microseconds, counted from that event whenever it came.
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
        let at = self.engine.at();
        self.engine.drain(at, usize::MAX)?;
        self.settle().await?;
        while self.inbox.recv_many(&mut waiting, BATCH_MAX).await > 0 {
            for submission in waiting.drain(..) {
                self.take_in_time(submission).await?;
            }
            self.flush()?;
        }
        match advance {
            Advance::By(micros) => {
                let last = self.engine.last_event_at();
                self.move_to(last.saturating_add_micros(micros)).await?;
            }
            Advance::ToTheEnd => {
                let last = self.engine.last_event_at();
                self.move_to(last).await?;
                // Schedules have no end, nor have dates that move themselves: once the input has
                // ended the first start nothing, and of the others those that were known then.
                self.engine.last_call();
                while let Some(due) = self.engine.next_timer() {
                    self.turn(due).await?;
                }
            }
        }
        self.flush()?;
        Ok(self.engine)
    }

    /// Moves the clock to a line's time, unless the line changes nothing, and takes it.
    ///
    /// In virtual time nothing is sent late and no clock is wrong: what an event says is when it
    /// happened.
    async fn take_in_time(&mut self, submission: Submission) -> Result<(), StoreError> {
        let Submission { mut event, origin } = submission;
        let last = self.engine.at();
        let mut at = last;
        if let Ok(event) = &mut event {
            event.sent_at = None;
            at = event.told_at().unwrap_or(last).max(last);
        }
        let happened = self.happened(event, &origin, at);
        let moves = match &happened {
            Ok(happened) => !self.engine.is_copy(happened)?,
            Err(_) => false,
        };
        if moves {
            // Not later than the clock stands: what is due on the way keeps its instant.
            let begin = if last == Timestamp::EPOCH { at } else { last };
            self.engine.begin_sweeps(begin)?;
            self.move_to(at).await?;
        }
        let at = if moves { at } else { last };
        self.take_named(happened, origin, at)?;
        self.engine.drain(at, usize::MAX)?;
        self.flush_if_full()?;
        self.settle().await
    }

    /// Moves the clock: what is due on the way has its turn.
    async fn move_to(&mut self, at: Timestamp) -> Result<(), StoreError> {
        while let Some(due) = self.engine.next_turn().filter(|due| *due <= at) {
            self.turn(due).await?;
        }
        Ok(())
    }

    async fn turn(&mut self, due: Timestamp) -> Result<(), StoreError> {
        self.engine.turn(due)?;
        self.settle().await?;
        self.flush_if_full()
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
                self.engine.drain(due.max(at), usize::MAX)?;
            }
        }
        Ok(())
    }
}
