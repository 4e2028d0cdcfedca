//! What was said? The choice for a category: accept, decline or unknown.

use serde::{Deserialize, Serialize};
use wayfare_event::{ConsentAction, Timestamp};

use crate::{Category, Config, Record, RecordKind, Strength, scope};

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
/// A refusal does not end. An acceptance is live while it is not pending and until it expires (at
/// that instant it has). A live acceptance overcomes a refusal when all of this holds:
///
/// - it was said later, not at the same instant
/// - it was given in person or by a signal, unless the refusal was not either
/// - it acknowledges the refusal, where that came as a signal
/// - it is no broader: an acceptance of every channel at once (`*`) leaves one that names its
///   channel refused
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

/// The records of a category, sorted by what they do now, each list the latest first.
#[derive(Debug, Default)]
pub(crate) struct Standing<'a> {
    /// Refusals that no acceptance overcame.
    pub(crate) refusals: Vec<&'a Record>,
    /// Acceptances that are live, and said after every refusal that was overcome.
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
        let counts = |record: &&Record| {
            *record.category == *category && scope::covers(record, rules.binding)
        };
        for record in records.filter(counts) {
            let list = match record.action {
                ConsentAction::Decline => &mut standing.refusals,
                ConsentAction::Accept if has_ended(rules, record, now) => &mut standing.expired,
                ConsentAction::Accept if record.pending || !is_strong(rules, record) => {
                    &mut standing.pending
                }
                ConsentAction::Accept => &mut standing.grants,
            };
            list.push(record);
        }
        standing.weigh();
        let lists = [
            &mut standing.refusals,
            &mut standing.grants,
            &mut standing.pending,
            &mut standing.expired,
        ];
        for list in lists {
            list.sort_by(|left, right| {
                (right.said_at(), &right.id).cmp(&(left.said_at(), &left.id))
            });
        }
        standing
    }

    /// Drops refusals that were overcome, and with them the acceptances they had ended.
    fn weigh(&mut self) {
        let Self {
            refusals, grants, ..
        } = self;
        let last_refusal = refusals.iter().map(|refusal| refusal.said_at()).max();
        refusals.retain(|refusal| !grants.iter().any(|grant| overcomes(grant, refusal)));
        grants.retain(|grant| last_refusal.is_none_or(|last| grant.said_at() > last));
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
        .map(|age_us| record.said_at().saturating_add_micros(age_us));
    let ends = [record.valid_until, by_age].into_iter().flatten();
    ends.min().is_some_and(|end| end <= now)
}

fn overcomes(grant: &Record, refusal: &Record) -> bool {
    let weighs_enough = match refusal.kind {
        RecordKind::Import | RecordKind::Admin => true,
        RecordKind::User => grant.kind.is_own(),
        RecordKind::Signal => grant.kind.is_own() && grant.acknowledges_signal(),
    };
    grant.said_at() > refusal.said_at() && weighs_enough && !scope::is_broader(grant, refusal)
}
