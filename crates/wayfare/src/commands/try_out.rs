//! `wayfare try`: what does a webhook block send for somebody, and what does the receiver say? One
//! marked request; nothing is decided or owed by it. In a state directory that no process uses.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use wayfare_event::{Event, Identifier, Value};
use wayfare_executor::record::{ConsentAsked, Permission};
use wayfare_executor::rehearsal::Asked;
use wayfare_executor::{Action, Happened, Place, Published, Tried as Order};
use wayfare_runtime::config::{self, ProjectError};
use wayfare_runtime::{Draft, Engine, To, Tried, clock, orders};
use wayfare_webhook::{Client, Secrets};

use super::operate::{Given, at, engine, wrong};
use super::{WrongInput, inspect, print};
use crate::cli::Format;
use crate::environment;

/// The arguments of `wayfare try`.
#[derive(Debug, Args)]
pub(crate) struct Try {
    /// The webhook block, as `JOURNEY/BLOCK`.
    #[arg(value_name = "JOURNEY/BLOCK")]
    block: String,
    /// Whom it is rendered for: a profile id, or an identifier such as `email:ada@example.com`.
    #[arg(long)]
    profile: String,
    /// Send it to this origin instead of its own, such as `http://127.0.0.1:9000`.
    #[arg(long, value_name = "URL")]
    to: Option<To>,
    /// A file with one event, which stands for the one that starts the walk and for those its waits
    /// name.
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Print the request and send nothing; nothing is recorded either.
    #[arg(long)]
    dry_run: bool,
    /// Why; it is kept.
    #[arg(long, default_value = "to try it")]
    reason: String,
    #[command(flatten)]
    given: Given,
}

/// Tries a block.
pub(crate) fn try_out(wanted: &Try) -> anyhow::Result<ExitCode> {
    let settings = inspect::settings(&wanted.given.journeys)?;
    let mut engine = engine(&wanted.given, &settings)?;
    let (place, published) = block(wanted, &mut engine)?;
    let owner = owner(wanted, &mut engine)?;
    let event = event(wanted, &engine)?;
    let at = at(&wanted.given, &engine);
    let block = place.block.clone().unwrap_or_default();
    let asked = Asked {
        published: &published,
        block: &block,
        owner: &owner,
        event: event.as_ref(),
    };
    let rehearsed = engine.rehearse(at, &asked)?;
    let rehearsed = rehearsed.context("the block was a webhook block a moment ago")?;
    let secrets = Arc::new(environment::secrets());
    let times = (at, clock::now());
    let draft = Draft::new(
        (place.clone(), times),
        rehearsed,
        wanted.to.as_ref(),
        &secrets,
    );
    let barred = barred(wanted, &draft);
    let tried = if wanted.dry_run || barred.is_some() {
        None
    } else {
        let order = Action::Try(Order {
            place,
            profile: draft.rehearsed.profile,
            id: draft.id,
            to: wanted.to.as_ref().map(|to| to.to_string().into()),
        });
        let by = (wanted.given.by.as_str(), wanted.reason.as_str());
        orders::give(&mut engine, at, by, &[order])?;
        engine.commit()?;
        let policy = settings.policy();
        let client = match wanted.to.as_ref().and_then(To::loopback) {
            Some(address) => Client::to_receiver(address, policy, secrets.clone()),
            None => Client::new(policy, secrets.clone()),
        };
        Some(send(&draft, &client)?)
    };
    engine.close()?;
    show(wanted, (&draft, tried.as_ref()), &secrets)?;
    match barred {
        Some(why) if wanted.dry_run => {
            super::tell(&format!("it would not be sent: {why}"));
            Ok(ExitCode::from(1))
        }
        Some(why) => Err(WrongInput(format!("nothing was sent: {why}")).into()),
        None => Ok(ExitCode::from(u8::from(
            tried.is_some_and(|tried| !tried.is_taken()),
        ))),
    }
}

