//! The journey graph executor: what follows from one input.
//!
//! [`step`] is the whole engine: a pure, total function from a [`Catalog`] of journeys, a
//! [`Snapshot`] of rows and one [`Input`] to its [`Effects`]. Whoever calls it loads the rows it
//! asks for, keeps the changes it makes, and sends what it owes; `wayfare-runtime` is one such
//! caller, your own loop can be another.
//!
//! Reading order: [`step`], [`Input`], [`Effects`], [`Change`], [`record`], [`delivery`].

mod apply;
mod catalog;
mod change;
pub mod delivery;
mod effects;
mod input;
pub mod record;
mod refusal;
mod snapshot;
mod step;
mod trace;
pub mod view;

pub use catalog::{Catalog, Published, Sending};
pub use change::Change;
pub use effects::Effects;
pub use input::{Happened, Input, InputKind, Timer};
pub use record::{Key, Row};
pub use refusal::RefusalCode;
pub use snapshot::Snapshot;
pub use step::step;
pub use trace::{Note, Trace};
