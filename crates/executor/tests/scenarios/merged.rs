//! Whose is what is told while two users are one, once they are told apart?

use wayfare_event::Identifier;
use wayfare_executor::record::{Cause, QueueId, Queued};
use wayfare_executor::{Action, Key, Row};

use crate::events::{login, tell, track};
use crate::journeys::GREET;
use crate::world::{World, minute};

fn user(value: &str) -> Identifier {
    Identifier::new("user_id", value)
}

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
