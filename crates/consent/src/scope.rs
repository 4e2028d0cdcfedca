//! Is a category among what was said, given the category and the channel that a record names? Not
//! here: what it then does.
//!
//! A category that is about addresses has one channel, so a record without one speaks of that. Where
//! it is not clear, an acceptance does not count and a refusal does.

use wayfare_event::ConsentAction;

use crate::{Binding, Channel, Config, Record, tree};

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

/// The words for a channel, without regard to case.
const WORDS: [(&str, Scope); 15] = [
    ("", Scope::Category),
    ("web", Scope::Category),
    ("server", Scope::Category),
    ("mobile", Scope::Category),
    ("sources", Scope::Category),
    ("*", Scope::All),
    ("all", Scope::All),
    ("email", Scope::Of(Channel::Email)),
    ("e-mail", Scope::Of(Channel::Email)),
    ("mail", Scope::Of(Channel::Email)),
    ("phone", Scope::Of(Channel::Phone)),
    ("sms", Scope::Of(Channel::Phone)),
    ("push", Scope::Elsewhere),
    ("in_app", Scope::Elsewhere),
    ("whatsapp", Scope::Elsewhere),
];

impl Scope {
    fn of(record: &Record) -> Self {
        let Some(written) = record.channel.as_deref().map(str::trim) else {
            return Self::Category;
        };
        let known = WORDS.iter();
        let mut known = known.filter(|(word, _)| word.eq_ignore_ascii_case(written));
        known.next().map_or(Self::Unclear, |(_, scope)| *scope)
    }
}

/// Whether a record speaks of a category with this binding.
pub(crate) fn covers(record: &Record, category: &str, binding: Binding) -> bool {
    if !tree::covers(&record.category, category) {
        return false;
    }
    let refuses = record.action == ConsentAction::Decline;
    match (Scope::of(record), binding) {
        (Scope::Category | Scope::All, _) => true,
        (Scope::Of(channel), Binding::Address(own)) => channel == own,
        (Scope::Elsewhere, Binding::Address(_)) => false,
        (Scope::Of(_) | Scope::Elsewhere, Binding::Profile) | (Scope::Unclear, _) => refuses,
    }
}

/// Whether a record speaks of no more than another does. A category that is configured is as wide as
/// it is, whatever it is part of; one that is not, such as `*`, speaks of every channel.
pub(crate) fn is_within(config: &Config, record: &Record, other: &Record) -> bool {
    let every_channel = match Scope::of(record) {
        Scope::All => true,
        Scope::Category => config.category(&record.category).is_none(),
        Scope::Of(_) | Scope::Elsewhere | Scope::Unclear => false,
    };
    let other_is_narrow = match Scope::of(other) {
        Scope::Category | Scope::All => false,
        Scope::Of(_) | Scope::Elsewhere | Scope::Unclear => true,
    };
    tree::covers(&other.category, &record.category) && !(every_channel && other_is_narrow)
}
