//! `wayfare`, the program.

mod assembly;
mod cli;
mod codes;
mod commands;
mod diagnostics;
mod environment;
mod http;
mod lines;
mod remote;
mod unsubscribe;

use std::process::ExitCode;

/// Events are read on one thread and let go on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
