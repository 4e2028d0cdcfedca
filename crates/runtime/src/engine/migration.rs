//! May a journey take over the people inside its earlier versions? Only when it has a place for each
//! of them, and reads nothing that they did not keep.

use std::sync::Arc;

use wayfare_executor::Catalog;
use wayfare_journey::diagnostic::Diagnostic;
use wayfare_journey::{Graph, Version};

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
    /// A version that somebody is still in cannot be read any more.
    #[error(
        "journey `{journey}` has people inside its version {version}, which this configuration \
         does not take: {problem}; bring back what it needs in `wayfare.yaml`"
    )]
    Unreadable {
        /// The journey.
        journey: Arc<str>,
        /// The version.
        version: Version,
        /// The first problem.
        problem: String,
    },
}

impl MigrationError {
    pub(crate) fn unreadable(journey: Arc<str>, version: Version, problems: &[Diagnostic]) -> Self {
        let problem = problems.first().map(|problem| problem.message.clone());
        Self::Unreadable {
            journey,
            version,
            problem: problem.unwrap_or_default(),
        }
    }
}

/// What becomes of the people at one block of a version when another is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They finish on the version they are in.
    Finish,
    /// They go on in the version in force, at this block.
    Move(Arc<str>),
    /// The version in force may not be published.
    Refused(MigrationError),
}

/// What becomes of `count` people at a block of a version, which compiled to `kept` if it still does.
pub(crate) fn fate(
    current: &Graph,
    kept: Option<&Graph>,
    (version, block): (Version, &Arc<str>),
    count: u64,
) -> Fate {
    let journey = current.id().clone();
    if current.version() == version || !current.migrates(version) {
        return Fate::Finish;
    }
    let Some(target) = current.takes_over(version, block) else {
        return Fate::Refused(MigrationError::NoPlace {
            journey,
            version,
            block: block.clone(),
            count,
        });
    };
    match kept.and_then(|kept| current.kept().beyond(kept.kept())) {
        Some(leaf) => Fate::Refused(MigrationError::NotKept {
            journey,
            version,
            leaf,
            count,
        }),
        None => Fate::Move(target.clone()),
    }
}

/// Checks every journey in force that takes over people.
pub(super) fn check(catalog: &Catalog, occupied: &Occupied) -> Result<(), MigrationError> {
    for ((journey, version, block), count) in occupied {
        let Some(current) = catalog.in_force(journey) else {
            continue;
        };
        let kept = catalog.version(journey, *version).map(|kept| &kept.graph);
        let place = (*version, block);
        if let Fate::Refused(error) = fate(&current.graph, kept, place, *count) {
            return Err(error);
        }
    }
    Ok(())
}
