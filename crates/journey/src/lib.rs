//! What an author writes: journeys in YAML, their checked graphs, expressions and templates.
//!
//! Three stages, three types: a definition (what the file says, with spans), a [`Graph`] (checked
//! and frozen; an illegal graph has no type), and, in the executor, an instance (a position in it).
//!
//! Reading order: [`definition`], [`compile`], [`Graph`], [`expression`], [`Webhook::render`].

pub mod address;
pub mod calendar;
mod check;
mod compile;
pub mod cron;
pub mod definition;
pub mod diagnostic;
mod draw;
pub mod duration;
pub mod expression;
mod graph;
mod header;
mod known;
mod parse;
mod render;
pub mod schema;
pub mod spelling;
mod template;
pub mod trial;
mod types;
mod url;
mod version;
pub mod yaml;

pub use check::near_miss::{NameUse, Open, near_misses};
pub use compile::{Compiled, compile};
pub use draw::{Drawing, draw};
pub use graph::{
    Again, Arm, Block, BlockId, Consent, Entry, EntryLimit, EventMatch, ExitRule, Graph, Heard,
    Kept, Migrate, Split, SplitArm, TraitChange, TraitOf, Trigger, TriggerOn, UntilDate, UntilTime,
    WaitItem, WaitZone, Webhook,
};
pub use known::Known;
pub use parse::{fields, parse};
pub use render::{Payload, RenderError, Rendered, Template, Unfit};
pub use types::{Types, ValueType};
pub use url::{UrlTemplate, Vet};
pub use version::{Version, VersionParseError};
