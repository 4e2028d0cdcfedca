//! Do the truth tables of `docs/consent.md` say what the code does? Each row is built and asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use wayfare_consent::{
    Binding, Category, Channel, Choice, Class, Config, Jurisdiction, Question, Record, RecordKind,
    Said, Strength, SuppressionKind, Verdict, basis, choice, covers, enforcement, may_ask, verdict,
};
use wayfare_event::{ConsentAction, Identifier, Timestamp};

const PAGE: &str = include_str!("../../../docs/consent.md");
const DAY_US: i64 = 86_400_000_000;
const NOW: i64 = 10_000;
const EMAIL: Binding = Binding::Address(Channel::Email);

fn day(day: i64) -> Timestamp {
    Timestamp::from_micros(day * DAY_US)
}

/// The rows of the table below a marker, without its head; code marks are taken off.
fn rows(name: &str) -> Vec<Vec<String>> {
    let marker = format!("<!-- table: {name} -->");
    let (_, below) = PAGE.split_once(&marker).unwrap_or_default();
    let lines = below.trim_start().lines();
    let table = lines.take_while(|line| line.starts_with('|')).skip(2);
    let cells = |line: &str| {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('`', "")).collect()
    };
    let rows: Vec<Vec<String>> = table.map(cells).collect();
    assert!(rows.len() > 2, "{name} has {} rows", rows.len());
    rows
}

/// Runs a check on the cells of each row of a table.
fn each<const CELLS: usize>(name: &str, check: impl Fn([&str; CELLS])) {
    for row in rows(name) {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let Ok(cells) = <[&str; CELLS]>::try_from(cells) else {
            unreachable!("a row of {name} has {} cells", row.len());
        };
        check(cells);
    }
}

fn yes_no(word: &str) -> bool {
    match word {
        "yes" | "true" | "there" => true,
        "no" | "false" | "none" => false,
        other => unreachable!("`{other}` is neither yes nor no"),
    }
}

fn mail() -> Identifier {
    Identifier::new("email", "a@a.io")
}

fn person() -> Identifier {
    Identifier::new("user_id", "anna")
}

fn record(category: &str, action: ConsentAction, at: i64) -> Record {
    Record::new(category, action, day(at), &format!("r{at}"))
}

fn yes(at: i64) -> Record {
    record("news", ConsentAction::Accept, at)
}

fn no(at: i64) -> Record {
    record("news", ConsentAction::Decline, at)
}

/// One category, `news`.
fn with(category: Category) -> Config {
    let categories = BTreeMap::from([(Arc::from("news"), category)]);
    Config::new(categories, Jurisdiction::UNKNOWN)
}

fn plain() -> Category {
    Category::new(Class::Consent, EMAIL)
}

/// A question about `news` and one address, and all that was said.
struct Case {
    config: Config,
    category: &'static str,
    address: Option<Identifier>,
    suppressed: Option<SuppressionKind>,
    place: Jurisdiction,
    said: Vec<(Identifier, Record)>,
    linked: Option<i64>,
}

impl Case {
    fn new(category: Category, records: impl IntoIterator<Item = Record>) -> Self {
        Self {
            config: with(category),
            category: "news",
            address: Some(mail()),
            suppressed: None,
            place: Jurisdiction::UNKNOWN,
            said: records.into_iter().map(|it| (mail(), it)).collect(),
            linked: None,
        }
    }

    fn ask<T>(&self, ask: impl FnOnce(&Question<'_>, &[Said<'_>]) -> T) -> T {
        let question = Question {
            suppressed: self.suppressed,
            jurisdiction: &self.place,
            ..Question::new(self.category, self.address.as_ref(), day(NOW))
        };
        let said = self.said.iter();
        let said: Vec<Said<'_>> = said
            .map(|(subject, record)| Said { subject, record })
            .collect();
        ask(&question, &said)
    }

    fn choice(&self) -> Choice {
        self.ask(|question, said| {
            let linked = |_: &Identifier, _: &Identifier| self.linked.map(day);
            choice(&self.config, question, said.iter().copied(), linked)
        })
    }

    fn verdict(&self) -> Verdict {
        self.ask(|question, said| {
            let linked = |_: &Identifier, _: &Identifier| self.linked.map(day);
            verdict(&self.config, question, said.iter().copied(), linked)
        })
    }

    fn enforcement(&self) -> Verdict {
        self.ask(|question, said| {
            let linked = |_: &Identifier, _: &Identifier| self.linked.map(day);
            enforcement(&self.config, question, said.iter().copied(), linked)
        })
    }

    fn may_ask(&self) -> bool {
        self.ask(|question, said| {
            let linked = |_: &Identifier, _: &Identifier| self.linked.map(day);
            may_ask(&self.config, question, said.iter().copied(), linked)
        })
    }
}

fn told(verdict: &Verdict) -> String {
    let word = if verdict.allowed {
        "allowed"
    } else {
        "refused"
    };
    format!("{word}: {}", verdict.reason)
}

#[test]
fn what_a_whole_covers() {
    each("covers", |[said, asked, expected]| {
        assert_eq!(covers(said, asked), yes_no(expected), "{said} {asked}");
    });
}

