//! The durable shell around `wayfare_executor::step`: one writer, one store, and the requests that
//! leave once what caused them is durable. Embeddable without HTTP.
//!
//! Reading order: [`Engine`] (load, step, apply, commit), [`Driver`] (when), `dispatch` (attempts).

pub mod audit;
pub mod clock;
pub mod config;
mod dispatch;
mod driver;
mod engine;
pub mod explain;
pub mod export;
mod intake;
pub mod journeys;
pub mod orders;
pub mod plan;
pub mod report;
pub mod trial;
mod try_out;

pub use dispatch::Outbound;
pub use driver::{Advance, Desk, DeskError, Driver, Given, Inbox, Until};
pub use engine::{Compile, Counts, Engine, Fate, MigrationError, OpenError, Output};
pub use intake::{Origin, Submission};
pub use try_out::{Draft, To, ToParseError, Tried};
