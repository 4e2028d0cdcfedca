//! Do too many persons claim one thing at once? Then it is nobody's: a shop's tablet, a test phone,
//! somebody's idea of a default. Not here: what an operator does about it (`order`).

use std::collections::BTreeMap;

use wayfare_event::{Identifier, Timestamp};

use crate::limits::{CROWD, CROWD_US};
use crate::{Class, Config, EdgeKind, LinkChange, Links, Trust};

/// The circuit breaker (2.1.3, auto-block): a new claim blocks its identifier when it makes
/// [`CROWD`] persons whose first claims that count lie within [`CROWD_US`] of each other.
pub(crate) fn trips(
    config: &Config,
    links: &Links,
    (anchor, identifier): (&Identifier, &Identifier),
    kind: EdgeKind,
    at: Timestamp,
) -> Option<LinkChange> {
    let trust = match kind {
        EdgeKind::Claim | EdgeKind::Alias => Trust::Verified,
        EdgeKind::Unverified | EdgeKind::UnverifiedAlias => Trust::Unverified,
        EdgeKind::Soft | EdgeKind::Same | EdgeKind::Took | EdgeKind::Detached => return None,
    };
    let node = links.node(identifier)?;
    let claimants = links.claiming(node, trust);
    // Most identifiers have one claim or none.
    if claimants.len() + 1 < CROWD || claimants.contains(anchor) {
        return None;
    }
    let is_overruled =
        trust == Trust::Unverified && !links.claiming(node, Trust::Verified).is_empty();
    let blocks = config
        .rule(&identifier.namespace)
        .is_some_and(|rule| match rule.class {
            Class::Address | Class::Device | Class::Session => true,
            Class::Anchor => false,
        });
    if is_overruled || !blocks {
        return None;
    }
    let mut firsts = BTreeMap::from([(links.lead(anchor), at)]);
    for claimant in claimants {
        let kinds = [EdgeKind::told(trust, false), EdgeKind::told(trust, true)];
        let times = kinds.iter().filter_map(|kind| node.times(claimant, *kind));
        if let Some(since) = times.map(|(since, _)| since).min() {
            let first = firsts.entry(links.lead(claimant)).or_insert(since);
            *first = since.min(*first);
        }
    }
    let earliest = firsts.values().min()?;
    let is_crowd =
        firsts.len() >= CROWD && firsts.values().max()?.micros_since(*earliest) <= CROWD_US;
    is_crowd.then(|| LinkChange::Blocked {
        identifier: identifier.clone(),
        at,
    })
}
