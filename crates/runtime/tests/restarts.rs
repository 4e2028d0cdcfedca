//! Does what waits survive the end of the process: sweeps between two pages, pauses, what is queued,
//! and people inside journeys that are edited?

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use tempfile::TempDir;
use wayfare_event::{Event, IdKey, Timestamp};
use wayfare_executor::{Action, Catalog, Happened, Operator, Place, Row, Sending};
use wayfare_journey::{Compiled, Known, compile};
use wayfare_runtime::{Engine, MigrationError, OpenError, Output};
use wayfare_store::local::Options;
use wayfare_store::{LocalStore, RowKind};

fn compiled(journey: &str) -> Compiled {
    let consent = wayfare_consent::Config::default();
    let categories: Vec<Arc<str>> = consent.names().cloned().collect();
    let known = Known {
        categories: &categories,
        ..Known::default()
    };
    compile(journey, &known).unwrap()
}

/// A directory, and the engine over it.
struct House {
    directory: TempDir,
    engine: Option<Engine>,
}

impl House {
    fn new(journeys: &[&str]) -> Self {
        let mut house = Self {
            directory: tempfile::tempdir().unwrap(),
            engine: None,
        };
        house.reopen(journeys).unwrap();
        house
    }

    /// The engine is gone, with what was not committed, and comes up with these journeys.
    fn reopen(&mut self, journeys: &[&str]) -> Result<(), OpenError> {
        self.engine = None;
        let options = Options {
            cache_mb: 16,
            dry: false,
            history_us: 30 * 86_400_000_000,
            new_id_key: [7; 32],
        };
        let (store, _) = LocalStore::open(self.directory.path(), &options).unwrap();
        let (identity, consent) = (
            wayfare_identity::Config::default(),
            wayfare_consent::Config::default(),
        );
        let catalog = Catalog::new(identity, consent, IdKey::new([7; 32]), Sending::Owed);
        let graphs = journeys.iter().map(|it| compiled(it).graph).collect();
        let engine = Engine::open(catalog, Box::new(store), graphs, &|source| {
            Ok(compiled(source))
        })?;
        self.engine = Some(engine);
        Ok(())
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().unwrap()
    }

    fn hear(&mut self, at: i64, json: &str) -> Vec<String> {
        let event = Event::parse(json, None).unwrap();
        let catalog = self.engine().catalog();
        let happened = Happened::new(catalog, event, "w".into(), minute(at)).unwrap();
        let engine = self.engine();
        engine.event(minute(at), happened, json.into()).unwrap();
        self.told()
    }

    fn order(&mut self, at: i64, action: Action) -> Vec<String> {
        let order = Operator {
            by: "ops".into(),
            reason: "it is a test".into(),
            action,
        };
        self.engine().order(minute(at), order).unwrap();
        self.told()
    }

    /// Timers, then sweeps, until nothing is due any more.
    fn pass(&mut self, at: i64) -> Vec<String> {
        let engine = self.engine();
        engine.begin_sweeps(minute(at)).unwrap();
        engine.fire(minute(at), 10_000).unwrap();
        while engine.next_sweep().is_some_and(|due| due <= minute(at)) || engine.has_queued() {
            engine.sweep(minute(at), 10_000).unwrap();
        }
        engine.fire(minute(at), 10_000).unwrap();
        self.told()
    }

    /// What is durable, and what came of it.
    fn told(&mut self) -> Vec<String> {
        let words = |output: Output| match output {
            Output::Decision(decision) => {
                let reason = decision.reason.unwrap_or_default();
                format!("{} {reason}", decision.outcome.as_str())
            }
            Output::Delivery { delivery, .. } => delivery.state.as_str().to_owned(),
            Output::Refused(refusal) => format!("refused {}", refusal.code.as_str()),
            Output::Control { paused, .. } => match paused {
                Some(_) => "paused".to_owned(),
                None => "resumed".to_owned(),
            },
            Output::Rejected { .. } | Output::Trace { .. } => String::new(),
        };
        let outputs = self.engine().commit().unwrap();
        outputs.into_iter().map(words).collect()
    }

