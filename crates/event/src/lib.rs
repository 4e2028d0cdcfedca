//! What happened: the event model of Wayfare, and the words the whole project uses.
//!
//! Bytes become types here, once, at the edge. Nothing in this crate reads a clock, a file, the
//! environment or chance, and nothing in it decides anything.
//!
//! # Glossary
//!
//! One noun, one meaning, in code, docs, HTTP, command line and YAML.
//!
//! | word | meaning |
//! |---|---|
//! | *event* | something that happened, as a source told it: track, identify, page, screen, group, alias, consent |
//! | *identifier* | a namespace and a value that somebody is known by, such as `email` and an address |
//! | *profile* | one person: the identifiers that resolve together, and what is known of them |
//! | *account* | an organisation a profile joined by a group event |
//! | *category* | what consent is for, such as `marketing` |
//! | *choice* | what was said about a category: accept, decline or unknown |
//! | *verdict* | whether a request may leave: allowed or not, the reason, the records relied on |
//! | *journey* | a definition, as its author wrote it |
//! | *graph* | a journey, checked and compiled |
//! | *block* | a node of a graph |
//! | *instance* | one profile's walk through one graph |
//! | *decision* | how an instance ended, with its outcome |
//! | *delivery* | the one request a `webhook` decision owes |
//! | *attempt* | one try to send a delivery |
//! | *input* | anything that makes the engine decide: an event, a timer, a finished attempt, … |
//! | *snapshot* | everything one step may know |
//! | *effects* | everything a step may cause: changes |
//! | *change* | one durable delta with a meaning |
//! | *trace* | why, in order |
//! | *sweep* | a durable cursor over more profiles than one step may touch |
//! | *history* | the logged inputs and changes of the past |
//!
//! Reading order: [`Event`], [`Value`], [`Timestamp`], [`ProfileId`] and its siblings, [`limits`].

mod event;
mod id;
mod identifier;
mod import;
mod json;
pub mod limits;
mod number;
mod rejection;
mod serial;
mod time;
mod value;

pub use event::{ConsentAction, ConsentStatement, Event, EventKind};
pub use id::{
    DecisionId, DeliveryId, IdKey, IdParseError, IdentifierHash, InstanceId, MessageHash,
    ProfileId, TargetId,
};
pub use identifier::{Identifier, Namespace};
pub use number::Number;
pub use rejection::{Rejection, RejectionCode};
pub use time::{Timestamp, TimestampParseError};
pub use value::{Map, Value};
