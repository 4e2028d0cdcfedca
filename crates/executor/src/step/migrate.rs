//! In which version does an instance go on? In its own, unless the one in force declares to take it
//! over: then it is translated when it is next loaded, and its timer keeps its instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_journey::Graph;

use super::who::Who;
use super::work::Work;
use crate::change::Change;
use crate::record::Instance;

/// The blocks it was counted or took an arm at, where their names are others now: an edit moves
/// nobody to another arm.
fn renamed(graph: &Graph, instance: &Instance) -> BTreeMap<Arc<str>, Arc<str>> {
    let blocks = instance.arms.keys().chain(instance.visits.keys());
    let other = |block: &Arc<str>| {
        let target = graph.takes_over(instance.version, block)?;
        (target != block).then(|| (block.clone(), target.clone()))
    };
    blocks.filter_map(other).collect()
}

/// Translates every live instance of a profile that the version in force takes over.
pub(super) fn migrate(work: &mut Work<'_>, who: &Who) {
    for live in who.live(&work.rows) {
        let instance = &live.instance;
        let Some(current) = work.catalog.in_force(&instance.journey) else {
            continue;
        };
        let version = current.graph.version();
        if version == instance.version {
            continue;
        }
        let target = current.graph.takes_over(instance.version, &instance.block);
        if let Some(block) = target.cloned() {
            work.make(Change::Migrated {
                owner: live.owner,
                id: live.id,
                version,
                block,
                renamed: renamed(&current.graph, instance),
            });
        }
    }
}
