//! Whose walk is it, when people become known and turn out to be one?

use proptest::collection::vec;
use proptest::prelude::*;
use wayfare_executor::record::DecisionOutcome;

use crate::events::{login, shop, track};
use crate::journeys::GREET;
use crate::world::World;

const CART: &str = r#"
journey: cart
description: Remind somebody of a cart.
trigger: { event: add_to_cart }
entry: { again: once, key: properties.session }
blocks:
  bought_in_time:
    wait:
      for:
        - { event: purchase, then: bought }
      timeout: 30m
    then: remind
  remind: { exit: reminded }
  bought: { exit: bought }
"#;

#[test]
fn an_anonymous_walk_goes_on_when_the_person_is_known() {
    let mut world = World::new(&[CART]);
    assert_eq!(
        world.hear(0, &shop("anonymousId a1", "add_to_cart", "s")),
        ["cart entered"]
    );
    let before = world.live();
    assert_eq!(world.hear(1, &login("a1", "u1")), [""; 0]);
    // The walk is the user's from now on, at the same block.
    let after = world.live();
    assert_eq!((after.len(), &after[0].1), (1, &before[0].1));
    assert_eq!(after[0].0.to_string(), "user_id:u1");
    // The user buys on another device.
    assert_eq!(
        world.hear(2, &shop("userId u1", "purchase", "s")),
        ["cart exit: bought"]
    );
    let decision = &world.decisions[0];
    let (owner, instance) = &after[0];
    assert_eq!(decision.owner, *owner);
    assert_ne!(decision.profile, instance.profile);
    // Whoever was in as nobody has been in as somebody.
    assert_eq!(
        world.hear(3, &shop("userId u1", "add_to_cart", "s")),
        ["cart refused: once"]
    );
    assert_eq!(world.wait(1_000), [""; 0]);
}

#[test]
fn a_request_names_the_person_as_known_by_then() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("anonymousId a1", "Visited", ""));
    world.hear(1, &login("a1", "u1"));
    assert_eq!(world.wait(60), ["greet webhook"]);
    let decision = &world.decisions[0];
    let body = decision.request.as_ref().unwrap().body.as_deref();
    assert_eq!(
        body,
        Some(format!(r#"{{"to":"{}"}}"#, decision.profile).as_str())
    );
}

/// Two anonymous people enter at minutes 0 and `later`, and log in as one at minute 90.
fn merged(again: &str, later: i64) -> Vec<String> {
    let journey = GREET.replace("again: once", &format!("again: {again}"));
    let mut world = World::new(&[&journey]);
    let mut told = world.hear(0, &track("anonymousId a1", "Visited", ""));
    told.extend(world.wait(later));
    told.extend(world.hear(later, &track("anonymousId a2", "Visited", "")));
    told.extend(world.wait(later + 10));
    world.hear(later + 10, &login("a1", "u1"));
    told.extend(world.hear(later + 10, &login("a2", "u1")));
    told.extend(world.wait(1_000));
    assert!(world.live().is_empty());
    told
}

#[test]
fn of_two_walks_that_become_one_persons_those_go_on_that_one_person_could_have() {
    let check = |again: &str, later: i64, expected: &[&str]| {
        assert_eq!(merged(again, later), expected, "{again}, {later}");
    };
    let both = [
        "greet entered",
        "greet entered",
        "greet webhook",
        "greet webhook",
    ];
    let live = [
        "greet entered",
        "greet entered",
        "greet merged",
        "greet webhook",
    ];
    // Both are live: the later one ends.
    check("once", 5, &live);
    check("after_exit", 5, &live);
    check("2h", 5, &live);
    check("always", 5, &both);
    // The first has decided before the second entered.
    let decided = [
        "greet entered",
        "greet webhook",
        "greet entered",
        "greet merged",
    ];
    let again = [
        "greet entered",
        "greet webhook",
        "greet entered",
        "greet webhook",
    ];
    check("once", 80, &decided);
    check("2h", 80, &decided);
    check("70m", 80, &again);
    check("after_exit", 80, &again);
    check("always", 80, &again);
}

#[test]
fn of_two_walks_the_later_one_ends_whoever_logs_in_first() {
    for names in [["a1", "a2"], ["a2", "a1"]] {
        let mut world = World::new(&[GREET]);
        world.hear(0, &track("anonymousId a1", "Visited", ""));
        let first = world.live()[0].1.entered;
        world.hear(5, &track("anonymousId a2", "Visited", ""));
        for name in names {
            world.hear(10, &login(name, "u1"));
        }
        assert_eq!(world.decisions.len(), 1);
        assert_eq!(world.decisions[0].outcome, DecisionOutcome::Merged);
        assert_eq!(world.live()[0].1.entered, first);
        assert_eq!(world.wait(60), ["greet webhook"]);
    }
}

#[test]
fn a_merge_lets_nobody_enter_once_more() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("anonymousId a1", "Visited", ""));
    assert_eq!(world.wait(60), ["greet webhook"]);
    // The same person, known by the login only later, comes back.
    world.hear(70, &login("a2", "u1"));
    world.hear(71, &login("a1", "u1"));
    for who in ["anonymousId a1", "anonymousId a2", "userId u1"] {
        assert_eq!(
            world.hear(80, &track(who, "Visited", "")),
            ["greet refused: once"]
        );
    }
}

