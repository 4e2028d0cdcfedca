//! Is a category among what was said, given the channel that a record names? Not here: what it then
//! does.
//!
//! A category that is about addresses has one channel, so a record without one speaks of that. Where
//! it is not clear, an acceptance does not count and a refusal does.

use wayfare_event::ConsentAction;

use crate::{Binding, Channel, Record};

/// What the channel of a record narrows it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// The category, as it is.
    Category,
    /// Every channel there is, said in so many words.
    All,
    /// Addresses of one kind.
    Of(Channel),
    /// Messages that go to no address of ours.
    Elsewhere,
    /// A word we do not know.
    Unclear,
}

impl Scope {
    fn of(record: &Record) -> Self {
        let word = record.channel.as_deref();
        let word = word.map(|word| word.trim().to_ascii_lowercase());
        match word.as_deref() {
            None | Some("" | "web" | "server" | "mobile" | "sources") => Self::Category,
            Some("*" | "all") => Self::All,
            Some("email" | "e-mail" | "mail") => Self::Of(Channel::Email),
            Some("phone" | "sms") => Self::Of(Channel::Phone),
            Some("push" | "in_app" | "whatsapp") => Self::Elsewhere,
            Some(_) => Self::Unclear,
        }
    }
}

/// Whether a record counts for its category.
pub(crate) fn covers(record: &Record, binding: Binding) -> bool {
    let refuses = record.action == ConsentAction::Decline;
    match (Scope::of(record), binding) {
        (Scope::Category | Scope::All, _) => true,
        (Scope::Of(channel), Binding::Address(own)) => channel == own,
        (Scope::Elsewhere, Binding::Address(_)) => false,
        (Scope::Of(_) | Scope::Elsewhere, Binding::Profile) | (Scope::Unclear, _) => refuses,
    }
}

/// Whether a record speaks of every channel and the other of one.
pub(crate) fn is_broader(record: &Record, other: &Record) -> bool {
    let narrow = match Scope::of(other) {
        Scope::Category | Scope::All => false,
        Scope::Of(_) | Scope::Elsewhere | Scope::Unclear => true,
    };
    narrow && Scope::of(record) == Scope::All
}
