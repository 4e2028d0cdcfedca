//! Who is to enter a journey, or to be erased? People are named by an identifier of any namespace or by
//! a profile id, and what came of an order about them is read off the history. Not here: what an
//! erasure does (`wayfare_executor`).

use std::sync::Arc;

use wayfare_event::{Identifier, InstanceId, ProfileId, Timestamp};
use wayfare_executor::record::{EraseMode, Erased, Erasing, hash};
use wayfare_executor::{
    Action, Catalog, Change, Erase, ErasureChange, Key, Operator, RefusalCode, Row,
};
use wayfare_store::{LoggedInput, RowKind, Store, StoreError};

use super::{OrderError, place, refused, unknown};
use crate::engine::Engine;

/// Inputs behind an order that are looked at for what came of it.
const ENTRIES_MAX: u64 = 65_536;

/// What is known of an identifier.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// Nothing, and it was never erased.
    Nothing,
    /// Somebody goes by it.
    Somebody,
    /// Somebody goes by it who is erased later, or of whom nothing more is heard.
    Erasing(Arc<Erasing>),
    /// Whoever went by it is erased.
    Erased(Erased),
}

/// What came of an order about somebody.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing that may have come of it"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// The walk that began.
    pub entered: Option<InstanceId>,
    /// Why the journey did not take them.
    pub refused: Option<RefusalCode>,
    /// Whether they are erased, or are not heard any more.
    pub erased: bool,
    /// Whether the ledger is reduced too.
    pub complete: bool,
    /// Whether the history tells of nobody by it either.
    pub is_purged: bool,
    /// Whether a mark was lifted.
    pub lifted: bool,
    /// Walks that ended by it.
    pub ended: u64,
    /// Requests that do not leave because of it.
    pub withheld: u64,
}

/// An identifier as somebody wrote it, `namespace:value`; nothing where it is written otherwise.
#[must_use]
pub fn written(catalog: &Catalog, text: &str) -> Option<Identifier> {
    let (namespace, value) = text.split_once(':')?;
    let namespace = namespace.into();
    let value = wayfare_identity::normalise(&catalog.identity, &namespace, value)?;
    Some(Identifier::new(namespace.as_str(), &value))
}

/// The identifier that somebody wrote, or that a profile id was derived from.
///
/// # Errors
///
/// When it is neither, or the store cannot be read.
pub fn identifier(engine: &mut Engine, text: &str) -> Result<Identifier, OrderError> {
    if let Ok(id) = text.parse::<ProfileId>() {
        return match derived_from(engine.store(), id)? {
            Some(identifier) => Ok(identifier),
            None => unknown(&format!("nobody has the id `{id}`, or ever had")),
        };
    }
    match written(engine.catalog(), text) {
        Some(identifier) => Ok(identifier),
        None => refused(&format!(
            "`{text}` names nobody; write a profile id, or an identifier with its namespace such as \
             `user_id:u1` or `email:ada@example.com`"
        )),
    }
}

/// The identifier that a profile id was derived from, where something is known of it.
///
/// # Errors
///
/// When the store cannot be read.
pub fn derived_from(
    store: &mut dyn Store,
    id: ProfileId,
) -> Result<Option<Identifier>, StoreError> {
    let id_key = store.head().id_key;
    let mut found = None;
    store.scan(RowKind::Person, &mut |_, row| {
        if let Row::Person(person) = row {
            let own = person.node.identifier();
            let namespace = own.namespace.as_str();
            if ProfileId::derive(&id_key, person.node.epoch(), namespace, &own.value) == id {
                found = Some(own.clone());
            }
        }
    })?;
    Ok(found)
}

/// What is known of an identifier by now.
///
/// # Errors
///
/// When the store cannot be read.
pub fn known(store: &mut dyn Store, identifier: &Identifier) -> Result<Known, StoreError> {
    let mark = Key::Erased(hash(&store.head().id_key, identifier));
    let rows = store.load(&[Key::Person(identifier.clone()), mark])?;
    let mut known = Known::Nothing;
    for row in rows.into_iter().flatten() {
        if let Row::Person(person) = row {
            let erasing = person.record.erasing.clone();
            return Ok(erasing.map_or(Known::Somebody, Known::Erasing));
        }
        if let Row::Erased(erased) = row {
            known = Known::Erased(erased);
        }
    }
    Ok(known)
}

pub(super) fn enter(engine: &mut Engine, journey: &str, who: &str) -> Result<Action, OrderError> {
    let journey = in_force(engine, journey)?;
    let identifier = identifier(engine, who)?;
    match known(engine.store(), &identifier)? {
        Known::Somebody => Ok(Action::Enter {
            journey,
            identifier,
        }),
        Known::Nothing
        | Known::Erased(Erased {
            suppressed: false, ..
        }) => unknown(&format!("nothing is known of `{identifier}`")),
        Known::Erasing(_) | Known::Erased(_) => {
            refused(&format!("`{identifier}` is erased, and enters nothing"))
        }
    }
}

