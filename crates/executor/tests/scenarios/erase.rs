//! What is left of somebody who was erased, and who may come back?

use proptest::prelude::*;
use wayfare_event::{IdKey, Identifier};
use wayfare_executor::delivery::{Outcome, State, UnknownReason, WithheldReason};
use wayfare_executor::record::{DecisionOutcome, EraseMode, Key, Row, hash};
use wayfare_executor::{Action, Erase};

use crate::events::{login, track};
use crate::journeys::GREET;
use crate::world::World;

/// A receiver elsewhere is told.
pub(crate) const GOODBYE: &str = r#"
journey: goodbye
description: Tell the shop that somebody is erased.
trigger: { event: Goodbye, where: properties.really == true }
entry: { again: once }
blocks:
  tell:
    webhook:
      method: POST
      url: https://shop.example.com/erasures
      consent: { basis: contract, because: it is a test }
      identity: any
      payload: { who: "{profile.profileId}" }
"#;

pub(crate) fn user(value: &str) -> Identifier {
    Identifier::new("user_id", value)
}

pub(crate) fn browser(value: &str) -> Identifier {
    Identifier::new("anonymous_id", value)
}

pub(crate) fn erase(identifier: Identifier, mode: EraseMode) -> Action {
    Action::Erase(Erase {
        identifier,
        mode,
        through: None,
    })
}

pub(crate) fn through(identifier: Identifier, mode: EraseMode) -> Action {
    Action::Erase(Erase {
        identifier,
        mode,
        through: Some("goodbye".into()),
    })
}

/// An event of u1, w-1 and an address; it says when it happened.
pub(crate) fn three(minute: i64) -> String {
    format!(
        r#"{{"type":"identify","userId":"u1","anonymousId":"w-1","traits":{{"email":"q@q.example"}},
            "timestamp":"2026-01-26T10:{minute:02}:00Z"}}"#
    )
}

fn of(field: &str, value: &str, minute: i64) -> String {
    format!(
        r#"{{"type":"track","event":"Seen","{field}":"{value}",
            "timestamp":"2026-01-26T10:{minute:02}:00Z"}}"#
    )
}

/// Whether any row names the erased; hashes do not.
pub(crate) fn told_of(world: &World, text: &str) -> bool {
    format!("{:?}", world.everything()).contains(text)
}

pub(crate) fn people(world: &World) -> Vec<String> {
    let everything = world.everything();
    let people = everything.keys().filter_map(|key| {
        if let Key::Person(identifier) = key {
            Some(identifier.to_string())
        } else {
            None
        }
    });
    people.collect()
}

#[test]
fn i39_later_and_late_events_create_nothing_in_whatever_order() {
    let late = [
        of("anonymousId", "w-1", 4),
        of("userId", "u1", 9),
        three(2),
        three(30),
    ];
    for first in 0..late.len() {
        for second in 0..late.len() {
            let mut world = World::new(&[GREET]);
            world.hear(1, &three(1));
            world.order(5, erase(user("u1"), EraseMode::Both));
            world.sweep(5);
            let before = world.everything();
            for which in [first, second] {
                assert_eq!(world.hear(9, &late[which]), [""; 0]);
            }
            assert_eq!(people(&world), [""; 0], "{first} {second}");
            // Nothing at all was kept of them.
            assert_eq!(world.everything(), before);
        }
    }
}

#[test]
fn any_identifier_finds_the_person_and_every_one_is_remembered_by_its_hash_alone() {
    for named in [
        user("u1"),
        browser("w-1"),
        Identifier::new("email", "q@q.example"),
    ] {
        let mut world = World::new(&[GREET]);
        world.hear(1, &three(1));
        world.order(5, erase(named, EraseMode::Both));
        let everything = world.everything();
        for own in [
            user("u1"),
            browser("w-1"),
            Identifier::new("email", "q@q.example"),
        ] {
            let key = Key::Erased(hash(&IdKey::STATELESS, &own));
            assert!(
                matches!(everything.get(&key), Some(Row::Erased(mark)) if mark.suppressed),
                "{own}"
            );
        }
        for text in ["u1", "w-1", "q@q.example"] {
            assert!(!told_of(&world, &format!(":{text}")), "{text}");
        }
    }
}

