//! What is kept of one person? Everything, as one JSON object for them to have. Of somebody erased only
//! that they were, and when. Nothing is changed. Not here: who asks.
//!
//! It is read in parts, so that an engine at work can do other things between them: who it is, a page of
//! the entries, pages of the ledger, and, in one part, the history.

mod lines;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use wayfare_event::{DeliveryId, Event, Identifier, Map, ProfileId, Timestamp, Value};
use wayfare_executor::record::{Decision, Erased, Erasing, Person, hash};
use wayfare_executor::{Catalog, Change, Key, Row, Sending, Snapshot, view};
use wayfare_identity::Config;
use wayfare_store::{Entry, LoggedInput, RowKind, Store, StoreError};

use crate::config::Settings;

/// Rows of one page.
const PAGE_ROWS: usize = 1_024;

/// What is found of one person.
#[derive(Debug)]
pub struct Export {
    profile: view::Profile,
    identifiers: BTreeSet<Identifier>,
    /// The ids that the profile has, or had.
    ids: BTreeSet<ProfileId>,
    identity: Config,
    erasing: Option<Arc<Erasing>>,
    people: Vec<(Identifier, Person)>,
    accounts: BTreeMap<Arc<str>, Map>,
    entries: Vec<Value>,
    decisions: Vec<Value>,
    deliveries: BTreeMap<DeliveryId, Map>,
    attempts: BTreeMap<DeliveryId, Vec<Value>>,
    events: Option<Vec<Value>>,
    /// When somebody else was erased who went by an identifier before.
    since: BTreeMap<Identifier, Timestamp>,
    begins: Option<Timestamp>,
}

/// Whom an identifier names.
#[derive(Debug)]
pub enum Found {
    /// Somebody.
    Somebody(Box<Export>),
    /// Somebody who was erased, and whether the history tells nothing of them any more.
    Erased(Erased, bool),
    /// Nobody.
    Nobody,
}

impl Export {
    /// Finds whoever an identifier names, or a profile id, present or former.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read.
    pub fn find(
        store: &mut dyn Store,
        settings: &Settings,
        text: &str,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let catalog = Catalog::new(
            settings.identity.clone(),
            settings.consent.clone(),
            store.head().id_key,
            Sending::Owed,
        );
        let named = match text.parse::<ProfileId>() {
            Ok(id) => crate::orders::people::derived_from(store, id)?,
            Err(_) => crate::orders::people::written(&catalog, text),
        };
        let Some(identifier) = named else {
            return Ok(Found::Nobody);
        };
        let mut rows = Snapshot::new();
        let held = loop {
            match view::held(&catalog, &rows, now, &identifier) {
                Ok(held) => break held,
                Err(keys) => {
                    let keys: Vec<Key> = keys.into_iter().collect();
                    for (key, row) in keys.iter().zip(store.load(&keys)?) {
                        rows.put(key.clone(), row);
                    }
                }
            }
        };
        let Some((profile, identifiers)) = held else {
            use crate::orders::people::Known;
            return Ok(match crate::orders::people::known(store, &identifier)? {
                Known::Erased(erased) => {
                    let is_purged = crate::orders::people::is_purged(store, &identifier)?;
                    Found::Erased(erased, is_purged)
                }
                Known::Nothing | Known::Somebody | Known::Erasing(_) => Found::Nobody,
            });
        };
        let keys: Vec<Key> = identifiers.iter().cloned().map(Key::Person).collect();
        let mut people = Vec::new();
        for (identifier, row) in identifiers.iter().zip(store.load(&keys)?) {
            if let Some(Row::Person(person)) = row {
                people.push((identifier.clone(), person));
            }
        }
        let own = people.iter().map(|(it, person)| {
            let (namespace, epoch) = (it.namespace.as_str(), person.node.epoch());
            ProfileId::derive(&catalog.id_key, epoch, namespace, &it.value)
        });
        let mut export = Self {
            ids: own.chain([profile.id]).collect(),
            identity: catalog.identity,
            profile,
            identifiers: identifiers.into_iter().collect(),
            erasing: people.iter().find_map(|(_, it)| it.record.erasing.clone()),
            people,
            accounts: BTreeMap::new(),
            entries: Vec::new(),
            decisions: Vec::new(),
            deliveries: BTreeMap::new(),
            attempts: BTreeMap::new(),
            events: None,
            since: BTreeMap::new(),
            begins: store.beginning()?.map(|(_, at)| at),
        };
        export.add_marks(store)?;
        export.add_accounts(store)?;
        export.add_entries(store)?;
        Ok(Found::Somebody(Box::new(export)))
    }

    fn add_marks(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let id_key = store.head().id_key;
        let own = self.people.iter();
        let own: Vec<&Identifier> = own.map(|(identifier, _)| identifier).collect();
        let keys: Vec<Key> = own
            .iter()
            .map(|it| Key::Erased(hash(&id_key, it)))
            .collect();
        for (identifier, row) in own.into_iter().zip(store.load(&keys)?) {
            if let Some(Row::Erased(mark)) = row
                && mark.epoch > 1
            {
                self.since.insert(identifier.clone(), mark.at);
            }
        }
        Ok(())
    }

    fn add_accounts(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let joined = self
            .people
            .iter()
            .flat_map(|(_, it)| it.record.accounts.keys());
        let joined: BTreeSet<Arc<str>> = joined.cloned().collect();
        let keys: Vec<Key> = joined.iter().cloned().map(Key::Account).collect();
        for (account, row) in joined.into_iter().zip(store.load(&keys)?) {
            if let Some(Row::Account(held)) = row {
                self.accounts.insert(account, lines::traits(&held.traits));
            }
        }
        Ok(())
    }

