//! What is in a state directory? Profiles, deliveries and walks. The directory must not be in use; of a
//! server at work the deliveries can be seen.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use wayfare_event::{Identifier, Map, ProfileId, Timestamp, Value};
use wayfare_executor::record::{Delivery, Instance};
use wayfare_executor::{Catalog, Row, Sending, Snapshot, view};
use wayfare_identity::{Edge, Standing};
use wayfare_runtime::{clock, config};
use wayfare_store::{RowKind, Store};

use super::{WrongInput, print};
use crate::cli::{Format, Journeys};
use crate::remote::{self, Remote, Server};
use crate::{assembly, lines};

/// The state directory where none is named or configured.
pub(crate) const STATE: &str = ".wayfare";

/// The arguments of commands that look inside.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(super) journeys: Journeys,
    /// The state directory; the configured one, else `.wayfare`.
    #[arg(long, env = "WAYFARE_STATE")]
    pub(super) state: Option<PathBuf>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

/// The arguments of `wayfare profile`.
#[derive(Debug, Args)]
pub(crate) struct Profile {
    #[command(flatten)]
    inspect: Inspect,
    /// A profile id, present or former, or an identifier such as `email:ada@example.com`.
    id: String,
}

/// The arguments of `wayfare deliveries`.
#[derive(Debug, Args)]
pub(crate) struct Deliveries {
    #[command(flatten)]
    inspect: Inspect,
    #[command(flatten)]
    remote: Remote,
    /// Only those in this state, such as `unknown`.
    #[arg(long = "in", value_name = "STATE")]
    only: Option<String>,
}

/// A state directory, open for looking; whatever kind of run made it. Nothing in it is changed: its
/// disk may be full.
pub(crate) fn open(
    state: Option<&Path>,
    settings: &config::Settings,
) -> anyhow::Result<Box<dyn Store>> {
    assembly::look(directory(state, settings)?)
}

/// The state directory that is named, configured or usual; it is there.
pub(super) fn directory<'a>(
    state: Option<&'a Path>,
    settings: &'a config::Settings,
) -> anyhow::Result<&'a Path> {
    let configured = settings.state.directory.as_deref();
    let state = state.or(configured).unwrap_or_else(|| Path::new(STATE));
    if !state.join("meta").exists() {
        let message = format!(
            "no state directory `{}`; name one with `--state`",
            state.display()
        );
        return Err(WrongInput(message).into());
    }
    Ok(state)
}

fn all_profiles(inspect: &Inspect) -> anyhow::Result<Vec<view::Profile>> {
    let settings = settings(&inspect.journeys)?;
    let mut store = open(inspect.state.as_deref(), &settings)?;
    let key = store.head().id_key;
    let catalog = Catalog::new(settings.identity, settings.consent, key, Sending::Owed);
    profiles_in(&catalog, &mut *store, clock::now())
}

/// Every profile in a store.
pub(super) fn profiles_in(
    catalog: &Catalog,
    store: &mut dyn Store,
    at: Timestamp,
) -> anyhow::Result<Vec<view::Profile>> {
    let mut snapshot = Snapshot::new();
    store.scan(RowKind::Person, &mut |key, row| {
        snapshot.put(key.clone(), Some(row.clone()));
    })?;
    Ok(view::profiles(catalog, &snapshot, at))
}

/// The profile that an id, present or former, or an identifier names.
pub(super) fn find<'a>(profiles: &'a [view::Profile], text: &str) -> Option<&'a view::Profile> {
    let id = text.parse::<ProfileId>().ok();
    let named = text
        .split_once(':')
        .map(|(namespace, value)| Identifier::new(namespace, value));
    profiles.iter().find(|profile| match id {
        Some(id) => profile.id == id || profile.former.contains(&id),
        None => profile
            .identifiers
            .iter()
            .any(|it| named.as_ref() == Some(it) || *it.value == *text),
    })
}

/// What is configured, without the journeys: looking inside needs none.
pub(crate) fn settings(journeys: &Journeys) -> anyhow::Result<config::Settings> {
    Ok(config::settings(
        &journeys.journeys,
        journeys.config.as_deref(),
    )?)
}

