//! What is a page of the docs made of? Its fenced blocks, and what the comment before each says to
//! do with it. Not here: doing it (`docs.rs`).

use std::path::{Path, PathBuf};

use crate::root;

/// A page, by its path from the root, and what it says.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// What is done with a fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Marker {
    Run { status: i32 },
    Prints,
    Beside,
    BesidePrints,
    Send,
}

/// A fenced block.
#[derive(Debug)]
pub(crate) struct Fence {
    pub(crate) language: String,
    pub(crate) marker: Option<Marker>,
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn all() -> Vec<Self> {
        let mut paths = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md")];
        for directory in ["docs", "docs/decisions"] {
            let entries = std::fs::read_dir(root().join(directory)).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name());
            let pages = names.map(|name| Path::new(directory).join(name));
            paths.extend(pages.filter(|path| path.extension().is_some_and(|it| it == "md")));
        }
        paths.sort();
        let read = |path: PathBuf| {
            let text = std::fs::read_to_string(root().join(&path)).unwrap();
            Self { path, text }
        };
        paths.into_iter().map(read).collect()
    }

    pub(crate) fn fences(&self) -> Vec<Fence> {
        let mut fences: Vec<Fence> = Vec::new();
        let mut marker = None;
        let mut is_open = false;
        for (index, line) in self.text.lines().enumerate() {
            if let Some(language) = line.strip_prefix("```") {
                is_open = !is_open;
                if is_open {
                    fences.push(Fence {
                        language: language.to_owned(),
                        marker: marker.take(),
                        line: index + 1,
                        text: String::new(),
                    });
                }
            } else if is_open {
                let text = &mut fences.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            } else if line.starts_with("<!-- table: ") {
                // What the table says, a crate's own test compares.
            } else if let Some(word) = line.strip_prefix("<!-- ") {
                marker = Some(match word.strip_suffix(" -->").unwrap() {
                    "run" => Marker::Run { status: 0 },
                    "run: 1" => Marker::Run { status: 1 },
                    "prints" => Marker::Prints,
                    "beside" => Marker::Beside,
                    "beside prints" => Marker::BesidePrints,
                    "send" => Marker::Send,
                    other => unreachable!("{}: no marker `{other}`", self.path.display()),
                });
            } else if !line.trim().is_empty() {
                assert!(marker.is_none(), "{} line {index}", self.path.display());
            }
        }
        assert!(!is_open, "{} has an open fence", self.path.display());
        fences
    }
}
