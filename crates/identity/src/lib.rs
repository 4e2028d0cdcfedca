//! Who was it? Identifiers that events name are linked, and profiles are a function of the links.
//!
//! ```text
//! event ─ extract ─► Named ─ reach ─► Links ─ link ─► LinkChange ─ apply ─► Links
//!                                                                            │
//!                     profile of the event ◄─ attribute ─ Partition ◄─ resolve
//! ```
//!
//! Nothing here depends on the order in which events arrived, below the caps of [`limits`]: links
//! only ever keep the first and the last time they were seen, and [`resolve`] is computed from all
//! of them afresh. Nothing here stores anything, merges traits or journeys, or asks for consent.
//!
//! Reading order: [`Config`], [`extract`], [`Links`], [`link`], [`resolve`], [`attribute`],
//! [`reach`].

mod attribute;
mod breaker;
mod class;
mod config;
mod extract;
mod follows;
pub mod limits;
mod link;
mod links;
mod normalise;
mod order;
mod reach;
mod resolve;
mod settled;
mod since;
mod trust;

pub use attribute::attribute;
pub use config::{Class, Config, ConfigError, NamespaceRule, Provider};
pub use extract::{Named, extract};
pub use follows::ChangedNamespace;
pub use link::{LinkChange, LinkLimit, link};
pub use links::{Edge, EdgeKind, Links, Node, is_void};
pub use normalise::{Region, normalise};
pub use order::{detach, is_claimed, merge, unblock};
pub use reach::reach;
pub use resolve::{Partition, Profile, Standing, resolve};
pub use settled::{regroups, settled};
pub use since::linked_at;
pub use trust::Trust;
