//! Do the invariants of the text the rules were made from (2.2.8) hold for any records, subjects and
//! links? Each test bears its invariant's number. 11 (nothing leaves without asking again) and 12
//! (what an erasure leaves) are not about evaluation.

use std::sync::Arc;

use proptest::prelude::*;
use wayfare_consent::{
    Binding, Category, Channel, Choice, Class, Config, Jurisdiction, Question, Reason, Record,
    RecordKind, Said, Strength, SuppressionKind, Verdict, choice, enforcement, verdict,
};
use wayfare_event::{ConsentAction, Identifier, Timestamp};

const NOW: i64 = 20;
const FOREVER: i64 = i64::MAX;
/// Records are said and heard before this, and links are told from then on, in the tests of merges.
const LINKED: i64 = 12;

type Kept = (Identifier, Record);

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn person() -> Identifier {
    Identifier::new("user_id", "anna")
}

fn browser() -> Identifier {
    Identifier::new("anonymous_id", "w1")
}

fn mail() -> Identifier {
    Identifier::new("email", "a@a.io")
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
        (
            Arc::from("marketing.news"),
            Category::new(Class::Consent, email),
        ),
        ("strict".into(), strict),
        ("open".into(), open.clone()),
        ("open.part".into(), open),
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

fn subject() -> impl Strategy<Value = Identifier> {
    let others = [
        person(),
        browser(),
        mail(),
        Identifier::new("email", "b@b.io"),
    ];
    proptest::sample::select(others.to_vec())
}

/// What one record says of a category, of what it is part of, or of everything; few instants, so
/// that many are the same.
fn record(asked: &str) -> impl Strategy<Value = Record> + use<> {
    let whole = asked.split('.').next().unwrap_or(asked);
    let names: [Arc<str>; 4] = [asked.into(), asked.into(), whole.into(), "*".into()];
    let action = proptest::sample::select(&[ConsentAction::Accept, ConsentAction::Decline][..]);
    let kinds = [
        RecordKind::User,
        RecordKind::User,
        RecordKind::Signal,
        RecordKind::Import,
        RecordKind::Admin,
    ];
    let times = (
        0..LINKED,
        0..LINKED,
        proptest::option::weighted(0.1, 0..30_i64),
        proptest::option::weighted(0.2, 0..30_i64),
    );
    let texts = (
        word(&["gpc", "tcf"]),
        word(&["form", "confirmed", "acknowledges_signal"]),
        word(&["email", "sms", "*", "web", "letters"]),
    );
    let weighted = proptest::bool::weighted;
    let truths = (weighted(0.1), weighted(0.2), weighted(0.2));
    let said = (
        proptest::sample::select(names.to_vec()),
        action,
        proptest::sample::select(kinds.to_vec()),
        truths,
        times,
        texts,
    );
    said.prop_map(
        move |(category, action, kind, truths, times, texts)| Record {
            category,
            action,
            at: at(times.0),
            recorded_at: at(times.1),
            id: "".into(),
            valid_from: times.2.map(at),
            valid_until: times.3.map(at),
            kind,
            pending: truths.0,
            unverified: truths.1,
            historical: false,
            undated: truths.2,
            browser: None,
            source: texts.0,
            method: texts.1,
            notice: None,
            regulation: None,
            channel: texts.2,
        },
    )
}

/// A category, and records that speak of it, each with an id of its own.
fn told() -> impl Strategy<Value = (Arc<str>, Vec<Kept>)> {
    category().prop_flat_map(|category| {
        let kept = (subject(), record(&category));
        let records = proptest::collection::vec(kept, 0..7);
        records.prop_map(move |mut records| {
            for (place, (_, record)) in records.iter_mut().enumerate() {
                record.id = format!("r{place}").into();
            }
            (category.clone(), records)
        })
    })
}

/// Since when any two subjects are one; never, for some.
#[derive(Clone, Debug)]
struct Linked(Vec<Option<i64>>);

impl Linked {
    fn always() -> Self {
        Self(vec![Some(i64::MIN)])
    }

    fn since(&self, left: &Identifier, right: &Identifier) -> Option<Timestamp> {
        let text = |it: &Identifier| it.value.bytes().map(usize::from).sum::<usize>();
        let pair = (text(left) + text(right)) % self.0.len();
        self.0.get(pair).copied().flatten().map(at)
    }
}

fn linked() -> impl Strategy<Value = Linked> {
    let since = proptest::option::weighted(0.8, 0..LINKED + 6);
    proptest::collection::vec(since, 1..5).prop_map(Linked)
}

/// All three answers at one instant.
#[derive(Clone, Debug, PartialEq)]
struct Answers {
    chosen: Choice,
    may: Verdict,
    enforced: Verdict,
}

struct Asked<'a> {
    category: &'a str,
    place: &'a Jurisdiction,
    suppressed: Option<SuppressionKind>,
    now: i64,
}

