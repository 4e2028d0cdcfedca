//! `wayfare pause` and `wayfare resume`: what does somebody order, and why? In a state directory that
//! no process uses.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use wayfare_executor::{Action, Catalog, Operator, Place, Sending};
use wayfare_journey::diagnostic::nearest;
use wayfare_runtime::config::Settings;
use wayfare_runtime::{Engine, OpenError, clock, journeys};
use wayfare_store::StoreError;

use super::inspect::{directory, settings};
use super::{WrongInput, print};
use crate::assembly;
use crate::cli::{Clock, Journeys};

/// The arguments of `wayfare pause` and `wayfare resume`.
#[derive(Debug, Args)]
pub(crate) struct Order {
    /// The journey's id.
    journey: String,
    /// Why; it is kept.
    #[arg(long)]
    reason: String,
    /// Who orders it.
    #[arg(long, env = "USER", hide_env = true, default_value = "operator")]
    by: String,
    #[command(flatten)]
    journeys: Journeys,
    /// The state directory; the configured one, else `.wayfare`.
    #[arg(long, env = "WAYFARE_STATE")]
    state: Option<PathBuf>,
    /// Which time it counts at: the machine's, or that of the last input, in a state that runs by
    /// the events' clock.
    #[arg(long, value_enum, default_value_t = Clock::Wall)]
    clock: Clock,
}

/// Pauses a journey.
pub(crate) fn pause(order: &Order) -> anyhow::Result<ExitCode> {
    let settings = settings(&order.journeys)?;
    let mut engine = engine(order, &settings)?;
    let id = known(&mut engine, &order.journey)?;
    if engine.paused(&Place::whole(id.clone())).is_some() {
        let message = format!("journey `{id}` is paused already; `wayfare journeys` says why");
        return Err(WrongInput(message).into());
    }
    give(engine, order, Action::Pause(Place::whole(id.clone())))?;
    print(&format!(
        "journey `{id}` is paused: nobody enters, and what waits in it waits on"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Lets a journey go on.
pub(crate) fn resume(order: &Order) -> anyhow::Result<ExitCode> {
    let settings = settings(&order.journeys)?;
    let mut engine = engine(order, &settings)?;
    let id = known(&mut engine, &order.journey)?;
    if engine.paused(&Place::whole(id.clone())).is_none() {
        return Err(WrongInput(format!("journey `{id}` is not paused")).into());
    }
    give(engine, order, Action::Resume(Place::whole(id.clone())))?;
    print(&format!(
        "journey `{id}` goes on: what is due in it is sent by the next run"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn give(mut engine: Engine, order: &Order, action: Action) -> anyhow::Result<()> {
    let at = match order.clock {
        Clock::Wall => clock::now(),
        Clock::Events => engine.at(),
    };
    let order = Operator {
        by: order.by.as_str().into(),
        reason: order.reason.as_str().into(),
        action,
    };
    engine.order(at, order)?;
    engine.commit()?;
    Ok(engine.close()?)
}

/// An engine over the state as it was left, whatever the journey files say by now.
fn engine(order: &Order, settings: &Settings) -> anyhow::Result<Engine> {
    let directory = directory(order.state.as_deref(), settings)?;
    let open = || -> anyhow::Result<Engine> {
        let sending = sending(directory)?;
        let store = assembly::store(Some(directory), sending, settings)?;
        let catalog = Catalog::new(
            settings.identity.clone(),
            settings.consent.clone(),
            store.head().id_key,
            sending,
        );
        match Engine::reopen(catalog, store, &|source| settings.compile(source)) {
            Err(OpenError::Store(error)) => Err(error.into()),
            opened => opened.map_err(|error| WrongInput(error.to_string()).into()),
        }
    };
    let opened = open();
    if let Err(error) = &opened
        && let Some(StoreError::InUse { .. }) = error.downcast_ref()
    {
        let why = "a journey of a running engine cannot be paused or resumed yet: \
                   that comes with the admin API";
        return opened.context(why);
    }
    opened
}

/// Whether the state owes requests.
fn sending(directory: &Path) -> anyhow::Result<Sending> {
    let store = assembly::look(directory)?;
    Ok(if store.head().dry {
        Sending::Dry
    } else {
        Sending::Owed
    })
}

/// The journey of this id, as the state knows it.
fn known(engine: &mut Engine, journey: &str) -> anyhow::Result<std::sync::Arc<str>> {
    let journeys = journeys::all(engine.store())?;
    if let Some((id, _)) = journeys.get_key_value(journey) {
        return Ok(id.clone());
    }
    let near = nearest(journey, journeys.keys().map(|id| &**id));
    let hint = near.map_or_else(
        || "`wayfare journeys` lists those there are".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    let message = format!("no journey `{journey}` is in this state directory; {hint}");
    Err(WrongInput(message).into())
}
