//! Which value does a trait have when it was told several times (2.1.8)? The same in every order.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_event::Value;

use crate::change::Change;
use crate::record::{Register, Told};
use crate::snapshot::Snapshot;

type Registers = BTreeMap<Arc<str>, Register>;

impl Change {
    /// The changes that write a trait.
    pub(super) fn apply_to_traits(&self, rows: &mut Snapshot) {
        if let Self::TraitSet {
            owner,
            name,
            value,
            told,
            once,
        } = self
        {
            let record = rows.record_mut(owner);
            if *once {
                write_once(&mut record.once, name, value, *told);
            } else {
                write(&mut record.traits, name, value, *told);
            }
        } else if let Self::AccountTraitSet {
            account,
            name,
            value,
            told,
        } = self
        {
            write(&mut rows.account_mut(account).traits, name, value, *told);
        }
    }
}

/// The last writer wins, by the corrected time of its event (2.1.8). `null` stays, so that what was
/// removed is not brought back by something older.
fn write(registers: &mut Registers, name: &Arc<str>, value: &Value, told: Told) {
    let newer = registers.get(name).is_none_or(|held| held.told <= told);
    if newer {
        let value = value.clone();
        registers.insert(name.clone(), Register { value, told });
    }
}

/// The first writer keeps its place, whenever it is heard (2.1.8).
fn write_once(registers: &mut Registers, name: &Arc<str>, value: &Value, told: Told) {
    let earlier = registers.get(name).is_none_or(|held| told < held.told);
    if earlier {
        let value = value.clone();
        registers.insert(name.clone(), Register { value, told });
    }
}
