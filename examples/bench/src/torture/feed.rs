//! How is the server put under load? Feeders send as fast as it answers, each resending what had no
//! clear answer, as an SDK does, and note what was acknowledged.

mod post;
mod story;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::bail;

use self::post::{Client, Posted};
use self::story::{Parcel, Story};
use super::evidence::{Acknowledged, Evidence, Kind, Withdrawn};
use super::pace::{Pace, pause};
use super::receiver::Receiver;
use crate::chance::Chance;
use crate::measure::now;

/// Feeders, each with a connection of its own.
const FEEDERS: u32 = 16;
/// Webhooks owed since the last start beyond which only noise is sent.
const OWED_MAX: i64 = 1_500;
/// How long somebody waits before sending again.
const AGAIN: Duration = Duration::from_millis(3);
/// How long after a server that does not come back an event is given up.
const GIVE_UP_MS: u64 = 120_000;

/// What the feeders share.
#[derive(Debug)]
pub(super) struct Load {
    server: SocketAddr,
    pace: Pace,
    receiver: Arc<Receiver>,
    stopped: AtomicBool,
    /// Events sent, without those sent again.
    pub(super) events: AtomicU64,
    /// Requests sent again, answered or not.
    pub(super) again: AtomicU64,
}

/// Feeders at work.
#[derive(Debug)]
pub(super) struct Feeders {
    load: Arc<Load>,
    threads: Vec<JoinHandle<Fed>>,
}

/// What one feeder noted.
#[derive(Debug, Default)]
pub(super) struct Fed {
    acknowledged: BTreeMap<u64, Acknowledged>,
    unclear: BTreeMap<u64, Kind>,
    withdrawn: Vec<Withdrawn>,
    noticed: Vec<String>,
}

impl Feeders {
    /// Begins to feed: as fast as the server answers, or steadily so many events a second, one in
    /// ten of which a kind's journey takes.
    pub(super) fn begin(
        steadily: Option<(Kind, u32)>,
        (server, pace): (SocketAddr, Pace),
        receiver: Arc<Receiver>,
        chance: &mut Chance,
    ) -> Self {
        let load = Arc::new(Load {
            server,
            pace,
            receiver,
            stopped: AtomicBool::new(false),
            events: AtomicU64::new(0),
            again: AtomicU64::new(0),
        });
        let only = steadily.map(|(kind, _)| kind);
        let every = steadily.map(|(_, rate)| Duration::from_secs(FEEDERS.into()) / rate.max(1));
        let feeder = |number: u32| {
            let story = Story::of(only, number.into(), chance.split(number.into()));
            let load = load.clone();
            let every = every.map(|every| (every / FEEDERS * number, every));
            std::thread::spawn(move || load.feed(story, every))
        };
        let threads = (0..FEEDERS).map(feeder).collect();
        Self { load, threads }
    }

    /// What was sent so far: events, and requests sent again.
    pub(super) fn sent(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.load.events), read(&self.load.again))
    }

    /// Nothing new is sent; what is under way is brought to an end.
    pub(super) fn stop(&self) {
        self.load.stopped.store(true, Ordering::Release);
    }

    /// Waits for the feeders and takes what they noted.
    pub(super) fn into(self, evidence: &mut Evidence) -> anyhow::Result<()> {
        self.stop();
        for thread in self.threads {
            let Ok(fed) = thread.join() else {
                bail!("a feeder failed");
            };
            evidence.acknowledged.extend(fed.acknowledged);
            evidence.unclear.extend(fed.unclear);
            evidence.withdrawn.extend(fed.withdrawn);
            evidence.noticed.extend(fed.noticed);
        }
        Ok(())
    }
}

impl Load {
    /// Feeds until it is told to stop: without a pause, or after a while and then at even distances.
    fn feed(&self, mut story: Story, every: Option<(Duration, Duration)>) -> Fed {
        let mut fed = Fed::default();
        let mut client = Client::of(self.server);
        let begun = now();
        let mut due = every.map_or(Duration::ZERO, |(first, _)| first);
        while !self.stopped.load(Ordering::Acquire) {
            if let Some((_, every)) = every {
                pause(due.saturating_sub(begun.elapsed()));
                due += every;
            }
            let much = self.receiver.owed.load(Ordering::Relaxed) > OWED_MAX;
            let parcel = story.next(self.pace.ms(), much);
            let begun_ms = self.pace.ms();
            self.events.fetch_add(count(&parcel), Ordering::Relaxed);
            let clear = self.send(&mut client, &parcel, &mut fed.noticed);
            self.note(
                parcel,
                (begun_ms, clear),
                &mut story,
                (&mut client, &mut fed),
            );
        }
        fed
    }

    /// Sends until there is a clear answer; whether there was one.
    fn send(&self, client: &mut Client, parcel: &Parcel, noticed: &mut Vec<String>) -> bool {
        let begun_ms = self.pace.ms();
        let (path, body) = request(parcel);
        loop {
            match client.post(&path, &body) {
                Posted::Answered(200, body) if body == r#"{"success":true}"# => return true,
                Posted::Answered(503 | 408, _) | Posted::Unclear => {
                    self.again.fetch_add(1, Ordering::Relaxed);
                }
                Posted::NotSent => {}
                Posted::Answered(status, body) => {
                    noticed.push(format!("a good request was answered {status}: {body}"));
                    return false;
                }
            }
            if self.pace.ms() - begun_ms > GIVE_UP_MS {
                return false;
            }
            pause(AGAIN);
        }
    }

    fn note(
        &self,
        parcel: Parcel,
        (begun_ms, clear): (u64, bool),
        story: &mut Story,
        (client, fed): (&mut Client, &mut Fed),
    ) {
        let at_ms = self.pace.ms();
        if !clear {
            let owed = parcel.owed.into_iter();
            fed.unclear.extend(owed.map(|(eid, kind, ..)| (eid, kind)));
            return;
        }
        if story.repeats() {
            self.again.fetch_add(1, Ordering::Relaxed);
            self.send(client, &parcel, &mut fed.noticed);
        }
        if let Some((person, accepts)) = parcel.consent {
            let last = fed
                .withdrawn
                .iter_mut()
                .rev()
                .find(|it| it.person == person);
            match last.filter(|_| accepts) {
                Some(last) => last.until_ms = begun_ms,
                None if accepts => {}
                None => fed.withdrawn.push(Withdrawn {
                    person,
                    from_ms: at_ms,
                    until_ms: u64::MAX,
                }),
            }
        }
        for (eid, kind, person, expected) in parcel.owed {
            if kind.is_immediate() {
                self.receiver.owed.fetch_add(1, Ordering::Relaxed);
            }
            let noted = Acknowledged {
                kind,
                person,
                expected,
                at_ms,
            };
            fed.acknowledged.insert(eid, noted);
        }
    }
}

fn count(parcel: &Parcel) -> u64 {
    u64::try_from(parcel.events.len()).unwrap_or(0)
}

/// Path and body of a parcel's request: one event on its own path, several in a batch.
fn request(parcel: &Parcel) -> (String, String) {
    match parcel.events.as_slice() {
        [(kind, event)] => (format!("/v1/{kind}"), event.clone()),
        several => {
            let events: Vec<&str> = several.iter().map(|(_, event)| event.as_str()).collect();
            let body = format!(r#"{{"batch":[{}]}}"#, events.join(","));
            ("/v1/batch".to_owned(), body)
        }
    }
}
