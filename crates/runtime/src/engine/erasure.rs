//! Which rows of the ledger are somebody's who was erased? They are looked for page by page; only what
//! is found becomes an input. Not here: what becomes of them (`wayfare_executor`).

use wayfare_event::{DeliveryId, Timestamp};
use wayfare_executor::record::{Erasure, Sweep, SweepId};
use wayfare_executor::{Key, Row};
use wayfare_store::{RowKind, StoreError};

use super::Engine;
use super::sweep::Paged;

/// Rows read at once.
const ROWS_AT_ONCE: usize = 256;
/// Rows read before something else has its turn.
const ROWS_PER_TURN_MAX: usize = 8 * 1024;

impl Engine {
    /// Looks through the next part of the ledger, then of the entries.
    pub(super) fn look_for(
        &mut self,
        at: Timestamp,
        id: SweepId,
        sweep: &Sweep,
    ) -> Result<(), StoreError> {
        // Rows of the batch at hand are not in the store yet, and none must be missed.
        self.settle()?;
        let Some(erasure) = sweep.erasure.clone() else {
            return self.paged(at, id, Paged::last());
        };
        let begins = || sweep.delivery.map(|it| Key::Decision(decision(it)));
        let looked = self.looked.remove(&id);
        let (mut kind, mut after) = looked.unwrap_or_else(|| (RowKind::Decision, begins()));
        for _ in 0..ROWS_PER_TURN_MAX / ROWS_AT_ONCE {
            let keys = self.store.page(kind, after.as_ref(), ROWS_AT_ONCE)?;
            let is_end = keys.len() < ROWS_AT_ONCE;
            let is_last = is_end && kind == RowKind::Guard;
            let mut page = self.of_erased(&erasure, &keys)?;
            after = keys.into_iter().next_back().or(after);
            if is_end && kind == RowKind::Decision {
                (kind, after) = (RowKind::Guard, None);
            }
            page.is_last = is_last;
            if is_last || !page.is_empty() {
                if !is_last {
                    self.looked.insert(id.clone(), (kind, after));
                }
                return self.paged(at, id, page);
            }
        }
        self.looked.insert(id, (kind, after));
        Ok(())
    }

    /// Those of some rows that are somebody's who was erased.
    fn of_erased(&mut self, erasure: &Erasure, keys: &[Key]) -> Result<Paged, StoreError> {
        let id_key = self.catalog.id_key;
        let rows = self.store.load(keys)?;
        let mut page = Paged::default();
        for (key, row) in keys.iter().zip(rows) {
            if let Some(Row::Decision(decision)) = row {
                if erasure.concerns(&id_key, &decision) {
                    page.deliveries.push(decision.id.delivery());
                }
            } else if let (Key::Guard { owner, .. }, Some(Row::Guard(entry))) = (key, row)
                && entry.entered <= erasure.at
                && erasure.is_about(&id_key, owner)
            {
                page.entries.push(key.clone());
            }
        }
        Ok(page)
    }
}

const fn decision(id: DeliveryId) -> wayfare_event::DecisionId {
    wayfare_event::DecisionId::from_bytes(*id.as_bytes())
}
