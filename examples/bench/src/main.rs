//! `wayfare-bench`: is the engine right on a real stream, and what does it cost? The commands; what
//! they do stands in `shop`, `torture`, `speed`, `expressions` and `compile`.

mod chance;
mod compile;
mod expressions;
mod measure;
mod people;
mod project;
mod shop;
mod speed;
mod torture;
mod wayfare;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

/// The allocator of the `wayfare` binary, so that what is measured in here is what it costs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plays a real stream through the engine, and measures what it costs.
#[derive(Debug, Parser)]
#[command(name = "wayfare-bench", max_term_width = 100)]
enum Bench {
    /// The public shop click stream through `cart-recovery`: exact totals, with every event doubled,
    /// and with the process killed again and again.
    Shop(shop::Shop),
    /// Everything `docs/performance.md` speaks of, in one run.
    Speed(speed::Speed),
    /// One part of it: what one event costs by stage.
    Stages(speed::Stages),
    /// One part of it: what a waiting instance takes.
    Memory(speed::Memory),
    /// What judging a condition costs, against the `cel` crate.
    Expressions,
    /// How long a thousand journeys take to read.
    Compile(compile::Compile),
    /// What resolving and evaluating cost, from a thousand profiles up, and merges by their size.
    People(people::People),
    /// The server under load, killed again and again, its clock moved and its disk full, in front of
    /// a receiver that stalls, resets and lies: what was acknowledged, decided and sent is audited.
    Torture(torture::Torture),
}

fn main() -> ExitCode {
    let done = match Bench::parse() {
        Bench::Shop(shop) => shop::prove(&shop),
        Bench::Speed(speed) => speed::measure(&speed).map(|()| true),
        Bench::Stages(stages) => speed::stages(&stages).map(|()| true),
        Bench::Memory(memory) => speed::memory(&memory).map(|()| true),
        Bench::Expressions => expressions::measure().map(|()| true),
        Bench::Compile(compile) => compile::measure(&compile).map(|()| true),
        Bench::People(people) => people::measure(&people).map(|()| true),
        Bench::Torture(torture) => torture::torture(&torture),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            // Nobody is left to tell when stderr is closed.
            let _unheard = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// A line of results.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}
