//! What does a failed attempt mean: did the request provably not leave, or may it have arrived? Not
//! here: what a status means (`executor::delivery`).
//!
//! The line is drawn by the connector: a failure before it handed the connection over is
//! `NotSent`, any failure after it is `Unknown` (SP 34).

use std::error::Error;
use std::io::{self, ErrorKind};
use std::iter::successors;

use wayfare_executor::delivery::{NotSentReason, Outcome, UnknownReason};
use wayfare_journey::definition::DeliveryMode;

use crate::dial::{Dial, DialRefusal};
use crate::target::Scheme;

/// An attempt whose whole time passed without a status line.
pub(crate) fn timed_out(mode: DeliveryMode, dial: &Dial) -> Outcome {
    match mode {
        // Its connections are always new, so without one nothing left.
        DeliveryMode::AtMostOnce if !dial.is_connected() => {
            Outcome::NotSent(NotSentReason::NotDialled)
        }
        DeliveryMode::AtMostOnce | DeliveryMode::AtLeastOnce => {
            Outcome::Unknown(UnknownReason::Timeout)
        }
    }
}

/// An attempt that ended with an error instead of a status line.
pub(crate) fn failed(error: &reqwest::Error, scheme: Scheme) -> Outcome {
    if error.is_connect() {
        return Outcome::NotSent(not_connected(error, scheme));
    }
    if error.is_builder() {
        return Outcome::NotSent(NotSentReason::NotDialled);
    }
    let is_garbage = chain(error)
        .filter_map(|cause| cause.downcast_ref::<hyper::Error>())
        .any(hyper::Error::is_parse);
    Outcome::Unknown(if is_garbage {
        UnknownReason::Garbage
    } else if error.is_timeout() {
        UnknownReason::Timeout
    } else {
        UnknownReason::Connection
    })
}

/// What [`failed`] says, in words.
pub(crate) fn words_of_failed(error: &reqwest::Error, scheme: Scheme) -> String {
    let words = words(error);
    if failed(error, scheme) == Outcome::NotSent(NotSentReason::Tls) {
        format!("no TLS 1.2 or 1.3 connection that can be trusted: {words}")
    } else {
        words
    }
}

/// The innermost words of an error: they name the cause, and never the URL.
pub(crate) fn words(error: &reqwest::Error) -> String {
    chain(error)
        .skip(1)
        .last()
        .map_or_else(|| String::from("the request failed"), ToString::to_string)
}

fn not_connected(error: &reqwest::Error, scheme: Scheme) -> NotSentReason {
    let dial = chain(error).find_map(|cause| cause.downcast_ref::<DialRefusal>());
    match dial {
        Some(DialRefusal::Unanswered) => return NotSentReason::ConnectTimeout,
        Some(DialRefusal::Late | DialRefusal::NoAttempt) => return NotSentReason::NotDialled,
        None => {}
    }
    if error.is_timeout() {
        return NotSentReason::ConnectTimeout;
    }
    if error.is_dns() {
        return NotSentReason::Dns;
    }
    let kind = chain(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .last()
        .map(io::Error::kind);
    // Dialling fails before there is anything to reset, end or misread: those are the handshake's.
    let is_handshake = matches!(
        kind,
        None | Some(
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::UnexpectedEof
                | ErrorKind::InvalidData
                | ErrorKind::Other
        )
    );
    match scheme {
        Scheme::Https if is_handshake => NotSentReason::Tls,
        Scheme::Http | Scheme::Https => NotSentReason::Refused,
    }
}

fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let outermost: &(dyn Error + 'static) = error;
    successors(Some(outermost), |cause| (*cause).source())
}
