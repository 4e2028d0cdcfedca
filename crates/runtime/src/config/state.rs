//! What does `state:` say? Not here: keeping it (`store`).

use std::path::PathBuf;

use wayfare_journey::duration::DAY_US;
use wayfare_journey::fields::Problems;
use wayfare_journey::yaml::Node;
use wayfare_store::MESSAGE_DAYS;

use super::parts::{invalid, micros, whole};

/// The shortest memory of message ids (SP 2), and the one unless configured otherwise.
const MESSAGE_IDS_US: i64 = 7 * DAY_US;
/// How long history is kept, unless configured otherwise.
const HISTORY_US: i64 = 30 * DAY_US;
/// How long anything may be configured to be kept: ten years.
const KEPT_US_MAX: i64 = 3_660 * DAY_US;
/// Mebibytes of memory that may be configured: one tebibyte.
const CACHE_MB_MAX: i64 = 1024 * 1024;

/// What is durable, where, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The state directory. In a [`Project`](super::Project) a relative one begins where
    /// `wayfare.yaml` stands.
    pub directory: Option<PathBuf>,
    /// Mebibytes of records kept in memory; without it, what suits the machine.
    pub cache_mb: Option<u64>,
    /// How long the log is kept, in microseconds.
    pub history_us: i64,
    /// How long message ids are remembered, in microseconds; seven days at least.
    pub message_ids_us: i64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            directory: None,
            cache_mb: None,
            history_us: HISTORY_US,
            message_ids_us: MESSAGE_IDS_US,
        }
    }
}

impl State {
    /// How long a second copy of an event is known by its message id: as configured, as far as the
    /// store goes along.
    #[must_use]
    pub fn remembered_us(&self) -> i64 {
        self.message_ids_us.min(MESSAGE_DAYS * DAY_US)
    }
}

pub(super) fn state(node: &Node, problems: &mut Problems) -> State {
    let mut state = State::default();
    let Some(mut fields) = problems.fields(node, "`state`") else {
        return state;
    };
    if let Some(node) = fields.get("directory")
        && let Some(text) = problems.text(node)
    {
        if text.value.is_empty() {
            invalid(node, "a directory has a name", problems);
        }
        state.directory = Some(PathBuf::from(text.value));
    }
    let cache = fields.get("cache_mb");
    let cache = cache.and_then(|node| whole(node, 1..=CACHE_MB_MAX, problems));
    state.cache_mb = cache.and_then(|size| u64::try_from(size).ok());
    if let Some(node) = fields.get("history") {
        let history = micros(node, DAY_US..=KEPT_US_MAX, problems);
        state.history_us = history.unwrap_or(HISTORY_US);
    }
    if let Some(node) = fields.get("message_ids") {
        let remembered = micros(node, MESSAGE_IDS_US..=KEPT_US_MAX, problems);
        state.message_ids_us = remembered.unwrap_or(MESSAGE_IDS_US);
    }
    fields.finish(problems);
    state
}
