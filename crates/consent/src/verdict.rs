//! May a request leave? The verdict, with its reason and the records relied on.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{ConsentAction, Identifier, Timestamp};

use crate::standing::{Standing, State};
use crate::{Binding, Category, Class, Config, Question, Record, Said, SuppressionKind};

/// Whether a request may leave, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether it may.
    pub allowed: bool,
    /// Why, or why not.
    pub reason: Reason,
    /// The ids of the records relied on, the latest first, each once.
    pub records: Vec<Arc<str>>,
}

/// Why a verdict is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing goes to the address, whatever was said.
    Suppressed,
    /// The category is essential.
    Essential,
    /// An acceptance is live.
    Granted,
    /// Nobody said anything, and the configuration lets that allow.
    Default,
    /// A legal basis was declared; no category applies.
    Basis,
    /// The choice is decline, and the request enforces it.
    Enforcement,
    /// A refusal prevails.
    Declined,
    /// An acceptance waits for its confirmation.
    Pending,
    /// The last acceptance has ended.
    Expired,
    /// Nobody said anything, and that is not enough.
    Silent,
    /// The category is about an address, and there is none.
    NoAddress,
    /// The request would enforce a refusal, and none was said.
    NotDeclined,
    /// The category is not configured.
    UnknownCategory,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Reason {
    /// The stable word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suppressed => "suppressed",
            Self::Essential => "essential",
            Self::Granted => "granted",
            Self::Default => "default",
            Self::Basis => "basis",
            Self::Enforcement => "enforcement",
            Self::Declined => "declined",
            Self::Pending => "pending",
            Self::Expired => "expired",
            Self::Silent => "silent",
            Self::NoAddress => "no_address",
            Self::NotDeclined => "not_declined",
            Self::UnknownCategory => "unknown_category",
        }
    }
}

/// Whether a category allows a request, from all that the profile's identifiers and the address
/// said (2.2.5).
///
/// The first row that holds decides:
///
/// | what stands | allowed | reason |
/// |---|---|---|
/// | the category is not configured | no | `unknown_category` |
/// | the address bounced or was erased | no | `suppressed` |
/// | somebody complained, and the class is not essential | no | `suppressed` |
/// | its class is essential | yes | `essential` |
/// | it is about an address and there is none | no | `no_address` |
/// | a refusal that nothing overcame | no | `declined` |
/// | a live acceptance | yes | `granted` |
/// | an acceptance that waits for its confirmation | no | `pending` |
/// | silence allows, by configuration | yes | `default` |
/// | an acceptance that has ended | no | `expired` |
/// | nothing | no | `silent` |
///
/// `linked_at` is the earliest time at which two subjects were one person; it is asked only where
/// two subjects meet.
#[must_use]
pub fn verdict<'a>(
    config: &Config,
    question: &Question<'_>,
    said: impl Iterator<Item = Said<'a>> + Clone,
    linked_at: impl Fn(&Identifier, &Identifier) -> Option<Timestamp>,
) -> Verdict {
    let Some(standing) = Standing::of(config, question, said, linked_at) else {
        return Verdict::bare(false, Reason::UnknownCategory);
    };
    let (allowed, reason) = decided(&standing, question);
    match reason {
        Reason::Declined => Verdict::on(allowed, reason, standing.refusals()),
        Reason::Granted => Verdict::on(allowed, reason, standing.grants()),
        Reason::Pending => Verdict::on(allowed, reason, standing.in_state(State::Pending)),
        Reason::Expired => Verdict::on(allowed, reason, standing.in_state(State::Expired)),
        Reason::Essential
        | Reason::Default
        | Reason::Basis
        | Reason::Enforcement
        | Reason::Suppressed
        | Reason::Silent
        | Reason::NoAddress
        | Reason::NotDeclined
        | Reason::UnknownCategory => Verdict::bare(allowed, reason),
    }
}

/// The [`verdict`] without the records relied on: whether, and why. Takes no memory.
#[must_use]
pub fn evaluate<'a>(
    config: &Config,
    question: &Question<'_>,
    said: impl Iterator<Item = Said<'a>> + Clone,
    linked_at: impl Fn(&Identifier, &Identifier) -> Option<Timestamp>,
) -> (bool, Reason) {
    let standing = Standing::of(config, question, said, linked_at);
    standing.map_or((false, Reason::UnknownCategory), |standing| {
        decided(&standing, question)
    })
}

