//! When is what an SDK tells of consent news, and whom is it about (D06 to D11, D17, E18)?

use wayfare_consent::sources::Dialects;
use wayfare_event::{ConsentAction, Identifier};
use wayfare_executor::{Key, Row};

use crate::events::{login, tell, track};
use crate::world::{World, minute};

/// The built-in categories; a browser's signal refuses analytics, and the TCF is asked about
/// personalization.
pub(crate) fn consent() -> wayfare_consent::Config {
    let standard = wayfare_consent::Config::default();
    let mut categories = standard.categories().clone();
    for (name, category) in &mut categories {
        category.hears.gpc = &**name == "analytics";
        if &**name == "personalization" {
            category.hears.purposes = vec![1, 7];
        }
    }
    let dialects = Dialects {
        tcf_vendor: Some(755),
        ..Dialects::NONE
    };
    let place = standard.default_jurisdiction().clone();
    wayfare_consent::Config::new(categories, place).with_dialects(dialects)
}

const CHOICE: &str = r#"
journey: ACTION
description: Hear a choice.
trigger: { consent: { category: analytics, action: ACTION } }
entry: { again: always }
blocks:
  heard: { exit: heard }
"#;

/// A world that hears both choices about analytics.
fn world() -> World {
    let journeys = ["accept", "decline"].map(|action| CHOICE.replace("ACTION", action));
    World::new(&[&journeys[0], &journeys[1]])
}

