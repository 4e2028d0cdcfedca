//! What follows when an operator says who is who, when a crowd claims one thing, and when anybody can
//! say who they are?

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use wayfare_event::{Identifier, Value};
use wayfare_executor::record::DecisionOutcome;
use wayfare_executor::{Action, Key, Row, Snapshot, Trust, view};

use crate::events::{login, tell, track};
use crate::journeys::GREET;
use crate::world::{World, catalog, minute};

/// Starts when somebody's plan becomes gold.
const GOLD: &str = r#"
journey: gold
description: Note who is gold.
trigger: { trait: plan, to: gold }
entry: { again: once }
blocks:
  noted: { exit: noted }
"#;

/// Goes on once the plan is gold, however that came.
const WAITS: &str = r#"
journey: waits
description: Wait for gold.
trigger: { event: Visited, where: properties.really != false }
entry: { again: always }
blocks:
  wait:
    wait:
      for:
        - { when: profile.plan == "gold", then: gold }
      timeout: 9h
    then: late
  gold: { exit: gold }
  late: { exit: late }
"#;

fn user(value: &str) -> Identifier {
    Identifier::new("user_id", value)
}

fn browser(value: &str) -> Identifier {
    Identifier::new("anonymous_id", value)
}

/// The profile that an identifier is in.
fn profile(world: &World, identifier: &Identifier) -> view::Profile {
    let mut rows = Snapshot::new();
    for (key, row) in world.everything() {
        rows.put(key, Some(row));
    }
    let profiles = view::profiles(&catalog(), &rows, minute(0)).into_iter();
    let mut found = profiles.filter(|it| it.identifiers.contains(identifier));
    found.next().unwrap()
}

/// How many records of consent are kept under an identifier.
fn consent(world: &World, identifier: &Identifier) -> usize {
    match world.everything().get(&Key::Person(identifier.clone())) {
        Some(Row::Person(person)) => person.record.consent.len(),
        Some(_) | None => 0,
    }
}

fn merge(from: &str, into: &str) -> Action {
    Action::Merge {
        from: user(from),
        into: user(into),
    }
}

fn detach(identifier: Identifier, from: &str) -> Action {
    Action::Detach {
        identifier,
        from: user(from),
    }
}

fn visit(who: &str) -> String {
    track(who, "Visited", "")
}

#[test]
fn of_two_walks_in_one_journey_an_order_to_merge_leaves_the_earlier() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &visit("userId a"));
    world.hear(5, &visit("userId b"));
    assert_eq!(world.order(10, merge("a", "b")), ["greet merged"]);
    let live = world.live();
    // What is left stays with the user who had it, and is the one person's.
    assert_eq!((live.len(), &live[0].0), (1, &user("a")));
    assert_eq!(world.wait(1_000), ["greet webhook"]);
    let one = profile(&world, &user("a"));
    assert_eq!(one.id, profile(&world, &user("b")).id);
    assert_eq!(one.id, world.decisions[1].profile);
}

