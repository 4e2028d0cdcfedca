//! Which links does an event add or renew? Not here: loading them (`reach`), or what they mean.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wayfare_event::{Identifier, Timestamp};

use crate::limits::{CLAIMS_PER_IDENTIFIER_MAX, IDENTIFIERS_PER_PROFILE_MAX};
use crate::{Config, EdgeKind, Links, Named};

/// One change of what is known, made by [`Links::apply`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkChange {
    /// An identifier was named for the first time.
    Seen(Identifier),
    /// An identifier whose person was erased is another person's from now on.
    Anew {
        /// The identifier.
        identifier: Identifier,
        /// Which person of those that went by it.
        epoch: u64,
    },
    /// A link was told, for the first time or outside the times it had been told before.
    Linked {
        /// Its ends; of a claim or an alias the anchor is the first.
        ends: [Identifier; 2],
        /// Why they are linked.
        kind: EdgeKind,
        /// When, by the event's time.
        at: Timestamp,
    },
    /// A link was told and is not kept; the event itself stands.
    Refused {
        /// Its ends; of a claim or an alias the anchor is the first.
        ends: [Identifier; 2],
        /// Why they would be linked.
        kind: EdgeKind,
        /// What it would have passed.
        limit: LinkLimit,
    },
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
}

impl LinkLimit {
    /// The word for it in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claims => "claims_per_identifier",
            Self::Profile => "identifiers_per_profile",
        }
    }
}

/// What an event that names these identifiers changes in the links.
///
/// With an anchor, the anchor claims each of the others; without one, each pair is linked softly.
/// A link told again at a time between its first and its last changes nothing. Caps are judged by
/// the links as they were before the event.
#[must_use]
pub fn link(config: &Config, links: &Links, named: &Named, at: Timestamp) -> Vec<LinkChange> {
    let identifiers = named.identifiers();
    let mut changes: Vec<LinkChange> = identifiers
        .iter()
        .filter(|identifier| links.node(identifier).is_none())
        .cloned()
        .map(LinkChange::Seen)
        .collect();
    let anchor = identifiers.iter().find(|it| config.is_anchor(it));
    let mut tell = |left: &Identifier, right: &Identifier, kind| {
        let ends = [left.clone(), right.clone()];
        changes.extend(told(config, links, ends, kind, at));
    };
    if let Some(anchor) = anchor {
        for other in identifiers.iter().filter(|it| !config.is_anchor(it)) {
            let aliased = named.previous() == Some(other);
            let kind = if aliased {
                EdgeKind::Alias
            } else {
                EdgeKind::Claim
            };
            tell(anchor, other, kind);
        }
    } else {
        for (place, left) in identifiers.iter().enumerate() {
            for right in identifiers.iter().skip(place + 1) {
                tell(left, right, EdgeKind::Soft);
            }
        }
    }
    changes
}

fn told(
    config: &Config,
    links: &Links,
    ends: [Identifier; 2],
    kind: EdgeKind,
    at: Timestamp,
) -> Option<LinkChange> {
    let [left, right] = &ends;
    let held = links.node(left).and_then(|node| node.times(right, kind));
    if let Some((since, latest)) = held {
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
    let claims = links
        .node(right)
        .map_or(0, |node| links.claimants(node).len());
    let from = match kind {
        EdgeKind::Claim | EdgeKind::Alias if claims >= CLAIMS_PER_IDENTIFIER_MAX => {
            return Some(LinkLimit::Claims);
        }
        // A second claim makes the identifier contested: nothing is joined through it.
        EdgeKind::Claim | EdgeKind::Alias if claims > 0 => vec![left],
        EdgeKind::Claim | EdgeKind::Alias | EdgeKind::Soft => vec![left, right],
    };
    (joined(config, links, from) > IDENTIFIERS_PER_PROFILE_MAX).then_some(LinkLimit::Profile)
}

/// How many identifiers these hang together with, not looking beyond contested ones; counts to
/// one more than the cap.
fn joined(config: &Config, links: &Links, from: Vec<&Identifier>) -> usize {
    let mut seen: BTreeSet<&Identifier> = from.iter().copied().collect();
    let mut open = from;
    while let Some(identifier) = open.pop() {
        let Some(node) = links.node(identifier) else {
            continue;
        };
        if !config.is_anchor(identifier) && links.claimants(node).len() > 1 {
            continue;
        }
        for other in node.neighbours() {
            if seen.len() > IDENTIFIERS_PER_PROFILE_MAX {
                return seen.len();
            }
            if seen.insert(other) {
                open.push(other);
            }
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
        let changes = link(&config, links, &named, Timestamp::from_micros(at_us));
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
        assert_eq!(changes(&mut links, 2), 1);
        let node = links.node(&Identifier::new("user_id", "u")).unwrap();
        let edge = node.edges().next().unwrap();
        assert_eq!((edge.since.as_micros(), edge.latest.as_micros()), (2, 9));
    }

    #[test]
    fn the_ninth_claim_is_refused() {
        let mut links = Links::new();
        for user in 1..=9 {
            let changes = tell(&mut links, &page(&format!("u{user}"), "kiosk"), user);
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
            let refused = changes.iter().any(|it| {
                matches!(
                    it,
                    LinkChange::Refused {
                        limit: LinkLimit::Profile,
                        ..
                    }
                )
            });
            assert_eq!(refused, browser >= 1_000, "{browser}");
        }
    }
}
