//! What does a test of a journey say? The events of its cases, what the receiver answers, and what
//! must come of it. Not here: playing a case, which the runtime does.
//!
//! Reading order: [`Suite`] (the file), [`Pattern`] (what a value must be), [`Case::judge`].

mod judge;
mod pattern;
mod read;

use std::sync::Arc;

use wayfare_event::{Event, Timestamp};

use crate::diagnostic::Span;

pub use judge::{Kind, Mismatch, Seen};
pub use pattern::{Difference, Pattern};
pub use read::read;

/// One test file, `<id>.test.yaml` beside the journey.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The journey it tests.
    pub journey: Arc<str>,
    /// Journeys that run beside it.
    pub with: Vec<Arc<str>>,
    /// Its cases, in the file's order.
    pub cases: Vec<Case>,
}

/// One case: something happens, and something must come of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Where its name stands.
    pub span: Span,
    /// What happens, in order.
    pub events: Vec<Given>,
    /// How far time goes on after the last event, in microseconds.
    pub advance_us: i64,
    /// What the receiver answers, attempt by attempt; 200 when they are used up.
    pub answers: Vec<Answer>,
    /// Blocks of the journey that nobody may reach.
    pub never: Vec<Arc<str>>,
    /// The requests that arrive, all of them.
    pub requests: Vec<Expected>,
    /// The decisions, all of them, where the case lists them.
    pub decisions: Option<Vec<Expected>>,
    /// The refused entries, all of them, where the case lists them.
    pub refusals: Option<Vec<Expected>>,
}

/// One event of a case.
#[derive(Clone, Debug)]
pub struct Given {
    /// When it comes in.
    pub at: Timestamp,
    /// The event.
    pub event: Box<Event>,
    /// Its JSON text.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

/// What a receiver does with one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It answers with this status.
    Status(u16),
    /// It takes the request and answers nothing in time.
    Timeout,
    /// It takes the request and hangs up.
    Reset,
    /// Nobody listens: the request does not leave.
    Refuse,
}

/// One thing that must come of a case: each part that is written must match.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The parts, by name.
    pub parts: Vec<(&'static str, Pattern)>,
}
