//! May one more request leave for a host now? As many at a time as its slots, as many in a time as
//! its rate, and while it only fails one in half a minute, to see whether it is back. Whoever waits
//! here waits for this host alone.

use std::collections::VecDeque;

use tokio::time::{Duration, Instant};
use wayfare_event::DeliveryId;
use wayfare_executor::delivery::{NotSentReason, Outcome};

use super::Breakers;
use crate::config::{HostLimits, Rate};

/// The part of a rate that may leave at once: what would leave in a tenth of a second.
const BURST: Duration = Duration::from_millis(100);
/// How far back requests are looked at, in slots of [`SLOT`]: five minutes.
const SLOTS: usize = 10;
const SLOT: Duration = Duration::from_secs(30);
/// Requests that say something about a host; fewer open no breaker.
const REQUESTS_MIN: u32 = 10;
/// Of a hundred requests so many must fail to open it.
const FAILED_PERCENT_MIN: u32 = 70;
/// How long an open breaker waits before it lets one through.
const PAUSE: Duration = Duration::from_secs(30);

/// When the next request may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Now.
    Now,
    /// At this instant, unless something changes before.
    At(Instant),
    /// When one that is on its way has ended.
    WhenOneEnds,
}

/// What the end of an attempt says about its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It answers.
    Well,
    /// It does not, or only that it cannot.
    Ill,
    /// Nothing: the request did not leave because of us.
    Untold,
}

impl Health {
    pub(super) const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answered {
                status: 429 | 500..=599,
                ..
            }
            | Outcome::Unknown(_)
            | Outcome::NotSent(
                NotSentReason::Dns
                | NotSentReason::Refused
                | NotSentReason::ConnectTimeout
                | NotSentReason::Tls,
            ) => Self::Ill,
            Outcome::Answered { .. } => Self::Well,
            Outcome::NotSent(NotSentReason::NotDialled | NotSentReason::Secret) => Self::Untold,
        }
    }
}

/// One host, and who waits for it, first come first.
#[derive(Debug)]
pub(super) struct Host {
    limits: HostLimits,
    taken: usize,
    pub(super) waiting: VecDeque<(DeliveryId, String)>,
    bucket: Option<Bucket>,
    breaker: Option<Breaker>,
}

impl Host {
    /// A host nothing is known of.
    pub(super) fn new(limits: HostLimits, breakers: Breakers, now: Instant) -> Self {
        Self {
            limits,
            taken: 0,
            waiting: VecDeque::new(),
            bucket: limits.rate.map(|rate| Bucket::new(rate, now)),
            breaker: match breakers {
                Breakers::On => Some(Breaker::default()),
                Breakers::Off => None,
            },
        }
    }

    /// When the next request may leave.
    pub(super) fn next(&self, now: Instant) -> Next {
        if self.taken >= self.limits.in_flight {
            return Next::WhenOneEnds;
        }
        let opens = match self.breaker.as_ref().map(|breaker| breaker.state) {
            None | Some(State::Closed) => None,
            Some(State::Open { until }) => Some(until),
            Some(State::Trying) => return Next::WhenOneEnds,
        };
        let filled = self.bucket.as_ref().map(|bucket| bucket.filled);
        let at = opens.into_iter().chain(filled).max();
        at.filter(|at| *at > now).map_or(Next::Now, Next::At)
    }

    /// A request is on its way.
    pub(super) fn take(&mut self, now: Instant) {
        self.taken += 1;
        if let Some(bucket) = &mut self.bucket {
            bucket.take(now);
        }
        if let Some(breaker) = &mut self.breaker
            && matches!(breaker.state, State::Open { .. })
        {
            breaker.state = State::Trying;
        }
    }

    /// One has ended; whether that opened the breaker.
    pub(super) fn give_back(&mut self, health: Health, now: Instant) -> bool {
        self.taken = self.taken.saturating_sub(1);
        let breaker = self.breaker.as_mut();
        breaker.is_some_and(|breaker| breaker.hear(health, now))
    }
}