#[test]
fn of_two_walks_that_somebody_elses_event_brings_together_the_earlier_is_left() {
    let mut world = World::new(&[GREET]);
    let told = |who: &str, address: &str| {
        let (field, value) = who.split_once(' ').unwrap();
        format!(r#"{{"type":"identify","{field}":"{value}","traits":{{{address}}}}}"#)
    };
    let (mail, phone) = (r#""email":"x@x.example""#, r#""phone":"+491701234567""#);
    for (who, address) in [
        ("anonymousId w", mail),
        ("anonymousId w", phone),
        ("userId a", mail),
        ("userId b", phone),
    ] {
        world.hear(0, &told(who, address));
    }
    // Next to two persons, it is neither's.
    world.hear(1, &visit("userId a"));
    world.hear(2, &visit("anonymousId w"));
    assert_eq!(world.hear(3, &told("userId c", phone)), ["greet merged"]);
    assert_eq!(
        world.profile(&browser("w")).unwrap(),
        profile(&world, &user("a")).id
    );
    assert_eq!(world.wait(1_000), ["greet webhook"]);
    assert_eq!(
        world.hear(1_001, &visit("anonymousId w")),
        ["greet refused: once"]
    );
}

#[test]
fn whom_one_greeted_nobody_greets_again_under_the_other_name() {
    for (from, into) in [("a", "b"), ("b", "a")] {
        let mut world = World::new(&[GREET]);
        world.hear(0, &login("w2", "b"));
        world.hear(0, &visit("userId a"));
        assert_eq!(world.wait(60), ["greet webhook"]);
        assert_eq!(world.order(70, merge(from, into)), [""; 0]);
        for who in ["userId a", "userId b"] {
            assert_eq!(world.hear(80, &visit(who)), ["greet refused: once"]);
        }
    }
}

#[test]
fn a_merged_persons_former_id_leads_to_them() {
    let mut world = World::new(&[]);
    world.hear(0, &login("w1", "a"));
    world.hear(0, &login("w2", "b"));
    let former = profile(&world, &user("a")).id;
    let stays = profile(&world, &user("b")).id;
    world.order(1, merge("a", "b"));
    let one = profile(&world, &browser("w1"));
    assert_eq!(one.id, stays);
    assert!(one.former.contains(&former));
    assert_eq!(one.identifiers[0], user("b"));
}

#[test]
fn history_that_a_merge_brings_starts_nothing_and_wakes_who_waits_for_it() {
    let mut world = World::new(&[GOLD, WAITS]);
    assert_eq!(world.hear(0, &tell("a", "plan", "\"gold\"")).len(), 2);
    world.hear(1, &visit("userId b"));
    let told = world.order(2, merge("a", "b"));
    assert_eq!(told, ["gold refused: merged_history", "waits exit: gold"]);
}

#[test]
fn what_somebody_adopted_stays_with_them_and_what_is_told_apart_begins_anew() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &visit("anonymousId w1"));
    world.hear(1, &login("w1", "a"));
    assert_eq!(world.order(2, detach(browser("w1"), "a")), [""; 0]);
    assert_eq!(world.live()[0].0, user("a"));
    assert_ne!(
        profile(&world, &browser("w1")).id,
        profile(&world, &user("a")).id
    );
    assert_eq!(world.wait(60), ["greet webhook"]);
    // Its own history is its own still.
    assert_eq!(
        world.hear(70, &visit("anonymousId w1")),
        ["greet refused: once"]
    );
}

#[test]
fn what_a_user_had_before_a_merge_is_theirs_again_when_it_is_undone() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &login("w2", "b"));
    world.hear(0, &visit("userId a"));
    world.order(1, merge("a", "b"));
    let theirs = |world: &World, who: &str| profile(world, &user(who)).instances.len();
    assert_eq!((theirs(&world, "a"), theirs(&world, "b")), (1, 1));
    world.order(2, detach(user("a"), "b"));
    assert_eq!((theirs(&world, "a"), theirs(&world, "b")), (1, 0));
    // The other one was never greeted.
    assert_eq!(world.hear(3, &visit("userId b")), ["greet entered"]);
    assert_eq!(world.wait(1_000), ["greet webhook", "greet webhook"]);
    let greeted: Vec<_> = world.decisions.iter().map(|it| it.profile).collect();
    let persons = ["a", "b"].map(|who| profile(&world, &user(who)).id);
    assert_eq!(greeted, persons);
}

#[test]
fn a_walk_that_a_shared_browser_opened_follows_it_to_the_one_who_is_left() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &login("w1", "a"));
    world.hear(0, &login("w1", "b"));
    world.hear(1, &visit("anonymousId w1"));
    assert_eq!(world.live()[0].0, browser("w1"));
    world.order(2, detach(browser("w1"), "b"));
    assert_eq!(world.live()[0].0, user("a"));
    assert_eq!(world.wait(1_000), ["greet webhook"]);
    assert_eq!(world.decisions[0].profile, profile(&world, &user("a")).id);
}

#[test]
fn older_logins_do_not_undo_a_detach_and_a_newer_one_does() {
    let mut world = World::new(&[]);
    world.hear(5, &login("w1", "a"));
    world.order(10, detach(browser("w1"), "a"));
    let at = |minute: &str| {
        let time = format!(",\"timestamp\":\"2026-01-26T10:{minute}:00Z\"}}");
        login("w1", "a").replace('}', &time)
    };
    let is_one = |world: &World| profile(world, &browser("w1")).id == profile(world, &user("a")).id;
    world.hear(11, &at("08"));
    world.hear(11, &at("10"));
    assert!(!is_one(&world));
    world.hear(12, &at("11"));
    assert!(is_one(&world));
}

