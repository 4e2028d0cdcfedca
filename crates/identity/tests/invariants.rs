//! Does what must hold for any events hold for random ones? The invariants of 2.1.10 by their numbers;
//! 7 and 13 are shown where traits and journeys are (`wayfare_executor`), 11 where persons are erased.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test target: an assumption that fails is a test that fails"
)]

#[path = "invariants/reference.rs"]
mod reference;
#[path = "invariants/streams.rs"]
mod streams;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wayfare_event::{IdKey, Identifier, ProfileId, Timestamp};
use wayfare_identity::{
    EdgeKind, Links, Named, Node, Partition, Standing, attribute, normalise, regroups, resolve,
    settled,
};

use reference::{Person, Reference};
use streams::{Told, What, asserted, config, hear, load, names, stream, told, with_crowds};

fn links_of(events: &[Told]) -> Links {
    let mut links = Links::new();
    events.iter().for_each(|told| hear(&mut links, told));
    links
}

fn partition(links: &Links) -> Partition {
    resolve(&config(), &IdKey::STATELESS, links)
}

/// Who is whom, and by which identifier their ids are derived.
fn persons(links: &Links) -> BTreeSet<Person> {
    partition(links)
        .profiles()
        .map(|profile| Person {
            lead: profile.identifiers[0].clone(),
            identifiers: profile.identifiers.iter().cloned().collect(),
        })
        .collect()
}

fn is_anchor(identifier: &Identifier) -> bool {
    identifier.namespace.as_str() == "user_id"
}

fn shuffled() -> impl Strategy<Value = (Vec<Told>, Vec<Told>)> {
    stream().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle()))
}

fn stored(links: &Links) -> BTreeMap<Identifier, Node> {
    let nodes = links.nodes();
    nodes
        .map(|it| (it.identifier().clone(), it.clone()))
        .collect()
}