    /// How many decisions each person has.
    fn decisions(&mut self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let mut count = |_: &_, row: &Row| {
            if let Row::Decision(decision) = row {
                *counts.entry(decision.owner.value.to_string()).or_default() += 1;
            }
        };
        let store = self.engine().store();
        store.scan(RowKind::Decision, &mut count).unwrap();
        counts
    }
}

fn minute(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-01-26T10:00:00Z".parse().unwrap();
    start.saturating_add_micros(minutes * 60_000_000)
}

fn track(who: &str, name: &str) -> String {
    format!(r#"{{"type":"track","userId":"{who}","event":"{name}"}}"#)
}

fn tell(who: &str, name: &str, value: &str) -> String {
    format!(r#"{{"type":"identify","userId":"{who}","traits":{{"{name}":{value}}}}}"#)
}

const DAILY: &str = "
journey: daily
description: Look at everybody at noon.
trigger: { schedule: { cron: '0 12 * * *' } }
entry: { again: always }
blocks:
  over: { exit: seen }
";

#[test]
fn a_sweep_goes_on_behind_its_last_page_after_every_kill() {
    const PEOPLE: usize = 1_000;
    let mut house = House::new(&[DAILY]);
    for person in 0..PEOPLE {
        house.hear(0, &track(&format!("u{person}"), "Looked"));
    }
    assert_eq!(house.pass(1), [""; 0]);
    let mut pages = 0;
    while house.engine().next_sweep().unwrap() <= minute(120) {
        house.engine().sweep(minute(120), 10_000).unwrap();
        if pages % 2 == 0 {
            house.told();
        }
        // What was not committed is done again: it had not happened.
        house.reopen(&[DAILY]).unwrap();
        pages += 1;
        assert!(pages < 20, "the sweep does not get on");
    }
    assert!(pages > 4, "{pages} pages");
    let decisions = house.decisions();
    assert_eq!(decisions.len(), PEOPLE);
    assert!(decisions.values().all(|count| *count == 1));
    assert_eq!(house.pass(121), [""; 0]);
    assert_eq!(house.pass(120 + 24 * 60).len(), PEOPLE);
}

#[test]
fn an_instant_that_was_missed_while_nothing_ran_counts_once() {
    let mut house = House::new(&[DAILY]);
    house.hear(0, &track("u", "Looked"));
    house.pass(1);
    house.reopen(&[DAILY]).unwrap();
    // Two noons went by.
    assert_eq!(house.pass(120 + 2 * 24 * 60 + 5), ["exit seen"]);
    assert_eq!(house.pass(120 + 3 * 24 * 60), ["exit seen"]);
}

#[test]
fn a_schedule_that_is_edited_and_edited_back_is_the_one_in_force() {
    let evening = DAILY.replace("0 12", "0 18");
    let mut house = House::new(&[DAILY]);
    house.hear(0, &track("u", "Looked"));
    house.pass(1);
    house.reopen(&[&evening]).unwrap();
    assert_eq!(house.pass(121), [""; 0]);
    assert_eq!(house.pass(8 * 60), ["exit seen"]);
    house.pass(8 * 60 + 1);
    // Back: the version is known from before.
    house.reopen(&[DAILY]).unwrap();
    assert_eq!(house.pass(8 * 60 + 2), [""; 0]);
    assert_eq!(house.pass(120 + 24 * 60), ["exit seen"]);
    // Gone, and there again.
    house.reopen(&[]).unwrap();
    assert_eq!(house.pass(120 + 2 * 24 * 60), [""; 0]);
    house.reopen(&[DAILY]).unwrap();
    assert_eq!(house.pass(130 + 2 * 24 * 60), [""; 0]);
    assert_eq!(house.pass(120 + 3 * 24 * 60), ["exit seen"]);
}

const TRIAL: &str = "
journey: trial
description: A trial ends.
trigger: { date: profile.endsAt }
blocks:
  over: { exit: ended }
";

#[test]
fn a_journey_that_comes_back_plans_the_dates_told_meanwhile() {
    let ends = |who: &str, time: &str| tell(who, "endsAt", &format!(r#""2026-01-26T{time}:00Z""#));
    let mut house = House::new(&[TRIAL]);
    house.hear(0, &ends("a", "12:00"));
    house.pass(1);
    house.reopen(&[]).unwrap();
    house.hear(2, &ends("b", "12:00"));
    house.hear(2, &ends("a", "13:00"));
    house.reopen(&[TRIAL]).unwrap();
    assert_eq!(house.pass(3), [""; 0]);
    assert_eq!(house.pass(120), ["exit ended"]);
    assert_eq!(house.pass(180), ["exit ended"]);
    // Nothing is planned anew when nothing changed.
    let before = house.engine().waiting();
    house.reopen(&[TRIAL]).unwrap();
    assert_eq!(house.engine().next_sweep(), None);
    assert_eq!(house.engine().waiting(), before);
}

#[test]
fn an_offset_that_is_edited_and_edited_back_is_the_one_in_force() {
    let later = TRIAL.replace("profile.endsAt", "profile.endsAt, offset: 1h");
    let mut house = House::new(&[TRIAL]);
    house.hear(0, &tell("u", "endsAt", r#""2026-01-26T12:00:00Z""#));
    house.pass(1);
    for (journey, at) in [(&*later, 2), (TRIAL, 3)] {
        house.reopen(&[journey]).unwrap();
        assert_eq!(house.pass(at), [""; 0]);
    }
    assert_eq!(house.pass(119), [""; 0]);
    assert_eq!(house.pass(120), ["exit ended"]);
    assert_eq!(house.pass(1_000), [""; 0]);
}

const LIMITED: &str = "
journey: limited
description: Let in two an hour.
trigger: { event: Came }
entry: { again: once, limit: 2/h }
exit:
  - { event: Left, reason: left }
blocks:
  half: { wait: 30m, then: send }
  send:
    webhook:
      method: POST
      url: https://x.example.com/
      consent: { basis: contract, because: it is a test }
      payload: {}
";

#[test]
fn a_journey_that_paused_itself_is_paused_after_a_kill() {
    let mut house = House::new(&[LIMITED]);
    assert_eq!(house.hear(0, &track("z", "Came")), [""; 0]);
    assert_eq!(house.hear(1, &track("a", "Came")), [""; 0]);
    let told = house.hear(2, &track("c", "Came"));
    assert_eq!(told, ["paused", "refused entry_limit"]);
    house.reopen(&[LIMITED]).unwrap();
    let limited = Place::whole("limited".into());
    assert!(house.engine().paused(&limited).is_some());
    assert_eq!(house.hear(3, &track("d", "Came")), ["refused paused"]);
    // Timers hold, before and after another kill.
    assert_eq!(house.pass(40), [""; 0]);
    assert_eq!(house.engine().next_timer(), None);
    assert_eq!(house.engine().waiting(), 2);
    house.reopen(&[LIMITED]).unwrap();
    assert_eq!(house.pass(41), [""; 0]);
    assert_eq!(house.hear(42, &track("z", "Left")), ["exit left"]);
    assert_eq!(house.engine().waiting(), 1);
    let go_on = Action::Resume(Place::whole("limited".into()));
    assert_eq!(house.order(43, go_on), ["resumed"]);
    assert_eq!(house.pass(43), ["webhook "]);
}

#[test]
fn a_delivery_of_a_paused_journey_holds_and_leaves_when_it_goes_on() {
    let mut house = House::new(&[LIMITED]);
    house.hear(0, &track("a", "Came"));
    assert_eq!(house.pass(30), ["webhook "]);
    // One is taken up before the pause, and asks to leave after it.
    let taken = house.engine().take_due(minute(30)).unwrap();
    house.order(31, Action::Pause(Place::whole("limited".into())));
    assert!(!house.engine().ready(minute(31), taken[0].id).unwrap());
    assert_eq!(house.engine().open_deliveries(), 0);
    house.reopen(&[LIMITED]).unwrap();
    assert!(house.engine().take_due(minute(32)).unwrap().is_empty());
    assert_eq!(house.engine().open_deliveries(), 0);
    house.order(33, Action::Resume(Place::whole("limited".into())));
    assert_eq!(house.engine().open_deliveries(), 1);
    let due = house.engine().take_due(minute(33)).unwrap();
    assert!(house.engine().ready(minute(33), due[0].id).unwrap());
    assert_eq!(house.told(), ["armed"]);
}

#[test]
fn a_stop_goes_on_behind_its_last_page_after_every_kill() {
    const PEOPLE: usize = 300;
    let journey = LIMITED.replace(", limit: 2/h", "");
    let mut house = House::new(&[&journey]);
    for person in 0..PEOPLE {
        house.hear(0, &track(&format!("u{person}"), "Came"));
    }
    // Half of them are owed a request by the time of the stop.
    house.engine().fire(minute(30), PEOPLE / 2).unwrap();
    assert_eq!(house.told().len(), PEOPLE / 2);
    let stop = Action::Stop(Place::whole("limited".into()));
    let mut told = house.order(31, stop);
    assert_eq!(told, ["paused"]);
    let mut pages = 0;
    while house.engine().is_stopping(None) {
        assert!(house.engine().take_due(minute(31)).unwrap().is_empty());
        house.engine().sweep(minute(31), 10_000).unwrap();
        if pages % 2 == 0 {
            told.extend(house.told());
        }
        // A journey whose file is gone is stopped all the same.
        house.reopen(&[]).unwrap();
        pages += 1;
        assert!(pages < 20, "the stop does not get on");
    }
    let count = |word: &str| told.iter().filter(|it| it.starts_with(word)).count();
    let half = PEOPLE / 2;
    assert_eq!(
        (count("stopped stopped by ops"), count("withheld")),
        (half, half)
    );
    assert_eq!(
        house.engine().waiting() + house.engine().open_deliveries(),
        0
    );
    assert_eq!(house.decisions().len(), PEOPLE);
}

/// A journey that writes 95 traits.
fn writer(name: usize) -> String {
    let mut text = format!(
        "journey: w{name}\ndescription: Write much.\ntrigger: {{ event: Came }}\n\
         entry: {{ again: once }}\nblocks:\n"
    );
    for block in 0..95 {
        let next = block + 1;
        writeln!(
            text,
            "  b{block}: {{ update: {{ profile: {{ n: '{{(profile.n ?? 0) + 1}}', w{name}: {block} }} }}, then: b{next} }}"
        )
        .unwrap();
    }
    text.push_str("  b95: { exit: written }\n");
    text
}

#[test]
fn what_is_queued_beyond_a_thousand_stays_and_is_taken_after_a_kill() {
    let writers: Vec<String> = (0..12).map(writer).collect();
    let journeys: Vec<&str> = writers.iter().map(String::as_str).collect();
    let mut house = House::new(&journeys);
    assert_eq!(house.hear(0, &track("u", "Came")).len(), 12);
    assert!(house.engine().has_queued());
    house.reopen(&journeys).unwrap();
    assert!(house.engine().has_queued());
    let queued = |house: &mut House| {
        let mut count = 0;
        let visit = &mut |_: &_, _: &Row| count += 1;
        house.engine().store().scan(RowKind::Queued, visit).unwrap();
        count
    };
    assert_eq!(queued(&mut house), 12 * 95 - 1_000);
    assert_eq!(house.pass(1), [""; 0]);
    assert_eq!(queued(&mut house), 0);
    let mut last = BTreeMap::new();
    let mut traits = |_: &_, row: &Row| {
        if let Row::Person(person) = row {
            for (name, register) in &person.record.traits {
                last.insert(name.to_string(), register.value.to_string());
            }
        }
    };
    let store = house.engine().store();
    store.scan(RowKind::Person, &mut traits).unwrap();
    let written = (0..12).all(|name| last[&format!("w{name}")] == "94");
    assert!(written, "{last:?}");
}

/// A journey of one wait, of which a webhook tells something.
fn inside(block: &str, more: &str, tells: &str) -> String {
    format!(
        "
journey: inside
description: Wait and tell.
trigger: {{ event: Came, where: properties.n != 0 }}
{more}
blocks:
  {block}: {{ wait: 1h, then: tell }}
  tell:
    webhook:
      method: POST
      url: https://x.example.com/{block}
      consent: {{ basis: contract, because: it is a test }}
      payload: {{ n: '{{{tells}}}' }}
"
    )
}

#[test]
fn an_edit_that_has_no_place_for_those_inside_is_refused() {
    let first = inside("hour", "", "properties.n");
    let mut house = House::new(&[&first]);
    house.hear(0, &track("u", "Came"));
    house.hear(0, &track("v", "Came"));

    let any = "migrate: { from: any }";
    let no_place = house.reopen(&[&inside("two", any, "properties.n")]);
    match no_place {
        Err(OpenError::Migration(MigrationError::NoPlace { block, count, .. })) => {
            assert_eq!((&*block, count), ("hour", 2));
        }
        other => unreachable!("{other:?}"),
    }
    let map = "migrate: { from: any, map: { hour: two } }";
    let not_kept = house.reopen(&[&inside("two", map, "properties.other")]);
    match not_kept {
        Err(OpenError::Migration(MigrationError::NotKept { leaf, count, .. })) => {
            assert_eq!((&*leaf, count), ("trigger.properties.other", 2));
        }
        other => unreachable!("{other:?}"),
    }
    // Nothing has happened; without `migrate:` everybody finishes where they are.
    house
        .reopen(&[&inside("two", "", "properties.other")])
        .unwrap();
    house
        .reopen(&[&inside("two", map, "properties.n")])
        .unwrap();
    assert_eq!(house.pass(60), ["webhook "; 2]);
    let mut urls = Vec::new();
    let mut url = |_: &_, row: &Row| {
        if let Row::Delivery(delivery) = row {
            urls.push(delivery.request.url.clone());
        }
    };
    let store = house.engine().store();
    store.scan(RowKind::Delivery, &mut url).unwrap();
    assert_eq!(urls, ["https://x.example.com/two"; 2]);
}

#[test]
fn those_inside_finish_on_their_version_across_kills() {
    let first = inside("hour", "", "properties.n");
    let second = inside("two", "", "properties.m");
    let mut house = House::new(&[&first]);
    house.hear(0, &track("u", "Came"));
    house.reopen(&[&second]).unwrap();
    house.hear(1, &track("v", "Came"));
    // The file is gone: nobody enters, both drain.
    house.reopen(&[]).unwrap();
    assert_eq!(house.hear(2, &track("w", "Came")), [""; 0]);
    house.reopen(&[]).unwrap();
    assert_eq!(house.pass(61), ["webhook "; 2]);
    let mut urls = Vec::new();
    let mut url = |_: &_, row: &Row| {
        if let Row::Delivery(delivery) = row {
            urls.push(delivery.request.url.clone());
        }
    };
    let store = house.engine().store();
    store.scan(RowKind::Delivery, &mut url).unwrap();
    urls.sort();
    let (hour, two) = ("https://x.example.com/hour", "https://x.example.com/two");
    assert_eq!(urls, [hour, two]);
}