#[test]
fn a_detach_undoes_a_merge() {
    let mut world = World::new(&[]);
    world.hear(0, &login("w1", "a"));
    world.hear(0, &login("w2", "b"));
    let own = [
        profile(&world, &user("a")).id,
        profile(&world, &user("b")).id,
    ];
    world.order(1, merge("a", "b"));
    world.order(1, detach(user("a"), "b"));
    assert_eq!(
        [
            profile(&world, &browser("w1")).id,
            profile(&world, &browser("w2")).id
        ],
        own
    );
    // The order counts, not the instant.
    world.order(1, merge("a", "b"));
    assert_eq!(profile(&world, &browser("w1")).id, own[1]);
}

#[test]
fn orders_that_mean_nothing_change_nothing() {
    let mut world = World::new(&[]);
    world.hear(0, &login("w1", "a"));
    world.hear(0, &visit("anonymousId w2"));
    let before = world.everything();
    let nobody = Action::Merge {
        from: browser("w2"),
        into: user("a"),
    };
    for action in [
        nobody,
        merge("a", "a"),
        detach(browser("w2"), "a"),
        detach(user("a"), "a"),
        Action::Unblock(browser("w1")),
    ] {
        assert_eq!(world.order(1, action), [""; 0]);
        assert_eq!(world.everything(), before);
    }
}

/// Eight users at one browser within eight minutes.
fn crowded() -> World {
    let mut world = World::new(&[GREET]);
    for place in 0..8 {
        world.hear(place, &login("kiosk", &format!("u{place}")));
    }
    world
}

#[test]
fn events_go_on_without_what_a_crowd_claims_until_somebody_lets_it_go() {
    let mut world = crowded();
    assert_eq!(profile(&world, &browser("kiosk")).blocked, Some(minute(7)));
    // An event that names nothing else is about nobody; one of a user is theirs.
    assert_eq!(world.hear(8, &visit("anonymousId kiosk")), [""; 0]);
    world.hear(9, &login("kiosk", "late"));
    let late = profile(&world, &user("late"));
    assert_eq!(late.identifiers, [user("late")]);
    assert_eq!(world.order(10, Action::Unblock(browser("kiosk"))), [""; 0]);
    let kiosk = profile(&world, &browser("kiosk"));
    assert_eq!(
        (kiosk.blocked, kiosk.standing),
        (None, wayfare_identity::Standing::Contested)
    );
    assert_eq!(
        world.hear(11, &visit("anonymousId kiosk")),
        ["greet entered"]
    );
}

