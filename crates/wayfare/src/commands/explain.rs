//! `wayfare explain`: why did this happen? A decision, what allowed it, and every attempt.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wayfare_event::{DecisionId, DeliveryId, InstanceId};
use wayfare_executor::delivery::{Outcome, State};
use wayfare_executor::record::{ConsentAsked, Decision, Permission};
use wayfare_executor::{Change, Key, Row};

use super::inspect::{open, settings};
use super::{WrongInput, print};
use crate::cli::Journeys;

/// The arguments of `wayfare explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    journeys: Journeys,
    /// The state directory; the configured one, else `.wayfare`.
    #[arg(long, env = "WAYFARE_STATE")]
    state: Option<PathBuf>,
    /// The decision: its id, or that of its instance or delivery.
    #[arg(long)]
    decision: String,
}

/// Prints the story of a decision.
pub(crate) fn explain(explain: &Explain) -> anyhow::Result<ExitCode> {
    let wrong = || {
        let message = format!(
            "`{}` is no decision: an id is `dec_`, `ins_` or `whd_` and 32 hex digits",
            explain.decision
        );
        WrongInput(message)
    };
    let id = parse(&explain.decision).ok_or_else(wrong)?;
    let mut store = open(explain.state.as_deref(), &settings(&explain.journeys)?)?;
    let loaded = store.load(&[Key::Decision(id), Key::Delivery(id.delivery())])?;
    let mut rows = loaded.into_iter().flatten();
    let Some(Row::Decision(decision)) = rows.next() else {
        let message = format!("no decision `{id}` is in this state directory");
        return Err(WrongInput(message).into());
    };
    for line in told(&decision) {
        print(&line)?;
    }
    if let Some(Row::Delivery(delivery)) = rows.next() {
        let (method, url) = (delivery.request.method.as_str(), &delivery.request.url);
        print(&format!("request     {method} {url}"))?;
        print(&format!(
            "delivery    {} is {}",
            delivery.id,
            delivery.state.as_str()
        ))?;
    }
    if let Some((_, begins)) = store.beginning()?
        && decision.at < begins
    {
        print(&format!(
            "history     begins at {begins}; what came before is not kept"
        ))?;
    }
    let mut steps = Vec::new();
    store.history(1, &mut |entry| {
        for change in &entry.changes {
            steps.extend(step(change, id, &entry.at.to_string()));
        }
    })?;
    for line in steps {
        print(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn parse(text: &str) -> Option<DecisionId> {
    let decision = text.parse::<DecisionId>().ok();
    let instance = || text.parse::<InstanceId>().ok().map(InstanceId::decision);
    let delivery = || {
        let id = text.parse::<DeliveryId>().ok()?;
        Some(DecisionId::from_bytes(*id.as_bytes()))
    };
    decision.or_else(instance).or_else(delivery)
}

fn told(decision: &Decision) -> Vec<String> {
    let mut lines = vec![
        format!("decision    {} at {}", decision.id, decision.at),
        format!(
            "journey     {} version {}, at block `{}`",
            decision.journey, decision.version, decision.block
        ),
        format!(
            "profile     {} (kept under {})",
            decision.profile, decision.owner
        ),
    ];
    lines.extend(
        decision
            .key
            .as_ref()
            .map(|key| format!("key         {key}")),
    );
    let reason = decision.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    lines.push(format!("outcome     {}{reason}", decision.outcome.as_str()));
    lines.extend(decision.consent.as_ref().map(allowed));
    lines
}

fn allowed(permission: &Permission) -> String {
    let asked = match &permission.asked {
        ConsentAsked::Category { category, address } => match address {
            Some(address) => format!("{category} for {}", address.value),
            None => category.to_string(),
        },
        ConsentAsked::Declined { category, address } => match address {
            Some(address) => format!("{category} declined for {}", address.value),
            None => format!("{category} declined"),
        },
        ConsentAsked::Basis { basis, because } => {
            return format!("consent     basis {}: {because}", basis.as_str());
        }
    };
    let verdict = &permission.verdict;
    let word = if verdict.allowed {
        "allowed"
    } else {
        "refused"
    };
    format!(
        "consent     {asked}: {word}, {} (records: {})",
        verdict.reason.as_str(),
        verdict.records.join(", ")
    )
}

/// One move of the decision's instance or delivery, as a line.
fn step(change: &Change, decision: DecisionId, at: &str) -> Option<String> {
    let instance = InstanceId::from_bytes(*decision.as_bytes());
    let told = if let Change::Entered {
        id, instance: it, ..
    } = change
        && *id == instance
    {
        format!("entered {}", it.journey)
    } else if let Change::Parked { id, block, due, .. } = change
        && *id == instance
    {
        let until = due.map_or_else(|| "something happens".to_owned(), |due| due.to_string());
        format!("waits at `{block}` until {until}")
    } else if let Change::Decided(it) = change
        && it.id == decision
    {
        format!("decided {}", it.outcome.as_str())
    } else if let Change::DeliveryMoved {
        delivery,
        state,
        outcome,
        consent,
        ..
    } = change
        && *delivery == decision.delivery()
    {
        let outcome = outcome.map_or_else(String::new, |it| format!(" ({})", said(it)));
        let asked = consent.as_ref().map(allowed);
        let asked = asked.map_or_else(String::new, |line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!("; {}", words.join(" "))
        });
        format!("delivery {}{outcome}{asked}", moved(*state))
    } else if let Change::DeliveryOrdered { delivery, order } = change
        && *delivery == decision.delivery()
    {
        let (state, by, reason) = (moved(order.state), &order.by, &order.reason);
        format!("delivery {state}; ordered by {by}: {reason}")
    } else {
        return None;
    };
    Some(format!("{at}  {told}"))
}

fn moved(state: State) -> String {
    match state {
        State::Planned { due } => format!("planned again for {due}"),
        State::Armed { .. } => "armed".to_owned(),
        State::Delivered { status: None } => "delivered, says an operator".to_owned(),
        State::Delivered {
            status: Some(status),
        } => format!("delivered: {status}"),
        State::Rejected { status } => format!("rejected: {status}"),
        State::Unknown(reason) => format!("unknown: {}", reason.as_str()),
        State::Expired(reason) => format!("expired: {}", reason.as_str()),
        State::Withheld(reason) => format!("withheld: {}", reason.as_str()),
    }
}

pub(super) fn said(outcome: Outcome) -> String {
    match outcome {
        Outcome::Answered { status, .. } => format!("answered {status}"),
        Outcome::NotSent(reason) => format!("not sent: {}", reason.as_str()),
        Outcome::Unknown(reason) => format!("unknown: {}", reason.as_str()),
    }
}
