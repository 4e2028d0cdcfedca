//! What does it cost to tell who it was, and whether we may, as the number of profiles grows? Resolving
//! and evaluating alone: no store, no journeys. Merges by the size of what is merged.

use std::borrow::Borrow;
use std::hint::black_box;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use wayfare_consent::{Question, Record, Said, evaluate};
use wayfare_event::{ConsentAction, Event, IdKey, Identifier, ProfileId, Timestamp};
use wayfare_identity::{
    Config, Links, Named, Node, Trust, attribute, extract, link, reach, resolve, settled,
};

use crate::chance::Chance;
use crate::measure::{Spread, each_ns, timed};
use crate::say;

/// Profiles of the smallest population, which the others are compared with.
const FEWEST: u64 = 1_000;
/// Events of a round.
const EVENTS: u32 = 20_000;
/// Events that are read before they are resolved, as a batch of the engine is.
const AT_ONCE: usize = 64;
/// Rounds, of which the middle counts.
const ROUNDS: u32 = 9;
/// Identifiers that are merged at once.
const COMPONENTS: [u64; 4] = [1, 10, 100, 900];
/// Merges of a round.
const MERGES: u32 = 40;
/// Records that a verdict looks at.
const RECORDS: [i64; 4] = [0, 1, 5, 10];

/// The arguments of `wayfare-bench people`.
#[derive(Debug, Args)]
pub(crate) struct People {
    /// Profiles of the largest population; ten million take some 6 GB.
    #[arg(long, default_value_t = 1_000_000)]
    most: u64,
}

/// Measures and prints.
pub(crate) fn measure(wanted: &People) -> anyhow::Result<()> {
    let mut links = Links::new();
    let mut count = 0;
    let mut first: Option<[f64; 2]> = None;
    say(&format!(
        "{:>10}  {:>32}  {:>32}",
        "profiles", "resolve, just read, ns", "resolve, looked up, ns"
    ))?;
    let mut size = FEWEST;
    while size <= wanted.most {
        for number in count..size {
            add(&mut links, &both(number)?);
        }
        count = size;
        let spreads = [just_read(&links, size)?, looked_up(&links, size)?];
        let medians = spreads.map(|spread| spread.median);
        let base = *first.get_or_insert(medians);
        let ratio = |place: usize| {
            let of = |all: [f64; 2]| all.get(place).copied().unwrap_or(1.0);
            of(medians) / of(base)
        };
        let [read, looked_up] = spreads;
        say(&format!(
            "{size:>10}  {read}  {:.2}x  {looked_up}  {:.2}x",
            ratio(0),
            ratio(1)
        ))?;
        merges(&links, size)?;
        size *= 10;
    }
    evaluations()
}

fn user(number: u64) -> String {
    format!("user-{number}")
}

fn browser(number: u64) -> String {
    format!("browser-{number}")
}

/// A person with a browser, each named twice.
fn add(links: &mut Links, named: &Named) {
    for at_us in [0, 1_000] {
        let at = Timestamp::from_micros(at_us);
        for change in link(&Config::default(), links, named, Trust::Verified, at) {
            links.apply(&change);
        }
    }
}