/// A page that somebody saw, with a context, at a minute by the source's clock.
pub(crate) fn page(who: &str, at: i64, context: &str) -> String {
    let (field, value) = who.split_once(' ').unwrap();
    let at = minute(at);
    format!(r#"{{"type":"page","{field}":"{value}","timestamp":"{at}","context":{{{context}}}}}"#)
}

pub(crate) fn prefers(analytics: bool) -> String {
    format!(r#""consent":{{"categoryPreferences":{{"analytics":{analytics}}}}}"#)
}

pub(crate) fn allows(allowed: &str, denied: &str) -> String {
    format!(
        r#""consentManagement":{{"allowedConsentIds":[{allowed}],"deniedConsentIds":[{denied}]}}"#
    )
}

/// Our own event about analytics.
pub(crate) fn says(who: &str, at: i64, action: &str) -> String {
    let (field, value) = who.split_once(' ').unwrap();
    let at = minute(at);
    format!(
        r#"{{"type":"consent","{field}":"{value}","category":"analytics","action":"{action}","timestamp":"{at}"}}"#
    )
}

pub(crate) fn decided(who: &str, at: i64, preferences: &str) -> String {
    let (field, value) = who.split_once(' ').unwrap();
    let at = minute(at);
    format!(
        r#"{{"type":"track","{field}":"{value}","timestamp":"{at}","event":"Segment Consent Preference Updated","context":{{"consent":{{"categoryPreferences":{preferences}}}}}}}"#
    )
}

/// What is kept of somebody about a category: source and action, in the order it was kept.
fn kept(world: &World, namespace: &str, value: &str, category: &str) -> Vec<String> {
    let key = Key::Person(Identifier::new(namespace, value));
    let everything = world.everything();
    let Some(Row::Person(person)) = everything.get(&key) else {
        return Vec::new();
    };
    let records = person.record.consent.iter();
    records
        .filter(|it| *it.category == *category)
        .map(|it| {
            let source = it.source.as_deref().unwrap_or("consent");
            format!("{source} {}", it.action.as_str())
        })
        .collect()
}

const ACCEPTED: [&str; 2] = ["accept entered", "accept exit: heard"];
const DECLINED: [&str; 2] = ["decline entered", "decline exit: heard"];
const NOTHING: [&str; 0] = [];

#[test]
fn what_holds_is_written_once_and_starts_a_journey_once() {
    let mut world = world();
    let mut hears = |at, context: &str| world.hear(at, &page("userId u", at, context));
    assert_eq!(hears(0, ""), NOTHING);
    assert_eq!(hears(1, &prefers(true)), ACCEPTED);
    assert_eq!(hears(2, &prefers(true)), NOTHING);
    assert_eq!(hears(3, &prefers(false)), DECLINED);
    assert_eq!(hears(4, &prefers(false)), NOTHING);
    assert_eq!(hears(5, ""), NOTHING);
    assert_eq!(hears(6, &prefers(true)), ACCEPTED);
    // A page that was seen before the change, and comes late.
    assert_eq!(
        world.hear(7, &page("userId u", 5, &prefers(false))),
        NOTHING
    );
    let kept = kept(&world, "user_id", "u", "analytics");
    assert_eq!(kept, ["segment decline", "segment accept"]);
}

#[test]
fn the_lists_of_another_sdk_are_heard_the_same_way() {
    let mut world = world();
    let mut hears = |at, context: &str| world.hear(at, &page("anonymousId d", at, context));
    let (yes, no) = (
        allows(r#""analytics""#, ""),
        allows("", r#""analytics","marketing""#),
    );
    assert_eq!(hears(0, &yes), ACCEPTED);
    assert_eq!(hears(1, &yes), NOTHING);
    assert_eq!(hears(2, &no), DECLINED);
    assert_eq!(hears(3, r#""consentManagement":"nonsense""#), NOTHING);
    let lists = r#""consentManagement":{"allowedConsentIds":["analytics"],"deniedConsentIds":"x"}"#;
    assert_eq!(hears(4, lists), NOTHING);
    assert_eq!(
        kept(&world, "anonymous_id", "d", "marketing"),
        ["rudderstack decline"]
    );
}

#[test]
fn one_event_may_change_several_choices_and_each_starts_its_own() {
    let mut world = world();
    let all = decided("userId u", 0, r#"{"analytics":true,"marketing":true}"#);
    assert_eq!(world.hear(0, &all), ACCEPTED);
    assert_eq!(
        kept(&world, "user_id", "u", "marketing"),
        ["segment accept"]
    );
    assert_eq!(world.hear(1, &decided("userId u", 1, "{}")), DECLINED);
    for category in ["marketing", "sms_marketing", "analytics", "personalization"] {
        let kept = kept(&world, "user_id", "u", category);
        assert_eq!(kept.last().unwrap(), "segment decline", "{category}");
    }
    assert_eq!(kept(&world, "user_id", "u", "essential"), NOTHING);
}

#[test]
fn what_was_refused_is_not_lifted_by_what_nobody_can_date() {
    let mut world = world();
    assert_eq!(world.hear(0, &says("userId u", 0, "decline")), DECLINED);
    // A banner that was accepted at some time, on some device.
    let seen = page("userId u", 1, &prefers(true));
    assert_eq!(world.hear(1, &seen), NOTHING);
    assert_eq!(
        kept(&world, "user_id", "u", "analytics"),
        ["consent decline", "segment accept"]
    );
    // There it is refused and accepted again: that is dated.
    assert_eq!(
        world.hear(2, &page("userId u", 2, &prefers(false))),
        NOTHING
    );
    assert_eq!(
        world.hear(3, &page("userId u", 3, &prefers(true))),
        ACCEPTED
    );
}

#[test]
fn a_banner_that_stays_as_it_was_lifts_no_later_refusal() {
    let mut world = world();
    let accepts = |at| page("userId u", at, &prefers(true));
    assert_eq!(world.hear(0, &accepts(0)), ACCEPTED);
    assert_eq!(world.hear(1, &says("userId u", 1, "decline")), DECLINED);
    assert_eq!(world.hear(2, &accepts(2)), NOTHING);
    assert_eq!(
        world.hear(3, &decided("userId u", 3, r#"{"analytics":true}"#)),
        ACCEPTED
    );
}

#[test]
fn a_banner_that_stays_as_it_was_refuses_no_later_acceptance() {
    let mut world = world();
    world.hear(0, &page("userId u", 0, &prefers(false)));
    // The same from elsewhere does not make what the banner shows news.
    world.hear(1, &says("userId u", 1, "decline"));
    assert_eq!(world.hear(2, &says("userId u", 2, "accept")), ACCEPTED);
    assert_eq!(
        world.hear(3, &page("userId u", 3, &prefers(false))),
        NOTHING
    );
}

#[test]
fn what_a_device_said_before_its_login_is_what_its_source_said_last() {
    let mut world = world();
    let before = page("anonymousId d", 0, &prefers(false));
    assert_eq!(world.hear(0, &before), DECLINED);
    world.hear(1, &login("d", "u"));
    let at = minute(2);
    let context = prefers(true);
    let after = format!(
        r#"{{"type":"page","userId":"u","anonymousId":"d","timestamp":"{at}","context":{{{context}}}}}"#
    );
    assert_eq!(world.hear(2, &after), ACCEPTED);
    assert_eq!(
        kept(&world, "user_id", "u", "analytics"),
        ["segment accept"]
    );
}

#[test]
fn a_standing_signal_is_written_once_and_stays() {
    let mut world = world();
    let signal = |at| page("userId u", at, r#""gpc":true"#);
    assert_eq!(world.hear(0, &says("userId u", 0, "accept")), ACCEPTED);
    assert_eq!(world.hear(1, &signal(1)), DECLINED);
    assert_eq!(world.hear(2, &signal(2)), NOTHING);
    // A yes that does not know of the signal does not lift it.
    assert_eq!(world.hear(3, &says("userId u", 3, "accept")), NOTHING);
    let knowing = says("userId u", 4, "accept").replace(
        r#""category""#,
        r#""method":"acknowledges_signal","category""#,
    );
    assert_eq!(world.hear(4, &knowing), ACCEPTED);
    // The browser goes on signalling; the person was asked about just that.
    assert_eq!(world.hear(5, &signal(5)), NOTHING);
    let kept = kept(&world, "user_id", "u", "analytics");
    assert_eq!(kept.iter().filter(|it| *it == "gpc decline").count(), 1);
}

#[test]
fn a_signal_and_an_acceptance_in_one_event_refuse() {
    let mut world = world();
    let both = format!(r#""gpc":true,{}"#, prefers(true));
    assert_eq!(world.hear(0, &page("userId u", 0, &both)), DECLINED);
    assert_eq!(world.hear(1, &page("userId u", 1, &both)), NOTHING);
}

/// The strings were written on 1 March 2024: what they accept has ended by now, what they refuse has
/// not; and nothing of them is news twice.
#[test]
fn a_tc_string_counts_from_its_own_day() {
    let accepted = "CP6ywkAP6ywkAAfADBENAwEMAP_gAH_gAAYgH0QBQABAAGAAQAvMB9AH0QBQABAAGAAQAvMB9AAA";
    let refused = "CP6ywkAP6ywkAAfADBENAwEAAAAAAAAAAAYgAAAAAAAA";
    let mut world = world();
    let mut hears = |at, string: &str| {
        let context = format!(r#""tcf":{{"tcString":"{string}"}}"#);
        world.hear(at, &page("userId u", at, &context));
        let key = Key::Person(Identifier::new("user_id", "u"));
        match world.everything().get(&key) {
            Some(Row::Person(person)) => person.record.consent.clone(),
            _ => Vec::new(),
        }
    };
    let records = hears(0, accepted);
    let [record] = &records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(record.action, ConsentAction::Accept);
    assert_eq!(record.at.to_string(), "2024-03-01T00:00:00Z");
    let ends = record.valid_until.unwrap().to_string();
    assert_eq!(ends, "2025-04-01T00:00:00Z");
    assert_eq!(hears(1, accepted), records);
    assert_eq!(hears(2, "garbage"), records);
    assert_eq!(hears(3, refused).len(), 2);
    assert_eq!(hears(4, refused).len(), 2);
}

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
      consent: CATEGORY
      identity: any
      when: profile.plan != "none"
      payload: { plan: "{profile.plan ?? 'free'}" }
"#;

/// How a request ends that asks for a category, after these events.
pub(crate) fn asked(category: &str, events: &[&str], who: &str) -> String {
    let mut world = World::new(&[&LETTER.replace("CATEGORY", category)]);
    for (at, event) in (0..).zip(events) {
        world.hear(at, event);
    }
    let told = world.hear(60, &track(who, "Asked", ""));
    told.last().unwrap().clone()
}

#[test]
fn records_of_both_sides_count_after_a_merge() {
    let check = |events: &[&str], expected: &str| {
        let told = asked("analytics", events, "userId u");
        assert_eq!(told, format!("letter {expected}"), "{events:?}");
    };
    let accepts = |who: &str, until: &str| {
        let says = says(who, 0, "accept");
        says.replace(
            r#""category""#,
            &format!(r#""validUntil":"{until}","category""#),
        )
    };
    let (device, user) = ("anonymousId d", "userId u");
    let join = login("d", "u");
    // D20: neither has an end.
    let both = [accepts(device, "unlimited"), accepts(user, "unlimited")];
    check(&[&both[0], &both[1], &join], "webhook");
    // D21: one has ended, on either side, and the other has not.
    let ended = "2026-01-26T10:30:00Z";
    let live = "2027-01-26";
    for (one, other) in [(ended, live), (live, ended)] {
        let both = [accepts(device, one), accepts(user, other)];
        check(&[&both[0], &both[1], &join], "webhook");
    }
    let both = [accepts(device, ended), accepts(user, ended)];
    check(&[&both[0], &both[1], &join], "suppressed: expired");
}

#[test]
fn an_address_that_left_is_closed_whoever_has_it() {
    let has = |user: &str, email: &str| tell(user, "email", &format!("\"{email}\""));
    let about = |email: &str, action: &str, more: &str| {
        format!(
            r#"{{"type":"consent","email":"{email}","category":"marketing","action":"{action}"{more}}}"#
        )
    };
    let check = |id: &str, events: &[&str], who: &str, expected: &str| {
        let told = asked("marketing", events, who);
        assert_eq!(told, format!("letter {expected}"), "{id} {who}");
    };
    let (u, v) = (has("u", "a@example.com"), has("v", "a@example.com"));
    let yes = about("a@example.com", "accept", "");
    let no = about("a@example.com", "decline", "");
    for who in ["userId u", "userId v"] {
        check("D37", &[&u, &v, &yes], who, "webhook");
        check("D37", &[&u, &v, &yes, &no], who, "suppressed: declined");
    }
    let (before, after) = (has("w", "b@example.com"), has("w", "a@example.com"));
    let other = about("b@example.com", "accept", "");
    check("D38", &[&other, &before], "userId w", "webhook");
    check(
        "D38",
        &[&no, &other, &before, &after],
        "userId w",
        "suppressed: declined",
    );
    let import = r#","source":"import","historical":true,"timestamp":"2026-01-26T10:05:00Z""#;
    let brought = about("a@example.com", "accept", import);
    check("D39", &[&u, &brought], "userId u", "webhook");
    check(
        "D39",
        &[&no, &u, &brought],
        "userId u",
        "suppressed: declined",
    );
}
