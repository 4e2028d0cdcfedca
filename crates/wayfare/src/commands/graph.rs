//! `wayfare graph`: how does a journey look?

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use wayfare_journey::{Drawing, draw};
use wayfare_runtime::config;

use super::{WrongInput, print};
use crate::cli::Journeys;

/// The arguments of `wayfare graph`.
#[derive(Debug, Args)]
pub(crate) struct Graph {
    #[command(flatten)]
    journeys: Journeys,
    /// The journey's id; all of them, without one.
    id: Option<String>,
    /// The language of the drawing.
    #[arg(long, value_enum, default_value_t = Language::Mermaid)]
    format: Language,
}

/// A language of drawings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    /// Mermaid, which GitHub and many wikis show.
    Mermaid,
    /// Graphviz.
    Dot,
}

/// Prints the drawing; of several, Mermaid's stand in a page of Markdown.
pub(crate) fn graph(graph: &Graph) -> anyhow::Result<ExitCode> {
    let project =
        config::load_directory(&graph.journeys.journeys, graph.journeys.config.as_deref())?;
    let drawing = match graph.format {
        Language::Mermaid => Drawing::Mermaid,
        Language::Dot => Drawing::Dot,
    };
    let Some(id) = &graph.id else {
        for (place, found) in project.graphs.iter().enumerate() {
            let before = if place == 0 { "" } else { "\n" };
            let drawn = draw(found, drawing);
            let drawn = drawn.trim_end();
            match graph.format {
                Language::Mermaid => {
                    let title = found.id();
                    print(&format!("{before}## {title}\n\n```mermaid\n{drawn}\n```"))?;
                }
                Language::Dot => print(&format!("{before}{drawn}"))?,
            }
        }
        return Ok(ExitCode::SUCCESS);
    };
    let found = project.graphs.iter().find(|it| **it.id() == **id);
    let Some(found) = found else {
        let known: Vec<&str> = project.graphs.iter().map(|it| &**it.id()).collect();
        let message = format!("no journey `{id}`; there are: {}", known.join(", "));
        return Err(WrongInput(message).into());
    };
    print(draw(found, drawing).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
