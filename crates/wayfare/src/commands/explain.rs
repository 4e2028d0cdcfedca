//! `wayfare explain`: why did this happen, or why not? A decision, or one person in one journey. What
//! is known is searched in `wayfare_runtime::explain`; here it becomes words.

mod decision;
mod json;
mod person;
pub(super) mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wayfare_event::{DecisionId, DeliveryId, InstanceId};
use wayfare_runtime::clock;
use wayfare_runtime::config::Settings;
use wayfare_runtime::explain::{self, Question, Unanswered};
use wayfare_store::Store;

use super::inspect::{open, settings};
use super::{WrongInput, print, tell};
use crate::cli::{Format, Journeys};

/// Inputs of a history that is read without a word; more take a while.
const QUICK_INPUTS: u64 = 1_000_000;

/// The arguments of `wayfare explain`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["decision", "profile"])))]
pub(crate) struct Explain {
    #[command(flatten)]
    journeys: Journeys,
    /// The state directory; the configured one, else `.wayfare`.
    #[arg(long, env = "WAYFARE_STATE")]
    state: Option<PathBuf>,
    /// The decision: its id, or that of its instance or delivery.
    #[arg(long)]
    decision: Option<String>,
    /// The person: a profile id, present or former, or an identifier such as
    /// `email:ada@example.com`.
    #[arg(long, requires = "journey")]
    profile: Option<String>,
    /// The journey.
    #[arg(long, requires = "profile")]
    journey: Option<String>,
    /// The key, in a journey that has one; any, without.
    #[arg(long, requires = "profile")]
    key: Option<String>,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Prints the story of a decision, or of one person in one journey.
pub(crate) fn explain(explain: &Explain) -> anyhow::Result<ExitCode> {
    let settings = settings(&explain.journeys)?;
    let wanted = explain.decision.as_deref().map(id).transpose()?;
    let mut store = open(explain.state.as_deref(), &settings)?;
    let first = store.beginning()?.map_or(1, |(seq, _)| seq);
    let inputs = store.head().next_seq.saturating_sub(first);
    if inputs > QUICK_INPUTS {
        tell(&format!("reading {inputs} inputs of the history"));
    }
    let store = &mut *store;
    match (wanted, &explain.profile, &explain.journey) {
        (Some(id), _, _) => one(store, &settings, (id, explain.format)),
        (None, Some(profile), Some(journey)) => {
            let key = explain.key.as_deref();
            let question = Question {
                profile,
                journey,
                key,
            };
            why(store, &settings, (&question, explain.format))
        }
        (None, _, _) => {
            Err(WrongInput("name `--decision`, or `--profile` and `--journey`".to_owned()).into())
        }
    }
}

fn one(
    store: &mut dyn Store,
    settings: &Settings,
    (id, format): (DecisionId, Format),
) -> anyhow::Result<ExitCode> {
    let Some(told) = explain::decision(store, settings, id)? else {
        let message = format!("no decision `{id}` is in this state directory");
        return Err(WrongInput(message).into());
    };
    let begins = explain::begins(store)?;
    match format {
        Format::Json => print(&json::decision(&told, begins).to_string())?,
        Format::Text => {
            for line in decision::text(&told, begins) {
                print(&line)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn why(
    store: &mut dyn Store,
    settings: &Settings,
    (question, format): (&Question<'_>, Format),
) -> anyhow::Result<ExitCode> {
    let person = match explain::person(store, settings, question, clock::now()) {
        Ok(person) => person,
        Err(Unanswered::Store(error)) => return Err(error.into()),
        Err(unknown @ (Unanswered::Nobody { .. } | Unanswered::NoJourney { .. })) => {
            return Err(WrongInput(unknown.to_string()).into());
        }
    };
    match format {
        Format::Json => print(&json::person(&person).to_string())?,
        Format::Text => {
            for line in person::text(&person) {
                print(&line)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn id(text: &str) -> Result<DecisionId, WrongInput> {
    let decision = text.parse::<DecisionId>().ok();
    let instance = || text.parse::<InstanceId>().ok().map(InstanceId::decision);
    let delivery = || {
        let id = text.parse::<DeliveryId>().ok()?;
        Some(DecisionId::from_bytes(*id.as_bytes()))
    };
    let id = decision.or_else(instance).or_else(delivery);
    id.ok_or_else(|| {
        WrongInput(format!(
            "`{text}` is no decision: an id is `dec_`, `ins_` or `whd_` and 32 hex digits"
        ))
    })
}
