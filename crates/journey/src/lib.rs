//! What an author writes: journeys in YAML, their checked graphs, expressions and templates.
//!
//! Three stages, three types: a definition (what the file says, with spans), a graph (checked and
//! frozen; an illegal graph has no type), and, in the executor, an instance (a position in it).

pub mod address;
pub mod definition;
pub mod diagnostic;
pub mod duration;
pub mod expression;
mod parse;
mod template;
mod yaml;

pub use parse::parse;