fn named(fields: &str) -> anyhow::Result<Named> {
    let event = Event::parse(&format!(r#"{{"type":"identify",{fields}}}"#), None)?;
    Ok(extract(&Config::default(), &event)?)
}

fn both(number: u64) -> anyhow::Result<Named> {
    let (user, browser) = (user(number), browser(number));
    named(&format!(r#""userId":"{user}","anonymousId":"{browser}""#))
}

/// Whom the events of a round are about, at random; every second one names their browser alone.
fn picked(size: u64, seed: u64) -> Vec<(u64, bool)> {
    let mut chance = Chance(seed);
    let pick = |place: u32| (chance.below(size), place.is_multiple_of(2));
    (0..EVENTS).map(pick).collect()
}

fn event((number, by_name): (u64, bool)) -> anyhow::Result<Named> {
    if by_name {
        return both(number);
    }
    let browser = browser(number);
    Ok(Named::just(Identifier::new("anonymous_id", &browser)))
}

/// Whose an event is that brings nothing new.
fn resolved(config: &Config, links: &Links, named: &Named) -> Option<ProfileId> {
    let at = Timestamp::from_micros(500);
    let changes = link(config, links, named, Trust::Verified, at);
    let lead = settled(config, links, named.identifiers())?;
    changes
        .is_empty()
        .then(|| ProfileId::derive(&IdKey::STATELESS, 1, lead.namespace.as_str(), &lead.value))
}

/// Resolving, the rows found among all there are.
fn looked_up(links: &Links, size: u64) -> anyhow::Result<Spread> {
    let all = |named| Ok((named, links));
    rounds(size, EVENTS as usize, all)
}

/// Resolving alone: the event and the rows of whom it names were just read, as in the engine.
fn just_read(links: &Links, size: u64) -> anyhow::Result<Spread> {
    let read = |named| {
        let read = read(links, &named)?;
        Ok((named, read))
    };
    rounds(size, AT_ONCE, read)
}

/// What it takes to resolve the events of a round, so many prepared at once.
fn rounds<L: Borrow<Links>>(
    size: u64,
    at_once: usize,
    prepare: impl Fn(Named) -> anyhow::Result<(Named, L)>,
) -> anyhow::Result<Spread> {
    let config = Config::default();
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let (mut found, mut spent) = (0, Duration::ZERO);
        for some in picked(size, u64::from(round)).chunks(at_once) {
            let some = some.iter().map(|of| prepare(event(*of)?));
            let some = some.collect::<anyhow::Result<Vec<_>>>()?;
            let (known, took) = timed(|| {
                let all = some.iter();
                let known = all.filter_map(|(it, of)| resolved(&config, of.borrow(), it));
                known.map(black_box).count()
            });
            found += known;
            spent += took;
        }
        ensure!(found == EVENTS as usize, "{found} of {EVENTS} are known");
        rounds.push(each_ns(EVENTS, spent));
    }
    Ok(Spread::of(rounds))
}

/// The rows that tell whose an event is, out of their stored bytes.
fn read(links: &Links, named: &Named) -> anyhow::Result<Links> {
    let mut read = Links::new();
    for node in named.identifiers().iter().filter_map(|it| links.node(it)) {
        let anchors = node.edges().iter().map(|edge| &edge.other);
        let near = anchors.filter_map(|anchor| links.node(anchor));
        for node in near.chain([node]) {
            let stored = rmp_serde::to_vec_named(&**node)?;
            read.put(rmp_serde::from_slice::<Node>(&stored)?);
        }
    }
    Ok(read)
}

/// A user claims a mailbox that so many browsers were named with: what is loaded, linked and resolved.
fn merges(links: &Links, size: u64) -> anyhow::Result<()> {
    let config = Config::default();
    let mail = |fields: &str| named(&format!(r#"{fields},"traits":{{"email":"m@x.example"}}"#));
    let claim = mail(&format!(r#""userId":"{}""#, user(size / 2)))?;
    let mut told = Vec::new();
    for count in COMPONENTS {
        let mut all = Links::new();
        for number in 0..count {
            let soft = mail(&format!(r#""anonymousId":"loose-{number}""#))?;
            for change in link(&config, &all, &soft, Trust::Verified, Timestamp::EPOCH) {
                all.apply(&change);
            }
        }
        let (held, took) = timed(|| {
            let mut held = 0;
            for _ in 0..MERGES {
                let mut loaded = Links::new();
                loop {
                    let missing = reach(&config, &loaded, &claim);
                    if missing.is_empty() {
                        break;
                    }
                    for identifier in missing {
                        match all.node(&identifier).or_else(|| links.node(&identifier)) {
                            Some(node) => loaded.put(node.clone()),
                            None => loaded.put_absent(identifier),
                        }
                    }
                }
                for change in link(&config, &loaded, &claim, Trust::Verified, Timestamp::EPOCH) {
                    loaded.apply(&change);
                }
                let partition = resolve(&config, &IdKey::STATELESS, &loaded);
                let profile = attribute(&config, &partition, claim.identifiers());
                held = profile.map_or(0, |profile| profile.identifiers.len());
            }
            held
        });
        ensure!(held as u64 >= count, "{held} identifiers, not {count}");
        told.push(format!("{count}: {:.0} us", each_ns(MERGES, took) / 1e3));
    }
    say(&format!(
        "{:>10}  merged with so many: {}",
        "",
        told.join(", ")
    ))?;
    Ok(())
}

/// A verdict on records of one address.
fn evaluations() -> anyhow::Result<()> {
    let config = wayfare_consent::Config::default();
    let address = Identifier::new("email", "ada@example.com");
    let actions = [ConsentAction::Accept, ConsentAction::Decline];
    for count in RECORDS {
        let told = (0..count).zip(actions.into_iter().cycle());
        let records: Vec<Record> = told.map(|(at_us, action)| said(action, at_us)).collect();
        let question = Question::new("marketing", Some(&address), Timestamp::from_micros(100));
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let (allowed, took) = timed(|| {
                let evaluated = (0..EVENTS).map(|_| {
                    let said = records.iter().map(|record| Said {
                        subject: &address,
                        record,
                    });
                    evaluate(black_box(&config), &question, said, |_, _| None)
                });
                evaluated.filter(|(allowed, _)| *allowed).count()
            });
            let expected = if count % 2 == 1 { EVENTS as usize } else { 0 };
            ensure!(allowed == expected, "{allowed} of {EVENTS} are allowed");
            rounds.push(each_ns(EVENTS, took));
        }
        say(&format!(
            "evaluate, {count:>2} records, ns  {}",
            Spread::of(rounds)
        ))?;
    }
    Ok(())
}

fn said(action: ConsentAction, at_us: i64) -> Record {
    let at = Timestamp::from_micros(at_us);
    Record::new("marketing", action, at, &format!("r{at_us}"))
}
