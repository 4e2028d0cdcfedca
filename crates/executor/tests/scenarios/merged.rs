//! Whose is what is told while two users are one, once they are told apart?

use wayfare_executor::record::{Cause, EraseMode, QueueId, Queued};
use wayfare_executor::{Action, Key, Row};

use crate::erase::{GOODBYE, browser, erase, people, through, user};
use crate::events::{login, tell, track};
use crate::journeys::GREET;
use crate::world::{World, minute};

fn merge(world: &mut World, at: i64) {
    let (from, into) = (user("a"), user("b"));
    world.order(at, Action::Merge { from, into });
}

fn detach(world: &mut World, at: i64) {
    let (identifier, from) = (user("a"), user("b"));
    world.order(at, Action::Detach { identifier, from });
}

/// What a user shows of a trait.
fn shown(world: &World, who: &str, name: &str) -> Option<String> {
    let profiles = world.profiles().into_iter();
    let mut own = profiles.filter(|it| it.identifiers.contains(&user(who)));
    let value = own.next()?.traits.get(name)?.as_text()?.to_owned();
    Some(value)
}

/// Whether a user has been in a journey, or is.
fn entered(world: &World, who: &str) -> (usize, bool) {
    let live = world.live().into_iter();
    let live = live.filter(|(owner, _)| *owner == user(who)).count();
    let key = Key::Guard {
        owner: user(who),
        journey: "greet".into(),
        key: "".into(),
    };
    let guard = world.everything().get(&key).cloned();
    (live, matches!(guard, Some(Row::Guard(_))))
}

#[test]
fn what_is_told_of_a_user_while_two_are_one_is_theirs_when_they_are_told_apart() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &login("wa", "a"));
    world.hear(0, &login("wb", "b"));
    merge(&mut world, 1);
    world.hear(2, &tell("a", "email", r#""new@a.example""#));
    world.hear(3, &tell("a", "plan", r#""gold""#));
    // By a browser of hers, and by what an `update` wrote.
    let browser = r#"{"type":"identify","anonymousId":"wa","traits":{"city":"Rome"}}"#;
    world.hear(4, browser);
    world.leave(Queued {
        owner: user("a"),
        hops: 0,
        cause: Cause::Traits(vec![("score".into(), "ten".into())]),
    });
    world.take_queued(minute(5), QueueId { seq: 0, place: 0 });
    assert_eq!(
        world.hear(6, &track("userId a", "Visited", "")),
        ["greet entered"]
    );
    assert_eq!(shown(&world, "b", "plan").unwrap(), "gold");
    detach(&mut world, 7);
    for (name, value) in [
        ("email", "new@a.example"),
        ("plan", "gold"),
        ("city", "Rome"),
        ("score", "ten"),
    ] {
        assert_eq!(shown(&world, "a", name).as_deref(), Some(value), "{name}");
        assert_eq!(shown(&world, "b", name), None, "{name}");
    }
    assert_eq!(entered(&world, "a"), (1, true));
    assert_eq!(entered(&world, "b"), (0, false));
}

#[test]
fn what_a_browser_brought_is_the_users_who_logged_in_on_it() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &login("wa", "a"));
    world.hear(0, &login("wb", "b"));
    merge(&mut world, 1);
    world.hear(2, &track("anonymousId w", "Visited", ""));
    world.hear(3, &login("w", "a"));
    assert_eq!(entered(&world, "a"), (1, true));
    detach(&mut world, 4);
    assert_eq!(entered(&world, "a"), (1, true));
    assert_eq!(entered(&world, "b"), (0, false));
}

#[test]
fn nobody_is_merged_or_told_apart_while_what_they_share_is_about_to_go() {
    let later = GOODBYE.replace("blocks:", "blocks:\n  hour: { wait: 1h, then: tell }");
    let mut world = World::new(&[&later]);
    for user in ["a", "b"] {
        world.hear(0, &login("w", user));
    }
    world.order(1, through(browser("w"), EraseMode::Delete));
    let before = world.everything();
    merge(&mut world, 2);
    let (identifier, from) = (browser("w"), user("a"));
    world.order(2, Action::Detach { identifier, from });
    assert_eq!(world.everything(), before);
    // The walk ends, what they shared goes, and they stay.
    world.wait(61);
    assert_eq!(people(&world), ["user_id:a", "user_id:b"]);
    merge(&mut world, 62);
    assert_eq!(world.profile(&user("a")), world.profile(&user("b")));
}

#[test]
fn an_alias_that_counts_since_its_user_was_erased_joins_both_histories() {
    let mut world = World::new(&[GREET]);
    // Void, since `old` is a user.
    world.hear(0, &track("userId old", "Seen", ""));
    world.hear(0, r#"{"type":"alias","userId":"b","previousId":"old"}"#);
    for who in ["anonymousId old", "userId b"] {
        let told = world.hear(1, &track(who, "Visited", ""));
        assert_eq!(told, ["greet entered"]);
    }
    world.order(2, erase(user("old"), EraseMode::Delete));
    assert_eq!(world.profile(&browser("old")), world.profile(&user("b")));
    assert_eq!(world.live().len(), 1);
}