    /// The entries of each identifier stand side by side.
    fn add_entries(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        for owner in &self.identifiers {
            let mut after = Key::Guard {
                owner: owner.clone(),
                journey: "".into(),
                key: "".into(),
            };
            loop {
                let keys = store.page(RowKind::Guard, Some(&after), PAGE_ROWS)?;
                let is_own =
                    |key: &&Key| matches!(key, Key::Guard { owner: of, .. } if of == owner);
                let own: Vec<Key> = keys.iter().take_while(is_own).cloned().collect();
                for (key, row) in own.iter().zip(store.load(&own)?) {
                    if let (Key::Guard { journey, key, .. }, Some(Row::Guard(entry))) = (key, row) {
                        self.entries
                            .push(lines::entry(owner, (journey, key), entry));
                    }
                }
                match own.last() {
                    Some(last) if own.len() == PAGE_ROWS => after = last.clone(),
                    Some(_) | None => break,
                }
            }
        }
        Ok(())
    }

    /// Reads the next page of the ledger behind a key; the last one read, or nothing at the end.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read.
    pub fn page(
        &mut self,
        store: &mut dyn Store,
        after: Option<&Key>,
    ) -> Result<Option<Key>, StoreError> {
        let keys = store.page(RowKind::Decision, after, PAGE_ROWS)?;
        for row in store.load(&keys)?.into_iter().flatten() {
            let Row::Decision(decision) = row else {
                continue;
            };
            if !self.is_own(&decision) {
                continue;
            }
            self.decisions.push(lines::decision(&decision).into());
            let id = decision.id.delivery();
            for row in store.load(&[Key::Delivery(id)])?.into_iter().flatten() {
                if let Row::Delivery(delivery) = row {
                    self.deliveries.insert(id, lines::delivery(&delivery));
                }
            }
        }
        Ok(keys.into_iter().next_back())
    }

    /// Whether a decision was about the person. What is kept under an anchor of somebody else is
    /// theirs, who was one with the person at the time.
    fn is_own(&self, decision: &Decision) -> bool {
        let is_anchored = self.identity.is_anchor(&decision.owner);
        self.identifiers.contains(&decision.owner)
            || (!is_anchored && self.ids.contains(&decision.profile))
    }

    /// Reads the history: the events that name the person, and the attempts of what they were owed.
    ///
    /// # Errors
    ///
    /// When what is kept cannot be read.
    pub fn history(
        &mut self,
        store: &mut dyn Store,
        settings: &Settings,
    ) -> Result<(), StoreError> {
        let mut events = Vec::new();
        store.history(1, &mut |entry| {
            if let Some(event) = self.names(entry, settings) {
                events.push(event);
            }
            for change in &entry.changes {
                if let Change::DeliveryMoved { delivery, .. } = change
                    && self.deliveries.contains_key(delivery)
                {
                    let moved = lines::moved(change).map(Value::from);
                    self.attempts.entry(*delivery).or_default().extend(moved);
                }
            }
        })?;
        self.events = Some(events);
        Ok(())
    }

    /// The event of an input, where it names the person.
    fn names(&self, entry: &Entry, settings: &Settings) -> Option<Value> {
        let LoggedInput::Event { source, text, .. } = &entry.input else {
            return None;
        };
        let event = Event::parse(text, None).ok()?;
        let named = wayfare_identity::extract(&settings.identity, &event).ok()?;
        let is_own = |it: &Identifier| {
            let since = self.since.get(it);
            self.identifiers.contains(it) && since.is_none_or(|since| *since < entry.at)
        };
        let mut named = named.identifiers().iter();
        named
            .any(is_own)
            .then(|| lines::event(entry, source, text).into())
    }

    /// The object.
    #[must_use]
    pub fn into_map(self) -> Map {
        let mut map = Map::new();
        let ids = self.profile.former.iter();
        let list = |items: Vec<Value>| Value::List(items);
        map.insert("profileId", lines::text(&self.profile.id));
        map.insert("formerIds", list(ids.map(lines::text).collect()));
        map.insert("createdAt", lines::instant(self.profile.created));
        map.insert("erasing", lines::erasing(self.erasing.as_deref()));
        let mut parts: [Vec<Value>; 8] = std::array::from_fn(|_| Vec::new());
        for (identifier, person) in &self.people {
            lines::person(identifier, person, &mut parts);
        }
        for (name, part) in lines::PARTS.into_iter().zip(parts) {
            map.insert(name, list(part));
        }
        let accounts = self.accounts.into_iter();
        let accounts = accounts.map(|(account, traits)| (account, traits.into()));
        map.insert("accountTraits", accounts.collect::<Map>().into());
        map.insert("entries", list(self.entries));
        map.insert("decisions", list(self.decisions));
        let mut attempts = self.attempts;
        let deliveries = self.deliveries.into_iter().map(|(id, mut delivery)| {
            let moves = attempts.remove(&id).unwrap_or_default();
            delivery.insert("moves", Value::List(moves));
            delivery.into()
        });
        map.insert("deliveries", list(deliveries.collect()));
        map.insert("events", self.events.map_or(Value::Null, Value::List));
        let begins = self.begins.as_ref();
        map.insert("historyBegins", begins.map_or(Value::Null, lines::text));
        map
    }
}

/// All that is said of somebody who was erased.
#[must_use]
pub fn erased(erased: &Erased, is_purged: bool) -> Map {
    let mut map = Map::new();
    map.insert("erased", lines::text(&erased.at));
    map.insert("suppressed", erased.suppressed.into());
    let complete = erased.complete.as_ref();
    map.insert("complete", complete.map_or(Value::Null, lines::text));
    map.insert("historyComplete", is_purged.into());
    map
}
