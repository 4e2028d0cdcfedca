//! What starts a journey? One thing that happened, as entries see it: an event, a choice or a trait
//! that changed, a schedule, a date, a delivery.

use std::sync::Arc;

use wayfare_event::{Map, Timestamp};

use super::work::Work;
use crate::catalog::Published;

/// What may start journeys, and what an instance will know of it.
#[derive(Clone, Debug)]
pub(crate) struct Start<'a> {
    /// When it happened, by the corrected clock of its source.
    pub(crate) occurred: Timestamp,
    /// Whether it is marked as history.
    pub(crate) historical: bool,
    /// Whether an operator ordered it: then the trigger's condition does not count.
    pub(crate) is_ordered: bool,
    /// What the ids of instances are derived from.
    pub(crate) opener: String,
    /// The message that told it.
    pub(crate) message_id: Option<Arc<str>>,
    /// What expressions call `event`.
    pub(crate) event: Option<&'a Map>,
    /// What expressions call `change`.
    pub(crate) change: Option<Map>,
    /// What expressions call `delivery`.
    pub(crate) delivery: Option<Map>,
    /// The account it names.
    pub(crate) account: Option<Arc<str>>,
}

impl Start<'_> {
    /// Something that happened at an instant, which `opener` names.
    pub(crate) const fn at(occurred: Timestamp, opener: String) -> Self {
        Self {
            occurred,
            historical: false,
            is_ordered: false,
            opener,
            message_id: None,
            event: None,
            change: None,
            delivery: None,
            account: None,
        }
    }
}

/// The journeys that things have started, by id.
#[derive(Debug, Default)]
pub(crate) struct Starts<'a>(Vec<(Arc<Published>, Arc<Start<'a>>)>);

impl<'a> Starts<'a> {
    /// Adds what one thing starts.
    pub(crate) fn add<'b>(
        &mut self,
        start: Start<'a>,
        published: impl IntoIterator<Item = &'b Arc<Published>>,
    ) {
        let start = Arc::new(start);
        let published = published.into_iter();
        self.0
            .extend(published.map(|it| (it.clone(), start.clone())));
    }

    /// In the order in which journeys take entries: by id.
    pub(crate) fn in_order(mut self) -> Vec<(Arc<Published>, Arc<Start<'a>>)> {
        self.0
            .sort_by(|(left, _), (right, _)| left.graph.id().cmp(right.graph.id()));
        self.0
    }
}

/// The hops of what this step queues on behalf of something that `hops` led to.
pub(crate) const fn next_hops(work: &Work<'_>, hops: u8) -> u8 {
    let most = if work.hops > hops { work.hops } else { hops };
    most.saturating_add(1)
}