#[test]
fn who_was_greeted_before_anybody_knew_them_is_not_greeted_again_when_their_browser_is_shared() {
    let mut world = World::new(&[&GREET.replace("  hour: { wait: 1h, then: greet }\n", "")]);
    assert_eq!(
        world.hear(0, &track("anonymousId a1", "Visited", "")),
        ["greet entered", "greet webhook"]
    );
    world.hear(1, &login("a1", "u1"));
    world.hear(2, &login("a1", "u2"));
    assert_eq!(
        world.hear(3, &track("userId u1", "Visited", "")),
        ["greet refused: once"]
    );
}

#[test]
fn what_was_entered_under_a_key_before_anybody_knew_them_stays_theirs_when_their_browser_is_shared()
{
    let mut world = World::new(&[CART]);
    world.hear(0, &shop("anonymousId a1", "add_to_cart", "s"));
    assert_eq!(world.wait(30), ["cart exit: reminded"]);
    world.hear(31, &login("a1", "u1"));
    world.hear(32, &login("a1", "u2"));
    let again = |world: &mut World, who: &str, session: &str| {
        world.hear(33, &shop(who, "add_to_cart", session))
    };
    assert_eq!(again(&mut world, "userId u1", "s"), ["cart refused: once"]);
    assert_eq!(again(&mut world, "userId u1", "t"), ["cart entered"]);
    // The second user came when it was nobody's any more.
    assert_eq!(again(&mut world, "userId u2", "s"), ["cart entered"]);
}

#[test]
fn somebody_nobody_knows_enters_under_a_bounded_number_of_keys() {
    let mut world = World::new(&[CART]);
    let mut at = 0;
    for session in 0..64 {
        let event = shop("anonymousId a1", "add_to_cart", &format!("s{session}"));
        assert_eq!(world.hear(at, &event), ["cart entered"]);
        at += 30;
        assert_eq!(world.wait(at), ["cart exit: reminded"]);
    }
    let one_more = |who: &str| shop(who, "add_to_cart", "one more");
    let refused = world.hear(at, &one_more("anonymousId a1"));
    assert_eq!(refused, ["cart refused: profile_full"]);
    // Whoever is known has no such bound.
    world.hear(at, &login("a1", "u1"));
    let entered = world.hear(at, &one_more("userId u1"));
    assert_eq!(entered, ["cart entered"]);
}

#[test]
fn walks_under_different_keys_do_not_touch_when_people_become_one() {
    let mut world = World::new(&[CART]);
    world.hear(0, &shop("anonymousId a1", "add_to_cart", "s1"));
    world.hear(1, &shop("anonymousId a2", "add_to_cart", "s2"));
    world.hear(2, &login("a1", "u1"));
    assert_eq!(world.hear(3, &login("a2", "u1")), [""; 0]);
    assert_eq!(world.live().len(), 2);
}

#[test]
fn the_half_of_a_merge_that_stayed_is_remembered_when_its_browser_is_shared() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("anonymousId b1", "Visited", ""));
    world.hear(1, &track("userId u", "Visited", ""));
    assert_eq!(world.hear(2, &login("b1", "u")), ["greet merged"]);
    assert_eq!(world.wait(60), ["greet webhook"]);
    world.hear(61, &login("b1", "x"));
    world.hear(62, &track("anonymousId b2", "Visited", ""));
    assert_eq!(world.hear(63, &login("b2", "u")), ["greet merged"]);
    let again = world.hear(64, &track("userId u", "Visited", ""));
    assert_eq!(again, ["greet refused: once"]);
}

