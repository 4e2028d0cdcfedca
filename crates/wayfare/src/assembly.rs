//! How is an engine put together from what the command line says? Journeys, configuration, store,
//! secrets, client, receiver.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use wayfare_event::IdKey;
use wayfare_executor::{Catalog, Sending};
use wayfare_journey::Graph;
use wayfare_journey::definition::Secret;
use wayfare_runtime::config::{self, Project, Settings};
use wayfare_runtime::{Engine, Outbound, clock};
use wayfare_store::local::{Opened, Options};
use wayfare_store::{LocalStore, MemoryStore, ReadOnly, Store};
use wayfare_webhook::{
    Answers, Client, Policy, Receiver, SecretError, Secrets, Signature, Verifier,
};

use crate::cli::{self, Journeys};
use crate::commands::inspect::STATE;
use crate::commands::{WrongInput, tell};
use crate::environment;

/// The most memory for rows, in MiB, unless configured; less on a machine that has less than four
/// times as much.
const CACHE_MB_MAX: u32 = 4_096;
/// Memory for rows, in MiB, where the system does not say how much it has.
const CACHE_MB: u32 = 512;

/// What is to be put together.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    /// Where the journeys are.
    pub(crate) journeys: &'a Journeys,
    /// Where the state is.
    pub(crate) state: StateAt<'a>,
    /// Whether requests are owed.
    pub(crate) sending: Sending,
    /// Where webhooks go instead of their own hosts.
    pub(crate) receiver: Option<&'a cli::Receiver>,
}

/// Where the state is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StateAt<'a> {
    /// In this directory, else in the configured one, else in memory.
    DirectoryOrMemory(Option<&'a Path>),
    /// In this directory, else in the configured one, else in `.wayfare`.
    Directory(Option<&'a Path>),
}

/// An engine, ready to run.
#[derive(Debug)]
pub(crate) struct Assembled {
    /// The engine.
    pub(crate) engine: Engine,
    /// How its requests leave.
    pub(crate) outbound: Outbound,
    /// What is configured.
    pub(crate) settings: Settings,
    /// The receiver of our own, when there is one.
    pub(crate) receiver: Option<Builtin>,
}

/// A receiver of our own, and what came to it.
#[derive(Debug)]
pub(crate) struct Builtin {
    /// It stops when this is dropped.
    _receiver: Receiver,
    seen: Arc<Mutex<Seen>>,
}

/// What came to a receiver.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Requests.
    pub(crate) requests: u64,
    /// Second copies among them.
    pub(crate) copies: u64,
    /// Those whose signature is right.
    pub(crate) verified: u64,
    /// Those whose signature is wrong.
    pub(crate) wrong: u64,
}

impl Builtin {
    /// A receiver that knows what the journeys sign with.
    async fn bind(graphs: &[Graph], secrets: &Secrets) -> anyhow::Result<(Self, SocketAddr)> {
        let signing = graphs.iter().flat_map(Graph::signing_secrets);
        let keys = signing.map(|secret| secrets.signing_key(secret));
        let verifier = Verifier::new(keys.collect::<Result<_, _>>()?, now_s);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let counted = seen.clone();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let answers = (Answers::default(), Some(verifier));
        let receiver = Receiver::bind(listen, answers, move |received| {
            let mut seen = counted.lock().unwrap_or_else(PoisonError::into_inner);
            seen.requests += 1;
            seen.copies += u64::from(received.copies > 1);
            seen.verified += u64::from(received.signature == Some(Signature::Verified));
            seen.wrong += u64::from(received.signature == Some(Signature::Wrong));
        });
        let receiver = receiver
            .await
            .context("cannot start the builtin receiver")?;
        let address = receiver.local_addr();
        let builtin = Self {
            _receiver: receiver,
            seen,
        };
        Ok((builtin, address))
    }

