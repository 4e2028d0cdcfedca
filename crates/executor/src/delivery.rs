//! What state is a delivery in, and what follows from one attempt? A pure state machine, used live
//! and in recovery alike. Not here: whether an attempt may leave (`step/attempt_ready`), or sending.
//!
//! ```text
//! planned ─► armed ─► delivered            a 2xx status line
//!    ▲         ├────► planned              not sent; refused (429, 503 with Retry-After)
//!    │         ├────► rejected(status)     any other status line
//!    │         └────► unknown(reason)      no status line, or a crash while armed
//!    ├─► expired(window | queue)
//!    └─► withheld(consent | policy | operator | erased)
//! ```
//!
//! With `at_least_once`, unknown, 500, 502, 503 and 504 go back to planned too. An operator sends
//! unknown, rejected and expired ones again, and says that an unknown one was delivered.

use serde::{Deserialize, Serialize};
use wayfare_event::{DeliveryId, Timestamp};
use wayfare_journey::definition::{DeliveryMode, Method};

/// Waits before each further attempt, in microseconds; the last one repeats.
const BACKOFF_US: [i64; 5] = [1_000_000, 5_000_000, 30_000_000, 120_000_000, 300_000_000];
/// Attempts of a delivery that may not reach the receiver twice.
const ATTEMPTS_MAX_AT_MOST_ONCE: u32 = 5;
/// Attempts of a delivery that is repeated until answered.
const ATTEMPTS_MAX_AT_LEAST_ONCE: u32 = 8;
/// How much a wait is longer or shorter than the schedule says, at most, in percent.
const JITTER_PERCENT_MAX: u64 = 20;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for its next attempt, which is due at this instant.
    Planned {
        /// When.
        due: Timestamp,
    },
    /// An attempt may be on the wire.
    Armed {
        /// When it was released.
        since: Timestamp,
    },
    /// The receiver took it.
    Delivered {
        /// The status it answered with; nothing when an operator knows that it did.
        status: Option<u16>,
    },
    /// The receiver answered that it did not take it.
    Rejected {
        /// The status it answered with.
        status: u16,
    },
    /// Whether the receiver took it cannot be known.
    Unknown(UnknownReason),
    /// Its time ran out before an attempt succeeded.
    Expired(ExpiredReason),
    /// It may not leave.
    Withheld(WithheldReason),
}

impl State {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned { .. } => "planned",
            Self::Armed { .. } => "armed",
            Self::Delivered { .. } => "delivered",
            Self::Rejected { .. } => "rejected",
            Self::Unknown(_) => "unknown",
            Self::Expired(_) => "expired",
            Self::Withheld(_) => "withheld",
        }
    }

    /// The status of the answer it rests on, and why, where its word alone does not say it.
    #[must_use]
    pub const fn told(self) -> (Option<u16>, Option<&'static str>) {
        match self {
            Self::Planned { .. } | Self::Armed { .. } => (None, None),
            Self::Delivered { status: None } => (None, Some("resolved")),
            Self::Delivered { status } => (status, None),
            Self::Rejected { status } => (Some(status), None),
            Self::Unknown(reason) => (None, Some(reason.as_str())),
            Self::Expired(reason) => (None, Some(reason.as_str())),
            Self::Withheld(reason) => (None, Some(reason.as_str())),
        }
    }

    /// Whether an operator may send it again.
    #[must_use]
    pub const fn may_be_resent(self) -> bool {
        match self {
            Self::Rejected { .. } | Self::Unknown(_) | Self::Expired(_) => true,
            Self::Planned { .. }
            | Self::Armed { .. }
            | Self::Delivered { .. }
            | Self::Withheld(_) => false,
        }
    }

    /// Whether nothing but an operator moves it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Planned { .. } | Self::Armed { .. } => false,
            Self::Delivered { .. }
            | Self::Rejected { .. }
            | Self::Unknown(_)
            | Self::Expired(_)
            | Self::Withheld(_) => true,
        }
    }
}

