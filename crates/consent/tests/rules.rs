//! Do choice and verdict follow their tables, whatever the order of the records?

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_consent::{
    Binding, Category, Channel, Choice, Class, Config, Jurisdiction, Question, Reason, Record,
    RecordKind, Said, Strength, Verdict, choice, enforcement, may_ask, verdict,
};
use wayfare_event::{ConsentAction, Identifier, Timestamp};

const DAY_US: i64 = 86_400_000_000;

fn day(day: i64) -> Timestamp {
    Timestamp::from_micros(day * DAY_US)
}

fn said(action: ConsentAction, at: i64) -> Record {
    Record::new("marketing", action, day(at), &format!("r{at}"))
}

fn accept(at: i64) -> Record {
    said(ConsentAction::Accept, at)
}

fn decline(at: i64) -> Record {
    said(ConsentAction::Decline, at)
}

fn with(category: Category) -> Config {
    let categories = BTreeMap::from([(Arc::from("marketing"), category)]);
    Config::new(categories, Jurisdiction::UNKNOWN)
}

fn address() -> Identifier {
    Identifier::new("email", "a@a.io")
}

/// Records that are all kept under one address.
fn of<'a>(
    subject: &'a Identifier,
    records: &'a [Record],
) -> impl Iterator<Item = Said<'a>> + Clone {
    records.iter().map(move |record| Said { subject, record })
}

/// Two subjects that never were one.
const fn apart(_: &Identifier, _: &Identifier) -> Option<Timestamp> {
    None
}

fn ask(config: &Config, records: &[Record], place: &str, now: i64) -> Verdict {
    let (address, jurisdiction) = (address(), Jurisdiction::named(place));
    let question = Question {
        jurisdiction: &jurisdiction,
        ..Question::new("marketing", Some(&address), day(now))
    };
    verdict(config, &question, of(&address, records), apart)
}

fn chosen(records: &[Record], now: i64) -> Choice {
    let address = address();
    let question = Question::new("marketing", Some(&address), day(now));
    choice(&Config::default(), &question, of(&address, records), apart)
}

#[test]
fn a_choice_is_what_prevails_now() {
    let check = |records: &[Record], expected: Choice| {
        assert_eq!(chosen(records, 100), expected, "{records:?}");
    };
    check(&[], Choice::Unknown);
    check(&[accept(1)], Choice::Accept);
    check(&[decline(1)], Choice::Decline);
    check(&[accept(1), decline(2)], Choice::Decline);
    check(&[decline(1), accept(2)], Choice::Accept);
    check(&[accept(1), decline(1)], Choice::Decline);
    let ends = |at, until| Record {
        valid_until: Some(day(until)),
        ..accept(at)
    };
    check(&[ends(1, 101)], Choice::Accept);
    check(&[ends(1, 100)], Choice::Unknown);
    check(&[decline(1), ends(2, 100)], Choice::Decline);
    let decline_until = Record {
        valid_until: Some(day(2)),
        ..decline(1)
    };
    check(&[decline_until], Choice::Decline);
    let pending = Record {
        pending: true,
        ..accept(2)
    };
    check(std::slice::from_ref(&pending), Choice::Unknown);
    check(&[decline(1), pending], Choice::Decline);
    let other = Record {
        category: "analytics".into(),
        ..accept(1)
    };
    check(&[other], Choice::Unknown);
}

#[test]
fn an_import_does_not_lift_what_a_person_refused() {
    let import = Record {
        kind: RecordKind::Import,
        ..accept(5)
    };
    let signal = Record {
        kind: RecordKind::Signal,
        ..decline(1)
    };
    let imported_refusal = Record {
        kind: RecordKind::Import,
        ..decline(1)
    };
    assert_eq!(chosen(&[decline(1), import.clone()], 9), Choice::Decline);
    assert_eq!(chosen(&[signal, import.clone()], 9), Choice::Decline);
    assert_eq!(chosen(&[imported_refusal, import], 9), Choice::Accept);
}

