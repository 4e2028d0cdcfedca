//! Was one person in two arms of one experiment? Two may have been split before they were known to be
//! one: each walk keeps its arm, and what is counted of either says less (2.1.9).

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_event::ProfileId;
use wayfare_executor::Change;

use super::{Inside, Told};

/// A split at which one person, as two, took two arms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contaminated {
    /// The split.
    pub block: Arc<str>,
    /// The journey's key.
    pub key: Option<Arc<str>>,
    /// Each arm, and as whom it was first taken.
    pub arms: BTreeMap<Arc<str>, ProfileId>,
}

type Splits = BTreeMap<(Option<Arc<str>>, Arc<str>), BTreeMap<Arc<str>, ProfileId>>;

/// The splits at which walks of one key, which began as different persons', took different arms.
pub(super) fn contaminated(inside: &[Inside], decided: &[Told]) -> Vec<Contaminated> {
    let mut splits = Splits::new();
    let mut take = |(key, block): (&Option<Arc<str>>, &Arc<str>), arm: &Arc<str>, profile| {
        let arms = splits.entry((key.clone(), block.clone())).or_default();
        arms.entry(arm.clone()).or_insert(profile);
    };
    for Inside { instance, .. } in inside {
        for (block, arm) in &instance.arms {
            take((&instance.key, block), arm, instance.profile);
        }
    }
    for Told {
        decision, steps, ..
    } in decided
    {
        let mut profile = decision.profile;
        for step in steps {
            if let Change::Entered { instance, .. } = &step.change {
                profile = instance.profile;
            } else if let Change::ArmTaken { block, arm, .. } = &step.change {
                take((&decision.key, block), arm, profile);
            }
        }
    }
    let mixed = splits.into_iter().filter(|(_, arms)| {
        let mut profiles = arms.values();
        let first = profiles.next();
        profiles.any(|other| Some(other) != first)
    });
    mixed
        .map(|((key, block), arms)| Contaminated { block, key, arms })
        .collect()
}
