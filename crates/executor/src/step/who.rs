//! Whom is a step about? One profile, as a view over the records of its identifiers.

use std::sync::Arc;

use wayfare_consent::{Binding, Choice, Jurisdiction, Question, Said};
use wayfare_event::{Identifier, InstanceId, Map, Namespace, ProfileId, Timestamp, Value};
use wayfare_identity::{Named, Profile, Standing};
use wayfare_journey::definition::IdentityNeed;
use wayfare_journey::{Consent, Webhook};

use super::work::{NotYet, Work};
use crate::record::{Instance, Key, Planned, Register, Told};
use crate::snapshot::Snapshot;

/// One profile, looked at once its records are written.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) id: ProfileId,
    known: bool,
    /// Whether it is what several claim, or a crowd: then nothing is sent to it.
    is_nobodys: bool,
    /// The identifier that what is new is kept under.
    pub(crate) owner: Identifier,
    anchor: Option<Identifier>,
    identifiers: Vec<Identifier>,
    /// Traits and `profileId`, as expressions read them.
    pub(crate) traits: Map,
    /// The account joined last.
    pub(crate) account: Option<Arc<str>>,
    pub(crate) jurisdiction: Jurisdiction,
    /// Whether it is erased, or about to be: then it enters nothing.
    pub(crate) is_erasing: bool,
}

/// A live instance and where it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) owner: Identifier,
    pub(crate) id: InstanceId,
    pub(crate) instance: Arc<Instance>,
}

impl Who {
    /// The profile, and the addresses it is asked about, loaded.
    pub(crate) fn look(
        work: &Work<'_>,
        profile: &Profile,
        owner: Identifier,
    ) -> Result<Self, NotYet> {
        let traits = traits(&work.rows, profile);
        let accounts = profile
            .identifiers
            .iter()
            .filter_map(|identifier| work.rows.record(identifier))
            .flat_map(|record| &record.accounts);
        let account = accounts
            .max_by_key(|(account, told)| (**told, (*account).clone()))
            .map(|(account, _)| account.clone());
        let jurisdiction = jurisdiction(work, &traits);
        let is_erasing = is_erasing(work, profile);
        let who = Self {
            id: profile.id,
            known: profile.known,
            is_nobodys: is_nobodys(profile),
            anchor: profile.anchor().cloned(),
            owner,
            identifiers: profile.identifiers.clone(),
            account,
            jurisdiction,
            traits,
            is_erasing,
        };
        let addresses = [Namespace::EMAIL, Namespace::PHONE];
        let addresses = addresses.iter().filter_map(|it| who.address(work, it));
        work.need(addresses.map(Key::Person))?;
        Ok(who)
    }

    /// The profile an identifier is in, wholly loaded.
    pub(crate) fn behind(work: &Work<'_>, identifier: &Identifier) -> Result<Self, NotYet> {
        let profile = profile_behind(work, identifier)?;
        let owner = home(work, &profile, identifier).clone();
        Self::look(work, &profile, owner)
    }

    /// The dates planned for a journey, and where each is kept.
    pub(crate) fn dates(&self, rows: &Snapshot, journey: &Arc<str>) -> Vec<(Identifier, Planned)> {
        let planned = |owner: &Identifier| {
            let planned = rows.record(owner)?.dates.get(journey).copied()?;
            Some((owner.clone(), planned))
        };
        self.identifiers.iter().filter_map(planned).collect()
    }

    /// The journeys that dates are planned for, and where each is kept.
    pub(crate) fn dated(&self, rows: &Snapshot) -> Vec<(Identifier, Arc<str>)> {
        let mut dated = Vec::new();
        for owner in &self.identifiers {
            let record = rows.record(owner);
            let journeys = record.into_iter().flat_map(|record| record.dates.keys());
            dated.extend(journeys.map(|journey| (owner.clone(), journey.clone())));
        }
        dated
    }

    /// Sees a trait as it is about to be written.
    pub(crate) fn foresee(&mut self, work: &Work<'_>, name: &str, value: Value) {
        self.traits.insert(name, value);
        self.jurisdiction = jurisdiction(work, &self.traits);
    }

