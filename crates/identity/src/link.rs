//! Which links does an event add or renew? Not here: loading them (`reach`), or what they mean.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wayfare_event::{Identifier, Timestamp};

use crate::breaker::trips;
use crate::limits::{
    ANCHORS_PER_PROFILE_MAX, CLAIMS_PER_IDENTIFIER_MAX, IDENTIFIERS_PER_PROFILE_MAX,
};
use crate::{Config, EdgeKind, Links, Named, Trust};

/// One change of what is known, made by [`Links::apply`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkChange {
    /// An identifier was named for the first time. Histories from before [`Self::SeenAt`] have it.
    Seen(Identifier),
    /// An identifier was named for the first time, or at an earlier time than any that is known.
    SeenAt {
        /// The identifier.
        identifier: Identifier,
        /// When, by the event's time.
        at: Timestamp,
    },
    /// An identifier whose person was erased is another person's from now on.
    Anew {
        /// The identifier.
        identifier: Identifier,
        /// Which person of those that went by it.
        epoch: u64,
    },
    /// A link was told, for the first time or outside the times it had been told before.
    Linked {
        /// Its ends; of a claim, an alias or what undoes one the anchor is the first, of a merge the
        /// anchor that was taken into the other.
        ends: [Identifier; 2],
        /// Why they are linked.
        kind: EdgeKind,
        /// When, by the event's time.
        at: Timestamp,
    },
    /// A link was told and is not kept; the event itself stands.
    Refused {
        /// Its ends, as of a link that is kept.
        ends: [Identifier; 2],
        /// Why they would be linked.
        kind: EdgeKind,
        /// What it would have passed.
        limit: LinkLimit,
    },
    /// Too many persons claimed an identifier at once: it is nobody's from now on.
    Blocked {
        /// The identifier.
        identifier: Identifier,
        /// When, by the time of the event that was one too many.
        at: Timestamp,
    },
    /// An operator let a blocked identifier go.
    Unblocked(Identifier),
}

/// The caps a new link can pass. They keep a person's data small, and beyond them the result may
/// depend on order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkLimit {
    /// [`CLAIMS_PER_IDENTIFIER_MAX`].
    Claims,
    /// [`IDENTIFIERS_PER_PROFILE_MAX`].
    Profile,
    /// [`ANCHORS_PER_PROFILE_MAX`].
    Joins,
}

impl LinkLimit {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claims => "claims_per_identifier",
            Self::Profile => "identifiers_per_profile",
            Self::Joins => "anchors_per_profile",
        }
    }
}

/// What an event that names these identifiers changes in the links (2.1.4).
///
/// With an anchor, the anchor claims each of the others; without one, each pair is linked softly.
/// A link told again at a time between its first and its last changes nothing, and neither does a
/// claim that a later detach undoes, nor what is told of a blocked identifier. Caps are judged by the
/// links as they were before the event.
#[must_use]
pub fn link(
    config: &Config,
    links: &Links,
    named: &Named,
    trust: Trust,
    at: Timestamp,
) -> Vec<LinkChange> {
    let identifiers = named.identifiers();
    let is_earlier = |identifier: &&Identifier| {
        let node = links.node(identifier);
        node.is_none_or(|node| node.since().is_some_and(|since| at < since))
    };
    let seen = |identifier: &Identifier| LinkChange::SeenAt {
        identifier: identifier.clone(),
        at,
    };
    let mut changes: Vec<LinkChange> = identifiers.iter().filter(is_earlier).map(seen).collect();
    let free = || identifiers.iter().filter(|it| !links.is_blocked(it));
    let mut tell = |left: &Identifier, right: &Identifier, kind| {
        let ends = [left.clone(), right.clone()];
        let Some(told) = told(config, links, ends, kind, at) else {
            return;
        };
        let is_claimed = match &told {
            LinkChange::Refused { limit, .. } => *limit == LinkLimit::Claims,
            LinkChange::Linked { .. }
            | LinkChange::Seen(_)
            | LinkChange::SeenAt { .. }
            | LinkChange::Anew { .. }
            | LinkChange::Blocked { .. }
            | LinkChange::Unblocked(_) => true,
        };
        changes.push(told);
        // Also by a claim that finds no room among those of a crowd.
        if is_claimed {
            changes.extend(trips(config, links, (left, right), kind, at));
        }
    };
    if let Some(anchor) = identifiers.iter().find(|it| config.is_anchor(it)) {
        for other in free().filter(|it| !config.is_anchor(it)) {
            let is_alias = named.previous() == Some(other);
            tell(anchor, other, EdgeKind::told(trust, is_alias));
        }
    } else {
        for (place, left) in free().enumerate() {
            for right in free().skip(place.saturating_add(1)) {
                tell(left, right, EdgeKind::Soft);
            }
        }
    }
    changes
}

