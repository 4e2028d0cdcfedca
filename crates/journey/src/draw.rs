//! How does a journey look? Drawings of a graph for documents and reviews.

mod dot;
mod mermaid;

use crate::duration;
use crate::graph::{Block, Graph, TraitChange, TraitOf, TriggerOn};

/// A language of drawings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawing {
    /// Mermaid, which GitHub and many wikis show.
    Mermaid,
    /// Graphviz.
    Dot,
}

/// Where the ways out of `exit:` begin.
const ANYWHERE: &str = "any block";

/// Draws a graph: conditions and durations on its edges, outcomes in shapes of their own, and the
/// ways out from any block.
#[must_use]
pub fn draw(graph: &Graph, drawing: Drawing) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = match drawing {
        Drawing::Mermaid => mermaid::write(graph, &mut out),
        Drawing::Dot => dot::write(graph, &mut out),
    };
    out
}

/// Conditions may have several lines, labels have one.
fn one_line(text: &str) -> String {
    let words = text.split(char::is_control);
    let words = words.map(str::trim).filter(|line| !line.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn trigger(graph: &Graph) -> String {
    let on = match &graph.trigger().on {
        TriggerOn::Events(events) => {
            let name = |event: &crate::graph::EventMatch| {
                event
                    .name
                    .as_deref()
                    .unwrap_or(event.kind.as_str())
                    .to_owned()
            };
            events.iter().map(name).collect::<Vec<_>>().join(" or ")
        }
        TriggerOn::Consent { category, action } => format!("{category}: {}", action.as_str()),
        TriggerOn::Trait(change) => changed(change),
        TriggerOn::Schedule { cron, zone } => format!("{} in {}", cron.source(), zone.name()),
        TriggerOn::Date { date, offset_us } => match offset_us {
            0 => format!("at {}", date.source()),
            us if *us < 0 => format!("{} before {}", duration::written(-us), date.source()),
            us => format!("{} after {}", duration::written(*us), date.source()),
        },
        TriggerOn::Delivery {
            journey,
            block,
            state,
        } => match block {
            Some(block) => format!("{journey}/{block} is {state}"),
            None => format!("{journey} is {state}"),
        },
    };
    match &graph.trigger().condition {
        Some(condition) => format!("{on} where {}", condition.source()),
        None => on,
    }
}

/// `plan: starter to pro`.
fn changed(change: &TraitChange) -> String {
    let name = match change.of {
        TraitOf::Profile => change.name.to_string(),
        TraitOf::Account => format!("account.{}", change.name),
    };
    let from = change.from.as_ref().map(|it| format!(" from {it}"));
    let to = change.to.as_ref().map(|it| format!(" to {it}"));
    format!(
        "{name} changes{}{}",
        from.unwrap_or_default(),
        to.unwrap_or_default()
    )
}

fn label(key: &str, block: &Block) -> String {
    match block {
        Block::Decide(_) => format!("{key}?"),
        Block::Split(_) => format!("{key}: split"),
        Block::Pause { .. } | Block::UntilTime(_) | Block::UntilDate(_) | Block::Wait { .. } => {
            format!("{key}: wait")
        }
        Block::Update { writes, .. } => {
            let names: Vec<&str> = writes.iter().map(|(name, _)| &**name).collect();
            format!("{key}: sets {}", names.join(", "))
        }
        Block::Webhook(webhook) => {
            let method = webhook.method.as_str();
            match &webhook.when {
                Some(when) => format!("{key}: {method} if {}", when.source()),
                None => format!("{key}: {method}"),
            }
        }
        Block::Exit { reason } => format!("{key}: {reason}"),
    }
}