#[test]
fn j10_a_walk_that_waits_ends_without_a_webhook() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("userId u1", "Visited", ""));
    let told = world.order(10, erase(user("u1"), EraseMode::Both));
    assert_eq!(told, ["greet erased", "erased", "user_id:u1 forgotten"]);
    let decision = world.decisions.last().unwrap();
    assert_eq!(decision.outcome, DecisionOutcome::Erased);
    assert_eq!((&*decision.block, &decision.request), ("hour", &None));
    assert_eq!(world.sweep(10), ["the erasure is complete"]);
    assert_eq!(world.wait(200), [""; 0]);
}

#[test]
fn the_ledger_keeps_what_was_done_and_not_to_whom() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("userId u1", "Visited", ""));
    world.wait(60);
    let owed = world.owed();
    world.ready(61, owed);
    world.finished(61, owed, (1, answered(200)));
    let before = world.delivery(owed);
    let profile = before.profile.to_string();
    assert!(told_of(&world, &profile));
    world.order(70, erase(user("u1"), EraseMode::Both));
    world.sweep(70);
    let after = world.delivery(owed);
    assert!(after.is_reduced());
    assert_eq!(after.state, before.state);
    assert_eq!(
        (&after.journey, &after.block),
        (&before.journey, &before.block)
    );
    let key = Key::Decision(world.decisions.last().unwrap().id);
    let everything = world.everything();
    let Some(Row::Decision(decision)) = everything.get(&key) else {
        panic!("the decision is gone");
    };
    assert!(decision.is_reduced());
    assert_eq!(decision.request_hash, world.decisions[0].request_hash);
    assert!(!told_of(&world, &profile) && !told_of(&world, ":u1"));
}

#[test]
fn what_has_not_left_does_not_and_what_is_on_the_wire_runs_to_its_end() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("userId u1", "Visited", ""));
    world.wait(60);
    let owed = world.owed();
    let erased = State::Withheld(WithheldReason::Erased);
    // Planned: also before the sweep comes to it.
    let mut planned = world.fork();
    planned.order(61, erase(user("u1"), EraseMode::Both));
    assert_eq!(planned.ready(61, owed), [format!("{erased:?}")]);
    planned.sweep(61);
    assert_eq!(planned.delivery(owed).state, erased);
    // Armed, and answered after it was reduced.
    let mut armed = world.fork();
    armed.ready(61, owed);
    armed.order(61, erase(user("u1"), EraseMode::Both));
    armed.sweep(61);
    assert!(armed.delivery(owed).is_reduced());
    armed.finished(62, owed, (1, answered(200)));
    assert_eq!(
        armed.delivery(owed).state,
        State::Delivered { status: Some(200) }
    );
    // Armed, and it would be repeated.
    world.ready(61, owed);
    world.order(61, erase(user("u1"), EraseMode::Both));
    world.sweep(61);
    let ended = world.finished(62, owed, (1, answered(429)));
    assert_eq!(ended, [format!("{erased:?}")]);
    assert_eq!(world.order(71, Action::Resend(owed)), [""; 0]);
}

#[test]
fn t19_whoever_comes_back_after_a_deletion_is_somebody_new() {
    let mut world = World::new(&[GREET]);
    let visit = |minute| {
        track(
            "userId u1",
            "Visited",
            &format!(r#","timestamp":"2026-01-26T10:{minute:02}:00Z""#),
        )
    };
    world.hear(0, &visit(0));
    let before = world.profile(&user("u1")).unwrap();
    world.order(10, erase(user("u1"), EraseMode::Delete));
    // Before the sweep even began: the journey takes everybody once, and this is somebody else.
    assert_eq!(world.hear(12, &visit(11)), ["greet entered"]);
    world.sweep(12);
    let after = world.profile(&user("u1")).unwrap();
    assert_ne!(before, after);
    // What happened before the deletion is of the other one, for ever.
    assert_eq!(world.hear(13, &visit(9)), [""; 0]);
    assert_eq!(world.hear(13, &visit(12)), ["greet refused: once"]);
    // Erased again, there is a third.
    world.order(20, erase(user("u1"), EraseMode::Delete));
    world.sweep(20);
    world.hear(22, &visit(21));
    let third = world.profile(&user("u1")).unwrap();
    assert!(third != after && third != before);
}

#[test]
fn who_is_erased_twice_is_reduced_in_the_ledger_both_times() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("anonymousId w-1", "Visited", ""));
    world.wait(60);
    let login = r#"{"type":"identify","userId":"u1","anonymousId":"w-1"}"#;
    world.hear(61, login);
    world.order(62, erase(user("u1"), EraseMode::Delete));
    // The ledger still tells of the browser.
    assert!(told_of(&world, ":w-1"));
    world.hear(63, &track("userId u1", "Seen", ""));
    world.order(64, erase(user("u1"), EraseMode::Suppress));
    world.sweep(64);
    assert!(!told_of(&world, ":w-1"));
    assert_eq!(people(&world), ["user_id:u1"]);
}

