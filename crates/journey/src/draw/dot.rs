//! How is a journey written for Graphviz?

use std::fmt::{Result, Write as _};

use super::{ANYWHERE, label, one_line, trigger};
use crate::graph::{Block, Graph};

/// How a way out looks, in a block or by a rule.
const EXIT: &str = "shape=oval, peripheries=2, style=filled, fillcolor=\"#eeeeee\"";

// No block is called `(start)`; one may be called `start`.
pub(super) fn write(graph: &Graph, out: &mut String) -> Result {
    writeln!(out, "digraph \"{}\" {{", graph.id())?;
    let text = quoted(&trigger(graph));
    writeln!(out, "  \"(start)\" [shape=oval, label=\"{text}\"];")?;
    for id in graph.blocks() {
        let key = graph.key(id);
        let shape = match graph.block(id) {
            Block::Decide(_) => "shape=diamond",
            Block::Split(_) => "shape=hexagon",
            Block::Pause { .. }
            | Block::UntilTime(_)
            | Block::UntilDate(_)
            | Block::Wait { .. } => "shape=box, style=rounded",
            Block::Update { .. } => "shape=box",
            Block::Webhook(_) => "shape=component, style=filled, fillcolor=\"#d6f5d6\"",
            Block::Exit { .. } => EXIT,
        };
        let text = quoted(&label(key, graph.block(id)));
        writeln!(out, "  \"{key}\" [{shape}, label=\"{text}\"];")?;
    }
    writeln!(out, "  \"(start)\" -> \"{}\";", graph.key(graph.start()))?;
    for id in graph.blocks() {
        for (when, then) in graph.successors(id) {
            let (from, to, when) = (graph.key(id), graph.key(then), quoted(when));
            writeln!(out, "  \"{from}\" -> \"{to}\" [label=\"{when}\"];")?;
        }
    }
    exits(graph, out)?;
    writeln!(out, "}}")
}

/// The ways out from any block.
fn exits(graph: &Graph, out: &mut String) -> Result {
    if !graph.exits().is_empty() {
        writeln!(out, "  \"(any)\" [shape=plaintext, label=\"{ANYWHERE}\"];")?;
    }
    for (place, rule) in (1..).zip(graph.exits()) {
        let (heard, reason) = (quoted(&rule.on.to_string()), quoted(&rule.reason));
        writeln!(
            out,
            "  \"(exit {place})\" [{EXIT}, label=\"exit: {reason}\"];"
        )?;
        let edge = format!("\"(any)\" -> \"(exit {place})\"");
        writeln!(out, "  {edge} [style=dashed, label=\"{heard}\"];")?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('"', "\\\"")
}
