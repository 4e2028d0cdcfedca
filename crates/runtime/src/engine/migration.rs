//! May a journey take over the people inside its earlier versions? Only when it has a place for each
//! of them, and reads nothing that they did not keep.

use std::sync::Arc;

use wayfare_executor::Catalog;
use wayfare_journey::Version;

use super::open::Occupied;

/// Why a journey cannot take over people inside an earlier version of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MigrationError {
    /// A block has people in it and no place in the journey as it is now.
    #[error(
        "journey `{journey}` has {count} inside block `{block}` of version {version}, and its \
         `migrate:` names no block for them; add `{block}: BLOCK` to its `map:`"
    )]
    NoPlace {
        /// The journey.
        journey: Arc<str>,
        /// The version they are in.
        version: Version,
        /// The block they are in.
        block: Arc<str>,
        /// How many.
        count: u64,
    },
    /// The journey reads what nobody kept.
    #[error(
        "journey `{journey}` has {count} inside version {version}, which did not keep `{leaf}` for \
         them; let them finish there: take `migrate:` away, or read something else"
    )]
    NotKept {
        /// The journey.
        journey: Arc<str>,
        /// The version they are in.
        version: Version,
        /// The first value that is missing.
        leaf: String,
        /// How many.
        count: u64,
    },
}

/// Checks every journey in force that takes over people.
pub(super) fn check(catalog: &Catalog, occupied: &Occupied) -> Result<(), MigrationError> {
    for ((journey, version, block), count) in occupied {
        let Some(current) = catalog.in_force(journey) else {
            continue;
        };
        let graph = &current.graph;
        if graph.version() == *version || !graph.migrates(*version) {
            continue;
        }
        if graph.takes_over(*version, block).is_none() {
            return Err(MigrationError::NoPlace {
                journey: journey.clone(),
                version: *version,
                block: block.clone(),
                count: *count,
            });
        }
        let kept = catalog.version(journey, *version);
        let missing = kept.and_then(|kept| graph.kept().beyond(kept.graph.kept()));
        if let Some(leaf) = missing {
            return Err(MigrationError::NotKept {
                journey: journey.clone(),
                version: *version,
                leaf,
                count: *count,
            });
        }
    }
    Ok(())
}