/// A token bucket: when it holds a whole token again, at the latest.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// The time one token takes.
    each: Duration,
    /// The time all its tokens take but one.
    depth: Duration,
    /// When there is a token.
    filled: Instant,
}

impl Bucket {
    fn new(rate: Rate, now: Instant) -> Self {
        let per = Duration::from_micros(rate.per_us.unsigned_abs());
        let each = per / rate.count;
        Self {
            each,
            depth: BURST.saturating_sub(each),
            filled: now,
        }
    }

    /// Takes a token. Tokens that were not taken are kept for as long as the bucket is deep.
    fn take(&mut self, now: Instant) {
        let oldest = now.checked_sub(self.depth).unwrap_or(now);
        self.filled = self.filled.max(oldest) + self.each;
    }
}

/// Whether a host is spared.
#[derive(Debug, Default)]
struct Breaker {
    state: State,
    slots: VecDeque<Slot>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// It is not.
    #[default]
    Closed,
    /// Nothing leaves for it until then.
    Open { until: Instant },
    /// One request is on its way to see.
    Trying,
}

/// What requests came to in half a minute.
#[derive(Clone, Copy, Debug)]
struct Slot {
    since: Instant,
    requests: u32,
    failed: u32,
}

impl Breaker {
    /// Whether it opens.
    fn hear(&mut self, health: Health, now: Instant) -> bool {
        let opens = match (self.state, health) {
            // Those that were on their way when it opened: it waits for the one that tries.
            (State::Open { .. }, _) | (State::Closed, Health::Untold) => false,
            (State::Trying, Health::Well) => {
                *self = Self::default();
                false
            }
            (State::Trying, Health::Ill) => true,
            (State::Trying, Health::Untold) => {
                self.state = State::Open { until: now };
                false
            }
            (State::Closed, Health::Well | Health::Ill) => {
                self.count(health == Health::Ill, now);
                self.is_too_much()
            }
        };
        if opens {
            self.slots.clear();
            self.state = State::Open { until: now + PAUSE };
        }
        opens
    }

    fn count(&mut self, has_failed: bool, now: Instant) {
        let is_new = |slot: &Slot| now.duration_since(slot.since) >= SLOT;
        if self.slots.back().is_none_or(is_new) {
            self.slots.push_back(Slot {
                since: now,
                requests: 0,
                failed: 0,
            });
        }
        let window = SLOT * u32::try_from(SLOTS).unwrap_or(u32::MAX);
        self.slots
            .retain(|slot| now.duration_since(slot.since) < window);
        if let Some(slot) = self.slots.back_mut() {
            slot.requests = slot.requests.saturating_add(1);
            slot.failed = slot.failed.saturating_add(u32::from(has_failed));
        }
    }