impl<'a> Asked<'a> {
    const fn new(category: &'a str, place: &'a Jurisdiction) -> Self {
        Self {
            category,
            place,
            suppressed: None,
            now: NOW,
        }
    }

    fn answers(&self, records: &[Kept], linked: &Linked) -> Answers {
        let (config, mail) = (config(), mail());
        let question = Question {
            suppressed: self.suppressed,
            jurisdiction: self.place,
            ..Question::new(self.category, Some(&mail), at(self.now))
        };
        let said = records
            .iter()
            .map(|(subject, record)| Said { subject, record });
        let since = |left: &Identifier, right: &Identifier| linked.since(left, right);
        Answers {
            chosen: choice(&config, &question, said.clone(), since),
            may: verdict(&config, &question, said.clone(), since),
            enforced: enforcement(&config, &question, said, since),
        }
    }
}

/// Records of the person and of one address alone: what each says before they are known to be one.
fn of(records: &[Kept], subject: &Identifier) -> Vec<Kept> {
    let own = records.iter().filter(|(it, _)| it == subject);
    own.cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        max_global_rejects: 100_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn invariant_1_order_and_repetition_do_not_matter(
        (told, shuffled) in told().prop_flat_map(|(category, records)| {
            let twice = [records.clone(), records.clone()].concat();
            (Just((category, records)), Just(twice).prop_shuffle())
        }),
        linked in linked(),
        place in place(),
    ) {
        let asked = Asked::new(&told.0, &place);
        prop_assert_eq!(asked.answers(&told.1, &linked), asked.answers(&shuffled, &linked));
    }

    #[test]
    fn invariant_2_a_refusal_allows_nothing_and_a_yes_refuses_nothing(
        (category, mut records, more) in told().prop_flat_map(|(category, records)| {
            let more = (subject(), record(&category));
            (Just(category), Just(records), more)
        }),
        linked in linked(),
        place in place(),
    ) {
        let asked = Asked::new(&category, &place);
        let before = asked.answers(&records, &linked);
        let (action, waits) = (more.1.action, more.1.pending);
        records.push(more);
        let after = asked.answers(&records, &linked);
        match action {
            ConsentAction::Decline => {
                prop_assert!(before.may.allowed || !after.may.allowed);
                prop_assert!(before.chosen != Choice::Decline || after.chosen == Choice::Decline);
            }
            // A yes that waits for its confirmation refuses what silence allowed: it is not one yet.
            ConsentAction::Accept if before.may.reason == Reason::Default => {
                let waiting = after.may.reason == Reason::Pending;
                prop_assert!(after.may.allowed || waiting, "{waits}");
            }
            ConsentAction::Accept => prop_assert!(!before.may.allowed || after.may.allowed),
        }
    }

    #[test]
    fn invariant_3_a_merge_widens_nothing_about_an_address(
        (category, records) in told(),
        since in LINKED..NOW,
        place in place(),
    ) {
        let config = config();
        let rules = config.category(&category).unwrap();
        prop_assume!(rules.binding == Binding::Address(Channel::Email));
        let asked = Asked::new(&category, &place);
        let alone = asked.answers(&of(&records, &mail()), &Linked(vec![None]));
        let merged = asked.answers(&records, &Linked(vec![Some(since)]));
        prop_assert!(alone.may.allowed || !merged.may.allowed);
    }

    #[test]
    fn invariant_4_a_merge_loses_no_refusal_about_the_person(
        (category, records) in told(),
        since in LINKED..NOW,
        place in place(),
    ) {
        let config = config();
        prop_assume!(config.category(&category).unwrap().binding == Binding::Profile);
        let asked = Asked::new(&category, &place);
        let merged = asked.answers(&records, &Linked(vec![Some(since)]));
        for side in [person(), browser(), mail()] {
            let alone = asked.answers(&of(&records, &side), &Linked(vec![None]));
            let is_kept = alone.chosen != Choice::Decline || merged.chosen == Choice::Decline;
            prop_assert!(is_kept, "{side:?}");
        }
    }

    #[test]
    fn invariant_5_only_a_yes_after_the_link_lifts_what_another_side_refused(
        (category, records) in told(),
        linked in linked(),
        place in place(),
    ) {
        let asked = Asked::new(&category, &place);
        let merged = asked.answers(&records, &linked);
        prop_assume!(merged.chosen == Choice::Accept);
        let refused = |side: &Identifier| {
            let alone = asked.answers(&of(&records, side), &Linked(vec![None]));
            alone.chosen == Choice::Decline
        };
        for side in [person(), browser(), mail()].iter().filter(|side| refused(side)) {
            let lifts = records.iter().any(|(subject, record)| {
                // A side lifts its own refusal once it is known to have the address.
                let (address, is_own) = (mail(), subject == side);
                let since = linked.since(subject, if is_own { &address } else { side });
                record.action == ConsentAction::Accept
                    && *subject != if is_own { address } else { side.clone() }
                    && since.is_some_and(|since| since <= record.said_at())
            });
            prop_assert!(lifts, "{side:?}");
        }
    }

    #[test]
    fn invariant_6_what_is_taken_apart_is_as_it_was(
        (category, records) in told(),
        place in place(),
    ) {
        // Records stay with their subject, so a side that is alone again has what it had.
        let asked = Asked::new(&category, &place);
        let alone = Linked(vec![None]);
        let before = asked.answers(&of(&records, &mail()), &alone);
        let kept: Vec<Kept> = records;
        asked.answers(&kept, &Linked::always());
        prop_assert_eq!(before, asked.answers(&of(&kept, &mail()), &alone));
    }

    #[test]
    fn invariant_7_time_ends_a_yes_and_nothing_else(
        (category, records) in told(),
        linked in linked(),
        place in place(),
    ) {
        let begun: Vec<Kept> = records
            .into_iter()
            .map(|(subject, record)| (subject, Record { valid_from: None, ..record }))
            .collect();
        let answers = |now| Asked { now, ..Asked::new(&category, &place) }.answers(&begun, &linked);
        let (before, after) = (answers(NOW), answers(FOREVER));
        match before.chosen {
            Choice::Decline => prop_assert_eq!(after.chosen, Choice::Decline),
            Choice::Unknown => prop_assert_eq!(after.chosen, Choice::Unknown),
            Choice::Accept => {}
        }
        let last = begun.iter().filter_map(|(_, record)| record.valid_until).max();
        if let Some(end) = last.filter(|end| *end > at(LINKED)) {
            let ended = Asked { now: end.as_micros(), ..Asked::new(&category, &place) };
            let live = |id: &Arc<str>| begun.iter().any(|(_, record)| {
                record.id == *id && record.valid_until.is_none_or(|until| until > end)
            });
            let may = ended.answers(&begun, &linked).may;
            prop_assert!(may.reason != Reason::Granted || may.records.iter().all(live));
        }
    }

    #[test]
    fn invariant_8_an_import_changes_nothing_that_somebody_said(
        (category, mut records, import) in told().prop_flat_map(|(category, records)| {
            let import = (subject(), record(&category));
            (Just(category), Just(records), import)
        }),
        linked in linked(),
        place in place(),
    ) {
        for (_, record) in &mut records {
            if matches!(record.kind, RecordKind::Import | RecordKind::Admin) {
                record.kind = RecordKind::User;
            }
        }
        let asked = Asked::new(&category, &place);
        let before = asked.answers(&records, &linked);
        let (subject, record) = import;
        let action = ConsentAction::Accept;
        records.push((subject, Record { kind: RecordKind::Import, action, ..record }));
        let after = asked.answers(&records, &linked);
        if before.chosen != Choice::Unknown {
            prop_assert_eq!(before.chosen, after.chosen);
            prop_assert_eq!(before.may.allowed, after.may.allowed);
        }
    }

    #[test]
    fn invariant_9_an_essential_category_depends_on_suppression_alone(
        records in proptest::collection::vec((subject(), record("essential")), 0..7),
        linked in linked(),
        place in place(),
    ) {
        let cases = [
            (None, true),
            (Some(SuppressionKind::Complaint), true),
            (Some(SuppressionKind::Bounce), false),
            (Some(SuppressionKind::Erased), false),
        ];
        for (suppressed, allowed) in cases {
            let asked = Asked { suppressed, ..Asked::new("essential", &place) };
            let may = asked.answers(&records, &linked).may;
            prop_assert_eq!(may.allowed, allowed);
            prop_assert_eq!(may.reason == Reason::Essential, allowed);
        }
    }

    #[test]
    fn invariant_10_what_is_heard_later_changes_nothing_before(
        (category, mut records, later) in told().prop_flat_map(|(category, records)| {
            let later = (subject(), record(&category));
            (Just(category), Just(records), later)
        }),
        linked in linked(),
        place in place(),
    ) {
        let asked = Asked::new(&category, &place);
        let before = asked.answers(&records, &linked);
        let (subject, record) = later;
        records.push((subject, Record { recorded_at: at(NOW + 1), ..record }));
        prop_assert_eq!(before, asked.answers(&records, &linked));
    }

    #[test]
    fn a_suppressed_address_gets_nothing_and_is_no_choice(
        (category, records) in told(),
        linked in linked(),
        place in place(),
    ) {
        let asked = Asked::new(&category, &place);
        let before = asked.answers(&records, &linked);
        for kind in [SuppressionKind::Bounce, SuppressionKind::Complaint, SuppressionKind::Erased] {
            let asked = Asked { suppressed: Some(kind), ..Asked::new(&category, &place) };
            let after = asked.answers(&records, &linked);
            let is_essential = before.may.reason == Reason::Essential;
            let goes_on = is_essential && kind == SuppressionKind::Complaint;
            prop_assert_eq!(after.may.allowed, goes_on);
            prop_assert_eq!(&after.chosen, &before.chosen);
            prop_assert_eq!(&after.enforced, &before.enforced);
        }
    }

    #[test]
    fn choice_verdict_and_enforcement_agree(
        (category, records) in told(),
        linked in linked(),
        place in place(),
    ) {
        let Answers { chosen, may, enforced } = Asked::new(&category, &place).answers(&records, &linked);
        prop_assert_eq!(enforced.allowed, chosen == Choice::Decline);
        if may.reason != Reason::Essential {
            prop_assert_eq!(may.reason == Reason::Declined, chosen == Choice::Decline);
            prop_assert_eq!(may.reason == Reason::Granted, chosen == Choice::Accept);
        }
        let allows = matches!(may.reason, Reason::Essential | Reason::Granted | Reason::Default);
        prop_assert_eq!(may.allowed, allows);
    }

    #[test]
    fn silence_is_refused_as_shipped_in_every_place(name in "[A-Za-z]{2}(-[A-Za-z0-9]{1,3})?") {
        let shipped = Config::default();
        let mail = mail();
        for place in [Jurisdiction::named(&name), Jurisdiction::UNKNOWN] {
            for category in shipped.names().filter(|it| &***it != "essential") {
                let question = Question {
                    jurisdiction: &place,
                    ..Question::new(category, Some(&mail), at(NOW))
                };
                let may = verdict(&shipped, &question, std::iter::empty(), |_, _| None);
                prop_assert_eq!((may.allowed, may.reason), (false, Reason::Silent));
            }
        }
    }
}
