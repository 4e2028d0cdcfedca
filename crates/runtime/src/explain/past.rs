//! What does the history tell of some decisions, and of a person's events? One reading of it, from
//! its beginning.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{DecisionId, Identifier, InstanceId, Timestamp};
use wayfare_executor::Change;
use wayfare_executor::record::Permission;
use wayfare_journey::EventMatch;
use wayfare_store::{Entry, LoggedInput};

/// One change in the life of an instance or its delivery.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// The input it followed from.
    pub input: LoggedInput,
    /// The change.
    pub change: Change,
}

/// Events that a trigger names and that were about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// How many there were.
    pub count: u64,
    /// When the last one counted.
    pub at: Timestamp,
    /// Its name.
    pub name: Arc<str>,
    /// Its message id.
    pub message_id: Option<Arc<str>>,
}

/// Which events are sought.
pub(super) struct Sought<'a> {
    pub(super) matches: &'a [EventMatch],
    pub(super) identity: &'a wayfare_identity::Config,
    pub(super) identifiers: &'a BTreeSet<Identifier>,
}

/// The history so far.
pub(super) struct Past<'a> {
    wanted: BTreeSet<DecisionId>,
    steps: BTreeMap<DecisionId, Vec<Step>>,
    sought: Option<Sought<'a>>,
    sighting: Option<Sighting>,
}

impl<'a> Past<'a> {
    pub(super) const fn new(wanted: BTreeSet<DecisionId>, sought: Option<Sought<'a>>) -> Self {
        Self {
            wanted,
            steps: BTreeMap::new(),
            sought,
            sighting: None,
        }
    }

    pub(super) fn entry(&mut self, entry: &Entry) {
        for change in &entry.changes {
            let Some(id) = about(change).filter(|id| self.wanted.contains(id)) else {
                continue;
            };
            self.steps.entry(id).or_default().push(Step {
                at: entry.at,
                input: entry.input.clone(),
                change: change.clone(),
            });
        }
        if let (Some(sought), LoggedInput::Event { .. }) = (&self.sought, &entry.input)
            && let Some(event) = super::event(&entry.input)
            && sought.names(&event)
        {
            let count = self.sighting.as_ref().map_or(0, |it| it.count);
            self.sighting = Some(Sighting {
                count: count.saturating_add(1),
                at: entry.at,
                name: event.name.clone(),
                message_id: event.message_id.clone(),
            });
        }
    }

    /// What was asked before each attempt of a decision's delivery.
    pub(super) fn asked(&self, id: DecisionId) -> impl Iterator<Item = &Permission> {
        let steps = self.steps.get(&id).into_iter().flatten();
        steps.filter_map(|step| {
            if let Change::DeliveryMoved { consent, .. } = &step.change {
                consent.as_ref()
            } else {
                None
            }
        })
    }

    pub(super) fn steps(&self, id: DecisionId) -> Vec<Step> {
        self.steps.get(&id).cloned().unwrap_or_default()
    }

    pub(super) fn sighting(self) -> Option<Sighting> {
        self.sighting
    }
}

impl Sought<'_> {
    fn names(&self, event: &wayfare_event::Event) -> bool {
        let is_meant = |it: &EventMatch| it.matches(event.kind, &event.name);
        self.matches.iter().any(is_meant)
            && wayfare_identity::extract(self.identity, event).is_ok_and(|named| {
                let mut named = named.identifiers().iter();
                named.any(|identifier| self.identifiers.contains(identifier))
            })
    }
}

/// The decision of the instance or delivery that a change is about.
fn about(change: &Change) -> Option<DecisionId> {
    if let Change::DeliveryMoved { delivery, .. } | Change::DeliveryOrdered { delivery, .. } =
        change
    {
        return Some(DecisionId::from_bytes(*delivery.as_bytes()));
    }
    change.instance().map(InstanceId::decision)
}
