//! Do too many persons claim one thing at once? Then it is nobody's: a shop's tablet, a test phone,
//! somebody's idea of a default. Not here: what an operator does about it (`order`).

use std::collections::BTreeMap;

use wayfare_event::{Identifier, Timestamp};

use crate::limits::{CROWD, CROWD_US};
use crate::{Class, Config, EdgeKind, LinkChange, Links, Node, Trust};

/// Persons that make a crowd of one more.
const OTHERS: usize = CROWD - 1;

/// The circuit breaker (2.1.3, auto-block): the first claim of a person blocks its identifier when it
/// makes [`CROWD`] persons whose first claims that count lie within [`CROWD_US`] of each other. It need
/// not be kept itself; of earlier ones, those that are kept are known.
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
    if claimants.len() < OTHERS {
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
    let mut firsts: BTreeMap<&Identifier, Timestamp> = BTreeMap::new();
    for claimant in claimants {
        if let Some(since) = first_claim(node, claimant, trust) {
            let first = firsts.entry(links.lead(claimant)).or_insert(since);
            *first = since.min(*first);
        }
    }
    let is_new = !firsts.contains_key(links.lead(anchor));
    (is_new && is_crowd(firsts.into_values().collect(), at)).then(|| LinkChange::Blocked {
        identifier: identifier.clone(),
        at,
    })
}

fn first_claim(node: &Node, claimant: &Identifier, trust: Trust) -> Option<Timestamp> {
    let kinds = [EdgeKind::told(trust, false), EdgeKind::told(trust, true)];
    let times = kinds.iter().filter_map(|kind| node.times(claimant, *kind));
    times.map(|(since, _)| since).min()
}

/// Whether one more claim, at `at`, lies within a day with enough of these.
fn is_crowd(mut others: Vec<Timestamp>, at: Timestamp) -> bool {
    others.sort();
    others.windows(OTHERS).any(|within| {
        let ends = within.first().zip(within.last());
        ends.is_some_and(|(first, last)| at.max(*last).micros_since(at.min(*first)) <= CROWD_US)
    })
}