/// One link as it is told: nothing when it says nothing new.
pub(crate) fn told(
    config: &Config,
    links: &Links,
    ends: [Identifier; 2],
    kind: EdgeKind,
    at: Timestamp,
) -> Option<LinkChange> {
    let [left, right] = &ends;
    let node = links.node(left);
    if node
        .and_then(|node| node.detached(right, kind))
        .is_some_and(|until| at <= until)
    {
        return None;
    }
    if let Some((since, latest)) = node.and_then(|node| node.times(right, kind)) {
        let covered = (since..=latest).contains(&at);
        return (!covered).then_some(LinkChange::Linked { ends, kind, at });
    }
    Some(match passed(config, links, &ends, kind) {
        Some(limit) => LinkChange::Refused { ends, kind, limit },
        None => LinkChange::Linked { ends, kind, at },
    })
}

fn passed(
    config: &Config,
    links: &Links,
    ends: &[Identifier; 2],
    kind: EdgeKind,
) -> Option<LinkLimit> {
    let [left, right] = ends;
    let claims = |trust| {
        let node = links.node(right);
        node.map_or(0, |node| links.claiming(node, trust).len())
    };
    let from = match kind {
        EdgeKind::Claim | EdgeKind::Alias => match claims(Trust::Verified) {
            CLAIMS_PER_IDENTIFIER_MAX.. => return Some(LinkLimit::Claims),
            // A second claim makes the identifier contested: nothing is joined through it.
            1.. => vec![left],
            0 => vec![left, right],
        },
        EdgeKind::Unverified | EdgeKind::UnverifiedAlias => {
            let claims = claims(Trust::Verified).saturating_add(claims(Trust::Unverified));
            match claims {
                CLAIMS_PER_IDENTIFIER_MAX.. => return Some(LinkLimit::Claims),
                1.. => vec![left],
                0 => vec![left, right],
            }
        }
        EdgeKind::Same | EdgeKind::Took => {
            let class = links.class(left);
            if class.union(&links.class(right)).count() > ANCHORS_PER_PROFILE_MAX {
                return Some(LinkLimit::Joins);
            }
            vec![left, right]
        }
        // What is nobody's is not looked beyond, and would take in all that ever come by.
        EdgeKind::Soft if ends.iter().any(|end| is_full(links, end)) => {
            return Some(LinkLimit::Profile);
        }
        EdgeKind::Soft => vec![left, right],
        EdgeKind::Detached => return None,
    };
    (reached(config, links, from) > IDENTIFIERS_PER_PROFILE_MAX).then_some(LinkLimit::Profile)
}

/// Whether an identifier has as many links as a profile may have identifiers.
fn is_full(links: &Links, identifier: &Identifier) -> bool {
    let node = links.node(identifier);
    node.is_some_and(|node| node.edges().len() >= IDENTIFIERS_PER_PROFILE_MAX)
}