/// Why it cannot be known whether the receiver took a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownReason {
    /// No status line came in time.
    Timeout,
    /// The connection ended without a status line.
    Connection,
    /// What came was no HTTP.
    Garbage,
    /// The engine stopped while the attempt was on the wire.
    Crash,
}

impl UnknownReason {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Garbage => "garbage",
            Self::Crash => "crash",
        }
    }
}

/// Which time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiredReason {
    /// The window of attempts.
    Window,
    /// The wait before the first attempt.
    Queue,
}

impl ExpiredReason {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Queue => "queued",
        }
    }
}

/// Who or what held a request back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithheldReason {
    /// Consent was no longer there.
    Consent,
    /// The address is refused.
    Policy,
    /// An operator.
    Operator,
    /// The profile was erased.
    Erased,
}

impl WithheldReason {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Policy => "policy",
            Self::Operator => "operator",
            Self::Erased => "erased",
        }
    }
}

/// Why a request provably never left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotSentReason {
    /// The name could not be resolved.
    Dns,
    /// Nobody listened.
    Refused,
    /// The connection was not there in time.
    ConnectTimeout,
    /// The receiver could not prove who it is.
    Tls,
    /// The connection was ready too long after the attempt was released.
    NotDialled,
    /// A secret it needs does not resolve.
    Secret,
}

impl NotSentReason {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::ConnectTimeout => "connect_timeout",
            Self::Tls => "tls",
            Self::NotDialled => "not_dialled",
            Self::Secret => "secret",
        }
    }
}

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A status line came.
    Answered {
        /// Its status.
        status: u16,
        /// How long its `Retry-After` asks to wait, in seconds; 0 when that is not legible.
        retry_after_s: Option<u32>,
    },
    /// It provably never left.
    NotSent(NotSentReason),
    /// It may have arrived.
    Unknown(UnknownReason),
}

/// Whether waits between attempts are a little longer or shorter than the schedule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// They are, so that what failed together does not come back together.
    ByHash,
    /// They are not: who plays a journey in virtual time knows when a repeat comes.
    None,
}

/// What a delivery needs to know of itself to go on after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Its id, which the spread of its waits comes from.
    pub id: DeliveryId,
    /// Whether they are spread.
    pub spread: Spread,
    /// What it promises.
    pub mode: DeliveryMode,
    /// Its method: an answer to a DELETE may say that there is nothing left to delete.
    pub method: Method,
    /// Attempts made since it was decided or ordered again, this one included.
    pub attempts: u32,
    /// When the first of them was released.
    pub first_attempt: Timestamp,
    /// How long after it a further attempt may be released, in microseconds.
    pub window_us: i64,
    /// How long it waited for us meanwhile, which is no part of the window, in microseconds.
    pub waited_us: i64,
}

impl Progress {
    /// The state after an attempt that ended like this at `at`.
    #[must_use]
    pub fn after(&self, outcome: Outcome, at: Timestamp) -> State {
        let given_up = match outcome {
            Outcome::Answered {
                status: status @ 200..=299,
                ..
            } => {
                return State::Delivered {
                    status: Some(status),
                };
            }
            Outcome::Answered {
                status: status @ (404 | 410),
                ..
            } if self.method == Method::Delete => {
                return State::Delivered {
                    status: Some(status),
                };
            }
            Outcome::Answered { status, .. } => State::Rejected { status },
            Outcome::NotSent(_) => State::Expired(ExpiredReason::Window),
            Outcome::Unknown(reason) => State::Unknown(reason),
        };
        if self.may_repeat(outcome) {
            self.planned_again(outcome, at).unwrap_or(given_up)
        } else {
            given_up
        }
    }

    /// Whether sending the same request again keeps the promise.
    const fn may_repeat(&self, outcome: Outcome) -> bool {
        let insists = matches!(self.mode, DeliveryMode::AtLeastOnce);
        match outcome {
            Outcome::NotSent(_) | Outcome::Answered { status: 429, .. } => true,
            Outcome::Answered {
                status: 503,
                retry_after_s,
            } => retry_after_s.is_some() || insists,
            Outcome::Answered {
                status: 500 | 502 | 504,
                ..
            }
            | Outcome::Unknown(_) => insists,
            Outcome::Answered { .. } => false,
        }
    }

