//! Whether we may: consent records, choices and verdicts.
//!
//! Two words, two functions. A [`choice`] is what was said: accept, decline or unknown. A
//! [`verdict`] is whether a request may leave: it asks the choice and, where nothing was said, the
//! configuration; as shipped, silence is refused.
//!
//! Records stand alone here: whose they are is not said, and the caller hands in exactly those that
//! count. For a category that is about an address: those kept under that address, and those about
//! the person as a whole. For one that is about the person: all of the profile's. What was said
//! before two subjects were one person is for the caller to weigh. Nothing here stores, loads or
//! merges.
//!
//! Reading order: [`Record`], [`Config`], [`choice`], [`verdict`]; then [`sources`], which reads what an
//! event says.

mod choice;
mod config;
mod jurisdiction;
mod record;
mod scope;
pub mod sources;
mod verdict;

pub use choice::{Choice, choice};
pub use config::{Binding, Category, Channel, Class, Config, Strength};
pub use jurisdiction::Jurisdiction;
pub use record::{Record, RecordKind};
pub use verdict::{Question, Reason, Verdict, enforcement, verdict};