#[test]
fn d40_only_an_order_lifts_a_suppression() {
    let mut world = World::new(&[GREET]);
    let grant = |minute: i64| {
        format!(
            r#"{{"type":"consent","category":"marketing","action":"accept","email":"a@b.example",
                "timestamp":"2026-01-26T10:{minute:02}:00Z"}}"#
        )
    };
    let address = Identifier::new("email", "a@b.example");
    world.hear(0, &grant(0));
    world.order(5, erase(address.clone(), EraseMode::Both));
    world.sweep(5);
    // A new sign-up does not lift it, whoever it names beside.
    world.hear(10, &grant(10));
    assert_eq!(people(&world), [""; 0]);
    assert_eq!(world.order(20, Action::Readmit(address)), ["erased"]);
    world.hear(30, &grant(4));
    assert_eq!(people(&world), [""; 0]);
    world.hear(30, &grant(25));
    assert_eq!(people(&world), ["email:a@b.example"]);
}

#[test]
fn erasing_a_subject_removes_its_consent_and_keeps_a_hashed_suppression() {
    let mut world = World::new(&[GREET]);
    world.hear(
        0,
        r#"{"type":"consent","userId":"u1","category":"marketing","action":"accept","email":"a@b.example"}"#,
    );
    assert!(told_of(&world, "Accept"));
    world.order(5, erase(user("u1"), EraseMode::Both));
    world.sweep(5);
    assert!(!told_of(&world, "Accept") && !told_of(&world, "a@b.example"));
    let mark = hash(&IdKey::STATELESS, &Identifier::new("email", "a@b.example"));
    assert!(world.everything().contains_key(&Key::Erased(mark)));
}

#[test]
fn a_suppressed_profile_keeps_its_data_and_does_nothing_more() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("userId u1", "Visited", ""));
    let told = world.order(10, erase(user("u1"), EraseMode::Suppress));
    assert_eq!(told, ["greet erased", "erased"]);
    assert_eq!(world.sweep(10), ["the erasure is complete"]);
    assert_eq!(world.hear(20, &track("userId u1", "Visited", "")), [""; 0]);
    assert_eq!(people(&world), ["user_id:u1"]);
    assert_eq!(
        world.order(30, Action::Readmit(user("u1"))),
        ["may come back"]
    );
    assert_eq!(
        world.hear(31, &track("userId u1", "Visited", "")),
        ["greet refused: once"]
    );
}

#[test]
fn nobody_is_deleted_whom_nobody_knows_and_anybody_can_be_kept_out() {
    let mut world = World::new(&[GREET]);
    assert_eq!(
        world.order(1, erase(user("u9"), EraseMode::Delete)),
        [""; 0]
    );
    assert_eq!(
        world.order(2, erase(user("u9"), EraseMode::Both)),
        ["erased"]
    );
    assert_eq!(world.hear(3, &track("userId u9", "Visited", "")), [""; 0]);
}

#[test]
fn somebody_enters_by_order_and_limits_hold_all_the_same() {
    let mut world = World::new(&[GREET, GOODBYE]);
    let enter = |who: &str| Action::Enter {
        journey: "goodbye".into(),
        identifier: user(who),
    };
    // Nothing is known of them.
    assert_eq!(world.order(0, enter("u1")), [""; 0]);
    world.hear(1, &track("userId u1", "Seen", ""));
    // The trigger's condition does not count.
    assert_eq!(
        world.order(2, enter("u1")),
        ["goodbye entered", "goodbye webhook"]
    );
    assert_eq!(world.order(3, enter("u1")), ["goodbye refused: once"]);
    world.hear(4, &track("userId u2", "Seen", ""));
    world.pause(5, "goodbye");
    assert_eq!(world.order(6, enter("u2")), ["goodbye refused: paused"]);
}

