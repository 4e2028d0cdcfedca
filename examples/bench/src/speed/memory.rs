//! What does a waiting instance take? Memory of an engine with many of them, and bytes of the rows
//! that are stored for one.

use std::path::PathBuf;

use clap::Args;
use wayfare_event::IdKey;
use wayfare_executor::Row;
use wayfare_runtime::Engine;
use wayfare_store::{MemoryStore, RowKind};

use super::limit::BATCH;
use super::play;
use crate::measure::resident_bytes;
use crate::project::Project;
use crate::say;

/// Instances that wait.
const INSTANCES: u32 = 100_000;

/// The arguments of `wayfare-bench memory`.
#[derive(Debug, Args)]
pub(crate) struct Memory {
    /// Where directories for the run are made.
    #[arg(long, default_value = "target/bench")]
    scratch: PathBuf,
}

/// Measures and prints it.
pub(crate) fn memory(memory: &Memory) -> anyhow::Result<()> {
    let project = Project::cart_recovery(&memory.scratch)?;
    let store = MemoryStore::new(IdKey::new([7; 32]))
        .without_history()
        .dry();
    let mut engine = play::engine(project.journeys(), Box::new(store))?;
    let before = resident_bytes()?;
    let people = |number| event(number, "identify", "");
    tell(&mut engine, &people)?;
    let known = resident_bytes()?;
    let carts = |number| event(number, "track", "add_to_cart");
    tell(&mut engine, &carts)?;
    let waiting = resident_bytes()?;
    let parked = engine.waiting();
    let (person, instance) = stored(&mut engine)?;
    let each = |bytes: i64| bytes / i64::from(INSTANCES);
    say(&format!(
        "memory       {:>9} bytes more for each of {parked} instances that wait (timer and entry guard with it)",
        each(waiting - known)
    ))?;
    say(&format!(
        "             {:>9} bytes for each person known by one identifier, without",
        each(known - before)
    ))?;
    say(&format!(
        "stored       {instance:>9} bytes for an instance, in a row of {person} for its person"
    ))
}

/// Who, what, and in which session.
fn event(number: u32, kind: &str, name: &str) -> String {
    format!(
        r#"{{"type":"{kind}","event":"{name}","userId":"user-{number:06}","timestamp":"2026-01-01T00:00:00Z","properties":{{"session_id":"sess_{number:06}"}}}}"#
    )
}

/// One event for each person. Made a few at a time, so that little of it is left over.
fn tell(engine: &mut Engine, event: &dyn Fn(u32) -> String) -> anyhow::Result<()> {
    let numbers: Vec<u32> = (0..INSTANCES).collect();
    for numbers in numbers.chunks(BATCH) {
        let lines: Vec<String> = numbers.iter().map(|number| event(*number)).collect();
        play::play(engine, &lines)?;
    }
    Ok(())
}

/// Mean bytes of a person's row, and of the instance in it, as they are stored.
fn stored(engine: &mut Engine) -> anyhow::Result<(usize, usize)> {
    let (mut persons, mut person_bytes) = (0, 0);
    let (mut instances, mut instance_bytes) = (0, 0);
    let mut encoded = Ok(());
    engine.store().scan(RowKind::Person, &mut |_, row| {
        let Row::Person(person) = row else { return };
        let mut size = |bytes: Result<Vec<u8>, rmp_serde::encode::Error>| match bytes {
            Ok(bytes) => bytes.len(),
            Err(error) => {
                encoded = Err(error);
                0
            }
        };
        persons += 1;
        person_bytes += size(rmp_serde::to_vec_named(person));
        for instance in person.record.instances.values() {
            instances += 1;
            instance_bytes += size(rmp_serde::to_vec_named(instance));
        }
    })?;
    encoded?;
    let mean = |bytes: usize, count: usize| bytes / count.max(1);
    Ok((mean(person_bytes, persons), mean(instance_bytes, instances)))
}
