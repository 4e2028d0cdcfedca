//! May a request leave? The verdict, with its reason and the records relied on.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{ConsentAction, Timestamp};

use crate::choice::Standing;
use crate::{Class, Config, Jurisdiction, Record};

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

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The category.
    pub category: &'a str,
    /// Whether there is an address to ask about; true for a category that is about the person.
    pub has_address: bool,
    /// Whose rules hold where nobody said anything.
    pub jurisdiction: &'a Jurisdiction,
    /// When.
    pub now: Timestamp,
}

/// Whether a category allows a request, from the records that count.
///
/// The first row that holds decides:
///
/// | what stands | allowed | reason |
/// |---|---|---|
/// | the category is not configured | no | `unknown_category` |
/// | its class is essential | yes | `essential` |
/// | it is about an address and there is none | no | `no_address` |
/// | a refusal that nothing overcame | no | `declined` |
/// | a live acceptance | yes | `granted` |
/// | an acceptance that waits for its confirmation | no | `pending` |
/// | silence allows, by configuration | yes | `default` |
/// | an acceptance that has ended | no | `expired` |
/// | nothing | no | `silent` |
#[must_use]
pub fn verdict<'a>(
    config: &Config,
    question: &Question<'_>,
    records: impl Iterator<Item = &'a Record>,
) -> Verdict {
    let Some(rules) = config.category(question.category) else {
        return Verdict::new(false, Reason::UnknownCategory, &[]);
    };
    if rules.class == Class::Essential {
        return Verdict::new(true, Reason::Essential, &[]);
    }
    if !question.has_address {
        return Verdict::new(false, Reason::NoAddress, &[]);
    }
    let standing = Standing::of(rules, question.category, records, question.now);
    if !standing.refusals.is_empty() {
        return Verdict::new(false, Reason::Declined, &standing.refusals);
    }
    if !standing.grants.is_empty() {
        return Verdict::new(true, Reason::Granted, &standing.grants);
    }
    if !standing.pending.is_empty() {
        return Verdict::new(false, Reason::Pending, &standing.pending);
    }
    match rules.silence(question.jurisdiction) {
        ConsentAction::Accept => Verdict::new(true, Reason::Default, &[]),
        ConsentAction::Decline if !standing.expired.is_empty() => {
            Verdict::new(false, Reason::Expired, &standing.expired)
        }
        ConsentAction::Decline => Verdict::new(false, Reason::Silent, &[]),
    }
}

/// Whether a request that enforces a refusal may leave, from the records that count: exactly when
/// the choice is decline. A configured default is no choice (SP 20).
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
    records: impl Iterator<Item = &'a Record>,
) -> Verdict {
    let Some(rules) = config.category(question.category) else {
        return Verdict::new(false, Reason::UnknownCategory, &[]);
    };
    if !question.has_address {
        return Verdict::new(false, Reason::NoAddress, &[]);
    }
    let standing = Standing::of(rules, question.category, records, question.now);
    if standing.refusals.is_empty() {
        Verdict::new(false, Reason::NotDeclined, &standing.grants)
    } else {
        Verdict::new(true, Reason::Enforcement, &standing.refusals)
    }
}

impl Verdict {
    fn new(allowed: bool, reason: Reason, relied_on: &[&Record]) -> Self {
        let mut records: Vec<Arc<str>> = Vec::new();
        for record in relied_on {
            if !records.contains(&record.id) {
                records.push(record.id.clone());
            }
        }
        Self {
            allowed,
            reason,
            records,
        }
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