/// No more of the links than what an event names and one anchor.
fn few(links: &Links, named: &Named, anchor: &Identifier) -> Links {
    let mut few = Links::new();
    let names = named.identifiers().iter().chain([anchor]);
    let nodes = names.filter_map(|it| links.node(it));
    nodes.for_each(|node| few.put(node.clone()));
    few
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn invariant_01_every_identifier_is_in_exactly_one_profile(events in with_crowds()) {
        let links = links_of(&events);
        let partition = partition(&links);
        let listed: Vec<&Identifier> =
            partition.profiles().flat_map(|profile| &profile.identifiers).collect();
        let all: BTreeSet<&Identifier> = links.nodes().map(Node::identifier).collect();
        prop_assert_eq!(listed.len(), all.len());
        prop_assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), all);
        let ids: BTreeSet<ProfileId> = partition.profiles().map(|profile| profile.id).collect();
        prop_assert_eq!(ids.len(), partition.profiles().count());
    }

    #[test]
    fn invariant_02_a_profile_has_one_class_of_anchors_at_most(events in with_crowds()) {
        let links = links_of(&events);
        for profile in partition(&links).profiles() {
            let anchors: BTreeSet<&Identifier> =
                profile.identifiers.iter().filter(|it| is_anchor(it)).collect();
            prop_assert_eq!(anchors.is_empty(), profile.standing != Standing::Anchored);
            // Whoever is here is joined with all the others by what an operator said.
            let mut class: BTreeSet<&Identifier> = anchors.iter().take(1).copied().collect();
            for _ in 0..anchors.len() {
                let edges = class.iter().filter_map(|it| links.node(it)).flat_map(|it| it.edges());
                let joins = edges.filter(|it| matches!(it.kind, EdgeKind::Same | EdgeKind::Took));
                let joined: BTreeSet<Identifier> = joins.map(|it| it.other.clone()).collect();
                class.extend(anchors.iter().filter(|it| joined.contains(**it)));
            }
            prop_assert_eq!(class, anchors);
        }
    }

    #[test]
    fn invariant_03_profiles_depend_neither_on_order_nor_on_copies((events, shuffled) in shuffled()) {
        let once = partition(&links_of(&events));
        prop_assert_eq!(&once, &partition(&links_of(&shuffled)));
        let twice = [events, shuffled].concat();
        prop_assert_eq!(once, partition(&links_of(&twice)));
    }

    #[test]
    fn invariant_04_normalising_twice_is_once_and_placeholders_name_nobody(
        raw in "(\\PC|[ \t\"'])*|[ 0-9+()/.-]{4,20}|[\\PC ]{1,8}@[a-zA-Z.-]{1,8}|null|0|-1",
        events in with_crowds(),
    ) {
        let config = config();
        for rule in config.namespaces() {
            if let Some(once) = normalise(&config, &rule.name, &raw) {
                let twice = normalise(&config, &rule.name, &once);
                prop_assert_eq!(twice.as_deref(), Some(&*once));
            }
        }
        for profile in partition(&links_of(&events)).profiles() {
            for it in &profile.identifiers {
                let kept = normalise(&config, &it.namespace, &it.value);
                prop_assert_eq!(kept.as_deref(), Some(&*it.value));
            }
        }
    }

    #[test]
    fn invariant_05_the_id_of_an_anchored_profile_depends_on_its_class_only(events in with_crowds()) {
        let links = links_of(&events);
        let mut only_orders = Links::new();
        let is_order = |it: &&Told| matches!(it.what, What::Merge(..) | What::Detach(..));
        events.iter().filter(is_order).for_each(|it| hear(&mut only_orders, it));
        let by_orders = partition(&only_orders);
        for profile in partition(&links).profiles() {
            if let Some(anchor) = profile.anchor() {
                let merged = by_orders.profile_of(anchor).and_then(|it| it.anchor().cloned());
                let lead = merged.unwrap_or_else(|| anchor.clone());
                let expected = ProfileId::derive(&IdKey::STATELESS, 1, "user_id", &lead.value);
                prop_assert_eq!(profile.id, expected);
            }
        }
    }

    #[test]
    fn invariant_06_every_former_id_is_found_in_a_live_profile(events in with_crowds()) {
        let own = |it: &Identifier| {
            ProfileId::derive(&IdKey::STATELESS, 1, it.namespace.as_str(), &it.value)
        };
        let mut links = Links::new();
        let mut ever: BTreeSet<ProfileId> = BTreeSet::new();
        for told in &events {
            hear(&mut links, told);
            ever.extend(partition(&links).profiles().map(|profile| profile.id));
        }
        let partition = partition(&links);
        let find = |id: ProfileId| {
            let mut of = partition.profiles();
            of.find(|it| it.identifiers.iter().any(|it| own(it) == id)).map(|it| it.id)
        };
        for id in ever {
            let found = find(id);
            prop_assert!(found.is_some());
            prop_assert_eq!(find(found.unwrap()), found);
        }
    }

    #[test]
    fn invariant_08_events_move_no_anchor_from_one_profile_to_another(
        events in with_crowds(), next in told()
    ) {
        prop_assume!(matches!(next.what, What::Event(..)));
        let mut links = links_of(&events);
        let before = partition(&links);
        hear(&mut links, &next);
        let after = partition(&links);
        for node in links.nodes().filter(|it| is_anchor(it.identifier())) {
            if let Some(profile) = before.profile_of(node.identifier()) {
                prop_assert_eq!(after.profile_of(node.identifier()).map(|it| it.id), Some(profile.id));
            }
        }
    }

    #[test]
    fn invariant_09_older_claims_change_nothing_after_a_detach_and_a_newer_one_links_again(
        mut events in stream(),
        older in proptest::collection::vec((any::<bool>(), told()), 0..6),
        claiming in proptest::sample::subsequence(vec!["u1", "u2"], 1..=2),
        (is_named_first, is_merged_first) in any::<(bool, bool)>(),
    ) {
        let browser = Identifier::new("anonymous_id", "w3");
        let (first, second) = (streams::user("u1"), streams::user("u2"));
        let user = if is_named_first { &first } else { &second };
        // Nobody else claims the browser, and it was named with nothing else.
        events.retain(|it| !names(it).contains(&browser));
        let both = |user: &str, at_us| {
            let named = streams::saying(Some(user), &[&browser]);
            Told { at_us, what: What::Event(wayfare_identity::Trust::Verified, named) }
        };
        let mut links = links_of(&events);
        claiming.iter().for_each(|it| hear(&mut links, &both(it, 4)));
        let (from, into) = if is_merged_first { (&first, &second) } else { (&second, &first) };
        hear(&mut links, &Told { at_us: 8, what: What::Merge(from.clone(), into.clone()) });
        let pair = (&browser, user);
        for change in wayfare_identity::detach(&config(), &links, pair, Timestamp::from_micros(8)) {
            links.apply(&change);
        }
        let detached = partition(&links);
        prop_assert_eq!(detached.profile_of(&browser).unwrap().standing, Standing::Loose);
        let told = |is_named: bool| if is_named { &*user.value } else { claiming[0] };
        for (is_named, at_us) in older.iter().map(|it| (it.0, it.1.at_us)).chain([(true, 8)]) {
            hear(&mut links, &both(told(is_named), at_us));
        }
        prop_assert_eq!(&partition(&links), &detached);
        hear(&mut links, &both(&user.value, 9));
        let again = partition(&links);
        prop_assert_eq!(again.profile_of(&browser), again.profile_of(user));
    }

    #[test]
    fn invariant_10_two_halves_that_exchange_what_they_were_told_agree(
        events in stream(), split in 0..14_usize
    ) {
        let (left, right) = events.split_at(split.min(events.len()));
        let first = links_of(&[left, right].concat());
        let second = links_of(&[right, left].concat());
        prop_assert_eq!(partition(&first), partition(&second));
        prop_assert_eq!(persons(&first), persons(&second));
    }

    #[test]
    fn invariant_12_what_is_kept_step_by_step_is_what_the_text_says_of_all_of_it(
        events in with_crowds()
    ) {
        let mut kept = Links::new();
        let mut reference = Reference::default();
        for told in &events {
            let mut loaded = load(&kept, told);
            hear(&mut loaded, told);
            loaded.nodes().for_each(|node| kept.put(node.clone()));
            reference.hear(&config(), asserted(told));
            prop_assert_eq!(persons(&kept), reference.resolve(&config()));
        }
        prop_assert_eq!(stored(&kept), stored(&links_of(&events)));
    }

    #[test]
    fn loading_what_is_reached_is_as_good_as_loading_everything(
        events in with_crowds(), next in with_crowds()
    ) {
        let next = &next[0];
        let mut all = links_of(&events);
        let mut loaded = load(&all, next);
        let before = (partition(&all), partition(&loaded));
        hear(&mut all, next);
        hear(&mut loaded, next);
        let after = (partition(&all), partition(&loaded));
        let names = names(next);
        prop_assert_eq!(
            attribute(&config(), &after.0, &names),
            attribute(&config(), &after.1, &names)
        );
        for (whole, part) in [&before, &after] {
            for name in &names {
                prop_assert_eq!(whole.profile_of(name), part.profile_of(name));
            }
        }
        // Whoever is joined is known as who they were.
        let joined = names.iter().filter_map(|name| after.0.profile_of(name));
        for identifier in joined.flat_map(|profile| &profile.identifiers) {
            let (whole, part) = &before;
            prop_assert_eq!(
                whole.profile_of(identifier).map(|it| it.id),
                part.profile_of(identifier).map(|it| it.id)
            );
        }
    }

    #[test]
    fn a_detach_cuts_no_less_whenever_it_is_told(at_us in 0..8_i64, until_us in 0..8_i64) {
        let [claim, detach] = [(EdgeKind::Claim, at_us), (EdgeKind::Detached, until_us)];
        let node = |edges: [(EdgeKind, i64); 2]| {
            let mut node = Node::new(streams::user("u1"));
            for (kind, at_us) in edges {
                let at = Timestamp::from_micros(at_us);
                let other = Identifier::new("anonymous_id", "w1");
                node.join(wayfare_identity::Edge { other, kind, since: at, latest: at });
            }
            node
        };
        prop_assert_eq!(node([claim, detach]), node([detach, claim]));
        let is_kept = node([claim, detach]).edges().iter().any(|it| it.kind == EdgeKind::Claim);
        prop_assert_eq!(is_kept, at_us > until_us);
    }

    /// Of who is somebody's already it is told without resolving anything, and told the same.
    #[test]
    fn what_is_settled_is_what_resolving_everything_finds(events in with_crowds()) {
        let mut links = Links::new();
        for told in &events {
            hear(&mut links, told);
            let What::Event(_, named) = &told.what else { continue };
            let found = settled(&config(), &links, named.identifiers());
            let partition = partition(&links);
            let profile = attribute(&config(), &partition, named.identifiers());
            // From less than everything it is told rightly, or not at all.
            let less = ["u1", "u2", "u3"].map(|it| few(&links, named, &streams::user(it)));
            let of_less = less.iter().map(|it| settled(&config(), it, named.identifiers()));
            for found in of_less.chain([found]).flatten() {
                prop_assert_eq!(Some(found), profile.map(|it| &it.identifiers[0]));
            }
            let single = profile.filter(|it| it.identifiers.iter().filter(|it| is_anchor(it)).count() == 1);
            let by_anchor = named.identifiers().iter().any(is_anchor) && single.is_some();
            prop_assert!(found.is_some() || !by_anchor);
        }
    }

    /// What only renews links leaves every profile as it is.
    #[test]
    fn what_regroups_nobody_changes_no_profile(events in with_crowds()) {
        let mut links = Links::new();
        for told in events.iter().chain(&events) {
            let changes = streams::changes(&links, told);
            let before = partition(&links);
            let regroups = regroups(&config(), &links, &changes);
            hear(&mut links, told);
            if !regroups {
                prop_assert_eq!(before, partition(&links));
            }
        }
    }
}
