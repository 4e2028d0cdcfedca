//! What others tell of somebody who was erased, of what they shared with them, and of whoever comes back.

use wayfare_consent::SuppressionKind;
use wayfare_event::Identifier;
use wayfare_executor::delivery::{State, WithheldReason};
use wayfare_executor::record::{Cause, EraseMode, Key, QueueId, Queued, Row};
use wayfare_executor::{Action, Trust};

use crate::erase::{GOODBYE, answered, browser, erase, people, three, through, told_of, user};
use crate::events::{login, tell, track};
use crate::journeys::GREET;
use crate::world::{World, minute};

#[test]
fn an_erased_address_is_left_out_of_what_others_tell() {
    let mut world = World::new(&[GREET]);
    world.order(
        1,
        erase(Identifier::new("email", "a@b.example"), EraseMode::Suppress),
    );
    let identify =
        r#"{"type":"identify","userId":"u2","traits":{"email":"A@b.example","plan":"pro"}}"#;
    world.hear(2, identify);
    assert_eq!(people(&world), ["user_id:u2"]);
    assert!(told_of(&world, "pro") && !told_of(&world, "b.example"));
    // Without an anchor nobody knows who it is.
    world.hear(
        3,
        r#"{"type":"identify","anonymousId":"w","traits":{"email":"a@b.example"}}"#,
    );
    assert_eq!(people(&world), ["user_id:u2"]);
}