/// 2.2.5, row by row.
fn decided<'q, 'a, I, L>(standing: &Standing<'q, I, L>, question: &Question<'_>) -> (bool, Reason)
where
    I: Iterator<Item = Said<'a>> + Clone,
    L: Fn(&Identifier, &Identifier) -> Option<Timestamp>,
{
    let rules = standing.rules();
    let has = |state| standing.in_state(state).next().is_some();
    if is_suppressed(question.suppressed, rules.class) {
        (false, Reason::Suppressed)
    } else if rules.class == Class::Essential {
        (true, Reason::Essential)
    } else if lacks_address(rules, question) {
        (false, Reason::NoAddress)
    } else if standing.refusals().next().is_some() {
        (false, Reason::Declined)
    } else if standing.grants().next().is_some() {
        (true, Reason::Granted)
    } else if has(State::Pending) {
        (false, Reason::Pending)
    } else if rules.silence(question.jurisdiction) == ConsentAction::Accept {
        (true, Reason::Default)
    } else if has(State::Expired) {
        (false, Reason::Expired)
    } else {
        (false, Reason::Silent)
    }
}

/// Whether a request that enforces a refusal may leave: exactly when the choice is decline. A
/// configured default is no choice, and suppression does not matter (SP 20).
///
/// | what stands | allowed | reason |
/// |---|---|---|
/// | the category is not configured | no | `unknown_category` |
/// | it is about an address and there is none | no | `no_address` |
/// | a refusal that nothing overcame | yes | `enforcement` |
/// | no such refusal | no | `not_declined` |
#[must_use]
pub fn enforcement<'a>(
    config: &Config,
    question: &Question<'_>,
    said: impl Iterator<Item = Said<'a>> + Clone,
    linked_at: impl Fn(&Identifier, &Identifier) -> Option<Timestamp>,
) -> Verdict {
    let Some(standing) = Standing::of(config, question, said, linked_at) else {
        return Verdict::bare(false, Reason::UnknownCategory);
    };
    if lacks_address(standing.rules(), question) {
        return Verdict::bare(false, Reason::NoAddress);
    }
    if standing.refusals().next().is_some() {
        Verdict::on(true, Reason::Enforcement, standing.refusals())
    } else {
        Verdict::on(false, Reason::NotDeclined, standing.grants())
    }
}

/// The verdict where a legal basis was declared in place of a category: only an address that nothing
/// goes to refuses, as for an essential category (SP 20).
#[must_use]
pub fn basis(suppressed: Option<SuppressionKind>) -> Verdict {
    if is_suppressed(suppressed, Class::Essential) {
        return Verdict::bare(false, Reason::Suppressed);
    }
    Verdict::bare(true, Reason::Basis)
}

/// 2.2.5, the first two rows.
const fn is_suppressed(kind: Option<SuppressionKind>, class: Class) -> bool {
    match kind {
        None => false,
        Some(kind) => kind.refuses_all() || !matches!(class, Class::Essential),
    }
}

const fn lacks_address(rules: &Category, question: &Question<'_>) -> bool {
    matches!(rules.binding, Binding::Address(_)) && question.address.is_none()
}

impl Verdict {
    const fn bare(allowed: bool, reason: Reason) -> Self {
        Self {
            allowed,
            reason,
            records: Vec::new(),
        }
    }

    /// The verdict that relies on these, the latest first.
    fn on<'a>(allowed: bool, reason: Reason, said: impl Iterator<Item = Said<'a>>) -> Self {
        let mut said: Vec<&Record> = said.map(|said| said.record).collect();
        said.sort_by(|left, right| (right.said_at(), &right.id).cmp(&(left.said_at(), &left.id)));
        let mut verdict = Self::bare(allowed, reason);
        for record in said {
            if !verdict.records.contains(&record.id) {
                verdict.records.push(record.id.clone());
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_written_with_the_words_of_its_reason() {
        let check = |reason: Reason| {
            let written = serde_json::to_string(&reason).unwrap();
            assert_eq!(written, format!("\"{reason}\""));
        };
        check(Reason::NoAddress);
        check(Reason::UnknownCategory);
        let verdict = Verdict {
            allowed: true,
            reason: Reason::Granted,
            records: vec!["m2".into(), "m1".into()],
        };
        let text = r#"{"allowed":true,"reason":"granted","records":["m2","m1"]}"#;
        assert_eq!(serde_json::to_string(&verdict).unwrap(), text);
        assert_eq!(serde_json::from_str::<Verdict>(text).unwrap(), verdict);
    }
}