    /// Whether it is as known as a webhook asks for (SP 14). What several claim never is: whoever it
    /// is, one of them would get what is another's. Only a refusal may be enforced for it: it is the
    /// address's own, whoever's that is (decision 027).
    pub(crate) const fn is_known_for(&self, webhook: &Webhook) -> bool {
        match webhook.identity {
            IdentityNeed::Known => self.known,
            IdentityNeed::Any => {
                !self.is_nobodys || matches!(webhook.consent, Consent::Declined { .. })
            }
        }
    }

    /// The ids that its identifiers had by themselves, or would have.
    pub(crate) fn own_ids(&self, work: &Work<'_>) -> impl Iterator<Item = ProfileId> {
        self.identifiers.iter().map(|it| own_id(work, it))
    }

    /// Whether no anchor is known.
    pub(crate) const fn is_loose(&self) -> bool {
        self.anchor.is_none()
    }

    /// Whom a split without a key is about: the anchor's value, else the profile's id (SP 38).
    pub(crate) fn subject(&self) -> String {
        match &self.anchor {
            Some(anchor) => anchor.value.to_string(),
            None => self.id.to_string(),
        }
    }

    /// The address of a channel that the profile's traits name.
    pub(crate) fn address(&self, work: &Work<'_>, namespace: &str) -> Option<Identifier> {
        address(work, namespace, self.traits.get(namespace)?.as_text()?)
    }

    /// Its walks that have not ended, by (entered, id).
    pub(crate) fn live(&self, rows: &Snapshot) -> Vec<Live> {
        let mut live: Vec<Live> = Vec::new();
        for owner in &self.identifiers {
            let Some(record) = rows.record(owner) else {
                continue;
            };
            live.extend(record.instances.iter().map(|(id, instance)| Live {
                owner: owner.clone(),
                id: *id,
                instance: instance.clone(),
            }));
        }
        live.sort_by_key(|live| (live.instance.entered, live.id));
        live
    }

    /// The guards that remember its entries into a journey under a key.
    pub(crate) fn guards(&self, journey: &Arc<str>, key: Option<&Arc<str>>) -> Vec<Key> {
        self.identifiers
            .iter()
            .map(|owner| Key::Guard {
                owner: owner.clone(),
                journey: journey.clone(),
                key: key.cloned().unwrap_or_default(),
            })
            .collect()
    }

