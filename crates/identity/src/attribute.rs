//! Which profile is an event about? Not here: which profiles there are (`resolve`).

use wayfare_event::Identifier;

use crate::{Config, Partition, Profile, Standing};

/// The profile of an event that names these identifiers, its links already applied.
///
/// Its anchor's; else that of its best identifier which is some profile's; else the own profile of
/// the best evicted one; else of the best contested one. Best is by rank, then the smaller value
/// (SP 15). Nothing when none of the identifiers is in the partition.
#[must_use]
pub fn attribute<'a>(
    config: &Config,
    partition: &'a Partition,
    identifiers: &[Identifier],
) -> Option<&'a Profile> {
    let tier = |identifier: &Identifier, profile: &Profile| match profile.standing {
        Standing::Anchored if config.is_anchor(identifier) => 0,
        Standing::Anchored | Standing::Loose => 1,
        Standing::Evicted => 2,
        Standing::Contested => 3,
    };
    identifiers
        .iter()
        .filter_map(|identifier| Some((identifier, partition.profile_of(identifier)?)))
        .min_by_key(|(identifier, profile)| (tier(identifier, profile), config.order(identifier)))
        .map(|(_, profile)| profile)
}