    fn is_too_much(&self) -> bool {
        let requests: u32 = self.slots.iter().map(|slot| slot.requests).sum();
        let failed: u32 = self.slots.iter().map(|slot| slot.failed).sum();
        requests >= REQUESTS_MIN && failed * 100 >= requests * FAILED_PERCENT_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(in_flight: usize, rate: Option<&str>) -> (Host, Instant) {
        let now = Instant::now();
        let limits = HostLimits {
            in_flight,
            rate: rate.map(|rate| rate.parse().unwrap()),
        };
        (Host::new(limits, Breakers::On, now), now)
    }

    /// One request that ends at once.
    fn attempt(host: &mut Host, health: Health, now: Instant) -> bool {
        assert_eq!(host.next(now), Next::Now);
        host.take(now);
        host.give_back(health, now)
    }

    /// How many leave in these milliseconds when always somebody waits and all end at once.
    fn leave(host: &mut Host, start: Instant, millis: u64) -> u64 {
        let mut left = 0;
        for milli in 0..millis {
            let now = start + Duration::from_millis(milli);
            while host.next(now) == Next::Now {
                attempt(host, Health::Well, now);
                left += 1;
            }
        }
        left
    }

    #[test]
    fn as_many_are_on_their_way_as_there_are_slots() {
        let (mut host, now) = host(2, None);
        host.take(now);
        assert_eq!(host.next(now), Next::Now);
        host.take(now);
        assert_eq!(host.next(now), Next::WhenOneEnds);
        host.give_back(Health::Untold, now);
        assert_eq!(host.next(now), Next::Now);
    }

    #[test]
    fn no_more_leave_in_a_time_than_the_rate_says() {
        let check = |rate: &str, millis: u64, expected: std::ops::RangeInclusive<u64>| {
            let (mut host, now) = host(8, Some(rate));
            let left = leave(&mut host, now, millis);
            assert!(expected.contains(&left), "{rate}: {left}");
        };
        check("20/s", 1_000, 20..=22);
        check("20/s", 10_000, 200..=202);
        check("1000/s", 1_000, 1_000..=1_100);
        check("60/m", 5_000, 5..=6);
        // A long silence saves up no more than a tenth of a second.
        let (mut host, now) = host(8, Some("20/s"));
        assert!(leave(&mut host, now + Duration::from_secs(3_600), 1) <= 2);
    }

    #[test]
    fn a_host_that_fails_is_tried_every_half_minute_until_it_answers() {
        let (mut host, now) = host(8, None);
        for _ in 0..9 {
            assert!(!attempt(&mut host, Health::Ill, now));
        }
        assert!(attempt(&mut host, Health::Ill, now));
        let later = now + Duration::from_secs(30);
        assert_eq!(host.next(now), Next::At(later));
        // One goes to see; the others wait for what it finds.
        host.take(later);
        assert_eq!(host.next(later), Next::WhenOneEnds);
        assert!(host.give_back(Health::Ill, later));
        let later = later + Duration::from_secs(30);
        assert_eq!(host.next(later - Duration::from_millis(1)), Next::At(later));
        // One that came to nothing because of us does not count.
        attempt(&mut host, Health::Untold, later);
        assert!(!attempt(&mut host, Health::Well, later));
        // It is well again: the past is forgotten.
        assert!(!attempt(&mut host, Health::Ill, later));
        assert_eq!(host.next(later), Next::Now);
    }

    #[test]
    fn seven_of_ten_must_fail_within_five_minutes() {
        let opened = |pattern: &str, apart_s: u64| {
            let (mut host, now) = host(8, None);
            let marks = pattern.chars().zip(0_u32..);
            marks.into_iter().any(|(mark, nth)| {
                let health = if mark == 'x' {
                    Health::Ill
                } else {
                    Health::Well
                };
                let now = now + Duration::from_secs(apart_s) * nth;
                attempt(&mut host, health, now)
            })
        };
        assert!(opened("...xxxxxxx", 1));
        assert!(!opened("....xxxxxx", 1));
        assert!(!opened("xxxxxxxxx", 1));
        // Of a failure every minute never ten are within five.
        assert!(!opened(&"x".repeat(50), 60));
    }

    #[test]
    fn what_was_on_its_way_when_it_opened_says_nothing_more() {
        let (mut host, now) = host(20, None);
        for _ in 0..12 {
            host.take(now);
        }
        let opened: Vec<bool> = (0..12).map(|_| host.give_back(Health::Ill, now)).collect();
        assert_eq!(opened.iter().filter(|opened| **opened).count(), 1);
        assert_eq!(host.next(now), Next::At(now + Duration::from_secs(30)));
    }

    #[test]
    fn only_what_the_host_did_counts_for_it() {
        let answered = |status| Outcome::Answered {
            status,
            retry_after_s: None,
        };
        for status in [200, 302, 404, 410] {
            assert_eq!(Health::of(answered(status)), Health::Well, "{status}");
        }
        for status in [429, 500, 503, 599] {
            assert_eq!(Health::of(answered(status)), Health::Ill, "{status}");
        }
        assert_eq!(
            Health::of(Outcome::NotSent(NotSentReason::Secret)),
            Health::Untold
        );
        assert_eq!(
            Health::of(Outcome::NotSent(NotSentReason::Refused)),
            Health::Ill
        );
    }
}
