//! Does what must hold for any records hold for random ones?

use std::sync::Arc;

use proptest::prelude::*;
use wayfare_consent::{
    Binding, Category, Channel, Choice, Class, Config, Jurisdiction, Question, Reason, Record,
    RecordKind, Strength, choice, enforcement, verdict,
};
use wayfare_event::{ConsentAction, Timestamp};

const NOW: i64 = 20;
const FOREVER: i64 = i64::MAX;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// The shipped categories, and others that are configured in every way there is.
fn config() -> Config {
    let mut categories = Config::default().categories().clone();
    let email = Binding::Address(Channel::Email);
    let strict = Category {
        strength: Strength::Confirmed,
        max_age_us: Some(6),
        ..Category::new(Class::Consent, email)
    };
    let open = Category {
        default: Some(ConsentAction::Accept),
        by_jurisdiction: [("DE".to_owned(), ConsentAction::Decline)].into(),
        ..Category::new(Class::Consent, Binding::Profile)
    };
    let service = Category::new(Class::LegitimateInterest, email);
    let notice = Category::new(Class::NoticeOnly, Binding::Profile);
    categories.extend([
        (Arc::from("strict"), strict),
        ("open".into(), open),
        ("service".into(), service),
        ("notice".into(), notice),
    ]);
    Config::new(categories, Jurisdiction::UNKNOWN)
}

fn category() -> impl Strategy<Value = Arc<str>> {
    proptest::sample::select(config().names().cloned().collect::<Vec<_>>())
}

