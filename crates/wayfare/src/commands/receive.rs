//! `wayfare receive`: a receiver to develop against.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use wayfare_event::{Map, Number, Value};
use wayfare_journey::definition::Secret;
use wayfare_webhook::{Answers, Received, Receiver, Signature, Verifier};

use super::{WrongInput, print, tell};
use crate::{assembly, environment};

/// The arguments of `wayfare receive`.
#[derive(Debug, Args)]
pub(crate) struct Receive {
    /// Where to listen; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// The statuses to answer with, in order; the last repeats.
    #[arg(long, default_value = "200")]
    status: Answers,
    /// The environment variable with a key that requests are signed with; several while it is
    /// changed. A request whose signature is wrong is answered 401.
    #[arg(long, value_name = "NAME")]
    secret_env: Vec<String>,
}

/// Prints one JSON object for each request, until it is interrupted.
pub(crate) fn receive(receive: &Receive) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    runtime.block_on(async {
        let told = |received: Received| {
            if print(&line(&received).to_string()).is_err() {
                tell("nobody reads what arrives any more");
            }
        };
        let answers = (receive.status.clone(), verifier(&receive.secret_env)?);
        let receiver = Receiver::bind(receive.listen, answers, told)
            .await
            .with_context(|| {
                let address = receive.listen;
                format!("cannot listen on {address}; is the port taken? `--listen` names another")
            })?;
        tell(&format!("listening on http://{}", receiver.local_addr()));
        super::told_to_stop().await;
        receiver.shutdown().await;
        Ok(ExitCode::SUCCESS)
    })
}

/// What knows the keys of these environment variables; nothing without any.
fn verifier(names: &[String]) -> anyhow::Result<Option<Verifier>> {
    if names.is_empty() {
        return Ok(None);
    }
    let secrets = environment::secrets();
    let keys = names.iter().map(|name| {
        let key = secrets.signing_key(&Secret::Env(name.clone()));
        key.map_err(|error| WrongInput(error.to_string()))
    });
    let keys = keys.collect::<Result<_, _>>()?;
    Ok(Some(Verifier::new(keys, assembly::now_s)))
}

fn line(received: &Received) -> Map {
    let text = |text: &str| Value::from(text);
    let number =
        |number: u32| Number::parse(&number.to_string()).map_or(Value::Null, Value::Number);
    let headers = received.headers.iter();
    let headers: Map = headers
        .map(|(name, value)| (name.as_str().into(), text(value)))
        .collect();
    let body = String::from_utf8_lossy(&received.body);
    let body = Value::parse(&body).unwrap_or_else(|_| text(&body));
    [
        ("method", text(&received.method)),
        ("path", text(&received.path)),
        ("host", text(&received.host)),
        ("headers", headers.into()),
        ("body", body),
        (
            "webhookId",
            received.webhook_id.as_deref().map_or(Value::Null, text),
        ),
        ("copies", number(received.copies)),
        (
            "signature",
            received
                .signature
                .map_or("unchecked", Signature::as_str)
                .into(),
        ),
        ("status", number(received.status.into())),
    ]
    .into_iter()
    .map(|(key, value)| (key.into(), value))
    .collect()
}
