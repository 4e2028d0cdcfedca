//! Since when have two identifiers been one person? Not here: whether they are (`resolve`).

use std::collections::BTreeSet;

use wayfare_event::{Identifier, Timestamp};

use crate::{Config, EdgeKind, Links, Trust};

/// The earliest time from which two identifiers of one profile hang together by the links as they
/// are now: of all ways from one to the other, the one whose latest link is the earliest (2.2.6).
/// Nothing where there is no way, such as between two profiles.
///
/// `members` are the profile's identifiers. A way goes through them, and through what their anchor
/// holds no longer; it visits each once, so a profile's cap bounds it.
#[must_use]
pub fn linked_at(
    config: &Config,
    links: &Links,
    members: &[Identifier],
    (left, right): (&Identifier, &Identifier),
) -> Option<Timestamp> {
    let members: BTreeSet<&Identifier> = members.iter().collect();
    if !members.contains(left) || !members.contains(right) {
        return None;
    }
    let always = Timestamp::from_micros(i64::MIN);
    let mut settled: BTreeSet<&Identifier> = BTreeSet::new();
    let mut open = BTreeSet::from([(always, left)]);
    while let Some((since, here)) = open.pop_first() {
        if here == right {
            return Some(since);
        }
        if !settled.insert(here) {
            continue;
        }
        let node = links.node(here);
        for edge in node.into_iter().flat_map(|node| node.edges()) {
            let other = &edge.other;
            let goes_on = !settled.contains(other)
                && is_live(config, links, (here, other), edge.kind)
                && (members.contains(other) || was_held(links, &members, other));
            if goes_on {
                open.insert((since.max(edge.since), other));
            }
        }
    }
    None
}

/// Whether a link of this kind joins its ends.
fn is_live(
    config: &Config,
    links: &Links,
    (here, other): (&Identifier, &Identifier),
    kind: EdgeKind,
) -> bool {
    let (anchor, held) = if config.is_anchor(here) {
        (here, other)
    } else {
        (other, here)
    };
    let is_overruled = || {
        let node = links.node(held);
        node.is_some_and(|node| !links.claiming(node, Trust::Verified).is_empty())
    };
    match kind {
        EdgeKind::Claim | EdgeKind::Soft | EdgeKind::Same | EdgeKind::Took => true,
        EdgeKind::Alias => !links.is_void(anchor, held),
        EdgeKind::Unverified => !is_overruled(),
        EdgeKind::UnverifiedAlias => !is_overruled() && !links.is_void(anchor, held),
        EdgeKind::Detached => false,
    }
}

/// Whether the profile's anchor alone claims an identifier that is not in it: one that was evicted,
/// which still leads to its anchor.
fn was_held(links: &Links, members: &BTreeSet<&Identifier>, identifier: &Identifier) -> bool {
    let Some(node) = links.node(identifier) else {
        return false;
    };
    let owners = links.owners(node);
    owners.len() == 1 && owners.is_subset(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{extract, link, resolve};
    use wayfare_event::{Event, IdKey};

    const ANNA: (&str, &str) = ("user_id", "anna");
    const BERT: (&str, &str) = ("user_id", "bert");
    const MAIL: (&str, &str) = ("email", "a@a.io");
    const PHONE: (&str, &str) = ("phone", "+491701234567");
    const WEB: (&str, &str) = ("anonymous_id", "w1");
    const APP: (&str, &str) = ("anonymous_id", "w2");

    /// Tells events, each with the time it is told at, and asks since when two are one.
    fn since(events: &[(&str, i64)], left: (&str, &str), right: (&str, &str)) -> Option<i64> {
        let config = Config::default();
        let mut links = Links::new();
        for (fields, at) in events {
            let event = format!(r#"{{"type":"identify",{fields}}}"#);
            let named = extract(&config, &Event::parse(&event, None).unwrap()).unwrap();
            for change in link(
                &config,
                &links,
                &named,
                Trust::Verified,
                Timestamp::from_micros(*at),
            ) {
                links.apply(&change);
            }
        }
        let key = IdKey::new([7; 32]);
        let partition = resolve(&config, &key, &links);
        let (left, right) = (
            Identifier::new(left.0, left.1),
            Identifier::new(right.0, right.1),
        );
        let profile = partition.profile_of(&left).unwrap();
        let ask = |pair| linked_at(&config, &links, &profile.identifiers, pair);
        let there = ask((&left, &right));
        assert_eq!(there, ask((&right, &left)), "either way");
        there.map(Timestamp::as_micros)
    }

    const ANNA_WEB: &str = r#""userId":"anna","anonymousId":"w1""#;
    const ANNA_MAIL: &str = r#""userId":"anna","traits":{"email":"a@a.io"}"#;
    const BERT_MAIL: &str = r#""userId":"bert","traits":{"email":"a@a.io"}"#;
    const WEB_MAIL: &str = r#""anonymousId":"w1","traits":{"email":"a@a.io"}"#;
    const WEB_PHONE: &str = r#""anonymousId":"w1","traits":{"phone":"+491701234567"}"#;

    #[test]
    fn a_link_holds_from_when_it_was_first_told() {
        let events = [(ANNA_MAIL, 7), (ANNA_MAIL, 9), (ANNA_MAIL, 5)];
        assert_eq!(since(&events, ANNA, MAIL), Some(5));
    }

    #[test]
    fn a_way_is_as_old_as_its_youngest_link() {
        let events = [(ANNA_WEB, 3), (ANNA_MAIL, 7)];
        assert_eq!(since(&events, WEB, MAIL), Some(7));
        assert_eq!(since(&events, ANNA, WEB), Some(3));
    }

    #[test]
    fn of_several_ways_the_oldest_counts() {
        let events = [(WEB_MAIL, 2), (ANNA_WEB, 4), (ANNA_MAIL, 8)];
        assert_eq!(since(&events, WEB, MAIL), Some(2));
        assert_eq!(since(&events, ANNA, MAIL), Some(4));
    }

    #[test]
    fn what_nobody_claims_hangs_together_softly() {
        let events = [(WEB_MAIL, 2), (WEB_PHONE, 6)];
        assert_eq!(since(&events, MAIL, PHONE), Some(6));
    }

    #[test]
    fn nothing_leads_to_another_person_or_through_what_is_contested() {
        let events = [(ANNA_MAIL, 2), (BERT_MAIL, 3)];
        assert_eq!(since(&events, ANNA, MAIL), None);
        assert_eq!(since(&events, ANNA, BERT), None);
        let events = [(WEB_MAIL, 1), (ANNA_MAIL, 2), (BERT_MAIL, 3), (ANNA_WEB, 8)];
        assert_eq!(since(&events, ANNA, WEB), Some(8));
    }

    #[test]
    fn what_an_anchor_holds_no_longer_still_leads_to_it() {
        let mut events = vec![(
            r#""anonymousId":"w1","traits":{"phone":"+491701234567"}"#,
            1,
        )];
        let mails: Vec<String> = (0..6)
            .map(|place| format!(r#""userId":"anna","traits":{{"email":"a{place}@a.io"}}"#))
            .collect();
        let soft = r#""anonymousId":"w2","traits":{"email":"a0@a.io"}"#;
        events.push((soft, 2));
        events.extend(mails.iter().map(|it| it.as_str()).zip(10..));
        assert_eq!(since(&events, ANNA, APP), Some(10));
    }
}