    /// The next attempt, unless it would be one too many or too late. What the receiver asks to wait
    /// only lengthens the wait.
    fn planned_again(&self, outcome: Outcome, at: Timestamp) -> Option<State> {
        let attempts_max = match self.mode {
            DeliveryMode::AtMostOnce => ATTEMPTS_MAX_AT_MOST_ONCE,
            DeliveryMode::AtLeastOnce => ATTEMPTS_MAX_AT_LEAST_ONCE,
        };
        let made = usize::try_from(self.attempts)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        let scheduled = BACKOFF_US.get(made).or(BACKOFF_US.last())?;
        let asked_s = match outcome {
            Outcome::Answered { retry_after_s, .. } => retry_after_s.unwrap_or(0),
            Outcome::NotSent(_) | Outcome::Unknown(_) => 0,
        };
        let wait = match self.spread {
            Spread::ByHash => self.spread(*scheduled),
            Spread::None => *scheduled,
        };
        let wait = wait.max(i64::from(asked_s) * 1_000_000);
        let due = at.saturating_add_micros(wait);
        let window_us = self.window_us.saturating_add(self.waited_us);
        let in_window = due <= self.first_attempt.saturating_add_micros(window_us);
        (self.attempts < attempts_max && in_window).then_some(State::Planned { due })
    }