    /// All that its identifiers said about consent, and all that is kept under the address asked
    /// about, whoever's it is (SP 39). Which of it counts, `wayfare_consent` says.
    pub(crate) fn consent<'a>(
        &'a self,
        rows: &'a Snapshot,
        address: Option<&'a Identifier>,
    ) -> impl Iterator<Item = Said<'a>> + Clone {
        let elsewhere = address.filter(|address| !self.identifiers.contains(address));
        let subjects = self.identifiers.iter().chain(elsewhere);
        subjects.flat_map(|subject| {
            let record = rows.record(subject).into_iter();
            let records = record.flat_map(|record| &record.consent);
            records.map(move |record| Said { subject, record })
        })
    }

    /// Since when two of its identifiers are one person.
    pub(crate) fn linked_at(
        &self,
        work: &Work<'_>,
    ) -> impl Fn(&Identifier, &Identifier) -> Option<Timestamp> {
        let (config, links) = (&work.catalog.identity, work.rows.links());
        move |left, right| {
            wayfare_identity::linked_at(config, links, &self.identifiers, (left, right))
        }
    }

    /// The choice for a category; `change` names the address in a journey that consent started.
    pub(crate) fn choice(
        &self,
        work: &Work<'_>,
        category: &str,
        change: Option<&Identifier>,
    ) -> Choice {
        let address = self.asked(work, category, change);
        let rules = work.catalog.consent.category(category);
        let about_one = rules.is_some_and(|rules| matches!(rules.binding, Binding::Address(_)));
        if about_one && address.is_none() {
            return Choice::Unknown;
        }
        self.choice_about(work, category, address.as_ref())
    }

    /// The choice for a category about an address, or of the person as a whole.
    pub(crate) fn choice_about(
        &self,
        work: &Work<'_>,
        category: &str,
        address: Option<&Identifier>,
    ) -> Choice {
        let question = Question::new(category, address, work.at);
        let said = self.consent(&work.rows, address);
        wayfare_consent::choice(&work.catalog.consent, &question, said, self.linked_at(work))
    }

    /// Whether one may ask for a category; where it is about an address and there is none, by what the
    /// person said as a whole.
    pub(crate) fn may_ask(
        &self,
        work: &Work<'_>,
        category: &str,
        change: Option<&Identifier>,
    ) -> bool {
        let address = self.asked(work, category, change);
        let question = Question::new(category, address.as_ref(), work.at);
        let said = self.consent(&work.rows, address.as_ref());
        wayfare_consent::may_ask(&work.catalog.consent, &question, said, self.linked_at(work))
    }

    /// The address that a category is asked about (SP 19); none where it is about the person, or where
    /// there is none.
    fn asked(
        &self,
        work: &Work<'_>,
        category: &str,
        change: Option<&Identifier>,
    ) -> Option<Identifier> {
        let Binding::Address(channel) = work.catalog.consent.category(category)?.binding else {
            return None;
        };
        let changed = change.filter(|it| it.namespace.as_str() == channel.namespace());
        let own = || self.address(work, channel.namespace());
        changed.cloned().or_else(own)
    }

    /// What is remembered of its events of one name.
    pub(crate) fn seen(
        &self,
        rows: &Snapshot,
        event: &str,
    ) -> Option<wayfare_journey::expression::Seen> {
        let seen = self
            .identifiers
            .iter()
            .filter_map(|identifier| rows.record(identifier)?.seen.get(event));
        seen.copied()
            .map(|seen| wayfare_journey::expression::Seen {
                count: seen.count,
                first: seen.first,
                last: seen.last,
            })
            .reduce(|left, right| wayfare_journey::expression::Seen {
                count: left.count.saturating_add(right.count),
                first: left.first.min(right.first),
                last: left.last.max(right.last),
            })
    }
}

/// Whether somebody is erased, or about to be: an anchor of theirs is, or, without one, anything they go
/// by. An address that was kept out while it was nobody's silences nobody who comes to have it.
pub(crate) fn is_erasing(work: &Work<'_>, profile: &Profile) -> bool {
    let is_anchored = profile.anchor().is_some();
    let config = &work.catalog.identity;
    let decides = |it: &&Identifier| !is_anchored || config.is_anchor(it);
    let mut records = profile
        .identifiers
        .iter()
        .filter(decides)
        .filter_map(|it| work.rows.record(it));
    records.any(|record| record.erasing.is_some())
}

/// Whether a profile is an identifier that several persons claim, or so many that it is blocked.
const fn is_nobodys(profile: &Profile) -> bool {
    match profile.standing {
        Standing::Contested | Standing::Blocked => true,
        Standing::Anchored | Standing::Loose | Standing::Evicted => false,
    }
}

/// The profile an identifier is in, with everything it can reach loaded.
pub(crate) fn profile_behind(work: &Work<'_>, identifier: &Identifier) -> Result<Profile, NotYet> {
    let catalog = work.catalog;
    let named = Named::just(identifier.clone());
    work.need([Key::Person(identifier.clone())])?;
    let missing = wayfare_identity::reach(&catalog.identity, work.rows.links(), &named);
    work.need(missing.into_iter().map(Key::Person))?;
    let partition =
        wayfare_identity::resolve(&catalog.identity, &catalog.id_key, work.rows.links());
    let alone = || Profile {
        id: own_id(work, identifier),
        identifiers: vec![identifier.clone()],
        standing: Standing::Loose,
        known: false,
    };
    Ok(partition
        .profile_of(identifier)
        .cloned()
        .unwrap_or_else(alone))
}

/// The id of the profile that an identifier makes by itself.
pub(crate) fn own_id(work: &Work<'_>, identifier: &Identifier) -> ProfileId {
    let namespace = identifier.namespace.as_str();
    let node = work.rows.links().node(identifier);
    let epoch = node.map_or(1, |node| node.epoch());
    ProfileId::derive(&work.catalog.id_key, epoch, namespace, &identifier.value)
}

