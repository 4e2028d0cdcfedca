//! Whether we may: consent records, choices and verdicts.
//!
//! Two words, two functions. A [`choice`] is what was said: accept, decline or unknown. A
//! [`verdict`] is whether a request may leave: it asks the choice and, where nothing was said, the
//! configuration; as shipped, silence is refused. Which records count for whom (an address, a
//! person) is for the executor to hand in; nothing here stores, loads or merges.
//!
//! Reading order: [`Record`], [`Config`], [`choice`], [`verdict`].

mod choice;
mod config;
mod jurisdiction;
mod record;
mod verdict;

pub use choice::{Choice, choice};
pub use config::{Binding, Category, Channel, Class, Config, Strength};
pub use jurisdiction::Jurisdiction;
pub use record::{Record, RecordKind};
pub use verdict::{Question, Reason, Verdict, enforcement, verdict};