#[test]
fn what_is_declined_about_a_blocked_address_holds() {
    let mut world = World::new(&[]);
    let email = r#""email":"desk@shop.example""#;
    for place in 0..8 {
        let event = format!(r#"{{"type":"identify","userId":"u{place}","traits":{{{email}}}}}"#);
        world.hear(place, &event);
    }
    let address = Identifier::new("email", "desk@shop.example");
    assert!(profile(&world, &address).blocked.is_some());
    let event =
        format!(r#"{{"type":"consent","category":"marketing","action":"decline",{email}}}"#);
    world.hear(9, &event);
    assert_eq!(consent(&world, &address), 1);
}

#[test]
fn what_anybody_can_say_yields_to_what_a_server_said() {
    let mut world = World::new(&[]);
    let own = r#"{"type":"identify","userId":"victim","traits":{"email":"v@v.example"}}"#;
    let taken = own.replace("victim", "mallory");
    world.hear_from(Trust::Unverified, 0, &taken);
    let address = Identifier::new("email", "v@v.example");
    assert_eq!(
        profile(&world, &address).id,
        profile(&world, &user("mallory")).id
    );
    world.hear(1, own);
    world.hear_from(Trust::Unverified, 2, &taken);
    assert_eq!(
        profile(&world, &address).id,
        profile(&world, &user("victim")).id
    );
}

/// One thing that happens to three users with a browser each.
#[derive(Clone, Debug)]
enum Turn {
    Trait(&'static str, &'static str, i64),
    Visit(&'static str),
    Merge(&'static str, &'static str),
    Detach(&'static str, &'static str),
    Pass(i64),
}

const USERS: [&str; 3] = ["a", "b", "c"];

fn turn() -> impl Strategy<Value = Turn> {
    let user = || select(&USERS[..]);
    prop_oneof![
        2 => (user(), select(&["plan", "city"][..]), 0..50_i64)
            .prop_map(|(user, name, value)| Turn::Trait(user, name, value)),
        3 => user().prop_map(Turn::Visit),
        2 => (user(), user()).prop_map(|(from, into)| Turn::Merge(from, into)),
        1 => (user(), user()).prop_map(|(one, from)| Turn::Detach(one, from)),
        2 => (1..90_i64).prop_map(Turn::Pass),
    ]
}

fn play(world: &mut World, at: &mut i64, turn: &Turn) -> (bool, Vec<String>) {
    match turn {
        Turn::Trait(user, name, value) => {
            let told = world.hear(*at, &tell(user, name, &value.to_string()));
            (false, told)
        }
        Turn::Visit(user) => (false, world.hear(*at, &visit(&format!("userId {user}")))),
        Turn::Merge(from, into) => (true, world.order(*at, merge(from, into))),
        Turn::Detach(one, from) => (true, world.order(*at, detach(user(one), from))),
        Turn::Pass(minutes) => {
            *at += minutes;
            (false, world.wait(*at))
        }
    }
}

/// What the profile shows of two traits.
fn shown(world: &World, who: &str) -> [Option<Value>; 2] {
    let traits = profile(world, &user(who)).traits;
    ["plan", "city"].map(|name| traits.get(name).cloned())
}

proptest! {
    /// 2.1.10, 7.
    #[test]
    fn invariant_07_traits_do_not_depend_on_when_and_in_which_order_persons_are_merged(
        told in vec((select(&USERS[..]), select(&["plan", "city"][..]), 0..9_i64), 1..12),
        first in (0..12_usize, 0..12_usize),
        second in (0..12_usize, 0..12_usize),
    ) {
        let shown = |merges: [usize; 2]| {
            let mut world = World::new(&[]);
            for (place, (user, name, value)) in told.iter().enumerate() {
                for (from, when) in ["a", "b"].into_iter().zip(merges) {
                    if when == place {
                        world.order(20, merge(from, "c"));
                    }
                }
                world.hear(20, &tell(user, name, &value.to_string()));
            }
            // Merging who is merged already changes nothing.
            for from in ["b", "a", "b"] {
                world.hear(20, &visit(&format!("userId {from}")));
                world.hear(20, &visit("userId c"));
                world.order(20, merge(from, "c"));
            }
            USERS.map(|user| shown(&world, user))
        };
        let one = shown([first.0, first.1]);
        prop_assert_eq!(&one, &shown([second.0, second.1]));
        prop_assert_eq!(&one[0], &one[2]);
    }

    /// 2.1.10, 13.
    #[test]
    fn invariant_13_no_merge_lets_anybody_enter_and_an_entry_decides_once(
        turns in vec(turn(), 1..30)
    ) {
        let mut world = World::new(&[GREET, GOLD, WAITS]);
        let mut at = 0;
        let mut entered = 0;
        for turn in &turns {
            let (is_order, told) = play(&mut world, &mut at, turn);
            let entries = told.iter().filter(|line| line.ends_with("entered")).count();
            prop_assert!(!is_order || entries == 0, "{:?}: {:?}", turn, told);
            entered += entries;
            let mut once = Vec::new();
            for (owner, instance) in world.live() {
                if &*instance.journey == "greet" {
                    once.push(profile(&world, &owner).id);
                }
            }
            let count = once.len();
            once.sort();
            once.dedup();
            prop_assert_eq!(once.len(), count, "two walks of one person");
        }
        world.wait(at + 1_000);
        prop_assert!(world.live().is_empty());
        let mut ids: Vec<_> = world.decisions.iter().map(|decision| decision.id).collect();
        prop_assert_eq!(ids.len(), entered);
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), entered);
        let sent = world.decisions.iter().filter(|it| it.outcome == DecisionOutcome::Webhook);
        prop_assert!(sent.count() <= USERS.len());
    }
}