/// Where what is told of a profile by one of its identifiers is kept, so that it is theirs again when an
/// operator tells apart whom one merged: the identifier itself where it is an anchor, else the one anchor
/// of the profile that claims it, else the one that stands for the profile. Without an anchor, it is
/// kept under the identifier.
pub(crate) fn home<'a>(
    work: &'a Work<'_>,
    profile: &'a Profile,
    identifier: &'a Identifier,
) -> &'a Identifier {
    let Some(meant) = profile.towards(&work.catalog.identity, identifier) else {
        return identifier;
    };
    if meant == identifier {
        return meant;
    }
    let links = work.rows.links();
    let node = links.node(identifier);
    let claimants = node.map(|node| links.claimants(node)).unwrap_or_default();
    let mut own = claimants
        .into_iter()
        .filter(|it| profile.identifiers.contains(it));
    match (own.next(), own.next()) {
        (Some(own), None) => own,
        (Some(_) | None, _) => meant,
    }
}

fn jurisdiction(work: &Work<'_>, traits: &Map) -> Jurisdiction {
    let text = |name: &str| traits.get(name).and_then(Value::as_text);
    Jurisdiction::of(
        text("jurisdiction"),
        text("country"),
        text("region"),
        work.catalog.consent.default_jurisdiction(),
    )
}

/// The value of one trait, as the profile shows it; `null` when it has none.
pub(crate) fn trait_of(rows: &Snapshot, profile: &Profile, name: &str) -> Value {
    let records = || profile.identifiers.iter().filter_map(|it| rows.record(it));
    let latest = records()
        .filter_map(|record| record.traits.get(name))
        .reduce(later);
    let first = || {
        let registers = records().filter_map(|record| record.once.get(name));
        registers.reduce(earlier)
    };
    let shown = latest.or_else(first);
    shown.map(|shown| shown.value.clone()).unwrap_or_default()
}

fn later<'a>(held: &'a Register, other: &'a Register) -> &'a Register {
    if held.told < other.told { other } else { held }
}

fn earlier<'a>(held: &'a Register, other: &'a Register) -> &'a Register {
    if other.told < held.told { other } else { held }
}

/// An address as an identifier, when it is one.
pub(crate) fn address(work: &Work<'_>, namespace: &str, text: &str) -> Option<Identifier> {
    let value = wayfare_identity::normalise(&work.catalog.identity, &namespace.into(), text)?;
    Some(Identifier::new(namespace, &value))
}

/// An address of either kind as an identifier, when it is one.
pub(crate) fn any_address(work: &Work<'_>, text: &str) -> Option<Identifier> {
    let namespace = if text.contains('@') {
        Namespace::EMAIL
    } else {
        Namespace::PHONE
    };
    address(work, namespace, text)
}

/// What the profile shows of each trait (2.1.8): the latest write over all records; where there is
/// none, what was told first of those that only fill gaps. And the profile's id.
fn traits(rows: &Snapshot, profile: &Profile) -> Map {
    type Shown<'a> = std::collections::BTreeMap<&'a Arc<str>, &'a Register>;
    let records = || profile.identifiers.iter().filter_map(|it| rows.record(it));
    let mut shown = Shown::new();
    for (name, register) in records().flat_map(|record| &record.traits) {
        let held = shown.entry(name).or_insert(register);
        *held = later(held, register);
    }
    let mut first = Shown::new();
    for (name, register) in records().flat_map(|record| &record.once) {
        let held = first.entry(name).or_insert(register);
        *held = earlier(held, register);
    }
    for (name, register) in first {
        shown.entry(name).or_insert(register);
    }
    let id: Value = profile.id.to_string().as_str().into();
    shown
        .into_iter()
        .map(|(name, register)| (name.clone(), register.value.clone()))
        .chain([("profileId".into(), id)])
        .collect()
}

/// When something is told by the input at work, at the event's corrected time.
pub(crate) const fn told(work: &Work<'_>, at: Timestamp) -> Told {
    Told { at, seq: work.seq }
}