    /// What came.
    pub(crate) fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wall clock in seconds, as signatures have it.
pub(crate) fn now_s() -> i64 {
    clock::wall().as_micros().div_euclid(1_000_000)
}

/// Puts an engine together.
///
/// # Errors
///
/// When a journey or the configuration is wrong, a secret is missing, or the state directory cannot
/// be used.
pub(crate) async fn assemble(order: &Order<'_>) -> anyhow::Result<Assembled> {
    let project =
        config::load_directory(&order.journeys.journeys, order.journeys.config.as_deref())?;
    let Project {
        settings,
        graphs,
        warnings,
        ..
    } = project;
    if !warnings.is_empty() {
        tell(&crate::diagnostics::draw(
            &warnings,
            environment::wants_color(&std::io::stderr()),
        ));
    }
    let rehearsal = order.sending == Sending::Dry || order.receiver.is_some();
    let secrets = Arc::new(if rehearsal {
        Secrets::stand_ins()
    } else {
        let secrets = environment::secrets();
        all_there(&graphs, &secrets)?;
        all_allowed(&graphs, &secrets, &settings.policy())?;
        secrets
    });
    let configured = settings.state.directory.as_deref();
    let state = match order.state {
        StateAt::DirectoryOrMemory(named) => named.or(configured),
        StateAt::Directory(named) => named.or(configured).or_else(|| Some(Path::new(STATE))),
    };
    let store = store(state, order.sending, &settings)?;
    let policy = settings.policy();
    let (client, receiver) = match order.receiver {
        None => (Client::new(policy, secrets.clone()), None),
        Some(cli::Receiver::At(address)) => {
            (Client::to_receiver(*address, policy, secrets.clone()), None)
        }
        Some(cli::Receiver::Builtin) => {
            let (builtin, address) = Builtin::bind(&graphs, &secrets).await?;
            let client = Client::to_receiver(address, policy, secrets.clone());
            (client, Some(builtin))
        }
    };
    let catalog = Catalog::new(
        settings.identity.clone(),
        settings.consent.clone(),
        store.head().id_key,
        order.sending,
    );
    let engine = Engine::open(catalog, store, graphs, &|source| settings.recompile(source))?;
    Ok(Assembled {
        engine,
        outbound: Outbound {
            client,
            secrets,
            hosts: settings.hosts.clone(),
        },
        settings,
        receiver,
    })
}

/// A quarter of the memory there is, at most 4 GiB.
fn cache_mb() -> u32 {
    environment::memory_mb().map_or(CACHE_MB, |mb| {
        u32::try_from(mb / 4).map_or(CACHE_MB_MAX, |mb| mb.min(CACHE_MB_MAX))
    })
}

/// Every secret must be there before anything real is sent (SP 29).
fn all_there(graphs: &[Graph], secrets: &Secrets) -> anyhow::Result<()> {
    let missing: Vec<String> = graphs
        .iter()
        .flat_map(|graph| {
            let resolved = graph.secrets().map(|secret| secrets.resolve(secret).err());
            let signing = graph.signing_secrets();
            let signing = signing.map(|secret| secrets.signing_key(secret).err());
            let unfit = signing.filter(|why| matches!(why, Some(SecretError::NoKey(_))));
            let problems = resolved.chain(unfit).flatten();
            problems.map(move |why| format!("  journey `{}`: {why}", graph.id()))
        })
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "secrets are missing, or cannot be used:\n{}\nset them, or rehearse with `--dry-run` or `--receiver builtin`",
        missing.join("\n")
    );
    Err(WrongInput(message).into())
}

