//! Does everything that reads bytes from outside keep its word for longer than a test may take?
//! `cargo run --release -p wayfare-tests --example fuzz -- --seconds 60 [TARGET…]` says so; `--from`
//! says at which number to begin, and every number makes the same bytes always.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::panic,
    reason = "a test program: it ends by the clock, and what fails is to end it"
)]

mod entry;
mod found;
mod generate;

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What is asked for.
struct Asked {
    seconds: u64,
    from: u64,
    targets: Vec<String>,
}

fn main() -> ExitCode {
    let asked = match asked(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(problem) => {
            eprintln!("error: {problem}");
            return ExitCode::from(2);
        }
    };
    let mut code = ExitCode::SUCCESS;
    for target in &asked.targets {
        if let Err(told) = play(target, &asked) {
            eprintln!("{told}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked {
        seconds: 60,
        from: 0,
        targets: Vec::new(),
    };
    let known = entry::TARGETS.map(|(name, _)| name);
    while let Some(word) = words.next() {
        let mut number = || {
            let number = words.next().and_then(|it| it.parse().ok());
            number.ok_or_else(|| format!("`{word}` takes a whole number"))
        };
        match word.as_str() {
            "--seconds" => asked.seconds = number()?,
            "--from" => asked.from = number()?,
            name if known.contains(&name) => asked.targets.push(word),
            other => return Err(format!("`{other}` is none of {}", known.join(", "))),
        }
    }
    if asked.targets.is_empty() {
        asked.targets = known.map(str::to_owned).to_vec();
    }
    Ok(asked)
}

/// Gives what is kept and then what is made of it to a target, until its time is over.
fn play(target: &str, asked: &Asked) -> Result<(), String> {
    let kept = generate::kept(target);
    // Whatever ends this process leaves what it was doing.
    let current = found::directory(target).join("current");
    let begun = Instant::now();
    let mut given = 0_u64;
    let mut slowest = Duration::ZERO;
    let made = (asked.from..).map(|number| generate::made(target, &kept, number));
    for bytes in kept.iter().map(|(_, bytes)| bytes.clone()).chain(made) {
        if begun.elapsed() >= Duration::from_secs(asked.seconds) {
            break;
        }
        std::fs::write(&current, &bytes).map_err(|error| error.to_string())?;
        let started = Instant::now();
        found::given(target, &bytes)?;
        slowest = slowest.max(started.elapsed());
        given += 1;
    }
    println!(
        "{target}: {given} inputs from number {}, the slowest took {} ms",
        asked.from,
        slowest.as_millis()
    );
    std::fs::remove_file(&current).map_err(|error| error.to_string())
}
