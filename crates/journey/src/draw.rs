//! How does a journey look? Drawings of a graph for documents and reviews.

use std::fmt::Write as _;

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

/// Draws a graph: conditions and durations on its edges, outcomes in shapes of their own.
#[must_use]
pub fn draw(graph: &Graph, drawing: Drawing) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = match drawing {
        Drawing::Mermaid => mermaid(graph, &mut out),
        Drawing::Dot => dot(graph, &mut out),
    };
    out
}

fn mermaid(graph: &Graph, out: &mut String) -> std::fmt::Result {
    // Mermaid writes entities with `#`.
    let quoted = |text: &str| {
        one_line(text)
            .replace('#', "#35;")
            .replace('&', "#amp;")
            .replace('"', "#quot;")
            .replace('<', "#lt;")
            .replace('>', "#gt;")
    };
    writeln!(out, "flowchart TD")?;
    writeln!(out, "  start([\"{}\"])", quoted(&trigger(graph)))?;
    for id in graph.blocks() {
        let key = graph.key(id);
        let text = quoted(&label(key, graph.block(id)));
        let (open, close) = match graph.block(id) {
            Block::Decide(_) => ("{", "}"),
            Block::Split(_) => ("{{", "}}"),
            Block::Pause { .. }
            | Block::UntilTime(_)
            | Block::UntilDate(_)
            | Block::Wait { .. } => ("(", ")"),
            Block::Update { .. } => ("[", "]"),
            Block::Webhook(_) => ("[[", "]]"),
            Block::Exit { .. } => ("([", "])"),
        };
        writeln!(out, "  b_{key}{open}\"{text}\"{close}")?;
    }
    writeln!(out, "  start --> b_{}", graph.key(graph.start()))?;
    for id in graph.blocks() {
        for (when, then) in graph.successors(id) {
            let (from, to) = (graph.key(id), graph.key(then));
            writeln!(out, "  b_{from} -->|\"{}\"| b_{to}", quoted(when))?;
        }
    }
    Ok(())
}

// No block is called `(start)`; one may be called `start`.
fn dot(graph: &Graph, out: &mut String) -> std::fmt::Result {
    let quoted = |text: &str| one_line(text).replace('\\', "\\\\").replace('"', "\\\"");
    writeln!(out, "digraph \"{}\" {{", graph.id())?;
    writeln!(
        out,
        "  \"(start)\" [shape=oval, label=\"{}\"];",
        quoted(&trigger(graph))
    )?;
    for id in graph.blocks() {
        let key = graph.key(id);
        let shape = match graph.block(id) {
            Block::Decide(_) => "diamond",
            Block::Split(_) => "hexagon",
            Block::Pause { .. }
            | Block::UntilTime(_)
            | Block::UntilDate(_)
            | Block::Wait { .. } => "box, style=rounded",
            Block::Update { .. } => "box",
            Block::Webhook(_) => "component",
            Block::Exit { .. } => "doublecircle",
        };
        let text = quoted(&label(key, graph.block(id)));
        writeln!(out, "  \"{key}\" [shape={shape}, label=\"{text}\"];")?;
    }
    writeln!(out, "  \"(start)\" -> \"{}\";", graph.key(graph.start()))?;
    for id in graph.blocks() {
        for (when, then) in graph.successors(id) {
            let (from, to) = (graph.key(id), graph.key(then));
            writeln!(
                out,
                "  \"{from}\" -> \"{to}\" [label=\"{}\"];",
                quoted(when)
            )?;
        }
    }
    writeln!(out, "}}")
}

/// Conditions may have several lines, labels have one.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
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
        Block::Webhook(webhook) => format!("{key}: {}", webhook.method.as_str()),
        Block::Exit { reason } => format!("{key}: {reason}"),
    }
}
