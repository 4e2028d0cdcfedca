//! Whose choice counts, and when does a changed one start a journey (SP 19, SP 20, SP 39)?

use wayfare_consent::SuppressionKind;
use wayfare_event::Identifier;
use wayfare_executor::Action;

use crate::events::track;
use crate::world::World;

const REVOKE: &str = r#"
journey: revoke
description: Take an address off the lists.
trigger: { consent: { category: marketing, action: decline } }
entry: { again: always }
blocks:
  unsubscribe:
    webhook:
      method: DELETE
      url: https://mail.example.com/subscribers/{email}
      consent: { category: marketing, action: decline }
      identity: any
      payload: { was: "{change.previous}", address: "{change.address}" }
"#;

const WELCOME: &str = r#"
journey: welcome
description: Greet whoever accepts.
trigger: { consent: { category: marketing, action: accept } }
entry: { again: always }
blocks:
  greet: { exit: greeted }
"#;

const LETTER: &str = r#"
journey: letter
description: Write to somebody.
trigger: { event: Asked }
entry: { again: always }
blocks:
  write:
    webhook:
      method: POST
      url: https://mail.example.com/letters
      consent: marketing
      identity: any
      when: profile.plan != "none"
      payload: { to: "{profile.email}" }
"#;

/// A statement about marketing.
fn says(who: &str, action: &str) -> String {
    says_with(who, action, "")
}

