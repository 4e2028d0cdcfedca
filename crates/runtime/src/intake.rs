//! How do bytes become inputs? Events are read and named at the edge, once, before they queue for
//! the writer. Not here: reading files or HTTP.

use std::sync::Arc;

use tokio::sync::oneshot;
use wayfare_event::{Event, Rejection, Timestamp};
use wayfare_executor::Trust;
use wayfare_store::Cursor;

/// Microseconds by which a source's clock may be ahead before its times count as wrong.
const AHEAD_US_MAX: i64 = 5 * 60 * 1_000_000;

/// One event on its way to the writer.
#[derive(Debug)]
pub struct Submission {
    /// The event, or why it is none.
    pub event: Result<Box<Event>, Rejection>,
    /// Where it came from.
    pub origin: Origin,
}

/// Where an event came from, and who waits for it.
#[derive(Debug)]
pub struct Origin {
    /// The text it was read from, for the log.
    pub text: Arc<str>,
    /// Its source: with the message id, what a second copy is known by.
    pub source: Arc<str>,
    /// How far what it says of identifiers is trusted.
    pub trust: Trust,
    /// Its line in a file or stream, from 1; 0 elsewhere.
    pub line: u64,
    /// How far its file was read.
    pub cursor: Option<Cursor>,
    /// Told once the event is durable, or refused.
    pub reply: Option<oneshot::Sender<Result<(), Rejection>>>,
}

impl Submission {
    /// One line of a stream.
    #[must_use]
    pub fn line(text: &str, source: Arc<str>, line: u64, cursor: Option<Cursor>) -> Self {
        Self {
            event: Event::parse(text, None).map(Box::new),
            origin: Origin {
                text: text.into(),
                source,
                trust: Trust::Verified,
                line,
                cursor,
                reply: None,
            },
        }
    }
}

/// When an event happened by our clock: what its source says, moved by how wrong its clock is.
///
/// Segment's rule: received − (sent − original). A time more than five minutes ahead is taken as
/// the time of receipt.
pub(crate) fn corrected(event: &Event, received: Timestamp) -> Timestamp {
    let Some(original) = event.told_at() else {
        return received;
    };
    let corrected = event.sent_at.map_or(original, |sent| {
        let behind_us = sent.micros_since(original).max(0);
        received.saturating_add_micros(behind_us.saturating_neg())
    });
    if corrected.micros_since(received) > AHEAD_US_MAX {
        received
    } else {
        corrected.max(Timestamp::EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_corrected_as_the_cases_of_other_sdks_have_it() {
        let check = |id: &str, times: &str, received: &str, expected: &str| {
            let line = format!(r#"{{"type":"identify","userId":"u"{times}}}"#);
            let event = Event::parse(&line, None).unwrap();
            let found = corrected(&event, received.parse().unwrap()).to_string();
            assert_eq!(found, expected, "{id}");
        };
        let at = |time: &str| format!("2026-01-26T{time}Z");
        let told = |original: &str, sent: &str| {
            let (original, sent) = (at(original), at(sent));
            format!(r#","originalTimestamp":"{original}","sentAt":"{sent}""#)
        };
        let slow = told("10:00:00", "10:00:05");
        check("E01", &slow, &at("12:00:05"), &at("12:00:00"));
        let queued = told("10:00:00", "10:30:00");
        check("E02", &queued, &at("10:30:00"), &at("10:00:00"));
        let import = r#","timestamp":"2025-01-26T10:00:00Z""#;
        check("E03", import, &at("10:00:00"), "2025-01-26T10:00:00Z");
        check("E04", "", &at("10:00:00"), &at("10:00:00"));
        let tomorrow = r#","timestamp":"2026-01-27T10:00:00Z","sentAt":"2026-01-26T10:00:00Z""#;
        check("E05", tomorrow, &at("10:00:00"), &at("10:00:00"));
    }

    #[test]
    fn a_wrong_clock_is_corrected_by_what_it_said_when_it_sent() {
        let check = |times: &str, expected: &str| {
            let line = format!(r#"{{"type":"identify","userId":"u"{times}}}"#);
            let event = Event::parse(&line, None).unwrap();
            let received = "2026-01-26T12:00:00Z".parse().unwrap();
            let found = corrected(&event, received).to_string();
            assert_eq!(found, expected, "{times}");
        };
        check("", "2026-01-26T12:00:00Z");
        check(
            r#","timestamp":"2025-01-01T00:00:00Z""#,
            "2025-01-01T00:00:00Z",
        );
        check(
            r#","timestamp":"2026-01-26T09:58:00Z","sentAt":"2026-01-26T10:00:00Z""#,
            "2026-01-26T11:58:00Z",
        );
        check(
            r#","timestamp":"2026-01-26T10:05:00Z","sentAt":"2026-01-26T10:00:00Z""#,
            "2026-01-26T12:00:00Z",
        );
        check(
            r#","timestamp":"2027-01-01T00:00:00Z""#,
            "2026-01-26T12:00:00Z",
        );
    }
}
