//! Which profile is an event about? Not here: which profiles there are (`resolve`).

use wayfare_event::Identifier;

use crate::{Config, Partition, Profile, Standing};

/// The profile of an event that names these identifiers, its links already applied.
///
/// Its anchor's; else that of its best identifier which is some profile's; else the own profile of
/// the best evicted one; else of the best contested one. Best is by rank, then the smaller value
/// (SP 15). Nothing when all of the identifiers are blocked, or none is in the partition.
#[must_use]
pub fn attribute<'a>(
    config: &Config,
    partition: &'a Partition,
    identifiers: &[Identifier],
) -> Option<&'a Profile> {
    let tier = |identifier: &Identifier, profile: &Profile| match profile.standing {
        Standing::Anchored if config.is_anchor(identifier) => Some(0),
        Standing::Anchored | Standing::Loose => Some(1),
        Standing::Evicted => Some(2),
        Standing::Contested => Some(3),
        Standing::Blocked => None,
    };
    identifiers
        .iter()
        .filter_map(|identifier| {
            let profile = partition.profile_of(identifier)?;
            Some((tier(identifier, profile)?, identifier, profile))
        })
        .min_by_key(|(tier, identifier, _)| (*tier, config.order(identifier)))
        .map(|(.., profile)| profile)
}