#[test]
fn nothing_is_sent_to_what_several_claim_whoever_may_be_anonymous() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("anonymousId a1", "Visited", ""));
    for user in 0..8 {
        world.hear(user + 1, &login("a1", &format!("u{user}")));
        // The walk is the first user's, who was alone with the browser.
        world.hear(user + 1, &track("anonymousId kiosk", "Seen", ""));
        world.hear(user + 1, &login("kiosk", &format!("u{user}")));
        if user == 2 {
            world.hear(3, &track("anonymousId kiosk", "Visited", ""));
        }
    }
    // By then it is blocked; a browser of two is contested.
    for user in ["u8", "u9"] {
        world.hear(10, &login("shared", user));
    }
    world.hear(10, &track("anonymousId shared", "Visited", ""));
    let told = ["greet webhook", "greet unresolved", "greet unresolved"];
    assert_eq!(world.wait(1_000), told);
}

#[test]
fn what_was_decided_under_a_former_id_is_not_decided_again() {
    let always = GREET.replace("again: once", "again: always");
    let mut world = World::new(&[&always]);
    let visit = track("anonymousId b1", "Visited", r#","messageId":"m1""#);
    assert_eq!(world.hear(0, &visit), ["greet entered"]);
    assert_eq!(world.wait(60), ["greet webhook"]);
    world.hear(61, &login("b1", "u"));
    // The message is forgotten by now, and sent once more.
    world.forget_messages();
    assert_eq!(world.hear(62, &visit), ["greet refused: once"]);
}

/// One thing that happens in a made-up story.
#[derive(Clone, Copy, Debug)]
enum Turn {
    /// A visit under the name of this place in [`NAMES`].
    Visit(usize),
    /// The owner of this anonymous id logs in.
    Login(usize),
    /// Minutes pass.
    Pass(i64),
}

/// The owner of an anonymous id `aN` is always `uM`, for M = N modulo 2.
const NAMES: [&str; 6] = ["a0", "a1", "a2", "a3", "u0", "u1"];

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        (0..NAMES.len()).prop_map(Turn::Visit),
        (0..4_usize).prop_map(Turn::Login),
        (1..70_i64).prop_map(Turn::Pass),
    ]
}

proptest! {
    /// The auditor knows nothing but who has logged in.
    #[test]
    fn nobody_is_greeted_again_whom_we_know_we_greeted(turns in vec(turn(), 1..40)) {
        let mut world = World::new(&[GREET]);
        let mut owner_of = [None::<usize>; 4];
        let mut at = 0;
        let mut told = Vec::new();
        for turn in turns {
            let event = match turn {
                Turn::Pass(minutes) => {
                    at += minutes;
                    told.extend(world.wait(at));
                    continue;
                }
                Turn::Visit(name) if name < 4 => {
                    track(&format!("anonymousId {}", NAMES[name]), "Visited", "")
                }
                Turn::Visit(name) => track(&format!("userId {}", NAMES[name]), "Visited", ""),
                Turn::Login(name) => {
                    owner_of[name] = Some(name % 2);
                    login(NAMES[name], NAMES[4 + name % 2])
                }
            };
            told.extend(world.hear(at, &event));
            let person = |name: &str| {
                let place = NAMES.iter().position(|it| *it == name).unwrap();
                match owner_of.get(place) {
                    Some(Some(owner)) => 4 + owner,
                    Some(None) | None => place,
                }
            };
            let live = world.live();
            for (place, (owner, _)) in live.iter().enumerate() {
                let who = person(&owner.value);
                let others = live.iter().skip(place + 1).map(|(owner, _)| owner);
                let decided = world.decisions.iter();
                let decided = decided.filter(|it| it.outcome == DecisionOutcome::Webhook);
                for other in others.chain(decided.map(|decision| &decision.owner)) {
                    prop_assert_ne!(who, person(&other.value), "{} and {}", owner, other);
                }
            }
        }
        world.wait(at + 60);
        // Whoever entered has come to an end.
        let entered = told.iter().filter(|line| *line == "greet entered").count();
        prop_assert_eq!(world.decisions.len(), entered);
        prop_assert!(world.live().is_empty());
    }
}
