//! What can go wrong with what is kept, and what is to be done?

use std::path::{Path, PathBuf};

use crate::log::LogError;

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The log refused.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Another process holds the directory.
    #[error(
        "`{}` is in use by {}; stop that process, or use another directory",
        path.display(),
        pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process, when it has written its name.
        pid: Option<u32>,
    },
    /// The operating system refused.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// The state of a dry run is wanted for a real one, or the other way round.
    #[error(
        "`{}` holds the state of a {}, and this is a {}; use another directory",
        path.display(), run(*.held_dry), run(!*.held_dry)
    )]
    Mismatch {
        /// The directory.
        path: PathBuf,
        /// Whether what it holds is dry.
        held_dry: bool,
    },
    /// The file that says what a directory holds cannot be used.
    #[error("`{}` {problem}; restore the state directory from a backup", path.display())]
    Meta {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The state behind the log cannot be used.
    #[error(
        "the state in `{}` cannot be used: {problem}; stop, move that directory away and start \
         again: it is made anew from the last checkpoint and the log",
        path.display()
    )]
    State {
        /// Its directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The log and the state behind it are not of one directory.
    #[error(
        "the log and the state in `{}` do not fit together: {problem}; restore the state directory \
         from a backup",
        path.display()
    )]
    Apart {
        /// The directory.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// The state is to be made anew, and nothing covers what came before the log.
    #[error(
        "the state in `{}` cannot be made anew: its log begins at frame {begins}, and no checkpoint \
         that covers what came before can be read{}; restore the state directory from a backup",
        path.display(), named(unreadable)
    )]
    Lost {
        /// The directory.
        path: PathBuf,
        /// The first frame of its log.
        begins: u64,
        /// Checkpoints that could not be read.
        unreadable: Vec<PathBuf>,
    },
    /// The state is older than inputs that were taken out of the history.
    #[error(
        "the state in `{}` cannot be brought to its present: input {seq} was redacted by an erasure, \
         and what is left of the state is older; restore the state directory from a backup, all of it",
        path.display()
    )]
    Redacted {
        /// The directory.
        path: PathBuf,
        /// The input.
        seq: u64,
    },
    /// A checkpoint that was just written does not read back.
    #[error(
        "the checkpoint `{}` does not read back as it was written; check the disk, nothing was deleted",
        path.display()
    )]
    Unsound {
        /// The checkpoint.
        path: PathBuf,
    },
    /// It was opened for looking inside.
    #[error("`{}` is open for looking inside only", path.display())]
    ReadOnly {
        /// The directory.
        path: PathBuf,
    },
    /// A frame of the log is whole and cannot be understood.
    #[error(
        "frame {frame} of the log in `{}` cannot be read: {problem}; start the version of wayfare \
         that wrote it",
        path.display()
    )]
    Unreadable {
        /// The log's directory.
        path: PathBuf,
        /// The frame's sequence number.
        frame: u64,
        /// Why.
        problem: String,
    },
    /// A commit failed before.
    #[error(
        "the store stopped after a failed commit; repair what that error named and start again"
    )]
    Stopped,
}

const fn run(dry: bool) -> &'static str {
    if dry { "dry run" } else { "real run" }
}

/// The files that could not be read, in parentheses.
fn named(unreadable: &[PathBuf]) -> String {
    let names = unreadable
        .iter()
        .map(|path| format!("`{}`", path.display()));
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" ({} is damaged)", names.join(", "))
    }
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn state(path: &Path, problem: &dyn std::fmt::Display) -> Self {
        Self::State {
            path: path.to_path_buf(),
            problem: problem.to_string(),
        }
    }
}