#[test]
fn which_records_apply() {
    each("applies", |[by, action, had, expected]| {
        let action = ConsentAction::named(action).unwrap();
        let subject = match by {
            "the address" => mail(),
            "another address" => Identifier::new("email", "b@b.io"),
            "the person" => person(),
            other => unreachable!("{other}"),
        };
        let linked = match had {
            "before" => Some(4),
            "at that instant" => Some(5),
            "only later" => Some(6),
            "never" => None,
            other => unreachable!("{other}"),
        };
        let case = Case {
            said: vec![(subject, record("news", action, 5))],
            linked,
            ..Case::new(plain(), [])
        };
        let applies = case.choice() != Choice::Unknown;
        assert_eq!(applies, yes_no(expected), "{by} {had}");
    });
}

#[test]
fn when_a_yes_lifts_a_no() {
    each("lifts", |[when, of, yes_as, no_as, subjects, expected]| {
        let at = match when {
            "later" | "nobody knows when" => 6,
            "at the same instant" => 5,
            "earlier" => 4,
            other => unreachable!("{other}"),
        };
        let (category, refused) = match of {
            "the same" => ("news", "news"),
            "a part" => ("news", "*"),
            "the whole" => ("paper", "paper.news"),
            "everything" => ("*", "news"),
            other => unreachable!("{other}"),
        };
        let kind = |word: &str| match word {
            "user" | "user who was told" => RecordKind::User,
            "signal" => RecordKind::Signal,
            "import" => RecordKind::Import,
            "admin" => RecordKind::Admin,
            other => unreachable!("{other}"),
        };
        let linked = match subjects {
            "are one" | "never were one" => None,
            "were one before" => Some(5),
            "became one at that instant" => Some(6),
            "became one after it" => Some(7),
            other => unreachable!("{other}"),
        };
        let told = yes_as == "user who was told";
        let grant = Record {
            kind: kind(yes_as),
            undated: when == "nobody knows when",
            method: told.then(|| "acknowledges_signal".into()),
            ..record(category, ConsentAction::Accept, at)
        };
        let refusal = Record {
            kind: kind(no_as),
            ..record(refused, ConsentAction::Decline, 5)
        };
        let other = if subjects == "are one" {
            mail()
        } else {
            person()
        };
        let asked = if refused == "paper.news" {
            refused
        } else {
            "news"
        };
        let categories = [(Arc::from("paper"), plain()), (asked.into(), plain())];
        let case = Case {
            config: Config::new(categories.into(), Jurisdiction::UNKNOWN),
            category: asked,
            said: vec![(other, refusal), (mail(), grant)],
            linked,
            ..Case::new(plain(), [])
        };
        let lifted = case.choice() == Choice::Accept;
        assert_eq!(
            lifted,
            yes_no(expected),
            "{when} {of} {yes_as} {no_as} {subjects}"
        );
    });
}

#[test]
fn what_the_choice_is() {
    each("choice", |[refused, accepted, expected]| {
        // A yes before the no counts, and does not lift it.
        let grant = yes_no(accepted).then(|| yes(4));
        let refusal = yes_no(refused).then(|| no(5));
        let case = Case::new(plain(), grant.into_iter().chain(refusal));
        assert_eq!(case.choice().as_str(), expected);
    });
}

#[test]
fn when_a_yes_counts() {
    each("counts", |[how, chosen, expected]| {
        let until = |it: i64| Record {
            valid_until: Some(day(it)),
            ..yes(5)
        };
        let from = |it: i64| Record {
            valid_from: Some(day(it)),
            ..yes(5)
        };
        let waits = |record: Record| Record {
            pending: true,
            ..record
        };
        let aged = Category {
            max_age_us: Some(30 * DAY_US),
            ..plain()
        };
        let (category, record) = match how {
            "is valid from a later day on" => (plain(), from(NOW + 1)),
            "is valid from this instant on" => (plain(), from(NOW)),
            "is valid until a later day" => (plain(), until(NOW + 1)),
            "is valid until this instant" => (plain(), until(NOW)),
            "is younger than max_age" => (aged, yes(NOW - 29)),
            "is as old as max_age" => (aged, yes(NOW - 30)),
            "waits for its confirmation" => (plain(), waits(yes(5))),
            "waits for its confirmation and would have ended" => (plain(), waits(until(NOW))),
            other => unreachable!("{other}"),
        };
        let case = Case::new(category, [record]);
        assert_eq!(case.choice().as_str(), chosen, "{how}");
        assert_eq!(told(&case.verdict()), expected, "{how}");
    });
}

#[test]
fn how_strong_a_yes_must_be() {
    each("strength", |[strength, method, key, expected]| {
        let strength = match strength {
            "any" => Strength::Any,
            "confirmed" => Strength::Confirmed,
            other => unreachable!("{other}"),
        };
        let record = Record {
            method: (method != "-").then(|| method.into()),
            unverified: key == "browser",
            ..yes(5)
        };
        let category = Category {
            strength,
            ..plain()
        };
        let case = Case::new(category, [record]);
        assert_eq!(told(&case.verdict()), expected, "{method} {key}");
    });
}