/// An origin that comes from elsewhere is judged when it is known, in the words of the checker.
fn all_allowed(graphs: &[Graph], secrets: &Secrets, policy: &Policy) -> anyhow::Result<()> {
    let refused: Vec<String> = graphs
        .iter()
        .flat_map(|graph| graph.bases().map(move |base| (graph.id(), base)))
        .filter_map(|(journey, base)| {
            let origin = secrets.resolve(base).ok()?;
            let why = policy.target(&origin).err()?;
            let (Secret::Env(name) | Secret::File(name)) = base;
            Some(format!("  journey `{journey}`, base `{name}`: {why}"))
        })
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let message = format!("requests may not go there:\n{}", refused.join("\n"));
    Err(WrongInput(message).into())
}

/// The store of a state directory, or memory without one.
pub(crate) fn store(
    state: Option<&Path>,
    sending: Sending,
    settings: &Settings,
) -> anyhow::Result<Box<dyn Store>> {
    let dry = sending == Sending::Dry;
    let Some(directory) = state else {
        let memory = MemoryStore::new(IdKey::STATELESS).without_history();
        return Ok(Box::new(if dry { memory.dry() } else { memory }));
    };
    let options = Options {
        cache_mb: settings
            .state
            .cache_mb
            .and_then(|mb| u32::try_from(mb).ok())
            .unwrap_or_else(cache_mb),
        dry,
        new_id_key: environment::new_id_key()?,
        history_us: settings.state.history_us,
    };
    let (mut store, opened) = LocalStore::open(directory, &options)?;
    report(&opened);
    hold_namespaces(directory, &mut store, &settings.identity)?;
    Ok(Box::new(store))
}

/// Refuses namespaces under which what is linked already would mean something else.
fn hold_namespaces(
    directory: &Path,
    store: &mut LocalStore,
    identity: &wayfare_identity::Config,
) -> anyhow::Result<()> {
    let held = store.namespaces()?;
    if let Some(held) = &held {
        identity.follows(held).map_err(|changed| {
            WrongInput(format!(
                "`identity.namespaces` cannot be as `wayfare.yaml` has it for what `{}` holds: \
                 {changed}. Add namespaces at the end only, or begin in another directory",
                directory.display()
            ))
        })?;
    }
    let written = identity.written();
    if held.as_ref() != Some(&written) {
        store.note_namespaces(&written)?;
    }
    Ok(())
}

/// What a state directory holds, read without changing anything.
pub(crate) fn look(directory: &Path) -> anyhow::Result<Box<dyn Store>> {
    Ok(Box::new(look_into(directory)?))
}

/// As [`look`], for who asks what only a directory knows.
pub(crate) fn look_into(directory: &Path) -> anyhow::Result<ReadOnly> {
    let (store, opened) = ReadOnly::open(directory)?;
    if let Some(torn) = opened.torn {
        tracing::warn!(
            file = %torn.path.display(), offset = torn.offset,
            "a frame was half written when the engine stopped; it was never acknowledged"
        );
    }
    for checkpoint in opened.unreadable {
        tracing::warn!(file = %checkpoint.display(), "a checkpoint cannot be read");
    }
    Ok(store)
}

/// Says what was out of order in a state directory.
fn report(opened: &Opened) {
    if let Some(torn) = &opened.torn {
        tracing::warn!(
            file = %torn.path.display(), offset = torn.offset,
            "a frame was half written when the engine stopped and was cut; it was never acknowledged"
        );
    }
    for checkpoint in &opened.unreadable {
        tracing::warn!(
            file = %checkpoint.display(),
            "a checkpoint could not be read; nothing relies on it any more"
        );
    }
    if let Some(aside) = &opened.damaged {
        tracing::warn!(
            aside = %aside.display(),
            "the state could not be read and was put aside"
        );
    }
    let (frames, inputs) = (opened.frames, opened.replayed);
    if let Some(checkpoint) = &opened.checkpoint {
        tracing::warn!(
            checkpoint = %checkpoint.display(), frames, inputs,
            "the state was made anew from a checkpoint and the frames of the log behind it"
        );
    } else if opened.damaged.is_some() {
        tracing::warn!(
            frames,
            inputs,
            "the state was made anew from all frames of the log"
        );
    }
}
