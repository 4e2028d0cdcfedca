//! `wayfare`, the program.

mod assembly;
mod cli;
mod commands;
mod diagnostics;
mod environment;
mod http;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