/// What a row of the table of verdicts or of enforcement says that stands.
fn standing(what: &str) -> Case {
    let class = |class| Category { class, ..plain() };
    let suppressed = |class, kind| Case {
        suppressed: Some(kind),
        ..Case::new(Category { class, ..plain() }, [yes(5)])
    };
    match what {
        "the category is not configured" => Case {
            category: "parties",
            ..Case::new(plain(), [yes(5)])
        },
        "the address bounced" => suppressed(Class::Essential, SuppressionKind::Bounce),
        "the address was erased" => suppressed(Class::Essential, SuppressionKind::Erased),
        "somebody complained, and the class is not essential" => {
            suppressed(Class::Consent, SuppressionKind::Complaint)
        }
        "the class is essential" => Case {
            address: None,
            ..Case::new(class(Class::Essential), [no(5)])
        },
        "the category belongs to an address, and there is none" => Case {
            address: None,
            said: vec![(person(), no(5))],
            ..Case::new(plain(), [])
        },
        "a no that nothing lifted" => Case::new(class(Class::NoticeOnly), [yes(4), no(5)]),
        "a yes that counts" => Case::new(plain(), [no(4), yes(5)]),
        "a yes that waits for its confirmation" => {
            let pending = true;
            Case::new(class(Class::NoticeOnly), [Record { pending, ..yes(5) }])
        }
        "silence allows" => Case::new(class(Class::NoticeOnly), []),
        "a yes that has ended" => {
            let valid_until = Some(day(6));
            Case::new(
                plain(),
                [Record {
                    valid_until,
                    ..yes(5)
                }],
            )
        }
        "nothing" | "silence refuses" => Case::new(plain(), []),
        other => unreachable!("{other}"),
    }
}

#[test]
fn what_the_verdict_is() {
    each("verdict", |[what, allowed, reason]| {
        let found = standing(what).verdict();
        assert_eq!(found.allowed, yes_no(allowed), "{what}");
        assert_eq!(found.reason.as_str(), reason, "{what}");
    });
}

#[test]
fn when_a_refusal_is_enforced() {
    each("enforcement", |[what, allowed, reason]| {
        let found = standing(what).enforcement();
        assert_eq!(found.allowed, yes_no(allowed), "{what}");
        assert_eq!(found.reason.as_str(), reason, "{what}");
    });
}

#[test]
fn what_silence_means() {
    each("silence", |[class, default, by_place, place, expected]| {
        let by_jurisdiction = by_place.split_once(": ").map(|(place, action)| {
            let action = ConsentAction::named(action).unwrap();
            (place.to_owned(), action)
        });
        let category = Category {
            class: Class::named(class).unwrap(),
            default: ConsentAction::named(default),
            by_jurisdiction: by_jurisdiction.into_iter().collect(),
            ..plain()
        };
        let case = Case {
            place: Jurisdiction::named(place),
            ..Case::new(category, [])
        };
        let expected = match expected {
            "allows" => "allowed: default",
            "refuses" => "refused: silent",
            other => unreachable!("{other}"),
        };
        assert_eq!(
            told(&case.verdict()),
            expected,
            "{class} {default} {by_place} {place}"
        );
    });
}

#[test]
fn what_suppression_refuses() {
    each(
        "suppression",
        |[what, essential, other, enforced, declared]| {
            let suppressed = match what {
                "is fine" => None,
                "bounced" => Some(SuppressionKind::Bounce),
                "had a complaint" => Some(SuppressionKind::Complaint),
                "was erased" => Some(SuppressionKind::Erased),
                other => unreachable!("{other}"),
            };
            let case = |class, record| Case {
                suppressed,
                ..Case::new(Category { class, ..plain() }, [record])
            };
            let check = |cell: &str, allows: bool, refuses: bool| match cell {
                "allowed" => assert!(allows, "{what}"),
                "refused" => assert!(!allows, "{what}"),
                "by what was said" => assert!(allows && !refuses, "{what}"),
                other => unreachable!("{other}"),
            };
            let may = |class, record| case(class, record).verdict().allowed;
            check(essential, may(Class::Essential, no(5)), false);
            check(
                other,
                may(Class::Consent, yes(5)),
                may(Class::Consent, no(5)),
            );
            let enforces = |record| case(Class::Consent, record).enforcement().allowed;
            check(enforced, enforces(no(5)), enforces(yes(5)));
            check(declared, basis(suppressed).allowed, false);
        },
    );
}

#[test]
fn when_one_may_ask() {
    each("ask", |[refused, after, age, expected]| {
        let days = |cell: &str| {
            cell.split_once(' ')
                .map(|(days, _)| days.parse::<i64>().unwrap())
        };
        let category = Category {
            ask_again_after_us: days(after).map(|days| days * DAY_US),
            ..plain()
        };
        let refusal = yes_no(refused).then(|| no(NOW - days(age).unwrap()));
        let case = Case::new(category, refusal);
        assert_eq!(case.may_ask(), yes_no(expected), "{refused} {after} {age}");
    });
}