#[test]
fn what_somebody_left_in_the_queue_is_nothing_to_whoever_comes_back() {
    const ALL: QueueId = QueueId { seq: 0, place: 0 };
    let update = |plan: &str| Queued {
        owner: user("a"),
        hops: 0,
        cause: Cause::Traits(vec![("plan".into(), plan.into())]),
    };
    for deletes in [false, true] {
        let mut world = World::new(&[]);
        world.hear(0, &tell("a", "plan", r#""free""#));
        world.leave(update("silver"));
        if deletes {
            world.order(1, erase(user("a"), EraseMode::Delete));
        }
        world.hear(2, &login("w1", "a"));
        world.take_queued(minute(3), ALL);
        assert_eq!(told_of(&world, "silver"), !deletes);
        let left = world.everything().into_keys();
        assert_eq!(left.filter(|key| matches!(key, Key::Queued(_))).count(), 0);
        // What they queue themselves has its turn.
        world.leave(update("team"));
        world.take_queued(minute(4), ALL);
        assert!(told_of(&world, "team"), "after a deletion: {deletes}");
    }
}

/// Mail to the address that somebody told.
const MAIL: &str = r#"
journey: mail
description: Write to somebody who visited.
trigger: { event: Visited }
entry: { again: once }
blocks:
  write:
    webhook:
      method: POST
      url: https://mail.example.com/letters
      consent: { basis: contract, because: it is a test, address: profile.email }
      identity: any
      payload: { to: "{profile.email}" }
"#;

#[test]
fn a_refusal_about_an_address_of_somebody_else_is_heard_whoever_tells_it() {
    let mut world = World::new(&[]);
    world.hear(0, &login("w1", "a"));
    world.order(1, erase(user("a"), EraseMode::Both));
    let said = |who: &str, action: &str| {
        format!(
            r#"{{"type":"consent",{who}"email":"other@x.example","category":"marketing","action":"{action}"}}"#
        )
    };
    let kept = |world: &World| {
        let key = Key::Person(Identifier::new("email", "other@x.example"));
        match world.everything().get(&key) {
            Some(Row::Person(person)) => person.record.consent.len(),
            Some(_) | None => 0,
        }
    };
    for who in [r#""anonymousId":"w1","#, r#""userId":"a","#] {
        world.hear(2, &said(who, "accept"));
        assert_eq!(kept(&world), 0, "{who}");
    }
    world.hear(3, &said(r#""anonymousId":"w1","#, "decline"));
    assert_eq!(kept(&world), 1);
    assert!(people(&world).iter().all(|it| !it.contains("w1")));
}

#[test]
fn nothing_goes_to_an_erased_address_on_behalf_of_others() {
    for mode in [EraseMode::Suppress, EraseMode::Both] {
        let mut world = World::new(&[MAIL]);
        for user in ["u1", "u2"] {
            let shared = r#"{"type":"identify","userId":"U","traits":{"email":"a@b.example"}}"#;
            world.hear(0, &shared.replace('U', user));
        }
        world.order(5, erase(Identifier::new("email", "a@b.example"), mode));
        world.sweep(5);
        let told = ["mail entered", "mail suppressed: suppressed"];
        assert_eq!(
            world.hear(6, &track("userId u2", "Visited", "")),
            told,
            "{mode:?}"
        );
    }
}

#[test]
fn an_erased_address_that_bounces_is_not_known_again() {
    let address = Identifier::new("email", "q@q.example");
    let bounce = || Action::Suppress {
        address: address.clone(),
        kind: SuppressionKind::Bounce,
    };
    let again = r#"{"type":"identify","anonymousId":"w","traits":{"email":"q@q.example"}}"#;
    let mut world = World::new(&[GREET]);
    world.hear(1, &three(1));
    let before = world.profile(&address);
    let mut deleted = world.fork();
    world.order(5, erase(user("u1"), EraseMode::Both));
    world.sweep(5);
    world.order(6, bounce());
    world.hear(7, again);
    assert_eq!(people(&world), [""; 0]);
    // Who may come back is somebody new, and nothing goes to them.
    deleted.order(5, erase(user("u1"), EraseMode::Delete));
    deleted.sweep(5);
    deleted.order(6, bounce());
    deleted.hear(7, &three(2));
    assert_eq!(people(&deleted), ["email:q@q.example"]);
    deleted.hear(7, again);
    assert_ne!(deleted.profile(&address), before);
    assert!(told_of(&deleted, "Bounce"));
}

/// A journey that another one's request starts.
const AFTER: &str = r#"
journey: after
description: Note who was greeted.
trigger: { delivery: { journey: greet, state: delivered } }
entry: { again: always }
blocks:
  noted: { exit: noted }
"#;

#[test]
fn a_late_result_starts_nothing_for_whoever_came_back() {
    let mut world = World::new(&[GREET, AFTER]);
    world.hear(0, &track("userId u1", "Visited", ""));
    world.wait(60);
    let owed = world.owed();
    world.ready(61, owed);
    world.order(62, erase(user("u1"), EraseMode::Delete));
    // Before the sweep comes to the delivery.
    world.hear(63, &track("userId u1", "Seen", ""));
    assert_eq!(
        world.finished(64, owed, (1, answered(200))),
        ["Delivered { status: Some(200) }"]
    );
}

#[test]
fn who_is_about_to_be_erased_is_neither_merged_nor_told_apart() {
    let mut world = World::new(&[GREET, GOODBYE]);
    world.hear(0, &login("w", "u1"));
    world.hear(0, &track("userId u2", "Seen", ""));
    world.order(10, through(user("u1"), EraseMode::Both));
    let owed = world.decisions[0].id.delivery();
    for (from, into) in [("u1", "u2"), ("u2", "u1")] {
        let (from, into) = (user(from), user(into));
        assert_eq!(world.order(11, Action::Merge { from, into }), [""; 0]);
    }
    let (identifier, from) = (browser("w"), user("u1"));
    let detach = Action::Detach { identifier, from };
    assert_eq!(world.order(11, detach), [""; 0]);
    world.ready(12, owed);
    world.finished(13, owed, (1, answered(204)));
    world.sweep(13);
    assert_eq!(people(&world), ["user_id:u2"]);
}

#[test]
fn what_is_shared_stays_shared_and_the_others_stay_who_they_are() {
    let mut world = World::new(&[GREET]);
    let shared =
        |user: &str| format!(r#"{{"type":"page","userId":"{user}","anonymousId":"kiosk"}}"#);
    world.hear(0, &shared("u1"));
    world.hear(1, &shared("u2"));
    let kiosk = world.profile(&browser("kiosk"));
    let other = world.profile(&user("u2"));
    world.order(5, erase(user("u1"), EraseMode::Both));
    world.sweep(5);
    assert_eq!(people(&world), ["anonymous_id:kiosk", "user_id:u2"]);
    // Neither the other's nor anybody's.
    assert_eq!(world.profile(&browser("kiosk")), kiosk);
    assert_eq!(world.profile(&user("u2")), other);
    assert_ne!(kiosk, other);
    assert!(!told_of(&world, ":u1"));
}

#[test]
fn what_was_shared_with_somebody_erased_is_nobodys_when_the_other_lets_it_go() {
    let mut world = World::new(&[GREET]);
    for user in ["u1", "u2"] {
        world.hear(0, &login("kiosk", user));
    }
    let kiosk = world.profile(&browser("kiosk"));
    world.order(5, erase(user("u1"), EraseMode::Both));
    world.sweep(5);
    let (identifier, from) = (browser("kiosk"), user("u2"));
    world.order(6, Action::Detach { identifier, from });
    assert_eq!(world.profile(&browser("kiosk")), kiosk);
    world.hear(7, &track("anonymousId kiosk", "Seen", ""));
    assert_eq!(people(&world), ["anonymous_id:kiosk", "user_id:u2"]);
}

#[test]
fn an_address_that_was_let_go_is_its_owners_and_not_whoever_only_says_so() {
    let mut world = World::new(&[]);
    let of = |who: &str, name: &str| tell(who, "email", &format!(r#""{name}@x.example""#));
    let old = Identifier::new("email", "old@x.example");
    world.hear(0, &of("zed", "old"));
    for newer in 1..=5 {
        world.hear(newer, &of("zed", &format!("n{newer}")));
    }
    world.hear_from(Trust::Unverified, 6, &of("anna", "old"));
    assert_ne!(world.profile(&old), world.profile(&user("zed")));
    let mut other = world.fork();
    world.order(7, erase(old.clone(), EraseMode::Both));
    assert_eq!(people(&world), ["user_id:anna"]);
    // Nor is it hers when she is erased.
    other.order(7, erase(user("anna"), EraseMode::Both));
    let left = people(&other);
    assert_eq!(left.len(), 7, "{left:?}");
    assert!(other.profile(&old).is_some() && other.profile(&user("anna")).is_none());
}

#[test]
fn what_was_decided_of_somebody_is_reduced_whosever_their_browser_is_by_now() {
    let mut world = World::new(&[GREET]);
    world.hear(
        0,
        r#"{"type":"identify","anonymousId":"b","traits":{"email":"e@x.example"}}"#,
    );
    world.hear(0, &track("anonymousId b", "Visited", ""));
    assert_eq!(world.wait(60), ["greet webhook"]);
    let owed = world.owed();
    world.hear(61, &tell("u", "email", r#""e@x.example""#));
    world.hear(62, &login("b", "x"));
    let mut other = world.fork();
    world.order(63, erase(user("u"), EraseMode::Both));
    world.sweep(63);
    let delivery = world.delivery(owed);
    assert!(delivery.is_reduced());
    assert_eq!(delivery.state, State::Withheld(WithheldReason::Erased));
    let ledger = world.everything();
    let row = ledger.get(&Key::Decision(world.decisions[0].id));
    assert!(matches!(row, Some(Row::Decision(it)) if it.is_reduced()));
    assert_eq!(people(&world), ["anonymous_id:b", "user_id:x"]);
    // Nothing of it is anybody's who came later.
    other.order(63, erase(user("v"), EraseMode::Both));
    other.sweep(63);
    assert!(!other.delivery(owed).is_reduced());
}

#[test]
fn what_was_decided_of_another_user_while_two_were_one_stays_theirs() {
    let mut world = World::new(&[GREET]);
    for who in ["a", "b"] {
        world.hear(0, &track(&format!("userId {who}"), "Seen", ""));
    }
    let (from, into) = (user("a"), user("b"));
    world.order(1, Action::Merge { from, into });
    world.hear(2, &track("userId a", "Visited", ""));
    assert_eq!(world.wait(70), ["greet webhook"]);
    let owed = world.owed();
    let (identifier, from) = (user("a"), user("b"));
    world.order(71, Action::Detach { identifier, from });
    world.order(72, erase(user("b"), EraseMode::Both));
    world.sweep(72);
    assert!(!world.delivery(owed).is_reduced());
    let told = world.ready(73, owed);
    assert!(told[0].starts_with("Armed"), "{told:?}");
}

#[test]
fn what_is_ordered_again_is_still_that_of_whoever_was_deleted() {
    let mut world = World::new(&[GREET]);
    world.hear(0, &track("userId u1", "Visited", ""));
    world.wait(60);
    let owed = world.owed();
    world.ready(61, owed);
    world.finished(62, owed, (1, answered(400)));
    world.order(63, erase(user("u1"), EraseMode::Delete));
    // Before the sweep comes to it, whoever has the identifier now is somebody else.
    world.hear(64, &track("userId u1", "Seen", ""));
    world.order(65, Action::Resend(owed));
    let erased = State::Withheld(WithheldReason::Erased);
    assert_eq!(world.ready(66, owed), [format!("{erased:?}")]);
}