fn place() -> impl Strategy<Value = Jurisdiction> {
    let names = ["unknown", "DE", "US", "US-CA", "CA", "BR", "CN", "ZZ"];
    proptest::sample::select(names.to_vec()).prop_map(Jurisdiction::named)
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = Option<Arc<str>>> {
    proptest::option::of(proptest::sample::select(words).prop_map(Arc::from))
}

/// What one record says of one category; few instants, so that many are the same.
fn record(category: Arc<str>) -> impl Strategy<Value = Record> {
    let action = proptest::sample::select(&[ConsentAction::Accept, ConsentAction::Decline][..]);
    let kinds = [
        RecordKind::User,
        RecordKind::User,
        RecordKind::Signal,
        RecordKind::Import,
        RecordKind::Admin,
    ];
    let kind = proptest::sample::select(kinds.to_vec());
    let times = (
        0..12_i64,
        0..12_i64,
        proptest::option::weighted(0.2, 0..30_i64),
    );
    let texts = (
        word(&["gpc", "tcf"]),
        word(&["form", "confirmed", "acknowledges_signal"]),
        word(&["email", "sms", "*", "web", "letters"]),
    );
    let said = (action, kind, proptest::bool::weighted(0.1), times, texts);
    said.prop_map(move |(action, kind, pending, times, texts)| Record {
        category: category.clone(),
        action,
        at: at(times.0),
        recorded_at: at(times.1),
        id: "".into(),
        valid_until: times.2.map(at),
        kind,
        pending,
        historical: false,
        source: texts.0,
        method: texts.1,
        notice: None,
        regulation: None,
        channel: texts.2,
    })
}

/// Records of one category, each with an id of its own.
fn told() -> impl Strategy<Value = (Arc<str>, Vec<Record>)> {
    category().prop_flat_map(|category| {
        let records = proptest::collection::vec(record(category.clone()), 0..7);
        records.prop_map(move |mut records| {
            for (place, record) in records.iter_mut().enumerate() {
                record.id = format!("r{place}").into();
            }
            (category.clone(), records)
        })
    })
}

fn ask<'a>(category: &'a str, jurisdiction: &'a Jurisdiction, now: i64) -> Question<'a> {
    Question {
        category,
        has_address: true,
        jurisdiction,
        now: at(now),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_records_does_not_matter_nor_does_hearing_them_twice(
        (told, shuffled) in told().prop_flat_map(|(category, records)| {
            let twice = [records.clone(), records.clone()].concat();
            (Just((category, records)), Just(twice).prop_shuffle())
        }),
        place in place(),
    ) {
        let (category, records) = told;
        let question = ask(&category, &place, NOW);
        let config = config();
        let first = choice(&config, &category, records.iter(), question.now);
        prop_assert_eq!(first, choice(&config, &category, shuffled.iter(), question.now));
        let first = verdict(&config, &question, records.iter());
        prop_assert_eq!(first, verdict(&config, &question, shuffled.iter()));
        let first = enforcement(&config, &question, records.iter());
        prop_assert_eq!(first, enforcement(&config, &question, shuffled.iter()));
    }

    #[test]
    fn a_later_decline_wins_over_every_earlier_accept(
        (category, mut records) in told(),
        mut last in record("".into()),
        place in place(),
    ) {
        last.category = category.clone();
        last.action = ConsentAction::Decline;
        (last.at, last.recorded_at, last.channel) = (at(12), at(12), None);
        last.id = "last".into();
        records.push(last);
        let config = config();
        let chosen = choice(&config, &category, records.iter(), at(NOW));
        prop_assert_eq!(chosen, Choice::Decline);
        let question = ask(&category, &place, NOW);
        let may = verdict(&config, &question, records.iter());
        prop_assert_eq!(may.allowed, &*category == "essential");
        prop_assert!(enforcement(&config, &question, records.iter()).allowed);
    }

    #[test]
    fn a_decline_does_not_expire((category, records) in told()) {
        let config = config();
        if choice(&config, &category, records.iter(), at(NOW)) == Choice::Decline {
            let at_last = choice(&config, &category, records.iter(), at(FOREVER));
            prop_assert_eq!(at_last, Choice::Decline);
        }
    }

    #[test]
    fn one_more_decline_allows_nothing_and_one_more_accept_refuses_no_grant(
        (category, mut records) in told(),
        mut more in record("".into()),
        place in place(),
    ) {
        more.category = category.clone();
        more.id = "more".into();
        let action = more.action;
        let config = config();
        let question = ask(&category, &place, NOW);
        let before = verdict(&config, &question, records.iter());
        records.push(more);
        let after = verdict(&config, &question, records.iter());
        match action {
            ConsentAction::Decline => prop_assert!(before.allowed || !after.allowed),
            ConsentAction::Accept if before.reason == Reason::Granted => {
                prop_assert!(after.allowed);
            }
            ConsentAction::Accept => {}
        }
    }

    #[test]
    fn choice_verdict_and_enforcement_agree(
        (category, records) in told(),
        place in place(),
    ) {
        let config = config();
        let question = ask(&category, &place, NOW);
        let chosen = choice(&config, &category, records.iter(), question.now);
        let may = verdict(&config, &question, records.iter());
        let enforced = enforcement(&config, &question, records.iter());
        prop_assert_eq!(enforced.allowed, chosen == Choice::Decline);
        if may.reason != Reason::Essential {
            prop_assert_eq!(may.reason == Reason::Declined, chosen == Choice::Decline);
            prop_assert_eq!(may.reason == Reason::Granted, chosen == Choice::Accept);
        }
        let allows = matches!(may.reason, Reason::Essential | Reason::Granted | Reason::Default);
        prop_assert_eq!(may.allowed, allows);
    }

    #[test]
    fn essential_always_allows(
        records in proptest::collection::vec(record("essential".into()), 0..7),
        place in place(),
        has_address in any::<bool>(),
    ) {
        let question = Question { has_address, ..ask("essential", &place, NOW) };
        let may = verdict(&config(), &question, records.iter());
        prop_assert_eq!((may.allowed, may.reason), (true, Reason::Essential));
    }

    #[test]
    fn other_categories_are_passed_over((_, records) in told(), place in place()) {
        let question = ask("analytics", &place, NOW);
        let others = records.iter().filter(|it| &*it.category != "analytics");
        let may = verdict(&Config::default(), &question, others);
        prop_assert_eq!((may.allowed, may.reason), (false, Reason::Silent));
    }

    #[test]
    fn silence_is_refused_as_shipped_in_every_place(name in "[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?") {
        let shipped = Config::default();
        for place in [Jurisdiction::named(&name), Jurisdiction::UNKNOWN] {
            for category in shipped.names().filter(|it| &***it != "essential") {
                let may = verdict(&shipped, &ask(category, &place, NOW), [].iter());
                prop_assert_eq!((may.allowed, may.reason), (false, Reason::Silent));
            }
        }
    }
}