    /// A wait made up to a fifth longer or shorter, so that what failed together does not come back
    /// together. By hash: the same delivery waits alike in every run. In whole milliseconds.
    fn spread(&self, wait_us: i64) -> i64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"wayfare.jitter.v1");
        hasher.update(self.id.as_bytes());
        hasher.update(&self.attempts.to_le_bytes());
        let mut drawn = [0; 8];
        hasher.finalize_xof().fill(&mut drawn);
        let span = 2 * JITTER_PERCENT_MAX * 1_000 + 1;
        let drawn = u64::from_be_bytes(drawn) % span;
        let percent_1000 = i64::try_from(drawn + (100 - JITTER_PERCENT_MAX) * 1_000);
        percent_1000.map_or(wait_us, |it| wait_us / 1_000 * it / 100_000 * 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_US: i64 = 60_000_000;

    fn progress(mode: DeliveryMode, attempts: u32) -> Progress {
        Progress {
            id: DeliveryId::from_bytes([7; 16]),
            spread: Spread::ByHash,
            mode,
            method: Method::Post,
            attempts,
            first_attempt: Timestamp::EPOCH,
            window_us: 15 * MINUTE_US,
            waited_us: 0,
        }
    }

    const fn answered(status: u16) -> Outcome {
        Outcome::Answered {
            status,
            retry_after_s: None,
        }
    }

    #[test]
    fn one_attempt_leads_where_the_promise_says() {
        use DeliveryMode::{AtLeastOnce, AtMostOnce};

        let check = |outcome: Outcome, once: &str, repeated: &str| {
            let after = |mode| progress(mode, 1).after(outcome, Timestamp::EPOCH).as_str();
            assert_eq!(
                (after(AtMostOnce), after(AtLeastOnce)),
                (once, repeated),
                "{outcome:?}"
            );
        };
        check(answered(200), "delivered", "delivered");
        check(answered(204), "delivered", "delivered");
        for status in [
            100, 301, 302, 307, 400, 401, 404, 409, 410, 415, 422, 501, 505,
        ] {
            check(answered(status), "rejected", "rejected");
        }
        for status in [500, 502, 503, 504] {
            check(answered(status), "rejected", "planned");
        }
        check(answered(429), "planned", "planned");
        check(
            Outcome::Answered {
                status: 503,
                retry_after_s: Some(0),
            },
            "planned",
            "planned",
        );
        check(Outcome::NotSent(NotSentReason::Dns), "planned", "planned");
        check(
            Outcome::Unknown(UnknownReason::Timeout),
            "unknown",
            "planned",
        );
        check(Outcome::Unknown(UnknownReason::Crash), "unknown", "planned");
    }

    #[test]
    fn what_is_already_gone_counts_as_deleted() {
        let delete = Progress {
            method: Method::Delete,
            ..progress(DeliveryMode::AtMostOnce, 1)
        };
        for status in [404, 410] {
            let state = delete.after(answered(status), Timestamp::EPOCH);
            assert_eq!(
                state,
                State::Delivered {
                    status: Some(status)
                }
            );
        }
    }

    /// The instants of the attempts that follow one another, and how it ends, where every attempt
    /// ends like this.
    fn attempts(progress_of: impl Fn(u32) -> Progress, outcome: Outcome) -> (Vec<i64>, State) {
        let mut at = Timestamp::EPOCH;
        let mut waits_us = Vec::new();
        for attempts in 1.. {
            let after = progress_of(attempts).after(outcome, at);
            let State::Planned { due } = after else {
                return (waits_us, after);
            };
            waits_us.push(due.micros_since(at));
            at = due;
        }
        unreachable!("attempts are bounded")
    }

    #[test]
    fn repeats_follow_the_schedule_until_attempts_or_window_end() {
        let check = |mode, outcome, expected_s: &[i64], end: State| {
            let (waits_us, ended) = attempts(|made| progress(mode, made), outcome);
            assert_eq!((waits_us.len(), ended), (expected_s.len(), end));
            for (wait_us, expected_s) in waits_us.iter().zip(expected_s) {
                let fifth_us = expected_s * 200_000;
                let off_us = wait_us - expected_s * 1_000_000;
                assert!(off_us.abs() <= fifth_us, "{wait_us} µs for {expected_s} s");
                assert_ne!(off_us, 0, "a wait is spread");
            }
        };
        check(
            DeliveryMode::AtMostOnce,
            Outcome::NotSent(NotSentReason::Refused),
            &[1, 5, 30, 120],
            State::Expired(ExpiredReason::Window),
        );
        check(
            DeliveryMode::AtLeastOnce,
            answered(500),
            &[1, 5, 30, 120, 300, 300],
            State::Rejected { status: 500 },
        );
    }

    #[test]
    fn deliveries_that_failed_together_do_not_come_back_together() {
        let waits = |byte: u8| {
            let of = |made| Progress {
                id: DeliveryId::from_bytes([byte; 16]),
                ..progress(DeliveryMode::AtLeastOnce, made)
            };
            attempts(of, answered(500)).0
        };
        assert_eq!(waits(1), waits(1));
        let firsts: std::collections::BTreeSet<i64> =
            (0..100).map(|byte| waits(byte)[0] / 10_000).collect();
        // Of the 40 hundredths of a second they may fall into, most are hit.
        assert!(firsts.len() > 25, "{firsts:?}");
    }

    #[test]
    fn what_the_receiver_asks_only_lengthens_a_wait() {
        let busy = |seconds| Outcome::Answered {
            status: 429,
            retry_after_s: Some(seconds),
        };
        let after = |seconds| {
            let first = progress(DeliveryMode::AtMostOnce, 1);
            first.after(busy(seconds), Timestamp::EPOCH)
        };
        let own = after(0);
        assert_eq!(after(0), own);
        let at_7_s = Timestamp::from_micros(7_000_000);
        assert_eq!(after(7), State::Planned { due: at_7_s });
        // Beyond the window it is an answer like any other.
        assert_eq!(after(901), State::Rejected { status: 429 });
        assert_eq!(after(u32::MAX), State::Rejected { status: 429 });
    }

    #[test]
    fn what_it_waited_for_us_is_no_part_of_the_window() {
        let late = Timestamp::from_micros(20 * MINUTE_US);
        let after = |waited_us| {
            let second = Progress {
                waited_us,
                ..progress(DeliveryMode::AtLeastOnce, 2)
            };
            second.after(answered(500), late).as_str()
        };
        assert_eq!(after(0), "rejected");
        assert_eq!(after(10 * MINUTE_US), "planned");
    }
}
