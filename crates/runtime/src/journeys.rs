//! What does a state hold of its journeys? The version in force, who is inside which version, pauses
//! and sweeps. Not here: what the journeys say.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_executor::record::{Control, Paused, Sweep, SweepCause};
use wayfare_executor::{Key, Row};
use wayfare_journey::Version;
use wayfare_store::{RowKind, Store, StoreError};

/// How many walks are at each block of a version.
pub type Blocks = BTreeMap<Arc<str>, u64>;

/// What a state holds of one journey.
#[derive(Clone, Debug, Default)]
pub struct Journey {
    /// Every version that was ever in force, and its file.
    pub versions: BTreeMap<Version, Arc<str>>,
    /// The walks that have not ended.
    pub inside: BTreeMap<Version, Blocks>,
    /// The sweeps that wait or are under way.
    pub sweeps: BTreeMap<SweepCause, Arc<Sweep>>,
    control: Arc<Control>,
}

impl Journey {
    /// The version that takes entries, and its file; nothing when the file was gone.
    #[must_use]
    pub fn in_force(&self) -> Option<(Version, &Arc<str>)> {
        let version = self.control.in_force?;
        Some((version, self.versions.get(&version)?))
    }

    /// The blocks that are paused, and why.
    pub fn paused_blocks(&self) -> impl Iterator<Item = (&Arc<str>, &Paused)> {
        let blocks = self.control.blocks.iter();
        blocks.filter_map(|(block, held)| Some((block, held.paused.as_ref()?)))
    }

    /// Why nobody enters.
    #[must_use]
    pub fn paused(&self) -> Option<&Paused> {
        self.control.paused.as_ref()
    }
}

/// Every journey that was ever in force, by id, and who is inside.
///
/// # Errors
///
/// When the store cannot be read.
pub fn all(store: &mut dyn Store) -> Result<BTreeMap<Arc<str>, Journey>, StoreError> {
    let mut journeys = known(store)?;
    store.scan(RowKind::Person, &mut |_, row| {
        let Row::Person(person) = row else {
            return;
        };
        for instance in person.record.instances.values() {
            let journey = journeys.entry(instance.journey.clone()).or_default();
            let blocks = journey.inside.entry(instance.version).or_default();
            *blocks.entry(instance.block.clone()).or_default() += 1;
        }
    })?;
    Ok(journeys)
}

/// Every journey that was ever in force, by id; not who is inside, which takes a look at everybody.
///
/// # Errors
///
/// When the store cannot be read.
pub fn known(store: &mut dyn Store) -> Result<BTreeMap<Arc<str>, Journey>, StoreError> {
    let mut journeys: BTreeMap<Arc<str>, Journey> = BTreeMap::new();
    for kind in [RowKind::Version, RowKind::Control, RowKind::Sweep] {
        store.scan(kind, &mut |key, row| {
            if let (Key::Version(id, version), Row::Version(source)) = (key, row) {
                let journey = journeys.entry(id.clone()).or_default();
                journey.versions.insert(*version, source.clone());
            } else if let (Key::Control(id), Row::Control(control)) = (key, row) {
                journeys.entry(id.clone()).or_default().control = control.clone();
            } else if let (Key::Sweep(id), Row::Sweep(sweep)) = (key, row)
                && sweep.over.is_none()
            {
                let journey = journeys.entry(id.journey.clone()).or_default();
                journey.sweeps.insert(id.cause, sweep.clone());
            }
        })?;
    }
    Ok(journeys)
}
