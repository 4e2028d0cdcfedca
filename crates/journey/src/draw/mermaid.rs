//! How is a journey written in Mermaid?

use std::fmt::{Result, Write as _};

use super::{ANYWHERE, label, one_line, trigger};
use crate::graph::{Block, Graph};

/// How terminal blocks look: an outcome is told from a way out by its colour, too.
const STYLES: &str = "  classDef webhook fill:#d6f5d6,stroke:#2e7d32,stroke-width:2px,color:#000
  classDef exit fill:#eee,stroke:#777,color:#000
";

pub(super) fn write(graph: &Graph, out: &mut String) -> Result {
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
        let style = match graph.block(id) {
            Block::Webhook(_) => ":::webhook",
            Block::Exit { .. } => ":::exit",
            Block::Decide(_)
            | Block::Split(_)
            | Block::Pause { .. }
            | Block::UntilTime(_)
            | Block::UntilDate(_)
            | Block::Wait { .. }
            | Block::Update { .. } => "",
        };
        writeln!(out, "  b_{key}{open}\"{text}\"{close}{style}")?;
    }
    writeln!(out, "  start --> b_{}", graph.key(graph.start()))?;
    for id in graph.blocks() {
        for (when, then) in graph.successors(id) {
            let (from, to) = (graph.key(id), graph.key(then));
            writeln!(out, "  b_{from} -->|\"{}\"| b_{to}", quoted(when))?;
        }
    }
    exits(graph, out)?;
    out.write_str(STYLES)
}

/// The ways out from any block.
fn exits(graph: &Graph, out: &mut String) -> Result {
    if !graph.exits().is_empty() {
        writeln!(out, "  anywhere[/\"{ANYWHERE}\"/]")?;
    }
    for (place, rule) in (1..).zip(graph.exits()) {
        let (heard, reason) = (quoted(&rule.on.to_string()), quoted(&rule.reason));
        writeln!(out, "  exit_{place}([\"exit: {reason}\"]):::exit")?;
        writeln!(out, "  anywhere -.->|\"{heard}\"| exit_{place}")?;
    }
    Ok(())
}

/// A text between quotes. Mermaid writes entities with `#`, and takes what begins with a backtick
/// for Markdown.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for letter in one_line(text).chars() {
        match letter {
            '#' => quoted.push_str("#35;"),
            '&' => quoted.push_str("#amp;"),
            '"' => quoted.push_str("#quot;"),
            '<' => quoted.push_str("#lt;"),
            '>' => quoted.push_str("#gt;"),
            '`' => quoted.push_str("#96;"),
            other => quoted.push(other),
        }
    }
    quoted
}
