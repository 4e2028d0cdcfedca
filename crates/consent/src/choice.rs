//! What was said? The choice for a category: accept, decline or unknown.

use serde::{Deserialize, Serialize};
use wayfare_event::{ConsentAction, Timestamp};

use crate::{Category, Config, Record, RecordKind, Strength};

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

/// What somebody chose, from the records that count for them; those of other categories are passed
/// over.
///
/// | a refusal that nothing overcame | a live acceptance | choice |
/// |---|---|---|
/// | yes | any | decline |
/// | no | yes | accept |
/// | no | no | unknown |
///
/// An acceptance is live until it expires (at that instant it has) and while it is not pending. It
/// overcomes a refusal that was said before it (never one of the same instant), unless nobody gave
/// it in person and somebody gave the refusal.
#[must_use]
pub fn choice<'a>(
    config: &Config,
    category: &str,
    records: impl Iterator<Item = &'a Record>,
    now: Timestamp,
) -> Choice {
    let Some(rules) = config.category(category) else {
        return Choice::Unknown;
    };
    let standing = Standing::of(rules, category, records, now);
    match (standing.refusals.is_empty(), standing.grants.is_empty()) {
        (false, _) => Choice::Decline,
        (true, false) => Choice::Accept,
        (true, true) => Choice::Unknown,
    }
}

/// The records of a category, sorted by what they do now.
#[derive(Debug, Default)]
pub(crate) struct Standing<'a> {
    /// Refusals that no acceptance overcame.
    pub(crate) refusals: Vec<&'a Record>,
    /// Acceptances that are live.
    pub(crate) grants: Vec<&'a Record>,
    /// Acceptances that wait for their confirmation.
    pub(crate) pending: Vec<&'a Record>,
    /// Acceptances that have ended.
    pub(crate) expired: Vec<&'a Record>,
}

impl<'a> Standing<'a> {
    pub(crate) fn of(
        rules: &Category,
        category: &str,
        records: impl Iterator<Item = &'a Record>,
        now: Timestamp,
    ) -> Self {
        let mut standing = Self::default();
        let mut refusals = Vec::new();
        for record in records.filter(|record| *record.category == *category) {
            match record.action {
                ConsentAction::Decline => refusals.push(record),
                ConsentAction::Accept if record.pending || !is_strong(rules, record) => {
                    standing.pending.push(record);
                }
                ConsentAction::Accept if has_ended(rules, record, now) => {
                    standing.expired.push(record);
                }
                ConsentAction::Accept => standing.grants.push(record),
            }
        }
        let lifts = |refusal: &&Record| {
            let mut live = standing.grants.iter();
            live.any(|grant| overcomes(grant, refusal))
        };
        refusals.retain(|refusal| !lifts(refusal));
        standing.refusals = refusals;
        let lists = [
            &mut standing.refusals,
            &mut standing.grants,
            &mut standing.pending,
            &mut standing.expired,
        ];
        for list in lists {
            list.sort_by(|left, right| (right.at, &right.id).cmp(&(left.at, &left.id)));
        }
        standing
    }
}

fn is_strong(rules: &Category, record: &Record) -> bool {
    match rules.strength {
        Strength::Any => true,
        Strength::Confirmed => {
            matches!(
                record.method.as_deref(),
                Some("confirmed" | "double_opt_in")
            )
        }
    }
}

fn has_ended(rules: &Category, record: &Record, now: Timestamp) -> bool {
    let by_age = rules
        .max_age_us
        .map(|age_us| record.at.saturating_add_micros(age_us));
    let ends = [record.valid_until, by_age].into_iter().flatten();
    ends.min().is_some_and(|end| end <= now)
}

fn overcomes(grant: &Record, refusal: &Record) -> bool {
    let in_person = |record: &Record| match record.kind {
        RecordKind::User | RecordKind::Signal => true,
        RecordKind::Import | RecordKind::Admin => false,
    };
    grant.at > refusal.at && (in_person(grant) || !in_person(refusal))
}
