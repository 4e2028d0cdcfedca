//! What was said? The choice for a category: accept, decline or unknown; and whether one may ask.

use serde::{Deserialize, Serialize};
use wayfare_event::{Identifier, Timestamp};

use crate::standing::Standing;
use crate::{Config, Question, Said};

/// What was said about a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// A live acceptance prevails.
    Accept,
    /// A refusal prevails.
    Decline,
    /// Neither.
    Unknown,
}

impl Choice {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Unknown => "unknown",
        }
    }
}

/// What somebody chose, from all that the profile's identifiers and the address said.
///
/// | a refusal that nothing overcame | a live acceptance | choice |
/// |---|---|---|
/// | yes | any | decline |
/// | no | yes | accept |
/// | no | no | unknown |
///
/// `linked_at` is the earliest time at which two subjects were one person; it is asked only where
/// two subjects meet.
#[must_use]
pub fn choice<'a>(
    config: &Config,
    question: &Question<'_>,
    said: impl Iterator<Item = Said<'a>> + Clone,
    linked_at: impl Fn(&Identifier, &Identifier) -> Option<Timestamp>,
) -> Choice {
    let Some(standing) = Standing::of(config, question, said, linked_at) else {
        return Choice::Unknown;
    };
    if standing.refusals().next().is_some() {
        return Choice::Decline;
    }
    match standing.grants().next() {
        Some(_) => Choice::Accept,
        None => Choice::Unknown,
    }
}

/// Whether somebody may be asked for a category (2.2.2, `ask_again_after`): no refusal stands, or
/// each that does is old enough. Where nothing is configured, a refusal is never old enough.
#[must_use]
pub fn may_ask<'a>(
    config: &Config,
    question: &Question<'_>,
    said: impl Iterator<Item = Said<'a>> + Clone,
    linked_at: impl Fn(&Identifier, &Identifier) -> Option<Timestamp>,
) -> bool {
    let Some(standing) = Standing::of(config, question, said, linked_at) else {
        return false;
    };
    let mut refusals = standing.refusals();
    refusals.all(|refusal| {
        let after = standing.rules().ask_again_after_us;
        let end = after.map(|us| refusal.record.said_at().saturating_add_micros(us));
        end.is_some_and(|end| end <= question.now)
    })
}
