//! What was said, once? Records are appended and never changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{ConsentAction, IdentifierHash, Timestamp};

/// What one subject said about one category, at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that is stored, in no order with the others"
)]
pub struct Record {
    /// What the consent is for: a category, what several are part of, or `*`.
    pub category: Arc<str>,
    /// What was said.
    pub action: ConsentAction,
    /// When it was said, by the corrected clock of its source.
    pub at: Timestamp,
    /// When we heard of it.
    pub recorded_at: Timestamp,
    /// What it is known by, as evidence.
    pub id: Arc<str>,
    /// When an acceptance begins to count; at once, without one. A decline always counts at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// When an acceptance ends; never, without one. A decline does not end.
    pub valid_until: Option<Timestamp>,
    /// How it came.
    pub kind: RecordKind,
    /// Whether an acceptance waits for its confirmation: then it allows nothing. A decline does not
    /// wait.
    pub pending: bool,
    /// Whether it came with a key that anybody can read. An acceptance is then not strong enough for
    /// a category that needs a confirmed one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unverified: bool,
    /// Whether its sender marked it as history.
    pub historical: bool,
    /// Whether nobody knows since when it holds. An acceptance then lifts no refusal: it may be the
    /// older of the two.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undated: bool,
    /// The browser that told it, as a hash: what one holds all along is not compared with what another
    /// says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<IdentifierHash>,
    /// Where it was collected.
    pub source: Option<Arc<str>>,
    /// How it was given. `confirmed` and `double_opt_in` are strong enough for every category;
    /// `acknowledges_signal` says that the person was told of a standing signal and chose otherwise.
    pub method: Option<Arc<str>>,
    /// What the person was shown.
    pub notice: Option<Arc<str>>,
    /// The law it was collected under.
    pub regulation: Option<Arc<str>>,
    /// Where messages it covers go, when narrower than all: `email`, `sms`, `push`. What an SDK
    /// writes there of itself (`web`, `server`, `mobile`, `sources`) narrows nothing.
    pub channel: Option<Arc<str>>,
}

impl Record {
    /// What a person said about a category, heard as it was said; nothing else is known of it.
    #[must_use]
    pub fn new(category: &str, action: ConsentAction, at: Timestamp, id: &str) -> Self {
        Self {
            category: category.into(),
            action,
            at,
            recorded_at: at,
            id: id.into(),
            valid_from: None,
            valid_until: None,
            kind: RecordKind::User,
            pending: false,
            unverified: false,
            historical: false,
            undated: false,
            browser: None,
            source: None,
            method: None,
            notice: None,
            regulation: None,
            channel: None,
        }
    }

    /// When it was said: nothing is said after we heard of it.
    #[must_use]
    pub fn said_at(&self) -> Timestamp {
        self.at.min(self.recorded_at)
    }

    pub(crate) fn acknowledges_signal(&self) -> bool {
        self.method.as_deref() == Some("acknowledges_signal")
    }
}

/// How a record came (SP 21). An acceptance that nobody gave in person does not lift a refusal that
/// somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// Brought over from another system.
    Import,
    /// A browser's or an operator's standing signal, such as Global Privacy Control.
    Signal,
    /// Entered by an administrator.
    Admin,
    /// Said by the person.
    User,
}

impl RecordKind {
    /// The kind that a statement's `source` means, without regard to case. A choice made in a
    /// dialogue (TCF) is the person's own; what comes from the admin API is for the caller to say.
    #[must_use]
    pub fn of(source: Option<&str>) -> Self {
        let source = source.map(|text| text.trim().to_ascii_lowercase());
        match source.as_deref() {
            Some("import") => Self::Import,
            Some("gpc" | "gpp" | "dnt" | "signal") => Self::Signal,
            Some(_) | None => Self::User,
        }
    }

    /// Whether it is the person's own word, or that of what they browse with.
    pub(crate) const fn is_own(self) -> bool {
        match self {
            Self::User | Self::Signal => true,
            Self::Import | Self::Admin => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_says_how_a_record_came() {
        let check = |source, expected| assert_eq!(RecordKind::of(source), expected, "{source:?}");
        check(Some("import"), RecordKind::Import);
        check(Some(" Import"), RecordKind::Import);
        check(Some("GPC"), RecordKind::Signal);
        check(Some("preference-center"), RecordKind::User);
        check(Some("tcf"), RecordKind::User);
        check(Some("admin"), RecordKind::User);
        check(None, RecordKind::User);
    }
}