/// How many identifiers these hang together with, not looking beyond what is nobody's; counts to
/// one more than the cap.
fn reached(config: &Config, links: &Links, from: Vec<&Identifier>) -> usize {
    let mut seen: BTreeSet<&Identifier> = from.iter().copied().collect();
    let mut open = from;
    while let Some(identifier) = open.pop() {
        let Some(node) = links.node(identifier) else {
            continue;
        };
        let mut meet = |other| {
            if seen.insert(other) {
                open.push(other);
            }
        };
        if config.is_anchor(identifier) {
            node.joined().for_each(&mut meet);
            node.claimed().for_each(|(other, ..)| meet(other));
        } else if node.blocked().is_none() {
            let claimants = links.claimants(node);
            let is_single = claimants.len() < 2 || links.owners(node).len() < 2;
            if is_single {
                claimants.into_iter().for_each(&mut meet);
                node.others(EdgeKind::Soft).for_each(&mut meet);
            }
        }
        if seen.len() > IDENTIFIERS_PER_PROFILE_MAX {
            break;
        }
    }
    seen.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract;
    use wayfare_event::Event;

    fn tell(links: &mut Links, json: &str, at_us: i64) -> Vec<LinkChange> {
        let config = Config::default();
        let named = extract(&config, &Event::parse(json, None).unwrap()).unwrap();
        let changes = link(
            &config,
            links,
            &named,
            Trust::Verified,
            Timestamp::from_micros(at_us),
        );
        for change in &changes {
            links.apply(change);
        }
        changes
    }

    fn page(user: &str, browser: &str) -> String {
        format!(r#"{{"type":"page","userId":"{user}","anonymousId":"{browser}"}}"#)
    }

    #[test]
    fn only_a_time_outside_those_told_renews_a_link() {
        let mut links = Links::new();
        let changes = |links: &mut Links, at_us| tell(links, &page("u", "w"), at_us).len();
        assert_eq!(changes(&mut links, 5), 3);
        assert_eq!(changes(&mut links, 9), 1);
        assert_eq!(changes(&mut links, 7), 0);
        // Earlier than all there was: of both identifiers, too.
        assert_eq!(changes(&mut links, 2), 3);
        let node = links.node(&Identifier::new("user_id", "u")).unwrap();
        let edge = &node.edges()[0];
        assert_eq!((edge.since.as_micros(), edge.latest.as_micros()), (2, 9));
    }

    #[test]
    fn the_ninth_claim_is_refused() {
        let mut links = Links::new();
        let day_us = 24 * 60 * 60 * 1_000_000;
        for user in 1..=9 {
            let told_us = user * day_us;
            let changes = tell(&mut links, &page(&format!("u{user}"), "kiosk"), told_us);
            let refused = changes.iter().any(|it| {
                matches!(
                    it,
                    LinkChange::Refused {
                        limit: LinkLimit::Claims,
                        ..
                    }
                )
            });
            assert_eq!(refused, user == 9, "{user}");
        }
    }

    #[test]
    fn a_profile_takes_no_more_than_its_cap() {
        let mut links = Links::new();
        for browser in 1..=1_001 {
            let changes = tell(&mut links, &page("u", &format!("w{browser}")), browser);
            assert_eq!(is_beyond(&changes), browser >= 1_000, "{browser}");
        }
    }

    fn is_beyond(changes: &[LinkChange]) -> bool {
        let is_it = |it: &LinkChange| {
            matches!(
                it,
                LinkChange::Refused {
                    limit: LinkLimit::Profile,
                    ..
                }
            )
        };
        changes.iter().any(is_it)
    }

    #[test]
    fn what_is_shared_takes_no_more_visitors_than_a_profile_takes_identifiers() {
        let mut links = Links::new();
        for user in ["u", "v"] {
            tell(&mut links, &page(user, "tablet"), 1);
        }
        for visitor in 1..=1_001 {
            let event = format!(
                r#"{{"type":"page","anonymousId":"tablet",
                    "context":{{"traits":{{"email":"a{visitor}@x.example"}}}}}}"#
            );
            let changes = tell(&mut links, &event, 2);
            assert_eq!(is_beyond(&changes), visitor > 998, "{visitor}");
        }
        let tablet = links.node(&Identifier::new("anonymous_id", "tablet"));
        assert_eq!(tablet.unwrap().edges().len(), 1_000);
        // Persons still claim it.
        assert!(!is_beyond(&tell(&mut links, &page("w", "tablet"), 3)));
    }
}