fn says_with(who: &str, action: &str, more: &str) -> String {
    let fields: Vec<String> = who
        .split(", ")
        .map(|field| {
            let (name, value) = field.split_once(' ').unwrap();
            format!(r#""{name}":"{value}""#)
        })
        .collect();
    let fields = fields.join(",");
    format!(r#"{{"type":"consent",{fields},"category":"marketing","action":"{action}"{more}}}"#)
}

fn with_email(user: &str, email: &str) -> String {
    format!(r#"{{"type":"identify","userId":"{user}","traits":{{"email":"{email}"}}}}"#)
}

const SENT: [&str; 2] = ["revoke entered", "revoke webhook"];

fn last_url(world: &World) -> &str {
    let decision = world.decisions.last().unwrap();
    &decision.request.as_ref().unwrap().url
}

#[test]
fn a_choice_starts_a_journey_once_for_each_change_of_its_subject() {
    let mut world = World::new(&[REVOKE, WELCOME]);
    world.hear(0, &with_email("u", "a@example.com"));
    let greeted = ["welcome entered", "welcome exit: greeted"];
    let none = [""; 0];
    let (a, b) = (
        "userId u, email a@example.com",
        "userId u, email b@example.com",
    );
    assert_eq!(world.hear(1, &says(a, "accept")), greeted);
    assert_eq!(world.hear(2, &says(a, "accept")), none);
    assert_eq!(world.hear(3, &says(a, "decline")), SENT);
    assert_eq!(
        last_url(&world),
        "https://mail.example.com/subscribers/a%40example.com"
    );
    assert_eq!(world.hear(4, &says(a, "decline")), none);
    // Another address of the same person has a choice of its own.
    assert_eq!(world.hear(5, &says(b, "decline")), SENT);
    assert_eq!(
        last_url(&world),
        "https://mail.example.com/subscribers/b%40example.com"
    );
    let body = world.decisions.last().unwrap().request.as_ref().unwrap();
    assert_eq!(
        body.body.as_deref(),
        Some(r#"{"was":"unknown","address":"b@example.com"}"#)
    );
    // A second thought starts it all again.
    assert_eq!(world.hear(6, &says(a, "accept")), greeted);
    assert_eq!(world.hear(7, &says(a, "decline")), SENT);
}

#[test]
fn the_person_as_a_whole_is_a_subject_of_its_own() {
    let mut world = World::new(&[REVOKE]);
    world.hear(0, &with_email("u", "a@example.com"));
    assert_eq!(world.hear(1, &says("email a@example.com", "decline")), SENT);
    // What was said about the address is not what the person as a whole said.
    assert_eq!(world.hear(2, &says("userId u", "decline")), SENT);
    assert_eq!(
        last_url(&world),
        "https://mail.example.com/subscribers/a%40example.com"
    );
    let body = world.decisions.last().unwrap().request.as_ref().unwrap();
    assert_eq!(
        body.body.as_deref(),
        Some(r#"{"was":"unknown","address":null}"#)
    );
    assert_eq!(world.hear(3, &says("userId u", "decline")), [""; 0]);
}

#[test]
fn a_person_without_an_address_cannot_be_named_in_a_url() {
    let basis = REVOKE.replace(
        "consent: { category: marketing, action: decline }\n      identity",
        "consent: { basis: contract, because: it is a test }\n      identity",
    );
    let mut world = World::new(&[&basis]);
    let told = world.hear(0, &says("userId u", "decline"));
    assert_eq!(told.first().unwrap(), "revoke entered");
    assert!(
        told.last().unwrap().starts_with("revoke render_failed: "),
        "{told:?}"
    );
    // With the category asked, the verdict comes first.
    let mut world = World::new(&[REVOKE]);
    let told = world.hear(0, &says("userId u", "decline"));
    assert_eq!(told, ["revoke entered", "revoke suppressed: no_address"]);
}

#[test]
fn what_was_said_about_an_address_counts_in_whosever_profile_it_is() {
    let mut world = World::new(&[REVOKE]);
    // Two people claim the address: it is nobody's.
    world.hear(0, &with_email("u", "a@example.com"));
    world.hear(0, &with_email("v", "a@example.com"));
    let mut declines = |who: &str| world.hear(1, &says(who, "decline"));
    assert_eq!(declines("email a@example.com"), SENT);
    assert_eq!(declines("userId u, email a@example.com"), [""; 0]);
    assert_eq!(declines("userId v, email a@example.com"), [""; 0]);
}

#[test]
fn an_import_changes_the_choice_and_starts_nothing() {
    let mut world = World::new(&[REVOKE]);
    world.hear(0, &with_email("u", "a@example.com"));
    let import = r#","source":"import""#;
    let a = "userId u, email a@example.com";
    assert_eq!(world.hear(1, &says_with(a, "decline", import)), [""; 0]);
    assert_eq!(world.hear(2, &says(a, "decline")), [""; 0]);
}

#[test]
fn a_letter_leaves_only_when_its_address_accepted() {
    let check = |statements: &[&str], expected: &str| {
        let mut world = World::new(&[LETTER]);
        world.hear(0, &with_email("u", "a@example.com"));
        for (at, statement) in (1..).zip(statements) {
            let (who, action) = statement.rsplit_once(' ').unwrap();
            world.hear(at, &says(who, action));
        }
        let told = world.hear(10, &track("userId u", "Asked", ""));
        assert_eq!(
            told.last().unwrap(),
            &format!("letter {expected}"),
            "{statements:?}"
        );
        let asked = world.decisions.last().unwrap().consent.as_ref().unwrap();
        assert_eq!(asked.verdict.allowed, expected == "webhook");
    };
    check(&[], "suppressed: silent");
    check(&["email a@example.com accept"], "webhook");
    check(&["email A@Example.com accept"], "webhook");
    check(&["email b@example.com accept"], "suppressed: silent");
    check(&["userId u accept"], "webhook");
    check(&["userId v accept"], "suppressed: silent");
    check(
        &["email a@example.com accept", "email a@example.com decline"],
        "suppressed: declined",
    );
    check(
        &["email a@example.com decline", "email a@example.com accept"],
        "webhook",
    );
    check(
        &["email a@example.com accept", "email b@example.com decline"],
        "webhook",
    );
    check(
        &["email a@example.com accept", "userId u decline"],
        "suppressed: declined",
    );
}

#[test]
fn a_webhook_asks_who_then_when_then_whether_it_may_then_what() {
    let known = LETTER.replace("identity: any", "identity: known");
    let check = |journey: &str, before: &[&str], who: &str, expected: &str| {
        let mut world = World::new(&[journey]);
        for event in before {
            world.hear(0, event);
        }
        let told = world.hear(1, &track(who, "Asked", ""));
        assert_eq!(told.last().unwrap(), &format!("letter {expected}"));
    };
    let none = r#"{"type":"identify","anonymousId":"a","traits":{"plan":"none"}}"#;
    let person = says("anonymousId a", "accept");
    let email = with_email("u", "a@example.com");
    check(&known, &[none], "anonymousId a", "unresolved");
    check(
        LETTER,
        &[none],
        "anonymousId a",
        "declined: profile.plan != \"none\"",
    );
    check(LETTER, &[], "anonymousId a", "suppressed: no_address");
    check(
        LETTER,
        &[&person],
        "anonymousId a",
        "suppressed: no_address",
    );
    check(&known, &[&email], "userId u", "suppressed: silent");
    let accepted = says("userId u", "accept");
    check(&known, &[&email, &accepted], "userId u", "webhook");
}

#[test]
fn a_value_that_is_missing_ends_the_walk_and_is_named() {
    let url = LETTER
        .replace("example.com/letters", "example.com/letters/{profile.city}")
        .replace(
            "consent: marketing",
            "consent: { basis: contract, because: it is a test }",
        );
    let mut world = World::new(&[&url]);
    let told = world.hear(0, &track("userId u", "Asked", ""));
    let failed = told.last().unwrap();
    assert!(failed.starts_with("letter render_failed: "), "{failed}");
    assert!(failed.contains("profile.city"), "{failed}");
}

#[test]
fn a_yes_of_the_person_reaches_the_addresses_they_had() {
    let mut world = World::new(&[LETTER]);
    world.hear(1, &with_email("u1", "a@a.io"));
    world.hear(2, &says("userId u1", "accept"));
    let asked = r#"{"type":"track","userId":"u1","event":"Asked"}"#;
    assert_eq!(world.hear(3, asked), ["letter entered", "letter webhook"]);
    world.hear(4, &with_email("u1", "b@b.io"));
    let told = world.hear(5, asked);
    assert_eq!(told, ["letter entered", "letter suppressed: silent"]);
    world.hear(6, &says("userId u1", "accept"));
    assert_eq!(world.hear(7, asked), ["letter entered", "letter webhook"]);
}

#[test]
fn a_yes_lifts_what_a_device_refused_only_once_it_was_theirs() {
    let mut world = World::new(&[LETTER]);
    world.hear(1, &says("anonymousId w1", "decline"));
    world.hear(2, &with_email("u1", "a@a.io"));
    world.hear(3, &says("userId u1", "accept"));
    let asked = r#"{"type":"track","userId":"u1","event":"Asked"}"#;
    assert_eq!(world.hear(4, asked), ["letter entered", "letter webhook"]);
    world.hear(5, r#"{"type":"page","userId":"u1","anonymousId":"w1"}"#);
    let told = world.hear(6, asked);
    assert_eq!(told, ["letter entered", "letter suppressed: declined"]);
    world.hear(7, &says("userId u1", "accept"));
    assert_eq!(world.hear(8, asked), ["letter entered", "letter webhook"]);
}

#[test]
fn what_is_said_of_everything_starts_what_its_parts_start() {
    let mut world = World::new(&[REVOKE]);
    let says =
        |action: &str| says("userId u1, email a@a.io", action).replace(r#""marketing""#, r#""*""#);
    assert_eq!(world.hear(1, &says("accept")), [""; 0]);
    assert_eq!(world.hear(2, &says("decline")), SENT);
    assert_eq!(world.hear(3, &says("decline")), [""; 0]);
}

#[test]
fn nothing_goes_to_a_suppressed_address_until_somebody_lifts_it() {
    let mut world = World::new(&[LETTER, REVOKE]);
    let address = Identifier::new("email", "a@a.io");
    let kind = SuppressionKind::Complaint;
    let suppress = Action::Suppress {
        address: address.clone(),
        kind,
    };
    let asked = r#"{"type":"track","userId":"u1","event":"Asked"}"#;
    world.hear(1, &with_email("u1", "a@a.io"));
    world.hear(2, &says("userId u1, email a@a.io", "accept"));
    world.order(3, suppress);
    let suppressed = ["letter entered", "letter suppressed: suppressed"];
    assert_eq!(world.hear(4, asked), suppressed);
    // D23: a new yes lifts nothing.
    world.hear(5, &says("userId u1, email a@a.io", "accept"));
    assert_eq!(world.hear(6, asked), suppressed);
    // SP 20: what enforces a refusal leaves all the same.
    let told = world.hear(7, &says("userId u1, email a@a.io", "decline"));
    assert_eq!(told, SENT);
    world.hear(8, &says("userId u1, email a@a.io", "accept"));
    world.order(9, Action::Unsuppress(address));
    assert_eq!(world.hear(10, asked), ["letter entered", "letter webhook"]);
}

#[test]
fn a_legal_basis_sends_to_any_address_but_one_that_bounced() {
    let receipt = LETTER.replace(
        "consent: marketing",
        "consent: { basis: contract, because: they bought it, address: profile.email }",
    );
    let mut world = World::new(&[&receipt]);
    let asked = r#"{"type":"track","userId":"u1","event":"Asked"}"#;
    let suppress = |kind| Action::Suppress {
        address: Identifier::new("email", "a@a.io"),
        kind,
    };
    world.hear(1, &with_email("u1", "a@a.io"));
    world.order(2, suppress(SuppressionKind::Complaint));
    assert_eq!(world.hear(3, asked), ["letter entered", "letter webhook"]);
    world.order(4, suppress(SuppressionKind::Bounce));
    // A complaint takes no place of what refuses more.
    world.order(5, suppress(SuppressionKind::Complaint));
    let suppressed = ["letter entered", "letter suppressed: suppressed"];
    assert_eq!(world.hear(6, asked), suppressed);
}
