//! How does the driver run by the wall clock? It sleeps until something waits or is due.

use tokio::time::Duration;
use wayfare_event::Timestamp;
use wayfare_store::{Redaction, StoreError};

use super::{BATCH_MAX, Driver, Until};
use crate::clock;
use crate::engine::Engine;

/// Timers fired, and queued inputs taken, between two looks at what waits.
const TIMERS_PER_BATCH: usize = 256;
/// How long the state waits at most to be written behind the log (SP 35).
const LAG_MAX: Duration = Duration::from_secs(30);
/// The longest sleep: the machine's clock may have been set meanwhile.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// Between two looks at what the store writes in the background, to redact its history.
const PURGE_PAUSE: Duration = Duration::from_millis(100);

impl Driver<'_> {
    /// Runs by the wall clock until the input has ended and `until` is reached. Gives the engine
    /// back.
    ///
    /// # Errors
    ///
    /// When the store fails: nothing of the batch was answered, and nothing more is taken.
    pub async fn run(mut self, until: Until) -> Result<Engine, StoreError> {
        let mut ended = false;
        let mut waiting = Vec::new();
        self.engine.awake(clock::now());
        if until == Until::Quiet {
            self.dispatch.spare_hosts();
        }
        loop {
            let now = clock::now();
            let fired = self.engine.fire(now, TIMERS_PER_BATCH)?;
            self.engine.begin_sweeps(now)?;
            // A sweep's condition is judged on people whose timers had their turn.
            if fired < TIMERS_PER_BATCH {
                self.engine.sweep(now, TIMERS_PER_BATCH)?;
            }
            self.flush()?;
            let purged = tokio::task::block_in_place(|| self.engine.purge_on())?;
            let sleep_max = if self.engine.idle(now)? {
                LAG_MAX
            } else {
                SLEEP_MAX
            };
            if ended && until == Until::Quiet {
                self.dispatch.hold();
            } else {
                self.start_due(now)?;
            }
            if ended && self.is_done(until, now) {
                return Ok(self.engine);
            }
            let sleep = self.until_due(now, ended && until == Until::Quiet);
            let sleep = sleep.min(sleep_max).min(match purged {
                Redaction::Done => SLEEP_MAX,
                Redaction::More => Duration::ZERO,
                Redaction::Waiting => PURGE_PAUSE,
            });
            tokio::select! {
                count = self.inbox.recv_many(&mut waiting, BATCH_MAX), if !ended => {
                    ended = count == 0;
                    let now = clock::now();
                    for submission in waiting.drain(..) {
                        self.take(submission, now)?;
                        self.flush_if_full()?;
                    }
                    while let Some(told) = self.dispatch.next_said() {
                        self.hear(told, now)?;
                    }
                }
                Some(told) = self.dispatch.next(), if !self.dispatch.is_idle() => {
                    let now = clock::now();
                    self.hear(told, now)?;
                    // Whatever else was said shares the commit.
                    while let Some(told) = self.dispatch.next_said() {
                        self.hear(told, now)?;
                    }
                }
                Some(asked) = self.asked.recv() => self.answer(asked)?,
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    fn is_done(&self, until: Until, now: Timestamp) -> bool {
        let swept = self.engine.next_sweep().is_none_or(|due| due > now);
        let swept = swept && !self.engine.is_sweeping();
        let delivered = self.engine.open_deliveries() == 0 && swept;
        match until {
            Until::Quiet => self.dispatch.is_idle(),
            Until::Delivered => delivered,
            Until::Finished => delivered && self.engine.next_timer().is_none(),
        }
    }

    /// How long nothing is due; a driver that is stopping starts no delivery.
    fn until_due(&self, now: Timestamp, is_stopping: bool) -> Duration {
        let timer = self.engine.next_timer();
        let delivery = self.engine.next_delivery().filter(|_| !is_stopping);
        let sweep = self.engine.next_sweep();
        let queued = self.engine.is_sweeping().then_some(now);
        let due = timer
            .into_iter()
            .chain(delivery)
            .chain(sweep)
            .chain(queued)
            .min();
        due.map_or(SLEEP_MAX, |due| {
            let micros = due.micros_since(now).max(0).unsigned_abs();
            Duration::from_micros(micros).min(SLEEP_MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use wayfare_event::IdKey;
    use wayfare_executor::{Catalog, Sending};
    use wayfare_store::MemoryStore;
    use wayfare_webhook::{Client, Secrets};

    use super::*;
    use crate::dispatch::Outbound;
    use crate::engine::Output;
    use crate::{Submission, config};

    const JOURNEY: &str = "
journey: lead
description: Create a lead.
trigger: { event: Began }
entry: { again: once }
blocks:
  create:
    webhook:
      method: POST
      url: https://crm.example.com/leads
      consent: { basis: contract, because: it is a test }
      payload: { a: b }
";

    #[test]
    fn a_driver_that_is_stopping_does_not_wake_for_what_it_will_not_start() {
        let settings = config::read("{}").unwrap();
        let catalog = Catalog::new(
            settings.identity.clone(),
            settings.consent.clone(),
            IdKey::STATELESS,
            Sending::Owed,
        );
        let graphs = vec![settings.compile(JOURNEY).unwrap().graph];
        let store = Box::new(MemoryStore::new(IdKey::STATELESS));
        let engine = Engine::open(catalog, store, graphs, &|it| settings.compile(it)).unwrap();
        let secrets = Arc::new(Secrets::stand_ins());
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let outbound = Outbound {
            client: Client::to_receiver(nowhere, settings.webhooks.clone(), secrets.clone()),
            secrets,
            hosts: settings.hosts,
        };
        let mut tell = |_: Output, _: Option<String>| {};
        let (mut driver, _inbox) = Driver::new(engine, outbound, &mut tell);
        let now: Timestamp = "2026-01-26T10:00:00Z".parse().unwrap();
        assert_eq!(driver.until_due(now, false), SLEEP_MAX);
        let event = r#"{"type":"track","userId":"u","event":"Began"}"#;
        let submission = Submission::line(event, "test".into(), 1, None);
        driver.take(submission, now).unwrap();
        assert_eq!(driver.until_due(now, false), Duration::ZERO);
        // An overdue delivery that is never started would wake it again and again.
        assert_eq!(driver.until_due(now, true), SLEEP_MAX);
    }
}
