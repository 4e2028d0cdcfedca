//! What does the engine decide, told as short stories? `step` alone over rows in a map: no store, no
//! clock, no sending.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

mod consent;
mod date;
mod delivery;
mod entry;
mod erase;
mod events;
mod exits;
mod failing;
mod journeys;
mod kept_out;
mod limit;
mod merged;
mod migrate;
mod orders;
mod persons;
mod refused;
mod said;
mod schedule;
mod split;
mod stop;
mod told;
mod traits;
mod trigger;
mod until;
mod update;
mod walk;
mod who;
mod world;
