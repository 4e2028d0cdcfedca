//! How long does it take to read a thousand journeys? The shipped ones under other ids and with
//! conditions of their own: compiled from memory, and loaded from a directory as the engine does.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use wayfare_runtime::config::{Settings, load_directory};

use crate::measure::{Spread, rate, timed};
use crate::project::directory;
use crate::say;

/// Journeys that are read.
const JOURNEYS: u32 = 1_000;
/// Rounds of each measurement.
const ROUNDS: u32 = 5;

/// Four of the shipped journeys, each with its id and where its trigger's condition goes: what stands
/// there and what stands there instead, `#` for the number.
const SHIPPED: [(&str, &str, [&str; 2]); 4] = [
    (
        include_str!("../../../journeys/signup-lead.yaml"),
        "signup-lead",
        [
            "  event: Signup Completed\n",
            "  event: Signup Completed\n  where: profile.plan in ['pro', 'plan-#'] && has(profile.email)\n",
        ],
    ),
    (
        include_str!("../../../journeys/plan-upgrade.yaml"),
        "plan-upgrade",
        ["[\"pro\", \"business\"]", "[\"pro\", \"plan-#\"]"],
    ),
    (
        include_str!("../../../journeys/cart-recovery.yaml"),
        "cart-recovery",
        [
            "  event: add_to_cart\n",
            "  event: add_to_cart\n  where: properties.price * (properties.quantity ?? 1) > #\n",
        ],
    ),
    (
        include_str!("../../../journeys/consent-revocation.yaml"),
        "consent-revocation",
        [
            "action: decline }\n\nentry",
            "action: decline }\n  where: profile.visits > # || profile.tags.exists(t, t == 'vip')\n\nentry",
        ],
    ),
];

/// The arguments of `wayfare-bench compile`.
#[derive(Debug, Args)]
pub(crate) struct Compile {
    /// Where a directory for the journeys is made.
    #[arg(long, default_value = "target/bench")]
    scratch: PathBuf,
}

/// Measures and prints it.
pub(crate) fn measure(compile: &Compile) -> anyhow::Result<()> {
    let sources = sources()?;
    let scratch = directory(&compile.scratch)?;
    for (id, source) in &sources {
        std::fs::write(scratch.path().join(format!("{id}.yaml")), source)?;
    }
    let settings = Settings::default();
    let (mut compiled, mut loaded) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (ids, took) = timed(|| {
            let graphs = sources.iter().map(|(id, source)| {
                let graph = settings.compile(source).map(|it| it.graph);
                graph.map_err(|problems| anyhow::anyhow!("{id}: {problems:?}"))
            });
            let ids = graphs.map(|graph| graph.map(|it| it.id().to_string()));
            ids.collect::<anyhow::Result<BTreeSet<_>>>()
        });
        ensure!(ids?.len() == sources.len(), "two journeys have one id");
        compiled.push(rate(JOURNEYS, took));
        let (project, took) = timed(|| load_directory(scratch.path(), None));
        let count = project
            .context("the journeys cannot be loaded")?
            .graphs
            .len();
        ensure!(count == sources.len(), "{count} journeys were loaded");
        loaded.push(rate(JOURNEYS, took));
    }
    for (what, rates) in [("compile", compiled), ("load", loaded)] {
        let rates = Spread::of(rates);
        let took = f64::from(JOURNEYS) / rates.median;
        say(&format!(
            "{what:<12} {rates} journeys a second: {JOURNEYS} take {took:.3} s"
        ))?;
    }
    Ok(())
}

/// The journeys by id.
fn sources() -> anyhow::Result<Vec<(String, String)>> {
    let numbers = (0..JOURNEYS).zip(SHIPPED.iter().cycle());
    let sources = numbers.map(|(number, (source, id, [from, to]))| {
        let new_id = format!("{id}-{number}");
        let head = format!("journey: {id}\n");
        ensure!(
            source.contains(&head) && source.contains(from),
            "journeys/{id}.yaml is not what the bench knows, adapt it"
        );
        let source = source
            .replacen(&head, &format!("journey: {new_id}\n"), 1)
            .replacen(from, &to.replace('#', &number.to_string()), 1);
        Ok((new_id, source))
    });
    sources.collect()
}
