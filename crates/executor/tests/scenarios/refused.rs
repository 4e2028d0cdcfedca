//! Does a refusal hold, whatever is told by the way, from wherever, in whatever order?

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use wayfare_consent::{Choice, Verdict};
use wayfare_executor::Action;
use wayfare_executor::view::Profile;

use crate::erase::user;
use crate::events::{login, tell};
use crate::said::{allows, asked, decided, page, prefers, says};
use crate::world::World;

/// How a request ends that asks u for a category, after these events.
fn check(category: &str, events: &[&str], expected: &str) {
    let told = asked(category, events, "userId u");
    assert_eq!(told, format!("letter {expected}"), "{events:?}");
}

const DECLINED: &str = "suppressed: declined";

/// Our own event, with these fields.
fn consent(fields: &str, category: &str, action: &str) -> String {
    format!(r#"{{"type":"consent",{fields},"category":"{category}","action":"{action}"}}"#)
}

/// The address of u.
const MAIL: &str =
    r#"{"type":"identify","userId":"u","traits":{"email":"a@a.io","phone":"+4930123456"}}"#;

fn on(browser: &str, event: &str) -> String {
    event.replace(
        r#""userId":"u""#,
        &format!(r#""userId":"u","anonymousId":"{browser}""#),
    )
}

#[test]
fn a_banner_lifts_no_refusal_of_an_address() {
    let left = consent(r#""email":"a@a.io""#, "marketing", "decline");
    let banner = r#""consent":{"categoryPreferences":{"marketing":true}}"#;
    let banner = page("userId u", 2, banner);
    check("marketing", &[MAIL, &left, &banner], DECLINED);
    check("marketing", &[MAIL, &banner, &left], DECLINED);
    check("marketing", &[MAIL, &banner], "webhook");
    let back = consent(r#""email":"a@a.io""#, "marketing", "accept");
    let back = back.replace(
        r#","category""#,
        r#","timestamp":"2026-01-26T10:30:00Z","category""#,
    );
    check("marketing", &[MAIL, &left, &banner, &back], "webhook");
}

#[test]
fn a_browser_that_stays_as_it_was_lifts_no_refusal_of_another() {
    let page = |at, browser: &str, yes| on(browser, &page("userId u", at, &prefers(yes)));
    let update = decided("userId u", 1, r#"{"analytics":false}"#);
    let update = on("d2", &update);
    let told = [
        page(0, "d1", true),
        update,
        page(2, "d1", true),
        page(3, "d2", false),
    ];
    let events = told.each_ref().map(String::as_str);
    check("analytics", &events, DECLINED);
    let changed = page(4, "d2", true);
    check("analytics", &[&events[..], &[&changed]].concat(), "webhook");
}

#[test]
fn what_a_shared_browser_said_before_dates_nothing_for_who_comes_next() {
    let page = |who: &str, at, yes| {
        let page = page("anonymousId w1", at, &prefers(yes));
        page.replace(r#""anonymousId""#, &format!(r#"{who}"anonymousId""#))
    };
    let refusal = says("userId u", 2, "decline");
    let before = page("", 0, false);
    let others = page(r#""userId":"v","#, 1, true);
    let own = page(r#""userId":"u","#, 3, true);
    check("analytics", &[&before, &others, &refusal, &own], DECLINED);
    // Nobody else uses it: then it changed since they said no elsewhere.
    let soon = page(r#""userId":"u","#, 1, true);
    check("analytics", &[&before, &soon], "webhook");
}

#[test]
fn what_nobody_can_date_lifts_no_refusal_that_is_heard_of_later() {
    let banner = page("userId u", 10, &prefers(true));
    let refusal = says("userId u", 8, "decline");
    check("analytics", &[&banner, &refusal], DECLINED);
    check("analytics", &[&refusal, &banner], DECLINED);
    check("analytics", &[&banner], "webhook");
}

#[test]
fn a_signal_of_a_shared_browser_is_kept_for_everybody_who_uses_it() {
    let signal = |at| on("w1", &page("userId u", at, r#""gpc":true"#));
    let accept = says("userId u", 0, "accept");
    let before = page("anonymousId w1", 0, r#""gpc":true"#);
    let others = login("w1", "v");
    let last = signal(3);
    check("analytics", &[&accept, &before, &others, &last], DECLINED);
    check("analytics", &[&accept, &before, &others], "webhook");
}

#[test]
fn a_refusal_about_a_person_holds_whatever_address_comes_with_it() {
    let accept = says("userId u", 0, "accept");
    let shared = consent(r#""userId":"u","email":"a@a.io""#, "analytics", "decline");
    let other = r#"{"type":"identify","userId":"v","traits":{"email":"a@a.io"}}"#;
    check("analytics", &[&accept, &shared, other], DECLINED);
    check("analytics", &[&accept, other, &shared], DECLINED);
}

#[test]
fn a_refusal_is_about_every_address_that_is_given() {
    let both = r#""userId":"u","email":"a@a.io","phone":"+4930123456""#;
    for category in ["marketing", "sms_marketing"] {
        let accept = consent(both, category, "accept");
        let all = consent(both, "*", "decline");
        check(category, &[MAIL, &accept], "webhook");
        check(category, &[MAIL, &accept, &all], DECLINED);
    }
    // Of another channel only: then it is the person's.
    let accept = consent(r#""userId":"u","email":"a@a.io""#, "marketing", "accept");
    let other = consent(
        r#""userId":"u","phone":"+4930123456""#,
        "marketing",
        "decline",
    );
    check("marketing", &[MAIL, &accept, &other], DECLINED);
}

#[test]
fn an_acceptance_for_an_address_that_is_none_allows_nothing() {
    let accept = consent(r#""userId":"u","email":"a@a""#, "marketing", "accept");
    check("marketing", &[MAIL, &accept], "suppressed: silent");
    let person = consent(r#""userId":"u""#, "marketing", "accept");
    check("marketing", &[MAIL, &person], "webhook");
}

#[test]
fn what_one_event_refuses_it_does_not_accept_by_the_way() {
    let told =
        |at, segment, lists: &str| page("userId u", at, &format!("{},{lists}", prefers(segment)));
    let denied = allows("", r#""analytics""#);
    let allowed = allows(r#""analytics""#, "");
    let (first, second) = (told(0, false, &denied), told(1, false, &allowed));
    check("analytics", &[&first, &second], DECLINED);
    let both = told(2, true, &allowed);
    check("analytics", &[&first, &second, &both], "webhook");
}

#[test]
fn who_is_told_of_a_signal_answers_it_in_the_same_event() {
    let knowing = says("userId u", 0, "accept").replace(
        r#""category""#,
        r#""context":{"gpc":true},"method":"acknowledges_signal","category""#,
    );
    check("analytics", &[&knowing], "webhook");
    let goes_on = page("userId u", 1, r#""gpc":true"#);
    check("analytics", &[&knowing, &goes_on], "webhook");
}

/// What is chosen of everything, and what that allows.
fn answers(world: &World, value: &str) -> BTreeMap<Arc<str>, (Choice, Verdict)> {
    let profiles = world.profiles();
    let is_theirs = |it: &&Profile| it.identifiers.contains(&user(value));
    profiles.iter().find(is_theirs).unwrap().consent.clone()
}

/// A statement of one of two users, of their person or their address.
fn statement() -> impl Strategy<Value = String> {
    let who = prop_oneof![
        Just(r#""userId":"a""#),
        Just(r#""userId":"b""#),
        Just(r#""userId":"a","email":"a@a.io""#),
        Just(r#""userId":"b","email":"b@b.io""#),
    ];
    let category = prop_oneof![Just("marketing"), Just("analytics"), Just("*")];
    let action = prop_oneof![Just("accept"), Just("decline")];
    (who, category, action).prop_map(|(who, category, action)| consent(who, category, action))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Invariant 6 of 2.2: merged and told apart, everybody's answers are what they were.
    #[test]
    fn invariant_6_what_is_merged_and_told_apart_is_answered_as_before(
        told in proptest::collection::vec(statement(), 0..8),
    ) {
        let mut world = World::new(&[]);
        for user in ["a", "b"] {
            world.hear(0, &tell(user, "email", &format!(r#""{user}@{user}.io""#)));
        }
        for (at, event) in (1..).zip(&told) {
            world.hear(at, event);
        }
        let all = |world: &World| ["a", "b"].map(|user| answers(world, user));
        let before = all(&world);
        let (from, into) = (user("a"), user("b"));
        world.order(20, Action::Merge { from, into });
        let merged = all(&world);
        prop_assert_eq!(&merged[0], &merged[1]);
        let refuses = |it: &(Choice, Verdict)| it.0 == Choice::Decline;
        // Invariant 4: a refusal of either about the person stays one.
        let has_refused = before.iter().any(|it| refuses(&it["analytics"]));
        prop_assert!(!has_refused || refuses(&merged[0]["analytics"]));
        let (identifier, from) = (user("a"), user("b"));
        world.order(21, Action::Detach { identifier, from });
        prop_assert_eq!(all(&world), before);
    }
}