/// Prints every profile, one JSON object a line.
pub(crate) fn profiles(inspect: &Inspect) -> anyhow::Result<ExitCode> {
    for profile in all_profiles(inspect)? {
        print(&profile_map(&profile).to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints one profile.
pub(crate) fn profile(wanted: &Profile) -> anyhow::Result<ExitCode> {
    let profiles = all_profiles(&wanted.inspect)?;
    let Some(found) = find(&profiles, &wanted.id) else {
        let message = format!("nobody is known as `{}`", wanted.id);
        return Err(WrongInput(message).into());
    };
    print(&profile_map(found).to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn profile_map(profile: &view::Profile) -> Map {
    let texts = |texts: &mut dyn Iterator<Item = String>| {
        Value::List(texts.map(|text| text.as_str().into()).collect())
    };
    let identifiers = profile.identifiers.iter().map(|identifier| {
        let mut map = Map::new();
        map.insert("namespace", identifier.namespace.as_str().into());
        map.insert("value", Value::Text(identifier.value.clone()));
        match profile.standing {
            Standing::Contested => map.insert("contested", true.into()),
            Standing::Evicted => map.insert("evicted", true.into()),
            Standing::Anchored | Standing::Loose | Standing::Blocked => {}
        }
        if let Some(since) = profile.blocked {
            map.insert("blocked", since.to_string().as_str().into());
        }
        let links = profile.links.get(identifier).into_iter().flatten();
        map.insert("links", Value::List(links.map(link_map).collect()));
        map.into()
    });
    let consent = profile.consent.iter().map(|(category, (choice, verdict))| {
        let mut map = Map::new();
        map.insert("action", choice.as_str().into());
        map.insert("allowed", verdict.allowed.into());
        map.insert("reason", verdict.reason.as_str().into());
        let records = verdict.records.iter().cloned().map(Value::Text);
        map.insert("records", Value::List(records.collect()));
        (category.clone(), map.into())
    });
    let instances = profile.instances.iter();
    let instances = instances.map(|(id, instance)| instance_map(&id.to_string(), instance).into());
    let traits = profile.traits.iter();
    let traits = traits.filter(|(name, _)| &***name != "profileId");
    let accounts = profile.accounts.iter().cloned().map(Value::Text);
    let mut map = Map::new();
    map.insert("profileId", profile.id.to_string().as_str().into());
    let mut former = profile.former.iter().map(ToString::to_string);
    map.insert("formerIds", texts(&mut former));
    if let Some(created) = &profile.created {
        map.insert("createdAt", created.to_string().as_str().into());
    }
    map.insert("identifiers", Value::List(identifiers.collect()));
    let traits: Map = traits
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    map.insert("traits", traits.into());
    map.insert("accounts", Value::List(accounts.collect()));
    map.insert("consent", consent.collect::<Map>().into());
    map.insert("instances", Value::List(instances.collect()));
    map
}

/// A link of an identifier: with what, why, and when it was told.
fn link_map(link: &Edge) -> Value {
    let time = |at: Timestamp| Value::from(at.to_string().as_str());
    let mut map = Map::new();
    map.insert("with", link.other.to_string().as_str().into());
    map.insert("kind", link.kind.as_str().into());
    map.insert("since", time(link.since));
    map.insert("latest", time(link.latest));
    map.into()
}

fn instance_map(id: &str, instance: &Instance) -> Map {
    let time = |at: Timestamp| Value::from(at.to_string().as_str());
    let mut map = Map::new();
    map.insert("instanceId", id.into());
    map.insert("journey", Value::Text(instance.journey.clone()));
    map.insert("version", instance.version.to_string().as_str().into());
    map.insert("block", Value::Text(instance.block.clone()));
    if let Some(key) = &instance.key {
        map.insert("key", Value::Text(key.clone()));
    }
    map.insert("entered", time(instance.entered));
    map.insert("arrived", time(instance.arrived));
    map.insert("due", instance.due.map_or(Value::Null, time));
    map
}

/// Prints the deliveries of a state directory or a server, in the order of their decisions.
pub(crate) fn deliveries(wanted: &Deliveries) -> anyhow::Result<ExitCode> {
    let found = match wanted.remote.server()? {
        Some(server) => shown(&server, wanted.only.as_deref())?,
        None => held(wanted)?,
    };
    for delivery in found {
        print(&match wanted.inspect.format {
            Format::Json => delivery.to_string(),
            Format::Text => lines::delivery_text(&delivery),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn held(wanted: &Deliveries) -> anyhow::Result<Vec<Map>> {
    let settings = settings(&wanted.inspect.journeys)?;
    let mut store = remote::or_ask(open(wanted.inspect.state.as_deref(), &settings))?;
    let mut found: Vec<Arc<Delivery>> = Vec::new();
    store.scan(RowKind::Delivery, &mut |_, row| {
        if let Row::Delivery(delivery) = row
            && wanted
                .only
                .as_ref()
                .is_none_or(|state| delivery.state.as_str() == state)
        {
            found.push(delivery.clone());
        }
    })?;
    found.sort_by_key(|delivery| (delivery.decided, delivery.id));
    Ok(found.iter().map(|it| lines::delivery(it)).collect())
}

/// Every delivery that a server shows, page by page.
fn shown(server: &Server, only: Option<&str>) -> anyhow::Result<Vec<Map>> {
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let state = only.map(|state| ("state", state));
        let from = after.as_deref().map(|after| ("after", after));
        let query: Vec<_> = state.into_iter().chain(from).collect();
        let answer = server.get(&["deliveries"], &query)?;
        found.extend(remote::list(&answer, "deliveries"));
        match answer.get("next").and_then(Value::as_text) {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    let text = |map: &Map, key| map.get(key).and_then(Value::as_text).map(str::to_owned);
    let decided = |map: &Map| text(map, "at").and_then(|at| at.parse::<Timestamp>().ok());
    found.sort_by_cached_key(|map| (decided(map), text(map, "deliveryId")));
    Ok(found)
}

/// Prints the walks that have not ended, by what they wait for.
pub(crate) fn instances(inspect: &Inspect) -> anyhow::Result<ExitCode> {
    let settings = settings(&inspect.journeys)?;
    let mut store = open(inspect.state.as_deref(), &settings)?;
    let mut found = Vec::new();
    store.scan(RowKind::Person, &mut |_, row| {
        if let Row::Person(person) = row {
            let walks = person.record.instances.iter();
            found.extend(walks.map(|(id, instance)| (*id, instance.clone())));
        }
    })?;
    found.sort_by_key(|(id, instance)| (instance.due, *id));
    for (id, instance) in found {
        print(&match inspect.format {
            Format::Json => instance_map(&id.to_string(), &instance).to_string(),
            Format::Text => format!(
                "{id}  {}/{}  since {}  until {}",
                instance.journey,
                instance.block,
                instance.arrived,
                instance
                    .due
                    .map_or_else(|| "-".to_owned(), |due| due.to_string()),
            ),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}