#[test]
fn a_verdict_names_its_reason_and_its_records() {
    let shipped = Config::default();
    let check = |records: &[Record], allowed: bool, reason: Reason, relied_on: &[&str]| {
        let found = ask(&shipped, records, "DE", 100);
        assert_eq!(
            (found.allowed, found.reason),
            (allowed, reason),
            "{records:?}"
        );
        let ids: Vec<&str> = found.records.iter().map(|id| &**id).collect();
        assert_eq!(ids, relied_on);
    };
    check(&[], false, Reason::Silent, &[]);
    check(
        &[accept(1), accept(3)],
        true,
        Reason::Granted,
        &["r3", "r1"],
    );
    check(&[accept(1), decline(3)], false, Reason::Declined, &["r3"]);
    let pending = Record {
        pending: true,
        ..accept(4)
    };
    check(&[pending], false, Reason::Pending, &["r4"]);
    let ended = Record {
        valid_until: Some(day(50)),
        ..accept(5)
    };
    check(&[ended], false, Reason::Expired, &["r5"]);
}

#[test]
fn silence_allows_by_configuration_alone_and_says_so() {
    let email = Binding::Address(Channel::Email);
    let check = |category: Category, place: &str, allowed: bool| {
        let found = ask(&with(category), &[], place, 1);
        let reason = if allowed {
            Reason::Default
        } else {
            Reason::Silent
        };
        assert_eq!((found.allowed, found.reason), (allowed, reason), "{place}");
    };
    check(Category::new(Class::Consent, email), "US", false);
    check(Category::new(Class::NoticeOnly, email), "US", true);
    check(Category::new(Class::LegitimateInterest, email), "", true);
    let placed = |place: &str, action| Category {
        by_jurisdiction: BTreeMap::from([(place.to_owned(), action)]),
        ..Category::new(Class::Consent, email)
    };
    check(placed("US", ConsentAction::Accept), "US", true);
    check(placed("US", ConsentAction::Accept), "US-CA", true);
    check(placed("US-CA", ConsentAction::Accept), "US", false);
    check(placed("US", ConsentAction::Accept), "DE", false);
    check(placed("US", ConsentAction::Accept), "", false);
    let strict = Category {
        default: Some(ConsentAction::Decline),
        ..Category::new(Class::NoticeOnly, email)
    };
    check(strict, "US", false);
}

#[test]
fn an_acceptance_can_be_too_old_or_too_weak() {
    let email = Binding::Address(Channel::Email);
    let aged = with(Category {
        max_age_us: Some(30 * DAY_US),
        ..Category::new(Class::Consent, email)
    });
    assert_eq!(ask(&aged, &[accept(1)], "", 30).reason, Reason::Granted);
    assert_eq!(ask(&aged, &[accept(1)], "", 31).reason, Reason::Expired);
    let confirmed = with(Category {
        strength: Strength::Confirmed,
        ..Category::new(Class::Consent, email)
    });
    assert_eq!(ask(&confirmed, &[accept(1)], "", 2).reason, Reason::Pending);
    let strong = Record {
        method: Some("double_opt_in".into()),
        ..accept(1)
    };
    assert_eq!(ask(&confirmed, &[strong], "", 2).reason, Reason::Granted);
}

#[test]
fn enforcement_needs_a_refusal_that_somebody_said() {
    let config = Config::default();
    let check = |records: &[Record], expected: Reason| {
        let address = address();
        let question = Question::new("marketing", Some(&address), day(100));
        let found = enforcement(&config, &question, of(&address, records), apart);
        assert_eq!(found.reason, expected);
        assert_eq!(found.allowed, expected == Reason::Enforcement);
    };
    check(&[decline(1)], Reason::Enforcement);
    check(&[], Reason::NotDeclined);
    check(&[decline(1), accept(2)], Reason::NotDeclined);
}

#[test]
fn without_an_address_or_a_category_nothing_is_allowed() {
    let question = |category: &'static str| Question::new(category, None, day(1));
    let config = Config::default();
    let (address, records) = (address(), [accept(0)]);
    let said = of(&address, &records);
    let found = verdict(&config, &question("marketing"), said.clone(), apart);
    assert_eq!((found.allowed, found.reason), (false, Reason::NoAddress));
    let found = verdict(&config, &question("nothing"), said, apart);
    assert_eq!(found.reason, Reason::UnknownCategory);
}

