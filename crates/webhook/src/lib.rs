//! How one request leaves: secrets, signature, guard, client, outcome; and the receiver to try it against.
//!
//! Nothing here decides whether a request may leave, renders it, or repeats it: one call is one
//! attempt. In the order of the story: [`Outgoing`] is what leaves, [`Policy`] says where it may
//! go, [`Client`] sends it, and what came of it is an [`Attempted`].

mod classify;
mod client;
mod connections;
mod dial;
mod network;
mod own;
mod policy;
mod receiver;
mod request;
mod secret;
mod sign;
mod target;
mod verify;

pub use client::{Attempted, Client, Unready};
pub use network::{Network, NetworkParseError};
pub use policy::{Policy, PolicyRefusal};
pub use receiver::{Answers, AnswersParseError, Received, Receiver};
pub use request::{Outgoing, shown_headers};
pub use secret::{REDACTED, SecretError, SecretValue, Secrets};
pub use sign::{SigningKey, SigningKeyError};
pub use target::Target;
pub use verify::{Signature, Verifier};
