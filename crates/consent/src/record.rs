//! What was said, once? Records are appended and never changed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wayfare_event::{ConsentAction, Timestamp};

/// What one subject said about one category, at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What the consent is for.
    pub category: Arc<str>,
    /// What was said.
    pub action: ConsentAction,
    /// When it was said, by the corrected clock of its source.
    pub at: Timestamp,
    /// When we heard of it.
    pub recorded_at: Timestamp,
    /// What it is known by, as evidence.
    pub id: Arc<str>,
    /// When an acceptance ends; never, without one. A decline does not end.
    pub valid_until: Option<Timestamp>,
    /// How it came.
    pub kind: RecordKind,
    /// Whether it waits for a confirmation: then it neither allows nor refuses.
    pub pending: bool,
    /// Whether its sender marked it as history.
    pub historical: bool,
    /// Where it was collected.
    pub source: Option<Arc<str>>,
    /// How it was given.
    pub method: Option<Arc<str>>,
    /// What the person was shown.
    pub notice: Option<Arc<str>>,
    /// The law it was collected under.
    pub regulation: Option<Arc<str>>,
    /// Where messages it covers go, when narrower than all.
    pub channel: Option<Arc<str>>,
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
    /// The kind that a statement's `source` means.
    #[must_use]
    pub fn of(source: Option<&str>) -> Self {
        match source {
            Some("import") => Self::Import,
            Some("gpc" | "tcf" | "gpp" | "signal") => Self::Signal,
            Some(_) | None => Self::User,
        }
    }
}