#[test]
fn an_erasure_waits_for_the_journey_it_goes_through() {
    let mut world = World::new(&[GREET, GOODBYE]);
    world.hear(0, &track("userId u1", "Visited", ""));
    let told = world.order(10, through(user("u1"), EraseMode::Both));
    assert_eq!(told, ["goodbye entered", "goodbye webhook", "greet erased"]);
    let owed = world.decisions[0].id.delivery();
    // Nothing new is heard, and everything is there still.
    assert_eq!(world.hear(11, &track("userId u1", "Visited", "")), [""; 0]);
    assert_eq!(people(&world), ["user_id:u1"]);
    let mut rejected = world.fork();
    world.ready(12, owed);
    let told = world.finished(13, owed, (1, answered(204)));
    assert_eq!(
        told,
        [
            "Delivered { status: Some(204) }",
            "erased",
            "user_id:u1 forgotten"
        ]
    );
    assert_eq!(world.sweep(13), ["the erasure is complete"]);
    assert_eq!(people(&world), [""; 0]);
    // A request that is not taken does not hold it up, nor one that nobody knows of.
    let mut unknown = rejected.fork();
    for (world, outcome) in [
        (&mut rejected, answered(400)),
        (&mut unknown, Outcome::Unknown(UnknownReason::Timeout)),
    ] {
        world.ready(12, owed);
        world.finished(13, owed, (1, outcome));
        world.sweep(13);
        assert_eq!(people(world), [""; 0]);
    }
}

#[test]
fn nothing_is_erased_where_the_journey_takes_nobody() {
    let mut world = World::new(&[GREET, GOODBYE]);
    world.hear(0, &track("userId u1", "Visited", ""));
    world.pause(5, "goodbye");
    assert_eq!(
        world.order(10, through(user("u1"), EraseMode::Both)),
        ["goodbye refused: paused"]
    );
    assert_eq!(world.live().len(), 1);
}

#[test]
fn a_refusal_is_heard_while_an_erasure_waits_and_nothing_else_of_it() {
    let marketing = GOODBYE.replace("{ basis: contract, because: it is a test }", "marketing");
    let said = |action: &str, more: &str| {
        format!(
            r#"{{"type":"consent"{more},"email":"q@q.example","category":"marketing","action":"{action}"}}"#
        )
    };
    let mut world = World::new(&[&marketing]);
    world.hear(0, &three(0));
    world.hear(1, &said("accept", ""));
    let told = world.order(2, through(user("u1"), EraseMode::Delete));
    assert_eq!(told, ["goodbye entered", "goodbye webhook"]);
    let owed = world.owed();
    // An acceptance is not heard, and of a refusal only that it is one.
    for more in [r#","userId":"u1""#, ""] {
        let mut world = world.fork();
        world.hear(3, &said("accept", more));
        let before = world.everything();
        let declined = said("decline", r#","userId":"u1","anonymousId":"w-2""#);
        for (more, told) in [(more, said("decline", more)), ("", declined)] {
            let mut world = world.fork();
            world.hear(4, &told);
            assert_ne!(world.everything(), before, "{more}");
            assert_eq!(people(&world).len(), 3, "{more}");
            let told = world.ready(5, owed);
            assert_eq!(told[0], "Withheld(Consent)", "{told:?}");
            world.sweep(6);
            assert_eq!(people(&world), [""; 0]);
            assert!(!told_of(&world, "q@q.example"));
        }
        let told = world.ready(5, owed);
        assert!(told[0].starts_with("Armed"), "{told:?}");
    }
}

pub(crate) fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after_s: None,
    }
}

proptest! {
    /// Invariant 11: erased identifiers never re-create a profile in the same epoch.
    #[test]
    fn erased_identifiers_never_make_the_same_profile_again(
        before in proptest::collection::vec((0..3_u8, 0..3_u8), 1..6),
        which in 0..3_u8,
        suppresses: bool,
        after in proptest::collection::vec((0..3_u8, 0..3_u8, 0..60_i64), 0..8),
    ) {
        let mut world = World::new(&[GREET]);
        for (minute, (user, browser)) in (0..).zip(&before) {
            world.hear(minute, &login(&format!("w{browser}"), &format!("u{user}")));
        }
        let ids = |world: &World| -> Vec<_> {
            let users = (0..3).map(|it| user(&format!("u{it}")));
            let own = users.chain((0..3).map(|it| browser(&format!("w{it}"))));
            own.map(|it| world.profile(&it)).collect()
        };
        let erased = ids(&world)[usize::from(which)];
        let mode = if suppresses { EraseMode::Both } else { EraseMode::Delete };
        world.order(20, erase(user(&format!("u{which}")), mode));
        for (user, browser, minute) in after {
            let more = format!(r#","anonymousId":"w{browser}","timestamp":"2026-01-26T10:{minute:02}:00Z""#);
            world.hear(60, &track(&format!("userId u{user}"), "Seen", &more));
            if erased.is_some() {
                prop_assert!(!ids(&world).contains(&erased));
            }
        }
        world.sweep(60);
    }
}
