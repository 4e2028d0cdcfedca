//! `wayfare serve`: the same engine behind the HTTP API.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::net::TcpListener;
use wayfare_executor::Sending;
use wayfare_runtime::config::Settings;
use wayfare_runtime::{Driver, Output, Until, clock, report};
use wayfare_webhook::Secrets;

use super::{WrongInput, tell};
use crate::assembly::{Assembled, Order, StateAt, assemble};
use crate::cli::{Journeys, Receiver};
use crate::environment;
use crate::http::{self, Doors, Keys, Patience, Token, Tokens};
use crate::unsubscribe::LinkKey;

/// The arguments of `wayfare serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    journeys: Journeys,
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, env = "WAYFARE_LISTEN")]
    listen: Option<SocketAddr>,
    /// The state directory; the configured one, else `.wayfare`.
    #[arg(long, env = "WAYFARE_STATE")]
    state: Option<PathBuf>,
    /// Send every webhook to a receiver instead: `builtin`, or an address.
    #[arg(long)]
    receiver: Option<Receiver>,
}

/// Serves until it is told to stop, then finishes what is on the wire.
pub(crate) fn serve(serve: &Serve) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    runtime.block_on(listen(serve))?;
    Ok(ExitCode::SUCCESS)
}

async fn listen(serve: &Serve) -> anyhow::Result<()> {
    super::survive_file_limits();
    let order = Order {
        journeys: &serve.journeys,
        state: StateAt::Directory(serve.state.as_deref()),
        sending: Sending::Owed,
        receiver: serve.receiver.as_ref(),
    };
    let Assembled {
        engine,
        mut outbound,
        settings,
        receiver: _builtin,
    } = assemble(&order).await?;
    clock::not_before(engine.at());
    let address = serve.listen.unwrap_or(settings.server.listen);
    let tokens = Arc::new(tokens(&settings, address)?);
    let link_key = |reference| LinkKey::resolve(&environment::secrets(), reference);
    let doors = Doors {
        keys: keys(&settings, address)?,
        tokens: tokens.clone(),
        unsubscribe: settings
            .server
            .unsubscribe
            .as_ref()
            .map(link_key)
            .transpose()?,
    };
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; is the port taken? `--listen` names another")
    })?;
    let address = listener
        .local_addr()
        .context("cannot tell where it listens")?;
    outbound.client.spare(address);
    let printed = outbound.secrets.clone();
    let mut tell_out = move |output: Output, note: Option<String>| {
        let line = report::line(&output, note.as_deref(), &printed);
        // The decisions stand whether or not somebody reads them.
        let _unread = writeln!(std::io::stdout(), "{line}");
    };
    let (mut driver, inbox) = Driver::new(engine, outbound, &mut tell_out);
    let patience = Patience::SERVING;
    let admin = http::admin(tokens, driver.desk(), patience, Arc::new(settings));
    let router = http::router(doors, inbox, patience).nest("/api", admin);
    let (failed, engine_failed) = tokio::sync::oneshot::channel::<()>();
    let stop = async move {
        tokio::select! {
            () = super::told_to_stop() => {
                tell("stopping: no new events, finishing what is on the wire");
            }
            _ = engine_failed => {}
        }
    };
    let serving = tokio::spawn(http::serve(listener, router, patience, stop));
    tell(&format!("listening on http://{address}"));
    // The input ends when the server has, and the engine with it.
    let ended = driver.run(Until::Quiet).await;
    // If the engine failed, the server has nobody to hand events to.
    drop(failed);
    serving.await.context("the server ended unexpectedly")?;
    ended?.close()?;
    Ok(())
}

/// Every request needs a key, unless only this machine can send one.
fn keys(settings: &Settings, address: SocketAddr) -> anyhow::Result<Keys> {
    let secrets: Secrets = environment::secrets();
    let mut keys = Vec::new();
    for key in &settings.server.keys {
        let value = secrets.resolve(&key.key).map_err(|error| {
            WrongInput(format!("the write key `{}` cannot be had: {error}", key.id))
        })?;
        keys.push((key.id.clone(), key.kind, value));
    }
    let keys = Keys::new(keys);
    if keys.is_open() && !address.ip().is_loopback() {
        let message = format!(
            "{address} can be reached from other machines and no write keys are configured; add \
             `server: {{keys: [...]}}` to `wayfare.yaml`, or listen on 127.0.0.1"
        );
        return Err(WrongInput(message).into());
    }
    if keys.is_open() {
        tell("no write keys are configured: anybody on this machine may send events");
    }
    Ok(keys)
}

/// Every look and order needs a token, unless only this machine can ask.
fn tokens(settings: &Settings, address: SocketAddr) -> anyhow::Result<Tokens> {
    let secrets: Secrets = environment::secrets();
    let mut tokens = Vec::new();
    for token in &settings.server.admin {
        let value = secrets.resolve(&token.token).map_err(|error| {
            WrongInput(format!(
                "the admin token `{}` cannot be had: {error}",
                token.id
            ))
        })?;
        tokens.push(Token::new(&token.id, &value, token.scopes.clone()));
    }
    let tokens = Tokens::new(tokens, address);
    match &tokens {
        Tokens::Of(_) => {}
        Tokens::Loopback => {
            tell("no admin tokens are configured: anybody on this machine may give orders");
        }
        Tokens::Nobody => tell("no admin tokens are configured: the admin API answers nobody"),
    }
    Ok(tokens)
}
