//! Which way may a delivery go? The picture of `docs/delivery.md` as a table, written down a second
//! time and on its own: what decides live (`wayfare_executor::delivery`) is not asked.

use wayfare_executor::delivery::{ExpiredReason, NotSentReason, Outcome, State, UnknownReason};
use wayfare_executor::record::Terms;
use wayfare_journey::definition::{DeliveryMode, Method};

/// Attempts of a delivery that may not reach the receiver twice, since it is owed.
const ATTEMPTS_MAX_AT_MOST_ONCE: u32 = 5;
/// Attempts of a delivery that is repeated until answered, since it is owed.
const ATTEMPTS_MAX_AT_LEAST_ONCE: u32 = 8;

/// A state by its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Planned,
    Armed,
    Delivered,
    Rejected,
    Unknown,
    Expired,
    Withheld,
}

impl Word {
    pub(super) const fn of(state: State) -> Self {
        match state {
            State::Planned { .. } => Self::Planned,
            State::Armed { .. } => Self::Armed,
            State::Delivered { .. } => Self::Delivered,
            State::Rejected { .. } => Self::Rejected,
            State::Unknown(_) => Self::Unknown,
            State::Expired(_) => Self::Expired,
            State::Withheld(_) => Self::Withheld,
        }
    }
}

/// What moves a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// No attempt ended: its turn came, or its time ran out.
    Turn,
    /// An operator.
    Order,
    /// A status that says it was taken; to a DELETE also that there is nothing left.
    Taken,
    /// 429, or 503 with Retry-After: not taken.
    Busy,
    /// 500, 502, 503 or 504.
    Trouble,
    /// Any other status.
    Answer,
    /// It provably never left.
    NotSent,
    /// No status line.
    Silence,
}

impl Cause {
    /// What the end of an attempt is, by the method of its request.
    pub(super) const fn of(outcome: Outcome, method: Method) -> Self {
        match outcome {
            Outcome::NotSent(
                NotSentReason::Dns
                | NotSentReason::Refused
                | NotSentReason::ConnectTimeout
                | NotSentReason::Tls
                | NotSentReason::NotDialled
                | NotSentReason::Secret,
            ) => Self::NotSent,
            Outcome::Unknown(
                UnknownReason::Timeout
                | UnknownReason::Connection
                | UnknownReason::Garbage
                | UnknownReason::Crash,
            ) => Self::Silence,
            Outcome::Answered {
                status,
                retry_after_s,
            } => match (status, retry_after_s, method) {
                (200..=299, _, _) | (404 | 410, _, Method::Delete) => Self::Taken,
                (429, _, _) | (503, Some(_), _) => Self::Busy,
                (500 | 502 | 503 | 504, _, _) => Self::Trouble,
                _ => Self::Answer,
            },
        }
    }

    /// Whether after this the receiver certainly did not take the request.
    pub(super) const fn is_certain(self) -> bool {
        matches!(self, Self::Busy | Self::NotSent)
    }
}

use Cause::{Answer, Busy, NotSent, Order, Silence, Taken, Trouble, Turn};
use Word::{Armed, Delivered, Expired, Planned, Rejected, Unknown, Withheld};

/// From where, by what, to where.
const IN_TURN: [(Word, Cause, Word); 16] = [
    (Planned, Turn, Armed),
    (Planned, Turn, Expired),
    (Planned, Turn, Withheld),
    (Planned, Order, Withheld),
    (Armed, Taken, Delivered),
    (Armed, Busy, Planned),
    (Armed, Busy, Rejected),
    (Armed, Trouble, Rejected),
    (Armed, Answer, Rejected),
    (Armed, NotSent, Planned),
    (Armed, NotSent, Expired),
    (Armed, Silence, Unknown),
    (Unknown, Order, Planned),
    (Unknown, Order, Delivered),
    (Rejected, Order, Planned),
    (Expired, Order, Planned),
];

/// What was unknown became known later: it stands as unknown, or is to be repeated because of it.
const LATER: [(Word, Cause, Word); 14] = [
    (Unknown, Taken, Delivered),
    (Unknown, Busy, Planned),
    (Unknown, Busy, Rejected),
    (Unknown, Trouble, Rejected),
    (Unknown, Answer, Rejected),
    (Unknown, NotSent, Planned),
    (Unknown, NotSent, Expired),
    (Planned, Taken, Delivered),
    (Planned, Busy, Planned),
    (Planned, Busy, Rejected),
    (Planned, Trouble, Rejected),
    (Planned, Answer, Rejected),
    (Planned, NotSent, Planned),
    (Planned, NotSent, Expired),
];

/// What only `at_least_once` may: it repeats what may have been taken.
const INSISTING: [(Word, Cause, Word); 4] = [
    (Armed, Trouble, Planned),
    (Armed, Silence, Planned),
    (Unknown, Trouble, Planned),
    (Planned, Trouble, Planned),
];

/// Whether a delivery of a mode may go this way.
pub(super) fn is_lawful(mode: DeliveryMode, way: (Word, Cause, Word)) -> bool {
    let insisting: &[_] = match mode {
        DeliveryMode::AtMostOnce => &[],
        DeliveryMode::AtLeastOnce => &INSISTING,
    };
    let ways = IN_TURN.iter().chain(&LATER).chain(insisting);
    ways.into_iter().any(|lawful| *lawful == way)
}

/// Whether a state tells what the attempt that led to it did.
pub(super) fn tells(state: State, outcome: Option<Outcome>) -> bool {
    match (state, outcome) {
        (State::Delivered { status }, Some(Outcome::Answered { status: told, .. })) => {
            status == Some(told)
        }
        (State::Rejected { status }, Some(Outcome::Answered { status: told, .. })) => {
            status == told
        }
        (State::Unknown(reason), Some(Outcome::Unknown(told))) => reason == told,
        (State::Expired(ExpiredReason::Window), Some(Outcome::NotSent(_)))
        | (State::Planned { .. }, Some(_))
        | (State::Armed { .. } | State::Expired(_) | State::Withheld(_), None) => true,
        (
            State::Planned { .. }
            | State::Armed { .. }
            | State::Delivered { .. }
            | State::Rejected { .. }
            | State::Unknown(_)
            | State::Expired(_)
            | State::Withheld(_),
            _,
        ) => false,
    }
}

/// Attempts a delivery may have, since it is owed.
pub(super) const fn attempts_max(terms: &Terms) -> u32 {
    match terms.mode {
        DeliveryMode::AtMostOnce => ATTEMPTS_MAX_AT_MOST_ONCE,
        DeliveryMode::AtLeastOnce => ATTEMPTS_MAX_AT_LEAST_ONCE,
    }
}
