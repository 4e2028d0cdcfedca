//! What does a state hold of its journeys? The version in force, who is inside which version, pauses
//! and sweeps. Not here: what the journeys say.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_executor::record::{Control, Paused, Sweep, SweepCause};
use wayfare_executor::{Key, Row};
use wayfare_journey::Version;
use wayfare_store::{RowKind, Store, StoreError};

/// Rows read at once.
const PAGE_KEYS: usize = 256;

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
    store.scan(RowKind::Person, &mut |_, row| count(&mut journeys, row))?;
    Ok(journeys)
}

/// Counts who is inside among the next people behind `after`; the last of them, nothing at the end. A
/// page is as much as an engine at work may be kept from it.
///
/// # Errors
///
/// When the store cannot be read.
pub fn count_page(
    store: &mut dyn Store,
    journeys: &mut BTreeMap<Arc<str>, Journey>,
    after: Option<&Key>,
) -> Result<Option<Key>, StoreError> {
    let keys = store.page(RowKind::Person, after, PAGE_KEYS)?;
    for row in store.load(&keys)?.iter().flatten() {
        count(journeys, row);
    }
    Ok(keys.last().cloned())
}

fn count(journeys: &mut BTreeMap<Arc<str>, Journey>, row: &Row) {
    let Row::Person(person) = row else {
        return;
    };
    for instance in person.record.instances.values() {
        let journey = journeys.entry(instance.journey.clone()).or_default();
        let blocks = journey.inside.entry(instance.version).or_default();
        *blocks.entry(instance.block.clone()).or_default() += 1;
    }
}

/// Every journey that was ever in force, by id; not who is inside, which takes a look at everybody.
///
/// # Errors
///
/// When the store cannot be read.
pub fn known(store: &mut dyn Store) -> Result<BTreeMap<Arc<str>, Journey>, StoreError> {
    let mut journeys: BTreeMap<Arc<str>, Journey> = BTreeMap::new();
    for kind in [RowKind::Version, RowKind::Control, RowKind::Sweep] {
        let mut after = None;
        // By pages: a scan would wait for what is written behind, and an engine at work with it.
        loop {
            let keys = store.page(kind, after.as_ref(), PAGE_KEYS)?;
            for (key, row) in keys.iter().zip(store.load(&keys)?) {
                learn(&mut journeys, key, row.as_ref());
            }
            match keys.last() {
                Some(last) => after = Some(last.clone()),
                None => break,
            }
        }
    }
    Ok(journeys)
}

fn learn(journeys: &mut BTreeMap<Arc<str>, Journey>, key: &Key, row: Option<&Row>) {
    if let (Key::Version(id, version), Some(Row::Version(source))) = (key, row) {
        let journey = journeys.entry(id.clone()).or_default();
        journey.versions.insert(*version, source.clone());
    } else if let (Key::Control(id), Some(Row::Control(control))) = (key, row) {
        journeys.entry(id.clone()).or_default().control = control.clone();
    } else if let (Key::Sweep(id), Some(Row::Sweep(sweep))) = (key, row)
        && sweep.over.is_none()
        && id.cause != SweepCause::Erasure
    {
        let journey = journeys.entry(id.journey.clone()).or_default();
        journey.sweeps.insert(id.cause, sweep.clone());
    }
}
