//! `wayfare enter`, `erase`, `readmit`: what is ordered about one person, and why? Not here: how an order
//! is given (`operate`), or what an erasure does (`wayfare_executor`).

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use wayfare_executor::record::EraseMode;
use wayfare_runtime::orders::Wanted;

use super::operate::{To, Why, carry_out};

/// The arguments of `wayfare enter`.
#[derive(Debug, Args)]
pub(crate) struct Enter {
    /// The journey.
    journey: String,
    /// Who: a profile id, or an identifier with its namespace such as `user_id:u1`.
    identifier: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// What an erasure does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Keep what is known; hear and send nothing more.
    Suppress,
    /// Delete what is known; whoever comes back is somebody new.
    Delete,
    /// Delete what is known, and hear nothing more.
    Both,
}

/// The arguments of `wayfare erase`.
#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// Who: a profile id, or an identifier with its namespace such as `email:ada@example.com`.
    identifier: String,
    /// What is done.
    #[arg(long, value_enum, default_value_t = Mode::Both)]
    mode: Mode,
    /// Let them go through this journey first, such as one that tells others of the erasure.
    #[arg(long, value_name = "JOURNEY")]
    through: Option<String>,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// The arguments of `wayfare readmit`.
#[derive(Debug, Args)]
pub(crate) struct Readmit {
    /// Who: an identifier with its namespace such as `email:ada@example.com`.
    identifier: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    to: To,
}

/// Lets somebody into a journey.
pub(crate) fn enter(order: &Enter) -> anyhow::Result<ExitCode> {
    let wanted = Wanted::Enter {
        journey: &order.journey,
        who: &order.identifier,
    };
    carry_out(&order.to, &order.why, wanted)
}

/// Erases somebody.
pub(crate) fn erase(order: &Erase) -> anyhow::Result<ExitCode> {
    let wanted = Wanted::Erase {
        who: &order.identifier,
        mode: match order.mode {
            Mode::Suppress => EraseMode::Suppress,
            Mode::Delete => EraseMode::Delete,
            Mode::Both => EraseMode::Both,
        },
        through: order.through.as_deref(),
    };
    carry_out(&order.to, &order.why, wanted)
}

/// Lets an erased identifier come back.
pub(crate) fn readmit(order: &Readmit) -> anyhow::Result<ExitCode> {
    carry_out(&order.to, &order.why, Wanted::Readmit(&order.identifier))
}
