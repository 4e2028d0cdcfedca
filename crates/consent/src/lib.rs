//! Whether we may: consent records, choices and verdicts.
//!
//! Two words, two functions. A [`choice`] is what was said: accept, decline or unknown. A
//! [`verdict`] is whether a request may leave: it asks the choice and, where nothing was said, the
//! configuration; as shipped, silence is refused.
//!
//! Records are kept one by one under their subject, and the caller hands in all there are of the
//! profile's identifiers and of the address asked about; which of them count is said here. When two
//! subjects became one person is for identity to say: it is asked where a yes of one meets an
//! address or a no of another. Nothing here stores, loads or merges.
//!
//! Each rule bears the number it has in the text it was made from: 2.2.2 categories, 2.2.3 which
//! records apply, 2.2.4 when a yes overcomes a no, 2.2.5 the verdict.
//!
//! Reading order: [`Record`], [`Config`], [`Question`], [`choice`], [`verdict`]; then [`sources`], which
//! reads what an event says.

mod choice;
mod config;
mod jurisdiction;
mod question;
mod record;
mod scope;
pub mod sources;
mod standing;
mod tree;
mod verdict;

pub use choice::{Choice, choice, may_ask};
pub use config::{Binding, Category, Channel, Class, Config, Strength};
pub use jurisdiction::Jurisdiction;
pub use question::{Question, Said, SuppressionKind, is_address};
pub use record::{Record, RecordKind};
pub use tree::{EVERYTHING, covers, parents};
pub use verdict::{Reason, Verdict, basis, enforcement, evaluate, verdict};