#[test]
fn every_shipped_category_but_the_essential_refuses_silence_everywhere() {
    let config = Config::default();
    for name in config.names() {
        for place in ["", "DE", "US", "US-CA", "GB"] {
            let jurisdiction = Jurisdiction::named(place);
            let address = address();
            let question = Question {
                jurisdiction: &jurisdiction,
                ..Question::new(name, Some(&address), day(1))
            };
            let found = verdict(&config, &question, std::iter::empty(), apart);
            assert_eq!(found.allowed, &**name == "essential", "{name} in {place}");
        }
    }
    assert_eq!(config.category("marketing").unwrap().class, Class::Consent);
}

#[test]
fn one_asks_again_when_the_last_refusal_is_old_enough() {
    let after = |days: Option<i64>| {
        with(Category {
            ask_again_after_us: days.map(|days| days * DAY_US),
            ..Category::new(Class::Consent, Binding::Address(Channel::Email))
        })
    };
    let check = |config: &Config, records: &[Record], now: i64, expected: bool| {
        let address = address();
        let question = Question::new("marketing", Some(&address), day(now));
        let may = may_ask(config, &question, of(&address, records), apart);
        assert_eq!(may, expected, "{records:?} on day {now}");
    };
    let yearly = after(Some(365));
    check(&yearly, &[], 1, true);
    check(&yearly, &[decline(1)], 365, false);
    check(&yearly, &[decline(1)], 366, true);
    check(&yearly, &[decline(1), decline(100)], 400, false);
    check(&yearly, &[decline(1), accept(2)], 3, true);
    check(&yearly, &[accept(1)], 3, true);
    let never = after(None);
    check(&never, &[], 1, true);
    check(&never, &[decline(1)], 9_999, false);
    check(&never, &[decline(1), accept(2)], 3, true);
    let nothing = Question::new("nothing", None, day(1));
    assert!(!may_ask(&yearly, &nothing, std::iter::empty(), apart));
}

#[test]
fn what_was_said_and_not_heard_yet_is_seen_only_by_who_looks_back() {
    let late = Record {
        recorded_at: day(9),
        ..decline(4)
    };
    let records = [accept(1), late];
    let check = |now: i64, heard_by: i64, expected: Reason| {
        let address = address();
        let question = Question {
            heard_by: day(heard_by),
            ..Question::new("marketing", Some(&address), day(now))
        };
        let found = verdict(&Config::default(), &question, of(&address, &records), apart);
        assert_eq!(found.reason, expected, "on day {now}, heard by {heard_by}");
    };
    check(5, 5, Reason::Granted);
    check(5, 9, Reason::Declined);
    check(3, 9, Reason::Granted);
    check(9, 9, Reason::Declined);
}

#[test]
fn who_is_one_subject_is_never_asked_for_its_links() {
    let address = address();
    let records = [decline(1), accept(2), decline(3), accept(4)];
    let question = Question::new("marketing", Some(&address), day(9));
    let unasked = |_: &Identifier, _: &Identifier| panic!("nobody asked");
    let found = choice(
        &Config::default(),
        &question,
        of(&address, &records),
        unasked,
    );
    assert_eq!(found, Choice::Accept);
}

#[test]
fn what_the_picture_of_a_merge_says() {
    const PAGE: &str = include_str!("../../../docs/consent.md");
    let anna = Identifier::new("user_id", "anna");
    let browser = Identifier::new("anonymous_id", "w1");
    let said = [
        (browser.clone(), decline(2)),
        (anna.clone(), accept(5)),
        (anna.clone(), accept(9)),
    ];
    let check = |at: i64, who: &[&Identifier], expected: &str| {
        let config = with(Category::new(Class::Consent, Binding::Profile));
        let said = said.iter().filter(|(subject, _)| who.contains(&subject));
        let said = said.map(|(subject, record)| Said { subject, record });
        let question = Question::new("marketing", None, day(at));
        let chosen = choice(&config, &question, said, |_, _| Some(day(7)));
        assert_eq!(chosen.as_str(), expected, "at {at}");
        assert!(PAGE.contains(&format!("asked at {at}")));
    };
    check(6, &[&browser], "decline");
    check(6, &[&anna], "accept");
    check(8, &[&browser, &anna], "decline");
    check(10, &[&browser, &anna], "accept");
}