pub(super) fn erase(
    engine: &mut Engine,
    who: &str,
    (mode, through): (EraseMode, Option<&str>),
) -> Result<Action, OrderError> {
    let identifier = identifier(engine, who)?;
    let known = known(engine.store(), &identifier)?;
    let is_known = matches!(known, Known::Somebody | Known::Erasing(_));
    if !is_known && mode == EraseMode::Delete {
        return unknown(&format!(
            "nothing is known of `{identifier}`, so nothing can be deleted; `--mode suppress` keeps \
             it out"
        ));
    }
    let through = through.map(|text| in_force(engine, text)).transpose()?;
    match (&through, known) {
        (Some(_), Known::Nothing | Known::Erased(_)) => {
            return unknown(&format!(
                "nothing is known of `{identifier}`, so nothing can go through a journey first"
            ));
        }
        (Some(_), Known::Erasing(_)) => {
            return refused(&format!(
                "`{identifier}` is erased already, or about to be; without `--through` it is done \
                 at once"
            ));
        }
        (Some(_), Known::Somebody) | (None, _) => {}
    }
    Ok(Action::Erase(Erase {
        identifier,
        mode,
        through,
    }))
}

pub(super) fn readmit(engine: &mut Engine, who: &str) -> Result<Action, OrderError> {
    let identifier = identifier(engine, who)?;
    let is_barred = match known(engine.store(), &identifier)? {
        Known::Erased(erased) => erased.suppressed,
        Known::Erasing(_) => true,
        Known::Nothing | Known::Somebody => false,
    };
    if is_barred {
        return Ok(Action::Readmit(identifier));
    }
    refused(&format!("nothing keeps `{identifier}` out"))
}

fn in_force(engine: &mut Engine, text: &str) -> Result<Arc<str>, OrderError> {
    let place = place(engine, text)?;
    let whole = place.block.is_none();
    if whole && engine.catalog().in_force(&place.journey).is_some() {
        return Ok(place.journey);
    }
    refused(&format!(
        "nobody can enter `{place}`: name a journey whose file is there"
    ))
}

/// Whether the history tells nothing any more of whoever went by an identifier and was erased.
///
/// # Errors
///
/// When the store cannot be read.
pub fn is_purged(store: &mut dyn Store, identifier: &Identifier) -> Result<bool, StoreError> {
    let hash = hash(&store.head().id_key, identifier);
    let mut is_purged = true;
    store.scan(RowKind::Sweep, &mut |_, row| {
        if let Row::Sweep(sweep) = row
            && let Some(erasure) = &sweep.erasure
        {
            is_purged &= !(erasure.mode.deletes() && erasure.hashes.contains(&hash));
        }
    })?;
    Ok(is_purged)
}

/// What came of an order that was given at an instant, as far as the history tells by now.
///
/// # Errors
///
/// When the store cannot be read.
pub fn came(store: &mut dyn Store, action: &Action, at: Timestamp) -> Result<Came, StoreError> {
    let hash = if let Action::Erase(Erase { identifier, .. }) | Action::Readmit(identifier) = action
    {
        Some(hash(&store.head().id_key, identifier))
    } else {
        None
    };
    let from = store.head().next_seq.saturating_sub(ENTRIES_MAX).max(1);
    let mut came = Came::default();
    let mut is_given = false;
    store.history(from, &mut |entry| {
        let is_it = |order: &Operator| order.action == *action && entry.at == at;
        let is_order = matches!(&entry.input, LoggedInput::Operator(order) if is_it(order));
        // The last of several that are alike.
        if is_order {
            is_given = true;
            came = Came::default();
        }
        if is_given {
            for change in &entry.changes {
                came.hear(change, is_order);
                if let (Some(hash), Change::Erasure(ErasureChange::Marked { hash: of, erased })) =
                    (hash, change)
                    && *of == hash
                {
                    came.erased |= erased.is_some_and(|erased| erased.suppressed)
                        || !matches!(action, Action::Readmit(_));
                    came.lifted |= erased.is_none_or(|erased| !erased.suppressed);
                    came.complete |= erased.is_some_and(|erased| erased.complete.is_some());
                }
                if let (Some(hash), Change::Erasure(ErasureChange::Complete { hashes, .. })) =
                    (hash, change)
                {
                    came.complete |= hashes.contains(&hash);
                }
            }
        }
    })?;
    if let Action::Erase(Erase {
        identifier, mode, ..
    }) = action
    {
        if !is_given && let Known::Erased(mark) = known(store, identifier)? {
            // It is redacted by now, with what followed from it.
            came.erased = true;
            came.complete = mark.complete.is_some();
        }
        came.is_purged = came.complete && mode.deletes() && is_purged(store, identifier)?;
    }
    Ok(came)
}

impl Came {
    /// Whether nothing came of an order, because a journey did not take somebody.
    #[must_use]
    pub const fn is_refusal(&self, action: &Action) -> bool {
        let is_through = matches!(action, Action::Erase(erase) if erase.through.is_some());
        let enters = is_through || matches!(action, Action::Enter { .. });
        enters && self.entered.is_none()
    }

    fn hear(&mut self, change: &Change, is_order: bool) {
        use wayfare_executor::delivery::{State, WithheldReason};
        use wayfare_executor::record::DecisionOutcome;
        if let Change::Entered { id, .. } = change
            && is_order
        {
            self.entered = Some(*id);
        } else if let Change::Refused { refusal, .. } = change
            && is_order
        {
            self.refused = Some(refusal.code);
        } else if let Change::Decided(decision) = change {
            self.ended += u64::from(decision.outcome == DecisionOutcome::Erased);
        } else if let Change::DeliveryMoved { state, .. } = change {
            let erased = State::Withheld(WithheldReason::Erased);
            self.withheld += u64::from(*state == erased);
        } else if let Change::Erasure(ErasureChange::Begun { erasing: None, .. }) = change {
            self.lifted = true;
        }
    }
}