/// The block, and the version of its journey: as the files say it, else as it is in force.
fn block(wanted: &Try, engine: &mut Engine) -> anyhow::Result<(Place, Arc<Published>)> {
    let journeys = &wanted.given.journeys;
    let named = Place::parse(&wanted.block);
    let file = match config::load_directory(&journeys.journeys, journeys.config.as_deref()) {
        Ok(project) => {
            let mut graphs = project.graphs.into_iter();
            graphs.find(|graph| *graph.id() == named.journey)
        }
        Err(ProjectError::Missing(_) | ProjectError::NoJourneys(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let file = file.map(|graph| Arc::new(Published::new(graph)));
    orders::webhook_block(engine, file, &wanted.block).map_err(wrong)
}

/// An identifier of the profile.
fn owner(wanted: &Try, engine: &mut Engine) -> anyhow::Result<Identifier> {
    let catalog = engine.catalog().clone();
    let at = engine.at();
    let profiles = inspect::profiles_in(&catalog, engine.store(), at)?;
    let found = inspect::find(&profiles, &wanted.profile);
    let owner = found.and_then(|profile| profile.identifiers.first().cloned());
    owner.ok_or_else(|| WrongInput(format!("nobody is known as `{}`", wanted.profile)).into())
}

fn event(wanted: &Try, engine: &Engine) -> anyhow::Result<Option<Happened>> {
    let Some(path) = &wanted.event else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`{}` cannot be read", path.display()))?;
    let wrong = |rejection: wayfare_event::Rejection| {
        let message = format!("`{}` is no event: {}", path.display(), rejection.message);
        anyhow::Error::from(WrongInput(message))
    };
    let event = Event::parse(text.trim(), None).map_err(wrong)?;
    let occurred = event.told_at().unwrap_or_else(|| engine.at());
    let happened = Happened::new(engine.catalog(), event, "try".into(), occurred);
    happened.map(Some).map_err(wrong)
}

/// Why nothing is sent. What the block would not send goes at most to this machine.
fn barred(wanted: &Try, draft: &Draft) -> Option<String> {
    if let Err(why) = &draft.outgoing {
        let absent = &draft.rehearsed.absent;
        if wanted.event.is_none() && !absent.is_empty() {
            return Some(format!(
                "{why}; the block reads {} of an event: give one with `--event FILE`",
                listed(absent)
            ));
        }
        return Some(why.clone());
    }
    let is_here = wanted.to.as_ref().is_some_and(|to| to.loopback().is_some());
    let hint = "; `--to` an address of this machine sends it all the same";
    let refusal = draft.refusal().filter(|_| !is_here);
    refusal.map(|why| format!("{why}{hint}"))
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn send(draft: &Draft, client: &Client) -> anyhow::Result<Tried> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    Ok(runtime.block_on(draft.send(client)))
}

fn show(
    wanted: &Try,
    (draft, tried): (&Draft, Option<&Tried>),
    secrets: &Secrets,
) -> anyhow::Result<()> {
    let line = draft.line(tried, secrets);
    if wanted.given.format == Format::Json {
        print(&line.to_string())?;
        return Ok(());
    }
    print(&format!("profile     {}", draft.rehearsed.profile))?;
    print(&format!(
        "consent     {}",
        consent(&draft.rehearsed.permission)
    ))?;
    if let Some(refusal) = draft.refusal() {
        print(&format!("refusal     {refusal}"))?;
    }
    if !draft.rehearsed.absent.is_empty() {
        print(&format!("absent      {}", listed(&draft.rehearsed.absent)))?;
    }
    let request = line.get("request").and_then(Value::as_map);
    for text in request.map(request_lines).unwrap_or_default() {
        print(&text)?;
    }
    for text in tried.map(outcome_lines).unwrap_or_default() {
        print(&text)?;
    }
    Ok(())
}

fn consent(permission: &Permission) -> String {
    let about = match &permission.asked {
        ConsentAsked::Category { category, address } => {
            let address = address.as_ref();
            address.map_or_else(
                || category.to_string(),
                |it| format!("{category} for {}", it.value),
            )
        }
        ConsentAsked::Declined { category, .. } => format!("{category} declined"),
        ConsentAsked::Basis { basis, .. } => format!("basis {}", basis.as_str()),
    };
    let word = if permission.verdict.allowed {
        "allowed"
    } else {
        "refused"
    };
    format!("{about}: {word}, {}", permission.verdict.reason.as_str())
}

fn request_lines(request: &wayfare_event::Map) -> Vec<String> {
    let text = |value: Option<&Value>| {
        let text = value.and_then(Value::as_text);
        text.unwrap_or_default().to_owned()
    };
    let (method, url) = (text(request.get("method")), text(request.get("url")));
    let mut lines = vec![format!("request     {method} {url}")];
    if let Some(headers) = request.get("headers").and_then(Value::as_map) {
        let headers = headers.iter();
        lines.extend(
            headers.map(|(name, value)| format!("            {name}: {}", text(Some(value)))),
        );
    }
    let body = request.get("body");
    lines.extend(body.map(|body| format!("body        {body}")));
    lines
}

fn outcome_lines(tried: &Tried) -> Vec<String> {
    match tried {
        Tried::Barred(why) => vec![format!("outcome     not sent: {why}")],
        Tried::Sent {
            outcome,
            note,
            reply,
        } => {
            let mut lines = vec![format!(
                "outcome     {}",
                super::explain::words::ended(*outcome)
            )];
            lines.extend(note.iter().map(|note| format!("note        {note}")));
            lines.extend(reply.iter().map(|reply| format!("reply       {reply}")));
            lines
        }
    }
}
